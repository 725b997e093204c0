"""HTTP mode behind a load balancer: each request reaches either of two processes on one database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import pytest

from bot.app import Bot, open_bot
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack import BOT
from tests.support.balancer import Balancer, open_balancer
from tests.support.messages import buttons
from tests.support.ports import free_port


@dataclass
class Pair:
    """Two processes behind one load balancer."""

    sandbox: Sandbox
    balancer: Balancer
    bots: list[Bot]
    stop_first: AsyncExitStack

    @property
    def answers(self) -> list[str]:
        return [m.text for m in self.sandbox.slack.messages if m.user == BOT]


@pytest.fixture
async def pair(sandbox: Sandbox) -> AsyncIterator[Pair]:
    ports = [free_port(), free_port()]
    async with AsyncExitStack() as stack:
        stops = [await stack.enter_async_context(AsyncExitStack()) for _ in ports]
        bots = [
            await stop.enter_async_context(_listening(sandbox, port))
            for stop, port in zip(stops, ports, strict=True)
        ]
        backends = [f"http://127.0.0.1:{port}" for port in ports]
        balancer = await stack.enter_async_context(open_balancer(backends))
        sandbox.slack.events_url = f"{balancer.url}/slack/events"
        yield Pair(sandbox, balancer, bots, stops[0])
        for server in sandbox.servers:
            server.answer_at_once()


@asynccontextmanager
async def _listening(sandbox: Sandbox, port: int) -> AsyncIterator[Bot]:
    settings = sandbox.settings(slack={"mode": "http", "port": port})
    async with (
        open_bot(settings, sandbox.tokens("http"), clock=sandbox.clock) as bot,
        bot.connected(),
    ):
        yield bot


async def test_button_reaches_the_other_process(sandbox: Sandbox, pair: Pair) -> None:
    refusal = await sandbox.slack.answer_to("/usage foo")
    await sandbox.slack.press(refusal, "ask.0")
    await sandbox.slack.until(lambda: any("in 7 days" in m.text for m in sandbox.slack.seen()))
    assert set(pair.balancer.answered.values()) == {1}


async def test_private_answer_is_shared_by_the_other_process(sandbox: Sandbox, pair: Pair) -> None:
    answer = await sandbox.slack.answer_to("/apiaudit iot 24h")
    assert answer.seen_by == "U0ADA"
    await sandbox.slack.press(answer, buttons(answer)["Share here"])
    await sandbox.slack.until(
        lambda: any(m.user == BOT and not m.seen_by for m in sandbox.slack.messages)
    )
    assert set(pair.balancer.answered.values()) == {1}


async def test_work_is_cancelled_through_the_other_process(sandbox: Sandbox, pair: Pair) -> None:
    sandbox.rapid7.be_slow(60, times=20)
    await sandbox.slack.command("/usage last 7 days")
    working = await sandbox.slack.until(
        lambda: next((m for m in sandbox.slack.seen() if "Cancel" in buttons(m)), None),
        timeout_s=30,
    )
    await sandbox.slack.press(working, buttons(working)["Cancel"])
    await sandbox.slack.until(
        lambda: any(m.text.startswith("Cancelled") for m in sandbox.slack.messages), timeout_s=30
    )
    assert set(pair.balancer.answered.values()) == {1}


async def test_redelivery_to_the_other_process_has_no_effect(sandbox: Sandbox, pair: Pair) -> None:
    await sandbox.slack.answer_to("/usage last 7 days")
    await sandbox.slack.deliver_again()
    await sandbox.slack.answer_to("/usage last 3 days")
    assert sum("in 7 days" in text for text in pair.answers) == 1
    assert sorted(pair.balancer.answered.values()) == [1, 2]


async def test_commands_go_to_the_process_that_is_left(sandbox: Sandbox, pair: Pair) -> None:
    await pair.stop_first.aclose()
    for days in (2, 3, 4):
        assert f"in {days} days" in (await sandbox.slack.answer_to(f"/usage last {days} days")).text
    assert list(pair.balancer.answered.values()) == [3]
