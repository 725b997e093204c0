"""Incidents whose rule was changed in the configuration, or removed from it, while no process ran."""

from __future__ import annotations

from collections.abc import Sequence

from bot.alerts.rule import Rule, rule_from_definition
from bot.blocks.alert_context import RuleChange
from bot.blocks.rule_changes import definition_changes
from handlers.jobs.alert_states import decode_state
from handlers.jobs.alerts import AlertJob


async def close_orphans(job: AlertJob, rules: Sequence[Rule]) -> None:
    """Closes the incidents that none of the rules continues."""
    known = {rule.name: rule for rule in rules}
    for left in await job.alerts.open_incidents():
        now = known.get(left.alert)
        if now and now.definition == left.definition:
            continue
        if not decode_state(left.alert_state).notified:
            continue
        # The incident was opened by the rule as it was then, which the stored definition describes.
        rule = rule_from_definition(left.alert, left.definition, left.channel)
        changes = definition_changes(rule, now) if now else ""
        change = RuleChange.CHANGED if now else RuleChange.DELETED
        await job.close(rule, change, changes=changes)
