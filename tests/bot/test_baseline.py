"""What is usual at a weekday and hour, compared with a simple recomputation."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta, tzinfo
from statistics import median
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.alerts.baseline import (
    Baseline,
    Samples,
    Season,
    Usual,
    baseline_at,
    baseline_of_days,
    hour_span,
    needed_spans,
)
from tests.support.work import growth

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
# A Friday.
NOW = datetime(2026, 11, 27, 14, 20, tzinfo=UTC)
DUBLIN = ZoneInfo("Europe/Dublin")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")


def hourly(days: int, value: float = 10.0, now: datetime = NOW) -> list[tuple[datetime, float]]:
    return [(now - n * HOUR, value) for n in range(1, days * 24 + 1)]


def plainly(
    samples: list[tuple[datetime, float]], at: datetime, zone: tzinfo
) -> tuple[float, float, float, str, int] | None:
    """Median, band, season and days, computed by iterating over every sample."""
    local = at.astimezone(zone)
    by_day: dict[date, list[tuple[timedelta, datetime, float]]] = {}
    for when, value in samples:
        there = when.astimezone(zone)
        if there.date() >= local.date() or there.hour != local.hour or not math.isfinite(value):
            continue
        target = hour_span(there.date(), local.hour, zone).start + timedelta(minutes=local.minute)
        by_day.setdefault(there.date(), []).append((abs(when - target), when, value))
    nearest = {day: min(found)[2] for day, found in by_day.items()}
    ages = {day: (local.date() - day).days for day in nearest}
    weekly = [nearest[day] for day, age in ages.items() if age % 7 == 0 and age <= 26 * 7]
    daily = [nearest[day] for day, age in ages.items() if age <= 28]
    season, values = ("weekday", weekly) if len(weekly) >= 3 else ("hour", daily)
    if season == "hour" and len(daily) < 7:
        return None
    middle = median(values)
    distances = [abs(value - middle) for value in values]
    spread = 1.4826 * median(distances) or 1.2533 * sum(distances) / len(distances)
    reach = max(3 * spread, 0.05 * abs(middle), 1.0)
    low = middle - reach if min(values) < 0 else max(0.0, middle - reach)
    return middle, low, middle + reach, season, len(values)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 60 * 24 * 4),
            st.floats(-1e12, 1e12)
            | st.integers(0, 9).map(float)
            | st.sampled_from([math.nan, math.inf]),
        ),
        max_size=300,
        unique_by=lambda each: each[0],
    ),
    st.sampled_from([UTC, DUBLIN, LORD_HOWE]),
    st.integers(0, 365),
)
def test_baseline_is_that_of_plain_recomputation(
    sparse: list[tuple[int, float]], zone: tzinfo, shift: int
) -> None:
    at = NOW - shift * DAY
    samples = [(at - n * timedelta(minutes=15), value) for n, value in sparse]
    # Few random samples reach a season: so each day has some at this hour, too.
    samples += [(at - n * DAY + timedelta(minutes=7), float(n % 5)) for n in range(len(sparse))]
    found = baseline_at(Samples(samples), at, zone)
    expected = plainly(samples, at, zone)
    assert (found is None) == (expected is None)
    if found and expected:
        assert found.season.value == expected[3]
        assert found.days == expected[4]
        assert (found.median, found.low, found.high) == pytest.approx(expected[:3], rel=1e-9)


@pytest.mark.parametrize(
    ("days", "season", "counted"),
    [
        (0, None, 0),
        (6, None, 0),
        (7, Season.HOUR, 7),
        (20, Season.HOUR, 20),
        (21, Season.WEEKDAY_AND_HOUR, 3),
        (300, Season.WEEKDAY_AND_HOUR, 26),
    ],
)
def test_season_depends_on_history(days: int, season: Season | None, counted: int) -> None:
    found = baseline_at(Samples(hourly(days)), NOW, UTC)
    assert (found.season if found else None) == season
    assert (found.days if found else 0) == counted


def test_weekends_have_their_own_baseline() -> None:
    samples = [(at, 2.0 if at.weekday() >= 5 else 100.0) for at, _ in hourly(28, now=NOW + 2 * DAY)]
    friday = baseline_at(Samples(samples), NOW, UTC)
    saturday = baseline_at(Samples(samples), NOW + DAY, UTC)
    assert friday and (friday.median, friday.season) == (100.0, Season.WEEKDAY_AND_HOUR)
    assert saturday and saturday.median == 2.0


def test_hour_is_that_of_the_zone() -> None:
    # Busy at nine in the morning by the clock of Dublin, which was set back on 25 October.
    samples = [
        (at, 50.0 if at.astimezone(DUBLIN).hour == 9 else 1.0) for at, _ in hourly(60, now=NOW)
    ]
    nine = datetime(2026, 11, 27, 9, 5, tzinfo=DUBLIN)
    found = baseline_at(Samples(samples), nine, DUBLIN)
    assert found and (found.median, found.days) == (50.0, 8)
    assert found.season is Season.WEEKDAY_AND_HOUR


def test_hour_of_changed_clock_is_whole() -> None:
    twice = hour_span(date(2026, 10, 25), 1, DUBLIN)
    assert twice.end - twice.start == 2 * HOUR
    skipped = hour_span(date(2026, 3, 29), 1, DUBLIN)
    assert skipped.start >= skipped.end
    assert skipped not in needed_spans(datetime(2026, 4, 5, 1, 30, tzinfo=DUBLIN), DUBLIN)


def test_today_is_not_its_own_baseline() -> None:
    usual = hourly(30, 10.0, NOW.replace(hour=0, minute=0))
    today = [(NOW - timedelta(minutes=5 * n), 900.0) for n in range(1, 200)]
    found = baseline_at(Samples(usual + [s for s in today if s[0].date() == NOW.date()]), NOW, UTC)
    assert found and found.high < 20


def test_earlier_incident_does_not_move_baseline() -> None:
    samples = dict(hourly(70, 10.0))
    incident = {at: 5000.0 for at in samples if NOW - 8 * DAY < at < NOW - 6 * DAY}
    found = baseline_at(Samples([*(samples | incident).items()]), NOW, UTC)
    assert found
    assert found.median == 10.0


def test_value_of_the_same_minute_counts() -> None:
    # What has come so far in a day grows with each minute of it.
    minutes = [NOW - n * timedelta(minutes=15) for n in range(1, 96 * 30)]
    samples = [(at, at.hour * 60.0 + at.minute) for at in minutes]
    found = baseline_at(Samples(samples), NOW.replace(hour=0, minute=50), UTC)
    assert found and found.median == 50.0


def test_gaps_leave_days_out() -> None:
    samples = [(at, 10.0) for at, _ in hourly(28) if at.date().day % 2]
    found = baseline_at(Samples(samples), NOW, UTC)
    assert found and found.season is Season.HOUR
    assert found.days == 14


@pytest.mark.parametrize(
    ("value", "low", "high"), [(0.0, 0.0, 1.0), (1000.0, 950.0, 1050.0), (-100.0, -105.0, -95.0)]
)
def test_constant_series_has_a_band(value: float, low: float, high: float) -> None:
    found = baseline_at(Samples(hourly(30, value)), NOW, UTC)
    assert found
    assert (found.low, found.high) == pytest.approx((low, high))


def test_band_uses_mean_deviation_where_most_are_equal() -> None:
    days = [NOW - n * DAY for n in range(1, 11)]
    samples = [(day, 100.0 if n < 7 else 200.0) for n, day in enumerate(days)]
    found = baseline_at(Samples(samples), NOW, UTC)
    assert found and found.median == 100.0
    assert found.high == pytest.approx(100 + 3 * 1.2533 * 30)


@pytest.mark.parametrize("values", [(1.7e308, -1.7e308), (1.7e308, 1.7e308, 0.0)])
def test_band_beyond_numbers_is_no_baseline(values: tuple[float, ...]) -> None:
    samples = [(NOW - n * DAY, values[n % len(values)]) for n in range(1, 30)]
    assert baseline_at(Samples(samples), NOW, UTC) is None


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_values_that_are_no_numbers_are_left_out(value: float) -> None:
    samples = Samples([*hourly(30, value), *[(NOW - n * DAY, 3.0) for n in range(1, 10)]])
    samples.add(NOW, value)
    assert len(samples) == 9
    found = baseline_at(samples, NOW, UTC)
    assert found and found.median == 3.0


def test_whole_days_make_a_baseline_for_high_values() -> None:
    ends = [(NOW.replace(hour=23, minute=59) - n * DAY, 5.0 + n % 2) for n in range(1, 10)]
    assert baseline_at(Samples(ends), NOW, UTC) is None
    found = baseline_of_days(Samples(ends), NOW, UTC)
    assert found and (found.season, found.days) == (Season.DAY, 9)


def test_first_days_of_the_calendar_have_no_baseline() -> None:
    assert baseline_at(Samples(), datetime(1, 1, 3, tzinfo=UTC), UTC) is None


BASELINE = Baseline(100.0, 70.0, 130.0, Season.HOUR, 20)
ZERO = Baseline(0.0, 0.0, 1.0, Season.HOUR, 20)
NEGATIVE = Baseline(-10.0, -16.0, -4.0, Season.HOUR, 20)


@pytest.mark.parametrize(
    ("usual", "baseline", "breaches", "harmless"),
    [
        (Usual("above", 2.0), BASELINE, [200.1, 1e9], [200.0, 131.0, 0.0]),
        (Usual("above", 1.0), BASELINE, [105.1], [105.0, 100.0]),
        (Usual("below", 0.5), BASELINE, [49.9, 0.0], [50.0, 100.0, 1e9]),
        (Usual("outside"), BASELINE, [69.9, 130.1], [70.0, 130.0, 100.0]),
        (Usual("above"), BASELINE, [130.1], [130.0, 0.0]),
        (Usual("below"), BASELINE, [69.9], [70.0, 500.0]),
        (Usual("above", 2.0), ZERO, [1.1], [0.0, 1.0]),
        (Usual("below", 0.5), ZERO, [], [0.0, 5.0]),
        (Usual("above", 2.0), NEGATIVE, [0.1], [-1.0, -10.0]),
        (Usual("below", 0.5), NEGATIVE, [-15.1], [-15.0, -10.0, 0.0]),
    ],
    ids=lambda each: each.label if isinstance(each, Usual) else None,
)
def test_unusual_values_breach(
    usual: Usual, baseline: Baseline, breaches: list[float], harmless: list[float]
) -> None:
    assert all(usual.is_breach(value, baseline, firing=False) for value in breaches)
    assert not any(usual.is_breach(value, baseline, firing=False) for value in harmless)


def test_resolve_factor_applies_while_firing() -> None:
    usual = Usual("above", 2.0, recover=1.5)
    assert usual.is_breach(160.0, BASELINE, firing=True)
    assert not usual.is_breach(160.0, BASELINE, firing=False)
    assert not usual.is_breach(150.0, BASELINE, firing=True)


def test_baseline_of_long_history_is_linear() -> None:
    def work(size: int) -> None:
        baseline_at(Samples([(NOW - n * HOUR, 1.0) for n in range(1, size)]), NOW, UTC)

    assert max(growth(work, (500, 1000, 2000))) < 2.2
