"""Messages in the newest blocks, and in older ones for a workspace that refuses those: charts as
pictures, tables of the plain kind, work in words, and where it refuses these, too, words. What was
learned from a refusal is remembered for a day.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import TypeVar

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.answer import Block
from bot.blocks import messages, picture
from bot.errors import SlackRefused
from bot.slack.uploads import UploadRefused, upload

log = logging.getLogger("opswatch")
T = TypeVar("T")
# Slack does not know these blocks, or finds them too long: older ones may do.
TOO_LONG = "msg_blocks_too_long"
UNSUPPORTED_BLOCKS = frozenset({"invalid_blocks", "invalid_blocks_format", TOO_LONG})
REMEMBERED_S = 86_400.0
# A picture that was just uploaded cannot be shown for about a second.
READY_AFTER_S = 1.0


class BlockFallback:
    """Knows in which blocks this workspace takes its messages. Without a `session` no pictures are
    made.
    """

    def __init__(
        self, client: AsyncWebClient, session: aiohttp.ClientSession | None = None
    ) -> None:
        self._client, self._session = client, session
        self._refused_until: dict[str, float] = {}

    async def send(
        self,
        send: Callable[[Sequence[Block]], Awaitable[T]],
        blocks: Sequence[Block],
        text: str,
        *,
        with_pictures: bool = True,
    ) -> T:
        """What `send` gives for the first of these that Slack takes. Raises what `send` raises for
        all else. Pictures are seen where all may see the message, and nowhere else.
        """
        refused, newest = "", messages.newest_kind(blocks)
        if not self._refuses(newest):
            sent, refused = await self._try_send(send, blocks)
            if sent is not None:
                return sent
        if not newest or refused == TOO_LONG:
            return await send(messages.plain_blocks(blocks, text))
        self._refused_until |= dict.fromkeys(newest, time.monotonic() + REMEMBERED_S)
        sent, _ = await self._try_send(
            send,
            messages.without_newest_blocks(
                blocks, await self._pictures(blocks) if with_pictures else ()
            ),
        )
        return sent if sent is not None else await send(messages.plain_blocks(blocks, text))

    def _refuses(self, newest: Collection[str]) -> bool:
        """Whether one of these kinds of blocks was refused within the last day."""
        now = time.monotonic()
        return any(now < self._refused_until.get(kind, 0.0) for kind in newest)

    async def _try_send(
        self, send: Callable[[Sequence[Block]], Awaitable[T]], blocks: Sequence[Block]
    ) -> tuple[T | None, str]:
        """What came of it; or None, and Slack's own word for what it has against the blocks."""
        try:
            return await send(blocks), ""
        except (SlackApiError, SlackRefused) as error:
            code = (
                error.code if isinstance(error, SlackRefused) else str(error.response.get("error"))
            )
            if code not in UNSUPPORTED_BLOCKS:
                raise
        log.warning("Slack refused the blocks (%s); sending plainer ones.", code)
        return None, code

    async def _pictures(self, blocks: Sequence[Block]) -> list[str]:
        """The file ids of the charts drawn, in their order; fewer, where they cannot be brought to
        Slack.
        """
        charts = [block for block in blocks if block.get("type") == "data_visualization"]
        if self._session is None or not charts:
            return []
        try:
            ids = [await self._picture(chart, self._session) for chart in charts]
        except (SlackApiError, UploadRefused, aiohttp.ClientError, TimeoutError, OSError) as error:
            log.warning("A chart could not be sent as a picture: %s", type(error).__name__)
            return []
        await asyncio.sleep(READY_AFTER_S)
        return ids

    async def _picture(self, chart: Block, session: aiohttp.ClientSession) -> str:
        content = await asyncio.to_thread(_drawn, picture.svg_of(chart))
        return await upload(
            self._client,
            session,
            name="chart.png",
            length=len(content),
            content=content,
            about=picture.told(chart),
        )


def _drawn(svg: str) -> bytes:
    """The PNG at twice its size. The renderer is loaded when it is first needed."""
    import resvg_py

    return bytes(resvg_py.svg_to_bytes(svg_string=svg, zoom=2))
