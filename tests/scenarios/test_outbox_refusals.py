"""What Slack refuses: one message, one file or a whole channel. Everything else goes on, and the
operators are told.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack import BOT, Channel, Message
from bot.sandbox.slack_limits import SlackLimits
from bot.slack.client import SlackClient, slack_client
from bot.slack.outbox import Outbox, OutboxTimings
from bot.slack.pace import Priority, SlackPace
from bot.store import Post, PostKind, Store
from bot.store.sql.outbox import SqlOutbox
from providers.clock import utc_now
from tests.scenarios.test_outbox import about, enqueue, post
from tests.scenarios.test_outbox import said as all_said

HURRIED = OutboxTimings(per_channel=0.01, look=0.05, retry=0.01, mend=0.1, names=0.2)


@asynccontextmanager
async def outbox_of(
    sandbox: Sandbox, ops_channel: str = "#ops", pace: OutboxTimings = HURRIED
) -> AsyncIterator[tuple[Store, Outbox]]:
    """An outbox at work that can bring files, too."""
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


def said(sandbox: Sandbox, channel: str = "C0OPS") -> list[str]:
    """What the bot has said in words; files stand there without any."""
    return [text for text in all_said(sandbox, channel) if text]


def files(sandbox: Sandbox) -> list[str]:
    return [f.name for m in sandbox.slack.messages for f in m.files]


def has(text: str) -> Callable[[Any], bool]:
    return lambda args: text in str(args.get("text"))


async def all_sent(store: Store) -> None:
    async with asyncio.timeout(20):
        while await store.read("SELECT 1 FROM outbox WHERE state != 'sent'", ()):
            await asyncio.sleep(0.02)


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
            lambda: said(sandbox, "C0KITCHEN") == ["Message 0", "Message 1", "Message 2"]
        )
        [told] = await sandbox.slack.until(lambda: said(sandbox))
        assert code in told and "#kitchen" in told
        sandbox.slack.refusals.remove(refusal)
        await all_sent(store)
    assert files(sandbox) == ["usage-0.csv"]
    assert len(said(sandbox)) == 1


@pytest.mark.parametrize("status", [403, 404, 413, 429, 500, 503])
async def test_refusing_upload_host_does_not_block_messages(sandbox: Sandbox, status: int) -> None:
    sandbox.slack.answer_with(status, "no", path="/upload/", times=4)
    async with outbox_of(sandbox) as (store, _):
        await enqueue(store.outbox, post(0), file(0, 0), post(1))
        await sandbox.slack.until(lambda: "Message 1" in said(sandbox))
        await sandbox.slack.until(lambda: any(f"HTTP {status}" in text for text in said(sandbox)))
        await all_sent(store)
    assert files(sandbox) == ["usage-0.csv"]
    assert len(said(sandbox)) == 3


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
        await sandbox.slack.until(lambda: "Message 1" in said(sandbox))
        await all_sent(store)
    assert files(sandbox) == ["usage-0.csv"]
    assert sum("usage-0.csv" in text for text in said(sandbox)) == 1


@pytest.mark.parametrize("channel", ["ops", "#ops", "C0OPS", "U0ADA"])
async def test_channel_written_in_any_way_gets_message_and_file(
    sandbox: Sandbox, channel: str
) -> None:
    async with outbox_of(sandbox, "") as (store, _):
        await enqueue(store.outbox, post(0, channel), file(0, 0, channel))
        await all_sent(store)
    message, with_file = [m for m in sandbox.slack.messages if m.user == BOT]
    assert message.channel == with_file.channel == ("D0ADA" if channel == "U0ADA" else "C0OPS")
    assert with_file.thread_ts == message.ts


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
            lambda: said(sandbox, "C0KITCHEN") == ["Message 0", "Message 2", "Message 3"]
        )
        [told] = await sandbox.slack.until(lambda: said(sandbox))
        assert told.startswith(f"A message for #kitchen could not be sent ({code}).")
        sandbox.slack.refusals.remove(refusal)
        await all_sent(store)
    assert said(sandbox, "C0KITCHEN") == ["Message 0", "Message 2", "Message 3", "Message 1"]
    assert len(said(sandbox)) == 1


async def test_messages_set_aside_come_in_their_order(sandbox: Sandbox) -> None:
    refusal = sandbox.slack.refuse("chat.postMessage", "never_heard_of_it", when=has("Message"))
    async with outbox_of(sandbox, "", OutboxTimings(per_channel=0.01, look=0.05)) as (store, _):
        await enqueue(store.outbox, *(post(n) for n in range(6)))
        async with asyncio.timeout(20):
            while len(await store.read("SELECT 1 FROM outbox WHERE state = 'aside'", ())) < 6:
                await asyncio.sleep(0.02)
        sandbox.slack.refusals.remove(refusal)
        await store.database.write(
            lambda db: db.execute("UPDATE outbox SET not_before = queued_at WHERE key = '#ops 3'")
        )
        await sandbox.slack.until(lambda: said(sandbox))
        await store.database.write(
            lambda db: db.execute("UPDATE outbox SET not_before = queued_at WHERE key = '#ops 0'")
        )
        await all_sent(store)
    assert said(sandbox)[0] == "Message 3"
    assert said(sandbox)[1:] == [f"Message {n}" for n in (0, 1, 2, 4, 5)]


@pytest.mark.parametrize("code", ["never_heard_of_it", "invalid_blocks", "internal_error"])
@pytest.mark.parametrize("refused_first", [1, 2])
async def test_order_survives_recovery_between_retries(
    sandbox: Sandbox, code: str, refused_first: int
) -> None:
    """Slack takes messages again right after it has refused the first one once more."""
    refusal = sandbox.slack.refuse("chat.postMessage", code, when=has("Message"))
    async with outbox_of(sandbox, "", OutboxTimings(0.01, 0.05, 0.001, mend=300)) as (store, _):
        await enqueue(store.outbox, *(post(n) for n in range(4)))
        async with asyncio.timeout(30):
            while len(await store.read("SELECT 1 FROM outbox WHERE state = 'aside'", ())) < 4:
                await asyncio.sleep(0.02)
        sandbox.slack.refusals.remove(refusal)
        sandbox.slack.refuse(
            "chat.postMessage", "never_heard_of_it", when=has("Message 0"), times=refused_first
        )
        for _ in range(refused_first + 1):
            await make_due(store)
            await retried(store)
        await all_sent(store)
    assert said(sandbox) == [f"Message {n}" for n in range(4)]


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
        await sandbox.slack.until(lambda: said(sandbox) == ["Message 1"])


async def make_due(store: Store) -> None:
    """All that was set aside is due, as when its waits have passed."""
    await store.database.execute(
        "UPDATE outbox SET not_before = queued_at, trouble = NULL WHERE state = 'aside'"
    )


async def retried(store: Store) -> None:
    """Waits until nothing that was set aside is due any more."""
    due = "SELECT 1 FROM outbox WHERE state != 'sent' AND not_before = queued_at"
    async with asyncio.timeout(20):
        while await store.read(due, ()):
            await asyncio.sleep(0.02)


async def test_message_set_aside_survives_a_restart(sandbox: Sandbox) -> None:
    refusal = sandbox.slack.refuse("chat.postMessage", "never_heard_of_it", when=has("Message 0"))
    async with outbox_of(sandbox) as (store, _):
        await enqueue(store.outbox, post(0, "#kitchen"), post(1, "#kitchen"))
        await sandbox.slack.until(
            lambda: said(sandbox, "C0KITCHEN") == ["Message 1"] and said(sandbox)
        )
    sandbox.slack.refusals.remove(refusal)
    async with outbox_of(sandbox) as (store, _):
        await all_sent(store)
    assert said(sandbox, "C0KITCHEN") == ["Message 1", "Message 0"]
    assert len(said(sandbox)) == 1


async def test_message_that_slack_fails_on_is_set_aside(sandbox: Sandbox) -> None:
    """Slack works, and answers 500 to this message alone."""
    refusal = sandbox.slack.refuse("chat.postMessage", "internal_error", when=has("Message 0"))
    async with outbox_of(sandbox) as (store, _):
        await enqueue(store.outbox, post(0, "#kitchen"), post(1, "#kitchen"))
        await sandbox.slack.until(lambda: said(sandbox, "C0KITCHEN") == ["Message 1"])
        sandbox.slack.refusals.remove(refusal)
        await all_sent(store)
    assert said(sandbox, "C0KITCHEN") == ["Message 1", "Message 0"]


async def test_order_survives_slack_outage(sandbox: Sandbox) -> None:
    sandbox.slack.answer_with(503, "", times=60)
    async with outbox_of(sandbox, "") as (store, _):
        await enqueue(store.outbox, *(post(n) for n in range(4)))
        await all_sent(store)
    assert said(sandbox) == [f"Message {n}" for n in range(4)]


async def test_refused_blocks_become_text(sandbox: Sandbox) -> None:
    sandbox.slack.refuse(
        "chat.postMessage", "invalid_blocks", when=lambda args: bool(args.get("blocks"))
    )
    async with outbox_of(sandbox) as (store, _):
        await enqueue(store.outbox, post(0), post(1))
        await all_sent(store)
    assert said(sandbox) == ["Message 0", "Message 1"]


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
    assert said(sandbox, "C0QUIET") == ["Message 1"]


REFUSING_CHANNELS = [
    "is_archived",
    "restricted_action",
    "restricted_action_read_only_channel",
    "channel_not_found",
    "ekm_access_denied",
]


@pytest.mark.parametrize("code", REFUSING_CHANNELS)
async def test_refusing_channel_preserves_its_order(sandbox: Sandbox, code: str) -> None:
    refusal = sandbox.slack.refuse(
        "chat.postMessage", code, when=lambda args: args["channel"] in ("C0KITCHEN", "#kitchen")
    )
    async with outbox_of(sandbox) as (store, _):
        await enqueue(
            store.outbox, *(post(n, "#kitchen") for n in range(3)), file(0, 0, "#kitchen"), post(7)
        )
        await sandbox.slack.until(lambda: len(said(sandbox)) == 2)
        assert any(f"I cannot post in #kitchen ({code})." in text for text in said(sandbox))
        sandbox.slack.refusals.remove(refusal)
        await all_sent(store)
    assert said(sandbox, "C0KITCHEN") == ["Message 0", "Message 1", "Message 2"]
    assert files(sandbox) == ["usage-0.csv"]
    assert len(said(sandbox)) == 2


@pytest.mark.parametrize(
    "code", ["token_revoked", "account_inactive", "invalid_auth", "missing_scope"]
)
async def test_app_without_post_scope_is_not_ready(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture, code: str
) -> None:
    refusal = sandbox.slack.refuse("chat.postMessage", code)
    async with outbox_of(sandbox) as (store, outbox):
        await enqueue(
            store.outbox, *(post(n) for n in range(2)), *(post(n, "#kitchen") for n in range(2))
        )
        async with asyncio.timeout(60):
            while code not in outbox.problem():
                await asyncio.sleep(0.02)
        assert any(
            code in record.getMessage()
            for record in caplog.records
            if record.levelno >= logging.ERROR
        )
        sandbox.slack.refusals.remove(refusal)
        await all_sent(store)
        assert outbox.problem() == ""
    assert said(sandbox) == said(sandbox, "C0KITCHEN") == ["Message 0", "Message 1"]


@pytest.mark.parametrize("ops_channel", ["#ops", "ops", "C0OPS"])
async def test_refusing_ops_channel_is_logged(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture, ops_channel: str
) -> None:
    async with outbox_of(sandbox, ops_channel) as (store, _):
        await enqueue(store.outbox, post(0))
        await all_sent(store)
        sandbox.slack.channels["C0OPS"].bot_is_in = False
        await enqueue(store.outbox, post(1, "C0OPS"), post(2, "#kitchen"))
        async with asyncio.timeout(60):
            while not any("The ops channel" in record.getMessage() for record in caplog.records):
                await asyncio.sleep(0.02)
        await sandbox.slack.until(lambda: said(sandbox, "C0KITCHEN"))
        sandbox.slack.channels["C0OPS"].bot_is_in = True
        await all_sent(store)
    assert said(sandbox) == ["Message 0", "Message 1"]


async def test_replies_wait_for_their_root_and_nobody_else_does(sandbox: Sandbox) -> None:
    refusal = sandbox.slack.refuse("chat.postMessage", "never_heard_of_it", when=has("Message 0"))
    async with outbox_of(sandbox, "") as (store, _):
        await enqueue(
            store.outbox,
            post(0),
            about(1, 0, PostKind.REPLY),
            about(2, 0, PostKind.EDIT, "Message 0, anew"),
            post(3),
        )
        await sandbox.slack.until(lambda: said(sandbox) == ["Message 3"])
        sandbox.slack.refusals.remove(refusal)
        await all_sent(store)
    assert said(sandbox) == ["Message 3", "Message 0, anew", "reply 1"]
    root = next(m for m in sandbox.slack.messages if m.text == "Message 0, anew")
    assert sandbox.slack.messages[-1].thread_ts == root.ts


async def test_repeat_of_deleted_incident_is_in_channel(sandbox: Sandbox) -> None:
    async with outbox_of(sandbox) as (store, _):
        await enqueue(store.outbox, post(0))
        await all_sent(store)
        sandbox.slack.messages.clear()
        await enqueue(
            store.outbox,
            about(1, 0, PostKind.REPLY),
            about(2, 0, PostKind.BROADCAST, "Still firing"),
            post(3),
        )
        await all_sent(store)
    assert said(sandbox) == ["Still firing", "Message 3"]
    assert not any(m.thread_ts for m in sandbox.slack.messages)


async def test_older_edit_never_replaces_a_newer_one(sandbox: Sandbox) -> None:
    async with outbox_of(sandbox) as (store, _):
        await enqueue(store.outbox, post(0))
        await all_sent(store)
        sandbox.slack.refuse("chat.update", "internal_error", when=has("Edit 1"), times=9)
        await enqueue(store.outbox, about(1, 0, PostKind.EDIT, "Edit 1"))
        await sandbox.slack.until(
            lambda: sum("internal_error" in each for each in sandbox.slack.refused) >= 2
        )
        await enqueue(
            store.outbox, about(2, 0, PostKind.EDIT, "Edit 2"), about(3, 0, PostKind.REPLY)
        )
        await sandbox.slack.until(lambda: "reply 3" in said(sandbox))
        await all_sent(store)
    assert said(sandbox)[0] == "Edit 2"


async def test_removed_while_uncertain_is_not_posted_twice(sandbox: Sandbox) -> None:
    """The post was taken, nobody heard of it, and then the bot was removed from the channel for a
    while.
    """
    async with outbox_of(sandbox) as (store, _):
        await enqueue(store.outbox, post(0, "#kitchen"))
        await all_sent(store)

        def removed() -> bool:
            if len(said(sandbox, "C0KITCHEN")) == 2:
                sandbox.slack.channels["C0KITCHEN"].bot_is_in = False
            return not sandbox.slack.channels["C0KITCHEN"].bot_is_in

        sandbox.slack.fail(how="503")
        await enqueue(store.outbox, post(1, "#kitchen"), post(2, "#kitchen"))
        await sandbox.slack.until(removed)
        await sandbox.slack.until(lambda: any("not_in_channel" in text for text in said(sandbox)))
        sandbox.slack.channels["C0KITCHEN"].bot_is_in = True
        await all_sent(store)
    assert said(sandbox, "C0KITCHEN") == ["Message 0", "Message 1", "Message 2"]


async def test_wait_of_a_wrong_clock_is_not_waited_out(sandbox: Sandbox) -> None:
    store = await Store.open(sandbox.location, now=utc_now())
    await store.outbox.enqueue(post(0), now=utc_now() + timedelta(days=1))
    await store.close()
    async with outbox_of(sandbox) as (store, _):
        await all_sent(store)
    assert said(sandbox) == ["Message 0"]


async def test_post_of_a_wrong_clock_is_found_again(sandbox: Sandbox) -> None:
    """It was queued, claimed and taken by Slack while our clock was a day ahead."""
    store = await Store.open(sandbox.location, now=utc_now())
    posts, ahead = store.outbox, utc_now() + timedelta(days=1)
    await posts.enqueue(post(0), now=ahead)
    assert await posts.claim_post(now=ahead)
    await store.close()
    key = {"event_type": "opswatch_post", "event_payload": {"key": "#ops 0"}}
    sandbox.slack._add(Message(sandbox.slack._ts(), "C0OPS", BOT, "Message 0", metadata=key))
    async with outbox_of(sandbox) as (store, _):
        await all_sent(store)
    assert said(sandbox) == ["Message 0"]


async def test_name_is_pinned_to_its_channel(sandbox: Sandbox) -> None:
    async with outbox_of(sandbox) as (store, _):
        await enqueue(store.outbox, post(0, "#kitchen"))
        await all_sent(store)
    sandbox.slack.channels["C0KITCHEN"].name = "old-kitchen"
    sandbox.slack.channels["C0NEW"] = Channel("C0NEW", "kitchen", "Another kitchen")
    async with outbox_of(sandbox) as (store, _):
        await enqueue(store.outbox, post(1, "#kitchen"), file(1, 1, "#kitchen"))
        await sandbox.slack.until(
            lambda: any("#old-kitchen" in text and "C0NEW" in text for text in said(sandbox))
        )
        await all_sent(store)
    assert said(sandbox, "C0KITCHEN")[:2] == ["Message 0", "Message 1"]
    assert said(sandbox, "C0NEW") == []
    assert len(said(sandbox)) == 1


async def test_name_is_posted_to_without_listing_channels(sandbox: Sandbox) -> None:
    sandbox.slack.channels |= {f"C{n}": Channel(f"C{n}", f"channel-{n}", "") for n in range(60)}
    async with outbox_of(sandbox) as (store, _):
        await enqueue(store.outbox, post(0, "#channel-59"))
        await all_sent(store)
    assert said(sandbox, "C59") == ["Message 0"]
    assert "POST /api/conversations.list" not in sandbox.slack.paths()


async def test_listing_goes_on_at_its_cursor_after_429(sandbox: Sandbox) -> None:
    """A message to a name may stand already, and its channel is on the 60th page."""
    sandbox.slack.channels |= {f"C{n}": Channel(f"C{n}", f"channel-{n}", "") for n in range(60)}
    store = await Store.open(sandbox.location, now=utc_now())
    await enqueue(store.outbox, post(0, "#channel-59"))
    assert await store.outbox.claim_post(now=utc_now())
    await store.close()
    sandbox.slack.limit(SlackLimits(speed=60))
    async with outbox_of(sandbox, pace=OutboxTimings(per_channel=0.001, look=0.05, retry=0.01)) as (
        store,
        _,
    ):
        await all_sent(store)
    assert said(sandbox, "C59") == ["Message 0"]
    listed = [
        entry.body for entry in sandbox.slack.requests if entry.path.endswith("conversations.list")
    ]
    assert sum(b"cursor=&" in body or body.endswith(b"cursor=") for body in listed) <= 1


async def test_backlog_is_worded_plainly(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.slack.outbox.OLD_AFTER", timedelta(seconds=0.2))
    sandbox.slack.refuse(
        "chat.postMessage", "is_archived", when=lambda args: args["channel"] == "#kitchen"
    )
    async with outbox_of(sandbox) as (store, outbox):
        await enqueue(store.outbox, post(0, "#kitchen"), post(1, "#kitchen"))
        told = await sandbox.slack.until(
            lambda: [text for text in said(sandbox) if "have been waiting" in text]
        )
        assert "2 messages for #kitchen (is_archived)" in told[0]
        assert outbox.problem() == ""


async def test_stalled_outbox_is_reported(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.slack.outbox.OLD_AFTER", timedelta(seconds=0.2))
    refusal = sandbox.slack.refuse("chat.postMessage", "service_unavailable")
    unknown = sandbox.slack.refuse("auth.test", "service_unavailable")
    async with outbox_of(sandbox) as (store, outbox):
        await enqueue(store.outbox, post(0), post(0, "C0KITCHEN"))
        async with asyncio.timeout(20):
            while not outbox.problem().startswith("Messages have been waiting to be posted since"):
                await asyncio.sleep(0.02)
        sandbox.slack.refusals.remove(refusal)
        sandbox.slack.refusals.remove(unknown)
        async with asyncio.timeout(20):
            while outbox.problem():
                await asyncio.sleep(0.02)


async def test_queue_goes_on_after_an_unexpected_error(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls, claim = 0, SqlOutbox.claim_post

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
    assert said(sandbox) == ["Message 0"]


async def test_strict_limits_lose_nothing(sandbox: Sandbox) -> None:
    """Alerts, answers and files at once, at Slack's own limits, with a clock that runs ten times as
    fast.
    """
    sandbox.slack.limit(SlackLimits(speed=10))
    async with outbox_of(sandbox, pace=OutboxTimings(per_channel=0.11, look=0.05)) as (
        store,
        outbox,
    ):
        assert isinstance(outbox._client, SlackClient)
        person = outbox._client.at(Priority.ANSWER)
        await enqueue(store.outbox, *(post(n) for n in range(6)), file(0, 0), file(1, 1))
        await asyncio.gather(
            *(
                person.call("chat.postMessage", channel="C0OPS", text=f"Answer {n}")
                for n in range(12)
            )
        )
        await all_sent(store)
    assert [text for text in said(sandbox) if text.startswith("Message")] == [
        f"Message {n}" for n in range(6)
    ]
    assert sorted(text for text in said(sandbox) if text.startswith("Answer")) == sorted(
        f"Answer {n}" for n in range(12)
    )
    assert sorted(files(sandbox)) == ["usage-0.csv", "usage-1.csv"]


@pytest.mark.parametrize("status", [200, 302, 401, 403, 407])
async def test_answers_of_proxy_preserve_order(sandbox: Sandbox, status: int) -> None:
    sandbox.slack.answer_with(
        status, "<html>Blocked</html>", path="chat.postMessage", times=4, Content_Type="text/html"
    )
    async with outbox_of(sandbox) as (store, _):
        await enqueue(store.outbox, *(post(n) for n in range(3)))
        await all_sent(store)
    assert said(sandbox) == ["Message 0", "Message 1", "Message 2"]


async def test_unreadable_history_sets_one_message_aside(sandbox: Sandbox) -> None:
    """The message may stand already, and history may not be read: it is not posted twice, and
    others are posted.
    """
    store = await Store.open(sandbox.location, now=utc_now())
    await enqueue(store.outbox, post(0, "C0KITCHEN"))
    assert await store.outbox.claim_post(now=utc_now())
    await store.close()
    refusal = sandbox.slack.refuse("conversations.history", "missing_scope")
    async with outbox_of(sandbox) as (store, outbox):
        await enqueue(store.outbox, post(1, "C0KITCHEN"))
        await sandbox.slack.until(lambda: said(sandbox, "C0KITCHEN") == ["Message 1"])
        [told] = await sandbox.slack.until(lambda: said(sandbox))
        assert "missing_scope" in told
        assert outbox.problem() == ""
        sandbox.slack.refusals.remove(refusal)
        await all_sent(store)
    assert said(sandbox, "C0KITCHEN") == ["Message 1", "Message 0"]


async def test_unreachable_slack_preserves_order(sandbox: Sandbox) -> None:
    async with outbox_of(sandbox) as (store, _):
        sandbox.slack.fail(how="cut", processed=False, times=7)
        await enqueue(store.outbox, *(post(n) for n in range(3)))
        await all_sent(store)
    assert said(sandbox) == ["Message 0", "Message 1", "Message 2"]
