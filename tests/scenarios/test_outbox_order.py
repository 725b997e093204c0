"""Messages keep their order, and follow-ups stay with their message, whatever Slack, clocks and
proxies do.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack import BOT, Message
from bot.sandbox.slack_limits import SlackLimits
from bot.slack.client import SlackClient
from bot.slack.outbox import OutboxTimings
from bot.slack.pace import Priority
from bot.store import PostKind, Store
from providers.clock import utc_now
from tests.support.outbox import (
    all_sent,
    channel_texts,
    enqueue,
    file,
    files,
    follow_up,
    has,
    make_due,
    outbox_of,
    post,
    retried,
)


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
        await sandbox.slack.until(lambda: channel_texts(sandbox))
        await store.database.write(
            lambda db: db.execute("UPDATE outbox SET not_before = queued_at WHERE key = '#ops 0'")
        )
        await all_sent(store)
    assert channel_texts(sandbox)[0] == "Message 3"
    assert channel_texts(sandbox)[1:] == [f"Message {n}" for n in (0, 1, 2, 4, 5)]


@pytest.mark.parametrize("code", ["never_heard_of_it", "invalid_blocks", "internal_error"])
@pytest.mark.parametrize("refused_first", [1, 2])
async def test_order_survives_recovery_between_retries(
    sandbox: Sandbox, code: str, refused_first: int
) -> None:
    """Slack accepts messages again right after it has rejected the first one once more."""
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
    assert channel_texts(sandbox) == [f"Message {n}" for n in range(4)]


async def test_order_survives_slack_outage(sandbox: Sandbox) -> None:
    sandbox.slack.answer_with(503, "", times=60)
    async with outbox_of(sandbox, "") as (store, _):
        await enqueue(store.outbox, *(post(n) for n in range(4)))
        await all_sent(store)
    assert channel_texts(sandbox) == [f"Message {n}" for n in range(4)]


async def test_replies_wait_for_their_root_and_nobody_else_does(sandbox: Sandbox) -> None:
    refusal = sandbox.slack.refuse("chat.postMessage", "never_heard_of_it", when=has("Message 0"))
    async with outbox_of(sandbox, "") as (store, _):
        await enqueue(
            store.outbox,
            post(0),
            follow_up(1, 0, PostKind.REPLY),
            follow_up(2, 0, PostKind.EDIT, "Message 0, anew"),
            post(3),
        )
        await sandbox.slack.until(lambda: channel_texts(sandbox) == ["Message 3"])
        sandbox.slack.refusals.remove(refusal)
        await all_sent(store)
    assert channel_texts(sandbox) == ["Message 3", "Message 0, anew", "reply 1"]
    root = next(m for m in sandbox.slack.messages if m.text == "Message 0, anew")
    assert sandbox.slack.messages[-1].thread_ts == root.ts


async def test_repeat_of_deleted_incident_is_in_channel(sandbox: Sandbox) -> None:
    async with outbox_of(sandbox) as (store, _):
        await enqueue(store.outbox, post(0))
        await all_sent(store)
        sandbox.slack.messages.clear()
        await enqueue(
            store.outbox,
            follow_up(1, 0, PostKind.REPLY),
            follow_up(2, 0, PostKind.BROADCAST, "Still firing"),
            post(3),
        )
        await all_sent(store)
    assert channel_texts(sandbox) == ["Still firing", "Message 3"]
    assert not any(m.thread_ts for m in sandbox.slack.messages)


async def test_older_edit_never_replaces_a_newer_one(sandbox: Sandbox) -> None:
    async with outbox_of(sandbox) as (store, _):
        await enqueue(store.outbox, post(0))
        await all_sent(store)
        sandbox.slack.refuse("chat.update", "internal_error", when=has("Edit 1"), times=9)
        await enqueue(store.outbox, follow_up(1, 0, PostKind.EDIT, "Edit 1"))
        await sandbox.slack.until(
            lambda: sum("internal_error" in each for each in sandbox.slack.refused) >= 2
        )
        await enqueue(
            store.outbox, follow_up(2, 0, PostKind.EDIT, "Edit 2"), follow_up(3, 0, PostKind.REPLY)
        )
        await sandbox.slack.until(lambda: "reply 3" in channel_texts(sandbox))
        await all_sent(store)
    assert channel_texts(sandbox)[0] == "Edit 2"


async def test_removed_while_uncertain_is_not_posted_twice(sandbox: Sandbox) -> None:
    """Slack accepted the post without a confirmation, and then the bot was removed from the channel
    for a while.
    """
    async with outbox_of(sandbox) as (store, _):
        await enqueue(store.outbox, post(0, "#kitchen"))
        await all_sent(store)

        def removed() -> bool:
            if len(channel_texts(sandbox, "C0KITCHEN")) == 2:
                sandbox.slack.channels["C0KITCHEN"].bot_is_in = False
            return not sandbox.slack.channels["C0KITCHEN"].bot_is_in

        sandbox.slack.fail(how="503")
        await enqueue(store.outbox, post(1, "#kitchen"), post(2, "#kitchen"))
        await sandbox.slack.until(removed)
        await sandbox.slack.until(
            lambda: any("not_in_channel" in text for text in channel_texts(sandbox))
        )
        sandbox.slack.channels["C0KITCHEN"].bot_is_in = True
        await all_sent(store)
    assert channel_texts(sandbox, "C0KITCHEN") == ["Message 0", "Message 1", "Message 2"]


async def test_wait_of_a_wrong_clock_is_not_waited_out(sandbox: Sandbox) -> None:
    store = await Store.open(sandbox.location, now=utc_now())
    await store.outbox.enqueue(post(0), now=utc_now() + timedelta(days=1))
    await store.close()
    async with outbox_of(sandbox) as (store, _):
        await all_sent(store)
    assert channel_texts(sandbox) == ["Message 0"]


async def test_post_of_a_wrong_clock_is_found_again(sandbox: Sandbox) -> None:
    """It was queued, claimed and posted while our clock was a day ahead."""
    store = await Store.open(sandbox.location, now=utc_now())
    posts = store.outbox
    ahead = utc_now() + timedelta(days=1)
    await posts.enqueue(post(0), now=ahead)
    assert await posts.claim_post(now=ahead)
    await store.close()
    key = {"event_type": "opswatch_post", "event_payload": {"key": "#ops 0"}}
    sandbox.slack._add(Message(sandbox.slack._ts(), "C0OPS", BOT, "Message 0", metadata=key))
    async with outbox_of(sandbox) as (store, _):
        await all_sent(store)
    assert channel_texts(sandbox) == ["Message 0"]


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
    assert [text for text in channel_texts(sandbox) if text.startswith("Message")] == [
        f"Message {n}" for n in range(6)
    ]
    assert sorted(text for text in channel_texts(sandbox) if text.startswith("Answer")) == sorted(
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
    assert channel_texts(sandbox) == ["Message 0", "Message 1", "Message 2"]


async def test_unreachable_slack_preserves_order(sandbox: Sandbox) -> None:
    async with outbox_of(sandbox) as (store, _):
        sandbox.slack.fail(how="cut", processed=False, times=7)
        await enqueue(store.outbox, *(post(n) for n in range(3)))
        await all_sent(store)
    assert channel_texts(sandbox) == ["Message 0", "Message 1", "Message 2"]
