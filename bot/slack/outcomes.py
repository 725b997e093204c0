"""What Slack's errors mean for a message: whether it may stand there, and where it can
go instead.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import TypeVar

import aiohttp
from slack_sdk.errors import SlackApiError

from bot.errors import SlackDeliveryUnknown, SlackRefused, SlackUnreachable

T = TypeVar("T")

# Why an answer cannot stand in a channel, and so is sent to its asker alone.
INVITE = (
    "Only you see this, because I am not in this channel: `/invite @Opswatch` and ask again to "
    "have answers in it."
)
_ARCHIVED = "Only you see this, because this channel is archived."
_RESTRICTED = (
    "Only you see this, because a setting of the workspace keeps me from posting in this channel."
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
        "message_limit_exceeded": "Only you see this, because this workspace has reached Slack's limit of messages.",
    }
)
# A message that is not there any more, or cannot be edited any more.
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
# Nothing on the way from Slack says whether it took a message.
UNSURE = (aiohttp.ClientError, TimeoutError, OSError)
# No connection came about, so nothing was sent.
_NOT_SENT = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientHttpProxyError,
    aiohttp.InvalidURL,
    aiohttp.ServerFingerprintMismatch,
)


async def sent(send: Callable[[], Awaitable[T]]) -> T:
    """What `send` gives. Raises SlackUnreachable where Slack certainly has nothing of it,
    SlackDeliveryUnknown where it did not say whether it took it, and else SlackRefused.
    """
    try:
        return await send()
    except SlackApiError as error:
        if (error.response.status_code or 200) >= 500:
            raise SlackDeliveryUnknown from None
        raise SlackRefused(slack_error_code(error)) from None
    except UNSURE as error:
        raise (SlackUnreachable if was_not_sent(error) else SlackDeliveryUnknown)() from None


async def asked(ask: Callable[[], Awaitable[T]]) -> T:
    """What `ask` gives, which changes nothing in Slack. Raises SlackUnreachable and
    SlackRefused.
    """
    try:
        return await sent(ask)
    except SlackDeliveryUnknown:
        raise SlackUnreachable from None


def was_not_sent(error: BaseException) -> bool:
    """Whether no connection came about: refused, no such name, no route, a certificate or a proxy
    that is not as it should be.
    """
    return isinstance(error, _NOT_SENT)


def slack_error_code(error: SlackApiError) -> str:
    """Slack's own word for why."""
    return str(error.response.get("error") or "no reason given")
