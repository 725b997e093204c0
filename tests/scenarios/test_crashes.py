"""The bot is killed at every step between an evaluation and its message, and at random moments,
while servers cut connections, fail and slow down.

Each transition and each digest is in the channel once and in order, and each incident is opened and
resolved once in each target.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from bot.alerts.state import Reason
from bot.app import open_bot
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack import BOT
from bot.sandbox.targets import TargetSandbox
from bot.slack.outbox import OutboxTimings
from bot.store import Store
from tests.conftest import ROOT
from tests.support.clock import process_environ
from tests.support.killable_bot import LABELS, fast_clock
from tests.support.outbox import random_fault

SPEED = 30.0
RULE = {
    "name": "spike",
    "ask": "/usage rapid7-eu today",
    "value": "bytes",
    "above": "5 GB",
    "every": "5s",
    "channel": "#ops",
    "notify": ["pagerduty", "opsgenie", "hook", "mail"],
}
DIGEST = {
    "name": "minutely",
    "ask": "/usage rapid7-eu last 7 days",
    "at": "* * * * *",
    "channel": "#kitchen",
}
RANDOM_KILLS = 70
ROUNDS = 4


async def test_killed_bot_posts_each_transition_once(
    sandbox: Sandbox,
    targets: TargetSandbox,
) -> None:
    spread = random.Random(11)
    began_at = time.time()
    now = fast_clock(began_at, SPEED)
    sandbox.slack.clock = lambda: now().timestamp()
    targets.webhook.now = now
    # Ten seconds of breach, ten without.
    sandbox.rapid7.usage = lambda day, _: (
        6_000_000_000 if int(now().timestamp()) // 10 % 2 else 3_000_000_000
    )
    table = {**sandbox.table(), "timezone": "UTC", "alert": [RULE], "digest": [DIGEST]}
    (sandbox.folder / "table.json").write_text(json.dumps(table))
    orders = [label for label in LABELS for _ in range(ROUNDS)] + [
        f"{spread.uniform(0.2, 1.0):.3f}" for _ in range(RANDOM_KILLS)
    ]
    spread.shuffle(orders)
    async with dying(sandbox, began_at) as die:
        for order in orders:
            random_fault(sandbox, spread)
            target_faults(targets, spread)
            await die(order)
    for server in (sandbox.slack, *targets.servers):
        server.faults.clear()
    await settle(sandbox, table, now)
    await every_transition_is_posted_once(sandbox)
    await every_digest_is_posted_once(sandbox)
    await every_incident_is_known_once(sandbox, targets)
    assert len(orders) >= 100


def target_faults(targets: TargetSandbox, spread: random.Random) -> None:
    """Makes some of the targets fail at their next request."""
    for server in targets.servers:
        server.faults.clear()
        if spread.random() < 0.3:
            server.answer_with(503)
        elif spread.random() < 0.2:
            server.be_slow(0.1)
    targets.mail.cut_after_data = int(spread.random() < 0.2)
    targets.mail.faults = ["451 4.3.0 Later"] if spread.random() < 0.2 else []


@asynccontextmanager
async def dying(sandbox: Sandbox, began_at: float) -> AsyncIterator[Any]:
    """Gives an order and waits until it has been carried out."""
    env = process_environ(
        sandbox.clock, {**os.environ, **sandbox.environ(), "PYTHONPATH": str(ROOT)}
    )
    errors = sandbox.folder / "stderr"
    with errors.open("wb") as stderr:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.support.killable_bot", str(sandbox.folder), repr(began_at), repr(SPEED),
            env=env, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr,
        )  # fmt: skip
    assert process.stdin and process.stdout
    stdin = process.stdin
    stdout = process.stdout

    async def die(order: str) -> None:
        stdin.write(f"{order}\n".encode())
        ended = await asyncio.wait_for(stdout.readline(), 60)
        assert ended == b"SIGKILL\n", f"{order}: {ended!r} {errors.read_text()[-2000:]}"

    try:
        yield die
        assert "Traceback" not in errors.read_text()
    finally:
        process.kill()
        await process.wait()


async def settle(sandbox: Sandbox, table: dict[str, Any], now: Any) -> None:
    """Lets a bot run undisturbed until it has sent everything that is waiting."""
    sandbox.rapid7.usage = lambda day, _: 3_000_000_000
    settings = sandbox.settings(**{key: table[key] for key in ("timezone", "alert", "digest")})
    async with (
        open_bot(
            settings, sandbox.tokens(), pace=OutboxTimings(0.005, 0.02, 0.01, 0.1), clock=now
        ) as bot,
        bot.connected(),
    ):
        async with asyncio.timeout(60):
            while True:
                [row] = await bot.store.read("SELECT state, due FROM alerts", ())
                waiting = await bot.store.read("SELECT 1 FROM outbox WHERE state != 'sent'", ())
                if (
                    row["state"] == "inactive"
                    and not waiting
                    and now() - datetime.fromisoformat(row["due"]) < timedelta(seconds=20)
                ):
                    break
                await asyncio.sleep(0.05)
        await bot.scheduler.stop(within_s=2)
        async with asyncio.timeout(60):
            while await bot.store.read("SELECT 1 FROM outbox WHERE state != 'sent'", ()):
                await asyncio.sleep(0.02)


async def every_transition_is_posted_once(sandbox: Sandbox) -> None:
    """The state of the alert and its notices are written together, so a lost or duplicate notice
    shows in their order. An evaluation left by a killed process may be made after a later one, so
    samples do not prove anything.
    """
    store = await Store.open(sandbox.location, now=datetime.now().astimezone())
    samples = await store.read("SELECT state FROM samples", ())
    notices = await store.read("SELECT reason, key, ts FROM notices ORDER BY at", ())
    await store.close()
    reasons = [notice["reason"] for notice in notices]
    firings = reasons.count(Reason.FIRED.value)
    assert reasons == [Reason.FIRED.value, Reason.RESOLVED.value] * firings
    # On a server, a slow machine manages one or two.
    assert firings
    assert {sample["state"] for sample in samples} == {"firing", "inactive"}
    posted = [m for m in sandbox.slack.messages if m.user == BOT and m.channel == "C0OPS"]
    assert [m.metadata["event_payload"]["key"] for m in posted] == [n["key"] for n in notices]
    assert [m.ts for m in posted] == [n["ts"] for n in notices]
    roots = [m for m in posted if not m.thread_ts]
    assert all(m.text.startswith("✅ spike resolved") for m in roots)
    replies = [m for m in posted if m.thread_ts]
    assert [m.thread_ts for m in replies] == [m.ts for m in roots]


async def every_incident_is_known_once(sandbox: Sandbox, targets: TargetSandbox) -> None:
    """Each firing has opened one incident in each target and notified somebody once, and its end
    has resolved the incident. A mailbox shows each mail once.
    """
    store = await Store.open(sandbox.location, now=datetime.now().astimezone())
    fired = await store.read("SELECT key FROM notices WHERE reason = 'first' ORDER BY at", ())
    await store.close()
    keys = [f"opswatch:{row['key']}" for row in fired]
    incidents = targets.pagerduty.incidents
    assert [incident.key for incident in incidents] == keys
    assert {(i.status, i.woken) for i in incidents} == {("resolved", 1)}
    assert {tuple(dict.fromkeys(i.events)) for i in incidents} == {("trigger", "resolve")}
    assert [(a.alias, a.status) for a in targets.opsgenie.alerts] == [(k, "closed") for k in keys]
    pairs = [(key, action) for key in keys for action in ("trigger", "resolve")]
    assert [(e.incident, e.action) for e in targets.webhook.events.values()] == pairs
    verbs = [mail.subject.partition("]")[0] for mail in targets.mail.inbox().values()]
    assert verbs == ["[FIRING", "[RESOLVED"] * len(keys)


async def every_digest_is_posted_once(sandbox: Sandbox) -> None:
    store = await Store.open(sandbox.location, now=datetime.now().astimezone())
    runs = await store.read(
        "SELECT due, outcome FROM runs WHERE schedule = 'minutely' ORDER BY due", ()
    )
    await store.close()
    posted = [
        m.metadata["event_payload"]["key"]
        for m in sandbox.slack.messages
        if m.user == BOT and m.channel == "C0KITCHEN"
    ]
    sent = [
        f"digest:minutely:{datetime.fromisoformat(r['due']):%Y%m%dT%H%M%SZ}"
        for r in runs
        if r["outcome"] == "sent"
    ]
    assert sorted(posted) == sent
    assert len(posted) == len(set(posted)) >= 5
    assert all(earlier < later for earlier, later in itertools.pairwise(posted))
