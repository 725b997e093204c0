"""Log lines: in UTC, without secrets whoever wrote them, and with the question they belong to."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.observability.logging_setup import LogFormat, RedactingFormatter, logged_question
from providers.redaction import Redactor, Secret
from tests.conftest import ROOT

OWN = "our-own-secret"


def formatter(log_format: LogFormat) -> RedactingFormatter:
    made = RedactingFormatter(log_format)
    made.redactor = Redactor([Secret(OWN)])
    return made


def record(message: str, *args: Any, error: bool = False, **more: Any) -> logging.LogRecord:
    exc_info = None
    if error:
        try:
            raise ValueError(f"token=abc {OWN}")
        except ValueError:
            exc_info = sys.exc_info()
    made = logging.LogRecord("opswatch", logging.ERROR, "f", 1, message, args, exc_info)
    vars(made).update(more)
    return made


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_no_secret_is_logged(log_format: LogFormat) -> None:
    shown = formatter(log_format).format(
        record("Bearer %s", "abcdefghijk", error=True, stack_info=f"Stack: {OWN}")
    )
    assert "abcdefghijk" not in shown
    assert OWN not in shown
    assert "token=[redacted]" in shown
    assert "Traceback" in shown
    assert "Stack:" in shown


HOSTILE = {
    "lines": "one\ntwo\r\nthree",
    "JSON": '{"level": "INFO", "password": "hunter2"}',
    "quotes": '"}\\',
    "escape sequences": "\x1b[2J\x1b]0;title\x07",
    "marks of direction": "\u202eabc\u2066",
    "lone surrogates": "\ud800",
    "nothing": "",
}


@pytest.mark.parametrize("message", HOSTILE.values(), ids=HOSTILE.keys())
def test_json_line_is_one_object(message: str) -> None:
    line = formatter("json").format(record("%s", message, error=True))
    assert len(line.splitlines()) == 1
    assert line.isprintable()
    fields = json.loads(line)
    assert list(fields) == ["time", "level", "logger", "message", "exception"]
    assert "hunter2" not in line


FORGED = "2026-11-27T10:00:00.000Z INFO opswatch: all is well"


@pytest.mark.parametrize("separator", ["\n", "\r\n", "\r", "\u2028", "\x85", "\x0b"])
def test_text_from_outside_forges_no_line(separator: str) -> None:
    forged = f"x{separator}{FORGED}"
    try:
        raise ValueError(forged)
    except ValueError:
        made = logging.LogRecord("opswatch", logging.ERROR, "f", 1, "%s", (forged,), sys.exc_info())
    with logged_question(forged):
        first, *below = formatter("text").format(made).splitlines()
    assert "ERROR opswatch" in first
    assert all(line.startswith("  ") for line in below)


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_time_is_utc_and_says_so(log_format: LogFormat) -> None:
    made = record("hello")
    line = formatter(log_format).format(made)
    shown = json.loads(line)["time"] if log_format == "json" else line.split()[0]
    assert shown.endswith("Z")
    moment = datetime.fromisoformat(shown)
    assert moment.utcoffset() == timedelta(0)
    assert abs(moment.timestamp() - made.created) < 0.002


def test_text_line_reads_as_before() -> None:
    line = formatter("text").format(record("hello"))
    assert line.split(maxsplit=1)[1] == "ERROR opswatch: hello"


def test_json_without_a_question_has_no_such_member() -> None:
    assert "question" not in json.loads(formatter("json").format(record("hello")))


@pytest.fixture
def lines() -> Iterator[list[dict[str, str]]]:
    """What is logged, as JSON."""
    found: list[dict[str, str]] = []
    made = formatter("json")
    log = logging.getLogger("opswatch.test")

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(json.loads(made.format(record)))

    handler = Collect()
    log.addHandler(handler)
    yield found
    log.removeHandler(handler)


async def test_question_follows_its_tasks_and_threads(lines: list[dict[str, str]]) -> None:
    log = logging.getLogger("opswatch.test")

    async def work(number: int) -> None:
        with logged_question(f"question-{number}"):
            await asyncio.sleep(0)
            await asyncio.create_task(log_in_task(number))
            await asyncio.to_thread(log.warning, "thread %d", number)

    async def log_in_task(number: int) -> None:
        log.warning("task %d", number)

    await asyncio.gather(*(work(number) for number in range(5)))
    log.warning("outside")
    assert len(lines) == 11
    assert "question" not in lines.pop()
    for line in lines:
        assert line["question"] == f"question-{line['message'].split()[1]}"


UNCAUGHT = {
    "in a thread": "threading.Thread(target=fail).start()",
    "in a finalizer": "type('Broken', (), {'__del__': lambda self: fail()})()",
    "at the top": "fail()",
}
SCRIPT = """
import threading, warnings
from bot.observability.logging_setup import configure_logging, redact_in_logs
from providers.redaction import Secret

configure_logging(verbose=False, log_format="json")
redact_in_logs([Secret("our-own-secret")])
warnings.warn("our-own-secret is deprecated")

def fail():
    raise ValueError("our-own-secret")

"""


@pytest.mark.parametrize("line", UNCAUGHT.values(), ids=UNCAUGHT.keys())
def test_uncaught_exception_is_logged_without_secrets(line: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT + line], capture_output=True, text=True, cwd=ROOT, timeout=60
    )
    warning, uncaught = [json.loads(found) for found in ran.stderr.splitlines()]
    assert warning["logger"] == "py.warnings"
    assert "ValueError" in uncaught["exception"]
    assert OWN not in ran.stderr
