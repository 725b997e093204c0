"""Small files stay in memory if the limit for all answers together allows it."""

from __future__ import annotations

import gzip
import hashlib
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.answer import AnswerFile
from bot.commands.answer_resources import AnswerResources
from bot.logs.download import DownloadRequest, LogFile, download_log
from bot.logs.worker import LogWorker
from bot.logs.writer import LogWriter, TransferState
from bot.system.file_memory import FileMemory, MemoryAllowance
from bot.system.private_files import save_private
from providers.errors import Incomplete
from providers.models import Window
from providers.redaction import Redactor

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
LINES = [b"2026-11-20T11:59:%02dZ INFO kitchen: soup %d\n" % (n % 60, n) for n in range(60)]


class Pieces:
    """A log that arrives in these pieces."""

    account = "kitchen"

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces

    @asynccontextmanager
    async def download(self, *_: Any, **__: Any) -> AsyncIterator[AsyncIterator[bytes]]:
        async def stream() -> AsyncIterator[bytes]:
            for piece in self._pieces:
                yield piece

        yield stream()


async def downloaded(
    folder: Path,
    memory_bytes: int,
    *,
    plain_bytes: int = 10**6,
    source: Pieces | None = None,
) -> tuple[TransferState, list[str]]:
    """The log, and the names of the files on disk."""
    wanted = DownloadRequest(
        ["k"], Window(NOON - timedelta(minutes=1), NOON), "", None, 10**9, plain_bytes
    )
    file = LogFile(lambda: folder, "kitchen.log", memory_bytes)
    transfer = await download_log(source or Pieces(LINES), wanted, file, Redactor())
    return transfer, [path.name for path in folder.iterdir()]


async def test_small_log_needs_no_disk(tmp_path: Path) -> None:
    transfer, on_disk = await downloaded(tmp_path, 10_000)
    assert (transfer.content, on_disk) == (b"".join(LINES), [])
    assert (transfer.path.name, transfer.counter.lines) == ("kitchen.log", 60)


@pytest.mark.parametrize("memory_bytes", [0, 1, 1000])
async def test_larger_log_is_on_disk(tmp_path: Path, memory_bytes: int) -> None:
    transfer, on_disk = await downloaded(tmp_path, memory_bytes)
    assert (transfer.content, on_disk) == (None, ["kitchen.log"])
    assert transfer.path.read_bytes() == b"".join(LINES)


async def test_packed_log_in_memory_is_whole(tmp_path: Path) -> None:
    transfer, on_disk = await downloaded(tmp_path, 10_000, plain_bytes=100)
    assert (transfer.path.name, on_disk) == ("kitchen.log.gz", [])
    assert transfer.content is not None
    assert gzip.decompress(transfer.content) == b"".join(LINES)


async def test_packed_log_outgrows_memory(tmp_path: Path) -> None:
    transfer, on_disk = await downloaded(tmp_path, 1000, plain_bytes=100)
    assert on_disk == ["kitchen.log.gz"]
    assert gzip.decompress(transfer.path.read_bytes()) == b"".join(LINES)


class BrokenOnce(Pieces):
    """A log whose first download breaks off after these pieces."""

    def __init__(self, pieces: list[bytes]) -> None:
        super().__init__(pieces)
        self._is_broken = True

    @asynccontextmanager
    async def download(self, *_: Any, **__: Any) -> AsyncIterator[AsyncIterator[bytes]]:
        is_broken, self._is_broken = self._is_broken, False

        async def stream() -> AsyncIterator[bytes]:
            for piece in self._pieces:
                yield piece
            if is_broken:
                raise Incomplete("the kitchen closed early", account="kitchen", hint="")

        yield stream()


@pytest.mark.parametrize("plain_bytes", [100, 10**6])
@pytest.mark.parametrize("memory_bytes", [0, 1, 1000, 10_000])
async def test_retried_log_is_written_once(
    tmp_path: Path, memory_bytes: int, plain_bytes: int
) -> None:
    transfer, _ = await downloaded(
        tmp_path, memory_bytes, plain_bytes=plain_bytes, source=BrokenOnce(LINES)
    )
    content = transfer.path.read_bytes() if transfer.content is None else transfer.content
    if transfer.path.suffix == ".gz":
        content = gzip.decompress(content)
    assert (content, transfer.counter.lines) == (b"".join(LINES), 60)


async def test_disk_is_used_in_a_thread(tmp_path: Path) -> None:
    threads = []

    def folder() -> Path:
        threads.append(threading.current_thread())
        return tmp_path

    writer = LogWriter(
        TransferState(Path("kitchen.log")),
        Redactor(),
        most_lines=100,
        most_bytes=10**6,
        plain_bytes=10**6,
        in_memory=True,
    )
    worker = LogWorker(writer, lambda: folder() / "kitchen.log", memory_bytes=1000)
    for piece in LINES:
        await worker.feed(piece)
    await worker.close()
    assert len(threads) == 1
    assert threads[0] is not threading.main_thread()
    assert worker.transfer.path.read_bytes() == b"".join(LINES)


async def test_log_in_memory_is_handed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.logs.worker.HAND_OVER_BYTES", 500)
    transfer, _ = await downloaded(tmp_path, 1000)
    assert transfer.path.read_bytes() == b"".join(LINES)


def test_memory_is_bounded_for_all_answers() -> None:
    memory = FileMemory(most_bytes=100)
    with AnswerResources(memory) as one, AnswerResources(memory) as other:
        reserved = [
            each.memory.reserve(size) for each, size in ((one, 60), (other, 60), (other, 40))
        ]
        assert reserved == [True, False, True]
    assert memory.free_bytes == 100


def test_allowance_of_its_own_has_room() -> None:
    assert MemoryAllowance().reserve(256 * 1024)


def test_file_in_memory_equals_one_on_disk(tmp_path: Path) -> None:
    (tmp_path / "soup.csv").write_bytes(b"a,b\r\n")
    in_memory = AnswerFile("soup.csv", b"a,b\r\n", "Soup")
    on_disk = AnswerFile("soup.csv", tmp_path / "soup.csv", "Soup")
    expected = (5, hashlib.sha256(b"a,b\r\n").hexdigest(), b"a,b\r\n")
    for file in (in_memory, on_disk):
        with file.open() as source:
            assert (file.bytes, file.sha256(), source.read()) == expected
    for file in (in_memory, on_disk):
        assert save_private(file.content, tmp_path / "out", file.name).read_bytes() == b"a,b\r\n"
