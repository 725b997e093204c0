"""The event that is sent to a target about an incident, whatever its kind."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from bot.alerts.paging import Severity

# The outbox keeps events in the queue of their target, under this name.
_LANE = "target:"


class Action(enum.StrEnum):
    """What a target is to do with its incident."""

    TRIGGER = "trigger"
    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"


class AlertEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    """One change of an incident. `incident` is the same in all events about it, and `id` in all
    attempts to send this one. `facts` are names and values in words; `value` and `threshold` are
    exact, where they are known.
    """

    id: str
    action: Action
    incident: str
    alert: str
    summary: str
    reason: str
    at: datetime
    severity: Severity = ""
    since: datetime | None = None
    subjects: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    question: str = ""
    value_name: str = ""
    value: float | None = None
    threshold: float | None = None
    side: str = ""
    runbook: str = ""
    by: str = ""

    def as_json(self) -> dict[str, Any]:
        """The event as the outbox stores it."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found

    @property
    def lines(self) -> list[str]:
        """Everything in words, a line each."""
        lines = [self.summary, *self.subjects, *(f"{name}: {value}" for name, value in self.facts)]
        lines += [f"Question: {self.question}"] if self.question else []
        lines += [f"By: {self.by}"] if self.by else []
        return [*lines, f"Runbook: {self.runbook}"] if self.runbook else lines


def event_from_json(stored: Mapping[str, Any]) -> AlertEvent:
    """The event that was stored. Raises ValueError where it cannot be read."""
    return msgspec.convert(stored, AlertEvent)


def incident_key(message: str) -> str:
    """The key of an incident in every target, from that of its message."""
    # With a prefix, as the target may know incidents of other programs.
    return f"opswatch:{message}"


def lane_of(target: str) -> str:
    """The queue of a target in the outbox."""
    return f"{_LANE}{target}"


def target_of(lane: str) -> str:
    """The target of a queue; an empty string where it is a channel of Slack."""
    # No channel of Slack has a colon in its name or id.
    return lane.removeprefix(_LANE) if lane.startswith(_LANE) else ""
