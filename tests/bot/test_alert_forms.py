"""The forms of alerts, silences and subscriptions become commands from their values."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.alerts.commands import parse_alert_command
from bot.alerts.form import new_alert, read_alert_form, read_silence_form
from bot.errors import BadQuestion
from bot.questions.form import InvalidForm
from bot.questions.question import AccountDirectory
from bot.schedules.form import DAY_LABELS, read_subscription_form
from bot.schedules.subscribe import parse_subscription

HOUSE = AccountDirectory({"eu": "rapid7", "edge": "akamai"}, {"eu": {"kitchen": "1"}})
SAME = [
    ("usage", "alert today above 5 GB", {"question": "today", "value": "bytes", "threshold": "5 GB"}),
    ("usage", "alert today bytes below 4,5 GB recover 5 GB", {"question": "today", "value": "bytes", "side": "below", "threshold": "4,5 GB", "recover": "5 GB"}),
    ("usage", "alert eu today quota_percent above 80% every 1h", {"question": "eu today", "value": "quota_percent", "threshold": "80%", "every": "1h"}),
    ("usage", 'alert today bytes above 5 GB each log as "my alert"', {"question": "today", "value": "bytes", "threshold": "5 GB", "each": "log", "as": '"my  alert"'}),
    ("usage", "alert today above 5 GB severity critical notify @oncall, S0SRE and pagerduty", {"question": "today", "value": "bytes", "threshold": "5 GB", "severity": "critical", "notify": "@oncall, S0SRE, pagerduty"}),
    ("usage", "alert today above 5 GB runbook https://w.example.com/x escalate after 15m to #Ops, @leads", {"question": "today", "value": "bytes", "threshold": "5 GB", "runbook": "https://w.example.com/x", "escalate": "15m to #ops, @leads"}),
    ("usage", "alert today above 5 GB escalate after 1h30m to S0SRE", {"question": "today", "value": "bytes", "threshold": "5 GB", "escalate": "After 1h30m unless acknowledged to S0SRE"}),
    ("logs", "alert kitchen where(/above 5/) 15m lines above 1e3 for 10m repeat 4h", {"question": "kitchen where(/above 5/) 15m", "value": "lines", "threshold": "1e3", "for": "10m", "repeat": "4h"}),
]  # fmt: skip
WRONG = [
    ({"threshold": ""}, {"threshold"}),
    ({"threshold": "much"}, {"threshold"}),
    ({"threshold": "5"}, {"threshold"}),
    ({"threshold": "5 GiB"}, {"threshold"}),
    ({"threshold": "5.000 GB"}, {"threshold"}),
    ({"threshold": "5 GB for 10m"}, {"threshold"}),
    ({"threshold": "much", "recover": "6 GB"}, {"threshold"}),
    ({"recover": "6 GB"}, {"recover"}),
    ({"recover": "lots"}, {"recover"}),
    ({"side": "below", "recover": "4 GB"}, {"recover"}),
    ({"for": "a while"}, {"for"}),
    ({"for": "10m as x"}, {"for"}),
    ({"every": "1s"}, {"every"}),
    ({"repeat": "6M"}, {"repeat"}),
    ({"each": "actor"}, {"each"}),
    ({"as": "-"}, {"as"}),
    ({"value": "failures"}, {"value"}),
    ({"threshold": "5", "for": "a while", "as": "-"}, {"threshold", "for", "as"}),
    ({"notify": "!?"}, {"notify"}),
    ({"notify": ","}, {"notify"}),
    ({"runbook": "http://w.example.com"}, {"runbook"}),
    ({"escalate": "soon to @leads"}, {"escalate"}),
    ({"escalate": "15m"}, {"escalate"}),
    ({"escalate": "6M to @leads"}, {"escalate"}),
]  # fmt: skip
USUAL = {"question": "today", "value": "bytes", "side": "above", "threshold": "5 GB"}


@pytest.mark.parametrize(("command", "words", "values"), SAME, ids=[words for _, words, _ in SAME])
def test_alert_form_means_what_words_mean(command: str, words: str, values: dict[str, str]) -> None:
    assert read_alert_form(command, values, new_alert(command, "")) == parse_alert_command(
        command, words, HOUSE
    )


@pytest.mark.parametrize(("values", "wrong"), WRONG, ids=[str(values) for values, _ in WRONG])
def test_alert_form_marks_each_wrong_input(values: dict[str, str], wrong: set[str]) -> None:
    with pytest.raises(InvalidForm) as caught:
        read_alert_form("usage", {**USUAL, **values}, new_alert("usage", ""))
    assert set(caught.value.errors) == wrong
    assert all(caught.value.errors.values())


def test_alert_form_preserves_fields_without_input() -> None:
    before = replace(
        new_alert("usage", "today"),
        keep_firing_for=timedelta(hours=1),
        no_data="alert",
        name="spike",
    )
    alert = read_alert_form("usage", USUAL, before)
    assert (alert.keep_firing_for, alert.no_data, alert.name) == (
        timedelta(hours=1),
        "alert",
        "spike",
    )


def test_silence_form_preserves_quotes_in_comment() -> None:
    silence = read_silence_form({"name": 'a "b" c', "length": "2h", "comment": 'a "load" test'})
    assert (silence.name, silence.length) == ('a "b" c', timedelta(hours=2))
    assert silence.comment == 'a "load" test'
    assert read_silence_form({"name": "spike", "length": "until tomorrow"}).length is None


@pytest.mark.parametrize("days", DAY_LABELS)
def test_subscription_form_means_what_words_mean(days: str) -> None:
    values = {"question": "last 7 days", "time": "08:30", "days": days}
    on = "" if days == "every day" else f" on {days}"
    typed = parse_subscription("usage", f"subscribe last 7 days at 08:30{on}", HOUSE)
    assert read_subscription_form(values) == typed


@pytest.mark.parametrize(
    ("values", "field"),
    [({"time": "24:00", "days": "weekdays"}, "time"), ({"time": "09:00", "days": "x"}, "days")],
)
def test_subscription_form_names_wrong_input(values: dict[str, str], field: str) -> None:
    with pytest.raises(BadQuestion) as caught:
        read_subscription_form(values)
    assert caught.value.field == field
