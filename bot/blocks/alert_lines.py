"""Alerts in one line each: what a rule checks, and the state of its alert (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo
from types import MappingProxyType

from bot import formatting
from bot.alerts.rule import Rule
from bot.alerts.state import AlertState, State
from bot.blocks.alerts import format_value

PAUSED = "paused because its creator no longer has access to the question"
# An alert that somebody works on, or that sends no notifications.
HANDLED = "🟠"
_ICONS: Mapping[State, str] = MappingProxyType(
    {
        State.FIRING: "🔴",
        State.PENDING: "🟡",
        State.NO_DATA: "⚪",
        State.INACTIVE: "🟢",
        State.UNKNOWN: "⚪",
    }
)
_WORDS: Mapping[State, str] = MappingProxyType(
    {
        State.FIRING: "firing",
        State.PENDING: "pending",
        State.NO_DATA: "no data",
        State.INACTIVE: "OK",
        State.UNKNOWN: "not checked yet",
    }
)
OK_STATES = frozenset({State.INACTIVE, State.UNKNOWN})


def rule_line(rule: Rule) -> str:
    """What a rule checks, in one phrase."""
    value = rule.value
    parts = [f"{value} of `{rule.display_query}` {rule.side} {format_value(value, rule.threshold)}"]
    if rule.each:
        parts.append(f"for each {rule.each}")
    if rule.recover is not None:
        parts.append(f"resolve threshold {format_value(value, rule.recover)}")
    if rule.for_:
        parts.append(f"for at least {formatting.format_duration(rule.for_)}")
    if rule.repeat:
        parts.append(f"reminder every {formatting.format_interval(rule.repeat)}")
    return ", ".join(parts)


def icon(alert: AlertState, *, silenced: bool) -> str:
    """The same dot as in the message of an incident."""
    is_handled = alert.state is State.FIRING and (bool(alert.acknowledged_by) or silenced)
    return HANDLED if is_handled else _ICONS[alert.state]


def state_line(rule: Rule, alert: AlertState, zone: tzinfo, now: datetime) -> str:
    """The state of an alert in words: since when, its value, and who has acknowledged it."""
    words = _WORDS[alert.state]
    if alert.started_at and alert.state not in OK_STATES:
        words += f" since {formatting.format_time(alert.started_at, zone, now)}"
    value = alert.worst_subject.value
    if value is not None and not rule.each:
        words += f" ({format_value(rule.value, value)})"
    flags = ["acknowledged"] if alert.acknowledged_by else []
    flags += ["flapping"] if alert.flapping else []
    if alert.errors:
        flags.append(f"failed {formatting.pluralise(alert.errors, 'check')} in a row")
    return ", ".join([words, *flags])
