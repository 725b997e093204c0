"""The clock of a process that a test starts: the test's own, also in children that the process forks."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta

from tests.conftest import ROOT
from tests.support.clock import MovableClock, process_environ

FORKED = """
import os, time
time.sleep(0.3)
for _ in range(2):
    child = os.fork()
    if not child:
        print(time.time(), flush=True)
        os._exit(0)
    os.waitpid(child, 0)
    time.sleep(0.2)
"""


def test_moved_clock_runs_on_in_forked_children(clock: MovableClock) -> None:
    clock.ahead = -timedelta(days=30)
    before = clock().timestamp()
    ran = subprocess.run(
        [sys.executable, "-c", FORKED],
        env=process_environ(clock), cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    after = clock().timestamp()
    first, second = map(float, ran.stdout.split())
    # The offset itself is measured a moment before the process starts.
    assert before - 1 < first < second < after + 1
    assert second - first >= 0.2
