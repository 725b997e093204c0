"""Progress in threads with the app as an agent, which is streamed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from msgspec.structs import replace
from slack_bolt.request.async_request import AsyncBoltRequest

from bot.answer import Progress
from bot.app import Bot
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack import BOT, Message
from bot.slack.client import slack_client
from bot.slack.delivery import Delivery
from bot.slack.reply_target import ReplyState, ReplyTarget, ShownProgress
from bot.store import QuestionRecord, StoreUnavailable
from bot.store.sql.questions import SqlQuestions
from tests.conftest import connected_bot
from tests.support.agent_surface import DIRECT, open_agent_surface


@pytest.fixture
async def slow_bot(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bot]:
    """A bot in Slack's agent surface that answers slowly."""
    monkeypatch.setattr("handlers.shown_work.SHOW_WORK_AFTER_S", 0.05)
    monkeypatch.setattr("handlers.shown_work.EDIT_EVERY_S", 0.05)
    open_agent_surface(sandbox)
    async with connected_bot(sandbox) as bot:
        sandbox.rapid7.be_slow(600, times=9)
        yield bot
        sandbox.rapid7.answer_at_once()


@pytest.fixture
async def thread(sandbox: Sandbox, slow_bot: Bot) -> str:
    """A thread in which questions take long."""
    del slow_bot
    return await sandbox.slack.start_agent_thread()


async def asked(sandbox: Sandbox, thread: str, words: str = "usage last 3 days") -> Message:
    """The first message of the bot after a question."""
    await sandbox.slack.say(words, channel=DIRECT, thread_ts=thread)
    await sandbox.slack.until(lambda: of_bot(sandbox, thread))
    return of_bot(sandbox, thread)[0]


async def asked_again(sandbox: Sandbox, thread: str) -> Message:
    """The streamed message of a further question."""
    before = of_bot(sandbox, thread)
    await sandbox.slack.say("usage last 4 days", channel=DIRECT, thread_ts=thread)
    await sandbox.slack.until(lambda: len(of_bot(sandbox, thread)) > len(before))
    return next(m for m in of_bot(sandbox, thread) if m not in before)


async def stop_in(bot: Bot, thread: str, user: str = "U0ADA") -> None:
    """Stops a person's work in the thread, as Slack's stop button does."""
    await bot.requests.cancel_in_thread(DIRECT, thread, user, stopped_ts="", before=bot.clock())


def of_bot(sandbox: Sandbox, thread: str) -> list[Message]:
    return [m for m in sandbox.slack.messages if m.user == BOT and m.thread_ts == thread]


def calls(sandbox: Sandbox, method: str) -> int:
    return sum(entry.path == f"/api/{method}" for entry in sandbox.slack.requests)


def is_cancelled(sandbox: Sandbox, thread: str) -> bool:
    return any("cancelled" in m.text.lower() for m in of_bot(sandbox, thread))


async def test_answer_takes_the_place_of_the_stream(sandbox: Sandbox, thread: str) -> None:
    message = await asked(sandbox, thread)
    assert message.streaming == "streaming"
    task = message.blocks[0]
    assert task["title"].startswith("/usage last 3 days · ")
    await sandbox.slack.until(lambda: message.blocks[0]["title"].endswith("so far"))
    await sandbox.slack.until(lambda: calls(sandbox, "chat.appendStream") >= 2)
    assert [block["type"] for block in message.blocks] == ["task_card", "actions"]
    assert "details" not in message.blocks[0]
    sandbox.rapid7.answer_at_once()
    await sandbox.slack.until(lambda: message.edited)
    assert "in 3 days" in message.text
    assert message.streaming == "closed"
    assert "Cancel" not in str(message.blocks)
    assert of_bot(sandbox, thread) == [message]
    assert sandbox.slack.refused == []


async def test_several_parts_are_tasks(sandbox: Sandbox, thread: str) -> None:
    sandbox.akamai.be_slow(600)
    sandbox.devicewise.be_slow(600)
    message = await asked(sandbox, thread, "apiaudit 24h")
    await sandbox.slack.until(lambda: len(message.blocks) >= 4)
    titles = [block.get("title") for block in message.blocks if block["type"] == "task_card"]
    assert [str(title).partition(" · ")[0] for title in titles] == ["/apiaudit 24h", "edge", "iot"]
    sandbox.akamai.answer_at_once()
    sandbox.devicewise.answer_at_once()
    await sandbox.slack.until(lambda: "edge" in message.text)


async def test_cancel_in_a_stream_ends_the_work(sandbox: Sandbox, thread: str) -> None:
    message = await asked(sandbox, thread)
    await sandbox.slack.press(message, "cancel")
    await sandbox.slack.until(lambda: is_cancelled(sandbox, thread))
    assert message not in sandbox.slack.messages


async def test_stopped_stream_cancels_the_work(sandbox: Sandbox, thread: str) -> None:
    message = await asked(sandbox, thread)
    sandbox.slack.stop_by_hand(message)
    await sandbox.slack.until(lambda: is_cancelled(sandbox, thread))
    assert not any("in 3 days" in m.text for m in of_bot(sandbox, thread))


async def test_stopped_session_cancels_the_work(
    sandbox: Sandbox, thread: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once, and not at the next append."""
    monkeypatch.setattr("handlers.shown_work.EDIT_EVERY_S", 600.0)
    message = await asked(sandbox, thread)
    other = await sandbox.slack.start_agent_thread()
    still_asked = await asked(sandbox, other, "usage last 4 days")
    await sandbox.slack.stop_agent_session(thread)
    await sandbox.slack.until(lambda: is_cancelled(sandbox, thread))
    await sandbox.slack.until(lambda: sandbox.slack.agent_sessions.get(thread) == "active")
    assert message not in sandbox.slack.messages
    assert still_asked.streaming == "streaming"
    assert not is_cancelled(sandbox, other)


async def test_session_is_stopped_before_progress_is_shown(
    sandbox: Sandbox, thread: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.shown_work.SHOW_WORK_AFTER_S", 600.0)
    before = len(sandbox.rapid7.requests)
    await sandbox.slack.say("usage last 3 days", channel=DIRECT, thread_ts=thread)
    await sandbox.slack.until(lambda: len(sandbox.rapid7.requests) > before)
    await sandbox.slack.stop_agent_session(thread, user="U0ADA")
    await sandbox.slack.until(lambda: is_cancelled(sandbox, thread))
    assert calls(sandbox, "chat.startStream") == 0


async def test_session_is_stopped_before_the_question_is_recorded(
    sandbox: Sandbox, slow_bot: Bot, thread: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = slow_bot.store.questions.claim
    stopped = asyncio.Event()

    async def late_claim(asked: QuestionRecord) -> bool:
        await stopped.wait()
        return await claim(asked)

    monkeypatch.setattr(slow_bot.store.questions, "claim", late_claim)
    await sandbox.slack.say("usage last 3 days", channel=DIRECT, thread_ts=thread)
    await sandbox.slack.stop_agent_session(thread)
    await sandbox.slack.until(lambda: sandbox.slack.agent_sessions.get(thread) == "active")
    stopped.set()
    await sandbox.slack.until(lambda: is_cancelled(sandbox, thread))
    assert calls(sandbox, "chat.startStream") == 0
    # The next question in the thread is answered.
    message = await asked_again(sandbox, thread)
    assert message.streaming == "streaming"


async def test_stop_before_progress_is_found_by_another_process(
    sandbox: Sandbox, slow_bot: Bot, thread: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process that shows progress has not stored the thread yet."""
    monkeypatch.setattr("handlers.shown_work.SHOW_WORK_AFTER_S", 1.0)
    before = len(sandbox.rapid7.requests)
    async with connected_bot(sandbox):
        # The last one that is connected receives the stop.
        second = sandbox.slack.sockets[-1:]
        sandbox.slack.sockets.remove(second[0])
        await sandbox.slack.say("usage last 3 days", channel=DIRECT, thread_ts=thread)
        await sandbox.slack.until(lambda: len(sandbox.rapid7.requests) > before)
        sandbox.slack.sockets.append(second[0])
        assert slow_bot.requests.running.tasks
        await sandbox.slack.stop_agent_session(thread)
        await sandbox.slack.until(lambda: is_cancelled(sandbox, thread), timeout_s=20)


async def test_stopped_session_cancels_in_another_process(
    sandbox: Sandbox, slow_bot: Bot, thread: str
) -> None:
    await asked(sandbox, thread)
    async with connected_bot(sandbox) as second:
        assert not second.requests.running.cancellable
        await stop_in(second, thread, "U0GRACE")
        assert slow_bot.requests.running.tasks
        await stop_in(second, thread)
        await sandbox.slack.until(lambda: is_cancelled(sandbox, thread))


async def test_stopped_session_needs_no_database(
    sandbox: Sandbox, thread: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*_: object, **__: object) -> list[str]:
        raise StoreUnavailable("the server was stopped")

    await asked(sandbox, thread)
    monkeypatch.setattr(SqlQuestions, "in_progress_in", fail)
    await sandbox.slack.stop_agent_session(thread)
    await sandbox.slack.until(lambda: is_cancelled(sandbox, thread))
    assert "other processes were not cancelled: the server was stopped" in caplog.text


async def test_failed_cancel_keeps_no_other_question(
    sandbox: Sandbox, slow_bot: Bot, thread: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asked(sandbox, thread)
    await asked_again(sandbox, thread)
    assert len(of_bot(sandbox, thread)) == 2
    async with connected_bot(sandbox) as second:
        questions = second.store.questions
        request_cancel = questions.request_cancel
        failures = iter(range(1))

        async def fail_once(ticket: str, user: str) -> bool:
            if next(failures, None) is not None:
                raise StoreUnavailable("the server was stopped")
            return await request_cancel(ticket, user)

        monkeypatch.setattr(questions, "request_cancel", fail_once)
        await stop_in(second, thread)
        await sandbox.slack.until(lambda: is_cancelled(sandbox, thread))
        assert len(slow_bot.requests.running.cancellable) == 1


@pytest.mark.parametrize(
    "event",
    [
        {"type": "assistant_thread_context_changed", "assistant_thread": {"user_id": "U0ADA"}},
        {"type": "app_context_changed", "user": "U0ADA", "context": {}},
        {"type": "agent_session_stopped"},
        {"type": "agent_session_stopped", "channel": None, "thread_ts": "1.2", "user": None},
        {"type": "team_join", "user": {"id": "U0EVE"}},
    ],
    ids=lambda event: str(event["type"]),
)
async def test_events_without_use_are_accepted(
    sandbox: Sandbox, event: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    """Slack delivers again what is answered otherwise."""
    async with connected_bot(sandbox) as bot:
        body = sandbox.slack._event("U0ADA", event)
        response = await bot.deliveries.take(AsyncBoltRequest(mode="socket_mode", body=body))
    assert response.status == 200
    assert "Unhandled" not in caplog.text


async def test_expired_stream_is_edited(sandbox: Sandbox, thread: str) -> None:
    message = await asked(sandbox, thread)
    sandbox.slack.expire(message)
    await sandbox.slack.until(lambda: message.edited)
    assert message.text.startswith("Working on")
    sandbox.rapid7.answer_at_once()
    await sandbox.slack.until(lambda: "in 3 days" in message.text)
    assert of_bot(sandbox, thread) == [message]


@pytest.mark.parametrize("error", ["channel_type_not_supported", "unknown_method"])
async def test_progress_is_a_message_without_streams(
    sandbox: Sandbox, thread: str, error: str
) -> None:
    sandbox.slack.refuse("chat.startStream", error)
    message = await asked(sandbox, thread)
    assert message.text.startswith("Working on")
    await sandbox.slack.until(lambda: message.edited)
    assert calls(sandbox, "chat.startStream") == 1
    sandbox.rapid7.answer_at_once()
    await sandbox.slack.until(lambda: "in 3 days" in message.text)


@asynccontextmanager
async def delivery_of(sandbox: Sandbox) -> AsyncIterator[Delivery]:
    async with aiohttp.ClientSession() as session:
        slack = sandbox.slack
        client = slack_client(slack.bot_token, f"{slack.url}/api/", session)
        yield Delivery(client)


def target_in(thread: str) -> ReplyTarget:
    return ReplyTarget(
        user="U0ADA",
        channel=DIRECT,
        response_url="",
        line="/logs kitchen follow",
        thread_ts=thread,
        direct=True,
        public=True,
        streams=True,
    )


async def test_lines_of_a_log_end_the_stream(sandbox: Sandbox, thread: str) -> None:
    async with delivery_of(sandbox) as delivery:
        target = target_in(thread)
        await delivery.show_progress(target, "ticket", Progress("0 lines"))
        [message] = of_bot(sandbox, thread)
        assert message.streaming == "streaming"
        for line in ("first", "second"):
            await delivery.show_progress(target, "ticket", Progress(lines=[line]))
            assert line in str(message.blocks)
    assert (message.streaming, message.edited) == ("closed", 2)
    assert sandbox.slack.refused == []


async def test_stream_of_a_killed_process_is_reported_in_its_message(
    sandbox: Sandbox, thread: str
) -> None:
    async with delivery_of(sandbox) as delivery:
        await delivery.show_progress(target_in(thread), "ticket", Progress("0 lines"))
        [message] = of_bot(sandbox, thread)
        # What the next process knows of it.
        target = replace(target_in(thread), state=ReplyState(progress=ShownProgress(message.ts)))
        await delivery.earlier.report_interrupted(target, "I was restarted.", [])
    assert message.text == "I was restarted."
    assert of_bot(sandbox, thread) == [message]
