"""Canvases of digests from the outbox, and the message that is posted where there can be none."""

from __future__ import annotations

import logging
from typing import Protocol

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from bot.blocks import kit
from bot.blocks.canvas import CanvasPage
from bot.slack.canvases import UNAVAILABLE
from bot.store import QueuedPost

log = logging.getLogger("opswatch")


class CanvasUpdater(Protocol):
    """Brings canvases up to date."""

    async def update(
        self, page: CanvasPage, channel: str, channel_id: str, *, is_first: bool = False
    ) -> str:
        """Returns Slack's error code if it has no canvas for the bot, else an empty text. The first
        page of a digest takes the place of no answer.
        """
        ...

    async def close(self, digest: str, channel: str, note: str) -> bool | None:
        """Whether the canvas of a digest that has ended now says so; None if there is none."""
        ...


class NoCanvases:
    """Used where every digest is posted as a message."""

    async def update(
        self, page: CanvasPage, channel: str, channel_id: str, *, is_first: bool = False
    ) -> str:
        del page, channel, channel_id, is_first
        return "canvas_disabled_user_team"

    async def close(self, digest: str, channel: str, note: str) -> bool | None:
        del digest, channel, note
        return None


class CanvasPosts(Struct, frozen=True):
    """Canvases from the outbox."""

    canvases: CanvasUpdater

    async def update(self, queued: QueuedPost, channel_id: str) -> QueuedPost | None:
        """Brings the canvas of a post up to date, or returns the message to post instead."""
        try:
            page = CanvasPage.decode(queued.post.content)
        except msgspec.DecodeError:
            # The message says the same.
            log.exception("A canvas for %s cannot be read.", queued.post.channel)
            return _as_message(queued, "the canvas was stored by another version")
        code = await self.canvases.update(page, queued.post.channel, channel_id)
        return _as_message(queued, UNAVAILABLE.get(code, code)) if code else None


def _as_message(queued: QueuedPost, reason: str) -> QueuedPost:
    """The message of a digest, which says why it is not a canvas. It is about no earlier message."""
    post = queued.post
    why = f"Posted as a message, since {reason}."
    shown = replace(
        post,
        text=f"{post.text}\n{why}",
        blocks=[*post.blocks, kit.context(kit.with_code(why))],
        about="",
    )
    return replace(queued, post=shown, about_ts="")
