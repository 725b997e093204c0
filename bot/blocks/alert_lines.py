"""Alerts in one line each: what a rule checks, and the state of its alert (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from types import MappingProxyType

from bot import formatting
from bot.alerts.paging import mentions
from bot.alerts.rule import Rule
from bot.alerts.state import AlertState
from bot.blocks.alert_states import OK_STATES, state_word
from bot.blocks.alert_values import (
    format_value,
    peak_name,
    resolve_label,
    subject_name,
    threshold_label,
)

Names = Mapping[str, str]
NO_NAMES: Names = MappingProxyType({})
MOST_SUBJECTS = 8
PAUSED = "paused because its creator no longer has access to the question"


def rule_line(rule: Rule, names: Names = NO_NAMES) -> str:
    """What a rule checks and its options, in one phrase."""
    return ", ".join([condition_line(rule), *option_parts(rule, names)])


def condition_line(rule: Rule) -> str:
    """`bytes of /usage today above 5.00 GB`."""
    condition = f"{rule.value} of `{rule.display_query}` {threshold_label(rule)}"
    return f"{condition}, for each {rule.each}" if rule.each else condition


def option_parts(rule: Rule, names: Names = NO_NAMES) -> list[str]:
    """When an alert fires and resolves, how urgent it is and whom it calls, a phrase each. `names`
    are those of people and user groups, by id.
    """
    parts = []
    if resolve := resolve_label(rule):
        parts.append(f"resolve threshold {resolve}")
    if rule.for_:
        parts.append(f"for at least {formatting.format_duration(rule.for_)}")
    if rule.repeat:
        parts.append(f"reminder every {formatting.format_interval(rule.repeat)}")
    return [*parts, *_paging_parts(rule, names)]


def _paging_parts(rule: Rule, names: Names) -> list[str]:
    """How urgent the rule is and whom it calls."""
    paging = rule.paging
    parts = [f"severity {paging.severity}"] if paging.severity else []
    if paging.notify:
        parts.append(f"notifies {recipients_text(paging.notify, names)}")
    if paging.escalate_after:
        after = formatting.format_duration(paging.escalate_after)
        to = recipients_text(paging.escalate_to, names)
        parts.append(f"escalates after {after} to {to} unless acknowledged")
    return parts


def recipients_text(recipients: Sequence[str], names: Names = NO_NAMES) -> str:
    """`pagerduty, Grace and group oncall`: names, since a mention would notify people of a mere
    description. Those without a known name are counted.
    """
    called = mentions(recipients)
    named = [formatting.sanitise(names[each], 60) for each in called if each in names]
    others = [each for each in recipients if each not in called]
    unnamed = len(called) - len(named)
    counted = [formatting.pluralise(unnamed, "person or group", "people or groups")]
    return formatting.join_words([*others, *named, *(counted if unnamed else [])], 10)


def state_line(
    rule: Rule, alert: AlertState, zone: tzinfo, now: datetime, *, acknowledger: str = ""
) -> str:
    """The state of an alert in words: since when, its value or worst subject, and who has
    acknowledged it.
    """
    words = state_word(alert.state)
    if alert.started_at and alert.state not in OK_STATES:
        words += f" since {formatting.format_time(alert.started_at, zone, now)}"
    value = alert.worst_subject.value
    if value is not None and not rule.each:
        words += f" ({format_value(rule.value, value)})"
    words += _firing_subjects(rule, alert)
    by = f" by {formatting.sanitise(acknowledger, 60)}" if acknowledger else ""
    flags = [f"acknowledged{by}"] if alert.acknowledged_by else []
    flags += ["flapping"] if alert.flapping else []
    if alert.errors:
        flags.append(f"failed {formatting.pluralise(alert.errors, 'check')} in a row")
    return ", ".join([words, *flags])


def alert_facts(
    rule: Rule, alert: AlertState, zone: tzinfo, now: datetime, *, link: str = ""
) -> list[str]:
    """What the line of a list leaves out: its checks, its channel, and every firing subject."""
    checked = f"Checked every {formatting.format_interval(rule.every)}"
    if alert.evaluated_at:
        checked += f", last {formatting.format_time(alert.evaluated_at, zone, now)}"
    facts = [f"{checked}.", f"No data: {rule.no_data}."]
    if peak := rule.worst(subject.peak for subject in alert.firing().values()):
        facts.append(f"{peak_name(rule).capitalize()}: {format_value(rule.value, peak)}.")
    if rule.each:
        values = [
            f"{subject_name(name, 60)} {format_value(rule.value, each.value)}"
            for name, each in alert.firing().items()
            if each.value is not None
        ]
        facts += [f"Firing: {formatting.join_words(values, MOST_SUBJECTS)}."] if values else []
    return [*facts, *([f"Message: {link}"] if link else [])]


def _firing_subjects(rule: Rule, alert: AlertState) -> str:
    """` (2 of 7 actors, ada at 12)`: how many subjects fire, and the worst one."""
    firing = {name: each.value for name, each in alert.firing().items() if each.value is not None}
    if not rule.each or not firing:
        return ""
    worst = rule.worst(firing.values())
    name = next(name for name, value in firing.items() if value == worst)
    of = formatting.pluralise(len(alert.subjects), rule.each)
    shown = f"{subject_name(name, 40)} at {format_value(rule.value, firing[name])}"
    return f" ({len(firing)} of {of}, {shown})"
