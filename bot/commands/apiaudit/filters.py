"""The filters of `/apiaudit`: how they are typed, their values, and what was probably meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from msgspec import Struct

from bot.commands.apiaudit.rows import read_call_id, read_milliseconds, read_network
from bot.errors import BadQuestion
from bot.formatting import join_words, sanitise
from bot.questions.context import Context
from bot.questions.phrases import without_any
from bot.questions.windows import strip_punctuation
from providers.models import CallFilters
from providers.registry import registry

# The vendors' own names for the ends of a window.
_WINDOW_KEYS = frozenset({"last", "past", "from", "to", "start", "end", "since", "until"})
AUDIT_FILTERS = ("who", "action", "status", "url")
# Those that are compared with a column of every vendor's rows.
ROW_FILTERS = ("ip", "client", "org", "host", "code", "slower", "call")
# Those of several values, which may be typed with commas.
_LISTS = frozenset({"ip", "code"})
# Of ours, values of these have no commas.
_ENUMERATED = frozenset({"action", "status"})
_KNOWN_FILTERS = f"{', '.join((*AUDIT_FILTERS, *ROW_FILTERS[:-1]))} and each vendor's own"
_FILTER = re.compile(r"([A-Za-z_]+):(.*)", re.DOTALL)


class TypedFilters(Struct, frozen=True):
    """The filters among some words: their values by name, the words they were typed with, whether
    only failures are wanted, and the other words.
    """

    values: Mapping[str, Sequence[str]]
    typed: Sequence[str]
    failures: bool
    others: list[str]


def filter_examples() -> dict[str, str]:
    """A value that shows what each filter takes, our own first."""
    examples = dict(_EXAMPLES)
    for provider in registry().providers.values():
        for name in provider.filters:
            examples.setdefault(name, provider.filter_examples.get(name, "ada"))
    return examples


def split_filters(words: list[str], context: Context) -> TypedFilters:
    """The filters among the words. Raises BadQuestion for an unknown name or an empty value."""
    words = _with_names(words)
    words, failures = without_any(words, "failures", "failed", "errors")
    values: dict[str, list[str]] = {}
    others = []
    typed = ["failures"] if failures else []
    for word in words:
        match = _FILTER.fullmatch(word)
        if word.lower() in registry().switches:
            typed.append(word)
            values.setdefault(word.lower(), []).append("yes")
        # `from:2026-11-01` is a window, in which a time such as `12:30` has a colon, too.
        elif match and match[1].lower() not in _WINDOW_KEYS:
            # In quotes, so that a button that asks it again reads one value.
            typed.append(f'{match[1]}:"{match[2]}"' if " " in match[2] else word)
            name = _filter_name(match[1], context)
            values.setdefault(name, []).append(_filter_value(match, context))
        else:
            others.append(word)
    return TypedFilters(values, typed, failures, others)


def _with_names(words: list[str]) -> list[str]:
    """The words with `slower:50ms` for `slower than 50ms`, `ip:10.0.0.0/8` for `from 10.0.0.0/8`,
    and `show_all` for a `show all` at the end.
    """
    named: list[str] = []
    at = 0
    while at < len(words):
        plain = [word.lower() for word in words[at : at + 3]]
        if plain[0] in _SLOWER and plain[1:2] == ["than"] and len(plain) > 2:
            named.append(f"slower:{strip_punctuation(words[at + 2])}")
            at += 3
        elif plain[0] == "from" and len(plain) > 1 and _is_network(plain[1]):
            named.append(f"ip:{strip_punctuation(words[at + 1])}")
            at += 2
        # At the front it is a sentence, such as `show all calls`.
        elif plain == ["show", "all"] and at:
            named.append("show_all")
            at += 2
        else:
            named.append(words[at])
            at += 1
    return named


def _is_network(word: str) -> bool:
    """Whether a word is an address or a network, and not a part of a window such as `10` or `9:30`."""
    return word.count(".") == 3 and read_network(strip_punctuation(word)) is not None


def call_filters(filters: TypedFilters, context: Context) -> CallFilters:
    """The filters as sources take them. Raises BadQuestion for a value that cannot be read."""
    values = dict(filters.values)
    own = values.pop("own", ())
    if any(value.lower() not in ("no", "yes") for value in own):
        raise BadQuestion(
            "`own:` takes `no`, which leaves out the bot's own calls, or `yes`.",
            context.instead(f"own:{own[0]}", "own:no"),
        )
    common = {name: _split_values(name, values.pop(name, ()), context) for name in AUDIT_FILTERS}
    of_rows = {
        name: _split_values(name, values.pop(name), context)
        for name in ROW_FILTERS
        if name in values
    }
    slower = [_milliseconds(value, context) for value in of_rows.pop("slower", ())]
    calls = [_call_id(value, context) for value in of_rows.pop("call", ())]
    networks = tuple(_network(value, context) for value in of_rows.pop("ip", ()))
    return CallFilters(
        **common,
        **of_rows,
        ip=networks,
        slower_than_ms=min(slower, default=None),
        # A call has one id; the last one typed is the one that is meant.
        call=calls[-1] if calls else "",
        failures=filters.failures,
        leave_out_own="no" in [value.lower() for value in own],
        # What is left is a vendor's own.
        native={name: tuple(given) for name, given in values.items()},
    )


def not_filters(words: Sequence[str]) -> BadQuestion:
    """The error for words in the filters of a form that are not filters."""
    meant = [found for word in words if (found := intended_filter(word))]
    if meant:
        return BadQuestion(f"A filter has a name; did you mean {join_words(meant)}?")
    return BadQuestion(
        f"“{sanitise(words[0], 40)}” is not a filter; the filters are {_KNOWN_FILTERS}."
    )


def intended_filter(word: str) -> str:
    """The filter that a bare word was probably intended as; None if there is none."""
    lowered = word.lower()
    if re.fullmatch(r"[1-5](?:\d\d|xx)", lowered):
        return f"status:{lowered}"
    if lowered in ("get", "post", "put", "patch", "delete", "head"):
        return f"action:{lowered}"
    if found := _COMPARISON.fullmatch(lowered):
        return _status_of(found)
    if _is_network(lowered):
        return f"ip:{word}"
    if re.fullmatch(r"[^\s@]+@[^\s@]+", word):
        return f"who:{word}"
    return f"url:{word}" if re.fullmatch(r"/[^/\s]+(?:/[^\s]*)?", word) else ""


def _status_of(comparison: re.Match[str]) -> str:
    """The filters for `status>=500`; empty for what they cannot say."""
    number = int(comparison["number"])
    if comparison["how"] in ("=", "=="):
        return f"status:{number}"
    begins = number // 100 if comparison["how"] == ">=" else number // 100 + 1
    is_whole = number % 100 == (0 if comparison["how"] == ">=" else 99)
    return " ".join(f"status:{digit}xx" for digit in range(begins, 6)) if is_whole else ""


def _all_filters() -> tuple[str, ...]:
    """The filters there are: our own, and those of every vendor."""
    return (*AUDIT_FILTERS, *ROW_FILTERS, "own", *registry().filters)


def _filter_name(typed: str, context: Context) -> str:
    name = typed.lower()
    if name in _all_filters():
        return name
    other = _OTHER_FILTERS.get(name)
    # Cut, as the comparison takes a time that grows with the length.
    near = [other] if other else difflib.get_close_matches(name[:40], _all_filters(), n=1)
    meant = f"; did you mean {near[0]}:?" if near else f"; the filters are {_KNOWN_FILTERS}."
    right = near[0] if near else "url"
    raise BadQuestion(
        f"“{sanitise(typed, 40)}:” is not a filter{meant}",
        context.instead(f"{typed}:", f"{right}:"),
    )


def _filter_value(match: re.Match[str], context: Context) -> str:
    value = match[2].strip()
    if not value:
        raise BadQuestion(
            f"“{match[1]}:” needs a value right after it.",
            context.instead(
                match[0], f"{match[1]}:{filter_examples().get(match[1].lower(), 'ada')}"
            ),
        )
    return value


def _split_values(name: str, values: Sequence[str], context: Context) -> tuple[str, ...]:
    if not values or name not in _LISTS | _ENUMERATED:
        return tuple(values)
    parts = tuple(part for value in values for part in value.split(",") if part)
    if not parts:
        raise BadQuestion(
            f"“{name}:” needs a value right after it.",
            context.instead(f"{name}:{values[0]}", f"{name}:{_EXAMPLES[name]}"),
        )
    return parts


def _network(value: str, context: Context) -> str:
    network = read_network(value)
    if network is None:
        raise BadQuestion(
            f"“{sanitise(value, 60)}” is not an IP address or network such as `203.0.113.7` or "
            "`10.0.0.0/8`.",
            context.instead(f"ip:{value}", f"ip:{_EXAMPLES['ip']}"),
        )
    return network


def _milliseconds(value: str, context: Context) -> float:
    milliseconds = read_milliseconds(value)
    if milliseconds is None:
        is_number = re.fullmatch(r"\d{1,9}(?:\.\d{1,6})?", value)
        raise BadQuestion(
            f"`slower:` takes a duration such as `2s` or `500ms`, not “{sanitise(value, 40)}”.",
            context.instead(f"slower:{value}", f"slower:{value}s" if is_number else "slower:2s"),
        )
    return milliseconds


def _call_id(value: str, context: Context) -> str:
    call_id = read_call_id(value)
    if call_id is None:
        raise BadQuestion(
            f"“{sanitise(value, 40)}” is not the ID of a call; IDs have eight characters, and "
            "`calls` shows them.",
            context.instead(f"call:{value}", "calls"),
        )
    return call_id


_SLOWER = frozenset({"slower", "longer"})
_COMPARISON = re.compile(r"(?:status|code)(?P<how>>=|>|==?)(?P<number>[1-5]\d\d)")
# The names of the filters in messages.
_OTHER_FILTERS: Mapping[str, str] = MappingProxyType(
    {
        "actor": "who",
        "user": "who",
        "by": "who",
        "person": "who",
        "owner": "who",
        "method": "action",
        "verb": "action",
        "address": "ip",
        "cidr": "ip",
        "client_id": "client",
        "organisation": "org",
        "organization": "org",
        "server": "host",
        "slow": "slower",
        "duration": "slower",
        "took": "slower",
        "longer": "slower",
        "http": "status",
        "response": "status",
        "path": "url",
        "uri": "url",
        "target": "url",
    }
)
# Example values of the filters.
_EXAMPLES = {
    "who": "ada@example.com",
    "action": "get",
    "status": "error",
    "url": "/papi",
    "ip": "10.0.0.0/8",
    "client": "terraform",
    "org": "KITCHEN",
    "host": "ip-10-200-40-2",
    "code": "503",
    "slower": "2s",
    "call": "1f3a9c07",
    "own": "no",
}
