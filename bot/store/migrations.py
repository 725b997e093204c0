"""The tables, step by step. A step once released is never edited; a change is a new step."""

from __future__ import annotations

from sqlite_utils import Database, Migrations

steps = Migrations("opswatch")


@steps(name="0001_questions")
def questions(db: Database) -> None:
    db.table("questions").create(
        {
            "delivery": str,
            "asked_at": str,
            "user": str,
            "channel": str,
            "command": str,
            "text": str,
            "via": str,
            "outcome": str,
            "took_ms": int,
        },
        pk="delivery",
        not_null={"delivery", "asked_at", "user", "channel", "command", "text", "via", "outcome"},
    )
    db.table("questions").create_index(["user", "asked_at"])


@steps(name="0002_answers")
def answers(db: Database) -> None:
    db.table("answers").create(
        {"ticket": str, "kept_at": str, "user": str, "channel": str, "text": str, "blocks": str},
        pk="ticket",
        not_null={"ticket", "kept_at", "user", "channel", "text", "blocks"},
    )


@steps(name="0003_budgets")
def budgets(db: Database) -> None:
    """Requests and bytes by limit; what a vendor said remains; what must not be tried before a time. Keys are fingerprints."""
    db.table("spends").create(
        {"id": int, "key": str, "at": str, "bytes": int, "settled": int}, pk="id", not_null={"key", "at", "bytes", "settled"}
    )
    db.table("spends").create_index(["key", "at"])
    db.table("budgets").create(
        {"key": str, "asked_at": str, "answered_at": str, "resets_at": str, "requests": int, "bytes": int},
        pk="key",
        not_null={"key", "asked_at", "answered_at", "resets_at"},
    )
    db.table("holds").create({"key": str, "until": str, "why": str}, pk="key", not_null={"key", "until", "why"})
