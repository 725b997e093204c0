"""The program's commands: `python -m bot`.

A command imports what it needs when it runs, so that `--help` is shown at once.
"""

from __future__ import annotations

import errno
import gc
import logging
import sys
from pathlib import Path

import click

from bot import __version__
from bot.cli.database import backup, forget, migrate, restore
from bot.cli.exit_codes import ExitCodeGroup, report_errors
from bot.cli.init import init
from bot.cli.manifest import manifest
from bot.cli.mcp.command import mcp
from bot.cli.program import (
    FAILED,
    as_called,
    coloured,
    config_file,
    config_option,
    echo_json,
    fail,
    has_demo,
    is_terminal,
    is_verbose,
    print_in_any_locale,
)
from bot.cli.run import run
from bot.errors import BadQuestion
from bot.observability.logging_setup import FORMATS, LogFormat, configure_logging, logged_question
from bot.system.terminal_text import terminal_line, terminal_text

MAX_PORT = 65_535
_COLOURS = {"ok ": "green", "!! ": "yellow", "NO ": "red"}


@click.group(
    cls=ExitCodeGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, message="%(version)s")
@click.option("--verbose", is_flag=True, help="Log more on standard error.")
@click.option(
    "--log-format",
    type=click.Choice(FORMATS),
    default=None,
    envvar="BOT_LOG_FORMAT",
    help="How lines are logged; text unless given here or, for `run`, under `[logging]`.",
)
def main(verbose: bool, log_format: LogFormat | None) -> None:
    """Opswatch answers operations questions in Slack.

    \b
    Examples:
      python -m bot demo                      try it: no account, no token, no network
      python -m bot ask "/usage last 7 days"  one question, answered here
      python -m bot backtest ingest-spike     what would this alert have done?
      python -m bot init                      a configuration to start from
      python -m bot check                     is everything set up?
      python -m bot run                       connect to Slack
      python -m bot mcp                       answer AI assistants
    """
    # Before anything is printed: a C locale cannot encode an en dash.
    print_in_any_locale()
    # Hardly anything of what a start imports is garbage, and looking for some takes a sixth of it.
    gc.disable()
    click.get_current_context().call_on_close(gc.enable)
    configure_logging(verbose=verbose, log_format=log_format or "text")


@main.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="The answer as one JSON object.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="Where files go; the current folder.",
)
@click.option("--user", default=None, help="Apply the access rules as for this person (U…).")
@click.option("--channel", default=None, help="Apply the access rules as for this channel (C…).")
@click.argument("text")
def ask(
    config_path: Path | None,
    as_json: bool,
    out: Path,
    user: str | None,
    channel: str | None,
    text: str,
) -> None:
    """Answer one question here, without Slack.

    \b
    Examples:
      python -m bot ask "/usage last 7 days"
      python -m bot ask "/apiaudit 24h failures" --json
      python -m bot ask "/logs kitchen 20m" --out /tmp
    """
    import asyncio
    import uuid

    from bot.cli.ask import TerminalAnswer, answer_in_terminal
    from bot.cli.progress import shown_progress

    async def answer() -> TerminalAnswer:
        async with shown_progress() as progress:
            return await answer_in_terminal(
                text,
                config_file(config_path),
                out=out,
                user=user,
                channel=channel,
                progress=progress,
            )

    lower_log_level()
    with report_errors(as_json), logged_question(f"terminal-{uuid.uuid4().hex[:12]}"):
        shown = asyncio.run(answer())
        if as_json:
            echo_json(shown.as_json())
        # Imported only here: laying out a table takes a library that a script does not need.
        elif is_terminal(sys.stdout):
            from bot.cli.layout import print_answer

            print_answer(shown.answer.blocks, shown.saved())
        else:
            click.echo(shown.as_text())


@main.command()
@config_option
@click.option("--days", default=90, show_default=True, help="How far back.")
@click.option("--json", "as_json", is_flag=True, help="The result as one JSON object.")
@click.argument("name")
def backtest(config_path: Path | None, days: int, as_json: bool, name: str) -> None:
    """Show what an alert would have done in the past.

    NAME is an alert of the configuration. Its stored values are taken, and what is missing is
    fetched.

    \b
    Examples:
      python -m bot backtest ingest-spike
      python -m bot backtest ingest-spike --days 30 --json
    """
    import asyncio

    from bot.blocks.backtest import backtest_text
    from bot.cli.backtest import backtest_json, run_backtest

    lower_log_level()
    with report_errors(as_json):
        test, zone = asyncio.run(run_backtest(name, config_file(config_path), days=days))
        if as_json:
            echo_json(backtest_json(test))
        else:
            click.echo(terminal_text(backtest_text(test, zone)))


@main.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="The checks as one JSON object.")
def check(config_path: Path | None, as_json: bool) -> None:
    """Check configuration, tokens, scopes and accounts.

    Each account gets one cheap request. Also checked: whether Slack knows the channels, people
    and user groups of the configuration and the bot is in those channels, whether the clock is
    right, whether there is room on the disk, and which commands would be refused for everybody.
    Lines begin with "ok", "NO" (with what to do) or "!!" (a warning, which fails nothing).

    \b
    Examples:
      python -m bot check
      python -m bot check --config /etc/opswatch/bot.toml --json
    """
    import asyncio

    from bot.cli.check import run_checks

    checks, code = asyncio.run(run_checks(config_file(config_path)))
    if as_json:
        plain = [{"name": c.name, "ok": c.ok, "detail": c.detail, "hint": c.hint} for c in checks]
        echo_json({"ok": code == 0, "checks": plain})
    else:
        for line, following in zip(checks, [*checks[1:], None], strict=True):
            # A hint beside something that works is a warning.
            mark = "NO " if not line.ok else "!! " if line.hint else "ok "
            click.echo(
                coloured(mark, _COLOURS[mark]) + terminal_line(f" {line.name}: {line.detail}")
            )
            # Several lines with the same remedy say it once.
            if line.hint and (following is None or following.hint != line.hint):
                click.echo(terminal_line(as_called(f"     → {line.hint}")))
    sys.exit(code)


@main.command()
@click.option("--config", "config_path", type=click.Path(path_type=Path), hidden=True)
@click.option(
    "--port", default=8765, show_default=True, help="The page's port; 0 takes a free one."
)
@click.option(
    "--ask",
    "lines",
    multiple=True,
    help="Play this command, print the conversation and exit; repeatable.",
)
def demo(config_path: Path | None, port: int, lines: tuple[str, ...]) -> None:  # noqa: ARG001
    """Try the bot in a sandbox, without an account.

    The sandbox is a local Slack look-alike with a web page, and stand-ins of all vendors. The
    bot in it is the real one, connected over a real WebSocket. No account, token or network is
    needed.

    \b
    Examples:
      python -m bot demo
      python -m bot demo --ask "/usage last 7 days" --ask "/logs kitchen"
    """
    import asyncio

    from bot.sandbox.demo import play, read_commands, serve
    from bot.system.private_files import temporary_folder

    # Checked here, since asyncio reports it as an overflow.
    if not 0 <= port <= MAX_PORT:
        fail(f"--port takes a number from 0 to {MAX_PORT}, not {port}.")
    if not has_demo():
        fail("The demo needs packages that are not installed: pip install 'opswatch[demo]'")
    try:
        commands = read_commands(lines)
    except BadQuestion as error:
        fail(f"{error.message} Try {error.hint}")
    if commands:
        # The conversation is what matters here.
        lower_log_level()
    try:
        # A demo leaves nothing behind.
        with temporary_folder("opswatch-demo-") as folder:
            asyncio.run(play(folder, commands) if commands else serve(folder, port))
    except KeyboardInterrupt:
        # The usual end of the page, and not of a conversation.
        if commands:
            raise
    except BrokenPipeError:
        raise
    except OSError as error:
        fail(_why_no_demo(error, port), FAILED)


def _why_no_demo(error: OSError, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} is in use, perhaps by another demo. Choose another one with --port, or a "
            "free one with --port 0 (`make demo PORT=0`)."
        )
    if error.errno == errno.EACCES:
        return f"Port {port} may not be used without root. Choose one from 1024 on with --port."
    return f"The demo could not start: {error.strerror or error}."


for command in (run, mcp, manifest, init, backup, restore, migrate, forget):
    main.add_command(command)


def lower_log_level() -> None:
    """Errors alone, unless `--verbose` asks for more: the answer is what matters here."""
    if not is_verbose():
        logging.getLogger("opswatch").setLevel(logging.ERROR)
