"""`migrate --to`: moves the rows of a SQLite file to a PostgreSQL server and verifies them."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from bot.store import EvaluationRecord, Post, PostKind, QuestionRecord, Saved, Store, StoreError
from providers.redaction import Secret
from tests.conftest import ROOT
from tests.store.conftest import NOW
from tests.support.postgres import create_database

pytest.importorskip("psycopg")
import psycopg

from bot.store.postgres import move as moving
from bot.store.sql.series import indexed, series_name


@pytest.fixture
def url(postgres_socket: str) -> str:
    return create_database(postgres_socket)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A configuration, and a file with a few rows of every kind."""
    (tmp_path / "bot.toml").write_text('database = "bot.sqlite"\n')
    asyncio.run(_fill(tmp_path / "bot.sqlite"))
    return tmp_path


async def _fill(path: Path) -> None:
    store = await Store.open(path, now=NOW)
    for n in range(50):
        await store.questions.claim(
            QuestionRecord(f"d{n}", NOW, "U0ADA", "C0OPS", "usage", f"last {n} days ü\0", "slash")
        )
    await store.outbox.enqueue(Post("root", "#ops", "Hello", [{"type": "divider"}]), now=NOW)
    file = Post("file", "#ops", "usage.csv", [], PostKind.FILE, "root", bytes(range(256)))
    await store.outbox.enqueue(file, now=NOW)
    await store.rules.add_rule(
        name="spike", command="usage", channel="C0OPS", rule="{}", user="U0ADA", now=NOW
    )
    await store.alerts.save_evaluations(
        [
            EvaluationRecord(
                alert="spike",
                definition="d",
                due=NOW + n * timedelta(minutes=15),
                at=NOW,
                state="inactive",
                since=None,
                value=n / 7,
                alert_state=b"{}",
            )
            for n in range(20)
        ]
    )
    await store.close()


def migrate(folder: Path, url: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bot", "migrate", "--to", "env:DATABASE_URL", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "DATABASE_URL": url, "BOT_CONFIG": ""},
        capture_output=True,
        text=True,
        timeout=120,
    )


async def test_every_row_is_moved(folder: Path, url: str) -> None:
    ran = await asyncio.to_thread(migrate, folder, url)
    assert ran.returncode == 0, ran.stderr
    assert "questions: 50 rows, verified" in ran.stdout
    assert "To go back, set database to it again" in ran.stdout
    store = await Store.open(Secret(url), now=NOW)
    try:
        latest = await store.questions.latest()
        assert [asked.delivery for asked in latest][:2] == ["d49", "d48"]
        assert latest[0].text == "last 49 days ü\ufffd"
        [rule] = await store.rules.rules()
        assert rule.name == "spike"
        found = await store.alerts.samples("spike", "d", since=NOW, until=NOW + timedelta(days=1))
        assert [sample.value for sample in found] == [n / 7 for n in range(20)]
        root = await store.outbox.claim_post(now=NOW)
        assert root
        await store.outbox.sent(root, ts="1.2")
        file = await store.outbox.claim_post(now=NOW)
        assert file
        assert file.post.content == bytes(range(256))
        # Numbers go on where the file's ended.
        another = await store.rules.add_rule(
            name="dip", command="usage", channel="C0OPS", rule="{}", user="U0ADA", now=NOW
        )
        assert another
        assert another.number == rule.number + 1
    finally:
        await store.close()


def test_series_is_found_by_its_new_name(folder: Path, url: str) -> None:
    """Earlier versions stored names unchanged; the bot looks for `indexed` ones."""
    names = ["spike/" + "x" * 3000, "spike/a\0b", "spike/plain", "spike/both\0"]
    with closing(sqlite3.connect(folder / "bot.sqlite")) as file, file:
        rows = [(name, "d\0") for name in (*names, indexed(names[-1]))]
        file.executemany("INSERT INTO series (name, definition) VALUES (?, ?)", rows)
        newest = file.execute("SELECT max(id) FROM series").fetchone()[0]
    ran = migrate(folder, url)
    assert ran.returncode == 0, ran.stderr
    assert migrate(folder, url).returncode == 2, "everything is there"
    with psycopg.connect(url) as server:
        found: dict[str, int] = dict(
            server.execute(
                "SELECT name, id FROM series WHERE definition = %s", (indexed("d\0"),)
            ).fetchall()
        )
    assert set(map(indexed, names)) <= set(found)
    assert found[indexed(names[-1])] == newest
    assert len(found) == len(names) + 1


async def test_long_named_alert_keeps_its_samples(folder: Path, url: str) -> None:
    """Also one with samples of a subject, and one with a long question."""
    name = "".join(chr(0x4E00 + n) for n in range(500))
    definition = f"/logs web where({'x' * 1500}) lines 5.0 None"
    store = await Store.open(folder / "bot.sqlite", now=NOW)
    record = EvaluationRecord(
        alert=name,
        definition=definition,
        due=NOW,
        at=NOW,
        state="inactive",
        since=None,
        value=7.0,
        alert_state=b"{}",
        samples=[("kitchen", 3.0, "inactive")],
    )
    await store.alerts.save_evaluations([record])
    await store.close()
    ran = await asyncio.to_thread(migrate, folder, url)
    assert ran.returncode == 0, ran.stderr
    store = await Store.open(Secret(url), now=NOW)
    try:
        later = NOW + timedelta(hours=1)
        for series, value in ((name, 7.0), (series_name(name, "kitchen"), 3.0)):
            found = await store.alerts.samples(series, definition, since=NOW, until=later)
            assert [sample.value for sample in found] == [value]
        assert await store.alerts.last_handled_at(name, definition, now=later) == NOW
        again = msgspec.structs.replace(record, due=later)
        await store.alerts.stored_states([(name, definition)])
        assert await store.alerts.save_evaluations([again]) == [Saved.WRITTEN]
        found = await store.alerts.samples(
            name, definition, since=NOW, until=NOW + timedelta(days=1)
        )
        assert [sample.at for sample in found] == [NOW, later]
    finally:
        await store.close()


async def test_numbers_continue_in_any_schema(folder: Path, url: str) -> None:
    """A role may have a separate schema in a database that others use."""
    with psycopg.connect(url) as connection:
        connection.execute("CREATE SCHEMA opswatch")
    in_schema = f"{url}&options=-csearch_path%3Dopswatch"
    ran = await asyncio.to_thread(migrate, folder, in_schema)
    assert ran.returncode == 0, ran.stderr
    store = await Store.open(Secret(in_schema), now=NOW)
    try:
        [rule] = await store.rules.rules()
        another = await store.rules.add_rule(
            name="dip", command="usage", channel="C0OPS", rule="{}", user="U0ADA", now=NOW
        )
        assert another
        assert another.number == rule.number + 1
    finally:
        await store.close()


def test_dry_run_moves_nothing(folder: Path, url: str) -> None:
    ran = migrate(folder, url, "--dry-run")
    assert ran.returncode == 0, ran.stderr
    assert "questions: 50" in ran.stdout
    assert migrate(folder, url).returncode == 0


def test_server_with_rows_is_refused(folder: Path, url: str) -> None:
    assert migrate(folder, url).returncode == 0
    again = migrate(folder, url)
    assert again.returncode == 2
    assert "holds rows already" in again.stderr
    assert url not in again.stderr


def test_interrupted_move_is_continued(folder: Path, url: str) -> None:
    """It breaks off in the middle, and a row is changed before the second attempt."""
    asyncio.run(_close(Store.open(Secret(url), now=NOW)))
    source = folder / "bot.sqlite"
    seen = list[moving.MovedTable]()

    def break_off(table: moving.MovedTable) -> None:
        seen.append(table)
        if table.name == "questions":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        moving.move(source, url, on_moved=break_off)
    with pytest.raises(StoreError, match="has not finished"):
        asyncio.run(_close(Store.open(Secret(url), now=NOW)))
    with closing(sqlite3.connect(source, isolation_level=None)) as connection:
        connection.execute("UPDATE outbox SET text = 'Changed' WHERE key = 'root'")
    moved = {table.name: table for table in moving.move(source, url)}
    assert moved["questions"].was_there
    assert not moved["outbox"].was_there
    assert not moved["rules"].was_there


def test_unequal_copy_is_refused(folder: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asyncio.run(_close(Store.open(Secret(url), now=NOW)))
    monkeypatch.setattr(moving, "_copy", lambda *_: None)
    with pytest.raises(StoreError, match="differs from the file"):
        moving.move(folder / "bot.sqlite", url)


def test_unreachable_server_is_named_without_its_password(folder: Path) -> None:
    ran = migrate(folder, "postgresql://bot:hunter2@127.0.0.1:1/opswatch")
    assert ran.returncode == 1
    assert "hunter2" not in ran.stdout + ran.stderr


def test_written_out_url_is_refused(folder: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "bot", "migrate", "--to", "postgresql://bot:hunter2@db/x"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "BOT_CONFIG": ""},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 2
    assert "hunter2" not in ran.stdout + ran.stderr


async def _close(opening: object) -> None:
    store: Store = await opening  # type: ignore[misc]
    await store.close()
