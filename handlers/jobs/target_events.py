"""Events for the targets of an alert: its beginning, its acknowledgement and its end."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from types import MappingProxyType

from bot import formatting
from bot.alerts.paging import targets
from bot.alerts.state import Reason
from bot.blocks.alert_context import NotificationContext
from bot.blocks.alerts import facts, headline, subject_lines
from bot.notifications.event import Action, AlertEvent, incident_key, lane_of
from bot.store import Post, PostKind

# Reasons that are not here, such as a reminder, are posted in Slack only.
_ACTIONS: Mapping[Reason, Action] = MappingProxyType(
    {
        Reason.FIRED: Action.TRIGGER,
        Reason.NO_DATA: Action.TRIGGER,
        Reason.ESCALATED: Action.TRIGGER,
        Reason.ACKNOWLEDGED: Action.ACKNOWLEDGE,
        Reason.RESOLVED: Action.RESOLVE,
        Reason.RULE_CHANGED: Action.RESOLVE,
    }
)


def called_targets(context: NotificationContext) -> tuple[str, ...]:
    """The targets that were called for the incident, those of this notification included."""
    return tuple(dict.fromkeys((*context.before.calls.targets, *_newly_called(context))))


def event_posts(context: NotificationContext, key: str, incident: str) -> list[Post]:
    """An event for each target that this change is for. `key` is that of the notification, and
    `incident` that of the message of the incident.
    """
    action = _ACTIONS.get(context.reason)
    if action is None:
        return []
    called = _newly_called(context)
    if action is not Action.TRIGGER or context.reason is Reason.FIRED:
        # A target that was called for missing data reads that the alert fires.
        called = tuple(dict.fromkeys((*context.before.calls.targets, *called)))
    called = tuple(target for target in called if target not in context.known_to)
    if not called:
        return []
    event = _event(context, action, incident)
    return [_post(event, target, key, incident, context) for target in called]


def _newly_called(context: NotificationContext) -> tuple[str, ...]:
    paging = context.rule.paging
    if context.reason is Reason.ESCALATED:
        named = targets(paging.escalate_to)
    elif context.reason in (Reason.FIRED, Reason.NO_DATA):
        named = targets(paging.notify)
    else:
        named = []
    # A target that was called for this incident is not called again: it repeats by its own rules.
    return tuple(name for name in named if name not in context.before.calls.targets)


def _post(
    event: AlertEvent, target: str, key: str, incident: str, context: NotificationContext
) -> Post:
    """The post of an event. The first one for a target has a key of its own, which the later ones
    are about, so that none of them overtakes it.
    """
    first = f"event:{target}:{incident}"
    is_first = target not in context.before.calls.targets
    own = first if is_first else f"event:{target}:{key}"
    about = "" if is_first else first
    # Its own, since the key of a post comes again where the clock was set back.
    stored = event.as_json() | {"id": uuid.uuid4().hex}
    return Post(own, lane_of(target), event.summary, [stored], PostKind.EVENT, about)


def _event(context: NotificationContext, action: Action, incident: str) -> AlertEvent:
    rule = context.rule
    shown = context.shown
    return AlertEvent(
        id="",
        action=action,
        incident=incident_key(incident),
        alert=rule.name,
        summary=_summary(context),
        reason=context.reason.value,
        at=context.now,
        severity=rule.paging.severity,
        since=shown.started_at,
        subjects=tuple(subject_lines(context)),
        facts=tuple(facts(context)),
        question=rule.display_query,
        value_name=rule.value,
        value=None if rule.each else shown.worst_subject.value,
        threshold=rule.threshold_at(None if rule.each else shown.worst_subject.baseline),
        side=rule.side,
        runbook=rule.paging.runbook,
        by=formatting.sanitise(context.name, 60),
    )


def _summary(context: NotificationContext) -> str:
    """The headline without its leading coloured dot."""
    return formatting.sanitise(headline(context).partition(" ")[2], 300)
