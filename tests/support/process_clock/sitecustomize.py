"""Moves the clock of this process by as many seconds as the clock of the test that started it."""

from __future__ import annotations

import os
import time

ahead_s = float(os.environ.get("OPSWATCH_TEST_CLOCK_OFFSET_S") or 0)
if ahead_s:
    import time_machine

    time_machine.travel(time.time() + ahead_s, tick=True).start()
    # A moved clock runs from its first reading on, which is not to be that of a forked child.
    time.time()
