"""Messages on their way to Slack, and the channels that names refer to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from bot.answer import Block
from bot.store.records import LONGEST_DELAY, Backlog, Post, PostKind, QueuedPost
from bot.store.sql.claims import Claims
from bot.store.sql.database import Database, Row, Transaction, to_text

# No post that others wait for is put off for longer than that.
LONGEST_WAIT = timedelta(minutes=15)
# What Slack refuses for longer than that does not hold back later posts that were set aside.
HOLDS_BACK_FOR = timedelta(days=1)
# A newer one of the same message or canvas makes an earlier one needless.
_REPLACING = frozenset({PostKind.EDIT, PostKind.CANVAS})
_WITH_CONTENT = frozenset({PostKind.FILE, PostKind.CANVAS})

_WAITING = "state IN ('pending', 'sending')"
_UNSENT = "state IN ('pending', 'sending', 'aside')"
# What a newer version has queued waits for it, and holds up nothing else.
_KNOWN = f"how IN ({', '.join(repr(kind.value) for kind in PostKind)})"
_LANE = "(channel || CASE how WHEN 'file' THEN ' files' ELSE '' END)"
# A time that lies further ahead than any delay was written by a clock that was wrong.
_DUE = "(not_before <= ? OR not_before > CASE state WHEN 'aside' THEN ? ELSE ? END)"
# A message comes after the one it is about because both are in one lane, unless that one was set
# aside; a file waits in a lane of its own.
_NEXT = f"""
    SELECT * FROM outbox WHERE id IN (
        SELECT min(id) FROM outbox AS post
        WHERE {_KNOWN} AND ({_WAITING} OR (state = 'aside' AND {_DUE}))
        AND (about IS NULL OR about NOT IN (SELECT key FROM outbox WHERE state = 'aside'))
        AND (how != 'file' OR NOT EXISTS (
            SELECT 1 FROM outbox AS root WHERE root.key = post.about AND root.{_UNSENT}
        ))
        GROUP BY channel, how = 'file'
    )
    AND {_DUE}
"""  # noqa: S608 - constants


class SqlOutbox:
    def __init__(self, database: Database, claims: Claims) -> None:
        self._database = database
        self._claims = claims

    async def enqueue(self, post: Post, *, now: datetime) -> bool:
        return await self._database.write(lambda tx: enqueue(tx, post, now))

    async def claim_post(self, *, now: datetime, busy: Sequence[str] = ()) -> QueuedPost | None:
        # The outbox is empty most of the time, and a read does not lock the database.
        unsent = await self._database.read(
            f"SELECT 1 AS unsent FROM outbox WHERE {_UNSENT} AND {_KNOWN} LIMIT 1"  # noqa: S608
        )
        if not unsent:
            return None
        return await self._claims.write(lambda tx: self._claim(tx, now, busy))

    def _claim(self, tx: Transaction, now: datetime, busy: Sequence[str]) -> QueuedPost | None:
        due = (to_text(now), to_text(now + LONGEST_DELAY), to_text(now + LONGEST_WAIT))
        free = f"AND {_LANE} NOT IN ({_marks(busy)})" if busy else ""
        me = self._claims.owner
        rows = tx.query(
            f"{_NEXT} AND {self._claims.is_takeable()} {free} ORDER BY id LIMIT 1",
            (*due, *due, me, *busy),
        )
        for row in rows:
            tx.execute(
                "UPDATE outbox SET state = 'sending', claimed_at = ?, owner = ? WHERE id = ?",
                (to_text(now), me, row["id"]),
            )
            return _queued(tx, row)
        return None

    async def holds(self, waiting: QueuedPost) -> bool:
        mine = "SELECT 1 AS found FROM outbox WHERE id = ? AND owner = ? AND state = 'sending'"
        return await self._claims.write(
            lambda tx: bool(tx.query(mine, (waiting.id, self._claims.owner)))
        )

    async def sent(self, waiting: QueuedPost, *, ts: str, now: datetime | None = None) -> None:
        def sent(tx: Transaction) -> None:
            # Not if another process has taken it over meanwhile.
            is_mine = tx.execute(
                "UPDATE outbox SET state = 'sent', ts = ?, trouble = NULL, owner = NULL "
                "WHERE id = ? AND owner = ?",
                (ts, waiting.id, self._claims.owner),
            )
            if not is_mine:
                return
            tx.execute("UPDATE notices SET ts = ? WHERE key = ?", (ts, waiting.post.key))
            tx.execute("DELETE FROM outbox_files WHERE key = ?", (waiting.post.key,))
            if waiting.set_aside and now:
                tx.execute(
                    f"UPDATE outbox SET not_before = ? WHERE state = 'aside' AND {_LANE} = ?",  # noqa: S608
                    (to_text(now), waiting.lane),
                )

        await self._database.write(sent)

    async def drop(self, waiting: QueuedPost, *, problem: str) -> None:
        await self._database.write(lambda tx: self._drop(tx, waiting, problem))

    async def reschedule(
        self,
        waiting: QueuedPost,
        *,
        until: datetime,
        problem: str,
        may_be_posted: bool = False,
        aside: bool = False,
    ) -> None:
        state = "aside" if aside else "sending" if may_be_posted else "pending"
        claimed = "" if may_be_posted else ", claimed_at = NULL"

        def reschedule(tx: Transaction) -> None:
            if _is_replaced(tx, waiting):
                self._drop(tx, waiting, problem)
                return
            is_mine = tx.execute(
                "UPDATE outbox SET state = ?, not_before = ?, trouble = ?, owner = NULL, "  # noqa: S608
                f"attempts = attempts + 1{claimed} WHERE id = ? AND owner = ?",
                (state, to_text(until), problem, waiting.id, self._claims.owner),
            )
            if is_mine and aside:
                _bring_forward(tx, waiting, until)
                _put_back(tx, waiting, until)

        await self._database.write(reschedule)

    def _drop(self, tx: Transaction, waiting: QueuedPost, problem: str) -> None:
        is_mine = tx.execute(
            "UPDATE outbox SET state = 'sent', trouble = ?, owner = NULL WHERE id = ? AND owner = ?",
            (problem, waiting.id, self._claims.owner),
        )
        if is_mine:
            tx.execute("DELETE FROM outbox_files WHERE key = ?", (waiting.post.key,))

    async def release_claims(self) -> None:
        await self._database.execute(
            "UPDATE outbox SET owner = NULL WHERE owner = ?", (self._claims.owner,)
        )

    async def address_of(self, key: str) -> tuple[str, str] | None:
        rows = await self._database.read("SELECT channel, ts FROM outbox WHERE key = ?", (key,))
        return (rows[0]["channel"], rows[0]["ts"]) if rows and rows[0]["ts"] else None

    async def oldest_waiting(self) -> datetime | None:
        rows = await self._database.read(
            f"SELECT min(queued_at) AS since FROM outbox WHERE {_WAITING}"  # noqa: S608
        )
        return datetime.fromisoformat(rows[0]["since"]) if rows[0]["since"] else None

    async def backlog(self) -> list[Backlog]:
        rows = await self._database.read(
            "SELECT channel, count(*) AS count, min(queued_at) AS since, max(trouble) AS trouble "  # noqa: S608
            f"FROM outbox WHERE {_WAITING} GROUP BY channel ORDER BY since"
        )
        return [
            Backlog(
                row["channel"],
                row["count"],
                datetime.fromisoformat(row["since"]),
                row["trouble"] or "",
            )
            for row in rows
        ]

    async def pin_channel(self, team: str, name: str, channel_id: str, *, now: datetime) -> None:
        await self._database.execute(
            "INSERT INTO channels (team, name, id, pinned_at) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (team, name) DO NOTHING",
            (team, name, channel_id, to_text(now)),
        )

    async def pinned_channels(self, team: str) -> dict[str, str]:
        rows = await self._database.read("SELECT name, id FROM channels WHERE team = ?", (team,))
        return {row["name"]: row["id"] for row in rows}

    async def prune(self, *, before: datetime) -> None:
        incident = self._database.dialect.json_member("watch", "incident")
        await self._database.execute(
            "DELETE FROM outbox WHERE state = 'sent' AND queued_at < ? AND key NOT IN "  # noqa: S608
            f"(SELECT coalesce({incident}, '') FROM alerts) AND key NOT IN "
            "(SELECT about FROM outbox WHERE state != 'sent' AND about IS NOT NULL)",
            (to_text(before),),
        )


def enqueue(tx: Transaction, post: Post, now: datetime) -> bool:
    """Puts a post into the outbox, in the caller's transaction. False if its key exists already. An
    edit takes the place of earlier ones of the same message that no attempt was made to send, and
    so does a canvas.
    """
    if post.how in _REPLACING:
        replaced = (
            "about = ? AND how = ? AND key != ? "
            "AND (state = 'aside' OR (state = 'pending' AND attempts = 0))"
        )
        params = (post.about, post.how.value, post.key)
        if post.how in _WITH_CONTENT:
            keys = f"SELECT key FROM outbox WHERE {replaced}"  # noqa: S608
            tx.execute(f"DELETE FROM outbox_files WHERE key IN ({keys})", params)  # noqa: S608
        tx.execute(f"DELETE FROM outbox WHERE {replaced}", params)  # noqa: S608
    row = (
        post.key,
        post.channel,
        post.text,
        _encoded(post.blocks),
        to_text(now),
        to_text(now),
        post.how.value,
        post.about or None,
    )
    is_new = tx.execute(
        "INSERT INTO outbox (key, channel, text, blocks, queued_at, not_before, how, about, "
        "state, attempts) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'pending', 0) "
        "ON CONFLICT (key) DO NOTHING",
        row,
    )
    if is_new and post.how in _WITH_CONTENT:
        tx.execute(
            "INSERT INTO outbox_files (key, content) VALUES (?, ?)", (post.key, post.content)
        )
    return bool(is_new)


def enqueue_all(tx: Transaction, posts: Sequence[Post], now: datetime) -> None:
    """Puts posts into the outbox, in the caller's transaction."""
    for post in posts:
        enqueue(tx, post, now)


def enqueue_anew(tx: Transaction, post: Post, now: datetime) -> None:
    """Puts a post into the outbox even if its key is there already: the clock was wrong the first
    time, and the same due time has come again. The earlier post gets another key.
    """
    if enqueue(tx, post, now):
        return
    for row in tx.query("SELECT id FROM outbox WHERE key = ?", (post.key,)):
        names = (f"{post.key}~{row['id']}", post.key)
        tx.execute("UPDATE outbox SET key = ? WHERE key = ?", names)
        tx.execute("UPDATE outbox SET about = ? WHERE about = ?", names)
        tx.execute("UPDATE outbox_files SET key = ? WHERE key = ?", names)
        tx.execute("UPDATE notices SET key = ? WHERE key = ?", names)
    enqueue(tx, post, now)


def _queued(tx: Transaction, row: Row) -> QueuedPost:
    how = PostKind(row["how"])
    post = Post(
        row["key"],
        row["channel"],
        row["text"],
        _blocks(row["blocks"]),
        how,
        row["about"] or "",
        _content(tx, row["key"]) if how in _WITH_CONTENT else b"",
    )
    # Pending again means that it certainly did not reach Slack.
    is_claimed = row["claimed_at"] and row["state"] != "pending"
    return QueuedPost(
        row["id"],
        post,
        queued_at=datetime.fromisoformat(row["queued_at"]),
        claimed_at=datetime.fromisoformat(row["claimed_at"]) if is_claimed else None,
        attempts=row["attempts"],
        about_ts=_ts_of(tx, post.about) if post.about else "",
        set_aside=row["state"] == "aside",
    )


def _content(tx: Transaction, key: str) -> bytes:
    rows = tx.query("SELECT content FROM outbox_files WHERE key = ?", (key,))
    return bytes(rows[0]["content"]) if rows else b""


def _ts_of(tx: Transaction, key: str) -> str:
    rows = tx.query("SELECT ts FROM outbox WHERE key = ?", (key,))
    return (rows[0]["ts"] or "") if rows else ""


def _encoded(blocks: Sequence[Block]) -> str:
    try:
        return msgspec.json.encode(blocks).decode()
    except UnicodeEncodeError:
        # Half of a surrogate pair, which only the standard library writes.
        return json.dumps(list(blocks))


def _blocks(text: str) -> list[Block]:
    """The stored blocks; none if they cannot be read any more, so that the text is still sent."""
    try:
        blocks = json.loads(text)
    except ValueError:
        return []
    return blocks if isinstance(blocks, list) else []


def _is_replaced(tx: Transaction, waiting: QueuedPost) -> bool:
    """Whether a newer edit of the same message waits, or a newer state of the same canvas."""
    post = waiting.post
    if post.how not in _REPLACING:
        return False
    newer = "SELECT id FROM outbox WHERE about = ? AND how = ? AND id > ? LIMIT 1"
    return bool(tx.query(newer, (post.about, post.how.value, waiting.id)))


def _bring_forward(tx: Transaction, waiting: QueuedPost, until: datetime) -> None:
    """Older posts of the lane that were set aside are due no later, so that the order is kept once
    Slack accepts them again.
    """
    tx.execute(
        "UPDATE outbox SET not_before = ? WHERE state = 'aside' AND id < ? "  # noqa: S608
        f"AND {_LANE} = ? AND not_before > ?",
        (to_text(until), waiting.id, waiting.lane, to_text(until)),
    )


def _put_back(tx: Transaction, waiting: QueuedPost, until: datetime) -> None:
    """Later posts of the lane that were set aside are due no earlier: Slack may accept messages
    again right after it has refused this one, and they would overtake it.
    """
    if until - waiting.queued_at > HOLDS_BACK_FOR:
        return
    tx.execute(
        "UPDATE outbox SET not_before = ? WHERE state = 'aside' AND id > ? "  # noqa: S608
        f"AND {_LANE} = ? AND not_before < ?",
        (to_text(until), waiting.id, waiting.lane, to_text(until)),
    )


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" for _ in values)
