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
    "/logs subscribe rapid7-eu cheese 20m at 09:00",
    "/usage subscribe today at 5 and 6",
    "/usage subscribe today at 9 15",
    "/usage subscribe today at 09:00 as pdf",
    "/usage subscribe today as message at 09:00 as canvas",
    "/usage subscribe today at 09:00 on the 35th",
    "/usage subscribe today vs yesterdy at 09:00",
    "/usage subscribe yesterday every 2 days",
    "/apiaudit subscribe edge 24h failures fortnightly",
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
    "/apiaudit alert no calls last 1h",
    "/apiaudit alert edge 1h calls == 5",
    "/apiaudit alert edge 1h failures != 0",
    "/apiaudit alert edge 1h failure_percent == 0",
    "/apiaudit alert edge 1h p99 above 2s",
    "/apiaudit alert edge 1h failure rate above 5 GB",
    "/apiaudit alert edge 1h failures above 5%",
    "/apiaudit alert edge 1h calls",
    "/apiaudit alert edge 24h up 20% failures",
    "/apiaudit alert edge 1h calls below -1",
    "/apiaudit alert edge 1h change_calls above 5",
    "/apiaudit alert edge 1h no data",
    "/usage alert today size above 5 GB",
    "/usage alert today above 5.000 GB",
    "/usage alert today above 2x",
    "/usage alert today outside 5 GB",
    "/usage alert today above 5 GB recover 6 GB",
    "/usage alert today above 5 GB each actor",
    "/usage alert today above 5 GB severity high",
    "/usage alert today above 5 GB every 1s",
    "/usage alert yesterday above 80% of quota",
    "/logs alert kitchen 15m error rate above 5%",
    "/logs alert rapid7-eu cheese 15m lines above 5",
    "/logs alert kitchen lines above 9 today",
)
SILENCES = (
    "/usage silence",
    "/usage silence spike",
    "/usage silence 2h spike",
    "/usage silence spike forever",
    "/usage silence spike 900d",
    "/usage silence spike 6M",
    '/usage silence spike 2 parsecs "load test"',
    "/usage silence spyke 2h",
    "/usage unsilence",
    "/usage unsilence spyke",
)
LOG_QUESTIONS = (
    ("/logs rapid7-eu cheese 20m", "/logs rapid7-eu/kitchen 20m"),
    ("/logs rapid7-eu 20m", "/logs rapid7-eu/kitchen 20m"),
    ("/logs rapid7-eu/cheese 20m", "/logs rapid7-eu/kitchen 20m"),
    ("/logs RAPID7-EU", "/logs rapid7-eu/kitchen last 20 mins"),
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


async def test_command_suggested_for_silence_works(sandbox: Sandbox, clock: Clock) -> None:
    failed = []
    async with running(sandbox):
        await sandbox.slack.answer_to(
            "/usage alert today above 900 GB as spike", channel="C0KITCHEN"
        )
        for line in SILENCES:
            hint, answer = await _refusal_and_answer(sandbox, line)
            if not re.match(r"Alert `spike` is silenced|Alerts |.*`spike`", answer):
                failed.append((line, hint, answer))
    assert failed == []


async def test_log_of_named_account_is_suggested(sandbox: Sandbox, clock: Clock) -> None:
    async with running(sandbox):
        for line, suggested in LOG_QUESTIONS:
            hint, answer = await _refusal_and_answer(sandbox, line)
            assert hint == suggested
            assert answer.startswith("rapid7-eu/kitchen: ")


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
