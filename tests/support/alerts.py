"""Alerts of a running bot: the bytes of an account, evaluations, and the messages about them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from bot.app import Bot, open_bot
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack import BOT, Message
from bot.slack.outbox import OutboxTimings
from bot.store import Store
from tests.support.clock import MovableClock as Clock

HURRIED = OutboxTimings(per_channel=0.01, look=0.05, retry=0.05, mend=0.3)


SPIKE = {"name": "ingest-spike", "ask": "/usage rapid7-eu today", "value": "bytes", "above": "5 GB", "recover": "4.5 GB", "every": "15m", "channel": "#ops"}  # fmt: skip


class Meter:
    """The bytes that the account has sent today."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.bytes: int | None = 3_000_000_000
        sandbox.rapid7.usage = lambda day, now: self.bytes

    def __call__(self, gigabytes: float | None) -> None:
        self.bytes = None if gigabytes is None else int(gigabytes * 1e9)


@asynccontextmanager
async def running(sandbox: Sandbox, *alerts: dict[str, Any], **changes: Any) -> AsyncIterator[Bot]:
    settings = sandbox.settings(alert=list(alerts or (SPIKE,)), **changes)
    async with (
        open_bot(settings, sandbox.tokens(), pace=HURRIED, clock=sandbox.clock) as bot,
        bot.connected(),
    ):
        yield bot


def posted_texts(sandbox: Sandbox, channel: str = "C0OPS") -> list[str]:
    """The messages of the channel in their current form, without those in threads."""
    return [m.text for m in messages(sandbox, channel)]


def messages(sandbox: Sandbox, channel: str = "C0OPS") -> list[Message]:
    return [
        m
        for m in sandbox.slack.messages
        if m.user == BOT and m.channel == channel and not m.seen_by and not m.thread_ts
    ]


def thread(sandbox: Sandbox) -> list[str]:
    """The texts in the thread of the one message."""
    [root] = messages(sandbox)
    return [m.text for m in sandbox.slack.messages if m.thread_ts == root.ts]


async def evaluations(bot: Bot, count: int) -> list[str]:
    """The results of the evaluations, once there are this many."""
    async with asyncio.timeout(60):
        while True:
            rows = await bot.store.read("SELECT state FROM samples ORDER BY at", ())
            if len(rows) >= count:
                return [row["state"] for row in rows]
            await asyncio.sleep(0.02)


async def evaluate(bot: Bot, clock: Clock, meter: Meter, *gigabytes: float | None) -> None:
    """Evaluations a quarter of an hour apart, each of which measures this many gigabytes."""
    for each in gigabytes:
        meter(each)
        await evaluated(bot, clock)


async def evaluated(bot: Bot, clock: Clock) -> str:
    """The result of the next evaluation."""
    done = len(await evaluations(bot, 0))
    clock.strike(15)
    return (await evaluations(bot, done + 1))[-1]


async def stored_rows(sandbox: Sandbox, sql: str) -> list[dict[str, Any]]:
    """Rows of the database."""
    store = await Store.open(sandbox.location, now=datetime.now(UTC))
    try:
        return await store.read(sql, ())
    finally:
        await store.close()
