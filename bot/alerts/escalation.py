"""When an incident that nobody has acknowledged escalates (pure)."""

from __future__ import annotations

from datetime import datetime

from bot.alerts.mutes import ActiveSilence
from bot.alerts.rule import Rule
from bot.alerts.state import AlertState


def escalates_at(
    rule: Rule, alert: AlertState, silence: ActiveSilence | None = None
) -> datetime | None:
    """When the open incident escalates, with a silence at its end at the earliest; None if there is
    no incident, or it is acknowledged or has escalated already.
    """
    after = rule.paging.escalate_after
    if after is None or alert.calls.opened_at is None or not alert.notified:
        return None
    if alert.acknowledged_by or alert.calls.escalated_at:
        return None
    at = alert.calls.opened_at + after
    return max(at, silence.end) if silence and silence.end else at


def is_escalation_due(rule: Rule, alert: AlertState, now: datetime, *, silenced: bool) -> bool:
    """Whether the incident escalates now. A silenced one does so when its silence ends."""
    at = escalates_at(rule, alert)
    return at is not None and at <= now and not silenced
