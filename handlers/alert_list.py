"""Alerts with their state: the list of `alerts`, and the summary of the App Home."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo

from bot.access import AccessPolicy
from bot.alerts.rule import Rule
from bot.alerts.state import MOST_SEVERE_FIRST
from bot.blocks import messages
from bot.blocks.alert_lines import OK_STATES, PAUSED, icon, rule_line, state_line
from handlers.alert_registry import RuleRegistry
from handlers.jobs.alerts import AlertJob, schedule_of
from handlers.pauses import PauseGuard
from handlers.permissions import Requester


@dataclass(frozen=True, slots=True)
class AlertSummary:
    """The alerts that a person may see: a line for each that needs attention, how many are OK, and
    when one was last checked.
    """

    lines: list[messages.ListLine]
    ok: int
    evaluated_at: datetime | None


@dataclass(frozen=True, slots=True)
class AlertList:
    """Lists the alerts that a person may see."""

    registry: RuleRegistry
    job: AlertJob
    guard: PauseGuard
    zone: tzinfo
    clock: Callable[[], datetime]

    @property
    def access(self) -> AccessPolicy:
        return self.registry.access

    async def lines_here(self, requester: Requester) -> list[messages.ListLine]:
        """The alerts of the person's channel, and those of the configuration."""
        rules = await self.registry.visible_here(requester)
        await self.job.refresh()
        return [await self._line(rule, requester) for rule in rules]

    async def summary(self, requester: Requester) -> AlertSummary:
        """The state of the alerts that the person may know of, the most severe first."""
        rules = await self.registry.visible(requester)
        await self.job.refresh()
        alerts = {rule.name: await self.job.state(rule) for rule in rules}
        now = self.clock()
        shown = [
            rule
            for rule in rules
            if alerts[rule.name].state not in OK_STATES
            or alerts[rule.name].errors
            or self.job.silences.active(rule.name, now)
            or self.guard.is_paused(schedule_of(rule.name))
        ]
        shown.sort(key=lambda rule: MOST_SEVERE_FIRST.index(alerts[rule.name].state))
        evaluated = [alert.evaluated_at for alert in alerts.values() if alert.evaluated_at]
        lines = [await self._line(rule, requester) for rule in shown]
        return AlertSummary(lines, len(rules) - len(shown), max(evaluated, default=None))

    async def _line(self, rule: Rule, requester: Requester) -> messages.ListLine:
        """One line of the list. A person who has lost access to the question sees neither that nor
        its result.
        """
        now = self.clock()
        stored = self.registry.chat_rules.get(rule.name)
        origin = "" if stored else f"; rule of bot.toml for {rule.channel}"
        silenced = ""
        person = stored.user if stored else ""
        silence = self.job.silences.active(rule.name, now)
        if silence:
            silenced = f"; {silence.text}"
            person = silence.user
        if not self.access.may_ask(rule.command, **requester.rights):
            return messages.ListLine(f"⏸ `{rule.name}` {PAUSED}{silenced}", person)
        if self.guard.is_paused(schedule_of(rule.name)):
            text = f"⏸ `{rule.name}` {PAUSED}: {rule_line(rule)}{origin}{silenced}"
            return messages.ListLine(text, person)
        alert = await self.job.state(rule)
        state = state_line(rule, alert, self.zone, now)
        dot = icon(rule, alert, silenced=bool(silence))
        text = f"{dot} `{rule.name}` {state}: {rule_line(rule)}{origin}{silenced}"
        return messages.ListLine(text, person)
