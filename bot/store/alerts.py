"""How it stands with alerts, what was told of them, what was watched, and what people have made and
silenced in chat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlite_utils import Database

from bot.store.posts import Post, enqueue_anew
from bot.store.sqlite import Store, to_text


@dataclass(frozen=True, slots=True)
class Sample:
    """What one look at a rule, or at one of its subjects, found; None where there was nothing to be
    found.
    """

    at: datetime
    value: float | None
    state: str


class EvaluationRecord(msgspec.Struct, frozen=True, gc=False):
    """What came of one evaluation: the standing (as `state`, `since`, `value` for people, and whole
    as JSON in `watch`), the samples by subject, what there is to tell, and the reason for it. `due`
    is the instant it was due, `at` the one it was judged.
    """

    alert: str
    definition: str
    due: datetime
    at: datetime
    state: str
    since: datetime | None
    value: float | None
    watch: bytes
    samples: Sequence[tuple[str, float | None, str]] = ()
    posts: Sequence[Post] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class OpenIncident:
    """How it stood with an alert when it was judged last, as JSON, and where its message stands."""

    alert: str
    definition: str
    watch: bytes
    channel: str


@dataclass(frozen=True, slots=True)
class Silence:
    """Quiet for one alert, as somebody has asked for it."""

    number: int
    alert: str
    start: datetime
    end: datetime
    comment: str
    user: str

    def covers(self, alert: str, now: datetime) -> bool:
        return self.alert == alert and self.start <= now < self.end


@dataclass(frozen=True, slots=True)
class StoredRule:
    """A rule that was made in chat; `rule` is the rule as JSON."""

    number: int
    name: str
    command: str
    channel: str
    rule: str
    user: str
    made_at: datetime


class Alerts:
    """Alerts in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._series: dict[tuple[str, str], int] = {}

    async def watch(self, alert: str, definition: str) -> bytes | None:
        """How it stood at the last evaluation, as JSON; None where it was never looked at or
        watched something else.
        """
        rows = await self._store.read(
            "SELECT watch FROM alerts WHERE name = ? AND definition = ?", (alert, definition)
        )
        return str(rows[0]["watch"]).encode() if rows else None

    async def open_incidents(self) -> list[OpenIncident]:
        """Every alert that was ever judged, and the channel of the message that it has open."""
        rows = await self._store.read(
            (
                "SELECT name, definition, watch, channel FROM alerts LEFT JOIN outbox ON "
                "outbox.key = json_extract(watch, '$.incident')"
            ),
            (),
        )
        return [
            OpenIncident(r["name"], r["definition"], str(r["watch"]).encode(), r["channel"])
            for r in rows
            if r["channel"]
        ]

    async def last_handled_at(self, alert: str, definition: str, *, now: datetime) -> datetime:
        """The instant for which it was judged last; now where it never was."""
        rows = await self._store.read(
            "SELECT due FROM alerts WHERE name = ? AND definition = ?", (alert, definition)
        )
        return datetime.fromisoformat(rows[0]["due"]) if rows else now

    async def save_evaluations(self, several: Sequence[EvaluationRecord]) -> list[bool]:
        """Writes down what came of evaluations and what there is to tell of them, in one
        transaction. False for each whose instant somebody else has judged already, of which nothing
        is written.
        """

        def write(db: Database) -> list[bool]:
            fresh = [self._is_first(db, judged) for judged in several]
            first = [judged for judged, is_first in zip(several, fresh, strict=True) if is_first]
            _stand(db, first)
            for judged in first:
                _tell(db, judged)
            return fresh

        try:
            return await self._store.write(write)
        except BaseException:
            # A series may have been given its number in what was just taken back.
            self._series.clear()
            raise

    async def told(self, judged: EvaluationRecord) -> None:
        """What a person has said of an alert between two evaluations: its standing and what there
        is to tell, together.
        """

        def write(db: Database) -> None:
            standing = (judged.watch.decode(), judged.state, judged.alert)
            db.execute("UPDATE alerts SET watch = ?, state = ? WHERE name = ?", standing)
            _tell(db, judged)

        await self._store.write(write)

    async def samples(
        self, alert: str, definition: str, *, since: datetime, until: datetime
    ) -> list[Sample]:
        """What was found in a time, the oldest first."""
        rows = await self._store.read(
            "SELECT at, value, state FROM samples WHERE series = (SELECT id FROM series WHERE "
            "name = ? AND definition = ?) "
            "AND at >= ? AND at < ? ORDER BY at",
            (alert, definition, to_text(since), to_text(until)),
        )
        return [
            Sample(datetime.fromisoformat(row["at"]), row["value"], row["state"]) for row in rows
        ]

    async def add_rule(
        self, *, name: str, command: str, channel: str, rule: str, user: str, now: datetime
    ) -> StoredRule | None:
        """The rule as it is kept; None where one of that name is there already."""

        def add(db: Database) -> StoredRule | None:
            taken = {
                row["name"].lower()
                for row in db.query("SELECT name FROM rules WHERE ended_at IS NULL")
            }
            if name.lower() in taken:
                return None
            values = (name, command, channel, rule, user, to_text(now))
            done = db.execute(
                (
                    "INSERT INTO rules (name, command, channel, rule, user, made_at) VALUES (?, "
                    "?, ?, ?, ?, ?)"
                ),
                values,
            )
            return StoredRule(int(done.lastrowid or 0), name, command, channel, rule, user, now)

        return await self._store.write(add)

    async def names_ever(self) -> set[str]:
        """The names of all rules that were ever made in chat, so that a name given by us is not
        given twice.
        """
        return {row["name"] for row in await self._store.read("SELECT name FROM rules", ())}

    async def change_rule(self, number: int, *, rule: str, user: str, now: datetime) -> None:
        """The same rule, saying something else; who changed it last stands beside it."""
        sql = "UPDATE rules SET rule = ?, user = ?, made_at = ? WHERE number = ?"
        await self._store.write(lambda db: db.execute(sql, (rule, user, to_text(now), number)))

    async def end_rule(self, number: int, *, user: str, now: datetime) -> None:
        """It is kept for the record; how it stood is forgotten."""

        def end(db: Database) -> None:
            db.execute(
                "UPDATE rules SET ended_at = ?, ended_by = ? WHERE number = ?",
                (to_text(now), user, number),
            )
            db.execute(
                "DELETE FROM alerts WHERE name = (SELECT name FROM rules WHERE number = ?)",
                (number,),
            )

        await self._store.write(end)

    async def rules(self) -> list[StoredRule]:
        rows = await self._store.read(
            (
                "SELECT number, name, command, channel, rule, user, made_at FROM rules WHERE "
                "ended_at IS NULL ORDER BY number"
            ),
            (),
        )
        return [
            StoredRule(**{**row, "made_at": datetime.fromisoformat(row["made_at"])}) for row in rows
        ]

    async def silence(
        self, alert: str, *, end: datetime, comment: str, user: str, now: datetime
    ) -> Silence:
        """Quiet from now on. One that is there already ends with this, and is kept for
        the record.
        """

        def add(db: Database) -> Silence:
            _end_silences(db, alert, user, now)
            values = (alert, to_text(now), to_text(end), comment, user)
            done = db.execute(
                "INSERT INTO silences (alert, start, end, comment, user) VALUES (?, ?, ?, ?, ?)",
                values,
            )
            return Silence(int(done.lastrowid or 0), alert, now, end, comment, user)

        return await self._store.write(add)

    async def unsilence(self, alert: str, *, user: str, now: datetime) -> bool:
        """True where there was a silence, which has ended now."""
        return await self._store.write(lambda db: _end_silences(db, alert, user, now))

    async def states(self) -> dict[str, str]:
        """The state of each alert when it was evaluated last, by name."""
        return {
            row["name"]: row["state"]
            for row in await self._store.read("SELECT name, state FROM alerts", ())
        }

    async def silences(self, now: datetime) -> list[Silence]:
        """Those that hold now."""
        rows = await self._store.read(
            (
                "SELECT number, alert, start, end, comment, user FROM silences WHERE ended_at IS "
                "NULL AND end > ? ORDER BY number"
            ),
            (to_text(now),),
        )
        times = [
            (datetime.fromisoformat(row["start"]), datetime.fromisoformat(row["end"]))
            for row in rows
        ]
        return [
            Silence(row["number"], row["alert"], start, end, row["comment"] or "", row["user"])
            for row, (start, end) in zip(rows, times, strict=True)
        ]

    async def prune(self, now: datetime) -> None:
        """Deletes samples and notices that are older than the retention says. Silences and rules
        stay for the record.
        """

        def prune(db: Database) -> None:
            kept = self._store.retention
            db.execute("DELETE FROM samples WHERE at < ?", (to_text(now - kept.samples),))
            db.execute("DELETE FROM notices WHERE at < ?", (to_text(now - kept.notices),))

        await self._store.write(prune)

    def _is_first(self, db: Database, judged: EvaluationRecord) -> bool:
        """Whether this instant is judged for the first time; its samples are then written."""
        at = to_text(judged.due)
        row = (self._series_of(db, judged.alert, judged.definition), at, judged.value, judged.state)
        if (
            db.execute(
                "INSERT OR IGNORE INTO samples (series, at, value, state) VALUES (?, ?, ?, ?)", row
            ).rowcount
            != 1
        ):
            return False
        for subject, value, state in judged.samples:
            series = self._series_of(db, f"{judged.alert}/{subject}", judged.definition)
            db.execute(
                "INSERT OR IGNORE INTO samples (series, at, value, state) VALUES (?, ?, ?, ?)",
                (series, at, value, state),
            )
        return True

    def _series_of(self, db: Database, name: str, definition: str) -> int:
        known = self._series.get((name, definition))
        if known is None:
            db.execute(
                "INSERT OR IGNORE INTO series (name, definition) VALUES (?, ?)", (name, definition)
            )
            [(known,)] = db.execute(
                "SELECT id FROM series WHERE name = ? AND definition = ?", (name, definition)
            ).fetchall()
            self._series[name, definition] = known
        return known


def _stand(db: Database, several: Sequence[EvaluationRecord]) -> None:
    rows: list[Any] = [
        (
            judged.alert,
            judged.definition,
            judged.state,
            to_text(judged.since) if judged.since else None,
            judged.value,
            to_text(judged.due),
            judged.watch.decode(),
        )
        for judged in several
    ]
    db.conn.executemany(
        "INSERT INTO alerts (name, definition, state, since, value, due, watch) VALUES (?, ?, ?, "
        "?, ?, ?, ?) ON CONFLICT (name) DO UPDATE "
        "SET definition = excluded.definition, state = excluded.state, since = excluded.since, "
        "value = excluded.value, "
        "due = excluded.due, watch = excluded.watch",
        rows,
    )


def _tell(db: Database, judged: EvaluationRecord) -> None:
    """What there is to tell goes into the outbox, and why into the record."""
    for post in judged.posts:
        enqueue_anew(db, post, judged.at)
    if judged.reason:
        row = (
            judged.alert,
            to_text(judged.at),
            judged.reason,
            judged.posts[-1].key if judged.posts else None,
        )
        db.execute(
            "INSERT OR IGNORE INTO notices (alert, at, reason, key) VALUES (?, ?, ?, ?)", row
        )


def _end_silences(db: Database, alert: str, user: str, now: datetime) -> bool:
    ended = (
        "UPDATE silences SET ended_at = ?, ended_by = ? WHERE alert = ? AND ended_at IS NULL AND "
        "end > ?"
    )
    return bool(db.execute(ended, (to_text(now), user, alert, to_text(now))).rowcount)
