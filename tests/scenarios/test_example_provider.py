"""A vendor in another package can be checked, asked and used in alerts like our own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from bot.app import open_bot
from bot.sandbox.sandbox import Sandbox, open_sandbox
from providers.registry import registry
from tests.conftest import ROOT
from tests.providers.test_registry import install, opswatch
from tests.support.alerts import HURRIED, evaluations, posted_texts
from tests.support.clock import MovableClock

ORDERS = {
    "name": "anvils",
    "ask": "/usage coyote yesterday",
    "value": "bytes",
    "above": 500,
    "every": "15m",
    "channel": "#ops",
}


pytestmark = pytest.mark.usefixtures("before_noon")


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The folder in which the example package is installed, also for this process."""
    folder = tmp_path / "packages"
    folder.mkdir()
    paths = install(folder)["PYTHONPATH"]
    monkeypatch.syspath_prepend(folder)
    return paths


@pytest.fixture
async def sandbox(packages: str, tmp_path: Path, clock: MovableClock) -> AsyncIterator[Sandbox]:
    registry.cache_clear()
    try:
        async with open_sandbox(tmp_path, clock=clock) as opened:
            yield opened
    finally:
        registry.cache_clear()


async def test_account_of_added_vendor_passes_check(
    sandbox: Sandbox, packages: str, run_cli: Callable[..., Any]
) -> None:
    ran = await run_cli("check", "--json", PYTHONPATH=packages)
    [account] = [check for check in ran.json["checks"] if check["name"] == "coyote"]
    assert (account["ok"], account["detail"]) == (True, "Acme answers.")
    sandbox.acme.answer_with(401, times=5)
    ran = await run_cli("check", "--json", PYTHONPATH=packages)
    [account] = [check for check in ran.json["checks"] if check["name"] == "coyote"]
    assert not account["ok"]
    assert ran.code == 3


async def test_alert_about_added_vendor_fires(sandbox: Sandbox, clock: MovableClock) -> None:
    settings = sandbox.settings(alert=[ORDERS])
    async with (
        open_bot(settings, sandbox.tokens(), pace=HURRIED, clock=clock) as bot,
        bot.connected(),
    ):
        clock.set(clock().replace(hour=12, minute=0))
        assert await evaluations(bot, 1)
        [notice] = await sandbox.slack.until(lambda: posted_texts(sandbox))
    assert "anvils" in notice
    assert "1.00 kB" in notice


def test_run_logs_a_broken_plugin(tmp_path: Path) -> None:
    env = install(tmp_path, "opswatch_acme:MISSING")
    (tmp_path / "bot.toml").write_text("")
    without_tokens = {name: text for name, text in env.items() if not name.startswith("SLACK_")}
    ran = opswatch({**without_tokens, "BOT_CONFIG": ""}, tmp_path, "run")
    assert "“acme” of the package opswatch-acme is skipped" in ran.stderr
    assert str(ROOT) not in ran.stderr


async def test_filters_of_added_vendor_are_offered(sandbox: Sandbox) -> None:
    async with open_bot(sandbox.settings(), sandbox.tokens()) as bot, bot.connected():
        answer = await sandbox.slack.answer_to("/apiaudit help")
        await sandbox.slack.press(answer, "modal.question")
        view = await sandbox.slack.until(sandbox.slack.modal)
        assert await sandbox.slack.options(view, "filters", "wile") == ["who:wile"]
