"""Log lines as text or JSON: UTC, without secrets, each with the question it belongs to."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Literal

from bot.system.terminal_text import terminal_json, terminal_line, terminal_text

if TYPE_CHECKING:
    from providers.redaction import Redactor, Secret

LogFormat = Literal["text", "json"]
FORMATS: Sequence[LogFormat] = ("text", "json")
# These libraries log every request at INFO.
CHATTY_LOGGERS = (
    "aiohttp.access",
    "apscheduler",
    "httpcore",
    "httpx",
    "slack_bolt",
    "slack_sdk",
)
_question: ContextVar[str] = ContextVar("question", default="")


@contextmanager
def logged_question(question: str) -> Iterator[None]:
    """Marks every line that is logged inside with this ID, also by tasks that are started there."""
    # A ContextVar is copied into each task, so that the questions of many people do not mix.
    token = _question.set(question)
    try:
        yield
    finally:
        _question.reset(token)


class RedactingFormatter(logging.Formatter):
    """Formats log records without secrets, also those of libraries and in tracebacks.

    Text is one line, and an indented traceback where there is one. JSON is one object a line: `time`, `level`,
    `logger`, `message`, and where known `question`, `exception` and `stack`.
    """

    def __init__(self, log_format: LogFormat = "text") -> None:
        super().__init__()
        self.log_format = log_format

    @cached_property
    def redactor(self) -> Redactor:
        """Built for the first line: its rules take longer to import than `--help` takes to print."""
        from providers.redaction import Redactor

        return Redactor()

    def format(self, record: logging.LogRecord) -> str:
        fields = self._fields(record)
        return terminal_json(fields) if self.log_format == "json" else _as_text(fields)

    def _fields(self, record: logging.LogRecord) -> dict[str, str]:
        """The parts of a line, each redacted by itself so that the JSON stays valid."""
        exception = self.formatException(record.exc_info) if record.exc_info else record.exc_text
        stack = self.formatStack(record.stack_info) if record.stack_info else ""
        fields = {
            "time": _utc(record.created),
            "level": record.levelname,
            "logger": record.name,
            "message": self.redactor.text(record.getMessage()),
            "question": _question.get(),
            "exception": self.redactor.text(exception) if exception else "",
            "stack": self.redactor.text(stack) if stack else "",
        }
        return {name: value for name, value in fields.items() if value or name == "message"}


LOG_FORMATTER = RedactingFormatter()


def configure_logging(*, verbose: bool, log_format: LogFormat = "text") -> None:
    """Sends everything that is logged to standard error."""
    LOG_FORMATTER.log_format = log_format
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LOG_FORMATTER)
    logging.basicConfig(handlers=[handler], level=logging.INFO if verbose else logging.WARNING)
    # Python prints warnings on standard error past every handler, and so past the redaction.
    logging.captureWarnings(capture=True)
    _log_uncaught_exceptions()
    logging.getLogger("opswatch").setLevel(logging.INFO)
    for name in CHATTY_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)
    # Bolt warns that the token of the environment is unused, since the bot authorizes itself.
    logging.getLogger("slack_bolt.AsyncApp").addFilter(
        lambda record: "will be" not in record.getMessage()
    )


def set_log_level(level: str, *, verbose: bool) -> None:
    """Sets the level of the bot's own lines. `--verbose` is not reduced."""
    if not verbose:
        logging.getLogger("opswatch").setLevel(level.upper())


def redact_in_logs(secrets: Sequence[Secret]) -> None:
    """Removes these secrets from every line from now on."""
    from providers.redaction import Redactor

    LOG_FORMATTER.redactor = Redactor(secrets)


def _log_uncaught_exceptions() -> None:
    """Logs exceptions that nothing catches, in threads and finalizers too. Python would print them
    with secrets and in no format.
    """
    log = logging.getLogger("opswatch")

    def log_uncaught(
        kind: type[BaseException], error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # Ctrl-C is not a fault, and keeps its usual effect.
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error or kind(), traceback)
        elif error is not None:
            log.error("Uncaught exception", exc_info=(kind, error, traceback))

    sys.excepthook = log_uncaught
    threading.excepthook = lambda found: log_uncaught(
        found.exc_type, found.exc_value, found.exc_traceback
    )
    sys.unraisablehook = lambda found: log_uncaught(
        found.exc_type, found.exc_value, found.exc_traceback
    )


def _as_text(fields: dict[str, str]) -> str:
    """A line; a traceback is indented below it, so that no text from outside looks like a line."""
    question = f" [{fields['question']}]" if "question" in fields else ""
    head = f"{fields['time']} {fields['level']} {fields['logger']}{question}: {fields['message']}"
    below = "\n".join(fields[name] for name in ("exception", "stack") if name in fields)
    return "\n".join([terminal_line(head), *_indented(terminal_text(below))])


def _indented(text: str) -> Iterator[str]:
    for line in text.splitlines():
        yield f"  {line}"


def _utc(timestamp: float) -> str:
    moment = datetime.fromtimestamp(timestamp, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
