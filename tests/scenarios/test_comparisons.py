"""Questions about two windows and several accounts, from chat, terminal, alert and backtest."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.app import Bot
from bot.sandbox.sandbox import Sandbox
from tests.conftest import connected_bot
from tests.support.alerts import SPIKE
from tests.support.clock import MovableClock
from tests.support.messages import buttons

FrontDoor = Callable[..., Any]
GIGABYTE = 10**9


@pytest.fixture
def clock() -> MovableClock:
    """The afternoon of a day in the middle of a month."""
    clock = MovableClock()
    clock.set(datetime.now(UTC).replace(day=15, hour=14, minute=5, second=0, microsecond=0))
    return clock


def rows_of(folder: Path, ran: Any) -> list[dict[str, str]]:
    """The rows of the only file that was saved."""
    [file] = ran.json["files"]
    with (folder / file["path"]).open(newline="", encoding="utf-8") as table:
        return list(csv.DictReader(table))


def month_before(day: date) -> date:
    return (day.replace(day=1) - timedelta(days=1)).replace(day=1)


def two_accounts(sandbox: Sandbox, *, is_down: bool = False) -> dict[str, Any]:
    """A configuration with a second account, which may be one without a working vendor."""
    table = sandbox.table()
    other = dict(table["providers"]["rapid7-eu"])
    if is_down:
        other["base_url"] = "http://127.0.0.1:9"
    return {**table, "providers": {**table["providers"], "rapid7-us": other}}


async def test_terminal_compares_months(
    run_cli: FrontDoor, sandbox: Sandbox, clock: MovableClock, tmp_path: Path
) -> None:
    today = clock().date()
    sandbox.rapid7.usage = lambda day, now: (3 if day >= today.replace(day=1) else 2) * GIGABYTE
    ran = await run_cli("ask", "/usage this month vs last month csv", "--json")
    assert ran.code == 0
    values = ran.json["values"]
    assert (values["bytes"], values["before_bytes"]) == (42 * GIGABYTE, 28 * GIGABYTE)
    assert (values["change_bytes"], values["change_percent"]) == (14 * GIGABYTE, 50.0)
    first = month_before(today)
    assert ran.json["window"]["said"] == (f"1 to 14 {today:%b %Y} vs. 1 to 14 {first:%b %Y} (UTC)")
    assert ran.json["window"]["start"] == f"{today.replace(day=1)}T00:00:00Z"
    rows = rows_of(tmp_path, ran)
    assert list(rows[0]) == ["day", "bytes", "account", "window"]
    assert [row["window"] for row in rows] == ["current"] * 14 + ["previous"] * 14
    assert rows[-1]["day"] == f"{first:%Y-%m}-14"


async def test_long_comparison_asks_for_logs_on_request(
    run_cli: FrontDoor, sandbox: Sandbox
) -> None:
    ran = await run_cli("ask", "/usage last 200 days vs previous", "--json")
    paths = [request.path for request in sandbox.rapid7.requests]
    assert (ran.code, paths) == (0, ["/usage/organizations"] * 2)
    assert "Add `per log` to see which logs explain" in ran.json["text"]


async def test_total_of_two_accounts_lists_each(
    run_cli: FrontDoor, sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.rapid7.usage = lambda day, now: GIGABYTE
    ran = await run_cli("ask", "/usage all last 7 days csv", "--json", table=two_accounts(sandbox))
    assert (ran.code, ran.json["values"]["bytes"]) == (0, 14 * GIGABYTE)
    assert ran.json["text"].startswith("rapid7-eu and rapid7-us: 14.0 GB in 7 days")
    assert ran.json["values"]["by_account"]["rapid7-us"]["bytes"] == 7 * GIGABYTE
    rows = rows_of(tmp_path, ran)
    assert list(rows[0]) == ["day", "bytes", "account"]
    assert len(rows) == 14


@pytest.mark.parametrize(
    ("line", "missing"),
    [
        ("/usage rapid7-eu rapid7-us last 7 days", "rapid7-us is missing from this answer: "),
        ("/usage all this week vs last week", "rapid7-us is missing from this comparison: "),
    ],
)
async def test_account_that_fails_comes_first(
    run_cli: FrontDoor, sandbox: Sandbox, line: str, missing: str
) -> None:
    ran = await run_cli("ask", line, "--json", table=two_accounts(sandbox, is_down=True))
    assert ran.code == 0
    assert ran.json["text"].startswith(missing)
    assert " without it.\nrapid7-eu" in ran.json["text"]
    assert ran.json["warnings"][0].startswith(missing)
    assert ran.json["values"]["complete"] is False


async def test_calls_of_today_are_compared_with_same_hours(
    run_cli: FrontDoor, tmp_path: Path
) -> None:
    ran = await run_cli("ask", "/apiaudit today vs yesterday same hours csv", "--json")
    assert ran.code == 0
    values = ran.json["values"]
    assert values["change_calls"] == values["calls"] - values["before_calls"]
    assert "The same hours of both days are compared: 00:00 to " in ran.json["text"]
    rows = rows_of(tmp_path, ran)
    found = [sum(row["window"] == name for row in rows) for name in ("current", "previous")]
    assert found == [values["calls"], values["before_calls"]]


async def test_both_windows_end_where_late_data_ends(
    run_cli: FrontDoor, sandbox: Sandbox, clock: MovableClock
) -> None:
    """Two hours of today have not arrived yet, which is not a decrease."""
    until = clock() - timedelta(hours=2)
    sandbox.akamai.data_until = lambda: until
    ran = await run_cli("ask", "/apiaudit edge today vs yesterday", "--json")
    assert ran.code == 0
    assert "The data of edge ends at " in ran.json["text"]
    assert ran.json["window"]["end"].startswith(f"{until:%Y-%m-%dT%H:%M}")
    assert "change_percent" in ran.json["values"]


async def test_account_away_is_left_out_of_both_windows(
    run_cli: FrontDoor, sandbox: Sandbox
) -> None:
    sandbox.akamai.answer_with(503, times=99)
    ran = await run_cli("ask", "/apiaudit last 2h vs yesterday", "--json")
    assert ran.code == 0
    assert ran.json["text"].startswith("edge is missing from this comparison: ")
    assert "\niot: " in ran.json["text"]
    assert ran.json["values"]["complete"] is False


async def test_button_compares_with_previous_window(sandbox: Sandbox, bot: Bot) -> None:
    answer = await sandbox.slack.answer_to("/usage last month")
    await sandbox.slack.press(answer, buttons(answer)["vs. previous"], user="U0ADA")
    await sandbox.slack.until(lambda: " vs. " in answer.text.split("\n")[0])
    assert "Without comparison" in buttons(answer)


async def test_alert_watches_change(sandbox: Sandbox, clock: MovableClock) -> None:
    today = clock().date()
    sandbox.rapid7.usage = lambda day, now: (3 if day >= today.replace(day=1) else 2) * GIGABYTE
    async with connected_bot(sandbox):
        refused = await sandbox.slack.answer_to("/usage alert last 7 days change_bytes above 1 GB")
        assert "compares two windows" in refused.text
        assert "/usage alert last 7 days vs previous change_bytes above 1 GB" in refused.text
        made = await sandbox.slack.answer_to("/usage alert this month vs last month above 20")
        assert "change_percent of `/usage this month vs last month` above 20" in made.text
        fired = await sandbox.slack.until(
            lambda: next((m for m in sandbox.slack.seen() if "usage-1: " in m.text), None)
        )
        assert "change_percent at 50.0 %, above 20.0 %" in fired.text


def alert(name: str, ask: str, **more: Any) -> dict[str, Any]:
    rule = {**SPIKE, "name": name, "ask": ask, **more}
    rule.pop("recover")
    return rule


async def test_backtest_compares_at_each_moment(run_cli: FrontDoor, sandbox: Sandbox) -> None:
    """Every six hours, the calls are compared with those of the same hours a day before."""
    rule = alert("calls", "/apiaudit iot last 6h vs a day ago", value="change_percent", above=10**6)
    rule["every"] = "6h"
    table = {**sandbox.table(), "alert": [rule]}
    found = (await run_cli("backtest", "calls", "--days", "2", "--json", table=table)).json
    assert (found["samples"], found["missing"], found["now"]) == (9, 0, "inactive")


async def test_configuration_refuses_value_without_comparison(
    run_cli: FrontDoor, sandbox: Sandbox
) -> None:
    rule = alert("calls", "/apiaudit last 6h", value="change_percent", above=10)
    ran = await run_cli("check", "--json", table={**sandbox.table(), "alert": [rule]})
    assert ran.code == 2
    assert "change_percent compares two windows; ask for both" in ran.out
