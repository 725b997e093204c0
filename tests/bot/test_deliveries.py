"""A delivery of Slack is dispatched once, and its repetitions share the response."""

from __future__ import annotations

import asyncio
import contextlib
import json

import pytest
from slack_bolt import BoltResponse
from slack_bolt.request.async_request import AsyncBoltRequest

from bot.slack.deliveries import Deliveries
from providers.clock import utc_now

MODES = pytest.mark.parametrize("mode", ["socket_mode", "http"])


def command(mode: str) -> AsyncBoltRequest:
    fields = {"command": "/usage", "trigger_id": "1.2"}
    if mode == "socket_mode":
        return AsyncBoltRequest(mode=mode, body=fields)
    return AsyncBoltRequest(body=json.dumps(fields), headers={"content-type": ["application/json"]})


class Bolt:
    """Answers a request once it is let go, and counts them."""

    def __init__(self) -> None:
        self.requests = 0
        self.tasks = set[asyncio.Task[object] | None]()
        self.go = asyncio.Event()
        self.error: Exception | None = None

    async def dispatch(self, request: AsyncBoltRequest) -> BoltResponse:
        self.requests += 1
        self.tasks.add(asyncio.current_task())
        await self.go.wait()
        if self.error:
            raise self.error
        return BoltResponse(status=200, body=f"{self.requests}")


def deliveries(bolt: Bolt) -> Deliveries:
    # A command is not recorded here.
    return Deliveries(bolt.dispatch, None, utc_now)  # type: ignore[arg-type]


@MODES
async def test_repetitions_share_the_response(mode: str) -> None:
    bolt = Bolt()
    taken = deliveries(bolt)
    first, second = (asyncio.create_task(taken.take(command(mode))) for _ in range(2))
    await asyncio.sleep(0)
    assert taken.are_under_way
    bolt.go.set()
    responses = [await first, await second, await taken.take(command(mode))]
    assert {response.body for response in responses} == {"1"}
    assert bolt.requests == 1
    assert not taken.are_under_way


@MODES
async def test_repetitions_share_the_error(mode: str) -> None:
    bolt = Bolt()
    bolt.error = ValueError("kitchen")
    bolt.go.set()
    taken = deliveries(bolt)
    for _ in range(2):
        with pytest.raises(ValueError, match="kitchen"):
            await taken.take(command(mode))
    assert bolt.requests == 1


async def test_broken_connection_in_http_mode_cancels_nothing() -> None:
    bolt = Bolt()
    taken = deliveries(bolt)
    first = asyncio.create_task(taken.take(command("http")))
    await asyncio.sleep(0)
    second = asyncio.create_task(taken.take(command("http")))
    await asyncio.sleep(0)
    first.cancel()
    bolt.go.set()
    with contextlib.suppress(asyncio.CancelledError):
        await first
    assert (await second).body == "1"


async def test_delivery_in_socket_mode_needs_no_other_task() -> None:
    bolt = Bolt()
    bolt.go.set()
    await deliveries(bolt).take(command("socket_mode"))
    assert bolt.tasks == {asyncio.current_task()}
