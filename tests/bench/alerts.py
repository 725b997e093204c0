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
from bot.alerts.rule import Rule
from bot.alerts.state import WHOLE
from bot.answer import Measurement
from bot.schedules.due import Due
from bot.slack.outbox import Outbox
from bot.store import Store
from handlers.jobs.alerts import AlertJob, Evaluation
from handlers.jobs.silences import SilenceIndex
from tests.bench.results import Results, ratios, times_ms

NOW = datetime.now(UTC)


async def alerts(results: Results, *, full: bool) -> None:
    """A tick over many rules beside plain upserts, and a backtest."""
    few, many = 100, 10_000
    with tempfile.TemporaryDirectory() as folder:
        plain = times_ms(lambda: compare_and_upsert(Path(folder) / "plain.sqlite", many))
    tick = {count: await tick_ms(count) for count in (few, many)}
    filled = await tick_ms(many, history=1_000_000)
    taken = f"{statistics.median(tick[many]):.0f} ms"
    results.add(
        "a tick over 10,000 rules: evaluate, write, notify",
        taken,
        f"plain upserts {statistics.median(plain):.0f} ms",
        ratios(tick[many], plain),
        4,
    )
    results.add(
        "a tick over 10,000 rules with 1,000,000 samples",
        f"{statistics.median(filled):.0f} ms",
        f"without samples {taken}",
        ratios(filled, tick[many]),
        1.1,
    )
    each = [value / many * few for value in ratios(tick[many], tick[few])]
    results.add(
        "a rule of 10,000 against one of 100",
        f"{statistics.median(tick[many]) / many * 1000:.1f} µs",
        f"{statistics.median(tick[few]) / few * 1000:.1f} µs",
        each,
        1.2,
    )
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


async def tick_ms(count: int, *, history: int = 0) -> list[float]:
    """How long some ticks over so many rules took, in milliseconds: one rule in a hundred begins to
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
        return taken[1:]


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
        db.execute_many("INSERT INTO samples (series, at, value, state) VALUES (?, ?, ?, ?)", past)
