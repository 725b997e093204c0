"""The words of `/apiaudit [account ...] [window] [filter ...] [failures] [csv]`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from bot.errors import BadQuestion, SuggestedQuestion
from bot.formatting import join_words, sanitise
from bot.questions.context import MOST_WINDOW_WORDS, Context
from bot.questions.phrases import tokens, without, without_any
from bot.questions.question import Question, QuestionParts
from bot.questions.windows import ParsedWindow
from providers.models import CallFilters

# The vendors' own names for the ends of a window.
_WINDOW_KEYS = frozenset({"last", "past", "from", "to", "start", "end", "since", "until"})
AUDIT_FILTERS = ("who", "action", "status", "url")
AKAMAI_FILTERS = frozenset(
    [
        "client_token",
        "contract_type",
        "endpoint",
        "http_method",
        "response_class",
        "response_code",
        "response_status",
        "url_contain",
        "url_end_with",
        "url_exact_match",
        "url_match",
        "url_not_contain",
        "url_not_end_with",
        "url_not_match",
        "url_not_start_with",
        "url_start_with",
        "username",
    ]
)
DEVICEWISE_FILTERS = frozenset({"service", "command"})
_ALL_FILTERS = (*AUDIT_FILTERS, "own", *sorted(DEVICEWISE_FILTERS), *sorted(AKAMAI_FILTERS))
_FILTER = re.compile(r"([A-Za-z_]+):(.*)", re.DOTALL)


def read_apiaudit(text: str, context: Context) -> Question:
    words = tokens(text, context)
    words, csv = without(words, "csv")
    words, failures = without_any(words, "failures", "failed", "errors")
    filters: dict[str, list[str]] = {}
    rest, kept = [], ["failures"] if failures else []
    for word in words:
        match = _FILTER.fullmatch(word)
        if match and match[1].lower() not in _WINDOW_KEYS:
            kept.append(f'{match[1]}:"{match[2]}"' if " " in match[2] else word)
            filters.setdefault(_filter_name(match[1], context), []).append(
                _filter_value(match, context)
            )
        else:
            rest.append(word)
    named, rest = context.accounts_and_window(rest)
    available = context.directory.of_kind(context.command.kinds)
    if not available:
        raise BadQuestion(
            "No Akamai or deviceWISE account is configured.",
            "Add one under [providers] in bot.toml.",
        )
    own = filters.pop("own", [])
    if any(value.lower() not in ("no", "yes") for value in own):
        raise BadQuestion(
            "`own:` takes `no`, which leaves out the bot's own calls, or `yes`.",
            context.instead(f"own:{own[0]}", "own:no"),
        )
    common = {name: tuple(filters.pop(name, ())) for name in AUDIT_FILTERS}
    parts = QuestionParts(
        " ".join(named), " ".join(rest), " ".join([*kept, *(["csv"] if csv else [])])
    )
    return Question(
        "apiaudit",
        text,
        _audit_window(parts, context),
        accounts=tuple(named or available),
        csv=csv,
        parts=parts,
        filters=CallFilters(
            **common,
            failures=failures,
            leave_out_own="no" in [v.lower() for v in own],
            native={k: tuple(v) for k, v in filters.items()},
        ),
    )


def _filter_name(typed: str, context: Context) -> str:
    name = typed.lower()
    if name in _ALL_FILTERS:
        return name
    other = _OTHER_FILTERS.get(name)
    near = [other] if other else difflib.get_close_matches(name[:40], _ALL_FILTERS, n=1)
    meant = (
        f"; did you mean {near[0]}:?"
        if near
        else f"; there are {', '.join(AUDIT_FILTERS)} and each vendor's own."
    )
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
        line = context.checked(f"/apiaudit {replace(parts, window=window, rest=rest)}")
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
