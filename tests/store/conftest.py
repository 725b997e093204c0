"""Every port is tested on every database."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.store import Store
from providers.redaction import Secret
from tests.support.postgres import running_server, why_not

NOW = datetime(2026, 11, 21, 14, 5, tzinfo=UTC)
_NUMBERS = itertools.count()
OpenStore = Callable[[], Awaitable[Store]]


@pytest.fixture(scope="session")
def postgres_socket() -> Iterator[str]:
    if reason := why_not():
        pytest.skip(reason)
    with running_server() as socket:
        yield socket


@pytest.fixture(params=["sqlite", "postgres"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> Path | Secret:
    """Where an empty database may be created."""
    if request.param == "sqlite":
        return tmp_path / "bot.sqlite"
    socket = request.getfixturevalue("postgres_socket")
    import psycopg

    with psycopg.connect(f"postgresql://postgres@/postgres?host={socket}", autocommit=True) as c:
        name = f"bot_{next(_NUMBERS)}"
        c.execute(f"CREATE DATABASE {name}".encode())
    return Secret(f"postgresql://postgres@/{name}?host={socket}")


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


async def close_once(store: Store) -> None:
    if not store.is_closed:
        await store.close()
