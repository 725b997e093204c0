"""A receiver of signed webhooks, as an operator would write one."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from providers.sandbox.server import Server

SIGNED_WITHIN_S = 300


class HookEvent(BaseModel):
    """The event as the documentation describes it."""

    model_config = ConfigDict(extra="forbid")

    version: Literal[1]
    id: Annotated[str, Field(min_length=1)]
    action: Literal["trigger", "acknowledge", "resolve"]
    incident: Annotated[str, Field(min_length=1)]
    alert: Annotated[str, Field(min_length=1)]
    summary: Annotated[str, Field(min_length=1)]
    reason: str
    at: datetime
    severity: Literal["", "info", "warning", "critical"] = ""
    since: datetime | None = None
    subjects: list[str] = []
    facts: list[tuple[str, str]] = []
    question: str = ""
    value_name: str = ""
    value: float | None = None
    threshold: float | None = None
    side: Literal["", "above", "below", "outside"] = ""
    runbook: str = ""
    by: str = ""


@dataclass(slots=True)
class WebhookSandbox(Server):
    """`events` has each event once, by its idempotency key; `attempts` counts the requests."""

    name: str = "webhook"
    title: str = "Webhook"
    secret: str = "webhook-shared-secret-000000000000"
    token: str = "hook-token-0000000000"
    events: dict[str, HookEvent] = field(default_factory=dict)
    attempts: int = 0

    def settings(self) -> dict[str, Any]:
        return {
            "kind": "webhook",
            "url": "env:OPSWATCH_HOOK_URL",
            "secret": "env:OPSWATCH_HOOK_SECRET",
        }

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/hooks/{token}", self._take)]

    def actions(self, alert: str) -> list[str]:
        """The actions received for an alert, in order."""
        return [event.action for event in self.events.values() if event.alert == alert]

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        if request.match_info["token"] != self.token:
            return web.Response(status=404)
        if not self._is_signed(request, body):
            return web.Response(status=401)
        key = request.headers.get("Idempotency-Key", "")
        if not key:
            return web.json_response({"message": "Idempotency-Key is missing"}, status=400)
        try:
            event = HookEvent.model_validate_json(body)
        except ValidationError as error:
            return web.json_response({"message": str(error)}, status=422)
        self.attempts += 1
        # An event that is sent again has the same key.
        self.events.setdefault(key, event)
        return web.Response(status=204)

    def _is_signed(self, request: web.Request, body: bytes) -> bool:
        at = request.headers.get("Opswatch-Timestamp", "")
        if not at.isdigit():
            return False
        age = self.now() - datetime.fromtimestamp(int(at), UTC)
        expected = hmac.new(self.secret.encode(), f"{at}.".encode() + body, hashlib.sha256)
        given = request.headers.get("Opswatch-Signature", "")
        is_right = hmac.compare_digest(f"v1={expected.hexdigest()}", given)
        # A recorded request cannot be sent again later.
        return is_right and abs(age.total_seconds()) <= SIGNED_WITHIN_S
