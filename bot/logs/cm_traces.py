"""The logs of Microsoft's Configuration Manager: a message, followed by its fields."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

from bot.logs import fields
from bot.logs.minutes import CountedBlock
from bot.logs.readings import Reading, minute_of_text, read_fields
from bot.logs.time_forms import Minute
from providers.patterns import compile_pattern

CM_TRACE: Final = b"<![LOG["
_END: Final = b"]LOG]!>"
_LEVELS: Final = {b"1": "info", b"2": "warn", b"3": "error"}
# The fields are looked for after a message that ends at most this far into the line.
_MOST_OF_MESSAGE: Final = 4096
_FIELDS: Final = compile_pattern(
    rb"\]LOG\]!><time=\"(\d\d:\d\d):\d\d\.\d{3}[+-]\d{3}\" date=\"(\d{1,2}-\d{1,2}-\d{4})\""
    rb" component=\"[^\"\\\n]{0,200}\" context=\"[^\"\\\n]{0,200}\" type=\"(\d)\"[^\n]*"
)


def read_cm_trace(line: bytes) -> Reading:
    """The time and the level of a line."""
    found = fields.pairs(line, max(0, line.find(_END, 0, _MOST_OF_MESSAGE)))
    return Reading(read_fields(found).minute, _LEVELS.get(found.get("type", b"")))


@dataclass(frozen=True, slots=True)
class CmTraceShape:
    """Counts blocks of lines with the usual fields in the usual order."""

    def count(self, text: bytes) -> CountedBlock | None:
        """Counts a text with a line end before each line; None if any line is different."""
        lines = text.count(b"\n")
        if text.count(b"\n" + CM_TRACE) != lines or text.count(_END) != lines:
            return None
        rows = _FIELDS.findall(text)
        if len(rows) != lines or max(map(len, text.split(b"\n"))) > _MOST_OF_MESSAGE:
            return None
        levels: Counter[str] = Counter()
        minutes: Counter[bytes] = Counter()
        for (clock, date, kind), count in Counter(rows).items():
            minutes[date + b" " + clock] += count
            if level := _LEVELS.get(kind):
                levels[level] += count
        clock, date, _ = rows[-1]
        return CountedBlock(levels, minutes, date + b" " + clock)

    def minute(self, written: bytes) -> Minute | None:
        return minute_of_text(written + b":00.000+000")
