"""Files that only their owner may read: downloads, and files saved from a terminal."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.system.private_open import NO_LINK, PRIVATE

log = logging.getLogger("opswatch")
PREFIX = "opswatch-"
TEMPORARY_FOLDER_HINT = "Set TMPDIR to a folder with room for the largest log."
# A folder that is in use has newer files than that.
LEFT_BEHIND_S = 3600.0
MOST_SWEPT = 1000
# For as many answers with files as are usually made at once.
MOST_IDLE_FOLDERS = 64
COPY_BYTES = 1024 * 1024


@contextmanager
def temporary_folder(prefix: str = PREFIX) -> Iterator[Path]:
    """A folder for its owner alone, deleted at the end. A lock marks it as used."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    lock = _locked(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if lock is not None:
            os.close(lock)


class FolderPool:
    """Empty temporary folders for reuse. Making and deleting one takes the file system several
    milliseconds, in which the event loop would do nothing else.
    """

    def __init__(self, most_idle: int = MOST_IDLE_FOLDERS) -> None:
        self._most_idle = most_idle
        self._open: dict[Path, contextlib.ExitStack] = {}
        self._idle: list[Path] = []
        atexit.register(self.close)

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """An empty folder for its owner alone. Its files are deleted at the end."""
        folder = self._take()
        try:
            yield folder
        finally:
            self._give_back(folder)

    def close(self) -> None:
        """Deletes all folders."""
        self._idle.clear()
        while self._open:
            _, opened = self._open.popitem()
            opened.close()

    def _take(self) -> Path:
        while self._idle:
            folder = self._idle.pop()
            # Systems delete what lies in their folder for temporary files for long.
            if folder.is_dir() and folder.parent == Path(tempfile.gettempdir()):
                return folder
            self._delete(folder)
        opened = contextlib.ExitStack()
        folder = opened.enter_context(temporary_folder())
        self._open[folder] = opened
        return folder

    def _give_back(self, folder: Path) -> None:
        if len(self._idle) >= self._most_idle or not _emptied(folder):
            self._delete(folder)
        else:
            self._idle.append(folder)

    def _delete(self, folder: Path) -> None:
        if opened := self._open.pop(folder, None):
            opened.close()


def _emptied(folder: Path) -> bool:
    """Whether all files of the folder are deleted, and it has no folders."""
    try:
        for path in folder.iterdir():
            path.unlink()
    except OSError:
        return False
    return True


def temporary_folder_problem() -> str:
    """Why no temporary file can be written, in a sentence; empty if one can. A folder that $TMPDIR
    names is not replaced by another one, which may have no room.
    """
    # The order in which tempfile looks at them.
    named = next(filter(None, map(os.environ.get, ("TMPDIR", "TEMP", "TMP"))), None)
    try:
        if named:
            tempfile.NamedTemporaryFile(dir=named).close()
    except OSError as error:
        return f"No temporary file can be written in {named} ({_reason(error)})."
    try:
        with tempfile.TemporaryFile() as file:
            file.write(b"0")
    except OSError as error:
        return f"No temporary file can be written ({_reason(error)})."
    return ""


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__


def sweep_temporary_folders(*, older_than_s: float = LEFT_BEHIND_S) -> int:
    """Deletes folders that a crash has left, and returns how many: ours by name and owner, old, and
    used by no process.
    """
    removed = 0
    try:
        found = sorted(
            entry.name
            for entry in os.scandir(tempfile.gettempdir())
            if entry.name.startswith(PREFIX)
        )
    except OSError as error:
        log.warning("The folder for temporary files cannot be read (%s).", error.strerror)
        return 0
    # Bounded: the bot starts only after it.
    for name in found[:MOST_SWEPT]:
        with contextlib.suppress(OSError):
            removed += _sweep(Path(tempfile.gettempdir()) / name, older_than_s)
    if removed:
        log.info("Removed %d temporary folders that a crash had left behind.", removed)
    return removed


def save_private(source: Path | bytes, folder: Path, name: str) -> Path:
    """Moves the file, or writes the bytes, into the folder, for its owner alone. An existing file is
    kept, and the new one gets the next free name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # The name is claimed by an empty file first, so that two answers never write to one.
    target, handle = _claimed(folder, name)
    try:
        if isinstance(source, Path):
            _move(source, target, handle)
        else:
            with os.fdopen(os.dup(handle), "wb") as file:
                file.write(source)
    finally:
        os.close(handle)
    return target


def _move(source: Path, target: Path, handle: int) -> None:
    """Moves the file to the target, which is open."""
    try:
        source.chmod(PRIVATE)
        source.replace(target)
    except OSError:
        # Another file system: its bytes go into the file that was claimed.
        with os.fdopen(os.dup(handle), "wb") as copy, source.open("rb") as original:
            shutil.copyfileobj(original, copy, COPY_BYTES)
        source.unlink(missing_ok=True)


def _claimed(folder: Path, name: str) -> tuple[Path, int]:
    """The first free name, and a new empty file of that name."""
    stem, dot, suffix = name.partition(".")
    number = 0
    candidate = folder / name
    while True:
        try:
            return candidate, os.open(
                candidate, os.O_WRONLY | os.O_CREAT | os.O_EXCL | NO_LINK, PRIVATE
            )
        except FileExistsError:
            number += 1
            candidate = folder / f"{stem}-{number}{dot}{suffix}"


def _sweep(folder: Path, older_than_s: float) -> bool:
    # lstat does not follow a link that somebody else may have put there.
    about = os.lstat(folder)
    if not stat.S_ISDIR(about.st_mode) or (hasattr(os, "getuid") and about.st_uid != os.getuid()):
        return False
    newest = max([about.st_mtime, *(os.lstat(path).st_mtime for path in folder.rglob("*"))])
    if time.time() - newest < older_than_s:
        return False
    lock = _locked(folder)
    if lock is None:
        return False
    try:
        shutil.rmtree(folder)
    finally:
        os.close(lock)
    return True


def _locked(folder: Path) -> int | None:
    """A lock on the folder, which ends with the process at the latest; None if another process has
    it.
    """
    try:
        import fcntl
    except ImportError:
        # There are no such locks on this platform, so age alone decides.
        return os.open(os.devnull, os.O_RDONLY)
    # A lock of flock ends with the process, however that ends.
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | NO_LINK)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle
