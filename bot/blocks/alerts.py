"""Notifications of an alert in words and blocks: the message of its incident in the channel, and the
replies in its thread.

Each explains itself: value, threshold, window, what is missing, since when, why it is sent now, whose
rule it is, and when the next check is. The word resolved stands in it only once it is over.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from types import MappingProxyType

from bot import formatting
from bot.alerts.channels import OperatorButton
from bot.alerts.mutes import ActiveSilence
from bot.alerts.paging import mentions
from bot.alerts.rule import Rule
from bot.alerts.state import NOTHING_FOUND, WHOLE, AlertState, Reason, State, SubjectState
from bot.answer import Block
from bot.blocks import kit

ACKNOWLEDGE, EDIT, SILENCE = "alert.acknowledge", "alert.edit", "alert.silence"
# Where a button opens a web page, Slack sends its press all the same.
LINK = "link"
MOST_OWN_BUTTONS = 6
SILENCES = (("Silence 1 h", "1h"), ("Silence 4 h", "4h"), ("Silence until tomorrow", "tomorrow"))
MOST_SUBJECTS = 8
# An alert that somebody works on, or that sends no notifications.
HANDLED = "🟠"
# The colour of an alert that fires, by its severity.
FIRING_DOTS: Mapping[str, str] = MappingProxyType(
    {"": "🔴", "critical": "🔴", "warning": "🟡", "info": "🔵"}
)


class RuleChange(enum.StrEnum):
    """What happened to a rule whose incident is closed."""

    CHANGED = "changed"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class NotificationContext:
    """What a notification is about: a rule, its alert before and after, the reason to notify, and
    what people need beside it. `silence` says why the alert is quiet now; `by` is who acknowledged,
    silenced, changed or deleted it just now, and `name` their name. `buttons` are the operator's, and
    `known_to` the targets in which it was acknowledged.
    """

    rule: Rule
    before: AlertState
    after: AlertState
    reason: Reason
    now: datetime
    zone: tzinfo
    window: str = ""
    shortcomings: Sequence[str] = ()
    silence: ActiveSilence | None = None
    by: str = ""
    name: str = ""
    change: RuleChange = RuleChange.CHANGED
    buttons: Sequence[OperatorButton] = ()
    known_to: Sequence[str] = ()

    @property
    def is_over(self) -> bool:
        return not self.after.notified

    @property
    def shown(self) -> AlertState:
        """The state to report: that of now, or, once it is over, the last one before."""
        return self.before if self.is_over else self.after

    def because(self, reason: Reason) -> NotificationContext:
        """The same with another reason."""
        return replace(self, reason=reason)


def incident_message(
    context: NotificationContext, *, is_copy: bool = False
) -> tuple[str, list[Block]]:
    """The message of the incident as of now. A copy for another channel mentions nobody."""
    head, subjects = headline(context), subject_lines(context)
    text = "\n".join([head, *subjects, *(f"{name}: {value}." for name, value in facts(context))])
    shown = _facts(context, kit.local_time, kit.escaped)
    listed = "\n".join(f"• {kit.escaped(line)}" for line in subjects)
    called = "" if is_copy or context.is_over else _mentions(context.rule.paging.notify)
    return text, [
        kit.header(head),
        *([kit.section(called)] if called and context.after.state is State.FIRING else []),
        *([kit.section(listed)] if listed else []),
        kit.fields(shown),
        *(kit.context(flag) for flag in _flags(context)),
        kit.context(f"{kit.code(context.rule.display_query, 200)} · {_footer(context)}"),
        kit.actions(_buttons(context)),
    ]


def thread_reply(context: NotificationContext) -> tuple[str, list[Block]]:
    """The reply in the incident's thread about this change."""
    text = _REPLIES[context.reason](context)
    # The acknowledgement names its person in words, which does not notify them of their own click.
    is_named = context.reason is Reason.ACKNOWLEDGED or not context.name
    by = [] if is_named else [kit.context(f"By <@{context.by}>.")]
    called = _mentions(called_in_thread(context))
    return text, [
        kit.section(f"{kit.escaped(text)}{called and ' '}{called}"),
        *by,
        kit.context(_footer(context)),
    ]


def called_in_thread(context: NotificationContext) -> tuple[str, ...]:
    """Whom the reply about this change mentions: nobody, unless the alert fires or escalates, or is
    repeated after that.
    """
    paging = context.rule.paging
    if context.reason is Reason.FIRED:
        return paging.notify
    if context.reason is Reason.ESCALATED:
        return paging.escalate_to
    if context.reason is Reason.REPEATED and context.after.escalated_at:
        return (*paging.notify, *paging.escalate_to)
    return ()


def _mentions(recipients: Sequence[str]) -> str:
    return " ".join(kit.mention(each) for each in dict.fromkeys(mentions(recipients)))


def headline(context: NotificationContext) -> str:
    """What has happened, in one line."""
    rule, alert = context.rule, context.shown
    if context.reason is Reason.RULE_CHANGED:
        return f"⚫ {rule.name}: alert {context.change} after firing for {_duration(context)}"
    if context.is_over:
        return f"✅ {rule.name} resolved after {_duration(context)}{_peak(context)}"
    if alert.state is State.NO_DATA:
        return f"⚪ {severity_prefix(rule)}{rule.name}: no data for {rule.value}"
    is_handled = bool(alert.acknowledged_by or context.silence)
    dot = HANDLED if is_handled else FIRING_DOTS[rule.paging.severity]
    return f"{dot} {severity_prefix(rule)}{rule.name}: {_breach(context)}"


def severity_prefix(rule: Rule) -> str:
    """`Critical · `, or nothing where the rule has no severity."""
    severity = rule.paging.severity
    return f"{severity.capitalize()} · " if severity else ""


def _breach(context: NotificationContext, *, still: str = "") -> str:
    """The value against the threshold, or how many subjects are past it."""
    rule, firing = context.rule, context.shown.firing()
    threshold = f"{rule.side} {format_value(rule.value, rule.threshold)}"
    if list(firing) != [WHOLE]:
        of = f"of {formatting.pluralise(len(context.shown.subjects), rule.each)}"
        return f"{rule.value} {still}{threshold} for {len(firing)} {of}"
    value = firing[WHOLE].value
    if value is None:
        return f"{rule.value} was {threshold}; no data since"
    shown = f"{rule.value} {still}at {format_value(rule.value, value)}"
    if rule.is_breach(value, firing=False):
        return f"{shown}, {threshold}"
    if rule.recover is not None and rule.is_breach(value, firing=True):
        return (
            f"{shown}, {rule.side} the resolve threshold {format_value(rule.value, rule.recover)}"
        )
    return f"{shown}, was {threshold}"


def subject_lines(context: NotificationContext) -> list[str]:
    """Each firing subject with its value, the worst first."""
    if not context.rule.each or context.is_over:
        return []
    firing = context.shown.firing()
    worst = sorted(
        firing.items(),
        key=lambda item: item[1].value or 0.0,
        reverse=context.rule.above is not None,
    )
    lines = [
        f"{formatting.sanitise(name, 80) or '(unnamed)'}: {_value(context.rule, subject)}"
        for name, subject in worst
    ]
    more = [f"… and {len(lines) - MOST_SUBJECTS} more"] if len(lines) > MOST_SUBJECTS else []
    return [*lines[:MOST_SUBJECTS], *more]


def _value(rule: Rule, subject: SubjectState) -> str:
    return format_value(rule.value, subject.value) if subject.value is not None else "no data"


def facts(context: NotificationContext) -> list[tuple[str, str]]:
    """Names and values in words."""
    return _facts(context, lambda at: formatting.format_time(at, context.zone, context.now))


def _facts(
    context: NotificationContext,
    time: Callable[[datetime], str],
    shown: Callable[[str], str] = formatting.sanitise_lines,
) -> list[tuple[str, str]]:
    """Names and values. `time` formats an instant, in words for all or for each reader in their own
    zone; `shown` makes text from outside harmless.
    """
    rule = context.rule
    found = _value_facts(context)
    found.append(("Threshold", f"{rule.side} {format_value(rule.value, rule.threshold)}"))
    if rule.recover is not None:
        found.append(("Resolve threshold", format_value(rule.value, rule.recover)))
    if began := context.shown.started_at:
        lasted = context.now - began
        ago = f" ({formatting.format_duration(lasted)})" if lasted >= timedelta(seconds=1) else ""
        found.append(("Since", f"{time(began)}{ago}"))
    peak = _worst(context)
    if peak is not None and (context.is_over or context.reason is not Reason.FIRED):
        found.append((_peak_name(rule).capitalize(), format_value(rule.value, peak)))
    if context.window:
        found.append(("Window", shown(context.window)))
    if missing := _missing(context):
        found.append(("Missing", shown(missing)))
    return found[:10]


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


def _duration(context: NotificationContext) -> str:
    return formatting.format_duration(context.now - (context.shown.started_at or context.now))


def _worst(context: NotificationContext) -> float | None:
    return context.rule.worst(subject.peak for subject in context.shown.subjects.values())


def _peak(context: NotificationContext, separator: str = ", ") -> str:
    """`, peak 6.10 GB`, or nothing where it is unknown."""
    peak = _worst(context)
    if peak is None:
        return ""
    return f"{separator}{_peak_name(context.rule)} {format_value(context.rule.value, peak)}"


def _peak_name(rule: Rule) -> str:
    return "peak" if rule.above is not None else "lowest"


def _flags(context: NotificationContext) -> list[str]:
    """Who acknowledged or silenced it, and whether it is flapping, as mrkdwn."""
    if context.is_over:
        return []
    flags = []
    if context.after.escalated_at:
        flags.append(f"Escalated, as nobody had acknowledged it for {_escalated_after(context)}.")
    if user := context.after.acknowledged_by:
        flags.append(f"Acknowledged by {_acknowledger(user)}; no reminders.")
    if context.silence:
        by = f", by <@{context.silence.user}>" if context.silence.user else ""
        flags.append(f"{kit.escaped(_sentence(context.silence.text))}{by}.")
    if context.after.flapping:
        flags.append("Flapping: it keeps changing between firing and OK.")
    return flags


def _acknowledger(user: str) -> str:
    """A person of Slack by their id, or somebody elsewhere in words."""
    return f"<@{user}>" if mentions([user]) else kit.escaped(formatting.sanitise(user, 80))


def _escalated_after(context: NotificationContext) -> str:
    opened, escalated = context.after.opened_at, context.after.escalated_at
    assert escalated is not None
    return formatting.format_duration(escalated - (opened or escalated))


def _footer(context: NotificationContext) -> str:
    """Why the notification is sent now, whose rule it is, and when the next check is."""
    rule = context.rule
    origin = f"rule of {kit.escaped(rule.origin)}"
    if context.reason is Reason.RULE_CHANGED:
        return f"Alert {context.change} · {origin}"
    because = _BECAUSE[context.reason]
    if context.reason is Reason.FIRED and rule.for_:
        because = f"{because} after {formatting.format_duration(rule.for_)} in breach"
    return f"{because} · {origin} · next check {kit.local_time(context.now + rule.every)}"


def _buttons(context: NotificationContext) -> list[Block]:
    name = context.rule.name
    links, questions = _links(context), _questions(context)
    edit = kit.button("Edit rule", EDIT, name)
    if context.is_over:
        return [*links, *questions, edit]
    acknowledge = kit.button("Acknowledge", ACKNOWLEDGE, name, style="primary")
    silences = [kit.button(text, f"{SILENCE}.{length}", name) for text, length in SILENCES]
    return [
        *([] if context.after.acknowledged_by else [acknowledge]),
        *links,
        *questions,
        *([] if context.silence else silences),
        edit,
    ]


def _links(context: NotificationContext) -> list[Block]:
    """The runbook, and the operator's links."""
    runbook = context.rule.paging.runbook
    links = [("Runbook", runbook)] if runbook else []
    links += [(each.text, each.url) for each in context.buttons[:MOST_OWN_BUTTONS] if each.url]
    return [kit.link_button(text, f"{LINK}.{n}", url) for n, (text, url) in enumerate(links)]


def _questions(context: NotificationContext) -> list[Block]:
    """The question of the rule, and those of the operator. A button holds its question word for
    word, so there is none for one with a secret.
    """
    rule = context.rule
    asked = [] if rule.redacted_query else [("Show the data", rule.query)]
    own = context.buttons[:MOST_OWN_BUTTONS]
    return kit.ask_buttons([*asked, *((each.text, each.ask) for each in own if each.ask)])


def _changed(context: NotificationContext) -> str:
    """The subjects that fire now and did not before, and those that fired and are OK."""
    now, before = context.after.notified, context.before.notified
    new = [formatting.sanitise(name, 60) for name in now if name not in before]
    gone = [formatting.sanitise(name, 60) for name in before if name not in now]
    if context.after.state is State.NO_DATA:
        return f"No data for {context.rule.value} any more."
    parts = [f"also firing: {formatting.join_words(new, MOST_SUBJECTS)}"] if new else []
    parts += [f"OK again: {formatting.join_words(gone, MOST_SUBJECTS)}"] if gone else []
    changes = _sentence("; ".join(parts)) or "The state of a subject changed"
    return f"{changes}. {_sentence(_breach(context))}."


def _repeated(context: NotificationContext) -> str:
    """A reminder says for how long."""
    length = _duration(context)
    if context.after.state is State.NO_DATA:
        return f"No data for {context.rule.value} for {length}."
    return f"Firing for {length}: {_breach(context, still='still ')}{_peak(context, '; ')}."


def _rule_changed(context: NotificationContext) -> str:
    return f"Alert {context.change}{_by(context)} while it was firing."


def _acknowledged(context: NotificationContext) -> str:
    return f"Acknowledged{_by(context)}. No reminders; changes and the end are still posted."


def _escalated(context: NotificationContext) -> str:
    return f"Escalated: nobody has acknowledged it for {_escalated_after(context)}. {_repeated(context)}"


def _silenced(context: NotificationContext) -> str:
    text = context.silence.text if context.silence else "silenced"
    return (
        f"{_sentence(text)}{_by(context)}. The end is still posted, and so is an alert that fires "
        "when the silence ends."
    )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _by(context: NotificationContext) -> str:
    return f" by {formatting.sanitise(context.name, 60)}" if context.name else ""


_REPLIES: Mapping[Reason, Callable[[NotificationContext], str]] = MappingProxyType(
    {
        Reason.FIRED: lambda context: f"{_sentence(_breach(context))}.",
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


def format_value(name: str, value: float) -> str:
    """A value in the unit that its name implies."""
    if name == "bytes" or name.endswith(("_bytes", "bytes_per_day")):
        return formatting.format_bytes(int(value))
    if name.endswith("_percent"):
        return f"{value:.1f} %"
    if name.endswith("_ms"):
        return formatting.milliseconds(value)
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"
