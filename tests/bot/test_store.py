"""The record of who asked what, and answers that wait to be shared."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.store import EvaluationRecord, Post, QuestionRecord, Saved, Store, StoreError

NOW = datetime(2026, 11, 21, 14, 5, tzinfo=UTC)
ASKED = QuestionRecord("trigger-1", NOW, "U0ADA", "C0OPS", "usage", "last 7 days", "slash")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(tmp_path / "bot.sqlite", now=NOW)
    yield opened
    await opened.close()


async def test_a_question_is_recorded_with_its_end(store: Store) -> None:
    assert await store.questions.claim(ASKED)
    await store.questions.finish("trigger-1", outcome="answered", took_ms=42)
    assert await store.questions.latest() == [replace(ASKED, outcome="answered", took_ms=42)]


async def test_the_same_delivery_is_claimed_once(store: Store) -> None:
    claims = await asyncio.gather(*(store.questions.claim(ASKED) for _ in range(10)))
    assert sum(claims) == 1


async def test_recent_questions_are_a_persons_own_each_once_newest_first(store: Store) -> None:
    for n, (user, text, outcome) in enumerate(
        [
            ("U0ADA", "a", "answered"),
            ("U0ADA", "b", "auth"),
            ("U0BOB", "c", "answered"),
            ("U0ADA", "a", "answered"),
            ("U0ADA", "d", "partial"),
        ]
    ):
        await store.questions.claim(
            replace(
                ASKED, delivery=f"t{n}", user=user, text=text, asked_at=NOW + timedelta(minutes=n)
            )
        )
        await store.questions.finish(f"t{n}", outcome=outcome, took_ms=1)
    assert [asked.text for asked in await store.questions.recent("U0ADA", 5)] == ["d", "a"]


async def test_a_kept_answer_is_taken_once_and_by_its_asker(store: Store) -> None:
    await store.answers.keep(
        "t", user="U0ADA", channel="C0OPS", text="hello", blocks=[{"type": "divider"}], now=NOW
    )
    assert await store.answers.take("t", user="U0BOB") is None
    assert await store.answers.take("t", user="U0ADA") == ("hello", [{"type": "divider"}])
    assert await store.answers.take("t", user="U0ADA") is None


async def test_kept_answer_is_shared_in_time_and_place(store: Store) -> None:
    await store.answers.keep("t", user="U0ADA", channel="C0OPS", text="hello", blocks=[], now=NOW)
    later = NOW + timedelta(hours=24, seconds=1)
    assert await store.answers.take("t", user="U0ADA", channel="C0OPS", now=later) is None
    assert await store.answers.find("t", user="U0ADA", now=later) is None
    assert await store.answers.take("t", user="U0ADA", channel="C0KITCHEN", now=NOW) is None
    assert await store.answers.kept_at("t") == NOW
    assert await store.answers.take("t", user="U0ADA", channel="C0OPS", now=NOW) == ("hello", [])
    await store.answers.keep("t", user="U0ADA", channel="C0OPS", text="hello", blocks=[], now=NOW)
    await store.prune(later)
    assert await store.answers.kept_at("t") is None


async def test_taking_an_answer_needs_no_pruning(store: Store) -> None:
    await store.answers.keep("old", user="U0ADA", channel="C", text="x", blocks=[], now=NOW)
    await store.answers.keep(
        "new", user="U0ADA", channel="C", text="x", blocks=[], now=NOW + timedelta(days=2)
    )
    assert await store.answers.take("old", user="U0ADA") is None


async def test_two_processes_migrate_side_by_side(tmp_path: Path) -> None:
    stores = await asyncio.gather(*(Store.open(tmp_path / "bot.sqlite", now=NOW) for _ in range(4)))
    assert await stores[0].questions.claim(ASKED)
    assert not await stores[3].questions.claim(ASKED)
    await asyncio.gather(*(store.close() for store in stores))


async def test_many_open_a_new_database_at_the_same_moment(tmp_path: Path) -> None:
    for number in range(20):
        stores = await asyncio.gather(
            *(Store.open(tmp_path / f"{number}.sqlite", now=NOW) for _ in range(8))
        )
        assert len(stores) == 8
        await asyncio.gather(*(store.close() for store in stores))


async def test_what_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "bot.sqlite"
    path.write_bytes(b"this is a letter, not a database" * 100)
    with pytest.raises(StoreError, match=r"bot\.sqlite cannot be used"):
        await Store.open(path, now=NOW)
    assert path.read_bytes().startswith(b"this is a letter")


async def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bot.sqlite"
    await (await Store.open(path, now=NOW)).close()
    connection = sqlite3.connect(path)
    connection.execute(
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('opswatch', "
        "'9999_future', 'x')"
    )
    connection.commit()
    connection.close()
    with pytest.raises(StoreError, match="newer version"):
        await Store.open(path, now=NOW)


async def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be used"):
        await Store.open(tmp_path / "none" / "bot.sqlite", now=NOW)


def judged(n: int, value: float = 1.0, **changes: Any) -> EvaluationRecord:
    at = NOW + n * timedelta(minutes=15)
    told: dict[str, Any] = {
        "alert": "spike",
        "definition": "d",
        "due": at,
        "at": at,
        "state": "inactive",
        "since": None,
        "value": value,
    }
    return EvaluationRecord(**{**told, "watch": b'{"incident":"k"}', **changes})


async def test_an_instant_is_judged_once_and_what_somebody_else_has_judged_writes_nothing(
    store: Store,
) -> None:
    alerts, posts = store.alerts, store.outbox
    post = Post("k", "#ops", "it fires", [])
    assert await alerts.save_evaluations(
        [judged(0, 1.0, posts=[post], reason="first"), judged(1, 2.0)]
    ) == [Saved.WRITTEN, Saved.WRITTEN]
    again = judged(1, 9.0, posts=[Post("k2", "#ops", "twice", [])], reason="changed")
    assert await alerts.save_evaluations([again, judged(2, 3.0)]) == [
        Saved.ALREADY_EVALUATED,
        Saved.WRITTEN,
    ]
    found = await alerts.samples("spike", "d", since=NOW, until=NOW + timedelta(days=1))
    assert [sample.value for sample in found] == [1.0, 2.0, 3.0]
    assert [row["key"] for row in await store.read("SELECT key FROM outbox", ())] == ["k"]
    assert await alerts.last_handled_at("spike", "d", now=NOW) == NOW + timedelta(minutes=30)
    assert await posts.oldest_waiting() == NOW


async def test_what_is_judged_is_taken_back_whole_where_it_cannot_be_written(store: Store) -> None:
    alerts = store.alerts
    broken = judged(1, posts=[Post("k", "#ops", "x", [{"type": object()}])], reason="first")
    with pytest.raises(TypeError):
        await alerts.save_evaluations([judged(0), broken])
    assert await store.read("SELECT * FROM samples", ()) == []
    assert await alerts.save_evaluations([judged(0)]) == [Saved.WRITTEN]


async def test_what_is_old_is_forgotten_and_the_record_of_people_stays(store: Store) -> None:
    alerts, posts = store.alerts, store.outbox
    post = Post("k", "#ops", "x", [])
    await alerts.save_evaluations([judged(0, posts=[post], reason="first", watch=b"{}")])
    waiting = await posts.claim_post(now=NOW)
    assert waiting
    await posts.sent(waiting, ts="1.2")
    assert await store.schedules.claim_run("daily", NOW, now=NOW) == 0
    await store.silences.silence(
        "spike", end=NOW + timedelta(hours=1), comment="test", user="U0ADA", now=NOW
    )
    for days, left in ((80, (1, 1, 1, 1)), (100, (1, 1, 0, 0)), (500, (0, 0, 0, 0))):
        later = NOW + timedelta(days=days)
        await store.prune(later)
        counts = [
            len(await store.read(f"SELECT * FROM {name}", ()))
            for name in ("samples", "notices", "outbox", "runs")
        ]
        assert tuple(counts) == left
    assert len(await store.read("SELECT * FROM silences", ())) == 1
    assert (
        await store.silences.silences(NOW) != []
        and await store.silences.silences(NOW + timedelta(hours=1)) == []
    )


async def test_of_two_silences_the_later_counts_and_the_earlier_is_kept(store: Store) -> None:
    for hours in (1, 4):
        await store.silences.silence(
            "spike", end=NOW + timedelta(hours=hours), comment="", user="U0ADA", now=NOW
        )
    [silence] = await store.silences.silences(NOW)
    assert silence.end == NOW + timedelta(hours=4)
    assert await store.silences.unsilence("spike", user="U0GRACE", now=NOW)
    assert not await store.silences.unsilence("spike", user="U0GRACE", now=NOW)
    assert len(await store.read("SELECT * FROM silences WHERE ended_by IS NOT NULL", ())) == 2
