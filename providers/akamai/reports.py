"""How either report is requested: its path, its columns and its filters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct

V1 = "/reporting-api/v1/reports/apiusagedetails-by-time/versions/1"
V2 = "/reporting-api/v2/reports/common/apis/usage-details/data"
# What the report of v2 can be asked for ("Get report options").
V2_OPTIONS = V2.removesuffix("/data")
# The columns of v2 that have another name than in v1.
V2_METRICS = {
    "clientToken": "authorizationClientToken",
    "method": "requestMethod",
    "uri": "requestUri",
}
V2_NAMES = {
    "client_token": "authorizationClientToken",
    "http_method": "requestMethod",
    "response_class": "responseClass",
    "response_code": "responseCode",
    "response_status": "responseStatus",
    "endpoint": "endpoint",
    "username": "clientOwner",
}
V2_URL_OPERATORS = {
    "url_contain": "CONTAINS",
    "url_not_contain": "NOT_CONTAINS",
    "url_start_with": "STARTS_WITH",
    "url_not_start_with": "NOT_STARTS_WITH",
    "url_end_with": "ENDS_WITH",
    "url_not_end_with": "NOT_ENDS_WITH",
    "url_exact_match": "IN_LIST",
    "url_match": "MATCHES",
    "url_not_match": "NOT_MATCHES",
}


class ReportSettings(Struct, frozen=True):
    """How an account asks: which report, which verb, which format."""

    account_ids: tuple[str, ...]
    report: Literal["v1", "v2"] = "v1"
    method: Literal["POST", "GET"] = "POST"
    accept: Literal["json", "csv"] = "json"
    account_switch_key: str = ""


class ReportQuery(Struct, frozen=True):
    """What a report is asked for, beside its window."""

    filters: Mapping[str, list[str]]
    account_ids: tuple[str, ...]
    metrics: tuple[str, ...]


def v2_filter(name: str, values: list[str]) -> dict[str, Any]:
    if name in V2_URL_OPERATORS:
        return {
            "dimensionName": "requestUri",
            "operator": V2_URL_OPERATORS[name],
            "expressions": values,
        }
    # v2 has methods in capitals.
    expressions = [value.upper() for value in values] if name == "http_method" else values
    return {"dimensionName": V2_NAMES[name], "operator": "IN_LIST", "expressions": expressions}
