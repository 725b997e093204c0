"""A database that is deleted, replaced, damaged, read-only, full or locked while the bot runs:
`/readyz`, the ops channel and forms report it.
"""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.app import Bot
from bot.health import serve_health
from bot.lifecycle.service import Service
from bot.sandbox.sandbox import Sandbox
from bot.store import Store
from tests.scenarios.test_full_disk import fill
from tests.support.alerts import SPIKE, Meter, posted_texts, running, stored_rows
from tests.support.clock import MovableClock
from tests.support.modals import opened
from tests.support.raw_sqlite import execute

pytestmark = [pytest.mark.sqlite, pytest.mark.usefixtures("before_noon")]

OPS = {"slack": {"ops_channel": "#ops"}}
Fault = Callable[[Bot, Path], Awaitable[None]]


async def delete(_: Bot, path: Path) -> None:
    path.rename(path.with_name("elsewhere"))


async def replace(_: Bot, path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    sqlite3.connect(path).close()
    path.touch()


async def damage(bot: Bot, path: Path) -> None:
    """Overwrites every page but the first, as a broken disk might."""
    await execute(bot.store, "PRAGMA wal_checkpoint(TRUNCATE)")
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (size - 4096))


async def forbid_writing(bot: Bot, _: Path) -> None:
    await execute(bot.store, "PRAGMA query_only = 1")


async def fill_up(bot: Bot, _: Path) -> None:
    await fill(bot)


FAULTS: dict[str, tuple[Fault, str]] = {
    "deleted": (delete, "was deleted"),
    "replaced": (replace, "was replaced by another one"),
    "damaged": (damage, "malformed"),
    "read-only": (forbid_writing, "readonly"),
    "full": (fill_up, "full"),
}


@asynccontextmanager
async def readiness(
    bot: Bot, port: int
) -> AsyncIterator[Callable[[], Awaitable[tuple[int, dict[str, Any]]]]]:
    """The answer of `/readyz` as `python -m bot run` serves it."""
    service = Service(bot.slack)
    service._current = type("Running", (), {"bot": bot})()
    async with (
        serve_health(port, bot.slack, service.database_works, problems=service.problems),
        aiohttp.ClientSession() as session,
    ):

        async def ask() -> tuple[int, dict[str, Any]]:
            async with session.get(f"http://127.0.0.1:{port}/readyz") as response:
                return response.status, await response.json()

        yield ask


@pytest.mark.parametrize(("fault", "says"), FAULTS.values(), ids=FAULTS.keys())
async def test_broken_database_is_reported(
    sandbox: Sandbox,
    clock: MovableClock,
    monkeypatch: pytest.MonkeyPatch,
    free_tcp_port: int,
    fault: Fault,
    says: str,
) -> None:
    monkeypatch.setattr("bot.store.sqlite.health.CHECK_SMALL_EVERY_S", 0.1)
    Meter(sandbox)
    async with (
        running(sandbox, {**SPIKE, "channel": "#kitchen"}, **OPS) as bot,
        readiness(bot, free_tcp_port) as ready,
    ):
        assert (await ready())[0] == 200
        await fault(bot, sandbox.folder / "bot.sqlite")
        await asyncio.sleep(0.2)
        status, found = await ready()
        assert (status, found["ready"], found["database"]) == (503, False, False)
        assert says in str(found["trouble"])
        await sandbox.slack.until(
            lambda: any(
                "The bot's database cannot be used" in text and says in text
                for text in posted_texts(sandbox)
            )
        )


async def test_locked_database_is_not_ready(
    sandbox: Sandbox, clock: MovableClock, monkeypatch: pytest.MonkeyPatch, free_tcp_port: int
) -> None:
    monkeypatch.setattr("bot.store.sqlite.connection.BUSY_S", 0.2)
    async with running(sandbox, SPIKE, **OPS) as bot, readiness(bot, free_tcp_port) as ready:
        other = sqlite3.connect(sandbox.folder / "bot.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        status, found = await ready()
        assert (status, "locked" in str(found["trouble"])) == (503, True)
        other.execute("ROLLBACK")
        other.close()
        assert (await ready())[0] == 200


async def test_database_that_is_put_back_is_used_again(
    sandbox: Sandbox, clock: MovableClock
) -> None:
    path = sandbox.folder / "bot.sqlite"
    async with running(sandbox, SPIKE, **OPS) as bot:
        await delete(bot, path)
        answer = await sandbox.slack.answer_to("/usage rapid7-eu today")
        assert "the database file was deleted" in answer.text
        path.with_name("elsewhere").rename(path)
        assert "rapid7-eu" in (await sandbox.slack.answer_to("/usage rapid7-eu today")).text
        assert await bot.store.problem() == ""


@pytest.mark.parametrize("fault", [delete, forbid_writing])
async def test_form_mentions_that_nothing_was_saved(
    sandbox: Sandbox, clock: MovableClock, fault: Fault
) -> None:
    Meter(sandbox)
    async with running(sandbox, SPIKE, **OPS) as bot:
        answer = await sandbox.slack.answer_to("/usage rapid7-eu today", channel="C0KITCHEN")
        view = await opened(sandbox, answer, "modal.alert")
        await fault(bot, sandbox.folder / "bot.sqlite")
        await sandbox.slack.submit(view, threshold="5 GB")
        assert "Nothing was saved. The bot's database cannot be used" in view.errors["question"]
        await execute(bot.store, "PRAGMA query_only = 0")
        if fault is delete:
            (sandbox.folder / "elsewhere").rename(sandbox.folder / "bot.sqlite")
    assert await stored_rows(sandbox, "SELECT name FROM rules") == []


async def test_late_saved_form_is_confirmed(
    sandbox: Sandbox, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database is locked for longer than Slack waits for a form."""
    monkeypatch.setattr("handlers.listeners.forms.views.SAVE_WITHIN_S", 0.3)
    monkeypatch.setattr("bot.store.sqlite.connection.BUSY_S", 1.0)
    Meter(sandbox)
    async with running(sandbox, SPIKE, **OPS):
        answer = await sandbox.slack.answer_to("/usage rapid7-eu today", channel="C0KITCHEN")
        view = await opened(sandbox, answer, "modal.alert")
        other = sqlite3.connect(sandbox.folder / "bot.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        await sandbox.slack.submit(view, threshold="5 GB")
        assert sandbox.slack.modal() is None
        await sandbox.slack.until(
            lambda: any(
                "The bot's database cannot be used" in m.text
                for m in sandbox.slack.seen("U0ADA", "C0KITCHEN")
            ),
            timeout_s=20,
        )
        other.execute("ROLLBACK")
        other.close()
    assert await stored_rows(sandbox, "SELECT name FROM rules") == []


def modes(folder: Path) -> set[int]:
    return {stat.S_IMODE(path.stat().st_mode) for path in folder.glob("bot.sqlite*")}


@pytest.mark.parametrize("known", [False, True], ids=["new", "known"])
async def test_database_is_its_owners_alone(
    tmp_path: Path, clock: MovableClock, known: bool
) -> None:
    path = tmp_path / "bot.sqlite"
    folder_mode = stat.S_IMODE(tmp_path.stat().st_mode)
    if known:
        sqlite3.connect(path).close()
        path.touch()
        path.chmod(0o644)
    store = await Store.open(path, now=clock())
    assert await store.works()
    assert len(list(tmp_path.glob("bot.sqlite*"))) == 3
    assert modes(tmp_path) == {0o600}
    assert stat.S_IMODE(tmp_path.stat().st_mode) == folder_mode
    await store.close()
