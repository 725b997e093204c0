"""Everything that waits with a time limit can be cancelled at any moment, even when its result
arrives.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from bot.commands.logs.entries import _next_before
from bot.lifecycle.opened_bot import _is_set_within
from bot.slack.channels import SlackChannels
from bot.slack.users import _Cache
from handlers.listeners.home import _check
from providers.clock import utc_now
from providers.models import LogEntry

Arrived = asyncio.Event


async def follow(arrived: Arrived) -> None:
    async def feed() -> AsyncGenerator[Sequence[LogEntry], None]:
        while True:
            await arrived.wait()
            yield []

    entries = feed()
    ends = asyncio.get_running_loop().time() + 60
    while await _next_before(entries, ends) is not None:
        arrived.clear()


def client(arrived: Arrived) -> Any:
    """A Slack client that answers once an event has occurred."""

    async def read(*_: Any, **__: Any) -> Any:
        await arrived.wait()
        return {"channel": {"is_private": False}, "user": {"tz": "Europe/Dublin"}}

    return SimpleNamespace(read=read)


async def look_up_channel(arrived: Arrived) -> None:
    await SlackChannels(client(arrived)).is_open_to("U0ADA", "C0OPS")


async def look_up_who_left(arrived: Arrived) -> None:
    await SlackChannels(client(arrived)).is_closed_to("U0ADA", "C0OPS")


async def look_up_person(arrived: Arrived) -> None:
    await _Cache[Any](utc_now)._learn("U0ADA", client(arrived).read, None)


async def wait_for_event(arrived: Arrived) -> None:
    await _is_set_within(arrived, 60)


async def check_account(arrived: Arrived) -> None:
    async def check() -> list[Any]:
        await arrived.wait()
        return [SimpleNamespace(ok=True)]

    await _check(SimpleNamespace(check=check, account="edge"))


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize(
    "work",
    [follow, look_up_channel, look_up_who_left, look_up_person, wait_for_event, check_account],
    ids=lambda work: work.__name__,
)
async def test_cancel_is_kept_when_the_result_arrives(
    work: Callable[[Arrived], Coroutine[Any, Any, None]], turns: int
) -> None:
    arrived = Arrived()
    task = asyncio.create_task(work(arrived))
    # Until it waits.
    for _ in range(5):
        await asyncio.sleep(0)
    assert not task.done()
    arrived.set()
    # The result is on its way for some turns of the event loop, or has arrived.
    for _ in range(turns):
        await asyncio.sleep(0)
    is_cancelled = task.cancel()
    await asyncio.wait({task}, timeout=10)
    assert task.cancelled() == is_cancelled
