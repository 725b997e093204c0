"""Posts of an alert: the message of its incident, the replies in its thread, and what the operator
reads about failed evaluations.
"""

from __future__ import annotations

from msgspec.structs import replace

from bot import formatting
from bot.alerts.evaluate import ERRORS_BEFORE_NOTICE
from bot.alerts.state import AlertState, EvaluationError, Reason, State
from bot.blocks.alerts import NotificationContext, incident_message, thread_reply
from bot.slack.outbox import operator_post
from bot.store import Post, PostKind

OPERATOR_REASONS = frozenset({Reason.EVALUATION_FAILED, Reason.EVALUATION_RECOVERED})
# These replies are shown in the channel, too.
_BROADCAST = frozenset({Reason.REPEATED, Reason.SILENCE_ENDED})
_STATES = {State.FIRING: "firing", State.NO_DATA: "no data"}


def notification_posts(context: NotificationContext, instant: str) -> tuple[AlertState, list[Post]]:
    """The posts of a notification, and the state with the key of its incident. The first one opens
    the incident; each later one edits its message and replies in its thread.
    """
    rule, reason = context.rule, context.reason
    key = _key(context, instant)
    incident = context.before.incident
    if not incident:
        if context.is_over:
            return context.after, []
        opened = Post(key, rule.channel, *incident_message(context))
        return replace(context.after, incident=key), [opened]
    kind = PostKind.BROADCAST if reason in _BROADCAST else PostKind.REPLY
    return context.after, [
        Post(f"{key}:edit", rule.channel, *incident_message(context), PostKind.EDIT, incident),
        Post(key, rule.channel, *thread_reply(context), kind, incident),
    ]


def operator_notification(
    context: NotificationContext, instant: str, *, error: EvaluationError | None, channel: str
) -> Post:
    """What the operator reads where evaluations fail, or work again."""
    name = context.rule.name
    if error:
        text = f"Alert `{name}` could not be evaluated {ERRORS_BEFORE_NOTICE} times in a row: "
        return operator_post(channel, _key(context, instant), text + error.message)
    failures = formatting.pluralise(context.before.errors, "failure")
    state = _STATES.get(context.after.state, "OK")
    text = f"Alert `{name}` can be evaluated again after {failures}: {state}."
    return operator_post(channel, _key(context, instant), text)


def _key(context: NotificationContext, instant: str) -> str:
    return f"alert:{context.rule.name}:{instant}:{context.reason.value}"
