"""The state of an alert as people see it everywhere: in its channel, in `alerts` and on Home (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from bot.alerts.rule import Rule
from bot.alerts.state import AlertState, State

# An alert that somebody works on, or that sends no notifications.
HANDLED = "🟠"
# The colour of an alert that fires, by its severity.
FIRING_DOTS: Mapping[str, str] = MappingProxyType(
    {"": "🔴", "critical": "🔴", "warning": "🟡", "info": "🔵"}
)
OK_STATES = frozenset({State.INACTIVE, State.NO_BASELINE, State.UNKNOWN})
_DOTS: Mapping[State, str] = MappingProxyType(
    {
        State.PENDING: "🟡",
        State.NO_DATA: "⚪",
        State.INACTIVE: "🟢",
        State.NO_BASELINE: "⚪",
        State.UNKNOWN: "⚪",
    }
)
_WORDS: Mapping[State, str] = MappingProxyType(
    {
        State.FIRING: "firing",
        State.PENDING: "pending",
        State.NO_DATA: "no data",
        State.INACTIVE: "OK",
        State.NO_BASELINE: "no baseline yet",
        State.UNKNOWN: "not checked yet",
    }
)


def state_dot(rule: Rule, alert: AlertState, *, silenced: bool) -> str:
    """The dot in front of an alert's name."""
    if alert.state is not State.FIRING:
        return _DOTS[alert.state]
    # Orange says that nobody else need act.
    is_handled = bool(alert.acknowledged_by) or silenced
    return HANDLED if is_handled else FIRING_DOTS[rule.paging.severity]


def state_word(state: State) -> str:
    """`firing`, `no data`, `OK` …"""
    return _WORDS[state]


def severity_prefix(rule: Rule) -> str:
    """`Critical · `, or nothing where the rule has no severity."""
    severity = rule.paging.severity
    return f"{severity.capitalize()} · " if severity else ""
