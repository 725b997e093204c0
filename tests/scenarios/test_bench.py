"""The programs that the benchmarks measure start, connect and answer; their rows can be compared."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.bench.__main__ import main
from tests.bench.processes import subject
from tests.bench.results import Results, comparison, ratios
from tests.bench.slack import AUDIT, LINES, UNLIKE, USAGE, Asked
from tests.support.sandbox import open_tested_sandbox

BASELINE = Path(__file__).parent.parent / "bench" / "baseline.json"


@pytest.mark.parametrize("name", ["floor", "stock", "opswatch", "memory"])
async def test_bench_subject_acknowledges(name: str, tmp_path: Path) -> None:
    async with open_tested_sandbox(tmp_path) as sandbox, subject(name, sandbox):
        ack = await sandbox.slack.command("/usage last 7 days")
        await asyncio.wait_for(ack.done, 30)
        assert ack.acked_at


@pytest.mark.parametrize("asked", [USAGE, UNLIKE, AUDIT, LINES], ids=lambda asked: asked.question)
async def test_bench_answers_from_memory(asked: Asked, tmp_path: Path) -> None:
    async with open_tested_sandbox(tmp_path) as sandbox, subject("memory", sandbox):
        answer = await sandbox.slack.answer_to(asked.words(5), user="U0ADA", timeout_s=30)
        assert asked.answer in answer.text


def test_row_shows_median_and_spread() -> None:
    results = Results()
    results.add("work", "3 ms", "plain 2 ms", ratios([2.0, 3.0, 8.0], [1.0, 2.0, 4.0]), 2)
    [row] = results.rows
    assert (row.low, row.ratio, row.high, row.meets_target) == (1.0, 1.5, 4.0, True)


@pytest.mark.parametrize(
    ("now", "less_is_better", "verdict"),
    [
        pytest.param(2.2, True, "about the same", id="within noise"),
        pytest.param(4.0, True, "WORSE", id="slower"),
        pytest.param(1.0, True, "better", id="faster"),
        pytest.param(4.0, False, "better", id="more a second"),
        pytest.param(1.0, False, "WORSE", id="fewer a second"),
    ],
)
def test_comparison_names_what_got_worse(
    now: float, less_is_better: bool, verdict: str, tmp_path: Path
) -> None:
    before = Results()
    after = Results()
    before.add("work", "", "", 2.0, 1, less_is_better=less_is_better)
    before.write(tmp_path / "rows.json")
    after.add("work", "", "", now, 1, less_is_better=less_is_better)
    [line] = comparison(after.rows, json.loads((tmp_path / "rows.json").read_text()))
    assert line.endswith(verdict)


def test_baseline_has_every_figure() -> None:
    rows = json.loads(BASELINE.read_text("utf-8"))["rows"]
    names = [row["what"] for row in rows]
    assert len(names) == len(set(names)) > 20


async def test_unknown_part_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        await main(["kitchen"])
    assert "kitchen" in capsys.readouterr().err
