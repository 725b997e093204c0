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
_OTHER_METHODS = ("PATCH", "OPTIONS", "CONNECT", "TRACE")


def refusal(
    account: str, filters: CallFilters, enumerations: Mapping[str, Sequence[str]] = ENUMERATIONS
) -> str | None:
    """Why these filters cannot be applied to an Akamai account, as one sentence; None when they
    can. `enumerations` are the values that its report takes, where they are known to differ from
    those of the page.
    """
    for name, values in filters.native.items():
        if name not in NATIVE_FILTERS:
            return f"{account} is Akamai and has no filter `{name}`."
        allowed = enumerations.get(name)
        for value in values:
            if allowed and value.lower() not in allowed:
                return f"`{name}` takes {', '.join(allowed)}, not `{value[:40]}`."
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
    return None


def server_filters(filters: CallFilters) -> dict[str, list[str]]:
    """The vendor's own filter map for what it can filter by itself. Values of one name mean any of
    them.
    """
    source = {
        name: [v.lower() if name in ENUMERATIONS else v for v in values]
        for name, values in filters.native.items()
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
        wanted.append(("response_class", ["4xx", "5xx"]))
    wanted += [(name, values) for name, values in _status_filters(filters.status) if values]
    if filters.url:
        wanted.append(("url_contain", list(filters.url)))
    for name, values in wanted:
        source.setdefault(name, values)
    return source


def keeps(filters: CallFilters) -> Callable[[ApiCall], bool]:
    """Whether a row passes what the source cannot apply, and once more what a row shows
    by itself.
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
    """The actor seen that is most like one of those wanted: one that holds it, or else one that is
    spelled nearly so. Nothing where there is none.
    """
    by_lower = {name.lower(): name for name in dict.fromkeys(seen) if 0 < len(name) <= LONGEST_NAME}
    names = list(by_lower)[:MOST_NAMES]
    for who in (value.lower()[:LONGEST_NAME] for value in wanted):
        near = [name for name in names if who in name] or difflib.get_close_matches(who, names, n=1)
        if near and who not in by_lower:
            return by_lower[near[0]]
    return ""


# What a comparison of spellings may cost.
LONGEST_NAME, MOST_NAMES = 100, 1000


def _holds_url(call: ApiCall, parts: tuple[str, ...]) -> bool:
    """`url:` beside a `url_contain` of the asker's own: both must hold, and the source can say only
    one.
    """
    return not parts or any(part.lower() in call.target.lower() for part in parts)


def _status_filters(values: tuple[str, ...]) -> list[tuple[str, list[str]]]:
    """Statuses of one kind go to the source; of mixed kinds, any-of cannot be said there and is
    left to the rows.
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
