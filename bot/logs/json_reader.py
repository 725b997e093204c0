"""JSON lines of one log: which two fields tell the time and the level is remembered, and no other
is looked at.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from bot.logs import fields
from bot.logs.lines import Reading, minute_of_text, read_json

# Lines longer than that are no model for others.
LONGEST_LEARNED: Final = 8192
_ABSENT: Final = msgspec.UNSET


class JsonReader:
    """Reads JSON lines as `read_json` does, and faster where they have the fields of one that was
    read before.
    """

    def __init__(self) -> None:
        self._keys: tuple[str, str] | None = None
        self._decode: Any = None

    def learn(self, line: bytes) -> Reading:
        """What a line says, whose fields may be those of the lines to come."""
        reading = read_json(line, 0)
        found = fields.json_fields(line) if len(line) < LONGEST_LEARNED else None
        keys = _telling(found, reading) if found else None
        if keys and keys != self._keys:
            self._keys = keys
            self._decode = _decoder_of(*keys)
        return reading

    def known(self, line: bytes) -> Reading | None:
        """What a line says; None where it needs a closer look."""
        values = self._values(line)
        if not values:
            return None
        minute = minute_of_text(fields.text_of(values[0]))
        level = (
            fields.LEVEL_KEYS[self._keys[1]](fields.text_of(values[1])[: fields.LONGEST_LEVEL])
            if self._keys
            else None
        )
        return Reading(minute, level) if minute and level else None

    def _values(self, line: bytes) -> tuple[bytes, bytes] | None:
        """What stands in the two fields, where no field is there that would count instead."""
        if self._decode is None:
            return None
        try:
            time, level, *others = msgspec.structs.astuple(self._decode(line))
        except (msgspec.DecodeError, RecursionError, ValueError):
            return None
        if time is _ABSENT or level is _ABSENT or any(other is not _ABSENT for other in others):
            return None
        return bytes(time), bytes(level)


def _telling(found: dict[str, fields.Value], reading: Reading) -> tuple[str, str] | None:
    """The fields that tell the time and the level; None where another has a say."""
    if not reading.minute or not reading.level or fields.has_own_numbers(found):
        return None
    times = [key for key in fields.TIME_KEYS if key in found]
    levels = [key for key in fields.LEVEL_KEYS if key in found]
    if not times or not levels or ("date" in found and "time" in found):
        return None
    time, level = times[0], levels[0]
    tells_time = minute_of_text(fields.text_of(found[time])) == reading.minute
    tells_level = (
        fields.LEVEL_KEYS[level](fields.text_of(found[level])[: fields.LONGEST_LEVEL])
        == reading.level
    )
    return (time, level) if tells_time and tells_level else None


def _decoder_of(time: str, level: str) -> Any:
    """A decoder that passes over all fields but the two and those that would count instead."""
    level_keys = list(fields.LEVEL_KEYS)
    others = [
        *fields.TIME_KEYS[: fields.TIME_KEYS.index(time)],
        *level_keys[: level_keys.index(level)],
        "date",
        *fields.names_with_own_numbers(),
    ]
    spelt = [name for key in (time, level, *others) for name in fields.spellings_of(key)]
    keys = list(dict.fromkeys([time, level, *spelt]))
    names = {f"field_{number}": key for number, key in enumerate(keys)}
    kind = msgspec.defstruct(
        "Line", [(name, msgspec.Raw | msgspec.UnsetType, _ABSENT) for name in names], rename=names
    )
    return msgspec.json.Decoder(kind).decode
