"""Answers in channels that are shared with another organisation (Slack Connect)."""

from __future__ import annotations

import pytest

from bot.errors import SlackRefused, SlackUnreachable
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack import BOT, Message
from bot.slack.channels import CLOSED_NOW, SlackChannels
from bot.slack.private_reasons import MAYBE_SHARED_CHANNEL, SHARED_CHANNEL
from tests.conftest import connected_bot
from tests.support.deliveries import working
from tests.support.messages import buttons, text_of

LINE = "/usage last 7 days"


@pytest.fixture(autouse=True)
def shared(sandbox: Sandbox) -> None:
    sandbox.slack.channels["C0KITCHEN"].is_ext_shared = True


async def asked(sandbox: Sandbox, channel: str = "C0KITCHEN") -> Message:
    return await sandbox.slack.answer_to(LINE, channel=channel)


async def test_answer_in_shared_channel_is_private(sandbox: Sandbox) -> None:
    async with connected_bot(sandbox):
        answer = await asked(sandbox)
    assert (answer.seen_by, answer.channel) == ("U0ADA", "C0KITCHEN")
    assert answer.text.startswith(SHARED_CHANNEL)
    assert SHARED_CHANNEL in text_of(answer)
    assert "in 7 days" in answer.text


async def test_asker_may_share_in_shared_channel(sandbox: Sandbox) -> None:
    async with connected_bot(sandbox):
        answer = await asked(sandbox)
        await sandbox.slack.press(answer, buttons(answer)["Share here"])
        await sandbox.slack.until(
            lambda: any("Shared by" in text_of(m) and not m.seen_by for m in sandbox.slack.messages)
        )


async def test_named_channel_gets_answers_though_shared(sandbox: Sandbox) -> None:
    async with connected_bot(sandbox, access={"usage": ["*", "C0KITCHEN"]}):
        answer = await asked(sandbox)
    assert answer.seen_by == ""
    assert SHARED_CHANNEL not in answer.text


@pytest.mark.parametrize("channel", ["C0OPS", "D0ADA"])
async def test_other_channels_get_answers(sandbox: Sandbox, channel: str) -> None:
    async with connected_bot(sandbox):
        if channel == "D0ADA":
            await sandbox.slack.open_home("U0ADA")
            await sandbox.slack.until(lambda: sandbox.slack.homes.get("U0ADA"))
            await sandbox.slack.press_at_home("/usage last 7 days")
            answer = await sandbox.slack.until(lambda: next(iter(sandbox.slack.seen()), None))
        else:
            answer = await asked(sandbox, channel)
    assert answer.seen_by == ""
    assert SHARED_CHANNEL not in answer.text


async def test_long_work_in_shared_channel_stays_private(sandbox: Sandbox) -> None:
    sandbox.rapid7.be_slow(1.5, times=3)
    async with connected_bot(sandbox):
        answer = await asked(sandbox)
    public = [m for m in sandbox.slack.messages if m.user == BOT and not m.seen_by]
    assert (answer.seen_by, public) == ("U0ADA", [])


async def test_progress_ends_where_channel_becomes_shared(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    reasons = iter(["", SHARED_CHANNEL])

    async def reason(*_: object, **__: object) -> str:
        return next(reasons)

    monkeypatch.setattr("handlers.permissions.Permissions.private_reason", reason)
    sandbox.rapid7.be_slow(600, times=3)
    async with connected_bot(sandbox):
        await sandbox.slack.command(LINE, channel="C0KITCHEN")
        progress = await working(sandbox)
        assert progress.seen_by == ""
        sandbox.rapid7.answer_at_once()
        answer = await sandbox.slack.until(
            lambda: next((m for m in sandbox.slack.seen() if m.seen_by), None)
        )
    assert answer.text.startswith(SHARED_CHANNEL)
    assert progress not in sandbox.slack.messages


async def test_file_in_shared_channel_goes_by_direct_message(sandbox: Sandbox) -> None:
    async with connected_bot(sandbox):
        await sandbox.slack.answer_to(f"{LINE} csv", channel="C0KITCHEN")
        brought = await sandbox.slack.until(
            lambda: next((m for m in sandbox.slack.messages if m.files), None)
        )
    assert brought.channel == "D0ADA"


async def test_mention_in_shared_channel_is_answered_privately(sandbox: Sandbox) -> None:
    async with connected_bot(sandbox):
        await sandbox.slack.say(f"@Opswatch {LINE.removeprefix('/')}", channel="C0KITCHEN")
        answer = await sandbox.slack.until(
            lambda: next((m for m in sandbox.slack.seen() if "in 7 days" in m.text), None)
        )
    assert answer.seen_by == "U0ADA"


async def test_slack_is_asked_once_for_each_channel(sandbox: Sandbox) -> None:
    async with connected_bot(sandbox, access={"usage": ["*"]}):
        for _ in range(3):
            await asked(sandbox, "C0OPS")
    assert (
        sandbox.slack.paths().count("POST /api/conversations.info")
        + sandbox.slack.paths().count("GET /api/conversations.info")
        == 1
    )


async def test_answer_is_private_while_slack_does_not_say(sandbox: Sandbox) -> None:
    refusal = sandbox.slack.refuse("conversations.info", "internal_error")
    async with connected_bot(sandbox):
        answer = await asked(sandbox, "C0OPS")
        assert answer.seen_by == "U0ADA"
        assert answer.text.startswith(MAYBE_SHARED_CHANNEL)
        sandbox.slack.refusals.remove(refusal)
        assert (await asked(sandbox, "C0OPS")).seen_by == ""


@pytest.mark.parametrize("error", [SlackUnreachable(), SlackRefused("channel_not_found")])
async def test_nothing_is_assumed_of_what_is_posted_later(error: SlackRefused) -> None:
    class Refusing:
        async def read(self, method: str, **arguments: str) -> object:
            raise error

    channels = SlackChannels(Refusing())  # type: ignore[arg-type]
    assert await channels.is_shared("C0OPS") is None
    assert await channels.is_shared("C0OPS", harmless=CLOSED_NOW) is False


@pytest.mark.parametrize(
    "words", ["subscribe last 7 days at 09:00", "alert today above 500 GB every 15m"]
)
async def test_schedule_in_shared_channel_warns(sandbox: Sandbox, words: str) -> None:
    async with connected_bot(sandbox):
        created = await sandbox.slack.answer_to(f"/usage {words}", channel="C0KITCHEN")
    assert "including people from other organisations" in created.text


async def test_schedule_in_granted_channel_does_not_warn(sandbox: Sandbox) -> None:
    async with connected_bot(sandbox, access={"usage": ["*", "C0KITCHEN"]}):
        created = await sandbox.slack.answer_to(
            "/usage subscribe last 7 days at 09:00", channel="C0KITCHEN"
        )
    assert "Everybody in this channel" not in created.text
