"""`[targets]`, `[channels]` and `[[button]]` in bot.toml, and how alerts show them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.config import parse_settings
from bot.errors import ConfigError
from tests.bot.test_config import ENVIRON, GOOD
from tests.conftest import ROOT

ALERT = {
    "name": "spike",
    "ask": "/usage today",
    "value": "bytes",
    "above": "5 GB",
    "channel": "#ops",
}
PAGERDUTY = {"kind": "pagerduty", "routing_key": "env:PAGERDUTY_ROUTING_KEY"}
OPSGENIE = {"kind": "opsgenie", "api_key": "env:OPSGENIE_API_KEY"}
HOOK = {
    "kind": "webhook",
    "url": "https://hooks.example.com/x?token=t0p",
    "secret": "env:OPSWATCH_HOOK_SECRET",
}
MAIL = {
    "kind": "email",
    "host": "smtp.example.com",
    "from": "opswatch@example.com",
    "to": ["oncall@example.com"],
}


def parsed(**table: Any) -> Any:
    return parse_settings({**GOOD, **table}, folder=ROOT, environ=ENVIRON)


def problems(**table: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parsed(**table)
    return [str(problem) for problem in caught.value.problems]


def test_each_kind_of_target_is_read() -> None:
    settings = parsed(
        targets={"pd": PAGERDUTY, "og": OPSGENIE, "hook": HOOK, "mail": MAIL},
        alert=[
            {
                **ALERT,
                "severity": "critical",
                "notify": ["S0SRE", "pd"],
                "escalate_after": "15m",
                "escalate_to": ["#incidents", "mail", "U012AB"],
            }
        ],
    )
    paging = settings.alert[0].paging
    assert (paging.severity, paging.notify) == ("critical", ("S0SRE", "pd"))
    assert paging.escalate_after == timedelta(minutes=15)
    assert paging.escalate_to == ("#incidents", "mail", "U012AB")
    assert settings.targets["pd"].address == "https://events.pagerduty.com"
    assert settings.targets["hook"].address == "https://hooks.example.com"
    assert settings.targets["mail"].address == "smtp.example.com:587"
    shown = str(settings.targets)
    assert all(secret.open() not in shown for secret in settings.secrets())
    assert "t0p" in str([secret.open() for secret in settings.secrets()])


@pytest.mark.parametrize(
    ("targets", "says"),
    [
        ({"pd": {"kind": "pager"}}, "targets.pd.kind = 'pager': must be one of 'pagerduty'"),
        ({"pd": 5}, "targets.pd = 5: must be a table of its own"),
        ({"PD": PAGERDUTY}, "targets.PD: must be a name of lower-case letters"),
        ({"pd": {"kind": "pagerduty"}}, "targets.pd.routing_key: is missing"),
        (
            {"pd": {**PAGERDUTY, "routing_key": "abc"}},
            "targets.pd.routing_key: must be a reference",
        ),
        ({"pd": {**PAGERDUTY, "routing": "x"}}, "did you mean routing_key?"),
        ({"pd": {**PAGERDUTY, "region": "uk"}}, "must be one of"),
        ({"hook": {**HOOK, "url": "http://hooks.example.com"}}, "https://, since plain http://"),
        (
            {"hook": {**HOOK, "url": "ftp://hooks.example.com"}},
            "targets.hook.url: must be an address",
        ),
        ({"hook": {**HOOK, "url": "https:///path"}}, "targets.hook.url: must be an address"),
        (
            {"hook": {**HOOK, "url": "https://e.example:99999"}},
            "targets.hook.url: must be an address",
        ),
        ({"hook": {**HOOK, "url": "https://[e.example"}}, "targets.hook.url: must be an address"),
        (
            {"hook": {**HOOK, "url": "https://e.example/a b"}},
            "targets.hook.url: must be an address",
        ),
        (
            {"hook": {**HOOK, "url": "https://e.example/\u00e9"}},
            "targets.hook.url: must be an address",
        ),
        (
            {"hook": {**HOOK, "url": "https://e.example/\x7f"}},
            "targets.hook.url: must be an address",
        ),
        (
            {"hook": {**HOOK, "url": "https://ada:t0p@example.com"}},
            "targets.hook.url: must be an address",
        ),
        ({"mail": {**MAIL, "security": "none"}}, '"none" is for this machine alone'),
        ({"mail": {**MAIL, "username": "env:SMTP_USERNAME"}}, "username and password, or neither"),
        ({"mail": {**MAIL, "to": ["ada"]}}, "a mail address such as"),
        ({"mail": {**MAIL, "to": ["a@b.example\nBcc: c@d.example"]}}, "a mail address such as"),
        ({"mail": {**MAIL, "host": "smtp.example.com:25"}}, "the name of a mail server"),
    ],
)
def test_wrong_target_names_valid_values(targets: dict[str, Any], says: str) -> None:
    [problem] = problems(targets=targets)
    assert says in problem
    assert "t0p" not in problem


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {"notify": ["pd"]},
            "alert.spike.notify = 'pd': must be the name of a target or an on-call schedule: there is none",
        ),
        ({"notify": ["#ops"]}, "Slack IDs such as"),
        ({"notify": ["@sre"]}, "Slack IDs such as"),
        ({"escalate_after": "15m"}, "escalate_after and escalate_to, or neither"),
        ({"escalate_after": "0m", "escalate_to": ["S0SRE"]}, 'a duration such as "15m"'),
        ({"severity": "high"}, "must be one of"),
        (
            {"runbook": "http://w.example.com"},
            "alert.spike.runbook = 'http://w.example.com': must be a link that begins with https://, ",
        ),
        ({"runbook": "https://ada:pw@w.example.com"}, "alert.spike.runbook: must be a link that "),
        ({"notify": ["U0A1"] * 11}, "notify"),
    ],
)
def test_wrong_recipient_names_valid_values(changes: dict[str, Any], says: str) -> None:
    assert any(says in problem for problem in problems(alert=[{**ALERT, **changes}]))


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"channels": {"#ops": {"updates": "none"}}}, "must be one of"),
        ({"channels": {"no channel": {}}}, "a channel such as"),
        ({"button": [{"text": "x"}]}, "either url or ask"),
        ({"button": [{"text": "x", "ask": "/usage sideways"}]}, "button.x.ask"),
        (
            {"button": [{"text": "x", "url": "https://e.example", "alerts": ["y"]}]},
            "name of an alert",
        ),
        ({"button": [{"text": "x", "url": "javascript:alert(1)"}]}, "begins with https://"),
    ],
)
def test_wrong_presentation_names_valid_values(table: dict[str, Any], says: str) -> None:
    assert any(says in problem for problem in problems(**table))
