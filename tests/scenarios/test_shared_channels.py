"""Answers in channels that are shared with another organization (Slack Connect)."""

from __future__ import annotations

import pytest

from bot.sandbox.slack import BOT, Message
from bot.sandbox.world import Sandbox
from bot.slack.private_reasons import MAYBE_SHARED_CHANNEL, SHARED_CHANNEL
from tests.conftest import connected_bot
from tests.scenarios.test_slack import buttons, text_of

LINE = "/usage last 7 days"


@pytest.fixture(autouse=True)
def shared(world: Sandbox) -> None:
    world.slack.channels["C0KITCHEN"].is_ext_shared = True


async def asked(world: Sandbox, channel: str = "C0KITCHEN") -> Message:
    return await world.slack.answer_to(LINE, channel=channel)


async def test_answer_in_shared_channel_is_private(world: Sandbox) -> None:
    async with connected_bot(world):
        answer = await asked(world)
    assert (answer.seen_by, answer.channel) == ("U0ADA", "C0KITCHEN")
    assert answer.text.startswith(SHARED_CHANNEL)
    assert SHARED_CHANNEL in text_of(answer)
    assert "in 7 days" in answer.text


async def test_asker_may_share_in_shared_channel(world: Sandbox) -> None:
    async with connected_bot(world):
        answer = await asked(world)
        await world.slack.press(answer, buttons(answer)["Share here"])
        await world.slack.until(
            lambda: any("Shared by" in text_of(m) and not m.seen_by for m in world.slack.messages)
        )


async def test_named_channel_gets_answers_though_shared(world: Sandbox) -> None:
    async with connected_bot(world, access={"usage": ["*", "C0KITCHEN"]}):
        answer = await asked(world)
    assert answer.seen_by == ""
    assert SHARED_CHANNEL not in answer.text


@pytest.mark.parametrize("channel", ["C0OPS", "D0ADA"])
async def test_other_channels_get_answers(world: Sandbox, channel: str) -> None:
    async with connected_bot(world):
        if channel == "D0ADA":
            await world.slack.open_home("U0ADA")
            await world.slack.until(lambda: world.slack.homes.get("U0ADA"))
            await world.slack.press_at_home("/usage last 7 days")
            answer = await world.slack.until(lambda: next(iter(world.slack.seen()), None))
        else:
            answer = await asked(world, channel)
    assert answer.seen_by == ""
    assert SHARED_CHANNEL not in answer.text


async def test_long_work_in_shared_channel_stays_private(world: Sandbox) -> None:
    world.rapid7.be_slow(1.5, times=3)
    async with connected_bot(world):
        answer = await asked(world)
    public = [m for m in world.slack.messages if m.user == BOT and not m.seen_by]
    assert (answer.seen_by, public) == ("U0ADA", [])


async def test_file_in_shared_channel_goes_by_direct_message(world: Sandbox) -> None:
    async with connected_bot(world):
        await world.slack.answer_to(f"{LINE} csv", channel="C0KITCHEN")
        brought = await world.slack.until(
            lambda: next((m for m in world.slack.messages if m.files), None)
        )
    assert brought.channel == "D0ADA"


async def test_mention_in_shared_channel_is_answered_privately(world: Sandbox) -> None:
    async with connected_bot(world):
        await world.slack.say(f"@Opswatch {LINE.removeprefix('/')}", channel="C0KITCHEN")
        answer = await world.slack.until(
            lambda: next((m for m in world.slack.seen() if "in 7 days" in m.text), None)
        )
    assert answer.seen_by == "U0ADA"


async def test_slack_is_asked_once_for_each_channel(world: Sandbox) -> None:
    async with connected_bot(world, access={"usage": ["*"]}):
        for _ in range(3):
            await asked(world, "C0OPS")
    assert (
        world.slack.paths().count("POST /api/conversations.info")
        + world.slack.paths().count("GET /api/conversations.info")
        == 1
    )


async def test_answer_is_private_while_slack_does_not_say(world: Sandbox) -> None:
    refusal = world.slack.refuse("conversations.info", "internal_error")
    async with connected_bot(world):
        answer = await asked(world, "C0OPS")
        assert answer.seen_by == "U0ADA"
        assert answer.text.startswith(MAYBE_SHARED_CHANNEL)
        world.slack.refusals.remove(refusal)
        assert (await asked(world, "C0OPS")).seen_by == ""


@pytest.mark.parametrize(
    "words", ["subscribe last 7 days at 09:00", "alert today above 500 GB every 15m"]
)
async def test_schedule_in_shared_channel_warns(world: Sandbox, words: str) -> None:
    async with connected_bot(world):
        created = await world.slack.answer_to(f"/usage {words}", channel="C0KITCHEN")
    assert "including people of other organizations" in created.text


async def test_schedule_in_granted_channel_does_not_warn(world: Sandbox) -> None:
    async with connected_bot(world, access={"usage": ["*", "C0KITCHEN"]}):
        created = await world.slack.answer_to(
            "/usage subscribe last 7 days at 09:00", channel="C0KITCHEN"
        )
    assert "Everybody in this channel" not in created.text
