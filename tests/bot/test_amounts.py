"""Counts and durations as people write them, including both readings of ambiguous ones."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.questions.amounts import LONGEST_DURATION_S, AmbiguousAmount, read_count, read_duration
from providers.amounts import LARGEST


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("20", 20),
        (" 20 million ", 20_000_000),
        ("5k", 5_000),
        ("5 K", 5_000),
        ("2 thousand", 2_000),
        ("1.5 Billion", 1_500_000_000),
        (f"{LARGEST:.0f}", LARGEST),
        (f"{LARGEST:.0f}k", None),
        ("20 percent", None),
        ("k", None),
        ("1..5", None),
    ],
)
def test_count_is_read(text: str, count: float | None) -> None:
    assert read_count(text) == count


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("1h30m", timedelta(hours=1, minutes=30)),
        ("2 hours 15 Minutes", timedelta(hours=2, minutes=15)),
        ("1w 2d", timedelta(days=9)),
        ("1.5h", timedelta(minutes=90)),
        ("90 S", timedelta(seconds=90)),
        ("half  an Hour", timedelta(minutes=30)),
        ("a week", timedelta(weeks=1)),
        ("30m1h", None),
        ("1h 2h", None),
        ("1h and", None),
        ("1h30", None),
        ("h", None),
        (f"{LONGEST_DURATION_S // 86_400}d", timedelta(days=999_999)),
        (f"{LONGEST_DURATION_S // 86_400}d 1s", None),
        # As long as is read, and by one character too long.
        ("1h " + "0" * 35 + "1m", timedelta(hours=1, minutes=1)),
        ("1h " + "0" * 36 + "1m", None),
    ],
)
def test_duration_is_read(text: str, length: timedelta | None) -> None:
    assert read_duration(text) == length


@pytest.mark.parametrize("text", ["6M", "1h 6M"])
def test_capital_m_has_both_readings(text: str) -> None:
    with pytest.raises(AmbiguousAmount) as caught:
        read_duration(text)
    assert caught.value.readings == ("6m (minutes)", "6 months, which are 6 times 30d")
    assert f"“{text}” can be read as" in str(caught.value)
