"""Reads the answers of Rapid7's query API into records. Any other input raises ProtocolError."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from providers.errors import ProtocolError, unreadable
from providers.http.decoding import decode_json, refuse_excess
from providers.models import GroupStatistics, LogEntry, LogStatistics, Window

# The API returns at most so many groups, of at most so many keys, and so many slices.
MOST_GROUPS = 10_000
MOST_KEYS = 5
MOST_SLICES = 10_000
LONGEST_LINK = 8000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# The last millisecond that a datetime can hold.
_LAST_MS = 253_402_300_799_999
# Ten years; no log is kept for so long.
_LONGEST_STEP_MS = 315_360_000_000


class Links(Struct, frozen=True):
    """Where a query goes on: the path to poll while it is in progress, and that of its next page."""

    poll_path: str = ""
    next_path: str = ""
    progress: int = 0


class Page(Struct, frozen=True):
    """Entries of one answer, in their order there."""

    entries: Sequence[LogEntry]
    poll_path: str
    next_path: str


def links(body: bytes, *, account: str) -> Links:
    """The links of an answer. Raises ProtocolError where it is not the JSON of an answer."""
    return _links(_object(body, account), account)


def page(body: bytes, *, account: str) -> Page:
    """The entries of an answer."""
    answer = _object(body, account)
    events = answer.get("events")
    if events is not None and not isinstance(events, list):
        raise unreadable(account, "JSON of an unknown shape")
    found = _links(answer, account)
    entries = [_entry(event, account) for event in events or ()]
    return Page(entries, found.poll_path, found.next_path)


def statistics(body: bytes, *, account: str, window: Window) -> LogStatistics:
    """The member `statistics` of an answer, or `partial` of one that is in progress.

    A result is `{"count": 12.0}`: the function's name with a number. `stats` and `timeseries` hold
    one or a list of these under the key that was calculated, `groups` and `groups_timeseries` under
    the names of the groups.
    """
    answer = _object(body, account)
    # A query in progress has `partial` in the place of `statistics`.
    found = answer.get("statistics") or answer.get("partial")
    if not isinstance(found, dict):
        raise unreadable(account, "the result of a query without statistics")
    function = str(found.get("type") or "")
    series = _first_value(found.get("timeseries"))
    slices = _numbers(series if isinstance(series, list) else (), function)
    by_group = dict(_series_by_group(found.get("groups_timeseries"), function))
    groups = tuple(_groups(found.get("groups"), by_group, function, account))
    start = _start(found, window)
    lengths = [len(slices), *(len(group.slices) for group in groups)]
    return LogStatistics(
        value=_total(found, function),
        start=start,
        step=_step(found, start, max(lengths)),
        slices=slices,
        groups=groups,
        # The specification spells it in two ways.
        is_exact=False not in (found.get("all_exact_results"), found.get("all_exact_result")),
    )


def with_notes(result: LogStatistics, notes: Sequence[str]) -> LogStatistics:
    return replace(result, notes=(*result.notes, *notes))


def without_link(account: str) -> ProtocolError:
    """The error for a feed that cannot be polled."""
    return unreadable(account, "a live feed without a link")


def received_at(entry: LogEntry) -> datetime:
    return entry.at or _EPOCH


def _object(body: bytes, account: str) -> dict[str, Any]:
    refuse_excess(body, account=account)
    answer = decode_json(body)
    if not isinstance(answer, dict):
        raise unreadable(account, "an answer to a query that is not a JSON object")
    return answer


def _links(answer: Mapping[str, Any], account: str) -> Links:
    """Their names are written in two ways, `Self` and `self`."""
    paths: dict[str, str] = {}
    listed = answer.get("links")
    for link in listed if isinstance(listed, list) else ():
        if isinstance(link, dict) and isinstance(link.get("href"), str):
            paths.setdefault(str(link.get("rel")).lower(), _path(link["href"], account))
    progress = answer.get("progress")
    percent = int(progress) if isinstance(progress, int | float) and 0 <= progress <= 100 else 0
    return Links(paths.get("self", ""), paths.get("next", ""), percent)


def _path(href: str, account: str) -> str:
    """The path of a link from `/query/` on. Its host may be another name of the vendor's, or anything
    at all, and the key is sent to the configured address only.
    """
    try:
        parts = urlsplit(href[:LONGEST_LINK])
    except ValueError:
        raise unreadable(account, "a link that leads nowhere") from None
    _, found, rest = parts.path.partition("/query/")
    path = f"/query/{rest}" + (f"?{parts.query}" if parts.query else "")
    if not found or ".." in rest or not path.isprintable():
        raise unreadable(account, "a link that leads nowhere")
    return path


def _entry(event: Any, account: str) -> LogEntry:
    message = event.get("message") if isinstance(event, dict) else None
    # A message that is JSON may come as what it holds.
    if isinstance(message, dict | list):
        message = json.dumps(message, ensure_ascii=False)
    if not isinstance(message, str):
        raise unreadable(account, "an entry of a log without a message")
    return LogEntry(_instant(event.get("timestamp")), message)


def _instant(milliseconds: Any) -> datetime | None:
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | float):
        return None
    if not 0 < milliseconds <= _LAST_MS:
        return None
    return _EPOCH + timedelta(milliseconds=milliseconds)


def _start(found: Mapping[str, Any], window: Window) -> datetime:
    """Where the first slice begins. An instant after the window cannot be its beginning."""
    start = _instant(found.get("from"))
    return start if start and start < window.end else window.start


def _step(found: Mapping[str, Any], start: datetime, slices: int) -> timedelta:
    """The length of a slice. Some answers have 0; then it is computed from the number of slices."""
    granularity = found.get("granularity")
    if isinstance(granularity, int | float) and 0 < granularity <= _LONGEST_STEP_MS:
        return timedelta(milliseconds=granularity)
    end = _instant(found.get("to"))
    if not end or end <= start or not slices:
        return timedelta(0)
    return (end - start) / slices


def _total(found: Mapping[str, Any], function: str) -> float | None:
    """The result for the whole window. A function other than `count` has 0 beside `stats`, so that
    only a count is taken from there.
    """
    stats = _first_value(found.get("stats"))
    if isinstance(stats, dict):
        return _number(stats, function)
    if found.get("groups"):
        return None
    # A count without groups may stand beside an empty `stats`.
    return _number(found, "count") if function == "count" else None


def _first_value(value: Any) -> Any:
    """The value of an object with one key."""
    return next(iter(value.values()), None) if isinstance(value, dict) else None


def _number(value: Any, function: str) -> float | None:
    """The number of a result, by the name of the function or as its only member; None for what has
    no value, such as the average of nothing.
    """
    if not isinstance(value, dict):
        return None
    found = value.get(function)
    if found is None and len(value) == 1:
        found = next(iter(value.values()))
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    try:
        number = float(found)
    except OverflowError:
        # An integer of any length is JSON.
        return None
    return number if math.isfinite(number) else None


def _numbers(values: Sequence[Any], function: str) -> tuple[float | None, ...]:
    return tuple(_number(value, function) for value in values[:MOST_SLICES])


def _groups(
    listed: Any,
    by_group: Mapping[tuple[str, ...], tuple[float | None, ...]],
    function: str,
    account: str,
) -> Iterator[GroupStatistics]:
    """Groups of several keys are named `[a,b]`, where a name may have commas, too; it is split as
    in their series.
    """
    if listed is not None and not isinstance(listed, list):
        raise unreadable(account, "JSON of an unknown shape")
    named = {f"[{','.join(names)}]": names for names in by_group if len(names) > 1}
    for group in (listed or ())[:MOST_GROUPS]:
        if not isinstance(group, dict) or not group:
            raise unreadable(account, "a group without a name")
        # The name of a group is its only key.
        text = str(next(iter(group)))
        names = named.get(text) or _names(text)
        yield GroupStatistics(
            names, _number(_first_value(group), function), by_group.get(names, ())
        )


def _names(text: str) -> tuple[str, ...]:
    if text.startswith("[") and text.endswith("]") and "," in text:
        return tuple(name.strip() for name in text[1:-1].split(","))
    return (text,)


def _series_by_group(
    listed: Any, function: str, above: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], tuple[float | None, ...]]]:
    """The slices of every group, also of groups within groups."""
    if not isinstance(listed, list) or len(above) >= MOST_KEYS:
        return
    for group in listed[:MOST_GROUPS]:
        if not isinstance(group, dict) or not group:
            continue
        names = (*above, str(next(iter(group))))
        held = _first_value(group)
        if not isinstance(held, dict):
            continue
        series = held.get("series")
        yield names, _numbers(series if isinstance(series, list) else (), function)
        # The specification has both spellings.
        inner = held.get("groups_timeseries") or held.get("group_timeseries")
        yield from _series_by_group(inner, function, names)
