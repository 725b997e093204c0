"""On-call schedules."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.alerts.on_call import OnCall, OnCallSchedule, schedule_from_csv, schedule_from_table
from bot.alerts.paging import Paging
from bot.alerts.rule import Rule
from bot.config import Settings, parse_settings
from bot.errors import ConfigError

WEEKLY = """
[[rotation]]
people = ["U0ADA", "U0BOB", "S0SRE1"]
start = "2026-10-19T09:00"
every = "7d"

[[override]]
people = ["U0CYD"]
start = 2026-10-21
end = "2026-10-22T12:00"
"""
SHIFTS = """start,end,person
2026-10-19T09:00,2026-10-20T09:00,U0ADA
2026-10-20T09:00,2026-10-21T09:00,U0BOB
2026-10-20T21:00,2026-10-21T09:00,U0CYD
"""
DUBLIN = ZoneInfo("Europe/Dublin")


def weekly() -> OnCallSchedule:
    return schedule_from_table(tomllib.loads(WEEKLY))


@pytest.mark.parametrize(
    ("at", "people"),
    [
        ("2026-10-19T08:59", ()),
        ("2026-10-19T09:00", ("U0ADA",)),
        ("2026-10-26T08:59", ("U0ADA",)),
        ("2026-10-26T09:00", ("U0BOB",)),
        ("2026-11-02T09:00", ("S0SRE1",)),
        ("2026-11-09T09:00", ("U0ADA",)),
        ("2026-10-20T23:59", ("U0ADA",)),
        ("2026-10-21T00:00", ("U0CYD",)),
        ("2026-10-22T12:00", ("U0ADA",)),
    ],
)
def test_people_take_turns_except_in_overrides(at: str, people: tuple[str, ...]) -> None:
    assert weekly().at(datetime.fromisoformat(at)) == people


@pytest.mark.parametrize(
    ("at", "people"),
    [
        ("2026-10-19T09:00", ("U0ADA",)),
        ("2026-10-20T09:00", ("U0BOB",)),
        ("2026-10-20T22:00", ("U0BOB", "U0CYD")),
        ("2026-10-21T09:00", ()),
    ],
)
def test_shifts_may_overlap_and_have_gaps(at: str, people: tuple[str, ...]) -> None:
    assert schedule_from_csv(SHIFTS).at(datetime.fromisoformat(at)) == people


def test_handover_follows_local_time_across_clock_change() -> None:
    """Clocks go back between the two Mondays, so the second handover is an hour later in UTC."""
    on_call = OnCall({"primary": weekly()}, DUBLIN)
    rule = paged("primary")
    at = [(19, 7, 59, ()), (19, 8, 0, ("U0ADA",)), (26, 8, 59, ("U0ADA",)), (26, 9, 0, ("U0BOB",))]
    for day, hour, minute, people in at:
        now = datetime(2026, 10, day, hour, minute, tzinfo=UTC)
        assert on_call.called_by(rule, now).paging.notify == people


def paged(*recipients: str) -> Rule:
    paging = Paging(notify=recipients, escalate_to=("#incidents", "primary"))
    return Rule("spike", "/usage today", "bytes", "#ops", above=5.0, paging_or_unset=paging)


def test_others_are_called_beside_the_schedule() -> None:
    on_call = OnCall({"primary": weekly()}, UTC)
    now = datetime(2026, 10, 20, 12, tzinfo=UTC)
    called = on_call.called_by(paged("pagerduty", "primary", "U0ADA"), now).paging
    assert called.notify == ("pagerduty", "U0ADA")
    assert called.escalate_to == ("#incidents", "U0ADA")
    assert on_call.without_anybody(["pagerduty", "primary"], now) == []


def test_gap_calls_nobody_and_is_known() -> None:
    on_call = OnCall({"primary": weekly()}, UTC)
    before = datetime(2026, 10, 1, tzinfo=UTC)
    assert on_call.called_by(paged("primary"), before).paging.notify == ()
    assert on_call.without_anybody(["primary"], before) == ["primary"]


def test_rule_without_schedules_is_unchanged() -> None:
    rule = paged("pagerduty")
    assert OnCall({}, UTC).called_by(rule, datetime(2026, 10, 1, tzinfo=UTC)) is rule


WRONG_TOML = {
    "empty": ("", "there is no [[rotation]] and no [[shift]]"),
    "unknown": ("[[rota]]\n", "'rota' is not known"),
    "no table": ("rotation = 3\n", "rotation must be written as [[rotation]]"),
    "missing": (
        "[[shift]]\nstart = 2026-01-01\nend = 2026-01-02\n",
        "[[shift]] 1 must have people",
    ),
    "reversed": (
        '[[shift]]\npeople = ["U0ADA"]\nstart = 2026-01-02\nend = 2026-01-01\n',
        "[[shift]] 1: end must be after start",
    ),
    "with a zone": (
        '[[shift]]\npeople = ["U0ADA"]\nstart = 2026-01-01T09:00:00Z\nend = 2026-01-02\n',
        "[[shift]] 1: start must be a local time",
    ),
    "no time": (
        '[[shift]]\npeople = ["U0ADA"]\nstart = 3\nend = 2026-01-02\n',
        "[[shift]] 1: start must be a local time",
    ),
    "a name": (
        '[[rotation]]\npeople = ["@ada"]\nstart = 2026-01-01\nevery = "7d"\n',
        "[[rotation]] 1: people must be Slack IDs",
    ),
    "nobody": (
        '[[rotation]]\npeople = []\nstart = 2026-01-01\nevery = "7d"\n',
        "[[rotation]] 1: people must be Slack IDs",
    ),
    "no duration": (
        '[[rotation]]\npeople = ["U0ADA"]\nstart = 2026-01-01\nevery = "0d"\n',
        "[[rotation]] 1: every must be a duration",
    ),
    "a number for a duration": (
        '[[rotation]]\npeople = ["U0ADA"]\nstart = 2026-01-01\nevery = 7\n',
        "[[rotation]] 1: every must be a duration",
    ),
    "no start of a rotation": (
        '[[rotation]]\npeople = ["U0ADA"]\nstart = 3\nevery = "7d"\n',
        "[[rotation]] 1: start must be a local time",
    ),
    "missing in a rotation": (
        '[[rotation]]\npeople = ["U0ADA"]\n',
        "[[rotation]] 1 must have people, start, every",
    ),
    "no time at all": (
        '[[shift]]\npeople = ["U0ADA"]\nstart = 2026-01-01\nend = 2026-01-01\n',
        "[[shift]] 1: end must be after start",
    ),
    "second override": (
        WEEKLY + '[[override]]\npeople = "U0ADA"\nstart = 2026-01-01\nend = 2026-01-02\n',
        "[[override]] 2: people must be Slack IDs",
    ),
    "a huge number": (f"secret = {'9' * 5000}", "a schedule as TOML (.toml) or CSV (.csv)"),
    "a huge file": ("# " + "x" * 1_000_000, "below 1 MB"),
    "no TOML": ("[[rotation\nsecret", "a schedule as TOML (.toml) or CSV (.csv)"),
}
WRONG_CSV = {
    "empty": ("", "the first line must be start,end,person"),
    "other columns": ("from,to,who\n", "the first line must be start,end,person"),
    "no shift": ("start,end,person\n", "there is no shift"),
    "a name": ("start,end,person\n2026-01-01,2026-01-02,ada\n", "line 2: people must be"),
    "no time": ("start,end,person\nmonday,2026-01-02,U0ADA\n", "line 2: start must be"),
    "few cells": ("start,end,person\n2026-01-01\n", "line 2: end must be"),
    "many cells": ("start,end,person\n2026-01-01,2026-01-02,U0ADA,x\n", "line 2: end must be"),
    "open quote": ('start,end,person\n"2026-01-01,2026-01-02,U0ADA\n', "is not CSV"),
    "a NUL": ("start,end,person\n2026-01-01,2026-01-02,U0A\0DA\n", "line 2"),
}


@pytest.mark.parametrize(
    ("suffix", "text", "wanted"),
    [
        *(pytest.param(".toml", *case, id=f"toml {name}") for name, case in WRONG_TOML.items()),
        *(pytest.param(".csv", *case, id=f"csv {name}") for name, case in WRONG_CSV.items()),
    ],
)
def test_wrong_file_is_a_problem(tmp_path: Path, suffix: str, text: str, wanted: str) -> None:
    with pytest.raises(ConfigError) as raised:
        configured(tmp_path, text, f"rota{suffix}")
    [problem] = raised.value.problems
    assert str(problem).startswith("on_call.primary")
    assert wanted in str(problem)
    assert "secret" not in str(problem)
    assert "digits" not in str(problem)


def configured(folder: Path, text: str, name: str = "rota.toml") -> Settings:
    (folder / name).write_text(text)
    table = {"on_call": {"primary": {"file": name}}}
    return parse_settings(table, folder=folder, environ={})


@pytest.mark.parametrize(
    ("name", "text"), [("rota.toml", WEEKLY), ("rota.csv", "\ufeff" + SHIFTS), ("ROTA.CSV", SHIFTS)]
)
def test_file_is_read_beside_the_configuration(tmp_path: Path, name: str, text: str) -> None:
    schedule = configured(tmp_path, text, name).on_call["primary"].schedule
    assert schedule.at(datetime.fromisoformat("2026-10-19T12:00")) == ("U0ADA",)


def test_many_shifts_are_refused() -> None:
    line = "2026-01-01,2026-01-02,U0ADA\n"
    with pytest.raises(ValueError, match="more than 10,000"):
        schedule_from_csv("start,end,person\n" + 10_001 * line)
    assert len(schedule_from_csv("start,end,person\n" + 10_000 * line).shifts) == 10_000


def test_schedule_named_like_a_target_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "rota.csv").write_text(SHIFTS)
    table = {
        "on_call": {"hook": {"file": "rota.csv"}},
        "targets": {"hook": {"kind": "webhook", "url": "http://localhost/x", "secret": "env:S"}},
    }
    with pytest.raises(ConfigError) as raised:
        parse_settings(table, folder=tmp_path, environ={"S": "0123456789abcdef0123456789abcdef"})
    assert "on_call.hook" in str(raised.value.problems[0])
