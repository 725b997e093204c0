"""The names of the schedules of alerts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from bot.schedules.due import Due
from bot.store import AlertStore

# The prefix of their names.
SCHEDULE = "alert "


def schedule_of(alert: str) -> str:
    """The name of an alert's schedule."""
    return f"{SCHEDULE}{alert}"


class EvaluationClaims(Struct, frozen=True):
    """Which evaluations other processes make, or have left unfinished."""

    alerts: AlertStore

    async def abandoned(self, since: datetime) -> list[tuple[str, datetime]]:
        """Evaluations that a stopped process has left unfinished: schedule and due time."""
        found = await self.alerts.abandoned_evaluations(since=since)
        return [(schedule_of(alert), due) for alert, due in found]

    async def claimed_elsewhere(self, dues: Sequence[Due]) -> set[str]:
        """The schedules of alerts among these that another process evaluates, or has evaluated."""
        pairs = [
            (due.name.removeprefix(SCHEDULE), due.at)
            for due in dues
            if due.name.startswith(SCHEDULE)
        ]
        claimed = await self.alerts.claimed_elsewhere(pairs)
        return {schedule_of(alert) for alert in claimed}
