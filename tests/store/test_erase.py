"""Data stored about a person is erased, on every database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.store import QuestionRecord, Store
from bot.store.errors import Unsuitable
from bot.store.sql.database import Transaction
from bot.store.sql.erase import NOBODY
from providers.redaction import Secret
from tests.store.conftest import NOW, OpenStore, erase_person
from tests.support.people import store_data_about_ada

POST = (
    "INSERT INTO outbox (key, channel, text, blocks, queued_at, not_before, state, attempts) "
    "VALUES (?, ?, ?, ?, '', '', ?, 0)"
)
POSTS = [
    ("k1", "C0OPS", "Silenced by Ada.", '[{"text":"<@U0ADA>"}]', "sent"),
    ("k2", "C0OPS", "by <@U0ADA>", "[]", "pending"),
    ("k3", "U0ADA", "for you alone", "[]", "pending"),
    ("k4", "C0OPS", "by <@U0ADA1> and XU0ADA", "[]", "sent"),
    ("digest:subscription 1:20261121T090000Z", "C0OPS", "answer", "[]", "sent"),
    ("digest:subscription 1:20261121T090000Z:usage.csv", "C0OPS", "answer", "[]", "pending"),
    ("alert:of-U0ADA:20261121T090000Z:fired", "C0OPS", "answer", "[]", "aside"),
    ("digest:subscription 11:20261121T090000Z", "C0OPS", "answer", "[]", "sent"),
    ("alert:of-U0LINUS:20261121T090000Z:fired", "C0OPS", "answer", "[]", "pending"),
]


async def ask(store: Store, number: int, user: str, text: str = "last 7 days") -> None:
    await store.questions.claim(
        QuestionRecord(f"d{number}", NOW, user, "C0OPS", "usage", text, "slash")
    )


async def fill(store: Store) -> None:
    await ask(store, 1, "U0ADA")
    await ask(store, 2, "U0ADA1")
    await ask(store, 3, "U0LINUS", "what did <@U0ADA> do?")
    await store_data_about_ada(store, NOW)

    def fill_outbox(tx: Transaction) -> None:
        tx.execute_many(POST, POSTS)
        tx.execute(
            "INSERT INTO outbox_files (key, content) VALUES (?, ?)", (POSTS[5][0], b"day,bytes")
        )
        urls = (
            "INSERT INTO response_urls (delivery, url, replace_original, thread_ts, until) "
            "VALUES ('d1', 'https://hooks.slack.com/x', 0, '', '9999')"
        )
        tx.execute(urls)
        tx.execute("INSERT INTO unsent_files (delivery, names) VALUES ('d1', 'usage.csv')")

    await store.database.write(fill_outbox)
    await store.close()


@pytest.fixture
async def peopled(store: Store, location: Path | Secret) -> Path | Secret:
    await fill(store)
    return location


async def rows(store: Store, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in await store.read(sql)]


async def test_nothing_of_a_person_is_left(peopled: Path | Secret, open_store: OpenStore) -> None:
    erased = erase_person(peopled, "U0ADA")
    assert {what: number for what, number in erased.deleted.items() if number} == {
        "response_urls": 1,
        "unsent_files": 1,
        "questions": 1,
        "answers": 1,
        "outbox": 1,
        "texts of their alerts and subscriptions": 3,
        "texts of sent messages": 1,
    }
    assert erased.changed == {
        "outbox": 2,
        "questions": 1,
        "rules": 1,
        "silences": 1,
    }
    assert (erased.alerts, erased.subscriptions) == (("of-U0ADA",), (1,))
    store = await open_store()
    assert await rows(store, 'SELECT "user", text FROM questions ORDER BY delivery') == [
        ("U0ADA1", "last 7 days"),
        ("U0LINUS", f"what did <@{NOBODY}> do?"),
    ]
    assert await rows(store, "SELECT text, blocks, state FROM outbox ORDER BY id") == [
        ("", "[]", "sent"),
        (f"by <@{NOBODY}>", "[]", "pending"),
        ("by <@U0ADA1> and XU0ADA", "[]", "sent"),
        *[("", "[]", "sent")] * 3,
        ("answer", "[]", "sent"),
        ("answer", "[]", "pending"),
    ]
    assert await rows(store, 'SELECT "user", comment FROM silences') == [(NOBODY, "")]
    assert await rows(store, 'SELECT "user" FROM rules ORDER BY number') == [
        (NOBODY,),
        ("U0LINUS",),
    ]
    assert await rows(store, "SELECT * FROM outbox_files") == []


async def test_alerts_and_subscriptions_are_handed_over(
    peopled: Path | Secret, open_store: OpenStore
) -> None:
    erase_person(peopled, "U0ADA", heir="U0GRACE")
    store = await open_store()
    for table in ("rules", "subscriptions"):
        owners = await rows(store, f'SELECT "user" FROM {table} ORDER BY number')
        assert owners[0] == ("U0GRACE",)
    unsent = "SELECT count(*) FROM outbox WHERE text = 'answer' AND state != 'sent'"
    assert await rows(store, unsent) == [(3,)]
    assert await rows(store, "SELECT count(*) FROM outbox_files") == [(1,)]


@pytest.mark.parametrize("escape", [r"\n", r"\t", r"\r", r"\u00a0", r"\"", ""])
async def test_person_is_found_after_escapes_of_json(
    store: Store, location: Path | Secret, open_store: OpenStore, escape: str
) -> None:
    def enqueue(tx: Transaction) -> None:
        blocks = f'[{{"text":"{escape}U0ADA, {escape}U0ADA1"}}]'
        tx.execute(POST, ("k1", "C0OPS", "", blocks, "pending"))

    await store.database.write(enqueue)
    await store.close()
    assert erase_person(location, "U0ADA").changed == {"outbox": 1}
    found = await rows(await open_store(), "SELECT blocks FROM outbox")
    assert found == [(f'[{{"text":"{escape}{NOBODY}, {escape}U0ADA1"}}]',)]


async def test_rows_that_become_equal_are_merged(
    store: Store, location: Path | Secret, open_store: OpenStore
) -> None:
    def pause(tx: Transaction) -> None:
        sql = "INSERT INTO pauses (schedule, paused_at) VALUES (?, '2026')"
        tx.execute_many(sql, [("of U0ADA",), (f"of {NOBODY}",), ("U0ADA: other",)])

    await store.database.write(pause)
    await store.close()
    assert erase_person(location, "U0ADA").changed == {"pauses": 2}
    found = await rows(await open_store(), "SELECT schedule FROM pauses ORDER BY schedule")
    assert found == [(f"{NOBODY}: other",), (f"of {NOBODY}",)]


async def test_nobody_is_erased_while_a_bot_runs(store: Store, location: Path | Secret) -> None:
    await store.join()
    await ask(store, 1, "U0ADA")
    with pytest.raises(Unsuitable, match="in use by another process; stop"):
        erase_person(location, "U0ADA")
    assert len(await store.questions.latest()) == 1


async def test_server_keeps_no_deleted_rows(peopled: Path | Secret) -> None:
    """Nothing of the rows is left in the files of the changed tables."""
    if isinstance(peopled, Path):
        pytest.skip("`forget` on a file has a test of its own")
    psycopg = pytest.importorskip("psycopg")
    erase_person(peopled, "U0ADA")
    with psycopg.connect(peopled.open(), autocommit=True) as connection:
        connection.execute("CHECKPOINT")
        for table in ("questions", "answers", "outbox", "silences", "rules"):
            sql = "SELECT pg_read_binary_file(pg_relation_filepath(%s))"
            [(content,)] = connection.execute(sql, (table,)).fetchall()
            assert b"U0ADA" not in content.replace(b"U0ADA1", b"").replace(b"XU0ADA", b"")
            assert b"call Ada" not in content
