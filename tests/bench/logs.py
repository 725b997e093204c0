"""Logs: the throughput of a large one beside curl and gzip, its effect on other users, and
redaction.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from bot.answer import AnswerFile
from bot.logs.counter import LogCounter
from bot.logs.download import DownloadRequest, LogFile, download_log
from bot.logs.writer import READ_BYTES
from bot.sandbox.sandbox import Sandbox
from providers.models import Window
from providers.rapid7.client import Rapid7
from providers.redaction import Redactor, Secret
from tests.bench.processes import memory_mb, process_of, subject
from tests.bench.results import Results, ratios, times_ms
from tests.bench.subjects import JSON_LINES, log_block
from tests.support.hostile_logs import HOSTILE_LINES, hostile_block
from tests.support.sandbox import open_tested_sandbox

NOW = datetime.now(UTC)
DAY = Window(NOW - timedelta(days=1), NOW)


async def beside_a_log(results: Results, *, full: bool) -> None:
    """Acks of other users and memory use while a log of a gigabyte is fetched, redacted, counted
    and compressed in the same process.
    """
    megabytes = (10, 1000, 4000) if full else (10, 1000)
    with tempfile.TemporaryDirectory() as folder:
        async with (
            open_tested_sandbox(Path(folder)) as sandbox,
            process_of("logs", sandbox.folder, {}) as _,
        ):
            while not (address := sandbox.folder / "logs").exists() or not address.read_text():
                await asyncio.sleep(0.05)
            bulk = {
                "kind": "rapid7",
                "base_url": address.read_text(),
                "api_key": "env:RAPID7_API_KEY",
            }
            bulk["logs"] = {f"log{size}": log_id(size) for size in megabytes}  # type: ignore[assignment]
            providers = {**sandbox.table()["providers"], "bulk": bulk}
            async with subject(
                "opswatch", sandbox, providers=providers, limits={"upload_total": "9 GB"}
            ) as (_, pid):
                await single_acks(sandbox, lambda: False, most=50)
                alone = await single_acks(sandbox, lambda: False)
                idle = memory_mb(pid)
                peaks = {}
                for size in megabytes:
                    Path(f"/proc/{pid}/clear_refs").write_text("5")
                    sandbox.slack.messages.clear()
                    await sandbox.slack.command(f"/logs log{size} 20m")
                    children: dict[str, float] = {}
                    beside = await single_acks(
                        sandbox,
                        partial(uploads_noting_children, sandbox, pid, children),
                        most=100_000,
                    )
                    peaks[size] = memory_mb(pid, "VmHWM") + sum(children.values())
                    await sandbox.slack.until(
                        lambda: any(
                            m.files or "could not be sent" in m.text for m in sandbox.slack.messages
                        ),
                        timeout_s=120,
                    )
    results.add(
        "ack p99 of others while 1 GB of log goes through",
        f"{beside:.1f} ms",
        f"without it {alone:.1f} ms",
        beside / alone,
        2,
    )
    results.add(
        "memory for a log of 1 GB",
        f"{peaks[1000] - idle:.0f} MB over idle",
        "wanted 48 MB",
        (peaks[1000] - idle) / 48,
        1,
    )
    last = megabytes[-1]
    results.add(
        f"memory for a log of {last} MB against one of 10 MB",
        f"{peaks[last]:.0f} MB",
        f"{peaks[10]:.0f} MB",
        peaks[last] / peaks[10],
        1.2,
    )


async def bulk(results: Results, *, full: bool) -> None:
    """The whole processing of a log, beside curl and gzip with the same bytes."""
    megabytes = 1000 if full else 200
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with process_of("logs", folder, {}):
            while not (folder / "logs").exists() or not (folder / "logs").read_text():
                await asyncio.sleep(0.05)
            url = (folder / "logs").read_text()
            source = Rapid7("r", base_url=url, api_key=Secret("kkkk"))
            to_disk = []
            whole = []
            tenth = []
            of_json = []
            for _ in range(3):
                to_disk.append(await written(source, folder / "a", megabytes))
                tenth.append(await whole_way(source, folder / "b.log", log_id(megabytes // 10)))
                whole.append(await whole_way(source, folder / "b.log", log_id(megabytes)))
                of_json.append(
                    await whole_way(source, folder / "b.log", log_id(megabytes, JSON_LINES))
                )
            await source.aclose()
            speed = [megabytes / statistics.median(times) for times in (to_disk, whole, of_json)]
            each_mb = [taken / megabytes for taken in whole]
            results.add(
                "log: ten times as large, time a megabyte",
                f"{speed[1]:.0f} MB/s",
                f"{megabytes // 10} MB",
                ratios(each_mb, [taken / (megabytes // 10) for taken in tenth]),
                1.3,
            )
            if not shutil.which("curl"):
                print("curl is not installed; the log rows have no reference", flush=True)
                return
            fetch, fetch_json = (
                f"curl -s -o {folder}/c {url}/download/logs/{log}"
                for log in (log_id(megabytes), log_id(megabytes, JSON_LINES))
            )
            pack = f"gzip -1 -f {folder}/c"
            curl = await times_s(fetch)
            pipeline = await times_s(f"{fetch} && {pack}")
            json_pipeline = await times_s(f"{fetch_json} && {pack}")
    for what, taken, name, reference, target in (
        ("log to disk", to_disk, "curl", curl, 0.5),
        ("log: redact, count, compress, hash", whole, "curl; gzip -1", pipeline, 1.2),
        ("log: the same of JSON lines", of_json, "curl; gzip -1", json_pipeline, 1.2),
    ):
        results.add(
            what,
            f"{megabytes / statistics.median(taken):.0f} MB/s",
            f"{name} {megabytes / statistics.median(reference):.0f} MB/s",
            [1 / ratio for ratio in ratios(taken, reference)],
            target,
            less_is_better=False,
        )


async def redaction(results: Results, *, full: bool) -> None:
    """Redaction alone: texts designed to be slow, beside plain lines."""
    plain = log_block() * 16
    redactor = Redactor([Secret("kkkkkk")])
    for _ in range(5):
        # Behind the first megabytes, the scan for long logs takes over.
        redactor.block(plain)
    floor = times_ms(lambda: redactor.block(plain), 5)
    for what, block in crowded_texts(len(plain)):
        taken = times_ms(lambda: redactor.block(block), 3)  # noqa: B023
        results.add(
            f"redaction of a megabyte of: {what}",
            f"{statistics.median(taken) / len(block) * 1e6:.1f} ms/MB",
            f"plain lines {statistics.median(floor) / len(plain) * 1e6:.1f} ms/MB",
            ratios(taken, floor),
            3,
        )


async def hostile_logs(results: Results, *, full: bool) -> None:
    """Counting alone: blocks designed to be slow, beside plain lines."""
    size = (8 if full else 2) * 1_000_000
    plain = log_block() * (size // len(log_block()))
    for kind, lines in HOSTILE_LINES.items():
        block = hostile_block(lines, size, seed=1)
        # Side by side, for the machine may do something else in the meantime.
        pairs = [(_cpu_ms_per_mb(block), _cpu_ms_per_mb(plain)) for _ in range(3)]
        results.add(
            f"hostile logs: a megabyte of {kind}",
            f"{statistics.median(ours for ours, _ in pairs):.1f} ms/MB",
            f"plain lines {statistics.median(floor for _, floor in pairs):.1f} ms/MB",
            [ours / floor for ours, floor in pairs],
            5,
        )


def _cpu_ms_per_mb(log: bytes) -> float:
    started = time.process_time()
    _count(log)
    return (time.process_time() - started) * 1e9 / len(log)


def _count(log: bytes) -> None:
    counter = LogCounter()
    for at in range(0, len(log), READ_BYTES):
        counter.feed(log[at : at + READ_BYTES])
    counter.close()


def crowded_texts(length: int) -> Iterator[tuple[str, bytes]]:
    """Texts in which a secret may begin at every few bytes: repeated or always different, in one
    line or in lines of 16 KB.
    """
    for what, text in (
        ("-eyJ", b"-eyJ"),
        ("a.pwd", b"a.pwd "),
        ("token=, one a line", b"token=\n"),
        ("x", b"x "),
    ):
        yield what, (text * length)[:length]
    spread = random.Random(1)
    for name in ("token=", "-eyJ", "a.pwd ", "pass,", "cookie: a=", '"password":"'):
        words = (spread.randbytes(6).hex() for _ in range(length // 12))
        line = " ".join(name + word for word in words)[:length]
        yield f"{name.strip()} and other words", line.encode()
        lines = (line[at : at + 16_000] for at in range(0, length, 16_000))
        yield f"{name.strip()} and other words in lines", "\n".join(lines).encode()


def uploads(sandbox: Sandbox) -> bool:
    """Whether the log has been fetched and is being uploaded to Slack."""
    return any("getUploadURLExternal" in entry.path for entry in sandbox.slack.requests[-400:])


async def single_acks(sandbox: Sandbox, over: Callable[[], bool], most: int = 400) -> float:
    """Ack p99 in milliseconds of commands sent one at a time, until `over()`."""
    taken: list[float] = []
    sandbox.slack.requests.clear()
    while len(taken) < most and not over():
        ack = await sandbox.slack.command("/usage help", user="U0LINUS")
        await ack.done
        taken.append((ack.acked_at - ack.sent_at) * 1000)
        await asyncio.sleep(0.01)
    return statistics.quantiles(taken, n=100)[98] if len(taken) > 1 else taken[0]


def uploads_noting_children(sandbox: Sandbox, pid: int, peaks: dict[str, float]) -> bool:
    """Whether the log is being uploaded to Slack. Also records the memory of its processes."""
    return uploads(sandbox) or note_children(pid, peaks)


def note_children(pid: int, peaks: dict[str, float]) -> bool:
    """Records the peak memory of the worker processes of another process. Returns False."""
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        with contextlib.suppress(OSError, IndexError):
            peaks[child] = memory_mb(int(child), "VmHWM")
    return False


def log_id(megabytes: int, kind: str = "0000") -> str:
    return f"00000000-0000-0000-{kind}-{megabytes:012d}"


async def written(source: Rapid7, path: Path, megabytes: int) -> float:
    started = time.monotonic()
    async with source.download(
        [log_id(megabytes)], DAY, query="", limit=1, most_bytes=10**10
    ) as stream:
        with path.open("wb") as file:
            async for piece in stream:
                file.write(piece)
    return time.monotonic() - started


async def whole_way(source: Rapid7, path: Path, log: str) -> float:
    started = time.monotonic()
    transfer = await download_log(
        source,
        DownloadRequest([log], DAY, "", None, 10**10, 10**6),
        LogFile(lambda: path.parent, path.name),
        Redactor([Secret("kkkk")]),
    )
    AnswerFile(transfer.path.name, transfer.path, "").sha256()
    return time.monotonic() - started


async def times_s(command: str) -> list[float]:
    """The time a command takes, measured three times."""
    return [await timed(command) for _ in range(3)]


async def timed(command: str) -> float:
    started = time.monotonic()
    process = await asyncio.create_subprocess_shell(command)
    await process.wait()
    return time.monotonic() - started
