"""`python -m bot run`: the bot, connected to Slack."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli.exit_codes import PROVIDER_FAILED, show_config_error
from bot.cli.program import (
    WRONG,
    ProgramCommand,
    as_called,
    config_file,
    config_option,
    is_verbose,
)
from bot.errors import ConfigError
from bot.observability.logging_setup import (
    FORMATS,
    LOG_FORMATTER,
    LogFormat,
    redact_in_logs,
    set_log_level,
)
from bot.system.terminal_text import terminal_text

if TYPE_CHECKING:
    from bot.config import Settings, SlackTokens
    from providers.redaction import Secret

log = logging.getLogger("opswatch")


@click.command(cls=ProgramCommand)
@config_option
@click.option(
    "--log-format",
    type=click.Choice(FORMATS),
    default=None,
    help="How lines are logged; else $BOT_LOG_FORMAT, else `[logging] format`, else text.",
)
@click.option("--protocol", default="", hidden=True)
@click.option("--boundary", default="", hidden=True)
def run(
    config_path: Path | None,
    log_format: LogFormat | None,
    protocol: str,  # noqa: ARG001 - the Slack CLI passes it to every hook
    boundary: str,  # noqa: ARG001
) -> None:
    """Run the bot, connected to Slack.

    Ctrl-C or SIGTERM stops it, SIGHUP reloads the configuration. Needs SLACK_BOT_TOKEN, and
    SLACK_APP_TOKEN (Socket Mode) or SLACK_SIGNING_SECRET (HTTP mode).

    \b
    Examples:
      python -m bot run
      python -m bot run --config /etc/opswatch/bot.toml
      python -m bot run --log-format json
    """
    import asyncio

    from slack_sdk.errors import SlackApiError

    from bot.runtime import run_bot
    from bot.slack.errors import error_code
    from bot.store import StoreError
    from bot.system.private_files import TEMPORARY_FOLDER_HINT, temporary_folder_problem

    loader = _Loader(config_file(config_path), log_format or _group_log_format())
    # Found out now and not with the first log at night.
    if problem := temporary_folder_problem():
        _fail(f"{problem} {TEMPORARY_FOLDER_HINT}", WRONG)
    try:
        asyncio.run(run_bot(loader.load))
    except ConfigError as error:
        _fail_with_config(error)
    except SlackApiError as error:
        _fail(
            f"Slack refused the connection: {error_code(error)}. Check SLACK_BOT_TOKEN and SLACK_APP_TOKEN.",
            PROVIDER_FAILED,
        )
    except StoreError as error:
        _fail(str(error), WRONG)
    except OSError as error:
        _fail(
            f"The bot could not start: {error.strerror or type(error).__name__}.", PROVIDER_FAILED
        )


class _Loader:
    """Reads the configuration and the tokens, at the start and for every reload."""

    def __init__(self, path: Path, log_format: LogFormat | None) -> None:
        self._path = path
        self._log_format = log_format
        if log_format:
            LOG_FORMATTER.log_format = log_format
        # Secrets from before a reload may still turn up in work that was begun with them.
        self._secrets: set[Secret] = set()

    def load(self) -> tuple[Settings, SlackTokens]:
        """The settings and tokens as they are now. Raises ConfigError."""
        from bot.config import read_settings, slack_tokens
        from bot.questions.registry import COMMANDS
        from providers.registry import registry

        settings = read_settings(self._path)
        # A plug-in that was skipped does not stop the bot.
        for problem in (*registry().problems, *COMMANDS.problems):
            log.warning("%s", problem)
        tokens = slack_tokens(settings.slack.mode)
        self._secrets.update([*settings.secrets(), *tokens.secrets()])
        redact_in_logs([*self._secrets])
        LOG_FORMATTER.log_format = self._log_format or settings.logging.format
        # At each reload, too.
        set_log_level(settings.logging.level, verbose=is_verbose())
        return settings, tokens


def _group_log_format() -> LogFormat | None:
    """`--log-format` before the command, or $BOT_LOG_FORMAT."""
    given: LogFormat | None = click.get_current_context().find_root().params.get("log_format")
    return given


def _fail_with_config(error: ConfigError) -> None:
    """Where lines are JSON, so is why the bot did not start: it is logged."""
    if LOG_FORMATTER.log_format == "json":
        for problem in error.problems:
            log.error("%s", as_called(str(problem)))
    else:
        show_config_error(error)
    sys.exit(WRONG)


def _fail(message: str, code: int) -> None:
    if LOG_FORMATTER.log_format == "json":
        log.error("%s", as_called(message))
    else:
        click.echo(terminal_text(as_called(message)), err=True)
    sys.exit(code)
