"""The front requests: `python -m bot`."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from bot import __version__
from bot.cli.database import backup, forget, migrate, restore
from bot.cli.init import init
from bot.cli.program import ProgramCommand, as_called, fail, has_demo
from bot.errors import BadQuestion, ConfigError
from bot.private_files import temporary_folder
from bot.terminal_text import terminal_json, terminal_line, terminal_text
from providers.redaction import Redactor, Secret

EXIT_CODES = {"bad_question": 2, "bad_config": 2, "refused": 4, "internal": 1}
PROVIDER_FAILED = 3
MAX_PORT = 65_535
CONFIG_HELP = "The configuration; else $BOT_CONFIG, else ./bot.toml."


class ExitCodeGroup(click.Group):
    """A group whose commands end with the exit codes we promise: what we did not foresee is 1."""

    command_class = ProgramCommand

    def get_help(self, ctx: click.Context) -> str:
        return as_called(super().get_help(ctx), ctx)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except ConfigError as error:
            _tell_config(error)
            sys.exit(2)
        except Exception as error:
            logging.getLogger("opswatch").error("Unexpected error", exc_info=True)
            click.echo(
                f"Something went wrong in the bot itself ({type(error).__name__}).", err=True
            )
            sys.exit(1)


class _Redacting(logging.Formatter):
    """Log lines without secrets, tracebacks and other people's messages among them."""

    redactor = Redactor()

    def format(self, record: logging.LogRecord) -> str:
        return terminal_text(self.redactor.text(super().format(record)))


LOG_FORMATTER = _Redacting("%(asctime)s %(levelname)s %(name)s: %(message)s")


@click.group(
    cls=ExitCodeGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, message="%(version)s")
@click.option("--verbose", is_flag=True, help="Tell more on standard error.")
def main(verbose: bool) -> None:
    """Opswatch answers operations questions in Slack.

    \b
    Examples:
      python -m bot demo                                try it: no account, no token, no network
      python -m bot ask "/usage last 7 days"            one question, answered here
      python -m bot backtest ingest-spike               what would this alert have done?
      python -m bot init                                a configuration to start from
      python -m bot check                               is everything set up?
      python -m bot run                                 connect to Slack
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LOG_FORMATTER)
    logging.basicConfig(handlers=[handler], level=logging.INFO if verbose else logging.WARNING)
    logging.getLogger("opswatch").setLevel(logging.INFO)
    for quiet in (
        "apscheduler",
        "slack_bolt",
        "slack_sdk",
        "aiohttp.access",
        "httpx",
        "httpcore",
        "akamai.edgegrid.edgegrid",
    ):
        logging.getLogger(quiet).setLevel(logging.WARNING)
    # Bolt warns that the token of the environment is unused because we say ourselves who we are; we
    # do so on purpose.
    logging.getLogger("slack_bolt.AsyncApp").addFilter(
        lambda record: "will be" not in record.getMessage()
    )


@main.command()
@click.option("--config", "config_path", type=click.Path(path_type=Path), help=CONFIG_HELP)
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
    """One question, answered here, without Slack.

    \b
    Examples:
      python -m bot ask "/usage last 7 days"
      python -m bot ask "/apiaudit 24h failures" --json
      python -m bot ask "/logs kitchen 20m" --out /tmp
    """
    from bot.cli.ask import answer_in_terminal

    lower_log_level()
    with report_errors(as_json):
        shown = asyncio.run(
            answer_in_terminal(text, _config(config_path), out=out, user=user, channel=channel)
        )
        click.echo(terminal_json(shown.as_json()) if as_json else shown.as_text())


@contextlib.contextmanager
def report_errors(as_json: bool) -> Iterator[None]:
    """What goes wrong is told in one sentence, or as JSON, and ends with its exit code."""
    from handlers.error_messages import error_message

    try:
        yield
    except Exception as error:
        trouble = error_message(error)
        if trouble.kind == "internal":
            logging.getLogger("opswatch").error("Unexpected error", exc_info=error)
        if as_json:
            click.echo(terminal_json(trouble.as_json()))
        elif isinstance(error, ConfigError):
            _tell_config(error)
        else:
            click.echo(
                terminal_text(as_called(f"{trouble.message}\n{trouble.hint}".strip())), err=True
            )
        sys.exit(EXIT_CODES.get(trouble.kind, PROVIDER_FAILED))


@main.command()
@click.option("--config", "config_path", type=click.Path(path_type=Path), help=CONFIG_HELP)
@click.option("--days", default=90, show_default=True, help="How far back.")
@click.option("--json", "as_json", is_flag=True, help="The result as one JSON object.")
@click.argument("name")
def backtest(config_path: Path | None, days: int, as_json: bool, name: str) -> None:
    """What the alert NAME would have done over stored or fetched history.

    \b
    Examples:
      python -m bot backtest ingest-spike
      python -m bot backtest ingest-spike --days 30 --json
    """
    from bot.blocks.backtest import backtest_text
    from bot.cli.ask import backtest_json, run_backtest

    lower_log_level()
    with report_errors(as_json):
        test, zone = asyncio.run(run_backtest(name, _config(config_path), days=days))
        click.echo(
            terminal_json(backtest_json(test))
            if as_json
            else terminal_text(backtest_text(test, zone))
        )


@main.command()
@click.option("--config", "config_path", type=click.Path(path_type=Path), help=CONFIG_HELP)
@click.option("--json", "as_json", is_flag=True, help="The checks as one JSON object.")
def check(config_path: Path | None, as_json: bool) -> None:
    """Configuration, tokens, scopes, and one cheap request to every provider.

    \b
    Also whether Slack knows the channels, people and user groups of the configuration and the bot is in those
    channels, whether the clock is right, whether there is room on the disk, and which commands would be refused
    for everybody. Lines begin with "ok", "NO" (with what to do) or "!!" (a warning, which fails nothing).
    Examples:
      python -m bot check
      python -m bot check --config /etc/opswatch/bot.toml --json
    """
    from bot.cli.check import run_checks

    checks, code = asyncio.run(run_checks(_config(config_path)))
    if as_json:
        plain = [{"name": c.name, "ok": c.ok, "detail": c.detail, "hint": c.hint} for c in checks]
        click.echo(terminal_json({"ok": code == 0, "checks": plain}))
    else:
        for line, following in zip(checks, [*checks[1:], None], strict=True):
            mark = "NO " if not line.ok else "!! " if line.hint else "ok "
            click.echo(terminal_line(f"{mark} {line.name}: {line.detail}"))
            if line.hint and (following is None or following.hint != line.hint):
                click.echo(terminal_line(as_called(f"     → {line.hint}")))
    sys.exit(code)


@main.command()
@click.option("--config", "config_path", type=click.Path(path_type=Path), help=CONFIG_HELP)
@click.option("--protocol", default="", hidden=True)
@click.option("--boundary", default="", hidden=True)
def run(config_path: Path | None, protocol: str, boundary: str) -> None:  # noqa: ARG001
    """The bot, connected to Slack, until Ctrl-C or SIGTERM. SIGHUP reloads the configuration.

    \b
    Needs SLACK_BOT_TOKEN, and SLACK_APP_TOKEN (Socket Mode) or SLACK_SIGNING_SECRET (HTTP mode).
    Examples:
      python -m bot run
      python -m bot run --config /etc/opswatch/bot.toml
    """
    from slack_sdk.errors import SlackApiError

    from bot.config import Settings, SlackTokens, read_settings, slack_tokens
    from bot.runtime import run_bot
    from bot.store import StoreError

    def load() -> tuple[Settings, SlackTokens]:
        settings = read_settings(_config(config_path))
        tokens = slack_tokens(settings.slack.mode)
        # Secrets of before a reload may still turn up in what was begun with them.
        secrets.update([*settings.secrets(), *tokens.secrets()])
        LOG_FORMATTER.redactor = Redactor([*secrets])
        return settings, tokens

    secrets: set[Secret] = set()
    try:
        asyncio.run(run_bot(load))
    except SlackApiError as error:
        click.echo(
            (
                f"Slack does not let us in: {error.response.get('error')}. Check SLACK_BOT_TOKEN "
                "and SLACK_APP_TOKEN."
            ),
            err=True,
        )
        sys.exit(PROVIDER_FAILED)
    except StoreError as error:
        fail(str(error))
    except OSError as error:
        click.echo(f"The bot could not start: {error.strerror or type(error).__name__}.", err=True)
        sys.exit(PROVIDER_FAILED)


@main.command()
@click.option("--config", "config_path", type=click.Path(path_type=Path), hidden=True)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option("--protocol", default="", hidden=True)
@click.option("--boundary", default="", hidden=True)
def manifest(config_path: Path | None, as_json: bool, protocol: str, boundary: str) -> None:  # noqa: ARG001
    """The Slack app manifest, generated from the commands.

    \b
    Examples:
      python -m bot manifest > manifest.yml
      python -m bot manifest --json
    """
    from bot.slack.manifest import manifest as built
    from bot.slack.manifest import manifest_yaml

    text = json.dumps(built(), ensure_ascii=False) if as_json else manifest_yaml()
    # The Slack CLI finds the answer of a hook between two boundaries where it asks for that
    # protocol.
    if protocol == "message-boundaries" and boundary:
        text = f"{boundary}{text}{boundary}"
    click.echo(text, nl=as_json)


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
    """A sandbox to try the bot in: a local Slack look-alike with a web page, and stand-ins of all
    providers.

    \b
    The bot in it is the real one, connected over a real WebSocket. No account, token or network is needed.
    Examples:
      python -m bot demo
      python -m bot demo --ask "/usage last 7 days" --ask "/logs kitchen"
    """
    from bot.sandbox.demo import play, read_commands, serve

    if not 0 <= port <= MAX_PORT:
        fail(f"--port takes a number from 0 to {MAX_PORT}, not {port}.")
    if not has_demo():
        fail("The demo needs packages that are not installed: pip install 'opswatch[demo]'")
    try:
        commands = read_commands(lines)
    except BadQuestion as error:
        fail(f"--ask takes a command, such as {error.hint}: {error.message}")
    try:
        with temporary_folder("opswatch-demo-") as folder:
            asyncio.run(play(folder, commands) if commands else serve(folder, port))
    except KeyboardInterrupt:
        pass
    except OSError as error:
        click.echo(
            f"The demo could not start: {error.strerror or error}. Another port? --port 0", err=True
        )
        sys.exit(1)


for command in (init, backup, restore, migrate, forget):
    main.add_command(command)


def _config(given: Path | None) -> Path:
    return given or Path(os.environ.get("BOT_CONFIG") or "bot.toml")


def _tell_config(error: ConfigError) -> None:
    for problem in error.problems:
        click.echo(terminal_line(as_called(f"NO  {problem}")), err=True)
    click.echo(terminal_text(as_called(error.hint)), err=True)


def lower_log_level() -> None:
    if not _verbose():
        logging.getLogger("opswatch").setLevel(logging.ERROR)


def _verbose() -> bool:
    context = click.get_current_context().find_root()
    return bool(context.params.get("verbose"))


if __name__ == "__main__":
    main()
