"""Digests: on time and exactly once, regardless of restarts. Late ones say so, and failures to send
are reported.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.app import Bot, open_bot
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack import BOT
from bot.store import Post, Store
from tests.support.alerts import HURRIED
from tests.support.clock import MovableClock as Clock
from tests.support.outbox import settled

LINE = "/usage rapid7-eu last 7 days"
DUBLIN = ZoneInfo("Europe/Dublin")
ON_THE_HOUR = {"name": "hourly-usage", "ask": LINE, "at": "0 * * * *", "channel": "#ops"}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Starts five minutes before the next full hour."""
    clock = Clock()
    clock.set(datetime.now(UTC).replace(minute=55, second=0, microsecond=0))
    monkeypatch.setattr("handlers.jobs.digests.TICK_S", 0.05)
    return clock


@asynccontextmanager
async def running(sandbox: Sandbox, *digests: dict[str, Any], **changes: Any) -> AsyncIterator[Bot]:
    settings = sandbox.settings(digest=list(digests or (ON_THE_HOUR,)), **changes)
    async with (
        open_bot(settings, sandbox.tokens(), pace=HURRIED, clock=sandbox.clock) as bot,
        bot.connected(),
    ):
        yield bot


def posted(sandbox: Sandbox, channel: str = "C0OPS") -> list[str]:
    return [
        m.text
        for m in sandbox.slack.messages
        if m.user == BOT and m.channel == channel and not m.seen_by
    ]


async def test_digest_is_posted_at_its_minute(sandbox: Sandbox, clock: Clock) -> None:
    async with running(sandbox):
        assert posted(sandbox) == []
        clock.strike()
        await sandbox.slack.until(lambda: posted(sandbox))
        await asyncio.sleep(0.3)
    [text] = posted(sandbox)
    assert text.startswith("Digest hourly-usage: rapid7-eu")
    assert "in 7 days" in text
    message = next(m for m in sandbox.slack.messages if m.user == BOT)
    assert message.metadata["event_payload"]["key"].startswith("digest:hourly-usage:")
    assert "Digest `hourly-usage`" in str(message.blocks)
    assert sandbox.slack.refused == []


async def test_file_of_digest_is_in_its_thread_once(sandbox: Sandbox, clock: Clock) -> None:
    """Even if Slack does not confirm the file."""
    sandbox.slack.fail("files.completeUploadExternal")
    async with running(sandbox, {**ON_THE_HOUR, "ask": f"{LINE} csv"}) as bot:
        clock.strike()
        await sandbox.slack.until(lambda: any(m.files for m in sandbox.slack.messages))
        await settled(bot.store.outbox)
        assert await bot.store.read("SELECT * FROM outbox_files", ()) == []
    [message] = [m for m in sandbox.slack.messages if m.user == BOT and not m.files]
    [brought] = [m for m in sandbox.slack.messages if m.files]
    assert brought.thread_ts == message.ts
    assert brought.files[0].content.startswith(b"day,bytes\r\n")


async def test_too_large_file_of_digest_is_named(
    sandbox: Sandbox, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.jobs.digests.LARGEST_FILE", 10)
    async with running(sandbox, {**ON_THE_HOUR, "ask": f"{LINE} csv"}):
        clock.strike()
        await sandbox.slack.until(lambda: posted(sandbox))
    assert "too large for a digest" in posted(sandbox)[0]


async def test_restarts_double_no_digest(sandbox: Sandbox, clock: Clock) -> None:
    async with running(sandbox):
        clock.strike()
        await sandbox.slack.until(lambda: posted(sandbox))
    for _ in range(3):
        clock.ahead -= timedelta(minutes=2)
        async with running(sandbox):
            await asyncio.sleep(0.3)
    assert len(posted(sandbox)) == 1
    clock.ahead += timedelta(hours=1, minutes=6)
    async with running(sandbox):
        await sandbox.slack.until(lambda: len(posted(sandbox)) == 2)


async def test_missed_digests_are_sent_as_one(sandbox: Sandbox, clock: Clock) -> None:
    async with running(sandbox):
        pass
    clock.ahead += timedelta(hours=5, minutes=25)
    async with running(sandbox):
        await sandbox.slack.until(lambda: posted(sandbox))
        await asyncio.sleep(0.2)
    [text] = posted(sandbox)
    assert "20 min late, 5 earlier ones were skipped" in text


async def test_too_late_digest_notifies_ops(sandbox: Sandbox, clock: Clock) -> None:
    daily = {
        **ON_THE_HOUR,
        "name": "daily",
        "at": f"0 {(clock() + timedelta(minutes=5)).hour} * * *",
        "channel": "#kitchen",
    }
    async with running(sandbox, daily, slack={"ops_channel": "#ops"}, timezone="UTC"):
        pass
    clock.ahead += timedelta(hours=3)
    async with running(sandbox, daily, slack={"ops_channel": "#ops"}, timezone="UTC"):
        await sandbox.slack.until(lambda: posted(sandbox))
    assert posted(sandbox, "C0KITCHEN") == []
    assert "Digest `daily` of" in posted(sandbox)[0]
    assert "was not posted: the bot was down" in posted(sandbox)[0]


async def test_failed_digest_does_not_stop_the_next(sandbox: Sandbox, clock: Clock) -> None:
    sandbox.rapid7.answer_with(401, times=99)
    async with running(
        sandbox, {**ON_THE_HOUR, "channel": "#kitchen"}, slack={"ops_channel": "#ops"}
    ) as bot:
        clock.strike()
        await sandbox.slack.until(lambda: posted(sandbox))
        await settled(bot.store.outbox)
        assert "failed: rapid7-eu did not accept the key" in posted(sandbox)[0]
        sandbox.rapid7.faults.clear()
        clock.strike()
        await sandbox.slack.until(lambda: posted(sandbox, "C0KITCHEN"))
    assert len(posted(sandbox)) == 1


async def test_interrupted_digest_does_not_follow_later_one(sandbox: Sandbox, clock: Clock) -> None:
    """The run for the later instant has begun. If the answer for the earlier one still arrives, it
    is not posted.
    """
    store = await Store.open(sandbox.settings().database, now=clock())
    schedules = store.schedules
    now = clock()
    earlier = now - timedelta(hours=1)
    later = now
    assert await schedules.claim_run("hourly-usage", earlier, now=now) == 0
    assert await schedules.claim_run("hourly-usage", later, now=now) == 1
    post = Post("digest:earlier", "#ops", "late", [])
    await schedules.end_run("hourly-usage", earlier, outcome="sent", posts=[post], now=now)
    assert await store.outbox.oldest_waiting() is None
    assert (
        await schedules.claim_run("hourly-usage", earlier, now=now + timedelta(minutes=5)) is None
    )
    await store.close()


async def test_interrupted_run_is_repeated_after_its_lease(sandbox: Sandbox, clock: Clock) -> None:
    """The bot died between the claim and the end of a run."""
    due = clock().replace(minute=0, second=0, microsecond=0)
    store = await Store.open(sandbox.settings().database, now=clock())
    schedules = store.schedules
    await schedules.last_handled_at(
        "hourly-usage", f"{ON_THE_HOUR['at']} {LINE}", now=due - timedelta(minutes=1)
    )
    assert await schedules.claim_run("hourly-usage", due, now=clock() - timedelta(minutes=3)) == 0
    assert (
        await schedules.claim_run("hourly-usage", due, now=clock() - timedelta(minutes=2)) is None
    )
    await store.close()
    async with running(sandbox):
        await sandbox.slack.until(lambda: posted(sandbox))
        await asyncio.sleep(0.3)
    keys = [m.metadata["event_payload"]["key"] for m in sandbox.slack.messages if m.user == BOT]
    assert keys.count(f"digest:hourly-usage:{due:%Y%m%dT%H%M%SZ}") == 1


async def test_changed_digest_does_not_catch_up(sandbox: Sandbox, clock: Clock) -> None:
    async with running(sandbox):
        pass
    clock.ahead += timedelta(hours=3)
    async with running(sandbox, {**ON_THE_HOUR, "at": "30 * * * *"}):
        await asyncio.sleep(0.4)
    assert posted(sandbox) == []


async def test_private_digest_is_posted_where_configured(sandbox: Sandbox, clock: Clock) -> None:
    async with running(
        sandbox,
        {
            "name": "audit",
            "ask": "/apiaudit 24h failures",
            "at": "0 * * * *",
            "channel": "C0KITCHEN",
        },
    ):
        clock.strike()
        await sandbox.slack.until(lambda: posted(sandbox, "C0KITCHEN"))
    assert "Digest audit: edge, iot:" in posted(sandbox, "C0KITCHEN")[0]


def at(moment: datetime) -> str:
    return f"{moment.astimezone(DUBLIN):%H:%M}"


async def test_subscription_survives_restart(sandbox: Sandbox, clock: Clock) -> None:
    soon = clock() + timedelta(minutes=1)
    async with running(sandbox):
        answer = await sandbox.slack.answer_to(
            f"/usage subscribe last 5 days at {at(soon)}", user="U0LINUS", channel="C0KITCHEN"
        )
        assert answer.seen_by == "U0LINUS"
        assert (
            f"Subscription 1 created: /usage last 5 days at {at(soon)} every day (Europe/Dublin)"
            in answer.text.replace("`", "")
        )
        listed = await sandbox.slack.answer_to(
            "/usage subscriptions", user="U0ADA", channel="C0KITCHEN"
        )
        assert "1. `/usage last 5 days`" in listed.text.replace("\u2019", "'")
        assert "digest `hourly-usage` from bot.toml" in listed.text
        assert "<@U0LINUS>" in str(listed.blocks)
        clock.ahead += timedelta(minutes=1)
        await sandbox.slack.until(lambda: posted(sandbox, "C0KITCHEN"))
    assert "in 5 days" in posted(sandbox, "C0KITCHEN")[0]
    # The day on which clocks go back has an hour more.
    clock.ahead += timedelta(days=1, hours=1)
    async with running(sandbox):
        await sandbox.slack.until(lambda: len(posted(sandbox, "C0KITCHEN")) == 2)
        answer = await sandbox.slack.answer_to(
            "/usage unsubscribe 1", user="U0LINUS", channel="C0KITCHEN"
        )
        assert "Subscription 1 ended" in answer.text
        clock.ahead += timedelta(days=1)
        again = await sandbox.slack.answer_to(
            "/usage unsubscribe 1", user="U0LINUS", channel="C0KITCHEN"
        )
        assert "There is no subscription 1 in this channel" in again.text
        await asyncio.sleep(0.3)
    assert len(posted(sandbox, "C0KITCHEN")) == 2
    assert sandbox.slack.refused == []


async def test_subscription_before_crash_catches_up(sandbox: Sandbox, clock: Clock) -> None:
    soon = clock() + timedelta(minutes=1)
    async with running(sandbox):
        await sandbox.slack.answer_to(
            f"/usage subscribe last 5 days at {at(soon)}", channel="C0KITCHEN"
        )
    clock.ahead += timedelta(minutes=20)
    async with running(sandbox):
        await sandbox.slack.until(lambda: posted(sandbox, "C0KITCHEN"))
    assert "min late" in posted(sandbox, "C0KITCHEN")[0]


@pytest.mark.parametrize(
    ("line", "user", "says"),
    [
        (
            "/apiaudit subscribe edge 24h at 09:00",
            "U0LINUS",
            "You don't have access to /apiaudit here",
        ),
        (
            "/usage subscribe last 7 days at 09:00",
            "U0LINUS",
            "You don't have access to manage alerts and subscriptions here",
        ),
        ("/usage subscribe nonsense at 09:00", "U0ADA", "nonsense"),
        ("/usage subscribe last 7 days", "U0ADA", "When?"),
        ("/usage unsubscribe 7", "U0ADA", "There is no subscription 7"),
    ],
)
async def test_refused_subscription_is_answered_privately(
    sandbox: Sandbox, clock: Clock, line: str, user: str, says: str
) -> None:
    access = {**sandbox.table()["access"], "manage": ["U0ADA"]}
    async with running(sandbox, access=access):
        answer = await sandbox.slack.answer_to(line, user=user, channel="C0KITCHEN")
    assert says in answer.text
    assert answer.seen_by == user


async def test_subscription_belongs_to_its_channel(sandbox: Sandbox, clock: Clock) -> None:
    async with running(sandbox):
        await sandbox.slack.answer_to(
            "/usage subscribe last 5 days at 09:00 on mondays", channel="C0KITCHEN"
        )
        answer = await sandbox.slack.answer_to("/usage unsubscribe 1", channel="C0OPS")
        assert "There is no subscription 1 in this channel" in answer.text
        assert (
            "1."
            not in (await sandbox.slack.answer_to("/usage subscriptions", channel="C0OPS")).text
        )
