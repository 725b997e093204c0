"""The types of the fields in `bot.toml` that belong to no vendor. Each reads what is written, and
raises ValueError with what would be right.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field

from bot.alerts.baseline import Multiple
from bot.alerts.paging import channels, mentions, read_link, read_recipients, targets
from bot.alerts.rule import SHORTEST_EVERY
from bot.alerts.thresholds import USUAL_THRESHOLD, read_usual
from bot.questions.amounts import read_duration, read_size

# RFC 1123: labels of at most 63 characters, 253 in all.
_HOST_NAME = re.compile(
    r"(?=.{1,253}\Z)[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})){0,8}"
)


def _duration(value: Any) -> timedelta:
    # Months are not a unit here, so a capital M is minutes.
    duration = read_duration(value.lower()) if isinstance(value, str) else None
    if duration is None:
        raise ValueError('a duration such as "15m", "4h" or "2d"')
    return duration


def _zone(value: Any) -> ZoneInfo:
    try:
        return ZoneInfo(value)
    except (KeyError, ValueError, TypeError, OSError):
        raise ValueError('a time zone such as "Europe/Dublin" or "UTC"') from None


def _channel(value: Any) -> str:
    """`#name`, or the id of a channel or of a person, for direct messages. The `#` of a name may be
    left out.
    """
    text = value.strip() if isinstance(value, str) else ""
    if mention := re.fullmatch(r"<#([CG][A-Z0-9]{2,40})(?:\|[^<>]{0,100})?>", text):
        return mention[1]
    # Slack writes IDs in capitals, and names of channels in small letters.
    if re.fullmatch(r"[CGDUW][A-Z0-9]{2,40}", text):
        return text
    if re.fullmatch(r"#?[\w-]{1,80}", text):
        return f"#{text.removeprefix('#').lower()}"
    raise ValueError(
        'a channel such as "#ops" or its ID "C0OPS", or a person\'s ID "U012AB" for direct messages'
    )


def _host(value: Any) -> str:
    """An address or a host name of this machine. Whether the bot can listen there shows only when
    the port is opened.
    """
    text = value.strip() if isinstance(value, str) else ""
    try:
        return str(ip_address(text))
    except ValueError:
        # What ends in a digit is a mistyped address.
        if _HOST_NAME.fullmatch(text) and not text[-1].isdigit():
            return text.lower()
    raise ValueError(
        'an address to listen at, such as "127.0.0.1", "0.0.0.0" (every network) or "::1"'
    )


def _cron(value: Any) -> str:
    # Most configurations have no digest, and the scheduler takes a while to import.
    from bot.schedules.cron import EXAMPLE, CronError, CronTrigger

    if not isinstance(value, str):
        raise ValueError(f'five cron fields such as "{EXAMPLE}"')
    try:
        CronTrigger(value, UTC)
    except CronError as error:
        raise ValueError(f'five cron fields such as "{EXAMPLE}" ({error})') from None
    return value


def _local_time(value: Any) -> datetime:
    try:
        # TOML has a type for times; people write them in quotes as well.
        return value if isinstance(value, datetime) else datetime.fromisoformat(value)
    except (ValueError, TypeError):
        raise ValueError('a local time such as "2026-12-01T20:00"') from None


def _threshold(value: Any) -> float | Multiple:
    if isinstance(value, str) and USUAL_THRESHOLD.fullmatch(value):
        return Multiple(read_usual(value))
    # A bool of Python is an int, but `true` in TOML is not a threshold.
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    plain = value.strip() if isinstance(value, str) else ""
    # A change may be below zero, such as "-5 GB".
    sign = -1 if plain[:1] == "-" else 1
    size = read_size(plain.removeprefix("-").strip())
    if size is None:
        raise ValueError('a number such as 20, a size such as "5 GB", or "2x usual"')
    return sign * float(size)


def _usual(value: Any) -> str:
    if isinstance(value, str) and value.strip().lower() == "usual":
        return "usual"
    raise ValueError('"usual"')


def _asker(value: Any) -> str:
    if isinstance(value, str) and (value == "*" or re.fullmatch(r"[UWSCGD][A-Z0-9]{1,40}", value)):
        return value
    raise ValueError(
        'Slack IDs such as "U012AB" (a person), "S0GROUP" (a user group), "C0OPS" (a channel), or "*"'
    )


def _interval(value: Any) -> timedelta:
    every = _duration(value)
    if every < SHORTEST_EVERY:
        raise ValueError("a duration of at least 5s")
    return every


def _called(value: Any) -> str:
    """A person or a user group by id, or the name of a target."""
    found = _recipient(value)
    if found and (mentions(found) or targets(found)):
        return found[0]
    raise ValueError(
        'Slack IDs such as "U012AB" (a person) and "S0GROUP" (a user group), and names of [targets] '
        "and [on_call]"
    )


def _escalated_to(value: Any) -> str:
    found = _recipient(value)
    if found and (mentions(found) or targets(found) or channels(found)):
        return found[0]
    raise ValueError(
        'Slack IDs such as "U012AB" (a person) and "S0GROUP" (a user group), channels such as '
        '"#incidents", and names of [targets] and [on_call]'
    )


def _recipient(value: Any) -> tuple[str, ...]:
    """The only recipient that is written; empty if there is none or more than one."""
    try:
        found = read_recipients(value) if isinstance(value, str) else ()
    except ValueError:
        return ()
    return found if len(found) == 1 else ()


def _link(value: Any) -> str:
    try:
        return read_link(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError(
            'a link that begins with https://, without a password, such as "https://wiki.example.com/runbook"'
        ) from None


def _delay(value: Any) -> timedelta:
    delay = _duration(value)
    if not delay:
        raise ValueError('a duration such as "15m" or "1h"')
    return delay


Duration = Annotated[timedelta, BeforeValidator(_duration)]
Interval = Annotated[timedelta, BeforeValidator(_interval)]
Asker = Annotated[str, BeforeValidator(_asker)]
Zone = Annotated[ZoneInfo, BeforeValidator(_zone)]
Cron = Annotated[str, BeforeValidator(_cron)]
LocalTime = Annotated[datetime, BeforeValidator(_local_time)]
Threshold = Annotated[float | Multiple, BeforeValidator(_threshold)]
WordUsual = Annotated[str, BeforeValidator(_usual)]
Host = Annotated[str, BeforeValidator(_host)]
ChannelName = Annotated[str, BeforeValidator(_channel)]
Port = Annotated[int, Field(ge=0, le=65535, strict=True)]
_PATH = re.compile(r"(?:/[A-Za-z0-9][A-Za-z0-9._~-]{0,60}){0,8}")
_TEAM_ID = re.compile(r"T[A-Z0-9]{2,40}")
# A shorter time could delete what is still in progress, or what Slack may deliver again.
SHORTEST_RETENTION = timedelta(days=1)
# A little more than ten years.
LONGEST_RETENTION = timedelta(days=3660)


def _base_path(value: Any) -> str:
    path = value.strip().rstrip("/") if isinstance(value, str) else None
    if path is None or not _PATH.fullmatch(path):
        raise ValueError('a path such as "/opswatch", which /slack/events is appended to')
    return path


def _team_id(value: Any) -> str:
    if isinstance(value, str) and _TEAM_ID.fullmatch(value):
        return value
    raise ValueError('the ID of a workspace, such as "T012AB"')


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
Called = Annotated[str, BeforeValidator(_called)]
EscalatedTo = Annotated[str, BeforeValidator(_escalated_to)]
Link = Annotated[str, BeforeValidator(_link)]
Delay = Annotated[timedelta, BeforeValidator(_delay)]
