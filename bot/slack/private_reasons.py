"""Why an answer for a channel is shown to its asker alone, by Slack's error code."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

INVITE = (
    "Only you see this, because Opswatch is not in this channel: `/invite @Opswatch` and ask again to "
    "have answers in it."
)
NOT_SHAREABLE = "To share answers here, `/invite @Opswatch` and ask again."
_ARCHIVED = "Only you see this, because this channel is archived."
_RESTRICTED = "Only you see this, because a setting of the workspace keeps Opswatch from posting in this channel."
_MESSAGE_LIMIT = "Only you see this, because this workspace has reached Slack's limit of messages."
UNREACHABLE = "Only you see this, because Slack took no message for this channel just now."
SHARED_CHANNEL = (
    "Only you see this, because people from another organisation are in this channel and `[access]` "
    "does not name it."
)
MAYBE_SHARED_CHANNEL = (
    "Only you see this, because Slack did not say just now whether people from another organisation "
    "are in this channel."
)
NOT_HERE: Mapping[str, str] = MappingProxyType(
    {
        "not_in_channel": INVITE,
        "channel_not_found": INVITE,
        "is_archived": _ARCHIVED,
        "is_inactive": _ARCHIVED,
        "restricted_action": _RESTRICTED,
        "restricted_action_read_only_channel": _RESTRICTED,
        "restricted_action_thread_only_channel": _RESTRICTED,
        "channel_type_not_supported": _RESTRICTED,
        "team_access_not_granted": _RESTRICTED,
        "ekm_access_denied": _RESTRICTED,
        "message_limit_exceeded": _MESSAGE_LIMIT,
    }
)
