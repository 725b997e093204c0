"""Rules from typed alerts, and typed alerts from rules (pure)."""

from __future__ import annotations

from typing import Any

import msgspec

from bot.alerts.commands import CreateAlert
from bot.alerts.paging import NO_PAGING
from bot.alerts.rule import Rule


def rule_from(new: CreateAlert, query: str, channel: str) -> Rule:
    """The rule of a typed alert; `query` is its parsed question."""
    threshold: dict[str, Any] = (
        # A threshold is an amount, or follows what is usual; never both.
        {"usual": new.usual} if new.usual else {new.side: new.threshold, "recover": new.recover}
    )
    return Rule(
        new.name,
        query,
        new.value,
        channel,
        **threshold,
        every=new.every,
        for_=new.for_,
        keep_firing_for=new.keep_firing_for,
        repeat=new.repeat,
        no_data=new.no_data,  # type: ignore[arg-type]
        each=new.each,
        # Unset, so that the JSON of a rule that calls nobody is the one of earlier versions.
        paging_or_unset=new.paging if new.paging != NO_PAGING else msgspec.UNSET,
    )


def create_alert_from(rule: Rule) -> CreateAlert:
    """The rule as it would be typed, so that a form can change it."""
    return CreateAlert(
        rule.query.partition(" ")[2],
        rule.value,
        rule.side,  # type: ignore[arg-type]
        0.0 if rule.usual else rule.threshold,
        recover=rule.recover,
        every=rule.every,
        for_=rule.for_,
        keep_firing_for=rule.keep_firing_for,
        repeat=rule.repeat,
        each=rule.each,
        no_data=rule.no_data,
        name=rule.name,
        paging=rule.paging,
        usual=rule.usual or None,
    )
