"""What of a rule was changed, from what to what (pure)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from msgspec import UNSET
from msgspec.structs import replace

from bot import formatting
from bot.alerts.rule import Rule
from bot.blocks.alert_lines import NO_NAMES, Names, recipients_text
from bot.blocks.alert_values import resolve_label, threshold_label

_MOST = 160


def rule_changes(before: Rule, after: Rule, names: Names = NO_NAMES) -> str:
    """`threshold above 5.00 GB → above 6.00 GB, check every 15 min → 5 min`; empty where nothing
    that people see was changed. `names` are those of the people and groups of both rules.
    """
    old = dict(_parts(before, names))
    return ", ".join(
        f"{name} {formatting.truncate(old[name], _MOST)} → {formatting.truncate(new, _MOST)}"
        for name, new in _parts(after, names)
        if new != old[name]
    )


def definition_changes(before: Rule, after: Rule) -> str:
    """The same for a rule of which only the definition is known: what it evaluates."""
    known = replace(
        after,
        query=before.query,
        redacted_query=UNSET,
        value=before.value,
        above=before.above,
        below=before.below,
        usual=before.usual,
        each=before.each,
    )
    return rule_changes(known, after)


def _parts(rule: Rule, names: Names) -> Iterator[tuple[str, str]]:
    paging = rule.paging
    yield "question", f"`{formatting.sanitise(rule.display_query)}`"
    yield "value", rule.value
    yield "threshold", threshold_label(rule)
    yield "resolve threshold", resolve_label(rule) or "none"
    yield "each", rule.each or "none"
    yield "check every", formatting.format_interval(rule.every)
    yield "for", _length(rule.for_)
    yield "keep", _length(rule.keep_firing_for)
    yield "reminder every", _length(rule.repeat)
    yield "no data", rule.no_data
    yield "severity", paging.severity or "none"
    yield "notifies", recipients_text(paging.notify, names) or "nobody"
    yield "escalates after", _length(paging.escalate_after)
    yield "escalates to", recipients_text(paging.escalate_to, names) or "nobody"
    yield "runbook", formatting.sanitise(paging.runbook) or "none"


def _length(length: timedelta | None) -> str:
    return formatting.format_duration(length) if length else "none"
