"""How Akamai describes its reports, and how the descriptions are used."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from providers.akamai.client import Akamai
from providers.akamai.description import required_role, v1_description, v2_description
from providers.akamai.sandbox import V1, V2, AkamaiSandbox
from providers.errors import AuthFailed
from providers.models import CallFilters, CallsDescription
from tests.providers.akamai.support import WINDOW, client_of

ROLE = "IDM: API Clients - Admin Access"


def values_of(found: CallsDescription, name: str) -> set[str]:
    return {value for each in found.filters if each.name == name for value in each.values}


async def test_v1_describes_its_filters_and_limits(server: AkamaiSandbox, edge: Akamai) -> None:
    server.enums["response_class"] = {"4xx", "5xx", "7xx"}
    found = await edge.calls_description()
    assert values_of(found, "response_class") == {"4xx", "5xx", "7xx"}
    assert values_of(found, "http_method") >= {"get", "post"}
    assert values_of(found, "id") == {"1-123A", "1-1TGTG"}
    assert found.most_rows == 5000
    assert found.retention == timedelta(days=92)
    assert found.required_role == ROLE
    assert server.paths() == [f"GET {V1}"]


async def test_v2_describes_its_options(server: AkamaiSandbox) -> None:
    client = client_of(server, report="v2")
    server.enums["response_class"] = {"0xx", "other"}
    found = await client.calls_description()
    await client.aclose()
    assert values_of(found, "response_class") == {"0xx", "other"}
    assert values_of(found, "http_method") >= {"get", "post"}
    assert values_of(found, "response_status") == {"success", "error"}
    assert found.most_rows == 25_000
    assert server.paths() == [f"GET {V2.removesuffix('/data')}"]


async def test_described_limits_hold_from_then_on(server: AkamaiSandbox, edge: Akamai) -> None:
    described = {"dataRetentionDays": 30, "limit": 7000, "requiredRoles": ["Auditor"]}
    server.answer_with(200, json.dumps(described), path=V1, Content_Type="application/json")
    await edge.calls_description()
    now = WINDOW.end
    assert now - edge.kept_since(now) < timedelta(days=30, minutes=1)
    [check] = await edge.check()
    assert "up to 5,000 rows a request, kept for 92 days" in check.detail


@pytest.mark.parametrize("is_described", [False, True], ids=["documented", "described"])
async def test_forbidden_names_the_role(
    server: AkamaiSandbox, edge: Akamai, *, is_described: bool
) -> None:
    if is_described:
        described = {"requiredRoles": ["Auditor \n of  APIs"]}
        server.answer_with(200, json.dumps(described), path=V1, Content_Type="application/json")
        await edge.calls_description()
    server.answer_with(403, json.dumps({"title": "Forbidden"}), times=9)
    with pytest.raises(AuthFailed) as raised:
        await edge.calls(WINDOW, CallFilters())
    role = "Auditor of APIs" if is_described else ROLE
    assert f"needs the role “{role}”" in raised.value.hint
    assert "It said: Forbidden." in raised.value.message


ODD: list[dict[str, Any]] = [
    {},
    {"filters": 3, "dimensions": "x", "limit": "many", "dataRetentionDays": -1},
    {"filters": [None, 3, {"type": "enum"}, {"type": "enum", "name": "a", "values": [1, {}]}]},
    {"dimensions": [None, 3, {}, {"name": "responseClass", "filterEnumValues": [1, None]}]},
    {"requiredRoles": [3, None], "limit": True, "dataRetentionDays": 10**12},
    {"requiredRoles": "Admin"},
]


@pytest.mark.parametrize("report", ODD, ids=range(len(ODD)))
def test_odd_descriptions_say_nothing(report: dict[str, Any]) -> None:
    for found in (v1_description(report), v2_description(report)):
        assert found.filters == ()
        assert found.retention is None
        assert found.most_rows in (None, 1)
    assert required_role(report) == ""
