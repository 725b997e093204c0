"""Bursts of denied calls: whose calls, in which hour, and compared with which usual number."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from msgspec.structs import replace

from bot.commands.apiaudit.denied import LEAST_DENIED, Burst, bursts
from providers.models import ApiCall
from tests.bot.test_reports import call

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def denied(
    count: int, at: datetime | None = NOON, actor: str = "ada", **columns: str
) -> list[ApiCall]:
    made = replace(call(), at=at, actor=actor, ip="", status="403", account="edge")
    return [replace(made, **columns)] * count


def found(calls: Iterable[ApiCall], usual: int | None = 0) -> list[Burst]:
    return list(bursts(list(calls), lambda *_: usual))


def test_burst_names_its_hour_and_account() -> None:
    quarter_to_one = NOON.replace(minute=45).astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert found(denied(LEAST_DENIED, quarter_to_one)) == [
        Burst("edge", "actor", "ada", NOON, LEAST_DENIED, 0)
    ]


def test_worst_hour_of_each_actor_counts() -> None:
    calls = [*denied(12), *denied(20, NOON + HOUR), *denied(15, NOON + 2 * HOUR)]
    [burst] = found([*calls, *denied(9, actor="bob")])
    assert (burst.name, burst.hour, burst.calls) == ("ada", NOON + HOUR, 20)


@pytest.mark.parametrize(("usual", "is_burst"), [(0, True), (3, True), (4, False), (None, False)])
def test_burst_is_more_than_three_times_the_usual(usual: int | None, is_burst: bool) -> None:
    assert bool(found(denied(12), usual)) == is_burst


@pytest.mark.parametrize(
    "calls",
    [
        denied(LEAST_DENIED - 1),
        denied(5) + denied(5, NOON + HOUR),
        denied(20, actor=""),
        denied(20, at=None),
        denied(20, status="503"),
        # Others that failed at the same time do not count.
        denied(9) + denied(20, status="500"),
    ],
    ids=["too few", "in two hours", "of nobody", "without a time", "no refusal", "mixed"],
)
def test_these_are_no_burst(calls: list[ApiCall]) -> None:
    assert found(calls) == []


def test_addresses_have_bursts_of_their_own() -> None:
    calls = [each for n in range(20) for each in denied(1, actor=f"a{n}", ip="203.0.113.7")]
    [burst] = found(calls)
    assert (burst.kind, burst.name, burst.calls) == ("ip", "203.0.113.7", 20)
