"""The words that manage alerts: `alert`, `alerts`, `unalert`, `acknowledge`, `silence`
and `unsilence` (pure).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Literal

from msgspec import Struct

from bot import formatting
from bot.alerts.create import CreateAlert as CreateAlert
from bot.alerts.create import parse_alert
from bot.alerts.silence_ends import TOMORROW, UNTIL, SilenceEnd, parse_silence_end
from bot.alerts.value_words import suggested_value as suggested_value
from bot.errors import BadQuestion
from bot.formatting import sanitise
from bot.questions.amounts import DURATION, AmbiguousAmount, read_duration
from bot.questions.question import AccountDirectory, CommandName

LONGEST_SILENCE = timedelta(days=365)
SILENCE_LASTS = "A silence lasts between a second and a year."
_FOR_HOW_LONG = re.compile(
    rf"(?is)(?:for\s+)?({DURATION}|{UNTIL})(?<!\s)(?:\s+(.+)|(?=\"|\Z)(.*))?"
)
_HOW_LONG = (
    "For how long? Add a duration such as 30m, 2h or 1d, or an end such as until 09:00, until monday "
    "or until tomorrow."
)
_IS_UNTIL = re.compile(r"(?i)(?:un)?till?\b")
COMMENT = '"planned load test"'
_NAMED = re.compile(r'(?s)\s*(?:"([^"]+)"|(\S+))\s*(.*)')


class DeleteAlert(Struct, frozen=True):
    name: str


class ShowAlert(Struct, frozen=True):
    """Shows one alert with everything that is known of it."""

    name: str


class Acknowledge(Struct, frozen=True):
    name: str


class Silence(Struct, frozen=True):
    """Silences an alert for `length`, or, where that is None, until `end`."""

    name: str
    length: timedelta | None
    comment: str = ""
    end: SilenceEnd = TOMORROW


class Unsilence(Struct, frozen=True):
    name: str


AlertCommand = (
    CreateAlert | DeleteAlert | ShowAlert | Acknowledge | Silence | Unsilence | Literal["list"]
)


def parse_alert_command(
    command: CommandName, text: str, directory: AccountDirectory
) -> AlertCommand | None:
    """The command in the words; None for any other words. Raises BadQuestion."""
    verb, _, rest = text.strip().partition(" ")
    verb = verb.lower()
    rest = rest.strip()
    if verb == "alerts" and not rest:
        return "list"
    if verb == "alert":
        return parse_alert(command, rest, directory)
    if named := _NAMED_ALERT.get(verb):
        name, more = _name(rest, command)
        # Names may hold spaces, and people leave the quotes out.
        name = f"{name} {more}".strip()
        return named(name)
    return _silence(command, rest) if verb == "silence" else None


_NAMED_ALERT: Mapping[str, type[DeleteAlert | ShowAlert | Acknowledge | Unsilence]] = (
    MappingProxyType(
        {
            "alerts": ShowAlert,
            "unalert": DeleteAlert,
            "unsilence": Unsilence,
            "acknowledge": Acknowledge,
            "ack": Acknowledge,
        }
    )
)


def _silence(command: CommandName, rest: str) -> Silence:
    name, more = _name_and_length(rest, command)
    # The comment that was typed is kept in the example.
    quote = re.search(r'"[^"]*"', more)
    shown = f"/{command} silence {formatting.quoted(name)} 2h {quote[0] if quote else COMMENT}"
    found = _FOR_HOW_LONG.fullmatch(more)
    if not found and more and re.fullmatch(DURATION, name):
        shown = f"/{command} silence {formatting.quoted(_name(more, command)[0])} {name}"
        raise BadQuestion("Which alert? Its name comes before the duration.", shown)
    if not found:
        raise BadQuestion(_HOW_LONG, shown)
    comment = (found[2] or found[3] or "").strip().strip('"').strip()
    length, end = _length_or_end(found[1], shown)
    return Silence(name, length, sanitise(comment, 500), end)


def silence_length(text: str, example: str) -> tuple[timedelta | None, SilenceEnd]:
    """How long a silence lasts by the words alone, such as `2h`, or, where that is None, its end.
    Raises BadQuestion with the example.
    """
    found = _FOR_HOW_LONG.fullmatch(text.strip())
    if not found or found[2] or found[3]:
        raise BadQuestion(_HOW_LONG, example)
    return _length_or_end(found[1], example)


def _length_or_end(text: str, example: str) -> tuple[timedelta | None, SilenceEnd]:
    if not _IS_UNTIL.match(text):
        return _length(text, example), TOMORROW
    end = parse_silence_end(text)
    if end is None:
        raise BadQuestion(f"“{sanitise(text, 40)}” is not a time.", example)
    # Its instant depends on the time and the zone.
    return None, end


def _length(text: str, example: str) -> timedelta:
    try:
        length = read_duration(text)
    except AmbiguousAmount as error:
        raise BadQuestion(f"{error}.", example) from None
    if not length or length > LONGEST_SILENCE:
        raise BadQuestion(SILENCE_LASTS, example)
    return length


def _name_and_length(rest: str, command: CommandName) -> tuple[str, str]:
    """The name at the front, and the length with its comment. A name without quotes reaches up to
    the first length where it has spaces.
    """
    name, more = _name(rest, command)
    # Bounded: a name has few words.
    words = rest.split(maxsplit=8)
    if rest.startswith('"') or _FOR_HOW_LONG.fullmatch(more):
        return name, more
    for count in range(2, len(words)):
        if words[count - 1].lower() in ("until", "till", "til"):
            # In `spike until 9 days` it is no part of the name.
            break
        behind = " ".join(words[count:])
        if '"' not in " ".join(words[:count]) and _FOR_HOW_LONG.fullmatch(behind):
            return " ".join(words[:count]), behind
    return name, more


def _name(rest: str, command: CommandName) -> tuple[str, str]:
    found = _NAMED.fullmatch(rest)
    if not found:
        raise BadQuestion("Which alert? Give its name.", f"/{command} alerts")
    return (found[1] or found[2]).strip(), found[3].strip()
