"""Values that providers return, frozen and typed. A missing value is None, never zero."""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

import msgspec
from msgspec import Struct, field


def iso_utc(moment: datetime, timespec: str = "seconds") -> str:
    """An instant in ISO-8601, in UTC with `Z`, cut to the given precision."""
    return (moment if moment.tzinfo is UTC else moment.astimezone(UTC)).isoformat(
        timespec=timespec
    )[:-6] + "Z"


class Window(Struct, frozen=True):
    """A time range that includes its start and excludes its end; both are aware and in UTC."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a window needs instants with a time zone")
        if self.end <= self.start:
            raise ValueError("a window ends after it starts")

    @property
    def length(self) -> timedelta:
        return self.end - self.start

    @property
    def days(self) -> DayRange:
        """The UTC days that the window touches."""
        last = (self.end - timedelta(microseconds=1)).astimezone(UTC).date()
        return DayRange(self.start.astimezone(UTC).date(), last)

    def halves(self) -> tuple[Window, Window]:
        """The window cut in two at a whole second, without a gap or an overlap."""
        # Vendors take whole seconds.
        middle = (self.start + self.length / 2).replace(microsecond=0)
        return Window(self.start, middle), Window(middle, self.end)


class DayRange(Struct, frozen=True):
    """Calendar days in UTC, both ends included."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError("a range of days ends on or after the day it begins")

    def __len__(self) -> int:
        return (self.last - self.first).days + 1

    def __contains__(self, day: object) -> bool:
        return isinstance(day, date) and self.first <= day <= self.last

    def each(self) -> list[date]:
        return [
            date.fromordinal(n) for n in range(self.first.toordinal(), self.last.toordinal() + 1)
        ]

    def before(self) -> DayRange:
        """The range of the same length that ends the day before this one begins."""
        return DayRange(self.first - timedelta(days=len(self)), self.first - timedelta(days=1))

    def pieces(self, most: int) -> list[DayRange]:
        """The same days in consecutive ranges of at most `most` days."""
        firsts = [self.first + timedelta(days=n) for n in range(0, len(self), most)]
        return [
            DayRange(first, min(self.last, first + timedelta(days=most - 1))) for first in firsts
        ]


class UsagePeriod(Struct, frozen=True):
    """Bytes by UTC day as the provider lists them. A day that is not in `by_day` was not listed,
    which does not mean zero. `vendor` is the provider's title, and `lag` how late its figures for
    the current day may be (“a day”), where its documentation says so.
    """

    by_day: Mapping[date, int]
    reported_bytes: int | None
    reported_from: date | None
    reported_to: date | None
    organisation: str | None
    organisation_id: str | None
    vendor: str = "The vendor"
    lag: str = ""


class LogUsage(Struct, frozen=True):
    """Bytes by day and log id; silent logs are not listed by the provider."""

    by_day: Mapping[date, Mapping[str, int]]


class NamedLog(Struct, frozen=True):
    """A log as its provider lists it. `retention` is how long its lines are kept, in words, where
    that is known.
    """

    id: str
    name: str
    retention: str = ""


class LogEntry(Struct, frozen=True):
    """One entry of a log, and when its provider received it."""

    at: datetime | None
    message: str


class LogEntries(Struct, frozen=True):
    """Entries of a window, the oldest first. `has_more` where the window has more than were wanted;
    `notes` say what is missing for another reason.
    """

    entries: Sequence[LogEntry]
    has_more: bool
    notes: tuple[str, ...] = ()


class GroupStatistics(Struct, frozen=True):
    """The result for one group: a value for each key that the entries were grouped by, and the
    results of its slices of time, where these were asked for.
    """

    names: tuple[str, ...]
    value: float | None
    slices: tuple[float | None, ...] = ()


class LogStatistics(Struct, frozen=True):
    """What a statistical query returned: one result for the whole window, one for each slice of time
    from `start` on, and one for each group. A result that is not known is None.

    `is_exact` is False where the provider has only estimated the groups.
    """

    value: float | None
    start: datetime
    step: timedelta
    slices: tuple[float | None, ...] = ()
    groups: tuple[GroupStatistics, ...] = ()
    is_exact: bool = True
    notes: tuple[str, ...] = ()


class Outcome(enum.StrEnum):
    SUCCESS = "success"
    FAILURE = "failure"
    UNKNOWN = "unknown"


class ApiCall(msgspec.Struct, frozen=True, gc=False):
    """One recorded API call, as a struct, since there may be many thousands. `at` is None where the
    provider's time is not ISO-8601; `at_text` is what it sent.

    `host` is the machine that processed the call, `organisation` whose call it was, and
    `client_token` the credentials it was signed with, where the provider records them. `columns` is
    the whole record by the provider's own names, without secrets; it is there for the one call that
    `CallFilters.call` names.
    """

    at: datetime | None
    at_text: str
    account: str
    actor: str
    action: str
    target: str
    status: str
    outcome: Outcome
    client: str
    ip: str
    duration_ms: float | None
    own: bool = False
    actions: tuple[str, ...] = ()
    host: str = ""
    organisation: str = ""
    client_token: str = ""
    columns: tuple[tuple[str, str], ...] = ()

    @property
    def id(self) -> str:
        """Eight hexadecimal digits that identify this call, since vendors give calls no id. Calls
        that are equal in every column have the same one.
        """
        values = (self.account, self.at_text, self.actor, self.action, self.target, self.status)
        more = (self.client, self.ip, self.host, self.organisation, str(self.duration_ms))
        text = "\0".join((*values, *more)).encode("utf-8", "surrogatepass")
        return hashlib.blake2b(text, digest_size=4).hexdigest()


class CallPage(Struct, frozen=True):
    """The calls of one account in a window, and what is known about their completeness. `remarks`
    are those of the `notes` that report nothing missing. `data_until` is set where the vendor's
    data ends before the window does, because it arrives late, and `is_only_late` where nothing else is
    missing. `nearest_actor` is the recorded actor
    most like a `who` that matches nobody.
    """

    calls: Sequence[ApiCall]
    complete: bool
    notes: tuple[str, ...] = ()
    data_until: datetime | None = None
    remarks: tuple[str, ...] = ()
    nearest_actor: str = ""
    is_only_late: bool = False

    @property
    def shortcomings(self) -> tuple[str, ...]:
        """The notes that report something missing."""
        return tuple(note for note in self.notes if note not in self.remarks)

    def complete_part(self, window: Window) -> Window | None:
        """The part of the window of which all calls are there: up to where the data ends, if that is
        the one shortcoming. None where calls may be missing anywhere.
        """
        if self.complete:
            return window
        ends_early = self.data_until and window.start < self.data_until < window.end
        if not ends_early or len(self.shortcomings) > 1:
            return None
        return Window(window.start, self.data_until or window.end)


class FilterValues(Struct, frozen=True):
    """A filter of `/apiaudit`, and the values that it takes."""

    name: str
    values: tuple[str, ...]


class CallsDescription(Struct, frozen=True):
    """What a source says of its recorded calls: the filters that take listed values, the most rows of
    one request, how long calls are kept, and the role that reading them needs. Missing is unknown.
    """

    filters: tuple[FilterValues, ...] = ()
    most_rows: int | None = None
    retention: timedelta | None = None
    required_role: str = ""


class CallFilters(Struct, frozen=True):
    """What to keep of the recorded calls. Values of one name mean any of them; names must all hold.

    `ip` are networks; `code` is a status that is compared as a whole. The answer applies these, and
    `client`, `org`, `host`, `slower_than_ms` and `call` (an `ApiCall.id`), to the rows of every
    source. A source refuses those whose column it does not record, and may ask for less.
    `native` holds a vendor's own filters by the vendor's names.
    """

    who: tuple[str, ...] = ()
    action: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    url: tuple[str, ...] = ()
    ip: tuple[str, ...] = ()
    client: tuple[str, ...] = ()
    org: tuple[str, ...] = ()
    host: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    slower_than_ms: float | None = None
    call: str = ""
    failures: bool = False
    leave_out_own: bool = False
    native: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self != _EVERYTHING


_EVERYTHING = CallFilters()


class Check(Struct, frozen=True):
    """What one cheap request showed about an account."""

    name: str
    ok: bool
    detail: str
    hint: str = ""


class RemainingQuota(Struct, frozen=True):
    """How much of a limit is left. `what` is the name of what is counted."""

    what: str
    left: int
    of: int


class AccountStatus(Struct, frozen=True):
    """State of an account, as far as is known without a request. `problem` is empty where its last
    requests were answered.
    """

    account: str
    problem: str
    answered_at: datetime | None
    left: tuple[RemainingQuota, ...] = ()
