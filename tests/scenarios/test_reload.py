"""SIGHUP reloads the configuration: all or nothing, without losing a question in progress."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from msgspec.structs import replace

from bot.config import Settings, SlackTokens
from bot.health import ConnectionStatus
from bot.lifecycle.service import Service
from bot.sandbox.sandbox import Sandbox, open_targets_of
from bot.sandbox.targets.pagerduty import Incident
from providers.redaction import Secret
from tests.conftest import toml_of
from tests.support.bot_program import bot_program
from tests.support.ports import free_port

HANGS_UP = pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="this platform has no SIGHUP")
pytestmark = HANGS_UP


@asynccontextmanager
async def running(
    sandbox: Sandbox, log: Path, **changes: Any
) -> AsyncIterator[asyncio.subprocess.Process]:
    """`python -m bot run` in a separate process, connected."""
    async with started(sandbox, log, **changes) as process:
        await sandbox.slack.until(lambda: bool(sandbox.slack.sockets), timeout_s=60)
        yield process


@asynccontextmanager
async def started(
    sandbox: Sandbox, log: Path, **changes: Any
) -> AsyncIterator[asyncio.subprocess.Process]:
    """The same, but possibly not connected yet."""
    table = {**sandbox.table(), **changes}
    async with bot_program(sandbox, table=table, log=log) as process:
        yield process
        assert process.returncode is None, log.read_text()


def configure(sandbox: Sandbox, **changes: Any) -> None:
    (sandbox.folder / "bot.toml").write_text(toml_of({**sandbox.table(), **changes}), "utf-8")


async def until_logged(log: Path, text: str, times: int = 1) -> None:
    async with asyncio.timeout(60):
        while log.read_text().count(text) < times:
            await asyncio.sleep(0.05)


async def test_reload_applies_the_new_configuration(sandbox: Sandbox, tmp_path: Path) -> None:
    log = tmp_path / "log"
    async with running(sandbox, log) as process:
        refused = await sandbox.slack.answer_to("/apiaudit 2h", user="U0LINUS", timeout_s=60)
        assert "ask the operator" in refused.text.lower() or "may not" in refused.text.lower()
        configure(sandbox, access={"usage": ["*"], "apiaudit": ["*"], "logs": ["*"]})
        process.send_signal(signal.SIGHUP)
        await until_logged(log, "The configuration was reloaded.")
        answer = await sandbox.slack.answer_to("/apiaudit 2h", user="U0LINUS", timeout_s=60)
        assert "call" in answer.text
        assert len(sandbox.slack.sockets) == 1, "the connection has stayed"


async def test_bad_configuration_changes_nothing(sandbox: Sandbox, tmp_path: Path) -> None:
    log = tmp_path / "log"
    schedule = sandbox.folder / "primary.csv"
    schedule.write_text("start,end,person\n2026-11-02,2026-11-09,U0ADA\n")
    before = {"slack": {"ops_channel": "C0OPS"}, "on_call": {"primary": {"file": "primary.csv"}}}
    async with running(sandbox, log, **before) as process:
        configure(sandbox, **before, timezone="Mars/Olympus", colour="red")
        schedule.write_text("start,end,person\n2026-11-02,2026-11-09,ada\n")
        process.send_signal(signal.SIGHUP)
        await sandbox.slack.until(
            lambda: any("was not reloaded" in m.text for m in sandbox.slack.messages), timeout_s=60
        )
        notice = next(m for m in sandbox.slack.messages if "was not reloaded" in m.text)
        assert "timezone" in notice.text
        assert "colour" in notice.text
        assert "line 2: people must be" in notice.text
        answer = await sandbox.slack.answer_to("/usage yesterday", timeout_s=60)
        assert "rapid7-eu" in answer.text


async def test_reload_works_while_slack_is_unreachable(sandbox: Sandbox, tmp_path: Path) -> None:
    environ = sandbox.environ()
    log = tmp_path / "log"
    token = tmp_path / "bot-token"
    token.write_text("xoxb-kept\n")
    sandbox.slack.answer_with(503, path="auth.test", times=1000)
    with_file = {**environ, "SLACK_BOT_TOKEN": f"file:{token}"}
    async with bot_program(sandbox, environ=with_file, log=log) as process:
        await until_logged(log, "Not connected to Slack")
        configure(sandbox, timezone="Mars/Olympus")
        process.send_signal(signal.SIGHUP)
        await until_logged(log, "The configuration was not reloaded: ")
        assert "timezone" in log.read_text()
        configure(sandbox, database="missing/bot.sqlite")
        process.send_signal(signal.SIGHUP)
        await until_logged(log, "there is no folder")
        token.write_text(environ["SLACK_BOT_TOKEN"] + "\n")
        configure(sandbox, access={"usage": ["*"], "apiaudit": ["*"], "logs": ["*"]})
        process.send_signal(signal.SIGHUP)
        await until_logged(log, "The configuration was reloaded.")
        sandbox.slack.faults.clear()
        await sandbox.slack.until(lambda: bool(sandbox.slack.sockets), timeout_s=60)
        answer = await sandbox.slack.answer_to("/apiaudit 2h", user="U0LINUS", timeout_s=60)
        assert "call" in answer.text
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 30) == 0


async def test_reloads_lose_no_command(sandbox: Sandbox, tmp_path: Path) -> None:
    log = tmp_path / "log"
    async with running(sandbox, log) as process:
        asked = []
        for number in range(50):
            if number in (10, 25, 40):
                process.send_signal(signal.SIGHUP)
            user = ("U0ADA", "U0LINUS")[number % 2]
            channel = ("C0OPS", "C0KITCHEN")[number // 2 % 2]
            asked.append(
                asyncio.create_task(
                    sandbox.slack.answer_to(
                        f"/usage {number + 2}d", user=user, channel=channel, timeout_s=240
                    )
                )
            )
            await asyncio.sleep(0.05)
        answers = await asyncio.gather(*asked)
        assert len(answers) == 50
        assert not [answer.text for answer in answers if "rapid7-eu" not in answer.text]
        await until_logged(log, "The configuration was reloaded.")
    assert "Traceback" not in log.read_text(), log.read_text()


async def test_reload_finishes_earlier_work(sandbox: Sandbox, tmp_path: Path) -> None:
    log = tmp_path / "log"
    async with running(sandbox, log) as process:
        sandbox.rapid7.be_slow(3, times=1)
        slow = asyncio.create_task(sandbox.slack.answer_to("/usage 3d", timeout_s=60))
        await sandbox.slack.until(
            lambda: any("Working on" in m.text for m in sandbox.slack.messages), timeout_s=30
        )
        process.send_signal(signal.SIGHUP)
        await until_logged(log, "The configuration was reloaded.")
        answer = await slack_answer(slow)
        assert "rapid7-eu" in answer.text
        assert "interrupted" not in answer.text


async def slack_answer(task: asyncio.Task[Any]) -> Any:
    return await asyncio.wait_for(task, 60)


async def test_new_token_opens_a_new_connection(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = tmp_path / "app-token"
    token.write_text(sandbox.slack.app_token + "\n")
    environ = sandbox.environ()
    monkeypatch.setattr(
        Sandbox, "environ", lambda self: {**environ, "SLACK_APP_TOKEN": f"file:{token}"}
    )
    log = tmp_path / "log"
    async with running(sandbox, log) as process:
        before = set(sandbox.slack.sockets)
        sandbox.slack.app_token = "xapp-1-another"
        token.write_text("xapp-1-another\n")
        process.send_signal(signal.SIGHUP)
        await until_logged(log, "The configuration was reloaded.")
        await sandbox.slack.until(lambda: not before & set(sandbox.slack.sockets))
        assert "rapid7-eu" in (await sandbox.slack.answer_to("/usage yesterday", timeout_s=60)).text


def http(port: int, **more: Any) -> dict[str, Any]:
    return {"mode": "http", "port": port, **more}


PLACES = {
    "another host of the same port": (http(0), http(0, host="0.0.0.0")),
    "another base path": (http(0), http(0, base_path="/opswatch")),
    "from HTTP mode to Socket Mode": (http(0), {"mode": "socket"}),
}


@pytest.mark.parametrize(("before", "after"), PLACES.values(), ids=PLACES.keys())
async def test_reload_changes_how_slack_connects(
    sandbox: Sandbox, tmp_path: Path, before: dict[str, Any], after: dict[str, Any]
) -> None:
    log = tmp_path / "log"
    port = free_port()

    def placed(slack: dict[str, Any]) -> dict[str, Any]:
        return {**slack, "port": port} if slack["mode"] == "http" else slack

    async with started(sandbox, log, slack=placed(before)) as process:
        await until_logged(log, "Listening for Slack")
        sandbox.slack.events_url = f"http://127.0.0.1:{port}/slack/events"
        assert "7 days" in (await sandbox.slack.answer_to("/usage last 7 days", timeout_s=60)).text
        configure(sandbox, slack=placed(after))
        process.send_signal(signal.SIGHUP)
        await until_logged(log, "The configuration was reloaded.")
        if after["mode"] == "socket":
            sandbox.slack.events_url = ""
            await sandbox.slack.until(lambda: bool(sandbox.slack.sockets), timeout_s=60)
        else:
            base = after.get("base_path", "")
            sandbox.slack.events_url = f"http://127.0.0.1:{port}{base}/slack/events"
        assert "5 days" in (await sandbox.slack.answer_to("/usage last 5 days", timeout_s=60)).text


async def test_unavailable_address_leaves_old_one(sandbox: Sandbox, tmp_path: Path) -> None:
    log = tmp_path / "log"
    port = free_port()
    health = free_port()
    before = {"slack": http(port), "health": {"port": health}}
    async with started(sandbox, log, **before) as process:
        await until_logged(log, "Listening for Slack")
        sandbox.slack.events_url = f"http://127.0.0.1:{port}/slack/events"
        for number, wrong in enumerate(
            (
                {"slack": http(port, host="192.0.2.1"), "health": {"port": health}},
                {"slack": http(port), "health": {"port": health, "host": "192.0.2.1"}},
                {
                    "slack": http(port, host="192.0.2.1"),
                    "health": {"port": health, "metrics": False},
                },
            )
        ):
            configure(sandbox, **wrong)
            process.send_signal(signal.SIGHUP)
            await until_logged(log, "was not reloaded: nothing can listen", times=number + 1)
            answer = await sandbox.slack.answer_to(f"/usage last {number + 2} days", timeout_s=60)
            assert f"{number + 2} days" in answer.text
            assert await status_of(f"http://127.0.0.1:{health}/metrics") == 200


async def test_health_port_follows_a_reload(sandbox: Sandbox, tmp_path: Path) -> None:
    log = tmp_path / "log"
    first = free_port()
    second = free_port()
    places: list[dict[str, Any]] = [
        {"port": first},
        {"port": first, "metrics": False},
        {"port": first, "host": "0.0.0.0"},
        {"port": second},
    ]
    async with started(sandbox, log, health=places[0]) as process:
        await sandbox.slack.until(lambda: bool(sandbox.slack.sockets), timeout_s=60)
        for times, place in enumerate(places[1:], 1):
            configure(sandbox, health=place)
            process.send_signal(signal.SIGHUP)
            await until_logged(log, "The configuration was reloaded.", times)
            site = f"http://127.0.0.1:{place['port']}"
            assert await status_of(f"{site}/readyz") == 200
            assert await status_of(f"{site}/metrics") == (200 if "metrics" not in place else 404)
        with pytest.raises(aiohttp.ClientError):
            await status_of(f"http://127.0.0.1:{first}/readyz")


async def status_of(url: str) -> int:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status


async def test_unexpected_error_changes_nothing(sandbox: Sandbox) -> None:
    def load() -> tuple[Settings, SlackTokens]:
        raise RuntimeError("a fault of ours")

    service = Service(ConnectionStatus())
    await service.start(sandbox.settings(), sandbox.tokens())
    async with aclosing(service):
        await sandbox.slack.until(lambda: bool(sandbox.slack.sockets))
        await service.reload(load)
        assert "7 days" in (await sandbox.slack.answer_to("/usage last 7 days")).text


async def test_stop_that_is_cut_off_closes_everything(sandbox: Sandbox) -> None:
    """Otherwise the event loop closes what is open in any order, which logs tracebacks."""
    sandbox.rapid7.be_slow(600, times=9)
    service = Service(ConnectionStatus())
    await service.start(sandbox.settings(), sandbox.tokens())
    bot = service.current
    await sandbox.slack.until(lambda: bool(sandbox.slack.sockets))
    await sandbox.slack.command("/usage last 7 days")
    await sandbox.slack.until(lambda: bool(sandbox.rapid7.requests))
    stopping = asyncio.create_task(service.aclose())
    await sandbox.slack.until(lambda: bot.requests.running.stopping)
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(stopping, 60)
    assert bot.store.is_closed
    assert bot.session.closed
    assert not bot.requests.running.tasks
    sandbox.rapid7.answer_at_once()


async def test_refused_token_leaves_metrics_on(sandbox: Sandbox) -> None:
    port = free_port()
    service = Service(ConnectionStatus())
    await service.start(sandbox.settings(health={"port": port}), sandbox.tokens())
    async with aclosing(service):
        changed = sandbox.settings(health={"port": port, "metrics": False})
        mistyped = replace(sandbox.tokens(), bot=Secret("xoxb-mistyped"))
        await service.reload(lambda: (changed, mistyped))
        assert await status_of(f"http://127.0.0.1:{port}/metrics") == 200
        await service.reload(lambda: (changed, sandbox.tokens()))
        assert await status_of(f"http://127.0.0.1:{port}/metrics") == 404


async def test_reload_preserves_channel_pace(sandbox: Sandbox) -> None:
    service = Service(ConnectionStatus())
    await service.start(sandbox.settings(), sandbox.tokens())
    async with aclosing(service):
        await sandbox.slack.until(lambda: bool(sandbox.slack.sockets))
        await sandbox.slack.answer_to("/usage last 2 days", channel="C0KITCHEN")
        sandbox.slack.limit()
        for reloads in range(2):
            for days in range(3, 6):
                await sandbox.slack.command(f"/usage last {days} days")
            await until_answered(sandbox, 3 * (reloads + 1))
            await service.reload(lambda: (sandbox.settings(), sandbox.tokens()))
        assert not [refused for refused in sandbox.slack.refused if "ratelimited" in refused]


async def until_answered(sandbox: Sandbox, count: int) -> None:
    await sandbox.slack.until(
        lambda: len(sandbox.slack.seen(channel="C0OPS")) == count, timeout_s=60
    )


async def test_reload_applies_new_targets(sandbox: Sandbox, tmp_path: Path) -> None:
    log = tmp_path / "log"
    port = free_port()
    async with open_targets_of(sandbox) as targets:
        slack = http(port)
        sandbox.slack.events_url = f"http://127.0.0.1:{port}/slack/events"
        table = targets.table()
        without = {"hook": table["hook"]}
        url = f"http://127.0.0.1:{port}/pagerduty/events"
        async with started(sandbox, log, slack=slack, targets=without) as process:
            await until_logged(log, "Listening for Slack")
            assert await targets.pagerduty.report(url, Incident("other")) == 404
            table["pagerduty"]["webhook_secret"] = "env:PAGERDUTY_WEBHOOK_SECRET"
            configure(sandbox, slack=slack, targets=table)
            process.send_signal(signal.SIGHUP)
            await until_logged(log, "The configuration was reloaded.")
            assert await targets.pagerduty.report(url, Incident("other")) == 202
            assert await targets.pagerduty.report(url, Incident("x"), secret="wrong") == 401
