"""Prints a table of medians and ratios, and by how much a target is missed. `--full` takes longer
and asks for more; a part may be named, such as `bulk`.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from bot.alerts.backtest import EvaluationPoint, backtest
from bot.alerts.rule import Rule
from bot.alerts.state import WHOLE
from bot.answer import AnswerFile, Measurement
from bot.commands.apiaudit.report import CSV_HEADER, AuditFacts, audit_report, csv_rows
from bot.logs.download import DownloadRequest, download_log
from bot.reports.sheets import csv_bytes
from bot.sandbox.world import Sandbox, open_sandbox
from bot.schedules.due import Due
from bot.slack.outbox import Outbox
from bot.store import Store
from handlers.jobs.alerts import AlertJob, Evaluation
from handlers.jobs.silences import SilenceIndex
from providers.akamai import parse as akamai
from providers.akamai.sandbox import example_rows
from providers.devicewise import parse as devicewise
from providers.models import Window
from providers.rapid7.client import Rapid7
from providers.redaction import Redactor, Secret
from tests.bench.subjects import JSON_LINES, log_block
from tests.conftest import ROOT, toml_of

FULL = "--full" in sys.argv
ONLY = [word for word in sys.argv[1:] if not word.startswith("--")]
IN_FLIGHT = 50
NOW = datetime.now(UTC)
DAY = Window(NOW - timedelta(days=1), NOW)
rows: list[tuple[str, str, str, str]] = []


def tell(
    what: str,
    ours: str,
    reference: str,
    ratio: float,
    target: float,
    *,
    less_is_better: bool = True,
) -> None:
    """A row of the table, printed at once."""
    good = ratio <= target if less_is_better else ratio >= target
    verdict = (
        f"{ratio:.2f} × (target {'≤' if less_is_better else '≥'} {target:g} "
        f"×{'' if good else ', missed'})"
    )
    rows.append((what, ours, reference, verdict))
    print(f"{what:58} {ours:>16}   {reference:34} {verdict}", flush=True)


@asynccontextmanager
async def process_of(
    name: str, folder: Path, env: dict[str, str]
) -> AsyncIterator[subprocess.Popen[bytes]]:
    """A subject in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.subjects", name, str(folder)]
    process = subprocess.Popen(
        command,
        env={**os.environ, **env, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@asynccontextmanager
async def subject(name: str, world: Sandbox, **changes: Any) -> AsyncIterator[tuple[float, int]]:
    """A subject connected to the world's Slack; gives the seconds it took to start, and its
    process.
    """
    (world.folder / "bot.toml").write_text(toml_of({**world.table(), **changes}))
    started = time.monotonic()
    async with process_of(name, world.folder, world.environ()) as process:
        await world.slack.until(lambda: world.slack.sockets, timeout_s=30)
        yield time.monotonic() - started, process.pid
    await world.slack.until(lambda: not world.slack.sockets, timeout_s=30)


async def acks(world: Sandbox, rounds: int, in_flight: int = IN_FLIGHT) -> float:
    """Ack p99 in milliseconds with so many commands in flight."""
    taken = []
    for _ in range(rounds):
        sent = [
            await world.slack.command("/usage last 7 days", user="U0LINUS")
            for _ in range(in_flight)
        ]
        await asyncio.gather(*(ack.done for ack in sent))
        taken += [(ack.acked_at - ack.sent_at) * 1000 for ack in sent]
        world.slack.messages.clear()
    return statistics.quantiles(taken, n=100)[98]


async def answers_a_second(world: Sandbox, count: int) -> float:
    """Whole answers a second, fifty commands in flight all the time."""
    started, sent, answered = time.monotonic(), 0, 0

    def answers() -> int:
        return sum("in 7 days" in m.text for m in world.slack.messages if m.user == "U0OPSWATCH")

    world.slack.messages.clear()
    while answered < count:
        while sent < min(count, answered + IN_FLIGHT):
            await world.slack.command("/usage last 7 days", user="U0LINUS")
            sent += 1
        answered += await world.slack.until(answers, timeout_s=60)
        world.slack.messages.clear()
    return count / (time.monotonic() - started)


async def slack_side() -> None:
    rounds, answers = (20, 3000) if FULL else (6, 600)
    slow_acks: dict[str, tuple[float, float]] = {}
    speed: dict[str, float] = {}
    starts: dict[str, float] = {}
    idle_mb = 0.0
    for name in ("floor", "stock", "opswatch"):
        with tempfile.TemporaryDirectory() as folder:
            async with open_sandbox(Path(folder)) as world:
                async with subject(name, world) as (start_s, pid):
                    await asyncio.sleep(0.5)
                    idle_mb = memory_mb(pid)
                world.rapid7.be_slow(2, times=1_000_000)
                async with subject(name, world) as (start_again_s, _):
                    await acks(world, 1)
                    slow_acks[name] = (
                        await acks(world, rounds),
                        await acks(world, max(2, rounds // 3), 10 * IN_FLIGHT),
                    )
                starts[name] = min(start_s, start_again_s)
    for name in ("stock", "memory"):
        with tempfile.TemporaryDirectory() as folder:
            async with open_sandbox(Path(folder)) as world, subject(name, world):
                await answers_a_second(world, IN_FLIGHT * 2)
                speed[name] = await answers_a_second(world, answers)
    (ours, ours_10), (floor, floor_10), (stock, _) = (
        slow_acks["opswatch"],
        slow_acks["floor"],
        slow_acks["stock"],
    )
    tell(
        "ack p99, 50 in flight, providers take 2 s",
        f"{ours:.1f} ms",
        f"bare echo {floor:.1f} ms",
        ours / floor,
        3,
    )
    tell(
        "  the same against stock Bolt",
        f"{ours:.1f} ms",
        f"stock Bolt {stock:.1f} ms",
        ours / stock,
        1,
    )
    print(
        (
            "  elsewhere, on a machine where the bare echo took 12 ms: Bolt for JavaScript 39 ms, "
            "slack-machine 38 ms"
        ),
        flush=True,
    )
    tell(
        "  ten times as many in flight",
        f"{ours_10:.1f} ms",
        f"bare echo {floor_10:.1f} ms",
        ours_10 / floor_10,
        3,
    )
    tell("full /usage answers a second, source in memory", f"{speed['memory']:.0f}/s", "wanted 800/s", speed["memory"] / 800, 1, less_is_better=False)  # fmt: skip
    tell("  beside stock Bolt, which only echoes", f"{speed['memory']:.0f}/s", f"stock Bolt echo {speed['stock']:.0f}/s", speed["memory"] / speed["stock"], 0, less_is_better=False)  # fmt: skip
    tell("start to connected", f"{starts['opswatch']:.2f} s", "wanted 1.0 s", starts["opswatch"], 1)
    tell("  beside stock Bolt", f"{starts['opswatch']:.2f} s", f"stock Bolt {starts['stock']:.2f} s", starts["opswatch"] / starts["stock"], 2.7)  # fmt: skip
    tell("idle memory", f"{idle_mb:.0f} MB", "wanted 90 MB", idle_mb / 90, 1)


async def beside_a_log() -> None:
    """Acks of others and memory while a log of a gigabyte is fetched, redacted, counted and packed
    in the same process.
    """
    megabytes = (10, 1000, 4000) if FULL else (10, 1000)
    with tempfile.TemporaryDirectory() as folder:
        async with open_sandbox(Path(folder)) as world, process_of("logs", world.folder, {}) as _:
            while not (address := world.folder / "logs").exists() or not address.read_text():
                await asyncio.sleep(0.05)
            bulk = {
                "kind": "rapid7",
                "base_url": address.read_text(),
                "api_key": "env:RAPID7_API_KEY",
            }
            bulk["logs"] = {f"log{size}": log_id(size) for size in megabytes}  # type: ignore[assignment]
            providers = {**world.table()["providers"], "bulk": bulk}
            async with subject(
                "opswatch", world, providers=providers, limits={"upload_total": "9 GB"}
            ) as (_, pid):
                await single_acks(world, lambda: False, most=50)
                alone = await single_acks(world, lambda: False)
                idle = memory_mb(pid)
                peaks = {}
                for size in megabytes:
                    Path(f"/proc/{pid}/clear_refs").write_text("5")
                    world.slack.messages.clear()
                    await world.slack.command(f"/logs log{size} 20m")
                    children: dict[str, float] = {}
                    beside = await single_acks(
                        world,
                        partial(uploads_noting_children, world, pid, children),
                        most=100_000,
                    )
                    peaks[size] = memory_mb(pid, "VmHWM") + sum(children.values())
                    await world.slack.until(
                        lambda: any(
                            m.files or "could not be sent" in m.text for m in world.slack.messages
                        ),
                        timeout_s=120,
                    )
    tell(
        "ack p99 of others while 1 GB of log goes through",
        f"{beside:.1f} ms",
        f"without it {alone:.1f} ms",
        beside / alone,
        2,
    )
    tell(
        "memory for a log of 1 GB",
        f"{peaks[1000] - idle:.0f} MB over idle",
        "wanted 48 MB",
        (peaks[1000] - idle) / 48,
        1,
    )
    last = megabytes[-1]
    tell(
        f"  {last} MB against 10 MB",
        f"{peaks[last]:.0f} MB",
        f"{peaks[10]:.0f} MB",
        peaks[last] / peaks[10],
        1.2,
    )


def uploads(world: Sandbox) -> bool:
    """Whether the log has been fetched and goes to Slack now."""
    return any("getUploadURLExternal" in entry.path for entry in world.slack.ledger[-400:])


async def single_acks(world: Sandbox, over: Callable[[], bool], most: int = 400) -> float:
    """Ack p99 in milliseconds of commands that come one at a time, until it is over."""
    taken: list[float] = []
    world.slack.ledger.clear()
    while len(taken) < most and not over():
        ack = await world.slack.command("/usage help", user="U0LINUS")
        await ack.done
        taken.append((ack.acked_at - ack.sent_at) * 1000)
        await asyncio.sleep(0.01)
    return statistics.quantiles(taken, n=100)[98] if len(taken) > 1 else taken[0]


def uploads_noting_children(world: Sandbox, pid: int, peaks: dict[str, float]) -> bool:
    """Whether the log goes to Slack now; notes what its processes held in the meantime."""
    return uploads(world) or note_children(pid, peaks)


def note_children(pid: int, peaks: dict[str, float]) -> bool:
    """Notes what the processes that work for another one held at most; False."""
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        with contextlib.suppress(OSError, IndexError):
            peaks[child] = memory_mb(int(child), "VmHWM")
    return False


def memory_mb(pid: int, what: str = "VmRSS") -> float:
    """What a process holds now, or held at most (`VmHWM`), in megabytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split(f"{what}:")[1].split()[0]) * 1024 / 1e6


def median_ms(work: Callable[[], Any], times: int = 5) -> float:
    """The median of some runs, in milliseconds."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken)


async def decoding() -> None:
    one = list(example_rows(NOW - timedelta(days=5), NOW))

    def body_of(count: int) -> bytes:
        return json.dumps(
            {"metadata": {"rowCount": count}, "data": (one * (count // len(one) + 1))[:count]}
        ).encode()

    def report(body: bytes, with_csv: bool = False) -> None:
        calls = [
            akamai.api_call(row, account="edge", own_token="x")
            for row in akamai.json_report(body, account="edge").rows
        ]
        audit_report(AuditFacts(("edge",), DAY, calls, complete=True))
        if with_csv:
            csv_bytes(CSV_HEADER, csv_rows(calls))

    body, small = body_of(25_000), body_of(2_500)
    reference, reference_tenth = (
        median_ms(lambda: json.loads(body)),
        median_ms(lambda: json.loads(small)),
    )
    ours, with_csv, tenth = (
        median_ms(lambda: report(body)),
        median_ms(lambda: report(body, True)),
        median_ms(lambda: report(small)),
    )
    tell(
        "25,000 Akamai rows: bytes in, report out",
        f"{ours:.0f} ms",
        f"json.loads {reference:.0f} ms",
        ours / reference,
        2,
    )
    tell(
        "  and the CSV of every row",
        f"{with_csv:.0f} ms",
        f"json.loads {reference:.0f} ms",
        with_csv / reference,
        5,
    )
    grown, as_json = ours / tenth, reference / reference_tenth
    tell(
        "  ten times as many rows",
        f"{grown:.1f} times as long",
        f"json.loads {as_json:.1f} times",
        grown / as_json,
        1.3,
    )

    count = 100_000 if FULL else 20_000
    pages = tr50_pages(count)

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

    reference, ours = median_ms(reference_nested, 3), median_ms(ours_nested, 3)
    what = f"{count:,} TR50 rows with nested JSON, report out"
    tell(what, f"{ours:.0f} ms", f"json.loads {reference:.0f} ms", ours / reference, 0.5)


def tr50_pages(count: int) -> list[bytes]:
    """Pages of 2,000 rows, 400 bytes each, from two hundred things that each ask for the same six
    things again and again.
    """
    things, commands = (
        200,
        (
            "thing.list",
            "thing.find",
            "location.publish",
            "alarm.publish",
            "property.publish",
            "session.info",
        ),
    )
    rows = []
    for n in range(count):
        command, thing = commands[n % 6], f"oven-{n * 7919 % things}"
        request = {
            "1": {
                "Command": command,
                "SessionId": "",
                "Params": {"thingKey": thing, "offset": 0, "limit": 100},
            }
        }
        reply = {
            "success": True,
            "params": {"count": 1, "result": [{"key": thing, "name": "Oven", "defName": "Oven"}]},
        }
        failed = {"success": False, "errorCodes": [-90008], "errorMessages": ["Thing not found"]}
        at = (
            (NOW - timedelta(seconds=n % 80_000))
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z")
        )
        rows.append(
            {
                "ts": at, "execTime": 20_000_000 + n, "processedBy": f"ip-10-200-40-{n % 7}", "orgId": "52f7a7c1e4b0", "orgKey": "KITCHEN",
                "whoami": f"ada-{n % 40}@example.com", "request": json.dumps(request), "response": json.dumps({"1": failed if n % 25 == 0 else reply}),
            }
        )  # fmt: skip
    pages = [rows[at : at + 2000] for at in range(0, count, 2000)]
    return [
        json.dumps({"list": {"success": True, "params": {"count": count, "result": page}}}).encode()
        for page in pages
    ]


async def watching() -> None:
    """A tick over many rules, and a backtest."""
    few, many = 100, 10_000
    with tempfile.TemporaryDirectory() as folder:
        plain = median_ms(lambda: compare_and_upsert(Path(folder) / "plain.sqlite", many), 3)
    told = {count: await tick_ms(count) for count in (few, many)}
    filled = await tick_ms(many, history=1_000_000)
    tell(
        "a tick over 10,000 rules: judge, write, tell",
        f"{told[many]:.0f} ms",
        f"compare and upsert {plain:.0f} ms",
        told[many] / plain,
        10,
    )
    tell(
        "  the same over 1,000,000 samples",
        f"{filled:.0f} ms",
        f"over none {told[many]:.0f} ms",
        filled / told[many],
        1.2,
    )
    each = told[many] / many, told[few] / few
    tell(
        "  a rule of 10,000 against one of 100",
        f"{each[0] * 1000:.1f} µs",
        f"{each[1] * 1000:.1f} µs",
        each[0] / each[1],
        1.2,
    )
    quarters = [
        EvaluationPoint(
            NOW - timedelta(minutes=15 * n), {WHOLE: float(n % 97)}, timedelta(minutes=15)
        )
        for n in range(90 * 96, 0, -1)
    ]
    rule = Rule("spike", "/usage today", "bytes", "#ops", above=90.0)
    taken = median_ms(lambda: backtest(rule, quarters, start=quarters[0].at, end=NOW), 3)
    tell(
        "a backtest of 90 days, a look each 15 minutes",
        f"{taken:.0f} ms",
        "wanted 1,000 ms",
        taken / 1000,
        1,
    )


def compare_and_upsert(path: Path, count: int) -> None:
    """The floor: as many rows compared with a threshold and upserted by plain sqlite3."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute(
            "CREATE TABLE IF NOT EXISTS states (name TEXT PRIMARY KEY, state TEXT, value REAL, at "
            "TEXT)"
        )
        db.execute("BEGIN IMMEDIATE")
        rows = [
            (f"rule-{n}", "firing" if n % 97 > 90 else "inactive", float(n % 97), NOW.isoformat())
            for n in range(count)
        ]
        db.executemany(
            (
                "INSERT INTO states VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET state = "
                "excluded.state, value = excluded.value, at = excluded.at"
            ),
            rows,
        )
        db.execute("COMMIT")


async def tick_ms(count: int, *, history: int = 0) -> float:
    """The median of some ticks over so many rules, in milliseconds: one rule in a hundred begins to
    fire or ends it.
    """
    with tempfile.TemporaryDirectory() as folder:
        store = await Store.open(Path(folder) / "bot.sqlite", now=NOW)
        alerts, at = store.alerts, NOW
        rules = [
            Rule(f"rule-{n}", "/usage today", "bytes", f"#room-{n % 50}", above=90.0)
            for n in range(count)
        ]
        if history:
            await store.database.write(lambda db: fill_history(db, rules, history))
        outbox = Outbox(store.outbox, None, lambda: at)  # type: ignore[arg-type]
        silences = SilenceIndex(store.silences, (), UTC)
        job = AlertJob(None, alerts, outbox, silences, UTC, lambda: at, "")  # type: ignore[arg-type]
        taken = []
        for step in range(6):
            at = NOW + step * timedelta(minutes=15)
            due = [Due(f"alert {rule.name}", at, 0) for rule in rules]
            answers = [
                Measurement({"bytes": 95.0 if (n + step) % 200 == 0 else 5.0}) for n in range(count)
            ]
            found = [
                Evaluation(rule, each, answer)
                for rule, each, answer in zip(rules, due, answers, strict=True)
            ]
            started = time.perf_counter()
            await job.save_evaluations(found)
            taken.append((time.perf_counter() - started) * 1000)
        await store.close()
        # The first tick makes the rows that the others find.
        return statistics.median(taken[1:])


def fill_history(db: Any, rules: list[Rule], count: int) -> None:
    """So many samples of the past, shared by the rules."""
    each = count // len(rules)
    for number, rule in enumerate(rules, 1):
        db.execute(
            "INSERT INTO series (id, name, definition) VALUES (?, ?, ?)",
            (number, rule.name, rule.definition),
        )
        past = (
            (
                number,
                (NOW - timedelta(minutes=15 * n)).isoformat(timespec="milliseconds"),
                5.0,
                "inactive",
            )
            for n in range(each, 0, -1)
        )
        db.conn.executemany(
            "INSERT INTO samples (series, at, value, state) VALUES (?, ?, ?, ?)", past
        )


async def bulk() -> None:
    """A log through the whole way, against curl and gzip with the same bytes."""
    megabytes = 1000 if FULL else 200
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with process_of("logs", folder, {}):
            while not (folder / "logs").exists() or not (folder / "logs").read_text():
                await asyncio.sleep(0.05)
            url = (folder / "logs").read_text()
            source = Rapid7("r", base_url=url, api_key=Secret("kkkk"))
            to_disk, whole, tenth, of_json = [], [], [], []
            for _ in range(3):
                to_disk.append(await written(source, folder / "a", megabytes))
                tenth.append(await whole_way(source, folder / "b.log", log_id(megabytes // 10)))
                whole.append(await whole_way(source, folder / "b.log", log_id(megabytes)))
                of_json.append(
                    await whole_way(source, folder / "b.log", log_id(megabytes, JSON_LINES))
                )
            await source.aclose()
            told = [megabytes / statistics.median(times) for times in (to_disk, whole, of_json)]
            per_mb = (
                statistics.median(whole)
                / megabytes
                / (statistics.median(tenth) / (megabytes // 10))
            )
            tell(
                "  log: ten times as large, time a megabyte",
                f"{told[1]:.0f} MB/s",
                f"{megabytes // 10} MB",
                per_mb,
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
            curl, pipeline = await median_of(fetch), await median_of(f"{fetch} && {pack}")
            json_pipeline = await median_of(f"{fetch_json} && {pack}")
            tell("log to disk", f"{told[0]:.0f} MB/s", f"curl {megabytes / curl:.0f} MB/s", told[0] * curl / megabytes, 0.5, less_is_better=False)  # fmt: skip
            tell("log: redact, count, compress, hash", f"{told[1]:.0f} MB/s", f"curl; gzip -1 {megabytes / pipeline:.0f} MB/s", told[1] * pipeline / megabytes, 1, less_is_better=False)  # fmt: skip
            tell("  the same of JSON lines", f"{told[2]:.0f} MB/s", f"curl; gzip -1 {megabytes / json_pipeline:.0f} MB/s", told[2] * json_pipeline / megabytes, 1, less_is_better=False)  # fmt: skip


async def redaction() -> None:
    """Redaction alone: plain lines, and texts that are made to be slow."""
    plain = log_block() * 16
    redactor = Redactor([Secret("kkkkkk")])
    floor = median_ms(lambda: redactor.block(plain), 5) / len(plain) * 1e6
    for what, text in (
        ("-eyJ", b"-eyJ"),
        ("a.pwd", b"a.pwd "),
        ("token=, one a line", b"token=\n"),
        ("x", b"x "),
    ):
        block = (text * len(plain))[: len(plain)]
        taken = median_ms(lambda: redactor.block(block), 3) / len(block) * 1e6  # noqa: B023
        tell(
            f"redaction of a megabyte of: {what}",
            f"{taken:.1f} ms/MB",
            f"plain lines {floor:.1f} ms/MB",
            taken / floor,
            3,
        )


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
        path,
        Redactor([Secret("kkkk")]),
    )
    AnswerFile(transfer.path.name, transfer.path, "").sha256()
    return time.monotonic() - started


async def median_of(command: str) -> float:
    return statistics.median([await timed(command) for _ in range(3)])


async def timed(command: str) -> float:
    started = time.monotonic()
    process = await asyncio.create_subprocess_shell(command)
    await process.wait()
    return time.monotonic() - started


async def main() -> None:
    # Who measures must not pause to collect.
    gc.collect()
    gc.freeze()
    gc.disable()
    print(f"{'what':58} {'Opswatch':>16}   {'reference in the same run':34} ratio")
    for part in (slack_side, beside_a_log, decoding, watching, redaction, bulk):
        if not ONLY or part.__name__ in ONLY:
            await part()


if __name__ == "__main__":
    asyncio.run(main())
