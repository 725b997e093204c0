"""Other words for what the grammar reads, as people on call type them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.alerts.create import CreateAlert, parse_alert
from bot.commands.apiaudit.question import AuditQuestion
from bot.commands.logs.display import Entries, Follow
from bot.commands.logs.question import LogsQuestion
from bot.errors import BadQuestion
from bot.questions.question import AccountDirectory, Question
from bot.questions.reading import read_question_line
from bot.questions.saved import Save, parse_saved

NOW = datetime(2026, 11, 21, 14, 5, tzinfo=UTC)
HOUSE = AccountDirectory(
    {"eu": "rapid7", "edge": "akamai", "iot": "devicewise"}, {"eu": {"web": "1", "kitchen": "2"}}
)


def ask(line: str) -> Question:
    question = read_question_line(line, HOUSE, now=NOW, zone=UTC)
    assert isinstance(question, Question)
    # What it is asked again with means the same.
    again = read_question_line(question.line, HOUSE, now=NOW, zone=UTC)
    assert isinstance(again, Question)
    assert again.parts == question.parts
    return question


def refusal(line: str) -> BadQuestion:
    with pytest.raises(BadQuestion) as caught:
        ask(line)
    return caught.value


@pytest.mark.parametrize(
    ("typed", "same"),
    [
        ("edge 24h grouped by ip", "edge 24h by ip"),
        ("edge 24h group by ip", "edge 24h by ip"),
        ("edge 24h broken down by client", "edge 24h by client"),
        ("iot calls slower than 50ms", "iot calls slower:50ms"),
        ("iot 24h longer than 2s?", "iot 24h slower:2s"),
        ("edge 24h from 10.0.0.0/8", "edge 24h ip:10.0.0.0/8"),
        ("edge calls 10 from 203.0.113.7", "edge calls 10 ip:203.0.113.7"),
        ("edge 24h action:DELETE,put", "edge 24h action:DELETE action:put"),
        ("edge 24h status:4xx,503", "edge 24h status:4xx status:503"),
        ("iot 24h show all", "iot 24h show_all"),
        ("edge 24h new ip in the last 14 days", "edge 24h new ip in 14d"),
        ("edge 24h new ip compared to the previous 2 weeks", "edge 24h new ip in 14d"),
        ("edge 24h new ip vs the 14 days", "edge 24h new ip in 14d"),
        ("edge new ip in the last 7 days", "edge last 7 days new ip"),
    ],
)
def test_audit_is_read_as_typed(typed: str, same: str) -> None:
    found = ask(f"/apiaudit {typed}")
    wanted = ask(f"/apiaudit {same}")
    assert isinstance(found, AuditQuestion)
    assert isinstance(wanted, AuditQuestion)
    assert (found.filters, found.display, found.accounts, found.window) == (
        wanted.filters,
        wanted.display,
        wanted.accounts,
        wanted.window,
    )


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("/apiaudit edge 24h status>=500", "/apiaudit edge 24h status:5xx"),
        ("/apiaudit edge 24h status>399", "/apiaudit edge 24h status:4xx status:5xx"),
        ("/apiaudit edge 24h status=503", "/apiaudit edge 24h status:503"),
        ("/apiaudit edge 203.0.113.7 24h", "/apiaudit edge 24h ip:203.0.113.7"),
        ("/apiaudit iot 24h all", "/apiaudit iot 24h"),
        ("/usage eu, eus yesterday", "/usage eu yesterday"),
    ],
)
def test_what_was_meant_is_kept(line: str, hint: str) -> None:
    try:
        found = ask(line)
    except BadQuestion as error:
        found = ask(error.hint)
    assert found.parts == ask(hint).parts


@pytest.mark.parametrize(
    ("typed", "logs", "display"),
    [
        ("tail kitchen", 1, Entries(20, newest=True)),
        ("tail -50 kitchen", 1, Entries(50, newest=True)),
        ("tail -n 50 kitchen, web", 2, Entries(50, newest=True)),
        ("last 20 lines of kitchen", 1, Entries(20, newest=True)),
        ("newest 5 kitchen and web 1h", 2, Entries(5, newest=True)),
        ("first 5 kitchen", 1, Entries(5, newest=False)),
        ("kitchen first 5", 1, Entries(5, newest=False)),
        ("tail -f kitchen", 1, Follow()),
        ("follow kitchen for 5m", 1, Follow(timedelta(minutes=5))),
    ],
)
def test_verb_may_come_before_the_log(typed: str, logs: int, display: object) -> None:
    question = ask(f"/logs {typed}")
    assert isinstance(question, LogsQuestion)
    assert (len(question.logs), question.display) == (logs, display)


@pytest.mark.parametrize("name", ["count", "tail", "follow", "head"])
def test_log_may_be_called_like_a_verb(name: str) -> None:
    directory = AccountDirectory({"eu": "rapid7"}, {"eu": {name: "1", "kitchen": "2"}})
    question = read_question_line(f"/logs {name},kitchen 20m", directory, now=NOW, zone=UTC)
    assert isinstance(question, LogsQuestion)
    assert [log.id for log in question.logs] == ["1", "2"]


def test_count_may_come_before_the_log() -> None:
    before = ask("/logs count kitchen 24h where(status>=500)")
    assert before.parts == ask("/logs kitchen 24h where(status>=500) count").parts


@pytest.mark.parametrize(
    ("text", "query", "value"),
    [
        ("edge 24h new actors above 0", "edge 24h new actors", "new_actors"),
        ("edge 24h new actor above 0", "edge 24h new actor", "new_actors"),
        ("edge 24h new ips above 0", "edge 24h new ips", "new_ips"),
        ("edge 24h actors above 9", "edge 24h", "actors"),
    ],
)
def test_alert_on_new_values_keeps_them(text: str, query: str, value: str) -> None:
    alert = parse_alert("apiaudit", text, HOUSE)
    assert (alert.query, alert.value) == (query, value)


@pytest.mark.parametrize(
    "words",
    [
        "escalate to @sre, pagerduty after 15m",
        "escalate to @sre and pagerduty after 15 minutes unless acknowledged",
        "escalate after 15m unless acknowledged to @sre, pagerduty",
    ],
)
def test_escalation_is_read_in_either_order(words: str) -> None:
    alert = parse_alert("usage", f"today above 5 GB {words} every 1h", HOUSE)
    assert isinstance(alert, CreateAlert)
    assert alert.paging.escalate_after == timedelta(minutes=15)
    assert alert.paging.escalate_to == ("@sre", "pagerduty")
    assert alert.every == timedelta(hours=1)


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ('"my weekly look"', "my-weekly-look"),
        ("my weekly look", "my-weekly-look"),
        ("über-büro", "uber-buro"),
        ("Q4/2026", "q4-2026"),
        ("<b>bold</b>", "b-bold-b"),
        ("😀", "morning"),
        ("x" * 90, "x" * 40),
    ],
)
def test_refused_name_offers_a_near_one(typed: str, offered: str) -> None:
    with pytest.raises(BadQuestion, match="cannot be a name") as caught:
        parse_saved("usage", f"save last 7 days as {typed}", HOUSE)
    assert caught.value.hint == f"/usage save last 7 days as {offered}"
    found = parse_saved("usage", caught.value.hint.removeprefix("/usage "), HOUSE)
    assert found == Save("last 7 days", offered)
