"""PagerDuty's Events API v2. Page: "Send an Alert Event"."""

from __future__ import annotations

from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal

import msgspec

from bot.formatting import truncate
from bot.notifications.event import Action, AlertEvent
from bot.notifications.settings import HttpRequest, TargetSettings
from providers.settings import Address, SecretReference

MOST_SUMMARY = 1024
MOST_KEY = 255
_HOSTS = MappingProxyType(
    {"us": "https://events.pagerduty.com", "eu": "https://events.eu.pagerduty.com"}
)


class PagerDutySettings(TargetSettings):
    """A service of PagerDuty."""

    kind: Literal["pagerduty"]
    routing_key: SecretReference
    """The integration key of a service, of an integration with Events API v2."""
    region: Literal["us", "eu"] = "us"
    """Where the PagerDuty account is."""
    base_url: Address | None = None
    """The address of the Events API, for a private gateway."""
    webhook_secret: SecretReference | None = None
    """In HTTP mode: signs the webhooks (v3) by which acknowledgements in PagerDuty count here."""

    @property
    def address(self) -> str:
        return self.base_url or _HOSTS[self.region]


def render(settings: PagerDutySettings, event: AlertEvent, now: datetime) -> HttpRequest:
    """The request for an event. PagerDuty takes events with the same key as one incident, so one
    that is sent twice changes nothing.
    """
    del now
    body: dict[str, Any] = {
        "routing_key": settings.routing_key.open(),
        "event_action": event.action.value,
        # At most 255 characters are permitted.
        "dedup_key": event.incident[:MOST_KEY],
    }
    if event.action is Action.TRIGGER:
        # Only a trigger has a payload; the other actions need the key alone.
        body |= {"payload": _payload(event), "client": "Opswatch"}
        if event.runbook:
            body["links"] = [{"href": event.runbook, "text": "Runbook"}]
    return HttpRequest(
        f"{settings.address}/v2/enqueue",
        msgspec.json.encode(body),
        {"Content-Type": "application/json"},
    )


def check_request(settings: PagerDutySettings, event: AlertEvent, now: datetime) -> HttpRequest:
    """A request that shows whether the key is accepted: PagerDuty drops the end of an incident that
    it does not know.
    """
    return render(settings, event, now)


def _payload(event: AlertEvent) -> dict[str, Any]:
    details = {**dict(event.facts), "question": event.question, "reason": event.reason}
    if event.subjects:
        details["subjects"] = "\n".join(event.subjects)
    return {
        "summary": truncate(event.summary, MOST_SUMMARY),
        "source": "opswatch",
        # An alert without a severity calls somebody as one that is in error.
        "severity": event.severity or "error",
        "timestamp": event.at.isoformat(timespec="milliseconds"),
        "component": event.alert,
        "class": event.value_name or "alert",
        "custom_details": details,
    }
