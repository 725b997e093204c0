"""Alerts: a tick over many rules, and a backtest."""

from __future__ import annotations

import contextlib
import sqlite3
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.alerts.backtest import EvaluationPoint, backtest
from bot.alerts.baseline import Usual
from bot.alerts.rule import Rule
from bot.alerts.state import WHOLE
from bot.answer import Measurement
from bot.schedules.due import Due
from bot.slack.outbox import Outbox
from bot.store import Store
from handlers.jobs.alerts import AlertJob
from handlers.jobs.baselines import BaselineReader
from handlers.jobs.evaluations import Evaluation
from handlers.jobs.silences import SilenceIndex
from tests.bench.results import Results, cpu_ms, pair_ratios, times_ms

NOW = datetime.now(UTC)


async def alerts(results: Results, *, full: bool) -> None:
    """A tick over many rules beside plain upserts, and a backtest."""
    with tempfile.TemporaryDirectory() as folder:
        await _ticks(results, Path(folder))
    await _baselines(results)
    quarters = [
        EvaluationPoint(
            NOW - timedelta(minutes=15 * n), {WHOLE: float(n % 97)}, timedelta(minutes=15)
        )
        for n in range(90 * 96, 0, -1)
    ]
    rule = Rule("spike", "/usage today", "bytes", "#ops", above=90.0)
    replayed = times_ms(lambda: backtest(rule, quarters, start=quarters[0].at, end=NOW), 3)
    results.add(
        "a backtest of 90 days, evaluated every 15 minutes",
        f"{statistics.median(replayed):.0f} ms",
        "wanted 1,000 ms",
        [each / 1000 for each in replayed],
        1,
    )


async def _ticks(results: Results, folder: Path) -> None:
    """Runs ticks in turn with what each is compared with, measured by processor time: other load on
    the machine affects both.
    """
    few = 100
    many = 10_000
    ticks = [await Ticks.open(folder / "few.sqlite", few)]
    ticks.append(await Ticks.open(folder / "many.sqlite", many))
    ticks.append(await Ticks.open(folder / "filled.sqlite", many, history=1_000_000))
    plain = list[float]()
    taken = [list[float]() for _ in ticks]
    for _ in range(7):
        plain.append(cpu_ms(lambda: compare_and_upsert(folder / "plain.sqlite", many)))
        # A hundred rules take about a millisecond, so ten ticks count as one run.
        for each, times, runs in zip(ticks, taken, (10, 1, 1), strict=True):
            times.append(sum([await each.tick_ms() for _ in range(runs)]) / runs)
    for each in ticks:
        await each.store.close()
    # The first run makes the rows that the others find.
    few_ms, many_ms, filled_ms = (times[1:] for times in taken)
    middle = f"{statistics.median(many_ms):.0f} ms"
    results.add(
        "a tick over 10,000 rules: evaluate, write, notify",
        middle,
        f"plain upserts {statistics.median(plain[1:]):.0f} ms",
        pair_ratios(many_ms, plain[1:]),
        4,
    )
    results.add(
        "a tick over 10,000 rules with 1,000,000 samples",
        f"{statistics.median(filled_ms):.0f} ms",
        f"without samples {middle}",
        pair_ratios(filled_ms, many_ms),
        1.1,
    )
    results.add(
        "a rule of 10,000 against one of 100",
        f"{statistics.median(many_ms) / many * 1000:.1f} µs",
        f"{statistics.median(few_ms) / few * 1000:.1f} µs",
        [value / many * few for value in pair_ratios(many_ms, few_ms)],
        1.2,
    )


async def _baselines(results: Results) -> None:
    """What is usual now, read from the store and computed."""
    rule = Rule("odd", "/usage today", "bytes", "#ops", usual=Usual("above", 2.0))
    hours = [NOW - timedelta(hours=n) for n in range(1, 26 * 7 * 24 + 1)]
    with tempfile.TemporaryDirectory() as folder:
        store = await Store.open(Path(folder) / "bot.sqlite", now=NOW)
        samples = {WHOLE: [(at, float(at.hour)) for at in hours]}
        await store.baselines.add(rule.name, rule.baseline_definition, samples)
        taken = []
        for _ in range(20):
            # A reader of its own each time, since one reads an hour once.
            reader = BaselineReader(store.baselines, no_history, UTC, lambda: NOW)
            started = time.process_time()
            found = await reader.at(rule, [WHOLE], NOW)
            taken.append((time.process_time() - started) * 1000)
            assert found[WHOLE]
        await store.close()
    results.add(
        "a baseline of 26 weeks, sampled every hour",
        f"{statistics.median(taken):.1f} ms",
        "wanted 5 ms",
        [each / 5 for each in taken],
        1,
    )


async def no_history(rule: Rule, days: int) -> list[EvaluationPoint]:
    return []


def compare_and_upsert(path: Path, count: int) -> None:
    """The lower bound: the same number of rows compared with a threshold and upserted with plain
    sqlite3.
    """
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


class Ticks:
    """Ticks over this many rules, of which one in a hundred begins or stops firing."""

    def __init__(self, store: Store, count: int) -> None:
        self.store = store
        self.at = NOW
        self._step = 0
        self.rules = [
            Rule(f"rule-{n}", "/usage today", "bytes", f"#room-{n % 50}", above=90.0)
            for n in range(count)
        ]
        outbox = Outbox(store.outbox, None, lambda: self.at)  # type: ignore[arg-type]
        silences = SilenceIndex(store.silences, (), UTC)
        self._job = AlertJob(None, store.alerts, outbox, silences, UTC, lambda: self.at, "")  # type: ignore[arg-type]

    @classmethod
    async def open(cls, path: Path, count: int, *, history: int = 0) -> Ticks:
        """The rules in a separate database, with this many samples of the past."""
        ticks = cls(await Store.open(path, now=NOW), count)
        if history:
            await ticks.store.database.write(lambda db: fill_history(db, ticks.rules, history))
        return ticks

    async def tick_ms(self) -> float:
        """The processor time of the next tick."""
        self.at = NOW + self._step * timedelta(minutes=15)
        evaluations = [
            Evaluation(
                rule,
                Due(f"alert {rule.name}", self.at, 0),
                Measurement({"bytes": 95.0 if (n + self._step) % 200 == 0 else 5.0}),
            )
            for n, rule in enumerate(self.rules)
        ]
        self._step += 1
        started = time.process_time()
        await self._job.save_evaluations(evaluations)
        return (time.process_time() - started) * 1000


def fill_history(db: Any, rules: list[Rule], count: int) -> None:
    """Stores this many samples of the past, shared by the rules."""
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
        db.execute_many("INSERT INTO samples (series, at, value, state) VALUES (?, ?, ?, ?)", past)
