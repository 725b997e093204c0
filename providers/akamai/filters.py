"""The seventeen filters of `apiusagedetails-by-time`, their enumerations, and how our own words map
to them.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from providers.models import ApiCall, CallFilters, Outcome

METHODS = ("head", "post", "get", "delete", "put", "other")
CLASSES = ("0xx", "1xx", "2xx", "3xx", "4xx", "5xx", "6xx")
STATUSES = ("success", "error")
ENUMERATIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"http_method": METHODS, "response_class": CLASSES, "response_status": STATUSES}
)
NATIVE_FILTERS = (
    "client_token", "contract_type", "endpoint", "http_method", "response_class", "response_code", "response_status",
    "url_contain", "url_end_with", "url_exact_match", "url_match", "url_not_contain", "url_not_end_with", "url_not_match",
    "url_not_start_with", "url_start_with", "username",
)  # fmt: skip
# The columns of the report, by their names in v1. Choosing fewer makes an answer smaller.
METRICS = (
    "clientId",
    "clientIp",
    "clientOwner",
    "clientToken",
    "method",
    "responseCode",
    "timestamp",
    "uri",
)
# What else of a request can be chosen: its account ids, and its columns.
REQUEST_WORDS = ("id", "metrics")
EXAMPLES = MappingProxyType(
    {
        "client_token": "akab-example",
        "contract_type": "RETAIL",
        "endpoint": "papi",
        "http_method": "put",
        "response_class": "5xx",
        "response_code": "503",
        "response_status": "error",
        "url_contain": "papi",
        "url_not_contain": "papi",
        "url_start_with": "/papi",
        "url_not_start_with": "/papi",
        "url_end_with": "/rules",
        "url_not_end_with": "/rules",
        "url_exact_match": "/papi/v1/groups",
        "url_match": "/papi/.*",
        "url_not_match": "/papi/.*",
        "username": "ada",
        "id": "1-123A",
        "metrics": "timestamp,clientOwner,uri",
    }
)
_NOT_RECORDED = MappingProxyType(
    {"org": "organisation", "host": "host apart from the URL (try `url:`)"}
)
# The column that a filter of ours is compared with.
_COMPARED = MappingProxyType(
    {
        "who": "clientOwner",
        "action": "method",
        "status": "responseCode",
        "code": "responseCode",
        "failures": "responseCode",
        "url": "uri",
        "ip": "clientIp",
        "client": "clientId",
    }
)
# Methods that the report counts as `other`.
_OTHER_METHODS = ("PATCH", "OPTIONS", "CONNECT", "TRACE")


def unsupported_filter(
    account: str, filters: CallFilters, enumerations: Mapping[str, Sequence[str]] = ENUMERATIONS
) -> str | None:
    """Why these filters cannot be applied to an Akamai account, as one sentence; None when they
    can. `enumerations` are the values that its report takes, where they are known to differ from
    those of the page.
    """
    return (
        _not_recorded(account, filters)
        or _native_refusal(account, filters, enumerations)
        or _value_refusal(account, filters, enumerations)
        or _metrics_refusal(account, filters)
    )


def _not_recorded(account: str, filters: CallFilters) -> str | None:
    for name, column in _NOT_RECORDED.items():
        if getattr(filters, name):
            return (
                f"{account} is Akamai and records no {column}, so `{name}:` cannot be applied to "
                "it."
            )
    if filters.slower_than_ms is not None:
        return f"{account} is Akamai and records no duration, so `slower:` cannot be applied to it."
    return None


def _native_refusal(
    account: str, filters: CallFilters, enumerations: Mapping[str, Sequence[str]]
) -> str | None:
    for name, values in filters.native.items():
        if name not in NATIVE_FILTERS and name not in REQUEST_WORDS:
            return f"{account} is Akamai and has no filter `{name}`."
        if name in REQUEST_WORDS and not _chosen(filters, name):
            return f"`{name}` needs a value such as `{EXAMPLES[name]}`."
        allowed = enumerations.get(name)
        for value in values:
            if allowed and value.lower() not in allowed:
                return f"`{name}` takes {', '.join(allowed)}, not `{value[:40]}`."
    return None


def _value_refusal(
    account: str, filters: CallFilters, enumerations: Mapping[str, Sequence[str]]
) -> str | None:
    for value in filters.action:
        if (
            value.lower() not in enumerations.get("http_method", METHODS)
            and value.upper() not in _OTHER_METHODS
        ):
            return (
                f"{account} is Akamai, where an action is an HTTP method such as `GET`, not "
                f"`{value[:40]}`."
            )
    for value in filters.status:
        if value.lower() not in (*CLASSES, *STATUSES) and not _is_code(value):
            return (
                f"A status of {account} is `success`, `error`, a class such as `4xx` or a code "
                f"such as `503`, not `{value[:40]}`."
            )
    for value in filters.code:
        if not _is_code(value):
            return f"A code of {account} is three digits such as `503`, not `{value[:40]}`."
    return None


def _metrics_refusal(account: str, filters: CallFilters) -> str | None:
    """Why the chosen columns are refused: one does not exist, or a filter needs another."""
    chosen = chosen_metrics(filters)
    for value in _chosen(filters, "metrics"):
        if value.lower() not in _METRICS_BY_LOWER:
            return f"`metrics` takes {', '.join(METRICS)}, not `{value[:40]}`."
    for name, column in _COMPARED.items():
        if getattr(filters, name) and column not in chosen:
            return f"`{name}` of {account} needs the column {column}; add it to `metrics:`."
    if filters.leave_out_own and not {"uri", "clientToken"}.issubset(chosen):
        return (
            f"`own:no` of {account} needs the columns uri and clientToken; add them to `metrics:`."
        )
    return None


def chosen_metrics(filters: CallFilters) -> tuple[str, ...]:
    """The columns to request: the chosen ones and the time, which every call needs, or else all."""
    wanted = {value.lower() for value in _chosen(filters, "metrics")}
    if not wanted:
        return METRICS
    return tuple(name for name in METRICS if name.lower() in wanted or name == "timestamp")


def chosen_accounts(filters: CallFilters, configured: Sequence[str]) -> tuple[str, ...]:
    """The account ids to ask for: those that were chosen among the ones configured, or else all."""
    wanted = {value.upper() for value in _chosen(filters, "id")}
    return tuple(name for name in configured if not wanted or name.upper() in wanted)


def unknown_account(filters: CallFilters, configured: Sequence[str]) -> str:
    """The first account id that was chosen and is not configured, or nothing."""
    known = {name.upper() for name in configured}
    return next((value for value in _chosen(filters, "id") if value.upper() not in known), "")


def _chosen(filters: CallFilters, name: str) -> list[str]:
    """The values of a word that takes several, with commas or by repeating it."""
    values = filters.native.get(name, ())
    return [part for value in values for part in value.split(",") if part]


_METRICS_BY_LOWER = frozenset(name.lower() for name in METRICS)


def server_filters(filters: CallFilters) -> dict[str, list[str]]:
    """The vendor's own filter map for what it can filter by itself. Values of one name mean any of
    them.
    """
    source = {
        name: [v.lower() if name in ENUMERATIONS else v for v in values]
        for name, values in filters.native.items()
        if name in NATIVE_FILTERS
    }
    wanted: list[tuple[str, list[str]]] = []
    if filters.action:
        wanted.append(
            (
                "http_method",
                list(
                    dict.fromkeys(
                        v.lower() if v.lower() in METHODS else "other" for v in filters.action
                    )
                ),
            )
        )
    if filters.failures:
        # By class, since what response_status counts as an error is not documented.
        wanted.append(("response_class", ["4xx", "5xx"]))
    wanted += [(name, values) for name, values in _status_filters(filters.status) if values]
    if filters.code:
        wanted.append(("response_code", list(filters.code)))
    if filters.url:
        wanted.append(("url_contain", list(filters.url)))
    for name, values in wanted:
        # The asker's own filter of that name stays; ours is applied to the rows.
        source.setdefault(name, values)
    return source


def row_filter(filters: CallFilters) -> Callable[[ApiCall], bool]:
    """Whether a row passes the filters that the source cannot apply, and again those that a row
    shows by itself.
    """

    def keep(call: ApiCall) -> bool:
        return (
            not (filters.leave_out_own and call.own)
            and not (filters.failures and call.outcome is not Outcome.FAILURE)
            and (not filters.who or any(who.lower() == call.actor.lower() for who in filters.who))
            and (
                not filters.action
                or any(_is_method(call.action, value) for value in filters.action)
            )
            and (
                not filters.status
                or any(_is_status(call, value.lower()) for value in filters.status)
            )
            and ("url_contain" not in filters.native or _holds_url(call, filters.url))
        )

    return keep


def nearest_actor(wanted: Sequence[str], seen: Sequence[str]) -> str:
    """The seen actor that is most similar to a wanted one: one that contains it, or else one with a
    similar spelling. Empty if there is none.
    """
    by_lower = {name.lower(): name for name in dict.fromkeys(seen) if 0 < len(name) <= LONGEST_NAME}
    names = list(by_lower)[:MOST_NAMES]
    for who in (value.lower()[:LONGEST_NAME] for value in wanted):
        # A part of a name is likelier than a misspelt one, and cheaper to find.
        near = [name for name in names if who in name] or difflib.get_close_matches(who, names, n=1)
        if near and who not in by_lower:
            return by_lower[near[0]]
    return ""


# The longest names that are compared by spelling.
LONGEST_NAME = 100
MOST_NAMES = 1000


def _holds_url(call: ApiCall, parts: tuple[str, ...]) -> bool:
    """Whether `url:` and the asker's own `url_contain` both match; the source accepts only one of
    them.
    """
    return not parts or any(part.lower() in call.target.lower() for part in parts)


def _status_filters(values: tuple[str, ...]) -> list[tuple[str, list[str]]]:
    """The filter for statuses of one kind. Mixed kinds cannot be combined by “any of” there, and
    are left to the rows.
    """
    lowered = [value.lower() for value in values]
    kinds = [
        ("response_class", [v for v in lowered if v in CLASSES]),
        ("response_code", [v for v in lowered if _is_code(v)]),
    ]
    return (
        kinds
        if sum(1 for _, found in kinds if found) == 1 and all(v not in STATUSES for v in lowered)
        else []
    )


def _is_code(value: str) -> bool:
    return len(value) == 3 and value.isascii() and value.isdigit()


def _is_method(method: str, wanted: str) -> bool:
    if wanted.lower() == "other":
        return method.lower() not in METHODS or method.lower() == "other"
    return method.lower() == wanted.lower()


def _is_status(call: ApiCall, wanted: str) -> bool:
    if wanted == "success":
        return call.outcome is Outcome.SUCCESS
    if wanted == "error":
        return call.outcome is Outcome.FAILURE
    return call.status == wanted or (
        wanted.endswith("xx") and len(call.status) == 3 and call.status[0] == wanted[0]
    )
