"""A PostgreSQL server for the tests, on a socket in a private folder."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

# Where Debian puts what only the server's owner runs.
DEBIAN = Path("/usr/lib/postgresql")
# The server refuses to run as root; Debian's package creates this account.
ACCOUNT = "postgres"
_NUMBERS = itertools.count()


def why_not() -> str:
    """Why no server can be started here; empty if one can be."""
    if _program("initdb") is None:
        return "PostgreSQL is not installed"
    try:
        import psycopg_pool  # noqa: F401
    except ImportError:
        return "psycopg is not installed"
    return ""


@dataclass(frozen=True)
class PostgresServer:
    """A server that can be stopped and started again."""

    folder: Path

    @property
    def socket(self) -> str:
        """The folder of its socket."""
        return str(self.folder)

    def start(self) -> None:
        options = f"-k {self.folder} -c listen_addresses='' -c fsync=off"
        self._control("-w", "-l", self.folder / "log", "-o", options, "start")

    def stop(self) -> None:
        """Stops it immediately, as a crash would."""
        self._control("-m", "immediate", "stop")

    def processor_time_s(self) -> float:
        """The processor time of its processes so far (Linux)."""
        postmaster = (self.folder / "data" / "postmaster.pid").read_text().split()[0]
        listed = f"/proc/{postmaster}/task/{postmaster}/children"
        pids = [postmaster, *Path(listed).read_text().split()]
        return sum(map(_processor_time_s, pids))

    def _control(self, *words: object) -> None:
        _run("pg_ctl", "-D", self.folder / "data", *words)


@contextmanager
def open_server() -> Iterator[PostgresServer]:
    """A server with a new database folder, stopped at the end."""
    folder = Path(tempfile.mkdtemp(prefix="opswatch-postgres-"))
    server = PostgresServer(folder)
    try:
        if user := _account():
            shutil.chown(folder, user)
        cluster = ("-U", "postgres", "-A", "trust", "-N", "-E", "UTF8", "--locale=C")
        _run("initdb", "-D", folder / "data", *cluster)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def create_database(socket: str) -> str:
    """The URL of a new database on the server with this socket."""
    import psycopg

    name = f"bot_{next(_NUMBERS)}"
    with psycopg.connect(_url(socket, "postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return _url(socket, name)


def _url(socket: str, name: str) -> str:
    return f"postgresql://postgres@/{name}?host={socket}"


def _processor_time_s(pid: str) -> float:
    try:
        # What comes before is the name of the program, which may have spaces.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        # It has ended meanwhile.
        return 0.0
    user, system = fields[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _program(name: str) -> str | None:
    found = sorted(DEBIAN.glob(f"*/bin/{name}"))
    return str(found[-1]) if found else shutil.which(name)


def _account() -> str | None:
    """The account that runs the server if this process may not."""
    return ACCOUNT if os.geteuid() == 0 else None


def _run(name: str, *words: object) -> None:
    program = _program(name)
    assert program is not None
    command = [program, *map(str, words)]
    subprocess.run(
        command, check=True, user=_account(), cwd="/", stdout=subprocess.DEVNULL, timeout=120
    )
