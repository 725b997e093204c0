"""Backups of the database file: taken while the bot runs, verified, and restored.

Everything here works on files from outside the bot's own process, for the commands of the terminal.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bot.store.compatibility import require_known
from bot.store.errors import StoreError, Unsuitable
from bot.store.sql.database import quoted
from bot.store.sqlite.migrations import steps
from bot.store.sqlite.versions import recorded_compatibility

# How long a writer is waited for.
BUSY_S = 30.0
# Where SQLite keeps the locks of those that have a database open
# (https://sqlite.org/src/file/src/os.h: SHARED_FIRST, SHARED_SIZE).
SHARED_FIRST = 0x40000002
SHARED_SIZE = 510
SIDES = ("-wal", "-shm", "-journal")
MIGRATIONS = "_sqlite_migrations"


class InUse(Unsuitable):
    """Another process has the database open."""


@dataclass(frozen=True, slots=True)
class DatabaseCopy:
    """A copy that was verified: how large it is, and how many rows each of its tables has."""

    size: int
    rows: dict[str, int]


@dataclass(frozen=True, slots=True)
class Restored:
    """The restored copy, and the path of the previous database; None if there was none."""

    copy: DatabaseCopy
    kept: Path | None


def back_up(database: Path, target: Path, *, overwrite: bool = False) -> DatabaseCopy:
    """Copies the database as it is at one instant to `target`, for its owner alone. Others may read
    and write meanwhile.

    The copy appears at `target` only when it is whole. Raises FileExistsError where something is
    there already, unless it may be overwritten, and StoreError where the database cannot be copied.
    """
    require_database(database)
    if not overwrite and os.path.lexists(target):
        raise FileExistsError(target)
    if _is_part_of(target, database):
        raise Unsuitable(f"{target} is the database itself.")
    with _new_file(target.parent, target.name) as part:
        copied = _copy(database, part)
        _place(part, target, overwrite=overwrite)
    return copied


def restore(backup: Path, database: Path, *, now: datetime) -> Restored:
    """Replaces the database by a copy; the database is kept under another name.

    Raises InUse while another process has the database open, Unsuitable where the copy is damaged,
    is not an Opswatch database, or was written by a newer version, and StoreError where it cannot
    be copied.
    """
    database = database.resolve()
    if _is_part_of(backup, database):
        raise Unsuitable(f"{backup} is the database itself.")
    require_database(backup)
    with _new_file(database.parent, database.name) as part:
        copied = _copy(backup, part)
        _give_to_owner(part, like=database if database.exists() else database.parent)
        require_unused(database)
        _settle(database)
        with _unused(database):
            kept = _set_aside(database, now)
            part.replace(database)
    _sync_folder(database.parent)
    return Restored(copied, kept)


def require_database(path: Path, *, exact: bool = False) -> None:
    """Raises Unsuitable where the file is no database of ours, or one of a newer version that this
    one may not use. `exact` refuses any newer version.
    """
    applied = applied_steps(path)
    if not applied:
        raise Unsuitable(f"{path} is not a database of Opswatch.")
    recorded = {} if exact else _recorded(path)
    try:
        require_known(applied, [*known_steps()], recorded, database=str(path))
    except StoreError as error:
        raise Unsuitable(str(error)) from None


def _recorded(path: Path) -> dict[str, str]:
    with closing(_connect(path)) as connection:
        return recorded_compatibility(connection)


def known_steps() -> dict[str, str]:
    """The migrations of this version in order, with the purpose of each."""
    return {step.name: " ".join((step.fn.__doc__ or "").split()) for step in steps._migrations}  # noqa: SLF001


def applied_steps(path: Path) -> list[str]:
    """The migrations that were applied to a database; none if it is not an Opswatch database.
    Raises StoreError where it cannot be read.
    """
    if not path.is_file():
        raise Unsuitable(f"There is no file {path}.")
    try:
        with closing(_connect(path)) as connection:
            named = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?"
            if not connection.execute(named, (MIGRATIONS,)).fetchone()[0]:
                return []
            found = f"SELECT name FROM {MIGRATIONS} WHERE migration_set = ? ORDER BY id"  # noqa: S608 - a constant
            return [str(name) for (name,) in connection.execute(found, (steps.name,))]
    except sqlite3.Error as error:
        raise Unsuitable(f"{path} cannot be read as a database: {error}.") from None


def require_unused(database: Path) -> None:
    """Raises InUse where another process has the database open."""
    with _unused(database):
        pass


def _copy(source: Path, target: Path) -> DatabaseCopy:
    """Copies what was committed up to now, in one step: a copy in several begins anew whenever
    somebody writes, and may never end.
    """
    try:
        with closing(_connect(source)) as reader, closing(_connect(target)) as writer:
            reader.execute("BEGIN")
            rows = _row_counts(reader)
            reader.backup(writer, pages=-1)
            reader.execute("ROLLBACK")
            # One file, without others beside it, wherever it is carried.
            writer.execute("PRAGMA journal_mode = DELETE")
            _verify(writer, rows)
    except sqlite3.OperationalError as error:
        raise StoreError(f"{source} cannot be copied: {error}.") from None
    except sqlite3.DatabaseError as error:
        raise Unsuitable(f"{source} is damaged: {error}.") from None
    _sync(target)
    return DatabaseCopy(target.stat().st_size, rows)


def _verify(connection: sqlite3.Connection, rows: dict[str, int]) -> None:
    [found] = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if found != "ok":
        raise Unsuitable(f"The copy is damaged: {str(found)[:200]}.")
    if _row_counts(connection) != rows:
        raise StoreError("The copy does not have the rows of the original.")


def _row_counts(connection: sqlite3.Connection) -> dict[str, int]:
    names = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' "
        "ESCAPE '\\'"
    )
    tables = sorted(str(name) for (name,) in names.fetchall())
    return {
        name: int(connection.execute(f"SELECT count(*) FROM {quoted(name)}").fetchone()[0])  # noqa: S608
        for name in tables
    }


def _connect(path: Path) -> sqlite3.Connection:
    """An open database, which is not created where there is none."""
    return sqlite3.connect(
        f"{path.resolve().as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=BUSY_S
    )


@contextmanager
def _new_file(folder: Path, name: str) -> Iterator[Path]:
    """A new file for its owner alone, which is removed at the end unless it was moved."""
    handle, made = tempfile.mkstemp(prefix=f".{name[:100]}.", suffix=".part", dir=folder)
    os.close(handle)
    path = Path(made)
    try:
        yield path
    finally:
        for side in ("", *SIDES):
            path.with_name(path.name + side).unlink(missing_ok=True)


def _place(part: Path, target: Path, *, overwrite: bool) -> None:
    if overwrite:
        part.replace(target)
    else:
        _place_new(part, target)
    _sync_folder(target.parent)


def _place_new(part: Path, target: Path) -> None:
    """Moves the file to a free name. A link fails if the name was taken meanwhile; not every file
    system supports links.
    """
    try:
        os.link(part, target)
    except FileExistsError:
        raise
    except OSError:
        if os.path.lexists(target):
            raise FileExistsError(target) from None
        part.replace(target)


def _is_part_of(path: Path, database: Path) -> bool:
    resolved = path.resolve()
    places = database.resolve()
    if resolved in (places, *(places.with_name(places.name + side) for side in SIDES)):
        return True
    return path.exists() and database.exists() and path.samefile(database)


@contextmanager
def _unused(database: Path) -> Iterator[None]:
    """Keeps other processes from opening the database meanwhile. Raises InUse if one has it open."""
    try:
        import fcntl
    except ImportError:
        # Without these locks the platform itself refuses to move a file that is open.
        yield
        return
    try:
        handle = os.open(database, os.O_RDWR)
    except FileNotFoundError:
        yield
        return
    try:
        try:
            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB, SHARED_SIZE, SHARED_FIRST)
        except OSError:
            raise InUse(
                f"{database.name} is in use by another process; stop the bot first."
            ) from None
        yield
    finally:
        os.close(handle)


def _settle(database: Path) -> None:
    """Writes the committed log into the file itself if it can still be read. A damaged file is left
    as it is.
    """
    if not database.exists():
        return
    with contextlib.suppress(sqlite3.Error), closing(_connect(database)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")


def _set_aside(database: Path, now: datetime) -> Path | None:
    """Renames the database and the files that SQLite keeps next to it; returns the new name."""
    if not database.exists():
        return None
    stem = f"{database.name}.before-restore-{now:%Y%m%dT%H%M%SZ}"
    number = 1
    kept = database.with_name(stem)
    while os.path.lexists(kept):
        number += 1
        kept = database.with_name(f"{stem}-{number}")
    for side in SIDES:
        with contextlib.suppress(FileNotFoundError):
            database.with_name(database.name + side).replace(kept.with_name(kept.name + side))
    database.replace(kept)
    return kept


def _give_to_owner(path: Path, *, like: Path) -> None:
    """Gives a file that an administrator has restored to the user who runs the bot."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        owner = like.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sync_folder(folder: Path) -> None:
    # Not every platform and file system can sync a folder; the file itself is safe.
    with contextlib.suppress(OSError):
        _sync(folder)
