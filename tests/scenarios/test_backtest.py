"""`python -m bot backtest`: what an alert would have done, from the vendors' own history and from
stored samples.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.sandbox.sandbox import Sandbox
from bot.store import EvaluationRecord, Store
from tests.support.alerts import SPIKE
from tests.support.clock import MovableClock

TODAY = datetime.now(UTC).date()


def alerts(*several: dict[str, Any]) -> dict[str, Any]:
    return {"alert": list(several)}


async def test_usage_alert_is_backtested_on_past_days(
    sandbox: Sandbox, run_cli: Callable[..., Any]
) -> None:
    bad = {TODAY - timedelta(days=n) for n in (3, 10, 11, 40)}
    unlisted = {TODAY - timedelta(days=20)}
    sandbox.rapid7.usage = lambda day, now: (
        None if day in unlisted else 6_000_000_000 if day in bad else 3_000_000_000
    )
    ran = await run_cli(
        "backtest",
        "ingest-spike",
        "--days",
        "30",
        "--json",
        table={**sandbox.table(), **alerts(SPIKE)},
    )
    assert ran.code == 0
    found = ran.json
    assert (found["alert"], found["samples"], found["missing"], found["now"]) == (
        "ingest-spike",
        30,
        1,
        "inactive",
    )
    spans = [(f["start"], f["end"], f["peak"]) for f in found["firings"]]
    assert spans == [
        (f"{TODAY - timedelta(days=11)}T00:00:00Z", f"{TODAY - timedelta(days=10)}T00:00:00Z", 6e9),
        (f"{TODAY - timedelta(days=10)}T00:00:00Z", f"{TODAY - timedelta(days=9)}T00:00:00Z", 6e9),
        (f"{TODAY - timedelta(days=3)}T00:00:00Z", f"{TODAY - timedelta(days=2)}T00:00:00Z", 6e9),
    ]
    assert set(found["window"]) == {"start", "end", "said"}
    assert "checked once a day, on whole days" in found["notes"][0]
    text = (
        await run_cli(
            "backtest", "INGEST-SPIKE", "--days", "30", table={**sandbox.table(), **alerts(SPIKE)}
        )
    ).out
    assert text.startswith(
        "ingest-spike would have fired 3 times in 30 days, longest 24 h, now OK."
    )
    assert text.count(" ! ") == 3 or text.count(" ! ") == 2
    assert [e.path for e in sandbox.rapid7.requests] == ["/usage/organizations"] * 2


@pytest.mark.parametrize(
    ("value", "threshold"),
    [("change_percent", 50), ("month_to_date_bytes", 10**12), ("quota_percent", 200), ("forecast_month_bytes", 10**12), ("peak_bytes", 10**12)],
)  # fmt: skip
async def test_every_value_of_usage_can_be_tried(
    sandbox: Sandbox, run_cli: Callable[..., Any], value: str, threshold: int
) -> None:
    rule = {**SPIKE, "ask": "/usage last 7 days", "value": value, "above": threshold}
    del rule["recover"]
    ran = await run_cli(
        "backtest",
        "ingest-spike",
        "--days",
        "40",
        "--json",
        table={**sandbox.table(), **alerts(rule)},
    )
    assert ran.code == 0
    assert ran.json["samples"] >= (10 if value == "change_percent" else 35)
    assert ran.json["now"] == "inactive"


@pytest.mark.parametrize(("hour", "state"), [(4, "inactive"), (20, "firing")])
async def test_each_log_is_tried_for_itself(
    sandbox: Sandbox, clock: MovableClock, run_cli: Callable[..., Any], hour: int, state: str
) -> None:
    """The bytes of one day exceed the threshold in the evening, and are below it the next morning."""
    clock.set(datetime.now(UTC).replace(hour=hour, minute=30))
    rule = {**SPIKE, "above": "1 GB", "recover": "0.9 GB", "each": "log"}
    ran = await run_cli(
        "backtest",
        "ingest-spike",
        "--days",
        "10",
        "--json",
        table={**sandbox.table(), **alerts(rule)},
    )
    assert ran.json["now"] == state
    assert ran.json["firings"]


async def test_audit_alert_is_backtested_on_past_calls(
    sandbox: Sandbox, run_cli: Callable[..., Any]
) -> None:
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    bad = now - timedelta(hours=30)
    row = {
        "clientId": "c",
        "clientIp": "203.0.113.7",
        "clientOwner": "ada",
        "clientToken": "t",
        "method": "get",
        "uri": "host/papi",
    }

    def rows(start: datetime, end: datetime) -> list[dict[str, str]]:
        at = [bad + timedelta(minutes=n) for n in range(30)] + [
            now - timedelta(hours=n) for n in range(1, 60)
        ]
        codes = ["503"] * 30 + ["200"] * 59
        return [
            {**row, "timestamp": f"{t:%Y-%m-%dT%H:%M:%SZ}", "responseCode": c}
            for t, c in zip(at, codes, strict=True)
            if start <= t < end
        ]

    sandbox.akamai.rows = rows
    rule = {
        "name": "failures",
        "ask": "/apiaudit edge last 1h",
        "value": "failures",
        "above": 20,
        "every": "15m",
        "for": "15m",
        "channel": "#ops",
    }
    ran = await run_cli(
        "backtest", "failures", "--days", "2", "--json", table={**sandbox.table(), **alerts(rule)}
    )
    assert ran.code == 0, ran.err
    [firing] = ran.json["firings"]
    assert firing["peak"] == 30
    begins = datetime.fromisoformat(firing["start"])
    ends = datetime.fromisoformat(firing["end"])
    assert timedelta(minutes=30) <= begins - bad <= timedelta(minutes=55)
    assert timedelta(minutes=60) <= ends - bad <= timedelta(minutes=90)
    assert ran.json["samples"] == 2 * 96 + 1


async def test_days_of_another_window_are_judged_in_a_row(
    sandbox: Sandbox, run_cli: Callable[..., Any]
) -> None:
    """Yesterday's bytes do not start again at midnight, and two such days are one firing."""
    bad = {TODAY - timedelta(days=n) for n in (10, 11)}
    sandbox.rapid7.usage = lambda day, now: 6_000_000_000 if day in bad else 3_000_000_000
    rule = {**SPIKE, "ask": "/usage rapid7-eu yesterday"}
    ran = await run_cli(
        "backtest",
        "ingest-spike",
        "--days",
        "30",
        "--json",
        table={**sandbox.table(), **alerts(rule)},
    )
    assert [(f["start"], f["end"]) for f in ran.json["firings"]] == [
        (f"{TODAY - timedelta(days=10)}T00:00:00Z", f"{TODAY - timedelta(days=8)}T00:00:00Z")
    ]


async def test_filter_without_matches_is_mentioned(
    sandbox: Sandbox, run_cli: Callable[..., Any]
) -> None:
    rule = {
        "name": "nobody",
        "ask": "/apiaudit edge last 1h who:nobody@example.com",
        "value": "failures",
        "above": 20,
        "channel": "#ops",
    }
    table = {**sandbox.table(), **alerts(rule)}
    ran = await run_cli("backtest", "nobody", "--days", "2", "--json", table=table)
    assert (ran.code, ran.json["samples"], ran.json["firings"]) == (0, 0, [])
    assert ran.json["missing"] == 2 * 96 + 1
    text = (await run_cli("backtest", "nobody", "--days", "2", table=table)).out
    assert text.startswith("nobody: nothing matched in the last 2 days.")
    assert "Nothing in that period matches the question; check its filter." in text
    assert "0 checks with data, 193 without." in text


async def test_log_alert_is_backtested_on_samples(
    sandbox: Sandbox, run_cli: Callable[..., Any]
) -> None:
    rule = {
        "name": "timeouts",
        "ask": "/logs kitchen last 15m",
        "value": "lines",
        "above": 100,
        "every": "15m",
        "channel": "#ops",
    }
    table = {**sandbox.table(), **alerts(rule)}
    store = await Store.open(sandbox.location, now=datetime.now(UTC))
    kept = store.alerts
    start = datetime.now(UTC) - timedelta(days=1)
    for n, value in enumerate((5.0, 200.0, 300.0, 5.0, None)):
        at = start + n * timedelta(minutes=15)
        definition = "/logs kitchen last 15m lines 100.0 None"
        await kept.save_evaluations(
            [EvaluationRecord("timeouts", definition, at, at, "inactive", None, value, b"{}")]
        )
    await store.close()
    found = (await run_cli("backtest", "timeouts", "--json", table=table)).json
    assert (found["samples"], found["missing"]) == (4, 1)
    assert [f["peak"] for f in found["firings"]] == [300.0]
    assert "Logs are not downloaded again" in found["notes"][0]
    assert sandbox.rapid7.requests == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("nonsense",), "There is no alert “nonsense”; the alerts are ingest-spike."),
        (("ingest-spike", "--days", "0"), "from 1 to 400"),
    ],
)
async def test_impossible_backtest_is_refused(
    sandbox: Sandbox, run_cli: Callable[..., Any], words: tuple[str, ...], says: str
) -> None:
    ran = await run_cli("backtest", *words, table={**sandbox.table(), **alerts(SPIKE)})
    assert ran.code == 2
    assert says in ran.err
    as_json = await run_cli(
        "backtest", *words, "--json", table={**sandbox.table(), **alerts(SPIKE)}
    )
    assert as_json.json["error"]["kind"] == "bad_question"


async def test_unavailable_provider_sets_exit_code(
    sandbox: Sandbox, run_cli: Callable[..., Any]
) -> None:
    sandbox.rapid7.answer_with(401, times=9)
    ran = await run_cli(
        "backtest", "ingest-spike", "--json", table={**sandbox.table(), **alerts(SPIKE)}
    )
    assert ran.code == 3
    assert json.loads(ran.out)["error"]["kind"] == "auth"


async def test_filter_that_cannot_be_applied_is_refused(
    sandbox: Sandbox, run_cli: Callable[..., Any]
) -> None:
    slow = {
        "name": "slow",
        "ask": "/apiaudit edge last 1h slower:2s",
        "value": "calls",
        "above": "5",
        "every": "1h",
        "channel": "#ops",
    }
    ran = await run_cli("backtest", "slow", table={**sandbox.table(), **alerts(slow)})
    assert ran.code == 2
    assert "edge is Akamai and records no duration" in ran.err
    assert sandbox.akamai.requests == []
