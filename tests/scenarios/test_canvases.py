"""Digests that are kept in canvases: created, updated, recreated, and never duplicated."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from bot.app import Bot
from bot.blocks.canvas import CanvasPage
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack import BOT, Canvas
from bot.sandbox.slack.state import CANVAS_SCOPES
from bot.slack.canvas_posts import CanvasUpdater
from tests.conftest import Run
from tests.scenarios.test_crashes import SPEED, dying
from tests.scenarios.test_digests import ON_THE_HOUR, at, posted, running
from tests.support.clock import MovableClock as Clock
from tests.support.killable_bot import BEFORE_CANVAS_RECORD, fast_clock
from tests.support.outbox import settled

KEPT = {**ON_THE_HOUR, "as": "canvas"}


@pytest.fixture
def clock(before_noon: None, clock: Clock) -> Clock:
    """Starts five minutes before noon, so that no hour of a test is in another month."""
    return clock


@pytest.fixture(autouse=True)
def granted(sandbox: Sandbox) -> None:
    sandbox.slack.scopes += f",{CANVAS_SCOPES}"


@pytest.fixture
def same_answer(sandbox: Sandbox) -> None:
    """The vendor has the same numbers at any hour."""
    sandbox.rapid7.usage = lambda day, log: 4_000_000_000


def canvases(sandbox: Sandbox, channel: str = "C0OPS") -> list[Canvas]:
    return sandbox.slack.canvases_in(channel)


def calls(sandbox: Sandbox, method: str) -> int:
    return sum(entry.path == f"/api/{method}" for entry in sandbox.slack.requests)


async def next_run(sandbox: Sandbox, clock: Clock, outbox: Any) -> None:
    """Moves to the next run of an hourly digest, and waits until it has been queued and sent."""
    asked = len(sandbox.rapid7.requests)
    clock.strike()
    await sandbox.slack.until(lambda: len(sandbox.rapid7.requests) > asked)
    await asyncio.sleep(0.2)
    await settled(outbox)


async def test_canvas_is_created_and_updated(sandbox: Sandbox, clock: Clock) -> None:
    sandbox.slack.write_canvas("C0OPS", "Team", "# Rules\n\nOurs.")
    async with running(sandbox, KEPT) as bot:
        clock.strike()
        _, canvas = await sandbox.slack.until(lambda: canvases(sandbox)[1:] and canvases(sandbox))
        assert canvas.title == "hourly-usage"
        assert "in 7 days" in canvas.sections[0].text
        assert "Digest `hourly-usage`" in canvas.sections[-1].text
        before = canvas.markdown
        sandbox.rapid7.usage = lambda day, log: 123_000_000
        await next_run(sandbox, clock, bot.store.outbox)
        assert canvas.markdown != before
        assert canvas.edits == 1
    assert next(each.markdown for each in canvases(sandbox)) == "# Rules\n\nOurs."
    assert len(canvases(sandbox)) == 2
    assert posted(sandbox) == []
    assert sandbox.slack.refused == []


@pytest.mark.usefixtures("same_answer")
async def test_unchanged_answer_is_not_sent(sandbox: Sandbox, clock: Clock) -> None:
    async with running(sandbox, KEPT) as bot:
        clock.strike()
        [canvas] = await sandbox.slack.until(lambda: canvases(sandbox))
        await next_run(sandbox, clock, bot.store.outbox)
        await next_run(sandbox, clock, bot.store.outbox)
    assert canvas.edits == 0
    assert calls(sandbox, "canvases.create") == 1


@pytest.mark.usefixtures("same_answer")
async def test_deleted_canvas_is_made_anew(sandbox: Sandbox, clock: Clock) -> None:
    """Even if the answer is the same as before."""
    async with running(sandbox, KEPT) as bot:
        clock.strike()
        [first] = await sandbox.slack.until(lambda: canvases(sandbox))
        sandbox.slack.delete_canvas(first)
        await next_run(sandbox, clock, bot.store.outbox)
        [second] = await sandbox.slack.until(lambda: canvases(sandbox))
        assert second.id != first.id
        assert second.sections[0].text == first.sections[0].text


async def test_digests_of_one_channel_have_a_canvas_each(sandbox: Sandbox, clock: Clock) -> None:
    other = {**KEPT, "name": "calls", "ask": "/apiaudit 24h"}
    async with running(sandbox, KEPT, other):
        clock.strike()
        await sandbox.slack.until(lambda: len(canvases(sandbox)) == 2)
    assert {canvas.title for canvas in canvases(sandbox)} == {"hourly-usage", "calls"}


@pytest.mark.parametrize("processed", [True, False], ids=["created", "not created"])
async def test_unconfirmed_canvas_is_not_created_twice(
    sandbox: Sandbox, clock: Clock, *, processed: bool
) -> None:
    sandbox.slack.write_canvas("C0OPS", "Team", "# Rules")
    sandbox.slack.fail("canvases.create", processed=processed)
    async with running(sandbox, KEPT) as bot:
        await next_run(sandbox, clock, bot.store.outbox)
        await sandbox.slack.until(lambda: len(canvases(sandbox)) == 2)
        await settled(bot.store.outbox)
        [stored] = await bot.store.read("SELECT canvas_id FROM canvases")
    assert stored["canvas_id"] == canvases(sandbox)[1].id
    assert posted(sandbox) == []


async def test_processes_create_one_canvas_together(sandbox: Sandbox, clock: Clock) -> None:
    """One process gets the subscription, and the other its first run a moment later."""
    sandbox.slack.be_slow(0.3, path="canvases.create", times=2)
    page = CanvasPage("kitchen", "Kitchen", "# Kitchen", "Digest `kitchen`")
    async with running(sandbox, KEPT) as first, running(sandbox, KEPT) as second:
        codes = await asyncio.gather(
            canvases_of(first).update(page, "C0OPS", "C0OPS", is_first=True),
            canvases_of(second).update(replace(page, markdown="# Answer"), "C0OPS", "C0OPS"),
        )
        assert list(codes) == ["", ""]
        assert await first.store.read("SELECT * FROM login_attempts") == []
    [canvas] = canvases(sandbox)
    assert canvas.sections[0].text.strip("# ") in ("Answer", "Kitchen")
    assert calls(sandbox, "canvases.create") == 1


async def test_left_claim_does_not_block_canvas(
    sandbox: Sandbox, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.slack.canvases.UPDATED_WITHIN_S", 0.3)
    async with running(sandbox, KEPT) as first, running(sandbox, KEPT) as second:
        for bot in (first, second):
            await bot.store.join()
        assert await first.store.canvases.begin_update("kitchen", "C0OPS")
        page = CanvasPage("kitchen", "Kitchen", "# Kitchen", "Digest `kitchen`")
        assert await canvases_of(second).update(page, "C0OPS", "C0OPS") == ""
    assert len(canvases(sandbox)) == 1


def canvases_of(bot: Bot) -> CanvasUpdater:
    return bot.outbox._sender.canvases.canvases


async def test_lost_record_finds_the_canvas(sandbox: Sandbox, clock: Clock) -> None:
    """The bot was killed after Slack had created the canvas and before that was recorded."""
    async with running(sandbox, KEPT) as bot:
        clock.strike()
        await sandbox.slack.until(lambda: canvases(sandbox))
        await settled(bot.store.outbox)
        await bot.store.database.execute("UPDATE canvases SET canvas_id = '', content = ''")
        await next_run(sandbox, clock, bot.store.outbox)
    assert len(canvases(sandbox)) == 1
    assert canvases(sandbox)[0].edits == 1


async def test_killed_bot_has_one_canvas(sandbox: Sandbox) -> None:
    """It is killed between the creation of the canvas and its record, and again before it has
    recorded that it found the canvas.
    """
    began_at = time.time()
    now = fast_clock(began_at, SPEED)
    sandbox.slack.clock = lambda: now().timestamp()
    # Each minute has another answer.
    sandbox.rapid7.usage = lambda day, _: 1_000_000_000 + int(now().timestamp()) // 60 * 1_000_000
    minutely = {**KEPT, "at": "* * * * *"}
    table = {**sandbox.table(), "timezone": "UTC", "digest": [minutely]}
    (sandbox.folder / "table.json").write_text(json.dumps(table))
    async with dying(sandbox, began_at) as die:
        for _ in range(2):
            await die(BEFORE_CANVAS_RECORD)
    [canvas] = canvases(sandbox)
    assert canvas.edits >= 1
    assert posted(sandbox) == []


REFUSALS = {
    "no tabs": (
        lambda slack: slack.refuse("canvases.create", "channel_not_found"),
        "no tabs for canvases",
    ),
    "no scope": (lambda slack: setattr(slack, "scopes", "chat:write"), "manifest --canvas"),
    "canvases off": (lambda slack: setattr(slack, "has_canvases", False), "switched off"),
    "free plan": (lambda slack: setattr(slack, "is_free", True), "free plan"),
    "setting": (
        lambda slack: slack.refuse("canvases.create", "restricted_action"),
        "a setting of the workspace",
    ),
    "permission": (
        lambda slack: slack.refuse("canvases.create", "no_permission"),
        "no permission for canvases",
    ),
}


@pytest.mark.parametrize(("refuse", "reason"), REFUSALS.values(), ids=REFUSALS)
async def test_message_is_posted_without_canvases(
    sandbox: Sandbox, clock: Clock, refuse: Callable[[Any], None], reason: str
) -> None:
    sandbox.slack.write_canvas("C0OPS", "Team", "# Rules")
    refuse(sandbox.slack)
    async with running(sandbox, KEPT) as bot:
        clock.strike()
        [text] = await sandbox.slack.until(lambda: posted(sandbox))
        assert text.startswith("Digest hourly-usage: rapid7-eu")
        assert "Posted as a message, since" in text
        assert reason in text.replace("`", "")
        await settled(bot.store.outbox)
        answer = await sandbox.slack.answer_to("/usage subscribe last 5 days at 23:00 as canvas")
        assert "Posts messages here, since" in answer.text
        assert reason in answer.text.replace("`", "")
    assert len(canvases(sandbox)) == 1


async def test_renamed_channel_keeps_its_canvas(sandbox: Sandbox, clock: Clock) -> None:
    """Even if another channel has its name now."""
    async with running(sandbox, KEPT):
        clock.strike()
        await sandbox.slack.until(lambda: canvases(sandbox))
    sandbox.slack.channels["C0OPS"].name = "operations"
    sandbox.slack.channels["C0QUIET"].name = "ops"
    sandbox.slack.channels["C0QUIET"].bot_is_in = True
    sandbox.rapid7.usage = lambda day, log: 123_000_000
    async with running(sandbox, KEPT) as bot:
        await next_run(sandbox, clock, bot.store.outbox)
    assert [canvas.edits for canvas in canvases(sandbox)] == [1]
    assert canvases(sandbox, "C0QUIET") == []


async def test_check_forgets_canvases_that_are_not_wanted(
    run_cli: Run, sandbox: Sandbox, clock: Clock
) -> None:
    sandbox.slack.has_canvases = False
    async with running(sandbox, KEPT):
        clock.strike()
        await sandbox.slack.until(lambda: posted(sandbox))
    other = {**KEPT, "name": "other"}
    ran = await run_cli("check", table={**sandbox.table(), "digest": [other]})
    assert "ok  canvases" in ran.out
    assert "hourly-usage" not in ran.out


async def test_canvas_comes_back_once_it_can(sandbox: Sandbox, clock: Clock) -> None:
    sandbox.slack.has_canvases = False
    async with running(sandbox, KEPT) as bot:
        clock.strike()
        await sandbox.slack.until(lambda: posted(sandbox))
        await settled(bot.store.outbox)
        sandbox.slack.has_canvases = True
        clock.strike()
        await sandbox.slack.until(lambda: canvases(sandbox))
        await settled(bot.store.outbox)
        assert await bot.store.canvases.refused() == []
    assert len(posted(sandbox)) == 1


async def test_refused_content_is_set_aside_and_reported_once(
    sandbox: Sandbox, clock: Clock
) -> None:
    refusal = sandbox.slack.refuse("canvases.create", "canvas_creation_failed")
    async with running(
        sandbox, {**KEPT, "channel": "#kitchen"}, slack={"ops_channel": "#ops"}
    ) as bot:
        clock.strike()
        [answer] = await sandbox.slack.until(lambda: posted(sandbox))
        assert "A canvas for #kitchen could not be sent (canvas_creation_failed)" in answer
        await next_run(sandbox, clock, bot.store.outbox)
        # Messages go on meanwhile.
        await sandbox.slack.answer_to("/usage last 2 days", channel="C0KITCHEN")
        unsent = "SELECT key FROM outbox WHERE how = 'canvas' AND state != 'sent'"
        async with asyncio.timeout(30):
            # The later run takes the place of the one that was set aside.
            while len(await bot.store.read(unsent, ())) != 1:
                await asyncio.sleep(0.02)
        sandbox.slack.refusals.remove(refusal)
        await sandbox.slack.until(lambda: canvases(sandbox, "C0KITCHEN"))
        async with asyncio.timeout(30):
            while await bot.store.read("SELECT key FROM outbox_files", ()):
                await asyncio.sleep(0.02)
    assert sum("could not be sent" in text for text in posted(sandbox)) == 1
    assert len(canvases(sandbox, "C0KITCHEN")) == 1


async def test_subscription_keeps_a_canvas(sandbox: Sandbox, clock: Clock) -> None:
    soon = clock() + timedelta(minutes=1)
    async with running(sandbox):
        answer = await sandbox.slack.answer_to(
            f"/usage subscribe last 5 days as canvas at {at(soon)}", channel="C0KITCHEN"
        )
        assert "Keeps a canvas up to date, in the tabs of this channel." in answer.text
        [canvas] = canvases(sandbox, "C0KITCHEN")
        assert canvas.title == "/usage last 5 days"
        assert "First on" in canvas.markdown
        listed = await sandbox.slack.answer_to("/usage subscriptions", channel="C0KITCHEN")
        assert "every day as canvas" in listed.text
        clock.ahead += timedelta(minutes=1)
        await sandbox.slack.until(lambda: canvas.edits)
        assert "in 5 days" in canvas.markdown
        await sandbox.slack.open_home("U0ADA")
        await sandbox.slack.until(
            lambda: "as canvas" in json.dumps(sandbox.slack.homes.get("U0ADA"))
        )
        answer = await sandbox.slack.answer_to("/usage unsubscribe 1", channel="C0KITCHEN")
        assert "Its canvas stays, and says that it is no longer updated." in answer.text
    assert canvas.sections[0].text.startswith("**No longer updated: the subscription was ended on")
    assert "in 5 days" in canvas.markdown
    assert posted(sandbox, "C0KITCHEN") == []
    assert sandbox.slack.refused == []


async def test_deleted_canvas_is_not_marked(sandbox: Sandbox, clock: Clock) -> None:
    async with running(sandbox):
        await sandbox.slack.answer_to(
            "/usage subscribe last 5 days as canvas at 09:00", channel="C0KITCHEN"
        )
        [canvas] = canvases(sandbox, "C0KITCHEN")
        sandbox.slack.delete_canvas(canvas)
        answer = await sandbox.slack.answer_to("/usage unsubscribe 1", channel="C0KITCHEN")
    assert "Its canvas stays" not in answer.text
    assert canvases(sandbox, "C0KITCHEN") == []
    sandbox.slack.refused.clear()


async def test_canvas_is_not_updated_without_right(sandbox: Sandbox, clock: Clock) -> None:
    everybody = {"usage": ["*"], "apiaudit": ["*"]}
    async with running(sandbox, access=everybody):
        await sandbox.slack.answer_to(
            "/apiaudit subscribe edge 24h hourly as canvas", user="U0LINUS", channel="C0KITCHEN"
        )
    [canvas] = canvases(sandbox, "C0KITCHEN")
    async with running(sandbox, access={**everybody, "apiaudit": ["U0ADA"]}):
        clock.strike()
        await sandbox.slack.until(
            lambda: any("is paused" in text for text in posted(sandbox, "C0KITCHEN"))
        )
    assert canvas.edits == 0
    async with running(sandbox, access=everybody):
        clock.strike()
        await sandbox.slack.until(lambda: canvas.edits)
    assert "calls" in canvas.sections[0].text


async def test_direct_messages_have_no_canvas(sandbox: Sandbox, clock: Clock) -> None:
    async with running(sandbox):
        await sandbox.slack.open_home("U0ADA")
        opened = sandbox.slack._api_conversations_open({"users": "U0ADA"})
        answer = await sandbox.slack.answer_to(
            "/usage subscribe last 5 days at 09:00 as canvas", channel=opened["channel"]["id"]
        )
    assert "Direct messages have no canvas" in answer.text


async def test_files_are_named_and_not_attached(sandbox: Sandbox, clock: Clock) -> None:
    async with running(sandbox, {**KEPT, "ask": "/usage rapid7-eu last 7 days csv"}):
        clock.strike()
        [canvas] = await sandbox.slack.until(lambda: canvases(sandbox))
        await asyncio.sleep(0.2)
    assert "a canvas holds no files" in canvas.sections[-1].text
    assert not any(m.files for m in sandbox.slack.messages if m.user == BOT)


async def test_check_names_what_canvases_lack(run_cli: Run, sandbox: Sandbox) -> None:
    """The checks run only if a digest is kept in a canvas."""
    sandbox.slack.scopes = sandbox.slack.scopes.removesuffix(f",{CANVAS_SCOPES}")
    ran = await run_cli("check")
    assert "canvas" not in ran.out
    ran = await run_cli("check", table={**sandbox.table(), "digest": [KEPT]})
    assert "NO  canvases: The token lacks canvases:read and canvases:write" in ran.out
    assert "`python -m bot manifest --canvas`" in ran.out


async def test_check_names_refused_canvases(run_cli: Run, sandbox: Sandbox, clock: Clock) -> None:
    sandbox.slack.is_free = True
    sandbox.slack.write_canvas("C0OPS", "Team", "# Rules")
    async with running(sandbox, KEPT) as bot:
        clock.strike()
        await sandbox.slack.until(lambda: posted(sandbox))
        await settled(bot.store.outbox)
    ran = await run_cli("check", table={**sandbox.table(), "digest": [KEPT]})
    assert "NO  canvas of hourly-usage: Its digest is posted as a message, since" in ran.out
    assert "(free_team_canvas_tab_already_exists)" in ran.out
