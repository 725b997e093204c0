"""What people in Slack wait for: acks, answers, the start of the bot and the App Home tab."""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.sandbox.sandbox import Sandbox
from tests.bench.processes import memory_mb, process_cpu_ms, subject
from tests.bench.results import Results, pair_ratios, ratios
from tests.bench.subjects import LAG_SAMPLES
from tests.support.sandbox import open_tested_sandbox

IN_FLIGHT = 50


async def acknowledging(results: Results, *, full: bool) -> None:
    """How soon commands are acknowledged while providers are slow, and idle memory."""
    rounds = 20 if full else 6
    p99: dict[str, float] = {}
    p99_of_many: dict[str, float] = {}
    idle_mb = 0.0
    for name in ("floor", "stock", "opswatch"):
        with tempfile.TemporaryDirectory() as folder:
            async with open_tested_sandbox(Path(folder)) as sandbox:
                sandbox.rapid7.be_slow(2, times=1_000_000)
                async with subject(name, sandbox) as (_, pid):
                    await asyncio.sleep(0.5)
                    idle_mb = memory_mb(pid)
                    await acks(sandbox, 1)
                    p99[name] = await acks(sandbox, rounds)
                    p99_of_many[name] = await acks(sandbox, max(2, rounds // 3), 10 * IN_FLIGHT)
    ours = f"{p99['opswatch']:.1f} ms"
    results.add(
        "ack p99, 50 in flight, providers take 2 s",
        ours,
        f"bare echo {p99['floor']:.1f} ms",
        p99["opswatch"] / p99["floor"],
        3,
    )
    results.add(
        "ack p99, against stock Bolt",
        ours,
        f"stock Bolt {p99['stock']:.1f} ms",
        p99["opswatch"] / p99["stock"],
        1,
    )
    results.add(
        "ack p99, 500 in flight",
        f"{p99_of_many['opswatch']:.1f} ms",
        f"bare echo {p99_of_many['floor']:.1f} ms",
        p99_of_many["opswatch"] / p99_of_many["floor"],
        3,
    )
    results.add("idle memory", f"{idle_mb:.0f} MB", "wanted 90 MB", idle_mb / 90, 1)


class Lag:
    """The lag of the event loop from now on, which the measured process writes about twice a
    second.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._samples_before = self._samples()

    @property
    def is_measured(self) -> bool:
        """Whether all samples that count were taken since."""
        return self._samples() >= self._samples_before + LAG_SAMPLES

    @property
    def p99_ms(self) -> float:
        return float(self._written()["p99_ms"])

    @property
    def busy_p99_ms(self) -> float:
        """At most so much of the lag was the loop's own work, and not a wait for a processor."""
        return float(self._written()["busy_p99_ms"])

    def _samples(self) -> int:
        return int(self._written().get("samples", 0))

    def _written(self) -> dict[str, Any]:
        text = self._path.read_text() if self._path.exists() else ""
        written: dict[str, Any] = json.loads(text or "{}")
        return written


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of the benchmarks, words of its answer, and the title and target of its row. Of
    slower questions, only a `share` of the usual number is asked. `{n}` in a question is replaced
    by a different number each time.
    """

    question: str
    answer: str
    title: str
    target: float
    share: float = 1.0

    def words(self, number: int) -> str:
        """The question with this number."""
        # Longer windows would have tables that are too long for a message.
        return self.question.format(n=2 + number % 24)

    @property
    def command(self) -> str:
        return self.question.split()[0]


USAGE = Asked(
    "/usage last 7 days",
    "in 7 days",
    "full /usage answers a second, beside stock Bolt's plain echo",
    0.9,
)
# What is asked at the same moment shares one answer; these share none.
UNLIKE = Asked(
    "/usage last {n} days",
    "Daily average",
    "/usage answers a second, each for another window",
    0.9,
    share=0.5,
)
AUDIT = Asked(
    "/apiaudit edge 24h",
    "2,000 calls",
    "/apiaudit answers over 2,000 calls a second, beside the same",
    0.3,
    share=0.3,
)
LINES = Asked(
    "/logs kitchen 24h",
    "1,000 lines",
    "/logs answers of 1,000 lines a second, beside the same",
    0.3,
    share=0.3,
)


async def answering(results: Results, *, full: bool) -> None:
    """Complete answers per second for each command, their processor time, and the lag of the event
    loop meanwhile.

    Stock Bolt is asked in turn with the bot, so that other load on the machine affects both. The
    bench itself is Slack, in a process that needs as much of the machine as the bot does: with two
    cores, either one waits for the other and for everything else that runs. Processor time does not
    count such waits. The lag does, and so does that of stock Bolt beside it.
    """
    runs, count = (5, 1000) if full else (3, 300)
    for asked in (USAGE, UNLIKE, AUDIT, LINES):
        ours, stock = await _measured(asked, runs, round(count * asked.share))
        results.add(
            asked.title,
            f"{statistics.median(ours.speed):.0f}/s",
            f"stock Bolt {statistics.median(stock.speed):.0f}/s",
            pair_ratios(ours.speed, stock.speed),
            asked.target,
            less_is_better=False,
        )
        results.add(
            f"processor time of {asked.question.replace('{n}', 'n')}, beside a plain echo",
            f"{statistics.median(ours.cpu_ms):.2f} ms",
            f"stock Bolt {statistics.median(stock.cpu_ms):.2f} ms",
            pair_ratios(ours.cpu_ms, stock.cpu_ms),
            round(1 / asked.target, 1),
        )
        if asked is UNLIKE:
            continue
        results.add(
            f"event loop lag p99, 50 {asked.command} in flight, beside stock Bolt",
            f"{ours.lag_ms:.1f} ms",
            f"stock Bolt {stock.lag_ms:.1f} ms",
            ours.lag_ms / stock.lag_ms,
            1,
        )
        results.add(
            f"event loop lag p99, 50 {asked.command} in flight, processor time",
            f"{ours.busy_lag_ms:.1f} ms",
            "wanted 10 ms",
            ours.busy_lag_ms / 10,
            1,
        )


class Answered:
    """A subject that is asked: its answers per second and their processor time in each run."""

    def __init__(self, sandbox: Sandbox, pid: int, asked: Asked) -> None:
        self._sandbox = sandbox
        self._pid = pid
        self._asked = asked
        self.speed = list[float]()
        self.cpu_ms = list[float]()
        # Opened after the start, which takes a tenth of a second at once and is not counted.
        self._lag = Lag(sandbox.folder / "lag")
        self.lag_ms = 0.0
        self.busy_lag_ms = 0.0

    async def run(self, count: int) -> None:
        cpu_ms = process_cpu_ms(self._pid)
        self.speed.append(await answers_a_second(self._sandbox, self._asked, count))
        self.cpu_ms.append((process_cpu_ms(self._pid) - cpu_ms) / count)
        if self._lag.is_measured:
            self.lag_ms = self._lag.p99_ms
            self.busy_lag_ms = self._lag.busy_p99_ms


async def _measured(asked: Asked, runs: int, count: int) -> tuple[Answered, Answered]:
    """The bot and stock Bolt, each asked so many times in turn. Stock Bolt echoes a word."""
    access = {name: ["*"] for name in ("usage", "apiaudit", "logs")}
    async with AsyncExitStack() as opened:
        subjects = list[Answered]()
        for name, question in (("memory", asked), ("stock", USAGE)):
            folder = opened.enter_context(tempfile.TemporaryDirectory())
            sandbox = await opened.enter_async_context(open_tested_sandbox(Path(folder)))
            _, pid = await opened.enter_async_context(subject(name, sandbox, access=access))
            await answers_a_second(sandbox, question, IN_FLIGHT * 2)
            subjects.append(Answered(sandbox, pid, question))
        ours, stock = subjects
        while len(ours.speed) < runs or not (ours.lag_ms and stock.lag_ms):
            await ours.run(count)
            await stock.run(count)
    return ours, stock


async def starting(results: Results, *, full: bool) -> None:
    """From the start of the process to its connection to Slack. The first start, which creates the
    database and compiles modules, is not counted.
    """
    runs = 7 if full else 3
    starts: dict[str, list[float]] = {"stock": [], "opswatch": []}
    with tempfile.TemporaryDirectory() as folder:
        async with open_tested_sandbox(Path(folder)) as sandbox:
            for _ in range(runs + 1):
                for name, taken in starts.items():
                    async with subject(name, sandbox) as (start_s, _):
                        taken.append(start_s)
    starts = {name: taken[1:] for name, taken in starts.items()}
    results.add(
        "start to connected, beside stock Bolt",
        f"{statistics.median(starts['opswatch']):.2f} s",
        f"stock Bolt {statistics.median(starts['stock']):.2f} s",
        ratios(starts["opswatch"], starts["stock"]),
        1.8,
    )


async def app_home(results: Results, *, full: bool) -> None:
    """App Home with 200 alerts and 50 accounts, and with very few."""
    times = 40 if full else 15
    few = await _home_ms(times, 0, 0)
    many = await _home_ms(times, 200, 50)
    results.add(
        "App Home with 200 alerts and 50 accounts",
        f"{statistics.median(many):.1f} ms",
        f"without {statistics.median(few):.1f} ms",
        ratios(many, few),
        3,
    )


async def acks(sandbox: Sandbox, rounds: int, in_flight: int = IN_FLIGHT) -> float:
    """Ack p99 in milliseconds with this many commands in flight."""
    taken = []
    for _ in range(rounds):
        sent = [
            await sandbox.slack.command("/usage last 7 days", user="U0LINUS")
            for _ in range(in_flight)
        ]
        await asyncio.gather(*(ack.done for ack in sent))
        taken += [(ack.acked_at - ack.sent_at) * 1000 for ack in sent]
        sandbox.slack.messages.clear()
    return statistics.quantiles(taken, n=100)[98]


async def answers_a_second(sandbox: Sandbox, asked: Asked, count: int) -> float:
    """Complete answers per second, with fifty commands in flight all the time."""
    started = time.monotonic()
    sent = 0
    answered = 0

    def answers() -> int:
        return sum(asked.answer in m.text for m in sandbox.slack.messages if m.user == "U0OPSWATCH")

    sandbox.slack.messages.clear()
    while answered < count:
        while sent < min(count, answered + IN_FLIGHT):
            await sandbox.slack.command(asked.words(sent), user="U0LINUS")
            sent += 1
        answered += await sandbox.slack.until(answers, timeout_s=60)
        sandbox.slack.messages.clear()
    return count / (time.monotonic() - started)


async def _home_ms(times: int, alerts: int, accounts: int) -> list[float]:
    """The time from opening App Home to `views.publish`, for each run."""
    with tempfile.TemporaryDirectory() as folder:
        async with open_tested_sandbox(Path(folder)) as sandbox:
            changes = _configuration(sandbox, alerts, accounts)
            async with subject("opswatch", sandbox, **changes):
                await _opened_home_ms(sandbox)
                return [await _opened_home_ms(sandbox) for _ in range(times)]


async def _opened_home_ms(sandbox: Sandbox) -> float:
    sandbox.slack.homes.pop("U0ADA", None)
    started = time.perf_counter()
    await sandbox.slack.open_home("U0ADA")
    await sandbox.slack.until(lambda: sandbox.slack.homes.get("U0ADA"), timeout_s=30)
    return (time.perf_counter() - started) * 1000


def _configuration(sandbox: Sandbox, alerts: int, accounts: int) -> dict[str, Any]:
    """This many alerts, none of which is due, and this many accounts beside the usual ones."""
    usual = sandbox.table()["providers"]
    rules = [
        {
            "name": f"rule-{n}",
            "ask": "/usage rapid7-eu today",
            "value": "bytes",
            "above": "900 GB",
            "every": "1d",
            "channel": "#ops",
        }
        for n in range(alerts)
    ]
    more = {f"rapid7-{n}": usual["rapid7-eu"] for n in range(accounts)}
    return {"providers": {**usual, **more}, **({"alert": rules} if rules else {})}
