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
