"""The words that manage alerts: `alert`, `alerts`, `unalert`, `edit`, `acknowledge`, `silence`
and `unsilence`, and others that people type for these (pure).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

from msgspec import Struct

from bot import formatting
from bot.alerts.create import CreateAlert as CreateAlert
from bot.alerts.create import parse_alert
from bot.alerts.silence_ends import TOMORROW, SilenceEnd
from bot.alerts.silence_words import HOW_LONG, begins_length, read_silence_words, read_whole_length
from bot.alerts.silence_words import LONGEST_SILENCE as LONGEST_SILENCE
from bot.alerts.silence_words import SILENCE_LASTS as SILENCE_LASTS
from bot.alerts.value_words import suggested_value as suggested_value
from bot.errors import BadQuestion
from bot.questions.amounts import DURATION
from bot.questions.managing import (
    ACKNOWLEDGE_WORDS,
    EDIT,
    SILENCE_WORDS,
    UNACKNOWLEDGE_WORDS,
    UNSILENCE_WORDS,
    names_question,
)
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


class ListAlerts(Struct, frozen=True):
    """Lists alerts: of the channel, or with `is_all` all that the person may see, and of these those in
    one of the `states`.
    """

    states: frozenset[str] = frozenset()
    is_all: bool = False
    is_own: bool = False
    page: int = 1
    # As it was typed.
    words: str = ""


class EditAlert(Struct, frozen=True):
    """Changes what the words name of an alert. They begin with its name."""

    words: str


AlertCommand = (
    CreateAlert
    | DeleteAlert
    | ShowAlert
    | Acknowledge
    | Silence
    | Unsilence
    | ListAlerts
    | EditAlert
)
# The states by which alerts are listed, by the words for them.
FIRING = "firing"
PENDING = "pending"
SILENCED = "silenced"
ACKNOWLEDGED = "acknowledged"
IS_OK = "ok"
PAUSED = "paused"
NO_DATA = "nodata"
STATE_WORDS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("firing", "fired", "active", "open"), FIRING),
        "pending": PENDING,
        **dict.fromkeys(("silenced", "muted", "snoozed"), SILENCED),
        **dict.fromkeys(("acknowledged", "acked"), ACKNOWLEDGED),
        **dict.fromkeys(("ok", "okay", "resolved"), IS_OK),
        "paused": PAUSED,
        **dict.fromkeys(("nodata", "no-data"), NO_DATA),
    }
)
_ALL = ("all", "everywhere")
_OWN = ("mine", "my")
_HERE = ("here", "list")


def parse_alert_command(
    command: CommandName, text: str, directory: AccountDirectory
) -> AlertCommand | None:
    """The command in the words; None for any other words. Raises BadQuestion."""
    verb, _, rest = text.strip().partition(" ")
    verb = verb.lower()
    rest = rest.strip()
    if verb == "alerts" and (listed := _listed(rest)):
        return listed
    if verb == "alert" and _is_edit(rest, directory):
        verb = EDIT
        rest = rest.partition(" ")[2].strip()
    if verb == EDIT:
        _name(rest, command)
        return EditAlert(rest)
    if verb == "alert":
        return parse_alert(command, rest, directory)
    if verb in UNACKNOWLEDGE_WORDS:
        name, _ = _name(rest, command)
        raise BadQuestion(
            "An acknowledgement cannot be taken back; it ends with the incident.",
            f"/{command} alerts {formatting.quoted(name)}",
        )
    if named := _NAMED_ALERT.get(verb):
        name, more = _name(rest, command)
        # Names may hold spaces, and people leave the quotes out.
        name = f"{name} {more}".strip()
        return named(name)
    return _silence(command, rest) if verb in SILENCE_WORDS else None


_NAMED_ALERT: Mapping[str, type[DeleteAlert | ShowAlert | Acknowledge | Unsilence]] = (
    MappingProxyType(
        {
            "alerts": ShowAlert,
            "unalert": DeleteAlert,
            **dict.fromkeys(UNSILENCE_WORDS, Unsilence),
            **dict.fromkeys(ACKNOWLEDGE_WORDS, Acknowledge),
        }
    )
)
_PAGE = re.compile(r"(?i)(?:\A|\s)page\s+(\d{1,4})\Z")


def _listed(rest: str) -> ListAlerts | None:
    """The list that the words behind `alerts` ask for; None where they are a name."""
    page = _PAGE.search(rest)
    words = (
        re.sub(r"(?i)\bno data\b", "nodata", rest[: page.start()] if page else rest).lower().split()
    )
    states = [STATE_WORDS.get(word) for word in words if word not in (*_ALL, *_OWN, *_HERE)]
    if not all(states):
        return None
    return ListAlerts(
        frozenset(filter(None, states)),
        is_all=any(word in _ALL for word in words),
        is_own=any(word in _OWN for word in words),
        page=max(int(page[1]), 1) if page else 1,
        words=" ".join(words),
    )


def _is_edit(rest: str, directory: AccountDirectory) -> bool:
    """Whether `alert edit NAME …` was typed, and not a question to an account called `edit`."""
    first, _, more = rest.partition(" ")
    return first.lower() == EDIT and bool(more.strip()) and not names_question(first, directory)


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
        found = read_whole_length(text.strip())
    except BadQuestion as error:
        raise BadQuestion(error.message, example) from None
    if found is None:
        raise BadQuestion(HOW_LONG, example)
    return found.length, found.end


def _name_and_length(rest: str, command: CommandName) -> tuple[str, str]:
    """The name at the front, and the length with its comment. A name without quotes reaches up to
    the first length where it has spaces.
    """
    name, more = _name(rest, command)
    # Bounded: a name has few words.
    words = rest.split(maxsplit=8)
    if rest.startswith('"') or begins_length(more):
        return name, more
    for count in range(2, len(words)):
        behind = " ".join(words[count:])
        if '"' not in " ".join(words[:count]) and begins_length(behind):
            return " ".join(words[:count]), behind
    return name, more


def _name(rest: str, command: CommandName) -> tuple[str, str]:
    found = _NAMED.fullmatch(rest)
    if not found:
        raise BadQuestion("Which alert? Give its name.", f"/{command} alerts")
    return (found[1] or found[2]).strip(), found[3].strip()
