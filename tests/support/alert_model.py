"""The states of an alert and its notifications, written from the documentation of Prometheus,
Alertmanager and Grafana, independently of the bot's code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

NONE = timedelta(0)


@dataclass
class Policy:
    """A rule that fires above 10."""

    every: timedelta
    recover: float | None = None
    for_: timedelta = NONE
    keep_firing_for: timedelta = NONE
    repeat: timedelta | None = None
    no_data: str = "hold"


@dataclass
class Series:
    """One series: `active_at` and `clear_at` as in Prometheus, and for how many evaluations it has
    not been listed.
    """

    state: str = "inactive"
    active_at: datetime | None = None
    clear_at: datetime | None = None
    missed: int = 0

    @property
    def is_firing(self) -> bool:
        return self.state == "firing"


@dataclass
class AlertModel:
    """One alert over time."""

    policy: Policy
    series: dict[str, Series] = field(default_factory=dict)
    evaluated_at: datetime | None = None
    errors: int = 0
    notified: dict[str, str] = field(default_factory=dict)
    notified_at: datetime | None = None
    silenced: bool = False

    def evaluate(
        self,
        values: Mapping[str, float | None] | None,
        now: datetime,
        *,
        silenced: bool,
        partial: bool,
    ) -> str:
        """The reason of the notification, or nothing. `values` is None for an error."""
        if values is None:
            self.errors += 1
            return "error" if self.errors == 3 else ""
        recovered = self.errors >= 3
        self.errors = 0
        self._shift_by_downtime(now)
        found = {name: self._with_value(name, values[name], now, partial) for name in values}
        for name, series in self.series.items():
            if name in values or series.state == "inactive":
                continue
            if not self._is_gone(series, now, partial):
                found[name] = series
        self.series = found
        reason = self._reason(now, silenced=silenced)
        self.silenced = silenced
        return reason or ("error over" if recovered else "")

    def states(self) -> dict[str, str]:
        """The states of the series that are not inactive."""
        return {name: s.state for name, s in self.series.items() if s.state != "inactive"}

    def _shift_by_downtime(self, now: datetime) -> None:
        """Shifts the times if an evaluation is late by more than one interval, since downtime does
        not count.
        """
        if self.evaluated_at is not None:
            late = now - self.evaluated_at - self.policy.every
            if late > self.policy.every:
                for series in self.series.values():
                    series.active_at = series.active_at and series.active_at + late
                    series.clear_at = series.clear_at and series.clear_at + late
        self.evaluated_at = now

    def _with_value(self, name: str, value: float | None, now: datetime, partial: bool) -> Series:
        series = self.series.get(name) or Series()
        if value is None:
            return series if partial else self._without_data(series, now)
        series.missed = 0
        recover = self.policy.recover
        limit = recover if series.is_firing and recover is not None else 10
        if value <= limit:
            return self._cleared(series, now) if series.is_firing else Series()
        series.active_at = series.active_at or now
        series.clear_at = None
        is_due = now - series.active_at >= self.policy.for_
        series.state = "firing" if series.is_firing or is_due else "pending"
        return series

    def _without_data(self, series: Series, now: datetime) -> Series:
        if self.policy.no_data == "ok":
            return self._cleared(series, now) if series.is_firing else Series()
        if self.policy.no_data == "alert" and not series.is_firing:
            return Series("no_data")
        series.missed = 0
        return series

    def _cleared(self, series: Series, now: datetime) -> Series:
        series.clear_at = series.clear_at or now
        if now - series.clear_at >= self.policy.keep_firing_for:
            return Series()
        series.missed = 0
        return series

    def _is_gone(self, series: Series, now: datetime, partial: bool) -> bool:
        if partial:
            return False
        series.missed += 1
        series.clear_at = series.clear_at or now
        keeps = series.is_firing and now - series.clear_at < self.policy.keep_firing_for
        return series.missed >= 2 and not keeps

    def _reason(self, now: datetime, *, silenced: bool) -> str:
        current = {name: s for name, s in self.states().items() if s in ("firing", "no_data")}
        if not current:
            was_notified = bool(self.notified)
            self.notified = {}
            self.notified_at = None
            return "resolved" if was_notified else ""
        reason = "" if silenced else self._reason_for(current, now)
        if reason:
            self.notified = current
            self.notified_at = now
        return reason

    def _reason_for(self, current: dict[str, str], now: datetime) -> str:
        if current != self.notified:
            is_first = "firing" in current.values() and "firing" not in self.notified.values()
            if is_first:
                return "first"
            return "changed" if self.notified else "no data"
        if self.silenced:
            return "quiet over"
        repeat = self.policy.repeat
        is_due = repeat and self.notified_at and now - self.notified_at >= repeat
        return "repeat" if is_due else ""
