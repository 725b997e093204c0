"""The values of a form become a question, and a refusal names the input that is wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.errors import BadQuestion
from bot.questions.question import AccountDirectory
from bot.questions.reading import read_form, read_question_line
from bot.questions.registry import COMMANDS

NOW = datetime(2026, 11, 21, 14, 5, tzinfo=UTC)
HOUSE = AccountDirectory(
    {"eu": "rapid7", "us": "rapid7", "edge": "akamai", "iot": "devicewise"},
    {"eu": {"kitchen": "1", "cellar": "2", "Pantry Door": "3"}},
)
SAME = [
    ("/usage eu last 7 days", {"account": "eu", "window": "last 7 days"}),
    ("/usage us today by week csv", {"account": "us", "window": "today", "rest": "by week", "csv": "csv"}),
    ("/usage us yesterday per log", {"account": "us", "window": "yesterday", "rest": "per log"}),
    ("/usage eu 2026-11-01..2026-11-07", {"account": "eu", "from": "2026-11-01", "to": "2026-11-07"}),
    ("/usage eu 2026-11-01..2026-11-01", {"account": "eu", "window": "today", "to": "2026-11-01"}),
    ("/apiaudit edge last 2h status:5xx", {"account": "edge", "window": "last 2h", "rest": "status:5xx"}),
    ("/apiaudit failures who:ada csv", {"rest": "failures, who:ada", "csv": "csv"}),
    ('/apiaudit url:"/a b"', {"rest": 'url:"/a b"'}),
    ("/apiaudit edge 2h calls 50 status:5xx", {"account": "edge", "window": "2h", "show": "calls 50", "rest": "status:5xx"}),
    ("/apiaudit 2h calls 7 by ip csv", {"window": "2h", "show": "calls 7 by ip", "csv": "csv"}),
    ("/apiaudit iot 2h by code show_all", {"account": "iot", "window": "2h", "show": "by code", "rest": "show_all"}),
    ("/apiaudit 2h calls 9 ip:10.0.0.0/8", {"window": "2h", "rest": "calls 9, ip:10.0.0.0/8"}),
    ("/logs kitchen last 1h where(/x/i) limit 5", {"log": "kitchen", "window": "last 1h", "rest": "where(/x/i) limit 5"}),
    ('/logs "Pantry Door" 2h', {"log": "Pantry Door", "window": "2h"}),
    ('/logs kitchen,"Pantry Door" 2h', {"log": 'kitchen,"Pantry Door"', "window": "2h"}),
    ("/logs kitchen 2026-11-01..2026-11-02", {"log": "kitchen", "from": "2026-11-01", "to": "2026-11-02"}),
]  # fmt: skip
WRONG = [
    ("usage", {"account": "eu", "window": "whenever"}, "window"),
    ("usage", {"account": "eu", "window": "20m"}, "window"),
    ("usage", {"window": "today"}, "account"),
    ("usage", {"account": "attic"}, "account"),
    ("usage", {"account": "eu", "from": "2026-11-07", "to": "2026-11-01"}, "from"),
    ("usage", {"account": "eu", "to": "2027-01-01"}, "to"),
    ("usage", {"account": "eu", "from": "soon"}, "from"),
    ("apiaudit", {"rest": "colour:red"}, "rest"),
    ("apiaudit", {"rest": "403"}, "rest"),
    ("apiaudit", {"rest": "subscribe at 09:00"}, "rest"),
    ("apiaudit", {"rest": 'url:"/a'}, "rest"),
    ("apiaudit", {"rest": "own:perhaps"}, "rest"),
    ("apiaudit", {"rest": "ip:10.0.0"}, "rest"),
    ("apiaudit", {"rest": "calls 0"}, "rest"),
    ("apiaudit", {"window": "whenever", "rest": "failures"}, "window"),
    ("logs", {"window": "20m"}, "log"),
    ("logs", {"log": "kitchen", "rest": "/x/i"}, "rest"),
    ("logs", {"log": "kitchen", "rest": "where(/x/"}, "rest"),
    ("logs", {"log": "kitchen", "rest": "limit none"}, "rest"),
    ("logs", {"log": "kitchen", "window": "tomorrow", "rest": "limit 5"}, "window"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "values"), SAME, ids=[line for line, _ in SAME])
def test_form_asks_what_words_ask(line: str, values: dict[str, str]) -> None:
    typed: Any = read_question_line(line, HOUSE, now=NOW, zone=UTC)
    entered: Any = read_form(typed.command, values, HOUSE, now=NOW, zone=UTC)
    assert entered == typed
    assert entered.line == line


@pytest.mark.parametrize(("command", "values", "field"), WRONG)
def test_refusal_names_wrong_input(command: str, values: dict[str, str], field: str) -> None:
    with pytest.raises(BadQuestion) as caught:
        read_form(command, values, HOUSE, now=NOW, zone=UTC)
    assert caught.value.field == field
    assert caught.value.message


@pytest.mark.parametrize(("line", "values"), SAME, ids=[line for line, _ in SAME])
def test_form_opens_with_question(line: str, values: dict[str, str]) -> None:
    question: Any = read_question_line(line, HOUSE, now=NOW, zone=UTC)
    fields = COMMANDS[question.command].form(question, HOUSE)
    shown = {field.name: field.value for field in fields if field.value}
    assert read_form(question.command, shown, HOUSE, now=NOW, zone=UTC).line == line
