"""Logs whose lines begin with a level in lower case and have no time, such as `error could not
open`. In other logs such a line is prose, so the first lines of a log decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.logs.levels import level_of_word
from bot.logs.lines import read_line
from providers.patterns import compile_pattern

# The number of lines that decide, and how many in a hundred of them have to begin with a level.
DECIDING_LINES: Final = 16
_LEAST_PERCENT: Final = 60
_LEAST_LINES: Final = 3
_LEVEL: Final = compile_pattern(
    rb"(?:trace|debug|verbose|info|notice|warn|warning|error|err|crit|critical|fatal)(?=:?(?:[ \t]|$))"
)


def bare_level(line: bytes) -> str | None:
    """The level with which a line begins."""
    match = _LEVEL.match(line)
    return level_of_word(match[0]) if match else None


def begin_with_levels(lines: Sequence[bytes]) -> bool:
    """Whether most lines at the beginning of a log begin with a level, and none has a time."""
    deciding = [line for line in lines if line.strip()][:DECIDING_LINES]
    bare = sum(bare_level(line) is not None for line in deciding)
    if bare < _LEAST_LINES or bare * 100 < len(deciding) * _LEAST_PERCENT:
        return False
    return not any(read_line(line).minute for line in deciding)
