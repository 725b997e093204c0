"""Canvases of digests, on every database."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from bot.store import Post, PostKind, Store, StoredCanvas
from tests.store.conftest import NOW
from tests.support.leases import expire_leases

CANVAS = StoredCanvas("morning", "#ops", "", "3a2d94ad", "")
SUBSCRIPTION: dict[str, Any] = {
    "channel": "C0OPS",
    "line": "/usage last 7 days",
    "cron": "0 9 * * *",
    "said": "at 09:00 every day",
    "user": "U0ADA",
    "now": NOW,
}


async def test_canvas_is_known_to_every_process(store: Store, other: Store) -> None:
    assert await store.canvases.canvas("morning", "#ops") is None
    await store.canvases.save(CANVAS)
    created = replace(CANVAS, canvas_id="F1", content="0f3b")
    await other.canvases.save(created)
    assert await store.canvases.canvas("morning", "#ops") == created
    assert await store.canvases.canvas("morning", "#kitchen") is None


async def test_canvas_is_updated_by_one_process(store: Store, other: Store) -> None:
    assert await store.canvases.begin_update("morning", "C0OPS")
    assert not await other.canvases.begin_update("morning", "C0OPS")
    assert await other.canvases.begin_update("morning", "C0KITCHEN")
    await other.canvases.end_update("morning", "C0OPS")
    assert not await other.canvases.begin_update("morning", "C0OPS"), "it is not theirs to end"
    # It may have been left behind while the database was away.
    assert await store.canvases.begin_update("morning", "C0OPS")
    await store.canvases.end_update("morning", "C0OPS")
    assert await other.canvases.begin_update("morning", "C0OPS")
    await expire_leases(store)
    assert await store.canvases.begin_update("morning", "C0OPS")


async def test_refused_canvases_are_listed(store: Store) -> None:
    await store.canvases.save(CANVAS)
    refused = replace(CANVAS, digest="evening", problem="missing_scope")
    await store.canvases.save(refused)
    assert await store.canvases.refused() == [refused]
    await store.canvases.save(replace(refused, problem=""))
    assert await store.canvases.refused() == []


async def test_refusal_ends_where_digest_moves(store: Store, other: Store) -> None:
    await store.canvases.save(replace(CANVAS, problem="missing_scope"))
    elsewhere = replace(CANVAS, digest="evening", problem="missing_scope")
    await store.canvases.save(elsewhere)
    await other.canvases.save(replace(CANVAS, channel="#kitchen", canvas_id="F1"))
    assert await store.canvases.refused() == [elsewhere]


async def test_subscription_says_whether_it_is_a_canvas(store: Store) -> None:
    made = [
        await store.subscriptions.subscribe(**SUBSCRIPTION, as_canvas=as_canvas)
        for as_canvas in (True, False)
    ]
    assert [each.as_canvas for each in made] == [True, False]
    assert await store.subscriptions.subscriptions("C0OPS") == made
    ended = await store.subscriptions.unsubscribe(1, channel="C0OPS", user="U0ADA", now=NOW)
    assert ended == made[0]


async def test_newer_canvas_replaces_what_waits(store: Store) -> None:
    def canvas(key: str, about: str) -> Post:
        return Post(key, "#ops", key, [], PostKind.CANVAS, about, key.encode())

    for post in (canvas("one", "canvas:a"), canvas("two", "canvas:b"), canvas("three", "canvas:a")):
        await store.outbox.enqueue(post, now=NOW)
    waiting = await store.read("SELECT key FROM outbox_files ORDER BY key")
    assert [row["key"] for row in waiting] == ["three", "two"]
    claimed = await store.outbox.claim_post(now=NOW)
    assert claimed is not None
    assert (claimed.post.key, claimed.post.content) == ("two", b"two")
    await store.outbox.sent(claimed, ts="", now=NOW)
    left = await store.read("SELECT key FROM outbox_files")
    assert [row["key"] for row in left] == ["three"]
