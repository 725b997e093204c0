"""The posts of an alert: the message of its incident, the replies in its thread, its copies in
other channels, and what the operator reads about failed evaluations.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from bot import formatting
from bot.alerts.channels import USUAL_STYLE, ChannelStyle
from bot.alerts.evaluate import ERRORS_BEFORE_NOTICE
from bot.alerts.paging import channels
from bot.alerts.state import AlertState, EvaluationError, Reason
from bot.answer import Block
from bot.blocks.alert_context import TARGETS, NotificationContext
from bot.blocks.alert_replies import thread_reply
from bot.blocks.alert_states import state_word
from bot.blocks.alerts import incident_message
from bot.slack.outbox import operator_post
from bot.store import Post, PostKind
from handlers.jobs.evaluations import Evaluation
from handlers.jobs.target_events import called_targets, event_posts

OPERATOR_REASONS = frozenset({Reason.EVALUATION_FAILED, Reason.EVALUATION_RECOVERED})
# These replies are shown in the channel, too, whatever its style: an edit would not be noticed.
_BROADCAST = frozenset({Reason.REPEATED, Reason.SILENCE_ENDED, Reason.ESCALATED})
# So is the beginning of an incident that was one of missing data before.
_ALWAYS_POSTED = _BROADCAST | {Reason.FIRED}


def evaluation_posts(
    context: NotificationContext,
    evaluation: Evaluation,
    *,
    style: ChannelStyle,
    ops_channel: str,
    works_again: bool,
) -> tuple[AlertState, list[Post]]:
    """The state and posts of an evaluation: those for the channel, and those for the operator, who
    reads when evaluations fail and when they work again.
    """
    instant = evaluation.instant
    result = evaluation.result
    after = context.after
    posts = list[Post]()
    if context.reason not in OPERATOR_REASONS:
        after, posts = notification_posts(context, instant, style)
    if context.reason is Reason.EVALUATION_FAILED and isinstance(result, EvaluationError):
        posts = [operator_notification(context, instant, error=result, channel=ops_channel)]
    if works_again:
        again = context.because(Reason.EVALUATION_RECOVERED)
        # In front, because the last post is the one that is on record.
        posts.insert(0, operator_notification(again, instant, error=None, channel=ops_channel))
    return after, posts


def notification_posts(
    context: NotificationContext, instant: str, style: ChannelStyle = USUAL_STYLE
) -> tuple[AlertState, list[Post]]:
    """The posts of a notification, and the state with the key of its incident. The first one opens
    the incident; each later one edits its message and replies in its thread, as the style of the
    channel says. The last post is the one that is on record.
    """
    key = _key(context, instant)
    incident = context.before.incident
    # Nothing was posted that could be resolved.
    if not incident and context.is_over:
        return context.after, []
    # The incident of a target is named after the first message, also before that is posted.
    events = event_posts(context.shown_in(TARGETS), key, incident or key)
    if not incident:
        channel = context.rule.channel
        opened = Post(key, channel, *incident_message(context.shown_in(channel)))
        return replace(_with_calls(context), incident=key), [*events, opened]
    copies = _copies(context, key)
    # Whoever was called is remembered until the end, which is sent to the same targets.
    after = context.after if context.is_over else _with_calls(context, copies)
    return after, [*events, *copies, *_changes(context, key, incident, style)]


def _with_calls(context: NotificationContext, copies: Sequence[Post] = ()) -> AlertState:
    """The state with the targets that were called, and the copies that an escalation made."""
    calls = replace(context.after.calls, targets=called_targets(context))
    if context.reason is Reason.ESCALATED:
        calls = replace(calls, copies={post.channel: post.key for post in copies})
    return replace(context.after, calls=calls)


def _changes(
    context: NotificationContext, key: str, incident: str, style: ChannelStyle
) -> list[Post]:
    """The edit of the incident's message and the reply in its thread."""
    channel = context.rule.channel
    reason = context.reason
    # Replies that nobody must miss are shown in the channel, too.
    kind = PostKind.BROADCAST if reason in _BROADCAST else PostKind.REPLY
    message = incident_message(context.shown_in(channel))
    edit = Post(f"{key}:edit", channel, *message, PostKind.EDIT, incident)
    reply = Post(key, channel, *thread_reply(context), kind, incident)
    # An edit notifies nobody, so a quiet end is an edit alone.
    is_quiet = context.is_over and style.resolved == "quiet"
    if is_quiet or (style.updates == "edit" and reason not in _ALWAYS_POSTED):
        return [edit]
    return [reply] if style.updates == "thread" else [edit, reply]


def _copies(context: NotificationContext, key: str) -> list[Post]:
    """An incident that escalates is posted in other channels; these messages are updated until it
    ends.
    """
    is_escalated = context.reason is Reason.ESCALATED
    if not is_escalated and not context.before.calls.copies:
        return []
    if is_escalated:
        return [
            Post(f"{key}:{channel}", channel, *_copy(context, channel))
            for channel in channels(context.rule.paging.escalate_to)
        ]
    return [
        Post(f"{key}:{channel}:edit", channel, *_copy(context, channel), PostKind.EDIT, copy)
        for channel, copy in context.before.calls.copies.items()
    ]


def _copy(context: NotificationContext, channel: str) -> tuple[str, list[Block]]:
    return incident_message(context.shown_in(channel), is_copy=True)


def operator_notification(
    context: NotificationContext, instant: str, *, error: EvaluationError | None, channel: str
) -> Post:
    """The notification for the operator that evaluations fail, or work again."""
    name = context.rule.name
    if error:
        text = f"Alert `{name}` could not be evaluated {ERRORS_BEFORE_NOTICE} times in a row: "
        return operator_post(channel, _key(context, instant), text + error.message)
    failures = formatting.pluralise(context.before.errors, "failure")
    state = state_word(context.after.state)
    text = f"Alert `{name}` can be evaluated again after {failures}: {state}."
    return operator_post(channel, _key(context, instant), text)


def closed_channels_post(
    context: NotificationContext, instant: str, closed: Sequence[str], channel: str
) -> Post:
    """The notification for the operator that an incident escalates to channels that the creator of
    its rule has left. Their names are not shown, since not everybody who reads it may know them.
    """
    name = context.rule.name
    named = formatting.join_words([f"`{each}`" for each in closed], 10)
    text = (
        f"Alert `{name}` escalated, but was not posted in {named}: its creator is no longer in that "
        "channel. Somebody who is in it can edit the alert."
    )
    return operator_post(channel, f"{_key(context, instant)}:closed", text)


def gap_post(context: NotificationContext, instant: str, schedule: str, channel: str) -> Post:
    """The notification for the operator that an alert calls a schedule in which nobody is on call."""
    name = context.rule.name
    text = f"Alert `{name}` notified nobody: nobody is on call in `{schedule}` now."
    return operator_post(channel, f"{_key(context, instant)}:{schedule}", text)


def _key(context: NotificationContext, instant: str) -> str:
    return f"alert:{context.rule.name}:{instant}:{context.reason.value}"
