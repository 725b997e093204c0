"""The store on SQLite, by sqlite-utils, on one thread of its own.

A connection belongs to its thread, and a deferred transaction that reads before it writes fails
under contention, so a write of more than one statement opens with BEGIN IMMEDIATE on the one writer
thread.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import stamina
from sqlite_utils import Database

from bot.answer import Block
from bot.retention import DEFAULT_RETENTION, Retention
from bot.store.condition import DatabaseFile, make_private
from bot.store.migrations import steps
from providers.redaction import Secret

T = TypeVar("T")
UNFINISHED = "asked"
BUSY_S = 10.0


class StoreError(Exception):
    """The database cannot be used; one sentence says why."""


@dataclass(frozen=True, slots=True)
class QuestionRecord:
    """A question as it is recorded: who, what, where, when, and how it ended."""

    delivery: str
    asked_at: datetime
    user: str
    channel: str
    command: str
    text: str
    via: str
    outcome: str = UNFINISHED
    took_ms: int | None = None
    shown_ts: str | None = None


@dataclass(frozen=True, slots=True)
class KeptResponseUrl:
    """How to reach who asked a question that is being worked on. `replace` where the message that
    it made says that work goes on.
    """

    url: Secret
    replace: bool
    thread_ts: str


_COLUMNS = QuestionRecord.__slots__
_CLAIM = f"INSERT OR IGNORE INTO questions ({', '.join(_COLUMNS)}) VALUES ({', '.join(f':{name}' for name in _COLUMNS)})"  # noqa: S608


class Store:
    """State with async methods; all SQL is in here."""

    def __init__(self, path: Path, retention: Retention = DEFAULT_RETENTION) -> None:
        self._path, self.retention = path, retention
        self._file = DatabaseFile(path)
        self._probe: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._db: Database
        self._wanted: list[_Wanted] = []
        self._busy = False

    @classmethod
    async def open(
        cls, path: Path, *, now: datetime, retention: Retention = DEFAULT_RETENTION
    ) -> Store:
        """The store at `path`, created and migrated where needed. Raises StoreError and changes
        nothing where it is no database of ours. `retention` is for whoever prunes it.
        """
        store = cls(path, retention)
        try:
            await store._run(lambda: store._prepare(now))
        except (sqlite3.Error, OSError) as error:
            store._thread.shutdown(wait=False)
            raise StoreError(f"The database {path} cannot be used: {error}.") from None
        except StoreError:
            store._thread.shutdown(wait=False)
            raise
        return store

    async def close(self) -> None:
        await self._run(lambda: self._db.close())
        self._thread.shutdown(wait=True)

    def size(self) -> int:
        """The bytes of the database on the disk, with its write-ahead log."""
        return sum(
            path.stat().st_size
            for path in (self._path, self._path.with_name(f"{self._path.name}-wal"))
            if path.exists()
        )

    async def works(self, *, within_s: float = 2.0) -> bool:
        """Whether the database can be read and written."""
        return not await self.trouble(within_s=within_s)

    async def trouble(self, *, within_s: float = 2.0) -> str:
        """Why the database cannot be used, in a sentence; empty where it can. It is written to, and
        read through now and then.
        """
        try:
            await asyncio.wait_for(asyncio.shield(self._probing()), within_s)
            damage = await asyncio.wait_for(asyncio.to_thread(self._file.damage), within_s)
        except TimeoutError:
            return f"The database does not answer within {within_s:g} s."
        except (sqlite3.Error, OSError, RuntimeError) as error:
            return f"The database cannot be used: {error}."
        return f"The database is damaged: {damage}." if damage else ""

    def _probing(self) -> asyncio.Task[None]:
        """The one attempt to write that is under way, however many want to know."""
        if self._probe is None or self._probe.done():
            self._probe = asyncio.create_task(self.write(_probe))
            self._probe.add_done_callback(lambda done: done.cancelled() or done.exception())
        return self._probe

    async def claim_question(self, asked: QuestionRecord) -> bool:
        """Writes the question down. False where this delivery is known already, and so must have no
        second effect.
        """
        return (
            await self._change(_CLAIM, {**_plain(asked), "asked_at": to_text(asked.asked_at)}) == 1
        )

    async def finish_question(self, delivery: str, *, outcome: str, took_ms: int) -> None:
        """Notes how a question ended: `answered`, `partial`, `help`, `cancelled`, `lost` in a
        crash, or the kind of its error.
        """

        def finish(db: Database) -> None:
            db.execute(
                "UPDATE questions SET outcome = ?, took_ms = ? WHERE delivery = ?",
                (outcome, took_ms, delivery),
            )
            db.execute("DELETE FROM response_urls WHERE delivery = ?", (delivery,))

        await self.write(finish)

    async def keep_response_url(
        self, delivery: str, kept: KeptResponseUrl, *, until: datetime
    ) -> None:
        """Keeps how to reach an asker until the question has ended, or the URL is of no use any
        more.
        """
        await self._change(
            (
                "INSERT OR REPLACE INTO response_urls (delivery, url, replace_original, "
                "thread_ts, until) VALUES (?, ?, ?, ?, ?)"
            ),
            (delivery, kept.url.open(), int(kept.replace), kept.thread_ts, to_text(until)),
        )

    async def take_response_url(self, delivery: str, *, now: datetime) -> KeptResponseUrl | None:
        """What was kept for that question, which can be taken once. All that is of no use any more
        is forgotten.
        """

        def take(db: Database) -> KeptResponseUrl | None:
            db.execute("DELETE FROM response_urls WHERE until <= ?", (to_text(now),))
            rows = list(
                db.query(
                    "SELECT url, replace_original, thread_ts FROM response_urls WHERE delivery = ?",
                    [delivery],
                )
            )
            db.execute("DELETE FROM response_urls WHERE delivery = ?", (delivery,))
            return (
                KeptResponseUrl(
                    Secret(rows[0]["url"]), bool(rows[0]["replace_original"]), rows[0]["thread_ts"]
                )
                if rows
                else None
            )

        return await self.write(take)

    async def note_shown(self, delivery: str, ts: str) -> None:
        """Notes the message that says that work on a question goes on."""
        await self._change("UPDATE questions SET shown_ts = ? WHERE delivery = ?", (ts, delivery))

    async def take_unfinished(self, *, since: datetime, before: datetime) -> list[QuestionRecord]:
        """The questions of that time that never came to an end, for whoever wants to tell their
        askers; each is given out once.
        """

        def take(db: Database) -> list[QuestionRecord]:
            found = "outcome = ? AND asked_at >= ? AND asked_at < ?"
            params = (UNFINISHED, to_text(since), to_text(before))
            rows = list(
                db.query(f"SELECT * FROM questions WHERE {found} ORDER BY asked_at", params)  # noqa: S608
            )
            db.execute(f"UPDATE questions SET outcome = 'lost' WHERE {found}", params)  # noqa: S608
            return [_asked(row) for row in rows]

        return await self.write(take)

    async def recent_questions(self, user: str, most: int) -> list[QuestionRecord]:
        """A person's latest questions that were answered, the newest first, each line once."""
        rows = await self.read(
            "SELECT *, max(asked_at) FROM questions WHERE user = ? AND outcome IN ('answered', "
            "'partial') "
            "GROUP BY command, text ORDER BY max(asked_at) DESC LIMIT ?",
            (user, most),
        )
        return [_asked(row) for row in rows]

    async def questions(self, most: int = 100) -> list[QuestionRecord]:
        """The record of who asked what, the newest first."""
        rows = await self.read(
            "SELECT * FROM questions ORDER BY asked_at DESC, rowid DESC LIMIT ?", (most,)
        )
        return [_asked(row) for row in rows]

    async def keep_answer(
        self,
        ticket: str,
        *,
        user: str,
        channel: str,
        text: str,
        blocks: Sequence[Block],
        now: datetime,
    ) -> None:
        """Keeps a private answer for a while, so that its asker may share it."""
        row = {
            "ticket": ticket,
            "kept_at": to_text(now),
            "user": user,
            "channel": channel,
            "text": text,
            "blocks": json.dumps(blocks),
        }

        def keep(db: Database) -> None:
            db.execute(
                "DELETE FROM answers WHERE kept_at < ?", (to_text(now - self.retention.answers),)
            )
            db.table("answers").insert(row)

        await self.write(keep)

    async def answer_kept_at(self, ticket: str) -> datetime | None:
        """Since when an answer is kept; None where it is not."""
        rows = await self.read("SELECT kept_at FROM answers WHERE ticket = ?", (ticket,))
        return datetime.fromisoformat(rows[0]["kept_at"]) if rows else None

    async def prune(self, now: datetime) -> None:
        """Deletes questions and private answers that are older than the retention says."""

        def prune(db: Database) -> None:
            kept = self.retention
            db.execute("DELETE FROM answers WHERE kept_at < ?", (to_text(now - kept.answers),))
            db.execute("DELETE FROM questions WHERE asked_at < ?", (to_text(now - kept.questions),))

        await self.write(prune)

    async def take_answer(
        self, ticket: str, *, user: str, channel: str | None = None, now: datetime | None = None
    ) -> tuple[str, list[Block]] | None:
        """The kept answer of this person, which can be taken once: as long as it is kept at `now`, and
        for its `channel`, where these are given.
        """

        def take(db: Database) -> tuple[str, list[Block]] | None:
            oldest = to_text(now - self.retention.answers) if now else ""
            sql = (
                "SELECT text, blocks FROM answers WHERE ticket = ? AND user = ? AND kept_at >= ? "
                "AND channel = coalesce(?, channel)"
            )
            rows = list(db.query(sql, [ticket, user, oldest, channel]))
            if not rows:
                return None
            db.execute("DELETE FROM answers WHERE ticket = ? AND user = ?", (ticket, user))
            return (rows[0]["text"], json.loads(rows[0]["blocks"])) if rows else None

        return await self.write(take)

    async def kept_answer(
        self, begins: str, *, user: str, now: datetime | None = None
    ) -> tuple[str, str, list[Block]] | None:
        """The ticket, words and blocks of the kept answer of this person whose ticket begins so; it
        stays.
        """
        rows = await self.read(
            (
                "SELECT ticket, text, blocks FROM answers WHERE user = ? AND substr(ticket, 1, ?) "
                "= ? AND kept_at >= ?"
            ),
            (user, len(begins), begins, to_text(now - self.retention.answers) if now else ""),
        )
        return (rows[0]["ticket"], rows[0]["text"], json.loads(rows[0]["blocks"])) if rows else None

    def _prepare(self, now: datetime) -> None:
        folder = self._path.parent
        if not folder.is_dir():
            raise StoreError(
                f"The database {self._path} cannot be used: there is no folder {folder}."
            )
        make_private(self._path)
        connection = sqlite3.connect(self._path, isolation_level=None, timeout=BUSY_S)
        try:
            _switch_to_wal(connection)
            connection.execute("PRAGMA synchronous = NORMAL")
            self._db = Database(connection)
            self._refuse_newer()
            connection.execute("BEGIN IMMEDIATE")
            steps.apply(self._db)
            self._db.execute("DELETE FROM response_urls WHERE until <= ?", (to_text(now),))
            if connection.in_transaction:
                connection.execute("COMMIT")
            self._file.remember()
        except BaseException:
            connection.close()
            raise

    def _refuse_newer(self) -> None:
        """A database that knows steps we do not was written by a later version."""
        if "_sqlite_migrations" not in self._db.table_names():
            return
        rows = self._db.execute(
            "SELECT name FROM _sqlite_migrations WHERE migration_set = ?", (steps.name,)
        )
        unknown = {name for (name,) in rows} - {step.name for step in steps._migrations}
        if unknown:
            raise StoreError(
                f"The database {self._path.name} was written by a newer version "
                f"({', '.join(sorted(unknown))})."
            )

    async def write(self, work: Callable[[Database], T]) -> T:
        """What `work` gives, done in one immediate transaction of its own; an error takes all of it
        back.
        """

        def transaction() -> T:
            self._file.require_same()
            self._db.execute("BEGIN IMMEDIATE")
            try:
                result = work(self._db)
            except BaseException:
                # A full disk has taken everything back by itself.
                if self._db.conn.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
            return result

        return await self._run(transaction)

    async def _change(self, sql: str, params: Sequence[Any] | dict[str, Any]) -> int:
        """How many rows a statement changed, which is a transaction of its own."""

        def change() -> int:
            self._file.require_same()
            return self._db.execute(sql, params).rowcount

        return await self._run(change)

    async def read(self, sql: str, params: Sequence[Any]) -> list[dict[str, Any]]:
        """The rows of a query."""
        return await self._run(lambda: list(self._db.query(sql, list(params))))

    async def _run(self, work: Callable[[], T]) -> T:
        """What `work` gives, done on the thread. What is wanted while the thread is busy is handed
        over together, for waking a thread costs more than most statements.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        self._wanted.append((work, done))
        if not self._busy:
            self._hand_over(loop)
        return await done

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        wanted, self._wanted = self._wanted, []
        try:
            self._thread.submit(self._do, wanted, loop)
        except RuntimeError:
            # Closed meanwhile: whoever still wants something is told, for nobody may wait for ever.
            self._tell(
                [
                    (done, None, sqlite3.ProgrammingError("the database is closed"))
                    for _, done in wanted
                ],
                loop,
            )
            return
        self._busy = True

    def _do(self, wanted: list[_Wanted], loop: asyncio.AbstractEventLoop) -> None:
        """On the thread: one after the other, each with an end of its own."""
        ends = [(done, *_run_catching(work)) for work, done in wanted]
        loop.call_soon_threadsafe(self._tell, ends, loop)

    def _tell(self, ends: list[_End], loop: asyncio.AbstractEventLoop) -> None:
        self._busy = False
        if self._wanted:
            self._hand_over(loop)
        for done, result, error in ends:
            if not done.done():
                done.set_exception(error) if error else done.set_result(result)


_Wanted = tuple[Callable[[], Any], "asyncio.Future[Any]"]
_End = tuple["asyncio.Future[Any]", Any, BaseException | None]


def _probe(db: Database) -> None:
    """Takes a few pages and gives them back, so that a full disk shows itself."""
    db.execute("INSERT OR REPLACE INTO outbox_files (key, content) VALUES ('', zeroblob(20000))")
    db.execute("DELETE FROM outbox_files WHERE key = ''")


def _run_catching(work: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    try:
        return work(), None
    except BaseException as error:
        return None, error


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Write-ahead logging. SQLite does not wait its time-out out where two switch at once, so this
    asks again.
    """
    for attempt in stamina.retry_context(
        on=_is_busy,
        attempts=None,
        timeout=BUSY_S,
        wait_initial=0.01,
        wait_max=0.2,
        wait_jitter=0.05,
    ):
        with attempt:
            connection.execute("PRAGMA journal_mode = WAL")


def _is_busy(error: Exception) -> bool:
    """True where somebody else holds the database; the low byte is the primary error code."""
    return (
        isinstance(error, sqlite3.OperationalError)
        and error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
    )


def _plain(asked: QuestionRecord) -> dict[str, Any]:
    return {name: getattr(asked, name) for name in QuestionRecord.__slots__}


def _asked(row: dict[str, Any]) -> QuestionRecord:
    known = {name: row[name] for name in QuestionRecord.__slots__}
    return QuestionRecord(**{**known, "asked_at": datetime.fromisoformat(row["asked_at"])})


@lru_cache(maxsize=256)
def to_text(moment: datetime) -> str:
    """An instant as it stands in the tables: ISO-8601 in UTC with milliseconds, so that text sorts
    as time.
    """
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")
