"""What the benchmarks measure starts, connects and answers."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.sandbox.world import open_sandbox
from tests.bench.processes import subject


@pytest.mark.parametrize("name", ["floor", "stock", "opswatch", "memory"])
async def test_bench_subject_acknowledges(name: str, tmp_path: Path) -> None:
    async with open_sandbox(tmp_path) as world, subject(name, world):
        ack = await world.slack.command("/usage last 7 days")
        await asyncio.wait_for(ack.done, 30)
        assert ack.acked_at


async def test_bench_answers_from_memory(tmp_path: Path) -> None:
    async with open_sandbox(tmp_path) as world, subject("memory", world):
        answer = await world.slack.answer_to("/usage last 7 days", timeout_s=30)
        assert "in 7 days" in answer.text
