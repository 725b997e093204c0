"""Alerts judged on PostgreSQL by one process and by two, and an idle tick over many rules.

`python -m tests.bench.replicas URL` is one of the processes: it evaluates every rule that it can
claim, once for each line that it reads.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.alerts.rule import EvaluationTimes, Rule
from bot.answer import Measurement
from bot.schedules.due import Due, ScheduleEntry
from bot.schedules.timetable import Timetable, rotated
from bot.slack.outbox import Outbox
from bot.store import LeaseTimings, Store
from handlers.jobs.alerts import AlertJob
from handlers.jobs.silences import SilenceIndex
from providers.redaction import Secret
from tests.bench.results import Results
from tests.conftest import ROOT
from tests.support.postgres import create_database, open_server, why_not

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
RULES, TICKS = 5000, 4
MANY = 100_000
IDLE_MS, JUDGED_PER_S, GAIN = 1.0, 5000, 1.3


async def replicas(results: Results, *, full: bool) -> None:
    """What several processes share."""
    del full
    idle = idle_tick_ms()
    results.add(
        f"an idle tick over {MANY:,} rules",
        f"{statistics.median(idle):.3f} ms",
        f"wanted {IDLE_MS:g} ms",
        [each / IDLE_MS for each in idle],
        1,
    )
    if reason := why_not():
        print(f"Alerts judged on PostgreSQL: skipped, {reason}.")
        return
    with open_server() as server:
        rates = {
            count: await asyncio.to_thread(judged_per_s, create_database(server.socket), count)
            for count in (1, 2)
        }
    one, two = (statistics.median(rates[count]) for count in (1, 2))
    results.add(
        "alerts judged a second on PostgreSQL, one process",
        f"{one:,.0f}",
        f"wanted {JUDGED_PER_S:,}",
        [JUDGED_PER_S / each for each in rates[1]],
        1,
    )
    results.add(
        "the same with two processes",
        f"{two:,.0f}",
        f"one {one:,.0f}",
        [one / each for each in rates[2]],
        1 / GAIN,
    )


def idle_tick_ms() -> list[float]:
    """How long it takes to see that nothing is due."""
    timetable = Timetable()
    trigger = EvaluationTimes(timedelta(minutes=15))
    for number in range(MANY):
        timetable.add(ScheduleEntry(f"rule-{number}", trigger, NOW))
    taken = []
    for second in range(1, 30):
        now = NOW + timedelta(seconds=second)
        started = time.perf_counter()
        assert not timetable.was_handled_after(now)
        assert timetable.due(now, lambda name, error: None) == []
        taken.append((time.perf_counter() - started) * 1000)
    return taken


def judged_per_s(url: str, count: int) -> list[float]:
    """Evaluations a second of so many processes together, for each tick but the first."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.bench.replicas", url],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(count)
    ]
    try:
        for process in processes:
            _read(process)
        # By then each knows of the others.
        time.sleep(LeaseTimings().renew_every + 0.5)
        rates = []
        for tick in range(TICKS):
            started = time.perf_counter()
            for process in processes:
                _write(process, str(tick))
            judged = sum(int(_read(process)) for process in processes)
            taken = time.perf_counter() - started
            assert judged == RULES, f"{judged} of {RULES}"
            rates.append(judged / taken)
        return rates[1:]
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _read(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def _write(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


async def worker(url: str) -> None:
    store, at = await Store.open(Secret(url), now=NOW), NOW
    await store.join()
    judged = 0

    def count(failed: bool, late: timedelta) -> None:
        nonlocal judged
        judged += 1

    async def measure(job: Any, rule: Rule) -> Measurement:
        return Measurement({"bytes": 5.0})

    AlertJob._measure = measure  # type: ignore[method-assign, assignment]
    outbox = Outbox(store.outbox, None, lambda: at)  # type: ignore[arg-type]
    silences = SilenceIndex(store.silences, (), UTC)
    job = AlertJob(None, store.alerts, outbox, silences, UTC, lambda: at, "", count)  # type: ignore[arg-type]
    rules = [Rule(f"rule-{n}", "/usage today", "bytes", "#ops", above=90.0) for n in range(RULES)]
    by_name = {rule.name: rule for rule in rules}
    print("ready", flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        at, judged = NOW + int(line) * timedelta(minutes=15), 0
        due = rotated([Due(rule.name, at, 0) for rule in rules], store.position())
        await asyncio.gather(*(job.run(by_name[each.name], each) for each in due))
        print(judged, flush=True)
    await store.close()


if __name__ == "__main__":
    asyncio.run(worker(sys.argv[1]))
