"""Plain messages to the bot, in the threads of Slack's agent surface and without it."""

from __future__ import annotations

import pytest

from bot.blocks import limits
from bot.sandbox.slack import BOT, Channel, Message
from bot.sandbox.world import Sandbox
from bot.slack.manifest import AGENT_SCOPES, SCOPES
from tests.conftest import connected_bot

DIRECT = "D0ADA"


@pytest.fixture
def direct(world: Sandbox) -> str:
    """A channel with the bot, in an app that may read what people write there."""
    slack = world.slack
    slack.scopes = ",".join({**SCOPES, **AGENT_SCOPES})
    slack.channels[DIRECT] = Channel(DIRECT, "Ada", "", direct_with="U0ADA")
    slack.channels["D0LINUS"] = Channel("D0LINUS", "Linus", "", direct_with="U0LINUS")
    return DIRECT


async def reply(world: Sandbox, says: str, thread: str) -> Message:
    found: Message = await world.slack.until(
        lambda: next(
            (
                m
                for m in world.slack.messages
                if m.user == BOT and says in m.text and m.thread_ts == thread
            ),
            None,
        )
    )
    assert limits.message_problems(found.text, found.blocks) == []
    return found


async def test_agent_thread_suggests_a_question_of_each_command(
    world: Sandbox, direct: str
) -> None:
    async with connected_bot(world):
        thread = await world.slack.start_agent_thread()
        prompts = await world.slack.until(lambda: world.slack.agent_threads[thread])
        assert [prompt.split()[0] for prompt in prompts] == ["usage", "apiaudit", "logs"]
        for prompt in prompts:
            await world.slack.say(prompt, channel=direct, thread_ts=thread)
        await reply(world, "GB in 7 days", thread)
        await reply(world, "edge", thread)
        await reply(world, "kitchen", thread)


async def test_prompts_name_only_what_the_person_may_ask(world: Sandbox, direct: str) -> None:
    async with connected_bot(world, access={"usage": ["U0LINUS"], "apiaudit": [], "logs": []}):
        thread = await world.slack.start_agent_thread("U0LINUS")
        prompts = await world.slack.until(lambda: world.slack.agent_threads[thread])
        assert [prompt.split()[0] for prompt in prompts] == ["usage"]
        nothing = await world.slack.start_agent_thread("U0ADA")
        await world.slack.say("help", channel=direct, thread_ts=nothing)
        await reply(world, "You don't have access", nothing)
        assert world.slack.agent_threads[nothing] == []


async def test_status_ends_with_the_answer(world: Sandbox, direct: str) -> None:
    async with connected_bot(world):
        thread = await world.slack.start_agent_thread()
        await world.slack.say("usage last 3 days", channel=direct, thread_ts=thread)
        await reply(world, "in 3 days", thread)
        await world.slack.until(lambda: world.slack.statuses[-1:] == [""])
        assert world.slack.statuses[0] == "is looking it up…"


async def test_words_in_the_thread_change_the_question(world: Sandbox, direct: str) -> None:
    async with connected_bot(world):
        thread = await world.slack.start_agent_thread()
        await world.slack.say("usage last 3 days", channel=direct, thread_ts=thread)
        await reply(world, "in 3 days", thread)
        await world.slack.say("last 5 days", channel=direct, thread_ts=thread)
        await reply(world, "in 5 days", thread)


@pytest.mark.parametrize("method", ["setStatus", "setSuggestedPrompts"])
async def test_answer_does_not_depend_on_the_surface(
    world: Sandbox, direct: str, method: str
) -> None:
    world.slack.refuse(f"assistant.threads.{method}", "missing_scope")
    async with connected_bot(world):
        thread = await world.slack.start_agent_thread()
        await world.slack.say("usage last 3 days", channel=direct, thread_ts=thread)
        await reply(world, "in 3 days", thread)


async def test_message_outside_a_thread_is_answered_under_it(world: Sandbox, direct: str) -> None:
    async with connected_bot(world):
        asked = await world.slack.say("what failed on edge today?", channel=direct)
        await reply(world, "edge", asked.ts)
        unclear = await world.slack.say("good morning", channel=direct)
        await reply(world, "elsewhere begin with usage", unclear.ts)
        assert world.slack.statuses == []


async def test_slash_commands_need_no_agent_surface(world: Sandbox) -> None:
    world.slack.channels[DIRECT] = Channel(DIRECT, "Ada", "", direct_with="U0ADA")
    async with connected_bot(world):
        await world.slack.say("usage last 3 days", channel=DIRECT)
        answer = await world.slack.answer_to("/usage last 5 days", channel=DIRECT)
        assert "in 5 days" in answer.text
        assert not any("in 3 days" in m.text for m in world.slack.seen())
