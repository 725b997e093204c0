"""LEQL as the stand-in understands it: the clauses of a query.

Page: "Components for Building a Query". Whatever is wrong raises LeqlError with a reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from providers.rapid7.sandbox.leql_conditions import Condition, read_condition
from providers.rapid7.sandbox.leql_tokens import LeqlError, tokens_of

MOST_KEYS = 5
MOST_SLICES = 200
MOST_LIMIT = 10_000
USUAL_GROUPS = 40
FUNCTIONS = {
    "count": "count",
    "sum": "sum",
    "average": "average",
    "avg": "average",
    "mean": "average",
    "min": "min",
    "max": "max",
    "unique": "unique",
    "bytes": "bytes",
    "standarddeviation": "standarddeviation",
    "sd": "standarddeviation",
    "percentile": "percentile",
    "pctl": "percentile",
}
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_CLAUSE = re.compile(r"\s*([A-Za-z]+)\s*\(")


@dataclass(slots=True)
class Statement:
    """A query: which entries match, and what is computed of them."""

    matches: Condition = lambda _: True
    function: str = ""
    key: str = ""
    percent: float = 0.0
    group_by: list[str] = field(default_factory=list)
    having: tuple[str, float] | None = None
    descending: bool = True
    is_sorted: bool = False
    limit: int = USUAL_GROUPS
    slices: int = 10
    slice_length: timedelta | None = None

    @property
    def is_statistical(self) -> bool:
        return bool(self.function or self.group_by)


def parse(text: str) -> Statement:
    """The query in the text; an empty one matches everything."""
    statement = Statement()
    at = 0
    seen: set[str] = set()
    while at < len(text.rstrip()):
        clause = _CLAUSE.match(text, at)
        if not clause:
            raise LeqlError(f"Unexpected input at position {at}: {text[at : at + 20].strip()}")
        name = clause[1].lower()
        start = clause.end()
        end = _closing(text, start)
        if name in seen or name not in _CLAUSES:
            raise LeqlError(f"Unexpected clause {name} at position {at}")
        seen.add(name)
        _CLAUSES[name](statement, text[start:end].strip())
        at = end + 1
    # A groupby without calculate counts.
    if statement.group_by and not statement.function:
        statement.function = "count"
    if "timeslice" in seen and not statement.is_statistical:
        raise LeqlError("timeslice needs a calculate clause")
    return statement


def _closing(text: str, at: int) -> int:
    """The position of the bracket that closes the one before `at`."""
    depth = 1
    for kind, _, start, _ in tokens_of(text, at):
        depth += (kind == "(") - (kind == ")")
        if not depth:
            return start
    raise LeqlError("Missing closing parenthesis")


def _where(statement: Statement, text: str) -> None:
    statement.matches = read_condition(text)


def _calculate(statement: Statement, text: str) -> None:
    found = re.fullmatch(r"([A-Za-z]+)\s*(?:\(\s*([\d.]+)\s*\))?\s*(?::\s*(.+?))?", text, re.DOTALL)
    name = FUNCTIONS.get(found[1].lower()) if found else None
    if not found or not name:
        raise LeqlError(f"Unknown function in calculate: {text[:40]}")
    if name not in ("count", "bytes") and not found[3]:
        raise LeqlError(f"The function {found[1]} needs a key, as in calculate({found[1]}:key)")
    if (name == "percentile") != bool(found[2]):
        raise LeqlError("percentile takes a number, as in calculate(percentile(95):key)")
    statement.function = name
    statement.key = _name(found[3] or "")
    statement.percent = float(found[2] or 0)
    if not 0 <= statement.percent <= 100:
        raise LeqlError("percentile takes a number from 0 to 100")


def _group_by(statement: Statement, text: str) -> None:
    statement.group_by = [_name(part) for part in text.split(",")]
    if not all(statement.group_by) or len(statement.group_by) > MOST_KEYS:
        raise LeqlError(f"groupby takes one to {MOST_KEYS} keys")


def _having(statement: Statement, text: str) -> None:
    found = re.fullmatch(
        r"([A-Za-z]+)(?:\(\d+\))?(?::\S+?)?\s*(>=|<=|!=|=|>|<)\s*([-+\d.eE]+)", text
    )
    if not found or found[1].lower() not in FUNCTIONS:
        raise LeqlError(f"Cannot read having({text[:40]})")
    statement.having = found[2], float(found[3])


def _sort(statement: Statement, text: str) -> None:
    direction = text.lower().partition("#")[0]
    if direction not in ("asc", "desc"):
        raise LeqlError("sort takes asc or desc")
    statement.is_sorted = True
    statement.descending = direction == "desc"


def _limit(statement: Statement, text: str) -> None:
    first = text.partition(",")[0].strip()
    if not first.isdigit() or not 1 <= int(first) <= MOST_LIMIT:
        raise LeqlError(f"limit takes a number from 1 to {MOST_LIMIT}")
    statement.limit = int(first)


def _timeslice(statement: Statement, text: str) -> None:
    found = re.fullmatch(r"(\d{1,6})([smhdw]?)", text)
    if not found or not int(found[1]):
        raise LeqlError("timeslice takes a number of slices or a length such as 30m")
    if found[2]:
        statement.slice_length = timedelta(seconds=int(found[1]) * UNITS[found[2]])
    elif int(found[1]) > MOST_SLICES:
        raise LeqlError(f"timeslice takes at most {MOST_SLICES} slices")
    else:
        statement.slices = int(found[1])


def _select(statement: Statement, text: str) -> None:
    """Which keys are shown, which leaves the entries as they are."""


_CLAUSES: Mapping[str, Callable[[Statement, str], None]] = {
    "where": _where,
    "calculate": _calculate,
    "groupby": _group_by,
    "having": _having,
    "sort": _sort,
    "limit": _limit,
    "timeslice": _timeslice,
    "select": _select,
}


def _name(text: str) -> str:
    return text.strip().strip("\"'").strip()
