"""The filters of both reports, applied to recorded calls."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from providers.akamai.sandbox.refusals import invalid_request
from providers.akamai.sandbox.rows import v2_value

Row = dict[str, str]
Predicate = Callable[[Row], bool]

ENUMS = {
    "http_method": {"head", "post", "get", "delete", "put", "other"},
    "response_class": {f"{n}xx" for n in range(7)},
    "response_status": {"success", "error"},
}
STRINGS = {
    "client_token",
    "contract_type",
    "endpoint",
    "response_code",
    "username",
    "url_contain",
    "url_not_contain",
    "url_start_with",
    "url_not_start_with",
    "url_end_with",
    "url_not_end_with",
    "url_exact_match",
    "url_match",
    "url_not_match",
}


def _is_method(row: Row, value: str) -> bool:
    method = row["method"]
    return method not in ENUMS["http_method"] if value == "other" else method == value


# Filters that the rows cannot show, such as the contract type, are not here and pass everything.
_TESTS: Mapping[str, Callable[[Row, str], bool]] = {
    "client_token": lambda row, value: row["clientToken"] == value,
    "http_method": _is_method,
    "response_class": lambda row, value: row["responseCode"][:1] == value[0],
    "response_code": lambda row, value: row["responseCode"] == value,
    "response_status": lambda row, value: (row["responseCode"][:1] in "23") == (value == "success"),
    "username": lambda row, value: row["clientOwner"] == value,
    "url_contain": lambda row, value: value in row["uri"],
    "url_not_contain": lambda row, value: value not in row["uri"],
    "url_start_with": lambda row, value: row["uri"].startswith(value),
    "url_not_start_with": lambda row, value: not row["uri"].startswith(value),
    "url_end_with": lambda row, value: row["uri"].endswith(value),
    "url_not_end_with": lambda row, value: not row["uri"].endswith(value),
    "url_exact_match": lambda row, value: row["uri"] == value,
    "url_match": lambda row, value: re.search(value, row["uri"]) is not None,
    "url_not_match": lambda row, value: re.search(value, row["uri"]) is None,
}


def v1_predicate(filters: Mapping[str, Iterable[str]]) -> Predicate:
    """Whether a row has any of the values of each filter."""
    tests = [(_TESTS[name], list(values)) for name, values in filters.items() if name in _TESTS]
    return lambda row: all(any(test(row, value) for value in values) for test, values in tests)


def v2_predicate(filters: list[dict[str, Any]]) -> Predicate:
    """The same for v2, whose filters name a dimension and an operator. Raises Refusal for an
    operator that is not known.
    """
    if any(each["operator"] not in _OPERATORS for each in filters):
        raise invalid_request("unknown.operator")
    return lambda row: all(_passes_v2(row, each) for each in filters)


def _passes_v2(row: Row, wanted: dict[str, Any]) -> bool:
    name = wanted["dimensionName"]
    compare = _OPERATORS[wanted["operator"]]
    value = row["responseCode"][:1] + "xx" if name == "responseClass" else str(v2_value(row, name))
    return any(compare(value, expression) for expression in wanted["expressions"])


_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "IN_LIST": lambda value, expression: value == expression,
    "CONTAINS": lambda value, expression: expression in value,
    "STARTS_WITH": str.startswith,
    "ENDS_WITH": str.endswith,
}
