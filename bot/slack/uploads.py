"""A file brought to Slack by its three steps: a place to put it, its bytes, and word that they are
there.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.client import SlackClient
from bot.slack.pace import Priority

UPLOAD_TIMEOUT = aiohttp.ClientTimeout(total=1800, sock_connect=10, sock_read=120)


class UploadRefused(Exception):
    """Slack did not take the bytes of a file."""

    def __init__(self, status: int) -> None:
        super().__init__(f"Slack did not take the file (HTTP {status}).")
        self.status = status


async def upload(
    client: AsyncWebClient,
    session: aiohttp.ClientSession,
    *,
    name: str,
    length: int,
    content: bytes | AsyncIterator[bytes],
    about: str,
    kind: str | None = None,
    place: dict[str, Any] | None = None,
) -> str:
    """The file's id. Without a `place` only we can see it; what is placed in a channel goes behind
    the messages there. Raises SlackApiError, UploadRefused and what aiohttp raises.
    """
    if place and isinstance(client, SlackClient):
        client = client.at(Priority.FILE)
    target = await client.files_getUploadURLExternal(
        filename=name, length=length, alt_txt=about[:1000], snippet_type=kind
    )
    headers = {"Content-Type": "application/octet-stream", "Content-Length": str(length)}
    async with session.post(
        target["upload_url"], data=content, headers=headers, timeout=UPLOAD_TIMEOUT
    ) as response:
        if response.status != 200:
            raise UploadRefused(response.status)
    await client.files_completeUploadExternal(
        files=[{"id": target["file_id"], "title": name}], **(place or {})
    )
    return str(target["file_id"])
