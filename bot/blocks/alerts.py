"""The message of an incident in words and blocks.

It explains itself: value, threshold, window, what is missing, since when, why it is sent now, whose
rule it is, and when the next check is. It says resolved only once the incident is over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType

from bot import formatting
from bot.alerts.escalation import escalates_at
from bot.alerts.paging import CHANNEL_ID, mentions
from bot.alerts.rule import Rule
from bot.alerts.state import NOTHING_FOUND, WHOLE, Reason, State, SubjectState
from bot.answer import Block, EvidenceFact
from bot.blocks import kit
from bot.blocks.alert_baseline import threshold_now, usual_chart, usual_fact
from bot.blocks.alert_buttons import incident_buttons
from bot.blocks.alert_context import NotificationContext
from bot.blocks.alert_lines import recipients_text
from bot.blocks.alert_states import severity_prefix, state_dot
from bot.blocks.alert_values import (
    format_value,
    peak_name,
    resolve_label,
    subject_name,
    threshold_label,
    usual_label,
)

MOST_SUBJECTS = 8
# What a phone shows of a notification, at least.
PUSH_LENGTH = 60
LEAST_NAME = 12
# How much of a subject's name a headline shows: an address is whole.
MOST_OF_NAME = 64


def incident_message(
    context: NotificationContext, *, is_copy: bool = False
) -> tuple[str, list[Block]]:
    """The message of the incident as of now. A copy for another channel mentions nobody."""
    head = headline(context)
    push = push_line(context)
    subjects = [] if _is_named_in_headline(context) else subject_lines(context)
    listed_facts = [f"{name}: {value}." for name, value in facts(context)]
    full_name = [] if push == head else [f"Alert: {context.rule.name}."]
    # Screen readers and notifications take this text and ignore the blocks (chat.postMessage).
    text = "\n".join([push, *subjects, *full_name, *listed_facts, *waiting_lines(context)])
    # In the blocks each reader sees times in their own zone; in the text, in that of the bot.
    shown = _facts(context, kit.local_time, kit.escaped, _window_in_blocks(context))
    listed = "\n".join(f"• {kit.escaped(line)}" for line in subjects)
    # An end notifies nobody: it needs no action.
    buttons = incident_buttons(context)
    called = "" if is_copy or context.is_over else mention_text(context.rule.paging.notify)
    return text, [
        kit.header(head),
        *([kit.section(called)] if called and context.after.state is State.FIRING else []),
        *([kit.section(listed)] if listed else []),
        kit.fields((sentence(name), value) for name, value in shown),
        *usual_chart(context),
        *(kit.context(flag) for flag in _flags(context)),
        kit.context(f"{kit.code(context.rule.display_query, 200)} · {footer(context)}"),
        *([kit.actions(buttons)] if buttons else []),
    ]


def mention_text(recipients: Sequence[str]) -> str:
    return " ".join(kit.mention(each) for each in dict.fromkeys(mentions(recipients)))


def headline(context: NotificationContext) -> str:
    """What has happened, in one line."""
    return _headline(context, context.rule.name)


def push_line(context: NotificationContext) -> str:
    """The headline as a phone shows it, with the value in the first 60 characters: a name that is too
    long for that is shortened. What is behind the value is whole, for everything that shows more.
    """
    name = context.rule.name
    if context.is_over:
        return _headline(context, name)
    # At least a dozen characters, so that alerts can be distinguished.
    room = max(len(name) - _excess(context), LEAST_NAME)
    return _headline(context, formatting.truncate(name, room))


def _excess(context: NotificationContext) -> int:
    """By how many characters the headline up to its value is too long."""
    # Of a subject, a character is enough to tell where it begins.
    shown = _headline(context, context.rule.name, 1)
    threshold = f", {threshold_label(context.rule)}"
    return max(0, len(shown.partition(threshold)[0].partition(", ")[0]) - PUSH_LENGTH)


def _headline(context: NotificationContext, name: str, subject: int = MOST_OF_NAME) -> str:
    rule = context.rule
    alert = context.shown
    if context.reason is Reason.RULE_CHANGED:
        return f"⚫ {name}: alert {context.change} after firing for {duration_text(context)}"
    if context.is_over:
        return f"✅ {name} resolved after {duration_text(context)}{peak_text(context)}"
    dot = state_dot(rule, alert, silenced=context.silence is not None)
    head = f"{dot} {severity_prefix(rule)}{name}"
    if alert.state is State.NO_DATA:
        return f"{head}: no data for {rule.value}"
    return f"{head}: {breach_text(context, subject_length=subject)}"


def breach_text(
    context: NotificationContext, *, still: str = "", subject_length: int = MOST_OF_NAME
) -> str:
    """The value against the threshold; with several firing subjects, how many are past it."""
    rule = context.rule
    firing = context.shown.firing()
    threshold = threshold_label(rule)
    if len(firing) != 1:
        of = f"of {formatting.pluralise(len(context.shown.subjects), rule.each)}"
        return f"{rule.value} {still}{threshold} for {len(firing)} {of}"
    [(name, subject)] = firing.items()
    of_subject = "" if name == WHOLE else f" for {subject_name(name, subject_length)}"
    value = subject.value
    if value is None:
        return f"{rule.value}{of_subject} was {threshold}; no data since"
    shown = f"{rule.value} {still}at {format_value(rule.value, value)}{of_subject}"
    baseline = subject.baseline
    usual = f" ({usual_label(rule.value, baseline)})" if baseline else ""
    # The value of now may be OK while keep_firing_for goes on, and the sentence must not claim a
    # breach.
    if rule.is_breach(value, firing=False, baseline=baseline):
        return f"{shown}, {threshold}{usual}"
    resolve = resolve_label(rule)
    if resolve and rule.is_breach(value, firing=True, baseline=baseline):
        return f"{shown}, {rule.side} the resolve threshold {resolve}{usual}"
    return f"{shown}, was {threshold}{usual}"


def _is_named_in_headline(context: NotificationContext) -> bool:
    """Whether the headline has the one firing subject and its value."""
    firing = context.shown.firing()
    return len(firing) == 1 and all(len(name) <= MOST_OF_NAME for name in firing)


def subject_lines(context: NotificationContext) -> list[str]:
    """Each firing subject with its value, the worst first."""
    if not context.rule.each or context.is_over:
        return []
    firing = context.shown.firing()
    worst = sorted(
        firing.items(),
        key=lambda item: item[1].value or 0.0,
        reverse=context.rule.side != "below",
    )
    lines = [
        f"{subject_name(name, 80)}: {_value(context.rule, subject)}" for name, subject in worst
    ]
    more = [f"… and {len(lines) - MOST_SUBJECTS} more"] if len(lines) > MOST_SUBJECTS else []
    return [*lines[:MOST_SUBJECTS], *more]


def _value(rule: Rule, subject: SubjectState) -> str:
    if subject.value is None:
        return "no data"
    usual = f" ({usual_label(rule.value, subject.baseline)})" if subject.baseline else ""
    return f"{format_value(rule.value, subject.value)}{usual}"


def facts(context: NotificationContext) -> list[tuple[str, str]]:
    """Names and values in words."""
    return _facts(context, context.time)


def _facts(
    context: NotificationContext,
    time: Callable[[datetime], str],
    shown: Callable[[str], str] = formatting.sanitise_lines,
    window: str = "",
) -> list[tuple[str, str]]:
    """Names and values. `time` formats an instant, in words for all or for each reader in their own
    zone, as does `window`; `shown` makes text from outside harmless.
    """
    rule = context.rule
    found = _value_facts(context)
    found.append(("Threshold", threshold_now(context)))
    if resolve := resolve_label(rule):
        found.append(("Resolve threshold", resolve))
    found += usual_fact(context)
    if began := context.shown.started_at:
        lasted = context.now - began
        # At its beginning, `0 s` would say nothing.
        ago = f" ({formatting.format_duration(lasted)})" if lasted >= timedelta(seconds=1) else ""
        # The breach itself began up to one check earlier.
        every = formatting.format_interval(rule.every)
        found.append(("Since", f"{time(began)}{ago}, seen by checks every {every}"))
    if not context.is_over:
        found += [(fact.name, _evidence(fact, time, shown)) for fact in context.evidence.facts]
    peak = _worst(context)
    # At the beginning the peak is the value itself.
    if peak is not None and (context.is_over or context.reason is not Reason.FIRED):
        found.append((peak_name(rule).capitalize(), format_value(rule.value, peak)))
    if context.window:
        found.append(("Window", window or shown(context.window)))
    if missing := _missing(context):
        found.append(("Missing", shown(missing)))
    # A section has ten fields.
    return found[:10]


def _evidence(
    fact: EvidenceFact, time: Callable[[datetime], str], shown: Callable[[str], str]
) -> str:
    return f"{time(fact.at)} · {shown(fact.value)}" if fact.at else shown(fact.value)


def _window_in_blocks(context: NotificationContext) -> str:
    """The window as mrkdwn, with its times like every other one; whole days are those of its zone."""
    if context.window_times is None:
        return kit.escaped(context.window)
    return " to ".join(map(kit.local_time, context.window_times))


def _value_facts(context: NotificationContext) -> list[tuple[str, str]]:
    """The value, and once it is over the one before and the one now."""
    rule = context.rule
    if rule.each:
        return []
    facts = []
    if (value := context.shown.worst_subject.value) is not None:
        name = f"{rule.value} before" if context.is_over else rule.value
        facts.append((name, format_value(rule.value, value)))
    if context.is_over and (value := context.after.worst_subject.value) is not None:
        facts.append((f"{rule.value} now", format_value(rule.value, value)))
    return facts


def _missing(context: NotificationContext) -> str:
    history = context.after.history
    without_data = history.count(NOTHING_FOUND)
    checks = formatting.pluralise(len(history), "check")
    missing = [f"no data in {without_data} of the last {checks}"] if without_data else []
    return "; ".join([*missing, *context.shortcomings])


def duration_text(context: NotificationContext) -> str:
    return formatting.format_duration(context.now - (context.shown.started_at or context.now))


def _worst(context: NotificationContext) -> float | None:
    return context.rule.worst(subject.peak for subject in context.shown.subjects.values())


def peak_text(context: NotificationContext, separator: str = ", ") -> str:
    """`, peak 6.10 GB`, or nothing where it is unknown."""
    peak = _worst(context)
    if peak is None:
        return ""
    return f"{separator}{peak_name(context.rule)} {format_value(context.rule.value, peak)}"


def _flags(context: NotificationContext) -> list[str]:
    """Who acknowledged or silenced it, and whether it is flapping, as mrkdwn."""
    if context.is_over:
        return []
    flags = [_channel_links(line) for line in waiting_lines(context, kit.local_time)]
    if context.after.calls.escalated_at:
        flags.append(f"Escalated: not acknowledged for {escalation_delay(context)}.")
    if user := context.after.acknowledged_by:
        flags.append(f"Acknowledged by {_acknowledger(user)}; no reminders.")
    if context.silence:
        by = f", by <@{context.silence.user}>" if context.silence.user else ""
        flags.append(f"{context.in_blocks(sentence(context.silence.text))}{by}.")
    if context.after.flapping:
        flags.append("Flapping: it keeps changing between firing and OK.")
    return flags


def waiting_lines(
    context: NotificationContext, time: Callable[[datetime], str] | None = None
) -> list[str]:
    """`Not acknowledged. Escalates to pagerduty at 02:26 UTC unless acknowledged.`, of an incident
    that will escalate. With `time`, as mrkdwn.
    """
    at = escalates_at(context.rule, context.after, context.silence)
    if at is None:
        return []
    called = context.details.called_next
    if called is None:
        called = context.rule.paging.escalate_to
    # A mute of the configuration has no end that is known.
    is_muted = context.silence is not None and context.silence.end is None
    when = "when it is no longer muted" if is_muted else f"at {(time or context.time)(at)}"
    if not called:
        return [f"Not acknowledged. Escalates to nobody {when}: nobody is on call then."]
    who = recipients_text(called, context.details.names)
    who = kit.escaped(who) if time else who
    return [f"Not acknowledged. Escalates to {who} {when} unless acknowledged."]


def _channel_links(line: str) -> str:
    """The line with the ids of channels as links, which Slack shows by name."""
    return _CHANNEL_ID.sub(r"<#\g<0>>", line)


_CHANNEL_ID = re.compile(rf"\b{CHANNEL_ID}\b")


def _acknowledger(user: str) -> str:
    """A person of Slack by their id, or somebody elsewhere in words."""
    return f"<@{user}>" if mentions([user]) else kit.escaped(formatting.sanitise(user, 80))


def escalation_delay(context: NotificationContext) -> str:
    opened = context.after.calls.opened_at
    escalated = context.after.calls.escalated_at
    assert escalated is not None
    return formatting.format_duration(escalated - (opened or escalated))


def sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def footer(context: NotificationContext) -> str:
    """Why the notification is sent now, whose rule it is, and when the next check is."""
    rule = context.rule
    origin = f"alert from {kit.escaped(rule.origin)}"
    if context.reason is Reason.RULE_CHANGED:
        return f"Alert {context.change} · {origin}"
    because = _BECAUSE[context.reason]
    if context.reason is Reason.FIRED and rule.for_:
        because = f"{because} after {formatting.format_duration(rule.for_)} in breach"
    return f"{because} · {origin} · next check {kit.local_time(rule.next_check(context.now))}"


_BECAUSE: Mapping[Reason, str] = MappingProxyType(
    {
        Reason.FIRED: "Started firing",
        Reason.CHANGED: "Changed",
        Reason.REPEATED: "Still firing",
        Reason.SILENCE_ENDED: "Silence ended, still firing",
        Reason.RESOLVED: "Resolved",
        Reason.NO_DATA: "No data",
        Reason.ACKNOWLEDGED: "Acknowledged",
        Reason.SILENCED: "Silenced",
        Reason.ESCALATED: "Escalated",
    }
)
