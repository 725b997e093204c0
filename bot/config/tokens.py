"""Slack's tokens, which are read only from the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

from bot import formatting
from bot.errors import ConfigError, ConfigProblem
from providers.http.network import is_host_name, is_loopback
from providers.redaction import Secret
from providers.settings import clean_secret, file_in_variable, read_secret_file


class SlackTokens(Struct, frozen=True):
    """Slack's tokens, which are read only from the environment."""

    bot: Secret
    app: Secret
    signing: Secret
    api_url: str

    def secrets(self) -> list[Secret]:
        return [token for token in (self.bot, self.app, self.signing) if token]


def has_bot_token(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether there is a token of the Web API, right or wrong."""
    return bool(environ.get("SLACK_BOT_TOKEN", "").strip())


def slack_tokens(settings_mode: str, environ: Mapping[str, str] = os.environ) -> SlackTokens:
    """The tokens that the mode needs (“socket”, “http”, or “neither” for the Web API alone). Raises
    ConfigError that names the missing ones.
    """
    needed = {"SLACK_BOT_TOKEN": "xoxb-…, from OAuth & Permissions"}
    if settings_mode == "socket":
        needed["SLACK_APP_TOKEN"] = "xapp-…, with connections:write, from Basic Information"  # noqa: S105
    elif settings_mode == "http":
        needed["SLACK_SIGNING_SECRET"] = "from Basic Information"  # noqa: S105
    missing = [
        ConfigProblem(name, "", f"missing in the environment ({what})")
        for name, what in needed.items()
        if not environ.get(name, "").strip()
    ]
    if missing:
        raise ConfigError(
            missing, f"Export {formatting.join_words([problem.key for problem in missing])}."
        )
    tokens, problems = _read_tokens(environ)
    api_url = (environ.get("SLACK_API_URL") or "").strip() or "https://slack.com/api/"
    if not _is_address(api_url):
        problems.append(
            ConfigProblem("SLACK_API_URL", "", 'an address such as "https://slack.com/api/"')
        )
    elif not api_url.startswith("https://") and not is_loopback(api_url):
        problems.append(
            ConfigProblem(
                "SLACK_API_URL",
                "",
                "https://, since plain http:// is accepted for this machine alone",
            )
        )
    if problems:
        raise ConfigError(problems, "Export the values as Slack shows them.")
    return SlackTokens(
        bot=Secret(tokens["SLACK_BOT_TOKEN"]),
        app=Secret(tokens["SLACK_APP_TOKEN"]),
        signing=Secret(tokens["SLACK_SIGNING_SECRET"]),
        # The SDK appends the name of the method.
        api_url=api_url if api_url.endswith("/") else api_url + "/",
    )


def _read_tokens(environ: Mapping[str, str]) -> tuple[dict[str, str], list[ConfigProblem]]:
    """The tokens that are set, cleaned, and what is wrong with them. A token in the variable of
    another is reported as such.
    """
    tokens = {}
    problems = []
    for name, wrong in _WRONG_BEGINNINGS.items():
        try:
            tokens[name] = _read_token(name, environ.get(name, ""))
        except ValueError as error:
            tokens[name] = ""
            problems.append(ConfigProblem(name, "", str(error).removeprefix(f"{name} ")))
        found = next((beginning for beginning in wrong if tokens[name].startswith(beginning)), None)
        if found:
            right = f"another token: {found}… is {_BEGINNINGS[found]}"
            problems.append(ConfigProblem(name, "", right))
    return tokens, problems


def _read_token(name: str, value: str) -> str:
    """A token from the environment, or from the file that `file:PATH` names there."""
    if not (path := file_in_variable(name, value)):
        return clean_secret(value, name)
    token = clean_secret(read_secret_file(Path(path).expanduser(), path), f"the file {path}")
    if not token:
        raise ValueError(f"the file {path} is empty")
    return token


# What each kind of token begins with ("Tokens" in Slack's documentation).
_BEGINNINGS = {
    "xoxb-": "SLACK_BOT_TOKEN",
    "xapp-": "SLACK_APP_TOKEN",
    "xoxp-": "a person's token, which this bot never uses",
}
_WRONG_BEGINNINGS = {
    "SLACK_BOT_TOKEN": ("xapp-", "xoxp-"),
    "SLACK_APP_TOKEN": ("xoxb-", "xoxp-"),
    "SLACK_SIGNING_SECRET": ("xoxb-", "xapp-", "xoxp-"),
}


def _is_address(value: str) -> bool:
    try:
        parts = urlsplit(value)
        # Reading `port` raises ValueError if it is not a number.
        return (
            parts.scheme in ("https", "http")
            and is_host_name(parts.hostname or "")
            and (parts.port or 1) > 0
        )
    except ValueError:
        return False
