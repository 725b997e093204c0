"""The clauses of LEQL with brackets among the words of a question (pure)."""

from __future__ import annotations

import re
from datetime import timedelta

from msgspec import Struct

from bot.commands.logs.calculation import FUNCTIONS, KEY
from bot.commands.logs.display import MOST_GROUPS, MOST_SLICES
from bot.commands.logs.leql import find_closing
from bot.errors import BadQuestion
from bot.formatting import sanitise
from bot.questions.amounts import AmbiguousAmount, read_duration
from bot.questions.context import Context

HAVING = re.compile(
    rf"[A-Za-z]{{1,20}}(?:\(\d{{1,3}}\))?(?::{KEY})?\s*(?:>=|<=|!=|=|>|<)\s*-?\d{{1,15}}(?:\.\d{{1,6}})?"
)

# What a slice is called, as in `per hour`.
UNITS = {
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
}


class Clauses(Struct, frozen=True):
    """The clauses with brackets among the words, by name."""

    calculate: str = ""
    groupby: str = ""
    having: str = ""
    sort: str = ""
    limit: str = ""
    timeslice: str = ""


_BRACKETED = re.compile(
    r"(?i)(?<![\w.\x22])(?:(calculate|group\s?by|having|sort|limit|timeslice)|([a-z]{1,20}\d{0,2}))\s*\("
)


def split_clauses(text: str, context: Context) -> tuple[str, Clauses]:
    """The text without the clauses that have brackets, and these. `avg(duration)` is a calculation."""
    found: dict[str, str] = {}
    kept: list[str] = []
    at = 0
    while match := _BRACKETED.search(text, at):
        name = re.sub(r"\s", "", (match[1] or "calculate").lower())
        end, _ = find_closing(text, match.end())
        # `p95(duration)` is a function, too.
        word = (match[2] or "").lower().rstrip("0123456789")
        if word == "where":
            raise BadQuestion(
                "where(…) is given twice; AND joins conditions, as in where(a AND b).",
                context.instead(text[match.start() : end or len(text)], ""),
            )
        if word and word not in FUNCTIONS and word != "p":
            raise BadQuestion(
                f"“{sanitise(match[2], 40)}(…)” is not a clause; the clauses are where, groupby, "
                "calculate, having, sort, limit and timeslice.",
                context.instead(text[match.start() : end or len(text)], ""),
            )
        if end is None:
            raise BadQuestion(
                f"The {name}(…) is not closed: a bracket is missing.",
                context.working(text[: match.start()]),
            )
        if not text[match.end() : end - 1].strip():
            raise _empty(name, text[match.start() : end], context)
        if name in found:
            raise BadQuestion(
                f"{name}(…) is given twice.", context.instead(text[match.start() : end], "")
            )
        inside = text[match.end() : end - 1]
        if match[2]:
            inside, end = _bare_calculation(text, match, inside, end)
        found[name] = inside.strip()
        kept.append(text[at : match.start()])
        at = end
    return " ".join([*kept, text[at:]]) if kept else text, Clauses(**found)


_USUAL = {
    "calculate": "calculate(count)",
    "groupby": "groupby(path)",
    "having": "having(count>10)",
    "sort": "sort(desc)",
    "limit": "limit(10)",
    "timeslice": "timeslice(1h)",
}


def _empty(name: str, typed: str, context: Context) -> BadQuestion:
    return BadQuestion(
        f"{name}(…) is empty; it needs a key or a value, such as {_USUAL[name]}.",
        context.instead(typed, _USUAL[name]),
    )


def _bare_calculation(text: str, match: re.Match[str], inside: str, end: int) -> tuple[str, int]:
    """`avg(duration)` as `avg:duration`, and `percentile(95):duration` whole."""
    name = match[2]
    behind = re.compile(rf"\s*:\s*({KEY})").match(text, end)
    if behind:
        return f"{name}({inside}):{behind[1]}", behind.end()
    return f"{name}:{inside.strip()}", end


def read_keys(text: str, context: Context) -> list[str]:
    keys = [key.strip() for key in text.split(",") if key.strip()]
    for key in keys:
        if not re.fullmatch(rf"{KEY}|\x22[^\x22()]{{1,100}}\x22", key):
            raise BadQuestion(
                f"“{sanitise(key, 40)}” is not the name of a key.", context.instead(key, "path")
            )
    if not keys:
        raise BadQuestion(
            "groupby needs a key, such as groupby(path).",
            context.instead("groupby()", "groupby(path)"),
        )
    return keys


def read_length(text: str) -> timedelta | None:
    try:
        return read_duration(text)
    except AmbiguousAmount:
        return None


def read_timeslice(text: str, context: Context) -> tuple[timedelta | None, int]:
    """The length of a slice, or the number of slices."""
    if text.isdecimal() and 1 <= int(text[:6]) <= MOST_SLICES and len(text) <= 3:
        return None, int(text)
    step = UNITS.get(text) or read_length(text)
    if step is None or step < timedelta(seconds=1) or step % timedelta(seconds=1):
        raise BadQuestion(
            f"timeslice takes a length such as 30m or 1h, or a number of slices up to "
            f"{MOST_SLICES}.",
            context.instead(f"timeslice {text}", "timeslice 1h"),
        )
    return step, 0


def read_whole_number(text: str, word: str, context: Context) -> int:
    digits = text.strip()
    if not digits.isdecimal() or len(digits) > 6 or not 1 <= int(digits) <= MOST_GROUPS:
        raise BadQuestion(
            f"{word} takes a number from 1 to {MOST_GROUPS}.",
            context.instead(f"{word} {text}", f"{word} 10"),
        )
    return int(digits)
