"""The command that a refusal suggests works when it is typed."""

from __future__ import annotations

import re

import pytest

from bot.sandbox.sandbox import Sandbox
from tests.support.alerts import running
from tests.support.clock import MovableClock as Clock

pytestmark = pytest.mark.usefixtures("before_noon")

SUBSCRIPTIONS = (
    "/usage subscribe",
    "/usage subscribe help at 09:00",
    "/usage subscribe nonsense at 09:00",
    "/usage subscribe nonsense at 25:00",
    "/usage subscribe nonsense weekly",
    "/usage subscribe last 7 dyas at 9am on fridays",
    "/usage subscribe last 7 dyas 9am",
    "/usage subscribe 2026-02-30 at 09:00",
    "/usage subscribe 3h every 5 hours",
    "/usage subscribe rapid8-eu today at 09:00 on someday",
    "/usage subscribe today password=Tr0ub4dor&3xy at 09:00",
    "/apiaudit subscribe egde 24h at 09:00",
    "/apiaudit subscribe 24h status:5xx at 09:00",
    "/apiaudit subscribe edge 24h status:99x at 09:00",
    "/logs subscribe kitchen 20m where(/x/ at 09:00",
    "/logs subscribe",
)
ALERTS = (
    "/usage alert",
    "/usage alert help above 5 GB",
    "/usage alert nonsense above 5 GB",
    "/usage alert nonsense above 5 quux",
    "/usage alert nonsense over 5 GB",
    "/usage alert today above 5 GB every so often",
    "/usage alert last 7 dyas above 5 GB for ever",
    "/usage alert 2026-02-30 above 5 GB",
    "/usage alert rapid8-eu today bytes 5 GB",
    "/apiaudit alert egde 1h failures above 20",
    "/apiaudit alert egde 1h failures above 20 each log",
    "/apiaudit alert edge 1h failuers above 20",
    "/apiaudit alert 1h status:5xx failures above 20",
    "/apiaudit alert iot 1h code:503 failures above 20",
    "/logs alert cheese 15m lines above lots",
)


async def _refusal_and_answer(sandbox: Sandbox, line: str) -> tuple[str, str]:
    refusal = (await sandbox.slack.answer_to(line, channel="C0KITCHEN")).text
    hint = re.search(r"Try (/.*)", refusal)
    assert hint, refusal
    return hint[1], (await sandbox.slack.answer_to(hint[1], channel="C0KITCHEN")).text


@pytest.mark.parametrize("lines", [SUBSCRIPTIONS, ALERTS], ids=["subscribe", "alert"])
async def test_suggested_command_works(
    sandbox: Sandbox, clock: Clock, lines: tuple[str, ...]
) -> None:
    failed = []
    async with running(sandbox):
        for line in lines:
            hint, answer = await _refusal_and_answer(sandbox, line)
            if not re.match(r"(Subscription \d+|Alert `.*?`) created: ", answer):
                failed.append((line, hint, answer))
    assert failed == []


async def test_suggestion_contains_typed_words(sandbox: Sandbox, clock: Clock) -> None:
    async with running(sandbox):
        line = "/usage subscribe last 7 dyas at 17:30 on fridays"
        hint, _ = await _refusal_and_answer(sandbox, line)
        assert hint == "/usage subscribe last 7 days at 17:30 on fridays"
        line = "/usage alert last 7 dyas above 5 GB for 30m as pantry"
        hint, _ = await _refusal_and_answer(sandbox, line)
        assert hint.startswith("/usage alert last 7 days above 5 GB for 30m as pantry")


async def test_minute_interval_is_worded_plainly(sandbox: Sandbox, clock: Clock) -> None:
    async with running(sandbox):
        made = await sandbox.slack.answer_to(
            "/usage alert today above 500 GB every 1m repeat 1h", channel="C0KITCHEN"
        )
        assert "checked every minute." in made.text
        assert "reminder every hour" in made.text
