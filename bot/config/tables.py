"""The tables of `bot.toml`, but for the accounts, whose settings are declared by their vendors."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Literal

from pydantic import ConfigDict, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails

from bot.config.fields import (
    AnswerRetention,
    Asker,
    BasePath,
    ChannelName,
    Cron,
    Duration,
    Flag,
    Host,
    Interval,
    LocalTime,
    Port,
    RetentionPeriod,
    TeamId,
    Threshold,
)
from bot.questions.question import CommandName
from bot.questions.registry import COMMANDS
from bot.retention import DEFAULT_RETENTION, Retention
from providers.settings import Size, Table, Text


class SlackSettings(Table):
    mode: Literal["socket", "http"] = "socket"
    host: Host = "127.0.0.1"
    port: Port = 3000
    base_path: BasePath = ""
    team_id: TeamId | None = None
    ops_channel: ChannelName | None = None


class AccessSettings(Table):
    """Who may ask: users (`U…`), user groups (`S…`), channels (`C…`), or `*` for everyone. There is
    a key for each command, those of other packages among them.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, tuple[Asker, ...]] = Field(init=False)

    manage: tuple[Asker, ...] | None = None

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
        """The keys that may be written."""
        return (*COMMANDS, *cls.model_fields)

    def allowed(self, command: CommandName) -> tuple[str, ...]:
        """Who may ask a command: as written, else by the command's own default."""
        return (self.__pydantic_extra__ or {}).get(command, COMMANDS[command].default_access)


class HealthSettings(Table):
    host: Host = "127.0.0.1"
    port: Port
    metrics: Flag = True


class LoggingSettings(Table):
    format: Literal["text", "json"] = "text"
    level: Literal["debug", "info", "warning", "error"] = "info"


class RetentionSettings(Table):
    """How long what is stored is kept; older rows are deleted every hour."""

    answers: AnswerRetention = DEFAULT_RETENTION.answers
    questions: RetentionPeriod = DEFAULT_RETENTION.questions
    samples: RetentionPeriod = DEFAULT_RETENTION.samples
    notices: RetentionPeriod = DEFAULT_RETENTION.notices
    runs: RetentionPeriod = DEFAULT_RETENTION.runs
    outbox: RetentionPeriod = DEFAULT_RETENTION.outbox

    @property
    def periods(self) -> Retention:
        return Retention(**self.model_dump())


class LimitSettings(Table):
    upload_plain: Size = 1_000_000
    upload_total: Size = 1_000_000_000


class DigestSettings(Table):
    name: Text
    ask: Text
    at: Cron
    channel: ChannelName


class AlertSettings(Table):
    name: Text
    ask: Text
    value: Text
    above: Threshold | None = None
    below: Threshold | None = None
    recover: Threshold | None = None
    every: Interval = timedelta(minutes=15)
    for_: Duration = Field(default=timedelta(0), alias="for")
    keep_firing_for: Duration = timedelta(0)
    repeat: Duration | None = None
    no_data: Literal["hold", "alert", "ok"] = "hold"
    each: Literal["log", "account", "actor"] | None = None
    channel: ChannelName

    @model_validator(mode="after")
    def _one_threshold(self) -> AlertSettings:
        if (self.above is None) == (self.below is None):
            raise ValueError("either above or below")
        if self.recover is None:
            return self
        if self.above is not None and self.recover > self.above:
            raise ValueError("recover must be at or below the threshold")
        if self.below is not None and self.recover < self.below:
            raise ValueError("recover must be at or above the threshold")
        return self


class MuteSettings(Table):
    name: Text
    alerts: tuple[Text, ...]
    start: LocalTime | None = None
    end: LocalTime | None = None
    at: Cron | None = None
    lasting: Duration | None = None

    @model_validator(mode="after")
    def _either_way(self) -> MuteSettings:
        once, often = self.start and self.end, self.at and self.lasting
        if (
            bool(once) == bool(often)
            or bool(self.start) != bool(self.end)
            or bool(self.at) != bool(self.lasting)
        ):
            raise ValueError("either start and end, or at and lasting")
        if (
            self.start
            and self.end
            and self.end.replace(tzinfo=None) <= self.start.replace(tzinfo=None)
        ):
            raise ValueError("an end after its start")
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
    }
)
