"""Logs with real network problems: cut, stalled, endless, compressed, in tiny chunks, with lines of
any size; memory use stays constant.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import os
import signal
import sys
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest

from bot.logs import worker
from bot.logs.download import DownloadRequest, LogFile, download_log
from bot.logs.writer import TransferState
from providers.errors import Incomplete, ProtocolError, Unavailable
from providers.http import streaming
from providers.models import Window
from providers.rapid7.client import Rapid7
from providers.redaction import Redactor, Secret

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
WINDOW = Window(NOON - timedelta(minutes=20), NOON)
KITCHEN = "aee00b66-a543-43dc-b093-53963c2e8f41"
HEAD = (
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Disposition: "
    "attachment; filename=.log\r\n"
)
MB = 1_000_000
Serve = Callable[[asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(serve: Serve) -> AsyncIterator[Rapid7]:
    """A server that answers every request with raw bytes, and an account that uses it."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await serve(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    client = Rapid7(
        "eu",
        base_url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}",
        api_key=Secret("kkkk"),
    )
    try:
        yield client
    finally:
        await client.aclose()
        server.close()


def chunked(*pieces: bytes, end: bool = True, headers: str = "") -> Serve:
    async def serve(writer: asyncio.StreamWriter) -> None:
        writer.write((HEAD + headers + "Transfer-Encoding: chunked\r\n\r\n").encode())
        for piece in pieces:
            writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            await writer.drain()
        if end:
            writer.write(b"0\r\n\r\n")
        await writer.drain()

    return serve


def plain(body: bytes, headers: str) -> Serve:
    async def serve(writer: asyncio.StreamWriter) -> None:
        writer.write((HEAD + headers + "\r\n").encode() + body)
        await writer.drain()

    return serve


async def fetched(
    client: Rapid7,
    folder: Path,
    *,
    limit: int | None = None,
    most_bytes: int = 10**9,
    plain_bytes: int = 10**9,
) -> tuple[TransferState, bytes]:
    wanted = DownloadRequest([KITCHEN], WINDOW, "", limit, most_bytes, plain_bytes)
    transfer = await download_log(
        client, wanted, LogFile(lambda: folder, "kitchen.log"), Redactor([Secret("kkkk")])
    )
    content = transfer.path.read_bytes()
    return transfer, gzip.decompress(content) if transfer.path.suffix == ".gz" else content


async def test_truncated_chunked_log_is_saved_and_reported(tmp_path: Path) -> None:
    async with serving(chunked(b"one\ntwo\nthr", end=False)) as client:
        transfer, content = await fetched(client, tmp_path)
    assert (transfer.complete, transfer.counter.lines, content) == (False, 3, b"one\ntwo\nthr")


async def test_log_shorter_than_announced_is_reported(tmp_path: Path) -> None:
    async with serving(plain(b"one\ntwo\n", "Content-Length: 100\r\n")) as client:
        transfer, content = await fetched(client, tmp_path)
    assert (transfer.complete, content) == (False, b"one\ntwo\n")


async def test_body_ending_with_connection_is_complete(tmp_path: Path) -> None:
    """Nothing says how long it should have been."""
    async with serving(plain(b"one\ntwo\n", "Connection: close\r\n")) as client:
        transfer, content = await fetched(client, tmp_path)
    assert (transfer.complete, content) == (True, b"one\ntwo\n")


async def test_empty_body_is_an_empty_log(tmp_path: Path) -> None:
    async with serving(chunked()) as client:
        transfer, content = await fetched(client, tmp_path)
    assert (transfer.complete, transfer.counter.lines, content) == (True, 0, b"")


async def test_tiny_chunks_make_the_same_log(tmp_path: Path) -> None:
    whole = "".join(
        f"2026-11-20T11:{n % 60:02d}:00Z INFO Ünïcode line {n} 🥖\n" for n in range(20_000)
    ).encode()
    async with serving(
        chunked(*(whole[at : at + 1400] for at in range(0, len(whole), 1400)))
    ) as client:
        transfer, content = await fetched(client, tmp_path)
    assert content == whole
    assert (transfer.counter.lines, transfer.received, transfer.counter.counted_levels()) == (
        20_000,
        len(whole),
        {"info": 20_000},
    )


async def test_characters_split_between_chunks_stay_whole(tmp_path: Path) -> None:
    whole = "🥖 ünï\n".encode() * 50
    async with serving(chunked(*(whole[at : at + 1] for at in range(len(whole))))) as client:
        assert (await fetched(client, tmp_path))[1] == whole


async def test_line_ends_of_other_kinds_do_not_make_lines(tmp_path: Path) -> None:
    whole = "a\u2028b\u0085c\x0bd\x1ce\x0cf\rg\n".encode() * 3
    async with serving(chunked(whole)) as client:
        transfer, content = await fetched(client, tmp_path)
    assert (content, transfer.counter.lines) == (whole, 3)


@pytest.mark.parametrize(
    ("limit", "lines", "truncated"), [(2, 2, True), (3, 3, False), (4, 3, False)]
)
async def test_cut_differs_from_exact_fit(
    tmp_path: Path, limit: int, lines: int, truncated: bool
) -> None:
    async with serving(chunked(b"one\ntwo\nthree\n")) as client:
        transfer, _ = await fetched(client, tmp_path, limit=limit)
    assert (transfer.counter.lines, transfer.truncated) == (lines, truncated)


async def test_exact_fit_at_vendor_limit_is_a_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("bot.logs.download", "providers.rapid7.client"):
        monkeypatch.setattr(f"{module}.MOST_LINES", 3)
    async with serving(chunked(b"one\ntwo\nthree\n")) as client:
        transfer, _ = await fetched(client, tmp_path)
    assert (transfer.counter.lines, transfer.truncated) == (3, True)


async def test_stalled_download_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "TIMEOUT", aiohttp.ClientTimeout(sock_read=0.2))

    async def silent(writer: asyncio.StreamWriter) -> None:
        await chunked(b"one\n", end=False)(writer)
        await asyncio.sleep(5)

    async with serving(silent) as client:
        async with client.download([KITCHEN], WINDOW, query="", limit=10, most_bytes=MB) as stream:
            pieces: list[bytes] = []

            async def read() -> None:
                async for piece in stream:
                    pieces.append(piece)

            with pytest.raises(Incomplete, match="eu stopped responding"):
                await read()
        assert pieces == [b"one\n"]


async def test_unresponsive_server_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "TIMEOUT", aiohttp.ClientTimeout(sock_read=0.1))

    async def mute(writer: asyncio.StreamWriter) -> None:
        del writer
        await asyncio.sleep(5)

    async with serving(mute) as client:
        with pytest.raises(Unavailable, match="eu stopped responding"):
            async with client.download([KITCHEN], WINDOW, query="", limit=10, most_bytes=MB):
                raise AssertionError("nothing can have begun")


async def endless(writer: asyncio.StreamWriter) -> None:
    writer.write((HEAD + "Transfer-Encoding: chunked\r\n\r\n").encode())
    piece = b"2026-11-20T11:00:00Z INFO on and on\n" * 2000
    while True:
        writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        await writer.drain()


async def test_endless_log_ends_at_the_limit(tmp_path: Path) -> None:
    async with serving(endless) as client:
        transfer, content = await asyncio.wait_for(fetched(client, tmp_path, most_bytes=5 * MB), 30)
    assert (transfer.truncated, transfer.cut_at_total) == (True, True)
    assert 5 * MB - 100 < len(content) <= 5 * MB
    assert content.endswith(b"\n")


@pytest.mark.parametrize("kind", ["gzip", "x-gzip", "deflate"])
async def test_unrequested_gzip_is_decompressed(tmp_path: Path, kind: str) -> None:
    import zlib

    whole = b"".join(b"line %d\n" % n for n in range(200_000))
    packed = (
        zlib.compress(whole)
        if kind == "deflate"
        else gzip.compress(whole[:MB]) + gzip.compress(whole[MB:])
    )
    async with serving(
        chunked(
            *(packed[at : at + 3000] for at in range(0, len(packed), 3000)),
            headers=f"Content-Encoding: {kind}\r\n",
        )
    ) as client:
        transfer, content = await fetched(client, tmp_path)
    assert content == whole
    assert transfer.complete


@pytest.mark.parametrize("damage", ["cut", "broken"])
async def test_damaged_gzip_is_reported(tmp_path: Path, damage: str) -> None:
    packed = gzip.compress(b"".join(b"line %d\n" % n for n in range(50_000)))
    packed = packed[: len(packed) // 2] + (b"\0" * 500 if damage == "broken" else b"")
    async with serving(chunked(packed, headers="Content-Encoding: gzip\r\n")) as client:
        transfer, content = await fetched(client, tmp_path)
    assert not transfer.complete
    assert content.startswith(b"line 0\nline 1\n")


async def test_unknown_encoding_is_refused() -> None:
    async with serving(chunked(b"x", headers="Content-Encoding: br\r\n")) as client:
        with pytest.raises(ProtocolError, match="packed as br"):
            async with client.download(
                [KITCHEN], WINDOW, query="", limit=10, most_bytes=MB
            ) as stream:
                _ = [piece async for piece in stream]


async def test_endless_header_is_refused() -> None:
    async def serve(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD.encode() + b"X-Long: " + b"y" * 2 * MB)
        await writer.drain()

    async with serving(serve) as client:
        with pytest.raises(ProtocolError, match="headers without end"):
            async with client.download([KITCHEN], WINDOW, query="", limit=10, most_bytes=MB):
                raise AssertionError("this cannot be read")


LOG = b"".join(
    b"2026-11-20T11:%02d:%02dZ %s kitchen token=geheim%d x\n"
    % (n // 60 % 60, n % 60, (b"INFO", b"ERROR")[n % 3 == 0], n)
    for n in range(20_000)
)


@pytest.mark.parametrize("plain_bytes", [0, 5_000, 300_000, 10**9])
@pytest.mark.parametrize("limit", [None, 15_000])
async def test_handed_over_log_is_unchanged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plain_bytes: int, limit: int | None
) -> None:
    """The result in a thread alone equals that of a process that takes over, at any point."""
    found = []
    for hand_over in (0, 100_000, 600_000, 10**12):
        monkeypatch.setattr(worker, "HAND_OVER_BYTES", hand_over)
        async with serving(
            chunked(*(LOG[at : at + 50_000] for at in range(0, len(LOG), 50_000)))
        ) as client:
            transfer, content = await fetched(
                client, tmp_path, plain_bytes=plain_bytes, limit=limit
            )
        found.append(
            (content, transfer.received, transfer.truncated, transfer.path.suffix, transfer.counter)
        )
    assert all(each == found[0] for each in found)
    content, _, truncated, suffix, counter = found[0]
    assert b"geheim" not in content
    assert (content.count(b"\n"), counter.lines, truncated) == (
        (limit or 20_000,) * 2 + (limit is not None,)
    )
    assert suffix == (".gz" if plain_bytes < 10**9 else ".log")


@asynccontextmanager
async def handed_over(folder: Path) -> AsyncIterator[tuple[asyncio.Task[object], list[int]]]:
    """An endless log that a process works on, and that process."""
    async with serving(endless) as client:
        task: asyncio.Task[object] = asyncio.create_task(fetched(client, folder))
        while not (children := workers()):
            await asyncio.sleep(0.02)
        yield task, children


async def test_thread_continues_without_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "HAND_OVER_BYTES", 0)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "none"))
    async with serving(chunked(b"one\n" * 50_000, b"two\n" * 50_000)) as client:
        transfer, content = await fetched(client, tmp_path)
    assert (transfer.counter.lines, content) == (100_000, b"one\n" * 50_000 + b"two\n" * 50_000)


linux_only = pytest.mark.skipif(sys.platform != "linux", reason="finds its processes in /proc")


@linux_only
async def test_cancelled_log_ends_its_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "HAND_OVER_BYTES", 0)
    async with handed_over(tmp_path) as (task, children):
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert not set(children) & set(workers())


@linux_only
async def test_dead_process_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "HAND_OVER_BYTES", 0)
    async with handed_over(tmp_path) as (task, children):
        os.kill(children[0], signal.SIGKILL)
        with pytest.raises(RuntimeError, match="has ended"):
            await asyncio.wait_for(task, 60)


async def test_failed_write_of_process_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "HAND_OVER_BYTES", 0)
    (tmp_path / "kitchen.log.gz").mkdir()
    async with serving(endless) as client:
        with pytest.raises(IsADirectoryError):
            await asyncio.wait_for(
                fetched(client, tmp_path, plain_bytes=5 * MB, most_bytes=20 * MB), 20
            )


@linux_only
async def test_process_leaves_processor_to_the_bot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "HAND_OVER_BYTES", 0)
    async with handed_over(tmp_path) as (task, children):
        # In another session its priority would not count, and in the bot's group it would receive
        # what a terminal sends.
        assert os.getsid(children[0]) == os.getsid(0)
        assert os.getpgid(children[0]) == children[0]
        own = os.getpriority(os.PRIO_PROCESS, 0)
        async with asyncio.timeout(60):
            while os.getpriority(os.PRIO_PROCESS, children[0]) <= own:
                await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@linux_only
async def test_process_gets_no_secret_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "HAND_OVER_BYTES", 0)
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-geheim")
    async with handed_over(tmp_path) as (task, children):
        environ = Path(f"/proc/{children[0]}/environ").read_bytes()
        command = Path(f"/proc/{children[0]}/cmdline").read_bytes()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert b"geheim" not in environ + command


def workers() -> list[int]:
    """The processes that work on logs for this one."""
    found = []
    for children in Path("/proc/self/task").glob("*/children"):
        for child in children.read_text().split():
            with contextlib.suppress(OSError):
                if b"bot.logs.writer" in Path(f"/proc/{child}/cmdline").read_bytes():
                    found.append(int(child))
    return found


async def grown(client: Rapid7, folder: Path, **wanted: int) -> tuple[int, TransferState]:
    """Python's peak memory use for one log, in bytes."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        transfer = await download_log(
            client,
            DownloadRequest([KITCHEN], WINDOW, "", None, wanted["most_bytes"], 1000),
            LogFile(lambda: folder, "a.log"),
            Redactor([Secret("kkkk")]),
        )
        return tracemalloc.get_traced_memory()[1] - before, transfer
    finally:
        tracemalloc.stop()


async def test_memory_does_not_grow_with_the_log(tmp_path: Path) -> None:
    async with serving(endless) as client:
        small, _ = await grown(client, tmp_path, most_bytes=4 * MB)
        large, transfer = await grown(client, tmp_path, most_bytes=40 * MB)
    assert transfer.received > 39 * MB
    assert large < 24 * MB
    assert large < small + 4 * MB


async def test_huge_line_is_redacted_in_constant_memory(tmp_path: Path) -> None:
    """A secret across any boundary is found, and nothing else of the line is lost."""
    piece = (b"x" * 50 + b" ") * 1000
    count = 50 * MB // len(piece)
    secret = b" password=geheim "

    async def serve(writer: asyncio.StreamWriter) -> None:
        writer.write((HEAD + "Transfer-Encoding: chunked\r\n\r\n").encode())
        for n in range(count):
            part = piece + (secret if n % 20 == 0 else b"")
            writer.write(b"%x\r\n%s\r\n" % (len(part), part))
            await writer.drain()
        writer.write(b"0\r\n\r\n")

    async with serving(serve) as client:
        peak, transfer = await grown(client, tmp_path, most_bytes=10**9)
    content = gzip.decompress(transfer.path.read_bytes())
    assert (transfer.counter.lines, transfer.complete) == (1, True)
    assert b"geheim" not in content
    assert content.count(b"password=[redacted]") == -(-count // 20)
    assert content.count(b"x") == count * 50_000
    assert peak < 24 * MB


async def test_gzip_bomb_does_not_fill_memory(tmp_path: Path) -> None:
    packed = gzip.compress(b"\0" * 400 * MB, compresslevel=9)
    async with serving(chunked(packed, headers="Content-Encoding: gzip\r\n")) as client:
        peak, transfer = await grown(client, tmp_path, most_bytes=8 * MB)
    assert transfer.truncated
    assert peak < 24 * MB
