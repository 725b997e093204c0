"""Notifications to systemd: started, reloading, stopping, and the watchdog for as long as the bot
works.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from bot.health import ConnectionStatus
from bot.lifecycle.service import SLACK_GONE_S, Service
from bot.lifecycle.service_manager import ServiceManager
from bot.sandbox.sandbox import Sandbox
from tests.support.bot_program import bot_program

pytestmark = pytest.mark.skipif(
    not hasattr(socket, "AF_UNIX"), reason="this platform has no Unix sockets"
)


class Systemd:
    """The socket on which systemd listens, and the messages it received."""

    def __init__(self, path: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.bind(path)
        self.states: list[str] = []

    def read(self) -> list[str]:
        while True:
            try:
                self.states.append(self.socket.recv(4096).decode())
            except BlockingIOError:
                return self.states

    async def until(self, state: str, times: int = 1) -> None:
        async with asyncio.timeout(90):
            while sum(found.startswith(state) for found in self.read()) < times:
                await asyncio.sleep(0.02)


@contextmanager
def listening(path: str) -> Iterator[Systemd]:
    systemd = Systemd(path)
    try:
        yield systemd
    finally:
        systemd.socket.close()


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    with listening(str(tmp_path / "notify")) as found:
        yield found


@asynccontextmanager
async def running(sandbox: Sandbox, **environ: str) -> AsyncIterator[asyncio.subprocess.Process]:
    async with bot_program(sandbox, environ={**sandbox.environ(), **environ}) as process:
        yield process


async def test_systemd_is_notified_of_every_state(
    sandbox: Sandbox, systemd: Systemd, tmp_path: Path
) -> None:
    async with running(
        sandbox, NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="200000"
    ) as process:
        await systemd.until("READY=1")
        await sandbox.slack.until(lambda: bool(sandbox.slack.sockets), timeout_s=60)
        await systemd.until("STATUS=Connected to Slack.")
        await systemd.until("WATCHDOG=1", times=3)
        process.send_signal(signal.SIGHUP)
        await systemd.until("RELOADING=1\nMONOTONIC_USEC=")
        await systemd.until("READY=1", times=2)
        process.terminate()
        await systemd.until("STOPPING=1")
    states = systemd.read()
    first = [states.index(state) for state in ("READY=1", "STOPPING=1")]
    reloading = next(
        number for number, state in enumerate(states) if state.startswith("RELOADING=1")
    )
    assert first[0] < reloading < len(states) - 1 - states[::-1].index("READY=1") < first[1]
    assert states[reloading].split("MONOTONIC_USEC=")[1].isdigit()


async def test_refused_reload_ends_as_ready(
    sandbox: Sandbox, systemd: Systemd, tmp_path: Path
) -> None:
    async with running(sandbox, NOTIFY_SOCKET=str(tmp_path / "notify")) as process:
        await systemd.until("READY=1")
        (sandbox.folder / "bot.toml").write_text("colour = 'red'")
        process.send_signal(signal.SIGHUP)
        await systemd.until("RELOADING=1")
        await systemd.until("READY=1", times=2)


async def test_wrong_configuration_is_never_ready(
    sandbox: Sandbox, systemd: Systemd, tmp_path: Path
) -> None:
    async with running(
        sandbox, NOTIFY_SOCKET=str(tmp_path / "notify"), SLACK_BOT_TOKEN=""
    ) as process:
        assert await asyncio.wait_for(process.wait(), 90) == 2
    assert "READY=1" not in systemd.read()


async def test_dead_bot_sends_no_keep_alive(systemd: Systemd, tmp_path: Path) -> None:
    alive = True
    refusals = 0
    refused = asyncio.Event()

    def is_alive() -> bool:
        nonlocal refusals
        refusals += not alive
        if refusals == 5:
            refused.set()
        return alive

    manager = ServiceManager(str(tmp_path / "notify"), watchdog_s=0.02)
    async with manager.watched(is_alive, lambda: "fine"):
        await systemd.until("WATCHDOG=1")
        alive = False
        seen = len(systemd.read())
        await asyncio.wait_for(refused.wait(), 60)
    assert "WATCHDOG=1" not in systemd.read()[seen:]


def test_bot_without_slack_is_not_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    slack = ConnectionStatus(connected=True)
    service = Service(slack)
    assert service.is_alive()
    slack.connected = False
    slack.problem = "Slack cannot be reached."
    now += SLACK_GONE_S - 1
    assert service.is_alive()
    assert "cannot be reached" in service.status()
    now += 2
    assert not service.is_alive()
    slack.connected = True
    assert service.is_alive()


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, ServiceManager()),
        ({"NOTIFY_SOCKET": "/run/notify"}, ServiceManager("/run/notify")),
        (
            {"NOTIFY_SOCKET": "@notify", "WATCHDOG_USEC": "30000000"},
            ServiceManager("@notify", 30.0),
        ),
        ({"NOTIFY_SOCKET": "vsock:2:1", "WATCHDOG_USEC": "soon"}, ServiceManager()),
        (
            {"NOTIFY_SOCKET": "/run/notify", "WATCHDOG_USEC": "5", "WATCHDOG_PID": "1"},
            ServiceManager("/run/notify"),
        ),
    ],
    ids=["no systemd", "no watchdog", "abstract", "junk", "another process"],
)
def test_environment_is_read_once(environ: dict[str, str], expected: ServiceManager) -> None:
    assert ServiceManager.from_environ(environ) == expected
    assert environ == {}


@pytest.mark.skipif(sys.platform != "linux", reason="abstract sockets are Linux's")
def test_abstract_socket_is_reached() -> None:
    name = f"opswatch-test-{os.getpid()}"
    with listening(f"\0{name}") as systemd:
        ServiceManager(f"@{name}").ready()
        assert systemd.read() == ["READY=1"]


def test_missing_socket_is_no_error(tmp_path: Path) -> None:
    ServiceManager(str(tmp_path / "nowhere")).ready()
    ServiceManager().stopping()
