"""A PostgreSQL server of the tests' own, on a socket in a private folder."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Where Debian puts what only the server's owner runs.
DEBIAN = Path("/usr/lib/postgresql")
# The server refuses to run as root; Debian's package creates this account.
ACCOUNT = "postgres"
_NUMBERS = itertools.count()


def why_not() -> str:
    """Why no server can be started here; empty if one can."""
    if _program("initdb") is None:
        return "PostgreSQL is not installed"
    try:
        import psycopg_pool  # noqa: F401
    except ImportError:
        return "psycopg is not installed"
    return ""


@contextmanager
def running_server() -> Iterator[str]:
    """The folder of a server's socket, until the end."""
    user = ACCOUNT if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="opswatch-postgres-"))
    data = folder / "data"
    try:
        if user:
            shutil.chown(folder, user)
        _run(
            user,
            "initdb",
            "-D",
            data,
            "-U",
            "postgres",
            "-A",
            "trust",
            "-N",
            "-E",
            "UTF8",
            "--locale=C",
        )
        options = f"-k {folder} -c listen_addresses='' -c fsync=off"
        _run(user, "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start")
        try:
            yield str(folder)
        finally:
            _run(user, "pg_ctl", "-D", data, "-m", "immediate", "stop")
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


def _program(name: str) -> str | None:
    found = sorted(DEBIAN.glob(f"*/bin/{name}"))
    return str(found[-1]) if found else shutil.which(name)


def _run(user: str | None, name: str, *words: object) -> None:
    program = _program(name)
    assert program is not None
    command = [program, *map(str, words)]
    subprocess.run(command, check=True, user=user, cwd="/", stdout=subprocess.DEVNULL, timeout=120)
