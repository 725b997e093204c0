"""The database commands for a PostgreSQL server."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from bot.store import Store, StoreError, StoreUnavailable
from bot.store.postgres.reasons import cause_of
from handlers.error_messages import error_message
from providers.clock import utc_now
from providers.redaction import Secret
from tests.support.postgres import create_database

psycopg = pytest.importorskip("psycopg")

Opswatch = Callable[..., CompletedProcess[str]]
MISSING = "0011_room_for_updates"


@pytest.fixture
def url(postgres_socket: str) -> str:
    return create_database(postgres_socket)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "bot.toml").write_text('database = "env:DATABASE_URL"\n')
    return tmp_path


def execute(url: str, statement: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(statement)


def test_migrate_prepares_a_server(folder: Path, url: str, opswatch: Opswatch) -> None:
    announced = opswatch("migrate", "--dry-run", cwd=folder, DATABASE_URL=url)
    assert (announced.returncode, announced.stderr) == (0, "")
    assert announced.stdout.startswith("The PostgreSQL database: ")
    assert MISSING in announced.stdout
    done = opswatch("migrate", cwd=folder, DATABASE_URL=url)
    assert done.stdout == announced.stdout.replace("would be", "were")
    again = opswatch("migrate", "--dry-run", cwd=folder, DATABASE_URL=url)
    assert "is up to date; there is nothing to do." in again.stdout


def test_migrate_applies_what_a_server_lacks(folder: Path, url: str, opswatch: Opswatch) -> None:
    opswatch("migrate", cwd=folder, DATABASE_URL=url)
    execute(url, f"DELETE FROM migrations WHERE name = '{MISSING}'")
    announced = opswatch("migrate", "--dry-run", cwd=folder, DATABASE_URL=url)
    assert announced.stdout.splitlines()[1:] == [f"  {MISSING}"]
    assert MISSING in opswatch("migrate", cwd=folder, DATABASE_URL=url).stdout


@pytest.mark.parametrize(
    "words", [("migrate",), ("migrate", "--dry-run"), ("forget", "U0ADA")], ids=" ".join
)
def test_newer_server_is_refused(
    folder: Path, url: str, opswatch: Opswatch, words: tuple[str, ...]
) -> None:
    opswatch("migrate", cwd=folder, DATABASE_URL=url)
    execute(url, "INSERT INTO migrations (name, applied_at) VALUES ('9999_future', '')")
    ran = opswatch(*words, cwd=folder, DATABASE_URL=url)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "newer version (9999_future)" in ran.stderr


def test_unreachable_server_is_one_sentence(folder: Path, opswatch: Opswatch) -> None:
    url = "postgresql://bot:hunter2@127.0.0.1:1/opswatch"
    ran = opswatch("migrate", "--dry-run", cwd=folder, DATABASE_URL=url)
    assert (ran.returncode, ran.stdout) == (1, "")
    [line] = ran.stderr.splitlines()
    assert line.startswith("The PostgreSQL database cannot be used: ")
    assert "hunter2" not in line


def test_forget_erases_from_a_server(folder: Path, url: str, opswatch: Opswatch) -> None:
    opswatch("migrate", cwd=folder, DATABASE_URL=url)
    execute(
        url,
        'INSERT INTO rules (name, command, channel, rule, "user", made_at) '
        "VALUES ('spike', 'usage', 'C0OPS', '{}', 'U0ADA', '2026')",
    )
    words = ("forget", "U0ADA", "--hand-over", "U0GRACE")
    ran = opswatch(*words, cwd=folder, DATABASE_URL=url)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "Handed over to U0GRACE: alert spike." in ran.stdout
    again = opswatch("forget", "U0ADA", cwd=folder, DATABASE_URL=url)
    assert (again.returncode, again.stdout) == (0, "Nothing was stored about U0ADA.\n")


def test_forget_needs_tables_of_opswatch(folder: Path, url: str, opswatch: Opswatch) -> None:
    ran = opswatch("forget", "U0ADA", cwd=folder, DATABASE_URL=url)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "no tables of Opswatch" in ran.stderr


COMMANDS = {
    "backup": (("backup", "copy.sqlite"), "pg_dump"),
    "restore": (("restore", "copy.sqlite"), "pg_restore"),
    "move": (("migrate", "--to", "env:DATABASE_URL"), "no file to move"),
}


@pytest.mark.parametrize(("words", "advice"), COMMANDS.values(), ids=COMMANDS)
def test_file_commands_refuse_a_server(
    folder: Path, opswatch: Opswatch, words: tuple[str, ...], advice: str
) -> None:
    ran = opswatch(*words, cwd=folder, DATABASE_URL="postgresql://127.0.0.1:1/opswatch")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith("The database is on a PostgreSQL server. ")
    assert advice in ran.stderr


async def test_missing_server_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.store.postgres.connection.CONNECT_WITHIN_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    url = f"postgresql://ada:hunter2@127.0.0.1:{port}/opswatch"
    with pytest.raises(StoreError) as raised:
        await Store.open(Secret(url), now=utc_now())
    assert f'"127.0.0.1", port {port} failed: Connection refused' in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_people_are_not_shown_the_server() -> None:
    reason = 'connection to server at "10.0.0.5", port 5432 failed: Connection refused'
    shown = error_message(StoreUnavailable(reason, cause_of(reason)))
    assert shown.message == "The bot's database cannot be used (connection refused)."
