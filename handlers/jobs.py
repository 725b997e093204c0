"""What clocks ask: digests and alerts when they are due."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from functools import partial
from typing import Any

import msgspec
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.alerts.evaluate import ERRORS_TOLD, Failed, Reading, Reason, Standing, evaluate
from bot.alerts.mutes import Mute, muted_by
from bot.alerts.notices import notice
from bot.alerts.rule import EvaluationTimes, Rule, watched
from bot.blocks import talk
from bot.outbox import Outbox, ops_post
from bot.question import read_line
from bot.schedule import Due, Entry, Trigger, due_now
from bot.store.posts import Judged, Post, Posts
from handlers.answering import Answering, Asking, folder_when_needed
from handlers.trouble import trouble_of
from providers.errors import ProviderError

log = logging.getLogger("opswatch")
TICK_S = 1.0
GRACE = timedelta(hours=1)
ON_TIME = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Digest:
    """A question on a schedule, and where its answer goes. `at` is its cron expression as it was written."""

    name: str
    line: str
    at: str
    trigger: Trigger
    channel: str

    @property
    def definition(self) -> str:
        """What it says; a digest that says something else is another one, and does not make up for the past."""
        return f"{self.at} {self.line}"


@dataclass(frozen=True, slots=True)
class DigestJob:
    """Asks a digest's question and puts the answer into the outbox."""

    answering: Answering
    posts: Posts
    outbox: Outbox
    zone: tzinfo
    clock: Callable[[], datetime]
    ops_channel: str

    def scheduled(self, digest: Digest) -> Scheduled:
        return Scheduled(digest.name, digest.definition, digest.trigger, partial(self.run, digest))

    async def run(self, digest: Digest, due: Due) -> None:
        """Once for each due instant, whatever is restarted when: the end of the run and its post are one transaction."""
        now = self.clock()
        if not await self.posts.claim_run(digest.name, due.at, now=now):
            return
        outcome, posts = await self._outcome(digest, due, now)
        await self.posts.end_run(digest.name, due.at, outcome=outcome, posts=posts, now=self.clock())
        self.outbox.wake()

    async def _outcome(self, digest: Digest, due: Due, now: datetime) -> tuple[str, list[Post]]:
        if now - due.at > GRACE:
            return "missed", self._for_ops(
                digest, due, f"was not sent, since I was away for {_ago(now - due.at)} after it was due"
            )
        try:
            return "sent", [await self._post(digest, due, now)]
        except Exception as error:
            trouble = trouble_of(error)
            if not isinstance(error, ProviderError):
                log.error("The digest %s failed: %s", digest.name, type(error).__name__)
            return trouble.kind, self._for_ops(digest, due, f"could not be answered: {trouble.message} {trouble.hint}")

    async def _post(self, digest: Digest, due: Due, now: datetime) -> Post:
        question = read_line(digest.line, self.answering.directory, now=now, zone=self.zone)
        with folder_when_needed() as folder:
            answer = await self.answering.answer(question, Asking(folder, self.zone))
        note = _note(due, now, self.zone)
        text = f"Digest {digest.name}{f' ({note})' if note else ''}: {answer.text}"
        return Post(
            _key("digest", digest.name, due),
            digest.channel,
            text,
            talk.digest_blocks(digest.name, answer.blocks, note=note),
        )

    def _for_ops(self, digest: Digest, due: Due, what: str) -> list[Post]:
        """Trouble with a digest is told where the bot tells of its troubles, or else where the digest would have stood."""
        text = f"The digest `{digest.name}` of {_said(due.at, self.zone)} {what}"
        return [ops_post(self.ops_channel or digest.channel, _key("digest", digest.name, due), text)]


@dataclass(frozen=True, slots=True)
class AlertJob:
    """Asks an alert's question, judges the watched value, and puts what is to be told into the outbox."""

    answering: Answering
    posts: Posts
    outbox: Outbox
    zone: tzinfo
    clock: Callable[[], datetime]
    ops_channel: str
    mutes: Sequence[Mute] = ()
    _turns: dict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))

    def scheduled(self, rule: Rule) -> Scheduled:
        return Scheduled(f"alert {rule.name}", rule.definition, EvaluationTimes(rule.every), partial(self.run, rule))

    async def run(self, rule: Rule, due: Due) -> None:
        """One evaluation after the other; its standing, the end of its run and its notice are one transaction."""
        async with self._turns[rule.name]:
            if not await self.posts.claim_run(due.name, due.at, now=self.clock()):
                return
            reading, window = await self._reading(rule)
            now = self.clock()
            before = _standing(await self.posts.standing(rule.name, rule.definition))
            after, reason = evaluate(rule, before, reading, now=now, quiet=bool(muted_by(self.mutes, rule.name, now)))
            posts = [self._post(rule, due, before, after, reason, reading, window, now)] if reason else []
            judged = Judged(rule.name, rule.definition, msgspec.json.encode(after).decode(), reason.value if reason else "")
            outcome = "error" if isinstance(reading, Failed) else after.state.value
            await self.posts.end_run(due.name, due.at, outcome=outcome, posts=posts, now=now, judged=judged)
        self.outbox.wake()

    async def _reading(self, rule: Rule) -> tuple[Reading, str]:
        """The watched value, fetched afresh, and how its window was read."""
        try:
            question = read_line(rule.line, self.answering.directory, now=self.clock(), zone=self.zone)
            with folder_when_needed() as folder:
                answer = await self.answering.answer(question, Asking(folder, self.zone, only=rule.value.partition(".")[0]))
        except Exception as error:
            trouble = trouble_of(error)
            log.warning("The alert %s could not be evaluated: %s", rule.name, trouble.kind)
            return Failed(f"{trouble.message} {trouble.hint}"), ""
        return watched(answer.values, rule.value), question.window.said if question.window else ""

    def _post(
        self,
        rule: Rule,
        due: Due,
        before: Standing,
        after: Standing,
        reason: Reason,
        reading: Reading,
        window: str,
        now: datetime,
    ) -> Post:
        key = f"{_key('alert', rule.name, due)}:{reason.value}"
        if isinstance(reading, Failed):
            text = f"The alert `{rule.name}` could not be evaluated {ERRORS_TOLD} times in a row: {reading.why}"
            return ops_post(self.ops_channel or rule.channel, key, text)
        text, blocks = notice(rule, before, after, reason, window=window, now=now, zone=self.zone)
        return Post(key, rule.channel, text, blocks)


def _key(kind: str, name: str, due: Due) -> str:
    """What names for ever what came of one due instant."""
    return f"{kind}:{name}:{due.at:%Y%m%dT%H%M%SZ}"


def _standing(text: str | None) -> Standing:
    return msgspec.json.decode(text, type=Standing) if text else Standing()


@dataclass(frozen=True, slots=True)
class Scheduled:
    """Something that is done when it is due. With another `definition` it is another one, which does not make up for the past."""

    name: str
    definition: str
    trigger: Trigger
    run: Callable[[Due], Coroutine[Any, Any, None]]


@dataclass(slots=True)
class Clockwork:
    """Looks every second at what is due, and does it. One tick over a table scales better than a job for each schedule."""

    posts: Posts
    clock: Callable[[], datetime]
    at_start: Sequence[Scheduled]
    _works: dict[str, Scheduled] = field(default_factory=dict)
    _entries: list[Entry] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _scheduler: AsyncIOScheduler | None = None

    async def add(self, scheduled: Scheduled) -> None:
        """From now on it is done when it is due; what an earlier process has left is made up for."""
        seen_until = await self.posts.seen_until(scheduled.name, scheduled.definition, now=self.clock())
        self._works[scheduled.name] = scheduled
        self._entries.append(Entry(scheduled.name, scheduled.trigger, seen_until))

    def remove(self, name: str) -> None:
        """It is not done any more."""
        self._works.pop(name, None)
        self._entries[:] = [entry for entry in self._entries if entry.name != name]

    async def start(self) -> None:
        """Goes on where an earlier process ended: what was missed is coalesced, what was cut off is done again."""
        for scheduled in self.at_start:
            await self.add(scheduled)
        self._scheduler = AsyncIOScheduler(timezone="UTC")
        self._scheduler.add_job(self._tick, "interval", seconds=TICK_S, coalesce=True, max_instances=1, misfire_grace_time=None)
        self._scheduler.add_job(
            self._again, "interval", seconds=30 * TICK_S, coalesce=True, max_instances=1, misfire_grace_time=None
        )
        self._scheduler.start()
        await self._tick()
        await self._again()

    async def stop(self, *, within_s: float) -> None:
        """Nothing new; what is under way gets a while, and is done again by the next process where it does not end."""
        if self._scheduler:
            self._scheduler.shutdown(wait=False)
        if self._tasks:
            _, late = await asyncio.wait(set(self._tasks), timeout=within_s)
            for task in late:
                task.cancel()

    async def _tick(self) -> None:
        self._begin(due_now(self._entries, self.clock()))

    async def _again(self) -> None:
        """Runs that began and did not end: a crash has cut them off, and whoever claims them again does them."""
        cut_off = await self.posts.unfinished_runs(since=self.clock() - 2 * GRACE)
        self._begin([Due(name, due, 0) for name, due in cut_off])

    def _begin(self, dues: Sequence[Due]) -> None:
        for due in dues:
            if work := self._works.get(due.name):
                task = asyncio.create_task(work.run(due))
                self._tasks.add(task)
                task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("Something that was due could not be done: %s", type(error).__name__)


def _note(due: Due, now: datetime, zone: tzinfo) -> str:
    """What is odd about the time of a digest; nothing where it is on time."""
    late = f"due at {_said(due.at, zone)}, sent {_ago(now - due.at)} late" if now - due.at > ON_TIME else ""
    skipped = (
        f"{due.passed_over} earlier {'one is' if due.passed_over == 1 else 'ones are'} left out" if due.passed_over > 0 else ""
    )
    return ", ".join(part for part in (late, skipped) if part)


def _said(moment: datetime, zone: tzinfo) -> str:
    return f"{moment.astimezone(zone):%a %d %b %H:%M}"


def _ago(length: timedelta) -> str:
    minutes = round(length.total_seconds() / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h" if minutes < 2880 else f"{minutes // 1440} days"
