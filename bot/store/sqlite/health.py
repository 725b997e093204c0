"""Whether the database can be read and written, and is still the file that was opened."""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from pathlib import Path

from msgspec import Struct, field

# Reading every page of a small database takes milliseconds; a large one is read through now and
# then.
SMALL_BYTES = 64_000_000
CHECK_SMALL_EVERY_S = 5.0
CHECK_LARGE_EVERY_S = 1800.0
PRIVATE = stat.S_IRUSR | stat.S_IWUSR
SIDES = ("", "-wal", "-shm")


class DatabaseMoved(sqlite3.OperationalError):
    """The file that was opened was moved or replaced, so writes to it would be lost."""


def make_private(path: Path) -> None:
    """Lets nobody but the owner read the database. SQLite gives the files beside it the
    same mode.
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, PRIVATE))
    except FileExistsError:
        for side in SIDES:
            _close_to_others(path.with_name(path.name + side))
    except OSError:
        # SQLite says in its own words why it cannot be opened.
        return


def _close_to_others(path: Path) -> None:
    try:
        mode = path.stat().st_mode
        if stat.S_ISREG(mode) and mode & 0o077:
            path.chmod(stat.S_IMODE(mode) & ~0o077)
    except OSError:
        # It is somebody else's, or gone meanwhile. Whether it can be used shows when it is opened.
        return


class DatabaseFile(Struct):
    """The file as it was opened."""

    path: Path
    _identity: tuple[int, int] | None = None
    _checked_at: float = -CHECK_LARGE_EVERY_S
    _damage: str = field(default="")

    def remember(self) -> None:
        """Remembers the file, to notice when another one takes its place."""
        found = self.path.stat()
        self._identity = (found.st_dev, found.st_ino)

    def require_same(self) -> None:
        """Raises DatabaseMoved if another file, or none, is at its path."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            raise DatabaseMoved(
                "the database file was deleted; stop the bot, put the file back, and start it again"
            ) from None
        except OSError as error:
            raise DatabaseMoved(f"the database file cannot be found ({error.strerror})") from None
        if (found.st_dev, found.st_ino) != self._identity:
            raise DatabaseMoved(
                "the database file was replaced by another one; restart the bot to use that"
            )

    def damage(self) -> str:
        """What SQLite's integrity check finds, in its words; repeated only after a while."""
        is_small = self.path.stat().st_size < SMALL_BYTES
        if time.monotonic() - self._checked_at < (
            CHECK_SMALL_EVERY_S if is_small else CHECK_LARGE_EVERY_S
        ):
            return self._damage
        self._damage = self._read_through()
        self._checked_at = time.monotonic()
        return self._damage

    def _read_through(self) -> str:
        try:
            connection = sqlite3.connect(
                f"{self.path.resolve().as_uri()}?mode=ro", uri=True, timeout=0.5
            )
        except sqlite3.OperationalError:
            return ""
        try:
            [found] = connection.execute("PRAGMA quick_check(1)").fetchone()
        except sqlite3.OperationalError:
            # Locked, or no more files can be opened: no sign of damage.
            return ""
        except sqlite3.DatabaseError as error:
            return str(error)
        finally:
            connection.close()
        return "" if found == "ok" else str(found)[:200]
