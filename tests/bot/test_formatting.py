"""How numbers and outside text are formatted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from bot import formatting
from bot.questions.amounts import read_duration, read_size


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.00 kB"),
        (1234, "1.23 kB"),
        (134929550, "135 MB"),
        (999_499, "999 kB"),
        (999_500, "1.00 MB"),
        (5_400_000_000, "5.40 GB"),
        (1e13, "10.0 TB"),
        (-5e9, "-5.00 GB"),
    ],
)
def test_sizes_are_decimal_with_three_digits(count: float, expected: str) -> None:
    assert formatting.format_bytes(count) == expected


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("5 GB", 5 * 10**9),
        ("750MB", 750 * 10**6),
        ("1.5 kb", 1500),
        ("12", 12),
        ("x", None),
        ("5 GiB", None),
        ("-1 GB", None),
    ],
)
def test_sizes_are_read_back(text: str, count: int | None) -> None:
    assert read_size(text) == count


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("5s", timedelta(seconds=5)),
        ("15m", timedelta(minutes=15)),
        ("4h", timedelta(hours=4)),
        ("2d", timedelta(days=2)),
        ("1w", timedelta(weeks=1)),
        ("1q", None),
        ("", None),
        ("-5m", None),
    ],
)
def test_durations_are_read(text: str, length: timedelta | None) -> None:
    assert read_duration(text) == length


@pytest.mark.parametrize(
    "bad",
    ["\x1b[31m", "\u202e", "\u200b", "\x00", "\u2028", "\u2066", "\x85", "\U000e0041", "\ud800"],
)
def test_characters_that_nobody_sees_become_a_dot(bad: str) -> None:
    clean = formatting.sanitise(f"a{bad}b")
    assert clean.startswith("a·")
    assert bad not in clean


def test_lists_shorten_with_a_count() -> None:
    assert formatting.join_words(["a"]) == "a"
    assert formatting.join_words(["a", "b", "c"]) == "a, b and c"
    assert formatting.join_words([str(n) for n in range(17)]) == "0, 1, 2, 3, 4 … and 12 more"


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(40, "40 s"), (720, "12 min"), (7800, "2 h 10 min"), (7200, "2 h"), (260_000, "3 days")],
)
def test_how_long_something_lasts(seconds: int, expected: str) -> None:
    assert formatting.format_duration(timedelta(seconds=seconds)) == expected


@pytest.mark.parametrize(
    ("today", "day", "moment"),
    [
        ("2026-11-21", "Sat 21 Nov", "21 Nov 00:30"),
        ("2027-01-01", "Sat 21 Nov 2026", "21 Nov 2026 00:30"),
    ],
)
def test_year_is_shown_where_it_is_not_this_one(today: str, day: str, moment: str) -> None:
    now = datetime.fromisoformat(f"{today}T12:00Z")
    assert formatting.format_day(date(2026, 11, 21), now.date()) == day
    assert (
        formatting.format_time(
            datetime(2026, 11, 20, 23, 30, tzinfo=UTC), timezone(timedelta(hours=1)), now
        )
        == moment
    )


def test_this_year_is_that_of_the_zone() -> None:
    new_year = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    assert formatting.format_time(new_year, timezone(timedelta(hours=1)), new_year) == "1 Jan 00:30"


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (-5, "0 s"),
        (89, "89 s"),
        (90, "2 min"),
        (3569, "59 min"),
        (3570, "1 h"),
        (3660, "1 h 1 min"),
    ],
)
def test_duration_is_rounded_to_minutes(seconds: int, expected: str) -> None:
    assert formatting.format_duration(timedelta(seconds=seconds)) == expected


@pytest.mark.parametrize(("hours", "expected"), [(47, "47 h"), (48, "2 days"), (71, "2 days")])
def test_long_duration_is_in_days(hours: int, expected: str) -> None:
    assert formatting.format_duration(timedelta(hours=hours)) == expected


@pytest.mark.parametrize(
    ("write", "given", "expected"),
    [
        (formatting.pluralise, (1, "call"), "1 call"),
        (formatting.pluralise, (0, "call"), "0 calls"),
        (formatting.pluralise, (1204, "query", "queries"), "1,204 queries"),
        (formatting.percent, (0,), "0.0 %"),
        (formatting.percent, (0.049,), "< 0.1 %"),
        (formatting.percent, (0.05,), "0.1 %"),
        (formatting.percent, (12.44,), "12.4 %"),
        (formatting.percent, (1.5,), "1.5 %"),
        (formatting.change, (0,), "+0.0 %"),
        (formatting.change, (12.44,), "+12.4 %"),
        (formatting.change, (-3,), "−3.0 %"),
        (formatting.milliseconds, (9.94,), "9.9 ms"),
        (formatting.milliseconds, (10,), "10 ms"),
        (formatting.format_interval, (timedelta(hours=1),), "hour"),
        (formatting.format_interval, (timedelta(minutes=15),), "15 min"),
        (formatting.quoted, ("Pantry Door",), '"Pantry Door"'),
        (formatting.quoted, ("kitchen",), "kitchen"),
    ],
)
def test_numbers_and_names_are_written_alike(
    write: Callable[..., str], given: tuple[Any, ...], expected: str
) -> None:
    assert write(*given) == expected


def test_time_names_its_zone() -> None:
    noon = datetime(2026, 11, 21, 12, 5, tzinfo=UTC)
    assert formatting.format_time_in_zone(noon, UTC, noon) == "21 Nov 12:05 UTC"


@pytest.mark.parametrize(
    ("text", "most", "expected"),
    [
        ("kitchen", 7, "kitchen"),
        ("kitchen", 6, "kitch…"),
        ("kitchen", 1, "…"),
        ("kitchen", 0, "…"),
    ],
)
def test_cut_text_ends_with_an_ellipsis(text: str, most: int, expected: str) -> None:
    assert formatting.truncate(text, most) == expected


@pytest.mark.parametrize(
    ("text", "most", "expected"),
    [
        ("kitchen", 0, "kitchen"),
        ("kitchen", 1, "…"),
        ("kitchen", 6, "kitch…"),
        ("a\r\nb\tc\nd", 0, "a b c d"),
        ("a\tbcdef", 4, "a b…"),
        ("a\x00", 0, "a·"),
    ],
)
def test_outside_text_is_one_short_line(text: str, most: int, expected: str) -> None:
    assert formatting.sanitise(text, most) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("a\nb", "a\nb"), ("a\tb\n\x1bc\n", "a b\n·c\n"), ("a", "a")]
)
def test_lines_of_outside_text_are_kept(text: str, expected: str) -> None:
    assert formatting.sanitise_lines(text) == expected
