"""The server on standard input and output, for a client that starts it as a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import cast

import anyio
from mcp.server.stdio import stdio_server

from bot.cli.mcp.server import McpServer

# A line without an end must not fill the memory.
MOST_LINE_BYTES = 1_000_000
_READ_BYTES = 65_536


async def serve_stdio(server: McpServer) -> None:
    """Answers until the client closes its end, or SIGTERM or SIGINT comes."""
    serving = asyncio.current_task()
    assert serving is not None
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows
            loop.add_signal_handler(name, serving.cancel)
    with _private_streams() as (received, sent):
        lines = cast("anyio.AsyncFile[str]", _Lines(received))
        output = anyio.wrap_file(io.TextIOWrapper(sent, encoding="utf-8"))
        try:
            async with stdio_server(lines, output) as (incoming, outgoing):
                await server.run(incoming, outgoing, server.create_initialization_options())
        except* (BrokenPipeError, asyncio.CancelledError):
            # The client has gone, or the program is to end.
            pass


@contextlib.contextmanager
def _private_streams() -> Iterator[tuple[int, io.BufferedWriter]]:
    """Standard input and output for the protocol alone. What anything else prints goes to standard
    error, and processes that are started read nothing.
    """
    sys.stdout.flush()
    received = os.dup(0)
    sent = os.fdopen(os.dup(1), "wb")
    with Path(os.devnull).open("rb") as nothing:
        # A child process that reads standard input would take lines of the client.
        os.dup2(nothing.fileno(), 0)
    # A print anywhere in a library would otherwise break the protocol.
    os.dup2(2, 1)
    try:
        yield received, sent
    finally:
        with contextlib.suppress(OSError):
            sent.close()


class _Lines:
    """Lines of a descriptor, read by a thread that does not keep the program from ending. A line
    that is too long is cut, so that the SDK refuses it.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[str | None] = asyncio.Queue(maxsize=16)
        # A thread, because a read of standard input cannot be cancelled.
        threading.Thread(target=self._read, name="mcp-stdin", daemon=True).start()

    async def __aiter__(self) -> AsyncIterator[str]:
        while (line := await self._queue.get()) is not None:
            yield line

    def _read(self) -> None:
        # The loop may end first.
        with contextlib.suppress(RuntimeError, asyncio.CancelledError):
            for line in _lines_of(self._descriptor):
                self._put(line.decode("utf-8", "replace"))
            self._put(None)

    def _put(self, line: str | None) -> None:
        # Waits for room in the queue, so that a fast client is slowed down.
        asyncio.run_coroutine_threadsafe(self._queue.put(line), self._loop).result()


def _lines_of(descriptor: int) -> Iterator[bytes]:
    kept: list[bytes] = []
    size = 0
    while chunk := _read_chunk(descriptor):
        *ended, begun = chunk.split(b"\n")
        for end in ended:
            line = b"".join([*kept, end])
            kept = []
            size = 0
            if line.strip():
                yield line
        if size < MOST_LINE_BYTES:
            kept.append(begun)
            size += len(begun)


def _read_chunk(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, _READ_BYTES)
    except OSError:
        return b""
