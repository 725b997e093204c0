"""The clock of a test: the machine's own, moved ahead or back, for the bot, the sandbox and every
process that a test starts.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import time_machine
from msgspec.structs import replace

from bot.store.postgres import connection
from bot.store.sql.database import Dialect
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


def ahead_of_machine_s() -> float:
    """How far the clock of this process was moved."""
    return time.time() - time_machine.escape_hatch.time.time()


def moved_dialect() -> Dialect:
    """PostgreSQL with the clock of this process, and not with the machine's."""
    moved = f"({connection.SECONDS} + {ahead_of_machine_s()!r})"
    return replace(connection.DIALECT, time_of_day=moved)


def process_environ(clock: Clock, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment in which a Python process has the time of `clock`."""
    ahead_s = (clock() - datetime.now(UTC)).total_seconds() + float(environ.get(OFFSET) or 0)
    if abs(ahead_s) < 1:
        return dict(environ)
    path = os.pathsep.join(filter(None, [str(PROCESS_CLOCK), environ.get("PYTHONPATH", "")]))
    return {**environ, "PYTHONPATH": path, OFFSET: repr(ahead_s)}
