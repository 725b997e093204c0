"""A database of an earlier version is opened unchanged, and a backup allows going back."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.cli.ask import open_question_stores
from bot.cli.check import run_checks
from bot.sandbox.sandbox import Sandbox
from tests.conftest import ROOT, connected_bot, toml_of
from tests.support.clock import MovableClock

pytestmark = pytest.mark.sqlite

DATABASES = sorted((ROOT / "tests" / "databases").glob("*.sql"))
each_version = pytest.mark.parametrize("dump", DATABASES, ids=lambda dump: dump.stem)
MIGRATIONS = "SELECT name FROM _sqlite_migrations ORDER BY id"


@pytest.fixture
def clock() -> MovableClock:
    """Shortly after the earlier version was stopped."""
    made = MovableClock()
    made.set(datetime(2026, 11, 27, 10, 55, tzinfo=UTC))
    return made


def make_database(path: Path, dump: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.executescript(dump.read_text("utf-8"))


def query(path: Path, sql: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute(sql).fetchall()


def contents(path: Path) -> list[str]:
    """The whole database as SQL."""
    with closing(sqlite3.connect(path)) as database:
        return [*database.iterdump()]


def config_of(sandbox: Sandbox) -> Path:
    config = sandbox.folder / "bot.toml"
    config.write_text(toml_of(sandbox.table()), "utf-8")
    return config


def test_databases_have_different_versions() -> None:
    assert len(DATABASES) >= 2


@each_version
async def test_earlier_database_is_continued(sandbox: Sandbox, dump: Path) -> None:
    path = sandbox.folder / "bot.sqlite"
    make_database(path, dump)
    asked = query(path, "SELECT count(*) FROM questions")[0][0]
    async with connected_bot(sandbox):
        listed = (await sandbox.slack.answer_to("/usage subscriptions")).text
        assert "at 09:00 on weekdays" in listed
        alerts = (await sandbox.slack.answer_to("/usage alerts")).text
        assert "ingest-spike" in alerts
        assert "second" in alerts
        assert "planned load test" in alerts
        assert await sandbox.slack.until(
            lambda: any("Queued before the upgrade" in m.text for m in sandbox.slack.messages)
        )
        assert "in 7 days" in (await sandbox.slack.answer_to("/usage last 7 days")).text
    assert query(path, "SELECT count(*) FROM questions")[0][0] == asked + 3
    assert not [m for m in sandbox.slack.messages if m.text.startswith("🔴")], "no second message"


@each_version
async def test_check_and_questions_leave_an_earlier_database_to_the_bot(
    sandbox: Sandbox, dump: Path
) -> None:
    path = sandbox.folder / "bot.sqlite"
    make_database(path, dump)
    before = contents(path)
    checks, _ = await run_checks(config_of(sandbox), environ=sandbox.environ())
    [check] = [check for check in checks if check.name == "database"]
    assert check.ok
    assert "is of an earlier version; the bot will apply" in check.detail
    async with open_question_stores(sandbox.settings()):
        pass
    assert contents(path) == before


@each_version
async def test_migrate_does_what_it_announced(
    run_cli: Callable[..., Any], tmp_path: Path, dump: Path
) -> None:
    path = tmp_path / "bot.sqlite"
    make_database(path, dump)
    before = contents(path)
    announced = await run_cli("migrate", "--dry-run")
    assert announced.code == 0
    assert contents(path) == before
    done = await run_cli("migrate")
    assert done.code == 0
    assert done.out == announced.out.replace("would be", "were")
    assert len(query(path, MIGRATIONS)) >= int(dump.stem)
    again = await run_cli("migrate", "--dry-run")
    assert "up to date" in again.out


@each_version
async def test_backup_restores_the_earlier_version(
    sandbox: Sandbox, run_cli: Callable[..., Any], tmp_path: Path, dump: Path
) -> None:
    """The earlier version finds its own data: its schema, its steps, its rows."""
    path = tmp_path / "bot.sqlite"
    backup = tmp_path / "before.sqlite"
    make_database(path, dump)
    before = contents(path)
    assert (await run_cli("backup", str(backup))).code == 0
    async with connected_bot(sandbox):
        await sandbox.slack.answer_to("/usage last 7 days")
    assert contents(path) != before
    restored = await run_cli("restore", str(backup))
    assert restored.code == 0, restored.err
    assert contents(path) == before
    assert [name for (name,) in query(path, MIGRATIONS)][-1].startswith(dump.stem)


async def test_newer_database_is_refused(run_cli: Callable[..., Any], tmp_path: Path) -> None:
    path = tmp_path / "bot.sqlite"
    make_database(path, DATABASES[-1])
    with closing(sqlite3.connect(path)) as database:
        database.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name) VALUES ('opswatch', '9999_later')"
        )
        database.commit()
    before = contents(path)
    for command in ("run", "migrate", "check"):
        refused = await run_cli(command)
        assert refused.code == 2, command
        assert "newer version" in refused.out + refused.err
    assert contents(path) == before
