"""The sandbox that tests are written for."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from pathlib import Path

from bot.sandbox.sandbox import Sandbox, open_sandbox
from providers.clock import Clock, utc_now

KINDS = ("rapid7", "akamai", "devicewise")


def open_tested_sandbox(
    folder: Path, *, clock: Clock = utc_now
) -> AbstractAsyncContextManager[Sandbox]:
    """A sandbox with one account of each of these vendors. Another vendor would make questions that
    name no account ambiguous; it has separate tests.
    """
    return open_sandbox(folder, clock=clock, kinds=KINDS)
