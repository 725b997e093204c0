"""The record of who asked what."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bot.store.records import UNFINISHED, KeptResponseUrl, QuestionRecord
from bot.store.sql.database import Database, Row, Transaction, to_text
from providers.redaction import Secret

_COLUMNS = 'delivery, asked_at, "user", channel, command, text, via, outcome, took_ms, shown_ts'


class SqlQuestions:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, asked: QuestionRecord) -> bool:
        sql = (
            f"INSERT INTO questions ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "  # noqa: S608
            "ON CONFLICT (delivery) DO NOTHING"
        )
        return await self._database.execute(sql, _row(asked)) == 1

    async def finish(self, delivery: str, *, outcome: str, took_ms: int) -> None:
        def finish(tx: Transaction) -> None:
            tx.execute(
                "UPDATE questions SET outcome = ?, took_ms = ? WHERE delivery = ?",
                (outcome, took_ms, delivery),
            )
            tx.execute("DELETE FROM response_urls WHERE delivery = ?", (delivery,))

        await self._database.write(finish)

    async def keep_response_url(
        self, delivery: str, kept: KeptResponseUrl, *, until: datetime
    ) -> None:
        sql = (
            "INSERT INTO response_urls (delivery, url, replace_original, thread_ts, until) "
            "VALUES (?, ?, ?, ?, ?) ON CONFLICT (delivery) DO UPDATE SET url = excluded.url, "
            "replace_original = excluded.replace_original, thread_ts = excluded.thread_ts, "
            "until = excluded.until"
        )
        row = (delivery, kept.url.open(), int(kept.replace), kept.thread_ts, to_text(until))
        await self._database.execute(sql, row)

    async def take_response_url(self, delivery: str, *, now: datetime) -> KeptResponseUrl | None:
        def take(tx: Transaction) -> KeptResponseUrl | None:
            tx.execute("DELETE FROM response_urls WHERE until <= ?", (to_text(now),))
            rows = tx.query(
                "SELECT url, replace_original, thread_ts FROM response_urls WHERE delivery = ?",
                (delivery,),
            )
            tx.execute("DELETE FROM response_urls WHERE delivery = ?", (delivery,))
            for row in rows:
                return KeptResponseUrl(
                    Secret(row["url"]), bool(row["replace_original"]), row["thread_ts"]
                )
            return None

        return await self._database.write(take)

    async def note_shown(self, delivery: str, ts: str) -> None:
        await self._database.execute(
            "UPDATE questions SET shown_ts = ? WHERE delivery = ?", (ts, delivery)
        )

    async def take_interrupted(self, *, since: datetime, before: datetime) -> list[QuestionRecord]:
        def take(tx: Transaction) -> list[QuestionRecord]:
            found = "outcome = ? AND asked_at >= ? AND asked_at < ?"
            params = (UNFINISHED, to_text(since), to_text(before))
            rows = tx.query(
                f"SELECT {_COLUMNS} FROM questions WHERE {found} ORDER BY asked_at",  # noqa: S608
                params,
            )
            tx.execute(f"UPDATE questions SET outcome = 'lost' WHERE {found}", params)  # noqa: S608
            return [_record(row) for row in rows]

        return await self._database.write(take)

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

    async def forget_expired_urls(self, now: datetime) -> None:
        await self._database.execute("DELETE FROM response_urls WHERE until <= ?", (to_text(now),))


def _row(asked: QuestionRecord) -> tuple[Any, ...]:
    values = {name: getattr(asked, name) for name in QuestionRecord.__slots__}
    return tuple({**values, "asked_at": to_text(asked.asked_at)}.values())


def _record(row: Row) -> QuestionRecord:
    return QuestionRecord(**{**row, "asked_at": datetime.fromisoformat(row["asked_at"])})
