"""Two processes that share the database, as at every restart: nothing is done twice or lost."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from bot.sandbox.world import Sandbox
from bot.store import Store
from providers.clock import utc_now
from tests.conftest import ROOT, connected_bot
from tests.scenarios.test_alerts import Meter, evaluated, look, running, thread, told
from tests.scenarios.test_outbox import enqueue, post, said
from tests.support.clock import MovableClock, process_environ
from tests.support.outbox_process import location_word

pytestmark = pytest.mark.usefixtures("before_noon")

COUNT = 40
# Longer than a busy machine may keep a living process from renewing its lease.
LEASE_S = 3.0


@asynccontextmanager
async def outbox_process(world: Sandbox) -> AsyncIterator[Process]:
    """Another process that posts what is in the world's outbox."""
    env = process_environ(world.clock, {**os.environ, **world.environ(), "PYTHONPATH": str(ROOT)})
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.outbox_process",
        location_word(world.location), str(LEASE_S),
        env=env, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), 60) == b"posting\n"
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def fill(world: Sandbox, count: int = COUNT) -> None:
    store = await Store.open(world.location, now=utc_now())
    await enqueue(store.outbox, *(post(n, channel) for n in range(count) for channel in CHANNELS))
    await store.close()


CHANNELS = {"#ops": "C0OPS", "#kitchen": "C0KITCHEN"}


def each_once(world: Sandbox, count: int = COUNT) -> None:
    """Every message is in its channel, once and in order."""
    for channel in CHANNELS.values():
        assert said(world, channel) == [f"Message {n}" for n in range(count)]


async def all_said(world: Sandbox, count: int = COUNT) -> None:
    await world.slack.until(
        lambda: all(len(said(world, channel)) >= count for channel in CHANNELS.values()),
        timeout_s=60,
    )


async def test_two_processes_post_each_message_once(world: Sandbox) -> None:
    world.slack.be_slow(0.05, path="chat.postMessage", times=2 * COUNT)
    await fill(world)
    async with outbox_process(world), outbox_process(world):
        await all_said(world)
    each_once(world)


async def test_killed_process_is_replaced_by_the_other(world: Sandbox) -> None:
    """Slack is slow, so that most kills come between its taking a message and its answer."""
    spread = random.Random(3)
    world.slack.be_slow(0.1, path="chat.postMessage", times=4 * COUNT)
    await fill(world)
    async with outbox_process(world):
        for _ in range(4):
            async with outbox_process(world) as victim:
                await asyncio.sleep(spread.uniform(0.1, 0.5))
                victim.send_signal(signal.SIGKILL)
        await all_said(world)
    each_once(world)


async def test_paused_process_does_not_repeat_what_another_has_sent(world: Sandbox) -> None:
    world.slack.be_slow(0.1, path="chat.postMessage", times=2 * COUNT)
    await fill(world)
    async with outbox_process(world) as paused:
        await world.slack.until(lambda: len(said(world)) >= 5, timeout_s=30)
        paused.send_signal(signal.SIGSTOP)
        async with outbox_process(world):
            await all_said(world)
            paused.send_signal(signal.SIGCONT)
            store = await Store.open(world.location, now=utc_now())
            await enqueue(store.outbox, *(post(COUNT, channel) for channel in CHANNELS))
            await store.close()
            await all_said(world, COUNT + 1)
    each_once(world, COUNT + 1)


async def test_alert_is_evaluated_and_posted_once(world: Sandbox, clock: MovableClock) -> None:
    meter = Meter(world)
    async with running(world) as first, running(world):
        await look(first, clock, meter, 3)
        before = len(world.rapid7.requests)
        await look(first, clock, meter, 6)
        await world.slack.until(lambda: told(world))
        assert len(world.rapid7.requests) - before == 1
        await look(first, clock, meter, 6, 7, 3)
        await world.slack.until(lambda: len(thread(world)) == 1)
    assert len(told(world)) == 1


async def test_acknowledgement_of_other_process_applies(
    world: Sandbox, clock: MovableClock
) -> None:
    meter = Meter(world)
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(running(world))
        second = await stack.enter_async_context(running(world))
        await look(first, clock, meter, 6)
        await world.slack.until(lambda: told(world))
        rule = second.rules.registry.find("ingest-spike")
        assert rule
        for bot in (first, second):
            await bot.rules.job.state(rule)
        assert await second.rules.job.acknowledge(rule, user="U0ADA")
        await evaluated(first, clock)
        await evaluated(first, clock)
        [row] = await first.store.read("SELECT watch FROM alerts")
        assert '"U0ADA"' in row["watch"]
        assert not await first.rules.job.acknowledge(rule, user="U0GRACE")


async def test_running_question_is_not_reported_as_interrupted(world: Sandbox) -> None:
    """The second process looks for interrupted questions while the first is still answering."""
    async with connected_bot(world) as first:
        world.rapid7.be_slow(60)
        await world.slack.command("/usage last 7 days")
        await world.slack.until(lambda: first.requests.running.cancellable)
        async with connected_bot(world) as second:
            await second.requests.report_interrupted(started=utc_now())
            [asked] = await second.store.questions.latest()
            assert asked.outcome == "asked"
        world.rapid7.answer_at_once()
    assert not any("interrupted" in message.text for message in world.slack.messages)


async def test_processes_share_which_blocks_slack_refuses(world: Sandbox) -> None:
    world.slack.supports_new_blocks = False
    async with connected_bot(world):
        await world.slack.answer_to("/usage last 7 days")
        async with connected_bot(world):
            await world.slack.answer_to("/usage last 3 days")
    async with connected_bot(world):
        await world.slack.answer_to("/usage last 5 days")
    assert len(world.slack.refused) == 1


async def test_next_process_knows_which_vendor_is_down(world: Sandbox) -> None:
    world.rapid7.answer_with(503, times=999)
    async with connected_bot(world):
        # Each question tries a few times.
        for days in range(2, 5):
            await world.slack.answer_to(f"/usage last {days} days")
    sent = len(world.rapid7.requests)
    async with connected_bot(world):
        refusal = await world.slack.answer_to("/usage last 8 days")
    assert "paused" in refusal.text
    assert len(world.rapid7.requests) == sent
