"""The words and the form of `/apiaudit [account ...] [window] [filter ...] [failures] [csv]`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from bot.errors import BadQuestion, SuggestedQuestion
from bot.formatting import join_words, sanitise
from bot.questions.context import MOST_WINDOW_WORDS, Context
from bot.questions.form import (
    ACCOUNT,
    CSV,
    FormField,
    FormValues,
    csv_field,
    read_accounts,
    read_form_window,
    refused_at,
)
from bot.questions.phrases import tokens, without, without_any
from bot.questions.question import QuestionParts, TableQuestion
from bot.questions.windows import ParsedWindow
from providers.models import CallFilters
from providers.registry import registry

# The vendors' own names for the ends of a window.
_WINDOW_KEYS = frozenset({"last", "past", "from", "to", "start", "end", "since", "until"})
AUDIT_FILTERS = ("who", "action", "status", "url")
FILTERS = "rest"
_KNOWN_FILTERS = f"{', '.join(AUDIT_FILTERS)} and each vendor's own"
_FILTER = re.compile(r"([A-Za-z_]+):(.*)", re.DOTALL)


def _all_filters() -> tuple[str, ...]:
    """The filters there are: our own, and those of every vendor."""
    return (*AUDIT_FILTERS, "own", *registry().filters)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditQuestion(TableQuestion):
    """Which calls are asked for."""

    command: str = "apiaudit"
    filters: CallFilters = field(default_factory=CallFilters)


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
    named, others = context.accounts_and_window(filters.others)
    accounts = tuple(named or context.accounts())
    applied = _call_filters(filters, context)
    parts = _parts(named, " ".join(others), filters, csv=csv)
    return AuditQuestion(
        text=text,
        window=_audit_window(parts, context),
        accounts=accounts,
        parts=parts,
        filters=applied,
        csv=csv,
    )


def read_apiaudit_form(values: FormValues, context: Context) -> AuditQuestion:
    chosen, csv = values.get(ACCOUNT, ""), bool(values.get(CSV))
    accounts = read_accounts(values, context)
    with refused_at(FILTERS):
        words = [word.rstrip(",") for word in tokens(values.get(FILTERS, ""), context)]
        words, is_csv_typed = without(words, CSV)
        filters = _split_filters([word for word in words if word], context)
        if filters.others:
            raise _no_filters(filters.others)
        applied = _call_filters(filters, context)
    window, window_words = read_form_window(values, context)
    csv = csv or is_csv_typed
    parts = _parts([chosen] if chosen else [], window_words, filters, csv=csv)
    return AuditQuestion(
        text=str(parts), window=window, accounts=accounts, parts=parts, filters=applied, csv=csv
    )


def audit_fields(question: AuditQuestion | None) -> list[FormField]:
    """The inputs of the form behind account and window."""
    example = "failures, status:5xx, who:ada@example.com"
    typed = question.options if question else ""
    return [
        FormField(FILTERS, "Filters", "text", typed, placeholder=example),
        csv_field(chosen=bool(question and question.csv)),
    ]


def _split_filters(words: list[str], context: Context) -> _Filters:
    words, failures = without_any(words, "failures", "failed", "errors")
    values: dict[str, list[str]] = {}
    others, typed = [], ["failures"] if failures else []
    for word in words:
        match = _FILTER.fullmatch(word)
        if match and match[1].lower() not in _WINDOW_KEYS:
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
    return CallFilters(
        **common,
        failures=filters.failures,
        leave_out_own="no" in [value.lower() for value in own],
        native={name: tuple(given) for name, given in values.items()},
    )


def _parts(named: list[str], window: str, filters: _Filters, *, csv: bool) -> QuestionParts:
    rest = [*filters.typed, *([CSV] if csv else [])]
    return QuestionParts(" ".join(named), window, " ".join(rest))


def _no_filters(words: Sequence[str]) -> BadQuestion:
    """Why words that stand among the filters of a form are none."""
    meant = [found for word in words if (found := _audit_filter_meant(word))]
    if meant:
        return BadQuestion(f"A filter has a name; did you mean {join_words(meant)}?")
    return BadQuestion(f"“{sanitise(words[0], 40)}” is not a filter; there are {_KNOWN_FILTERS}.")


def _filter_name(typed: str, context: Context) -> str:
    name = typed.lower()
    known = (*AUDIT_FILTERS, "own", *registry().filters)
    if name in known:
        return name
    other = _OTHER_FILTERS.get(name)
    near = [other] if other else difflib.get_close_matches(name[:40], _all_filters(), n=1)
    meant = f"; did you mean {near[0]}:?" if near else f"; there are {_KNOWN_FILTERS}."
    right = near[0] if near else "url"
    raise BadQuestion(
        f"“{sanitise(typed, 40)}:” is not a filter{meant}",
        context.instead(f"{typed}:", f"{right}:"),
    )


# What people call the filters.
_OTHER_FILTERS: Mapping[str, str] = MappingProxyType(
    {
        "actor": "who",
        "user": "who",
        "by": "who",
        "person": "who",
        "owner": "who",
        "method": "action",
        "verb": "action",
        "code": "status",
        "http": "status",
        "response": "status",
        "path": "url",
        "uri": "url",
        "target": "url",
    }
)


def _audit_filter_meant(word: str) -> str:
    """The filter that a bare word was probably meant to be, or nothing."""
    lowered = word.lower()
    if re.fullmatch(r"[1-5](?:\d\d|xx)", lowered):
        return f"status:{lowered}"
    if lowered in ("get", "post", "put", "patch", "delete", "head"):
        return f"action:{lowered}"
    if re.fullmatch(r"[^\s@]+@[^\s@]+", word):
        return f"who:{word}"
    return f"url:{word}" if re.fullmatch(r"/[^/\s]+(?:/[^\s]*)?", word) else ""


def _audit_window(parts: QuestionParts, context: Context) -> ParsedWindow:
    """The window. Raises BadQuestion with bare words such as `403` as the filters that they were
    probably meant to be.
    """
    try:
        return context.window(parts)
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


# Values that show what a filter takes.
_VALUES = {
    "who": "ada@example.com",
    "action": "get",
    "status": "error",
    "url": "/papi",
    "own": "no",
}


def _filter_value(match: re.Match[str], context: Context) -> str:
    value = match[2].strip()
    if not value:
        raise BadQuestion(
            f"“{match[1]}:” needs a value right behind it.",
            context.instead(match[0], f"{match[1]}:{_VALUES.get(match[1].lower(), 'ada')}"),
        )
    return value
