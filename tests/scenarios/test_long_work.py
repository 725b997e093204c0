"""Long-running work: its progress, its cancellation, and other people's questions meanwhile."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import pytest

from bot.app import Bot
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack import Message
from bot.store.sql.questions import SqlQuestions
from tests.conftest import connected_bot
from tests.support.deliveries import working
from tests.support.messages import buttons

pytestmark = pytest.mark.usefixtures("late_progress", "bot")


@pytest.mark.shows_work
async def test_ack_precedes_any_work(sandbox: Sandbox) -> None:
    sandbox.rapid7.be_slow(600, times=9)
    ack = await sandbox.slack.command("/usage last 7 days")
    await asyncio.wait_for(ack.done, 60)
    assert not any("in 7 days" in m.text for m in sandbox.slack.seen())


async def test_failing_listener_loses_no_ack(sandbox: Sandbox, bot: Bot) -> None:
    async def raise_at_once() -> None:
        raise ValueError("at once")

    bot.app.command("/usage-broken")(raise_at_once)
    sandbox.slack.channels["C0OPS"].about = "still here"
    ack = await sandbox.slack.command("/usage-broken now")
    assert await asyncio.wait_for(ack.done, 60) == {}


@pytest.mark.shows_work
async def test_slow_provider_delays_nobody_else(sandbox: Sandbox) -> None:
    sandbox.rapid7.be_slow(600, times=3)
    await sandbox.slack.command("/usage last 7 days")
    await sandbox.slack.until(lambda: len(sandbox.rapid7.requests) >= 3)
    answer = await sandbox.slack.answer_to("/apiaudit iot 24h", user="U0GRACE")
    assert "calls" in answer.text
    assert not any("in 7 days" in m.text for m in sandbox.slack.seen())


async def test_many_questions_at_once_are_all_answered(sandbox: Sandbox) -> None:
    """Answers come as fast as Slack accepts messages, which is one per second in each channel;
    people who wait long are notified.
    """
    sandbox.slack.limit()
    places = ["C0OPS", "C0KITCHEN"] * 15
    acks = await asyncio.gather(
        *(
            sandbox.slack.command("/usage last 7 days", user="U0LINUS", channel=place)
            for place in places
        )
    )
    await asyncio.gather(*(asyncio.wait_for(ack.done, 60) for ack in acks))

    def answers(channel: str) -> list[Message]:
        return [m for m in sandbox.slack.seen("U0LINUS", channel) if "in 7 days" in m.text]

    await sandbox.slack.until(
        lambda: len(answers("C0OPS")) >= 15 and len(answers("C0KITCHEN")) >= 15, timeout_s=90
    )
    assert len(answers("C0OPS")) == len(answers("C0KITCHEN")) == 15
    waits = [
        m
        for m in sandbox.slack.seen("U0LINUS")
        if "the answer to" in m.text and "posted in about" in m.text
    ]
    assert {m.seen_by for m in waits} == {"U0LINUS"}
    assert sorted({m.channel for m in waits}) == ["C0KITCHEN", "C0OPS"]
    assert len(waits) <= 4
    assert sandbox.slack.refused == []


async def test_same_question_at_once_asks_vendor_once(
    sandbox: Sandbox, bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.shared_answers.SHARED_WITHIN_S", 600.0)
    sandbox.rapid7.be_slow(600, times=9)
    for user in ("U0LINUS", "U0GRACE"):
        await sandbox.slack.command("/usage last 7 days", user=user)
    await sandbox.slack.until(lambda: len(bot.requests.running.cancellable) == 2)
    sandbox.rapid7.answer_at_once()
    await sandbox.slack.until(
        lambda: sum("in 7 days" in m.text for m in sandbox.slack.seen("U0LINUS")) == 2
    )
    # The days, the days before and the month.
    assert len(sandbox.rapid7.requests) == 3


@pytest.mark.shows_work
async def test_long_work_shows_itself_and_becomes_the_answer(sandbox: Sandbox) -> None:
    sandbox.rapid7.be_slow(600, times=3)
    ack = await sandbox.slack.command("/usage last 7 days")
    await ack.done
    working = await sandbox.slack.until(
        lambda: next((m for m in sandbox.slack.seen() if m.text.startswith("Working on")), None)
    )
    assert "Cancel" in buttons(working)
    assert (working.blocks[0]["type"], working.blocks[0]["title"]) == (
        "task_card",
        "/usage last 7 days",
    )
    sandbox.rapid7.answer_at_once()
    answer = await sandbox.slack.until(
        lambda: next((m for m in sandbox.slack.seen() if "in 7 days" in m.text), None)
    )
    assert answer.ts == working.ts
    assert len(sandbox.slack.seen()) == 1


@pytest.mark.shows_work
async def test_slow_database_delays_no_answer(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor its progress: all connections are in use."""
    is_in_progress = SqlQuestions.is_in_progress

    async def wait(*_: object) -> bool:
        return await asyncio.Event().wait()

    monkeypatch.setattr("handlers.shown_work.DATABASE_WITHIN_S", 0.05)
    monkeypatch.setattr(SqlQuestions, "is_in_progress", wait)
    monkeypatch.setattr(SqlQuestions, "is_cancelled", wait)
    sandbox.rapid7.be_slow(600, times=3)
    await sandbox.slack.command("/usage last 7 days")
    await working(sandbox)
    monkeypatch.setattr(SqlQuestions, "is_in_progress", is_in_progress)
    sandbox.rapid7.answer_at_once()
    await sandbox.slack.until(lambda: any("in 7 days" in m.text for m in sandbox.slack.seen()))


@pytest.mark.shows_work
async def test_long_work_shows_progress_of_each_account(sandbox: Sandbox) -> None:
    sandbox.devicewise.be_slow(600)
    sandbox.akamai.answer_with(403, "no", times=9)
    async with connected_bot(sandbox, access={"apiaudit": ["*"]}):
        await sandbox.slack.command("/apiaudit 24h")
        working = await sandbox.slack.until(
            lambda: next((m for m in sandbox.slack.seen() if m.text.startswith("Working on")), None)
        )
        # The first account may have failed only after the message was shown.
        await sandbox.slack.until(lambda: working.blocks[0]["tasks"][0]["status"] == "error")
        plan, detail, _ = working.blocks
        assert (plan["type"], plan["title"]) == ("plan", "/apiaudit 24h")
        assert [(task["title"], task["status"]) for task in plan["tasks"]] == [
            ("edge", "error"),
            ("iot", "in_progress"),
        ]
        assert "edge did not accept the credentials" in str(plan["tasks"][0]["details"])
        assert re.search(r"\b\d+ s so far", detail["elements"][0]["text"])
        sandbox.devicewise.answer_at_once()
        await sandbox.slack.until(lambda: "edge is missing from this answer" in working.text)
    assert [m.ts for m in sandbox.slack.seen()] == [working.ts]


@pytest.mark.shows_work
async def test_calls_are_counted_as_they_are_read(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.shown_work.EDIT_EVERY_S", 0.2)

    def slowly(start: datetime, end: datetime) -> Iterable[dict[str, Any]]:
        sandbox.devicewise.be_slow(0.5)
        return rows(start, end)

    rows: Callable[[datetime, datetime], Iterable[dict[str, Any]]] = sandbox.devicewise.rows
    sandbox.devicewise.rows = slowly
    async with connected_bot(sandbox, access={"apiaudit": ["*"]}):
        await sandbox.slack.command("/apiaudit iot 7d")
        progress = await sandbox.slack.until(
            lambda: next((m for m in sandbox.slack.seen() if "calls so far" in str(m.blocks)), None)
        )
        assert re.search(r"\b(2|4|6),000 calls so far", str(progress.blocks))
        await sandbox.slack.until(lambda: progress.text.startswith("iot: "), timeout_s=30)


@pytest.mark.shows_work
async def test_long_private_work_shows_itself_to_the_asker_alone(sandbox: Sandbox) -> None:
    sandbox.devicewise.be_slow(600)
    await sandbox.slack.command("/apiaudit 24h")
    working = await sandbox.slack.until(
        lambda: next((m for m in sandbox.slack.seen() if m.text.startswith("Working on")), None)
    )
    assert working.seen_by == "U0ADA"
    steps = working.blocks[1]["text"]["text"]
    # Whether the first account has answered by then depends on the machine.
    assert re.fullmatch(r":\w+: `edge`( [\d,]+ calls)?\n:hourglass_flowing_sand: `iot`", steps)
    sandbox.devicewise.answer_at_once()
    await sandbox.slack.until(lambda: any("calls" in m.text for m in sandbox.slack.seen()))
    assert len(sandbox.slack.seen()) == 1


@pytest.mark.shows_work
async def test_work_can_be_cancelled_by_its_asker_alone(sandbox: Sandbox) -> None:
    sandbox.rapid7.be_slow(30, times=9)
    await sandbox.slack.command("/usage last 7 days")
    working = await sandbox.slack.until(
        lambda: next((m for m in sandbox.slack.seen() if m.text.startswith("Working on")), None)
    )
    await sandbox.slack.press(working, buttons(working)["Cancel"], user="U0LINUS")
    await sandbox.slack.until(
        lambda: any("nothing left to cancel" in m.text for m in sandbox.slack.seen("U0LINUS"))
    )
    await sandbox.slack.press(working, buttons(working)["Cancel"])
    await sandbox.slack.until(
        lambda: any("Cancelled, as you asked." in m.text for m in sandbox.slack.seen())
    )
    assert working not in sandbox.slack.messages


@pytest.mark.shows_work
async def test_interrupted_answer_is_reported(sandbox: Sandbox, bot: Bot) -> None:
    sandbox.rapid7.be_slow(30, times=9)
    await sandbox.slack.command("/usage last 7 days")
    await sandbox.slack.until(lambda: len(sandbox.rapid7.requests) >= 3)
    await bot.requests.running.finish(within_s=0.1)
    await sandbox.slack.until(
        lambda: any("The bot is restarting" in m.text for m in sandbox.slack.seen())
    )
    late = await sandbox.slack.answer_to("/usage today")
    assert "The bot is restarting" in late.text


@pytest.fixture
def short_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits how long the process waits for questions in progress before it ends."""
    monkeypatch.setattr("bot.app.FINISH_WITHIN_S", 0.1)
    monkeypatch.setattr("handlers.running_tasks.END_WITHIN_S", 1.0)


@pytest.mark.usefixtures("short_end")
async def test_answer_that_was_not_posted_is_reported(sandbox: Sandbox) -> None:
    """The process ends before Slack has accepted the answer."""
    async with connected_bot(sandbox) as ending:
        sandbox.slack.be_slow(600, path="chat.postMessage", times=9)
        await sandbox.slack.command("/usage last 7 days")
        await sandbox.slack.until(lambda: _asked(sandbox, "chat.postMessage"))
        await ending.requests.running.finish(within_s=0.1)
        [asked] = await ending.store.questions.latest()
        assert asked.outcome == "asked"
    sandbox.slack.faults.clear()
    async with connected_bot(sandbox):
        await sandbox.slack.until(
            lambda: any(
                "interrupted while it worked on /usage last 7 days" in m.text
                for m in sandbox.slack.seen()
            )
        )


async def test_upload_that_was_cut_off_is_reported(
    sandbox: Sandbox, bot: Bot, short_end: None
) -> None:
    sandbox.slack.be_slow(600, path="/upload/", times=9)
    await sandbox.slack.command("/logs kitchen 20m", channel="C0OPS")
    await sandbox.slack.until(lambda: _asked(sandbox, "/upload/"))
    await bot.requests.running.finish(within_s=0.1)
    await sandbox.slack.until(
        lambda: any(
            "The file could not be sent (the bot is restarting)" in m.text
            for m in sandbox.slack.seen()
        )
    )
    [asked] = await bot.store.questions.latest()
    assert asked.outcome == "answered"


def _asked(sandbox: Sandbox, path: str) -> bool:
    return any(path in entry.path for entry in sandbox.slack.requests)


@pytest.mark.shows_work
async def test_simultaneous_equal_questions_share_one_request(sandbox: Sandbox, bot: Bot) -> None:
    sandbox.rapid7.be_slow(600, times=99)
    acks = await asyncio.gather(
        *(sandbox.slack.command("/usage last 7 days", user="U0LINUS") for _ in range(5))
    )
    await asyncio.gather(*(ack.done for ack in acks))
    await sandbox.slack.until(lambda: len(bot.requests.running.cancellable) == 5)
    sandbox.rapid7.answer_at_once()
    assert await sandbox.slack.until(
        lambda: len([m for m in sandbox.slack.seen("U0LINUS") if "in 7 days" in m.text]) == 5
    )
    assert len(sandbox.rapid7.requests) == 3


@pytest.mark.shows_work
async def test_long_private_work_from_a_button_leaves_no_orphan(sandbox: Sandbox) -> None:
    answer = await sandbox.slack.answer_to("/apiaudit iot 24h")
    sandbox.devicewise.be_slow(600, times=1)
    await sandbox.slack.press(answer, buttons(answer)["7 days"])
    await sandbox.slack.until(
        lambda: any(m.text.startswith("Working on") for m in sandbox.slack.seen())
    )
    sandbox.devicewise.answer_at_once()
    await sandbox.slack.until(
        lambda: any("iot:" in m.text and m.edited for m in sandbox.slack.seen())
    )
    assert not [m for m in sandbox.slack.seen() if m.text.startswith("Working on")]
