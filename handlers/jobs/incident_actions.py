"""Changes of an open incident between two evaluations, by people or by the passing of time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo

from msgspec import Struct
from msgspec.structs import replace

from bot.alerts.channels import OperatorButton
from bot.alerts.mutes import ActiveSilence
from bot.alerts.rule import Rule
from bot.alerts.state import AlertState, Reason
from bot.blocks.alert_context import NotificationContext, RuleChange
from bot.store import NewSilence, Post, RuleEdit


class IncidentAction(Struct, frozen=True):
    """A change of an alert's state, and why it is posted. `by` is the person with the `name`, where
    one did it; `known_to` are the targets that know already, `closed` the channels in which nothing
    is posted, `silence` the one that is made, and `edit` what is done to the rule, with the
    `posts` about it where there is no incident.
    """

    reason: Reason
    apply: Callable[[AlertState], AlertState]
    by: str = ""
    name: str = ""
    # Of a rule whose incident is closed.
    change: RuleChange = RuleChange.CHANGED
    changes: str = ""
    known_to: Sequence[str] = ()
    closed: Sequence[str] = ()
    silence: NewSilence | None = None
    edit: RuleEdit | None = None
    posts: Sequence[Post] = ()

    def context(
        self,
        rule: Rule,
        before: AlertState,
        now: datetime,
        zone: tzinfo,
        *,
        silence: ActiveSilence | None,
        buttons: Sequence[OperatorButton],
    ) -> NotificationContext:
        """The context of the notification about it."""
        return NotificationContext(
            rule,
            before,
            self.apply(before),
            self.reason,
            now,
            zone,
            silence=silence,
            buttons=buttons,
            by=self.by,
            name=self.name,
            change=self.change,
            changes=self.changes,
            known_to=self.known_to,
        )


def acknowledgement(user: str, name: str, known_to: Sequence[str]) -> IncidentAction:
    return IncidentAction(
        Reason.ACKNOWLEDGED,
        lambda alert: replace(alert, acknowledged_by=user),
        by=user,
        name=name,
        known_to=known_to,
    )


def silencing(silence: NewSilence, name: str) -> IncidentAction:
    return IncidentAction(
        Reason.SILENCED,
        lambda alert: replace(alert, silenced=True),
        by=silence.user,
        name=name,
        silence=silence,
    )


def escalation(at: datetime, closed: Sequence[str]) -> IncidentAction:
    return IncidentAction(
        Reason.ESCALATED,
        lambda alert: replace(alert, calls=replace(alert.calls, escalated_at=at)),
        closed=closed,
    )
