"""The result of a calculation over a log, as values for alerts and scripts."""

from __future__ import annotations

import pytest

from bot.alerts.state import WHOLE
from bot.commands.logs.calculation import Calculation
from bot.commands.logs.display import Statistic
from bot.commands.logs.statistic_report import Group, StatisticReport


def by_group(function: str, *groups: tuple[tuple[str, ...], float | None]) -> dict[str, object]:
    statistic = Statistic(Calculation(function, "duration"), ("path",))
    found = tuple(Group(names, value) for names, value in groups)
    report = StatisticReport(("kitchen",), "eu", statistic, 100.0, groups=found)
    return {name: value[function] for name, value in report.values()["by_group"].items()}


@pytest.mark.parametrize(
    ("function", "value"), [("count", 55), ("sum", 55.0), ("max", 30.0), ("average", 30.0)]
)
def test_redacted_groups_are_one(function: str, value: float) -> None:
    secret = ("[redacted]",)
    found = by_group(function, (secret, 30.0), (("/menu",), 20.0), (secret, 25.0), (secret, None))
    assert found == {"[redacted]": value, "/menu": 20.0}


def test_group_without_value_has_a_name() -> None:
    found = by_group("count", (("",), 30.0), (("", "200"), 20.0))
    assert found == {"empty": 30, "empty / 200": 20}
    assert WHOLE not in found
