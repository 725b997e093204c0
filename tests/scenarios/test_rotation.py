"""Tokens and keys in files can be changed without a restart: write the file, reload."""

from __future__ import annotations

import asyncio
import re
import shlex
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.sandbox import Sandbox
from tests.conftest import ROOT
from tests.support.bot_program import bot_program
from tests.support.ports import free_port

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="this platform has no SIGHUP")
RELOADED = "The configuration was reloaded."
UNIT = (ROOT / "deploy" / "opswatch.service").read_text()


class Secrets:
    """Every secret of the bot in a separate file, with the value that the sandbox expects now."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.sandbox = sandbox
        self.folder = folder
        folder.mkdir()
        self.write()

    def write(self) -> None:
        sandbox = self.sandbox
        values = {
            "bot-token": sandbox.slack.bot_token,
            "app-token": sandbox.slack.app_token,
            "signing-secret": sandbox.slack.signing_secret,
            "rapid7": sandbox.rapid7.api_key,
            "devicewise": sandbox.devicewise.password,
        }
        for name, value in values.items():
            (self.folder / name).write_text(value + "\n")
        (sandbox.folder / ".edgerc").write_text(sandbox.akamai.edgerc(), "utf-8")

    def rotate(self) -> None:
        """From now on the old secrets are rejected everywhere."""
        sandbox = self.sandbox
        sandbox.slack.bot_token = "xoxb-rotated-0123456789"
        sandbox.slack.app_token = "xapp-1-rotated-0123456789"
        sandbox.slack.signing_secret = "rotated-signing-secret-0123456789"
        sandbox.rapid7.api_key = "99999999-aaaa-bbbb-cccc-rotated00000"
        sandbox.devicewise.password = "rotated horse battery staple"
        sandbox.akamai.client_secret = "cm90YXRlZC1zZWNyZXQtZm9yLXRlc3Rz"

    def environ(self) -> dict[str, str]:
        given = {
            name: value
            for name, value in self.sandbox.environ().items()
            if name not in ("RAPID7_API_KEY", "DW_PASSWORD")
        }
        return {
            **given,
            "SLACK_BOT_TOKEN": f"file:{self.folder}/bot-token",
            "SLACK_APP_TOKEN": f"file:{self.folder}/app-token",
            "SLACK_SIGNING_SECRET": f"file:{self.folder}/signing-secret",
        }

    def table(self, **changes: Any) -> dict[str, Any]:
        table = {**self.sandbox.table(), **changes}
        table["providers"]["rapid7-eu"]["api_key"] = f"file:{self.folder}/rapid7"
        table["providers"]["iot"]["password"] = f"file:{self.folder}/devicewise"
        return table


@asynccontextmanager
async def running(
    secrets: Secrets, log: Path, **changes: Any
) -> AsyncIterator[asyncio.subprocess.Process]:
    table = secrets.table(**changes)
    environ = secrets.environ()
    async with bot_program(secrets.sandbox, table=table, environ=environ, log=log) as process:
        yield process
        assert process.returncode is None, log.read_text()


async def until_logged(log: Path, text: str) -> None:
    async with asyncio.timeout(90):
        while text not in log.read_text():
            await asyncio.sleep(0.05)


async def ask_everybody(sandbox: Sandbox) -> None:
    """Asks every vendor a question, and expects an answer."""
    usage = await sandbox.slack.answer_to("/usage last 7 days", timeout_s=60)
    assert "in 7 days" in usage.text
    for account in ("edge", "iot"):
        audit = await sandbox.slack.answer_to(f"/apiaudit {account} 2h", timeout_s=60)
        assert "call" in audit.text
        assert "did not accept" not in audit.text


@pytest.fixture
def secrets(sandbox: Sandbox, tmp_path: Path) -> Secrets:
    return Secrets(sandbox, tmp_path / "secrets")


@pytest.mark.parametrize("mode", ["socket", "http"])
async def test_reload_applies_rotated_secrets(secrets: Secrets, tmp_path: Path, mode: str) -> None:
    sandbox = secrets.sandbox
    log = tmp_path / "log"
    port = free_port()
    async with running(secrets, log, slack={"mode": mode, "port": port}) as process:
        if mode == "http":
            sandbox.slack.events_url = f"http://127.0.0.1:{port}/slack/events"
            await until_logged(log, "Listening for Slack")
        else:
            await sandbox.slack.until(lambda: bool(sandbox.slack.sockets), timeout_s=60)
        await ask_everybody(sandbox)
        before = set(sandbox.slack.sockets)
        secrets.rotate()
        secrets.write()
        process.send_signal(signal.SIGHUP)
        await until_logged(log, RELOADED)
        await sandbox.slack.until(lambda: not before & set(sandbox.slack.sockets), timeout_s=60)
        await ask_everybody(sandbox)
    for name in ("bot-token", "app-token", "rapid7", "devicewise"):
        assert (secrets.folder / name).read_text().strip() not in log.read_text()


@pytest.mark.parametrize("name", ["bot-token", "rapid7"])
async def test_empty_file_leaves_old_secret(secrets: Secrets, tmp_path: Path, name: str) -> None:
    sandbox = secrets.sandbox
    log = tmp_path / "log"
    async with running(secrets, log) as process:
        await sandbox.slack.until(lambda: bool(sandbox.slack.sockets), timeout_s=60)
        (secrets.folder / name).write_text("")
        process.send_signal(signal.SIGHUP)
        await until_logged(log, "The configuration was not reloaded: ")
        assert "is empty" in log.read_text()
        await ask_everybody(sandbox)


async def test_refused_token_leaves_old_one(secrets: Secrets, tmp_path: Path) -> None:
    sandbox = secrets.sandbox
    log = tmp_path / "log"
    async with running(secrets, log) as process:
        await sandbox.slack.until(lambda: bool(sandbox.slack.sockets), timeout_s=60)
        (secrets.folder / "bot-token").write_text("xoxb-mistyped-0123456789")
        process.send_signal(signal.SIGHUP)
        await until_logged(log, "Slack does not accept the token (invalid_auth)")
        await ask_everybody(sandbox)
        assert "xoxb-mistyped" not in log.read_text()


async def test_corrected_password_ends_the_lockout(secrets: Secrets, tmp_path: Path) -> None:
    """deviceWISE locks accounts out, so a refused password is not tried again for half an hour."""
    sandbox = secrets.sandbox
    log = tmp_path / "log"
    (secrets.folder / "devicewise").write_text("mistyped horse battery staple")
    async with running(secrets, log) as process:
        await sandbox.slack.until(lambda: bool(sandbox.slack.sockets), timeout_s=60)
        refused = await sandbox.slack.answer_to("/apiaudit iot 2h", timeout_s=60)
        assert "call" not in refused.text, refused.text
        secrets.write()
        process.send_signal(signal.SIGHUP)
        await until_logged(log, RELOADED)
        await ask_everybody(sandbox)


async def test_systemd_reload_command_works(secrets: Secrets, tmp_path: Path) -> None:
    """`systemctl reload` runs ExecReload with the PID of the bot as $MAINPID."""
    sandbox = secrets.sandbox
    log = tmp_path / "log"
    [command] = re.findall(r"^ExecReload=(.*)$", UNIT, re.MULTILINE)
    async with running(secrets, log) as process:
        await sandbox.slack.until(lambda: bool(sandbox.slack.sockets), timeout_s=60)
        words = [word.replace("$MAINPID", str(process.pid)) for word in shlex.split(command)]
        subprocess.run(words, check=True, timeout=60)
        await until_logged(log, RELOADED)
        await ask_everybody(sandbox)
