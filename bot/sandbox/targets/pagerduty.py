"""A stand-in of PagerDuty: the Events API v2, and the webhooks (v3) that report what people do there.
Pages: "Send an Alert Event", "Events API v2 Overview", "Webhooks", "Verifying Signatures".
"""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal

import aiohttp
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from providers.sandbox.server import Server

MOST_BYTES = 512 * 1024


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Payload(_Strict):
    summary: Annotated[str, Field(min_length=1, max_length=1024)]
    source: Annotated[str, Field(min_length=1)]
    severity: Literal["critical", "error", "warning", "info"]
    timestamp: str | None = None
    component: str | None = None
    group: str | None = None
    class_: Annotated[str | None, Field(alias="class")] = None
    custom_details: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _is_timed(self) -> _Payload:
        if self.timestamp is not None and datetime.fromisoformat(self.timestamp).tzinfo is None:
            raise ValueError("timestamp is ISO 8601 with an offset")
        return self


class _Link(_Strict):
    href: Annotated[str, Field(pattern=r"\Ahttps?://")]
    text: str | None = None


class _Event(_Strict):
    routing_key: Annotated[str, Field(min_length=32, max_length=32)]
    event_action: Literal["trigger", "acknowledge", "resolve"]
    dedup_key: Annotated[str | None, Field(max_length=255)] = None
    payload: _Payload | None = None
    links: list[_Link] | None = None
    images: list[dict[str, str]] | None = None
    client: str | None = None
    client_url: str | None = None

    @model_validator(mode="after")
    def _whole(self) -> _Event:
        if self.event_action == "trigger" and self.payload is None:
            raise ValueError("payload is required for a trigger")
        if self.event_action != "trigger" and not self.dedup_key:
            raise ValueError("dedup_key is required")
        return self


@dataclass(slots=True)
class Incident:
    """`woken` counts how often somebody was called for it; `events` are the actions received."""

    key: str
    status: str = "triggered"
    summary: str = ""
    severity: str = ""
    woken: int = 1
    links: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)


@dataclass(slots=True)
class PagerDutySandbox(Server):
    """`incidents` are in the order in which they were opened; a key may be used again after its
    incident was resolved. `dropped` are events about incidents that are not open.
    """

    name: str = "pagerduty"
    title: str = "PagerDuty"
    routing_key: str = "0123456789abcdef0123456789abcdef"
    webhook_secret: str = "pagerduty-signing-secret-0000000"
    incidents: list[Incident] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)

    def settings(self) -> dict[str, Any]:
        return {
            "kind": "pagerduty",
            "base_url": self.url,
            "routing_key": "env:PAGERDUTY_ROUTING_KEY",
        }

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/v2/enqueue", self._enqueue)]

    async def _enqueue(self, request: web.Request) -> web.Response:
        body = await request.read()
        if len(body) > MOST_BYTES:
            return _refused(413, "Event object is too large")
        if request.content_type != "application/json":
            return _refused(400, "Content-Type is not application/json")
        try:
            event = _Event.model_validate_json(body)
        except ValidationError as error:
            return _refused(400, *(_in_words(each) for each in error.errors()))
        except ValueError as error:
            return _refused(400, str(error))
        if event.routing_key != self.routing_key:
            return _refused(400, "Invalid routing key")
        key = event.dedup_key or uuid.uuid4().hex
        self._take(key, event)
        found = {"status": "success", "message": "Event processed", "dedup_key": key}
        return web.json_response(found, status=202)

    def _take(self, key: str, event: _Event) -> None:
        opened = next((i for i in self.incidents if i.key == key and i.status != "resolved"), None)
        if event.event_action == "trigger":
            assert event.payload is not None
            if opened is None:
                opened = Incident(key)
                self.incidents.append(opened)
            # A trigger with the key of an open incident changes it and calls nobody again.
            opened.summary = event.payload.summary
            opened.severity = event.payload.severity
            opened.links = [link.href for link in event.links or []]
        elif opened is None:
            self.dropped.append(event.event_action)
            return
        else:
            done = {"acknowledge": "acknowledged", "resolve": "resolved"}
            opened.status = done[event.event_action]
        opened.events.append(event.event_action)

    async def report(
        self,
        url: str,
        incident: Incident,
        event_type: str = "incident.acknowledged",
        *,
        secret: str = "",
        by: str = "Earline Greenholt",
    ) -> int:
        """Sends a webhook about an incident, signed, and returns the status of the answer."""
        body = json.dumps(self._report(incident, event_type, by)).encode()
        key = (secret or self.webhook_secret).encode()
        signature = hmac.new(key, body, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            # Several signatures while a secret is being replaced; one that fits is enough.
            "X-PagerDuty-Signature": f"v1={'0' * 64},v1={signature}",
            "X-Webhook-Id": str(uuid.uuid4()),
        }
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, data=body, headers=headers) as response,
        ):
            return response.status

    def _report(self, incident: Incident, event_type: str, by: str) -> dict[str, Any]:
        agent = {"id": "PXPGF42", "type": "user_reference", "summary": by}
        data = {
            "id": "PT4KHLK",
            "type": "incident",
            "number": 1234,
            "status": event_type.partition(".")[2],
            "incident_key": incident.key,
            "title": incident.summary,
            "service": {"id": "PIJ90N7", "type": "service_reference", "summary": "Kitchen"},
        }
        return {
            "event": {
                "id": uuid.uuid4().hex,
                "event_type": event_type,
                "resource_type": "incident",
                "occurred_at": self.now().isoformat(),
                "agent": agent,
                "client": None,
                "data": data,
            }
        }


def _refused(status: int, *errors: str) -> web.Response:
    found = {"status": "invalid event", "message": "Event object is invalid", "errors": errors}
    return web.json_response(found, status=status)


def _in_words(error: Any) -> str:
    return f"'{'.'.join(map(str, error['loc']))}' {error['msg']}"
