"""The names of the schedules of alerts."""

from __future__ import annotations

# The prefix of their names.
SCHEDULE = "alert "


def schedule_of(alert: str) -> str:
    """The name of an alert's schedule."""
    return f"{SCHEDULE}{alert}"
