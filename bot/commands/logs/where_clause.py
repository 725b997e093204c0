"""The `where(…)` of `/logs`: found among the words, and made from patterns."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.errors import BadQuestion
from bot.questions.context import Context

_CALCULATION = re.compile(r"(?i)\b(calculate|groupby|timeslice|sort)\s*\(")


def split_where_clause(text: str, context: Context) -> tuple[str, str]:
    """The text without its `where(…)`, and that clause. Brackets inside quotes and regular
    expressions do not count.
    """
    match = re.search(r"(?i)(?:^|\s)where\s*\(", text)
    if not match:
        return text, ""
    start = match.start() + (0 if text[match.start()] in "wW" else 1)
    end, bare = _closing(text, match.end())
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
    if _CALCULATION.search(f"{bare} {text[end:]}"):
        raise BadQuestion(
            "A log download takes where(…) alone; calculate and groupby belong to queries.",
            context.working(text[:end]),
        )
    return f"{text[:start]} {text[end:]}", clause


def _closing(text: str, at: int) -> tuple[int | None, str]:
    """The place behind the bracket that closes the one before `at`, and what stands before it
    outside quotes and regular expressions.
    """
    depth, inside = 1, ""
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
        elif text.startswith('"""', at):
            inside, at = '"""', at + 2
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


def pattern_of(text: str) -> str:
    """A regular expression that finds the text itself."""
    return f"/{re.sub(r'([^A-Za-z0-9_ :=-])', _escaped, text)}/i"


def _escaped(match: re.Match[str]) -> str:
    return f"\\{match[1]}" if match[1].isascii() else match[1]


def with_patterns(leql: str, patterns: Sequence[str]) -> str:
    """The where(…) with the patterns in it, too."""
    if not patterns:
        return leql
    both = " AND ".join(patterns)
    return f"where(({leql[6:-1]}) AND {both})" if leql else f"where({both})"
