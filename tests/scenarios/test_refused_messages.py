"""Slack rejects a message or a file: it is set aside, operators are notified, and the rest is sent."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest

from bot.sandbox.sandbox import Sandbox
from bot.slack.outbox import OutboxTimings
from bot.store import Store
from bot.store.sql.outbox import SqlOutbox
from providers.clock import utc_now
from tests.support.outbox import (
    all_sent,
    channel_texts,
    enqueue,
    file,
    files,
    has,
    make_due,
    outbox_of,
    post,
)

REFUSED_UPLOADS = {
    "uploads disabled": ("files.getUploadURLExternal", "file_uploads_disabled"),
    "storage full": ("files.getUploadURLExternal", "storage_limit_reached"),
    "no scope": ("files.getUploadURLExternal", "missing_scope"),
    "file lost": ("files.completeUploadExternal", "file_not_found"),
    "channel unknown to uploads": ("files.completeUploadExternal", "channel_not_found"),
    "Slack fails": ("files.completeUploadExternal", "internal_error"),
}


@pytest.mark.parametrize(("method", "code"), REFUSED_UPLOADS.values(), ids=REFUSED_UPLOADS)
async def test_messages_do_not_wait_for_a_refused_file(
    sandbox: Sandbox, method: str, code: str
) -> None:
    refusal = sandbox.slack.refuse(method, code)
    async with outbox_of(sandbox) as (store, _):
        await enqueue(
            store.outbox,
            post(0, "#kitchen"),
            file(0, 0, "#kitchen"),
            post(1, "#kitchen"),
            post(2, "#kitchen"),
        )
        await sandbox.slack.until(
            lambda: channel_texts(sandbox, "C0KITCHEN") == ["Message 0", "Message 1", "Message 2"]
        )
        [notice] = await sandbox.slack.until(lambda: channel_texts(sandbox))
        assert code in notice and "#kitchen" in notice
        sandbox.slack.refusals.remove(refusal)
        await all_sent(store)
    assert files(sandbox) == ["usage-0.csv"]
    assert len(channel_texts(sandbox)) == 1


@pytest.mark.parametrize("status", [403, 404, 413, 429, 500, 503])
async def test_refusing_upload_host_does_not_block_messages(sandbox: Sandbox, status: int) -> None:
    sandbox.slack.answer_with(status, "no", path="/upload/", times=4)
    async with outbox_of(sandbox) as (store, _):
        await enqueue(store.outbox, post(0), file(0, 0), post(1))
        await sandbox.slack.until(lambda: "Message 1" in channel_texts(sandbox))
        await sandbox.slack.until(
            lambda: any(f"HTTP {status}" in text for text in channel_texts(sandbox))
        )
        await all_sent(store)
    assert files(sandbox) == ["usage-0.csv"]
    assert len(channel_texts(sandbox)) == 3


async def test_missing_upload_host_does_not_block_messages(sandbox: Sandbox) -> None:
    gone = {"ok": True, "upload_url": "http://127.0.0.1:9/upload", "file_id": "F1"}
    sandbox.slack.answer_with(
        200,
        json.dumps(gone),
        path="files.getUploadURLExternal",
        times=5,
        Content_Type="application/json",
    )
    async with outbox_of(sandbox) as (store, _):
        await enqueue(store.outbox, post(0), file(0, 0), post(1))
        await sandbox.slack.until(lambda: "Message 1" in channel_texts(sandbox))
        await all_sent(store)
    assert files(sandbox) == ["usage-0.csv"]
    assert sum("usage-0.csv" in text for text in channel_texts(sandbox)) == 1


REFUSED_MESSAGES = [
    "invalid_arguments",
    "msg_too_long",
    "invalid_blocks",
    "no_text",
    "never_heard_of_it",
    "invalid_metadata_format",
]


@pytest.mark.parametrize("code", REFUSED_MESSAGES)
async def test_refused_message_is_set_aside_and_reported(sandbox: Sandbox, code: str) -> None:
    refusal = sandbox.slack.refuse("chat.postMessage", code, when=has("Message 1"))
    async with outbox_of(sandbox) as (store, _):
        await enqueue(store.outbox, *(post(n, "#kitchen") for n in range(4)))
        await sandbox.slack.until(
            lambda: channel_texts(sandbox, "C0KITCHEN") == ["Message 0", "Message 2", "Message 3"]
        )
        [notice] = await sandbox.slack.until(lambda: channel_texts(sandbox))
        assert notice.startswith(f"A message for #kitchen could not be sent ({code}).")
        sandbox.slack.refusals.remove(refusal)
        await all_sent(store)
    assert channel_texts(sandbox, "C0KITCHEN") == [
        "Message 0",
        "Message 2",
        "Message 3",
        "Message 1",
    ]
    assert len(channel_texts(sandbox)) == 1


async def test_message_refused_for_a_day_is_passed(sandbox: Sandbox) -> None:
    sandbox.slack.refuse("chat.postMessage", "never_heard_of_it", when=has("Message 0"))
    refusal = sandbox.slack.refuse("chat.postMessage", "never_heard_of_it", when=has("Message 1"))
    async with outbox_of(sandbox, "", OutboxTimings(0.01, 0.05, 0.001, mend=300)) as (store, _):
        await enqueue(store.outbox, post(0), post(1))
        async with asyncio.timeout(20):
            while len(await store.read("SELECT 1 FROM outbox WHERE state = 'aside'", ())) < 2:
                await asyncio.sleep(0.02)
        sandbox.slack.refusals.remove(refusal)
        yesterday = (utc_now() - timedelta(days=1, hours=1)).isoformat()
        await store.database.execute("UPDATE outbox SET queued_at = ?", (yesterday,))
        await make_due(store)
        await sandbox.slack.until(lambda: channel_texts(sandbox) == ["Message 1"])


async def test_message_set_aside_survives_a_restart(sandbox: Sandbox) -> None:
    refusal = sandbox.slack.refuse("chat.postMessage", "never_heard_of_it", when=has("Message 0"))
    async with outbox_of(sandbox) as (store, _):
        await enqueue(store.outbox, post(0, "#kitchen"), post(1, "#kitchen"))
        await sandbox.slack.until(
            lambda: channel_texts(sandbox, "C0KITCHEN") == ["Message 1"] and channel_texts(sandbox)
        )
    sandbox.slack.refusals.remove(refusal)
    async with outbox_of(sandbox) as (store, _):
        await all_sent(store)
    assert channel_texts(sandbox, "C0KITCHEN") == ["Message 1", "Message 0"]
    assert len(channel_texts(sandbox)) == 1


async def test_message_that_slack_fails_on_is_set_aside(sandbox: Sandbox) -> None:
    """Slack works, and answers 500 only to this message."""
    refusal = sandbox.slack.refuse("chat.postMessage", "internal_error", when=has("Message 0"))
    async with outbox_of(sandbox) as (store, _):
        await enqueue(store.outbox, post(0, "#kitchen"), post(1, "#kitchen"))
        await sandbox.slack.until(lambda: channel_texts(sandbox, "C0KITCHEN") == ["Message 1"])
        sandbox.slack.refusals.remove(refusal)
        await all_sent(store)
    assert channel_texts(sandbox, "C0KITCHEN") == ["Message 1", "Message 0"]


async def test_refused_blocks_become_text(sandbox: Sandbox) -> None:
    sandbox.slack.refuse(
        "chat.postMessage", "invalid_blocks", when=lambda args: bool(args.get("blocks"))
    )
    async with outbox_of(sandbox) as (store, _):
        await enqueue(store.outbox, post(0), post(1))
        await all_sent(store)
    assert channel_texts(sandbox) == ["Message 0", "Message 1"]


async def test_blocks_that_cannot_be_read_become_words(sandbox: Sandbox) -> None:
    async with outbox_of(sandbox) as (store, _):
        await enqueue(store.outbox, post(0))
        await all_sent(store)
        await enqueue(store.outbox, post(1, "#quiet"))
        await store.database.write(
            lambda db: db.execute("UPDATE outbox SET blocks = '[{' WHERE key = '#quiet 1'")
        )
        sandbox.slack.channels["C0QUIET"].bot_is_in = True
        await enqueue(store.outbox, post(2))
        await all_sent(store)
    assert channel_texts(sandbox, "C0QUIET") == ["Message 1"]


async def test_queue_goes_on_after_an_unexpected_error(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = 0
    claim = SqlOutbox.claim_post

    async def fails_once(posts: SqlOutbox, **arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise ValueError("never seen before")
        return await claim(posts, **arguments)

    monkeypatch.setattr(SqlOutbox, "claim_post", fails_once)
    async with outbox_of(sandbox) as (store, _):
        await enqueue(store.outbox, post(0))
        await all_sent(store)
    assert channel_texts(sandbox) == ["Message 0"]


async def test_unreadable_history_sets_one_message_aside(sandbox: Sandbox) -> None:
    """The message may have been posted, and the history cannot be read: it is not posted twice, and
    other messages are posted.
    """
    store = await Store.open(sandbox.location, now=utc_now())
    await enqueue(store.outbox, post(0, "C0KITCHEN"))
    assert await store.outbox.claim_post(now=utc_now())
    await store.close()
    refusal = sandbox.slack.refuse("conversations.history", "missing_scope")
    async with outbox_of(sandbox) as (store, outbox):
        await enqueue(store.outbox, post(1, "C0KITCHEN"))
        await sandbox.slack.until(lambda: channel_texts(sandbox, "C0KITCHEN") == ["Message 1"])
        [notice] = await sandbox.slack.until(lambda: channel_texts(sandbox))
        assert "missing_scope" in notice
        assert outbox.problem() == ""
        sandbox.slack.refusals.remove(refusal)
        await all_sent(store)
    assert channel_texts(sandbox, "C0KITCHEN") == ["Message 1", "Message 0"]
