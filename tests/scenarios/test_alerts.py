"""Alerts: evaluated on time, posted once, explained, and resolved only when they are over."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack import BOT
from tests.support.alerts import (
    SPIKE,
    Meter,
    evaluate,
    evaluated,
    evaluations,
    messages,
    posted_texts,
    running,
    stored_rows,
    thread,
)
from tests.support.clock import MovableClock as Clock

pytestmark = pytest.mark.usefixtures("before_noon")


async def test_incident_is_one_updated_message(sandbox: Sandbox, clock: Clock) -> None:
    meter = Meter(sandbox)
    async with running(sandbox) as bot:
        await evaluate(bot, clock, meter, 3, 5.72)
        [fired] = await sandbox.slack.until(lambda: posted_texts(sandbox))
        assert fired.startswith("🔴 ingest-spike: bytes at 5.72 GB, above 5.00 GB")
        assert "Resolve threshold: 4.50 GB" in fired
        assert "alert from bot.toml" in str(messages(sandbox)[0].blocks)
        await evaluate(bot, clock, meter, 6.1, 4.8, 4.2)
        await sandbox.slack.until(lambda: posted_texts(sandbox)[0].startswith("✅"))
        await sandbox.slack.until(lambda: thread(sandbox))
        assert (await evaluations(bot, 5))[:5] == [
            "inactive",
            "firing",
            "firing",
            "firing",
            "inactive",
        ]
    [resolved] = posted_texts(sandbox)
    assert resolved.startswith("✅ ingest-spike resolved after 45 min, peak 6.10 GB")
    assert thread(sandbox) == ["✅ ingest-spike resolved after 45 min, peak 6.10 GB."]
    assert sandbox.slack.refused == []
    answer_before = len(sandbox.slack.messages)
    async with running(sandbox):
        await sandbox.slack.press(messages(sandbox)[0], "ask.0")
        await sandbox.slack.until(
            lambda: any("rapid7-eu (" in m.text for m in sandbox.slack.messages[answer_before:])
        )


async def test_repeat_shows_duration_in_channel(sandbox: Sandbox, clock: Clock) -> None:
    meter = Meter(sandbox)
    async with running(sandbox, {**SPIKE, "repeat": "30m"}) as bot:
        await evaluate(bot, clock, meter, 6, 6, 6.5)
        await sandbox.slack.until(lambda: thread(sandbox))
    assert thread(sandbox) == [
        "Firing for 30 min: bytes still at 6.50 GB, above 5.00 GB; peak 6.50 GB."
    ]
    assert [m.broadcast for m in sandbox.slack.messages if m.thread_ts] == [True]
    assert "bytes: 6.50 GB" in posted_texts(sandbox)[0]


async def test_duration_ignores_provider_latency(sandbox: Sandbox, clock: Clock) -> None:
    """Each evaluation is answered sooner than the one before, so the answers are less than a
    quarter of an hour apart.
    """
    meter = Meter(sandbox)
    sandbox.rapid7.be_slow(0.8)
    sandbox.rapid7.be_slow(0.4)
    async with running(sandbox, {**SPIKE, "for": "15m", "repeat": "15m"}) as bot:
        await evaluate(bot, clock, meter, 6, 6)
        assert await evaluations(bot, 2) == ["pending", "firing"]
        await sandbox.slack.until(lambda: posted_texts(sandbox))
        await evaluate(bot, clock, meter, 6)
        await sandbox.slack.until(lambda: thread(sandbox))
    assert thread(sandbox)[0].startswith("Firing for 30 min: bytes still at 6.00 GB")


async def test_each_notice_is_stored_with_its_message(sandbox: Sandbox, clock: Clock) -> None:
    meter = Meter(sandbox)
    async with running(sandbox, {**SPIKE, "repeat": "30m"}) as bot:
        await evaluate(bot, clock, meter, 6, 6, 6.5, 1)
        await sandbox.slack.until(lambda: len(thread(sandbox)) == 2)
        async with asyncio.timeout(60):
            notices = [{"ts": None}]
            while not all(n["ts"] for n in notices):
                await asyncio.sleep(0.02)
                notices = await bot.store.read("SELECT * FROM notices ORDER BY at", ())
    assert [n["reason"] for n in notices] == ["first", "repeat", "resolved"]
    posted = [m.ts for m in sandbox.slack.messages if m.user == BOT]
    assert [n["ts"] for n in notices] == posted


async def pressed(sandbox: Sandbox, action: str, *, user: str = "U0ADA") -> None:
    await sandbox.slack.press(messages(sandbox)[0], action, user=user)


async def test_acknowledged_incident_ends_without_repeats(sandbox: Sandbox, clock: Clock) -> None:
    meter = Meter(sandbox)
    async with running(sandbox, {**SPIKE, "repeat": "15m"}) as bot:
        await evaluate(bot, clock, meter, 6)
        await sandbox.slack.until(lambda: posted_texts(sandbox))
        await pressed(sandbox, "alert.acknowledge")
        await sandbox.slack.until(
            lambda: "Acknowledged by <@U0ADA>" in str(messages(sandbox)[0].blocks)
        )
        await sandbox.slack.until(lambda: thread(sandbox))
        await evaluate(bot, clock, meter, 6, 6, 2)
        await sandbox.slack.until(lambda: posted_texts(sandbox)[0].startswith("✅"))
        await sandbox.slack.until(lambda: len(thread(sandbox)) == 2)
    assert thread(sandbox)[0].startswith("Acknowledged by ")
    assert thread(sandbox)[1].startswith("✅")
    assert "<@" not in str([m.blocks for m in sandbox.slack.messages if m.thread_ts])


async def test_silenced_alert_posts_only_its_end(sandbox: Sandbox, clock: Clock) -> None:
    meter = Meter(sandbox)
    async with running(sandbox, {**SPIKE, "repeat": "15m"}) as bot:
        await evaluate(bot, clock, meter, 6)
        await sandbox.slack.until(lambda: posted_texts(sandbox))
        await pressed(sandbox, "alert.silence.1h")
        await sandbox.slack.until(lambda: thread(sandbox))
        await sandbox.slack.until(
            lambda: any(
                "Alert ingest-spike is silenced" in m.text.replace("`", "")
                for m in sandbox.slack.messages
            )
        )
        await evaluate(bot, clock, meter, 6, 6, 6)
        assert len(thread(sandbox)) == 1
        # The silence ends a moment after the hour; it is looked at at once.
        clock.strike(15)
        await sandbox.slack.until(lambda: len(thread(sandbox)) == 2)
    assert thread(sandbox)[0].startswith("Silenced until")
    assert thread(sandbox)[1].startswith("The silence is over. Firing for 1 h")
    [silence] = await stored_rows(sandbox, "SELECT * FROM silences")
    assert (silence["alert"], silence["user"]) == ("ingest-spike", "U0ADA")


async def test_unpermitted_person_changes_nothing(sandbox: Sandbox, clock: Clock) -> None:
    meter = Meter(sandbox)
    access = {"usage": ["*"], "manage": ["U0ADA"]}
    async with running(sandbox, access=access) as bot:
        await evaluate(bot, clock, meter, 6)
        await sandbox.slack.until(lambda: posted_texts(sandbox))
        for action in ("alert.acknowledge", "alert.silence.4h"):
            await pressed(sandbox, action, user="U0LINUS")
            await sandbox.slack.until(
                lambda: any(
                    m.seen_by == "U0LINUS" and "have access to manage" in m.text
                    for m in sandbox.slack.messages
                )
            )
            sandbox.slack.messages[:] = [m for m in sandbox.slack.messages if not m.seen_by]
    assert thread(sandbox) == []


async def test_simultaneous_changes_share_one_message(sandbox: Sandbox, clock: Clock) -> None:
    edge_failures = {"ada": 3, "grace": 3, "linus": 0}
    sandbox.akamai.rows = lambda a, b: calls(b, edge_failures)
    rule = {
        "name": "clients",
        "ask": "/apiaudit edge last 1h",
        "value": "failures",
        "above": 2,
        "each": "actor",
        "channel": "#ops",
    }
    async with running(sandbox, rule) as bot:
        await evaluated(bot, clock)
        await sandbox.slack.until(lambda: posted_texts(sandbox))
        edge_failures.update(ada=0, linus=5)
        clock.strike(15)
        await sandbox.slack.until(lambda: thread(sandbox))
        edge_failures.update(grace=0, linus=0)
        clock.strike(15)
        await sandbox.slack.until(lambda: posted_texts(sandbox)[0].startswith("✅"))
        await sandbox.slack.until(lambda: len(thread(sandbox)) == 2)
    assert (
        thread(sandbox)[0]
        == "Also firing: linus; OK again: ada. Failures above 2 for 2 of 3 actors."
    )


def calls(now: datetime, failures: dict[str, int]) -> list[dict[str, str]]:
    at = f"{now - timedelta(minutes=5):%Y-%m-%dT%H:%M:%SZ}"
    row = {
        "clientId": "c",
        "clientIp": "203.0.113.7",
        "clientToken": "t",
        "method": "get",
        "timestamp": at,
        "uri": "host/papi",
    }
    return [
        {**row, "clientOwner": who, "responseCode": code}
        for who, n in failures.items()
        for code in ["503"] * n + ["200"]
    ]


async def test_restart_and_outage_change_no_state(sandbox: Sandbox, clock: Clock) -> None:
    meter = Meter(sandbox)
    meter(6)
    async with running(sandbox):
        clock.strike(15)
        await sandbox.slack.until(lambda: posted_texts(sandbox))
    sandbox.rapid7.answer_with(401, times=999)
    clock.strike(15)
    async with running(sandbox) as bot:
        assert (await evaluations(bot, 2))[-1] == "error"
    sandbox.rapid7.faults.clear()
    clock.strike(15)
    async with running(sandbox) as bot:
        assert (await evaluations(bot, 3))[-1] == "firing"
        await asyncio.sleep(0.2)
    assert len(posted_texts(sandbox)) == 1


async def test_three_failed_evaluations_notify_ops(sandbox: Sandbox, clock: Clock) -> None:
    sandbox.rapid7.answer_with(401, times=999)
    async with running(
        sandbox, {**SPIKE, "channel": "#kitchen"}, slack={"ops_channel": "#ops"}
    ) as bot:
        for _ in range(4):
            await evaluated(bot, clock)
        await sandbox.slack.until(lambda: posted_texts(sandbox))
    assert posted_texts(sandbox, "C0KITCHEN") == []
    # The clock runs ahead of the outbox, whose backlog may be reported, too.
    [text] = [each for each in posted_texts(sandbox) if "Alert" in each]
    assert "could not be evaluated 3 times in a row: rapid7-eu did not accept the key" in text


async def test_recovered_evaluation_notifies_ops(sandbox: Sandbox, clock: Clock) -> None:
    Meter(sandbox)(6)
    sandbox.rapid7.answer_with(401, times=3)
    async with running(
        sandbox, {**SPIKE, "channel": "#kitchen"}, slack={"ops_channel": "#ops"}
    ) as bot:
        for _ in range(4):
            await evaluated(bot, clock)
        # A slow machine may also report that messages wait, as the clock jumps ahead.
        await sandbox.slack.until(
            lambda: (
                any(
                    "can be evaluated again after 3 failures: firing" in each
                    for each in posted_texts(sandbox)
                )
                and posted_texts(sandbox, "C0KITCHEN")
            )
        )
    assert "could not be evaluated 3 times in a row" in posted_texts(sandbox)[0]
    assert posted_texts(sandbox, "C0KITCHEN")[0].startswith("🔴 ingest-spike")


async def test_actor_that_vanishes_from_complete_answers_resolves(
    sandbox: Sandbox, clock: Clock
) -> None:
    failures = {"ada": 3, "grace": 0}
    sandbox.akamai.rows = lambda a, b: calls(b, failures)
    rule = {"name": "clients", "ask": "/apiaudit edge last 1h", "value": "failure_percent", "above": 50, "each": "actor", "channel": "#ops"}  # fmt: skip
    async with running(sandbox, rule) as bot:
        await evaluated(bot, clock)
        await sandbox.slack.until(lambda: posted_texts(sandbox))
        del failures["ada"]
        await evaluated(bot, clock)
        assert (await bot.store.read("SELECT state FROM alerts", ())) == [{"state": "firing"}]
        clock.strike(15)
        await sandbox.slack.until(lambda: posted_texts(sandbox)[0].startswith("✅"))


async def test_muted_alert_posts_after_mute(sandbox: Sandbox, clock: Clock) -> None:
    Meter(sandbox)(6)
    noon = clock().replace(hour=12, minute=0)
    mute = {"name": "release", "alerts": ["ingest-spike"], "start": f"{noon - timedelta(hours=1):%Y-%m-%dT%H:%M}", "end": f"{noon + timedelta(minutes=20):%Y-%m-%dT%H:%M}"}  # fmt: skip
    async with running(sandbox, mute=[mute], timezone="UTC") as bot:
        for _ in range(2):
            assert await evaluated(bot, clock) == "firing"
            assert posted_texts(sandbox) == []
        clock.strike(15)
        await sandbox.slack.until(lambda: posted_texts(sandbox))


async def test_late_data_is_no_recovery(sandbox: Sandbox, clock: Clock) -> None:
    """Akamai's data is a quarter of an hour late: the failures of the last minutes are missing,
    which is not a recovery.
    """
    sandbox.akamai.data_until = lambda: clock() - timedelta(minutes=15)
    rule = {
        "name": "failing",
        "ask": "/apiaudit edge last 30m",
        "value": "failures",
        "above": 20,
        "channel": "#ops",
    }
    broke_at = clock().replace(minute=0, second=0, microsecond=0) + timedelta(minutes=80)
    sandbox.akamai.rows = lambda a, b: [r for r in burst(broke_at, 30) if a <= broke_at < b]
    async with running(sandbox, rule) as bot:
        states = [await evaluated(bot, clock) for _ in range(7)]
        await sandbox.slack.until(
            lambda: posted_texts(sandbox) and posted_texts(sandbox)[0].startswith("✅")
        )
    # Known a quarter of an hour late, and gone from the window half an hour after that.
    assert states == [
        "inactive",
        "inactive",
        "inactive",
        "firing",
        "firing",
        "inactive",
        "inactive",
    ]


def burst(at: datetime, count: int) -> list[dict[str, str]]:
    row = {
        "clientId": "c",
        "clientIp": "203.0.113.7",
        "clientToken": "t",
        "method": "get",
        "uri": "host/papi",
        "clientOwner": "ada",
    }
    return [{**row, "responseCode": "503", "timestamp": f"{at:%Y-%m-%dT%H:%M:%SZ}"}] * count


async def test_days_that_nobody_lists_are_no_zero(sandbox: Sandbox, clock: Clock) -> None:
    meter = Meter(sandbox)
    meter(None)
    quiet = {**SPIKE, "name": "silent", "above": None, "below": "1 GB", "recover": None}
    async with running(sandbox, {k: v for k, v in quiet.items() if v is not None}) as bot:
        assert await evaluated(bot, clock) == "unknown"
        await asyncio.sleep(0.2)
    assert posted_texts(sandbox) == []


async def test_alert_fetches_only_needed_data(sandbox: Sandbox, clock: Clock) -> None:
    Meter(sandbox)
    async with running(sandbox) as bot:
        before = len(sandbox.rapid7.requests)
        await evaluated(bot, clock)
        assert len(sandbox.rapid7.requests) - before == 1
