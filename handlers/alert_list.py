"""Alerts with their state: the list of `alerts`, and the summary of the App Home."""

from __future__ import annotations

import difflib
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, tzinfo
from types import MappingProxyType

from msgspec import Struct
from msgspec.structs import replace

from bot.access import AccessPolicy
from bot.alerts.commands import (
    ACKNOWLEDGED,
    FIRING,
    IS_OK,
    NO_DATA,
    PENDING,
    SILENCED,
    STATE_WORDS,
    ListAlerts,
)
from bot.alerts.commands import PAUSED as PAUSED_STATE
from bot.alerts.paging import mentions
from bot.alerts.rule import Rule
from bot.alerts.state import MOST_SEVERE_FIRST, AlertState, State
from bot.answer import Answer
from bot.blocks import kit, messages
from bot.blocks.alert_buttons import LINK, acknowledge_button, silence_buttons
from bot.blocks.alert_lines import PAUSED, alert_facts, condition_line, option_parts, state_line
from bot.blocks.alert_pages import ALERTS_ON_PAGE, AlertPage, page_answer
from bot.blocks.alert_states import OK_STATES, state_dot
from bot.blocks.home import MOST_ALERTS, HomeAlert
from bot.errors import BadQuestion
from bot.questions.question import CommandName
from handlers.alert_registry import RuleRegistry
from handlers.alert_texts import unacknowledgeable
from handlers.jobs.alert_schedules import schedule_of
from handlers.jobs.alerts import AlertJob
from handlers.pauses import PauseGuard
from handlers.permissions import Requester

_LISTED: Mapping[State, str] = MappingProxyType(
    {State.FIRING: FIRING, State.PENDING: PENDING, State.NO_DATA: NO_DATA}
)


class AlertSummary(Struct, frozen=True):
    """The alerts that a person may see: each that needs attention, how many are OK, and when one was
    last checked.
    """

    alerts: list[HomeAlert]
    ok: int
    evaluated_at: datetime | None


class AlertList(Struct, frozen=True):
    """Lists the alerts that a person may see."""

    registry: RuleRegistry
    job: AlertJob
    guard: PauseGuard
    zone: tzinfo
    clock: Callable[[], datetime]
    # The link to a message by the key of its post; empty where there is none.
    permalink: Callable[[str], Awaitable[str]]

    @property
    def access(self) -> AccessPolicy:
        return self.registry.access

    async def page(
        self, wanted: ListAlerts, command: CommandName, requester: Requester
    ) -> Answer | None:
        """A page of the alerts that are wanted; None where there are none."""
        rules = await self._wanted(wanted, requester)
        if not rules:
            return None
        pages = -(-len(rules) // ALERTS_ON_PAGE)
        page = min(wanted.page, pages)
        shown = rules[(page - 1) * ALERTS_ON_PAGE : page * ALERTS_ON_PAGE]
        alerts = [await self._home_alert(rule, requester, with_link=False) for rule in shown]
        words = f"{wanted.words.capitalize()} alerts" if wanted.states else "Alerts"
        return page_answer(
            AlertPage(
                f"{words} (times in {self.zone}):",
                alerts,
                # In quotes, since an alert may be called `firing`.
                [f'/{command} alerts "{rule.name}"' for rule in shown],
                page,
                pages,
                f"/{command} alerts {wanted.words}".strip(),
            )
        )

    async def _wanted(self, wanted: ListAlerts, requester: Requester) -> list[Rule]:
        """The alerts of the person's channel and those of the configuration, or all that the person
        may see, in one of the states.
        """
        registry = self.registry
        everywhere = wanted.is_all or wanted.is_own
        rules = await (registry.visible if everywhere else registry.visible_here)(requester)
        # Another process may have evaluated alerts since their states were cached here.
        await self.job.refresh()
        return [
            rule
            for rule in rules
            if not (wanted.is_own and registry.owned(rule).creator != requester.user)
            and (not wanted.states or wanted.states & await self._states(rule))
        ]

    async def _states(self, rule: Rule) -> set[str]:
        """The states by which an alert is listed."""
        alert = await self.job.state(rule)
        is_ok = alert.state in OK_STATES
        found = {IS_OK if is_ok else _LISTED[alert.state]}
        if self.job.silences.active(rule.name, self.clock()):
            found.add(SILENCED)
        if alert.acknowledged_by:
            found.add(ACKNOWLEDGED)
        if self.guard.is_paused(schedule_of(rule.name)):
            found.add(PAUSED_STATE)
        return found

    async def named(self, name: str, command: CommandName, requester: Requester) -> Answer:
        """The alert of that name as a whole. Raises BadQuestion and AccessDenied."""
        try:
            rule = await self.registry.visible_rule(name.strip('"'), command, requester)
        except BadQuestion as error:
            # A misspelt state.
            near = difflib.get_close_matches(name[:20].lower(), STATE_WORDS, n=1, cutoff=0.75)
            hint = f"/{command} alerts {near[0]}" if near else error.hint
            raise BadQuestion(error.message, hint) from None
        return await self.whole(rule, requester)

    async def whole(self, rule: Rule, requester: Requester) -> Answer:
        """One alert with everything that is known of it, and what the person may do about it."""
        await self.job.refresh()
        shown = await self._home_alert(rule, requester)
        may_ask = self.access.may_ask(rule.command, **requester.rights)
        alert = await self.job.state(rule)
        lines = alert_facts(rule, alert, self.zone, self.clock(), link=shown.link)
        answer = messages.list_answer(
            f"Alert `{rule.name}` (times in {self.zone}):",
            [shown.line, *(messages.ListLine(line) for line in lines if may_ask)],
        )
        buttons = [
            *([acknowledge_button(rule.name)] if shown.may_acknowledge else []),
            *(silence_buttons(rule.name, shown.silence) if shown.may_silence else []),
            *(
                []
                if rule.redacted_query or not may_ask
                else kit.ask_buttons([("Show the data", rule.query)])
            ),
            *([kit.link_button("Open message", f"{LINK}.0", shown.link)] if shown.link else []),
        ]
        return replace(
            answer, blocks=[*answer.blocks, *([kit.actions(buttons)] if buttons else [])]
        )

    async def acknowledger(self, alert: AlertState) -> str:
        """The name of whoever acknowledged the alert; empty where nobody has."""
        by = alert.acknowledged_by
        # Somebody elsewhere, such as in PagerDuty, is known in words.
        return await self.registry.permissions.people.name(by) if mentions([by]) else by

    async def why_not_acknowledged(self, rule: Rule) -> str:
        """Why an acknowledgement changes nothing, in a sentence."""
        alert = await self.job.state(rule)
        if by := await self.acknowledger(alert):
            return f"Alert `{rule.name}` is acknowledged already, by {by}."
        silence = self.job.silences.active(rule.name, self.clock())
        return f"Alert `{rule.name}` {unacknowledgeable(alert, silence)}"

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
        # Sorting is stable: alerts of one severity stay in the order in which they are defined.
        shown.sort(key=lambda rule: MOST_SEVERE_FIRST.index(alerts[rule.name].state))
        evaluated = [alert.evaluated_at for alert in alerts.values() if alert.evaluated_at]
        # Buttons take blocks, of which a view has room for 100; the alerts behind them are lines.
        home_alerts = [await self._home_alert(rule, requester) for rule in shown[:MOST_ALERTS]]
        home_alerts += [
            HomeAlert(await self._line(rule, requester)) for rule in shown[MOST_ALERTS:]
        ]
        return AlertSummary(home_alerts, len(rules) - len(shown), max(evaluated, default=None))

    async def _home_alert(
        self, rule: Rule, requester: Requester, *, with_link: bool = True
    ) -> HomeAlert:
        """An alert with its buttons, for those who may use them. A silence is ended by whoever
        started it, too.
        """
        line = await self._line(rule, requester)
        alert = await self.job.state(rule)
        silence = self.job.silences.active(rule.name, self.clock())
        has_link = with_link and alert.incident and alert.notified
        link = await self.permalink(alert.incident) if has_link else ""
        may_manage = self.access.may_manage(rule.command, **requester.rights)
        is_own = silence is not None and silence.user == requester.user
        return HomeAlert(
            line,
            rule.name,
            link,
            may_acknowledge=may_manage and bool(alert.notified) and not alert.acknowledged_by,
            may_silence=may_manage or is_own,
            silence=silence,
        )

    async def _line(self, rule: Rule, requester: Requester) -> messages.ListLine:
        """An alert in the list, with its options below. A person who has lost access to the question sees neither that nor
        its result.
        """
        now = self.clock()
        stored = self.registry.chat_rules.get(rule.name)
        origin = [] if stored else [f"from bot.toml, posts in {rule.channel}"]
        names = await self.registry.permissions.people.names(rule.paging.mentions)
        runbook = [f"runbook {rule.paging.runbook}"] if rule.paging.runbook else []
        details = " · ".join([*option_parts(rule, names), *runbook, *origin])
        silenced = ""
        person = stored.user if stored else ""
        silence = self.job.silences.active(rule.name, now)
        if silence:
            silenced = f"; {silence.text}"
            # The line names whoever silenced the alert, since that person can end it, too.
            person = silence.user
        if not self.access.may_ask(rule.command, **requester.rights):
            return messages.ListLine(f"⏸ `{rule.name}` {PAUSED}{silenced}", person)
        if self.guard.is_paused(schedule_of(rule.name)):
            text = f"⏸ `{rule.name}` {PAUSED}: {condition_line(rule)}{silenced}"
            return messages.ListLine(text, person, details)
        alert = await self.job.state(rule)
        by = await self.acknowledger(alert)
        state = state_line(rule, alert, self.zone, now, acknowledger=by)
        dot = state_dot(rule, alert, silenced=silence is not None)
        text = f"{dot} `{rule.name}` {state}: {condition_line(rule)}{silenced}"
        return messages.ListLine(text, person, details)
