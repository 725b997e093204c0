"""What the words of a question want to see of a log (pure): `count by path`, `newest 50`, `follow`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta

from msgspec import Struct, field

from bot.commands.logs.calculation import (
    COUNT,
    FUNCTIONS,
    KEY,
    Calculation,
    is_calculation,
    read_calculation,
)
from bot.commands.logs.clauses import (
    HAVING,
    UNITS,
    Clauses,
    read_keys,
    read_length,
    read_timeslice,
    read_whole_number,
)
from bot.commands.logs.display import (
    LONGEST_FOLLOW,
    MOST_GROUPS,
    MOST_KEYS,
    MOST_LINES,
    SHORTEST_FOLLOW,
    USUAL_LINES,
    Display,
    Entries,
    Follow,
    Statistic,
)
from bot.commands.logs.leql import level_named
from bot.errors import BadQuestion
from bot.formatting import join_words, sanitise
from bot.questions.context import Context
from bot.questions.window_words import NO_NAMES
from bot.questions.windows import FILLER_WORDS, strip_punctuation


class _Found(Struct):
    """What was found among the words so far."""

    calculation: Calculation | None = None
    group_by: list[str] = field(default_factory=list)
    top: int | None = None
    ascending: bool = False
    step: timedelta | None = None
    slices: int = 0
    entries: Entries | None = None
    follow: Follow | None = None
    levels: list[str] = field(default_factory=list)


class Words(Struct, frozen=True):
    """What some words ask for: what to show, the levels of the lines, and the words that are left."""

    display: Display
    levels: tuple[str, ...]
    others: list[str]


def read_display(
    words: Sequence[str], clauses: Clauses, limit: int | None, context: Context
) -> Words:
    """What the words and clauses ask to see. `limit` is that of the question, which of groups is
    their number.
    """
    reader = _Reader(list(words), context)
    others = reader.others()
    found = reader.found
    _apply_clauses(found, clauses, context)
    is_statistic = bool(
        found.calculation or found.group_by or found.step or found.slices or clauses.having
    )
    is_statistic = is_statistic or found.top is not None
    shown = [
        name
        for name, is_wanted in (
            ("a calculation", is_statistic),
            ("newest or oldest lines", found.entries is not None),
            ("follow", found.follow is not None),
        )
        if is_wanted
    ]
    if len(shown) > 1:
        raise BadQuestion(
            f"{join_words(shown)[0].upper()}{join_words(shown)[1:]} cannot be combined.",
            context.example,
        )
    display = _statistic(found, clauses, limit, context) if is_statistic else None
    return Words(display or found.entries or found.follow, tuple(found.levels), others)


def _statistic(found: _Found, clauses: Clauses, limit: int | None, context: Context) -> Statistic:
    if not found.group_by and (found.top is not None or clauses.having):
        word = "top" if found.top is not None else "having(…)"
        raise BadQuestion(
            f"{word} is about groups, which groupby(…) makes.",
            context.working(f"{context.example.partition(' ')[2]} groupby(path) top 10"),
        )
    top = found.top if found.top is not None else limit
    if top is not None and found.group_by and not 1 <= top <= MOST_GROUPS:
        raise BadQuestion(
            f"top takes a number from 1 to {MOST_GROUPS}.",
            context.instead(f"top {top}", "top 10"),
        )
    return Statistic(
        found.calculation or COUNT,
        tuple(dict.fromkeys(found.group_by)),
        clauses.having,
        top if found.group_by else None,
        found.ascending,
        found.step,
        found.slices,
    )


def _apply_clauses(found: _Found, clauses: Clauses, context: Context) -> None:
    if clauses.calculate:
        found.calculation = read_calculation(clauses.calculate, context)
    if clauses.groupby:
        found.group_by += read_keys(clauses.groupby, context)
    if clauses.timeslice:
        found.step, found.slices = read_timeslice(clauses.timeslice, context)
    if clauses.limit:
        found.top = read_whole_number(clauses.limit.partition(",")[0], "limit", context)
    if clauses.sort:
        direction = clauses.sort.lower()
        if direction not in ("asc", "desc"):
            raise BadQuestion("sort takes asc or desc.", context.instead(clauses.sort, "desc"))
        found.ascending = direction == "asc"
    if clauses.having and not HAVING.fullmatch(clauses.having):
        raise BadQuestion(
            f"“having({sanitise(clauses.having, 40)})” cannot be read; having takes a comparison such as "
            "having(count>10).",
            context.instead(clauses.having, "count>10"),
        )
    if len(found.group_by) > MOST_KEYS:
        raise BadQuestion(f"groupby takes at most {MOST_KEYS} keys.", context.example)


# Functions that may be followed by their key as a word; `min` is also a unit of time.
_BEFORE_KEY = frozenset(FUNCTIONS) - {"count", "bytes", "min", "percentile", "pctl"}
_LEVEL = re.compile(r"(?i)(?:level|severity|loglevel|lvl)s?[:=]([\w,|]{1,60})")
_KEYS = re.compile(rf"{KEY}(?:,{KEY}){{0,9}},?")
_PERCENTILE = re.compile(r"p\d{1,2}")
# Separate words after `top 10`.
_RESERVED = frozenset(FUNCTIONS) | {
    "by",
    "per",
    "group",
    "groupby",
    "timeslice",
    "newest",
    "latest",
    "oldest",
    "earliest",
    "first",
    "head",
    "tail",
    "live",
    "follow",
}
_NO_KEYS = NO_NAMES | FILLER_WORDS


class _Reader(Struct):
    """Takes the known words out of a question."""

    words: list[str]
    context: Context
    found: _Found = field(default_factory=_Found)
    at: int = 0

    def others(self) -> list[str]:
        """The words that are left once all known ones were taken out."""
        left: list[str] = []
        while self.at < len(self.words):
            if not self._takes_one():
                left.append(self.words[self.at])
                self.at += 1
        return left

    def _word(self, ahead: int = 0) -> str:
        at = self.at + ahead
        return strip_punctuation(self.words[at].lower()) if at < len(self.words) else ""

    def _takes_one(self) -> bool:
        return (
            self._level()
            or self._calculation()
            or self._group()
            or self._timeslice()
            or self._top()
            or self._entries()
            or self._follow()
        )

    def _level(self) -> bool:
        match = _LEVEL.fullmatch(self._word())
        if not match:
            return False
        for word in re.split(r"[,|]", match[1]):
            level = level_named(word)
            if word and not level:
                raise BadQuestion(
                    f"“{sanitise(word, 40)}” is not a level; the levels are fatal, error, warn, info, "
                    "debug and trace.",
                    self.context.instead(self.words[self.at], "level:error"),
                )
            self.found.levels += [level] if level and level not in self.found.levels else []
        return self._done(1)

    def _calculation(self) -> bool:
        word = self._word()
        following = self._word(1)
        if word == "count":
            self.found.calculation = self.found.calculation or COUNT
            return self._done(1)
        if is_calculation(word):
            self.found.calculation = read_calculation(
                strip_punctuation(self.words[self.at]), self.context
            )
            return self._done(1)
        # `avg duration` and `avg of duration`
        if word not in _BEFORE_KEY and not _PERCENTILE.fullmatch(word):
            return False
        of = following == "of"
        if not self._is_key(2 if of else 1):
            return False
        key = strip_punctuation(self.words[self.at + (2 if of else 1)])
        self.found.calculation = read_calculation(f"{word}:{key}", self.context)
        return self._done(3 if of else 2)

    def _group(self) -> bool:
        word = self._word()
        begins = 2 if word == "group" and self._word(1) == "by" else 1
        if begins == 1 and word not in ("by", "per", "groupby"):
            return False
        named = self._word(begins)
        if step := UNITS.get(named) or read_length(named):
            self.found.step = step
            return self._done(begins + 1)
        if not self._is_key(begins):
            return False
        last = begins
        # `by path, status`
        while self._has_comma(last) and self._is_key(last + 1):
            last += 1
        typed = ",".join(self.words[self.at + begins : self.at + last + 1])
        self.found.group_by += read_keys(typed.rstrip(";?!"), self.context)
        return self._done(last + 1)

    def _timeslice(self) -> bool:
        if self._word() != "timeslice":
            return False
        self.found.step, self.found.slices = read_timeslice(self._word(1), self.context)
        return self._done(2)

    def _top(self) -> bool:
        word = self._word()
        number = self._word(1)
        if word not in ("top", "bottom") or not number.isdecimal():
            return False
        self.found.top = read_whole_number(number, word, self.context)
        self.found.ascending = word == "bottom"
        if self._word(2) in _RESERVED or not self._is_key(2):
            return self._done(2)
        # `top 10 path`
        self.found.group_by += read_keys(self.words[self.at + 2].rstrip(",;?!"), self.context)
        return self._done(3)

    def _entries(self) -> bool:
        """`newest 50`, `oldest`, `last 20 lines`, and `tail -50` of a shell."""
        if self._shell():
            return True
        word = self._word()
        number = self._word(1)
        is_number = number.replace(",", "").isdecimal() and len(number) <= 9
        names_lines = self._word(2 if is_number else 1) in ("lines", "entries", "events", "line")
        is_entries = word in ("newest", "latest", "oldest", "earliest")
        # `first 5` is no window, unlike `last 5` and `first 5 days`.
        is_first = word == "first" and is_number and self._word(2) not in NO_NAMES
        if not (is_entries or is_first) and not (word == "last" and is_number and names_lines):
            return False
        is_one = names_lines and self._word(1) == "line"
        lines = int(number.replace(",", "")) if is_number else 1 if is_one else USUAL_LINES
        if not 1 <= lines <= MOST_LINES:
            raise BadQuestion(
                f"{word} takes a number of lines from 1 to {MOST_LINES:,}; for more, limit brings "
                "a file.",
                self.context.instead(
                    f"{self.words[self.at]} {self.words[self.at + 1]}", "newest 50"
                ),
            )
        self.found.entries = Entries(lines, word in ("newest", "latest", "last"))
        return self._done(1 + is_number + names_lines)

    def _shell(self) -> bool:
        """`tail 50`, `tail -n 50` and `head -50`."""
        word = self._word()
        ahead = 2 if self._word(1) == "-n" else 1
        number = self._word(ahead).removeprefix("-")
        if word not in ("tail", "head") or self._word(1) == "-f":
            return False
        is_number = number.isdecimal() and len(number) <= 4
        # Cut to what is possible, since a habit from the shell is not a mistake.
        lines = int(number) if is_number else USUAL_LINES
        self.found.entries = Entries(max(1, min(lines, MOST_LINES)), word == "tail")
        return self._done(ahead + 1 if is_number else 1)

    def _follow(self) -> bool:
        is_tail = self._word() in ("tail", "live") and self._word(1) in ("-f", "tail")
        if is_tail:
            self.at += 1
        elif self._word() not in ("follow", "live"):
            return False
        begins = 2 if self._word(1) == "for" else 1
        typed = " ".join(filter(None, (self._word(begins), self._word(begins + 1))))
        two_words = read_length(typed)
        length = two_words or read_length(self._word(begins))
        taken = begins + 2 if two_words and " " in typed else begins + 1
        if length is None:
            self.found.follow = Follow()
            return self._done(1)
        if not SHORTEST_FOLLOW <= length <= LONGEST_FOLLOW:
            raise BadQuestion(
                "follow takes a time from 10 seconds to 10 minutes.",
                self.context.instead(" ".join(self.words[self.at : self.at + taken]), "follow"),
            )
        self.found.follow = Follow(length)
        return self._done(taken)

    def _has_comma(self, ahead: int) -> bool:
        return self.words[self.at + ahead].endswith(",")

    def _is_key(self, ahead: int) -> bool:
        """Whether a word may be the name of a key, and no word of a window."""
        word = self._word(ahead)
        return bool(_KEYS.fullmatch(word)) and word not in _NO_KEYS

    def _done(self, count: int) -> bool:
        self.at += count
        return True
