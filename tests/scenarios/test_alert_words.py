"""Alerts that are created, listed, silenced and deleted with words in a channel."""

from __future__ import annotations

import pytest

from bot.sandbox.sandbox import Sandbox
from tests.support.alerts import (
    SPIKE,
    Meter,
    evaluate,
    evaluated,
    evaluations,
    messages,
    posted_texts,
    running,
    stored_rows,
    thread,
)
from tests.support.clock import MovableClock as Clock
from tests.support.messages import answer_text, button_elements

pytestmark = pytest.mark.usefixtures("before_noon")


async def test_chat_alert_is_created_evaluated_and_deleted(sandbox: Sandbox, clock: Clock) -> None:
    meter = Meter(sandbox)
    meter(6)
    async with running(sandbox, {**SPIKE, "above": "50 GB", "recover": "40 GB"}) as bot:
        await evaluated(bot, clock)
        answer = await sandbox.slack.answer_to(
            "/usage alert rapid7-eu today above 5 GB every 15m for 30m repeat 4h",
            channel="C0KITCHEN",
        )
        assert answer.seen_by == "U0ADA"
        assert answer.text.startswith(
            "Alert `usage-1` created: bytes of `/usage rapid7-eu today` above 5.00 GB, for at "
            "least 30 min, reminder every 4 h"
        )
        assert "Delete it with `/usage unalert usage-1`" in answer.text
        await evaluations(bot, 2)
        listed = await answer_text(sandbox, "/usage alerts", channel="C0KITCHEN")
        assert "`usage-1` pending since" in listed
        assert "`ingest-spike` OK (6.00 GB): bytes of" in listed
        assert "from bot.toml, posts in #ops" in listed
        assert "usage-1" not in await answer_text(sandbox, "/usage alerts")
        assert "belongs to another channel" in await answer_text(sandbox, "/usage unalert usage-1")
        assert "Alert `usage-1` deleted" in await answer_text(
            sandbox, "/usage unalert USAGE-1", channel="C0KITCHEN"
        )
        assert "There is no alert “usage-1”" in await answer_text(
            sandbox, "/usage unalert usage-1", channel="C0KITCHEN"
        )
        assert "created: " in await answer_text(
            sandbox, "/usage alert rapid7-eu today above 7 GB", channel="C0KITCHEN"
        )
    rules = await stored_rows(sandbox, 'SELECT name, "user", ended_by FROM rules')
    assert [(r["name"], r["user"], r["ended_by"]) for r in rules] == [
        ("usage-1", "U0ADA", "U0ADA"),
        ("usage-2", "U0ADA", None),
    ]


async def test_chat_alert_survives_restart(sandbox: Sandbox, clock: Clock) -> None:
    meter = Meter(sandbox)
    async with running(sandbox, {**SPIKE, "above": "50 GB", "recover": "40 GB"}) as bot:
        await answer_text(
            sandbox, "/usage alert rapid7-eu today above 5 GB as pantry", channel="C0KITCHEN"
        )
        await evaluations(bot, 1)
    meter(6)
    clock.strike(15)
    async with running(sandbox, {**SPIKE, "above": "50 GB", "recover": "40 GB"}):
        await sandbox.slack.until(lambda: posted_texts(sandbox, "C0KITCHEN"))
    [root] = messages(sandbox, "C0KITCHEN")
    assert root.text.startswith("🔴 pantry: bytes at 6.00 GB, above 5.00 GB")
    assert "alert from this channel, created" in str(root.blocks)
    assert "<@" not in str(root.blocks)


async def test_silence_is_listed_and_ended_early(sandbox: Sandbox, clock: Clock) -> None:
    meter = Meter(sandbox)
    async with running(sandbox) as bot:
        await evaluate(bot, clock, meter, 6)
        await sandbox.slack.until(lambda: posted_texts(sandbox))
        answer = await answer_text(sandbox, "/usage silence ingest-spike 2h “planned load test”")
        assert "silenced until" in answer and "(planned load test)" in answer
        await sandbox.slack.until(lambda: thread(sandbox))
        assert "silenced until" in await answer_text(sandbox, "/usage alerts")
        listed = [m for m in sandbox.slack.messages if m.text.startswith("Alerts (")][-1]
        assert "(planned load test), by <@U0ADA>" in str(listed.blocks)
        assert "is no longer silenced" in await answer_text(
            sandbox, "/usage unsilence ingest-spike"
        )
        await sandbox.slack.until(lambda: len(thread(sandbox)) == 2)
        assert "is not silenced" in await answer_text(sandbox, "/usage unsilence ingest-spike")
    assert thread(sandbox)[1].startswith("The silence is over.")
    [silence] = await stored_rows(sandbox, "SELECT * FROM silences")
    assert (silence["comment"], silence["ended_by"]) == ("planned load test", "U0ADA")


async def test_alert_is_acknowledged_from_words(sandbox: Sandbox, clock: Clock) -> None:
    meter = Meter(sandbox)
    rule = {**SPIKE, "runbook": "https://wiki.example.com/ingest"}
    async with running(sandbox, rule) as bot:
        early = await answer_text(sandbox, "/usage ack ingest-spike")
        assert "there is nothing to acknowledge" in early
        await evaluate(bot, clock, meter, 6)
        await sandbox.slack.until(lambda: posted_texts(sandbox))
        assert "acknowledged. No reminders" in await answer_text(
            sandbox, "/usage acknowledge ingest-spike"
        )
        await sandbox.slack.until(lambda: thread(sandbox))
        assert thread(sandbox)[0].startswith("Acknowledged by Ada.")
        again = await answer_text(sandbox, "/usage ack ingest-spike")
        assert "is acknowledged already, by Ada" in again
        whole = await answer_text(sandbox, "/usage alerts ingest-spike")
        for words in ("firing since", "acknowledged by Ada", "above 5.00 GB", "Checked every"):
            assert words in whole
        listed = await answer_text(sandbox, "/usage alerts")
        assert "acknowledged by Ada" in listed
        assert "runbook https://wiki.example.com/ingest" in listed
        assert "did you mean ingest-spike?" in await answer_text(
            sandbox, "/usage alerts ingest-spik"
        )


async def test_alert_on_account_in_place_of_log_is_refused(sandbox: Sandbox) -> None:
    async with running(sandbox):
        answer = await answer_text(sandbox, "/logs alert rapid7-eu 20m lines above 5")
        assert "“rapid7-eu” is an account; name one of its logs, too." in answer
        assert "/logs alert rapid7-eu/" in answer and "20m lines above 5" in answer


async def test_commands_accept_alert_names_with_spaces(sandbox: Sandbox, clock: Clock) -> None:
    async with running(sandbox, {**SPIKE, "name": "ingest spike"}):
        answer = await answer_text(sandbox, '/usage silence "ingest spike" 2h')
        assert '`/usage unsilence "ingest spike"`' in answer
        assert "is no longer silenced" in await answer_text(
            sandbox, '/usage unsilence "ingest spike"'
        )
        assert '/usage silence "ingest spike" 4h' in await answer_text(
            sandbox, '/usage unalert "ingest spike"'
        )


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("/usage alert today abov 5 GB", "When does it fire?"),
        ("/usage alert todya above 5 GB", "/usage alert today above 5 GB every 15m"),
        ("/usage alert help above 5 GB", "An alert cannot check"),
        ("/apiaudit alert edge 1h failurs above 5", "Or did you mean the value failures?"),
        (
            "/usage alert today above 5 GB as ingest-spike",
            "There is already an alert `ingest-spike`",
        ),
        ("/usage unalert ingest-spike", "comes from bot.toml and is deleted there"),
        ("/usage silence ingest-spyke 2h", "did you mean ingest-spike?"),
        ("/usage unsilence ingest-spike", "is not silenced"),
    ],
)
async def test_refused_command_lists_alternatives(
    sandbox: Sandbox, clock: Clock, line: str, says: str
) -> None:
    async with running(sandbox):
        assert says in await answer_text(sandbox, line)


@pytest.mark.parametrize("how", ["unalert", "edit"])
async def test_deleted_rule_leaves_no_firing_message(
    sandbox: Sandbox, clock: Clock, how: str
) -> None:
    Meter(sandbox)(6)
    async with running(sandbox, {**SPIKE, "above": "50 GB", "recover": "40 GB"}):
        made = await sandbox.slack.answer_to(
            "/usage alert rapid7-eu today above 5 GB as pantry", channel="C0KITCHEN"
        )
        await sandbox.slack.until(lambda: posted_texts(sandbox, "C0KITCHEN"))
        if how == "unalert":
            await answer_text(sandbox, "/usage unalert pantry", channel="C0KITCHEN")
        else:
            await sandbox.slack.press(made, "alert.edit")
            view = await sandbox.slack.until(sandbox.slack.modal)
            await sandbox.slack.submit(view, threshold="9 GB")
        await sandbox.slack.until(
            lambda: posted_texts(sandbox, "C0KITCHEN")[0].startswith("⚫ pantry: alert ")
        )
    [root] = messages(sandbox, "C0KITCHEN")
    assert "resolved" not in root.text + str(root.blocks)


async def test_removed_rule_leaves_no_firing_message(sandbox: Sandbox, clock: Clock) -> None:
    Meter(sandbox)(6)
    async with running(sandbox):
        clock.strike(15)
        await sandbox.slack.until(lambda: posted_texts(sandbox))
    async with running(sandbox, {**SPIKE, "name": "another", "above": "50 GB", "recover": "40 GB"}):
        await sandbox.slack.until(
            lambda: posted_texts(sandbox)[0].startswith("⚫ ingest-spike: alert deleted")
        )
    clock.strike(15)
    async with running(sandbox) as bot:
        await sandbox.slack.until(lambda: len(posted_texts(sandbox)) == 2)
        await evaluations(bot, 2)


async def test_alert_that_widens_access_is_mentioned(sandbox: Sandbox, clock: Clock) -> None:
    warning = "Everybody in this channel will see it, including people without access to /apiaudit."
    async with running(sandbox):
        assert warning in await answer_text(
            sandbox, "/apiaudit alert edge 1h failures above 500", channel="C0KITCHEN"
        )
        assert warning in await answer_text(
            sandbox, "/apiaudit subscribe edge 24h at 09:00", channel="C0KITCHEN"
        )
        assert "will see it" not in await answer_text(
            sandbox, "/usage alert today above 500 GB", channel="C0KITCHEN"
        )


async def test_managing_needs_permission(sandbox: Sandbox, clock: Clock) -> None:
    async with running(
        sandbox, access={"usage": ["*"], "apiaudit": ["U0ADA"], "manage": ["U0ADA"]}
    ):
        for line in ("alert today above 5 GB", "silence ingest-spike 2h"):
            assert "You don't have access to manage" in await answer_text(
                sandbox, f"/usage {line}", user="U0LINUS"
            )
        assert "ingest-spike" in await answer_text(sandbox, "/usage alerts", user="U0LINUS")
        assert "You don't have access to" in await answer_text(
            sandbox, "/apiaudit alert edge 1h failures above 5", user="U0LINUS"
        )


async def test_alert_is_changed_by_words(sandbox: Sandbox, clock: Clock) -> None:
    meter = Meter(sandbox)
    meter(6)
    async with running(sandbox, {**SPIKE, "above": "50 GB", "recover": "40 GB"}) as bot:
        await answer_text(
            sandbox,
            '/usage alert rapid7-eu today above 50 GB every 15m as "my pantry"',
            user="U0GRACE",
        )
        await evaluated(bot, clock)
        text = await answer_text(sandbox, "/usage edit my pantry above 60 GB for 10m")
        assert "60.0 GB, for at least 10 min" in text
        await sandbox.slack.until(
            lambda: any(
                "`my pantry` was changed: threshold above 50.0 GB → above 60.0 GB, for none" in each
                for each in posted_texts(sandbox)
            )
        )
        text = await answer_text(sandbox, "/usage alert edit my pantry every 5m")
        assert "above 60.0 GB, for at least 10 min" in text
        assert "comes from bot.toml" in await answer_text(
            sandbox, "/usage edit ingest-spike above 6 GB"
        )
        refused = await answer_text(sandbox, "/usage edit my pantry above 6 parsecs")
        assert "is not an option" in refused
        assert "There is no alert" in await answer_text(sandbox, "/usage edit nothing above 6 GB")


async def test_other_words_silence_and_list(sandbox: Sandbox, clock: Clock) -> None:
    meter = Meter(sandbox)
    meter(6)
    async with running(sandbox, SPIKE) as bot:
        await evaluated(bot, clock)
        assert "is silenced until" in await answer_text(
            sandbox, "/usage snooze ingest-spike 2h planned"
        )
        assert "ingest-spike" in await answer_text(sandbox, "/usage alerts silenced")
        assert "no longer silenced" in await answer_text(sandbox, "/usage resume ingest-spike")
        assert "No alerts are listed for `silenced`" in await answer_text(
            sandbox, "/usage alerts silenced"
        )
        assert "ingest-spike" in await answer_text(sandbox, "/usage alerts all firing")
        refused = await answer_text(sandbox, "/usage alerts firng")
        assert "no alert “firng”" in refused
        assert "/usage alerts firing" in refused


async def test_list_has_pages_with_buttons(sandbox: Sandbox, clock: Clock) -> None:
    meter = Meter(sandbox)
    meter(6)
    async with running(sandbox, SPIKE) as bot:
        await evaluated(bot, clock)
        for number in range(16):
            await answer_text(
                sandbox, f"/usage alert today above {number + 50} GB as pantry-{number}"
            )
        first = await sandbox.slack.answer_to("/usage alerts")
        assert len(first.blocks) <= 50
        assert "Page 1 of 2" in first.text
        buttons = [each["text"]["text"] for each in button_elements(first)]
        assert buttons[:5] == [
            "Acknowledge",
            "Silence 1 h",
            "Silence 4 h",
            "Silence until 09:00",
            "Show",
        ]
        assert buttons[-1] == "Next page"
        assert "pantry-15" not in first.text
        second = await answer_text(sandbox, "/usage alerts page 2")
        assert "pantry-15" in second
        assert "ingest-spike" not in second
