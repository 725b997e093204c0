"""The names of the migrations, so that an up-to-date database is opened without importing them and
the library they are written with.
"""

from __future__ import annotations

import sqlite3
from types import MappingProxyType
from typing import Final

from bot.store.compatibility import TABLE

MIGRATION_SET: Final = "opswatch"
MIGRATIONS: Final = (
    "0001_questions",
    "0002_answers",
    "0003_budgets",
    "0004_posts",
    "0005_subscriptions",
    "0006_alerts",
    "0007_incidents",
    "0008_shown",
    "0009_outbox_files",
    "0010_pauses",
    "0011_channels",
    "0012_response_urls",
    "0013_claims",
    "0014_evaluation_claims",
    "0015_deliveries",
    "0016_answer_commands",
    "0017_replicas",
    "0018_overtaken_evaluations",
    "0019_saved_questions",
    "0020_baselines",
    "0021_compatibility",
    "0022_seen_values",
    "0023_canvases",
    "0024_unsent_files",
)

# The migration that a program has to know, at least, to use the result of each; without an entry
# that is the migration itself.
COMPATIBLE: Final = MappingProxyType(
    {
        "0017_replicas": "0016_answer_commands",
        "0018_overtaken_evaluations": "0016_answer_commands",
        "0019_saved_questions": "0016_answer_commands",
        "0020_baselines": "0016_answer_commands",
        "0021_compatibility": "0016_answer_commands",
        "0022_seen_values": "0016_answer_commands",
        "0023_canvases": "0016_answer_commands",
        "0024_unsent_files": "0016_answer_commands",
    }
)


def recorded_compatibility(connection: sqlite3.Connection) -> dict[str, str]:
    """What the version that has migrated the database says of each migration."""
    named = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?"
    if not connection.execute(named, (TABLE,)).fetchone()[0]:
        return {}
    return dict(connection.execute(f"SELECT step, oldest FROM {TABLE}").fetchall())  # noqa: S608


def applied_migrations(connection: sqlite3.Connection) -> set[str]:
    """The names of the migrations of a database; empty where it is new."""
    tables = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '_sqlite_migrations'"
    if connection.execute(tables).fetchone() is None:
        return set()
    rows = connection.execute(
        "SELECT name FROM _sqlite_migrations WHERE migration_set = ?", (MIGRATION_SET,)
    )
    return {name for (name,) in rows}
