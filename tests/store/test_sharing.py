"""The data that processes exchange through a shared database."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import pytest

from bot.store import (
    NewSilence,
    PaceLimit,
    QuestionRecord,
    RuleEdit,
    Store,
    StoredResponseUrl,
    Topic,
)
from bot.store.sql.claims import MOST_CLOCK_SKEW_S
from providers.redaction import Secret
from tests.store.conftest import NOW
from tests.support.leases import expire_leases

CHANNEL = PaceLimit("channel C0OPS", interval_s=10.0, burst=2)
METHOD = PaceLimit("method users.info", interval_s=1.0, burst=50)


async def test_each_change_is_counted(store: Store, other: Store) -> None:
    assert await other.changes.numbers() == {}
    rule = await store.rules.add_rule(
        name="spike", command="usage", channel="C0OPS", rule="{}", user="U0ADA", now=NOW
    )
    assert rule
    await store.rules.edit_rule(RuleEdit(rule, "{}", "U0ADA", NOW))
    await store.rules.edit_rule(RuleEdit(rule, None, "U0ADA", NOW))
    silence = await store.silences.silence(
        NewSilence("spike", NOW, NOW + timedelta(hours=1), "", "U0ADA")
    )
    await store.silences.unsilence(silence, user="U0ADA", now=NOW)
    made = await store.subscriptions.subscribe(
        channel="C0OPS", line="/usage", cron="0 9 * * *", said="at 09:00", user="U0ADA", now=NOW
    )
    await store.subscriptions.unsubscribe(made.number, channel="C0OPS", user="U0ADA", now=NOW)
    await store.pauses.pause("alert spike", [], now=NOW)
    await store.pauses.resume("alert spike", [], now=NOW)
    assert await other.changes.numbers() == {
        Topic.RULES: 3,
        Topic.SILENCES: 2,
        Topic.SUBSCRIPTIONS: 2,
        Topic.PAUSES: 2,
    }


async def test_unknown_topic_is_ignored(store: Store) -> None:
    await store.database.execute("INSERT INTO changes (topic, number) VALUES ('newer', 1)")
    assert await store.changes.numbers() == {}


async def test_processes_learn_of_each_other(store: Store, other: Store) -> None:
    await store.join()
    assert not store.pace.is_shared
    await other.join()
    assert other.pace.is_shared
    await store.join()
    assert {store.share(), other.share()} == {(0.0, 0.5), (0.5, 0.5)}
    await store._claims._renew_alone()
    assert store.pace.is_shared


async def test_ended_process_is_forgotten(store: Store, other: Store) -> None:
    await other.join()
    await store.join()
    await store.database.execute("UPDATE replicas SET seen_at = seen_at - 1000")
    await store._claims._renew_alone()
    assert not store.pace.is_shared
    assert len(await store.read("SELECT * FROM replicas")) == 1


async def test_processes_share_a_lane(store: Store, other: Store) -> None:
    assert await store.pace.reserve([CHANNEL]) == 0
    assert await other.pace.reserve([CHANNEL]) == 0
    assert await store.pace.reserve([CHANNEL]) == pytest.approx(10, abs=5)
    assert await other.pace.reserve([CHANNEL, METHOD]) == pytest.approx(20, abs=5)


async def test_progress_leaves_room(store: Store, other: Store) -> None:
    assert await store.pace.reserve([CHANNEL], if_free=True) == 0
    assert await other.pace.reserve([CHANNEL], if_free=True) is None
    assert await store.pace.reserve([CHANNEL]) == 0, "nothing was reserved"


async def test_refused_lane_is_blocked_for_all(store: Store, other: Store) -> None:
    await store.pace.block(CHANNEL, 30)
    assert await other.pace.reserve([CHANNEL]) == pytest.approx(30, abs=5)
    await store.pace.block(CHANNEL, 1)
    assert (await other.pace.reserve([CHANNEL]) or 0) > 30, "a longer wait stays"


async def test_lane_from_before_a_restart_is_free(store: Store) -> None:
    await store.pace.reserve([CHANNEL])
    await store.database.execute("UPDATE slack_pace SET free_at = free_at + 1000000")
    assert await store.pace.reserve([CHANNEL]) == 0


async def test_free_lanes_are_pruned(store: Store) -> None:
    await store.pace.reserve([CHANNEL])
    await store.pace.prune()
    assert len(await store.read("SELECT * FROM slack_pace")) == 1
    await store.database.execute("UPDATE slack_pace SET free_at = free_at - 100")
    await store.pace.prune()
    assert await store.read("SELECT * FROM slack_pace") == []


async def test_questions_of_a_thread_are_found_from_elsewhere(store: Store, other: Store) -> None:
    for delivery, channel in (("Ev1", "D0ADA"), ("Ev2", "D0BOB"), ("Ev3", "D0ADA")):
        asked = QuestionRecord(delivery, NOW, "U0ADA", channel, "usage", "today", "message")
        await store.questions.claim(asked)
        kept = StoredResponseUrl(Secret(""), replace=False, thread_ts="1.2")
        await store.questions.save_response_url(delivery, kept, until=NOW + timedelta(hours=1))
    await store.questions.finish("Ev3", outcome="answered", took_ms=1)
    assert await other.questions.in_progress_in("D0ADA", "1.2", before=NOW) == ["Ev1"]
    assert await other.questions.in_progress_in("D0ADA", "1.3", before=NOW) == []
    earlier = NOW - timedelta(seconds=1)
    assert await other.questions.in_progress_in("D0ADA", "1.2", before=earlier) == []


async def test_question_that_is_left_is_reported_by_anyone(store: Store, other: Store) -> None:
    asked = QuestionRecord("Ev1", NOW, "U0ADA", "D0ADA", "usage", "today", "message")
    await store.questions.claim(asked)
    await other.questions.leave("Ev1")
    assert await other.questions.take_interrupted(since=NOW, before=NOW) == []
    await store.questions.leave("Ev1")
    [taken] = await store.questions.take_interrupted(since=NOW, before=NOW)
    assert taken.delivery == "Ev1"
    assert await other.questions.take_interrupted(since=NOW, before=NOW) == []
    await store.questions.interruption_reported("Ev1")
    await store.questions.leave("Ev1")
    assert await other.questions.take_interrupted(since=NOW, before=NOW) == []


async def test_question_is_cancelled_from_elsewhere(store: Store, other: Store) -> None:
    await store.questions.offer_cancel("ticket", "U0ADA")
    assert not await other.questions.request_cancel("ticket", "U0GRACE")
    assert not await other.questions.request_cancel("another", "U0ADA")
    assert not await store.questions.is_cancelled("ticket")
    assert await other.questions.can_be_cancelled("ticket")
    assert await other.questions.request_cancel("ticket", "U0ADA")
    assert await store.questions.is_cancelled("ticket")
    await store.questions.withdraw_cancel("ticket")
    assert not await other.questions.can_be_cancelled("ticket")
    assert not await other.questions.request_cancel("ticket", "U0ADA")


async def test_dead_process_cannot_cancel(store: Store, other: Store) -> None:
    await store.questions.offer_cancel("ticket", "U0ADA")
    await expire_leases(store)
    assert not await other.questions.request_cancel("ticket", "U0ADA")
    await other.questions.prune(before=NOW)
    assert await other.read("SELECT * FROM running_work") == []


@pytest.mark.parametrize(
    ("offset_s", "problem"),
    [
        (0.0, ""),
        (4.0, ""),
        (9.0, "9 s ahead of the database's"),
        (-9.0, "9 s behind the database's"),
    ],
)
async def test_skewed_clock_is_a_problem(
    store: Store, monkeypatch: pytest.MonkeyPatch, offset_s: float, problem: str
) -> None:
    if not store.database.dialect.time_of_day:
        pytest.skip("the database is on the machine whose clock it has")
    # That of the database, too, whatever time the tests run at.
    time_of_tests = time.time
    monkeypatch.setattr("bot.store.sql.claims.time.time", lambda: time_of_tests() + offset_s)
    await store.join()
    assert problem in store.clock_problem()
    assert bool(problem) == bool(store.clock_problem())


@pytest.mark.parametrize("offset_s", [0.0, 4.0, 1200.0, -86_400.0])
async def test_shared_clock_is_that_of_the_database(
    store: Store, monkeypatch: pytest.MonkeyPatch, offset_s: float
) -> None:
    has_clock = bool(store.database.dialect.time_of_day)
    time_of_tests = time.time
    monkeypatch.setattr("bot.store.sql.claims.time.time", lambda: time_of_tests() + offset_s)
    wrong = timedelta(seconds=offset_s)
    clock = store.shared_clock(lambda: NOW + wrong)
    assert clock() == NOW + wrong
    await store.join()
    left = timedelta(0) if has_clock and abs(offset_s) > MOST_CLOCK_SKEW_S else wrong
    assert abs(clock() - NOW - left) < timedelta(seconds=2)


async def test_start_keeps_urls_by_the_shared_clock(
    store: Store, location: Path | Secret, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not store.database.dialect.time_of_day:
        pytest.skip("the database is on the machine whose clock it has")
    kept = StoredResponseUrl(Secret("https://hooks.slack.com/x"), replace=False, thread_ts="")
    await store.questions.save_response_url("d1", kept, until=NOW + timedelta(minutes=30))
    time_of_tests = time.time
    monkeypatch.setattr("bot.store.sql.claims.time.time", lambda: time_of_tests() + 7200)
    # The process itself takes it for two hours later.
    ahead = await Store.open(location, now=NOW + timedelta(hours=2))
    try:
        found = await ahead.questions.take_response_url("d1", now=NOW)
        assert found is not None
        assert found.url.open() == kept.url.open()
    finally:
        await ahead.close()
