"""People who ask the same in one moment have their words read once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.errors import BadQuestion
from bot.questions.question import AccountDirectory, HelpRequest, Question
from handlers.question_readings import SAME_MOMENT, QuestionReadings

KITCHEN = AccountDirectory({"kitchen": "rapid7"})
NOW = datetime(2026, 11, 27, 23, 59, 59, 980_000, tzinfo=UTC)
WORDS = "last 7 days"


def read(
    readings: QuestionReadings,
    words: str = WORDS,
    *,
    visible: tuple[str, ...] = ("usage",),
    later: timedelta = timedelta(),
    zone: str = "UTC",
) -> Question | HelpRequest:
    return readings.read(
        "usage", words, visible, lambda: KITCHEN, now=NOW + later, zone=ZoneInfo(zone)
    )


def test_same_words_are_read_once_in_a_moment() -> None:
    readings = QuestionReadings()
    assert read(readings) is read(readings, later=timedelta(milliseconds=10))


@pytest.mark.parametrize(
    ("later", "is_same"),
    [
        pytest.param(timedelta(milliseconds=19), True, id="same-second"),
        # The day begins, although only a few milliseconds have passed.
        pytest.param(timedelta(milliseconds=20), False, id="midnight"),
        pytest.param(-timedelta(milliseconds=1), False, id="clock-set-back"),
        pytest.param(timedelta(minutes=1), False, id="same-second-of-another-minute"),
        pytest.param(-SAME_MOMENT * 10, False, id="long-before"),
    ],
)
def test_moment_ends_with_the_second(later: timedelta, *, is_same: bool) -> None:
    readings = QuestionReadings()
    assert (read(readings) is read(readings, later=later)) is is_same


def test_today_is_another_day_after_midnight() -> None:
    readings = QuestionReadings()
    before, after = read(readings, "today"), read(readings, "today", later=SAME_MOMENT / 2)
    assert isinstance(before, Question) and isinstance(after, Question)
    assert before.window.label.startswith("27 Nov") and after.window.label.startswith("28 Nov")


def test_other_words_zone_or_rights_are_read_anew() -> None:
    readings = QuestionReadings()
    found = read(readings)
    assert read(readings, "last 8 days") != found
    assert read(readings, zone="Europe/Dublin") is not found
    assert read(readings, visible=("usage", "logs")) is not found


def test_refusal_is_raised_for_everybody() -> None:
    readings = QuestionReadings()
    errors = []
    for _ in range(2):
        with pytest.raises(BadQuestion) as caught:
            read(readings, "last purple days")
        errors.append(caught.value)
    # Each of them is changed on its way to its asker.
    assert errors[0] is not errors[1]
