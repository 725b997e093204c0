"""Ends of silences: what was typed, and the instant that it names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.alerts.commands import Silence, parse_alert_command
from bot.alerts.form import read_silence_form
from bot.alerts.silence_ends import (
    NEXT_MORNING,
    TOMORROW,
    SilenceEnd,
    end_words,
    resolve_silence_end,
)
from bot.errors import BadQuestion
from tests.bot.test_question import HOUSE

DUBLIN = ZoneInfo("Europe/Dublin")
AUCKLAND = ZoneInfo("Pacific/Auckland")
# A Saturday in winter, on which Dublin's clock shows UTC.
NIGHT = "2026-11-28T02:38"
AFTERNOON = "2026-11-28T14:00"


def typed(words: str) -> Silence:
    silence = parse_alert_command("usage", f"silence spike {words}", HOUSE)
    assert isinstance(silence, Silence)
    return silence


def local(text: str, zone: ZoneInfo = DUBLIN) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


@pytest.mark.parametrize(
    ("words", "now", "end"),
    [
        ("until tomorrow", NIGHT, "2026-11-28T09:00"),
        ("until tomorrow morning", NIGHT, "2026-11-28T09:00"),
        ("until tomorrow", "2026-11-28T05:00", "2026-11-29T09:00"),
        ("until tomorrow", AFTERNOON, "2026-11-29T09:00"),
        ("until tomorrow 10:30", NIGHT, "2026-11-28T10:30"),
        ("until tomorrow 03:00", NIGHT, "2026-11-29T03:00"),
        ("until tomorrow at 7am", AFTERNOON, "2026-11-29T07:00"),
        ("until morning", NIGHT, "2026-11-28T09:00"),
        ("until the morning", AFTERNOON, "2026-11-29T09:00"),
        ("until 9", NIGHT, "2026-11-28T09:00"),
        ("until 09:00", NIGHT, "2026-11-28T09:00"),
        ("until 09:00", AFTERNOON, "2026-11-29T09:00"),
        ("until 9am", AFTERNOON, "2026-11-29T09:00"),
        ("until 9 pm", AFTERNOON, "2026-11-28T21:00"),
        ("until 18", AFTERNOON, "2026-11-28T18:00"),
        ("until 18.30", AFTERNOON, "2026-11-28T18:30"),
        ("until noon", NIGHT, "2026-11-28T12:00"),
        ("until midnight", AFTERNOON, "2026-11-29T00:00"),
        ("until monday", NIGHT, "2026-11-30T09:00"),
        ("until Mon 8:15", NIGHT, "2026-11-30T08:15"),
        ("until 8:15 on monday", NIGHT, "2026-11-30T08:15"),
        ("until the end of the weekend", NIGHT, "2026-11-30T09:00"),
        ("until saturday", NIGHT, "2026-11-28T09:00"),
        ("until next saturday", NIGHT, "2026-12-05T09:00"),
        ("until saturday", AFTERNOON, "2026-12-05T09:00"),
        ("until friday", NIGHT, "2026-12-04T09:00"),
        ("until today 16:00", AFTERNOON, "2026-11-28T16:00"),
        ("till 2026-12-01", NIGHT, "2026-12-01T09:00"),
        ("until 2026-12-01T08:00", NIGHT, "2026-12-01T08:00"),
        # The clock is put forward in the night to 29 March, and back in that to 25 October.
        ("until tomorrow", "2026-03-28T23:00", "2026-03-29T09:00"),
        ("until 09:00", "2026-10-25T00:30", "2026-10-25T09:00"),
        ("until monday", "2026-10-24T12:00", "2026-10-26T09:00"),
    ],
)
def test_silence_ends_at_named_instant(words: str, now: str, end: str) -> None:
    silence = typed(words)
    assert silence.length is None
    assert resolve_silence_end(silence.end, local(now), DUBLIN).end == local(end)


@pytest.mark.parametrize(
    ("words", "now", "other"),
    [
        ("until tomorrow", NIGHT, "2026-11-29T09:00"),
        ("until saturday", NIGHT, "2026-12-05T09:00"),
        ("until tomorrow", AFTERNOON, None),
        ("until monday", AFTERNOON, None),
    ],
)
def test_other_reading_is_offered(words: str, now: str, other: str | None) -> None:
    readings = resolve_silence_end(typed(words).end, local(now), DUBLIN)
    assert readings.other == (local(other) if other else None)


@pytest.mark.parametrize(
    ("words", "now", "message", "hint"),
    [
        ("until 9", AFTERNOON, "“9” may mean 21:00 or 09:00.", "until 21:00"),
        ("until today 09:00", AFTERNOON, "has passed", "2h"),
        ("until 2026-11-01", AFTERNOON, "has passed", "2h"),
    ],
)
def test_unclear_end_is_asked_back(words: str, now: str, message: str, hint: str) -> None:
    with pytest.raises(BadQuestion, match=message) as caught:
        resolve_silence_end(typed(words).end, local(now), DUBLIN)
    assert caught.value.hint == hint


@pytest.mark.parametrize(
    "words",
    [
        "until 25:00",
        "until 9:75",
        "until 13pm",
        "until 2026-02-30",
        "until 9 days",
        "until tomorrow evening",
        "until later",
        "until",
    ],
)
def test_impossible_end_is_refused(words: str) -> None:
    with pytest.raises(BadQuestion):
        typed(words)


@pytest.mark.parametrize(
    ("words", "comment"),
    [
        ('until 9 "load test"', "load test"),
        ("until 09:00 load test", "load test"),
        ("until monday load test", "load test"),
        ("until tomorrow 10:00 load test", "load test"),
    ],
)
def test_comment_follows_end(words: str, comment: str) -> None:
    assert typed(words).comment == comment


@given(st.integers(0, 366 * 24 * 60), st.sampled_from([DUBLIN, AUCKLAND]))
def test_next_morning_is_within_a_day(minutes: int, zone: ZoneInfo) -> None:
    """A night in which the clock is put back has an hour more."""
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    end = resolve_silence_end(NEXT_MORNING, moment, zone).end
    assert timedelta(0) < end - moment <= timedelta(hours=25)
    assert f"{end.astimezone(zone):%H:%M}" == "09:00"


def test_form_ends_at_its_label() -> None:
    assert read_silence_form({"name": "spike", "length": "until tomorrow"}).end == NEXT_MORNING
    monday = read_silence_form({"name": "spike", "length": "until monday"})
    assert monday.end == SilenceEnd("monday")
    assert typed("until tomorrow").end == TOMORROW


def test_other_hour_of_the_night_the_clock_is_put_back_can_be_typed() -> None:
    """Each end that is offered is another one when it is typed."""
    now = local("2026-10-24T20:00")
    readings = resolve_silence_end(typed("until 01:30").end, now, DUBLIN)
    assert readings.other == readings.end + timedelta(hours=1)
    again = resolve_silence_end(typed(end_words(readings.other, DUBLIN)).end, now, DUBLIN)
    assert again.end == readings.other
