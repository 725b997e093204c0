"""Alerts on unusual values: they learn, fire, and resolve."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from bot.app import Bot
from bot.sandbox.sandbox import Sandbox
from bot.store import EvaluationRecord, Store
from tests.support.alerts import SPIKE, evaluations, messages, posted_texts, running, thread
from tests.support.clock import MovableClock as Clock
from tests.support.messages import answer_text

pytestmark = pytest.mark.usefixtures("before_noon")


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits for the history, however slow the machine is."""
    monkeypatch.setattr("handlers.jobs.baselines.FILL_WITHIN_S", 60.0)


DAY = timedelta(days=1)
IN_CHAT = {**SPIKE, "above": "50 TB", "recover": "40 TB", "every": "9000d"}


class Days:
    """The bytes that the account sends by day; days before the first are not listed."""

    def __init__(self, sandbox: Sandbox, clock: Clock) -> None:
        self.first = clock().date()
        self.gigabytes: dict[date, float] = {}
        sandbox.rapid7.usage = self.usage

    def usage(self, day: date, now: datetime) -> int | None:
        if day < self.first:
            return None
        return int(self.gigabytes.get(day, 3.0) * 1e9)


async def next_day(bot: Bot, clock: Clock) -> str:
    """The result of the evaluation at the next midnight."""
    done = len(await evaluations(bot, 0))
    clock.strike(24 * 60)
    return (await evaluations(bot, done + 1))[-1]


async def test_alert_learns_fires_and_resolves(sandbox: Sandbox, clock: Clock) -> None:
    days = Days(sandbox, clock)
    today = days.first
    days.gigabytes = {today + n * DAY: 3 + n % 3 / 10 for n in range(9)}
    days.gigabytes[today + 9 * DAY] = 9.1
    async with running(sandbox, IN_CHAT) as bot:
        created = await answer_text(
            sandbox, "/usage alert rapid7-eu yesterday above 2x usual every 1d as odd"
        )
        assert "above 2x usual" in created
        assert "No baseline yet, so it does not fire: it takes 7 days of history" in created
        await evaluations(bot, 1)
        assert [await next_day(bot, clock) for _ in range(7)] == ["no_baseline"] * 7
        listed = await answer_text(sandbox, "/usage alerts")
        assert "⚪ `odd` no baseline yet" in listed
        assert "yesterday` above 2x usual" in listed
        assert [await next_day(bot, clock) for _ in range(2)] == ["inactive"] * 2
        assert posted_texts(sandbox) == []
        assert await next_day(bot, clock) == "firing"
        [fired] = await sandbox.slack.until(lambda: posted_texts(sandbox))
        assert fired.startswith("🔴 odd: bytes at 9.10 GB, above 2x usual (usual ")
        assert " GB at this hour)" in fired.splitlines()[0]
        assert "Threshold: above 2x usual, now 6.20 GB." in fired
        assert "at this hour, median 3.10 GB of 9 days." in fired
        charts = [b for b in messages(sandbox)[0].blocks if b["type"] == "data_visualization"]
        [chart] = charts
        names = [series["name"] for series in chart["chart"]["series"]]
        assert names == ["value", "usual, lowest", "usual, highest"]
        assert chart["chart"]["series"][0]["data"][-1] == {"label": "now", "value": 9.1}
    # Another process goes on with what this one has learned.
    async with running(sandbox, IN_CHAT) as bot:
        assert await next_day(bot, clock) == "inactive"
        await sandbox.slack.until(lambda: posted_texts(sandbox)[0].startswith("✅ odd resolved"))
        await sandbox.slack.until(lambda: thread(sandbox))
    assert sandbox.slack.refused == []


async def test_vendor_history_is_used_at_once(sandbox: Sandbox, clock: Clock) -> None:
    now = clock()

    def calls(start: datetime, end: datetime) -> list[dict[str, str]]:
        """Four failures an hour, and thirty in the last hour."""
        return [
            _failure(at)
            for at in (now - n * timedelta(minutes=15) for n in range(-8, 24 * 4 * 40))
            if start <= at < end
        ] + [
            _failure(at)
            for at in (now + timedelta(minutes=1, seconds=n) for n in range(30))
            if start <= at < end
        ]

    sandbox.akamai.rows = calls
    async with running(sandbox, IN_CHAT) as bot:
        created = await answer_text(
            sandbox, "/apiaudit alert edge last 1h failures outside usual every 1h as odd"
        )
        assert "Now usual 3–5 at this hour." in created
        await evaluations(bot, 1)
        clock.set(now + timedelta(minutes=5))
        await sandbox.slack.until(lambda: posted_texts(sandbox))
    [fired] = posted_texts(sandbox)
    assert fired.startswith("🔴 odd: failures at 34, outside usual (usual 3–5 at this hour)")


def _failure(at: datetime) -> dict[str, str]:
    return {
        "timestamp": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "clientOwner": "ada",
        "clientId": "c1",
        "clientIp": "192.0.2.1",
        "clientToken": "akab-client-token-xxx",
        "method": "GET",
        "uri": "/papi/v1/contracts",
        "responseCode": "503",
    }


async def test_configured_alert_is_tried_on_what_came_before(
    sandbox: Sandbox, run_cli: Callable[..., Any]
) -> None:
    today = datetime.now(UTC).date()
    odd = {today - timedelta(days=n): 9_000_000_000 for n in (3, 80)}
    sandbox.rapid7.usage = lambda day, now: odd.get(day, 3_000_000_000)
    alert = {**SPIKE, "above": "2x usual", "recover": "1.5x usual"}
    ran = await run_cli(
        "backtest", "ingest-spike", "--json", table={**sandbox.table(), "alert": [alert]}
    )
    assert ran.code == 0, ran
    found = ran.json
    starts = [firing["start"][:10] for firing in found["firings"]]
    assert starts == [f"{today - timedelta(days=80)}", f"{today - timedelta(days=3)}"]
    assert any("have no baseline: it takes 7 days" in note for note in found["notes"])
    drawn = await run_cli("backtest", "ingest-spike", table={**sandbox.table(), "alert": [alert]})
    assert "bytes of /usage rapid7-eu today, above 2x usual." in drawn.out
    outside = {name: value for name, value in SPIKE.items() if name not in ("above", "recover")}
    ran = await run_cli(
        "backtest",
        "ingest-spike",
        "--json",
        table={**sandbox.table(), "alert": [{**outside, "outside": "usual"}]},
    )
    assert len(json.loads(ran.out)["firings"]) == 2


async def test_samples_of_a_fixed_threshold_make_a_baseline(
    sandbox: Sandbox, run_cli: Callable[..., Any]
) -> None:
    now = sandbox.clock().replace(minute=5, second=0, microsecond=0)
    hours = [now - timedelta(hours=n) for n in range(20 * 24, 0, -1)]
    found = [
        EvaluationRecord(
            "timeouts",
            "/logs kitchen last 15m lines 100.0 None",
            at,
            at,
            "inactive",
            None,
            90.0 if at == hours[-5] else 10.0,
            b"{}",
        )
        for at in hours
    ]
    store = await Store.open(sandbox.location, now=now)
    await store.alerts.save_evaluations(found)
    await store.close()
    rule = {
        "name": "timeouts",
        "ask": "/logs kitchen last 15m",
        "value": "lines",
        "outside": "usual",
        "every": "1h",
        "channel": "#ops",
    }
    table = {**sandbox.table(), "alert": [rule]}
    ran = await run_cli("backtest", "timeouts", "--json", table=table)
    assert ran.code == 0, ran
    [firing] = ran.json["firings"]
    assert (firing["start"], firing["peak"]) == (f"{hours[-5]:%Y-%m-%dT%H:%M:%SZ}", 90.0)
