"""Room in memory for small files, which spares their way over the disk. It is bounded for all answers
together, since each may wait for the rate limits of its channel.
"""

from __future__ import annotations

MOST_BYTES = 32 * 1024 * 1024


class FileMemory:
    """What is left of the memory for files."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self.free_bytes = most_bytes


class MemoryAllowance:
    """The memory that the files of one answer may take."""

    def __init__(self, memory: FileMemory | None = None) -> None:
        """Without a `memory` nothing else takes any."""
        self._memory = memory or FileMemory()
        self._reserved_bytes = 0

    def reserve(self, size: int) -> bool:
        """Whether a file of up to so many bytes may be kept in memory."""
        if size > self._memory.free_bytes:
            return False
        self._memory.free_bytes -= size
        self._reserved_bytes += size
        return True

    def release(self) -> None:
        """Returns what was reserved."""
        self._memory.free_bytes += self._reserved_bytes
        self._reserved_bytes = 0
