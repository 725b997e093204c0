"""Redacts, counts, compresses and writes a log in constant memory.

Also a program: `python -m bot.logs.writer` reads the state of a log writer, then raw bytes, from
standard input, and reports its progress. It imports as little as it can.
"""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import signal
import struct
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, BinaryIO

from isal import isal_zlib

from bot.logs.counter import LogCounter
from bot.system.private_open import open_private
from providers.redaction import LineRedactor, Redactor

PACK_LEVEL = 2
COPY_BYTES = 1024 * 1024
READ_BYTES = 256 * 1024
UPDATE_EVERY_S = 0.5
FEW_BYTES = 4096
NICER_BY = 10
SIZE = struct.Struct(">Q")


@dataclass(slots=True)
class TransferState:
    """The part of a log received so far. `received` counts bytes as the provider sent them; `path`
    is the file, compressed or not. The `content` of a small log, which is in memory, is set at its
    end, and only the name of its `path` is used.
    """

    path: Path
    counter: LogCounter = field(default_factory=LogCounter)
    received: int = 0
    truncated: bool = False
    complete: bool = True
    cut_at_total: bool = False
    # The lines of each log, if several share a limit.
    shares: tuple[int, ...] = ()
    content: bytes | None = None


class LogWriter:
    """Takes raw pieces, writes redacted ones, and stops after the last line that is wanted. It can
    be pickled between two pieces.
    """

    def __init__(
        self,
        transfer: TransferState,
        redactor: Redactor,
        *,
        most_lines: int,
        most_bytes: int,
        plain_bytes: int,
        in_memory: bool = False,
    ) -> None:
        self.transfer = transfer
        self._file = GzipOverflowFile(transfer, plain_bytes, in_memory=in_memory)
        self._redacted: LineRedactor = redactor.stream()
        self._most_lines = most_lines
        self._most_bytes = most_bytes

    def feed(self, piece: bytes) -> bool:
        """Takes a piece. Returns False once no more is wanted."""
        wanted = self._wanted(piece)
        self.transfer.received += len(wanted)
        self._write(self._redacted.feed(wanted))
        return not self.transfer.truncated

    def move_to_disk(self, path: Path) -> None:
        """Continues in the file, between two pieces, because the log is too large for memory."""
        self._file.move_to_disk(path)

    @property
    def is_nearly_done(self) -> bool:
        """Whether closing takes very little time, because little is left to redact, count and
        compress.
        """
        return self._file.is_plain and self._redacted.open_bytes <= FEW_BYTES

    def close(self) -> None:
        try:
            self._write(self._redacted.close())
            self.transfer.counter.close()
        finally:
            self._file.close()

    def _wanted(self, piece: bytes) -> bytes:
        """The piece up to the last line that still fits the limits."""
        lines_left = self._most_lines - self.transfer.counter.lines
        bytes_left = self._most_bytes - self.transfer.received
        # A piece has no more lines than bytes, so they are not counted while there is room.
        if len(piece) >= lines_left and (lines := piece.count(b"\n")) >= lines_left:
            end = piece.rfind(b"\n") + 1 if lines == lines_left else nth_line_end(piece, lines_left)
            self.transfer.truncated = len(piece) > end
            piece = piece[:end]
        if len(piece) > bytes_left:
            piece = piece[: piece.rfind(b"\n", 0, bytes_left) + 1]
            self.transfer.truncated = self.transfer.cut_at_total = True
        return piece

    def _write(self, block: bytes) -> None:
        self._file.write(block)
        self.transfer.counter.feed(block)


class GzipOverflowFile:
    """A file that turns into a gzipped one as soon as it is larger than may go out plain, so no log
    is written twice. It is opened by its first block, which a thread writes.

    Pickled, it is closed, and goes on where it was: a gzip file may have several members.
    `in_memory` no file is opened, unless it is moved to the disk.
    """

    def __init__(
        self, transfer: TransferState, plain_bytes: int, *, in_memory: bool = False
    ) -> None:
        self._transfer = transfer
        self._plain_left = plain_bytes
        self._packs = False
        self._in_memory = in_memory
        self._file: IO[bytes] | None = None
        self._pack: Any = None
        self._mode = "wb"

    @property
    def is_plain(self) -> bool:
        return not self._packs

    def write(self, block: bytes) -> None:
        self._open()
        self._plain_left -= len(block)
        if self._plain_left < 0 and not self._packs:
            self._turn_into_gzip()
        if self._packs and self._pack is None:
            self._pack = isal_zlib.compressobj(level=PACK_LEVEL, wbits=31)
        assert self._file is not None
        self._file.write(self._pack.compress(block) if self._pack else block)

    def move_to_disk(self, path: Path) -> None:
        so_far = self._file
        self._file = None
        self._in_memory = False
        self._transfer.path = path.with_name(path.name + ".gz") if self._packs else path
        # An earlier attempt may have left a file there.
        self._mode = "wb"
        if isinstance(so_far, io.BytesIO):
            self._open()
            assert self._file is not None
            self._file.write(so_far.getbuffer())

    def close(self) -> None:
        """Closes the file. A file without a block is empty."""
        if self._mode == "wb":
            self._open()
        if self._file is not None:
            with self._file:
                if self._pack:
                    self._file.write(self._pack.flush())
                if isinstance(self._file, io.BytesIO):
                    self._transfer.content = self._file.getvalue()
        self._file = self._pack = None

    def _open(self) -> None:
        if self._file is None:
            self._file = self._opened(self._transfer.path, self._mode)
            self._mode = "ab"

    def _opened(self, path: Path, mode: str) -> IO[bytes]:
        return io.BytesIO() if self._in_memory else open_private(path, mode)

    def __getstate__(self) -> dict[str, Any]:
        self.close()
        return self.__dict__

    def _turn_into_gzip(self) -> None:
        assert self._file is not None
        plain = self._file
        path = self._transfer.path
        packed = path.with_name(path.name + ".gz")
        self._file = self._opened(packed, "wb")
        self._packs = True
        self._transfer.path = packed
        self._pack = isal_zlib.compressobj(level=PACK_LEVEL, wbits=31)
        if isinstance(plain, io.BytesIO):
            self._file.write(self._pack.compress(plain.getbuffer()))
            return
        plain.close()
        with path.open("rb") as so_far:
            while part := so_far.read(COPY_BYTES):
                self._file.write(self._pack.compress(part))
        path.unlink()


@dataclass(frozen=True, slots=True)
class WorkerUpdate:
    """A progress report of the process."""

    transfer: TransferState
    is_last: bool = False


def main() -> None:
    """Runs the process: reads the state of a log writer, then raw bytes, from standard input, and
    writes progress reports to standard output.
    """
    with contextlib.suppress(OSError, AttributeError):
        os.nice(NICER_BY)
    with contextlib.suppress(AttributeError):
        # Under `stty tostop` a terminal stops a background process that writes to it, such as a
        # traceback, and the bot would wait for it.
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    source: Any = sys.stdin.buffer
    out = sys.stdout.buffer
    try:
        writer: LogWriter = pickle.loads(source.read(*SIZE.unpack(source.read(SIZE.size))))  # noqa: S301
        updated_at = time.monotonic()
        while piece := source.read1(READ_BYTES):
            if not writer.feed(piece):
                break
            if time.monotonic() - updated_at > UPDATE_EVERY_S:
                updated_at = time.monotonic()
                _send(out, WorkerUpdate(writer.transfer))
        writer.close()
        _send(out, WorkerUpdate(writer.transfer, is_last=True))
    except OSError as error:
        _send(out, error)


def _send(out: BinaryIO, what: Any) -> None:
    body = pickle.dumps(what)
    out.write(SIZE.pack(len(body)) + body)
    out.flush()


def nth_line_end(piece: bytes, number: int) -> int:
    at = 0
    for _ in range(number):
        at = piece.index(b"\n", at) + 1
    return at


if __name__ == "__main__":
    from bot.logs import writer as as_imported

    as_imported.main()
