"""Messages by response URL: to the person who pressed or typed, even where the bot is not a member;
five times within thirty minutes.

Pages: "Handling user interaction" (Message responses).
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import aiohttp

from bot.errors import SlackDeliveryUnknown, SlackRefused
from bot.slack.errors import was_not_sent
from bot.slack.web import seconds_of

log = logging.getLogger("opswatch")
# Five uses within thirty minutes (“Handling user interaction”).
LIVES = timedelta(minutes=30)
TIMEOUT = aiohttp.ClientTimeout(total=15, sock_connect=5)
# A person does not wait longer than this if there is another way.
LONGEST_WAIT_S = 10.0
ATTEMPTS = 3
# Slack's answers are a few words; a proxy's page is not needed.
MOST_ANSWER_BYTES = 4000
# Slack's answers for a URL that can no longer be used; all others are about the message.
_SPENT = frozenset(
    {"used_url", "expired_url", "invalid_url", "expired_trigger_id", "invalid_trigger_id"}
)


async def respond(session: aiohttp.ClientSession, url: str, payload: Mapping[str, Any]) -> bool:
    """Whether Slack accepted the message; False if it certainly did not, so that it may go another
    way. Raises SlackRefused if Slack does not accept these blocks, and SlackDeliveryUnknown if the
    connection broke after they were sent.
    """
    if not url:
        return False
    try:
        for _ in range(ATTEMPTS):
            async with session.post(url, json=payload, timeout=TIMEOUT) as response:
                if response.status != 429:
                    return _was_taken(
                        response.status, await response.content.read(MOST_ANSWER_BYTES)
                    )
                wait_s = seconds_of(response.headers.get("Retry-After", ""))
            # Another way is faster.
            if wait_s > LONGEST_WAIT_S:
                break
            await asyncio.sleep(wait_s)
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        if not was_not_sent(error):
            raise SlackDeliveryUnknown from None
        log.warning("A response URL could not be reached (%s).", type(error).__name__)
    return False


def _was_taken(status: int, body: bytes) -> bool:
    code = _error_of(body)
    if status == 200 and not code:
        # An HTML page is a proxy's answer, not Slack's.
        return not body.lstrip().startswith(b"<")
    if status == 400 or (status == 200 and code not in _SPENT):
        raise SlackRefused(code or "invalid_blocks")
    log.warning("Slack refused an answer by response URL (HTTP %s %s).", status, code[:60])
    return False


def _error_of(body: bytes) -> str:
    """Slack's error code; empty if there is none, or if the answer is not Slack's."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    return (
        str(answer.get("error") or "") if isinstance(answer, dict) and not answer.get("ok") else ""
    )
