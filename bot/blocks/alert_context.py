"""What a notification of an alert is about."""

from __future__ import annotations

import enum
from collections.abc import Collection, Sequence
from datetime import datetime, tzinfo

from msgspec import Struct
from msgspec.structs import replace

from bot import formatting
from bot.alerts.baseline import DayValue
from bot.alerts.channels import OperatorButton
from bot.alerts.mutes import ActiveSilence
from bot.alerts.rule import Rule
from bot.alerts.state import AlertState, Reason
from bot.answer import NO_EVIDENCE, Evidence
from bot.blocks import kit
from bot.blocks.alert_lines import NO_NAMES, Names


class RuleChange(enum.StrEnum):
    """What happened to a rule whose incident is closed."""

    CHANGED = "changed"
    DELETED = "deleted"


# Beside channels, a place in which evidence may be shown: all targets.
TARGETS = "targets"


class NoticeDetails(Struct, frozen=True):
    """What is looked up before a notification. `evidence` is None where it stays as it was;
    `shown_in` are the places in which it may be shown, and `called_next` those to whom the incident
    escalates then, with the names of people and groups by id; None where that was not looked up.
    """

    evidence: Evidence | None = None
    shown_in: Collection[str] = ()
    called_next: Sequence[str] | None = None
    names: Names = NO_NAMES


NO_DETAILS = NoticeDetails()


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
    # Where it is not of whole days.
    window_times: tuple[datetime, datetime] | None = None
    shortcomings: Sequence[str] = ()
    silence: ActiveSilence | None = None
    by: str = ""
    name: str = ""
    change: RuleChange = RuleChange.CHANGED
    # What of the rule was changed, from what to what.
    changes: str = ""
    buttons: Sequence[OperatorButton] = ()
    known_to: Sequence[str] = ()
    # What is behind the value.
    evidence: Evidence = NO_EVIDENCE
    details: NoticeDetails = NO_DETAILS
    # Values of earlier days at this hour, the latest first, where the threshold follows them.
    usual_values: Sequence[DayValue] = ()

    @property
    def is_over(self) -> bool:
        return not self.after.notified

    @property
    def shown(self) -> AlertState:
        """The state to report: that of now, or, once it is over, the last one before."""
        return self.before if self.is_over else self.after

    def shown_in(self, place: str) -> NotificationContext:
        """The same as it may be shown in a channel, or in `TARGETS`."""
        return self if place in self.details.shown_in else replace(self, evidence=NO_EVIDENCE)

    def time(self, at: datetime) -> str:
        """An instant in words, with the zone of the bot."""
        return formatting.format_time_in_zone(at, self.zone, self.now)

    def in_blocks(self, text: str) -> str:
        """A text as mrkdwn, in which each reader sees the end of the silence in their own zone, like
        every other time of the message.
        """
        shown = kit.escaped(text)
        end = self.silence.end if self.silence else None
        return shown.replace(kit.escaped(self.time(end)), kit.local_time(end)) if end else shown

    def because(self, reason: Reason) -> NotificationContext:
        """The same with another reason."""
        return replace(self, reason=reason)
