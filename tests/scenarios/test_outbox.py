"""The outbox: each message is posted once and in order, whatever Slack does and whenever the bot is
killed.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import BinaryIO

import pytest

from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack import BOT, Message
from bot.slack.outbox import FILE_TRIES, OutboxTimings
from bot.store import OutboxStore, PostKind, Store
from providers.clock import utc_now
from tests.conftest import ROOT
from tests.support.clock import process_environ
from tests.support.outbox import (
    channel_texts,
    enqueue,
    follow_up,
    outbox_of,
    post,
    random_fault,
    settled,
)
from tests.support.outbox_process import location_word
from tests.support.prestarted import ProgramServer, RunningProgram

HURRIED = OutboxTimings(per_channel=0.01, look=0.05, retry=0.05, mend=0.3)


@asynccontextmanager
async def posting(sandbox: Sandbox, ops_channel: str = "") -> AsyncIterator[OutboxStore]:
    """A running outbox."""
    async with outbox_of(sandbox, ops_channel, HURRIED) as (store, _):
        yield store.outbox


async def test_messages_are_posted_once_in_order(sandbox: Sandbox) -> None:
    async with posting(sandbox) as posts:
        await enqueue(
            posts, *(post(n, channel) for n in range(5) for channel in ("#ops", "#kitchen"))
        )
        await enqueue(posts, post(0), post(3))
        await sandbox.slack.until(
            lambda: (
                len(channel_texts(sandbox)) == 5 and len(channel_texts(sandbox, "C0KITCHEN")) == 5
            )
        )
        await settled(posts)
    assert (
        channel_texts(sandbox)
        == channel_texts(sandbox, "C0KITCHEN")
        == [f"Message {n}" for n in range(5)]
    )


@pytest.mark.parametrize(
    "processed", [True, False], ids=["after it was taken", "before it was taken"]
)
@pytest.mark.parametrize("failure", ["cut", "500", "503"])
async def test_uncertain_message_is_searched_before_repeat(
    sandbox: Sandbox, failure: str, processed: bool
) -> None:
    sandbox.slack.fail(how=failure, processed=processed, times=2)
    async with posting(sandbox) as posts:
        await enqueue(posts, *(post(n) for n in range(4)))
        await sandbox.slack.until(lambda: len(channel_texts(sandbox)) >= 4)
        await asyncio.sleep(0.3)
    assert channel_texts(sandbox) == [f"Message {n}" for n in range(4)]


async def test_unreadable_answer_is_named_to_the_operator(sandbox: Sandbox) -> None:
    sandbox.slack.answer_with(
        200,
        '{"ok":true}',
        path="chat.postMessage",
        times=FILE_TRIES,
        Content_Type="application/json",
    )
    async with posting(sandbox, ops_channel="#ops") as posts:
        await enqueue(posts, post(0, "#kitchen"))
        await sandbox.slack.until(lambda: channel_texts(sandbox))
    [notice] = channel_texts(sandbox)
    assert notice.startswith(
        "A message for #kitchen could not be sent (an answer of Slack could not be read)."
    )


async def test_429_is_waited_for(sandbox: Sandbox) -> None:
    sandbox.slack.answer_with(
        429,
        '{"ok":false,"error":"ratelimited"}',
        path="chat.postMessage",
        Retry_After="1",
        Content_Type="application/json",
    )
    async with posting(sandbox) as posts:
        started = asyncio.get_running_loop().time()
        await enqueue(posts, post(0), post(1))
        await sandbox.slack.until(lambda: len(channel_texts(sandbox)) == 2)
        assert asyncio.get_running_loop().time() - started >= 0.9
    assert channel_texts(sandbox) == ["Message 0", "Message 1"]


@pytest.mark.parametrize("code", ["not_in_channel", "is_archived"])
async def test_messages_wait_for_unavailable_channel(sandbox: Sandbox, code: str) -> None:
    refusal = json.dumps({"ok": False, "error": code})
    sandbox.slack.answer_with(
        200, refusal, path="chat.postMessage", times=1, Content_Type="application/json"
    )
    sandbox.slack.channels["C0QUIET"].bot_is_in = code != "not_in_channel"
    async with posting(sandbox, ops_channel="#ops") as posts:
        await enqueue(posts, *(post(n, "#quiet") for n in range(3)))
        notices = await sandbox.slack.until(lambda: channel_texts(sandbox))
        assert notices == [f"Opswatch cannot post in #quiet ({code}). Messages are kept, and posted once this is fixed." + (" Invite it with /invite @Opswatch." if code == "not_in_channel" else "")]  # fmt: skip
        await enqueue(posts, post(9))
        await sandbox.slack.until(lambda: "Message 9" in channel_texts(sandbox))
        sandbox.slack.channels["C0QUIET"].bot_is_in = True
        await sandbox.slack.until(lambda: len(channel_texts(sandbox, "C0QUIET")) == 3)
    assert channel_texts(sandbox, "C0QUIET") == ["Message 0", "Message 1", "Message 2"]
    assert len(channel_texts(sandbox)) == 2


async def test_replies_and_edits_reach_their_message(
    sandbox: Sandbox,
) -> None:
    async with posting(sandbox) as posts:
        await enqueue(
            posts,
            post(0),
            follow_up(1, 0, PostKind.REPLY),
            follow_up(2, 0, PostKind.BROADCAST),
            follow_up(3, 0, PostKind.EDIT, "Message 0, anew"),
        )
        await sandbox.slack.until(lambda: "Message 0, anew" in channel_texts(sandbox))
        await settled(posts)
    root, reply, broadcast = [m for m in sandbox.slack.messages if m.user == BOT]
    assert (reply.thread_ts, reply.broadcast) == (root.ts, False)
    assert (broadcast.thread_ts, broadcast.broadcast) == (root.ts, True)
    assert root.metadata["event_payload"]["key"] == "#ops 0"


async def test_only_newest_waiting_edit_is_sent(sandbox: Sandbox) -> None:
    sandbox.slack.channels["C0OPS"].bot_is_in = False
    async with posting(sandbox) as posts:
        await enqueue(
            posts,
            post(0),
            *(follow_up(n, 0, PostKind.EDIT, f"Edit {n}") for n in range(1, 6)),
            follow_up(9, 0, PostKind.REPLY),
        )
        await asyncio.sleep(0.3)
        sandbox.slack.channels["C0OPS"].bot_is_in = True
        await sandbox.slack.until(lambda: channel_texts(sandbox) == ["Edit 5", "reply 9"])
        await settled(posts)
    assert sandbox.slack.paths().count("POST /api/chat.update") == 1


@pytest.mark.parametrize("failure", ["cut", "503"])
async def test_uncertain_reply_is_searched_in_thread(sandbox: Sandbox, failure: str) -> None:
    async with posting(sandbox) as posts:
        await enqueue(posts, post(0))
        await sandbox.slack.until(lambda: channel_texts(sandbox))
        sandbox.slack.fail(how=failure)
        await enqueue(posts, *(follow_up(n, 0, PostKind.REPLY) for n in range(1, 5)))
        await sandbox.slack.until(lambda: len(channel_texts(sandbox)) == 5)
        await settled(posts)
    assert channel_texts(sandbox) == ["Message 0", "reply 1", "reply 2", "reply 3", "reply 4"]


@pytest.mark.parametrize("was_taken", [True, False])
async def test_uncertain_broadcast_outlives_deleted_message(
    sandbox: Sandbox, was_taken: bool
) -> None:
    async with posting(sandbox) as posts:
        await enqueue(posts, post(0))
        await sandbox.slack.until(lambda: channel_texts(sandbox))
        await settled(posts)
        [root] = sandbox.slack.messages
        sandbox.slack.fail(how="500", processed=was_taken)
        # Slack is asked whether it has the post only after somebody has deleted the message.
        sandbox.slack.refuse("conversations.replies", "thread_not_found")
        await enqueue(posts, follow_up(1, 0, PostKind.BROADCAST))
        if not was_taken:
            sandbox.slack.messages.remove(root)
        await settled(posts)
    assert channel_texts(sandbox)[-1:] == ["broadcast 1"]
    assert channel_texts(sandbox).count("broadcast 1") == 1


async def test_reply_to_deleted_message_does_not_block_queue(sandbox: Sandbox) -> None:
    async with posting(sandbox) as posts:
        await enqueue(posts, post(0))
        await sandbox.slack.until(lambda: channel_texts(sandbox))
        await settled(posts)
        sandbox.slack.messages.clear()
        await enqueue(
            posts, follow_up(1, 0, PostKind.EDIT), follow_up(2, 0, PostKind.REPLY), post(3)
        )
        await sandbox.slack.until(lambda: channel_texts(sandbox) == ["Message 3"])
        await settled(posts)


async def test_refused_edit_does_not_block_queue(sandbox: Sandbox) -> None:
    async with posting(sandbox) as posts:
        await enqueue(posts, post(0))
        await sandbox.slack.until(lambda: channel_texts(sandbox))
        sandbox.slack.answer_with(
            200,
            '{"ok":false,"error":"unknown_method"}',
            path="chat.update",
            Content_Type="application/json",
        )
        await enqueue(posts, follow_up(1, 0, PostKind.EDIT), follow_up(2, 0, PostKind.REPLY))
        await sandbox.slack.until(lambda: channel_texts(sandbox) == ["Message 0", "reply 2"])
        await settled(posts)


async def test_backlog_notifies_ops_once(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.slack.outbox.OLD_AFTER", timedelta(seconds=0.3))
    async with posting(sandbox, ops_channel="#ops") as posts:
        await enqueue(posts, post(0, "#quiet"), post(1, "#quiet"))
        await sandbox.slack.until(
            lambda: any(
                "Messages have been waiting to be posted since" in text
                for text in channel_texts(sandbox)
            )
        )
        await asyncio.sleep(0.5)
        sandbox.slack.channels["C0QUIET"].bot_is_in = True
        await sandbox.slack.until(lambda: len(channel_texts(sandbox, "C0QUIET")) == 2)
    assert sum("Messages have been waiting" in text for text in channel_texts(sandbox)) == 1


async def test_message_sent_before_crash_is_not_repeated(
    sandbox: Sandbox,
) -> None:
    """It was claimed and posted in Slack, but not recorded as sent."""
    store = await Store.open(sandbox.location, now=utc_now())
    posts = store.outbox
    await enqueue(posts, post(0), post(1))
    claimed = await posts.claim_post(now=utc_now())
    assert claimed is not None
    await store.close()
    key = {"event_type": "opswatch_post", "event_payload": {"key": "#ops 0"}}
    sandbox.slack._add(Message(sandbox.slack._ts(), "C0OPS", BOT, "Message 0", metadata=key))
    async with posting(sandbox):
        await sandbox.slack.until(lambda: "Message 1" in channel_texts(sandbox))
    assert channel_texts(sandbox) == ["Message 0", "Message 1"]


async def test_killed_outbox_posts_each_message_once(
    sandbox: Sandbox, program_server: ProgramServer
) -> None:
    """A process that posts is killed a hundred times at random moments, while Slack cuts
    connections, fails and is slow.
    """
    count = 60
    spread = random.Random(7)
    store = await Store.open(sandbox.location, now=utc_now())
    await enqueue(store.outbox, *(post(n) for n in range(count)))
    await store.close()
    env = process_environ(
        sandbox.clock, {**os.environ, **sandbox.environ(), "PYTHONPATH": str(ROOT)}
    )
    errors = sandbox.folder / "stderr"
    for _ in range(100):
        random_fault(sandbox, spread)
        with errors.open("wb") as stderr:
            program = await asyncio.to_thread(
                _posting_program, sandbox, program_server, env, stderr
            )
        await asyncio.sleep(spread.random() * 0.15)
        program.kill()
        assert await asyncio.to_thread(program.wait) == -signal.SIGKILL, errors.read_text()
        assert "Traceback" not in errors.read_text()
    sandbox.slack.faults.clear()
    async with posting(sandbox) as posts:
        await sandbox.slack.until(lambda: len(channel_texts(sandbox)) >= count, timeout_s=60)
        await settled(posts)
    assert channel_texts(sandbox) == [f"Message {n}" for n in range(count)]


def _posting_program(
    sandbox: Sandbox, programs: ProgramServer, env: dict[str, str], stderr: BinaryIO
) -> RunningProgram:
    """A process that has started posting. It soon takes over what a killed process claimed."""
    readable, writable = os.pipe()
    with os.fdopen(readable, "rb") as output, os.fdopen(writable, "wb") as stdout:
        program = programs.start(
            "tests.support.outbox_process",
            [location_word(sandbox.location), "0.1"],
            cwd=ROOT,
            environ=env,
            stdout=stdout.fileno(),
            stderr=stderr.fileno(),
        )
        stdout.close()
        assert output.readline() == b"posting\n"
    return program
