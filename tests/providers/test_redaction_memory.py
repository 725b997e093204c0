"""The memory of the faster scan fits beside a long log, which a separate process reads in little
memory.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
from pathlib import Path
from providers.redaction.rules import rule_table
from providers.redaction.scan import HyperscanTexts

def most_kb():
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])

block, scan = bytes(8 * 1024 * 1024), rule_table().scan
before = most_kb()
scan.found(block)
print(most_kb() - before if isinstance(scan.current, HyperscanTexts) else "no hyperscan")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_faster_scan_is_compiled_in_little_memory() -> None:
    """One more text can make Hyperscan choose a search that takes 40 MB to compile."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, check=True, text=True, timeout=60
    )
    assert done.stdout.strip() == "no hyperscan" or int(done.stdout) < 25_000
