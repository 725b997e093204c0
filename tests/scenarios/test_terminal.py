"""`opswatch ask` and `check` in an interactive terminal: layout, colour, progress and encodings."""

from __future__ import annotations

import asyncio
import io
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bot.answer import Progress, Step
from bot.blocks import kit
from bot.cli.layout import markup, print_answer
from bot.cli.progress import progress_line
from bot.sandbox.sandbox import Sandbox
from tests.conftest import ROOT, Run, toml_of
from tests.support.clock import process_environ

STYLE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


async def on_terminal(sandbox: Sandbox, folder: Path, *words: str, **environ: str) -> str:
    """The output of `python -m bot …` in a terminal with 100 columns."""
    config = folder / "bot.toml"
    config.write_text(toml_of(sandbox.table()), "utf-8")
    ours, theirs = pty.openpty()
    env = {
        key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR")
    }
    env |= {
        **sandbox.environ(),
        "BOT_CONFIG": str(config),
        "PYTHONPATH": str(ROOT),
        "COLUMNS": "100",
        "TERM": "xterm-256color",
        **environ,
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", *words),
        cwd=folder,
        env=process_environ(sandbox.clock, env),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    reading = asyncio.create_task(asyncio.to_thread(_read_all, ours))
    assert await asyncio.wait_for(process.wait(), 60) == 0
    return (await reading).decode(environ.get("PYTHONIOENCODING", "utf-8"))


def _read_all(descriptor: int) -> bytes:
    received = b""
    try:
        while chunk := os.read(descriptor, 65_536):
            received += chunk
    except OSError:
        # A closed pseudo-terminal ends in an error.
        pass
    os.close(descriptor)
    return received


def laid_out(*blocks: dict[str, Any]) -> str:
    console = Console(width=80, force_terminal=False)
    with console.capture() as captured:
        print_answer(blocks, console=console)
    return captured.get()


async def test_terminal_shows_table_and_chart(sandbox: Sandbox, tmp_path: Path) -> None:
    shown = await on_terminal(sandbox, tmp_path, "ask", "/usage last 7 days per log")
    plain = STYLE.sub("", shown)
    assert "\x1b[1m" in shown
    assert re.search(r"^Data usage by day +GB", plain, re.MULTILINE)
    assert re.search(r"█+ +\d", plain)
    assert re.search(r"^kitchen +[\d.]+ GB +[\d.]+ %", plain, re.MULTILINE)
    assert max(len(line) for line in plain.splitlines()) <= 100


async def test_no_color_leaves_only_text(sandbox: Sandbox, tmp_path: Path) -> None:
    asked = await on_terminal(sandbox, tmp_path, "ask", "/usage yesterday", NO_COLOR="1")
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", asked)
    checked = await on_terminal(sandbox, tmp_path, "check", NO_COLOR="1")
    assert "\x1b[" not in checked


async def test_check_colours_its_marks(sandbox: Sandbox, tmp_path: Path) -> None:
    shown = await on_terminal(sandbox, tmp_path, "check")
    assert "\x1b[32mok \x1b[0m" in shown


async def test_dumb_terminal_gets_plain_text(sandbox: Sandbox, tmp_path: Path) -> None:
    shown = await on_terminal(sandbox, tmp_path, "ask", "/usage yesterday", TERM="dumb")
    assert "\x1b" not in shown


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
async def test_json_is_read_in_any_encoding(run_cli: Run, encoding: str) -> None:
    ran = await run_cli("ask", "/usage last 7 days per log", "--json", PYTHONIOENCODING=encoding)
    assert ran.code == 0
    assert json.loads(ran.out)["values"]["bytes"] > 0


@pytest.mark.parametrize("words", [("ask", "/apiaudit 24h"), ("check",), ("--help",)])
async def test_text_is_printed_in_any_encoding(
    sandbox: Sandbox, tmp_path: Path, words: tuple[str, ...]
) -> None:
    shown = await on_terminal(sandbox, tmp_path, *words, PYTHONIOENCODING="latin-1", TERM="dumb")
    assert shown.strip()


def test_markup_becomes_words() -> None:
    shown = markup("*Peak* `a &lt;b` <!date^1^{time}|9 Nov> <https://x.example|docs> :warning:")
    assert shown.plain == "Peak a <b 9 Nov docs ⚠"


def test_control_characters_are_inert() -> None:
    shown = laid_out(
        kit.header("a\x1b[2Jb"),
        kit.section("*x* \x1b]0;title\x07y \u202e"),
        kit.data_table("c\x9b2J", ["\x1b[1mhead"], [["\x1b[31mred"], [(1, "\x1b[7m1")]]),
        kit.chart(
            "\x1b[5m", kind="bar", series=[("\x1b[3m", [1.0])], labels=["\x1bc"], unit="\x07"
        ),
    )
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", shown)


def test_rich_markup_of_outside_text_is_text() -> None:
    shown = laid_out(kit.section("[red]not red[/red]"), kit.header("[link=x]y[/link]"))
    assert "[red]not red[/red]" in shown
    assert "[link=x]y[/link]" in shown


def test_chart_of_several_series_names_them() -> None:
    shown = laid_out(
        kit.chart(
            "Calls",
            kind="bar",
            series=[("calls", [4.0, 0.0]), ("failed", [1.0, 0.0])],
            labels=["Mon", "Tue"],
            unit="calls",
        )
    )
    lines = [line.split() for line in shown.splitlines()]
    assert lines[2:] == [["calls", "failed"], ["Mon", "█" * 40, "4", "1"], ["Tue", "0", "0"]]


def test_progress_names_its_parts() -> None:
    progress = Progress()
    assert progress_line(progress) == "Working"
    progress.step(Step("edge", "in_progress", "1,200 calls"))
    progress.step(Step("iot", "complete"))
    progress.step(Step("lab", "in_progress"))
    assert progress_line(progress) == "edge: 1,200 calls, iot: done, lab: working"


def test_narrow_chart_keeps_labels_and_numbers_whole() -> None:
    windows = ("1 to 26 Nov 2026", "1 to 26 Oct 2026")
    labels = ["1 Nov: no data", "8 Nov"]
    series = [(window, [27_200_000.0, 31_700_000.0]) for window in windows]
    shown = laid_out(kit.chart("Compared", kind="bar", series=series, labels=labels, unit="B"))
    assert "…" not in shown
    assert all(word in shown for word in (*windows, *labels, "27,200,000"))
    assert max(len(line.rstrip()) for line in shown.splitlines()) <= 80


def test_wide_table_is_shown_row_by_row() -> None:
    row = ["27 Nov 21:04:37", "ada@example.com", "GET", "/papi/v1/properties", *["terraform"] * 6]
    shown = laid_out(kit.data_table("Calls", [f"Column {n}" for n in range(10)], [row, row]))
    lines = [line.rstrip() for line in shown.splitlines() if line.strip()]
    assert [line.startswith(" ") for line in lines] == [False, False] + [False, True, True] * 2
    assert re.search(r"ada@example.com  GET +/papi/v1/properties", shown)
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shell_completes_commands(shell: str) -> None:
    program = "from bot.cli.main import main; main(prog_name='opswatch')"
    ran = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(ROOT), "_OPSWATCH_COMPLETE": f"{shell}_source"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0
    assert "opswatch" in ran.stdout


@pytest.mark.parametrize("width", [40, 80, 120])
def test_wide_table_keeps_names_of_its_cells(width: int) -> None:
    head = ["Time", "Actor", "Client", "Organisation", "ID"]
    row = ["28 Nov 05:17:40", "opswatch@example.com", "–", "KITCHEN " * 20, "da67135c"]
    console = Console(width=width, file=io.StringIO(), highlight=False)
    print_answer([kit.data_table("Calls", head, [row])], console=console)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert max(map(len, shown.splitlines())) <= width
    assert "Organisation KITCHEN" in " ".join(shown.split())
    assert "ID da67135c" in shown
    assert "Client –" not in shown


@pytest.mark.parametrize(
    ("values", "numbers"),
    [
        ([31.9, 32.0, 0.676, 250.0], ["31.9", "32.0", "0.676", "250"]),
        ([5.0, 12.0, 1200.0], ["5", "12", "1,200"]),
        ([0.0, 1.5], ["0", "1.50"]),
    ],
)
def test_numbers_of_a_chart_are_alike(values: list[float], numbers: list[str]) -> None:
    labels = [f"{n} Nov" for n, _ in enumerate(values)]
    chart = kit.chart("Data", kind="bar", series=[("GB", values)], labels=labels, unit="GB")
    assert [line.split()[-1] for line in laid_out(chart).splitlines()[-len(values) :]] == numbers
