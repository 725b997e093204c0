"""Looks every few seconds for incidents that nobody has acknowledged in time, whether or not their
alerts are due or can be evaluated.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from bot.alerts.rule import EvaluationTimes, Rule
from bot.schedules.due import Due
from handlers.jobs.alerts import AlertJob
from handlers.jobs.scheduler import Job

EVERY = timedelta(seconds=5)


class EscalationJob(Struct, frozen=True):
    """`rules` are those that may escalate at the time, and `closed_channels` those to which a rule
    escalates and that its creator has left.
    """

    alerts: AlertJob
    rules: Callable[[], Awaitable[Sequence[Rule]]]
    closed_channels: Callable[[Rule], Awaitable[Sequence[str]]]

    def scheduled(self) -> Job:
        return Job("escalations", EvaluationTimes(EVERY), self.run, _from_now_on)

    async def run(self, due: Due) -> None:
        """Each incident escalates once: the store refuses a state that another process has changed."""
        # The state of each incident says what is due, not the schedule of this job.
        del due
        rules = await self.rules()
        if rules:
            # Another process may have evaluated them, or somebody may have acknowledged there.
            await self.alerts.refresh()
        for rule in rules:
            # Slack is asked about channels only where something is about to be posted there.
            if await self.alerts.is_escalation_due(rule):
                await self.alerts.escalate(rule, closed=await self.closed_channels(rule))


async def _from_now_on(now: datetime) -> datetime:
    """The first check is a few seconds after a start, when alerts have been evaluated again."""
    return now
