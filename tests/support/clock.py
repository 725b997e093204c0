"""The clock of a test: the machine's own, moved ahead or back, for the bot, the sandbox and every
process that a test starts.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from providers.clock import Clock

# A folder with a `sitecustomize.py`, which every Python process imports as it starts.
PROCESS_CLOCK = Path(__file__).parent / "process_clock"
OFFSET = "OPSWATCH_TEST_CLOCK_OFFSET_S"


class MovableClock:
    """The machine's clock plus `ahead`. It keeps running, so a test that must not depend on the
    speed of the machine starts it well before the instant that matters, and calls `strike`.
    """

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def set(self, moment: datetime) -> None:
        self.ahead = moment - datetime.now(UTC)

    def strike(self, minutes: int = 60) -> None:
        """Moves it to the next full hour, or to the next multiple of this many minutes."""
        now = self()
        every = timedelta(minutes=minutes)
        self.ahead += every - (now - datetime.min.replace(tzinfo=UTC)) % every


def process_environ(clock: Clock, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment in which a Python process has the time of `clock`."""
    ahead_s = (clock() - datetime.now(UTC)).total_seconds() + float(environ.get(OFFSET) or 0)
    if abs(ahead_s) < 1:
        return dict(environ)
    path = os.pathsep.join(filter(None, [str(PROCESS_CLOCK), environ.get("PYTHONPATH", "")]))
    return {**environ, "PYTHONPATH": path, OFFSET: repr(ahead_s)}
