"""How an answer about two windows names them where there is little room."""

from __future__ import annotations

from datetime import timedelta, tzinfo

from bot.blocks.kit import LABEL
from bot.questions.windows.alignment import Comparison
from providers.models import Window


def series_names(comparison: Comparison, zone: tzinfo) -> tuple[str, str]:
    """A name for each window in the legend of a chart: its label where it fits, else its day, or the
    time or the day on which it begins.
    """
    labels = (comparison.current_label, comparison.previous_label)
    if max(map(len, labels)) <= LABEL and labels[0] != labels[1]:
        return labels
    windows = (comparison.current.window, comparison.previous.window)
    starts = [window.start.astimezone(zone) for window in windows]
    days = [f"{start.day} {start:%b}" for start in starts]
    if starts[0].year != starts[1].year:
        days = [f"{start.day} {start:%b %Y}" for start in starts]
    if days[0] != days[1]:
        within = all(_is_within_a_day(window, zone) for window in windows)
        names = days if within else [f"from {day}" for day in days]
    else:
        names = [f"from {start:%H:%M}" for start in starts]
    return (names[0], names[1]) if names[0] != names[1] else ("current", "previous")


def _is_within_a_day(window: Window, zone: tzinfo) -> bool:
    last = (window.end - timedelta(microseconds=1)).astimezone(zone)
    return window.start.astimezone(zone).date() == last.date()
