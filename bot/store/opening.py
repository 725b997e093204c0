"""Opens the database that the configuration names."""

from __future__ import annotations

from pathlib import Path

from bot.store.errors import StoreError
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
