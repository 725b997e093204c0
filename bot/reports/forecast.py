"""Where the month is heading."""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from datetime import date, timedelta


def month_forecast(by_day: Mapping[date, int], *, today: date) -> int | None:
    """Bytes by the end of today's month: the whole days listed so far, and the mean of them for every other day.

    Today is still growing, so it counts with the mean or with what it has already, whichever is more. Before any day of
    the month is whole, the mean is that of the month before it. None where no whole day is known.
    """
    first = today.replace(day=1)
    length = calendar.monthrange(today.year, today.month)[1]
    whole = {day: usage for day, usage in by_day.items() if first <= day < today}
    earlier = [usage for day, usage in by_day.items() if first - timedelta(days=31) <= day < first]
    basis = list(whole.values()) or earlier
    if not basis:
        return None
    mean = sum(basis) / len(basis)
    others = length - len(whole) - 1
    return round(sum(whole.values()) + others * mean + max(by_day.get(today, 0), mean))
