"""One run: three replicas under load, of which some are killed and paused, and a database that is
away for a while.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack import BOT, Message
from bot.sandbox.slack.records import Channel
from bot.store import LeaseTimings, Post, Store, StoreUnavailable
from providers.clock import utc_now
from tests.replicas.cluster import Cluster, StoppableDatabase, cluster_of

CHANNELS = {"#ops": "C0OPS", "#kitchen": "C0KITCHEN", "#cellar": "C0CELLAR", "#attic": "C0ATTIC"}
RULES = 8
EVALUATED_EVERY = timedelta(seconds=10)
# So many days a question asks for, so that each has an answer of its own.
FEWEST_DAYS = 8
MOST_DAYS = 80


@dataclass(frozen=True)
class Plan:
    """The times of all events, in seconds from the start of the load."""

    lease: LeaseTimings
    first_kill: float
    pause: float
    pause_for: float
    database_stop: float
    stop_for: float
    second_kill: float
    end: float
    post_every: float = 0.3
    ask_every: float = 2.0
    slack_takes: float = 0.0
    # Long enough for a process to be killed while it evaluates.
    vendor_takes: float = 1.0
    with_faults: bool = True
    seed: int = 1


SHORT = Plan(
    LeaseTimings(renew_every=1.0, expires_after=4.0),
    first_kill=3,
    pause=6,
    pause_for=7,
    database_stop=16,
    stop_for=3,
    second_kill=23,
    end=30,
)
LONG = Plan(
    LeaseTimings(),
    first_kill=10,
    pause=20,
    pause_for=20,
    database_stop=50,
    stop_for=5,
    second_kill=65,
    end=100,
)


@dataclass
class Outcome:
    """The counts at the end; every list contains what went wrong."""

    messages: int = 0
    evaluations: int = 0
    questions: int = 0
    digests: int = 0
    twice: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    out_of_order: list[str] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)
    reported_after_s: float | None = None

    @property
    def faults(self) -> list[str]:
        named = {
            "twice": self.twice,
            "lost": self.lost,
            "out of order": self.out_of_order,
            "passed over": self.passed_over,
        }
        return [f"{kind}: {each}" for kind, found in named.items() for each in found]


@dataclass
class Run:
    """The load, and the messages it has sent."""

    cluster: Cluster
    store: Store
    plan: Plan
    random: random.Random
    queued: Counter[str] = field(default_factory=Counter)
    asked: list[int] = field(default_factory=list)
    killed_at: list[datetime] = field(default_factory=list)
    cut_off_at: float = 0.0
    outcome: Outcome = field(default_factory=Outcome)

    @property
    def sandbox(self) -> Sandbox:
        return self.cluster.sandbox

    async def go(self) -> Outcome:
        began = utc_now()
        load = [asyncio.create_task(self._post()), asyncio.create_task(self._ask())]
        plan = self.plan
        await asyncio.gather(
            self._at(plan.first_kill, self._kill_while_answering()),
            self._at(plan.pause, self._pause()),
            self._at(plan.database_stop, self.cluster.database.stop_for(plan.stop_for)),
            self._at(plan.second_kill, self._kill()),
            asyncio.sleep(plan.end),
        )
        ended = utc_now()
        for task in load:
            task.cancel()
        await asyncio.gather(*load, return_exceptions=True)
        await settled(self.store)
        await self._count(began, ended)
        return self.outcome

    async def _at(self, seconds: float, work: Coroutine[Any, Any, None]) -> None:
        await asyncio.sleep(seconds)
        await work

    async def _kill_while_answering(self) -> None:
        """An interrupted question is reported to its asker."""
        victim = self.cluster.living[0]
        self.sandbox.devicewise.be_slow(60, times=20)
        await self.sandbox.slack.command("/apiaudit iot 24h", over=victim.socket)
        # Nothing else asks this vendor.
        await self.sandbox.slack.until(lambda: self.sandbox.devicewise.requests, timeout_s=30)
        # A fault may hit the message that shows the work, which is then not posted again.
        with contextlib.suppress(AssertionError):
            await self.sandbox.slack.until(
                lambda: any(m.text.startswith("Working on") for m in self._answers()), timeout_s=5
            )
        victim.kill()
        self.sandbox.devicewise.faults.clear()
        self.killed_at.append(utc_now())
        self.cut_off_at = time.monotonic()
        await self.sandbox.slack.until(
            lambda: any("interrupted" in m.text for m in self._answers()), timeout_s=60
        )
        self.outcome.reported_after_s = time.monotonic() - self.cut_off_at
        await self.cluster.join()

    async def _kill(self) -> None:
        self.cluster.living[0].kill()
        self.killed_at.append(utc_now())
        await self.cluster.join()

    async def _pause(self) -> None:
        await self.cluster.living[-1].pause_for(self.plan.pause_for)

    async def _post(self) -> None:
        """Posts numbered messages in every channel."""
        while True:
            for channel in CHANNELS:
                number = self.queued[channel]
                text = f"Message {number} of {channel}"
                try:
                    await self.store.outbox.enqueue(Post(text, channel, text, []), now=utc_now())
                except StoreUnavailable:
                    continue
                self.queued[channel] += 1
            if self.plan.with_faults:
                self._disturb()
            await asyncio.sleep(self.plan.post_every * len(CHANNELS))

    def _disturb(self) -> None:
        """Some calls are refused with 429, fail, or are cut off after Slack has processed them."""
        slack = self.sandbox.slack
        kind = self.random.choice(["none", "none", "429", "503", "cut", "processed"])
        if kind == "429":
            slack.answer_with(429, path="chat.postMessage", Retry_After="1")
        elif kind == "503":
            slack.fail(how="503", processed=False)
        elif kind in ("cut", "processed"):
            slack.fail(processed=kind == "processed")

    async def _ask(self) -> None:
        for days in range(FEWEST_DAYS, MOST_DAYS + 1):
            await asyncio.sleep(self.plan.ask_every)
            if not (living := self.cluster.living):
                continue
            socket = self.random.choice(living).socket
            try:
                ack = await self.sandbox.slack.command(
                    f"/usage last {days} days", channel="C0ATTIC", over=socket
                )
                await asyncio.wait_for(ack.done, 3)
            except (TimeoutError, ConnectionError, RuntimeError):
                # Slack tells the person itself that the app did not respond.
                continue
            self.asked.append(days)

    def _answers(self) -> list[Message]:
        return [m for m in self.sandbox.slack.seen() if m.user == BOT]

    # What came of it

    async def _count(self, began: datetime, ended: datetime) -> None:
        self._count_messages()
        await self._count_questions()
        await self._count_evaluations(began, ended)
        await self._count_digests(began, ended)

    def _count_messages(self) -> None:
        outcome = self.outcome
        sent = [m for m in self.sandbox.slack.messages if m.metadata.get("event_payload")]
        outcome.messages = len(sent)
        keys = Counter(m.metadata["event_payload"]["key"] for m in sent)
        outcome.twice += [key for key, count in keys.items() if count > 1]
        for name, channel in CHANNELS.items():
            wanted = self.queued[name]
            outcome.lost += [
                text for n in range(wanted) if (text := f"Message {n} of {name}") not in keys
            ]
            numbers = [
                int(found[1])
                for m in sorted(sent, key=lambda each: float(each.ts))
                if m.channel == channel and (found := re.match(r"Message (\d+) of ", m.text))
            ]
            outcome.out_of_order += [
                f"{name}: {later} after {earlier}"
                for earlier, later in itertools.pairwise(numbers)
                if later < earlier
            ]

    async def _count_questions(self) -> None:
        rows = await self.store.read("SELECT text, outcome FROM questions")
        outcomes = {row["text"]: row["outcome"] for row in rows}
        self.outcome.questions = len(self.asked)
        texts = [m.text for m in self.sandbox.slack.messages if m.user == BOT]
        for days in self.asked:
            answers = sum(bool(re.search(rf"\b(in|of) {days} days\b", text)) for text in texts)
            name = f"/usage last {days} days"
            ended = outcomes.get(f"last {days} days", "unknown")
            if answers > 1:
                self.outcome.twice.append(f"{name} ({answers} answers)")
            if not answers and ended in ("answered", "partial"):
                self.outcome.lost.append(f"{name} ({ended})")

    async def _count_evaluations(self, began: datetime, ended: datetime) -> None:
        rows = await self.store.read(
            "SELECT name, at FROM samples JOIN series ON series.id = samples.series"
        )
        found = {(row["name"], datetime.fromisoformat(row["at"])) for row in rows}
        self.outcome.evaluations = len(found)
        self.outcome.passed_over += [
            f"rule-{n} at {at:%H:%M:%S}"
            for n in range(RULES)
            for at in instants(began, ended - EVALUATED_EVERY, EVALUATED_EVERY)
            if (f"rule-{n}", at) not in found
        ]

    async def _count_digests(self, began: datetime, ended: datetime) -> None:
        rows = await self.store.read("SELECT schedule, due, outcome FROM runs")
        ends = {
            (row["schedule"], datetime.fromisoformat(row["due"])): row["outcome"] for row in rows
        }
        due = instants(began, ended, timedelta(minutes=1))
        wanted = [(f"digest-{channel.strip('#')}", at) for channel in CHANNELS for at in due]
        self.outcome.digests = len(wanted)
        self.outcome.lost += [
            f"{name} at {at:%H:%M} ({ends.get((name, at), 'no run')})"
            for name, at in wanted
            if ends.get((name, at)) != "sent"
        ]


async def settled(store: Store) -> None:
    """Waits until everything that was queued is sent, and no question is in progress."""
    async with asyncio.timeout(180):
        while True:
            with contextlib.suppress(StoreUnavailable):
                [row] = await store.read(
                    "SELECT (SELECT count(*) FROM outbox WHERE state != 'sent') + "
                    "(SELECT count(*) FROM questions WHERE outcome = 'asked') AS left_over"
                )
                if not row["left_over"]:
                    return
            await asyncio.sleep(0.5)


def instants(began: datetime, ended: datetime, every: timedelta) -> list[datetime]:
    """The whole multiples of `every` since 1970 between two times."""
    step = every.total_seconds()
    first = int(began.timestamp() // step) + 1
    last = int(ended.timestamp() // step)
    return [datetime.fromtimestamp(n * step, began.tzinfo) for n in range(first, last + 1)]


def configuration() -> dict[str, Any]:
    """Rules that fire and resolve all the time, and one digest per minute in each channel."""
    channels = list(CHANNELS)
    return {
        "access": {"usage": ["*"], "apiaudit": ["*"], "logs": ["*"]},
        "alert": [
            {
                "name": f"rule-{n}",
                "ask": "/usage rapid7-eu today",
                "value": "bytes",
                "above": "5 GB",
                "every": f"{EVALUATED_EVERY.seconds}s",
                "channel": channels[n % len(channels)],
            }
            for n in range(RULES)
        ],
        "digest": [
            {
                "name": f"digest-{channel.strip('#')}",
                "ask": "/usage rapid7-eu last 7 days",
                "at": "* * * * *",
                "channel": channel,
            }
            for channel in channels
        ],
    }


def add_channels(sandbox: Sandbox) -> None:
    """Adds channels to those that every sandbox has."""
    for channel in ("C0CELLAR", "C0ATTIC"):
        name = channel.removeprefix("C0").lower()
        sandbox.slack.channels[channel] = Channel(channel, name, "One of many")


@asynccontextmanager
async def opened(sandbox: Sandbox, database: StoppableDatabase, plan: Plan) -> AsyncIterator[Run]:
    """The running replicas, and the store through which the load is queued."""
    add_channels(sandbox)
    # As Slack does. With less, each search would be many calls, which wait for the rate limit.
    sandbox.slack.messages_per_page = 100
    spread = random.Random(plan.seed)
    sandbox.rapid7.usage = lambda day, now: 3_000_000_000 * (1 + int(time.time() // 20) % 2)
    if plan.slack_takes:
        sandbox.slack.be_slow(plan.slack_takes, path="chat.postMessage", times=1_000_000)
    sandbox.rapid7.be_slow(plan.vendor_takes, times=1_000_000)
    async with cluster_of(sandbox, database, plan.lease, configuration()) as cluster:
        store = await Store.open(database.location, now=utc_now())
        try:
            yield Run(cluster, store, plan, spread)
        finally:
            await store.close()


async def run(sandbox: Sandbox, database: StoppableDatabase, plan: Plan) -> Outcome:
    async with opened(sandbox, database, plan) as started:
        return await started.go()
