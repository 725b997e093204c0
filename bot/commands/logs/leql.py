"""LEQL, the query language of logs: clauses found among the words of a question, and conditions made
from values (pure).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from bot.errors import BadQuestion
from bot.questions.context import Context

_CLAUSE_INSIDE = re.compile(r"(?i)\b(calculate|groupby|timeslice|sort|having)\s*\(")
_WHERE = re.compile(r"(?i)(?:^|(?<=[\s,)]))where\s*\(")


def split_where_clause(text: str, context: Context) -> tuple[str, str]:
    """The text without its `where(…)`, and that clause. Brackets inside quotes and regular
    expressions do not count.
    """
    match = _WHERE.search(text)
    if not match:
        return text, ""
    start = match.start()
    end, bare = find_closing(text, match.end())
    if end is None:
        raise BadQuestion(
            "The where(…) is not closed: a bracket or a quote is missing.",
            context.working(f"{text[:start].rstrip()} where(/error/i)"),
        )
    clause = "where" + text[match.end() - 1 : end]
    if not clause[6:-1].strip():
        raise BadQuestion(
            "The where(…) is empty.", context.instead(text[start:end], "where(/error/i)")
        )
    if inside := _CLAUSE_INSIDE.search(bare):
        raise BadQuestion(
            f"{inside[1].lower()}(…) belongs after the where(…), not in it.",
            context.working(f"{text[:start]}where(/error/i) {text[end:]}"),
        )
    return f"{text[:start]} {text[end:]}", clause


def find_closing(text: str, at: int) -> tuple[int | None, str]:
    """The position after the bracket that closes the one before `at`, and the text before it
    without quotes and regular expressions.
    """
    depth = 1
    inside = ""
    previous = "("
    bare: list[str] = []
    while at < len(text):
        char = text[at]
        if inside:
            if char == "\\" and at + 1 < len(text):
                at += 1
            elif text.startswith(inside, at):
                at += len(inside) - 1
                inside = ""
        elif text.startswith(_TRIPLE, at):
            inside = text[at : at + 3]
            at += 2
        # A slash begins a regular expression only where a value may begin; elsewhere it divides or
        # is part of a path.
        elif char in "\"'" or (char == "/" and previous in "(,=!~& |"):
            inside = char
        else:
            bare.append(char)
            depth += (char == "(") - (char == ")")
            if depth == 0:
                return at + 1, "".join(bare)
        previous = text[at] if not text[at].isspace() or previous in "(,=!~&|" else " "
        at += 1
    return None, ""


_TRIPLE = ('"""', "'''")


def pattern_of(text: str) -> str:
    """A regular expression that finds the text itself."""
    return f"/{re.sub(r'([^A-Za-z0-9_ :=-])', _escaped, text)}/i"


def _escaped(match: re.Match[str]) -> str:
    return f"\\{match[1]}" if match[1].isascii() else match[1]


def with_conditions(leql: str, conditions: Sequence[str]) -> str:
    """The where(…) with more conditions."""
    if not conditions:
        return leql
    both = " AND ".join(conditions)
    # In brackets, because AND binds before OR.
    return f"where(({leql[6:-1]}) AND {both})" if leql else f"where({both})"


def equals(key: str, value: str) -> str:
    """The condition that a key has a value, in the quotes that the value leaves room for. Empty where
    it leaves none, or has characters that no question has.
    """
    if not value.isprintable():
        return ""
    for quote in ('"', "'", "'''"):
        # Three quotes hold anything but three of them, also at the end.
        if quote[0] not in value or (len(quote) == 3 and quote not in f"{value}'"):
            return "" if "\\" in value else f"{key}={quote}{value}{quote}"
    return ""


# How programs write each level. The words of a level field are of any case, and a level without a
# field is in capitals.
LEVELS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "fatal": ("FATAL", "CRITICAL", "CRIT", "EMERG", "ALERT", "PANIC"),
        "error": ("ERROR", "ERR", "SEVERE"),
        "warn": ("WARN", "WARNING"),
        "info": ("INFO", "NOTICE", "INFORMATION"),
        "debug": ("DEBUG", "FINE"),
        "trace": ("TRACE", "FINEST", "VERBOSE"),
    }
)


def level_named(word: str) -> str:
    """The level that a word names; empty where it names none."""
    upper = word.upper().removesuffix("S")
    return next((level for level, names in LEVELS.items() if upper in names), "")


def level_condition(levels: Sequence[str]) -> str:
    """The condition that a line is of one of the levels. The query language knows no levels of its
    own, so it finds a level field, or a word in capitals between spaces or brackets.
    """
    # Inside a regular expression, since a level is found in text of any format.
    names = "|".join(name for level in levels for name in LEVELS[level])
    in_field = rf"/(level|severity|lvl|levelname)[\"']?\s*[:=]\s*[\"']?({names})\b/i"
    return rf"({in_field} OR /(^|[^\w.=\/-])({names})(:|\]|\s|$)/)"
