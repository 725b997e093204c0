"""Answers in threads with the app as an agent, which are streamed as they become available."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec.structs import replace

from bot.answer import Answer, Progress, Step
from bot.blocks import kit, limits
from bot.errors import SlackRefused, SlackUnreachable
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack import Message
from bot.slack.delivery import Delivery
from bot.slack.reply_target import ReplyState, ReplyTarget, ShownProgress
from tests.conftest import connected_bot
from tests.scenarios.test_streamed_progress import (
    asked,
    calls,
    delivery_of,
    of_bot,
    target_in,
)
from tests.support.agent_surface import DIRECT, open_agent_surface
from tests.support.deliveries import answer_never, until_lost


@pytest.fixture
async def thread(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """A thread with the app as an agent."""
    monkeypatch.setattr("handlers.shown_work.SHOW_WORK_AFTER_S", 0.05)
    monkeypatch.setattr("handlers.shown_work.EDIT_EVERY_S", 0.1)
    open_agent_surface(sandbox)
    async with connected_bot(sandbox):
        yield await sandbox.slack.start_agent_thread()
        for server in sandbox.servers:
            server.answer_at_once()


def sections(message: Message) -> list[str]:
    return [
        block["text"]["text"]
        for block in message.blocks
        if block["type"] == "section" and "text" in block
    ]


def answer_of(blocks: list[dict[str, Any]], text: str = "42 GB in 7 days.") -> Answer:
    return Answer(text, blocks)


HEAD = [kit.header("42 GB in 7 days"), kit.context("`eu`")]
BUTTONS = kit.actions([kit.button("CSV", "ask.0", "/usage csv")], "answer.U0ADA.1")
TABLE = {
    "type": "data_table",
    "caption": "Days",
    "page_size": 10,
    "rows": [
        [{"type": "raw_text", "text": "Day"}],
        [{"type": "raw_text", "text": "2026-11-20"}],
    ],
}


async def finished(delivery: Delivery, target: ReplyTarget, answer: Answer) -> None:
    await delivery.answer(target, answer, ticket="ticket")


async def test_quick_answer_is_streamed(sandbox: Sandbox, thread: str) -> None:
    async with delivery_of(sandbox) as delivery:
        await finished(delivery, target_in(thread), answer_of([*HEAD, TABLE, BUTTONS]))
    [message] = of_bot(sandbox, thread)
    assert (message.streaming, message.edited) == ("closed", 0)
    shown = [block["type"] for block in message.blocks]
    assert shown == ["header", "context", "data_table", "actions"]
    assert calls(sandbox, "chat.postMessage") == 0
    assert sandbox.slack.refused == []


async def test_answer_of_the_bot_is_streamed(sandbox: Sandbox, thread: str) -> None:
    message = await asked(sandbox, thread, "usage last 3 days")
    await sandbox.slack.until(lambda: "Alert me" in str(message.blocks))
    assert "in 3 days" in message.text
    assert message.streaming == "closed"
    assert limits.message_problems(message.text, message.blocks) == []


async def test_each_account_is_shown_once_known(sandbox: Sandbox, thread: str) -> None:
    sandbox.devicewise.be_slow(600)
    message = await asked(sandbox, thread, "apiaudit 24h")
    await sandbox.slack.until(lambda: any("`edge`" in each for each in sections(message)))
    assert message.streaming == "streaming"
    assert [each for each in sections(message) if "`iot`" in each] == []
    sandbox.devicewise.answer_at_once()
    await sandbox.slack.until(lambda: message.edited)
    # The final message is what a channel shows.
    assert {block["type"] for block in message.blocks}.isdisjoint({"task_card"})
    assert "Cancel" not in str(message.blocks)
    assert of_bot(sandbox, thread) == [message]


@pytest.mark.parametrize(
    "words", ["usage last 3 days vs previous", "apiaudit edge 24h vs previous"]
)
async def test_both_windows_are_parts(sandbox: Sandbox, thread: str, words: str) -> None:
    for server in (sandbox.rapid7, sandbox.akamai):
        server.be_slow(600)
    message = await asked(sandbox, thread, words)
    await sandbox.slack.until(lambda: len(message.blocks) >= 4)
    titles = [block["title"] for block in message.blocks if block["type"] == "task_card"]
    assert len(set(titles)) == 3
    for server in (sandbox.rapid7, sandbox.akamai):
        server.answer_at_once()
    await sandbox.slack.until(lambda: message.edited)


def progress_of(*results: str) -> Progress:
    steps = [Step(f"a{n}", "complete", "", result) for n, result in enumerate(results)]
    return Progress("so far", {step.name: step for step in steps})


async def test_result_is_appended_once(sandbox: Sandbox, thread: str) -> None:
    async with delivery_of(sandbox) as delivery:
        target = target_in(thread)
        for progress in (progress_of("1 call"), progress_of("1 call", "2 calls")):
            await delivery.show_progress(target, "ticket", progress)
            await delivery.show_progress(target, "ticket", progress)
        [message] = of_bot(sandbox, thread)
        assert sections(message) == ["`a0` 1 call", "`a1` 2 calls"]
        await delivery.answer(target, answer_of(HEAD), ticket="")


async def test_long_results_fit_into_a_call(sandbox: Sandbox, thread: str) -> None:
    async with delivery_of(sandbox) as delivery:
        target = target_in(thread)
        hostile = "<!channel> *x* `y` & " * 40
        await delivery.show_progress(target, "ticket", progress_of(*[hostile] * 60))
        [message] = of_bot(sandbox, thread)
        assert message.streaming == "streaming"
        assert "<!channel>" not in str(message.blocks)
        await finished(delivery, target, answer_of([*HEAD, BUTTONS]))
    assert [block["type"] for block in message.blocks] == ["header", "context", "actions"]
    assert sandbox.slack.refused == []


async def test_secrets_in_results_are_redacted(sandbox: Sandbox, thread: str) -> None:
    sandbox.devicewise.be_slow(600)
    sandbox.akamai.answer_with(
        400, b'{"detail": "password=hunter2hunter2 is wrong"}', content_type="application/json"
    )
    message = await asked(sandbox, thread, "apiaudit 24h")
    await sandbox.slack.until(lambda: any("`edge`" in each for each in sections(message)))
    assert "hunter2" not in str(message.blocks)


@pytest.mark.parametrize("error", ["unknown_method", "missing_scope", "channel_type_not_supported"])
async def test_answer_is_posted_without_streams(sandbox: Sandbox, thread: str, error: str) -> None:
    refusal = sandbox.slack.refuse("chat.startStream", error)
    message = await asked(sandbox, thread, "usage last 3 days")
    await sandbox.slack.until(lambda: "in 3 days" in message.text)
    assert message.streaming == ""
    sandbox.slack.refusals.remove(refusal)


async def test_simpler_blocks_end_a_stream(sandbox: Sandbox, thread: str) -> None:
    sandbox.slack.supports_new_blocks = False
    async with delivery_of(sandbox) as delivery:
        await finished(delivery, target_in(thread), answer_of([*HEAD, TABLE, BUTTONS]))
    [message] = of_bot(sandbox, thread)
    assert message.streaming == "closed"
    assert "data_table" not in str(message.blocks)
    assert "2026-11-20" in str(message.blocks)


@pytest.mark.parametrize("is_long", [False, True], ids=["quick", "long"])
@pytest.mark.parametrize("processed", [False, True], ids=["lost", "answer lost"])
async def test_unknown_end_of_a_stream_shows_the_answer(
    sandbox: Sandbox, thread: str, is_long: bool, processed: bool
) -> None:
    async with delivery_of(sandbox) as delivery:
        target = target_in(thread)
        if is_long:
            await delivery.show_progress(target, "ticket", Progress("so far"))
        sandbox.slack.fail("chat.stopStream", processed=processed)
        await finished(delivery, target, answer_of([*HEAD, BUTTONS]))
    [message] = of_bot(sandbox, thread)
    assert [block["type"] for block in message.blocks] == ["header", "context", "actions"]
    assert message.streaming == "closed"


@pytest.mark.parametrize("end", ["stop_by_hand", "expire"])
async def test_answer_replaces_a_stream_that_ended(sandbox: Sandbox, thread: str, end: str) -> None:
    async with delivery_of(sandbox) as delivery:
        target = target_in(thread)
        await delivery.show_progress(target, "ticket", Progress("so far"))
        [message] = of_bot(sandbox, thread)
        getattr(sandbox.slack, end)(message)
        await finished(delivery, target, answer_of([*HEAD, BUTTONS]))
    assert [block["type"] for block in message.blocks] == ["header", "context", "actions"]
    assert of_bot(sandbox, thread) == [message]


async def test_answer_stays_where_the_edit_fails(sandbox: Sandbox, thread: str) -> None:
    refusal = sandbox.slack.refuse("chat.update", "edit_window_closed")
    async with delivery_of(sandbox) as delivery:
        target = target_in(thread)
        await delivery.show_progress(target, "ticket", Progress("so far"))
        await finished(delivery, target, answer_of([*HEAD, BUTTONS]))
    [message] = of_bot(sandbox, thread)
    assert "42 GB in 7 days" in message.text
    sandbox.slack.refusals.remove(refusal)


async def test_full_tier_posts_the_answer(sandbox: Sandbox, thread: str) -> None:
    sandbox.slack.limit()
    async with delivery_of(sandbox) as delivery:
        for _ in range(25):
            await finished(delivery, target_in(thread), answer_of([*HEAD, BUTTONS]))
            # Slack allows one message a second in a channel, and the twentieth stream of a minute.
            if calls(sandbox, "chat.postMessage"):
                break
    assert calls(sandbox, "chat.startStream") < 20
    assert [m for m in of_bot(sandbox, thread) if not m.streaming]
    assert [m for m in of_bot(sandbox, thread) if m.streaming == "streaming"] == []
    assert sandbox.slack.refused == []


async def begun(delivery: Delivery, target: ReplyTarget, *, is_quick: bool) -> None:
    """The part that a process has streamed before the complete answer is available or sent."""
    if is_quick:
        await delivery._streams._start_answer(target, [*HEAD, BUTTONS])
    else:
        await delivery.show_progress(target, "ticket", progress_of("1 call", "2 calls"))


@pytest.mark.parametrize("is_closed", [False, True], ids=["open", "closed by Slack"])
@pytest.mark.parametrize("is_quick", [True, False], ids=["headline", "steps"])
@pytest.mark.parametrize("has_files", [False, True], ids=["", "files"])
async def test_killed_stream_is_found(
    sandbox: Sandbox, thread: str, is_quick: bool, is_closed: bool, has_files: bool
) -> None:
    async def report(target: ReplyTarget) -> None:
        if has_files:
            lost = ("I was restarted.", list[dict[str, Any]]())
            await delivery.earlier.report_missing_files(target, "No file.", [], unanswered=lost)
        else:
            await delivery.earlier.report_interrupted(target, "I was restarted.", [])

    async with delivery_of(sandbox) as delivery:
        target = replace(target_in(thread), delivery="Ev1")
        await begun(delivery, target, is_quick=is_quick)
        message = of_bot(sandbox, thread)[0]
        assert message.streaming == "streaming"
        if is_closed:
            sandbox.slack.expire(message)
        # The next process does not know its `ts`.
        later = replace(target, state=ReplyState())
        await report(later)
        assert (message.text, message.streaming) == ("I was restarted.", "closed")
        other = replace(later, delivery="Ev2", state=ReplyState())
        await report(other)
    said = "No file." if has_files else "I was restarted."
    assert [m.text for m in of_bot(sandbox, thread)] == ["I was restarted.", said]


async def test_killed_stream_is_deleted(sandbox: Sandbox, thread: str) -> None:
    """The answer is sent again privately."""
    async with delivery_of(sandbox) as delivery:
        target = replace(target_in(thread), delivery="Ev1")
        await begun(delivery, target, is_quick=False)
        [message] = of_bot(sandbox, thread)
        later = replace(target, state=ReplyState(progress=ShownProgress(message.ts)))
        await delivery.earlier.delete_progress(later)
    assert of_bot(sandbox, thread) == []


@pytest.mark.parametrize("knows_ts", [False, True], ids=["by key", "by ts"])
@pytest.mark.parametrize("new_blocks", [True, False], ids=["newest blocks", "simpler blocks"])
async def test_answer_below_steps_is_not_overwritten(
    sandbox: Sandbox, thread: str, knows_ts: bool, new_blocks: bool
) -> None:
    sandbox.slack.supports_new_blocks = new_blocks
    async with delivery_of(sandbox) as delivery:
        target = replace(target_in(thread), delivery="Ev1")
        await begun(delivery, target, is_quick=False)
        # As far as a process has come that is killed before it replaces the steps.
        ts = await delivery._streams.finish(target, answer_of([TABLE, *HEAD, BUTTONS]))
        progress = ShownProgress(ts if knows_ts else "")
        later = replace(target, state=ReplyState(progress=progress))
        await delivery.earlier.report_interrupted(later, "I was restarted.", [])
        lost = ("I was restarted.", list[dict[str, Any]]())
        await delivery.earlier.report_missing_files(later, "No file.", [], unanswered=lost)
    message, report = of_bot(sandbox, thread)
    assert "42 GB in 7 days" in str(message.blocks)
    assert (message.edited, report.text) == (0, "No file.")


async def test_answer_in_place_of_deleted_progress_is_found(sandbox: Sandbox, thread: str) -> None:
    async with delivery_of(sandbox) as delivery:
        target = replace(target_in(thread), delivery="Ev1", streams=False)
        await delivery.show_progress(target, "ticket", Progress("so far"))
        [progress] = of_bot(sandbox, thread)
        sandbox.slack.messages.remove(progress)
        await finished(delivery, target, answer_of([*HEAD, BUTTONS]))
        later = replace(target, state=ReplyState(progress=ShownProgress(progress.ts)))
        await delivery.earlier.report_interrupted(later, "I was restarted.", [])
    [message] = of_bot(sandbox, thread)
    assert message.text == "42 GB in 7 days."


async def test_steps_are_replaced_once_slack_answers(sandbox: Sandbox, thread: str) -> None:
    async with delivery_of(sandbox) as delivery:
        delivery._retry_after_s = (0, 0)
        target = target_in(thread)
        await begun(delivery, target, is_quick=False)
        sandbox.slack.fail("chat.update", processed=False, times=3)
        await finished(delivery, target, answer_of([*HEAD, BUTTONS]))
    [message] = of_bot(sandbox, thread)
    assert [block["type"] for block in message.blocks] == ["header", "context", "actions"]


async def test_stop_leaves_no_steps_above_the_answer(sandbox: Sandbox, thread: str) -> None:
    async with delivery_of(sandbox) as delivery:
        target = target_in(thread)
        await begun(delivery, target, is_quick=False)
        replacing = answer_never(sandbox, "/api/chat.update")
        work = asyncio.create_task(finished(delivery, target, answer_of([*HEAD, BUTTONS])))
        await asyncio.wait_for(replacing.wait(), 30)
        sandbox.slack.faults.clear()
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
    [message] = of_bot(sandbox, thread)
    assert [block["type"] for block in message.blocks] == ["header", "context", "actions"]
    assert target.state.is_answered


async def test_unconfirmed_result_is_streamed_again(sandbox: Sandbox, thread: str) -> None:
    async with delivery_of(sandbox) as delivery:
        target = target_in(thread)
        await delivery.show_progress(target, "ticket", progress_of("1 call", ""))
        sandbox.slack.fail("chat.appendStream", processed=False)
        for _ in range(2):
            await delivery.show_progress(target, "ticket", progress_of("1 call", "2 calls"))
        [message] = of_bot(sandbox, thread)
        assert sections(message) == ["`a0` 1 call", "`a1` 2 calls"]


@pytest.mark.parametrize("is_long", [False, True], ids=["quick", "long"])
async def test_unconfirmed_stream_is_continued(
    sandbox: Sandbox, thread: str, is_long: bool
) -> None:
    async with delivery_of(sandbox) as delivery:
        target = replace(target_in(thread), delivery="Ev1")
        sandbox.slack.fail("chat.startStream", processed=True)
        if is_long:
            await begun(delivery, target, is_quick=False)
        await finished(delivery, target, answer_of([*HEAD, BUTTONS]))
    [message] = of_bot(sandbox, thread)
    assert message.streaming == "closed"
    assert [block["type"] for block in message.blocks] == ["header", "context", "actions"]


async def test_headline_is_streamed_once(
    sandbox: Sandbox, thread: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with delivery_of(sandbox) as delivery:
        delivery._retry_after_s = (0,)
        stop_stream = delivery._client.stop_stream
        unreachable = [SlackUnreachable()]

        async def stop(*args: Any, **options: Any) -> None:
            if unreachable:
                raise unreachable.pop()
            await stop_stream(*args, **options)

        monkeypatch.setattr(delivery._client, "stop_stream", stop)
        await finished(delivery, target_in(thread), answer_of([*HEAD, BUTTONS]))
    [message] = of_bot(sandbox, thread)
    assert [block["type"] for block in message.blocks] == ["header", "context", "actions"]
    assert message.edited == 0


@pytest.mark.parametrize("blocks", [[], HEAD[:1]], ids=["no blocks", "headline alone"])
async def test_answer_without_a_rest_is_posted(
    sandbox: Sandbox, thread: str, blocks: list[dict[str, Any]]
) -> None:
    async with delivery_of(sandbox) as delivery:
        await finished(delivery, target_in(thread), answer_of(blocks))
    [message] = of_bot(sandbox, thread)
    assert (message.text, message.streaming) == ("42 GB in 7 days.", "")


@pytest.mark.parametrize("is_applied", [True, False])
async def test_stop_in_a_quick_stream_is_reported_once(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, is_applied: bool
) -> None:
    monkeypatch.setattr("bot.app.FINISH_WITHIN_S", 0.1)
    monkeypatch.setattr("handlers.running_tasks.END_WITHIN_S", 0.3)
    monkeypatch.setattr("handlers.shown_work.SHOW_WORK_AFTER_S", 120.0)
    open_agent_surface(sandbox)
    async with connected_bot(sandbox) as ending:
        thread = await sandbox.slack.start_agent_thread()
        ended = answer_never(
            sandbox, "/api/chat.stopStream", after=sandbox.slack._method if is_applied else None
        )
        await sandbox.slack.say("usage last 3 days", channel=DIRECT, thread_ts=thread)
        await asyncio.wait_for(ended.wait(), 30)
        await ending.requests.running.finish(within_s=0.05)
    async with connected_bot(sandbox) as bot:
        await until_lost(bot)
    [message] = of_bot(sandbox, thread)
    assert message.streaming == "closed"
    assert ("in 3 days" in message.text) == is_applied
    assert ("interrupted" in message.text) == (not is_applied)


@pytest.mark.parametrize(
    ("method", "arguments", "error"),
    [
        ("chat.update", {"text": "x"}, "streaming_state_conflict"),
        ("chat.delete", {}, "cant_delete_message"),
        ("chat.appendStream", {}, "markdown_text_or_chunks_required"),
        ("chat.appendStream", {"markdown_text": "x"}, "streaming_mode_mismatch"),
        (
            "chat.stopStream",
            {"markdown_text": "x", "chunks": [{"type": "markdown_text", "text": "y"}]},
            "cannot_provide_both_markdown_text_and_chunks",
        ),
        (
            "chat.appendStream",
            {"chunks": [{"type": "markdown_text", "text": "x" * 12_001}]},
            "msg_too_long",
        ),
        (
            "chat.appendStream",
            {"chunks": [{"type": "task_update", "id": "1", "title": "x" * 257, "status": "error"}]},
            "invalid_chunks",
        ),
        ("chat.stopStream", {"blocks": [{"type": "divider"}] * 51}, "msg_blocks_too_many"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
async def test_sandbox_refuses_as_slack_does(
    sandbox: Sandbox, thread: str, method: str, arguments: dict[str, Any], error: str
) -> None:
    async with delivery_of(sandbox) as delivery:
        client = delivery._client
        await delivery.show_progress(target_in(thread), "ticket", Progress("so far"))
        [message] = of_bot(sandbox, thread)
        with pytest.raises(SlackRefused, match=error):
            await client.call(method, channel=DIRECT, ts=message.ts, **arguments)
        sandbox.slack.refused.clear()
        assert message.streaming == "streaming"
        await client.call("chat.stopStream", channel=DIRECT, ts=message.ts)
        with pytest.raises(SlackRefused, match="message_not_in_streaming_state"):
            await client.call("chat.stopStream", channel=DIRECT, ts=message.ts)
    sandbox.slack.refused.clear()
