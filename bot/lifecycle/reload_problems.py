"""Why a configuration was not reloaded, as the log, the ops channel and systemd report it."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from slack_sdk.errors import SlackApiError

from bot.errors import ConfigError
from bot.slack.errors import error_code
from bot.store import StoreError
from providers.http.network import NetworkSettingError

log = logging.getLogger("opswatch")
# For the new bot's `auth.test`.
OPEN_WITHIN_S = 30.0
# Errors that refuse a configuration while the bot waits for Slack.
REFUSALS = (ConfigError, NetworkSettingError, StoreError, SlackApiError, TimeoutError, OSError)


def log_refusal(problems: Sequence[str]) -> None:
    for problem in problems:
        log.error("The configuration was not reloaded: %s", problem)


def reload_problems(error: BaseException) -> list[str]:
    """Why a configuration is invalid, a sentence for each problem."""
    if isinstance(error, ConfigError):
        return [str(problem) for problem in error.problems]
    if isinstance(error, SlackApiError):
        return [f"Slack does not accept the token ({error_code(error)})."]
    if isinstance(error, TimeoutError):
        return [f"Slack did not answer auth.test within {OPEN_WITHIN_S:.0f} s."]
    if isinstance(error, OSError):
        return [f"{error.strerror or type(error).__name__}."]
    if isinstance(error, StoreError | NetworkSettingError):
        return [str(error)]
    # Everything above is the operator's to mend; this is a fault, and needs its traceback.
    log.error("The new bot could not start:", exc_info=error)
    return [f"The new bot could not start ({type(error).__name__})."]
