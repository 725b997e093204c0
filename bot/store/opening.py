"""Opens the database that the configuration names."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot.store.errors import StoreError, Unsuitable
from bot.store.sql.database import Database
from providers.redaction import Secret


async def open_database(location: Path | Secret) -> Database:
    """The database in the file of this path, or on the server of this URL. Only the driver that is
    needed is imported. Raises StoreError.
    """
    if isinstance(location, Secret):
        try:
            # Its driver is an extra, and its libraries take long to import.
            from bot.store.postgres.connection import PostgresDatabase
        except ImportError:
            raise StoreError(
                "PostgreSQL needs the extra package: pip install 'opswatch[postgres]'."
            ) from None
        return await PostgresDatabase.open(location.open())
    from bot.store.sqlite.connection import SqliteDatabase

    return await SqliteDatabase.open(location)


async def open_unchanged(location: Path | Secret) -> Database:
    """The same for what is not the bot: a database of an earlier version is left to the bot, which
    may still run in that version and would go on to use tables that change under it.
    """
    if earlier := await earlier_steps(location):
        raise Unsuitable(f"The database is of an earlier version ({earlier[0]} is not applied).")
    return await open_database(location)


async def earlier_steps(location: Path | Secret) -> list[str]:
    """The steps that the next start of the bot will apply to a database of an earlier version; none
    of a new one, and none where it cannot be used, which opening it explains.
    """
    try:
        if isinstance(location, Secret):
            from bot.store.postgres.connection import pending_steps
            from bot.store.postgres.migrations import STEPS

            pending = await asyncio.to_thread(pending_steps, location.open())
            return pending if len(pending) < len(STEPS) else []
        from bot.store.sqlite.files import applied_steps, known_steps

        applied = applied_steps(location)
    except (StoreError, ImportError):
        return []
    known = known_steps()
    # A newer one is refused, or opened as it is.
    if not applied or set(applied) - set(known):
        return []
    return [name for name in known if name not in applied]
