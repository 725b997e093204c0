"""Sends messages in the newest blocks, and in simpler ones to a workspace that refuses those:
charts as pictures, plain tables, and finally text alone. Refusals are remembered for a day.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, TypeVar

from bot.answer import Block
from bot.blocks import kit, limits, older_blocks, picture
from bot.errors import SlackDeliveryUnknown, SlackRefused
from bot.formatting import sanitise_lines, truncate
from bot.store.sharing import RefusedBlockStore
from providers.clock import Clock, utc_now

log = logging.getLogger("opswatch")
T = TypeVar("T")
Send = Callable[[Mapping[str, Any]], Awaitable[T]]
# The length that is left of a message that Slack finds too long.
FEW_WORDS = 1400
REMEMBERED = timedelta(days=1)
# How long a look at what other processes were refused suffices. Until then a message may be refused
# once more, and is then sent in simpler blocks.
LOOKED_UP_EVERY = timedelta(seconds=5)
# A picture cannot be shown for about a second after its upload.
READY_AFTER_S = 1.0
TOO_LONG = "msg_too_long"
BLOCKS_TOO_LONG = "msg_blocks_too_long"
# Slack does not know these blocks, or finds them too long: simpler ones may be accepted.
UNSUPPORTED_BLOCKS = frozenset({"invalid_blocks", "invalid_blocks_format", BLOCKS_TOO_LONG})
# Text without blocks may be accepted.
UNSUPPORTED_MESSAGE = UNSUPPORTED_BLOCKS | {TOO_LONG, "no_text", "too_many_attachments"}


class BlockFallback:
    """Sends messages in the first form that the workspace accepts. `upload` uploads pictures to
    Slack.
    """

    def __init__(self, upload: Callable[..., Awaitable[str]]) -> None:
        self._upload = upload
        self._refused_until: dict[str, datetime] = {}
        # When none of these was refused to any process.
        self._accepted_at: dict[frozenset[str], datetime] = {}
        self.shared: RefusedBlockStore | None = None
        self.clock: Clock = utc_now

    async def send(
        self,
        send: Send[T],
        blocks: Sequence[Block],
        text: str,
        *,
        with_pictures: bool = True,
        or_words: bool = False,
    ) -> T:
        """The result of `send` for the `text` and `blocks` of the first form that Slack accepts.
        Raises what `send` raises for everything else. Pictures are uploaded only where everybody
        may see the message. With `or_words`, a message whose blocks are all refused is sent as text
        alone.
        """
        blocks = accepted_blocks(text, blocks)
        try:
            return await self._send_some_blocks(send, blocks, text, with_pictures=with_pictures)
        except SlackRefused as error:
            code = error.code
            if code != TOO_LONG and not (or_words and code in UNSUPPORTED_MESSAGE):
                raise
        log.warning("Slack refused every form of a message (%s); sending words.", code)
        if code == TOO_LONG:
            few = truncate(text, FEW_WORDS)
            return await send(_fields(few, [kit.section(kit.escaped(few))]))
        return await send({"text": to_fallback_text(text)})

    async def _send_some_blocks(
        self, send: Send[T], blocks: Sequence[Block], text: str, *, with_pictures: bool
    ) -> T:
        newest = older_blocks.newest_kind(blocks)
        refused = ""
        if not await self._refuses(newest):
            sent, refused = await self._try_send(send, _fields(text, blocks))
            if sent is not None:
                return sent
        # Being too long is not a property of a kind of block, and pictures would not shorten it.
        if newest and refused != BLOCKS_TOO_LONG:
            if refused:
                await self._remember(newest)
            pictures = await self._pictures(blocks) if with_pictures else ()
            older = older_blocks.without_newest_blocks(blocks, pictures)
            sent, _ = await self._try_send(send, _fields(text, older))
            if sent is not None:
                return sent
        return await send(_fields(text, older_blocks.plain_blocks(blocks, text)))

    async def _refuses(self, newest: frozenset[str]) -> bool:
        """Whether one of these kinds of blocks was refused within the last day."""
        now = self.clock()
        if any(now < self._refused_until.get(kind, now) for kind in newest):
            return True
        # The database is asked last, as most messages have no new blocks.
        if not self.shared or not newest:
            return False
        looked_up_at = self._accepted_at.get(newest)
        # The clock may have been set back meanwhile.
        if looked_up_at and timedelta() <= now - looked_up_at < LOOKED_UP_EVERY:
            return False
        if await self.shared.any_refused(newest, now=now):
            return True
        self._accepted_at[newest] = now
        return False

    async def _remember(self, kinds: Collection[str]) -> None:
        until = self.clock() + REMEMBERED
        self._refused_until |= dict.fromkeys(kinds, until)
        if self.shared:
            await self.shared.add(kinds, until=until)

    async def _try_send(self, send: Send[T], fields: Mapping[str, Any]) -> tuple[T | None, str]:
        """The result, or None and Slack's error code if it refuses the blocks."""
        try:
            return await send(fields), ""
        except SlackRefused as error:
            if error.code not in UNSUPPORTED_BLOCKS:
                raise
            log.warning("Slack refused the blocks (%s); sending simpler ones.", error.code)
            return None, error.code

    async def _pictures(self, blocks: Sequence[Block]) -> list[str]:
        """The file ids of the charts as pictures, in their order; none if they cannot be uploaded."""
        charts = [block for block in blocks if block.get("type") == "data_visualization"]
        if not charts:
            return []
        try:
            # One after the other: there are two at most.
            ids = [await self._picture(chart) for chart in charts]
        except (SlackRefused, SlackDeliveryUnknown) as error:
            log.warning("A chart could not be sent as a picture: %s", error)
            return []
        await asyncio.sleep(READY_AFTER_S)
        return ids

    async def _picture(self, chart: Block) -> str:
        content = await asyncio.to_thread(_render_png, picture.svg_of(chart))
        return await self._upload(
            name="chart.png", length=len(content), content=content, alt_text=picture.alt_text(chart)
        )


def accepted_blocks(text: str, blocks: Sequence[Block]) -> Sequence[Block]:
    """The blocks if they are within Slack's limits, else the text as one block."""
    problems = limits.message_problems(to_fallback_text(text), blocks)
    if not problems:
        return blocks
    log.error("A message exceeds Slack's limits and is simplified: %s", "; ".join(problems))
    words = truncate(text, FEW_WORDS) if text.strip() else "No answer."
    return [kit.section(kit.escaped(words))]


# A message needs it twice, and those who share an answer have the same.
@lru_cache(maxsize=16)
def to_fallback_text(text: str) -> str:
    """Top-level text as Slack expects it: escaped, so that it pings and links nothing, and short
    enough to be shown whole.
    """
    if not text.strip():
        return "–"
    return kit.entities(truncate(sanitise_lines(text), limits.GOOD_TEXT - 400))


def _fields(text: str, blocks: Sequence[Block]) -> Mapping[str, Any]:
    return {"text": to_fallback_text(text), "blocks": list(blocks)}


def _render_png(svg: str) -> bytes:
    """The PNG at twice its size. The renderer is loaded when it is first needed."""
    import resvg_py

    return bytes(resvg_py.svg_to_bytes(svg_string=svg, zoom=2))
