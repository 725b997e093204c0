"""Two processes that share the database, as at every restart: nothing is duplicated or lost."""

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

from bot.app import Bot
from bot.sandbox.sandbox import Sandbox
from bot.slack.earlier_messages import EarlierMessages
from bot.slack.reply_target import ReplyTarget
from bot.store import QuestionRecord, Store
from providers.clock import utc_now
from tests.conftest import ROOT, connected_bot
from tests.support.alerts import Meter, evaluate, evaluated, posted_texts, running, thread
from tests.support.clock import MovableClock, process_environ
from tests.support.outbox import channel_texts, enqueue, post
from tests.support.outbox_process import location_word

pytestmark = pytest.mark.usefixtures("before_noon")

COUNT = 40
# Longer than a busy machine may keep a living process from renewing its lease.
LEASE_S = 3.0


@asynccontextmanager
async def outbox_process(sandbox: Sandbox) -> AsyncIterator[Process]:
    """Another process that posts messages from the sandbox's outbox."""
    env = process_environ(
        sandbox.clock, {**os.environ, **sandbox.environ(), "PYTHONPATH": str(ROOT)}
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.outbox_process",
        location_word(sandbox.location), str(LEASE_S),
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


async def fill(sandbox: Sandbox, count: int = COUNT) -> None:
    store = await Store.open(sandbox.location, now=utc_now())
    await enqueue(store.outbox, *(post(n, channel) for n in range(count) for channel in CHANNELS))
    await store.close()


CHANNELS = {"#ops": "C0OPS", "#kitchen": "C0KITCHEN"}


def each_once(sandbox: Sandbox, count: int = COUNT) -> None:
    """Every message is in its channel, once and in order."""
    for channel in CHANNELS.values():
        assert channel_texts(sandbox, channel) == [f"Message {n}" for n in range(count)]


async def until_all_posted(sandbox: Sandbox, count: int = COUNT) -> None:
    await sandbox.slack.until(
        lambda: all(len(channel_texts(sandbox, channel)) >= count for channel in CHANNELS.values()),
        timeout_s=60,
    )


async def test_two_processes_post_each_message_once(sandbox: Sandbox) -> None:
    sandbox.slack.be_slow(0.05, path="chat.postMessage", times=2 * COUNT)
    await fill(sandbox)
    async with outbox_process(sandbox), outbox_process(sandbox):
        await until_all_posted(sandbox)
    each_once(sandbox)


async def test_killed_process_is_replaced_by_the_other(sandbox: Sandbox) -> None:
    """Slack is slow, so most kills come after it has accepted a message and before it answers."""
    spread = random.Random(3)
    sandbox.slack.be_slow(0.1, path="chat.postMessage", times=4 * COUNT)
    await fill(sandbox)
    async with outbox_process(sandbox):
        for _ in range(4):
            async with outbox_process(sandbox) as victim:
                await asyncio.sleep(spread.uniform(0.1, 0.5))
                victim.send_signal(signal.SIGKILL)
        await until_all_posted(sandbox)
    each_once(sandbox)


async def test_paused_process_does_not_repeat_what_another_has_sent(sandbox: Sandbox) -> None:
    sandbox.slack.be_slow(0.1, path="chat.postMessage", times=2 * COUNT)
    await fill(sandbox)
    async with outbox_process(sandbox) as paused:
        await sandbox.slack.until(lambda: len(channel_texts(sandbox)) >= 5, timeout_s=30)
        paused.send_signal(signal.SIGSTOP)
        async with outbox_process(sandbox):
            await until_all_posted(sandbox)
            paused.send_signal(signal.SIGCONT)
            store = await Store.open(sandbox.location, now=utc_now())
            await enqueue(store.outbox, *(post(COUNT, channel) for channel in CHANNELS))
            await store.close()
            await until_all_posted(sandbox, COUNT + 1)
    each_once(sandbox, COUNT + 1)


async def test_alert_is_evaluated_and_posted_once(sandbox: Sandbox, clock: MovableClock) -> None:
    meter = Meter(sandbox)
    async with running(sandbox) as first, running(sandbox):
        await evaluate(first, clock, meter, 3)
        before = len(sandbox.rapid7.requests)
        await evaluate(first, clock, meter, 6)
        await sandbox.slack.until(lambda: posted_texts(sandbox))
        assert len(sandbox.rapid7.requests) - before == 1
        await evaluate(first, clock, meter, 6, 7, 3)
        await sandbox.slack.until(lambda: len(thread(sandbox)) == 1)
    assert len(posted_texts(sandbox)) == 1


async def test_acknowledgement_of_other_process_applies(
    sandbox: Sandbox, clock: MovableClock
) -> None:
    meter = Meter(sandbox)
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(running(sandbox))
        second = await stack.enter_async_context(running(sandbox))
        await evaluate(first, clock, meter, 6)
        await sandbox.slack.until(lambda: posted_texts(sandbox))
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


async def test_interrupted_questions_are_reported_together(
    sandbox: Sandbox, bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slack may take seconds for each report."""
    kinds = ("last 7 days", "today")
    reported = list[str]()
    both = asyncio.Event()

    async def report(_: EarlierMessages, target: ReplyTarget, *__: object) -> None:
        reported.append(target.line)
        if len(reported) == len(kinds):
            both.set()
        await asyncio.wait_for(both.wait(), 30)

    monkeypatch.setattr(EarlierMessages, "report_interrupted", report)
    async with AsyncExitStack() as stack:
        dead = await Store.open(bot.settings.database, now=utc_now())
        stack.push_async_callback(dead.close)
        for text in kinds:
            asked = QuestionRecord(text, sandbox.clock(), "U0ADA", "C0OPS", "usage", text, "slash")
            await dead.questions.claim(asked)
        await dead._claims.end()
        await sandbox.slack.until(both.is_set)
    assert sorted(reported) == [f"/usage {text}" for text in kinds]


async def test_running_question_is_not_reported_as_interrupted(sandbox: Sandbox) -> None:
    """The second process looks for interrupted questions while the first is still answering."""
    async with connected_bot(sandbox) as first:
        sandbox.rapid7.be_slow(60)
        await sandbox.slack.command("/usage last 7 days")
        await sandbox.slack.until(lambda: first.requests.running.cancellable)
        async with connected_bot(sandbox) as second:
            await second.interruptions.report(started=utc_now())
            [asked] = await second.store.questions.latest()
            assert asked.outcome == "asked"
        sandbox.rapid7.answer_at_once()
    assert not any("interrupted" in message.text for message in sandbox.slack.messages)


async def test_processes_share_which_blocks_slack_refuses(sandbox: Sandbox) -> None:
    sandbox.slack.supports_new_blocks = False
    async with connected_bot(sandbox):
        await sandbox.slack.answer_to("/usage last 7 days")
        async with connected_bot(sandbox):
            await sandbox.slack.answer_to("/usage last 3 days")
    async with connected_bot(sandbox):
        await sandbox.slack.answer_to("/usage last 5 days")
    assert len(sandbox.slack.refused) == 1


async def test_next_process_knows_which_vendor_is_down(sandbox: Sandbox) -> None:
    sandbox.rapid7.answer_with(503, times=999)
    async with connected_bot(sandbox):
        # Each question tries a few times.
        for days in range(2, 5):
            await sandbox.slack.answer_to(f"/usage last {days} days")
    sent = len(sandbox.rapid7.requests)
    async with connected_bot(sandbox):
        refusal = await sandbox.slack.answer_to("/usage last 8 days")
    assert "paused" in refusal.text
    assert len(sandbox.rapid7.requests) == sent
