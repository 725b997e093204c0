"""Prints a table of medians and ratios, and by how much a target is missed. `--full` takes longer and asks for more; a part may be named, such as `bulk`."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.reports.audit import CSV_HEADER, AuditFacts, audit_report, csv_rows
from bot.reports.sheets import csv_bytes
from bot.sandbox import seed
from bot.sandbox.world import World, open_world
from bot.transfers import Wanted, fetch_log
from providers.akamai import parse as akamai
from providers.devicewise import parse as devicewise
from providers.rapid7.client import Rapid7
from providers.records import Window
from providers.redaction import Redactor, Secret
from tests.conftest import ROOT, toml_of

FULL = "--full" in sys.argv
ONLY = [word for word in sys.argv[1:] if not word.startswith("--")]
IN_FLIGHT = 50
NOW = datetime.now(UTC)
DAY = Window(NOW - timedelta(days=1), NOW)
rows: list[tuple[str, str, str, str]] = []


def tell(what: str, ours: str, reference: str, ratio: float, target: float, *, less_is_better: bool = True) -> None:
    """A row of the table, printed at once."""
    good = ratio <= target if less_is_better else ratio >= target
    verdict = f"{ratio:.2f} × (target {'≤' if less_is_better else '≥'} {target:g} ×{'' if good else ', missed'})"
    rows.append((what, ours, reference, verdict))
    print(f"{what:58} {ours:>16}   {reference:34} {verdict}", flush=True)


@asynccontextmanager
async def subject(name: str, world: World) -> AsyncIterator[float]:
    """A subject connected to the world's Slack; gives the seconds it took to start."""
    (world.folder / "bot.toml").write_text(toml_of(world.table()))
    env = {**os.environ, **world.environ(), "PYTHONPATH": str(ROOT)}
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.subjects", name, str(world.folder)], env=env, cwd=ROOT, stderr=subprocess.DEVNULL
    )
    try:
        await world.slack.until(lambda: world.slack.sockets, timeout_s=30)
        yield time.monotonic() - started
    finally:
        process.kill()
        process.wait()
        await world.slack.until(lambda: not world.slack.sockets, timeout_s=30)


async def acks(world: World, rounds: int) -> tuple[float, float]:
    """Ack p50 and p99 in milliseconds with fifty commands in flight."""
    taken = []
    for _ in range(rounds):
        sent = [await world.slack.command("/usage last 7 days", user="U0LINUS") for _ in range(IN_FLIGHT)]
        await asyncio.gather(*(ack.done for ack in sent))
        taken += [(ack.acked_at - ack.sent_at) * 1000 for ack in sent]
        world.slack.messages.clear()
    return statistics.median(taken), statistics.quantiles(taken, n=100)[98]


async def answers_a_second(world: World, count: int) -> float:
    """Whole answers a second, fifty commands in flight."""
    started = time.monotonic()
    for _ in range(count // IN_FLIGHT):
        world.slack.messages.clear()
        await asyncio.gather(*[world.slack.command("/usage last 7 days", user="U0LINUS") for _ in range(IN_FLIGHT)])
        await world.slack.until(lambda: sum("in 7 days" in m.text for m in world.slack.messages if m.user == "U0OPSWATCH") >= IN_FLIGHT, timeout_s=60)  # fmt: skip
    return count / (time.monotonic() - started)


async def slack_side() -> None:
    rounds, answers = (20, 1000) if FULL else (6, 200)
    measured: dict[str, tuple[float, float, float, float]] = {}
    for name in ("floor", "stock", "opswatch"):
        with tempfile.TemporaryDirectory() as folder:
            async with open_world(Path(folder)) as world:
                async with subject(name, world) as start_s:
                    speed = await answers_a_second(world, answers) if name != "floor" else 0.0
                async with subject(name, world) as start_again_s:
                    world.rapid7.be_slow(2, times=1_000_000)
                    p50, p99 = await acks(world, rounds)
                measured[name] = (p50, p99, speed, min(start_s, start_again_s))
    floor, stock, ours = measured["floor"], measured["stock"], measured["opswatch"]
    tell("ack p99, 50 in flight, providers take 2 s", f"{ours[1]:.1f} ms", f"bare echo {floor[1]:.1f} ms", ours[1] / floor[1], 3)
    tell("  the same against stock Bolt", f"{ours[1]:.1f} ms", f"stock Bolt {stock[1]:.1f} ms", ours[1] / stock[1], 1)
    tell(
        "full /usage answers a second",
        f"{ours[2]:.0f}/s",
        f"stock Bolt echo {stock[2]:.0f}/s",
        ours[2] / stock[2],
        2.3,
        less_is_better=False,
    )
    tell("start to connected", f"{ours[3]:.2f} s", f"stock Bolt {stock[3]:.2f} s", ours[3] / stock[3], 2.7)


def best(work: Callable[[], Any], times: int = 5) -> float:
    """The median of some runs, in milliseconds."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken)


async def decoding() -> None:
    one = list(seed.akamai_rows(NOW - timedelta(days=5), NOW))
    many = (one * (25_000 // len(one) + 1))[:25_000]
    body = json.dumps({"metadata": {"rowCount": 25_000}, "data": many}).encode()

    def report(with_csv: bool) -> None:
        calls = [akamai.api_call(row, account="edge", own_token="x") for row in akamai.json_report(body, account="edge").rows]
        audit_report(AuditFacts(("edge",), DAY, calls, complete=True))
        if with_csv:
            csv_bytes(CSV_HEADER, csv_rows(calls))

    reference = best(lambda: json.loads(body))
    for what, with_csv, target in (
        ("25,000 Akamai rows: bytes in, report out", False, 2),
        ("  and the CSV of every row", True, 5),
    ):
        ours = best(lambda with_csv=with_csv: report(with_csv), 3)  # type: ignore[misc]
        tell(what, f"{ours:.0f} ms", f"json.loads {reference:.0f} ms", ours / reference, target)

    count = 100_000 if FULL else 20_000
    some = list(seed.devicewise_rows(NOW - timedelta(days=5), NOW))
    pages = [json.dumps({"list": {"success": True, "params": {"count": count, "result": (some * 3)[:2000]}}}).encode()] * (
        count // 2000
    )

    def ours_nested() -> None:
        calls = []
        for page in pages:
            found = devicewise.list_page(page, account="iot")
            assert isinstance(found, devicewise.Page)
            calls += [devicewise.api_call(row, account="iot", whoami="x") for row in found.rows]
        audit_report(AuditFacts(("iot",), DAY, calls, complete=True))

    def reference_nested() -> None:
        for page in pages:
            for row in json.loads(page)["list"]["params"]["result"]:
                json.loads(row["request"])
                json.loads(row["response"])

    reference, ours = best(reference_nested, 3), best(ours_nested, 3)
    tell(
        f"{count:,} TR50 rows with nested JSON, report out",
        f"{ours:.0f} ms",
        f"json.loads {reference:.0f} ms",
        ours / reference,
        0.5,
    )


async def bulk() -> None:
    """A log through the whole way, against curl and gzip with the same bytes."""
    megabytes = 1000 if FULL else 100
    lines = [line.encode() for line in seed.log_lines(seed.KITCHEN, NOW - timedelta(days=1), NOW)]
    block = b"\n".join(lines)[:65_000].rpartition(b"\n")[0] + b"\n"
    blocks = megabytes * 1_000_000 // len(block)

    async def download(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        for _ in range(blocks):
            await response.write(block)
        return response

    app = web.Application()
    app.add_routes([web.get("/download/logs/{ids}", download)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    source = Rapid7("r", base_url=url, api_key=Secret("kkkk"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.log"
        wanted = Wanted([seed.KITCHEN], DAY, "", None, 10**12, 10**6)
        started = time.monotonic()
        async with source.download(wanted.ids, DAY, query="", limit=1, most_bytes=10**12) as stream:
            with path.open("wb") as file:
                async for piece in stream:
                    file.write(piece)
        to_disk = time.monotonic() - started
        started = time.monotonic()
        await fetch_log(source, wanted, path, Redactor([Secret("kkkk")]))
        whole = time.monotonic() - started
        if shutil.which("curl"):
            curl = await timed(f"curl -s -o {folder}/b {url}/download/logs/x")
            pipeline = await timed(f"curl -s -o {folder}/b {url}/download/logs/x && gzip -1 -f {folder}/b")
            tell(
                "log to disk",
                f"{megabytes / to_disk:.0f} MB/s",
                f"curl {megabytes / curl:.0f} MB/s",
                curl / to_disk,
                0.5,
                less_is_better=False,
            )
            tell("log: redact, count, compress", f"{megabytes / whole:.0f} MB/s", f"curl; gzip -1 {megabytes / pipeline:.0f} MB/s", pipeline / whole, 1, less_is_better=False)  # fmt: skip
        else:
            print("curl is not installed; the log rows have no reference", flush=True)
    await source.aclose()
    await runner.cleanup()


async def timed(command: str) -> float:
    started = time.monotonic()
    process = await asyncio.create_subprocess_shell(command)
    await process.wait()
    return time.monotonic() - started


async def main() -> None:
    print(f"{'what':58} {'Opswatch':>16}   {'reference in the same run':34} ratio")
    for part in (slack_side, decoding, bulk):
        if not ONLY or part.__name__ in ONLY:
            await part()


if __name__ == "__main__":
    asyncio.run(main())
