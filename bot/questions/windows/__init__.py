"""Parses the words people type for a time range, and describes the range in words."""

from bot.questions.windows.calendar import TwoReadings, UnknownWindow, zone_name
from bot.questions.windows.lengths import UNITS
from bot.questions.windows.reading import (
    FILLER_WORDS,
    ParsedWindow,
    read_window,
    reading_of,
    strip_filler_words,
    strip_punctuation,
    window_between,
    window_of_days,
)
from bot.questions.windows.tokens import MONTHS, WEEKDAYS

__all__ = [
    "FILLER_WORDS",
    "MONTHS",
    "UNITS",
    "WEEKDAYS",
    "ParsedWindow",
    "TwoReadings",
    "UnknownWindow",
    "read_window",
    "reading_of",
    "strip_filler_words",
    "strip_punctuation",
    "window_between",
    "window_of_days",
    "zone_name",
]
