"""Why Slack cannot be reached over Socket Mode, in sentences for the operator."""

from __future__ import annotations

import aiohttp
from slack_sdk.errors import SlackApiError

from bot.slack.errors import error_code
from bot.slack.web import retry_after_s
from providers.http.connections import describe_failure

# Errors of a token that will not work until an administrator changes the app.
FATAL_ERRORS = frozenset(
    {
        "invalid_auth",
        "not_authed",
        "account_inactive",
        "token_revoked",
        "not_allowed_token_type",
        "missing_scope",
    }
)


class NoHello(Exception):
    """The first message of a connection was not `hello`."""


class NoAddress(Exception):
    """Slack's answer holds no WebSocket URL."""


NOT_CONNECTED = (aiohttp.ClientError, TimeoutError, OSError, SlackApiError, NoHello, NoAddress)


REASONS = {
    "too_many_websockets": (
        "Slack refuses the connection: ten are open for this app already. Is it running somewhere "
        "else, too?"
    ),
    "link_disabled": (
        "Socket Mode was switched off for this app; switch it on at api.slack.com, or set [slack] "
        "mode to http."
    ),
}


def describe(error: Exception) -> str:
    if isinstance(error, SlackApiError):
        code = error_code(error)
        if code in FATAL_ERRORS:
            return (
                f"Slack does not accept SLACK_APP_TOKEN ({code}); it needs the scope "
                "connections:write."
            )
        wait_s = retry_after_s(error)
        if wait_s is not None:
            return f"Slack asks the bot to wait before opening a connection: {wait_s:.0f} s (HTTP 429)."
        return f"Slack would not open a connection ({code})."
    if isinstance(error, NoHello):
        return REASONS.get(
            str(error), f"Slack opened a connection and sent {str(error)[:60]} instead of hello."
        )
    if isinstance(error, TimeoutError):
        return "Slack did not answer in time."
    if isinstance(error, aiohttp.WSServerHandshakeError):
        return f"Slack refused the WebSocket (HTTP {error.status})."
    if isinstance(error, NoAddress | aiohttp.ClientPayloadError):
        return "Slack's answer to apps.connections.open could not be read; is a proxy in between?"
    if isinstance(error, NOT_CONNECTED):
        return unreachable(error)
    return f"A connection could not be opened ({type(error).__name__})."


def unreachable(error: BaseException) -> str:
    """`Slack could not be reached.`, with the cause, the host, and what to do."""
    failure = describe_failure(error, setting="SLACK_API_URL")
    if failure is None:
        return "Slack could not be reached."
    return f"Slack could not be reached: {failure.with_host}. {failure.hint}"
