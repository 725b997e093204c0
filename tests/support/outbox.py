"""A running outbox against the sandbox, and messages for it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from bot.blocks import kit
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack import BOT
from bot.slack.client import slack_client
from bot.slack.outbox import Outbox, OutboxTimings
from bot.slack.pace import SlackPace
from bot.store import OutboxStore, Post, PostKind, Store
from providers.clock import utc_now

HURRIED = OutboxTimings(per_channel=0.01, look=0.05, retry=0.01, mend=0.1, names=0.2)


@asynccontextmanager
async def outbox_of(
    sandbox: Sandbox, ops_channel: str = "#ops", pace: OutboxTimings = HURRIED
) -> AsyncIterator[tuple[Store, Outbox]]:
    """A running outbox that can also upload files."""
    store = await Store.open(sandbox.location, now=utc_now())
    async with aiohttp.ClientSession() as session:
        client = slack_client(
            sandbox.slack.bot_token,
            f"{sandbox.slack.url}/api/",
            session,
            pace=SlackPace(pace.per_channel),
        )
        outbox = Outbox(store.outbox, client, utc_now, ops_channel, pace)
        task = asyncio.create_task(outbox.run())
        try:
            yield store, outbox
        finally:
            task.cancel()
            await outbox.finish(within_s=2)
            await asyncio.gather(task, return_exceptions=True)
            await store.close()


def file(n: int, root: int, channel: str = "#ops") -> Post:
    return Post(
        f"{channel} file {n}",
        channel,
        f"usage-{n}.csv",
        [],
        PostKind.FILE,
        f"{channel} {root}",
        b"day,bytes\r\n",
    )


def channel_texts(sandbox: Sandbox, channel: str = "C0OPS") -> list[str]:
    """The texts of the bot's messages in a channel; messages that are only files are left out."""
    return [
        message.text
        for message in sandbox.slack.messages
        if message.user == BOT and message.channel == channel and message.text
    ]


def files(sandbox: Sandbox) -> list[str]:
    return [f.name for m in sandbox.slack.messages for f in m.files]


def has(text: str) -> Callable[[Any], bool]:
    return lambda args: text in str(args.get("text"))


async def all_sent(store: Store) -> None:
    async with asyncio.timeout(20):
        while await store.read("SELECT 1 FROM outbox WHERE state != 'sent'", ()):
            await asyncio.sleep(0.02)


async def make_due(store: Store) -> None:
    """Makes everything that was set aside due, as if its waits had passed."""
    await store.database.execute(
        "UPDATE outbox SET not_before = queued_at, trouble = NULL WHERE state = 'aside'"
    )


async def retried(store: Store) -> None:
    """Waits until nothing that was set aside is due."""
    due = "SELECT 1 FROM outbox WHERE state != 'sent' AND not_before = queued_at"
    async with asyncio.timeout(20):
        while await store.read(due, ()):
            await asyncio.sleep(0.02)


def post(n: int, channel: str = "#ops") -> Post:
    return Post(f"{channel} {n}", channel, f"Message {n}", [kit.section(f"Message {n}")])


def follow_up(n: int, root: int, how: PostKind, text: str = "") -> Post:
    text = text or f"{how.value} {n}"
    return Post(f"#ops {n}", "#ops", text, [kit.section(text)], how, f"#ops {root}")


async def enqueue(posts: OutboxStore, *several: Post) -> None:
    for each in several:
        await posts.enqueue(each, now=utc_now())


async def settled(posts: OutboxStore) -> None:
    """Waits until no message is waiting."""
    async with asyncio.timeout(60):
        while await posts.oldest_waiting() is not None:
            await asyncio.sleep(0.02)


def random_fault(sandbox: Sandbox, spread: random.Random) -> None:
    sandbox.slack.faults.clear()
    kind = spread.choice(["none", "none", "cut", "500", "429"])
    if kind == "429":
        sandbox.slack.answer_with(
            429,
            '{"ok":false}',
            path="chat.postMessage",
            Retry_After="0",
            Content_Type="application/json",
        )
    elif kind != "none":
        sandbox.slack.fail(how=kind, processed=spread.random() < 0.5)
