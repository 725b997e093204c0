"""A database that is full, locked, newer or broken: nothing is lost, nothing is overwritten, and
the ops channel is notified.
"""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from bot.app import Bot
from bot.sandbox.sandbox import Sandbox
from tests.support.alerts import SPIKE, Meter, evaluations, messages, posted_texts, running
from tests.support.clock import MovableClock as Clock
from tests.support.raw_sqlite import execute, on_connection

pytestmark = [pytest.mark.sqlite, pytest.mark.usefixtures("before_noon")]

DIGEST = {
    "name": "quarterly",
    "ask": "/usage rapid7-eu last 7 days",
    "at": "*/15 * * * *",
    "channel": "#kitchen",
}
OPS = {"slack": {"ops_channel": "#ops"}}


async def fill(bot: Bot) -> None:
    """Leaves no room on the disk, not even inside the file."""

    def fill(db: sqlite3.Connection) -> None:
        db.execute("CREATE TABLE IF NOT EXISTS filler (x)")
        db.execute("PRAGMA max_page_count = 1").fetchall()
        for size in (2000, 100, 1):
            while True:
                try:
                    db.execute("INSERT INTO filler VALUES (zeroblob(?))", (size,))
                except sqlite3.OperationalError:
                    break

    await on_connection(bot.store, fill)


async def empty(bot: Bot) -> None:
    await execute(bot.store, "PRAGMA max_page_count = 1000000")


async def test_full_disk_loses_nothing_and_notifies_ops(
    sandbox: Sandbox, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    meter = Meter(sandbox)
    meter(6)
    monkeypatch.setattr("bot.slack.operator_notices.AGAIN_AFTER", timedelta(days=1))
    async with running(sandbox, {**SPIKE, "channel": "#kitchen"}, digest=[DIGEST], **OPS) as bot:
        await fill(bot)
        clock.strike(15)
        await sandbox.slack.until(
            lambda: any(
                "The bot's database cannot be used" in text for text in posted_texts(sandbox)
            )
        )
        # What still fits into pages that are there may be posted meanwhile, but only once.
        await empty(bot)
        # A run that was claimed and could not be ended is done again once its lease is over.
        clock.ahead += timedelta(minutes=3)
        await sandbox.slack.until(lambda: len(posted_texts(sandbox, "C0KITCHEN")) == 2)
    kitchen = posted_texts(sandbox, "C0KITCHEN")
    assert sorted(text.split(" ")[1].rstrip(":") for text in kitchen) == [
        "ingest-spike",
        "quarterly",
    ]
    assert (
        len([text for text in posted_texts(sandbox) if "The bot's database cannot be used" in text])
        == 1
    )


async def test_question_without_database_is_explained(sandbox: Sandbox, bot: Bot) -> None:
    await execute(bot.store, "DROP TABLE questions")
    answer = await sandbox.slack.answer_to("/usage last 7 days")
    assert answer.seen_by == "U0ADA"
    assert answer.text.startswith(
        "The bot's database cannot be used (no such table: questions). The operator has"
    )


async def test_locked_database_loses_nothing(
    sandbox: Sandbox, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    Meter(sandbox)(6)
    monkeypatch.setattr("bot.store.sqlite.connection.BUSY_S", 0.1)
    async with running(sandbox, {**SPIKE, "channel": "#kitchen"}, **OPS):
        other = sqlite3.connect(sandbox.folder / "bot.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        clock.strike(15)
        await sandbox.slack.until(
            lambda: any("database is locked" in text for text in posted_texts(sandbox))
        )
        other.execute("ROLLBACK")
        other.close()
        await sandbox.slack.until(lambda: posted_texts(sandbox, "C0KITCHEN"))
    assert len(messages(sandbox, "C0KITCHEN")) == 1


async def test_unsaved_alert_is_posted_once(sandbox: Sandbox, clock: Clock) -> None:
    meter = Meter(sandbox)
    meter(6)
    async with running(sandbox, {**SPIKE, "channel": "#kitchen"}, **OPS) as bot:
        clock.strike(15)
        await sandbox.slack.until(lambda: posted_texts(sandbox, "C0KITCHEN"))
        meter(1)
        await fill(bot)
        clock.strike(15)
        await sandbox.slack.until(
            lambda: any(
                "The bot's database cannot be used" in text for text in posted_texts(sandbox)
            )
        )
        await empty(bot)
        await sandbox.slack.until(lambda: posted_texts(sandbox, "C0KITCHEN")[0].startswith("✅"))
        assert (await evaluations(bot, 2))[:2] == ["firing", "inactive"]
    assert len(messages(sandbox, "C0KITCHEN")) == 1


@pytest.mark.parametrize("content", [b"no database", b"SQLite format 3\x00" + b"\xff" * 5000])
async def test_broken_database_is_refused_unchanged(sandbox: Sandbox, content: bytes) -> None:
    from bot.store import Store, StoreError

    path = Path(sandbox.folder / "bot.sqlite")
    path.write_bytes(content)
    with pytest.raises(StoreError, match="cannot be used"):
        await Store.open(path, now=Clock()())
    assert path.read_bytes() == content
