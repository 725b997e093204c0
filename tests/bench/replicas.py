"""Alerts evaluated on PostgreSQL by one process and by two, and an idle tick over many rules.

`python -m tests.bench.replicas URL` is one of the processes: for each line it reads, it evaluates
every rule that it can claim.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.alerts.rule import EvaluationTimes, Rule
from bot.answer import Measurement
from bot.runtime import COLLECT_AFTER
from bot.schedules.due import Due, ScheduleEntry
from bot.schedules.timetable import Timetable, own_first
from bot.slack.outbox import Outbox
from bot.store import LeaseTimings, Store
from handlers.jobs.alert_schedules import EvaluationClaims, schedule_of
from handlers.jobs.alerts import AlertJob
from handlers.jobs.silences import SilenceIndex
from providers.redaction import Secret
from tests.bench.results import Results, pair_ratios
from tests.conftest import ROOT
from tests.support.postgres import PostgresServer, create_database, open_server, why_not

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
RULES = 5000
TICKS = 12
MORE_TICKS = 60
MANY = 100_000
IDLE_MS = 1.0
JUDGED_PER_S = 5000
GAIN = 1.3
# Of two processes against one: what they do to share the work.
MOST_OVERHEAD = 1.2


async def replicas(results: Results, *, full: bool) -> None:
    """The costs of several processes that share a database."""
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
        one, two = await asyncio.to_thread(judged_in_turns, server, MORE_TICKS if full else TICKS)
    results.add(
        "alerts judged a second on PostgreSQL, one process",
        f"{_median_rate(one):,.0f}",
        f"wanted {JUDGED_PER_S:,}",
        [JUDGED_PER_S / each.per_s for each in one],
        1,
    )
    results.add(
        "two processes against one on PostgreSQL",
        f"{_median_rate(two):,.0f}",
        f"one {_median_rate(one):,.0f}",
        pair_ratios([each.per_s for each in two], [each.per_s for each in one]),
        GAIN,
        less_is_better=False,
    )
    results.add(
        "processor time of an evaluation, two processes",
        _cost(two),
        f"one {_cost(one)}",
        pair_ratios([each.total_us for each in two], [each.total_us for each in one]),
        MOST_OVERHEAD,
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


@dataclass(frozen=True, slots=True)
class Judged:
    """One tick: evaluations a second, and the processor time of each in the processes and in their
    server, in microseconds.
    """

    per_s: float
    processes_us: float
    server_us: float

    @property
    def total_us(self) -> float:
        return self.processes_us + self.server_us


class Group:
    """Processes that share a separate database."""

    def __init__(self, server: PostgresServer, count: int) -> None:
        url = create_database(server.socket)
        self._server = server
        self._tick = itertools.count()
        self._processes = [
            subprocess.Popen(
                [sys.executable, "-m", "tests.bench.replicas", url],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(count)
        ]

    def wait_until_ready(self) -> None:
        for process in self._processes:
            _read(process)

    def judge(self) -> Judged:
        """Evaluates in all processes what is due at the next tick."""
        tick = str(next(self._tick))
        server_before = self._server.processor_time_s()
        started = time.perf_counter()
        for process in self._processes:
            _write(process, tick)
        reports = [_read(process).split() for process in self._processes]
        taken = time.perf_counter() - started
        server_s = self._server.processor_time_s() - server_before
        judged = sum(int(count) for count, _ in reports)
        assert judged == RULES, f"{judged} of {RULES}"
        processes_s = sum(float(seconds) for _, seconds in reports)
        return Judged(RULES / taken, processes_s / RULES * 1e6, server_s / RULES * 1e6)

    def kill(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()


def judged_in_turns(server: PostgresServer, ticks: int) -> tuple[list[Judged], list[Judged]]:
    """One process and two in turn: other load on the machine affects both."""
    with ExitStack() as stack:
        groups = [Group(server, count) for count in (1, 2)]
        for group in groups:
            stack.callback(group.kill)
        for group in groups:
            group.wait_until_ready()
        # By then each knows of the others.
        time.sleep(LeaseTimings().renew_every + 0.5)
        # The first tick makes the rows that the others find.
        judged = [[group.judge() for group in groups] for _ in range(ticks + 1)][1:]
    return [one for one, _ in judged], [two for _, two in judged]


def _median_rate(judged: Sequence[Judged]) -> float:
    return statistics.median(each.per_s for each in judged)


def _cost(judged: Sequence[Judged]) -> str:
    """As `80 µs, server 39 %`."""
    total = statistics.median(each.total_us for each in judged)
    share = statistics.median(each.server_us / each.total_us for each in judged)
    return f"{total:.0f} µs, server {share:.0%}"


def _read(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def _write(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


async def worker(url: str) -> None:
    store = await Store.open(Secret(url), now=NOW)
    at = NOW
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
    by_name = {schedule_of(rule.name): rule for rule in rules}

    async def run(dues: Sequence[Due]) -> None:
        await asyncio.gather(*(job.run(by_name[due.name], due) for due in dues))

    # As in the bot: otherwise every other tick would collect what has been there from the start.
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 20, 20)
    print("ready", flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        at = NOW + int(line) * timedelta(minutes=15)
        judged = 0
        started = time.process_time()
        # As the scheduler does where so much is due.
        own, rest = own_first([Due(name, at, 0) for name in by_name], *store.share())
        await run(own)
        claimed = await EvaluationClaims(store.alerts).claimed_elsewhere(rest)
        await run([due for due in rest if due.name not in claimed])
        print(judged, time.process_time() - started, flush=True)
    await store.close()


if __name__ == "__main__":
    asyncio.run(worker(sys.argv[1]))
