"""Runs jobs when they are due.

Rounds are timed by the monotonic clock, which is never set. Due times use the time of day. A due
time that was stored while the clock was wrong is reset instead of waited for.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from bot import formatting
from bot.observability.logging_setup import logged_question
from bot.schedules.due import Due, ScheduleEntry, Trigger
from bot.schedules.timetable import Timetable, own_first
from bot.store import CLOCK_TOLERANCE, ScheduleStore, StoreUnavailable
from handlers.error_messages import log_failure
from handlers.jobs.pruning import Pruning
from providers.http.priority_semaphore import in_background

log = logging.getLogger("opswatch")
# In rounds of `tick_s`, a second by default.
TAKE_OVER_EVERY = 2
RETRY_EVERY = 30
PRUNE_EVERY = 3600
# A digest that is missed by less is sent late, and one missed by more is reported.
GRACE = timedelta(hours=1)
# A round takes milliseconds, so the scheduler is stuck if none has ended for so long.
STUCK_AFTER_S = 30.0
# Where so much is due at once, what others begin with is left to them at first. Otherwise each
# process would begin everything, to find nearly all of it claimed.
SHARED_FROM = 1000
# So long the others have for their parts, where this process is not done with its own before.
HEAD_START_S = 1.0
# Longer than any question may take, including retries and time in the queue.
RUN_STUCK_AFTER_S = 1800.0


class Job(Struct, frozen=True):
    """Something that runs when it is due. `last_handled_at` returns the last due time that was
    handled, given the time now.
    """

    name: str
    trigger: Trigger
    run: Callable[[Due], Coroutine[Any, Any, None]]
    last_handled_at: Callable[[datetime], Awaitable[datetime]]


class Run(Struct, frozen=True):
    """A job that is running, and when it began by the monotonic clock."""

    task: asyncio.Task[None]
    began_at: float


async def _no_reset(now: datetime) -> timedelta | None:  # noqa: ARG001
    return None


async def _no_problem() -> str:
    return ""


async def _no_comparison() -> None:
    return None


async def _no_operator(key: str, text: str) -> None:  # noqa: ARG001
    return None


class Scheduler(Struct):
    """Checks every second which jobs are due, and runs them. One pass over a table scales better
    than a timer for each job.

    A job runs once at a time; if it is due again meanwhile, it runs afterwards for its latest due
    time. Jobs that failed because the database is full or locked run again, and
    `report_database_failure` is called. `reset_stored` resets stored times in the future,
    `after_reset` reads again what depends on them, `tell_operator` reports it, and
    `database_problem` returns what is wrong with the database, and `compare_clocks` corrects the
    clock by that of a database which several processes share. `share` says with which part of what
    is due this process begins, since others begin elsewhere, and `claimed_elsewhere` returns the
    names of what others have claimed meanwhile.
    """

    schedules: ScheduleStore
    clock: Callable[[], datetime]
    at_start: Sequence[Job]
    pruning: Pruning
    report_database_failure: Callable[[str], Awaitable[None]]
    reset_stored: Callable[[datetime], Awaitable[timedelta | None]] = _no_reset
    tell_operator: Callable[[str, str], Awaitable[None]] = _no_operator
    database_problem: Callable[[], Awaitable[str]] = _no_problem
    compare_clocks: Callable[[], Awaitable[None]] = _no_comparison
    tick_s: float = 1.0
    abandoned: list[Callable[[datetime], Awaitable[list[tuple[str, datetime]]]]] = field(
        default_factory=list
    )
    after_reset: list[Callable[[datetime], Awaitable[None]]] = field(default_factory=list)
    share: Callable[[], tuple[float, float]] = lambda: (0.0, 1.0)
    claimed_elsewhere: list[Callable[[Sequence[Due]], Awaitable[set[str]]]] = field(
        default_factory=list
    )
    _jobs: dict[str, Job] = field(default_factory=dict)
    timetable: Timetable = field(default_factory=Timetable)
    _once: list[tuple[datetime, str]] = field(default_factory=list)
    _failed: dict[str, Due] = field(default_factory=dict)
    _running: dict[str, Run] = field(default_factory=dict)
    _waiting: dict[str, Due] = field(default_factory=dict)
    _loops: list[asyncio.Task[None]] = field(default_factory=list)
    # What is due and left to other processes at first.
    _left_to_others: set[asyncio.Task[None]] = field(default_factory=set)
    # Both clocks at the last round, whose difference shows that the time of day was set back.
    _last_clocks: tuple[datetime, float] | None = None
    # When a round ended last, by the monotonic clock.
    _last_round_at: float = field(default_factory=time.monotonic)
    _why_stuck: str = ""
    _stopped: bool = False

    async def add(self, job: Job) -> None:
        """Schedules a job. Runs that an earlier process missed are caught up."""
        last_handled_at = await job.last_handled_at(self.clock())
        self._jobs[job.name] = job
        self.timetable.add(ScheduleEntry(job.name, job.trigger, last_handled_at))

    def remove(self, name: str) -> None:
        """Removes a job."""
        self.timetable.remove(name)
        for table in (self._jobs, self._waiting, self._failed):
            table.pop(name, None)

    def once(self, name: str, at: datetime) -> None:
        """Runs a job at that time, too."""
        heapq.heappush(self._once, (at, name))

    @property
    def problem(self) -> str:
        """Why jobs are not run, in a sentence; empty if they are."""
        now = time.monotonic()
        if now - self._last_round_at > STUCK_AFTER_S:
            why = f" ({self._why_stuck})" if self._why_stuck else ""
            return (
                f"The scheduler has not run for {_duration_text(now - self._last_round_at)}{why}."
            )
        if self._failed:
            return (
                f"{_names_text(self._failed)} failed because the database cannot be used. It is tried "
                "again."
            )
        stuck = [
            name for name, run in self._running.items() if now - run.began_at > RUN_STUCK_AFTER_S
        ]
        if stuck:
            return (
                f"{_names_text(stuck)} has been running for "
                f"{_duration_text(now - self._running[stuck[0]].began_at)}."
            )
        return ""

    async def start(self) -> None:
        """Continues after an earlier process: missed runs are coalesced, interrupted ones repeated."""
        self._stopped = False
        await self.compare_clocks()
        await self._reset(self.clock())
        # Before any job stores the time of a clock that may be wrong.
        await self.pruning.at_start(self.clock())
        for job in self.at_start:
            await self.add(job)
        # Reading all jobs may take a while, in which the scheduler is not stuck.
        self._last_round_at = time.monotonic()
        await self._tick()
        await self._retry()
        rounds = (
            (self._tick, 1),
            (self._take_over, TAKE_OVER_EVERY),
            (self._retry, RETRY_EVERY),
            (self._check_database, RETRY_EVERY),
            (self._prune, PRUNE_EVERY),
        )
        self._loops = [
            asyncio.create_task(_every(self.tick_s * ticks, action)) for action, ticks in rounds
        ]

    async def stop(self, *, within_s: float) -> None:
        """Starts no more jobs, and waits for running ones. Those that do not end are repeated by
        the next process.
        """
        for task in (*self._loops, *self._left_to_others):
            task.cancel()
        self._stopped = True
        # What became due meanwhile is left to the next process, which reads it from the store.
        self._waiting.clear()
        tasks = {run.task for run in self._running.values()}
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=within_s)
            for task in late:
                task.cancel()

    async def _tick(self) -> None:
        try:
            now = self.clock()
            if abs(self._jump(now)) > CLOCK_TOLERANCE:
                # Before anything is run, reset or deleted by a time that may be wrong.
                self.pruning.clock_was_set()
                await self.compare_clocks()
                now = self.clock()
            if self._clock_was_wrong(now):
                await self._reset(now)
            self._last_clocks = (now, time.monotonic())
            self._begin(self._due_once(now))
            self._begin_own_first(self.timetable.due(now, _removed))
        except Exception as error:
            # Shown by /readyz: only the database quotes nothing that people typed.
            why = str(error) if isinstance(error, StoreUnavailable) else type(error).__name__
            # Once, and not every second.
            if why != self._why_stuck:
                log_failure(error, "Due jobs could not be determined", level=logging.ERROR)
            self._why_stuck = why
            return
        self._last_round_at = time.monotonic()
        self._why_stuck = ""

    def _due_once(self, now: datetime) -> list[Due]:
        found = []
        while self._once and self._once[0][0] <= now:
            at, name = heapq.heappop(self._once)
            found.append(Due(name, at, 0))
        return found

    def _jump(self, now: datetime) -> timedelta:
        """How far the time of day was set forward since the last round, or the machine was asleep;
        negative where it was set back.
        """
        if self._last_clocks is None:
            return timedelta(0)
        at, monotonic_at = self._last_clocks
        return now - (at + timedelta(seconds=time.monotonic() - monotonic_at))

    def _clock_was_wrong(self, now: datetime) -> bool:
        """Whether the time of day was set back, or is before a due time that was handled."""
        was_set_back = self._jump(now) < -CLOCK_TOLERANCE
        return was_set_back or self.timetable.was_handled_after(now + CLOCK_TOLERANCE)

    async def _reset(self, now: datetime) -> None:
        """Moves due times that were handled in the future to now."""
        ahead = [await self.reset_stored(now) or timedelta(0), self.timetable.reset(now)]
        for table in (self._waiting, self._failed):
            for name in [name for name, due in table.items() if due.at > now]:
                del table[name]
        for read_again in self.after_reset:
            await read_again(now)
        if max(ahead) > CLOCK_TOLERANCE:
            await self._report_reset(now, max(ahead))

    async def _report_reset(self, now: datetime, ahead: timedelta) -> None:
        text = (
            "The clock of this machine was set back, or had been ahead by up to "
            f"{formatting.format_duration(ahead)}. Times in the future were reset: digests and "
            "alerts continue from now, and silences keep their length. Check the time service "
            "(NTP)."
        )
        log.warning(text)
        # The key has the hour: a clock that jumps again and again is reported once an hour.
        await self.tell_operator(f"clock:{now:%Y%m%dT%H}", text)

    async def _retry(self) -> None:
        """Repeats runs that a crash or a database error has interrupted."""
        failed = self._failed
        self._failed = {}
        self._begin([*failed.values()])
        try:
            await self.compare_clocks()
            # A clock that was wrong between two rounds shows only in what was stored in that time.
            await self._reset(self.clock())
        except StoreUnavailable:
            return
        await self._take_over()

    async def _take_over(self) -> None:
        """Runs what a process that has ended left unfinished; the first to claim it runs it."""
        # A run that is later than GRACE is only reported as missed. After twice that nobody waits
        # for it.
        since = self.clock() - 2 * GRACE
        try:
            cut_off = await self.schedules.unfinished_runs(since=since)
            for abandoned in self.abandoned:
                cut_off += await abandoned(since)
        except StoreUnavailable:
            return
        self._begin([Due(name, due, 0) for name, due in cut_off if name not in self._running])

    async def _prune(self) -> None:
        await self.pruning.regularly(self.clock())

    async def _check_database(self) -> None:
        if problem := await self.database_problem():
            log.error("%s", problem)
            await self.report_database_failure(problem.rstrip("."))

    def _begin_own_first(self, dues: Sequence[Due]) -> None:
        """Begins with the part of this process, so that others can claim theirs."""
        own, rest = own_first(dues, *self.share())
        if len(dues) < SHARED_FROM:
            own = [*own, *rest]
            rest = []
        self._begin(own)
        if rest:
            task = asyncio.create_task(self._begin_rest(own, rest))
            self._left_to_others.add(task)
            task.add_done_callback(self._left_to_others.discard)

    async def _begin_rest(self, own: Sequence[Due], rest: Sequence[Due]) -> None:
        """Begins what the others have not claimed, since one of them may be slow or have died."""
        running = self._running
        tasks = [running[due.name].task for due in own if due.name in running]
        if tasks:
            await asyncio.wait(tasks, timeout=HEAD_START_S)
        claimed = set[str]()
        # Without it, each is claimed by itself, or fails and is tried again.
        try:
            for claimed_elsewhere in self.claimed_elsewhere:
                claimed |= await claimed_elsewhere(rest)
        except Exception as error:
            log_failure(error, "The claims of other processes could not be read")
        self._begin([due for due in rest if due.name not in claimed])

    def _begin(self, dues: Sequence[Due]) -> None:
        for due in dues:
            job = self._jobs.get(due.name)
            # Removed since it became due.
            if job is None:
                continue
            if due.name in self._running:
                self._waiting[due.name] = _coalesced(self._waiting.get(due.name), due)
                continue
            task = asyncio.create_task(self._run_job(job, due))
            self._running[due.name] = Run(task, time.monotonic())
            task.add_done_callback(partial(self._ended, due.name))

    def _ended(self, name: str, _: asyncio.Task[None]) -> None:
        self._running.pop(name, None)
        if not self._stopped and (due := self._waiting.pop(name, None)):
            self._begin([due])

    async def _run_job(self, job: Job, due: Due) -> None:
        try:
            with in_background(), logged_question(f"{due.name} {due.at:%Y-%m-%dT%H:%M:%SZ}"):
                await job.run(due)
        except StoreUnavailable as error:
            # Tried again in half a minute, because a full or locked database recovers by itself.
            self._failed[due.name] = due
            log.error("The database cannot be used (%s); %s is tried again.", error, due.name)
            await self.report_database_failure(error.cause)
        except Exception as error:
            # One job that fails must not end the others.
            log_failure(error, f"{due.name} failed", level=logging.ERROR)


async def _every(seconds: float, action: Callable[[], Awaitable[None]]) -> None:
    """Repeats `action` until cancelled. An error ends only its own round."""
    while True:
        await asyncio.sleep(seconds)
        try:
            await action()
        except Exception as error:
            log_failure(error, "A round of the scheduler failed", level=logging.ERROR)


def _removed(name: str, error: Exception) -> None:
    log_failure(error, f"The schedule of {name} failed and was removed", level=logging.ERROR)


def _coalesced(waiting: Due | None, due: Due) -> Due:
    """The later of two due times, which replaces both."""
    if waiting is None or waiting.at == due.at:
        return due
    latest = max(waiting, due, key=lambda each: each.at)
    earlier = min(waiting, due, key=lambda each: each.at)
    return replace(latest, passed_over=latest.passed_over + earlier.passed_over + 1)


def _names_text(names: Sequence[str] | dict[str, Due]) -> str:
    return formatting.join_words([formatting.sanitise(name, 60) for name in names], 3)


def _duration_text(seconds: float) -> str:
    return formatting.format_duration(timedelta(seconds=round(seconds)))
