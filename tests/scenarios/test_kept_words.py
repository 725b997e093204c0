"""What is stored of the text that people type and read: for how long, for whom, and without
secrets.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack import BOT, Message
from tests.support.alerts import SPIKE, running, stored_rows
from tests.support.clock import MovableClock as Clock
from tests.support.inert import shown_texts
from tests.support.messages import text_of

pytestmark = pytest.mark.usefixtures("before_noon")
QUIET = {**SPIKE, "above": "50 GB", "recover": "40 GB"}
SECRET = "hunter2hunter2"
EVERYBODY = {"usage": ["*"], "apiaudit": ["*"], "logs": ["*"]}
TOLD_TOO_OLD = "This answer is shared already or too old"


async def until_read(sandbox: Sandbox, words: str) -> Message:
    found: Message = await sandbox.slack.until(
        lambda: next((m for m in sandbox.slack.seen() if words in m.text), None), timeout_s=30
    )
    return found


async def test_stored_answer_is_not_shared_after_a_day(sandbox: Sandbox, clock: Clock) -> None:
    async with running(sandbox, QUIET):
        answer = await sandbox.slack.answer_to("/apiaudit edge 24h", channel="C0KITCHEN")
        clock.ahead += timedelta(hours=25)
        await sandbox.slack.press(answer, "share")
        await until_read(sandbox, TOLD_TOO_OLD)
    assert all(message.seen_by for message in sandbox.slack.messages)


async def test_failed_share_does_not_extend_storage(sandbox: Sandbox, clock: Clock) -> None:
    sandbox.slack.channels["C0QUIET"].bot_is_in = True
    async with running(sandbox, QUIET):
        answer = await sandbox.slack.answer_to("/apiaudit edge 24h", channel="C0QUIET")
        sandbox.slack.channels["C0QUIET"].bot_is_in = False
        clock.ahead += timedelta(hours=20)
        await sandbox.slack.press(answer, "share")
        await until_read(sandbox, "It cannot be shared, because Opswatch is not in this channel")
        sandbox.slack.channels["C0QUIET"].bot_is_in = True
        clock.ahead += timedelta(hours=5)
        await sandbox.slack.press(answer, "share")
        await until_read(sandbox, TOLD_TOO_OLD)


async def test_share_is_not_offered_without_membership(sandbox: Sandbox, clock: Clock) -> None:
    async with running(sandbox, QUIET):
        answer = await sandbox.slack.answer_to("/apiaudit edge 24h", channel="C0QUIET")
    assert "Share here" not in json.dumps(answer.blocks)
    assert "To share answers here, `/invite @Opswatch`" in answer.text


async def test_answer_is_not_shared_without_the_right(sandbox: Sandbox, clock: Clock) -> None:
    async with running(sandbox, QUIET):
        answer = await sandbox.slack.answer_to("/apiaudit edge 24h", channel="C0KITCHEN")
    async with running(sandbox, QUIET, access={"usage": ["*"], "apiaudit": ["U0GRACE"]}):
        await sandbox.slack.press(answer, "share")
        await until_read(sandbox, "You don't have access to /apiaudit here.")
    assert all(message.seen_by for message in sandbox.slack.messages)


async def test_answer_without_buttons_needs_access_when_shared(
    sandbox: Sandbox, clock: Clock
) -> None:
    """Its asker may manage nothing, so no button contains the question."""
    asker = {"usage": ["*"], "logs": ["U0ADA"], "manage": ["U0GRACE"]}
    async with running(sandbox, QUIET, access=asker):
        answer = await sandbox.slack.answer_to("/logs kitchen 20m", channel="C0KITCHEN")
    async with running(sandbox, QUIET, access={**asker, "logs": ["U0GRACE"]}):
        await sandbox.slack.press(answer, "share")
        await until_read(sandbox, "You don't have access to /logs here.")
    assert not any("Shared by" in text_of(message) for message in sandbox.slack.messages)


async def test_answer_is_not_shared_in_other_channel(sandbox: Sandbox, clock: Clock) -> None:
    async with running(sandbox, QUIET):
        answer = await sandbox.slack.answer_to("/apiaudit edge 24h", channel="C0KITCHEN")
        answer.channel = "C0OPS"
        await sandbox.slack.press(answer, "share")
        await until_read(sandbox, TOLD_TOO_OLD)


@pytest.mark.sqlite
async def test_typed_secret_is_in_no_table(sandbox: Sandbox, clock: Clock) -> None:
    async with running(sandbox, QUIET) as bot:
        for line in (
            f"/logs kitchen 20m where(password={SECRET})",
            f"/apiaudit edge 24h url:token={SECRET}",
            f"/usage password={SECRET}",
            f'/usage silence ingest-spike 2h "password={SECRET}"',
        ):
            await sandbox.slack.answer_to(line, channel="C0KITCHEN")
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
        path.read_bytes().decode("latin-1") for path in sandbox.folder.glob("bot.sqlite*")
    )


@pytest.mark.parametrize(
    "line",
    [
        f"/logs subscribe kitchen where(password={SECRET}) at 09:00",
        f"/logs alert kitchen where(password={SECRET}) last 15m lines above 100",
        f"/apiaudit alert edge 1h url:?api_key={SECRET} failures above 20",
    ],
)
async def test_question_with_secret_is_not_stored(
    sandbox: Sandbox, clock: Clock, line: str
) -> None:
    async with running(sandbox, QUIET):
        refusal = await sandbox.slack.answer_to(line, channel="C0KITCHEN")
        assert "looks like a password or a token, and is not stored" in refusal.text
    assert await stored_rows(sandbox, "SELECT 1 FROM rules UNION SELECT 1 FROM subscriptions") == []


async def test_typed_secret_is_not_shown_to_others(sandbox: Sandbox, clock: Clock) -> None:
    """Only its asker has typed the command; the answer is for all."""
    shown: list[str] = []
    sandbox.slack.watchers.append(lambda entry: shown.append(entry.body.decode("utf-8", "replace")))
    async with running(sandbox, QUIET, access=EVERYBODY):
        sandbox.rapid7.be_slow(2.0, times=1)
        answer = await sandbox.slack.answer_to(
            f"/logs kitchen 20m where(password={SECRET})", channel="C0KITCHEN", timeout_s=30
        )
    assert any("Working" in body for body in shown)
    assert "password=[redacted]" in answer.text
    for message in sandbox.slack.messages:
        if message.user == BOT:
            assert SECRET not in "".join([message.text, *shown_texts(message.blocks)])


async def test_home_offers_no_question_without_its_secret(sandbox: Sandbox, clock: Clock) -> None:
    async with running(sandbox, QUIET):
        await sandbox.slack.answer_to(
            f"/logs kitchen 20m where(password={SECRET})", channel="C0KITCHEN"
        )
        await sandbox.slack.answer_to("/usage last 3 days", channel="C0KITCHEN")
        await sandbox.slack.open_home("U0ADA")
        home: Any = await sandbox.slack.until(lambda: sandbox.slack.homes.get("U0ADA"))
    assert "/usage last 3 days" in json.dumps(home)
    assert "where(" not in json.dumps(home).replace("where(LEQL)", "")
