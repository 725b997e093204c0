"""Modals and the App Home tab."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from msgspec import Struct

from bot.answer import Block
from bot.blocks import limits
from bot.slack.client import SlackClient

log = logging.getLogger("opswatch")


class SlackViews(Struct, frozen=True):
    """Opens and changes modals, and shows the App Home tab. Its methods raise what SlackClient
    raises.
    """

    client: SlackClient

    async def open(self, trigger: str, view: Block) -> None:
        """Opens a modal. Raises SlackRefused where the trigger is used up or too old."""
        await self.client.call("views.open", trigger_id=trigger, view=view)

    async def update(self, view: Block, view_id: str, hash_: str) -> str:
        """Replaces an open modal and returns its new hash. Raises SlackRefused where it was closed
        or has changed meanwhile.
        """
        answer = await self.client.call("views.update", view=view, view_id=view_id, hash=hash_)
        return str((answer.get("view") or {}).get("hash") or hash_)

    async def publish_home(self, user: str, blocks: Sequence[Block]) -> None:
        """Shows the App Home tab to a person."""
        problems = limits.block_problems(blocks, most=limits.MOST_VIEW_BLOCKS)
        if problems:
            log.error("App Home would be refused: %s", "; ".join(problems))
        view = {"type": "home", "blocks": list(blocks)[: limits.MOST_VIEW_BLOCKS]}
        await self.client.call("views.publish", user_id=user, view=view)
