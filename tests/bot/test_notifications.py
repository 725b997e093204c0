"""Events in the form of requests and mails that each kind of target accepts."""

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
from bot.notifications.event import Action, AlertEvent, event_from_json, lane_of, target_of
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


FULL = msgspec.structs.replace(
    EVENT, subjects=("kitchen: 6.00 GB", "cellar: 5.50 GB"), value_name="bytes", by="Ada"
)
ACKNOWLEDGED = msgspec.structs.replace(FULL, action=Action.ACKNOWLEDGE)
PLAIN = msgspec.structs.replace(EVENT, severity="", facts=(), question="", runbook="")


def test_pagerduty_trigger_has_everything() -> None:
    request = pagerduty.render(PD, FULL, NOON)
    assert request.headers == {"Content-Type": "application/json"}
    assert json.loads(request.body) == {
        "routing_key": "0" * 32,
        "event_action": "trigger",
        "dedup_key": FULL.incident,
        "client": "Opswatch",
        "links": [{"href": FULL.runbook, "text": "Runbook"}],
        "payload": {
            "summary": FULL.summary,
            "source": "opswatch",
            "severity": "critical",
            "timestamp": "2026-11-27T12:00:00.000+00:00",
            "component": "spike",
            "class": "bytes",
            "custom_details": {
                "bytes": "6.00 GB",
                "question": "/usage today",
                "reason": "first",
                "subjects": "kitchen: 6.00 GB\ncellar: 5.50 GB",
            },
        },
    }


def test_pagerduty_payload_has_defaults() -> None:
    body = json.loads(pagerduty.render(PD, PLAIN, NOON).body)
    assert "links" not in body
    assert (body["payload"]["severity"], body["payload"]["class"]) == ("error", "alert")
    assert "subjects" not in body["payload"]["custom_details"]


def test_pagerduty_acknowledgement_has_the_key_alone() -> None:
    body = json.loads(pagerduty.render(PD, ACKNOWLEDGED, NOON).body)
    assert body == {
        "routing_key": "0" * 32,
        "event_action": "acknowledge",
        "dedup_key": FULL.incident,
    }


def test_opsgenie_alert_has_everything() -> None:
    request = opsgenie.render(OG, FULL, NOON)
    assert request.url == "https://api.eu.opsgenie.com/v2/alerts"
    assert request.headers == {
        "Content-Type": "application/json",
        "Authorization": "GenieKey key",
    }
    assert json.loads(request.body) == {
        "message": FULL.summary,
        "alias": FULL.incident,
        "description": "\n".join(FULL.lines),
        "priority": "P1",
        "source": "Opswatch",
        "entity": "spike",
        "tags": ["opswatch", "critical"],
        "details": {"bytes": "6.00 GB", "runbook": FULL.runbook},
    }
    plain = json.loads(opsgenie.render(OG, PLAIN, NOON).body)
    assert (plain["tags"], plain["details"]) == (["opswatch"], {})


@pytest.mark.parametrize(
    ("event", "note"),
    [
        (ACKNOWLEDGED, {"source": "Opswatch", "note": FULL.summary, "user": "Ada"}),
        (
            msgspec.structs.replace(ACKNOWLEDGED, by=""),
            {"source": "Opswatch", "note": FULL.summary},
        ),
    ],
    ids=["person", "nobody"],
)
def test_opsgenie_note_says_who_it_was(event: AlertEvent, note: dict[str, str]) -> None:
    request = opsgenie.render(OG, event, NOON)
    assert request.url.endswith("%3Afirst/acknowledge?identifierType=alias")
    assert json.loads(request.body) == note


def test_webhook_has_event_and_headers() -> None:
    request = webhook.render(HOOK, FULL, NOON)
    assert request.url == "https://hooks.example.com/x"
    assert json.loads(request.body) == {
        "version": 1,
        **json.loads(msgspec.json.encode(FULL)),
        "at": "2026-11-27T12:00:00Z",
    }
    assert set(request.headers) == {
        "Content-Type",
        "Opswatch-Timestamp",
        "Opswatch-Signature",
        "Idempotency-Key",
    }
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["Opswatch-Timestamp"] == str(int(NOON.timestamp()))
    assert len(request.headers["Idempotency-Key"]) == 32


def test_check_of_a_target_calls_nobody() -> None:
    closing = msgspec.structs.replace(EVENT, action=Action.RESOLVE)
    assert pagerduty.check_request(PD, closing, NOON) == pagerduty.render(PD, closing, NOON)
    assert opsgenie.check_request(OG, closing, NOON) == opsgenie.render(OG, closing, NOON)
    head = webhook.check_request(HOOK, closing, NOON)
    assert (head.method, head.url, head.body, head.headers) == (
        "HEAD",
        "https://hooks.example.com/x",
        b"",
        {},
    )


def test_mail_about_an_incident_is_whole() -> None:
    mail = render_mail(MAIL, FULL)
    thread = hashlib.sha256(FULL.incident.encode()).hexdigest()[:40]
    message_id = hashlib.sha256(FULL.id.encode()).hexdigest()[:40]
    expected = {
        "From": "opswatch@example.com",
        "To": "oncall@example.com",
        "Subject": f"[FIRING critical] {FULL.summary}",
        "Date": "Fri, 27 Nov 2026 12:00:00 +0000",
        "Message-ID": f"<{message_id}@example.com>",
        "References": f"<{thread}@example.com>",
        "In-Reply-To": f"<{thread}@example.com>",
        "Auto-Submitted": "auto-generated",
        "Importance": "high",
    }
    assert {name: str(mail[name]) for name in expected} == expected
    assert mail.get_content() == "\n".join(FULL.lines) + "\n"


@pytest.mark.parametrize(
    ("event", "subject"),
    [
        (PLAIN, "[FIRING] "),
        (ACKNOWLEDGED, "[ACKNOWLEDGED critical] "),
        (msgspec.structs.replace(PLAIN, action=Action.RESOLVE), "[RESOLVED] "),
        (msgspec.structs.replace(EVENT, severity="warning"), "[FIRING warning] "),
    ],
    ids=["no severity", "acknowledged", "resolved", "warning"],
)
def test_other_mails_are_not_important(event: AlertEvent, subject: str) -> None:
    mail = render_mail(MAIL, event)
    assert mail["Importance"] is None
    assert str(mail["Subject"]) == f"{subject}{EVENT.summary}"


@pytest.mark.parametrize(
    ("lane", "target"), [("target:pd", "pd"), ("C0OPS", ""), ("#ops", ""), ("my target:", "")]
)
def test_queue_of_a_target_is_recognised(lane: str, target: str) -> None:
    assert target_of(lane) == target
    if target:
        assert lane_of(target) == lane
