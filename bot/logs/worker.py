"""Feeds a log writer without blocking the event loop.

A short log is processed in a thread. A long one is handed over in the middle to a separate process,
since a thread would slow down the event loop for as long as the log lasts.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import pickle
import sys
from collections.abc import Callable
from pathlib import Path

from bot.logs.writer import SIZE, LogWriter, TransferState
from bot.system.computing import compute
from providers.redaction.scan import beginning_of_log

log = logging.getLogger("opswatch")
# How much a thread may process without a noticeable delay; beyond that, starting a process is
# worthwhile.
HAND_OVER_BYTES = 2_000_000
# Pieces of a log are allocated and freed all the time; glibc would return their memory to the
# system after each.
_KEEP_MEMORY = {"MALLOC_TRIM_THRESHOLD_": "33554432", "MALLOC_MMAP_THRESHOLD_": "33554432"}


class LogWorker:
    """Feeds a log writer without blocking the event loop: in a thread at first, and in a separate
    process once the log is long.

    A log in memory is moved to the `path` before more than `memory_bytes` of it have arrived.
    """

    def __init__(
        self, writer: LogWriter, path: Callable[[], Path], *, memory_bytes: int = 0
    ) -> None:
        self._writer: LogWriter = writer
        self._path = path
        self._memory_bytes = memory_bytes
        self._worker: _WorkerProcess | None = None
        self._alone = False

    @property
    def transfer(self) -> TransferState:
        return self._worker.transfer if self._worker else self._writer.transfer

    async def feed(self, piece: bytes) -> bool:
        """Feeds a piece. Returns False once no more is wanted."""
        received = self._writer.transfer.received
        is_long = received > HAND_OVER_BYTES
        # First, since a process cannot continue with what is in memory here.
        if self._memory_bytes and (is_long or received + len(piece) > self._memory_bytes):
            await compute(self._move_to_disk)
        if is_long and self._worker is None and not self._alone:
            await self._hand_over()
        if self._worker:
            return await self._worker.feed(piece)
        return await compute(self._feed_here, piece)

    def _move_to_disk(self) -> None:
        self._writer.move_to_disk(self._path())
        self._memory_bytes = 0

    def _feed_here(self, piece: bytes) -> bool:
        with contextlib.nullcontext() if self._alone else beginning_of_log():
            return self._writer.feed(piece)

    async def _hand_over(self) -> None:
        try:
            self._worker = await _WorkerProcess.start(self._writer)
        except OSError as error:
            log.warning(
                "No process can be started for a long log (%s); it is done beside everything else.",
                error.strerror,
            )
            self._alone = True

    async def close(self) -> None:
        """Finishes writing. After that, `transfer` is complete."""
        if self._worker:
            await self._worker.close()
        elif self._writer.is_nearly_done:
            # Faster than waiting for the thread again.
            self._writer.close()
        else:
            await compute(self._writer.close)

    async def cancel_work(self) -> None:
        """Stops the work, if the log is no longer wanted."""
        if self._worker:
            await self._worker.kill()


class _WorkerProcess:
    """The worker process, seen from the bot."""

    def __init__(self, process: asyncio.subprocess.Process, transfer: TransferState) -> None:
        assert process.stdin
        assert process.stdout
        self._process = process
        self._stdin = process.stdin
        self._stdout = process.stdout
        self.transfer = transfer
        self._done = asyncio.create_task(self._listen())

    @classmethod
    async def start(cls, writer: LogWriter) -> _WorkerProcess:
        """Starts a process that continues with the writer. It gets nothing but the log: no
        environment, and no signals of the terminal.
        """
        home = str(Path(__file__).parents[2])
        environ = {**_KEEP_MEMORY, "PYTHONPATH": os.pathsep.join([home, *filter(None, sys.path)])}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot.logs.writer",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=environ,
            # A group of its own receives no Ctrl-C of the terminal. A session of its own would do
            # so too, but Linux shares processor time evenly among sessions (sched_autogroup), and
            # the worker's `nice` would have no effect.
            process_group=0,
        )
        worker = cls(process, writer.transfer)
        worker._enlarge_pipe()
        state = pickle.dumps(writer)
        await worker.feed(SIZE.pack(len(state)) + state)
        return worker

    async def feed(self, piece: bytes) -> bool:
        if self._done.done():
            return False
        with contextlib.suppress(ConnectionError):
            self._stdin.write(piece)
            await self._stdin.drain()
        return not self._done.done()

    async def close(self) -> None:
        with contextlib.suppress(ConnectionError, OSError):
            self._stdin.close()
        try:
            outcome = await self._done
        finally:
            await self.kill()
        if isinstance(outcome, BaseException):
            raise outcome

    async def kill(self) -> None:
        self._done.cancel()
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()

    async def _listen(self) -> BaseException | None:
        """Receives progress reports until the work is done. Returns the error that stopped it, or
        None.
        """
        complete = self.transfer.complete
        while True:
            try:
                (size,) = SIZE.unpack(await self._stdout.readexactly(SIZE.size))
                update = pickle.loads(await self._stdout.readexactly(size))  # noqa: S301  # our own child
            except asyncio.IncompleteReadError:
                return RuntimeError("the process that worked on the log has ended")
            if isinstance(update, BaseException):
                return update
            self.transfer = update.transfer
            self.transfer.complete = complete
            if update.is_last:
                return None

    def _enlarge_pipe(self) -> None:
        """Enlarges the pipe beyond the usual 64 KiB where the platform allows it, which saves the
        event loop many turns.
        """
        # The process may have ended already, which closes the pipe.
        with contextlib.suppress(ImportError, AttributeError, OSError, ValueError):
            import fcntl

            pipe = self._stdin.transport.get_extra_info("pipe")
            fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, 1024 * 1024)
