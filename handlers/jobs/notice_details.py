"""What the message of an alert says besides its state: the evidence behind the value, where that may
be shown, and the names of those who are called next.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from bot.access import EVERYONE
from bot.alerts.escalation import escalates_at
from bot.alerts.on_call import OnCall
from bot.alerts.paging import channels, mentions
from bot.alerts.rule import Rule, extract_readings
from bot.alerts.state import AlertState
from bot.answer import NO_EVIDENCE, Evidence, EvidenceFact, Measurement
from bot.blocks.alert_context import NO_DETAILS, TARGETS, NoticeDetails
from bot.errors import SlackDeliveryUnknown, SlackRefused
from bot.store import NewSilence
from bot.system.computing import compute
from handlers.jobs.evaluations import Evaluation, evaluated
from handlers.jobs.notifications import OPERATOR_REASONS
from handlers.jobs.silences import SilenceIndex
from handlers.permissions import Permissions
from providers.clock import Clock

log = logging.getLogger("opswatch")
# A notification does not wait longer for what Slack says about channels and names.
LOOKUP_TIMEOUT_S = 5.0
# Of a fact, so that the state of an alert stays small.
LONGEST_FACT = 400
LONGEST_QUERY = 1000


class DetailsReader(Protocol):
    """Looks up the details of notifications."""

    async def of_evaluation(self, evaluation: Evaluation, before: AlertState) -> NoticeDetails: ...

    async def of_incident(
        self, rule: Rule, alert: AlertState, silence: NewSilence | None = None
    ) -> NoticeDetails: ...


class NoticeDetailsReader(Struct, frozen=True):
    """Applies to evidence the rule for answers: it is shown where everybody has access to the
    question.
    """

    permissions: Permissions
    channel_id: Callable[[str], Awaitable[str]]
    redacted: Callable[[str], str]
    silences: SilenceIndex
    on_call: OnCall
    clock: Clock

    async def of_evaluation(self, evaluation: Evaluation, before: AlertState) -> NoticeDetails:
        """The details of the message about an evaluation; none where nothing will be posted."""
        rule = evaluation.rule
        # A silence may end before the evaluation is saved, and then there is a message.
        at = evaluation.as_of(self.clock())
        after, reason, _ = evaluated(evaluation, before, now=at, silenced=False)
        if reason is None or reason in OPERATOR_REASONS or not after.notified:
            return NO_DETAILS
        evidence = await self._evidence(evaluation, after)
        shown = after if evidence is None else replace(after, evidence=evidence)
        return replace(await self.of_incident(rule, shown), evidence=evidence)

    async def of_incident(
        self, rule: Rule, alert: AlertState, silence: NewSilence | None = None
    ) -> NoticeDetails:
        """The details of a change of an open incident, whose evidence stays. `silence` is the one
        that is about to be made.
        """
        now = self.clock()
        at = escalates_at(rule, alert, self.silences.after(silence, rule.name, now))
        called = self.on_call.called_by(rule, at).paging.escalate_to if at else None
        try:
            async with asyncio.timeout(LOOKUP_TIMEOUT_S):
                names = await self.permissions.people.names(mentions(called or ()))
                shown_in = await self._places(rule, alert)
        except (TimeoutError, SlackRefused, SlackDeliveryUnknown) as error:
            # The message goes out without what could not be looked up.
            log.warning("The details of alert %s could not be looked up: %r", rule.name, error)
            return NoticeDetails(called_next=called)
        return NoticeDetails(None, shown_in, called, names)

    async def _evidence(self, evaluation: Evaluation, after: AlertState) -> Evidence | None:
        """What is behind the values of the subjects that fire, as it may be stored."""
        result = evaluation.result
        firing = list(after.firing())
        if not firing or not isinstance(result, Measurement):
            return None
        if result.evidence is None:
            return NO_EVIDENCE
        found = await compute(result.evidence, firing)
        facts = tuple(
            EvidenceFact(fact.name, self.redacted(fact.value)[:LONGEST_FACT], fact.at)
            for fact in found.facts
        )
        # A question with a secret is not stored.
        is_stored = not evaluation.rule.redacted_query and len(found.query) <= LONGEST_QUERY
        return Evidence(facts, found.query if is_stored else "")

    async def _places(self, rule: Rule, alert: AlertState) -> frozenset[str]:
        """The channels in which everybody may read the evidence, and `TARGETS` if everybody has
        access everywhere: who reads what a target shows is not known.
        """
        if alert.evidence == NO_EVIDENCE:
            return frozenset()
        posted_in = (rule.channel, *channels(rule.paging.escalate_to), *alert.calls.copies)
        places = {each for each in posted_in if await self._is_shown_in(each, rule)}
        if EVERYONE in self.permissions.access.rules[rule.command]:
            places.add(TARGETS)
        return frozenset(places)

    async def _is_shown_in(self, channel: str, rule: Rule) -> bool:
        # Direct messages with whoever made the alert, and has access at each check.
        if channel.startswith("D") and channel == rule.channel and not rule.is_from_file:
            return True
        # The configuration names channels, and the access rules have ids.
        found = await self.channel_id(channel)
        if not self.permissions.access.is_public(rule.command, found):
            return False
        return not await self.permissions.private_reason(rule.command, found)


def may_need_details(evaluation: Evaluation) -> bool:
    """Whether a message about the evaluation may need details. Nearly every evaluation finds nothing
    in breach, and its state is not even read for them.
    """
    rule = evaluation.rule
    result = evaluation.result
    if rule.paging.escalate_after:
        return True
    if not isinstance(result, Measurement) or result.evidence is None:
        return False
    readings = extract_readings(rule, result.values, {}).values()
    if rule.usual:
        return bool(readings)
    return any(value is not None and rule.is_breach(value, firing=True) for value in readings)


def without_source(evaluation: Evaluation) -> Evaluation:
    """The same without the calls or lines that the evidence is found in, which take memory."""
    result = evaluation.result
    if not isinstance(result, Measurement) or result.evidence is None:
        return evaluation
    return replace(evaluation, result=replace(result, evidence=None))
