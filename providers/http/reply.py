"""A whole HTTP answer, and what its headers say about when and how much more may be requested."""

from __future__ import annotations

import email.utils
from datetime import UTC, datetime, timedelta

import httpx
from msgspec import Struct

from providers.clock import Clock, utc_now
from providers.limits.rate_limiter import QUARTER, ReportedQuota

# A reset time later than this comes from a wrong clock.
LONGEST_RESET_S = 3600.0


class Reply(Struct, frozen=True):
    """A whole HTTP answer: status, headers and the unpacked body."""

    status: int
    headers: httpx.Headers
    body: bytes

    @property
    def content_type(self) -> str:
        return str(self.headers.get("Content-Type", "")).partition(";")[0].strip().lower()


def parse_quota(reply: Reply, *, now: Clock = utc_now) -> ReportedQuota | None:
    """What the answer reports about the remaining quota: `X-RateLimit-Remaining` or a vendor's
    spelling of it, `R7-RateLimit-RemainingBytes`, or a 429. A 200 that leaves nothing is still a
    success; only the next request has to wait.
    """
    answered = now()
    headers = reply.headers
    requests = next(
        (n for value in _spellings(headers, _REMAINING) if (n := _count(value)) is not None), None
    )
    size = _count(headers.get("R7-RateLimit-RemainingBytes"))
    wait_s = retry_after_s(reply)
    if reply.status == 429:
        # Without a time to wait, a 429 says nothing about later requests.
        requests = 0 if wait_s else None
    if requests is None and size is None:
        return None
    if wait_s is None:
        if size is None:
            return None
        wait_s = QUARTER.total_seconds()
    return ReportedQuota(
        answered,
        answered,
        answered + timedelta(seconds=min(wait_s, LONGEST_RESET_S)),
        requests,
        size,
    )


def retry_after_s(reply: Reply) -> float | None:
    """Seconds to wait according to the answer's headers, or None.

    Read in this order: `Retry-After` (seconds or a date), then `X-RateLimit-Reset` (seconds
    remaining, or a Unix time if above a million), then `X-RateLimit-Next` or a vendor's spelling of
    it (a date).
    """
    headers = reply.headers
    # The vendor's own clock, by which it has written the other dates.
    now = date_of(headers.get("Date")) or utc_now()
    if (value := headers.get("Retry-After")) is not None:
        return _seconds(value) if _seconds(value) is not None else _until(value, now)
    if (seconds := _seconds(headers.get("X-RateLimit-Reset"))) is not None:
        # The pages of one vendor disagree: the seconds that remain, or a Unix time.
        return max(0.0, seconds - now.timestamp()) if seconds > 1_000_000 else seconds
    following = _spellings(headers, _NEXT)
    return _until(following[0], now) if following else None


# Some vendors put their name where others write `X`.
_NEXT = "-ratelimit-next"
_REMAINING = "-ratelimit-remaining"


def _spellings(headers: httpx.Headers, ending: str) -> list[str]:
    """The values of the headers with this ending, that of `X-…` first."""
    found = [(name.lower(), value) for name, value in headers.items()]
    named = [each for each in found if each[0].endswith(ending)]
    return [value for name, value in sorted(named, key=lambda each: each[0] != f"x{ending}")]


def _count(value: str | None) -> int | None:
    return (
        int(value)
        if value is not None and value.isascii() and value.isdigit() and len(value) < 19
        else None
    )


def _seconds(value: str | None) -> float | None:
    try:
        seconds = float(value) if value is not None else None
    except ValueError:
        return None
    return seconds if seconds is not None and 0 <= seconds < 1e12 else None


def _until(value: str, now: datetime) -> float | None:
    moment = date_of(value)
    return max(0.0, (moment - now).total_seconds()) if moment else None


def date_of(value: str | None) -> datetime | None:
    """The instant in a header, in either notation; in UTC if no offset is given. None for anything
    else.
    """
    if not value or len(value) > 100:
        return None
    for read in (datetime.fromisoformat, email.utils.parsedate_to_datetime):
        try:
            moment = read(value)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None
