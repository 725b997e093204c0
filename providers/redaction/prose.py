"""Sentences, usage texts and measurements where an argument would be: `radtest took 0.25 ms`,
`usage: radtest user password`.
"""

from __future__ import annotations

from typing import Final

from providers.patterns import lazy_pattern
from providers.redaction.lines import line_before
from providers.redaction.names import words

# Words that go on after the name of a command or of a setting, and are no passwords.
WORDS_OF_SENTENCES: Final = words(
    "took usage version command commands exited stopped started ended rotated given returned "
    "finished completed aborted cancelled canceled loaded reloaded restarted crashed timeout "
    "unreachable unavailable accepted applied saved stored option options argument arguments "
    "parameters syntax example examples help manual requires needs expects takes works "
    "does did after before during while because exit parameter mode suite negotiated setting "
    "settings dialog screen page attempt attempts mechanism module entry"
)
_UNIT: Final = rb"(?:ns|us|ms|s|sec|min|h|[mkMG]?W|d[bB]m?|[kMGT]?Hz|[mk]?V|m?A|[kKMGT]i?[bB]|[nmck]?m|mJ|J|%|px|pt)"
# A measurement: `0.25`, `5ns`, `3 mW`, `3 of 5`.
_MEASURE: Final = lazy_pattern(
    rb"(?:\d{1,6}\.\d{1,6}|\d{1,6}(?:\.\d{1,6})?UNIT|\d{1,2}|\d{1,6}(?=[ ]UNIT\b))(?=[\s,;)]|$)".replace(
        b"UNIT", _UNIT
    )
)
_USAGE: Final = lazy_pattern(rb"(?i)\busage[:=][ ](?!\d)[^;|&,]{0,112}$")
_HAS_DIGIT: Final = lazy_pattern(rb"\d")
_LONGEST_FRONT: Final = 120


def is_prose_argument(block: bytes, start: int, value: bytes) -> bool:
    """Whether the word at `start`, in the place of an argument, continues a sentence or a usage
    text, or is a measurement.
    """
    if not block[start - 1 : start].isspace():
        # In `-psettings`, the value is a part of the option.
        return False
    word = value.strip(b"[]()<>.,:;!").lower()
    if word in WORDS_OF_SENTENCES or _MEASURE.match(block, start):
        return True
    if _HAS_DIGIT.search(value):
        return False
    front = line_before(block, start, _LONGEST_FRONT)
    return bool(_USAGE.search(front))
