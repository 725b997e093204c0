"""The words and the form of `/apiaudit [account ...] [window] [calls [N]] [by COLUMN] [new KIND]
[filter ...] [failures] [csv]`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from bot.commands.apiaudit.display import GROUPS, MOST_CALLS, SUMMARY, Display, split_display
from bot.commands.apiaudit.novelty import KINDS, MOST_DAYS, USUAL_DAYS
from bot.commands.apiaudit.rows import read_call_id, read_milliseconds, read_network
from bot.errors import BadQuestion, SuggestedQuestion
from bot.formatting import join_words, sanitise
from bot.questions.accounts import split_accounts
from bot.questions.comparison import read_windows, working_hint
from bot.questions.comparison_form import comparison_field, read_form_windows
from bot.questions.context import MOST_WINDOW_WORDS, Context
from bot.questions.form import (
    ACCOUNT,
    CSV,
    FormField,
    FormValues,
    csv_field,
    read_accounts,
    refused_at,
)
from bot.questions.phrases import tokens, without, without_any
from bot.questions.question import QuestionParts, TableQuestion
from bot.questions.windows import ParsedWindow
from bot.questions.windows.alignment import Comparison
from providers.models import CallFilters
from providers.registry import registry

# The vendors' own names for the ends of a window.
_WINDOW_KEYS = frozenset({"last", "past", "from", "to", "start", "end", "since", "until"})
AUDIT_FILTERS = ("who", "action", "status", "url")
# Those that are compared with a column of every vendor's rows.
ROW_FILTERS = ("ip", "client", "org", "host", "code", "slower", "call")
# Those of several values, which may be typed with commas.
_LISTS = frozenset({"ip", "code"})
FILTERS = "rest"
SHOW = "show"
_KNOWN_FILTERS = f"{', '.join((*AUDIT_FILTERS, *ROW_FILTERS[:-1]))} and each vendor's own"
_FILTER = re.compile(r"([A-Za-z_]+):(.*)", re.DOTALL)


def _all_filters() -> tuple[str, ...]:
    """The filters there are: our own, and those of every vendor."""
    return (*AUDIT_FILTERS, *ROW_FILTERS, "own", *registry().filters)


def filter_examples() -> dict[str, str]:
    """A value that shows what each filter takes, our own first."""
    examples = dict(_VALUES)
    for provider in registry().providers.values():
        for name in provider.filters:
            examples.setdefault(name, provider.filter_examples.get(name, "ada"))
    return examples


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditQuestion(TableQuestion):
    """Which calls are asked for, and what of them is shown. `typed_filters` are the words that the
    filters were typed with.
    """

    command: str = "apiaudit"
    filters: CallFilters = field(default_factory=CallFilters)
    display: Display = SUMMARY
    typed_filters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Filters:
    """The filters among some words: their values by name, the words they were typed with, whether
    only failures are wanted, and the words that are no filter.
    """

    values: Mapping[str, Sequence[str]]
    typed: Sequence[str]
    failures: bool
    others: list[str]


def read_apiaudit(text: str, context: Context) -> AuditQuestion:
    words, csv = without(tokens(text, context), CSV)
    filters = _split_filters(words, context)
    display, others = _split_display(filters.others, context)
    named = split_accounts(others, context)
    accounts = named.names or tuple(context.accounts())
    applied = _call_filters(filters, context)
    parts = _parts(named.typed, " ".join(named.words), display, filters, csv=csv)
    window, comparison = _audit_windows(parts, context)
    with working_hint(_line_of_summary(parts, display, filters, context)):
        _refuse_single_calls(comparison, display, applied)
    return AuditQuestion(
        text=text,
        window=window,
        accounts=accounts,
        parts=parts,
        comparison=comparison,
        filters=applied,
        display=display,
        typed_filters=tuple(filters.typed),
        csv=csv,
    )


def read_apiaudit_form(values: FormValues, context: Context) -> AuditQuestion:
    chosen = values.get(ACCOUNT, "")
    csv = bool(values.get(CSV))
    accounts = read_accounts(values, context)
    with refused_at(FILTERS):
        words = [word.rstrip(",") for word in tokens(values.get(FILTERS, ""), context)]
        words, is_csv_typed = without(words, CSV)
        filters = _split_filters([word for word in words if word], context)
        typed, others = _split_display(filters.others, context)
        if others:
            raise _no_filters(others)
        applied = _call_filters(filters, context)
    chosen_display, _ = _split_display(values.get(SHOW, "").split(), context)
    display = typed if typed != SUMMARY else chosen_display
    window, window_words, comparison = read_form_windows(values, context)
    with refused_at(SHOW):
        _refuse_single_calls(comparison, display, applied)
    csv = csv or is_csv_typed
    parts = _parts(chosen, window_words, display, filters, csv=csv)
    return AuditQuestion(
        text=str(parts),
        window=window,
        accounts=accounts,
        parts=parts,
        comparison=comparison,
        filters=applied,
        display=display,
        typed_filters=tuple(filters.typed),
        csv=csv,
    )


def audit_fields(question: AuditQuestion | None) -> list[FormField]:
    """The inputs of the form behind account and window."""
    example = "failures, status:5xx, who:ada@example.com"
    typed = " ".join(question.typed_filters) if question else ""
    shown = " ".join(question.display.words) if question else ""
    choices = dict.fromkeys([*([shown] if shown else []), *SHOW_CHOICES])
    return [
        comparison_field(),
        FormField(SHOW, "Show", "choice", shown, tuple(choices), placeholder="Summary"),
        FormField(FILTERS, "Filters", "text", typed, placeholder=example),
        csv_field(chosen=bool(question and question.csv)),
    ]


# What the form offers beside the usual answer.
SHOW_CHOICES = (
    "calls",
    f"calls {MOST_CALLS}",
    *(f"new {name}" for name in KINDS),
    *(f"by {name}" for name in GROUPS),
)


def _split_display(words: list[str], context: Context) -> tuple[Display, list[str]]:
    """What is to be shown, and the other words. Raises BadQuestion for no calls at all, and for
    values that are compared with too many days.
    """
    display, others = split_display(words)
    if not 1 <= display.days <= MOST_DAYS:
        usual = replace(display, days=USUAL_DAYS)
        raise BadQuestion(
            f"What is new is compared with 1 to {MOST_DAYS} days before.",
            context.working(" ".join([*others, *usual.words])),
        )
    if display.calls == 0:
        raise BadQuestion(
            f"`calls` takes a number from 1 to {MOST_CALLS}.",
            context.instead("calls 0" if "calls 0" in context.text else "0 calls", "calls 20"),
        )
    return display, others


def _split_filters(words: list[str], context: Context) -> _Filters:
    words, failures = without_any(words, "failures", "failed", "errors")
    values: dict[str, list[str]] = {}
    others = []
    typed = ["failures"] if failures else []
    for word in words:
        match = _FILTER.fullmatch(word)
        if word.lower() in registry().switches:
            typed.append(word)
            values.setdefault(word.lower(), []).append("yes")
        elif match and match[1].lower() not in _WINDOW_KEYS:
            typed.append(f'{match[1]}:"{match[2]}"' if " " in match[2] else word)
            name = _filter_name(match[1], context)
            values.setdefault(name, []).append(_filter_value(match, context))
        else:
            others.append(word)
    return _Filters(values, typed, failures, others)


def _call_filters(filters: _Filters, context: Context) -> CallFilters:
    values = dict(filters.values)
    own = values.pop("own", ())
    if any(value.lower() not in ("no", "yes") for value in own):
        raise BadQuestion(
            "`own:` takes `no`, which leaves out the bot's own calls, or `yes`.",
            context.instead(f"own:{own[0]}", "own:no"),
        )
    common = {name: tuple(values.pop(name, ())) for name in AUDIT_FILTERS}
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
        call=calls[-1] if calls else "",
        failures=filters.failures,
        leave_out_own="no" in [value.lower() for value in own],
        native={name: tuple(given) for name, given in values.items()},
    )


def _split_values(name: str, values: Sequence[str], context: Context) -> tuple[str, ...]:
    if name not in _LISTS:
        return tuple(values)
    parts = tuple(part for value in values for part in value.split(",") if part)
    if not parts:
        raise BadQuestion(
            f"“{name}:” needs a value right behind it.",
            context.instead(f"{name}:{values[0]}", f"{name}:{_VALUES[name]}"),
        )
    return parts


def _network(value: str, context: Context) -> str:
    network = read_network(value)
    if network is None:
        raise BadQuestion(
            f"“{sanitise(value, 60)}” is not an IP address or network such as `203.0.113.7` or "
            "`10.0.0.0/8`.",
            context.instead(f"ip:{value}", f"ip:{_VALUES['ip']}"),
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
            f"“{sanitise(value, 40)}” is not the id of a call, which has eight characters and is "
            "shown by `calls`.",
            context.instead(f"call:{value}", "calls"),
        )
    return call_id


def _line_of_summary(
    parts: QuestionParts, display: Display, filters: _Filters, context: Context
) -> str:
    """The same question about all its calls together."""
    typed = [word for word in filters.typed if not word.lower().startswith("call:")]
    words = [*replace(display, calls=None, new=()).words, *typed]
    return f"/{context.command.name} {replace(parts, rest=' '.join(words))}"


def _refuse_single_calls(
    comparison: Comparison | None, display: Display, filters: CallFilters
) -> None:
    """Raises BadQuestion where calls of two windows would be listed one by one."""
    if comparison is None:
        return
    if display.new:
        raise BadQuestion("`new` compares one window with the days before it, not with another.")
    if display.calls is None and not filters.call:
        return
    shown = "`calls` lists" if display.calls is not None else "`call:` shows"
    raise BadQuestion(f"{shown} calls of one window; a comparison counts those of two.")


def _parts(
    subject: str, window: str, display: Display, filters: _Filters, *, csv: bool
) -> QuestionParts:
    rest = [*display.words, *filters.typed, *([CSV] if csv else [])]
    return QuestionParts(subject, window, " ".join(rest))


def _no_filters(words: Sequence[str]) -> BadQuestion:
    """Why some words among the filters of a form are not filters."""
    meant = [found for word in words if (found := _audit_filter_meant(word))]
    if meant:
        return BadQuestion(f"A filter has a name; did you mean {join_words(meant)}?")
    return BadQuestion(f"“{sanitise(words[0], 40)}” is not a filter; there are {_KNOWN_FILTERS}.")


def _filter_name(typed: str, context: Context) -> str:
    name = typed.lower()
    if name in _all_filters():
        return name
    other = _OTHER_FILTERS.get(name)
    near = [other] if other else difflib.get_close_matches(name[:40], _all_filters(), n=1)
    meant = f"; did you mean {near[0]}:?" if near else f"; there are {_KNOWN_FILTERS}."
    right = near[0] if near else "url"
    raise BadQuestion(
        f"“{sanitise(typed, 40)}:” is not a filter{meant}",
        context.instead(f"{typed}:", f"{right}:"),
    )


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


def _audit_filter_meant(word: str) -> str:
    """The filter that a bare word was probably intended as; None if there is none."""
    lowered = word.lower()
    if re.fullmatch(r"[1-5](?:\d\d|xx)", lowered):
        return f"status:{lowered}"
    if lowered in ("get", "post", "put", "patch", "delete", "head"):
        return f"action:{lowered}"
    if re.fullmatch(r"[^\s@]+@[^\s@]+", word):
        return f"who:{word}"
    return f"url:{word}" if re.fullmatch(r"/[^/\s]+(?:/[^\s]*)?", word) else ""


def _audit_windows(
    parts: QuestionParts, context: Context
) -> tuple[ParsedWindow, Comparison | None]:
    """The window, or the comparison of two. Raises BadQuestion with bare words such as `403` as the filters that they were
    probably meant to be.
    """
    try:
        return read_windows(parts, context)
    except BadQuestion:
        meant = {
            word: _audit_filter_meant(word) for word in parts.window.split()[:MOST_WINDOW_WORDS]
        }
        filters = list(filter(None, meant.values()))
        if not context.explains or not filters:
            raise
        window = " ".join(word for word in parts.window.split() if not meant.get(word))
        rest = " ".join(filter(None, [*filters, parts.rest]))
        line = context.working(str(replace(parts, window=window, rest=rest)))
        raise SuggestedQuestion(
            f"A filter has a name; did you mean {join_words(filters)}?", line
        ) from None


# Example values of the filters.
_VALUES = {
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


def _filter_value(match: re.Match[str], context: Context) -> str:
    value = match[2].strip()
    if not value:
        raise BadQuestion(
            f"“{match[1]}:” needs a value right behind it.",
            context.instead(
                match[0], f"{match[1]}:{filter_examples().get(match[1].lower(), 'ada')}"
            ),
        )
    return value
