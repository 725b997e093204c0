"""What is logged about failures after which the work continues."""

from __future__ import annotations

import ast
import asyncio
import logging
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from bot.alerts.rule import Rule
from bot.errors import BadQuestion, SlackRefused
from bot.observability.faults import MOST_REMEMBERED, REPEAT_AFTER_S, RecentFaults
from bot.schedules.due import Due
from bot.store import StoreUnavailable, Topic
from handlers import changes, error_messages
from handlers.changes import ChangeWatcher
from handlers.error_messages import log_failure
from handlers.jobs.evaluations import measured
from handlers.jobs.scheduler import Job, Scheduler, _every, _removed
from handlers.listeners.forms.question import _listed
from handlers.listeners.workflow_step import WorkflowStep
from providers.errors import AuthFailed, Unavailable
from tests.conftest import ROOT

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def recent_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forgets the faults that other tests logged."""
    monkeypatch.setattr(error_messages, "RECENT_FAULTS", RecentFaults())


async def broken(*_: Any, **__: Any) -> Any:
    raise ValueError("the oven is cold")


def raised(error: Exception) -> Exception:
    try:
        raise error
    except Exception as caught:
        return caught


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (BadQuestion("No log hunter2."), "WARNING Alert oven failed: bad_question"),
        (AuthFailed("no.", account="edge", hint=""), "WARNING Alert oven failed: auth"),
        (StoreUnavailable("disk full"), "WARNING Alert oven failed: disk full"),
        (SlackRefused("is_archived"), "WARNING Alert oven failed: is_archived"),
    ],
    ids=["question", "vendor", "database", "slack"],
)
def test_expected_failure_is_one_line(
    caplog: pytest.LogCaptureFixture, error: Exception, line: str
) -> None:
    log_failure(raised(error), "Alert oven failed")
    [record] = caplog.records
    assert f"{record.levelname} {record.getMessage()}" == line
    assert record.exc_info is None


def test_repeated_fault_has_one_traceback(caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        log_failure(raised(ValueError("cold")), "Alert oven failed")
    assert [bool(record.exc_info) for record in caplog.records] == [True, False, False]
    assert "ValueError again" in caplog.records[2].getMessage()


def test_other_fault_has_its_own_traceback(caplog: pytest.LogCaptureFixture) -> None:
    log_failure(raised(ValueError("cold")), "Alert oven failed")
    log_failure(raised(KeyError("oven")), "Alert oven failed")
    assert all(record.exc_info for record in caplog.records)


def test_fault_is_new_again_after_an_hour() -> None:
    now = 0.0
    faults = RecentFaults(lambda: now)
    error = raised(ValueError())
    assert [faults.is_new(error), faults.is_new(error)] == [True, False]
    now = REPEAT_AFTER_S
    assert faults.is_new(error)


def test_remembered_faults_are_bounded() -> None:
    faults = RecentFaults()
    kinds = [type(f"Fault{n}", (Exception,), {}) for n in range(MOST_REMEMBERED + 1)]
    assert all(faults.is_new(raised(kind())) for kind in kinds)
    assert faults.is_new(raised(kinds[0]()))
    assert not faults.is_new(raised(kinds[-1]()))


async def run_job() -> None:
    scheduler = Scheduler(None, lambda: NOON, [], broken, broken)  # type: ignore[arg-type]
    await scheduler._run_job(Job("oven", None, broken, broken), Due("oven", NOON, 0))  # type: ignore[arg-type]


async def run_round() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await _every(0.01, broken)


async def run_watch() -> None:
    async def numbers() -> dict[Topic, int]:
        return dict.fromkeys(Topic, 1)

    watcher = ChangeWatcher(SimpleNamespace(numbers=numbers), dict.fromkeys(Topic, broken))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await watcher.run()


async def run_tick() -> None:
    def clock() -> datetime:
        raise ValueError("no time")

    await Scheduler(None, clock, [], broken, broken)._tick()  # type: ignore[arg-type]


async def remove_schedule() -> None:
    _removed("oven", raised(ValueError("cold")))


async def evaluate() -> None:
    rule = Rule("oven", "/usage 7d", "bytes", "#ops", above=1)
    answering = SimpleNamespace(directory=None, measure=broken)
    await measured(answering, rule, now=NOON, zone=UTC)  # type: ignore[arg-type]


async def list_logs() -> None:
    assert await _listed(SimpleNamespace(named_logs=broken)) == []


async def run_step() -> None:
    parts = dict.fromkeys(("answering", "posts", "outbox", "zone", "clock", "saved_questions"))
    secrets = SimpleNamespace(redacted=str)
    permissions = SimpleNamespace(access=SimpleNamespace(is_public=lambda *_: 1 / 0))
    step = WorkflowStep(**parts, permissions=permissions, secrets=secrets)  # type: ignore[arg-type]

    async def ignore(**_: Any) -> None:
        """Ignores what is sent to Slack."""

    event = {"inputs": {"channel": "C0OPS", "question": "/usage 7d"}}
    await step(event, ignore, ignore)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "work",
    [run_job, run_round, run_tick, run_watch, remove_schedule, evaluate, list_logs, run_step],
    ids=lambda work: work.__name__,
)
async def test_fault_in_the_background_logs_its_traceback(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, work: Any
) -> None:
    monkeypatch.setattr(changes, "CHECK_EVERY_S", 0.01)
    await work()
    first = caplog.records[0]
    assert (first.levelno, bool(first.exc_info)) == (logging.ERROR, True)


# The text of a network error may hold the URL, which is a secret; a repeated fault has its traceback
# further up.
KIND_ALONE = {"bot/slack/response_url.py", "handlers/error_messages.py"}


def logs_a_kind(node: ast.AST) -> bool:
    """Whether a call such as `log.error("… %s", type(error).__name__)` has no traceback."""
    if not (isinstance(node, ast.Call) and ast.unparse(node.func).startswith("log.")):
        return False
    has_traceback = any(word.arg == "exc_info" for word in node.keywords)
    return not has_traceback and "type(error).__name__" in ast.unparse(node)


def test_no_log_line_has_only_the_kind_of_an_error() -> None:
    modules = [path for room in ("bot", "handlers") for path in (ROOT / room).rglob("*.py")]
    found = {
        str(path.relative_to(ROOT))
        for path in modules
        if any(map(logs_a_kind, ast.walk(ast.parse(path.read_text("utf-8")))))
    }
    assert found == KIND_ALONE


def test_log_names_the_host_that_was_not_reached(caplog: pytest.LogCaptureFixture) -> None:
    what = "eu could not be reached: connection refused."
    error = Unavailable(what, account="eu", hint="", host="eu.example.com:8443")
    log_failure(error, "Alert spike could not be evaluated")
    assert "connection refused (eu.example.com:8443)." in caplog.text
