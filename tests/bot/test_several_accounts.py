"""Alerts and backtests on several accounts and on comparisons, with sources in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bot.alerts.replay import ReplayRequest
from bot.alerts.rule import Rule
from bot.commands.answering import MeasureContext
from bot.commands.usage.answer import UsageAnswerer
from bot.commands.usage.question import UsageQuestion
from bot.questions.question import AccountDirectory
from bot.questions.reading import read_question_line
from providers.errors import Unavailable
from providers.models import DayRange, LogUsage, NamedLog, UsagePeriod

NOW = datetime(2026, 11, 27, 14, 5, tzinfo=UTC)
HOUSE = AccountDirectory({"eu": "rapid7", "us": "rapid7"})
# What eu sends on one day instead of the usual 30 bytes.
BUSY = {date(2026, 11, 20): 90}


@dataclass
class Account:
    """A usage source in which one log sends 30 bytes a day, except on some days."""

    account: str
    days: Mapping[date, int]
    is_down: bool = False

    async def usage(self, days: DayRange) -> UsagePeriod:
        if self.is_down:
            raise Unavailable("it is down.", account=self.account, hint="Try again.")
        listed = {day: self.days.get(day, 30) for day in days.each()}
        return UsagePeriod(listed, None, None, None, None, None)

    async def usage_by_log(self, days: DayRange) -> LogUsage:
        usage = await self.usage(days)
        return LogUsage({day: {"k": count} for day, count in usage.by_day.items()})

    async def named_logs(self) -> Sequence[NamedLog]:
        return [NamedLog("k", "kitchen")]


def answerer(*, is_down: bool = False) -> UsageAnswerer:
    sources = {"eu": Account("eu", BUSY), "us": Account("us", {}, is_down)}
    return UsageAnswerer(sources, {}, lambda: NOW)


def question(line: str, now: datetime = NOW) -> UsageQuestion:
    found = read_question_line(line, HOUSE, now=now, zone=UTC)
    assert isinstance(found, UsageQuestion)
    return found


async def measured(line: str, value: str, each: str = "", *, is_down: bool = False) -> Any:
    context = MeasureContext(lambda: Path("/nowhere"), UTC, value, each)
    return (await answerer(is_down=is_down).measure(question(line), context)).values


async def test_alert_measures_total_of_accounts() -> None:
    assert (await measured("/usage all 2026-11-20", "bytes"))["bytes"] == 120


async def test_alert_measures_comparison() -> None:
    values = await measured("/usage all 2026-11-20 vs the day before", "change_percent")
    assert (values["change_percent"], values["change_bytes"]) == (100.0, 60)


async def test_other_values_are_those_of_first_window() -> None:
    values = await measured("/usage all this month vs last month", "month_to_date_bytes")
    assert values["month_to_date_bytes"] == 2 * 27 * 30 + 60


@pytest.mark.parametrize("line", ["/usage all yesterday", "/usage all yesterday vs previous"])
async def test_total_without_an_account_is_not_measured(line: str) -> None:
    with pytest.raises(Unavailable):
        await measured(line, "bytes", is_down=True)


@pytest.mark.parametrize("line", ["/usage all yesterday", "/usage all yesterday vs previous"])
async def test_other_accounts_are_measured_each_by_itself(line: str) -> None:
    values = await measured(line, "bytes", "account", is_down=True)
    assert {name: found["bytes"] for name, found in values["by_account"].items()} == {"eu": 30}


async def test_logs_of_accounts_are_compared_each_by_itself() -> None:
    values = await measured("/usage all 2026-11-20 vs the day before", "change_percent", "log")
    assert values["by_log"]["kitchen (eu)"]["change_percent"] == 200.0
    assert values["by_log"]["kitchen (us)"]["change_percent"] == 0.0


REPLAYS: list[tuple[str, str, str, dict[str, float | None]]] = [
    ("/usage all yesterday", "bytes", "", {"": 120}),
    ("/usage all yesterday", "bytes", "account", {"eu": 90, "us": 30}),
    ("/usage all yesterday vs the day before", "change_percent", "", {"": 100.0}),
    ("/usage all yesterday vs the day before", "change_percent", "account", {"eu": 200.0, "us": 0.0}),
    ("/usage all yesterday vs the day before", "change_bytes", "log", {"kitchen (eu)": 60, "kitchen (us)": 0}),
    ("/usage all last 7 days vs previous", "change_bytes", "", {"": 60}),
]  # fmt: skip


@pytest.mark.parametrize(("line", "value", "each", "found"), REPLAYS)
async def test_backtest_measures_as_alert(
    line: str, value: str, each: str, found: dict[str, float | None]
) -> None:
    rule = Rule(
        name="a", query=line, value=value, above=1.0, every=timedelta(minutes=15), channel="#ops",
        each=each,
    )  # fmt: skip
    request = ReplayRequest(rule, NOW - timedelta(days=10), NOW, partial(question, line))
    points = (await answerer().replay(request)).points
    at = next(point for point in points if point.at.date() == date(2026, 11, 21))
    assert dict(at.readings) == found
