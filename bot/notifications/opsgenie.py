"""Opsgenie's Alert API. Pages: "Alert API", "Response". Atlassian ends Opsgenie in April 2027; Jira
Service Management takes the same requests at another address (`base_url`).
"""

from __future__ import annotations

from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal
from urllib.parse import quote

import msgspec

from bot.formatting import truncate
from bot.notifications.event import Action, AlertEvent
from bot.notifications.settings import HttpRequest, TargetSettings
from providers.settings import Address, SecretReference

# The longest values of each field ("Create Alert").
MOST_MESSAGE = 130
MOST_ALIAS = 512
MOST_DESCRIPTION = 15_000
MOST_USER = 100
MOST_NOTE = 25_000
_HOSTS = MappingProxyType({"us": "https://api.opsgenie.com", "eu": "https://api.eu.opsgenie.com"})
# P2 without a severity: somebody is called, and P1 stays for what is critical.
_PRIORITIES = MappingProxyType({"critical": "P1", "warning": "P3", "info": "P5", "": "P2"})
_PATHS = MappingProxyType({Action.ACKNOWLEDGE: "acknowledge", Action.RESOLVE: "close"})


class OpsgenieSettings(TargetSettings):
    """A team of Opsgenie."""

    kind: Literal["opsgenie"]
    api_key: SecretReference
    """The key of an API integration, which may create and close alerts."""
    region: Literal["us", "eu"] = "us"
    """Where the Opsgenie account is."""
    base_url: Address | None = None
    """The address of the Alert API, such as that of Jira Service Management."""

    @property
    def address(self) -> str:
        return self.base_url or _HOSTS[self.region]


def render(settings: OpsgenieSettings, event: AlertEvent, now: datetime) -> HttpRequest:
    """The request for an event. Opsgenie takes alerts with the same alias as one, so an event that
    is sent twice notifies nobody again.
    """
    del now
    alias = event.incident[:MOST_ALIAS]
    url = f"{settings.address}/v2/alerts"
    body = _note(event)
    if event.action is Action.TRIGGER:
        body = _alert(event, alias)
    else:
        path = _PATHS[event.action]
        # The alias has the channel's key, with colons and spaces.
        url = f"{url}/{quote(alias, safe='')}/{path}?identifierType=alias"
    return HttpRequest(
        url,
        msgspec.json.encode(body),
        {
            "Content-Type": "application/json",
            "Authorization": f"GenieKey {settings.api_key.open()}",
        },
    )


def check_request(settings: OpsgenieSettings, event: AlertEvent, now: datetime) -> HttpRequest:
    """A request that shows whether the key is accepted and may close alerts: closing one that does
    not exist changes nothing.
    """
    return render(settings, event, now)


def _alert(event: AlertEvent, alias: str) -> dict[str, Any]:
    details = {name: truncate(value, 500) for name, value in event.facts}
    return {
        "message": truncate(event.summary, MOST_MESSAGE),
        "alias": alias,
        "description": truncate("\n".join(event.lines), MOST_DESCRIPTION),
        "priority": _PRIORITIES[event.severity],
        "source": "Opswatch",
        "entity": truncate(event.alert, 512),
        "tags": [tag for tag in ("opswatch", event.severity) if tag],
        "details": details | ({"runbook": event.runbook} if event.runbook else {}),
    }


def _note(event: AlertEvent) -> dict[str, Any]:
    note: dict[str, Any] = {"source": "Opswatch", "note": truncate(event.summary, MOST_NOTE)}
    return note | ({"user": truncate(event.by, MOST_USER)} if event.by else {})
