"""Every port is tested on every database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.store import Store
from bot.store.sql.erase import Erased
from bot.store.sqlite import erase as sqlite_erase
from providers.redaction import Secret

NOW = datetime(2026, 11, 21, 14, 5, tzinfo=UTC)
OpenStore = Callable[[], Awaitable[Store]]


@pytest.fixture
async def open_store(location: Path | Secret) -> AsyncIterator[OpenStore]:
    """Opens the database once more, as another process would."""
    async with AsyncExitStack() as stack:

        async def opened() -> Store:
            store = await Store.open(location, now=NOW)
            stack.push_async_callback(close_once, store)
            return store

        yield opened


@pytest.fixture
async def store(open_store: OpenStore) -> Store:
    return await open_store()


@pytest.fixture
async def other(open_store: OpenStore, store: Store) -> Store:
    """The same database in another process."""
    return await open_store()


def erase_person(location: Path | Secret, user: str, *, heir: str = "") -> Erased:
    """The operation behind `opswatch forget`."""
    if isinstance(location, Path):
        return sqlite_erase.erase_person(location, user, heir=heir)
    from bot.store.postgres.erase import erase_person as erase_from_server

    return erase_from_server(location.open(), user, heir=heir)


async def close_once(store: Store) -> None:
    if not store.is_closed:
        await store.close()
