"""The step for Slack's Workflow Builder: a question whose answer is posted in a channel."""

from __future__ import annotations

import pytest

from bot.blocks import limits
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack import Message
from tests.conftest import connected_bot

OPEN = {"usage": ["*"], "apiaudit": ["C0OPS"], "logs": ["U0ADA"]}


def posted(sandbox: Sandbox, says: str) -> list[Message]:
    return [m for m in sandbox.slack.messages if says in m.text]


async def test_answer_is_posted_in_the_channel(sandbox: Sandbox) -> None:
    async with connected_bot(sandbox, access=OPEN):
        step = await sandbox.slack.run_step("usage last 7 days csv", "C0KITCHEN")
        assert sandbox.slack.steps[step] == "completed"
        await sandbox.slack.until(lambda: posted(sandbox, "GB in 7 days"))
        [answer] = posted(sandbox, "GB in 7 days")
        assert (answer.channel, answer.seen_by) == ("C0KITCHEN", "")
        assert limits.message_problems(answer.text, answer.blocks) == []
        assert "Asked by a workflow" in str(answer.blocks)
        await sandbox.slack.until(
            lambda: any(m.files and m.thread_ts == answer.ts for m in sandbox.slack.messages)
        )


async def test_repeated_step_is_posted_once(sandbox: Sandbox) -> None:
    async with connected_bot(sandbox, access=OPEN):
        step = await sandbox.slack.run_step("/apiaudit edge 24h", "C0OPS")
        await sandbox.slack.until(lambda: posted(sandbox, "Workflow: edge"))
        await sandbox.slack.run_step("/apiaudit edge 24h", "C0OPS", step=step)
        other = await sandbox.slack.run_step("usage today", "C0OPS")
        assert sandbox.slack.steps[other] == "completed"
        await sandbox.slack.until(lambda: posted(sandbox, "so far today"))
        assert len(posted(sandbox, "Workflow: edge")) == 1


async def test_step_asks_a_saved_question_of_its_channel(sandbox: Sandbox) -> None:
    async with connected_bot(sandbox, access=OPEN):
        await sandbox.slack.answer_to("/usage save last 7 days per log as morning")
        await sandbox.slack.run_step("usage morning", "C0OPS")
        await sandbox.slack.until(lambda: posted(sandbox, "Workflow: rapid7-eu"))
        step = await sandbox.slack.run_step("usage morning", "C0KITCHEN")
        assert "not a window" in sandbox.slack.steps[step]


@pytest.mark.parametrize(
    ("question", "channel", "says"),
    [
        ("logs kitchen 1h", "C0OPS", "not everybody in the channel may"),
        ("apiaudit edge 24h", "C0KITCHEN", "not everybody in the channel may"),
        ("apiaudit edge nonsense", "C0KITCHEN", "not everybody in the channel may"),
        ("usage lsat week", "C0OPS", "did you mean “last week”?"),
        ("usage help", "C0OPS", "/usage"),
        ("how warm is it?", "C0OPS", "usage"),
        ("", "C0OPS", "usage"),
        ("usage last 7 days", "", "names no channel"),
        ("usage " + "a" * 9000, "C0OPS", "too long"),
    ],
)
async def test_refused_step_fails_with_the_reason(
    sandbox: Sandbox, question: str, channel: str, says: str
) -> None:
    async with connected_bot(sandbox, access=OPEN):
        step = await sandbox.slack.run_step(question, channel)
        assert says in sandbox.slack.steps[step]
        assert "edge" not in sandbox.slack.steps[step]
        assert sandbox.slack.seen() == []


@pytest.mark.parametrize("code", ["channel_not_found", "internal_error"])
async def test_step_waits_until_slack_says_who_reads_it(sandbox: Sandbox, code: str) -> None:
    """What is queued now may be posted once the bot is invited, and others read it there."""
    refusal = sandbox.slack.refuse("conversations.info", code)
    async with connected_bot(sandbox, access=OPEN) as bot:
        step = await sandbox.slack.run_step("usage last 7 days", "C0KITCHEN")
        assert "does not say whether the channel is shared" in sandbox.slack.steps[step]
        assert await bot.store.read("SELECT key FROM outbox") == []
        sandbox.slack.refusals.remove(refusal)
        step = await sandbox.slack.run_step("usage last 7 days", "C0KITCHEN")
        assert sandbox.slack.steps[step] == "completed"


async def test_secret_in_a_step_is_not_stored(sandbox: Sandbox) -> None:
    async with connected_bot(sandbox, access=OPEN):
        secret = "xoxb-" + "1234567890-" * 2 + "AbCdEfGhIjKlMnOpQrStUvWx"
        step = await sandbox.slack.run_step(f"apiaudit edge 24h who:{secret}", "C0OPS")
        assert "looks like a password or a token" in sandbox.slack.steps[step]
        assert secret not in sandbox.slack.steps[step]


async def test_failing_vendor_ends_the_step(sandbox: Sandbox) -> None:
    sandbox.akamai.answer_with(503, "{}", times=50)
    async with connected_bot(sandbox, access=OPEN):
        step = await sandbox.slack.run_step("apiaudit edge 2h", "C0OPS")
        assert sandbox.slack.steps[step] != "completed"
