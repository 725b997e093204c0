"""Forms: opened immediately by a button, prefilled, tried, rejected at the invalid input, and
saved.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from bot.app import open_bot
from bot.blocks import modals
from bot.sandbox.sandbox import Sandbox
from tests.support.alerts import (
    HURRIED,
    SPIKE,
    Meter,
    evaluate,
    messages,
    posted_texts,
    running,
    stored_rows,
)
from tests.support.clock import MovableClock as Clock
from tests.support.modals import confirmed, opened

pytestmark = pytest.mark.usefixtures("before_noon")
QUIET = {**SPIKE, "above": "50 GB", "recover": "40 GB"}


async def test_question_is_repeated_from_its_answer(sandbox: Sandbox, clock: Clock) -> None:
    async with running(sandbox, QUIET):
        answer = await sandbox.slack.answer_to("/usage rapid7-eu last 3 days")
        view = await opened(sandbox, answer, "modal.repeat")
        assert view.state({})["values"]["question"]["question"]["value"] == "rapid7-eu last 3 days"
        assert (
            "Read as `/usage rapid7-eu last 3 days`: 3 days" in view.words()
            or "Read as" in view.words()
        )
        await sandbox.slack.submit(view, time="08:30", days="mondays")
        assert sandbox.slack.modal() is None
        await confirmed(
            sandbox, "Subscription 1 created: `/usage rapid7-eu last 3 days` at 08:30 on Mondays"
        )
    assert sandbox.slack.refused == []


async def test_empty_required_field_is_marked_on_the_demo_page(
    sandbox: Sandbox, clock: Clock
) -> None:
    async with running(sandbox, QUIET), aiohttp.ClientSession() as page:
        view = await opened(sandbox, await sandbox.slack.answer_to("/logs"), "modal.question")
        asked = {"view": view.id, "do": "submit", "values": {}}
        async with page.post(f"{sandbox.slack.url}/do/view", json=asked) as answer:
            assert answer.status == 200
        shown = sandbox.slack.modal()
        assert shown is view
        assert set(view.errors) == {modals.LOG_NAMES}


async def test_alert_form_tests_and_saves(sandbox: Sandbox, clock: Clock) -> None:
    meter = Meter(sandbox)
    meter(3)
    async with running(sandbox, QUIET):
        answer = await sandbox.slack.answer_to("/usage rapid7-eu today", channel="C0KITCHEN")
        view = await opened(sandbox, answer, "modal.alert")
        meter(6)
        await sandbox.slack.press_in(view, "try.alert", threshold="5 GB")
        await sandbox.slack.until(lambda: "would have fired 91 times in 90 days" in view.words())
        assert "checked once a day, on whole days" in view.words()
        await sandbox.slack.submit(
            view, threshold="5 GB", **{"as": "pantry", "for": "10m", "repeat": "4h"}
        )
        await confirmed(
            sandbox,
            (
                "Alert `pantry` created: bytes of `/usage rapid7-eu today` above 5.00 GB, for at "
                "least 10 min, reminder every 4 h"
            ),
        )
        past = await confirmed(sandbox, "pantry would have fired 91 times in 90 days")
        assert any(block["type"] == "data_visualization" for block in past.blocks)
    [rule] = await stored_rows(sandbox, "SELECT name, channel FROM rules")
    assert rule == {"name": "pantry", "channel": "C0KITCHEN"}
    assert sandbox.slack.refused == []


@pytest.mark.parametrize(
    ("given", "block", "says"),
    [
        ({"threshold": "much"}, "threshold", "is not a threshold"),
        ({"threshold": "5 GB", "recover": "6 GB"}, "recover", "at or below the threshold"),
        ({"threshold": "5 GB", "for": "a while"}, "for", "is not a duration"),
        ({"threshold": "5 GB", "as": "-"}, "as", "A name has letters"),
        ({"threshold": "5 GB", "question": "todya"}, "question", "todya"),
        ({"threshold": "5 GB", "as": "ingest-spike"}, "as", "already"),
        ({"threshold": "5 GB", "question": "today above 4 GB"}, "question", "an alert has one"),
    ],
)
async def test_refusal_is_shown_at_its_input(
    sandbox: Sandbox, clock: Clock, given: dict[str, str], block: str, says: str
) -> None:
    async with running(sandbox, QUIET):
        answer = await sandbox.slack.answer_to("/usage rapid7-eu today")
        view = await opened(sandbox, answer, "modal.alert")
        await sandbox.slack.submit(view, **given)
        assert list(view.errors) == [block]
        assert says in view.errors[block]
        await sandbox.slack.submit(
            view,
            **{
                **given,
                "threshold": "5 GB",
                "recover": "",
                "for": "",
                "as": "",
                "question": "rapid7-eu today",
            },
        )
        assert sandbox.slack.modal() is None
        await confirmed(sandbox, "Alert `usage-1` created")


async def test_each_wrong_field_of_an_alert_is_marked(sandbox: Sandbox, clock: Clock) -> None:
    async with running(sandbox, QUIET):
        answer = await sandbox.slack.answer_to("/usage rapid7-eu today")
        view = await opened(sandbox, answer, "modal.alert")
        await sandbox.slack.submit(view, threshold="5", **{"for": "a while", "as": "-"})
        assert set(view.errors) == {"threshold", "for", "as"}
        assert "write 5 GB" in view.errors["threshold"]
        assert "nodata" not in " ".join(view.errors.values())


async def test_alert_with_spaces_can_be_deleted(sandbox: Sandbox, clock: Clock) -> None:
    async with running(sandbox, QUIET):
        answer = await sandbox.slack.answer_to("/usage rapid7-eu today")
        view = await opened(sandbox, answer, "modal.alert")
        await sandbox.slack.submit(view, threshold="5 GB", **{"as": "my alert"})
        await confirmed(sandbox, "Alert `my alert` created")
        await sandbox.slack.command("/usage unalert other thing")
        refusal = await confirmed(sandbox, "There is no alert")
        assert "my alert" in refusal.text
        await sandbox.slack.command("/usage unalert my alert")
        await confirmed(sandbox, "Alert `my alert` deleted")
    assert sandbox.slack.refused == []


async def test_only_chat_rules_can_be_edited(sandbox: Sandbox, clock: Clock) -> None:
    meter = Meter(sandbox)
    async with running(sandbox) as bot:
        await evaluate(bot, clock, meter, 6)
        await sandbox.slack.until(lambda: posted_texts(sandbox))
        # Where it cannot work it is left out, and the message says where the alert is defined.
        [root] = messages(sandbox)
        assert "alert.edit" not in str(root.blocks)
        assert "alert from bot.toml" in str(root.blocks)
        made = await sandbox.slack.answer_to(
            "/usage alert rapid7-eu today above 7 GB for 30m as pantry"
        )
        view = await opened(sandbox, made, "alert.edit")
        now = {name: next(iter(v.values())) for name, v in view.state({})["values"].items()}
        assert now["threshold"]["value"] == "7.00 GB"
        assert now["for"]["value"] == "30m"
        assert "as" not in now
        await sandbox.slack.submit(view, threshold="5.5 GB", **{"for": ""})
        await confirmed(
            sandbox,
            (
                "Alert `pantry` updated: bytes of `/usage rapid7-eu today` above 5.50 GB. Posts "
                "here; checked every 15 min."
            ),
        )
        await sandbox.slack.until(
            lambda: any(text.startswith("🔴 pantry") for text in posted_texts(sandbox))
        )
    [rule] = await stored_rows(sandbox, "SELECT rule FROM rules")
    assert json.loads(rule["rule"])["above"] == 5.5e9


@pytest.mark.parametrize(
    ("line", "action", "question"),
    [
        ("/usage alert rapid7-eu today abov 5 GB", "modal.alert", "rapid7-eu today abov 5 GB"),
        ("/apiaudit alert", "modal.alert", None),
        ("/usage subscribe rapid7-eu last 7 days", "modal.repeat", "rapid7-eu last 7 days"),
    ],
)
async def test_missing_words_open_a_form(
    sandbox: Sandbox, clock: Clock, line: str, action: str, question: str | None
) -> None:
    async with running(sandbox, QUIET):
        refusal = await sandbox.slack.answer_to(line)
        assert "Try" in refusal.text
        view = await opened(sandbox, refusal, action)
        assert view.state({})["values"]["question"]["question"]["value"] == question


async def test_silence_form_is_filled_in(sandbox: Sandbox, clock: Clock) -> None:
    async with running(sandbox, QUIET):
        refusal = await sandbox.slack.answer_to("/usage silence ingest-spike")
        assert "For how long?" in refusal.text
        view = await opened(sandbox, refusal, "modal.silence")
        assert (
            view.state({})["values"]["name"]["name"]["selected_option"]["value"] == "ingest-spike"
        )
        await sandbox.slack.submit(view, length="4h", comment='a "load" test')
        await confirmed(sandbox, "Alert `ingest-spike` is silenced until")
    [silence] = await stored_rows(sandbox, "SELECT comment FROM silences")
    assert silence["comment"] == 'a "load" test'


async def test_form_refuses_unpermitted_person(sandbox: Sandbox, clock: Clock) -> None:
    async with running(sandbox, QUIET, access={"usage": ["*"], "manage": ["U0ADA"]}):
        answer = await sandbox.slack.answer_to("/usage rapid7-eu today", user="U0LINUS")
        view = await opened(sandbox, answer, "modal.alert", user="U0LINUS")
        await sandbox.slack.press_in(view, "try.alert", threshold="5 GB")
        await sandbox.slack.until(lambda: "You don't have access to manage" in view.words())
        await sandbox.slack.submit(view, threshold="5 GB")
        assert "You don't have access to manage" in view.errors["question"]
        sandbox.slack.close(view)
        view = await opened(sandbox, answer, "modal.repeat", user="U0LINUS")
        await sandbox.slack.submit(view)
        assert "You don't have access to manage" in view.errors["question"]


async def test_form_that_does_not_open_is_reported(sandbox: Sandbox, clock: Clock) -> None:
    async with running(sandbox, QUIET):
        answer = await sandbox.slack.answer_to("/usage rapid7-eu today")
        sandbox.slack.answer_with(
            200,
            '{"ok":false,"error":"expired_trigger_id"}',
            path="views.open",
            Content_Type="application/json",
        )
        await sandbox.slack.press(answer, "modal.alert")
        await confirmed(sandbox, "The form could not be opened in time")


async def test_closed_form_is_not_updated(sandbox: Sandbox, clock: Clock) -> None:
    async with running(sandbox, QUIET):
        answer = await sandbox.slack.answer_to("/usage rapid7-eu today")
        view = await opened(sandbox, answer, "modal.alert")
        sandbox.rapid7.be_slow(0.3)
        await sandbox.slack.press_in(view, "try.alert", threshold="5 GB")
        sandbox.slack.close(view)
        clock.ahead += timedelta(seconds=1)
        await sandbox.slack.until(
            lambda: any("views.update" in text for text in sandbox.slack.refused)
        )


async def test_forms_work_over_http_too(sandbox: Sandbox, free_tcp_port: int) -> None:
    settings: Any = sandbox.settings(slack={"mode": "http", "port": free_tcp_port})
    sandbox.slack.events_url = f"http://127.0.0.1:{free_tcp_port}/slack/events"
    async with (
        open_bot(settings, sandbox.tokens("http"), pace=HURRIED, clock=sandbox.clock) as bot,
        bot.connected(),
    ):
        answer = await sandbox.slack.answer_to("/usage rapid7-eu today")
        view = await opened(sandbox, answer, "modal.alert")
        await sandbox.slack.submit(view, threshold="much")
        assert "is not a threshold" in view.errors["threshold"]
        await sandbox.slack.submit(view, threshold="5 GB")
        assert sandbox.slack.modal() is None
        await confirmed(sandbox, "Alert `usage-1` created")
