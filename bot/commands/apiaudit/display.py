"""What an audit answer shows: the calls one by one, counts by another column, or what is new
(pure).

`calls`, `calls 50`, `newest 50 calls`, `slowest 10`; `by ip`, `by client by code`; `new ip`, `new actor in 14d`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from msgspec import Struct

from bot.commands.apiaudit.novelty import KINDS, USUAL_DAYS
from bot.questions.windows import strip_punctuation

USUAL_CALLS = 20
# A table of Slack has so many rows.
MOST_CALLS = 100
# The columns that calls can be counted by, as people type them.
GROUPS: Mapping[str, str] = MappingProxyType(
    {
        "ip": "ip",
        "client": "client",
        "org": "organisation",
        "host": "host",
        "code": "status",
        "who": "actor",
        "action": "action",
        "account": "account",
    }
)
_OTHER_GROUPS: Mapping[str, str] = MappingProxyType(
    {
        "ips": "ip",
        "address": "ip",
        "clients": "client",
        "credential": "client",
        "credentials": "client",
        "addresses": "ip",
        "organisation": "org",
        "organization": "org",
        "organisations": "org",
        "organizations": "org",
        "orgs": "org",
        "server": "host",
        "servers": "host",
        "hosts": "host",
        "status": "code",
        "codes": "code",
        "actor": "who",
        "actors": "who",
        "user": "who",
        "users": "who",
        "person": "who",
        "persons": "who",
        "people": "who",
        "caller": "who",
        "callers": "who",
        "actions": "action",
        "method": "action",
        "methods": "action",
        "operation": "action",
        "operations": "action",
        "command": "action",
        "accounts": "account",
    }
)
_OTHER_KINDS: Mapping[str, str] = MappingProxyType(
    {
        "actors": "actor",
        "who": "actor",
        "user": "actor",
        "users": "actor",
        "person": "actor",
        "people": "actor",
        "caller": "actor",
        "callers": "actor",
        "ips": "ip",
        "address": "ip",
        "addresses": "ip",
        "actions": "action",
        "method": "action",
        "methods": "action",
        "command": "action",
        "commands": "action",
        "clients": "client",
    }
)
_BEFORE = frozenset({"in", "vs", "versus", "against", "over"})
# `compared to the last 14 days`
_COMPARED = frozenset({"compared"})
_AFTER_COMPARED = frozenset({"to", "with"})
_BEFORE_DAYS = frozenset({"the", "last", "past", "previous", "prior", "preceding"})
_WINDOW_WORD = re.compile(r"(?:last|past|this|today|yesterday|since|now|\d{1,6}[a-z]{1,7})(?:-.*)?")
# `group by ip`, `grouped by ip`
_GROUPED = frozenset({"group", "grouped", "grouping", "split", "broken", "down"})
_DAYS = re.compile(r"(\d{1,4})(d|days?|w|weeks?)")
_NUMBER = re.compile(r"\d{1,9}")
_NEWEST = frozenset({"newest", "latest"})
# A number before one of these is the length of a window.
_UNIT = re.compile(
    r"(?:ms|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|wks?|weeks?|months?|years?|quarters?)"
)


class Display(Struct, frozen=True):
    """What to show. `calls` is how many calls are listed one by one, or None; `by` the columns that
    calls are counted by, as they are typed, or none for the usual tables. `new` are the kinds of
    values of which the new ones are listed; they are compared with so many `days` before.
    """

    calls: int | None = None
    by: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    days: int = USUAL_DAYS
    # Whether the listed calls are those that took the longest.
    slowest: bool = False

    @property
    def words(self) -> list[str]:
        """The words it can be typed with again."""
        name = "slowest" if self.slowest else "calls"
        listed = [] if self.calls is None else [f"{name} {self.calls}"]
        if self.calls == USUAL_CALLS:
            listed = [name]
        new = [f"new {name}" for name in self.new]
        if new and self.days != USUAL_DAYS:
            new.append(f"in {self.days}d")
        return [*listed, *(f"by {name}" for name in self.by), *new]


SUMMARY = Display()


def split_display(words: Sequence[str]) -> tuple[Display, list[str]]:
    """What the words ask to show, and the words that are left."""
    new, days, left = _split_new(list(words))
    by, left = _split_groups(left)
    slowest, left = _split_slowest(left)
    calls, left = _split_calls(left)
    if slowest is not None:
        calls = slowest
    return Display(calls, by, new, days, slowest is not None), left


def _split_new(words: list[str]) -> tuple[tuple[str, ...], int, list[str]]:
    """The kinds after each `new`, or all if there are none, and the days that they are compared
    with, as in `new ip in 14d`. In `new ip in last 7 days` these are the window.
    """
    kinds: list[str] = []
    days = USUAL_DAYS
    left: list[str] = []
    at = 0
    # By places and not by a pattern, since what follows `new` decides how far it reaches.
    while at < len(words):
        if words[at].lower() != "new":
            left.append(words[at])
            at += 1
            continue
        named, at = _kinds(words, at + 1)
        kinds += named or KINDS
        before = _days_before(words, at, is_compared=_names_window(left))
        if before:
            days, at = before
    return tuple(dict.fromkeys(kinds)), days, left


def _kinds(words: Sequence[str], at: int) -> tuple[list[str], int]:
    """The kinds from a word on, and where the words after them begin."""
    found: list[str] = []
    while at < len(words):
        plain = strip_punctuation(words[at].lower())
        kind = plain if plain in KINDS else _OTHER_KINDS.get(plain, "")
        # `new ip and actor`: the word between two kinds belongs to them.
        is_between = bool(found) and plain in ("and", "or") and at + 1 < len(words)
        if not kind and not is_between:
            break
        # An IP address is one kind.
        found += [kind] if kind else []
        at += 1
    return found, at


def _days_before(words: Sequence[str], at: int, *, is_compared: bool) -> tuple[int, int] | None:
    """The days of `in 14d`, and where the words after them begin. Those of `in the last 14 days`
    only if the words say with what the window `is_compared`, and are no window themselves.
    """
    plain = [word.lower() for word in words]
    if at >= len(plain) or plain[at] not in _BEFORE | _COMPARED:
        return None
    begin = at + 1
    if plain[at] in _COMPARED:
        is_compared = True
        begin += begin < len(plain) and plain[begin] in _AFTER_COMPARED
    while is_compared and begin < len(plain) and plain[begin] in _BEFORE_DAYS:
        begin += 1
    # `14d`, and `14 days`.
    for end in (begin + 1, begin + 2):
        if found := _DAYS.fullmatch("".join(plain[begin:end])):
            return int(found[1]) * (7 if found[2].startswith("w") else 1), end
    return None


def _names_window(words: Sequence[str]) -> bool:
    """Whether the words before `new` name a window, so that those behind it are another one."""
    return any(_WINDOW_WORD.fullmatch(word.lower()) for word in words)


def _split_groups(words: list[str]) -> tuple[tuple[str, ...], list[str]]:
    names: list[str] = []
    left: list[str] = []
    at = 0
    while at < len(words):
        name = _group(words[at + 1]) if at + 1 < len(words) and _is_by(words[at]) else ""
        if name:
            names.append(name)
            at += 2
            # `group by ip`, `broken down by ip`
            while left and left[-1].lower() in _GROUPED:
                left.pop()
        else:
            left.append(words[at])
            at += 1
    return tuple(dict.fromkeys(names)), left


def _is_by(word: str) -> bool:
    return word.lower() in ("by", "per")


def _group(word: str) -> str:
    return column_named(strip_punctuation(word.lower()))


def column_named(plain: str) -> str:
    """The column that a word names, as people type it; empty for another word."""
    return plain if plain in GROUPS else _OTHER_GROUPS.get(plain, "")


def _split_calls(words: list[str]) -> tuple[int | None, list[str]]:
    """How many calls to list, or None, and the other words. A number is right after `calls` or
    right before it.
    """
    plain = [strip_punctuation(word.lower()) for word in words]
    if "calls" not in plain:
        return None, words
    number, first, last = _number_beside("calls", plain)
    # `last 5 calls`
    if first and plain[first] != "calls" and plain[first - 1] == "last":
        first -= 1
    if first and plain[first - 1] in _NEWEST:
        first -= 1
    return number, words[:first] + words[last:]


def _split_slowest(words: list[str]) -> tuple[int | None, list[str]]:
    """How many of the slowest calls to list, or None, and the other words: `slowest`, `slowest 10
    calls`, `10 slowest`.
    """
    plain = [strip_punctuation(word.lower()) for word in words]
    if "slowest" not in plain:
        return None, words
    number, first, last = _number_beside("slowest", plain)
    if plain[last : last + 1] in (["calls"], ["requests"]):
        last += 1
    return number, words[:first] + words[last:]


def _number_beside(word: str, words: Sequence[str]) -> tuple[int, int, int]:
    """The number right behind a word or right before it, or else the usual one, and where word and
    number begin and end.
    """
    at = words.index(word)
    # Behind it first: in `last 2h calls 50` the number before is the window's.
    if _is_number(words, at + 1):
        return int(words[at + 1]), at, at + 2
    if at and _NUMBER.fullmatch(words[at - 1]):
        return int(words[at - 1]), at - 1, at + 1
    return USUAL_CALLS, at, at + 1


def _is_number(words: Sequence[str], at: int) -> bool:
    """Whether a word is a number that is not the length of a window, such as `2 hours`."""
    if at >= len(words) or not _NUMBER.fullmatch(words[at]):
        return False
    return at + 1 >= len(words) or not _UNIT.fullmatch(words[at + 1])
