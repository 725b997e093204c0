"""Replicas are replaced one after the other, as in an upgrade, while people ask questions."""

from __future__ import annotations

import asyncio
import itertools
import re
from pathlib import Path

from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack import BOT
from bot.store import LeaseTimings
from tests.replicas.cluster import Cluster, SqliteFile, cluster_of
from tests.replicas.program import CHANNELS, add_channels

# Slack takes about a message a second in each channel, however long the restarts take.
ASK_EVERY_S = 0.5


async def test_rolling_restart_loses_no_command(sandbox: Sandbox, tmp_path: Path) -> None:
    add_channels(sandbox)
    sandbox.rapid7.be_slow(0.3, times=1_000_000)
    database = SqliteFile(tmp_path / "bot.sqlite")
    async with cluster_of(sandbox, database, LeaseTimings(), {}) as cluster:
        asked: list[int] = []
        asking = asyncio.create_task(ask(cluster, asked))
        for old in list(cluster.replicas):
            old.stop()
            await asyncio.to_thread(old.process.wait, 30)
            assert old.process.returncode == 0, old.log.read_text()[-2000:]
            await cluster.join()
        # Where the machine is slow, few were acknowledged in time until here.
        await sandbox.slack.until(lambda: len(asked) > 5 or asking.done(), timeout_s=60)
        assert not asking.done(), asking.exception()
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await sandbox.slack.until(
            lambda: all(answers(sandbox, days) for days in asked), timeout_s=60
        )
        assert [answers(sandbox, days) for days in asked] == [1] * len(asked)


async def ask(cluster: Cluster, asked: list[int]) -> None:
    """Asks a different question of each replica that Slack can reach in turn, and records those
    that were acknowledged.
    """
    channels = list(CHANNELS.values())
    for number in itertools.count():
        await asyncio.sleep(ASK_EVERY_S)
        socket = cluster.living[number % len(cluster.living)].socket
        days = 2 + number % 89
        try:
            ack = await cluster.sandbox.slack.command(
                f"/usage last {days} days", channel=channels[number % len(channels)], over=socket
            )
            await asyncio.wait_for(ack.done, 3)
        # The second where the connection was closed in the same moment.
        except (TimeoutError, ConnectionError):
            continue
        asked.append(days)


def answers(sandbox: Sandbox, days: int) -> int:
    texts = [m.text for m in sandbox.slack.messages if m.user == BOT]
    return sum(bool(re.search(rf"\b(in|of) {days} days\b", text)) for text in texts)
