"""What Slack rejects or no longer accepts: blocks, files, posts, shares and response URLs."""

from __future__ import annotations

import gzip
import json

import pytest

from bot.app import Bot
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack import Message
from bot.slack.delivery import Delivery
from tests.conftest import connected_bot
from tests.support.deliveries import working
from tests.support.messages import buttons, files_after, text_of, types

pytestmark = pytest.mark.usefixtures("late_progress", "bot")


async def test_refused_new_blocks_become_picture_and_table(
    sandbox: Sandbox,
) -> None:
    sandbox.slack.supports_new_blocks = False
    answer = await sandbox.slack.answer_to("/usage last 7 days")
    assert "data_visualization" not in types(answer)
    assert {"image", "table", "header", "actions"} <= set(types(answer))
    chart = next(block for block in answer.blocks if block["type"] == "image")
    assert sandbox.slack.files[chart["slack_file"]["id"]].content.startswith(b"\x89PNG")
    assert "Data usage by day, GB: usage " in chart["alt_text"]
    assert len(sandbox.slack.refused) == 1
    await sandbox.slack.answer_to("/usage last 3 days")
    assert len(sandbox.slack.refused) == 1, "what was learned is remembered"


async def test_refused_tables_become_text(sandbox: Sandbox) -> None:
    sandbox.slack.supports_new_blocks = sandbox.slack.knows_tables = False
    answer = await sandbox.slack.answer_to("/usage last 7 days")
    assert not {"data_visualization", "data_table", "table", "image"} & set(types(answer))
    assert "By day:" in text_of(answer)


async def test_table_is_sent_without_failed_picture(sandbox: Sandbox) -> None:
    sandbox.slack.supports_new_blocks = False
    sandbox.slack.answer_with(500, path="getUploadURLExternal", times=9)
    answer = await sandbox.slack.answer_to("/usage last 7 days")
    assert "table" in types(answer) and "image" not in types(answer)


async def test_private_answer_falls_back_to_older_blocks(
    sandbox: Sandbox,
) -> None:
    sandbox.slack.supports_new_blocks = False
    answer = await sandbox.slack.answer_to("/apiaudit iot 24h")
    assert answer.seen_by == "U0ADA"
    assert not {"data_table", "data_visualization"} & set(types(answer))
    assert "table" in types(answer)
    assert len(sandbox.slack.refused) == 1
    await sandbox.slack.answer_to("/apiaudit iot 24h")
    assert len(sandbox.slack.refused) == 1, "what was learned is remembered"


@pytest.mark.shows_work
async def test_progress_without_task_blocks_is_text(sandbox: Sandbox) -> None:
    sandbox.slack.knows_tasks = False
    sandbox.rapid7.be_slow(600, times=3)
    await sandbox.slack.command("/usage last 7 days")
    working = await sandbox.slack.until(
        lambda: next((m for m in sandbox.slack.seen() if m.text.startswith("Working on")), None)
    )
    assert types(working) == ["section", "context", "actions"]
    sandbox.rapid7.answer_at_once()
    answer = await sandbox.slack.until(
        lambda: next((m for m in sandbox.slack.seen() if "in 7 days" in m.text), None)
    )
    assert {"data_table", "data_visualization"} <= set(types(answer)), (
        "what was refused of one kind says nothing of another"
    )
    sandbox.devicewise.be_slow(600)
    async with connected_bot(sandbox, access={"apiaudit": ["*"]}):
        await sandbox.slack.command("/apiaudit 24h")
        working = await sandbox.slack.until(
            lambda: next((m for m in sandbox.slack.seen() if m.text.startswith("Working on")), None)
        )
        assert types(working) == ["section", "section", "context", "actions"]
        sandbox.devicewise.answer_at_once()
        await sandbox.slack.until(lambda: working.text.startswith("edge, iot: "))


async def progress_searched(sandbox: Sandbox) -> None:
    """Waits until the bot looks for progress that Slack did not confirm."""
    await sandbox.slack.until(
        lambda: any(path.endswith("conversations.history") for path in sandbox.slack.paths())
    )


async def left_over_progress(sandbox: Sandbox) -> Message:
    """Progress that Slack took without an answer, and that the bot does not find before its answer."""
    sandbox.rapid7.be_slow(600, times=3)
    sandbox.slack.fail(how="cut", processed=True)
    sandbox.slack.answer_with(503, path="conversations.history", times=2)
    await sandbox.slack.command("/usage last 7 days")
    await progress_searched(sandbox)
    [left_over] = [m for m in sandbox.slack.seen() if m.text.startswith("Working on")]
    return left_over


@pytest.mark.shows_work
async def test_unconfirmed_progress_is_not_left_over(sandbox: Sandbox) -> None:
    """Slack took the message without an answer, its history could not be read right then, and its
    next pages are full of other messages.
    """
    sandbox.rapid7.be_slow(600, times=3)
    sandbox.slack.fail(how="cut", processed=True)
    sandbox.slack.answer_with(503, path="conversations.history")
    await sandbox.slack.command("/usage last 7 days")
    await progress_searched(sandbox)
    for text in ("Who is on call?", "Ada is.", "Thanks!", "Any news?"):
        await sandbox.slack.say(text)
    sandbox.rapid7.answer_at_once()
    answer = await sandbox.slack.until(
        lambda: next((m for m in sandbox.slack.seen() if "in 7 days" in m.text), None)
    )
    assert answer.edited
    assert not [m for m in sandbox.slack.seen() if m.text.startswith("Working on")]


@pytest.mark.shows_work
async def test_answer_does_not_wait_for_progress_search(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slack limits the method for ten minutes."""
    monkeypatch.setattr("bot.slack.messages.FIND_WITHIN_S", 0.05)
    sandbox.rapid7.be_slow(600, times=3)
    sandbox.slack.fail(how="cut", processed=False)
    sandbox.slack.answer_with(
        429, "{}", path="conversations.history", Retry_After="600", Content_Type="application/json"
    )
    await sandbox.slack.command("/usage last 7 days")
    await progress_searched(sandbox)
    sandbox.rapid7.answer_at_once()
    await sandbox.slack.until(lambda: any("in 7 days" in m.text for m in sandbox.slack.seen()))


@pytest.mark.shows_work
@pytest.mark.parametrize("others", [0, 300])
async def test_progress_beside_its_answer_is_deleted(
    sandbox: Sandbox, bot: Bot, others: int
) -> None:
    """Slack took the progress without an answer, and its history could not be read until the answer
    was posted.
    """
    bot.requests.delivery._delete_after_s = (0.05,) * 20
    left_over = await left_over_progress(sandbox)
    # A busy channel goes on meanwhile.
    sandbox.slack.messages_per_page = 100
    for _ in range(others):
        await sandbox.slack.say("Any news?")
    sandbox.rapid7.answer_at_once()
    answer = await sandbox.slack.until(
        lambda: next((m for m in sandbox.slack.seen() if "in 7 days" in m.text), None)
    )
    await sandbox.slack.until(lambda: left_over not in sandbox.slack.messages)
    assert [m for m in sandbox.slack.seen() if m.text != "Any news?"] == [answer]
    assert not answer.edited


@pytest.mark.shows_work
async def test_next_process_deletes_progress_beside_the_answer(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with connected_bot(sandbox) as ending:
        left_over = await left_over_progress(sandbox)
        sandbox.rapid7.answer_at_once()
        answer = await sandbox.slack.until(
            lambda: next((m for m in sandbox.slack.seen() if "in 7 days" in m.text), None)
        )
        await ending.requests.running.finish(within_s=5)
    assert left_over in sandbox.slack.messages
    # At once, before others push it out of the messages that are searched.
    monkeypatch.setattr(Delivery, "_delete_unconfirmed_later", lambda *_: None)
    async with connected_bot(sandbox):
        await sandbox.slack.until(lambda: left_over not in sandbox.slack.messages)
    assert sandbox.slack.seen() == [answer]


@pytest.mark.shows_work
async def test_answer_replaces_progress_after_an_outage(sandbox: Sandbox) -> None:
    sandbox.rapid7.be_slow(600, times=3)
    await sandbox.slack.command("/usage last 7 days")
    shown = await working(sandbox)
    sandbox.slack.fail("chat.update", how="503", processed=False, times=5)
    sandbox.rapid7.answer_at_once()
    await sandbox.slack.until(lambda: "in 7 days" in shown.text)
    assert sandbox.slack.seen() == [shown]


@pytest.mark.shows_work
async def test_progress_is_deleted_after_an_outage(sandbox: Sandbox, bot: Bot) -> None:
    bot.requests.delivery._delete_after_s = (0.05,) * 20
    sandbox.rapid7.be_slow(600, times=3)
    await sandbox.slack.command("/usage last 7 days")
    shown = await working(sandbox)
    sandbox.slack.fail("chat.delete", how="503", processed=False)
    sandbox.slack.refuse("chat.update", "channel_not_found")
    sandbox.rapid7.answer_at_once()
    await sandbox.slack.until(lambda: any("in 7 days" in m.text for m in sandbox.slack.seen()))
    await sandbox.slack.until(lambda: shown not in sandbox.slack.messages)


async def test_private_answer_uses_supported_blocks(sandbox: Sandbox) -> None:
    sandbox.slack.supports_new_blocks = False
    await sandbox.slack.answer_to("/usage last 7 days")
    answer = await sandbox.slack.answer_to("/apiaudit edge 2h", channel="C0KITCHEN")
    assert answer.seen_by == "U0ADA"
    assert "data_table" not in types(answer) and "table" in types(answer)


async def test_upload_limit_cut_is_explained(sandbox: Sandbox) -> None:
    async with connected_bot(
        sandbox, limits={"upload_plain": "2 kB", "upload_total": "10 kB"}, database="other.sqlite"
    ):
        answer, brought = await files_after(sandbox, "/logs kitchen 24h")
        assert "Cut at 10.0 kB, the limit of one file." in answer.text
        assert brought.files[0].name.endswith(".log.gz")
        assert gzip.decompress(brought.files[0].content).endswith(b"\n")


async def test_refused_file_leaves_the_answer(sandbox: Sandbox) -> None:
    refusal = json.dumps({"ok": False, "error": "storage_limit_reached"})
    sandbox.slack.answer_with(
        200, refusal, path="completeUploadExternal", Content_Type="application/json"
    )
    answer = await sandbox.slack.answer_to("/logs kitchen")
    await sandbox.slack.until(
        lambda: any(
            "The file could not be sent (storage_limit_reached)" in m.text
            for m in sandbox.slack.seen()
        )
    )
    assert "lines" in answer.text
    assert answer in sandbox.slack.messages


@pytest.mark.parametrize("code", ["missing_scope", "token_revoked", "fatal_error"])
async def test_slack_refusal_has_a_hint(sandbox: Sandbox, code: str) -> None:
    sandbox.slack.answer_with(
        200,
        json.dumps({"ok": False, "error": code}),
        path="chat.postMessage",
        Content_Type="application/json",
    )
    answer = await sandbox.slack.answer_to("/usage last 7 days")
    assert f"Slack rejected the message ({code})." in answer.text
    assert answer.seen_by == "U0ADA"


@pytest.mark.parametrize(
    "processed", [True, False], ids=["after it was taken", "before it was taken"]
)
@pytest.mark.parametrize("failure", ["cut", "500", "503"])
async def test_uncertain_post_is_not_repeated(
    sandbox: Sandbox, failure: str, processed: bool
) -> None:
    """Whatever Slack did with it, the answer is posted at most once, and the asker is asked to
    look.
    """
    sandbox.slack.fail(how=failure, processed=processed)
    await sandbox.slack.command("/usage last 7 days")
    messages = await sandbox.slack.until(
        lambda: [m for m in sandbox.slack.seen() if "did not confirm the message" in m.text]
    )
    assert messages[0].seen_by == "U0ADA"
    assert "Try again" in buttons(messages[0])
    assert sandbox.slack.paths().count("POST /api/chat.postMessage") == 1
    assert sum("in 7 days" in m.text for m in sandbox.slack.messages) == processed


REFUSALS = {
    "is_archived": "this channel is archived",
    "restricted_action": "a setting of the workspace",
    "not_in_channel": "/invite @Opswatch",
    "channel_not_found": "/invite @Opswatch",
}


@pytest.mark.parametrize(("code", "says"), REFUSALS.items(), ids=REFUSALS.keys())
async def test_answer_is_ephemeral_where_posting_is_forbidden(
    sandbox: Sandbox, code: str, says: str
) -> None:
    sandbox.slack.answer_with(
        200,
        json.dumps({"ok": False, "error": code}),
        path="chat.postMessage",
        Content_Type="application/json",
    )
    answer = await sandbox.slack.answer_to("/usage last 7 days")
    assert answer.seen_by == "U0ADA"
    assert "in 7 days" in answer.text
    assert says in answer.text


@pytest.mark.parametrize("code", ["msg_blocks_too_long", "invalid_blocks"])
async def test_always_refused_blocks_are_explained(sandbox: Sandbox, code: str) -> None:
    refusal = json.dumps({"ok": False, "error": code})
    sandbox.slack.answer_with(
        200, refusal, path="chat.postMessage", times=9, Content_Type="application/json"
    )
    answer = await sandbox.slack.answer_to("/usage last 7 days")
    assert f"Slack rejected the message ({code})." in answer.text
    assert "csv" in answer.text
    assert sandbox.slack.paths().count("POST /api/chat.postMessage") == (
        2 if code == "msg_blocks_too_long" else 3
    )


@pytest.mark.shows_work
async def test_expired_response_url_falls_back_to_ephemeral(
    sandbox: Sandbox,
) -> None:
    sandbox.devicewise.be_slow(600)
    await sandbox.slack.command("/apiaudit iot 24h")
    for url in sandbox.slack.response_urls.values():
        url.made_at -= 1801
    sandbox.devicewise.answer_at_once()
    assert await sandbox.slack.until(
        lambda: [m for m in sandbox.slack.seen() if "iot:" in m.text and m.seen_by == "U0ADA"]
    )
    assert "POST /api/chat.postEphemeral" in sandbox.slack.paths()


@pytest.mark.shows_work
async def test_used_up_response_url_falls_back_to_dm(
    sandbox: Sandbox,
) -> None:
    sandbox.devicewise.be_slow(600)
    await sandbox.slack.command("/apiaudit iot 24h", channel="C0QUIET")
    for url in sandbox.slack.response_urls.values():
        url.uses = 5
    sandbox.devicewise.answer_at_once()
    messages = await sandbox.slack.until(
        lambda: [m for m in sandbox.slack.seen() if "iot:" in m.text]
    )
    assert sandbox.slack.channels[messages[0].channel].direct_with == "U0ADA"


@pytest.mark.shows_work
async def test_long_work_respects_response_url_uses(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Progress that only the asker sees is shown once, and then replaced by the answer."""
    for name, value in (("SHOW_WORK_AFTER_S", 0.05), ("EDIT_EVERY_S", 0.05)):
        monkeypatch.setattr(f"handlers.shown_work.{name}", value)
    sandbox.devicewise.be_slow(1.0)
    answer = await sandbox.slack.answer_to("/apiaudit iot 24h")
    assert "iot:" in answer.text
    assert max(url.uses for url in sandbox.slack.response_urls.values()) <= 2


async def test_slack_429_is_waited_for(sandbox: Sandbox) -> None:
    sandbox.slack.answer_with(
        429, "{}", path="chat.postMessage", Retry_After="1", Content_Type="application/json"
    )
    answer = await sandbox.slack.answer_to("/usage last 7 days")
    assert "in 7 days" in answer.text
    assert len(sandbox.slack.seen()) == 1


async def test_too_long_answer_becomes_a_file(sandbox: Sandbox) -> None:
    answer, brought = await files_after(sandbox, "/usage 92d")
    assert "and 52 before" in answer.text
    assert "the file has them all" in text_of(answer)
    assert len(brought.files[0].content.split(b"\r\n")) == 1 + 92 + 1


async def test_refused_share_can_be_retried(sandbox: Sandbox) -> None:
    answer = await sandbox.slack.answer_to("/apiaudit iot 24h")
    sandbox.slack.answer_with(
        200,
        json.dumps({"ok": False, "error": "missing_scope"}),
        path="chat.postMessage",
        Content_Type="application/json",
    )
    await sandbox.slack.press(answer, buttons(answer)["Share here"])
    await sandbox.slack.until(
        lambda: any(
            "Slack rejected the message (missing_scope)." in m.text for m in sandbox.slack.seen()
        )
    )
    await sandbox.slack.press(answer, buttons(answer)["Share here"])
    assert await sandbox.slack.until(
        lambda: any("Shared by" in text_of(m) for m in sandbox.slack.seen())
    )


async def test_share_waits_for_invitation(sandbox: Sandbox) -> None:
    sandbox.slack.channels["C0QUIET"].bot_is_in = True
    answer = await sandbox.slack.answer_to("/apiaudit iot 24h", channel="C0QUIET")
    sandbox.slack.channels["C0QUIET"].bot_is_in = False
    await sandbox.slack.press(answer, buttons(answer)["Share here"])
    await sandbox.slack.until(
        lambda: any("press Share again" in m.text for m in sandbox.slack.seen())
    )
    sandbox.slack.channels["C0QUIET"].bot_is_in = True
    await sandbox.slack.press(answer, buttons(answer)["Share here"])
    assert await sandbox.slack.until(
        lambda: any("Shared by" in text_of(m) for m in sandbox.slack.seen())
    )
