"""How every command ends: the exit codes that other programs rely on, and a sentence for people."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import sys
from collections.abc import Iterator
from typing import Any

import click

from bot.cli.program import FAILED, WRONG, ProgramCommand, as_called, echo_json, fail
from bot.errors import ConfigError, hint_in_words
from bot.observability.logging_setup import LOG_FORMATTER
from bot.system.terminal_text import terminal_line, terminal_text

log = logging.getLogger("opswatch")
PROVIDER_FAILED = 3
# As a shell reports the end by SIGINT and by SIGPIPE (128 and the number of the signal).
INTERRUPTED = 130
PIPE_CLOSED = 141
# What a disk or a device reports that takes no more output.
_NOT_WRITTEN = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})


class ExitCodeGroup(click.Group):
    """A group whose commands end with the exit codes of the contract; an unexpected error is 1."""

    command_class = ProgramCommand

    def get_help(self, ctx: click.Context) -> str:
        return as_called(super().get_help(ctx), ctx)

    # Also prints the help of the program.
    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        with _end_quietly():
            return super().make_context(*arguments, **options)

    def invoke(self, ctx: click.Context) -> Any:
        with _end_quietly():
            return self._invoke(ctx)

    def _invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        # Click has its own messages and codes for these.
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except ConfigError as error:
            show_config_error(error)
            sys.exit(WRONG)
        except Exception as error:
            if _is_unwritten(error):
                raise
            # Redacted by the formatter; click would print it as it is.
            log.error("Unexpected error", exc_info=True)  # noqa: G201
            # Programs that read JSON lines must not find a sentence among them.
            if LOG_FORMATTER.log_format == "text":
                click.echo(
                    f"Something went wrong in the bot itself ({type(error).__name__}).", err=True
                )
            sys.exit(FAILED)


@contextlib.contextmanager
def _end_quietly() -> Iterator[None]:
    """Ends without a word where Ctrl-C was pressed, or where the program that reads the output, such
    as `head`, has read enough, and with a sentence where a disk takes no more of it.
    """
    try:
        yield
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        _discard_output()
        sys.exit(PIPE_CLOSED)
    except OSError as error:
        if not _is_unwritten(error):
            raise
        _discard_output()
        fail(f"The output could not be written: {error.strerror}.", FAILED)


def _is_unwritten(error: Exception) -> bool:
    """Whether the output could not be written, rather than a file of the bot."""
    if isinstance(error, BrokenPipeError):
        return True
    return isinstance(error, OSError) and not error.filename and error.errno in _NOT_WRITTEN


def _discard_output() -> None:
    """Keeps the interpreter from writing what is buffered when it ends, which would fail again."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextlib.contextmanager
def report_errors(as_json: bool) -> Iterator[None]:
    """Shows an error as one sentence or as JSON, and exits with its code."""
    from handlers.error_messages import error_message

    try:
        yield
    except Exception as error:
        if _is_unwritten(error):
            raise
        shown = error_message(error)
        if shown.kind == "internal":
            log.error("Unexpected error", exc_info=error)
        if as_json:
            echo_json(shown.as_json())
        elif isinstance(error, ConfigError):
            show_config_error(error)
        else:
            words = f"{shown.message}\n{hint_in_words(shown.hint)}".strip()
            click.echo(terminal_text(as_called(words)), err=True)
        sys.exit(shown.exit_code)


def show_config_error(error: ConfigError) -> None:
    """Shows every problem of the configuration, a line each, and what to do."""
    for problem in error.problems:
        click.echo(terminal_line(as_called(f"NO  {problem}")), err=True)
    click.echo(terminal_text(as_called(error.hint)), err=True)
