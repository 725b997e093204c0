"""Shared by the tests of deviceWISE: a window, the sample row on the vendor's page, and a client."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from providers.devicewise.auth import Credentials
from providers.devicewise.client import DeviceWise
from providers.devicewise.sandbox import DeviceWiseSandbox
from providers.models import Window
from providers.redaction import Secret

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
WINDOW = Window(NOON - timedelta(hours=1), NOON)
SAMPLE_ROW = {
    "ts": "2014-02-11T14:15:34.882-05:00",
    "processedBy": "ip-10-200-40-161",
    "whoami": "admin@example.com",
    "request": '{"1":{"Command":"usage.api.list","SessionId":"","Params":{"last":"24h"}}}',
    "response": '{"1":{"success":true,"params":{"count":0,"result":null}}}',
}


def client_of(server: DeviceWiseSandbox, **changes: Any) -> DeviceWise:
    credentials = changes.pop(
        "credentials", Credentials(username=server.username, password=Secret(server.password))
    )
    return DeviceWise("iot", base_url=server.url, credentials=credentials, **changes)


def bodies(server: DeviceWiseSandbox, command: str) -> list[dict[str, Any]]:
    asked = [json.loads(entry.body) for entry in server.requests]
    return [value for body in asked for value in body.values() if value.get("command") == command]


def rows(count: int) -> list[dict[str, Any]]:
    return [
        {**SAMPLE_ROW, "ts": (NOON - timedelta(seconds=n)).isoformat(), "execTime": n}
        for n in range(count)
    ]


def answer_of(count: Any, page: list[dict[str, Any]] | None) -> str:
    return json.dumps({"list": {"success": True, "params": {"count": count, "result": page}}})
