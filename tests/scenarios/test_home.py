"""App Home: the state of alerts and accounts, what is scheduled next, and what a person may ask."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest

from bot.blocks import limits
from bot.blocks.home import HomeAlert, HomeFacts, Upcoming, home_blocks
from bot.blocks.messages import ListLine
from bot.sandbox import block_kit_schema
from bot.sandbox.sandbox import Sandbox
from providers.models import AccountStatus, RemainingQuota
from tests.bot.test_question import HOUSE, NOW
from tests.scenarios.test_targets import settled
from tests.support.alerts import SPIKE, Meter, evaluate, messages, posted_texts, running, thread
from tests.support.clock import MovableClock as Clock

pytestmark = pytest.mark.usefixtures("before_noon")
DAILY = {
    "name": "daily",
    "ask": "/usage rapid7-eu last 7 days",
    "at": "0 9 * * *",
    "channel": "#ops",
}
FINE = {**SPIKE, "name": "fine", "above": "90 GB", "recover": "80 GB"}


async def home_of(sandbox: Sandbox, user: str = "U0ADA") -> str:
    sandbox.slack.homes.pop(user, None)
    await sandbox.slack.open_home(user)
    blocks = await sandbox.slack.until(lambda: sandbox.slack.homes.get(user))
    assert limits.block_problems(blocks, most=100) == []
    return json.dumps(blocks, ensure_ascii=False)


async def test_home_lists_questions_saved_by_one_name_in_two_channels(sandbox: Sandbox) -> None:
    async with running(sandbox):
        for days, channel in (("3", "C0KITCHEN"), ("5", "C0OPS")):
            line = f"/usage save last {days} days as morning"
            await sandbox.slack.answer_to(line, channel=channel)
        home = await home_of(sandbox)
    assert "`/usage morning` in <#C0KITCHEN> asks `/usage last 3 days`" in home
    assert "`/usage morning` in <#C0OPS> asks `/usage last 5 days`" in home


async def test_home_lists_alerts_accounts_digests_and_questions(
    sandbox: Sandbox, clock: Clock
) -> None:
    meter = Meter(sandbox)
    async with running(sandbox, SPIKE, FINE, digest=[DAILY]) as bot:
        await evaluate(bot, clock, meter, 6)
        await sandbox.slack.answer_to("/usage subscribe last 5 days at 08:30", channel="C0KITCHEN")
        await sandbox.slack.answer_to("/usage last 3 days")
        sandbox.devicewise.answer_with(503, times=9)
        await sandbox.slack.answer_to("/apiaudit iot 2h")
        await sandbox.slack.answer_to("/usage silence ingest-spike 2h planned")
        await asyncio.sleep(0.1)
        home = await home_of(sandbox)
    for words in (
        "`ingest-spike` firing since", "silenced until", "(planned), by <@U0ADA>", "🟢 1 alert OK", "`rapid7-eu` Rapid7 · 🟢 answered <!date^",
        "usage requests left", "`iot` deviceWISE · 🔴 failed 1 time in a row", "`edge` Akamai · ⚪ no requests since the bot started",
        "Next digests", "`/usage last 5 days` in <#C0KITCHEN>", "`/usage rapid7-eu last 7 days` in `#ops`", "`/usage last 3 days`",
    ):  # fmt: skip
        assert words in home, words


async def test_home_shows_only_what_i_may_ask(sandbox: Sandbox, clock: Clock) -> None:
    audit = {
        **SPIKE,
        "name": "failing",
        "ask": "/apiaudit edge last 1h",
        "value": "failures",
        "above": 0,
        "recover": 0,
    }
    async with running(sandbox, audit) as bot:
        await evaluate(bot, clock, Meter(sandbox), 1)
        assert "failing" in await home_of(sandbox)
        linus = await home_of(sandbox, "U0LINUS")
    assert "failing" not in linus
    assert "You don't have access to `/apiaudit` here" in linus


async def test_home_offers_only_questions_that_may_be_asked_there(
    sandbox: Sandbox, clock: Clock
) -> None:
    """The permission to ask for logs belongs to the channel."""
    async with running(sandbox, SPIKE) as bot:
        answer = await sandbox.slack.answer_to("/logs kitchen 20m", user="U0LINUS")
        assert "lines" in answer.text
        await sandbox.slack.answer_to("/usage last 3 days", user="U0LINUS")
        await asyncio.gather(*bot.requests.running.tasks)
        linus = await home_of(sandbox, "U0LINUS")
    assert "`/usage last 3 days`" in linus
    assert "/logs kitchen 20m" not in linus


async def test_home_shows_account_states_as_they_arrive(sandbox: Sandbox, clock: Clock) -> None:
    async with running(sandbox):
        assert "Check now" in await home_of(sandbox)
        sandbox.rapid7.answer_with(401, times=1)
        sandbox.devicewise.be_slow(600, times=1)
        await sandbox.slack.press_at_home("home.check")
        await sandbox.slack.press_at_home("home.check")
        home = await sandbox.slack.until(
            lambda: _home_with(sandbox, "🔴 rapid7-eu did not accept the key (HTTP 401).")
        )
        assert "`iot` deviceWISE · ⏳ checking…" in home
        assert "🟢 Akamai offers" in home
        sandbox.devicewise.answer_at_once()
        await sandbox.slack.until(lambda: _home_with(sandbox, "🟢 deviceWISE answers as"))
    assert len(sandbox.devicewise.requests) == 2, (
        "one session, one question, however often it is pressed"
    )


async def test_home_checks_only_permitted_accounts(sandbox: Sandbox, clock: Clock) -> None:
    async with running(sandbox):
        await home_of(sandbox, "U0LINUS")
        await sandbox.slack.press_at_home("home.check", user="U0LINUS")
        home = await sandbox.slack.until(
            lambda: _home_with(sandbox, "🟢 Rapid7 answers", "U0LINUS")
        )
    assert "edge" not in home and "iot" not in home
    assert sandbox.akamai.requests == []


def _home_with(sandbox: Sandbox, words: str, user: str = "U0ADA") -> str:
    home = json.dumps(sandbox.slack.homes[user], ensure_ascii=False)
    return home if words in home else ""


async def test_question_from_home_is_answered_by_dm(sandbox: Sandbox, clock: Clock) -> None:
    async with running(sandbox, FINE):
        await home_of(sandbox, "U0LINUS")
        await sandbox.slack.press_at_home("/usage last 7 days", user="U0LINUS")
        answer = await sandbox.slack.until(
            lambda: next((m for m in sandbox.slack.messages if "in 7 days" in m.text), None)
        )
        assert answer.channel == "D0LINUS"
        sandbox.rapid7.answer_with(401, times=9)
        await sandbox.slack.press_at_home("/usage last 7 days", user="U0LINUS")
        trouble = await sandbox.slack.until(
            lambda: next((m for m in sandbox.slack.messages if "did not accept" in m.text), None)
        )
        assert trouble.channel == "D0LINUS"


def test_home_counts_no_alerts_that_are_not_there() -> None:
    alerts = [HomeAlert(ListLine("🔴 `spike` firing"), "spike")]
    facts = HomeFacts(
        allowed=["usage"], directory=HOUSE, conditions=[], alerts=alerts, ok=0,
        evaluated_at=NOW, upcoming=[], recent=[], now=NOW,
    )  # fmt: skip
    shown = str(home_blocks(facts))
    assert "Last check <!date^" in shown
    assert "0 alerts" not in shown


def test_full_home_is_within_slack_limits() -> None:
    facts = HomeFacts(
        allowed=["usage", "apiaudit", "logs"],
        directory=HOUSE,
        conditions=[
            AccountStatus(
                "rapid7-eu", "failed 3 times in a row", None, (RemainingQuota("downloads", 3, 150),)
            )
        ]
        * 40,
        alerts=[
            HomeAlert(
                ListLine(
                    f"🔴 `alert-{n}` firing since 25 Nov 12:00: bytes of `/usage today` above 5 GB",
                    "U0ADA",
                ),
                f"alert-{n}",
                "https://example.slack.com/archives/C0OPS/p1",
                may_acknowledge=True,
                may_silence=True,
            )
            for n in range(60)
        ],
        ok=3,
        evaluated_at=NOW,
        upcoming=[
            Upcoming(NOW + timedelta(hours=n), "/usage last 7 days", "C0OPS") for n in range(50)
        ],
        recent=["/usage " + "x" * 1900] * 5,
        now=NOW,
    )
    blocks = home_blocks(facts)
    assert (
        block_kit_schema.complaints(blocks, most=100)
        == limits.block_problems(blocks, most=100)
        == []
    )
    assert "… and 50 more" in str(blocks) and "… and 20 more" in str(blocks)
    assert "3 of 150 downloads left" in str(blocks)


def labels_of(home: list[dict[str, Any]]) -> list[str]:
    """The buttons under the alerts of a Home."""
    rows = [block["elements"] for block in home if block["type"] == "actions"]
    return [button["text"]["text"] for row in rows for button in row]


SILENCES = ["Silence 1 h", "Silence 4 h", "Silence until 09:00"]


async def pressed_at_home(sandbox: Sandbox, action: str) -> list[dict[str, Any]]:
    """The Home view after a press of the alert's button."""
    before = sandbox.slack.homes["U0ADA"]
    await sandbox.slack.press_at_home("ingest-spike", action=action)
    await sandbox.slack.until(lambda: sandbox.slack.homes["U0ADA"] is not before)
    return sandbox.slack.homes["U0ADA"]


async def test_home_acknowledges_silences_and_unsilences(sandbox: Sandbox, clock: Clock) -> None:
    async with running(sandbox, SPIKE) as bot:
        await evaluate(bot, clock, Meter(sandbox), 6)
        await settled(bot)
        await home_of(sandbox)
        assert labels_of(sandbox.slack.homes["U0ADA"]) == ["Acknowledge", *SILENCES, "Open message"]
        for action, line, buttons in (
            ("alert.acknowledge", "🟠 `ingest-spike` firing since", SILENCES),
            ("alert.silence.1h", "; silenced until", ["Unsilence"]),
            ("alert.unsilence", ", acknowledged by Ada: bytes of", SILENCES),
        ):
            home = await pressed_at_home(sandbox, action)
            assert line in json.dumps(home, ensure_ascii=False)
            assert labels_of(home) == [*buttons, "Open message"]
        assert "silenced" not in json.dumps(home)
        await settled(bot)
        [root] = messages(sandbox)
        assert "Acknowledged by Ada" in " ".join(thread(sandbox))
    assert [m for m in sandbox.slack.messages if m.channel == "D0ADA"] == []
    assert root.text.startswith("🟠 ingest-spike")


async def test_home_links_to_message_of_alert(sandbox: Sandbox, clock: Clock) -> None:
    async with running(sandbox, SPIKE) as bot:
        await evaluate(bot, clock, Meter(sandbox), 6)
        await settled(bot)
        await home_of(sandbox)
        [row] = [block for block in sandbox.slack.homes["U0ADA"] if block["type"] == "actions"]
        [root] = messages(sandbox)
        assert row["elements"][-1]["url"].endswith(f"/archives/C0OPS/p{root.ts.replace('.', '')}")


async def test_home_without_permalink_shows_alert(sandbox: Sandbox, clock: Clock) -> None:
    async with running(sandbox, SPIKE) as bot:
        await evaluate(bot, clock, Meter(sandbox), 6)
        await sandbox.slack.until(lambda: posted_texts(sandbox))
        sandbox.slack.refuse("chat.getPermalink", "message_not_found")
        assert "`ingest-spike` firing since" in await home_of(sandbox)
        assert labels_of(sandbox.slack.homes["U0ADA"]) == ["Acknowledge", *SILENCES]


async def test_home_of_reader_has_no_alert_buttons(sandbox: Sandbox, clock: Clock) -> None:
    async with running(sandbox, SPIKE, access={"usage": ["*"], "manage": ["U0ADA"]}) as bot:
        await evaluate(bot, clock, Meter(sandbox), 6)
        await settled(bot)
        assert "`ingest-spike` firing since" in await home_of(sandbox, "U0LINUS")
        assert labels_of(sandbox.slack.homes["U0LINUS"]) == ["Open message"]


@pytest.mark.parametrize(
    ("line", "dot"),
    [
        ("", "🔴"),
        ("/usage silence ingest-spike 2h", "🟠"),
    ],
    ids=["firing", "silenced"],
)
async def test_alert_looks_the_same_everywhere(
    sandbox: Sandbox, clock: Clock, line: str, dot: str
) -> None:
    async with running(sandbox, SPIKE) as bot:
        await evaluate(bot, clock, Meter(sandbox), 6)
        await sandbox.slack.until(lambda: posted_texts(sandbox))
        if line:
            await sandbox.slack.answer_to(line)
        listed = await sandbox.slack.answer_to("/usage alerts")
        home = await home_of(sandbox)
        await sandbox.slack.until(
            lambda: posted_texts(sandbox)[0].startswith(f"{dot} ingest-spike: ")
        )
    assert f"{dot} `ingest-spike` firing since" in listed.text
    assert f"{dot} `ingest-spike` firing since" in home


async def test_recent_question_shows_its_signs(sandbox: Sandbox, clock: Clock) -> None:
    async with running(sandbox):
        await sandbox.slack.answer_to("/logs kitchen 2h where(status>=500) count")
        home = await home_of(sandbox)
        assert "where(status&gt;=500) count" in home
        assert "&amp;" not in home


async def test_one_vendor_shows_its_commands_alone(sandbox: Sandbox) -> None:
    accounts = sandbox.table()["providers"]
    async with running(sandbox, providers={"rapid7-eu": accounts["rapid7-eu"]}):
        home = await home_of(sandbox)
        await sandbox.slack.say("@Opswatch")
        shown = await sandbox.slack.until(
            lambda: [m.text for m in sandbox.slack.messages if "Ask about usage" in m.text]
        )
    assert "No account is configured for `/apiaudit` yet." in home
    assert home.count("/apiaudit") == 1
    assert "/usage" in shown[0] and "/logs" in shown[0] and "/apiaudit" not in shown[0]
