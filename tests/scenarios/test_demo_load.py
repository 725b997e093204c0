"""The demo stays responsive for everybody during questions about long windows."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import repeat
from typing import TypeVar

import pytest

from bot.sandbox.sandbox import Sandbox
from providers.akamai.sandbox import example_rows as akamai_rows
from providers.devicewise.sandbox import example_rows as devicewise_rows
from providers.sandbox.pieces import PIECE_ROWS, json_array
from providers.sandbox.seed import log_lines
from tests.conftest import connected_bot
from tests.support.messages import buttons

T = TypeVar("T")
EVERYONE = {"usage": ["*"], "apiaudit": ["*"], "logs": ["*"]}
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


@dataclass
class Turns:
    """Counts the turns of a task that runs beside other work."""

    taken: int = 0
    made: int = 0

    def between(self, rows: Iterable[T]) -> Iterator[T]:
        """Yields the rows while another task runs at least once for each batch of them."""
        since = 0
        turn = self.taken
        for row in rows:
            since, turn = (since + 1, turn) if turn == self.taken else (1, self.taken)
            assert since <= PIECE_ROWS, "no other task ran"
            self.made += 1
            yield row


@asynccontextmanager
async def counted_turns() -> AsyncIterator[Turns]:
    turns = Turns()

    async def count() -> None:
        while True:
            turns.taken += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(count())
    try:
        yield turns
    finally:
        task.cancel()


async def test_rows_are_encoded_in_pieces() -> None:
    async with counted_turns() as turns:
        text = await json_array(turns.between(range(10 * PIECE_ROWS)))
    assert json.loads(text) == list(range(10 * PIECE_ROWS))


@pytest.mark.parametrize("count", [0, 1, PIECE_ROWS, PIECE_ROWS + 1])
async def test_array_holds_every_row(count: int) -> None:
    assert json.loads(await json_array(iter(range(count)))) == list(range(count))


@pytest.mark.parametrize(
    ("line", "answered"),
    [
        ("/apiaudit edge last 7 days failures", "calls"),
        ("/apiaudit iot last 7 days failures", "calls"),
        ("/logs kitchen 12h where(/ERROR/)", "lines"),
    ],
)
async def test_long_window_is_answered_in_pieces(
    sandbox: Sandbox, line: str, answered: str
) -> None:
    async with counted_turns() as turns, connected_bot(sandbox, access=EVERYONE):
        sandbox.akamai.rows = lambda a, b: turns.between(akamai_rows(a, b))
        sandbox.devicewise.rows = lambda a, b: turns.between(devicewise_rows(a, b))
        sandbox.rapid7.lines = lambda key, a, b: turns.between(log_lines(key, a, b))
        answer = await sandbox.slack.answer_to(line, timeout_s=120)
    assert answered in answer.text
    assert turns.made > 10 * PIECE_ROWS


async def test_endless_report_can_be_cancelled(sandbox: Sandbox) -> None:
    row = next(iter(akamai_rows(NOW - timedelta(hours=1), NOW)))
    stopped = asyncio.Event()

    def endless() -> Iterator[dict[str, object]]:
        try:
            yield from repeat({**row, "responseCode": "200"})
        finally:
            stopped.set()

    async with connected_bot(sandbox, access=EVERYONE):
        sandbox.akamai.rows = lambda a, b: endless()
        await sandbox.slack.command("/apiaudit edge 24h status:503")
        working = await sandbox.slack.until(
            lambda: next((m for m in sandbox.slack.seen() if "Cancel" in buttons(m)), None),
            timeout_s=60,
        )
        await sandbox.slack.press(working, buttons(working)["Cancel"])
        await sandbox.slack.until(
            lambda: any("Cancelled" in m.text for m in sandbox.slack.seen()), timeout_s=60
        )
        await asyncio.wait_for(stopped.wait(), 60)


def test_page_of_rows_is_made_when_read() -> None:
    rows = devicewise_rows(NOW - timedelta(days=3650), NOW)
    assert len(rows) > 5_000_000
    assert list(rows[2000:2010]) == list(devicewise_rows(NOW - timedelta(days=30), NOW))[2000:2010]
