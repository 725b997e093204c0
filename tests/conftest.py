"""A sandbox for every test that requests one: real servers, the real bot, real sockets."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import time_machine
from hypothesis import HealthCheck, settings

from bot.app import Bot, open_bot
from bot.sandbox.sandbox import Sandbox, open_targets_of
from bot.sandbox.targets import TargetSandbox
from bot.store.postgres import connection
from providers.redaction import Secret
from tests.support.clock import (
    OFFSET,
    PROCESS_CLOCK,
    MovableClock,
    ahead_of_machine_s,
    moved_dialect,
    process_environ,
)
from tests.support.postgres import create_database, open_server, why_not
from tests.support.prestarted import ProgramServer, open_program_server
from tests.support.sandbox import open_tested_sandbox

ROOT = Path(__file__).parent.parent

# No test here fails for being slow on a busy machine.
settings.register_profile(
    "calm", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60
)
settings.load_profile("calm")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--now",
        help=(
            "the instant at which the tests start, such as 2028-02-29T23:55 (UTC); the clock runs "
            "on"
        ),
    )
    parser.addoption(
        "--database",
        choices=["sqlite", "postgres"],
        default="sqlite",
        help="the database of the bots in scenarios",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """If the tests run on a server, leaves out those about the database file."""
    if config.getoption("--database") == "sqlite":
        return
    about_a_file = pytest.mark.skip(reason="about the file of SQLite")
    for item in items:
        if item.get_closest_marker("sqlite"):
            item.add_marker(about_a_file)


def pytest_configure(config: pytest.Config) -> None:
    """Moves the clock of this process, and of those that tests start, before any test is collected.
    A process that runs a share of the tests is also one of them.
    """
    if (given := config.getoption("--now")) and OFFSET not in os.environ:
        start = datetime.fromisoformat(given)
        start = start if start.tzinfo else start.replace(tzinfo=UTC)
        time_machine.travel(start, tick=True).start()
        # Measured, since moving the clock takes a while on a busy machine, and processes compare
        # their clocks.
        os.environ[OFFSET] = repr(ahead_of_machine_s())
        os.environ["PYTHONPATH"] = os.pathsep.join(
            filter(None, [str(PROCESS_CLOCK), os.environ.get("PYTHONPATH", "")])
        )


@pytest.fixture(scope="session")
def postgres_socket() -> Iterator[str]:
    if reason := why_not():
        pytest.skip(reason)
    with open_server() as server:
        yield server.socket


@pytest.fixture(scope="session", autouse=True)
def server_clock() -> Iterator[None]:
    """If the clock of the tests is moved, makes PostgreSQL seem to have the same time; its own
    clock is the machine's.
    """
    with pytest.MonkeyPatch.context() as patch:
        if OFFSET in os.environ:
            dialect = moved_dialect()
            patch.setattr(connection.PostgresTransaction, "dialect", dialect)
            patch.setattr(connection.PostgresDatabase, "dialect", dialect)
        yield


@pytest.fixture(params=["sqlite", "postgres"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> Path | Secret:
    """Where an empty database can be created."""
    if request.param == "sqlite":
        return tmp_path / "bot.sqlite"
    socket = request.getfixturevalue("postgres_socket")
    return Secret(create_database(socket))


@contextmanager
def memory_below(most: int) -> Iterator[None]:
    """Fails if the block ever holds more than this many bytes of Python's memory."""
    tracemalloc.start()
    try:
        yield
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < most, f"{peak / 1e6:.0f} MB"


@pytest.fixture
def clock() -> MovableClock:
    """The time of day of the sandbox and its bot. A module that needs another time defines a
    fixture of this name.
    """
    return MovableClock()


@pytest.fixture
def before_noon(clock: MovableClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sandbox's clock starts five minutes before noon. Scheduled jobs run soon after a test
    moves it to the next quarter of an hour.
    """
    clock.set(datetime.now(UTC).replace(hour=11, minute=55, second=0, microsecond=0))
    monkeypatch.setattr("handlers.jobs.digests.TICK_S", 0.05)


@pytest.fixture
async def sandbox(
    tmp_path: Path, clock: MovableClock, request: pytest.FixtureRequest
) -> AsyncIterator[Sandbox]:
    """A Slack and three vendors on loopback, and an empty database of the requested kind."""
    async with open_tested_sandbox(tmp_path, clock=clock) as opened:
        if request.config.getoption("--database") == "postgres":
            url = create_database(request.getfixturevalue("postgres_socket"))
            (tmp_path / "database-url").write_text(url)
            opened.database = "file:database-url"
        yield opened


@pytest.fixture
async def targets(sandbox: Sandbox) -> AsyncIterator[TargetSandbox]:
    """PagerDuty, Opsgenie, a webhook and a mail server, configured in the sandbox."""
    async with open_targets_of(sandbox) as opened:
        yield opened


@asynccontextmanager
async def connected_bot(sandbox: Sandbox, **changes: Any) -> AsyncIterator[Bot]:
    """The real bot, connected to the sandbox's Slack over Socket Mode. If there are several, the
    last one receives the events.
    """
    others = len(sandbox.slack.sockets)
    async with (
        open_bot(sandbox.settings(**changes), sandbox.tokens(), clock=sandbox.clock) as bot,
        bot.connected(),
    ):
        await sandbox.slack.until(lambda: len(sandbox.slack.sockets) > others)
        yield bot


@pytest.fixture
def late_progress(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shows no progress of work, except in tests that are marked `shows_work`."""
    if not request.node.get_closest_marker("shows_work"):
        monkeypatch.setattr("handlers.shown_work.SHOW_WORK_AFTER_S", 120.0)


@pytest.fixture
async def bot(sandbox: Sandbox) -> AsyncIterator[Bot]:
    async with connected_bot(sandbox) as opened:
        yield opened
        # Stopping waits for what is under way.
        for server in sandbox.servers:
            server.answer_at_once()


@dataclass(frozen=True)
class Ran:
    """The result of a command-line run."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def toml_of(table: dict[str, Any], prefix: str = "") -> str:
    """A configuration table as TOML."""
    several = {
        key: value
        for key, value in table.items()
        if isinstance(value, list) and value and isinstance(value[0], dict)
    }
    plain = {
        key: value
        for key, value in table.items()
        if not isinstance(value, dict) and key not in several
    }
    lines = [f"{json.dumps(key)} = {json.dumps(value)}" for key, value in plain.items()]
    for key, value in table.items():
        if isinstance(value, dict):
            name = f"{prefix}{json.dumps(key)}"
            lines += ["", f"[{name}]", toml_of(value, name + ".")]
    for key, entries in several.items():
        for entry in entries:
            lines += ["", f"[[{prefix}{json.dumps(key)}]]", toml_of(entry)]
    return "\n".join(lines)


@pytest.fixture(scope="session")
def program_server() -> Iterator[ProgramServer]:
    """A server that starts programs in which the bot is already imported."""
    with open_program_server() as server:
        yield server


@pytest.fixture
def opswatch(program_server: ProgramServer) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs `python -m bot …` without a configuration in the environment."""

    def run(*words: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
        env = {name: value for name, value in os.environ.items() if name != "BOT_CONFIG"}
        env |= {"PYTHONPATH": str(ROOT), **environ}
        return program_server.run("bot", words, cwd=cwd, environ=env)

    return run


# What the fixture `run_cli` gives.
Run = Callable[..., Awaitable[Ran]]


@pytest.fixture
def run_cli(sandbox: Sandbox, tmp_path: Path, program_server: ProgramServer) -> Run:
    """Runs `python -m bot …` in a separate process, configured for the sandbox."""

    async def run(*words: str, table: dict[str, Any] | None = None, **environ: str) -> Ran:
        config = tmp_path / "bot.toml"
        config.write_text(toml_of(table if table is not None else sandbox.table()), "utf-8")
        env = {
            **os.environ,
            **sandbox.environ(),
            "BOT_CONFIG": str(config),
            "PYTHONPATH": str(ROOT),
            **environ,
        }
        env = process_environ(sandbox.clock, env)
        # Python reads these as it starts.
        own = any(name.startswith(("PYTHON", "LANG", "LC_")) for name in environ)
        started = partial(_run_python, env=env) if own else partial(program_server.run, environ=env)
        ran = await asyncio.to_thread(started, "bot", words, cwd=tmp_path)
        return Ran(ran.returncode, ran.stdout, ran.stderr)

    return run


def _run_python(
    module: str, words: Sequence[str], *, cwd: Path, env: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", module, *words]
    return subprocess.run(
        command, cwd=cwd, env=env, capture_output=True, encoding="utf-8", timeout=60
    )
