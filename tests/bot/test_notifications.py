"""Events as the requests and mails that each kind of target takes."""

from __future__ import annotations

import email
import email.policy
import hashlib
import hmac
import json
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.notifications import opsgenie, pagerduty, webhook
from bot.notifications.email import EmailSettings
from bot.notifications.email import render as render_mail
from bot.notifications.event import Action, AlertEvent, event_from_json
from bot.sandbox.targets.mail import _wrong
from bot.sandbox.targets.opsgenie import _Alert
from bot.sandbox.targets.pagerduty import _Event
from bot.sandbox.targets.webhook import HookEvent
from providers.redaction import Secret

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
EVENT = AlertEvent(
    id="event:pd:alert:spike:1:first",
    action=Action.TRIGGER,
    incident="opswatch:alert:spike:1:first",
    alert="spike",
    summary="Critical · spike: bytes at 6.00 GB, above 5.00 GB",
    reason="first",
    at=NOON,
    severity="critical",
    facts=(("bytes", "6.00 GB"),),
    question="/usage today",
    runbook="https://wiki.example.com/spike",
)
PD = pagerduty.PagerDutySettings.model_construct(
    kind="pagerduty", routing_key=Secret("0" * 32), region="us", base_url=None
)
OG = opsgenie.OpsgenieSettings.model_construct(
    kind="opsgenie", api_key=Secret("key"), region="eu", base_url=None
)
HOOK = webhook.WebhookSettings.model_construct(
    kind="webhook", url=Secret("https://hooks.example.com/x"), secret=Secret("shared")
)
MAIL = EmailSettings.model_construct(
    kind="email", sender="opswatch@example.com", to=("oncall@example.com",)
)
# Whatever a name, an actor or a vendor may hold.
TEXT = st.text(st.characters(codec="utf-16", exclude_categories=()), min_size=1, max_size=3000)
EVENTS = st.builds(
    AlertEvent,
    id=TEXT,
    action=st.sampled_from(Action),
    incident=st.text(min_size=1, max_size=200),
    alert=TEXT,
    summary=TEXT,
    reason=st.just("first"),
    at=st.just(NOON),
    severity=st.sampled_from(["", "info", "warning", "critical"]),
    subjects=st.lists(TEXT, max_size=3).map(tuple),
    facts=st.lists(st.tuples(TEXT, TEXT), max_size=3).map(tuple),
    question=TEXT,
    by=TEXT,
)


def test_pagerduty_event_follows_its_documentation() -> None:
    request = pagerduty.render(PD, EVENT, NOON)
    body = json.loads(request.body)
    assert request.url == "https://events.pagerduty.com/v2/enqueue"
    assert body["event_action"] == "trigger"
    assert body["dedup_key"] == "opswatch:alert:spike:1:first"
    assert body["payload"]["severity"] == "critical"
    assert body["links"] == [{"href": "https://wiki.example.com/spike", "text": "Runbook"}]


@pytest.mark.parametrize(
    ("severity", "priority"), [("critical", "P1"), ("warning", "P3"), ("info", "P5"), ("", "P2")]
)
def test_opsgenie_gets_priority(severity: str, priority: str) -> None:
    event = msgspec.structs.replace(EVENT, severity=severity)
    assert json.loads(opsgenie.render(OG, event, NOON).body)["priority"] == priority


def test_opsgenie_alias_is_in_the_path() -> None:
    event = msgspec.structs.replace(EVENT, action=Action.RESOLVE, incident="a/b?c é")
    url = opsgenie.render(OG, event, NOON).url
    assert url == (
        "https://api.eu.opsgenie.com/v2/alerts/a%2Fb%3Fc%20%C3%A9/close?identifierType=alias"
    )


def test_webhook_is_signed_over_timestamp_and_body() -> None:
    request = webhook.render(HOOK, EVENT, NOON)
    signed = f"{int(NOON.timestamp())}.".encode() + request.body
    expected = hmac.new(b"shared", signed, hashlib.sha256).hexdigest()
    assert request.headers["Opswatch-Signature"] == f"v1={expected}"
    again = webhook.render(HOOK, EVENT, NOON.replace(hour=13))
    assert again.headers["Idempotency-Key"] == request.headers["Idempotency-Key"]
    assert again.headers["Opswatch-Signature"] != request.headers["Opswatch-Signature"]


@given(EVENTS)
def test_every_event_is_within_limits(event: AlertEvent) -> None:
    event = event_from_json(json.loads(msgspec.json.encode(event.as_json())))
    _Event.model_validate_json(pagerduty.render(PD, event, NOON).body)
    if event.action is Action.TRIGGER:
        _Alert.model_validate_json(opsgenie.render(OG, event, NOON).body)
    HookEvent.model_validate_json(webhook.render(HOOK, event, NOON).body)
    for value in webhook.render(HOOK, event, NOON).headers.values():
        assert value.isascii() and value.isprintable()


@given(EVENTS)
def test_every_mail_is_well_formed(event: AlertEvent) -> None:
    raw = bytes(render_mail(MAIL, event))
    assert _wrong(raw) == ""
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    assert mail["To"] == "oncall@example.com"
    assert mail["Bcc"] is None
    assert str(mail["Subject"]).startswith("[")


def test_secrets_of_request_are_not_shown() -> None:
    for request in (pagerduty.render(PD, EVENT, NOON), opsgenie.render(OG, EVENT, NOON)):
        assert "0" * 32 not in repr(request)
        assert "GenieKey" not in repr(request)
