"""Runs of schedules, and messages that nobody waits for: written together, so that a crash between
the two is no such thing.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlite_utils import Database

from bot.answer import Block
from bot.store.sqlite import Store, to_text

# A run that has not ended by then was cut off, and is done again.
LEASE = timedelta(minutes=2)
# No post is put off for longer than that.
LONGEST_DELAY = timedelta(hours=6)
# And none that others wait behind for longer than that.
LONGEST_WAIT = timedelta(minutes=15)


class PostKind(enum.StrEnum):
    """How a post is told: a message of its own, something in the thread of an earlier one (and in
    the channel, too), an earlier one told anew, or a file in the thread of one.
    """

    POST = "post"
    REPLY = "reply"
    BROADCAST = "broadcast"
    EDIT = "edit"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Post:
    """A message to be posted once. `key` names it for ever: a second one of the same key is not
    taken. What is no message of its own is `about` the post of that key. Of a file `text` is the
    name and `content` the bytes.
    """

    key: str
    channel: str
    text: str
    blocks: Sequence[Block]
    how: PostKind = PostKind.POST
    about: str = ""
    content: bytes = b""


@dataclass(frozen=True, slots=True)
class QueuedPost:
    """A post that waits in the outbox. `claimed_at` is set where it was being sent, so that it may
    stand in Slack already; `about_ts` is the message it is about, where that is known to stand.
    `set_aside` where it was passed over since Slack did not take it.
    """

    id: int
    post: Post
    queued_at: datetime
    claimed_at: datetime | None
    attempts: int
    about_ts: str = ""
    set_aside: bool = False

    @property
    def lane(self) -> str:
        """The queue it waits in: each channel has one for messages and one for files."""
        return f"{self.post.channel} files" if self.post.how is PostKind.FILE else self.post.channel


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits for one channel: how many, since when, and what Slack said last."""

    channel: str
    count: int
    since: datetime
    trouble: str


@dataclass(frozen=True, slots=True)
class Subscription:
    """A question that somebody has asked on a schedule. `said` is how its times were read."""

    number: int
    channel: str
    line: str
    cron: str
    said: str
    user: str


class Posts:
    """The schedules made in chat, their runs, and the outbox in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def last_handled_at(self, schedule: str, definition: str, *, now: datetime) -> datetime:
        """Until when a schedule has been looked after; from now on where it is new or says
        something else than before.
        """

        def seen(db: Database) -> datetime:
            for row in db.query(
                "SELECT definition, seen_until FROM schedules WHERE name = ?", [schedule]
            ):
                if row["definition"] == definition:
                    return datetime.fromisoformat(row["seen_until"])
            db.execute(
                "INSERT OR REPLACE INTO schedules (name, definition, seen_until) VALUES (?, ?, ?)",
                (schedule, definition, to_text(now)),
            )
            return now

        return await self._store.write(seen)

    async def subscribe(
        self, *, channel: str, line: str, cron: str, said: str, user: str, now: datetime
    ) -> Subscription:
        def add(db: Database) -> Subscription:
            sql = (
                "INSERT INTO subscriptions (channel, line, cron, said, user, made_at) VALUES (?, "
                "?, ?, ?, ?, ?)"
            )
            done = db.execute(sql, (channel, line, cron, said, user, to_text(now)))
            return Subscription(int(done.lastrowid or 0), channel, line, cron, said, user)

        return await self._store.write(add)

    async def unsubscribe(
        self, number: int, *, channel: str, user: str, now: datetime
    ) -> Subscription | None:
        """The subscription that has ended with this, which is kept for the record; None where the
        channel has no such one.
        """

        def end(db: Database) -> Subscription | None:
            rows = list(
                db.query(f"{_SUBSCRIPTIONS} AND number = ? AND channel = ?", [number, channel])
            )
            db.execute(
                (
                    "UPDATE subscriptions SET ended_at = ?, ended_by = ? WHERE ended_at IS NULL "
                    "AND number = ? AND channel = ?"
                ),
                (to_text(now), user, number, channel),
            )
            return Subscription(**rows[0]) if rows else None

        return await self._store.write(end)

    async def subscriptions(self, channel: str | None = None) -> list[Subscription]:
        """Those that have not ended, of one channel or of all."""
        where, params = (" AND channel = ?", (channel,)) if channel is not None else ("", ())
        return [
            Subscription(**row)
            for row in await self._store.read(f"{_SUBSCRIPTIONS}{where} ORDER BY number", params)
        ]

    async def claim_run(self, schedule: str, due: datetime, *, now: datetime) -> int | None:
        """Not None for whoever may do this run: the first to ask, or the first after one that was
        cut off. It is how many earlier ones had not ended yet, which are passed over, so that none
        comes behind this one.
        """

        def claim(db: Database) -> int | None:
            row = (schedule, to_text(due), to_text(now))
            first = (
                db.execute(
                    "INSERT OR IGNORE INTO runs (schedule, due, started_at) VALUES (?, ?, ?)", row
                ).rowcount
                == 1
            )
            again = (
                "UPDATE runs SET started_at = ? WHERE schedule = ? AND due = ? AND ended_at IS "
                "NULL AND started_at <= ?"
            )
            values = (to_text(now), schedule, to_text(due), to_text(now - LEASE))
            if not (first or db.execute(again, values).rowcount == 1):
                return None
            passed = (
                "UPDATE runs SET ended_at = ?, outcome = 'passed over' WHERE schedule = ? AND due "
                "< ? AND ended_at IS NULL"
            )
            return int(db.execute(passed, (to_text(now), schedule, to_text(due))).rowcount)

        return await self._store.write(claim)

    async def unfinished_runs(self, *, since: datetime) -> list[tuple[str, datetime]]:
        """The runs that began and never ended, by schedule and due."""
        rows = await self._store.read(
            "SELECT schedule, due FROM runs WHERE ended_at IS NULL AND due >= ?", (to_text(since),)
        )
        return [(row["schedule"], datetime.fromisoformat(row["due"])) for row in rows]

    async def end_run(
        self, schedule: str, due: datetime, *, outcome: str, posts: Sequence[Post], now: datetime
    ) -> None:
        """The end of a run and what it has to say, in one transaction. One that was passed over
        meanwhile has nothing to say.
        """

        def end(db: Database) -> None:
            done = (to_text(now), outcome, schedule, to_text(due))
            sql = (
                "UPDATE runs SET ended_at = ?, outcome = ? WHERE schedule = ? AND due = ? AND "
                "ended_at IS NULL"
            )
            if db.execute(sql, done).rowcount != 1:
                return
            db.execute(
                "UPDATE schedules SET seen_until = max(seen_until, ?) WHERE name = ?",
                (to_text(due), schedule),
            )
            for post in posts:
                enqueue_anew(db, post, now)

        await self._store.write(end)

    async def prune(self, now: datetime) -> None:
        """Deletes runs and sent posts that are older than the retention says. The message of an
        incident that is open stays, since its next change edits it and replies to it.
        """

        def prune(db: Database) -> None:
            kept = self._store.retention
            db.execute("DELETE FROM runs WHERE due < ?", (to_text(now - kept.runs),))
            db.execute(
                (
                    "DELETE FROM outbox WHERE state = 'sent' AND queued_at < ? AND key NOT IN "
                    "(SELECT coalesce(json_extract(watch, '$.incident'), '') "
                    "FROM alerts) "
                    "AND key NOT IN (SELECT about FROM outbox "
                    "WHERE state != 'sent' AND about IS NOT NULL)"
                ),
                (to_text(now - kept.outbox),),
            )

        await self._store.write(prune)

    async def enqueue(self, post: Post, *, now: datetime) -> bool:
        """Puts a post into the outbox; False where its key was there already."""
        return await self._store.write(lambda db: enqueue(db, post, now))

    async def claim_post(self, *, now: datetime, busy: Sequence[str] = ()) -> QueuedPost | None:
        """The oldest post that is due and whose lane is not `busy`. The others of its lane wait
        behind it, but for those that were set aside, which nobody waits for; what is about another
        post waits for that one.
        """

        def claim(db: Database) -> QueuedPost | None:
            marks = ", ".join("?" for _ in busy)
            due = (to_text(now), to_text(now + LONGEST_DELAY), to_text(now + LONGEST_WAIT))
            found = db.query(_NEXT.replace("BUSY", marks), [*due, *due, *busy])
            for row in found:
                db.execute(
                    "UPDATE outbox SET state = 'sending', claimed_at = ? WHERE id = ?",
                    (to_text(now), row["id"]),
                )
                return _waiting(db, row)
            return None

        # Most looks find nothing, and a read holds nobody up.
        unsent = await self._store.read(f"SELECT 1 FROM outbox WHERE {_UNSENT} LIMIT 1", ())  # noqa: S608
        return await self._store.write(claim) if unsent else None

    async def sent(self, waiting: QueuedPost, *, ts: str, now: datetime | None = None) -> None:
        """It stands in Slack. Where it had been set aside, what was set aside after it may go now,
        too, so that order is kept.
        """

        def sent(db: Database) -> None:
            db.execute(
                "UPDATE outbox SET state = 'sent', ts = ?, trouble = NULL WHERE id = ?",
                (ts, waiting.id),
            )
            db.execute("UPDATE notices SET ts = ? WHERE key = ?", (ts, waiting.post.key))
            db.execute("DELETE FROM outbox_files WHERE key = ?", (waiting.post.key,))
            if waiting.set_aside and now:
                sql = f"UPDATE outbox SET not_before = ? WHERE state = 'aside' AND {_LANE} = ?"  # noqa: S608
                db.execute(sql, (to_text(now), waiting.lane))

        await self._store.write(sent)

    async def drop(self, waiting: QueuedPost, *, trouble: str) -> None:
        """It cannot be told any more, and what waits behind it need not wait."""
        await self._store.write(lambda db: _drop(db, waiting, trouble))

    async def put_back(
        self,
        waiting: QueuedPost,
        *,
        until: datetime,
        trouble: str,
        may_stand: bool = False,
        aside: bool = False,
    ) -> None:
        """It is tried again later; with `may_stand` it is looked for first, since it may stand
        there already. What waits behind it goes on where it is put `aside`. An edit that a newer
        one has replaced meanwhile is dropped.
        """

        def put_back(db: Database) -> None:
            newer = "SELECT 1 FROM outbox WHERE about = ? AND how = 'edit' AND id > ? LIMIT 1"
            if waiting.post.how is PostKind.EDIT and list(
                db.query(newer, [waiting.post.about, waiting.id])
            ):
                _drop(db, waiting, trouble)
                return
            state = "aside" if aside else "sending" if may_stand else "pending"
            claimed = "" if may_stand else ", claimed_at = NULL"
            sql = f"UPDATE outbox SET state = ?, not_before = ?, trouble = ?, attempts = attempts + 1{claimed} WHERE id = ?"  # noqa: S608
            db.execute(sql, (state, to_text(until), trouble, waiting.id))
            if aside:
                # Older ones that were set aside are tried no later, so that order is kept where
                # Slack takes them all again.
                sooner = f"UPDATE outbox SET not_before = min(not_before, ?) WHERE state = 'aside' AND id < ? AND {_LANE} = ?"  # noqa: S608
                db.execute(sooner, (to_text(until), waiting.id, waiting.lane))

        await self._store.write(put_back)

    async def oldest_waiting(self) -> datetime | None:
        """Since when the oldest post that has not been sent waits; what was set aside does not
        count.
        """
        rows = await self._store.read(
            f"SELECT min(queued_at) AS since FROM outbox WHERE {_WAITING}",  # noqa: S608
            (),
        )
        return datetime.fromisoformat(rows[0]["since"]) if rows[0]["since"] else None

    async def backlog(self) -> list[Backlog]:
        """What waits, by channel, the longest wait first; what was set aside does not count."""
        rows = await self._store.read(
            f"SELECT channel, count(*) AS count, min(queued_at) AS since, max(trouble) AS trouble FROM outbox WHERE {_WAITING} "  # noqa: S608
            "GROUP BY channel ORDER BY since",
            (),
        )
        return [
            Backlog(
                r["channel"], r["count"], datetime.fromisoformat(r["since"]), r["trouble"] or ""
            )
            for r in rows
        ]

    async def pin_channel(self, team: str, name: str, channel_id: str, *, now: datetime) -> None:
        """From now on the name means this channel, whatever else is called so later."""
        sql = "INSERT OR IGNORE INTO channels (team, name, id, pinned_at) VALUES (?, ?, ?, ?)"
        await self._store.write(lambda db: db.execute(sql, (team, name, channel_id, to_text(now))))

    async def pinned_channels(self, team: str) -> dict[str, str]:
        """The channels that names were found to mean, by name."""
        rows = await self._store.read("SELECT name, id FROM channels WHERE team = ?", (team,))
        return {row["name"]: row["id"] for row in rows}


_WAITING = "state IN ('pending', 'sending')"
_UNSENT = "state IN ('pending', 'sending', 'aside')"
_LANE = "(channel || CASE how WHEN 'file' THEN ' files' ELSE '' END)"
# A time that lies further ahead than any delay of ours was written by a clock that was wrong.
_DUE = "(not_before <= ? OR not_before > CASE state WHEN 'aside' THEN ? ELSE ? END)"
# A message waits behind its root by itself, unless that was set aside; a file waits in a queue of
# its own.
_NEXT = f"""
    SELECT * FROM outbox WHERE id IN (
        SELECT min(id) FROM outbox AS post
        WHERE ({_WAITING} OR (state = 'aside' AND {_DUE}))
        AND (about IS NULL OR about NOT IN (SELECT key FROM outbox WHERE state = 'aside'))
        AND (how != 'file' OR NOT EXISTS (SELECT 1 FROM outbox AS root WHERE root.key = post.about AND root.{_UNSENT}))
        GROUP BY channel, how = 'file'
    )
    AND {_DUE} AND {_LANE} NOT IN (BUSY) ORDER BY id LIMIT 1
"""  # noqa: S608
_SUBSCRIPTIONS = (
    "SELECT number, channel, line, cron, said, user FROM subscriptions WHERE ended_at IS NULL"
)


def _waiting(db: Database, row: dict[str, Any]) -> QueuedPost:
    how = PostKind(row["how"])
    files = (
        list(db.query("SELECT content FROM outbox_files WHERE key = ?", [row["key"]]))
        if how is PostKind.FILE
        else []
    )
    content = files[0]["content"] if files else b""
    post = Post(
        row["key"],
        row["channel"],
        row["text"],
        _blocks(row["blocks"]),
        how,
        row["about"] or "",
        content,
    )
    about = (
        list(db.query("SELECT ts FROM outbox WHERE key = ?", [post.about])) if post.about else []
    )
    is_claimed = row["claimed_at"] and row["state"] != "pending"
    claimed = datetime.fromisoformat(row["claimed_at"]) if is_claimed else None
    about_ts = (about[0]["ts"] or "") if about else ""
    queued_at, is_aside = datetime.fromisoformat(row["queued_at"]), row["state"] == "aside"
    return QueuedPost(row["id"], post, queued_at, claimed, row["attempts"], about_ts, is_aside)


def _blocks(text: str) -> list[Block]:
    """The blocks as they were kept; none where they cannot be read any more, which must not keep
    the words back.
    """
    try:
        blocks = json.loads(text)
    except ValueError:
        return []
    return blocks if isinstance(blocks, list) else []


def _drop(db: Database, waiting: QueuedPost, trouble: str) -> None:
    db.execute("UPDATE outbox SET state = 'sent', trouble = ? WHERE id = ?", (trouble, waiting.id))
    db.execute("DELETE FROM outbox_files WHERE key = ?", (waiting.post.key,))


def enqueue(db: Database, post: Post, now: datetime) -> bool:
    """Puts a post into the outbox inside a transaction of the caller's; False where its key was
    there already. A message that waits to be told anew is told as it is now, once.
    """
    if post.how is PostKind.EDIT:
        db.execute(
            "DELETE FROM outbox WHERE about = ? AND how = 'edit' AND key != ? "
            "AND (state = 'aside' OR (state = 'pending' AND attempts = 0))",
            (post.about, post.key),
        )
    row = (
        post.key,
        post.channel,
        post.text,
        json.dumps(list(post.blocks)),
        to_text(now),
        to_text(now),
        post.how.value,
        post.about or None,
    )
    sql = (
        "INSERT OR IGNORE INTO outbox (key, channel, text, blocks, queued_at, not_before, how, "
        "about, state, attempts) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'pending', 0)"
    )
    is_new = db.execute(sql, row).rowcount == 1
    if is_new and post.how is PostKind.FILE:
        db.execute(
            "INSERT INTO outbox_files (key, content) VALUES (?, ?)", (post.key, post.content)
        )
    return bool(is_new)


def enqueue_anew(db: Database, post: Post, now: datetime) -> None:
    """Puts a post into the outbox that is a new one also where its key was there already: its
    instant has come twice, since the clock was wrong the first time. The earlier post is kept under
    another key.
    """
    if enqueue(db, post, now):
        return
    for row in list(db.query("SELECT id FROM outbox WHERE key = ?", [post.key])):
        names = (f"{post.key}~{row['id']}", post.key)
        db.execute("UPDATE outbox SET key = ? WHERE key = ?", names)
        db.execute("UPDATE outbox SET about = ? WHERE about = ?", names)
        db.execute("UPDATE outbox_files SET key = ? WHERE key = ?", names)
        db.execute("UPDATE notices SET key = ? WHERE key = ?", names)
    enqueue(db, post, now)
