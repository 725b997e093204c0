"""The stand-in's results of a statistical query, in the shape of the vendor's page."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from providers.rapid7.sandbox.leql import MOST_SLICES, Statement
from providers.rapid7.sandbox.leql_conditions import Entry, number_of
from providers.rapid7.sandbox.leql_tokens import LeqlError


@dataclass(slots=True)
class Figures:
    """What is needed of some entries to compute any function."""

    entries: int = 0
    bytes: int = 0
    numbers: list[float] = field(default_factory=list)
    texts: set[str] = field(default_factory=set)
    with_key: int = 0

    def add(self, entry: Entry, key: str) -> None:
        self.entries += 1
        self.bytes += len(entry.line.encode())
        value = entry.fields.get(key) if key else None
        if value is None:
            return
        self.with_key += 1
        self.texts.add(value)
        if (number := number_of(value)) is not None:
            self.numbers.append(number)

    def result(self, statement: Statement) -> float:
        function = statement.function
        numbers = self.numbers
        if function == "count":
            return self.with_key if statement.key else self.entries
        if function == "bytes":
            return self.bytes
        if function == "unique":
            return len(self.texts)
        if function == "sum":
            return math.fsum(numbers)
        if not numbers:
            return 0.0
        if function == "percentile":
            # The nearest rank, so that the result is one of the numbers.
            rank = max(1, math.ceil(statement.percent / 100 * len(numbers)))
            return sorted(numbers)[rank - 1]
        return _OF_NUMBERS[function](numbers)


_OF_NUMBERS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "average": statistics.fmean,
    "min": min,
    "max": max,
    "standarddeviation": statistics.pstdev,
}


@dataclass(slots=True)
class Series:
    """The figures of a group, or of everything: in all, and by slice of time."""

    slices: list[Figures]
    total: Figures = field(default_factory=Figures)
    inner: dict[str, Series] = field(default_factory=dict)

    def add(self, entry: Entry, key: str, number: int) -> None:
        self.total.add(entry, key)
        self.slices[number].add(entry, key)


@dataclass(slots=True)
class Result:
    """The result of a query, from the matching entries of its window."""

    statement: Statement
    start: datetime
    end: datetime
    whole: Series = field(init=False)

    def __post_init__(self) -> None:
        if self._slices > MOST_SLICES:
            raise LeqlError(f"timeslice takes at most {MOST_SLICES} slices")
        self.whole = self._series()

    @property
    def _length(self) -> timedelta:
        return self.statement.slice_length or (self.end - self.start) / self.statement.slices

    @property
    def _slices(self) -> int:
        return max(1, -(-(self.end - self.start) // self._length))

    def _series(self) -> Series:
        return Series([Figures() for _ in range(self._slices)])

    def add(self, entry: Entry, at: datetime) -> None:
        # The last slice may be shorter than the others.
        number = min((at - self.start) // self._length, self._slices - 1)
        key = self.statement.key
        group_by = self.statement.group_by
        names = [entry.log if name == "#log" else entry.fields.get(name) for name in group_by]
        # Entries without the key are in no group.
        if None in names:
            return
        series = self.whole
        series.add(entry, key, number)
        for name in names:
            assert name is not None
            series = series.inner.setdefault(name, self._series())
            series.add(entry, key, number)

    def as_json(self) -> dict[str, Any]:
        statement = self.statement
        name = self.statement.key or "global_timeseries"
        by_group = bool(statement.group_by)
        total = self._result(self.whole.total)
        slices = [self._result(figures) for figures in self.whole.slices]
        groups = self._groups() if by_group else []
        kept = {names[0] for names, _ in groups}
        return {
            "cardinality": 0,
            "granularity": self._length // timedelta(milliseconds=1),
            "from": _milliseconds(self.start),
            "to": _milliseconds(self.end),
            "type": statement.function,
            **({"key": statement.key} if statement.key else {}),
            "stats": {} if by_group else {name: total},
            "groups": [{_group_name(names): value} for names, value in groups],
            "others": {"series": []} if by_group else {},
            "status": 200,
            "timeseries": {} if by_group else {name: slices},
            "groups_timeseries": [
                {group: self._series_json(series)}
                for group, series in self.whole.inner.items()
                if group in kept
            ],
            "all_exact_results": True if by_group else None,
            "count": total.get("count", 0) if not by_group else 0,
        }

    def _result(self, figures: Figures) -> dict[str, float]:
        return {self.statement.function: float(figures.result(self.statement))}

    def _groups(self) -> list[tuple[tuple[str, ...], dict[str, float]]]:
        function = self.statement.function
        having = self.statement.having
        found = [
            (names, self._result(series.total))
            for names, series in _leaves(self.whole, len(self.statement.group_by))
        ]
        if having:
            sign, bound = having
            found = [each for each in found if _passes(each[1][function], sign, bound)]
        found.sort(key=lambda each: each[1][function], reverse=self.statement.descending)
        return found[: self.statement.limit]

    def _series_json(self, series: Series) -> dict[str, Any]:
        return {
            "groups_timeseries": [
                {name: self._series_json(inner)} for name, inner in series.inner.items()
            ],
            "series": [self._result(figures) for figures in series.slices],
            "totals": self._result(series.total),
        }


def _leaves(series: Series, depth: int) -> list[tuple[tuple[str, ...], Series]]:
    if not depth:
        return [((), series)]
    return [
        ((name, *names), leaf)
        for name, inner in series.inner.items()
        for names, leaf in _leaves(inner, depth - 1)
    ]


def _group_name(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"[{','.join(names)}]"


def _passes(value: float, sign: str, bound: float) -> bool:
    tests: Mapping[str, bool] = {
        ">": value > bound,
        ">=": value >= bound,
        "<": value < bound,
        "<=": value <= bound,
        "=": value == bound,
        "!=": value != bound,
    }
    return tests[sign]


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
