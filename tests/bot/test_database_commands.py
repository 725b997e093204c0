"""`backup`, `restore`, `migrate` and `forget`: nothing is lost, nothing is overwritten, and exit
codes are as documented.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.config import read_database_location
from bot.store import QuestionRecord, Store
from bot.store.errors import Unsuitable
from bot.store.sql.erase import NOBODY
from bot.store.sqlite.files import back_up, known_steps
from tests.support.people import store_data_about_ada

Opswatch = Callable[..., subprocess.CompletedProcess[str]]

NOW = datetime(2026, 11, 21, 14, 5, tzinfo=UTC)


def asked(number: int, user: str = "U0ADA", text: str = "last 7 days") -> QuestionRecord:
    return QuestionRecord(
        f"d{number}", NOW, user, "C0OPS", "usage", text, "slash", outcome="answered"
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A configuration whose secrets are not available, and a database with three questions."""
    key = 'kind = "rapid7"\nregion = "eu"\napi_key = "env:NOT_SET_HERE"\n'
    (tmp_path / "bot.toml").write_text(f'database = "bot.sqlite"\n[providers.eu]\n{key}')

    async def fill() -> None:
        store = await Store.open(tmp_path / "bot.sqlite", now=NOW)
        for number in range(3):
            await store.questions.claim(asked(number))
        await store.close()

    asyncio.run(fill())
    return tmp_path


def rows(path: Path, sql: str = "SELECT count(*) FROM questions") -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


@contextmanager
def open_elsewhere(database: Path) -> Iterator[None]:
    """Another process that has the database open, as the bot does."""
    code = (
        "import sqlite3, sys\n"
        "c = sqlite3.connect(sys.argv[1])\n"
        "c.execute('PRAGMA journal_mode = WAL')\n"
        "c.execute('SELECT count(*) FROM questions').fetchall()\n"
        "print('open', flush=True)\n"
        "sys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(database)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "open\n"
    try:
        yield
    finally:
        process.communicate(timeout=60)


def make_newer(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('opswatch', "
            "'9999_future', 'now')"
        )


def test_backup_is_a_whole_private_file(folder: Path, opswatch: Opswatch) -> None:
    ran = opswatch("backup", "copy.sqlite", cwd=folder)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "verified" in ran.stdout
    assert rows(folder / "copy.sqlite") == [(3,)]
    assert stat.S_IMODE((folder / "copy.sqlite").stat().st_mode) == 0o600
    assert {path.name for path in folder.iterdir()} == {"bot.toml", "bot.sqlite", "copy.sqlite"}


def test_backup_overwrites_only_when_forced(folder: Path, opswatch: Opswatch) -> None:
    (folder / "copy.sqlite").write_text("mine")
    ran = opswatch("backup", "copy.sqlite", cwd=folder)
    assert (ran.returncode, (folder / "copy.sqlite").read_text()) == (2, "mine")
    assert "--force" in ran.stderr
    assert opswatch("backup", "copy.sqlite", "--force", cwd=folder).returncode == 0
    assert rows(folder / "copy.sqlite") == [(3,)]


@pytest.mark.parametrize("target", ["bot.sqlite", "./bot.sqlite", "link.sqlite", "bot.sqlite-wal"])
def test_backup_never_replaces_the_database(folder: Path, target: str, opswatch: Opswatch) -> None:
    os.link(folder / "bot.sqlite", folder / "link.sqlite")
    assert opswatch("backup", "--force", target, cwd=folder).returncode == 2
    assert rows(folder / "bot.sqlite") == [(3,)]


def test_backup_without_database_is_refused(folder: Path, opswatch: Opswatch) -> None:
    (folder / "bot.sqlite").unlink()
    ran = opswatch("backup", "copy.sqlite", cwd=folder)
    assert ran.returncode == 2
    assert {path.name for path in folder.iterdir()} == {"bot.toml"}


def test_backup_names_a_missing_folder(folder: Path, opswatch: Opswatch) -> None:
    ran = opswatch("backup", "nowhere/copy.sqlite", cwd=folder)
    assert ran.returncode == 2
    assert "nowhere does not exist" in ran.stderr


def test_failed_backup_leaves_no_file(folder: Path, opswatch: Opswatch) -> None:
    database = folder / "bot.sqlite"
    content = bytearray(database.read_bytes())
    content[4096 * 2 :] = os.urandom(len(content) - 4096 * 2)
    database.write_bytes(content)
    ran = opswatch("backup", "copy.sqlite", cwd=folder)
    assert ran.returncode in (1, 2)
    assert ran.stderr
    assert {path.name for path in folder.iterdir()} == {"bot.toml", "bot.sqlite"}


def test_backup_under_concurrent_writes_is_consistent(folder: Path) -> None:
    """Each transaction adds a row to both tables, so a consistent copy has the same number in each."""
    database = folder / "bot.sqlite"
    stop = threading.Event()
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("CREATE TABLE a (t TEXT)")
        connection.execute("CREATE TABLE b (t TEXT)")
        connection.executemany("INSERT INTO a VALUES (?)", [("x" * 300,)] * 20_000)
        connection.executemany("INSERT INTO b VALUES (?)", [("x" * 300,)] * 20_000)
    written = threading.Event()

    def write() -> None:
        with closing(sqlite3.connect(database, isolation_level=None, timeout=30)) as writer:
            while not stop.is_set():
                writer.execute("BEGIN IMMEDIATE")
                writer.execute("INSERT INTO a VALUES ('y')")
                writer.execute("INSERT INTO b VALUES ('y')")
                writer.execute("COMMIT")
                written.set()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for number in range(10):
            written.clear()
            assert written.wait(30)
            [(before,)] = rows(database, "SELECT count(*) FROM a")
            copied = back_up(database, folder / f"copy-{number}.sqlite")
            assert copied.rows["a"] == copied.rows["b"] >= int(str(before))
            [(ok,)] = rows(folder / f"copy-{number}.sqlite", "PRAGMA integrity_check")
            assert ok == "ok"
            assert rows(folder / f"copy-{number}.sqlite", "SELECT count(*) FROM a") == [
                (copied.rows["a"],)
            ]
    finally:
        stop.set()
        thread.join()


def test_restore_keeps_the_replaced_database(folder: Path, opswatch: Opswatch) -> None:
    assert opswatch("backup", "copy.sqlite", cwd=folder).returncode == 0
    with closing(sqlite3.connect(folder / "bot.sqlite")) as connection, connection:
        connection.execute("DELETE FROM questions")
    ran = opswatch("restore", "copy.sqlite", cwd=folder)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert rows(folder / "bot.sqlite") == [(3,)]
    assert stat.S_IMODE((folder / "bot.sqlite").stat().st_mode) == 0o600
    [kept] = folder.glob("bot.sqlite.before-restore-*")
    assert rows(kept) == [(0,)]
    assert kept.name in ran.stdout
    assert rows(folder / "copy.sqlite") == [(3,)]


def test_restore_keeps_rows_of_the_wal(folder: Path, opswatch: Opswatch) -> None:
    assert opswatch("backup", "copy.sqlite", cwd=folder).returncode == 0
    code = (
        "import os, sqlite3\n"
        "c = sqlite3.connect('bot.sqlite', isolation_level=None)\n"
        "c.execute('PRAGMA journal_mode = WAL')\n"
        "c.execute(\"UPDATE questions SET text = 'late'\")\n"
        "os._exit(1)\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=folder, check=False, timeout=60)
    assert (folder / "bot.sqlite-wal").exists()
    assert opswatch("restore", "copy.sqlite", cwd=folder).returncode == 0
    assert rows(folder / "bot.sqlite", "SELECT DISTINCT text FROM questions") == [("last 7 days",)]
    [kept] = [
        path
        for path in folder.glob("bot.sqlite.before-restore-*")
        if not path.name.endswith(("-wal", "-shm"))
    ]
    assert rows(kept, "SELECT DISTINCT text FROM questions") == [("late",)]


def test_restore_works_without_a_database(folder: Path, opswatch: Opswatch) -> None:
    shutil.move(folder / "bot.sqlite", folder / "copy.sqlite")
    assert opswatch("restore", "copy.sqlite", cwd=folder).returncode == 0
    assert rows(folder / "bot.sqlite") == [(3,)]


def test_restore_replaces_a_damaged_database(folder: Path, opswatch: Opswatch) -> None:
    assert opswatch("backup", "copy.sqlite", cwd=folder).returncode == 0
    (folder / "bot.sqlite").write_bytes(b"no database at all" * 500)
    assert opswatch("restore", "copy.sqlite", cwd=folder).returncode == 0
    assert rows(folder / "bot.sqlite") == [(3,)]


def test_restore_is_refused_while_in_use(folder: Path, opswatch: Opswatch) -> None:
    assert opswatch("backup", "copy.sqlite", cwd=folder).returncode == 0
    before = (folder / "bot.sqlite").stat().st_ino
    with open_elsewhere(folder / "bot.sqlite"):
        ran = opswatch("restore", "copy.sqlite", cwd=folder)
        assert ran.returncode == 2
        assert "stop the bot" in ran.stderr
    assert (folder / "bot.sqlite").stat().st_ino == before
    assert not list(folder.glob("*before-restore*"))
    assert not list(folder.glob(".*"))


def not_a_database(path: Path) -> None:
    path.write_bytes(b"not a database" * 1000)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def of_another_program(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE questions (t TEXT)")


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: 4096 * 6])


@pytest.mark.parametrize(
    "spoil", [not_a_database, empty, of_another_program, cut_short, make_newer, Path.unlink]
)
def test_restore_refuses_what_is_no_backup(folder: Path, spoil: object, opswatch: Opswatch) -> None:
    assert opswatch("backup", "copy.sqlite", cwd=folder).returncode == 0
    assert callable(spoil)
    spoil(folder / "copy.sqlite")
    ran = opswatch("restore", "copy.sqlite", cwd=folder)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert rows(folder / "bot.sqlite") == [(3,)]
    assert not list(folder.glob("*before-restore*"))
    assert not list(folder.glob(".*"))


def test_dry_run_changes_nothing(folder: Path, opswatch: Opswatch) -> None:
    with closing(sqlite3.connect(folder / "bot.sqlite")) as connection, connection:
        connection.execute("DROP TABLE response_urls")
        connection.execute("DELETE FROM _sqlite_migrations WHERE name = '0012_response_urls'")
    before = (folder / "bot.sqlite").read_bytes()
    ran = opswatch("migrate", "--dry-run", cwd=folder)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "0012_response_urls" in ran.stdout
    assert "0011_channels" not in ran.stdout
    assert (folder / "bot.sqlite").read_bytes() == before


def test_migrate_applies_the_announced_steps(folder: Path, opswatch: Opswatch) -> None:
    with closing(sqlite3.connect(folder / "bot.sqlite")) as connection, connection:
        connection.execute("DROP TABLE response_urls")
        connection.execute("DELETE FROM _sqlite_migrations WHERE name = '0012_response_urls'")
    ran = opswatch("migrate", cwd=folder)
    assert ran.returncode == 0, ran.stderr
    assert "0012_response_urls" in ran.stdout
    assert rows(folder / "bot.sqlite", "SELECT count(*) FROM response_urls") == [(0,)]
    assert "nothing to do" in opswatch("migrate", cwd=folder).stdout


def test_dry_run_without_database_lists_everything(folder: Path, opswatch: Opswatch) -> None:
    (folder / "bot.sqlite").unlink()
    ran = opswatch("migrate", "--dry-run", cwd=folder)
    assert ran.returncode == 0
    assert ran.stdout.startswith(f"There is no database {folder / 'bot.sqlite'} yet.")
    assert [name for name in known_steps() if name not in ran.stdout] == []
    assert not (folder / "bot.sqlite").exists()


@pytest.mark.parametrize("words", [("migrate",), ("migrate", "--dry-run")], ids=" ".join)
def test_migrate_names_a_missing_folder(
    folder: Path, opswatch: Opswatch, words: tuple[str, ...]
) -> None:
    (folder / "bot.toml").write_text('database = "nowhere/bot.sqlite"\n')
    ran = opswatch(*words, cwd=folder)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert f"no folder {folder / 'nowhere'}" in ran.stderr


@pytest.mark.parametrize(
    "words",
    [("migrate",), ("migrate", "--dry-run"), ("backup", "copy.sqlite"), ("forget", "U0ADA")],
)
def test_newer_database_is_refused(
    folder: Path, words: tuple[str, ...], opswatch: Opswatch
) -> None:
    make_newer(folder / "bot.sqlite")
    ran = opswatch(*words, cwd=folder)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "newer version" in ran.stderr
    assert "9999_future" in ran.stderr


@pytest.mark.parametrize(
    "words",
    [("migrate",), ("backup", "copy.sqlite"), ("restore", "newer.sqlite"), ("forget", "U0ADA")],
    ids=lambda words: words[0],
)
def test_database_of_the_next_release_is_kept(
    folder: Path, words: tuple[str, ...], opswatch: Opswatch
) -> None:
    """After a rollback of one release, which had only added a table."""
    make_newer(folder / "bot.sqlite")
    with closing(sqlite3.connect(folder / "bot.sqlite")) as connection, connection:
        connection.execute(
            "INSERT INTO schema_compatibility (step, oldest) VALUES ('9999_future', ?)",
            (list(known_steps())[-1],),
        )
    shutil.copy(folder / "bot.sqlite", folder / "newer.sqlite")
    ran = opswatch(*words, cwd=folder)
    assert (ran.returncode, ran.stderr) == (0, "")


async def fill_with_people(database: Path) -> None:
    store = await Store.open(database, now=NOW)
    await store.questions.claim(asked(10, user="U0ADA1"))
    await store.questions.claim(asked(11, user="U0LINUS", text="what did <@U0ADA> do?"))
    await store_data_about_ada(store, NOW)
    await store.close()
    watch = '{"acknowledged_by":"U0ADA"}'
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(
            (
                "INSERT INTO alerts (name, definition, state, due, watch) VALUES ('x', '', "
                "'firing', '2026', ?)"
            ),
            (watch,),
        )
        sent = (
            "INSERT INTO outbox (key, channel, text, blocks, queued_at, not_before, state, "
            "attempts) VALUES (?, ?, ?, ?, '', '', ?, 0)"
        )
        connection.execute(
            sent, ("k1", "C0OPS", "Silenced by Ada Lovelace.", '[{"text":"<@U0ADA>"}]', "sent")
        )
        connection.execute(sent, ("k2", "C0OPS", "by <@U0ADA>", "[]", "pending"))
        connection.execute(sent, ("k3", "U0ADA", "for you", "[]", "sent"))


@pytest.fixture
def peopled(folder: Path) -> Path:
    asyncio.run(fill_with_people(folder / "bot.sqlite"))
    return folder


def test_forget_leaves_no_trace(peopled: Path, opswatch: Opswatch) -> None:
    ran = opswatch("forget", "U0ADA", cwd=peopled)
    assert (ran.returncode, ran.stderr) == (0, "")
    database = peopled / "bot.sqlite"
    content = b"".join(path.read_bytes() for path in peopled.glob("bot.sqlite*"))
    assert b"U0ADA" not in content.replace(b"U0ADA1", b"")
    assert b"Lovelace" not in content
    assert b"call Ada" not in content
    assert b"secret" not in content
    assert rows(database, "SELECT user FROM questions ORDER BY user") == [("U0ADA1",), ("U0LINUS",)]
    assert rows(database, f"SELECT count(*) FROM outbox WHERE text = 'by <@{NOBODY}>'") == [(1,)]


MADE = {
    "digest:subscription 1:20261121T090000Z": "sent",
    "digest:subscription 1:20261121T090000Z:usage.csv": "pending",
    "alert:of-U0ADA:20261121T090000Z:fired": "aside",
    "digest:subscription 11:20261121T090000Z": "sent",
    "alert:of-U0LINUS:20261121T090000Z:fired": "pending",
}


def fill_outbox(database: Path) -> None:
    """Adds messages of the person's subscription and alert, and of other people's."""
    with closing(sqlite3.connect(database)) as connection, connection:
        for key, state in MADE.items():
            connection.execute(
                "INSERT INTO outbox (key, channel, text, blocks, queued_at, not_before, state, "
                "attempts) VALUES (?, 'C0OPS', 'answer text', '[]', '', '', ?, 0)",
                (key, state),
            )
        connection.execute(
            "INSERT INTO outbox_files (key, content) SELECT key, 'day,bytes' FROM outbox "
            "WHERE key LIKE '%.csv'"
        )


@pytest.mark.parametrize(
    ("heir", "left"),
    [
        ((), [("answer text", "sent"), ("answer text", "pending")]),
        (
            ("--hand-over", "U0GRACE"),
            [
                ("answer text", "pending"),
                ("answer text", "aside"),
                ("answer text", "sent"),
                ("answer text", "pending"),
            ],
        ),
    ],
    ids=["paused", "handed over"],
)
def test_forget_empties_messages_of_their_questions(
    peopled: Path, heir: tuple[str, ...], left: list[tuple[str, str]], opswatch: Opswatch
) -> None:
    database = peopled / "bot.sqlite"
    fill_outbox(database)
    ran = opswatch("forget", "U0ADA", *heir, cwd=peopled)
    assert f"deleted: {5 - len(left)} in texts of their alerts and subscriptions" in ran.stdout
    kept = "SELECT text, state FROM outbox WHERE text LIKE 'answer%' ORDER BY id"
    assert rows(database, kept) == left
    assert rows(database, "SELECT count(*) FROM outbox_files") == [(1 if heir else 0,)]


def test_forget_pauses_what_the_person_made(peopled: Path, opswatch: Opswatch) -> None:
    ran = opswatch("forget", "U0ADA", cwd=peopled)
    assert "Paused at the next start: alert of-U0ADA, subscription 1." in ran.stdout
    database = peopled / "bot.sqlite"
    assert rows(database, "SELECT user FROM rules ORDER BY number") == [(NOBODY,), ("U0LINUS",)]
    assert rows(database, "SELECT user, ended_at FROM subscriptions") == [(NOBODY, None)]


def test_forget_hands_over_alerts(peopled: Path, opswatch: Opswatch) -> None:
    ran = opswatch("forget", "U0ADA", "--hand-over", "U0GRACE", cwd=peopled)
    assert "Handed over to U0GRACE" in ran.stdout
    assert rows(peopled / "bot.sqlite", "SELECT user FROM rules ORDER BY number") == [
        ("U0GRACE",),
        ("U0LINUS",),
    ]


def test_forget_is_refused_while_in_use(peopled: Path, opswatch: Opswatch) -> None:
    with open_elsewhere(peopled / "bot.sqlite"):
        ran = opswatch("forget", "U0ADA", cwd=peopled)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "stop the bot" in ran.stderr
    assert rows(peopled / "bot.sqlite", "SELECT count(*) FROM questions WHERE user = 'U0ADA'") == [
        (3,)
    ]


def test_forget_says_where_nothing_was_stored(folder: Path, opswatch: Opswatch) -> None:
    ran = opswatch("forget", "U0NOBODY", cwd=folder)
    assert (ran.returncode, ran.stdout) == (0, "Nothing was stored about U0NOBODY.\n")


def test_forget_points_to_the_configuration(folder: Path, opswatch: Opswatch) -> None:
    with (folder / "bot.toml").open("a") as config:
        config.write('[access]\nlogs = ["U0ADA"]\n')
    assert "still names U0ADA" in opswatch("forget", "U0ADA", cwd=folder).stdout


@pytest.mark.parametrize("user", ["ada", "@ada", "C0OPS", "", "U0ADA'; --"])
def test_forget_takes_member_ids_only(folder: Path, user: str, opswatch: Opswatch) -> None:
    ran = opswatch("forget", user, cwd=folder)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert rows(folder / "bot.sqlite") == [(3,)]


@pytest.mark.parametrize("command", ["backup", "restore", "migrate", "forget", "init"])
def test_help_shows_examples_and_exit_codes(
    command: str, tmp_path: Path, opswatch: Opswatch
) -> None:
    shown = opswatch(command, "--help", cwd=tmp_path).stdout
    assert f"  python -m bot {command}" in shown
    assert "xit code" in " ".join(shown.split())


def test_backup_of_a_directory_is_refused(folder: Path) -> None:
    with pytest.raises(Unsuitable):
        back_up(folder, folder / "copy.sqlite")


def test_database_path_may_be_a_reference(tmp_path: Path) -> None:
    (tmp_path / "bot.toml").write_text('database = "env:OPSWATCH_DATABASE"\n')
    found = read_database_location(
        tmp_path / "bot.toml", environ={"OPSWATCH_DATABASE": "/data/bot.sqlite"}
    )
    assert found == Path("/data/bot.sqlite")
