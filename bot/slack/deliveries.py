"""What Slack delivers, by either way: handed to Bolt once, however often it comes."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from slack_bolt import BoltResponse
from slack_bolt.request.async_request import AsyncBoltRequest

log = logging.getLogger("opswatch")
# What Slack wants a reply to inside the ack; all else is acknowledged before anything looks at it.
ACKED_BY_LISTENER = frozenset({"view_submission", "block_suggestion"})
# Slack delivers an event again at once, after a minute and after five; these are more than come in
# that time.
MOST_KNOWN = 5000


class Deliveries:
    """Dispatches deliveries to `dispatch`. A repeated one has no second effect and gets the reply
    of the first.

    Questions are known beyond a restart, by the record of them in the database; this knows all else
    while the bot runs.
    """

    def __init__(self, dispatch: Callable[[AsyncBoltRequest], Awaitable[BoltResponse]]) -> None:
        self._dispatch = dispatch
        self._known: OrderedDict[str, asyncio.Future[BoltResponse]] = OrderedDict()
        self._successor: Deliveries | None = None
        self._under_way = 0

    @property
    def are_under_way(self) -> bool:
        """Whether a delivery has no response yet."""
        return self._under_way > 0

    def lead_to(self, other: Deliveries) -> None:
        """What comes from now on is for another bot, which knows what came here."""
        other._known = self._known
        self._successor = None if other is self else other

    async def take(self, request: AsyncBoltRequest) -> BoltResponse:
        """Bolt's response to the delivery."""
        if self._successor:
            return await self._successor.take(request)
        self._under_way += 1
        try:
            return await self._taken(request)
        finally:
            self._under_way -= 1

    async def _taken(self, request: AsyncBoltRequest) -> BoltResponse:
        key = delivery_key(request.body)
        if not key:
            return await self._dispatch(request)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = asyncio.ensure_future(self._dispatch(request))
            self._forget_the_oldest()
        else:
            log.info("A delivery came again and has no second effect.")
        return await asyncio.shield(known)

    def _forget_the_oldest(self) -> None:
        while len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)


def delivery_key(body: Mapping[str, Any]) -> str:
    """What a delivery has in common with its repetitions, and with nothing else; empty where Slack
    gives it nothing of the kind.
    """
    if event_id := body.get("event_id"):
        return f"event {event_id}"
    kind = body.get("type") or body.get("command") or ""
    trigger_id = body.get("trigger_id")
    return f"{kind} {trigger_id}" if trigger_id and kind != "block_suggestion" else ""


def wants_reply(body: Mapping[str, Any]) -> bool:
    """Whether Slack waits for what comes of the delivery."""
    return body.get("type") in ACKED_BY_LISTENER
