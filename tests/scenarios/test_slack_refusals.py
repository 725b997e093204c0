"""What Slack refuses or no longer takes: blocks, files, posts, shares and response URLs."""

from __future__ import annotations

import gzip
import json

import pytest

from bot.sandbox.world import Sandbox
from tests.conftest import connected_bot
from tests.scenarios.test_slack import buttons, files_after, text_of, types

pytestmark = pytest.mark.usefixtures("late_progress", "bot")


async def test_refused_new_blocks_become_picture_and_table(
    world: Sandbox,
) -> None:
    world.slack.supports_new_blocks = False
    answer = await world.slack.answer_to("/usage last 7 days")
    assert "data_visualization" not in types(answer)
    assert {"image", "table", "header", "actions"} <= set(types(answer))
    chart = next(block for block in answer.blocks if block["type"] == "image")
    assert world.slack.files[chart["slack_file"]["id"]].content.startswith(b"\x89PNG")
    assert "Data usage by day, GB: usage " in chart["alt_text"]
    assert len(world.slack.refused) == 1
    await world.slack.answer_to("/usage last 3 days")
    assert len(world.slack.refused) == 1, "what was learned is remembered"


async def test_refused_tables_become_text(world: Sandbox) -> None:
    world.slack.supports_new_blocks = world.slack.knows_tables = False
    answer = await world.slack.answer_to("/usage last 7 days")
    assert not {"data_visualization", "data_table", "table", "image"} & set(types(answer))
    assert "By day:" in text_of(answer)


async def test_table_is_sent_without_failed_picture(world: Sandbox) -> None:
    world.slack.supports_new_blocks = False
    world.slack.answer_with(500, path="getUploadURLExternal", times=9)
    answer = await world.slack.answer_to("/usage last 7 days")
    assert "table" in types(answer) and "image" not in types(answer)


async def test_private_answer_falls_back_to_older_blocks(
    world: Sandbox,
) -> None:
    world.slack.supports_new_blocks = False
    answer = await world.slack.answer_to("/apiaudit iot 24h")
    assert answer.seen_by == "U0ADA"
    assert not {"data_table", "data_visualization"} & set(types(answer))
    assert "table" in types(answer)
    assert len(world.slack.refused) == 1
    await world.slack.answer_to("/apiaudit iot 24h")
    assert len(world.slack.refused) == 1, "what was learned is remembered"


@pytest.mark.shows_work
async def test_progress_without_task_blocks_is_text(world: Sandbox) -> None:
    world.slack.knows_tasks = False
    world.rapid7.be_slow(600, times=3)
    await world.slack.command("/usage last 7 days")
    working = await world.slack.until(
        lambda: next((m for m in world.slack.seen() if m.text.startswith("Working on")), None)
    )
    assert types(working) == ["section", "context", "actions"]
    world.rapid7.answer_at_once()
    answer = await world.slack.until(
        lambda: next((m for m in world.slack.seen() if "in 7 days" in m.text), None)
    )
    assert {"data_table", "data_visualization"} <= set(types(answer)), (
        "what was refused of one kind says nothing of another"
    )
    world.devicewise.be_slow(600)
    async with connected_bot(world, access={"apiaudit": ["*"]}):
        await world.slack.command("/apiaudit 24h")
        working = await world.slack.until(
            lambda: next((m for m in world.slack.seen() if m.text.startswith("Working on")), None)
        )
        assert types(working) == ["section", "section", "context", "actions"]
        world.devicewise.answer_at_once()
        await world.slack.until(lambda: working.text.startswith("edge, iot: "))


async def test_private_answer_uses_supported_blocks(world: Sandbox) -> None:
    world.slack.supports_new_blocks = False
    await world.slack.answer_to("/usage last 7 days")
    answer = await world.slack.answer_to("/apiaudit edge 2h", channel="C0KITCHEN")
    assert answer.seen_by == "U0ADA"
    assert "data_table" not in types(answer) and "table" in types(answer)


async def test_upload_limit_cut_is_explained(world: Sandbox) -> None:
    async with connected_bot(
        world, limits={"upload_plain": "2 kB", "upload_total": "10 kB"}, database="other.sqlite"
    ):
        answer, brought = await files_after(world, "/logs kitchen 24h")
        assert "Cut at 10.0 kB, the most that is sent as one file." in answer.text
        assert brought.files[0].name.endswith(".log.gz")
        assert gzip.decompress(brought.files[0].content).endswith(b"\n")


async def test_refused_file_leaves_the_answer(world: Sandbox) -> None:
    refusal = json.dumps({"ok": False, "error": "storage_limit_reached"})
    world.slack.answer_with(
        200, refusal, path="completeUploadExternal", Content_Type="application/json"
    )
    answer = await world.slack.answer_to("/logs kitchen")
    await world.slack.until(
        lambda: any(
            "The file could not be sent (storage_limit_reached)" in m.text
            for m in world.slack.seen()
        )
    )
    assert "lines" in answer.text
    assert answer in world.slack.messages


@pytest.mark.parametrize("code", ["missing_scope", "token_revoked", "fatal_error"])
async def test_slack_refusal_has_a_hint(world: Sandbox, code: str) -> None:
    world.slack.answer_with(
        200,
        json.dumps({"ok": False, "error": code}),
        path="chat.postMessage",
        Content_Type="application/json",
    )
    answer = await world.slack.answer_to("/usage last 7 days")
    assert f"Slack rejected the message ({code})." in answer.text
    assert answer.seen_by == "U0ADA"


@pytest.mark.parametrize(
    "processed", [True, False], ids=["after it was taken", "before it was taken"]
)
@pytest.mark.parametrize("failure", ["cut", "500", "503"])
async def test_uncertain_post_is_not_repeated(
    world: Sandbox, failure: str, processed: bool
) -> None:
    """Whatever Slack did with it, the answer stands at most once, and the asker is told to look."""
    world.slack.fail(how=failure, processed=processed)
    await world.slack.command("/usage last 7 days")
    told = await world.slack.until(
        lambda: [m for m in world.slack.seen() if "did not confirm the message" in m.text]
    )
    assert told[0].seen_by == "U0ADA"
    assert "Try again" in buttons(told[0])
    assert world.slack.paths().count("POST /api/chat.postMessage") == 1
    assert sum("in 7 days" in m.text for m in world.slack.messages) == processed


REFUSALS = {
    "is_archived": "this channel is archived",
    "restricted_action": "a setting of the workspace",
    "not_in_channel": "/invite @Opswatch",
    "channel_not_found": "/invite @Opswatch",
}


@pytest.mark.parametrize(("code", "says"), REFUSALS.items(), ids=REFUSALS.keys())
async def test_answer_is_ephemeral_where_posting_is_forbidden(
    world: Sandbox, code: str, says: str
) -> None:
    world.slack.answer_with(
        200,
        json.dumps({"ok": False, "error": code}),
        path="chat.postMessage",
        Content_Type="application/json",
    )
    answer = await world.slack.answer_to("/usage last 7 days")
    assert answer.seen_by == "U0ADA"
    assert "in 7 days" in answer.text
    assert says in answer.text


@pytest.mark.parametrize("code", ["msg_blocks_too_long", "invalid_blocks"])
async def test_always_refused_blocks_are_explained(world: Sandbox, code: str) -> None:
    refusal = json.dumps({"ok": False, "error": code})
    world.slack.answer_with(
        200, refusal, path="chat.postMessage", times=9, Content_Type="application/json"
    )
    answer = await world.slack.answer_to("/usage last 7 days")
    assert f"Slack rejected the message ({code})." in answer.text
    assert "csv" in answer.text
    assert world.slack.paths().count("POST /api/chat.postMessage") == (
        2 if code == "msg_blocks_too_long" else 3
    )


@pytest.mark.shows_work
async def test_expired_response_url_falls_back_to_ephemeral(
    world: Sandbox,
) -> None:
    world.devicewise.be_slow(600)
    await world.slack.command("/apiaudit iot 24h")
    for url in world.slack.response_urls.values():
        url.made_at -= 1801
    world.devicewise.answer_at_once()
    assert await world.slack.until(
        lambda: [m for m in world.slack.seen() if "iot:" in m.text and m.seen_by == "U0ADA"]
    )
    assert "POST /api/chat.postEphemeral" in world.slack.paths()


@pytest.mark.shows_work
async def test_used_up_response_url_falls_back_to_dm(
    world: Sandbox,
) -> None:
    world.devicewise.be_slow(600)
    await world.slack.command("/apiaudit iot 24h", channel="C0QUIET")
    for url in world.slack.response_urls.values():
        url.uses = 5
    world.devicewise.answer_at_once()
    told = await world.slack.until(lambda: [m for m in world.slack.seen() if "iot:" in m.text])
    assert world.slack.channels[told[0].channel].direct_with == "U0ADA"


@pytest.mark.shows_work
async def test_long_work_respects_response_url_uses(
    world: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Progress that only the asker sees is shown once; the answer takes its place."""
    for name, value in (("SHOW_WORK_AFTER_S", 0.05), ("EDIT_EVERY_S", 0.05)):
        monkeypatch.setattr(f"handlers.shown_work.{name}", value)
    world.devicewise.be_slow(1.0)
    answer = await world.slack.answer_to("/apiaudit iot 24h")
    assert "iot:" in answer.text
    assert max(url.uses for url in world.slack.response_urls.values()) <= 2


async def test_slack_429_is_waited_for(world: Sandbox) -> None:
    world.slack.answer_with(
        429, "{}", path="chat.postMessage", Retry_After="1", Content_Type="application/json"
    )
    answer = await world.slack.answer_to("/usage last 7 days")
    assert "in 7 days" in answer.text
    assert len(world.slack.seen()) == 1


async def test_too_long_answer_becomes_a_file(world: Sandbox) -> None:
    answer, brought = await files_after(world, "/usage 92d")
    assert "and 52 before" in answer.text
    assert "the file has them all" in text_of(answer)
    assert len(brought.files[0].content.split(b"\r\n")) == 1 + 92 + 1


async def test_refused_share_can_be_retried(world: Sandbox) -> None:
    answer = await world.slack.answer_to("/apiaudit iot 24h")
    world.slack.answer_with(
        200,
        json.dumps({"ok": False, "error": "missing_scope"}),
        path="chat.postMessage",
        Content_Type="application/json",
    )
    await world.slack.press(answer, buttons(answer)["Share here"])
    await world.slack.until(
        lambda: any(
            "Slack rejected the message (missing_scope)." in m.text for m in world.slack.seen()
        )
    )
    await world.slack.press(answer, buttons(answer)["Share here"])
    assert await world.slack.until(
        lambda: any("Shared by" in text_of(m) for m in world.slack.seen())
    )


async def test_share_waits_for_invitation(world: Sandbox) -> None:
    world.slack.channels["C0QUIET"].bot_is_in = True
    answer = await world.slack.answer_to("/apiaudit iot 24h", channel="C0QUIET")
    world.slack.channels["C0QUIET"].bot_is_in = False
    await world.slack.press(answer, buttons(answer)["Share here"])
    await world.slack.until(lambda: any("press Share again" in m.text for m in world.slack.seen()))
    world.slack.channels["C0QUIET"].bot_is_in = True
    await world.slack.press(answer, buttons(answer)["Share here"])
    assert await world.slack.until(
        lambda: any("Shared by" in text_of(m) for m in world.slack.seen())
    )
