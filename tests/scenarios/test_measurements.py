"""An alert reads only the values of a question's answer, without rendering anything."""

from __future__ import annotations

import types
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from bot.answer import Answer, Measurement
from bot.app import Bot
from bot.blocks import kit
from bot.commands.answering import AnswerContext, MeasureContext
from bot.questions.reading import read_question_line

LINES = {
    "/usage rapid7-eu last 7 days": [
        "bytes",
        "days",
        "mean_bytes_per_day",
        "peak_bytes",
        "change_percent",
        "month_to_date_bytes",
        "forecast_month_bytes",
        "quota_percent",
    ],
    "/apiaudit yesterday": ["calls", "failures", "failure_percent", "actors", "duration_p95_ms"],
    "/logs kitchen 20m": ["lines", "bytes", "levels.error"],
}


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the block builders that were called, in order."""
    calls: list[str] = []

    def recorder(name: str, build: Any) -> Any:
        def record(*given: Any, **named: Any) -> Any:
            calls.append(name)
            return build(*given, **named)

        return record

    for name, build in list(vars(kit).items()):
        if isinstance(build, types.FunctionType) and build.__module__ == kit.__name__:
            monkeypatch.setattr(kit, name, recorder(name, build))
    return calls


async def answer(bot: Bot, line: str, folder: Path, now: datetime) -> Answer:
    answerer = bot.requests.answering
    zone = bot.settings.timezone
    question = read_question_line(line, answerer.directory, now=now, zone=zone)
    return await answerer.answer(question, AnswerContext(lambda: folder, zone))


async def measure(
    bot: Bot, line: str, folder: Path, value: str, now: datetime, each: str = ""
) -> Measurement:
    answerer = bot.requests.answering
    zone = bot.settings.timezone
    question = read_question_line(line, answerer.directory, now=now, zone=zone)
    return await answerer.measure(question, MeasureContext(lambda: folder, zone, value, each))


@pytest.mark.parametrize("line", LINES)
async def test_measurement_renders_nothing(
    bot: Bot, tmp_path: Path, rendered: list[str], line: str
) -> None:
    now = bot.clock()
    for value in LINES[line]:
        await measure(bot, line, tmp_path, value.partition(".")[0], now)
    assert rendered == []
    await answer(bot, line, tmp_path, now)
    assert "header" in rendered


@pytest.mark.parametrize("line", LINES)
async def test_measured_value_is_the_answers_value(bot: Bot, tmp_path: Path, line: str) -> None:
    # Both are asked about the same minutes, however long the first takes.
    now = bot.clock()
    shown = (await answer(bot, line, tmp_path, now)).values
    for value in LINES[line]:
        name = value.partition(".")[0]
        found = (await measure(bot, line, tmp_path, name, now)).values
        assert found.get(name) == shown.get(name), name
        assert found.get("complete") == shown.get("complete")


@pytest.mark.parametrize(
    ("line", "value", "each"),
    [
        ("/apiaudit yesterday", "calls", "account"),
        ("/apiaudit yesterday", "calls", "actor"),
    ],
)
async def test_subjects_add_up_to_the_whole(
    bot: Bot, tmp_path: Path, line: str, value: str, each: str
) -> None:
    values = (await measure(bot, line, tmp_path, value, bot.clock(), each)).values
    assert len(values[f"by_{each}"]) > 1
    assert sum(found[value] for found in values[f"by_{each}"].values()) == values[value]
