"""The store: one port for each kind of persistent data."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bot.store import protocols, sharing
from bot.store.errors import StoreError, StoreUnavailable
from bot.store.opening import open_database
from bot.store.records import LeaseTimings
from bot.store.retention import DEFAULT_RETENTION, Retention
from bot.store.sql.alerts import SqlAlerts
from bot.store.sql.answers import SqlAnswers
from bot.store.sql.baselines import SqlBaselines
from bot.store.sql.canvases import SqlCanvases
from bot.store.sql.changes import SqlChanges
from bot.store.sql.circuits import SqlCircuits
from bot.store.sql.claims import MOST_CLOCK_SKEW_S, Claims
from bot.store.sql.database import Database, Row, Transaction
from bot.store.sql.deliveries import SqlDeliveries
from bot.store.sql.outbox import SqlOutbox
from bot.store.sql.pace import SqlPace
from bot.store.sql.pauses import SqlPauses
from bot.store.sql.questions import SqlQuestions
from bot.store.sql.rate_limits import SqlRateLimits
from bot.store.sql.refused_blocks import SqlRefusedBlocks
from bot.store.sql.rules import SqlRules, SqlSilences
from bot.store.sql.saved_questions import SqlSavedQuestions
from bot.store.sql.schedules import SqlSchedules
from bot.store.sql.seen import SqlSeen
from bot.store.sql.series import SeriesNumbers
from bot.store.sql.stored_times import SqlTimes
from bot.store.sql.subscriptions import SqlSubscriptions
from providers.clock import Clock
from providers.http.circuit import SharedCircuits
from providers.redaction import Secret


class Store:
    """An open database, with one port for each kind of data."""

    def __init__(
        self,
        database: Database,
        retention: Retention = DEFAULT_RETENTION,
        lease: LeaseTimings = LeaseTimings(),
    ) -> None:
        self.database = database
        self.retention = retention
        self._claims = claims = Claims(database, lease)
        series = SeriesNumbers()
        self.questions: protocols.QuestionStore = SqlQuestions(database, claims)
        self.deliveries: protocols.DeliveryStore = SqlDeliveries(database)
        self.answers: protocols.AnswerStore = SqlAnswers(database, retention.answers)
        self.outbox: protocols.OutboxStore = SqlOutbox(database, claims)
        self.schedules: protocols.ScheduleStore = SqlSchedules(database, claims)
        self.subscriptions: protocols.SubscriptionStore = SqlSubscriptions(database)
        self.canvases: protocols.CanvasStore = SqlCanvases(database, claims)
        self.saved_questions: protocols.SavedQuestionStore = SqlSavedQuestions(database)
        self.alerts: protocols.AlertStore = SqlAlerts(database, claims, series)
        self.baselines: protocols.BaselineStore = SqlBaselines(database, series)
        self.seen: protocols.SeenStore = SqlSeen(database)
        self.rules: protocols.RuleStore = SqlRules(database)
        self.silences: protocols.SilenceStore = SqlSilences(database)
        self.pauses: protocols.PauseStore = SqlPauses(database)
        self.rate_limits: protocols.RateLimitStore = SqlRateLimits(database, claims)
        self.times: protocols.TimeStore = SqlTimes(database, claims)
        self.changes: sharing.ChangeStore = SqlChanges(database)
        self.pace: sharing.PaceStore = SqlPace(database, claims)
        self.circuits: SharedCircuits = SqlCircuits(database)
        self.refused_blocks: sharing.RefusedBlockStore = SqlRefusedBlocks(database)
        self.is_closed = False
        self._probe: asyncio.Task[None] | None = None

    @classmethod
    async def open(
        cls,
        location: Path | Secret,
        *,
        now: datetime,
        retention: Retention = DEFAULT_RETENTION,
        lease: LeaseTimings = LeaseTimings(),
    ) -> Store:
        """The store in the file of this path, or on the server of this URL, created and migrated if needed. Raises StoreError and changes
        nothing if there is something else. `retention` is for whoever prunes it.
        """
        store = cls(await open_database(location), retention, lease)
        try:
            # Other processes have stored the URLs by the database's clock.
            await store.compare_clocks()
            await store.questions.forget_expired_urls(store.shared_clock(lambda: now)())
        except StoreUnavailable as error:
            await store.close()
            raise StoreError(f"The database cannot be used: {error}.") from None
        return store

    async def join(self) -> None:
        """Registers this process with the others that use the database, until the store is closed."""
        await self._claims.join()

    def share(self) -> tuple[float, float]:
        """Where in shared work this process begins, from 0 up to 1, and how much of it is its part:
        each process begins with another part.
        """
        size = 1 / (1 + max(0, self._claims.others))
        return self._claims.before * size, size

    def clock_problem(self) -> str:
        """What is wrong with the clock of this machine, in a sentence; empty if it agrees with the
        database's. Due times are by the clocks of all processes, so that each runs what is due.
        """
        ahead_s = self._claims.clock_ahead_s
        if abs(ahead_s) <= MOST_CLOCK_SKEW_S:
            return ""
        where = "ahead of" if ahead_s > 0 else "behind"
        return (
            f"The clock of this machine is {abs(ahead_s):.0f} s {where} the database's. Check the "
            "time service (NTP)."
        )

    def shared_clock(self, clock: Clock) -> Clock:
        """The clock, corrected to the database's where the two differ by more than they may:
        processes that share a database then agree about what is due.
        """

        def corrected() -> datetime:
            ahead_s = self._claims.clock_ahead_s
            is_wrong = abs(ahead_s) > MOST_CLOCK_SKEW_S
            return clock() - timedelta(seconds=ahead_s) if is_wrong else clock()

        return corrected

    async def compare_clocks(self) -> None:
        """Measures at once how far the clock of this machine is from the database's, which is
        measured regularly otherwise. Raises StoreUnavailable.
        """
        await self._claims.compare_clocks()

    async def close(self) -> None:
        self.is_closed = True
        await self._claims.end()
        await self.database.close()

    async def size(self) -> int:
        """The bytes that the database takes on its disk."""
        return await self.database.size()

    async def prune(self, now: datetime) -> None:
        """Deletes what is older than the retention says. Rules, silences and subscriptions stay on
        record.
        """
        kept = self.retention
        await self.schedules.prune(before=now - kept.runs)
        await self.outbox.prune(before=now - kept.outbox)
        await self.alerts.prune(
            samples_before=now - kept.samples, notices_before=now - kept.notices
        )
        await self.baselines.prune(before=now - kept.baselines)
        await self.seen.prune(before=now - kept.seen)
        await self.answers.prune(now)
        await self.deliveries.prune(now)
        await self.questions.prune(before=now - kept.questions)
        await self.pace.prune()

    async def read(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        """The rows of a query, for diagnostics and tests."""
        return await self.database.read(sql, params)

    async def works(self, *, within_s: float = 2.0) -> bool:
        """Whether the database can be read and written."""
        return not await self.problem(within_s=within_s)

    async def problem(self, *, within_s: float = 2.0) -> str:
        """Why the database cannot be used, in a sentence; empty if it can. Writes a little, and
        reads all of it now and then.
        """
        try:
            async with asyncio.timeout(within_s):
                await asyncio.shield(self._probing())
            async with asyncio.timeout(within_s):
                damage = await self.database.damage()
        except TimeoutError:
            return f"The database does not answer within {within_s:g} s."
        except (StoreUnavailable, OSError, RuntimeError) as error:
            return f"The database cannot be used: {error}."
        return f"The database is damaged: {damage}." if damage else ""

    def _probing(self) -> asyncio.Task[None]:
        """The current probe, shared by all callers."""
        if self._probe is None or self._probe.done():
            self._probe = asyncio.create_task(self.database.write(_probe))
            self._probe.add_done_callback(lambda done: done.cancelled() or done.exception())
        return self._probe


def _probe(tx: Transaction) -> None:
    """Allocates a few pages and releases them, so that a full disk is detected."""
    tx.execute("DELETE FROM outbox_files WHERE key = ''")
    tx.execute("INSERT INTO outbox_files (key, content) VALUES ('', ?)", (bytes(20_000),))
    tx.execute("DELETE FROM outbox_files WHERE key = ''")
