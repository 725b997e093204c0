"""Channels by name and by id, channels that reject messages, and notifications to operators."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

import pytest

from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack import BOT, Channel
from bot.sandbox.slack_limits import SlackLimits
from bot.slack.outbox import OutboxTimings
from bot.store import Store
from providers.clock import utc_now
from tests.support.outbox import all_sent, channel_texts, enqueue, file, files, outbox_of, post


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


REFUSING_CHANNELS = [
    "is_archived",
    "restricted_action",
    "restricted_action_read_only_channel",
    "channel_not_found",
    "ekm_access_denied",
    "external_channel_migrating",
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
        await sandbox.slack.until(lambda: len(channel_texts(sandbox)) == 2)
        assert any(
            f"Opswatch cannot post in #kitchen ({code})." in text for text in channel_texts(sandbox)
        )
        sandbox.slack.refusals.remove(refusal)
        await all_sent(store)
    assert channel_texts(sandbox, "C0KITCHEN") == ["Message 0", "Message 1", "Message 2"]
    assert files(sandbox) == ["usage-0.csv"]
    assert len(channel_texts(sandbox)) == 2


@pytest.mark.parametrize(
    "code", ["token_revoked", "account_inactive", "invalid_auth", "message_limit_exceeded"]
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
    assert (
        channel_texts(sandbox) == channel_texts(sandbox, "C0KITCHEN") == ["Message 0", "Message 1"]
    )


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
        await sandbox.slack.until(lambda: channel_texts(sandbox, "C0KITCHEN"))
        sandbox.slack.channels["C0OPS"].bot_is_in = True
        await all_sent(store)
    assert channel_texts(sandbox) == ["Message 0", "Message 1"]


async def test_name_is_pinned_to_its_channel(sandbox: Sandbox) -> None:
    async with outbox_of(sandbox) as (store, _):
        await enqueue(store.outbox, post(0, "#kitchen"))
        await all_sent(store)
    sandbox.slack.channels["C0KITCHEN"].name = "old-kitchen"
    sandbox.slack.channels["C0NEW"] = Channel("C0NEW", "kitchen", "Another kitchen")
    async with outbox_of(sandbox) as (store, _):
        await enqueue(store.outbox, post(1, "#kitchen"), file(1, 1, "#kitchen"))
        await sandbox.slack.until(
            lambda: any(
                "#old-kitchen" in text and "C0NEW" in text for text in channel_texts(sandbox)
            )
        )
        await all_sent(store)
    assert channel_texts(sandbox, "C0KITCHEN")[:2] == ["Message 0", "Message 1"]
    assert channel_texts(sandbox, "C0NEW") == []
    assert len(channel_texts(sandbox)) == 1


async def test_name_is_posted_to_without_listing_channels(sandbox: Sandbox) -> None:
    sandbox.slack.channels |= {f"C{n}": Channel(f"C{n}", f"channel-{n}", "") for n in range(60)}
    async with outbox_of(sandbox) as (store, _):
        await enqueue(store.outbox, post(0, "#channel-59"))
        await all_sent(store)
    assert channel_texts(sandbox, "C59") == ["Message 0"]
    assert "POST /api/conversations.list" not in sandbox.slack.paths()


async def test_listing_goes_on_at_its_cursor_after_429(sandbox: Sandbox) -> None:
    """A message to a name may have been posted already, and its channel is on the 60th page."""
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
    assert channel_texts(sandbox, "C59") == ["Message 0"]
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
        notices = await sandbox.slack.until(
            lambda: [text for text in channel_texts(sandbox) if "have been waiting" in text]
        )
        assert "2 messages for #kitchen (is_archived)" in notices[0]
        # The notice itself waits for longer than 0.2 s on a slow database, which is a problem while
        # it lasts.
        async with asyncio.timeout(20):
            while outbox.problem():
                await asyncio.sleep(0.02)


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
