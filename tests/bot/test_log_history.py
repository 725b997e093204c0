"""The past results of a calculation, from slices of time, compared with a simple recomputation."""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.alerts.replay import Replay, ReplayRequest
from bot.alerts.rule import Rule
from bot.alerts.state import WHOLE
from bot.commands.logs.answer import LogsAnswerer
from bot.commands.logs.question import LogsQuestion
from bot.errors import BadQuestion
from bot.questions.question import AccountDirectory
from bot.questions.reading import read_question_line
from providers.models import LogEntries, LogEntry, LogStatistics, NamedLog, Window
from providers.redaction import Redactor
from providers.sources import LogStream

HOUSE = AccountDirectory({"eu": "rapid7"}, {"eu": {"web": "1"}})
END = datetime(2026, 11, 21, 14, 7, 31, tzinfo=UTC)


@dataclass
class Downloads:
    """An account that supports only downloads."""

    account: str = "eu"

    async def named_logs(self) -> Sequence[NamedLog]:
        return [NamedLog("1", "web")]

    def download(
        self, ids: Sequence[str], window: Window | str, *, query: str, limit: int, most_bytes: int
    ) -> AbstractAsyncContextManager[LogStream]:
        raise AssertionError("nothing is downloaded")


@dataclass
class Queries(Downloads):
    """An account whose log has numbered entries at some instants."""

    entries_at: list[tuple[datetime, float]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    async def statistics(
        self,
        ids: Sequence[str],
        window: Window,
        leql: str,
        *,
        progress: Callable[[int], None] = lambda _: None,
    ) -> LogStatistics:
        self.asked.append(leql)
        minutes = int(leql.rpartition("timeslice(")[2].rstrip("hmd)"))
        unit = {"m": 1, "h": 60, "d": 1440}[leql[-2]]
        step = timedelta(minutes=minutes * unit)
        count = -(-window.length // step)
        slices = [0.0] * count
        for at, number in self.entries_at:
            if window.start <= at < window.end:
                value = 1 if "count" in leql else number
                place = (at - window.start) // step
                slices[place] = (
                    max(slices[place], value) if "max" in leql else slices[place] + value
                )
        return LogStatistics(sum(slices), window.start, step, tuple(slices))

    async def entries(
        self, ids: Sequence[str], window: Window, leql: str, *, most: int, newest_first: bool
    ) -> LogEntries:
        raise AssertionError("no entries are asked for")

    def follow(self, ids: Sequence[str], leql: str) -> AsyncGenerator[Sequence[LogEntry], None]:
        raise AssertionError("nothing is followed")


def answerer(source: Downloads) -> LogsAnswerer:
    return LogsAnswerer({"eu": source}, Redactor([]), 10**6, 10**9, HOUSE.logs)


def random_entries(days: float, count: int) -> list[tuple[datetime, float]]:
    spread = random.Random(7)
    seconds = days * 86_400
    return sorted(
        (END - timedelta(seconds=spread.uniform(0, seconds)), float(spread.randrange(100)))
        for _ in range(count)
    )


async def replayed(source: Downloads, line: str, value: str, days: float, **rule: Any) -> Replay:
    def read_at(at: datetime) -> LogsQuestion:
        question = read_question_line(line, HOUSE, now=at, zone=UTC)
        assert isinstance(question, LogsQuestion)
        return question

    request = ReplayRequest(
        Rule("busy", line, value, "C1", above=1.0, **rule),
        END - timedelta(days=days),
        END,
        read_at,
    )
    return await answerer(source).replay(request)


@pytest.mark.parametrize(
    ("line", "value", "combine"),
    [
        ("/logs web last 1h count", "count", len),
        ("/logs web last 1h", "count", len),
        ("/logs web last 45m count", "lines", len),
        ("/logs web last 2h sum:ms", "sum", sum),
        ("/logs web last 1h max:ms", "max", max),
    ],
)
async def test_history_equals_recomputation(
    line: str, value: str, combine: Callable[[list[float]], float]
) -> None:
    source = Queries(entries_at=random_entries(3, 3000))
    replay = await replayed(source, line, value, 2)
    assert len(replay.points) > 150
    for point in replay.points:
        window = read_question_line(line, HOUSE, now=point.at, zone=UTC).window.window
        inside = [n for at, n in source.entries_at if window.start <= at < window.end]
        assert point.readings[WHOLE] == (combine(inside) if inside else 0)
    assert replay.notes == ()


async def test_calendar_windows_are_approximated() -> None:
    """The ends of `today` are between the boundaries of the quarter-hour slices."""
    source = Queries(entries_at=random_entries(60, 5000))
    replay = await replayed(source, "/logs web today count", "count", 60)
    assert replay.notes == ("Each value may lack the last 15 min of its window.",)
    entries_at = [at for at, _ in source.entries_at]
    for point in replay.points:
        start = point.at.replace(hour=0, minute=0, second=0)
        most = bisect_left(entries_at, point.at) - bisect_left(entries_at, start)
        late = bisect_left(entries_at, point.at) - bisect_left(
            entries_at, point.at - timedelta(minutes=15)
        )
        value = point.readings[WHOLE]
        if value is None:
            assert point.at - start < timedelta(minutes=15)
            continue
        assert most - late <= value <= most


@pytest.mark.parametrize(
    ("line", "value", "rule", "note"),
    [
        ("/logs web 1h average:ms", "average", {}, "The average ms cannot be computed for the past."),
        ("/logs web 1h by path", "count", {"each": "group"}, "The groups cannot be computed for the past."),
        ("/logs web 1h count", "count", {"every": timedelta(seconds=30)}, "try fewer days"),
        ("/logs web 1h", "lines", {}, "Logs are not downloaded again"),
    ],
)  # fmt: skip
async def test_unknown_history_is_explained(
    line: str, value: str, rule: dict[str, Any], note: str
) -> None:
    source = Queries()
    replay = await replayed(source, line, value, 90, **rule)
    assert replay.points == ()
    assert note in replay.notes[0]
    assert source.asked == []


async def test_account_without_queries_has_no_history() -> None:
    replay = await replayed(Downloads(), "/logs web 1h count", "count", 2)
    assert replay.points == ()


@pytest.mark.parametrize("words", ["count", "newest 5", "by path"])
def test_account_without_queries_is_refused(words: str) -> None:
    question = read_question_line(f"/logs web 1h where(a) {words}", HOUSE, now=END, zone=UTC)
    assert isinstance(question, LogsQuestion)
    with pytest.raises(BadQuestion, match="can only download a log") as caught:
        answerer(Downloads()).check(question)
    assert caught.value.hint == "/logs web 1h where(a)"


async def test_too_long_history_is_refused_before_reading_it() -> None:
    read: list[datetime] = []

    def read_at(at: datetime) -> LogsQuestion:
        read.append(at)
        question = read_question_line("/logs web 1h count", HOUSE, now=at, zone=UTC)
        assert isinstance(question, LogsQuestion)
        return question

    rule = Rule("busy", "/logs web 1h count", "count", "C1", above=1.0, every=timedelta(seconds=5))
    request = ReplayRequest(rule, END - timedelta(days=400), END, read_at)
    replay = await answerer(Queries()).replay(request)
    assert "try fewer days" in replay.notes[0]
    assert len(read) < 10
