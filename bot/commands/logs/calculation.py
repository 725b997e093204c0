"""What a question about a log can calculate, as people type it and as LEQL has it (pure)."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

from msgspec import Struct

from bot.commands.logs.leql import find_closing
from bot.errors import BadQuestion
from bot.formatting import sanitise
from bot.questions.context import Context

# The functions of LEQL, by the names that people use for them.
FUNCTIONS: Mapping[str, str] = MappingProxyType(
    {
        "count": "count",
        "sum": "sum",
        "total": "sum",
        "average": "average",
        "avg": "average",
        "mean": "average",
        "min": "min",
        "minimum": "min",
        "max": "max",
        "maximum": "max",
        "unique": "unique",
        "distinct": "unique",
        "bytes": "bytes",
        "standarddeviation": "standarddeviation",
        "stddev": "standarddeviation",
        "sd": "standarddeviation",
        "percentile": "percentile",
        "pctl": "percentile",
        "median": "percentile",
    }
)
# Those that need no key.
_WITHOUT_KEY = frozenset({"count", "bytes"})
# Of these the results of slices and groups add up to the result of all.
ADDITIVE = frozenset({"count", "sum", "bytes"})
_KNOWN = "count, sum, average, min, max, unique, percentile(95), standarddeviation and bytes"
KEY = r"#?[A-Za-z_@][\w.@-]{0,99}"
_CALCULATION = re.compile(
    rf"(?P<name>[A-Za-z]{{1,20}}?)(?:\s*\(\s*(?P<in_brackets>[\d.]{{1,8}})\s*\)|(?P<digits>\d{{1,2}}(?:\.\d{{1,3}})?))?"
    rf"(?:\s*[:(]\s*(?P<key>{KEY}|\x22[^\x22()]{{1,100}}\x22)\s*\)?)?"
)


class Calculation(Struct, frozen=True):
    """A function of the matching lines, of one key of theirs where it takes one. `percent` is which
    percentile is wanted.
    """

    function: str = "count"
    key: str = ""
    percent: float = 0

    @property
    def leql(self) -> str:
        name = self.function
        if name == "percentile":
            name = f"percentile({self.percent:g})"
        return f"{name}:{self.key}" if self.key else name

    @property
    def words(self) -> str:
        return "count" if self == COUNT else f"calculate({self.leql})"

    @property
    def label(self) -> str:
        """`average duration` or `unique values of user`, as a sentence names it."""
        key = self.key.strip(_QUOTE)
        if self.function == "percentile":
            return f"median {key}" if self.percent == 50 else f"p{self.percent:g} {key}"
        if self.function in _ADJECTIVES:
            return f"{_ADJECTIVES[self.function]} {key}"
        name = _NOUNS.get(self.function, self.function)
        return f"{name} of {key}" if key else name


_QUOTE = '"'
_ADJECTIVES = {"average": "average", "min": "minimum", "max": "maximum"}
_NOUNS = {"unique": "unique values", "standarddeviation": "standard deviation"}
COUNT = Calculation()


def read_calculation(text: str, context: Context) -> Calculation:
    """`average:duration`, `avg(duration)`, `p95:duration` or `percentile(95):duration`. Raises
    BadQuestion.
    """
    match = _CALCULATION.fullmatch(text.strip())
    name = match["name"].lower() if match else ""
    digits = (match["in_brackets"] or match["digits"] or "") if match else ""
    key = (match["key"] or "") if match else ""
    # `p95`: the digits follow the name.
    if name == "p" and digits:
        name = "percentile"
    function = FUNCTIONS.get(name)
    if match is None or function is None:
        raise _unknown(text, name or text, context)
    if function == "percentile":
        return Calculation(function, _needed(key, text, context), _percent(name, digits, context))
    if digits:
        raise _unknown(text, f"{name}{digits}", context)
    if function not in _WITHOUT_KEY:
        key = _needed(key, text, context)
    return Calculation(function, key)


def is_calculation(text: str) -> bool:
    """Whether a word is a calculation with its key, such as `avg:duration`, or nearly one."""
    match = _CALCULATION.fullmatch(text)
    if match is None or not match["key"]:
        return False
    name = match["name"].lower()
    is_percentile = name == "p" and bool(match["digits"])
    return is_percentile or bool(difflib.get_close_matches(name, FUNCTIONS, n=1, cutoff=0.7))


def function_in(text: str) -> str:
    """The function that the words of a question calculate; empty where they calculate nothing."""
    where = _WHERE.search(text)
    end, _ = find_closing(text, where.end()) if where else (0, "")
    # A condition may contain the names of functions.
    outside = f"{text[: where.start()]} {text[end or len(text) :]}" if where else text
    for found in _FUNCTION.finditer(outside):
        name = (found["inside"] or found["before"] or "").lower()
        if found["percentile"] or name in FUNCTIONS:
            return FUNCTIONS.get(name, "percentile")
    return "count" if _COUNTED.search(outside) else ""


_WHERE = re.compile(r"(?i)\bwhere\s*\(")
_FUNCTION = re.compile(
    r"(?i)\bcalculate\s*\(\s*(?P<inside>[a-z]{1,20})|\b(?P<before>[a-z]{1,20})\s?[(:]"
    r"|(?P<percentile>\bp\d{1,2}\b)"
)
_COUNTED = re.compile(rf"(?i)\b(?:count|timeslice|group\s?by)\b|\b(?:by|per)\s+{KEY}")


def format_step(step: timedelta) -> str:
    """A length as LEQL has it: `30m`, `1h`, `1d`."""
    seconds = int(step.total_seconds())
    for unit, size in (("d", 86_400), ("h", 3600), ("m", 60)):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _percent(name: str, digits: str, context: Context) -> float:
    # LEQL has no median.
    percent = 50.0 if name == "median" else float(digits) if _NUMBER.fullmatch(digits) else 0.0
    if not 0 < percent < 100:
        raise BadQuestion(
            "A percentile is a number between 0 and 100, such as percentile(95):duration.",
            context.example,
        )
    return percent


_NUMBER = re.compile(r"\d{1,3}(?:\.\d{1,3})?")


def _needed(key: str, text: str, context: Context) -> str:
    if key:
        return key
    shown = sanitise(text, 40)
    raise BadQuestion(
        f"“{shown}” needs a key to calculate, such as {shown.rstrip(':')}:duration.",
        context.instead(text, f"{text.rstrip(':')}:duration"),
    )


def _unknown(text: str, name: str, context: Context) -> BadQuestion:
    near = difflib.get_close_matches(name[:20].lower(), FUNCTIONS, n=1, cutoff=0.7)
    message = f"“{sanitise(name, 40)}” is not a calculation"
    if near:
        right = text.lower().replace(name.lower(), near[0], 1)
        return BadQuestion(f"{message}; did you mean {near[0]}?", context.instead(text, right))
    return BadQuestion(f"{message}; the calculations are {_KNOWN}.", context.instead(text, "count"))
