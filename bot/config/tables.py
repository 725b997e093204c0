"""The tables of `bot.toml`, except for accounts and targets, whose settings are declared by their
kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails

from bot.alerts.baseline import Multiple, Usual
from bot.alerts.channels import USUAL_STYLE, ChannelStyle, Resolved, Updates
from bot.alerts.paging import MOST_RECIPIENTS, Paging
from bot.alerts.thresholds import amount_in_unit
from bot.config.fields import (
    AnswerRetention,
    Asker,
    BasePath,
    Called,
    ChannelName,
    Cron,
    Delay,
    Duration,
    EscalatedTo,
    Flag,
    Host,
    Interval,
    Link,
    LocalTime,
    Port,
    RetentionPeriod,
    TeamId,
    Threshold,
    WordUsual,
)
from bot.config.on_call import OnCallSettings
from bot.questions.question import CommandName
from bot.questions.registry import COMMANDS
from bot.store.retention import DEFAULT_RETENTION, Retention
from providers.settings import Size, Table, Text


class SlackSettings(Table):
    mode: Literal["socket", "http"] = "socket"
    """Socket Mode needs no public address; in HTTP mode Slack calls the bot."""
    host: Host = "127.0.0.1"
    """Address on which HTTP mode listens; `0.0.0.0` is every network."""
    port: Port = 3000
    """Port of HTTP mode."""
    base_path: BasePath = ""
    """Path below which a reverse proxy serves HTTP mode, such as `/opswatch`."""
    team_id: TeamId | None = None
    """Workspace (`T…`) in which channels and user groups are looked up, in an Enterprise Grid
    organisation.
    """
    ops_channel: ChannelName | None = None
    """Channel for problems of the bot itself."""


class AccessSettings(Table):
    """Who has access: users (`U…`), user groups (`S…`), channels (`C…`), or `*` for everyone. There
    is a key for each command, including those of other packages.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, tuple[Asker, ...]] = Field(init=False)

    manage: tuple[Asker, ...] | None = None
    """Who may create and end alerts, subscriptions and silences; without it, everybody with access
    to their question.
    """
    notify: tuple[Asker, ...] | None = None
    """Whose alerts may notify people, user groups and targets; without it, everybody's."""

    @model_validator(mode="before")
    @classmethod
    def _known_commands(cls, written: Any) -> Any:
        unknown = set(written) - set(cls.keys()) if isinstance(written, Mapping) else set()
        if unknown:
            details = [
                InitErrorDetails(type="extra_forbidden", loc=(str(key),), input=written[key])
                for key in written
                if key in unknown
            ]
            raise ValidationError.from_exception_data(cls.__name__, details)
        return written

    @classmethod
    def keys(cls) -> tuple[str, ...]:
        """The keys that may be used."""
        return (*COMMANDS, *cls.model_fields)

    def allowed(self, command: CommandName) -> tuple[str, ...]:
        """Who has access to a command: as configured, or the command's own default."""
        return (self.__pydantic_extra__ or {}).get(command, COMMANDS[command].default_access)


class HealthSettings(Table):
    host: Host = "127.0.0.1"
    """Address of the health port."""
    port: Port
    """Port of `/healthz`, and of `/readyz`: 200 while connected and able to post, with a working
    database and schedules on time.
    """
    metrics: Flag = True
    """Serves `/metrics` for Prometheus at the same port."""


class LoggingSettings(Table):
    format: Literal["text", "json"] = "text"
    """How `run` logs: lines of text, or a JSON object a line."""
    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least severe level that is logged."""


class RetentionSettings(Table):
    """How long stored data is kept. Older rows are deleted every hour."""

    answers: AnswerRetention = DEFAULT_RETENTION.answers
    """How long a private answer can be shared."""
    questions: RetentionPeriod = DEFAULT_RETENTION.questions
    """How long the record of questions is kept."""
    samples: RetentionPeriod = DEFAULT_RETENTION.samples
    """How long the values that alerts read are kept; backtests use them."""
    notices: RetentionPeriod = DEFAULT_RETENTION.notices
    """How long the notifications of alerts are kept."""
    runs: RetentionPeriod = DEFAULT_RETENTION.runs
    """How long runs of schedules are kept."""
    outbox: RetentionPeriod = DEFAULT_RETENTION.outbox
    """How long sent messages are kept."""

    @property
    def periods(self) -> Retention:
        return Retention(**self.model_dump())


class LimitSettings(Table):
    upload_plain: Size = 1_000_000
    """A larger log is gzipped."""
    upload_total: Size = 1_000_000_000
    """The largest part of a log that is sent."""


class DigestSettings(Table):
    name: Text
    """A name of its own."""
    ask: Text
    """The question, such as `/usage last 7 days`."""
    at: Cron
    """A cron expression, in `timezone`."""
    channel: ChannelName
    """Where the answer is posted."""
    as_: Literal["message", "canvas"] = Field(default="message", alias="as")
    """`canvas` keeps a canvas in the tabs of the channel up to date instead of posting."""


class AlertSettings(Table):
    name: Text
    """A name of its own."""
    ask: Text
    """The question whose answer is checked."""
    value: Text
    """The value that is compared, such as `bytes`."""
    above: Threshold | None = None
    """Fires above this: a number, a size, `30 %` or `2s` of values in percent or milliseconds, or a
    multiple such as `2x usual`.
    """
    below: Threshold | None = None
    """Fires below this."""
    outside: WordUsual | None = None
    """`usual` fires outside the band of usual values."""
    recover: Threshold | None = None
    """Resolve threshold; without it, the threshold."""
    every: Interval = timedelta(minutes=15)
    """How often it is checked."""
    for_: Duration = Field(default=timedelta(0), alias="for")
    """How long a breach must last before it fires."""
    keep_firing_for: Duration = timedelta(0)
    """How long it keeps firing after the breach."""
    repeat: Duration | None = None
    """Posts a reminder this often while it fires."""
    no_data: Literal["hold", "alert", "ok"] = "hold"
    """What missing data means: the state stays, fires, or is OK."""
    each: Literal["log", "account", "actor", "group"] | None = None
    """Checks each log, account, actor or group by itself."""
    channel: ChannelName
    """Where it is posted."""

    severity: Literal["info", "warning", "critical"] | None = None
    """How urgent it is; shown first, and passed on to targets."""
    runbook: Link | None = None
    """A page that a button opens."""
    notify: tuple[Called, ...] = ()
    """Mentioned or called when it fires: people `U…`, user groups `S…`, names of targets and of
    on-call schedules.
    """
    escalate_after: Delay | None = None
    """After how long `escalate_to` are called, unless somebody has acknowledged the incident."""
    escalate_to: tuple[EscalatedTo, ...] = ()
    """The same as `notify`, and channels."""

    @property
    def paging(self) -> Paging:
        """How urgent the alert is, and whom it notifies."""
        return Paging(
            severity=self.severity or "",
            runbook=self.runbook or "",
            notify=self.notify,
            escalate_after=self.escalate_after,
            escalate_to=self.escalate_to,
        )

    @model_validator(mode="before")
    @classmethod
    def _thresholds_in_unit(cls, given: Any) -> Any:
        """Percentages and durations as people write them, where the value is one."""
        if not isinstance(given, dict) or not isinstance(value := given.get("value"), str):
            return given
        amounts = {
            name: amount_in_unit(given[name], value)
            for name in ("above", "below", "recover")
            if isinstance(given.get(name), str)
        }
        return {**given, **{name: found for name, found in amounts.items() if found is not None}}

    @model_validator(mode="after")
    def _whole_escalation(self) -> AlertSettings:
        if max(len(self.notify), len(self.escalate_to)) > MOST_RECIPIENTS:
            raise ValueError(f"at most {MOST_RECIPIENTS} in notify, and in escalate_to")
        # Half of an escalation would call nobody, which shows only at night.
        if bool(self.escalate_after) != bool(self.escalate_to):
            raise ValueError("needs both escalate_after and escalate_to, or neither")
        return self

    @model_validator(mode="after")
    def _one_threshold(self) -> AlertSettings:
        sides = [side for side in (self.above, self.below, self.outside) if side is not None]
        if len(sides) != 1:
            raise ValueError("needs either above or below, or outside")
        if self.recover is None:
            return self
        threshold = _number(sides[0])
        recover = _number(self.recover)
        # An amount cannot be compared with a multiple of what is usual.
        if type(sides[0]) is not type(self.recover) or threshold is None or recover is None:
            raise ValueError("recover must be an amount, or a multiple such as 2x usual, as above")
        if self.above is not None and recover > threshold:
            raise ValueError("recover must be at or below the threshold")
        if self.below is not None and recover < threshold:
            raise ValueError("recover must be at or above the threshold")
        return self

    @property
    def usual(self) -> Usual | None:
        """The threshold that follows what is usual."""
        if self.outside:
            return Usual("outside")
        for side, threshold in (("above", self.above), ("below", self.below)):
            if isinstance(threshold, Multiple):
                recover = self.recover.factor if isinstance(self.recover, Multiple) else None
                return Usual(side, threshold.factor, recover)
        return None


def fixed(threshold: float | Multiple | None) -> float | None:
    """A threshold that is an amount; None for one that follows what is usual."""
    return threshold if isinstance(threshold, float) else None


def _number(threshold: float | Multiple | str) -> float | None:
    if isinstance(threshold, Multiple):
        return threshold.factor
    return threshold if isinstance(threshold, float) else None


class MuteSettings(Table):
    name: Text
    """A name of its own."""
    alerts: tuple[Text, ...]
    """The alerts whose notifications are turned off."""
    start: LocalTime | None = None
    """From when, once."""
    end: LocalTime | None = None
    """Until when, once."""
    at: Cron | None = None
    """From when, as a cron expression."""
    lasting: Duration | None = None
    """For how long after `at`."""

    @model_validator(mode="after")
    def _either_way(self) -> MuteSettings:
        once = self.start and self.end
        often = self.at and self.lasting
        if (
            bool(once) == bool(often)
            or bool(self.start) != bool(self.end)
            or bool(self.at) != bool(self.lasting)
        ):
            raise ValueError("needs either start and end, or at and lasting")
        if (
            self.start
            and self.end
            # One of the two may have an offset, and Python does not compare such times.
            and self.end.replace(tzinfo=None) <= self.start.replace(tzinfo=None)
        ):
            raise ValueError("needs an end after its start")
        return self


class ChannelSettings(Table):
    """How alerts are shown in one channel."""

    updates: Updates = USUAL_STYLE.updates
    """Whether a change of an incident edits its message, is a reply in its thread, or both."""
    resolved: Resolved = USUAL_STYLE.resolved
    """With `quiet`, the end of an incident only edits its message."""

    @property
    def style(self) -> ChannelStyle:
        return ChannelStyle(self.updates, self.resolved)


class ButtonSettings(Table):
    """A button of the operator's own under alerts: a link, or a question."""

    text: Annotated[str, Field(min_length=1, max_length=40, strict=True)]
    """The label of the button."""
    url: Link | None = None
    """The page that it opens."""
    ask: Text | None = None
    """The question that it asks, in the name of the person who presses it."""
    alerts: tuple[Text, ...] = ()
    """The alerts that have it; without names, each of them."""

    @model_validator(mode="after")
    def _one_purpose(self) -> ButtonSettings:
        if bool(self.url) == bool(self.ask):
            raise ValueError("needs either url or ask")
        return self


# Where they are in the file.
TABLES: Mapping[str, type[Table]] = MappingProxyType(
    {
        "slack": SlackSettings,
        "access": AccessSettings,
        "health": HealthSettings,
        "limits": LimitSettings,
        "logging": LoggingSettings,
        "retention": RetentionSettings,
        "digest": DigestSettings,
        "alert": AlertSettings,
        "mute": MuteSettings,
        "channels": ChannelSettings,
        "on_call": OnCallSettings,
        "button": ButtonSettings,
    }
)
