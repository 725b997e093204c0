"""What commands share: the program's name, and the option for the configuration file."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from io import TextIOWrapper
from pathlib import Path
from typing import Any, NoReturn, TextIO, TypeVar

import click

from bot.system.terminal_text import terminal_json, terminal_text

MODULE = "python -m bot"
CONFIG_HELP = "The configuration; else $BOT_CONFIG, else ./bot.toml."
WRONG = 2
FAILED = 1
F = TypeVar("F", bound=Callable[..., Any])


class ProgramCommand(click.Command):
    """A command whose help shows the name that it was called by, `opswatch` or `python -m bot`."""

    def get_help(self, ctx: click.Context) -> str:
        return as_called(super().get_help(ctx), ctx)


def as_called(text: str, ctx: click.Context | None = None) -> str:
    """The text with the name that the program was called by, so that its examples can be copied."""
    ctx = ctx or click.get_current_context(silent=True)
    name = ctx.find_root().info_name if ctx else None
    # Messages that Slack shows, too, name the program as it is installed.
    return text.replace(MODULE, name).replace("`opswatch ", f"`{name} ") if name else text


def config_option(function: F) -> F:
    return click.option(
        "--config", "config_path", type=click.Path(path_type=Path), help=CONFIG_HELP
    )(function)


def config_file(given: Path | None) -> Path:
    return given or Path(os.environ.get("BOT_CONFIG") or "bot.toml")


def is_verbose() -> bool:
    """Whether the program was called with `--verbose`."""
    return bool(click.get_current_context().find_root().params.get("verbose"))


def has_demo() -> bool:
    """Whether the packages that only the demo needs are installed."""
    from providers.registry import registry

    return all(provider.can_run_sandbox for provider in registry().providers.values())


def is_terminal(stream: TextIO | None) -> bool:
    """Whether somebody reads the stream as it is written: a terminal that can place text, or any
    stream where FORCE_COLOR says so.
    """
    # A program may be started with its output closed.
    if stream is None:
        return False
    # CI systems have no terminal and show colours (https://force-color.org).
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM", "") not in ("", "dumb", "unknown")


def coloured(text: str, colour: str) -> str:
    """The text in a colour on standard output where that is a terminal and NO_COLOR is not set
    (https://no-color.org).
    """
    if os.environ.get("NO_COLOR") or not is_terminal(sys.stdout):
        return text
    return click.style(text, fg=colour)


def echo_json(value: Any) -> None:
    """Prints the value as one line of JSON, in UTF-8 whatever the locale is, as programs expect."""
    # Bytes, which click writes as they are.
    click.echo(terminal_json(value).encode())


def print_in_any_locale() -> None:
    """Replaces characters that the encoding of a stream lacks by `?`, so that output continues."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # The default raises an error in the middle of an answer.
            stream.reconfigure(errors="replace")


def fail(message: str, code: int = WRONG) -> NoReturn:
    """Ends the command with a sentence on standard error."""
    click.echo(terminal_text(as_called(message)), err=True)
    sys.exit(code)
