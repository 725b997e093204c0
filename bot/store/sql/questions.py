"""The record of who asked what."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import astuple

from bot.store.records import UNFINISHED, QuestionRecord, StoredResponseUrl
from bot.store.sql.claims import Claims
from bot.store.sql.database import Database, Row, Transaction, to_text
from providers.redaction import Secret

_COLUMNS = 'delivery, asked_at, "user", channel, command, text, via, outcome, took_ms, shown_ts'
# Most questions are finished within seconds; those that never are must not add up.
MOST_REMEMBERED = 1000


class SqlQuestions:
    def __init__(self, database: Database, claims: Claims) -> None:
        self._database = database
        self._claims = claims
        # Questions of this process for which neither a response URL nor a file is on record.
        self._without_details: set[str] = set()

    async def claim(self, asked: QuestionRecord) -> bool:
        sql = (
            f"INSERT INTO questions ({_COLUMNS}, owner) "  # noqa: S608
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (delivery) DO NOTHING"
        )
        row = (*_row(asked), self._claims.owner)
        is_claimed = await self._claims.write(lambda tx: tx.execute(sql, row) == 1)
        if is_claimed:
            if len(self._without_details) >= MOST_REMEMBERED:
                # One that is forgotten only costs `finish` two more statements.
                self._without_details.clear()
            self._without_details.add(asked.delivery)
        return is_claimed

    async def is_in_progress(self, delivery: str) -> bool:
        rows = await self._database.lookup(
            "SELECT 1 AS found FROM questions WHERE delivery = ? AND outcome = ? AND owner = ?",
            (delivery, UNFINISHED, self._claims.owner),
        )
        return bool(rows)

    async def finish(self, delivery: str, *, outcome: str, took_ms: int) -> None:
        is_alone = delivery in self._without_details

        def finish(tx: Transaction) -> None:
            # Another process that has taken it as interrupted has still to report it, and may end
            # before: nothing is changed, so that the next one reports it.
            owner = self._claims.owner
            finished = tx.execute(
                "UPDATE questions SET took_ms = ?, outcome = ? "
                "WHERE delivery = ? AND outcome != 'lost' AND coalesce(owner, ?) = ?",
                (took_ms, outcome, delivery, owner, owner),
            )
            if finished and not is_alone:
                tx.execute("DELETE FROM response_urls WHERE delivery = ?", (delivery,))
                tx.execute("DELETE FROM unsent_files WHERE delivery = ?", (delivery,))

        await self._database.write(finish)
        self._without_details.discard(delivery)

    async def save_response_url(
        self, delivery: str, kept: StoredResponseUrl, *, until: datetime
    ) -> None:
        sql = (
            "INSERT INTO response_urls (delivery, url, replace_original, thread_ts, until) "
            "VALUES (?, ?, ?, ?, ?) ON CONFLICT (delivery) DO UPDATE SET url = excluded.url, "
            "replace_original = excluded.replace_original, thread_ts = excluded.thread_ts, "
            "until = excluded.until"
        )
        self._without_details.discard(delivery)
        row = (delivery, kept.url.open(), int(kept.replace), kept.thread_ts, to_text(until))
        await self._database.execute(sql, row)

    async def take_response_url(self, delivery: str, *, now: datetime) -> StoredResponseUrl | None:
        def take(tx: Transaction) -> StoredResponseUrl | None:
            tx.execute("DELETE FROM response_urls WHERE until <= ?", (to_text(now),))
            rows = tx.query(
                "SELECT url, replace_original, thread_ts FROM response_urls WHERE delivery = ?",
                (delivery,),
            )
            tx.execute("DELETE FROM response_urls WHERE delivery = ?", (delivery,))
            for row in rows:
                return StoredResponseUrl(
                    Secret(row["url"]), bool(row["replace_original"]), row["thread_ts"]
                )
            return None

        return await self._database.write(take)

    async def note_shown(self, delivery: str, ts: str) -> None:
        await self._database.execute(
            "UPDATE questions SET shown_ts = ? WHERE delivery = ?", (ts, delivery)
        )

    async def note_files(self, delivery: str, names: Sequence[str]) -> None:
        sql = (
            "INSERT INTO unsent_files (delivery, names) VALUES (?, ?) "
            "ON CONFLICT (delivery) DO UPDATE SET names = excluded.names"
        )
        self._without_details.discard(delivery)
        await self._database.execute(sql, (delivery, "\n".join(names)))

    async def unsent_files(self, delivery: str) -> list[str]:
        rows = await self._database.read(
            "SELECT names FROM unsent_files WHERE delivery = ?", (delivery,)
        )
        return rows[0]["names"].split("\n") if rows else []

    async def take_interrupted(self, *, since: datetime, before: datetime) -> list[QuestionRecord]:
        # Versions before claims left no owner; their questions are those from before this start.
        found = (
            "outcome = 'asked' AND asked_at >= ? AND CASE WHEN owner IS NULL THEN asked_at < ? "
            f"ELSE owner != ? AND {self._claims.is_free()} END"
        )
        params = (to_text(since), to_text(before), self._claims.owner)

        def take(tx: Transaction) -> list[QuestionRecord]:
            rows = tx.query(
                f"SELECT {_COLUMNS} FROM questions WHERE {found} ORDER BY asked_at",  # noqa: S608
                params,
            )
            # Unfinished until it is reported: this process may end before.
            tx.execute(
                f"UPDATE questions SET owner = ? WHERE {found}",  # noqa: S608
                (self._claims.owner, *params),
            )
            return [_record(row) for row in rows]

        # There is none most of the time, and a read does not lock the database.
        interrupted = f"SELECT 1 AS found FROM questions WHERE {found} LIMIT 1"  # noqa: S608
        if not await self._database.read(interrupted, params):
            return []
        return await self._claims.write(take)

    async def leave(self, delivery: str) -> None:
        await self._database.execute(
            "UPDATE questions SET owner = '' WHERE delivery = ? AND outcome = ? AND owner = ?",
            (delivery, UNFINISHED, self._claims.owner),
        )

    async def interruption_reported(self, delivery: str) -> None:
        def lose(tx: Transaction) -> None:
            tx.execute(
                "UPDATE questions SET outcome = 'lost' WHERE delivery = ? AND outcome = ?",
                (delivery, UNFINISHED),
            )
            tx.execute("DELETE FROM unsent_files WHERE delivery = ?", (delivery,))

        await self._database.write(lose)

    async def offer_cancel(self, ticket: str, user: str) -> None:
        sql = (
            'INSERT INTO running_work (ticket, "user", owner, is_cancelled) VALUES (?, ?, ?, 0) '
            "ON CONFLICT (ticket) DO NOTHING"
        )
        row = (ticket, user, self._claims.owner)
        await self._claims.write(lambda tx: tx.execute(sql, row))

    async def request_cancel(self, ticket: str, user: str) -> bool:
        requested = await self._database.execute(
            'UPDATE running_work SET is_cancelled = 1 WHERE ticket = ? AND "user" = ? '  # noqa: S608
            f"AND NOT {self._claims.is_free()}",
            (ticket, user),
        )
        return requested == 1

    async def in_progress_of(self, user: str) -> list[str]:
        rows = await self._database.read(
            'SELECT delivery FROM questions WHERE outcome = ? AND "user" = ?', (UNFINISHED, user)
        )
        return [row["delivery"] for row in rows]

    async def note_answered(self, delivery: str) -> None:
        await self._database.execute(
            "UPDATE questions SET outcome = 'answered' WHERE delivery = ? AND outcome = ? "
            "AND delivery NOT IN (SELECT delivery FROM unsent_files)",
            (delivery, UNFINISHED),
        )

    async def in_progress_in(self, channel: str, thread_ts: str, *, before: datetime) -> list[str]:
        rows = await self._database.read(
            "SELECT delivery FROM questions WHERE outcome = ? AND channel = ? AND asked_at <= ? "
            "AND delivery IN (SELECT delivery FROM response_urls WHERE thread_ts = ?)",
            (UNFINISHED, channel, to_text(before), thread_ts),
        )
        return [row["delivery"] for row in rows]

    async def is_cancelled(self, ticket: str) -> bool:
        sql = "SELECT 1 AS found FROM running_work WHERE ticket = ? AND is_cancelled = 1"
        return bool(await self._database.read(sql, (ticket,)))

    async def can_be_cancelled(self, ticket: str) -> bool:
        rows = await self._database.read(
            "SELECT 1 AS found FROM running_work WHERE ticket = ? "  # noqa: S608
            f"AND NOT {self._claims.is_free()}",
            (ticket,),
        )
        return bool(rows)

    async def withdraw_cancel(self, ticket: str) -> None:
        await self._database.execute("DELETE FROM running_work WHERE ticket = ?", (ticket,))

    async def recent(self, user: str, most: int) -> list[QuestionRecord]:
        rows = await self._database.read(
            f"SELECT {_COLUMNS} FROM (SELECT *, row_number() OVER "  # noqa: S608
            "(PARTITION BY command, text ORDER BY asked_at DESC) AS place FROM questions "
            "WHERE \"user\" = ? AND outcome IN ('answered', 'partial')) AS own "
            "WHERE place = 1 ORDER BY asked_at DESC LIMIT ?",
            (user, most),
        )
        return [_record(row) for row in rows]

    async def latest(self, most: int = 100) -> list[QuestionRecord]:
        rows = await self._database.read(
            f"SELECT {_COLUMNS} FROM questions ORDER BY asked_at DESC, rowid DESC LIMIT ?",  # noqa: S608
            (most,),
        )
        return [_record(row) for row in rows]

    async def prune(self, *, before: datetime) -> None:
        await self._database.execute("DELETE FROM questions WHERE asked_at < ?", (to_text(before),))
        await self._database.execute(
            "DELETE FROM unsent_files WHERE delivery NOT IN (SELECT delivery FROM questions)"
        )
        await self._database.execute(
            f"DELETE FROM running_work WHERE {self._claims.is_free()}"  # noqa: S608 - constants
        )

    async def forget_expired_urls(self, now: datetime) -> None:
        await self._database.execute("DELETE FROM response_urls WHERE until <= ?", (to_text(now),))


def _row(asked: QuestionRecord) -> tuple[Any, ...]:
    """The values of _COLUMNS."""
    delivery, asked_at, *others = astuple(asked)
    return (delivery, to_text(asked_at), *others)


def _record(row: Row) -> QuestionRecord:
    return QuestionRecord(**{**row, "asked_at": datetime.fromisoformat(row["asked_at"])})
