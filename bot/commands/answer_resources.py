"""The temporary folder and the memory for the files of an answer, which people who ask the same
question share.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from bot.commands.answering import lazy_temp_dir
from bot.system.file_memory import FileMemory, MemoryAllowance


class AnswerResources:
    """What the files of one answer take. It is freed at the end of the last question that uses it."""

    def __init__(self, memory: FileMemory) -> None:
        self._opened = ExitStack()
        self._users = 1
        self._folder: Callable[[], Path] | None = None
        self.memory = MemoryAllowance(memory)
        self._opened.callback(self.memory.release)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()

    def folder(self) -> Path:
        """The folder, made at its first use."""
        if self._folder is None:
            self._folder = self._opened.enter_context(lazy_temp_dir())
        return self._folder()

    def hold(self) -> None:
        """Keeps it until one more `release`."""
        self._users += 1

    def share(self, other: AnswerResources) -> None:
        """Keeps the files of another answer for as long as its own."""
        other.hold()
        self._opened.callback(other.release)

    def release(self) -> None:
        """Frees it, unless another question still uses it."""
        self._users -= 1
        if not self._users:
            # Each part is freed even if another one cannot be.
            self._opened.close()
