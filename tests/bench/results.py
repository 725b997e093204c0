"""Rows of the benchmarks: printed, written as JSON, and compared with a baseline."""

from __future__ import annotations

import json
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

# Ratios differ by that much from run to run on a machine that does something else, too.
NOISE = 1.25


@dataclass(frozen=True, slots=True)
class Row:
    """One figure beside its reference in the same run: the median of the runs' ratios, and the
    lowest and the highest of them.
    """

    what: str
    ours: str
    reference: str
    ratio: float
    low: float
    high: float
    target: float
    less_is_better: bool

    @property
    def meets_target(self) -> bool:
        return self.ratio <= self.target if self.less_is_better else self.ratio >= self.target

    def __str__(self) -> str:
        spread = f"{self.low:.2f}–{self.high:.2f}" if self.low != self.high else ""
        sign = "≤" if self.less_is_better else "≥"
        missed = "" if self.meets_target else ", missed"
        return (
            f"{self.what:62} {self.ours:>16}   {self.reference:30} {self.ratio:6.2f} × {spread:11} "
            f"(target {sign} {self.target:g} ×{missed})"
        )


class Results:
    """The rows of one run."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def add(
        self,
        what: str,
        ours: str,
        reference: str,
        ratio: float | Sequence[float],
        target: float,
        *,
        less_is_better: bool = True,
    ) -> None:
        """Adds a row and prints it at once; `ratio` may contain that of each run."""
        ratios = [ratio] if isinstance(ratio, int | float) else list(ratio)
        row = Row(
            what,
            ours,
            reference,
            statistics.median(ratios),
            min(ratios),
            max(ratios),
            target,
            less_is_better,
        )
        self.rows.append(row)
        print(row, flush=True)

    def write(self, path: Path) -> None:
        """Writes the rows as JSON, for a later comparison."""
        figures = {
            "machine": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
            "rows": [asdict(row) for row in self.rows],
        }
        path.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", "utf-8")


def comparison(rows: Sequence[Row], baseline: dict[str, Any]) -> list[str]:
    """A line for each row that the baseline has, too. Ratios are compared, since they depend less on
    the machine than times do.
    """
    before = {row["what"]: row for row in baseline["rows"]}
    lines = [_compared(row, before[row.what]["ratio"]) for row in rows if row.what in before]
    return lines or ["The baseline has none of these rows."]


def _compared(row: Row, before: float) -> str:
    change = row.ratio / before if before else 1.0
    better = change < 1 if row.less_is_better else change > 1
    is_noise = 1 / NOISE <= change <= NOISE
    verdict = "about the same" if is_noise else "better" if better else "WORSE"
    return f"{row.what:62} {before:6.2f} × before, {row.ratio:6.2f} × now: {verdict}"


def times_ms(work: Callable[[], Any], times: int = 5) -> list[float]:
    """The time of each run, in milliseconds."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        taken.append((time.perf_counter() - started) * 1000)
    return taken


def cpu_ms(work: Callable[[], Any]) -> float:
    """The processor time of one run in all threads, in milliseconds."""
    started = time.process_time()
    work()
    return (time.process_time() - started) * 1000


def in_turns(*works: Callable[[], Any], times: int = 5) -> list[list[float]]:
    """The processor times of each, measured in turns: other load on the machine affects all."""
    taken = [[cpu_ms(work) for work in works] for _ in range(times)]
    return [list(each) for each in zip(*taken, strict=True)]


def pair_ratios(ours: Sequence[float], reference: Sequence[float]) -> list[float]:
    """The ratio of each run to the run of the reference beside it."""
    return [each / other for each, other in zip(ours, reference, strict=True)]


def ratios(ours: Sequence[float], reference: Sequence[float]) -> list[float]:
    """The ratio of each run to the median of the reference."""
    middle = statistics.median(reference)
    return [each / middle for each in ours]
