"""A secret in a question of bot.toml reaches the provider, and is neither stored nor shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack.state import CANVAS_SCOPES
from tests.scenarios.test_digests import ON_THE_HOUR, posted
from tests.scenarios.test_digests import running as running_digests
from tests.support.alerts import evaluated, posted_texts, running
from tests.support.clock import MovableClock as Clock
from tests.support.messages import text_of

pytestmark = [pytest.mark.sqlite, pytest.mark.usefixtures("before_noon")]

SECRET = "hunter2hunter2"
LINE = f"/apiaudit edge 24h url:/x?password={SECRET}"
ALERT = {"name": "calls", "ask": LINE, "value": "calls", "below": "5", "channel": "#ops"}


def stored(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.glob("bot.sqlite*")))


def shown(sandbox: Sandbox) -> str:
    return "\n".join(text_of(m) + m.text + str(m.blocks) for m in sandbox.slack.seen())


async def test_secret_of_digest_is_not_stored(sandbox: Sandbox, clock: Clock) -> None:
    digest = {**ON_THE_HOUR, "ask": f"{LINE} csv"}
    async with running_digests(sandbox, digest):
        clock.strike()
        await sandbox.slack.until(lambda: posted(sandbox))
        subscriptions = await sandbox.slack.answer_to("/apiaudit subscriptions")
        await sandbox.slack.open_home("U0ADA")
        await sandbox.slack.until(lambda: sandbox.slack.homes.get("U0ADA"))
        assert SECRET.encode() not in stored(sandbox.folder)
    assert "password=[redacted]" in subscriptions.text
    assert SECRET not in shown(sandbox) + str(sandbox.slack.homes)
    assert SECRET.encode() not in stored(sandbox.folder)


async def test_secret_of_digest_is_not_in_its_canvas(sandbox: Sandbox, clock: Clock) -> None:
    sandbox.slack.scopes += f",{CANVAS_SCOPES}"
    digest = {**ON_THE_HOUR, "ask": LINE, "as": "canvas"}
    async with running_digests(sandbox, digest):
        clock.strike()
        [canvas] = await sandbox.slack.until(lambda: sandbox.slack.canvases_in("C0OPS"))
        assert SECRET.encode() not in stored(sandbox.folder)
    assert SECRET not in f"{canvas.title} {canvas.markdown}"
    assert SECRET.encode() not in stored(sandbox.folder)


async def test_secret_of_alert_is_not_stored(sandbox: Sandbox, clock: Clock) -> None:
    async with running(sandbox, ALERT) as bot:
        await evaluated(bot, clock)
        await sandbox.slack.until(lambda: posted_texts(sandbox))
        await sandbox.slack.answer_to("/apiaudit alerts")
        rows = await bot.store.read("SELECT definition FROM series")
        assert [("password=[redacted]" in row["definition"]) for row in rows] == [True]
        assert SECRET.encode() not in stored(sandbox.folder)
    assert SECRET not in shown(sandbox)
    assert SECRET.encode() not in stored(sandbox.folder)


async def test_alert_with_secret_keeps_its_state(sandbox: Sandbox, clock: Clock) -> None:
    for _ in range(2):
        async with running(sandbox, ALERT) as bot:
            await evaluated(bot, clock)
            await sandbox.slack.until(lambda: posted_texts(sandbox))
    assert len(posted_texts(sandbox)) == 1
