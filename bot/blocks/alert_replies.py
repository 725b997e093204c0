"""The replies in the thread of an incident, a sentence for each change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from msgspec import structs

from bot import formatting
from bot.alerts.state import Reason, State
from bot.answer import Block
from bot.blocks import kit
from bot.blocks.alert_buttons import acknowledge_button
from bot.blocks.alert_context import NotificationContext
from bot.blocks.alerts import (
    MOST_SUBJECTS,
    breach_text,
    duration_text,
    escalation_delay,
    headline,
    mention_text,
    peak_text,
    push_line,
    sentence,
)


def thread_reply(context: NotificationContext) -> tuple[str, list[Block]]:
    """The reply in the incident's thread about this change."""
    reply = _REPLIES[context.reason]
    text = reply(context)
    # The acknowledgement names its person in words, which does not notify them of their own click.
    is_named = context.reason is Reason.ACKNOWLEDGED or not context.name
    shown = text if is_named else reply(structs.replace(context, name=""))
    called = mention_text(called_in_thread(context))
    return _notification(context, text) if called else text, [
        kit.section(f"{context.in_blocks(shown)}{called and ' '}{called}"),
        *_footer(context, by="" if is_named else context.by),
        *_reply_buttons(context),
    ]


def _footer(context: NotificationContext, *, by: str) -> list[Block]:
    """Whose change it is, and when the next check is. The message above the thread has the rest."""
    parts = [f"by <@{by}>"] if by else []
    if not context.is_over:
        parts.append(f"next check {kit.local_time(context.rule.next_check(context.now))}")
    return [kit.context(sentence(" · ".join(parts)))] if parts else []


def _notification(context: NotificationContext, text: str) -> str:
    """The reply as a phone shows it to those it mentions: which alert it is comes first."""
    push = push_line(context)
    return push if context.reason is Reason.FIRED else f"{push}\n{text}"


def _reply_buttons(context: NotificationContext) -> list[Block]:
    """Who is called by an escalation acknowledges it there."""
    if context.reason is not Reason.ESCALATED:
        return []
    return [kit.actions([acknowledge_button(context.rule.name)])]


def called_in_thread(context: NotificationContext) -> tuple[str, ...]:
    """Whom the reply about this change mentions: nobody, unless the alert fires or escalates, or is
    repeated after that.
    """
    paging = context.rule.paging
    if context.reason is Reason.FIRED:
        return paging.notify
    if context.reason is Reason.ESCALATED:
        return paging.escalate_to
    if context.reason is Reason.REPEATED and context.after.calls.escalated_at:
        return (*paging.notify, *paging.escalate_to)
    return ()


def _changed(context: NotificationContext) -> str:
    """The subjects that fire now and did not before, and those that fired and are OK."""
    now = context.after.notified
    before = context.before.notified
    new = [formatting.sanitise(name, 60) for name in now if name not in before]
    gone = [formatting.sanitise(name, 60) for name in before if name not in now]
    if context.after.state is State.NO_DATA:
        return f"There is no longer data for {context.rule.value}."
    parts = [f"also firing: {formatting.join_words(new, MOST_SUBJECTS)}"] if new else []
    parts += [f"OK again: {formatting.join_words(gone, MOST_SUBJECTS)}"] if gone else []
    # The set of subjects may be the same with other states.
    changes = sentence("; ".join(parts)) or "The state of a subject changed"
    return f"{changes}. {sentence(breach_text(context))}."


def _repeated(context: NotificationContext) -> str:
    """A reminder says for how long."""
    length = duration_text(context)
    if context.after.state is State.NO_DATA:
        return f"No data for {context.rule.value} for {length}."
    return f"Firing for {length}: {breach_text(context, still='still ')}{peak_text(context, '; ')}."


def _rule_changed(context: NotificationContext) -> str:
    what = f": {context.changes}" if context.changes else ""
    return f"Alert {context.change}{_by(context)} while it was firing{what}."


def _acknowledged(context: NotificationContext) -> str:
    return f"Acknowledged{_by(context)}. No reminders; changes and the end are still posted."


def _escalated(context: NotificationContext) -> str:
    return f"Escalated: nobody has acknowledged it for {escalation_delay(context)}. {_repeated(context)}"


def _silenced(context: NotificationContext) -> str:
    text = context.silence.text if context.silence else "silenced"
    return (
        f"{sentence(text)}{_by(context)}. The end is still posted, and so is an alert that fires "
        "when the silence ends."
    )


def _by(context: NotificationContext) -> str:
    return f" by {formatting.sanitise(context.name, 60)}" if context.name else ""


_REPLIES: Mapping[Reason, Callable[[NotificationContext], str]] = MappingProxyType(
    {
        Reason.FIRED: lambda context: f"{sentence(breach_text(context))}.",
        Reason.CHANGED: _changed,
        Reason.REPEATED: _repeated,
        Reason.SILENCE_ENDED: lambda context: f"The silence is over. {_repeated(context)}",
        Reason.RESOLVED: lambda context: f"{headline(context)}.",
        Reason.NO_DATA: lambda context: f"No data for {context.rule.value}.",
        Reason.RULE_CHANGED: _rule_changed,
        Reason.ACKNOWLEDGED: _acknowledged,
        Reason.SILENCED: _silenced,
        Reason.ESCALATED: _escalated,
    }
)
