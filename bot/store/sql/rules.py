"""Alert rules and silences made in chat."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.store.errors import RuleChanged
from bot.store.records import NewSilence, Post, RuleEdit, Silence, StoredRule, Topic
from bot.store.sql.changes import record_change
from bot.store.sql.database import Database, Transaction, to_text
from bot.store.sql.outbox import enqueue_all

# Longer than other processes take to read a change, and than their clocks may differ.
KNOWN_WITHIN = timedelta(seconds=10)


class SqlRules:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_rule(
        self, *, name: str, command: str, channel: str, rule: str, user: str, now: datetime
    ) -> StoredRule | None:
        def add(tx: Transaction) -> StoredRule | None:
            # Compared here, because databases do not agree on the lower case of letters beyond
            # ASCII.
            active = tx.query("SELECT name FROM rules WHERE ended_at IS NULL")
            if name.lower() in {row["name"].lower() for row in active}:
                return None
            [row] = tx.query(
                'INSERT INTO rules (name, command, channel, rule, "user", made_at) '
                "VALUES (?, ?, ?, ?, ?, ?) RETURNING number",
                (name, command, channel, rule, user, to_text(now)),
            )
            tx.execute("DELETE FROM evaluation_claims WHERE alert = ? AND owner = ''", (name,))
            record_change(tx, Topic.RULES)
            return StoredRule(row["number"], name, command, channel, rule, user, now)

        return await self._database.write(add)

    async def names_ever(self) -> set[str]:
        return {row["name"] for row in await self._database.read("SELECT name FROM rules")}

    async def edit_rule(self, edit: RuleEdit, posts: Sequence[Post] = ()) -> None:
        def change(tx: Transaction) -> None:
            edit_rule(tx, edit)
            enqueue_all(tx, posts, edit.now)

        await self._database.write(change)

    async def rules(self) -> list[StoredRule]:
        rows = await self._database.read(
            'SELECT number, name, command, channel, rule, "user", made_at FROM rules '
            "WHERE ended_at IS NULL ORDER BY number"
        )
        return [
            StoredRule(**{**row, "made_at": datetime.fromisoformat(row["made_at"])}) for row in rows
        ]


class SqlSilences:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def silence(self, new: NewSilence, posts: Sequence[Post] = ()) -> Silence:
        def add(tx: Transaction) -> Silence:
            enqueue_all(tx, posts, new.start)
            return add_silence(tx, new)

        return await self._database.write(add)

    async def unsilence(
        self,
        silence: Silence,
        posts: Sequence[Post] = (),
        *,
        user: str,
        now: datetime,
        rule: StoredRule | None = None,
    ) -> bool:
        def end(tx: Transaction) -> bool:
            _require_same(tx, rule)
            is_ended = _end_silences(tx, silence.alert, user, now, number=silence.number)
            if is_ended:
                enqueue_all(tx, posts, now)
                record_change(tx, Topic.SILENCES)
            return is_ended

        return await self._database.write(end)

    async def silences(self, now: datetime) -> list[Silence]:
        rows = await self._database.read(
            'SELECT number, alert, start, "end", comment, "user" FROM silences '
            'WHERE ended_at IS NULL AND "end" > ? ORDER BY number',
            (to_text(now),),
        )
        return [
            Silence(
                row["number"],
                row["alert"],
                start=datetime.fromisoformat(row["start"]),
                end=datetime.fromisoformat(row["end"]),
                comment=row["comment"] or "",
                user=row["user"],
            )
            for row in rows
        ]


def add_silence(tx: Transaction, new: NewSilence) -> Silence:
    """Makes a silence in the caller's transaction. Raises RuleChanged."""
    _require_same(tx, new.rule)
    _end_silences(tx, new.alert, new.user, new.start)
    [row] = tx.query(
        'INSERT INTO silences (alert, start, "end", comment, "user") '
        "VALUES (?, ?, ?, ?, ?) RETURNING number",
        (new.alert, to_text(new.start), to_text(new.end), new.comment, new.user),
    )
    record_change(tx, Topic.SILENCES)
    return Silence(row["number"], new.alert, new.start, new.end, new.comment, new.user)


def edit_rule(tx: Transaction, edit: RuleEdit) -> None:
    """Changes or ends a rule in the caller's transaction. Raises RuleChanged."""
    now = to_text(edit.now)
    if edit.rule is not None:
        new = 'rule = ?, "user" = ?, made_at = ?'
        _write_rule(tx, edit.before, new, edit.rule, edit.user, now)
        return
    _write_rule(tx, edit.before, "ended_at = ?, ended_by = ?", now, edit.user)
    alert = edit.before.name
    _forget_state(tx, alert, edit.now)
    # A new rule of the same name must not start silenced.
    if _end_silences(tx, alert, edit.user, edit.now):
        record_change(tx, Topic.SILENCES)


def _write_rule(tx: Transaction, before: StoredRule, new: str, *values: str) -> None:
    """Sets columns of a rule. Raises RuleChanged if it is no longer as it was before."""
    changed = tx.execute(
        f"UPDATE rules SET {new} "  # noqa: S608 - constants
        'WHERE number = ? AND ended_at IS NULL AND rule = ? AND "user" = ?',
        (*values, before.number, before.rule, before.user),
    )
    if not changed:
        raise RuleChanged
    record_change(tx, Topic.RULES)


def _forget_state(tx: Transaction, alert: str, now: datetime) -> None:
    """Deletes the state of an alert whose rule has ended."""
    tx.execute("DELETE FROM alerts WHERE name = ?", (alert,))
    tx.execute("DELETE FROM overtaken_evaluations WHERE alert = ?", (alert,))
    # Other processes learn of it in a moment. Until then they must not evaluate an alert whose
    # incident was closed: it would fire anew.
    tx.execute(
        "INSERT INTO evaluation_claims (alert, due, owner) VALUES (?, ?, '') "
        "ON CONFLICT (alert) DO UPDATE SET due = excluded.due, owner = excluded.owner",
        (alert, to_text(now + KNOWN_WITHIN)),
    )


def _require_same(tx: Transaction, rule: StoredRule | None) -> None:
    """Raises RuleChanged if a rule was deleted, or has passed to somebody else."""
    if rule is None:
        return
    found = tx.query(
        'SELECT "user" FROM rules WHERE number = ? AND ended_at IS NULL', (rule.number,)
    )
    if [row["user"] for row in found] != [rule.user]:
        raise RuleChanged


def _end_silences(
    tx: Transaction, alert: str, user: str, now: datetime, *, number: int | None = None
) -> bool:
    """Whether a silence of the alert was ended: any, or the one of that number."""
    which = "" if number is None else " AND number = ?"
    ended = tx.execute(
        "UPDATE silences SET ended_at = ?, ended_by = ? "  # noqa: S608 - constants
        f'WHERE alert = ? AND ended_at IS NULL AND "end" > ?{which}',
        (to_text(now), user, alert, to_text(now), *([] if number is None else [number])),
    )
    return bool(ended)
