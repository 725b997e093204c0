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
from bot.alerts.silence_ends import TOMORROW, SilenceEnd
from bot.alerts.silence_words import HOW_LONG, begins_length, read_silence_words
from bot.alerts.silence_words import LONGEST_SILENCE as LONGEST_SILENCE
from bot.alerts.silence_words import SILENCE_LASTS as SILENCE_LASTS
from bot.alerts.value_words import suggested_value as suggested_value
from bot.errors import BadQuestion
from bot.questions.amounts import DURATION
from bot.questions.question import AccountDirectory, CommandName

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
    named = f"/{command} silence {formatting.quoted(name)}"
    # The comment that was typed is kept in the example.
    quote = re.search(r'"[^"]*"', more)
    comment = quote[0] if quote else COMMENT
    if more and re.fullmatch(DURATION, name):
        shown = f"/{command} silence {formatting.quoted(_name(more, command)[0])} {name}"
        raise BadQuestion("Which alert? Its name comes before the duration.", shown)
    try:
        found = read_silence_words(more)
    except BadQuestion as error:
        # A hint may hold the comment already.
        end = "" if '"' in error.hint else f" {quote[0]}" if quote else ""
        raise BadQuestion(error.message, f"{named} {error.hint}{end}") from None
    if found is None:
        raise BadQuestion(HOW_LONG, f"{named} 2h {comment}")
    return Silence(name, found.length, found.comment, found.end)


def silence_length(text: str, example: str) -> tuple[timedelta | None, SilenceEnd]:
    """How long a silence lasts by the words alone, such as `2h`, or, where that is None, its end.
    Raises BadQuestion with the example.
    """
    try:
        found = read_silence_words(text.strip())
    except BadQuestion as error:
        raise BadQuestion(error.message, example) from None
    if found is None or found.comment:
        raise BadQuestion(HOW_LONG, example)
    return found.length, found.end


def _name_and_length(rest: str, command: CommandName) -> tuple[str, str]:
    """The name at the front, and the length with its comment. A name without quotes reaches up to
    the first length where it has spaces.
    """
    name, more = _name(rest, command)
    # Bounded: a name has few words.
    words = rest.split(maxsplit=8)
    if rest.startswith('"') or _begins_length(more):
        return name, more
    for count in range(2, len(words)):
        behind = " ".join(words[count:])
        if '"' not in " ".join(words[:count]) and _begins_length(behind):
            return " ".join(words[:count]), behind
    return name, more


def _begins_length(text: str) -> bool:
    try:
        return begins_length(text.partition('"')[0].split(maxsplit=12))
    except BadQuestion:
        # A length that can be read in two ways.
        return True


def _name(rest: str, command: CommandName) -> tuple[str, str]:
    found = _NAMED.fullmatch(rest)
    if not found:
        raise BadQuestion("Which alert? Give its name.", f"/{command} alerts")
    return (found[1] or found[2]).strip(), found[3].strip()
