"""Passes each delivery of Slack to Bolt once, however often it arrives, in either mode."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from slack_bolt import BoltResponse
from slack_bolt.request.async_request import AsyncBoltRequest

from bot.store import DeliveryStore, StoreUnavailable
from providers.clock import Clock

log = logging.getLogger("opswatch")
# Slack expects a reply inside the ack of these; all else is acknowledged before it is handled.
ACKED_BY_LISTENER = frozenset({"view_submission", "block_suggestion"})
# Slack delivers an event again at once, after a minute and after five; these are more than arrive
# in that time.
MOST_KNOWN = 5000
# How Bolt names the mode in which a request came.
SOCKET_MODE = "socket_mode"
# Slack waits three seconds for what comes of a form, of which saving it may take two.
RECORD_WITHIN_S = 0.5


class Deliveries:
    """Passes deliveries to `dispatch`. A repeated one has no second effect and gets the response of
    the first.

    A delivery that may change something is recorded in `handled` before it is dispatched, so that
    this also holds after a restart. A crash between the two loses the delivery, which is better
    than a second subscription: the person sees that nothing happened, and presses again.
    """

    def __init__(
        self,
        dispatch: Callable[[AsyncBoltRequest], Awaitable[BoltResponse]],
        handled: DeliveryStore,
        clock: Clock,
    ) -> None:
        self._dispatch = dispatch
        self._handled = handled
        self._clock = clock
        self._responses: OrderedDict[str, asyncio.Future[BoltResponse]] = OrderedDict()
        self._recording: set[asyncio.Task[bool]] = set()
        self._successor: Deliveries | None = None
        self._in_progress = 0

    @property
    def are_under_way(self) -> bool:
        """Whether a delivery has no response yet."""
        return self._in_progress > 0

    def lead_to(self, other: Deliveries) -> None:
        """Passes deliveries from now on to another bot, which receives what has been handled here."""
        other._responses = self._responses
        self._successor = None if other is self else other

    async def take(self, request: AsyncBoltRequest) -> BoltResponse:
        """Bolt's response to the delivery."""
        if self._successor:
            return await self._successor.take(request)
        self._in_progress += 1
        try:
            return await self._dispatch_once(request)
        finally:
            self._in_progress -= 1

    async def _dispatch_once(self, request: AsyncBoltRequest) -> BoltResponse:
        key = delivery_key(request.body)
        if not key:
            return await self._dispatch(request)
        response = self._responses.get(key)
        if response is not None:
            log.info("A repeated delivery is ignored.")
        elif request.mode == SOCKET_MODE:
            return await self._handle_here(key, request)
        else:
            response = self._responses[key] = asyncio.ensure_future(self._handle(key, request))
            self._drop_oldest()
        # A connection that breaks must not cancel what both deliveries wait for.
        return await asyncio.shield(response)

    async def _handle_here(self, key: str, request: AsyncBoltRequest) -> BoltResponse:
        """The same in the task of the delivery, which no connection cancels in Socket Mode."""
        response = self._responses[key] = asyncio.get_running_loop().create_future()
        self._drop_oldest()
        try:
            found = await self._handle(key, request)
        except BaseException as error:
            response.set_exception(error)
            # Perhaps nobody waits for it; else asyncio would log that it was not read.
            response.exception()
            raise
        response.set_result(found)
        return found

    async def _handle(self, key: str, request: AsyncBoltRequest) -> BoltResponse:
        if not is_recorded(request.body):
            return await self._dispatch(request)
        if not await self._is_first(key):
            log.info("A delivery that was handled before the restart is ignored.")
            return BoltResponse(status=200)
        response = await self._dispatch(request)
        if _is_refused_form(response):
            # Nothing was changed. If this ack is lost, the repeated delivery reports the same
            # error.
            await self._release(key)
        return response

    async def _is_first(self, key: str) -> bool:
        """Whether no earlier process has handled the delivery. If the database does not answer in
        time, the delivery is handled, and its listener reports what is wrong.
        """
        recording = asyncio.create_task(self._record(key))
        self._recording.add(recording)
        recording.add_done_callback(self._recording.discard)
        done, _ = await asyncio.wait({recording}, timeout=RECORD_WITHIN_S)
        return recording.result() if done else True

    async def _record(self, key: str) -> bool:
        try:
            return await self._handled.claim(key, now=self._clock())
        except StoreUnavailable as error:
            log.warning("A delivery could not be recorded: %s", error)
            return True

    async def _release(self, key: str) -> None:
        try:
            await self._handled.release(key)
        except StoreUnavailable as error:
            log.warning("A refused form could not be released: %s", error)

    def _drop_oldest(self) -> None:
        while len(self._responses) > MOST_KNOWN:
            self._responses.popitem(last=False)


def delivery_key(body: Mapping[str, Any]) -> str:
    """What identifies a delivery and its repetitions; empty if Slack sends nothing that does."""
    if event_id := body.get("event_id"):
        return f"event {event_id}"
    kind = body.get("type") or body.get("command") or ""
    # Every key that is pressed is a new one, and none changes anything.
    if kind == "block_suggestion":
        return ""
    if trigger_id := body.get("trigger_id"):
        return f"{kind} {trigger_id}"
    actions = body.get("actions") or [{}]
    action_ts = actions[0].get("action_ts") or body.get("action_ts")
    user = (body.get("user") or {}).get("id", "")
    action = actions[0].get("action_id") or body.get("callback_id") or ""
    return f"{kind} {action_ts} {user} {action}" if action_ts else ""


def is_recorded(body: Mapping[str, Any]) -> bool:
    """Whether a delivery is recorded here. A slash command is recorded as a question, with what was
    asked; opening Home changes nothing.
    """
    event = body.get("event") or {}
    return "command" not in body and event.get("type") != "app_home_opened"


def wants_reply(body: Mapping[str, Any]) -> bool:
    """Whether Slack waits for the result of the delivery."""
    return body.get("type") in ACKED_BY_LISTENER


def _is_refused_form(response: BoltResponse) -> bool:
    return '"response_action": "errors"' in str(response.body or "")
