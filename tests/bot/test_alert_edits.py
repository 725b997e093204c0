"""Alerts that are changed by words: what the words name changes, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.alerts.baseline import Usual
from bot.alerts.commands import CreateAlert, parse_alert_command
from bot.alerts.edit import edited_alert
from bot.errors import BadQuestion
from tests.bot.test_question import HOUSE

BEFORE = "alert rapid7-eu today above 5 GB recover 4 GB every 10m for 30m repeat 4h as spike severity warning"


def alert(words: str = BEFORE) -> CreateAlert:
    found = parse_alert_command("usage", words, HOUSE)
    assert isinstance(found, CreateAlert)
    return replace(found, condition="")


@pytest.mark.parametrize(
    ("words", "changes"),
    [
        ("above 6 GB", {"threshold": 6e9}),
        ("to above 6 GB", {"threshold": 6e9}),
        ("above 6 GB for 10m every 5m", {"threshold": 6e9, "for_": timedelta(minutes=10), "every": timedelta(minutes=5)}),
        ("every 15m", {"every": timedelta(minutes=15)}),
        ("for 10m", {"for_": timedelta(minutes=10)}),
        ("recover 3 GB", {"recover": 3e9}),
        ("above 2 GB recover 1 GB", {"threshold": 2e9, "recover": 1e9}),
        ("below 2 GB recover 3 GB", {"side": "below", "threshold": 2e9, "recover": 3e9}),
        ("repeat 1h each log", {"repeat": timedelta(hours=1), "each": "log"}),
        ("nodata alert", {"no_data": "alert"}),
        ("peak_bytes above 6 GB recover 5 GB", {"value": "peak_bytes", "threshold": 6e9, "recover": 5e9}),
    ],
)  # fmt: skip
def test_only_what_is_named_changes(words: str, changes: dict[str, Any]) -> None:
    before = alert()
    assert edited_alert("usage", before, words, HOUSE) == replace(before, **changes)


def test_severity_keeps_the_rest_of_the_paging() -> None:
    before = alert(f"{BEFORE} runbook https://wiki.example.com/x")
    after = edited_alert("usage", before, "severity critical", HOUSE)
    assert (after.paging.severity, after.paging.runbook) == ("critical", before.paging.runbook)


def test_usual_threshold_is_kept_and_changed() -> None:
    before = alert("alert today above 2x usual as spike")
    assert edited_alert("usage", before, "every 5m", HOUSE).usual == before.usual
    assert edited_alert("usage", before, "above 3x usual", HOUSE).usual == Usual("above", 3.0)


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        ("", "What should change", "every 5m"),
        ("above", "Above or below what", "above 5 GB"),
        ("above 3 GB", "resolve threshold of the alert does not fit", ""),
        ("above 2x usual", "resolve threshold of the alert does not fit", ""),
        ("above 6 GB as other", "the question and the name stay", ""),
        ("yesterday above 6 GB", "the question and the name stay", ""),
        ("above 6 GB in last 3 days", "the question and the name stay", ""),
        ("every 1s", "every is at least 5s", "every 15m"),
        ("soon", "", None),
        ("above 6 parsecs", "not an option", None),
    ],
)
def test_what_cannot_be_changed_is_refused(words: str, message: str, hint: str | None) -> None:
    with pytest.raises(BadQuestion, match=message) as caught:
        edited_alert("usage", alert(), words, HOUSE)
    assert hint is None or caught.value.hint == hint
