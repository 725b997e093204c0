"""Equal steps of a window, for charts of what happened when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from providers.models import Window

# As many bars as Slack's charts take.
MOST_POINTS = 20
_MINUTES = (1, 2, 5, 10, 15, 30)
_HOURS = (1, 2, 3, 6, 12)
# Round steps, so that bars begin at full hours and days.
_DAYS = (1, 2, 5, 7, 14, 30, 90, 365)
_STEPS = (
    *(timedelta(minutes=minutes) for minutes in _MINUTES),
    *(timedelta(hours=hours) for hours in _HOURS),
    *(timedelta(days=days) for days in _DAYS),
)
# A Monday, so that steps of a week begin on Mondays.
_EPOCH = datetime(1970, 1, 5, tzinfo=UTC)


def time_step(window: Window) -> timedelta:
    """The shortest step that covers the window in at most MOST_POINTS."""
    # One less than the most: a window that begins within a step touches one step more.
    fitting = (step for step in _STEPS if window.length <= step * (MOST_POINTS - 1))
    return next(fitting, _STEPS[-1])


def step_start(moment: datetime, step: timedelta) -> datetime:
    """When the step that holds the moment begins, in UTC."""
    return _EPOCH + (moment - _EPOCH) // step * step
