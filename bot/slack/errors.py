"""What Slack's errors mean: whether it may have acted all the same, what caused them, and what
helps.

Pages: "chat.postMessage", "files.completeUploadExternal".
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from contextlib import contextmanager
from types import MappingProxyType

import aiohttp
from slack_sdk.errors import SlackApiError

from bot.errors import SlackDeliveryUnknown, SlackRefused, SlackUnreachable


class Cause(enum.Enum):
    """Why Slack refused a message."""

    UNSURE = "Slack itself failed, and may have acted before that"
    APP = "the app may not do this in any channel"
    CHANNEL = "the channel accepts nothing from the app"
    GONE = "the message it refers to was deleted or can no longer be changed"
    CONTENT = "only this message is refused"


class UploadRefused(SlackDeliveryUnknown):
    """The upload host did not accept the bytes of a file."""

    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP {status}")


_UNSURE = frozenset({"fatal_error", "internal_error", "request_timeout", "service_unavailable"})
_APP = frozenset(
    {
        "access_denied",
        "accesslimited",
        "account_inactive",
        "enterprise_is_restricted",
        "invalid_auth",
        "message_limit_exceeded",
        "missing_scope",
        "no_permission",
        "not_allowed_token_type",
        "not_authed",
        "org_login_required",
        "team_access_not_granted",
        "team_added_to_org",
        "team_not_found",
        "token_expired",
        "token_revoked",
        "two_factor_setup_required",
    }
)
_CHANNEL = frozenset(
    {
        "cannot_dm_bot",
        "channel_is_limited_access",
        "channel_not_found",
        "channel_type_not_supported",
        "ekm_access_denied",
        "external_channel_migrating",
        "is_archived",
        "is_inactive",
        "messages_tab_disabled",
        "not_in_channel",
        "posting_to_general_channel_denied",
        "restricted_action",
        "restricted_action_non_threadable_channel",
        "restricted_action_read_only_channel",
        "restricted_action_thread_locked",
        "restricted_action_thread_only_channel",
        "user_disabled",
        "user_not_found",
        "user_not_visible",
        "users_not_found",
    }
)
_GONE = frozenset(
    {
        "cannot_reply_to_message",
        "cant_update_message",
        "edit_window_closed",
        "message_not_found",
        "thread_not_found",
    }
)
_CODES = MappingProxyType(
    {Cause.UNSURE: _UNSURE, Cause.APP: _APP, Cause.CHANNEL: _CHANNEL, Cause.GONE: _GONE}
)
# A message that was deleted, or can no longer be edited.
MESSAGE_GONE = frozenset(
    {
        "message_not_found",
        "cant_update_message",
        "edit_window_closed",
        "update_failed",
        "streaming_state_conflict",
    }
)
# A thread in which nothing can be posted any more.
THREAD_GONE = frozenset(
    {
        "thread_not_found",
        "cannot_reply_to_message",
        "restricted_action_non_threadable_channel",
        "restricted_action_thread_locked",
    }
)
# No connection was made, so nothing was sent.
_NOT_SENT = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientHttpProxyError,
    aiohttp.InvalidURL,
    aiohttp.ServerFingerprintMismatch,
)
# What the operator can do, by Slack's error code.
_HELP = MappingProxyType(
    {
        "access_denied": "Ask an admin of the workspace to allow the app.",
        "account_inactive": "Reinstall the app.",
        "channel_not_found": "Invite it with /invite @Opswatch.",
        "file_uploads_disabled": "Uploads are switched off for the workspace; ask an admin, or leave csv out.",
        "invalid_auth": "Renew SLACK_BOT_TOKEN.",
        "is_archived": "Unarchive the channel, or name another one.",
        "external_channel_migrating": "Slack is moving the shared channel; it goes on by itself.",
        "message_limit_exceeded": "The workspace has reached its limit of messages; ask an admin.",
        "missing_scope": "Update the app from manifest.yml and reinstall it.",
        "not_allowed_token_type": "SLACK_BOT_TOKEN must be a bot token (xoxb-…).",
        "not_in_channel": "Invite it with /invite @Opswatch.",
        "restricted_action": "A setting of the workspace keeps Opswatch from posting there; ask an admin.",
        "storage_limit_reached": "The workspace's storage for files is full.",
        "token_expired": "Renew SLACK_BOT_TOKEN.",
        "token_revoked": "Reinstall the app and renew SLACK_BOT_TOKEN.",
    }
)


@contextmanager
def slack_errors() -> Iterator[None]:
    """Turns errors of the SDK and the connection into SlackRefused, SlackUnreachable if nothing was
    sent, or SlackDeliveryUnknown if Slack may have acted.
    """
    try:
        yield
    except SlackApiError as error:
        # An answer without Slack's own error code, such as a proxy's, says nothing about Slack.
        code = error.response.get("error")
        status = error.response.status_code or 200
        if status >= 500 or not code:
            raise SlackDeliveryUnknown(error_code(error)) from None
        raise SlackRefused(str(code)) from None
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise (SlackUnreachable if was_not_sent(error) else SlackDeliveryUnknown) from None


def was_not_sent(error: BaseException) -> bool:
    """Whether no connection was made: refused, an unknown host, no route, or a certificate or
    proxy that does not work.
    """
    return isinstance(error, _NOT_SENT)


def error_code(error: SlackApiError) -> str:
    """Slack's error code, or the HTTP status where there is none."""
    code = error.response.get("error")
    return str(code) if code else f"HTTP {error.response.status_code}"


def cause_of(code: str) -> Cause:
    """What caused a refusal. An unknown code counts as a problem of that one message."""
    return next((cause for cause, codes in _CODES.items() if code in codes), Cause.CONTENT)


def may_end(failure: BaseException) -> bool:
    """Whether the same message may be sent later: Slack could not be reached, did not confirm it, or
    accepts nothing from the app, such as with a token that was revoked.
    """
    if isinstance(failure, SlackUnreachable | SlackDeliveryUnknown):
        return True
    return isinstance(failure, SlackRefused) and cause_of(failure.code) is Cause.APP


def is_channels_own(code: str) -> bool:
    """Whether a refusal is about one channel alone."""
    return code in _CHANNEL


def help_for(code: str) -> str:
    """What the operator can do about it, after a blank; empty if that is not known."""
    return f" {_HELP[code]}" if code in _HELP else ""
