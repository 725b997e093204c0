"""What a notification of an alert is about."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from datetime import datetime, tzinfo

from msgspec import Struct
from msgspec.structs import replace

from bot.alerts.baseline import DayValue
from bot.alerts.channels import OperatorButton
from bot.alerts.mutes import ActiveSilence
from bot.alerts.rule import Rule
from bot.alerts.state import AlertState, Reason
from bot.answer import NO_EVIDENCE, Evidence


class RuleChange(enum.StrEnum):
    """What happened to a rule whose incident is closed."""

    CHANGED = "changed"
    DELETED = "deleted"


class NotificationContext(Struct, frozen=True):
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
    # What is behind the value.
    evidence: Evidence = NO_EVIDENCE
    # Values of earlier days at this hour, the latest first, where the threshold follows them.
    usual_values: Sequence[DayValue] = ()

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
