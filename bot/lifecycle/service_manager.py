"""Notifies systemd when the bot is ready, reloads, stops and is alive: sd_notify(3), for units of
`Type=notify` with `WatchdogSec=`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import AsyncIterator, Callable, MutableMapping
from contextlib import asynccontextmanager

from msgspec import Struct

# How often the status is updated without a watchdog.
STATUS_EVERY_S = 15.0
LONGEST_STATUS = 200


class ServiceManager(Struct, frozen=True):
    """The address of systemd's socket and the watchdog's period; without an address nothing is
    sent.
    """

    address: str = ""
    watchdog_s: float = 0.0

    @classmethod
    def from_environ(cls, environ: MutableMapping[str, str] = os.environ) -> ServiceManager:
        """What systemd has set. The variables are removed, so that no child process of the bot
        notifies in its place.
        """
        # A path, or a name in the abstract namespace that begins with `@` (sd_notify(3)).
        address = environ.pop("NOTIFY_SOCKET", "")
        pid = environ.pop("WATCHDOG_PID", "")
        usec = environ.pop("WATCHDOG_USEC", "")
        # The watchdog may be meant for another process of the unit (sd_watchdog_enabled(3)).
        is_ours = not pid or pid == str(os.getpid())
        watchdog_s = int(usec) / 1e6 if is_ours and usec.isascii() and usec.isdigit() else 0.0
        return cls(address if address.startswith(("/", "@")) else "", watchdog_s)

    def ready(self) -> None:
        """The bot answers questions, for the first time or after a reload."""
        self.notify("READY=1")

    def reloading(self) -> None:
        """A reload has begun, which ends with `ready`."""
        # systemd orders its own events by this time; units of Type=notify-reload require it.
        self.notify(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        self.notify("STOPPING=1")

    @asynccontextmanager
    async def watched(
        self, alive: Callable[[], bool], status: Callable[[], str]
    ) -> AsyncIterator[None]:
        """Sends the status when it changes, and the watchdog's keep-alive while `alive` is true."""
        if not self.address:
            yield
            return
        task = asyncio.create_task(self._watch(alive, status))
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _watch(self, alive: Callable[[], bool], status: Callable[[], str]) -> None:
        shown = ""
        # Half of the period, as sd_watchdog_enabled(3) recommends.
        every_s = min(self.watchdog_s / 2 or STATUS_EVERY_S, STATUS_EVERY_S)
        while True:
            if self.watchdog_s and alive():
                self.notify("WATCHDOG=1")
            text = " ".join(status().split())[:LONGEST_STATUS]
            if text != shown:
                self.notify(f"STATUS={text}")
                shown = text
            await asyncio.sleep(every_s)

    def notify(self, state: str) -> None:
        """Sends a state if systemd listens. Never blocks; a full socket loses it."""
        if not self.address:
            return
        # The kernel marks abstract names by a NUL in front.
        address = f"\0{self.address[1:]}" if self.address.startswith("@") else self.address
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender,
        ):
            # A lost status is harmless, and a blocked event loop is not.
            sender.setblocking(False)
            sender.sendto(state.encode(), address)
