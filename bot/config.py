"""`bot.toml` and the environment become Settings, or all their problems at once.

Secrets are references (`env:NAME`, `file:PATH`) and are read here once; a secret written out in the
file is refused and its value is never repeated. Relative paths stand beside `bot.toml`.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, Union
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PrivateAttr,
    Tag,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from bot import formatting
from bot.alerts.rule import SHORTEST_EVERY, has_value
from bot.amounts import read_duration, read_size
from bot.errors import BadQuestion, ConfigError, ConfigProblem
from bot.questions.question import AccountDirectory, Kind
from bot.questions.reading import read_line
from bot.questions.registry import COMMANDS
from bot.retention import DEFAULT_RETENTION, Retention
from bot.schedules.cron import EXAMPLE, CronError, CronTrigger
from providers.akamai.auth import EdgeGridCredentials, EdgercError, host_url, read_edgerc
from providers.http.network import Network, NetworkSettingError, is_loopback
from providers.rapid7.auth import REGIONS, region_url
from providers.redaction import Secret

SECRET_KEYS = frozenset(
    {"api_key", "password", "app_token", "app_id", "client_secret", "client_token", "access_token"}
)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")
_HOST_NAME = re.compile(
    r"(?=.{1,253}\Z)[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})){0,8}"
)
MOST_SECRET_BYTES = 64 * 1024
MOST_CONFIG_BYTES = 4 * 1024 * 1024
_LOG_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
_RESERVED = frozenset(
    [
        "help",
        "today",
        "yesterday",
        "last",
        "past",
        "since",
        "this",
        "by",
        "per",
        "csv",
        "failures",
        "limit",
        "where",
        "own",
        "subscribe",
        "subscriptions",
        "unsubscribe",
        "alert",
        "alerts",
        "unalert",
        "silence",
        "unsilence",
    ]
)


def _size(value: Any) -> int:
    size = (
        read_size(str(value))
        if isinstance(value, str | int) and not isinstance(value, bool)
        else None
    )
    if size is None:
        raise ValueError('a size such as "5 GB" or "750 MB"')
    return size


def _duration(value: Any) -> timedelta:
    duration = read_duration(value.lower()) if isinstance(value, str) else None
    if duration is None:
        raise ValueError('a duration such as "15m", "4h" or "2d"')
    return duration


def _zone(value: Any) -> ZoneInfo:
    try:
        return ZoneInfo(value)
    except (KeyError, ValueError, TypeError, OSError):
        raise ValueError('a time zone such as "Europe/Dublin" or "UTC"') from None


def _secret(value: Any, info: ValidationInfo) -> Secret:
    """The value that a reference points to."""
    if isinstance(value, Secret):
        return value
    scheme, _, rest = value.partition(":") if isinstance(value, str) else ("", "", "")
    if scheme == "env" and rest:
        found = _from_context(info, "environ").get(rest, "")
        if not found.strip():
            raise ValueError(f"the environment has no {rest}; export it, or take this account out")
        return Secret(clean_secret(found, f"the variable {rest}"))
    if scheme == "file" and rest:
        found = _read_secret_file(_relative_to_config(rest, info), rest)
        if not found.strip():
            raise ValueError(f"the file {rest} is empty")
        return Secret(clean_secret(found, f"the file {rest}"))
    raise ValueError(
        'a reference such as "env:NAME" or "file:PATH"; secrets are not written out here'
    )


def _read_secret_file(path: Path, said: str) -> str:
    """The file's text; it is a file of a few bytes, so anything larger, or that never ends, is no
    secret.
    """
    try:
        if path.exists() and (not path.is_file() or path.stat().st_size > MOST_SECRET_BYTES):
            raise ValueError(f"the file {said} is not a file with one line")
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise ValueError(f"the file {said} cannot be read") from None


def clean_secret(text: str, source: str) -> str:
    """A secret without what editors and shells leave around it: a byte order mark, blanks, line
    ends, one pair of quotes.

    Raises ValueError, which names the source and never the value, where what is left cannot be one
    secret.
    """
    found = text.removeprefix("\ufeff").strip()
    if len(found) > 2 and found[0] == found[-1] and found[0] in "'\"":
        found = found[1:-1].strip()
    if len(found.splitlines()) > 1:
        raise ValueError(f"{source} holds more than one line; keep the secret alone in it")
    if not found.isascii() or not found.isprintable():
        raise ValueError(f"{source} holds characters that no key or token has; copy it again")
    return found


def _text_or_reference(value: Any, info: ValidationInfo) -> str:
    """A text that may stand in the file itself or be a reference."""
    if isinstance(value, str) and value.startswith(("env:", "file:")):
        return _secret(value, info).open()
    if not isinstance(value, str) or not value.strip():
        raise ValueError('a text, or a reference such as "env:NAME"')
    return value


def _channel(value: Any) -> str:
    """`#name`, or an id: a channel's, or a person's, whose direct messages are meant. A name may be
    given without its sign.
    """
    text = value.strip() if isinstance(value, str) else ""
    if mention := re.fullmatch(r"<#([CG][A-Z0-9]{2,40})(?:\|[^<>]{0,100})?>", text):
        return mention[1]
    if re.fullmatch(r"[CGDUW][A-Z0-9]{2,40}", text):
        return text
    if re.fullmatch(r"#?[\w-]{1,80}", text):
        return f"#{text.removeprefix('#').lower()}"
    raise ValueError(
        'a channel such as "#ops" or its id "C0OPS", or a person\'s id "U012AB" for direct messages'
    )


def _account_ids(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(v, str) and v for v in value):
        raise ValueError('a list of account ids such as ["1-123A"]')
    return tuple(value)


def _readable_file(value: Any, info: ValidationInfo) -> Path:
    path = _path(value, info)
    if not path.is_file():
        raise ValueError("a file that can be read")
    return path


def _path(value: Any, info: ValidationInfo) -> Path:
    if isinstance(value, str) and value.startswith(("env:", "file:")):
        value = _secret(value, info).open()
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a path, relative ones beside bot.toml")
    return _relative_to_config(value, info)


def _relative_to_config(value: str, info: ValidationInfo) -> Path:
    return Path(_from_context(info, "folder")) / Path(value).expanduser()


def _from_context(info: ValidationInfo, name: str) -> Any:
    assert info.context is not None
    return info.context[name]


def _url(value: Any) -> str:
    parts = urlsplit(value) if isinstance(value, str) else urlsplit("")
    try:
        whole = bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        whole = False
    if (
        not whole
        or parts.username
        or parts.query
        or parts.fragment
        or parts.scheme not in ("https", "http")
    ):
        raise ValueError('an address such as "https://api.example.com"')
    if parts.scheme == "http" and not is_loopback(value):
        raise ValueError("https://, since plain http:// is accepted for this machine alone")
    return str(value).rstrip("/")


def _host(value: Any) -> str:
    """An address of this machine, or a name for one. Whether it can be listened at is known only
    when the port is opened.
    """
    text = value.strip() if isinstance(value, str) else ""
    try:
        return str(ip_address(text))
    except ValueError:
        if _HOST_NAME.fullmatch(text) and not text[-1].isdigit():
            return text.lower()
    raise ValueError(
        'an address to listen at, such as "127.0.0.1", "0.0.0.0" (every network) or "::1"'
    )


def _cron(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f'five cron fields such as "{EXAMPLE}"')
    try:
        CronTrigger(value, UTC)
    except CronError as error:
        raise ValueError(f'five cron fields such as "{EXAMPLE}" ({error})') from None
    return value


def _local_time(value: Any) -> datetime:
    try:
        return value if isinstance(value, datetime) else datetime.fromisoformat(value)
    except (ValueError, TypeError):
        raise ValueError('a local time such as "2026-12-01T20:00"') from None


def _threshold(value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    size = read_size(value) if isinstance(value, str) else None
    if size is None:
        raise ValueError('a number such as 20 or a size such as "5 GB"')
    return float(size)


def _asker(value: Any) -> str:
    if isinstance(value, str) and (value == "*" or re.fullmatch(r"[UWSCGD][A-Z0-9]{1,40}", value)):
        return value
    raise ValueError(
        'Slack ids such as "U012AB" (a person), "S0GROUP" (a user group), "C0OPS" (a channel), or "*"'
    )


def _log_id(value: Any) -> str:
    if isinstance(value, str) and _LOG_ID.fullmatch(value):
        return value
    raise ValueError(
        "the id of a log: letters, digits and dashes, such as aee00b66-a543-43dc-b093-53963c2e8f41"
    )


def _interval(value: Any) -> timedelta:
    every = _duration(value)
    if every < SHORTEST_EVERY:
        raise ValueError("every is at least 5s")
    return every


Size = Annotated[int, BeforeValidator(_size)]
Duration = Annotated[timedelta, BeforeValidator(_duration)]
Interval = Annotated[timedelta, BeforeValidator(_interval)]
Asker = Annotated[str, BeforeValidator(_asker)]
LogId = Annotated[str, BeforeValidator(_log_id)]
Zone = Annotated[ZoneInfo, BeforeValidator(_zone)]
SecretReference = Annotated[Secret, BeforeValidator(_secret)]
LocalPath = Annotated[Path, BeforeValidator(_path)]
ReadableFile = Annotated[Path, BeforeValidator(_readable_file)]
TextOrReference = Annotated[str, BeforeValidator(_text_or_reference)]
AccountIds = Annotated[tuple[str, ...], BeforeValidator(_account_ids)]
Address = Annotated[str, BeforeValidator(_url)]
Cron = Annotated[str, BeforeValidator(_cron)]
LocalTime = Annotated[datetime, BeforeValidator(_local_time)]
Threshold = Annotated[float, BeforeValidator(_threshold)]
Text = Annotated[str, Field(min_length=1, max_length=500, strict=True)]
Host = Annotated[str, BeforeValidator(_host)]
ChannelName = Annotated[str, BeforeValidator(_channel)]
Port = Annotated[int, Field(ge=0, le=65535, strict=True)]


_PATH = re.compile(r"(?:/[A-Za-z0-9][A-Za-z0-9._~-]{0,60}){0,8}")
_TEAM_ID = re.compile(r"T[A-Z0-9]{2,40}")
# What is still being worked on, or repeated by Slack, must not be deleted meanwhile.
SHORTEST_RETENTION = timedelta(days=1)
LONGEST_RETENTION = timedelta(days=3660)


def _base_path(value: Any) -> str:
    path = value.strip().rstrip("/") if isinstance(value, str) else None
    if path is None or not _PATH.fullmatch(path):
        raise ValueError('a path such as "/opswatch", which /slack/events is appended to')
    return path


def _team_id(value: Any) -> str:
    if isinstance(value, str) and _TEAM_ID.fullmatch(value):
        return value
    raise ValueError('the id of a workspace, such as "T012AB"')


def _retention(value: Any) -> timedelta:
    kept = _duration(value)
    if not SHORTEST_RETENTION <= kept <= LONGEST_RETENTION:
        raise ValueError(f"from 1d to {LONGEST_RETENTION.days}d")
    return kept


def _answer_retention(value: Any) -> timedelta:
    kept = _duration(value)
    if not timedelta(minutes=5) <= kept <= LONGEST_RETENTION:
        raise ValueError(f"from 5m to {LONGEST_RETENTION.days}d")
    return kept


BasePath = Annotated[str, BeforeValidator(_base_path)]
TeamId = Annotated[str, BeforeValidator(_team_id)]
RetentionPeriod = Annotated[timedelta, BeforeValidator(_retention)]
AnswerRetention = Annotated[timedelta, BeforeValidator(_answer_retention)]
Flag = Annotated[bool, Field(strict=True)]


class _Table(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, arbitrary_types_allowed=True, hide_input_in_errors=True
    )


class SlackSettings(_Table):
    mode: Literal["socket", "http"] = "socket"
    host: Host = "127.0.0.1"
    port: Port = 3000
    base_path: BasePath = ""
    team_id: TeamId | None = None
    ops_channel: ChannelName | None = None


class AccessSettings(_Table):
    """Who may ask: users (`U…`), user groups (`S…`), channels (`C…`), or `*` for everyone."""

    usage: tuple[Asker, ...] = ("*",)
    apiaudit: tuple[Asker, ...] = ()
    logs: tuple[Asker, ...] = ()
    manage: tuple[Asker, ...] | None = None


class HealthSettings(_Table):
    host: Host = "127.0.0.1"
    port: Port
    metrics: Flag = True


class LoggingSettings(_Table):
    format: Literal["text", "json"] = "text"
    level: Literal["debug", "info", "warning", "error"] = "info"


class RetentionSettings(_Table):
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


class LimitSettings(_Table):
    upload_plain: Size = 1_000_000
    upload_total: Size = 1_000_000_000


class Rapid7Settings(_Table):
    kind: Literal["rapid7"]
    region: Literal[REGIONS] | None = None  # type: ignore[valid-type]
    base_url: Address | None = None
    api_key: SecretReference
    monthly_quota: Size | None = None
    logs: dict[Text, LogId] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _reachable(self) -> Rapid7Settings:
        if not self.region and not self.base_url:
            raise ValueError(f"a region, one of {', '.join(REGIONS)}")
        return self

    @property
    def address(self) -> str:
        return self.base_url or region_url(self.region or "")


class AkamaiSettings(_Table):
    kind: Literal["akamai"]
    edgerc: ReadableFile | None = None
    section: Text = "default"
    host: Text | None = None
    base_url: Address | None = None
    client_token: SecretReference | None = None
    client_secret: SecretReference | None = None
    access_token: SecretReference | None = None
    account_ids: AccountIds
    report: Literal["v1", "v2"] = "v1"
    method: Literal["POST", "GET"] = "POST"
    accept: Literal["json", "csv"] = "json"
    account_switch_key: Text | None = None

    @model_validator(mode="after")
    def _signable(self) -> AkamaiSettings:
        try:
            _ = self.credentials
        except EdgercError as error:
            raise ValueError(str(error)) from None
        return self

    @property
    def address(self) -> str:
        return self.credentials.base_url

    @cached_property
    def credentials(self) -> EdgeGridCredentials:
        """The credentials, read once, from `.edgerc` or from the keys here; `base_url` wins over
        any host.
        """
        if self.edgerc:
            found = read_edgerc(self.edgerc, self.section)
            return replace(found, base_url=self.base_url or found.base_url)
        if not (
            self.client_token
            and self.client_secret
            and self.access_token
            and (self.host or self.base_url)
        ):
            raise EdgercError(
                "either edgerc and section, or host, client_token, client_secret and access_token"
            )
        return EdgeGridCredentials(
            self.base_url or host_url(self.host or ""),
            self.client_token,
            self.client_secret,
            self.access_token,
        )


class DeviceWiseSettings(_Table):
    kind: Literal["devicewise"]
    base_url: Address
    username: TextOrReference | None = None
    password: SecretReference | None = None
    app_token: SecretReference | None = None
    app_id: SecretReference | None = None
    thing_key: Text | None = None
    org: Text | None = None
    show_all: Annotated[bool, Field(strict=True)] = False

    @property
    def address(self) -> str:
        return self.base_url

    @model_validator(mode="after")
    def _can_log_in(self) -> DeviceWiseSettings:
        as_user = self.username and self.password
        as_application = self.app_token and self.app_id and self.thing_key
        if not as_user and not as_application:
            raise ValueError("username and password, or app_token, app_id and thing_key")
        return self


ProviderSettings = Rapid7Settings | AkamaiSettings | DeviceWiseSettings


def _kind(value: Any) -> str:
    return str(value.get("kind")) if isinstance(value, Mapping) else ""


class DigestSettings(_Table):
    name: Text
    ask: Text
    at: Cron
    channel: ChannelName


class AlertSettings(_Table):
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
        if self.recover is not None and (
            (self.above is not None and self.recover > self.above)
            or (self.below is not None and self.recover < self.below)
        ):
            raise ValueError("recover lies on the calm side of the threshold")
        return self


class MuteSettings(_Table):
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


class Settings(_Table):
    """The whole configuration, checked."""

    timezone: Zone = ZoneInfo("UTC")
    database: LocalPath
    slack: SlackSettings = SlackSettings()
    access: AccessSettings = AccessSettings()
    health: HealthSettings | None = None
    limits: LimitSettings = LimitSettings()
    logging: LoggingSettings = LoggingSettings()
    retention: RetentionSettings = RetentionSettings()
    providers: dict[
        str,
        Annotated[
            Union[  # noqa: UP007
                Annotated[Rapid7Settings, Tag("rapid7")],
                Annotated[AkamaiSettings, Tag("akamai")],
                Annotated[DeviceWiseSettings, Tag("devicewise")],
            ],
            Discriminator(
                _kind,
                custom_error_type="kind",
                custom_error_message='kind is "rapid7", "akamai" or "devicewise"',
            ),
        ],
    ] = Field(default_factory=dict)
    digest: tuple[DigestSettings, ...] = ()
    alert: tuple[AlertSettings, ...] = ()
    mute: tuple[MuteSettings, ...] = ()

    _network: Network = PrivateAttr(default_factory=Network)

    @property
    def network(self) -> Network:
        """Proxies and certificates, from the environment."""
        return self._network

    @property
    def directory(self) -> AccountDirectory:
        kinds: dict[str, Kind] = {name: account.kind for name, account in self.providers.items()}
        logs = {
            name: account.logs
            for name, account in self.providers.items()
            if isinstance(account, Rapid7Settings)
        }
        return AccountDirectory(kinds, logs)

    def secrets(self) -> list[Secret]:
        """Every secret of every account, to be kept out of whatever leaves the house."""
        found = self.network.secrets()
        for account in self.providers.values():
            found += [
                value
                for key in SECRET_KEYS
                if isinstance(value := getattr(account, key, None), Secret)
            ]
            if isinstance(account, AkamaiSettings):
                held = account.credentials
                found += [held.client_token, held.client_secret, held.access_token]
        return found


@dataclass(frozen=True, slots=True)
class SlackTokens:
    """Slack's tokens, from the environment alone."""

    bot: Secret
    app: Secret
    signing: Secret
    api_url: str

    def secrets(self) -> list[Secret]:
        return [token for token in (self.bot, self.app, self.signing) if token]


def read_settings(
    path: Path, *, environ: Mapping[str, str] = os.environ, now: datetime | None = None
) -> Settings:
    """The settings in the file. Raises ConfigError with every problem there is."""
    return parse_settings(_read_table(path), folder=path.resolve().parent, environ=environ, now=now)


class _DatabaseTable(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)
    database: LocalPath


def read_database_path(path: Path, *, environ: Mapping[str, str] = os.environ) -> Path:
    """Where the database is, whether or not the rest of the configuration is right. Raises
    ConfigError.
    """
    given = {"database": "bot.sqlite", **_read_table(path)}
    try:
        found = _DatabaseTable.model_validate(
            given, context={"folder": path.resolve().parent, "environ": environ}
        )
    except ValidationError as error:
        raise ConfigError([_problem(detail, given) for detail in error.errors()]) from None
    return found.database


def _read_table(path: Path) -> dict[str, Any]:
    """The file as TOML. Raises ConfigError with one sentence where it is none."""
    try:
        if path.exists() and not path.is_file():
            raise ConfigError(
                [ConfigProblem(str(path), "", "a file, such as bot.example.toml; this is none")]
            )
        if path.stat().st_size > MOST_CONFIG_BYTES:
            raise ConfigError(
                [
                    ConfigProblem(
                        str(path), "", f"a file below {formatting.format_bytes(MOST_CONFIG_BYTES)}"
                    )
                ]
            )
        return tomllib.loads(path.read_text("utf-8-sig"))
    except FileNotFoundError:
        raise ConfigError(
            [
                ConfigProblem(
                    str(path),
                    "",
                    (
                        "there is no such file; start from bot.example.toml, which `python -m bot "
                        "init` writes"
                    ),
                )
            ]
        ) from None
    except UnicodeDecodeError:
        raise ConfigError(
            [ConfigProblem(str(path), "", "the file is not UTF-8; save it as UTF-8")]
        ) from None
    except (OSError, ValueError) as error:
        if isinstance(error, tomllib.TOMLDecodeError):
            raise ConfigError(
                [ConfigProblem(str(path), "", f"not TOML: {_without_values(str(error))}")]
            ) from None
        why = f" ({error.strerror})" if isinstance(error, OSError) and error.strerror else ""
        raise ConfigError([ConfigProblem(str(path), "", f"the file cannot be read{why}")]) from None
    except RecursionError:
        raise ConfigError(
            [ConfigProblem(str(path), "", "not TOML: it is nested too deep")]
        ) from None


def parse_settings(
    table: Mapping[str, Any],
    *,
    folder: Path,
    environ: Mapping[str, str],
    now: datetime | None = None,
) -> Settings:
    """The settings in a table that was read from TOML."""
    given = {"database": "bot.sqlite", **table}
    network, problems = _read_network(environ)
    problems += _bad_names(table)
    context = {"folder": folder, "environ": environ}
    settings: Settings | None
    try:
        settings = Settings.model_validate(given, context=context)
    except ValidationError as error:
        problems += [_problem(detail, given) for detail in error.errors()]
        settings = _valid_part(given, error, context)
    if settings is not None:
        problems += _schedule_problems(settings, given, now or datetime.now(UTC))
        problems += _certificate_problems(settings, network)
    if problems:
        raise ConfigError(problems)
    assert settings is not None
    settings._network = network
    return settings


def _valid_part(
    given: Mapping[str, Any], error: ValidationError, context: Mapping[str, Any]
) -> Settings | None:
    """The settings without the entries that have problems, so that what is wrong with the others is
    told in the same round.
    """
    wrong = {
        detail["loc"][: 2 if detail["loc"][0] in _ENTRIES else 1]
        for detail in error.errors()
        if detail["loc"]
    }
    part: dict[str, Any] = {key: value for key, value in given.items() if (key,) not in wrong}
    for key in _ENTRIES & part.keys():
        entries = part[key]
        if isinstance(entries, Mapping):
            part[key] = {name: entry for name, entry in entries.items() if (key, name) not in wrong}
        elif isinstance(entries, list):
            part[key] = [entry for place, entry in enumerate(entries) if (key, place) not in wrong]
    try:
        return Settings.model_validate({"database": "bot.sqlite", **part}, context=dict(context))
    except ValidationError:
        return None


_ENTRIES = frozenset({"providers", "digest", "alert", "mute"})
_KINDS: frozenset[str] = frozenset({"rapid7", "akamai", "devicewise"})


def _directory_as_written(table: Mapping[str, Any]) -> AccountDirectory | None:
    """The accounts by name and kind, those with problems among them: a question about one is no
    mistake. None where a kind is not known.
    """
    accounts = table.get("providers", {})
    if not isinstance(accounts, Mapping) or not all(
        _kind(account) in _KINDS for account in accounts.values()
    ):
        return None
    kinds: dict[str, Any] = {name: _kind(account) for name, account in accounts.items()}
    logs = {
        name: account.get("logs", {})
        for name, account in accounts.items()
        if kinds[name] == "rapid7"
    }
    if not all(
        isinstance(named, Mapping) and all(isinstance(key, str) for key in named.values())
        for named in logs.values()
    ):
        return None
    return AccountDirectory(kinds, logs)


def _read_network(environ: Mapping[str, str]) -> tuple[Network, list[ConfigProblem]]:
    """Proxies and certificates as the environment sets them, and what is wrong with them."""
    left, problems = dict(environ), list[ConfigProblem]()
    while True:
        try:
            return Network.from_environ(left), problems
        except NetworkSettingError as error:
            problems.append(ConfigProblem(error.variable, "", error.expected))
            for name in (error.variable.lower(), error.variable.upper()):
                left.pop(name, None)


def slack_tokens(settings_mode: str, environ: Mapping[str, str] = os.environ) -> SlackTokens:
    """The tokens that the mode needs ("socket", "http", or "neither" for the Web API alone). Raises
    ConfigError naming those that are missing.
    """
    needed = {"SLACK_BOT_TOKEN": "xoxb-…, from OAuth & Permissions"}
    if settings_mode == "socket":
        needed["SLACK_APP_TOKEN"] = "xapp-…, with connections:write, from Basic Information"  # noqa: S105
    elif settings_mode == "http":
        needed["SLACK_SIGNING_SECRET"] = "from Basic Information"  # noqa: S105
    missing = [
        ConfigProblem(name, "", f"missing in the environment ({what})")
        for name, what in needed.items()
        if not environ.get(name, "").strip()
    ]
    if missing:
        raise ConfigError(
            missing, f"Export {formatting.join_words([problem.key for problem in missing])}."
        )
    tokens, problems = _read_tokens(environ)
    api_url = (environ.get("SLACK_API_URL") or "").strip() or "https://slack.com/api/"
    if not _is_address(api_url):
        problems.append(
            ConfigProblem("SLACK_API_URL", "", 'an address such as "https://slack.com/api/"')
        )
    elif not api_url.startswith("https://") and not is_loopback(api_url):
        problems.append(
            ConfigProblem(
                "SLACK_API_URL",
                "",
                "https://, since plain http:// is accepted for this machine alone",
            )
        )
    if problems:
        raise ConfigError(problems, "Export the values as Slack shows them.")
    return SlackTokens(
        bot=Secret(tokens["SLACK_BOT_TOKEN"]),
        app=Secret(tokens["SLACK_APP_TOKEN"]),
        signing=Secret(tokens["SLACK_SIGNING_SECRET"]),
        api_url=api_url if api_url.endswith("/") else api_url + "/",
    )


def _read_tokens(environ: Mapping[str, str]) -> tuple[dict[str, str], list[ConfigProblem]]:
    """Slack's tokens as they are set, cleaned, and what is wrong with them. One in the other's
    place is named as such.
    """
    tokens, problems = {}, []
    for name, wrong in _WRONG_BEGINNINGS.items():
        try:
            tokens[name] = _read_token(name, environ.get(name, ""))
        except ValueError as error:
            tokens[name] = ""
            problems.append(ConfigProblem(name, "", str(error).removeprefix(f"{name} ")))
        found = next((beginning for beginning in wrong if tokens[name].startswith(beginning)), None)
        if found:
            right = f"another token: {found}… is {_BEGINNINGS[found]}"
            problems.append(ConfigProblem(name, "", right))
    return tokens, problems


def _read_token(name: str, value: str) -> str:
    """A token as it stands in the environment, or in the file that `file:PATH` names there."""
    if not value.startswith("file:"):
        return clean_secret(value, name)
    path = value.removeprefix("file:")
    token = clean_secret(_read_secret_file(Path(path).expanduser(), path), f"the file {path}")
    if not token:
        raise ValueError(f"the file {path} is empty")
    return token


_BEGINNINGS = {
    "xoxb-": "SLACK_BOT_TOKEN",
    "xapp-": "SLACK_APP_TOKEN",
    "xoxp-": "a person's token, which this bot never uses",
}
_WRONG_BEGINNINGS = {
    "SLACK_BOT_TOKEN": ("xapp-", "xoxp-"),
    "SLACK_APP_TOKEN": ("xoxb-", "xoxp-"),
    "SLACK_SIGNING_SECRET": ("xoxb-", "xapp-", "xoxp-"),
}


def _is_address(value: str) -> bool:
    try:
        parts = urlsplit(value)
        return parts.scheme in ("https", "http") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return False


def _certificate_problems(settings: Settings, network: Network) -> list[ConfigProblem]:
    """A certificate file that turns out to be damaged when all of it is read, which is done only
    where somebody needs it.
    """
    if settings.providers and all(
        is_loopback(account.address) for account in settings.providers.values()
    ):
        return []
    try:
        _ = network.tls
    except NetworkSettingError as error:
        return [ConfigProblem(error.variable, "", error.expected)]
    return []


def _bad_names(table: Mapping[str, Any]) -> Iterator[ConfigProblem]:
    accounts = table.get("providers")
    for name in accounts if isinstance(accounts, Mapping) else ():
        if (
            not _NAME.fullmatch(name)
            or name.lower() in _RESERVED
            or (name[0].isdigit() and not re.search(r"[A-Za-z]{3}", name))
        ):
            yield ConfigProblem(
                f"providers.{name}",
                "",
                (
                    "a name of letters, digits and dashes that is no word of the questions, such "
                    "as rapid7-eu"
                ),
            )
    for kind in ("digest", "alert"):
        entries = table.get(kind)
        names = (
            [e.get("name") for e in entries if isinstance(e, Mapping)]
            if isinstance(entries, list)
            else []
        )
        for name in sorted({str(n) for n in names if n and names.count(n) > 1}):
            yield ConfigProblem(f"{kind}.{name}", "", "a name of its own; it stands twice")


def _schedule_problems(
    settings: Settings, table: Mapping[str, Any], now: datetime
) -> list[ConfigProblem]:
    """Digests and alerts must ask questions that can be read, of values that exist. `table` is all
    that is written, where the settings are only the part of it that is right.
    """
    problems = []
    directory = _directory_as_written(table)
    entries: list[tuple[str, DigestSettings | AlertSettings]] = [
        ("digest", entry) for entry in settings.digest
    ]
    entries += [("alert", entry) for entry in settings.alert]
    for kind, entry in entries if directory else ():
        assert directory is not None
        try:
            question = read_line(entry.ask, directory, now=now, zone=settings.timezone)
        except BadQuestion as error:
            problems.append(
                ConfigProblem(
                    f"{kind}.{entry.name}.ask", repr(entry.ask), f"{error.message} Try {error.hint}"
                )
            )
            continue
        if isinstance(entry, AlertSettings) and not has_value(question.command, entry.value):
            right = f"one of {', '.join(COMMANDS[question.command].values.names)}"
            problems.append(ConfigProblem(f"alert.{entry.name}.value", repr(entry.value), right))
        if (
            isinstance(entry, AlertSettings)
            and entry.each
            and entry.each not in COMMANDS[question.command].values.subjects
        ):
            right = (
                f"one of {', '.join(COMMANDS[question.command].values.subjects)}"
                if COMMANDS[question.command].values.subjects
                else f"left out for /{question.command}"
            )
            problems.append(ConfigProblem(f"alert.{entry.name}.each", repr(entry.each), right))
    known = _names_as_written(table, "alert")
    problems += [
        ConfigProblem(
            f"mute.{mute.name}.alerts",
            repr(name),
            f"the name of an alert: {', '.join(sorted(known)) or 'there is none'}",
        )
        for mute in settings.mute
        for name in mute.alerts
        if name not in known
    ]
    return problems


def _names_as_written(table: Mapping[str, Any], kind: str) -> set[str]:
    entries = table.get(kind)
    names = (
        [entry.get("name") for entry in entries if isinstance(entry, Mapping)]
        if isinstance(entries, list | tuple)
        else []
    )
    return {name for name in names if isinstance(name, str)}


def _problem(detail: Any, table: Mapping[str, Any]) -> ConfigProblem:
    """One of the validator's findings in our words."""
    kinds = {"rapid7", "akamai", "devicewise"}
    place = [
        part
        for part in detail["loc"]
        if not (part in kinds and len(detail["loc"]) > 2 and detail["loc"][0] == "providers")
    ]
    place = [
        part
        for part in place
        if not (isinstance(part, str) and ("function-before" in part or "constrained-str" in part))
    ]
    key = ".".join(_entry_name(place[: n + 1], table) for n in range(len(place)))
    if detail["type"] == "extra_forbidden":
        return ConfigProblem(key, "", f"an unknown key{_suggest_key(place, table)}")
    if detail["type"] == "missing":
        return ConfigProblem(key, "", "is missing")
    if detail["type"] == "tuple_type" and len(place) == 1:
        return ConfigProblem(key, "", f"each stands under its own [[{key}]]")
    if detail["type"] == "kind":
        return _kind_problem(key, _lookup(place, table))
    said = detail["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    right = next(
        (told for kind, told in _EXPECTED.items() if detail["type"].startswith(kind)), said
    )
    return ConfigProblem(
        key,
        _shown(place, table),
        right.format_map(detail.get("ctx", {})) if right != said else said,
    )


def _kind_problem(key: str, account: Any) -> ConfigProblem:
    if not isinstance(account, Mapping):
        return ConfigProblem(
            key, repr(account) if isinstance(account, int | float) else "", "a table of its own"
        )
    kind, right = account.get("kind"), 'kind is "rapid7", "akamai" or "devicewise"'
    shown = formatting.truncate(repr(kind), 80) if isinstance(kind, str | int | float) else ""
    return ConfigProblem(f"{key}.kind", shown, right)


# What would be right, by the validator's kinds of findings.
_EXPECTED: Mapping[str, str] = MappingProxyType(
    {
        "tuple_": 'a list, such as ["…", "…"]',
        "int_": "a whole number",
        "bool_": "true or false",
        "string_type": "a text in quotes",
        "string_too_short": "a text that is not empty",
        "string_too_long": "a text of at most {max_length} characters",
        "greater_than_equal": "a number from {ge} on",
        "less_than_equal": "a number up to {le}",
        "dict_": "a table of its own",
        "model_": "a table of its own",
    }
)


def _entry_name(place: list[Any], table: Mapping[str, Any]) -> str:
    """`alert.ingest-spike` rather than `alert.0` where the entry has a name."""
    if isinstance(place[-1], int) and len(place) > 1:
        entry = _lookup(place, table)
        if isinstance(entry, Mapping) and isinstance(entry.get("name"), str) and entry["name"]:
            return formatting.sanitise(entry["name"], 60)
    return formatting.sanitise(str(place[-1]), 60)


def _shown(place: list[Any], table: Mapping[str, Any]) -> str:
    """The value as it may be shown: never a secret's, and never a whole table."""
    if any(str(part).lower() in SECRET_KEYS for part in place):
        return ""
    value = _lookup(place, table)
    if isinstance(value, str) and value.startswith(("env:", "file:")):
        return ""
    return (
        formatting.truncate(repr(value), 80) if isinstance(value, str | int | float | bool) else ""
    )


def _lookup(place: list[Any], table: Any) -> Any:
    for part in place:
        try:
            table = table[part]
        except (KeyError, IndexError, TypeError):
            return None
    return table


_ACCOUNT_MODELS: Mapping[str, type[BaseModel]] = {
    "akamai": AkamaiSettings,
    "devicewise": DeviceWiseSettings,
}
_TABLE_MODELS: Mapping[str, type[BaseModel]] = {
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


def _suggest_key(place: list[Any], table: Mapping[str, Any]) -> str:
    """The key that was probably meant."""
    model: type[BaseModel] = Settings
    if len(place) > 2 and place[0] == "providers":
        model = _ACCOUNT_MODELS.get(_kind(_lookup(place[:2], table)), Rapid7Settings)
    elif len(place) > 1:
        model = _TABLE_MODELS.get(str(place[0]), Settings)
    known = [field.alias or name for name, field in model.model_fields.items()]
    near = difflib.get_close_matches(str(place[-1]), known, n=1)
    return f"; did you mean {near[0]}?" if near else f"; there are {', '.join(known)}"


def _without_values(message: str) -> str:
    """TOML's own message tells line and column; what it quotes is left out."""
    return re.sub(r"'[^']*'|\"[^\"]*\"", "…", message)
