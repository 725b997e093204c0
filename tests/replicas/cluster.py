"""The replicas and their database, each of which can be stopped."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from aiohttp import web

from bot.sandbox.sandbox import Sandbox
from bot.store import LeaseTimings
from providers.redaction import Secret
from tests.conftest import ROOT, toml_of
from tests.support.clock import process_environ
from tests.support.postgres import PostgresServer, create_database


class StoppableDatabase(Protocol):
    """A database that can be made unavailable for a while."""

    @property
    def location(self) -> Path | Secret: ...

    @property
    def setting(self) -> str:
        """The `database` setting in bot.toml."""
        ...

    async def stop_for(self, seconds: float) -> None: ...


@dataclass(frozen=True)
class SqliteFile:
    """A file, which another connection locks to simulate a stopped server."""

    location: Path

    @property
    def setting(self) -> str:
        return str(self.location)

    async def stop_for(self, seconds: float) -> None:
        with closing(sqlite3.connect(self.location, isolation_level=None, timeout=10)) as other:
            other.execute("BEGIN IMMEDIATE")
            await asyncio.sleep(seconds)
            other.execute("ROLLBACK")


@dataclass(frozen=True)
class PostgresOn:
    """A separate database on a server."""

    server: PostgresServer
    location: Secret
    setting: str = "env:DATABASE_URL"

    @classmethod
    def create(cls, server: PostgresServer) -> PostgresOn:
        return cls(server, Secret(create_database(server.socket)))

    async def stop_for(self, seconds: float) -> None:
        await asyncio.to_thread(self.server.stop)
        await asyncio.sleep(seconds)
        await asyncio.to_thread(self.server.start)


@dataclass
class Replica:
    """A process of the bot, and the connection through which Slack reaches it."""

    process: subprocess.Popen[bytes]
    socket: web.WebSocketResponse
    log: Path
    is_paused: bool = False

    @property
    def can_receive(self) -> bool:
        return self.process.poll() is None and not self.is_paused and not self.socket.closed

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    async def pause_for(self, seconds: float) -> None:
        self.is_paused = True
        self.process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        self.process.send_signal(signal.SIGCONT)
        self.is_paused = False

    def stop(self) -> None:
        """Lets it finish its work, as a rolling restart does."""
        self.process.send_signal(signal.SIGTERM)


@dataclass
class Cluster:
    """All replicas that were started, and those that Slack can reach now."""

    sandbox: Sandbox
    database: StoppableDatabase
    lease: LeaseTimings
    replicas: list[Replica] = field(default_factory=list)

    @property
    def living(self) -> list[Replica]:
        return [replica for replica in self.replicas if replica.can_receive]

    async def join(self) -> Replica:
        """One more replica, once it is connected."""
        before = set(self.sandbox.slack.sockets)
        log = self.sandbox.folder / f"replica-{len(self.replicas) + 1}.log"
        words = [str(self.lease.renew_every), str(self.lease.expires_after)]
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.replicas.replica", str(self.sandbox.folder), *words],
                env=self._environ(),
                cwd=ROOT,
                stdout=output,
                stderr=output,
            )
        [socket] = await self.sandbox.slack.until(
            lambda: set(self.sandbox.slack.sockets) - before, timeout_s=60
        )
        replica = Replica(process, socket, log)
        self.replicas.append(replica)
        return replica

    def _environ(self) -> dict[str, str]:
        found = process_environ(
            self.sandbox.clock,
            {**os.environ, **self.sandbox.environ(), "PYTHONPATH": str(ROOT)},
        )
        if isinstance(self.database.location, Secret):
            found["DATABASE_URL"] = self.database.location.open()
        return found


@asynccontextmanager
async def cluster_of(
    sandbox: Sandbox, database: StoppableDatabase, lease: LeaseTimings, table: dict[str, Any]
) -> AsyncIterator[Cluster]:
    """Three replicas with this configuration."""
    text = toml_of({**sandbox.table(), **table, "database": database.setting})
    (sandbox.folder / "bot.toml").write_text(text, "utf-8")
    cluster = Cluster(sandbox, database, lease)
    try:
        for _ in range(3):
            await cluster.join()
        yield cluster
    finally:
        for replica in cluster.replicas:
            if replica.process.poll() is None:
                replica.kill()
