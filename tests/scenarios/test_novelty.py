"""New values in API calls: as a question in Slack and in a terminal, and in an alert."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.sandbox.sandbox import Sandbox
from tests.conftest import Run
from tests.scenarios.test_calls import cells
from tests.scenarios.test_unusual import IN_CHAT
from tests.support.alerts import evaluations, messages, posted_texts, running, thread
from tests.support.clock import MovableClock as Clock
from tests.support.messages import answer_text

pytestmark = pytest.mark.usefixtures("before_noon")

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def row(at: datetime, owner: str = "ada", ip: str = "203.0.113.7") -> dict[str, str]:
    return {
        "timestamp": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "clientOwner": owner,
        "clientId": "terraform",
        "clientIp": ip,
        "clientToken": "akab-client-token-xxx",
        "method": "GET",
        "uri": "/papi/v1/contracts",
        "responseCode": "200",
    }


def record(sandbox: Sandbox, now: datetime, *strangers: dict[str, str]) -> None:
    """Ada's calls every half hour for months, and calls of unknown people."""
    usual = [row(now - n * 30 * MINUTE) for n in range(-60, 48 * 100)]
    rows = [(datetime.fromisoformat(each["timestamp"]), each) for each in (*usual, *strangers)]
    sandbox.akamai.rows = lambda start, end: [each for at, each in rows if start <= at < end]


async def test_alert_on_new_actor_fires_once(sandbox: Sandbox, clock: Clock) -> None:
    now = clock()
    record(sandbox, now, row(now + 70 * MINUTE, "mallory"), row(now + 100 * MINUTE, "mallory"))
    async with running(sandbox, IN_CHAT) as bot:
        line = "/apiaudit alert edge last 1h new actor in 8d above 0 every 1h as stranger"
        assert "new_actors of" in await answer_text(sandbox, line)
        ends = []
        for hours in range(5):
            clock.set(now + hours * HOUR)
            ends.append((await evaluations(bot, hours + 1))[-1])
        await sandbox.slack.until(lambda: thread(sandbox))
        assert ends.count("firing") == 1
        assert ends[-1] == "inactive"
    # A process that knows nothing but what is stored agrees.
    requests = len(sandbox.akamai.requests)
    async with running(sandbox, IN_CHAT) as bot:
        clock.set(now + 5 * HOUR)
        assert (await evaluations(bot, 6))[-1] == "inactive"
        assert len(messages(sandbox)) == 1
    assert len(sandbox.akamai.requests) - requests <= 3
    assert posted_texts(sandbox)[0].startswith("✅ stranger resolved")
    assert sandbox.slack.refused == []


async def test_alert_waits_for_data_that_comes_late(sandbox: Sandbox, clock: Clock) -> None:
    now = clock()
    sandbox.akamai.data_until = lambda: clock() - 2 * HOUR
    record(sandbox, now, row(now - 70 * MINUTE, "mallory"))
    async with running(sandbox, IN_CHAT) as bot:
        await answer_text(
            sandbox, "/apiaudit alert edge last 1h new actor in 7d above 0 every 1h as stranger"
        )
        assert (await evaluations(bot, 1))[-1] == "inactive"
        clock.set(now + HOUR)
        assert (await evaluations(bot, 2))[-1] == "firing"
        fired = (await sandbox.slack.until(lambda: posted_texts(sandbox)))[0]
        assert fired.startswith("🔴 stranger: new_actors at 1")
        clock.set(now + 3 * HOUR)
        assert (await evaluations(bot, 3))[-1] == "inactive"


async def test_new_addresses_are_listed(sandbox: Sandbox, clock: Clock) -> None:
    now = clock()
    hostile = "<!channel> `rm`"
    record(sandbox, now, row(now - HOUR, "ada", "198.51.100.4"), row(now - HOUR, hostile))
    async with running(sandbox, IN_CHAT):
        answer = await sandbox.slack.answer_to("/apiaudit edge 24h new ip, actor in 14d")
        asked = len(sandbox.akamai.requests)
        assert cells(answer, "New IP addresses", "IP address") == ["198.51.100.4"]
        assert cells(answer, "New IP addresses", "First by") == ["ada"]
        assert (
            "New IP addresses, not seen in the 14 days before: 198.51.100.4 (1 call" in answer.text
        )
        assert "<!channel>" not in answer.text
        assert "Akamai does not record calls whose login failed." in answer.text
        # The days are known now, also to an answer that was not asked what is new.
        again = await sandbox.slack.answer_to("/apiaudit edge 24h")
        assert "1 IP address not seen in the 30 days before (compared with 14 of 30" in again.text
        assert len(sandbox.akamai.requests) == asked + 1
    assert sandbox.slack.refused == []


async def test_terminal_and_backtest_know_what_is_new(sandbox: Sandbox, run_cli: Run) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    found = row(now - 3 * DAY, "ada", "198.51.100.4")
    record(sandbox, now, found, row(now - 3 * DAY + HOUR, "ada", "198.51.100.4"))
    ran = await run_cli("ask", "/apiaudit edge 7d new ip", "--json")
    assert ran.code == 0, ran
    values = ran.json["values"]
    assert (values["new_ips"], values["new_actors"]) == (1, 0)
    rule = {
        "name": "stranger",
        "ask": "/apiaudit edge last 1h",
        "value": "new_ips",
        "above": 0,
        "every": "15m",
        "channel": "#ops",
    }
    table = {**sandbox.table(), "alert": [rule]}
    ran = await run_cli("backtest", "stranger", "--json", "--days", "20", table=table)
    assert ran.code == 0, ran
    [firing] = ran.json["firings"]
    assert abs(datetime.fromisoformat(firing["start"]) - (now - 3 * DAY)) <= 15 * MINUTE
    assert firing["peak"] == 1
