"""Plain messages to the bot, in the threads of Slack's agent surface and without it."""

from __future__ import annotations

import pytest

from bot.blocks import limits
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack import BOT, Channel, Message
from bot.slack.manifest import AGENT_SCOPES, SCOPES
from tests.conftest import connected_bot

DIRECT = "D0ADA"


@pytest.fixture
def direct(sandbox: Sandbox) -> str:
    """A direct-message channel with the bot, in an app that may read messages there."""
    slack = sandbox.slack
    slack.scopes = ",".join({**SCOPES, **AGENT_SCOPES})
    slack.channels[DIRECT] = Channel(DIRECT, "Ada", "", direct_with="U0ADA")
    slack.channels["D0LINUS"] = Channel("D0LINUS", "Linus", "", direct_with="U0LINUS")
    return DIRECT


async def reply(sandbox: Sandbox, says: str, thread: str) -> Message:
    found: Message = await sandbox.slack.until(
        lambda: next(
            (
                m
                for m in sandbox.slack.messages
                if m.user == BOT and says in m.text and m.thread_ts == thread
            ),
            None,
        )
    )
    assert limits.message_problems(found.text, found.blocks) == []
    return found


async def test_agent_thread_suggests_a_question_of_each_command(
    sandbox: Sandbox, direct: str
) -> None:
    async with connected_bot(sandbox):
        thread = await sandbox.slack.start_agent_thread()
        prompts = await sandbox.slack.until(lambda: sandbox.slack.agent_threads[thread])
        assert [prompt.split()[0] for prompt in prompts] == ["usage", "apiaudit", "logs"]
        for prompt in prompts:
            await sandbox.slack.say(prompt, channel=direct, thread_ts=thread)
        await reply(sandbox, "GB in 7 days", thread)
        await reply(sandbox, "edge", thread)
        await reply(sandbox, "kitchen", thread)


async def test_prompts_name_only_what_the_person_may_ask(sandbox: Sandbox, direct: str) -> None:
    async with connected_bot(sandbox, access={"usage": ["U0LINUS"], "apiaudit": [], "logs": []}):
        thread = await sandbox.slack.start_agent_thread("U0LINUS")
        prompts = await sandbox.slack.until(lambda: sandbox.slack.agent_threads[thread])
        assert [prompt.split()[0] for prompt in prompts] == ["usage"]
        nothing = await sandbox.slack.start_agent_thread("U0ADA")
        await sandbox.slack.say("help", channel=direct, thread_ts=nothing)
        await reply(sandbox, "You don't have access", nothing)
        assert sandbox.slack.agent_threads[nothing] == []


async def test_status_ends_with_the_answer(sandbox: Sandbox, direct: str) -> None:
    async with connected_bot(sandbox):
        thread = await sandbox.slack.start_agent_thread()
        await sandbox.slack.say("usage last 3 days", channel=direct, thread_ts=thread)
        await reply(sandbox, "in 3 days", thread)
        await sandbox.slack.until(lambda: sandbox.slack.statuses[-1:] == [""])
        assert sandbox.slack.statuses[0] == "is looking it up…"


async def test_words_in_the_thread_change_the_question(sandbox: Sandbox, direct: str) -> None:
    async with connected_bot(sandbox):
        thread = await sandbox.slack.start_agent_thread()
        await sandbox.slack.say("usage last 3 days", channel=direct, thread_ts=thread)
        await reply(sandbox, "in 3 days", thread)
        await sandbox.slack.say("last 5 days", channel=direct, thread_ts=thread)
        await reply(sandbox, "in 5 days", thread)


async def test_thread_is_named_by_its_question(sandbox: Sandbox, direct: str) -> None:
    titles = sandbox.slack.agent_titles
    async with connected_bot(sandbox):
        thread = await sandbox.slack.start_agent_thread()
        await sandbox.slack.say("good morning", channel=direct, thread_ts=thread)
        await reply(sandbox, "elsewhere begin with usage", thread)
        assert titles == {}
        await sandbox.slack.say("usage last 3 days", channel=direct, thread_ts=thread)
        await sandbox.slack.until(lambda: titles == {thread: "usage last 3 days"})
        await sandbox.slack.say("last 5 days", channel=direct, thread_ts=thread)
        await sandbox.slack.until(lambda: titles == {thread: "usage last 5 days"})


@pytest.mark.parametrize("method", ["setStatus", "setSuggestedPrompts", "setTitle"])
async def test_answer_does_not_depend_on_the_surface(
    sandbox: Sandbox, direct: str, method: str
) -> None:
    sandbox.slack.refuse(f"assistant.threads.{method}", "missing_scope")
    async with connected_bot(sandbox):
        thread = await sandbox.slack.start_agent_thread()
        await sandbox.slack.say("usage last 3 days", channel=direct, thread_ts=thread)
        await reply(sandbox, "in 3 days", thread)


async def test_message_outside_a_thread_is_answered_under_it(sandbox: Sandbox, direct: str) -> None:
    async with connected_bot(sandbox):
        asked = await sandbox.slack.say("what failed on edge today?", channel=direct)
        await reply(sandbox, "edge", asked.ts)
        unclear = await sandbox.slack.say("good morning", channel=direct)
        await reply(sandbox, "elsewhere begin with usage", unclear.ts)
        assert sandbox.slack.statuses == []


async def test_slash_commands_need_no_agent_surface(sandbox: Sandbox) -> None:
    sandbox.slack.channels[DIRECT] = Channel(DIRECT, "Ada", "", direct_with="U0ADA")
    async with connected_bot(sandbox):
        await sandbox.slack.say("usage last 3 days", channel=DIRECT)
        answer = await sandbox.slack.answer_to("/usage last 5 days", channel=DIRECT)
        assert "in 5 days" in answer.text
        assert not any("in 3 days" in m.text for m in sandbox.slack.seen())
