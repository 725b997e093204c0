"""Claims of this process on shared work, and the lease that keeps them.

Several processes may share a database: at a restart the old one still ends while the new one has
begun, and a killed one leaves what it had claimed. Each renews its lease every few seconds. Claims
of a process whose lease has expired are free for the others.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import uuid
from collections.abc import Callable
from typing import TypeVar

from bot.store.errors import StoreUnavailable
from bot.store.records import LeaseTimings
from bot.store.sql.database import Database, Transaction

log = logging.getLogger("opswatch")
# A process that has ended without saying so is removed after so many leases.
EXPIRED_KEPT = 10
# Alerts and digests are due by the clock of whichever process sees them first.
MOST_CLOCK_SKEW_S = 5.0
T = TypeVar("T")


def live_replicas(clock: str, timings: LeaseTimings) -> str:
    """A query for the ids of the processes whose lease has not expired, by an expression for the
    lease clock.
    """
    # A time ahead is from before the machine was restarted, where that is the clock.
    is_held = f"seen_at > {clock} - {timings.expires_after!r} AND seen_at <= {clock}"
    return f"SELECT id FROM replicas WHERE {is_held}"  # noqa: S608 - constants


class Claims:
    """The identity of this process towards the others, from its first claim until the store is
    closed.
    """

    def __init__(self, database: Database, timings: LeaseTimings) -> None:
        self.owner = uuid.uuid4().hex
        self._database = database
        self._timings = timings
        self._renewing: asyncio.Task[None] | None = None
        # How many other processes have a lease, as of the last renewal, and how many of them come
        # before this one in their order.
        self.others = 0
        self.before = 0
        self._renewed_in: Transaction | None = None
        # How far the clock of this machine is ahead of the database's, as of the last renewal.
        self.clock_ahead_s = 0.0
        clock = database.dialect.lease_clock
        self._live_replicas = live_replicas(clock, timings)
        # Kept for a while after it has expired, so that an operator sees who was there.
        forgotten_after = EXPIRED_KEPT * timings.expires_after
        self._forgotten = f"seen_at <= {clock} - {forgotten_after!r} OR seen_at > {clock}"

    def is_free(self, owner: str = "owner") -> str:
        """A condition for rows that no living process has claimed, by their column."""
        return f"coalesce({owner}, '') NOT IN ({self._live_replicas})"

    def is_takeable(self, owner: str = "owner") -> str:
        """A condition with the parameter `self.owner` for rows that this process may claim, since
        they are free or its own.
        """
        return f"({owner} = ? OR {self.is_free(owner)})"

    async def join(self) -> None:
        """Registers this process before it claims anything."""
        await self._renew_alone()
        self._start_renewing()

    async def write(self, work: Callable[[Transaction], T], *, concurrent: bool = False) -> T:
        """The result of `work`, which claims something, in a transaction that renews the lease.
        `concurrent` is as in `Database.write`.
        """
        self._start_renewing()

        def claim(tx: Transaction) -> T:
            if tx is self._renewed_in:
                return work(tx)
            self._renew(tx)
            result = work(tx)
            # Several claims may share a transaction. Where one fails, its renewal is undone.
            self._renewed_in = tx
            return result

        return await self._database.write(claim, concurrent=concurrent)

    async def end(self) -> None:
        """Lets others take what is still claimed."""
        if self._renewing is None:
            return
        self._renewing.cancel()
        await asyncio.gather(self._renewing, return_exceptions=True)
        with contextlib.suppress(StoreUnavailable):
            await self._database.execute("DELETE FROM replicas WHERE id = ?", (self.owner,))

    def _start_renewing(self) -> None:
        if self._renewing is None:
            self._renewing = asyncio.create_task(self._renew_regularly())

    async def _renew_regularly(self) -> None:
        while True:
            await asyncio.sleep(self._timings.renew_every)
            try:
                await self._renew_alone()
            except StoreUnavailable as error:
                log.warning("The lease on claimed work could not be renewed: %s", error)

    async def _renew_alone(self) -> None:
        def renew(tx: Transaction) -> list[str]:
            self._renew(tx)
            tx.execute(f"DELETE FROM replicas WHERE {self._forgotten}")  # noqa: S608 - constants
            return [row["id"] for row in tx.query(f"{self._live_replicas} ORDER BY id")]

        living = await self._database.write(renew)
        self.others = len(living) - 1
        self.before = sum(owner < self.owner for owner in living)
        await self.compare_clocks()

    async def is_clock_behind(self) -> bool:
        """Whether the clock of this machine is behind the database's now, by more than it may be."""
        await self.compare_clocks()
        return self.clock_ahead_s < -MOST_CLOCK_SKEW_S

    async def compare_clocks(self) -> None:
        """Measures how far the clock of this machine is from the database's."""
        expression = self._database.dialect.time_of_day
        if not expression:
            return
        before = time.time()
        [row] = await self._database.read(f"SELECT {expression} AS seconds")
        # It was read at some time between these two.
        after = time.time()
        ahead_s = max(0.0, before - row["seconds"])
        behind_s = max(0.0, row["seconds"] - after)
        self.clock_ahead_s = ahead_s or -behind_s

    def _renew(self, tx: Transaction) -> None:
        tx.execute(
            f"INSERT INTO replicas (id, seen_at) VALUES (?, {tx.dialect.lease_clock}) "  # noqa: S608
            "ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at",
            (self.owner,),
        )
