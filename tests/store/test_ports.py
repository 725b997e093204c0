"""The contract of each port, on every database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from msgspec.structs import replace

from bot.store import (
    NewSilence,
    Post,
    PostKind,
    QuestionRecord,
    Store,
    StoredAnswer,
    StoredResponseUrl,
)
from providers.limits.rate_limiter import Limit, ReportedQuota, Reservation
from providers.redaction import Secret
from tests.store.conftest import NOW

ASKED = QuestionRecord("trigger-1", NOW, "U0ADA", "C0OPS", "usage", "last 7 days", "slash")
MINUTE = timedelta(minutes=1)


def post(key: str, kind: PostKind = PostKind.POST, about: str = "") -> Post:
    return Post(key, "#ops", f"text of {key}", [{"type": "divider"}], kind, about)


# Questions


async def test_question_is_recorded_with_its_outcome(store: Store) -> None:
    assert await store.questions.claim(ASKED)
    await store.questions.note_shown("trigger-1", "1.2")
    await store.questions.finish("trigger-1", outcome="answered", took_ms=42)
    expected = replace(ASKED, outcome="answered", took_ms=42, shown_ts="1.2")
    assert await store.questions.latest() == [expected]


async def test_delivery_is_claimed_once(store: Store, other: Store) -> None:
    claims = [each.questions.claim(ASKED) for each in (store, other) for _ in range(5)]
    assert sum(await asyncio.gather(*claims)) == 1


async def test_recent_questions_are_listed_once(store: Store) -> None:
    asked = [
        ("U0ADA", "a", "answered"),
        ("U0ADA", "b", "auth"),
        ("U0BOB", "c", "answered"),
        ("U0ADA", "a", "answered"),
        ("U0ADA", "d", "partial"),
    ]
    for n, (user, text, outcome) in enumerate(asked):
        at = NOW + n * MINUTE
        await store.questions.claim(
            replace(ASKED, delivery=f"t{n}", user=user, text=text, asked_at=at)
        )
        await store.questions.finish(f"t{n}", outcome=outcome, took_ms=1)
    assert [each.text for each in await store.questions.recent("U0ADA", 5)] == ["d", "a"]
    assert [each.text for each in await store.questions.recent("U0ADA", 1)] == ["d"]
    assert [each.delivery for each in await store.questions.latest(2)] == ["t4", "t3"]


async def test_response_url_is_taken_once(store: Store) -> None:
    kept = StoredResponseUrl(Secret("https://hooks.example/1"), replace=True, thread_ts="1.2")
    await store.questions.save_response_url("t", kept, until=NOW + MINUTE)
    await store.questions.save_response_url("t", replace(kept, replace=False), until=NOW + MINUTE)
    found = await store.questions.take_response_url("t", now=NOW)
    assert found
    assert (found.url.open(), found.replace) == ("https://hooks.example/1", False)
    assert await store.questions.take_response_url("t", now=NOW) is None


async def test_expired_response_url_is_deleted(store: Store) -> None:
    kept = StoredResponseUrl(Secret("https://hooks.example/1"), replace=True, thread_ts="")
    await store.questions.save_response_url("t", kept, until=NOW)
    assert await store.questions.take_response_url("t", now=NOW) is None
    await store.questions.save_response_url("t", kept, until=NOW)
    await store.questions.forget_expired_urls(NOW)
    assert await store.read("SELECT delivery FROM response_urls") == []


async def _save_nothing(_: Store) -> None: ...


async def _save_response_url(store: Store) -> None:
    kept = StoredResponseUrl(Secret("https://hooks.example/1"), replace=True, thread_ts="")
    await store.questions.save_response_url(ASKED.delivery, kept, until=NOW + MINUTE)


async def _note_files(store: Store) -> None:
    await store.questions.note_files(ASKED.delivery, ["soup.csv"])


@pytest.mark.parametrize("claimed_after", [0, 2])
@pytest.mark.parametrize("save", [_save_nothing, _save_response_url, _note_files])
async def test_finished_question_leaves_no_details(
    store: Store,
    save: Callable[[Store], Awaitable[None]],
    claimed_after: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.store.sql.questions.MOST_REMEMBERED", 2)
    await store.questions.claim(ASKED)
    await save(store)
    for n in range(claimed_after):
        await store.questions.claim(replace(ASKED, delivery=f"later-{n}"))
    await store.questions.finish(ASKED.delivery, outcome="answered", took_ms=1)
    assert await store.read("SELECT delivery FROM response_urls") == []
    assert await store.read("SELECT delivery FROM unsent_files") == []


async def test_unfinished_questions_are_not_remembered(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.store.sql.questions.MOST_REMEMBERED", 2)
    for n in range(5):
        await store.questions.claim(replace(ASKED, delivery=f"t{n}"))
    assert len(store.questions._without_details) <= 2  # type: ignore[attr-defined]


# Answers


async def test_answer_is_taken_once_by_its_asker(store: Store) -> None:
    blocks = [{"type": "divider"}]
    await store.answers.save(
        "t", user="U0ADA", channel="C0", command="usage", text="hello", blocks=blocks, now=NOW
    )
    kept = StoredAnswer("t", NOW, "usage", "hello", blocks)
    assert await store.answers.find("t", user="U0ADA") == kept
    assert await store.answers.take("t", user="U0BOB") is None
    assert await store.answers.take("t", user="U0ADA") == kept
    assert await store.answers.take("t", user="U0ADA") is None


async def test_answer_is_shared_in_time_and_place(store: Store) -> None:
    await store.answers.save(
        "t", user="U0ADA", channel="C0OPS", command="usage", text="x", blocks=[], now=NOW
    )
    later = NOW + timedelta(hours=24, seconds=1)
    assert await store.answers.take("t", user="U0ADA", channel="C0OPS", now=later) is None
    assert await store.answers.find("t", user="U0ADA", now=later) is None
    assert await store.answers.take("t", user="U0ADA", channel="C0KITCHEN", now=NOW) is None
    kept = await store.answers.take("t", user="U0ADA", channel="C0OPS", now=NOW)
    assert kept == StoredAnswer("t", NOW, "usage", "x", [])


async def test_keeping_an_answer_deletes_old_ones(store: Store) -> None:
    for ticket, at in (("old", NOW), ("new", NOW + timedelta(days=2))):
        await store.answers.save(
            ticket, user="U0ADA", channel="C", command="usage", text="x", blocks=[], now=at
        )
    assert await store.answers.take("old", user="U0ADA") is None
    await store.answers.prune(NOW + timedelta(days=4))
    assert await store.answers.find("new", user="U0ADA") is None


# Outbox


async def test_key_is_queued_once(store: Store) -> None:
    assert await store.outbox.enqueue(post("k"), now=NOW)
    assert not await store.outbox.enqueue(post("k"), now=NOW)
    queued = await store.outbox.claim_post(now=NOW)
    assert queued
    assert queued.post == post("k")
    assert (queued.queued_at, queued.claimed_at, queued.attempts) == (NOW, None, 0)


async def test_newer_edit_replaces_waiting_one(store: Store) -> None:
    for key in ("first", "second"):
        await store.outbox.enqueue(post(key, PostKind.EDIT, "root"), now=NOW)
    assert [row["key"] for row in await store.read("SELECT key FROM outbox")] == ["second"]


async def test_rescheduled_edit_yields_to_newer_one(store: Store) -> None:
    await store.outbox.enqueue(post("first", PostKind.EDIT, "root"), now=NOW)
    first = await store.outbox.claim_post(now=NOW)
    assert first
    await store.outbox.enqueue(post("second", PostKind.EDIT, "root"), now=NOW)
    await store.outbox.reschedule(first, until=NOW, problem="busy", may_be_posted=True)
    queued = await store.outbox.claim_post(now=NOW)
    assert queued
    assert queued.post.key == "second"


async def test_post_set_aside_blocks_no_other(store: Store) -> None:
    for key in ("first", "second"):
        await store.outbox.enqueue(post(key), now=NOW)
    first = await store.outbox.claim_post(now=NOW)
    assert first
    await store.outbox.reschedule(first, until=NOW + MINUTE, problem="too long", aside=True)
    second = await store.outbox.claim_post(now=NOW)
    assert second
    assert second.post.key == "second"
    await store.outbox.drop(second, problem="gone")
    again = await store.outbox.claim_post(now=NOW + MINUTE)
    assert again
    assert (again.post.key, again.set_aside, again.attempts) == ("first", True, 1)


async def test_backlog_names_channels(store: Store) -> None:
    await store.outbox.enqueue(post("a"), now=NOW)
    await store.outbox.enqueue(replace(post("b"), channel="#kitchen"), now=NOW + MINUTE)
    assert [(each.channel, each.count, each.since) for each in await store.outbox.backlog()] == [
        ("#ops", 1, NOW),
        ("#kitchen", 1, NOW + MINUTE),
    ]
    assert await store.outbox.oldest_waiting() == NOW


async def test_address_of_post_is_known_once_sent(store: Store) -> None:
    await store.outbox.enqueue(post("a"), now=NOW)
    assert await store.outbox.address_of("a") is None
    claimed = await store.outbox.claim_post(now=NOW)
    assert claimed
    await store.outbox.sent(claimed, ts="1795776131.000011")
    assert await store.outbox.address_of("a") == ("#ops", "1795776131.000011")
    assert await store.outbox.address_of("unknown") is None


async def test_busy_lane_is_left_out(store: Store) -> None:
    await store.outbox.enqueue(post("a"), now=NOW)
    assert await store.outbox.claim_post(now=NOW, busy=["#ops", "#kitchen"]) is None
    assert await store.outbox.claim_post(now=NOW, busy=["#ops files"])


async def test_first_pin_of_channel_wins(store: Store) -> None:
    for channel in ("C0FIRST", "C0SECOND"):
        await store.outbox.pin_channel("T0", "#ops", channel, now=NOW)
    assert await store.outbox.pinned_channels("T0") == {"#ops": "C0FIRST"}
    assert await store.outbox.pinned_channels("T1") == {}


# Schedules and subscriptions


async def test_schedule_begins_anew_with_its_definition(store: Store) -> None:
    later = NOW + MINUTE
    assert await store.schedules.last_handled_at("daily", "a", now=NOW) == NOW
    assert await store.schedules.last_handled_at("daily", "a", now=later) == NOW
    assert await store.schedules.last_handled_at("daily", "b", now=later) == later


async def test_later_run_passes_over_earlier(store: Store) -> None:
    await store.schedules.last_handled_at("daily", "a", now=NOW - MINUTE)
    assert await store.schedules.claim_run("daily", NOW, now=NOW) == 0
    assert await store.schedules.claim_run("daily", NOW + MINUTE, now=NOW) == 1
    await store.schedules.end_run("daily", NOW, outcome="sent", posts=[post("a")], now=NOW)
    await store.schedules.end_run("daily", NOW + MINUTE, outcome="sent", posts=[post("b")], now=NOW)
    assert [row["key"] for row in await store.read("SELECT key FROM outbox")] == ["b"]
    assert await store.schedules.last_handled_at("daily", "a", now=NOW) == NOW + MINUTE


async def test_subscription_ends_in_its_channel(store: Store) -> None:
    made = await store.subscriptions.subscribe(
        channel="C0OPS", line="/usage", cron="0 9 * * *", said="at 09:00", user="U0ADA", now=NOW
    )
    assert await store.subscriptions.subscriptions() == [made]
    assert await store.subscriptions.subscriptions("C0KITCHEN") == []
    ended = [
        await store.subscriptions.unsubscribe(made.number, channel=each, user="U0BOB", now=NOW)
        for each in ("C0KITCHEN", "C0OPS", "C0OPS")
    ]
    assert ended == [None, made, None]


# Pauses, limits and times


async def test_pause_is_posted_once(store: Store, other: Store) -> None:
    assert await store.pauses.pause("daily", [post("paused")], now=NOW)
    assert not await other.pauses.pause("daily", [post("again")], now=NOW)
    assert await other.pauses.all() == {"daily"}
    assert await other.pauses.resume("daily", [post("resumed")], now=NOW)
    assert not await store.pauses.resume("daily", [], now=NOW)
    keys = [row["key"] for row in await store.read("SELECT key FROM outbox ORDER BY id")]
    assert keys == ["paused", "resumed"]


async def test_limit_is_shared_by_processes(store: Store, other: Store) -> None:
    limit = Limit("requests", 3)
    asked = [
        each.rate_limits.reserve("key", limit, size=1, now=NOW)
        for each in (store, other)
        for _ in range(3)
    ]
    reserved = [each for each in await asyncio.gather(*asked) if isinstance(each, Reservation)]
    assert len(reserved) == 3
    assert await other.rate_limits.used("key", since=NOW - MINUTE) == 3


async def test_reported_quota_outlives_its_process(store: Store, other: Store) -> None:
    limit = Limit("requests", 100)
    hour = NOW + timedelta(hours=1)
    first = await store.rate_limits.reserve("key", limit, size=0, now=NOW)
    assert isinstance(first, Reservation)
    for requests in (5, 0):
        quota = ReportedQuota(NOW, NOW, hour, requests=requests)
        await store.rate_limits.commit("key", first, size=7, reported=quota)
    assert await other.rate_limits.reserve("key", limit, size=0, now=NOW + MINUTE) == hour


async def test_lock_out_ends_in_time(store: Store, other: Store) -> None:
    await store.rate_limits.lock_out("key", until=NOW + MINUTE, why="wrong password")
    assert await other.rate_limits.lockout_reason("key", now=NOW) == "wrong password"
    assert await other.rate_limits.lockout_reason("key", now=NOW + MINUTE) is None


async def test_times_ahead_are_reset(store: Store) -> None:
    ahead = NOW + timedelta(days=1)
    await store.schedules.last_handled_at("daily", "a", now=ahead)
    await store.silences.silence(
        NewSilence("spike", ahead, ahead + timedelta(hours=2), "", "U0ADA")
    )
    await store.alerts.claim_evaluations([("spike", ahead)])
    assert await store.times.reset(NOW) == timedelta(days=1)
    assert await store.times.reset(NOW) is None
    [silence] = await store.silences.silences(NOW)
    assert (silence.start, silence.end) == (NOW, NOW + timedelta(hours=2))
    assert await store.schedules.last_handled_at("daily", "a", now=NOW) == NOW


async def test_open_database_works(store: Store) -> None:
    assert await store.problem() == ""
    assert await store.works()
    assert await store.size() > 0


async def test_delivery_is_handled_once(store: Store, other: Store) -> None:
    claims = [each.deliveries.claim("press 1", now=NOW) for each in (store, other) for _ in "ab"]
    assert sum(await asyncio.gather(*claims)) == 1
    await other.deliveries.release("press 1")
    assert await store.deliveries.claim("press 1", now=NOW)


async def test_old_deliveries_are_deleted(store: Store) -> None:
    await store.deliveries.claim("old", now=NOW - timedelta(days=2))
    await store.deliveries.claim("recent", now=NOW - timedelta(hours=1))
    await store.prune(NOW)
    assert await store.deliveries.claim("old", now=NOW)
    assert not await store.deliveries.claim("recent", now=NOW)


async def test_text_with_nul_is_stored(store: Store) -> None:
    """PostgreSQL cannot store NUL, and vendors' texts may contain it."""
    assert await store.outbox.enqueue(Post("k\0", "#ops", "a\0b", []), now=NOW)
    queued = await store.outbox.claim_post(now=NOW)
    assert queued
    assert queued.post.text in ("a\0b", "a\ufffdb")
