"""Sample data for the sandbox, the same for the same day."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

KITCHEN = "aee00b66-a543-43dc-b093-53963c2e8f41"
CELLAR = "d8eacea6-3dbd-4163-8fc2-3ef5067bd7c9"
# Has a blank in its name, as names in a vendor's console may.
PANTRY = "1c1f2885-ed93-4650-9e14-d46af4bf0886"
LOG_NAMES = {KITCHEN: "kitchen", CELLAR: "cellar", PANTRY: "Pantry Door"}

_WEEK = (1.0, 1.06, 1.1, 1.04, 0.97, 0.55, 0.48)
_PATHS = (
    "/kitchen/stove",
    "/kitchen/menu",
    "/cellar/shelf/7",
    "/orders",
    "/orders/42",
    "/login",
    "/health",
)


def usage_of(day: date, now: datetime) -> int | None:
    """Bytes of a day: a weekly pattern, a spike last Wednesday, one day that is not listed, and
    today still growing.
    """
    today = now.date()
    if day > today or day == today - timedelta(days=24):
        return None
    # The day is the seed, so that each day has the same figure whenever it is asked for.
    spread = random.Random(day.toordinal())
    usage = 5.2e9 * _WEEK[day.weekday()] * spread.uniform(0.92, 1.08)
    wednesday = today - timedelta(days=(today.weekday() - 2) % 7 or 7)
    if day == wednesday:
        usage *= 1.9
    if day == today:
        usage *= max(0.02, (now.hour * 60 + now.minute) / 1440)
    return int(usage)


def usage_by_log(day: date, now: datetime) -> dict[str, int]:
    """How the logs share the bytes of a day; the pantry sends nothing at weekends."""
    total = usage_of(day, now) or 0
    shares = (
        {KITCHEN: 0.61, CELLAR: 0.27, PANTRY: 0.12}
        if day.weekday() < 5
        else {KITCHEN: 0.66, CELLAR: 0.34}
    )
    return {key: int(total * share) for key, share in shares.items()} if total else {}


def log_lines(key: str, start: datetime, end: datetime) -> Iterator[str]:
    """Lines of a log between two instants, one every few seconds, including secrets as careless
    programs log them.
    """
    step = {KITCHEN: 3, CELLAR: 7}.get(key, 20)
    messages = _messages(LOG_NAMES.get(key, "log"))
    # On multiples of the step, so that windows that overlap have the same lines.
    tick = -(-int(start.timestamp()) // step) * step
    last = end.timestamp()
    while tick < last:
        second = datetime.fromtimestamp(tick, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        spread = tick * _SPREAD & 0xFFFFFFFF
        yield f"{second}.{spread % 1000:03d}Z {messages[(spread >> 8) % len(messages)]}"
        tick += step


# Multiplied by this, neighbouring numbers end up far apart (Knuth, volume 3, 6.4).
_SPREAD = 2_654_435_761


@lru_cache
def _messages(name: str) -> Sequence[str]:
    """The texts of a log after the time. There are enough for the lines to differ, and they are
    built once, since a month of a log has nearly a million lines.
    """
    return [_message(name, random.Random(f"{name} {n}")) for n in range(2003)]


def _message(name: str, spread: random.Random) -> str:
    """A text that ends in key=value pairs, by which a log can be queried."""
    path = spread.choice(_PATHS)
    who = spread.choice(("ada", "grace", "linus", "barbara"))
    chance = spread.random()
    if chance < 0.02:
        pairs = _pairs(path, 504, 5000)
        return (
            f"ERROR {name} timeout after 5000 ms calling http://stock.internal{path} user={who} "
            f"{pairs}"
        )
    if chance < 0.03:
        return (
            f"ERROR {name} login failed user={who} password=Tr0ub4dor&3 "
            f"from=10.0.3.{spread.randrange(250)} {_pairs('/login', 401, 12)}"
        )
    if chance < 0.08:
        took = spread.randrange(900, 4800)
        session = f"session_id={spread.getrandbits(64):x}"
        return f"WARN {name} slow answer {took} ms GET {path}?{session} {_pairs(path, 200, took)}"
    if chance < 0.11:
        token = f"Authorization: Bearer {spread.getrandbits(120):x}"
        return f"INFO {name} GET {path} 200 {token}"
    if chance < 0.18:
        return f"DEBUG {name} cache hit {path} user={who}"
    took = spread.randrange(3, 90)
    return f"INFO {name} GET {path} 200 {took} ms user={who} {_pairs(path, 200, took)}"


def _pairs(path: str, status: int, took_ms: int) -> str:
    return f"path={path} status={status} duration={took_ms}"
