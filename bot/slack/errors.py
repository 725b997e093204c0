"""What Slack's refusals of a message mean: whose fault it is, and what helps. Pages:
"chat.postMessage", "files.completeUploadExternal".
"""

from __future__ import annotations

import enum
from types import MappingProxyType

from slack_sdk.errors import SlackApiError


class Cause(enum.Enum):
    """Why Slack did not take a message."""

    UNSURE = "Slack itself failed, and may have taken it"
    APP = "Slack does not let the app do this, in any channel"
    CHANNEL = "the channel takes nothing from the app"
    GONE = "the message it is about is gone, or cannot be changed any more"
    CONTENT = "Slack does not take this one"


_UNSURE = frozenset({"fatal_error", "internal_error", "request_timeout", "service_unavailable"})
_APP = frozenset(
    {
        "access_denied",
        "account_inactive",
        "enterprise_is_restricted",
        "invalid_auth",
        "missing_scope",
        "no_permission",
        "not_allowed_token_type",
        "not_authed",
        "org_login_required",
        "team_access_not_granted",
        "team_added_to_org",
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
        "ekm_access_denied",
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
# What words without any blocks may mend.
BLOCKS = frozenset(
    {
        "invalid_blocks",
        "invalid_blocks_format",
        "msg_blocks_too_long",
        "msg_too_long",
        "no_text",
        "too_many_attachments",
    }
)
# What the operator can do, by Slack's own word.
_HELP = MappingProxyType(
    {
        "access_denied": "Ask an admin of the workspace to allow the app.",
        "account_inactive": "Reinstall the app.",
        "channel_not_found": "Invite me with /invite @Opswatch.",
        "file_uploads_disabled": "Uploads are switched off for the workspace; ask an admin, or leave csv out.",
        "invalid_auth": "Renew SLACK_BOT_APP.",
        "is_archived": "Unarchive the channel, or name another one.",
        "missing_scope": "Update the app from manifest.yml and reinstall it.",
        "not_allowed_token_type": "SLACK_BOT_APP has to be a bot token (xoxb-…).",
        "not_in_channel": "Invite me with /invite @Opswatch.",
        "restricted_action": "A setting of the workspace keeps me from posting there; ask an admin.",
        "storage_limit_reached": "The workspace's storage for files is full.",
        "token_expired": "Renew SLACK_BOT_APP.",
        "token_revoked": "Reinstall the app and renew SLACK_BOT_APP.",
    }
)


def error_code(error: SlackApiError) -> str:
    """Slack's own word for why, or the HTTP status where there is none."""
    code = error.response.get("error")
    return str(code) if code else f"HTTP {error.response.status_code}"


def cause_of(error: SlackApiError) -> Cause:
    """Whose fault a refusal is; a word of Slack's that is not known is held against the one message
    alone. An answer without any word, such as a proxy's, is not Slack's.
    """
    code = error_code(error)
    if error.response.status_code >= 500 or code in _UNSURE or not error.response.get("error"):
        return Cause.UNSURE
    for codes, cause in ((_APP, Cause.APP), (_CHANNEL, Cause.CHANNEL), (_GONE, Cause.GONE)):
        if code in codes:
            return cause
    return Cause.CONTENT


def is_channels_own(code: str) -> bool:
    """Whether a refusal says something about one channel alone."""
    return code in _CHANNEL


def help_for(code: str) -> str:
    """What the operator can do about it, with a blank in front; nothing where that is not known."""
    return f" {_HELP[code]}" if code in _HELP else ""
