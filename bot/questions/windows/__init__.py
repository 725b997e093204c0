"""The words people type for a stretch of time, read once and read aloud again."""

from bot.questions.windows.calendar import NoWindow, TwoReadings, zone_name
from bot.questions.windows.reading import SAYS_NOTHING, ReadWindow, read_window, spoken, without_marks
from bot.questions.windows.tokens import MONTHS, WEEKDAYS

__all__ = [
    "MONTHS",
    "SAYS_NOTHING",
    "WEEKDAYS",
    "NoWindow",
    "ReadWindow",
    "TwoReadings",
    "read_window",
    "spoken",
    "without_marks",
    "zone_name",
]
