"""A rule: which value of which question is watched, and what counts as too much or too little."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Rule:
    """One alert as it is configured. Either `above` or `below` is set; `recover` is the recovery threshold on the calm side."""

    name: str
    line: str
    value: str
    channel: str
    above: float | None = None
    below: float | None = None
    recover: float | None = None
    every: timedelta = timedelta(minutes=15)
    hold: timedelta = timedelta(0)
    keep: timedelta = timedelta(0)
    repeat: timedelta | None = None
    no_data: Literal["hold", "alert", "ok"] = "hold"

    @property
    def threshold(self) -> float:
        threshold = self.above if self.above is not None else self.below
        assert threshold is not None
        return threshold

    @property
    def definition(self) -> str:
        """What it watches; a rule that watches something else starts afresh."""
        return f"{self.line} {self.value} {self.above} {self.below}"

    def is_breach(self, value: float, *, firing: bool) -> bool:
        """Whether the value is on the wrong side. What fires already stays so until it is past the recovery threshold."""
        edge = self.recover if firing and self.recover is not None else self.threshold
        return value > edge if self.above is not None else value < edge

    def is_worse(self, value: float, than: float | None) -> bool:
        return than is None or (value > than if self.above is not None else value < than)


@dataclass(frozen=True, slots=True)
class EvaluationTimes:
    """When a rule is evaluated: at whole multiples of `every` since 1970, so that a restart changes nothing."""

    every: timedelta

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        del previous_fire_time
        epoch = datetime(1970, 1, 1, tzinfo=UTC)
        return epoch - (epoch - now) // self.every * self.every


def watched(values: Mapping[str, Any], name: str) -> float | None:
    """The watched number of an answer, or None where the answer does not know it. `levels.error` is a level of a log, which is
    0 where the log was read and has none."""
    found: Any = values
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    if found is None and name.startswith("levels.") and "lines" in values:
        return 0.0
    return float(found) if isinstance(found, int | float) else None
