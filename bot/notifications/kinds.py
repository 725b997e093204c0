"""Every kind of target: a row each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from msgspec import Struct

from bot.notifications import email, opsgenie, pagerduty, webhook
from bot.notifications.event import AlertEvent
from bot.notifications.settings import HttpRequest, TargetSettings
from providers.redaction import Secret

Render = Callable[[Any, AlertEvent, datetime], HttpRequest]


class TargetKind(Struct, frozen=True):
    """A kind of target. One that is reached by HTTP renders an event as a request, and has one that
    checks it without calling anybody.
    """

    kind: str
    title: str
    settings: type[TargetSettings]
    render: Render | None = None
    check_request: Render | None = None


KINDS: Mapping[str, TargetKind] = MappingProxyType(
    {
        row.kind: row
        for row in (
            TargetKind(
                "pagerduty",
                "PagerDuty",
                pagerduty.PagerDutySettings,
                pagerduty.render,
                pagerduty.check_request,
            ),
            TargetKind(
                "opsgenie",
                "Opsgenie",
                opsgenie.OpsgenieSettings,
                opsgenie.render,
                opsgenie.check_request,
            ),
            TargetKind(
                "webhook",
                "The webhook",
                webhook.WebhookSettings,
                webhook.render,
                webhook.check_request,
            ),
            TargetKind("email", "The mail server", email.EmailSettings),
        )
    }
)


def secret_keys() -> frozenset[str]:
    """The settings of targets whose values are never shown."""
    return frozenset(
        name
        for kind in KINDS.values()
        for name, field in kind.settings.model_fields.items()
        # By type, so that a new setting that is a secret is hidden without being listed.
        if Secret in _types_of(field.annotation)
    )


def _types_of(annotation: Any) -> tuple[Any, ...]:
    return (annotation, *getattr(annotation, "__args__", ()))
