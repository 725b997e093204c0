"""What is kept of what people type and read: for how long, for whom, and without secrets."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from bot.sandbox.slack import BOT, Message
from bot.sandbox.world import Sandbox
from tests.scenarios.test_alerts import SPIKE, kept, running
from tests.scenarios.test_slack import text_of
from tests.support.clock import MovableClock as Clock
from tests.support.inert import shown_texts

pytestmark = pytest.mark.usefixtures("before_noon")
QUIET = {**SPIKE, "above": "50 GB", "recover": "40 GB"}
SECRET = "hunter2hunter2"
EVERYBODY = {"usage": ["*"], "apiaudit": ["*"], "logs": ["*"]}
TOLD_TOO_OLD = "This answer is shared already or too old"


async def until_read(world: Sandbox, words: str) -> Message:
    found: Message = await world.slack.until(
        lambda: next((m for m in world.slack.seen() if words in m.text), None), timeout_s=30
    )
    return found


async def test_stored_answer_is_not_shared_after_a_day(world: Sandbox, clock: Clock) -> None:
    async with running(world, QUIET):
        answer = await world.slack.answer_to("/apiaudit edge 24h", channel="C0KITCHEN")
        clock.ahead += timedelta(hours=25)
        await world.slack.press(answer, "share")
        await until_read(world, TOLD_TOO_OLD)
    assert all(message.seen_by for message in world.slack.messages)


async def test_failed_share_does_not_extend_storage(world: Sandbox, clock: Clock) -> None:
    world.slack.channels["C0QUIET"].bot_is_in = True
    async with running(world, QUIET):
        answer = await world.slack.answer_to("/apiaudit edge 24h", channel="C0QUIET")
        world.slack.channels["C0QUIET"].bot_is_in = False
        clock.ahead += timedelta(hours=20)
        await world.slack.press(answer, "share")
        await until_read(world, "It cannot be shared, because I am not in this channel")
        world.slack.channels["C0QUIET"].bot_is_in = True
        clock.ahead += timedelta(hours=5)
        await world.slack.press(answer, "share")
        await until_read(world, TOLD_TOO_OLD)


async def test_share_is_not_offered_without_membership(world: Sandbox, clock: Clock) -> None:
    async with running(world, QUIET):
        answer = await world.slack.answer_to("/apiaudit edge 24h", channel="C0QUIET")
    assert "Share here" not in json.dumps(answer.blocks)
    assert "To share answers here, `/invite @Opswatch`" in answer.text


async def test_answer_is_not_shared_without_the_right(world: Sandbox, clock: Clock) -> None:
    async with running(world, QUIET):
        answer = await world.slack.answer_to("/apiaudit edge 24h", channel="C0KITCHEN")
    async with running(world, QUIET, access={"usage": ["*"], "apiaudit": ["U0GRACE"]}):
        await world.slack.press(answer, "share")
        await until_read(world, "You don't have access to /apiaudit here.")
    assert all(message.seen_by for message in world.slack.messages)


async def test_answer_without_buttons_needs_access_when_shared(
    world: Sandbox, clock: Clock
) -> None:
    """Its asker may manage nothing, so that no button holds the question."""
    asker = {"usage": ["*"], "logs": ["U0ADA"], "manage": ["U0GRACE"]}
    async with running(world, QUIET, access=asker):
        answer = await world.slack.answer_to("/logs kitchen 20m", channel="C0KITCHEN")
    async with running(world, QUIET, access={**asker, "logs": ["U0GRACE"]}):
        await world.slack.press(answer, "share")
        await until_read(world, "You don't have access to /logs here.")
    assert not any("Shared by" in text_of(message) for message in world.slack.messages)


async def test_answer_is_not_shared_in_other_channel(world: Sandbox, clock: Clock) -> None:
    async with running(world, QUIET):
        answer = await world.slack.answer_to("/apiaudit edge 24h", channel="C0KITCHEN")
        answer.channel = "C0OPS"
        await world.slack.press(answer, "share")
        await until_read(world, TOLD_TOO_OLD)


@pytest.mark.sqlite
async def test_typed_secret_is_in_no_table(world: Sandbox, clock: Clock) -> None:
    async with running(world, QUIET) as bot:
        for line in (
            f"/logs kitchen 20m where(password={SECRET})",
            f"/apiaudit edge 24h url:token={SECRET}",
            f"/usage password={SECRET}",
            f'/usage silence ingest-spike 2h "password={SECRET}"',
        ):
            await world.slack.answer_to(line, channel="C0KITCHEN")
        tables = [
            row["name"]
            for row in await bot.store.read(
                "SELECT name FROM sqlite_master WHERE type = 'table'", ()
            )
        ]
        rows = {table: await bot.store.read(f'SELECT * FROM "{table}"', ()) for table in tables}
        assert len(rows["questions"]) == 4 and rows["answers"] and rows["silences"]
        assert [table for table, found in rows.items() if SECRET in str(found)] == []
    assert SECRET not in "".join(
        path.read_bytes().decode("latin-1") for path in world.folder.glob("bot.sqlite*")
    )


@pytest.mark.parametrize(
    "line",
    [
        f"/logs subscribe kitchen where(password={SECRET}) at 09:00",
        f"/logs alert kitchen where(password={SECRET}) last 15m lines above 100",
        f"/apiaudit alert edge 1h url:?api_key={SECRET} failures above 20",
    ],
)
async def test_question_with_secret_is_not_stored(world: Sandbox, clock: Clock, line: str) -> None:
    async with running(world, QUIET):
        refusal = await world.slack.answer_to(line, channel="C0KITCHEN")
        assert "looks like a password or a token, and is not stored" in refusal.text
    assert await kept(world, "SELECT 1 FROM rules UNION SELECT 1 FROM subscriptions") == []


async def test_typed_secret_is_not_shown_to_others(world: Sandbox, clock: Clock) -> None:
    """Only its asker has typed the command; the answer is for all."""
    shown: list[str] = []
    world.slack.watchers.append(lambda entry: shown.append(entry.body.decode("utf-8", "replace")))
    async with running(world, QUIET, access=EVERYBODY):
        world.rapid7.be_slow(2.0, times=1)
        answer = await world.slack.answer_to(
            f"/logs kitchen 20m where(password={SECRET})", channel="C0KITCHEN", timeout_s=30
        )
    assert any("Working" in body for body in shown)
    assert "password=[redacted]" in answer.text
    for message in world.slack.messages:
        if message.user == BOT:
            assert SECRET not in "".join([message.text, *shown_texts(message.blocks)])


async def test_home_offers_no_question_without_its_secret(world: Sandbox, clock: Clock) -> None:
    async with running(world, QUIET):
        await world.slack.answer_to(
            f"/logs kitchen 20m where(password={SECRET})", channel="C0KITCHEN"
        )
        await world.slack.answer_to("/usage last 3 days", channel="C0KITCHEN")
        await world.slack.open_home("U0ADA")
        home: Any = await world.slack.until(lambda: world.slack.homes.get("U0ADA"))
    assert "/usage last 3 days" in json.dumps(home)
    assert "where(" not in json.dumps(home).replace("where(LEQL)", "")
