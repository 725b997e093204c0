"""The words by which people have something watched, and have it quiet: `alert`, `alerts`, `unalert`, `silence`, `unsilence` (pure)."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from bot import words
from bot.alerts.rule import DEFAULTS, NAME, SHORTEST_EVERY, SUBJECTS, VALUES, has_value
from bot.errors import BadQuestion
from bot.question import CommandName, Directory, example
from bot.words import inert

WORDS = ("alert", "alerts", "unalert", "silence", "unsilence")
LONGEST_SILENCE = timedelta(days=365)
_SIDE = re.compile(r"(?i)(?<!\S)(above|below)(?!\S)")
_AMOUNT = r"[\d.,_]+(?:\s*(?:[kmgtp]?b\b|%))?"
_OPTION = re.compile(
    rf"(?i)\s*(?:(recover)\s+({_AMOUNT})|(every|for|repeat|keep)\s+(\d+\s*[smhd])|(each|nodata)\s+([a-z]+)|(as)\s+(\S+))(?=\s|$)"
)
_NAMED = re.compile(r'(?s)\s*(?:"([^"]+)"|(\S+))\s*(.*)')


@dataclass(frozen=True, slots=True)
class Alert:
    """Watch a value of this question. `name` is empty where one is to be found."""

    words: str
    value: str
    side: Literal["above", "below"]
    threshold: float
    recover: float | None = None
    every: timedelta = timedelta(minutes=15)
    hold: timedelta = timedelta(0)
    keep: timedelta = timedelta(0)
    repeat: timedelta | None = None
    each: str = ""
    no_data: str = "hold"
    name: str = ""


@dataclass(frozen=True, slots=True)
class Unalert:
    name: str


@dataclass(frozen=True, slots=True)
class Silence:
    """Quiet for so long; None until tomorrow."""

    name: str
    length: timedelta | None
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Unsilence:
    name: str


AlertWish = Alert | Unalert | Silence | Unsilence | Literal["list"]


def read_alert_wish(command: CommandName, text: str, directory: Directory) -> AlertWish | None:
    """What is wished for, or None where the words are something else. Raises BadQuestion."""
    verb, _, rest = text.strip().partition(" ")
    verb, rest = verb.lower(), rest.strip()
    if verb == "alerts":
        return "list"
    if verb == "alert":
        return _alert(command, rest, directory)
    if verb in ("unalert", "unsilence"):
        name, more = _name(rest, command)
        if more:
            raise BadQuestion("One alert at a time, please.", f"/{command} {verb} {name}")
        return Unalert(name) if verb == "unalert" else Unsilence(name)
    return _silence(command, rest) if verb == "silence" else None


def alert_example(command: CommandName, directory: Directory) -> str:
    """An alert of this command that works with the accounts there are."""
    asked = example(command, directory).partition(" ")[2]
    if command == "usage":
        return f"/usage alert {asked.replace('last 7 days', 'today')} above 5 GB every 15m"
    if command == "apiaudit":
        return f"/apiaudit alert {asked.replace('24h failures', 'last 1h')} failures above 20 for 10m"
    return f"/logs alert {asked.replace('last 20 mins', 'where(/timeout/) last 15m')} lines above 100"


def _alert(command: CommandName, rest: str, directory: Directory) -> Alert:
    shown = alert_example(command, directory)
    sides = list(_SIDE.finditer(rest))
    if not sides:
        raise BadQuestion("What is too much? Say above or below, and how much.", shown)
    # The last one that everything behind it fits to; one before it belongs to the question, such as to a where(…).
    for side in reversed(sides):
        try:
            threshold, options = _tail(rest[side.end() :], shown)
        except BadQuestion:
            if side is sides[0]:
                raise
            continue
        return _read(command, rest[: side.start()], side[1].lower(), threshold, options, shown)
    raise AssertionError("the first side is read or raises")


def _tail(text: str, shown: str) -> tuple[str, Mapping[str, str]]:
    """The threshold and the options behind it."""
    amount = re.match(rf"(?i)\s*({_AMOUNT})(?=\s|$)", text)
    if not amount:
        said = inert(text.strip().partition(" ")[0], 40)
        raise BadQuestion(f"“{said}” is no threshold." if said else "Above or below what?", shown)
    options: dict[str, str] = {}
    at = amount.end()
    while text[at:].strip():
        option = _OPTION.match(text, at)
        if not option:
            said = inert(text[at:].strip(), 40)
            raise BadQuestion(
                f"I do not understand “{said}”; there are recover, every, for, repeat, keep, each, nodata and as.", shown
            )
        name, value = [part for part in option.groups() if part]
        if name.lower() in options:
            raise BadQuestion(f"`{name.lower()}` stands twice.", shown)
        options[name.lower()] = value
        at = option.end()
    return amount[1], options


def _read(command: CommandName, before: str, side: str, threshold: str, options: Mapping[str, str], shown: str) -> Alert:
    asked, value = _value_of(command, before.strip())
    lengths = {word: _length(word, options[word], shown) for word in ("every", "for", "repeat", "keep") if word in options}
    amount = _amount(threshold, value, shown)
    recover = _amount(options["recover"], value, shown) if "recover" in options else None
    if recover is not None and (recover > amount if side == "above" else recover < amount):
        raise BadQuestion("recover lies on the calm side of the threshold.", shown)
    if lengths.get("every", SHORTEST_EVERY) < SHORTEST_EVERY:
        raise BadQuestion("every is at least 5s.", shown)
    each, no_data, name = options.get("each", "").lower(), options.get("nodata", "hold").lower(), options.get("as", "")
    if each and each not in SUBJECTS[command]:
        able = " or ".join(SUBJECTS[command])
        raise BadQuestion(f"each takes {able}." if able else f"/{command} has nothing to take each of.", shown)
    if no_data not in ("hold", "alert", "ok"):
        raise BadQuestion("nodata takes hold, alert or ok.", shown)
    if name and not NAME.fullmatch(name):
        raise BadQuestion("A name is letters, digits, dots and dashes.", f"{shown} as ingest-spike")
    rest: dict[str, Any] = {"every": lengths["every"]} if "every" in lengths else {}
    return Alert(
        asked, value, side, amount, recover, hold=lengths.get("for", timedelta(0)), keep=lengths.get("keep", timedelta(0)),  # type: ignore[arg-type]
        repeat=lengths.get("repeat") or None, each=each, no_data=no_data, name=name, **rest,
    )  # fmt: skip


def _value_of(command: CommandName, asked: str) -> tuple[str, str]:
    """The question, and the value that is named right behind it, or the usual one."""
    head, _, last = asked.rpartition(" ")
    if has_value(command, last.lower()):
        return head.strip(), last.lower()
    return asked, DEFAULTS[command]


def value_meant(command: CommandName, asked: str) -> str:
    """The value that the last word of a question was probably meant to be, or nothing."""
    near = difflib.get_close_matches(asked.rpartition(" ")[2].lower(), VALUES[command], n=1, cutoff=0.75)
    return near[0] if near else ""


def _amount(text: str, value: str, shown: str) -> float:
    plain = text.strip().rstrip("%").strip().replace(",", "").replace("_", "")
    if plain.replace(".", "", 1).isdigit():
        return float(plain)
    size = words.read_size(plain)
    if size is None or not (value == "bytes" or "bytes" in value):
        raise BadQuestion(f"“{inert(text.strip(), 40)}” is no threshold for {value}.", shown)
    return float(size)


def _length(word: str, text: str, shown: str) -> timedelta:
    length = words.read_duration(text)
    if length is None:
        raise BadQuestion(f"“{word}” takes a duration such as 15m, 4h or 2d.", shown)
    return length


def _silence(command: CommandName, rest: str) -> Silence:
    name, more = _name(rest, command)
    shown = f'/{command} silence {words.quoted(name)} 2h "planned load test"'
    found = re.fullmatch(r"(?is)(?:for\s+)?(\d+\s*[smhd]|until\s+tomorrow)(?:\s+(.+))?", more)
    if not found:
        raise BadQuestion("For how long? Say a duration such as 30m, 2h or 1d, or until tomorrow.", shown)
    comment = (found[2] or "").strip().strip('"').strip()
    if found[1].lower().startswith("until"):
        return Silence(name, None, inert(comment, 500))
    length = words.read_duration(found[1])
    if not length or length > LONGEST_SILENCE:
        raise BadQuestion("A silence lasts between a second and a year.", shown)
    return Silence(name, length, inert(comment, 500))


def _name(rest: str, command: CommandName) -> tuple[str, str]:
    found = _NAMED.fullmatch(rest)
    if not found:
        raise BadQuestion("Which alert? Give its name.", f"/{command} alerts")
    return (found[1] or found[2]).strip(), found[3].strip()
