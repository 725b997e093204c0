"""Windows as people type them: several hundred expressions, each read correctly or refused with a
suggestion of what to type.
"""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.blocks.help_pages import windows_help
from bot.errors import BadQuestion
from bot.questions.question import AccountDirectory, HelpRequest
from bot.questions.reading import read_line, read_question_line
from bot.questions.registry import COMMANDS
from bot.questions.windows import ParsedWindow, TwoReadings, read_window
from bot.questions.windows.forms import FORMS
from tests.bot import window_cases
from tests.bot.test_question import HOUSE
from tests.bot.window_corpus import READ, REFUSED, TWO_READINGS
from tests.support.work import growth

SATURDAY = datetime(2026, 11, 21, 14, 5, tzinfo=UTC)
DUBLIN = ZoneInfo("Europe/Dublin")
ZONES = [
    "UTC",
    "Europe/Dublin",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "America/Havana",
    "Pacific/Chatham",
]
EXAMPLES = [example for form in FORMS for example in form.examples]
BY_DAY = [example for form in FORMS if form.by_day for example in form.examples]
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2030, 12, 31)).map(
    lambda moment: moment.replace(tzinfo=UTC, microsecond=0)
)


def read(
    words: str, *, whole_days: bool = False, now: datetime = SATURDAY, zone: str = "Europe/Dublin"
) -> ParsedWindow:
    return read_window(
        words, now=now, zone=ZoneInfo(zone), whole_days=whole_days, example="/usage last 7 days"
    )


def shown(moment: datetime) -> str:
    return (
        moment.isoformat(sep=" ").removesuffix("+00:00").removesuffix(":00")
        if not moment.microsecond
        else f"{moment:%Y-%m-%d %H:%M:%S.%f}".rstrip("0")
    )


@pytest.mark.parametrize(("words", "start", "end"), READ, ids=[words for words, _, _ in READ])
def test_expression_is_read_rightly(words: str, start: str, end: str) -> None:
    window = read(words).window
    assert (shown(window.start), shown(window.end)) == (start, end)


@pytest.mark.parametrize(
    ("words", "one", "other"), TWO_READINGS, ids=[words for words, _, _ in TWO_READINGS]
)
def test_ambiguous_date_offers_both_readings(words: str, one: str, other: str) -> None:
    with pytest.raises(TwoReadings, match="more than one way") as caught:
        read(words)
    assert caught.value.readings == (one, other)
    assert f"“{one}” or “{other}”" in caught.value.message
    assert read(one).window != read(other).window


@pytest.mark.parametrize(("words", "says"), REFUSED, ids=[words for words, _ in REFUSED])
def test_uncertain_window_is_refused(words: str, says: str) -> None:
    with pytest.raises(BadQuestion, match=says) as caught:
        read(words)
    assert caught.value.hint == "/usage last 7 days"


WEDNESDAY = datetime(2027, 2, 10, 16, 20, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
HALF_DAY = timedelta(hours=12)


def read_in_berlin(words: str) -> ParsedWindow:
    return read(words, now=WEDNESDAY, zone="Europe/Berlin")


@pytest.mark.parametrize(
    ("words", "start", "end"), window_cases.READ, ids=[words for words, *_ in window_cases.READ]
)
def test_more_expressions_are_read_rightly(words: str, start: str, end: str) -> None:
    window = read_in_berlin(words).window
    expected = [datetime.fromisoformat(each).replace(tzinfo=BERLIN) for each in (start, end)]
    assert [window.start, window.end] == expected


@pytest.mark.parametrize(
    ("words", "one", "other"),
    window_cases.TWO_READINGS,
    ids=[words for words, *_ in window_cases.TWO_READINGS],
)
def test_more_ambiguous_words_are_asked_back(words: str, one: str, other: str) -> None:
    with pytest.raises(TwoReadings, match="more than one way") as caught:
        read_in_berlin(words)
    # A reading that is still to come is not offered.
    assert caught.value.readings == ((one, other) if other else (one,))


@pytest.mark.parametrize(
    "words", ["9 to 12", "9-12", "10-12", "12 to 3", "12-12", "1-2", "11-10", "9-5"]
)
def test_both_readings_of_hours_are_accepted(words: str) -> None:
    with pytest.raises(TwoReadings) as caught:
        read_in_berlin(f"monday {words}")
    one, other = (read_in_berlin(each).window for each in caught.value.readings)
    assert one.start + HALF_DAY == other.start
    assert one.end + HALF_DAY == other.end


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "tokyo time", "in Tokyo", "gmt+2"])
@pytest.mark.parametrize("words", window_cases.IN_ZONES)
def test_both_readings_keep_typed_zone(words: str, zone: str) -> None:
    """They are the windows that the same words mean for a person in that zone."""
    lives_in = {"UTC": "UTC", "America/New_York": zone, "gmt+2": "Etc/GMT-2"}.get(
        zone, "Asia/Tokyo"
    )
    with pytest.raises(TwoReadings) as caught:
        read_in_berlin(words.replace(" ZONE", f" {zone}"))
    with pytest.raises(TwoReadings) as expected:
        read(words.replace(" ZONE", ""), now=WEDNESDAY, zone=lives_in)
    for one, other in zip(caught.value.readings, expected.value.readings, strict=True):
        assert read_in_berlin(one).window == read(other, now=WEDNESDAY, zone=lives_in).window


@pytest.mark.parametrize(
    ("words", "one", "other"),
    window_cases.TWO_ZONES,
    ids=[words for words, *_ in window_cases.TWO_ZONES],
)
def test_each_time_keeps_its_zone(words: str, one: str, other: str) -> None:
    with pytest.raises(TwoReadings) as caught:
        read_in_berlin(words)
    assert caught.value.readings == (one, other)
    assert read_in_berlin(one).window != read_in_berlin(other).window


@pytest.mark.parametrize(
    ("year", "words", "says", "instead"),
    [
        (2026, "week 53", "Week 53 of 2026 has not begun, and 2025 has none", "week 52 of 2025"),
        (2025, "week 53 UTC", "Neither 2025 nor 2024 has a week 53", "week 52 of 2024 UTC"),
    ],
)
def test_missing_week_comes_with_another(year: int, words: str, says: str, instead: str) -> None:
    now = datetime(year, 11, 28, 2, tzinfo=UTC)
    with pytest.raises(BadQuestion, match=says) as caught:
        read(words, now=now)
    assert f"“{instead}”" in caught.value.message
    assert read(instead, now=now).window.end < now


@pytest.mark.parametrize("words", ["week 0", "week 54", "week 99"])
def test_impossible_week_names_no_year(words: str) -> None:
    with pytest.raises(BadQuestion, match=f"There is no {words}; years have 52 or 53 weeks"):
        read(words)


@pytest.mark.parametrize("words", window_cases.REFUSED)
def test_more_uncertain_words_are_refused(words: str) -> None:
    with pytest.raises(BadQuestion):
        read_in_berlin(words)


def test_usage_refuses_days_of_another_zone() -> None:
    assert read("today UTC", whole_days=True) == read("today", whole_days=True)
    with pytest.raises(BadQuestion, match="days of UTC"):
        read("yesterday America/New_York", whole_days=True)


def test_corpus_has_several_hundred_expressions() -> None:
    assert len({words for words, *_ in (*READ, *TWO_READINGS, *REFUSED)}) > 500


@pytest.mark.parametrize("words", EXAMPLES)
def test_every_example_of_help_is_read(words: str) -> None:
    assert read(words).label


@pytest.mark.parametrize("words", BY_DAY)
def test_usage_reads_every_form_of_whole_days(words: str) -> None:
    found = read(words, whole_days=True)
    assert found.by_day
    assert found.window.start.time() == datetime.min.time()


@pytest.mark.parametrize("words", sorted(set(EXAMPLES) - set(BY_DAY) - {"now-1d/d"}))
def test_usage_refuses_hours_in_every_form(words: str) -> None:
    with pytest.raises(BadQuestion, match="recorded by day"):
        read(words, whole_days=True)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_every_window_form(command: str) -> None:
    request = read_line(f"/{command} help windows", HOUSE, now=SATURDAY, zone=UTC)
    assert request == HelpRequest(command, "windows")
    help_text = windows_help(command).text
    assert all(example in help_text for example in (BY_DAY if command == "usage" else EXAMPLES))


@pytest.mark.parametrize("words", [*EXAMPLES, "6 months", "2pm-3pm"])
def test_windows_combine_with_accounts_and_logs(words: str) -> None:
    log: Any = read_question_line(
        f"/logs kitchen {words} limit 5", HOUSE, now=SATURDAY, zone=DUBLIN
    )
    assert [each.typed for each in log.logs] == ["kitchen"]
    assert log.window == read(words)
    listed: Any = read_question_line(
        f"/logs kitchen, cellar, {words}", HOUSE, now=SATURDAY, zone=DUBLIN
    )
    assert [each.typed for each in listed.logs] == ["kitchen", "cellar"]
    for line in (f"/apiaudit edge {words} failures", f"/apiaudit {words} edge status:5xx"):
        audit = read_question_line(line, HOUSE, now=SATURDAY, zone=DUBLIN)
        assert audit.accounts == ("edge",)
        assert audit.window == read(words)


def test_window_words_are_no_name_prefix() -> None:
    names = AccountDirectory(
        {"november": "akamai", "nightly": "akamai", "quarterly": "akamai", "nowhere": "akamai"}
    )
    question = read_question_line("/apiaudit nov 1", names, now=SATURDAY, zone=UTC)
    assert len(question.accounts) == 4
    assert question.parts.window == "nov 1"


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("/logs kitchen 6M limit 5", "/logs kitchen 6 months limit 5"),
        (
            "/apiaudit edge two weeks ago failures csv",
            "/apiaudit edge 2026-11-02..2026-11-08 failures csv",
        ),
        ("/apiaudit iot previous hour", "/apiaudit iot last 60 minutes"),
        ("/logs kitchen 01/02/2026 where(/a/)", "/logs kitchen 2026-01-02 where(/a/)"),
        ("/logs kitchen 9am where(/a/)", "/logs kitchen since 9am where(/a/)"),
    ],
)
def test_clarification_contains_the_whole_question(line: str, hint: str) -> None:
    with pytest.raises(BadQuestion) as caught:
        read_line(line, HOUSE, now=SATURDAY, zone=UTC)
    assert caught.value.hint == hint
    assert read_line(hint, HOUSE, now=SATURDAY, zone=UTC)


@given(st.sampled_from(EXAMPLES), MOMENTS, st.sampled_from(ZONES), st.booleans())
def test_every_form_is_valid_at_any_moment(
    words: str, now: datetime, zone: str, whole_days: bool
) -> None:
    """A window or a refusal: a time of day may not exist or may occur twice on a day when the
    clocks change, or may be in the future.
    """
    with contextlib.suppress(BadQuestion):
        found = read(words, now=now, zone=zone, whole_days=whole_days)
        assert (
            found.window.start
            < found.window.end
            <= max(now, found.window.start + timedelta(milliseconds=1))
        )
        assert found.label


@given(
    MOMENTS, st.sampled_from(ZONES), st.sampled_from(["day", "week", "month", "quarter", "year"])
)
def test_last_and_this_period_meet_at_a_midnight(now: datetime, zone: str, unit: str) -> None:
    last = read({"day": "yesterday"}.get(unit, f"last {unit}"), now=now, zone=zone).window
    this = read({"day": "today"}.get(unit, f"this {unit}"), now=now, zone=zone).window
    assert last.end == this.start
    days = (
        last.end.astimezone(ZoneInfo(zone)).date() - last.start.astimezone(ZoneInfo(zone)).date()
    ).days
    assert (
        days
        in {
            "day": {1},
            "week": {7},
            "month": {28, 29, 30, 31},
            "quarter": {90, 91, 92},
            "year": {365, 366},
        }[unit]
    )
    assert last.start.astimezone(ZoneInfo(zone)).hour in (0, 1)


@given(MOMENTS, st.sampled_from(ZONES), st.integers(0, 23), st.integers(0, 59))
def test_since_a_time_is_the_latest_such_time(
    now: datetime, zone: str, hour: int, minute: int
) -> None:
    with contextlib.suppress(BadQuestion):
        start = read(f"since {hour}:{minute:02}", now=now, zone=zone).window.start
        local = start.astimezone(ZoneInfo(zone))
        assert (local.hour, local.minute) == (hour, minute)
        assert timedelta(0) < now - start <= timedelta(hours=25)


@given(
    MOMENTS,
    st.sampled_from(["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]),
)
def test_last_weekday_is_one_to_seven_days_ago(now: datetime, name: str) -> None:
    start = read(f"last {name}", now=now, zone="UTC").window.start
    assert f"{start:%A}".lower() == name
    assert 1 <= (now.date() - start.date()).days <= 7


@given(MOMENTS, st.integers(1, 12), st.integers(1, 28))
def test_day_without_a_year_is_the_latest_such_day(now: datetime, month: int, day: int) -> None:
    start = read(f"{day} {datetime(2000, month, 1):%b}", now=now, zone="UTC").window.start
    assert (start.month, start.day) == (month, day)
    assert 0 <= (now.date() - start.date()).days <= 366


@pytest.mark.parametrize(
    "words",
    [
        "1h",
        "to ",
        "- ",
        "last ",
        "now-",
        "1:00",
        "nov ",
        "2026-11-01 ",
        "half an ",
        "p1d",
        "between ",
        "/",
        ".",
        "9" * 9 + " ",
        "utc ",
        "and a half ",
        "for 1h ",
        "before 9am ",
        "1½",
        "week of ",
        "@d ",
        "first 3 days of ",
        "9-17 ",
        "morning of ",
        "tokyo ",
        "+- ",
    ],
)
def test_work_grows_no_faster_than_the_words(words: str) -> None:
    def tried(times: int) -> None:
        with contextlib.suppress(BadQuestion):
            read(words * times)

    tried(3)
    assert max(growth(tried, [50, 100, 200, 400])) < 2.6


PIECES = st.lists(
    st.sampled_from(
        [
            *" ".join(
                [*EXAMPLES, *(words for words, *_ in (*READ, *TWO_READINGS, *REFUSED))]
            ).split(),
            "in",
            "the",
            "M",
            "99",
            "-",
            "+",
            "@",
        ]
    ),
    max_size=8,
).map(" ".join)


@given(PIECES | st.text("0123456789:-/.,+pamthdwMQ ", max_size=30), st.booleans(), MOMENTS)
def test_any_words_are_a_window_or_a_refusal(words: str, whole_days: bool, now: datetime) -> None:
    try:
        found = read(words, whole_days=whole_days, now=now)
    except BadQuestion as error:
        assert error.message.endswith(".")
    else:
        assert found.window.start < found.window.end


@pytest.mark.parametrize(
    ("words", "start", "end"),
    [
        # 29 February has no year of its own in most years, and the other day follows it.
        ("feb 29 to mar 1", "2024-02-29", "2024-03-02"),
        ("29.2.-1.3.", "2024-02-29", "2024-03-02"),
        ("feb 20 to feb 29", "2024-02-20", "2024-03-01"),
        ("dec 20 to feb 29", "2023-12-20", "2024-03-01"),
        # One date shows in which order the others are written.
        ("30/10-02/11", "2026-10-30", "2026-11-03"),
        ("30.10.2026-02.11.2026", "2026-10-30", "2026-11-03"),
        ("10/30 - 11/2", "2026-10-30", "2026-11-03"),
        ("2/1/2027 to 13/1/2027", "2027-01-02", "2027-01-14"),
        ("2nd half of december", "2026-12-16", "2027-01-01"),
    ],
)
def test_dates_of_a_range_share_what_one_says(words: str, start: str, end: str) -> None:
    window = read_in_berlin(words).window
    expected = [datetime.fromisoformat(each).replace(tzinfo=BERLIN) for each in (start, end)]
    assert [window.start, window.end] == expected


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("02/01-03/01", ("2027-02-01-2027-03-01", "2027-01-02-2027-01-03")),
        ("12/11-01/12", ("2026-12-11-2027-01-12", "2026-11-12-2026-12-01")),
        ("1/2 to 11/2", ("2027-01-02 to 2027-11-02", "2027-02-01 to 2027-02-11")),
        ("12/11", ("2026-12-11", "2026-11-12")),
        ("since 1400h", ("since 14:00", "last 1400 hours")),
        ("0900 hours", ("since 09:00", "last 900 hours")),
        ("midnight yesterday", ("since 2027-02-09 00:00", "since 2027-02-10 00:00")),
    ],
)
def test_every_offered_reading_is_a_window(words: str, offered: tuple[str, ...]) -> None:
    with pytest.raises(TwoReadings) as caught:
        read_in_berlin(words)
    assert caught.value.readings == offered
    for each in offered:
        read_in_berlin(each)


def test_repeated_hour_is_offered_with_its_offset() -> None:
    now = datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    with pytest.raises(TwoReadings) as caught:
        read("previous hour", now=now, zone="America/New_York")
    hour = "2026-11-01T00:00-04:00 to 2026-11-01T01:00-04:00"
    assert caught.value.readings == ("last 60 minutes", hour)
    assert read(hour, now=now, zone="America/New_York").window.length == timedelta(hours=1)
    with pytest.raises(BadQuestion, match="such as 2026-11-01T01:00-04:00"):
        read("since 2026-11-01 01:00", now=now, zone="America/New_York")


def test_hours_are_not_offered_for_days() -> None:
    with pytest.raises(BadQuestion, match="recorded by day"):
        read_window(
            "since 10am CST", now=WEDNESDAY, zone=BERLIN, whole_days=True, example="/usage today"
        )
