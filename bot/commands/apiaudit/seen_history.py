"""What is known of the calls of earlier days: learned from every answer that read all calls of its
window, and fetched for the days that no answer has read.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from bot.answer import Progress, Step
from bot.commands.apiaudit.novelty import AccountHistory, seen_days
from bot.commands.seen_store import RecentDays
from bot.reports.seen_values import DAY, MICROSECOND, SeenDay, midnight, part_of
from bot.system.computing import compute
from providers.clock import Clock
from providers.errors import ProviderError
from providers.models import CallFilters, CallPage, DayRange, Window
from providers.sources import CallSource

# Vendors record a call some time after it was made.
SETTLED_AFTER = timedelta(minutes=15)
# Alerts read nearly the same calls again and again; so much has to be new to be worth a write.
LEAST_LEARNED = timedelta(minutes=10)
# A day that its vendor could not tell completely is fetched again after that time.
TRY_AGAIN_AFTER = timedelta(hours=6)
# An answer waits no longer than this for earlier days; the next one continues with the rest.
FILL_WITHIN_S = 20.0


@dataclass(frozen=True, slots=True)
class SeenHistory:
    """The histories of all accounts."""

    sources: Mapping[str, CallSource]
    store: RecentDays
    clock: Clock
    monotonic: Callable[[], float] = time.monotonic
    _again_at: dict[tuple[str, date], datetime] = field(default_factory=dict)
    _filling: defaultdict[str, asyncio.Lock] = field(
        default_factory=lambda: defaultdict(asyncio.Lock)
    )

    async def learn(self, answered: Mapping[str, CallPage], window: Window) -> None:
        """Stores the values of all calls of a window by account, unless most of them are stored
        already.
        """
        for account, page in answered.items():
            part = page.complete_part(window)
            settled = part and self._settled(part)
            if part and settled and await self._is_worth_learning(account, settled):
                for seen in await compute(seen_days, page.calls, part):
                    await self._add(account, seen)

    async def _is_worth_learning(self, account: str, window: Window) -> bool:
        known = await self.store.days(account, window.days)
        unread = sum(
            end - start
            for day in window.days.each()
            for start, end in known.get(day, SeenDay(day)).gaps(window)
        )
        return unread * MICROSECOND >= min(LEAST_LEARNED, window.length)

    async def before(
        self, accounts: Iterable[str], start: datetime, days: int, *, progress: Progress | None
    ) -> dict[str, AccountHistory]:
        """What is known of so many days before an instant, by account. With `progress`, days that
        are not known are fetched first, the latest of them first.
        """
        before = Window(max(start - days * DAY, _FIRST), start)
        names = list(accounts)
        found = await asyncio.gather(*(self._before(name, before, progress) for name in names))
        return dict(zip(names, found, strict=True))

    async def _before(
        self, account: str, before: Window, progress: Progress | None
    ) -> AccountHistory:
        if progress is None:
            # With today, of which `learn` wants to know what was read.
            days = DayRange(before.days.first, max(before.days.last, self.clock().date()))
            return AccountHistory(before, await self.store.days(account, days))
        until = self.monotonic() + FILL_WITHIN_S
        step = progress.steps.get(account)
        # Another question may be fetching the same days.
        async with _best_effort_lock(self._filling[account], within_s=FILL_WITHIN_S):
            known = dict(await self.store.days(account, before.days, fresh=True))
            await self._fill(account, before, known, progress, until=until)
            if step:
                progress.step(step)
            return AccountHistory(before, known)

    async def _fill(
        self,
        account: str,
        before: Window,
        known: dict[date, SeenDay],
        progress: Progress,
        *,
        until: float,
    ) -> None:
        """Adds the days that are missing. Stops where the vendor fails or time is up."""
        source = self.sources[account]
        missing = self._missing(source, before, known)
        for number, (day, window) in enumerate(missing):
            if self.monotonic() >= until:
                return
            detail = f"earlier days: {number + 1} of {len(missing)}"
            progress.step(Step(account, "in_progress", detail))
            try:
                page = await source.calls(window, CallFilters())
            except ProviderError:
                # The answer itself is there; it says how many days it was compared with.
                return
            [seen] = await compute(seen_days, page.calls, window)
            part = page.complete_part(window)
            if part is None:
                self._again_at[account, day] = self.clock() + TRY_AGAIN_AFTER
            seen = SeenDay(day, seen.sets, [part_of(part, day)] if part else [])
            await self._add(account, seen)
            known[day] = known.get(day, SeenDay(day)).merged(seen)

    def _missing(
        self, source: CallSource, before: Window, known: Mapping[date, SeenDay]
    ) -> list[tuple[date, Window]]:
        """The days that were not read whole, the latest first, and what is to be read of each."""
        now = self.clock()
        since = source.kept_since(now) or before.start
        if since >= before.end:
            return []
        kept = Window(max(before.start, since), before.end)
        found = []
        for day in reversed(kept.days.each()):
            gaps = known.get(day, SeenDay(day)).gaps(kept)
            if gaps and now >= self._again_at.get((source.account, day), now):
                start = gaps[0][0] // _SECOND
                end = -(-gaps[-1][1] // _SECOND)
                found.append((day, Window(_second(day, start), _second(day, end))))
        return found

    async def _add(self, account: str, seen: SeenDay) -> None:
        """Stores a day. What was recorded just now is not complete yet."""
        settled = self._settled(Window(seen.start, seen.start + DAY))
        end = part_of(settled, seen.day)[1] if settled else 0
        covered = [(start, min(last, end)) for start, last in seen.covered if start < end]
        if seen.sets or covered:
            await self.store.add(account, SeenDay(seen.day, seen.sets, covered))

    def _settled(self, window: Window) -> Window | None:
        end = min(window.end, self.clock() - SETTLED_AFTER)
        return Window(window.start, end) if end > window.start else None


@asynccontextmanager
async def _best_effort_lock(lock: asyncio.Lock, *, within_s: float) -> AsyncIterator[None]:
    """Holds a lock, or continues without it if it cannot be had in time."""
    is_held = False
    with suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            is_held = await lock.acquire()
    try:
        yield
    finally:
        if is_held:
            lock.release()


def _second(day: date, second: int) -> datetime:
    """A second of a day. Vendors do not read parts of it."""
    return midnight(day) + timedelta(seconds=second)


# In microseconds.
_SECOND = 1_000_000
# Before the year 1 there are no days.
_FIRST = midnight(date.min) + DAY
