"""How every command ends: the exit codes that other programs rely on, and a sentence for people."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Iterator
from typing import Any

import click

from bot.cli.program import FAILED, WRONG, ProgramCommand, as_called, echo_json
from bot.errors import ConfigError
from bot.observability.logging_setup import LOG_FORMATTER
from bot.system.terminal_text import terminal_line, terminal_text

log = logging.getLogger("opswatch")
PROVIDER_FAILED = 3


class ExitCodeGroup(click.Group):
    """A group whose commands end with the exit codes of the contract; an unexpected error is 1."""

    command_class = ProgramCommand

    def get_help(self, ctx: click.Context) -> str:
        return as_called(super().get_help(ctx), ctx)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        # Click has its own messages and codes for these. A pipe is broken where another program, such
        # as `head`, has read enough.
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except ConfigError as error:
            show_config_error(error)
            sys.exit(WRONG)
        except Exception as error:
            # Redacted by the formatter; click would print it as it is.
            log.error("Unexpected error", exc_info=True)  # noqa: G201
            # Programs that read JSON lines must not find a sentence among them.
            if LOG_FORMATTER.log_format == "text":
                click.echo(
                    f"Something went wrong in the bot itself ({type(error).__name__}).", err=True
                )
            sys.exit(FAILED)


@contextlib.contextmanager
def report_errors(as_json: bool) -> Iterator[None]:
    """Shows an error as one sentence or as JSON, and exits with its code."""
    from handlers.error_messages import error_message

    try:
        yield
    except BrokenPipeError:
        raise
    except Exception as error:
        shown = error_message(error)
        if shown.kind == "internal":
            log.error("Unexpected error", exc_info=error)
        if as_json:
            echo_json(shown.as_json())
        elif isinstance(error, ConfigError):
            show_config_error(error)
        else:
            # A question is what to type instead; other hints are sentences.
            hint = f"Try {shown.hint}" if shown.hint.startswith("/") else shown.hint
            click.echo(terminal_text(as_called(f"{shown.message}\n{hint}".strip())), err=True)
        sys.exit(shown.exit_code)


def show_config_error(error: ConfigError) -> None:
    """Shows every problem of the configuration, a line each, and what to do."""
    for problem in error.problems:
        click.echo(terminal_line(as_called(f"NO  {problem}")), err=True)
    click.echo(terminal_text(as_called(error.hint)), err=True)
