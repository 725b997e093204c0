"""Rows that one process has claimed are not claimed by another while it runs."""

from __future__ import annotations

import time
from datetime import timedelta
from types import SimpleNamespace

import pytest
from msgspec.structs import replace

from bot.store import Post, PostKind, QuestionRecord, Store, StoredResponseUrl
from providers.redaction import Secret
from tests.store.conftest import NOW, OpenStore
from tests.support.leases import expire_leases

ASKED = QuestionRecord("trigger-1", NOW, "U0ADA", "C0OPS", "usage", "last 7 days", "slash")
HOUR_AGO = NOW - timedelta(hours=1)
LATER = NOW + timedelta(minutes=1)


async def queue(store: Store, *keys: str, channel: str = "#ops") -> None:
    for key in keys:
        assert await store.outbox.enqueue(Post(key, channel, key, []), now=NOW)


async def claimed_key(store: Store) -> str:
    queued = await store.outbox.claim_post(now=LATER)
    return queued.post.key if queued else ""


# Posts


async def test_post_is_claimed_by_one_process(store: Store, other: Store) -> None:
    await queue(store, "first", "second")
    assert await claimed_key(store) == "first"
    assert await claimed_key(other) == ""


async def test_other_channels_are_shared(store: Store, other: Store) -> None:
    await queue(store, "first")
    await queue(store, "second", channel="#kitchen")
    assert {await claimed_key(store), await claimed_key(other)} == {"first", "second"}


async def test_next_post_is_free_after_sending(store: Store, other: Store) -> None:
    await queue(store, "first", "second")
    first = await store.outbox.claim_post(now=NOW)
    assert first
    await store.outbox.sent(first, ts="1.2")
    assert await claimed_key(other) == "second"


async def test_post_of_a_newer_version_holds_up_nothing(store: Store) -> None:
    await queue(store, "newer", "known")
    await store.database.execute("UPDATE outbox SET how = 'hologram' WHERE key = 'newer'")
    assert await claimed_key(store) == "known"
    await store.database.execute("UPDATE outbox SET state = 'sent' WHERE key = 'known'")
    assert await claimed_key(store) == ""


async def test_expired_claim_is_taken_over(store: Store, other: Store) -> None:
    await queue(store, "first")
    await store.outbox.claim_post(now=NOW)
    await expire_leases(store)
    taken = await other.outbox.claim_post(now=LATER)
    assert taken
    assert taken.claimed_at == NOW, "it is looked for in Slack before it is sent"


async def test_paused_process_loses_its_claim(store: Store, other: Store) -> None:
    await queue(store, "first")
    lost = await store.outbox.claim_post(now=NOW)
    assert lost
    await expire_leases(store)
    taken = await other.outbox.claim_post(now=LATER)
    assert taken
    assert not await store.outbox.holds(lost)
    assert await other.outbox.holds(taken)


async def test_paused_process_renews_unclaimed_lease(store: Store, other: Store) -> None:
    await queue(store, "first")
    held = await store.outbox.claim_post(now=NOW)
    assert held
    await expire_leases(store)
    assert await store.outbox.holds(held)
    assert await claimed_key(other) == "", "asking has renewed the lease"


async def test_late_result_of_lost_claim_is_ignored(store: Store, other: Store) -> None:
    await queue(store, "first", "second")
    lost = await store.outbox.claim_post(now=NOW)
    await expire_leases(store)
    taken = await other.outbox.claim_post(now=LATER)
    assert lost
    assert taken
    await store.outbox.sent(lost, ts="9.9")
    await store.outbox.drop(lost, problem="late")
    await store.outbox.reschedule(lost, until=LATER, problem="late", aside=True)
    assert await other.outbox.holds(taken)
    await other.outbox.sent(taken, ts="1.2")
    assert await store.read("SELECT ts FROM outbox WHERE state = 'sent'") == [{"ts": "1.2"}]


async def test_rescheduled_post_is_free(store: Store, other: Store) -> None:
    await queue(store, "first")
    first = await store.outbox.claim_post(now=NOW)
    assert first
    await store.outbox.reschedule(first, until=NOW, problem="no word", may_be_posted=True)
    assert await claimed_key(other) == "first"


async def test_released_posts_are_free(store: Store, other: Store) -> None:
    await queue(store, "first")
    await store.outbox.claim_post(now=NOW)
    await store.outbox.release_claims()
    assert await claimed_key(other) == "first"


async def test_closed_process_has_no_claims(store: Store, other: Store) -> None:
    await queue(store, "first")
    await store.outbox.claim_post(now=NOW)
    await store.close()
    assert await claimed_key(other) == "first"


async def test_file_waits_for_message_of_other_process(store: Store, other: Store) -> None:
    await queue(store, "root")
    file = Post("file", "#ops", "usage.csv", [], PostKind.FILE, "root", b"day,bytes\r\n")
    await store.outbox.enqueue(file, now=NOW)
    root = await store.outbox.claim_post(now=NOW)
    assert root
    assert await claimed_key(other) == ""
    await store.outbox.sent(root, ts="1.2")
    found = await other.outbox.claim_post(now=NOW)
    assert found
    assert (found.post.content, found.about_ts) == (b"day,bytes\r\n", "1.2")


# Questions


async def test_running_question_is_not_interrupted(store: Store, other: Store) -> None:
    await store.questions.claim(ASKED)
    assert await other.questions.take_interrupted(since=HOUR_AGO, before=LATER) == []
    assert await store.questions.is_in_progress(ASKED.delivery)


async def test_question_of_dead_process_is_interrupted_once(store: Store, other: Store) -> None:
    await store.questions.claim(ASKED)
    await expire_leases(store)
    [found] = await other.questions.take_interrupted(since=HOUR_AGO, before=NOW)
    assert found.delivery == ASKED.delivery
    assert await other.questions.take_interrupted(since=HOUR_AGO, before=NOW) == []
    assert not await store.questions.is_in_progress(ASKED.delivery)


async def test_interruption_survives_its_reporter(
    store: Store, other: Store, open_store: OpenStore
) -> None:
    """The process that was about to notify the asker dies too."""
    third = await open_store()
    await store.questions.claim(ASKED)
    await expire_leases(store)
    assert len(await other.questions.take_interrupted(since=HOUR_AGO, before=NOW)) == 1
    assert await third.questions.take_interrupted(since=HOUR_AGO, before=NOW) == []
    await expire_leases(store)
    [found] = await third.questions.take_interrupted(since=HOUR_AGO, before=NOW)
    await third.questions.interruption_reported(found.delivery)
    await expire_leases(store)
    assert await other.questions.take_interrupted(since=HOUR_AGO, before=NOW) == []
    assert [asked.outcome for asked in await store.questions.latest()] == ["lost"]


async def test_own_question_is_never_interrupted(store: Store) -> None:
    await store.questions.claim(ASKED)
    await expire_leases(store)
    assert await store.questions.take_interrupted(since=HOUR_AGO, before=LATER) == []


@pytest.mark.parametrize("is_reported", [True, False])
async def test_former_owner_does_not_finish_question(
    store: Store, other: Store, open_store: OpenStore, is_reported: bool
) -> None:
    """The process that took over the question may end before it reports it."""
    third = await open_store()
    await store.questions.claim(ASKED)
    url = StoredResponseUrl(Secret("https://slack.invalid/1"), replace=True, thread_ts="")
    await store.questions.save_response_url(ASKED.delivery, url, until=LATER)
    await expire_leases(store)
    await other.questions.take_interrupted(since=HOUR_AGO, before=NOW)
    if is_reported:
        await other.questions.interruption_reported(ASKED.delivery)
    await store.questions.finish(ASKED.delivery, outcome="answered", took_ms=20_000)
    [asked] = await store.questions.latest()
    assert (asked.outcome, asked.took_ms) == ("lost" if is_reported else "asked", None)
    await expire_leases(store)
    found = await third.questions.take_interrupted(since=HOUR_AGO, before=NOW)
    assert len(found) == (not is_reported)
    assert await third.questions.take_response_url(ASKED.delivery, now=NOW) == url


async def test_question_of_older_version_is_interrupted_by_time(store: Store) -> None:
    for delivery, asked_at in (("before", HOUR_AGO), ("after", NOW)):
        await store.questions.claim(replace(ASKED, delivery=delivery, asked_at=asked_at))
    await store.database.execute("UPDATE questions SET owner = NULL")
    found = await store.questions.take_interrupted(since=HOUR_AGO, before=NOW)
    assert [asked.delivery for asked in found] == ["before"]


# Runs


async def test_run_is_done_by_one_process(store: Store, other: Store) -> None:
    assert await store.schedules.claim_run("daily", NOW, now=NOW) == 0
    much_later = NOW + timedelta(hours=1)
    assert await other.schedules.claim_run("daily", NOW, now=much_later) is None
    assert await other.schedules.unfinished_runs(since=HOUR_AGO) == []


async def test_run_of_dead_process_is_taken_over(store: Store, other: Store) -> None:
    await store.schedules.claim_run("daily", NOW, now=NOW)
    await expire_leases(store)
    assert await other.schedules.unfinished_runs(since=HOUR_AGO) == [("daily", NOW)]
    assert await other.schedules.claim_run("daily", NOW, now=LATER) == 0
    post = Post("k", "#ops", "late", [])
    await store.schedules.end_run("daily", NOW, outcome="sent", posts=[post], now=LATER)
    assert await claimed_key(store) == "", "the first process has lost the run"
    await other.schedules.end_run("daily", NOW, outcome="sent", posts=[post], now=LATER)
    assert await claimed_key(other) == "k"


async def test_released_run_is_free(store: Store, other: Store) -> None:
    await store.schedules.claim_run("daily", NOW, now=NOW)
    await store.schedules.release_claims()
    assert await other.schedules.claim_run("daily", NOW, now=LATER) == 0


async def test_own_run_is_not_claimed_twice(store: Store) -> None:
    assert await store.schedules.claim_run("daily", NOW, now=NOW) == 0
    assert await store.schedules.claim_run("daily", NOW, now=LATER) is None
    assert await store.schedules.claim_run("daily", NOW, now=NOW + timedelta(minutes=2)) == 0


# Leases


async def test_lease_is_renewed(open_store: object, store: Store) -> None:
    await store.questions.claim(ASKED)
    [before] = await store.read("SELECT seen_at FROM replicas")
    await store.questions.claim(replace(ASKED, delivery="another"))
    [after] = await store.read("SELECT seen_at FROM replicas")
    assert after["seen_at"] > before["seen_at"]


async def test_lease_from_before_a_restart_is_over(store: Store, other: Store) -> None:
    """The clock of leases starts at zero when the machine starts."""
    await queue(store, "first")
    await store.outbox.claim_post(now=NOW)
    await store.database.execute("UPDATE replicas SET seen_at = seen_at + 1000000")
    assert await claimed_key(other) == "first"


async def test_reading_alone_takes_no_lease(store: Store) -> None:
    await store.questions.latest()
    assert await store.read("SELECT * FROM replicas") == []


# Runs that overlap


async def test_run_waits_for_earlier_one_elsewhere(store: Store, other: Store) -> None:
    """Otherwise the digest of the earlier time would be lost, or posted after the later one."""
    assert await store.schedules.claim_run("daily", HOUR_AGO, now=NOW) == 0
    assert await other.schedules.claim_run("daily", NOW, now=NOW) is None
    assert await other.schedules.claim_run("weekly", NOW, now=NOW) == 0
    await store.schedules.end_run("daily", HOUR_AGO, outcome="sent", posts=[], now=NOW)
    [ended] = await store.read("SELECT outcome FROM runs WHERE ended_at IS NOT NULL")
    assert ended["outcome"] == "sent"
    assert ("daily", NOW) in await other.schedules.unfinished_runs(since=HOUR_AGO)
    assert await other.schedules.claim_run("daily", NOW, now=NOW) == 0


async def test_run_of_dead_process_is_passed_over(store: Store, other: Store) -> None:
    await store.schedules.claim_run("daily", HOUR_AGO, now=NOW)
    await expire_leases(store)
    assert await other.schedules.claim_run("daily", NOW, now=NOW) == 1


# Logins


async def test_login_is_tried_by_one_process(store: Store, other: Store) -> None:
    assert await store.rate_limits.begin_attempt("iot")
    assert not await other.rate_limits.begin_attempt("iot")
    assert not await store.rate_limits.begin_attempt("iot"), "two bots may share a process"
    await other.rate_limits.end_attempt("iot")
    assert not await other.rate_limits.begin_attempt("iot")
    await store.rate_limits.end_attempt("iot")
    assert await other.rate_limits.begin_attempt("iot")


async def test_login_of_dead_process_is_free(store: Store, other: Store) -> None:
    await store.rate_limits.begin_attempt("iot")
    await expire_leases(store)
    assert await other.rate_limits.begin_attempt("iot")


# Clocks


async def test_machine_that_is_behind_resets_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process, whose clock is right, has written times that seem to be in the future."""
    if not store.database.dialect.time_of_day:
        pytest.skip("processes that share a file have one clock")
    await store.schedules.claim_run("daily", NOW, now=NOW)
    behind = timedelta(minutes=20)
    clock = SimpleNamespace(time=lambda: time.time() - behind.total_seconds())
    monkeypatch.setattr("bot.store.sql.claims.time", clock)
    assert await store.times.reset(NOW - behind) is None
    monkeypatch.setattr("bot.store.sql.claims.time", time)
    assert await store.times.reset(NOW - behind) == behind
