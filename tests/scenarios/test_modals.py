"""Forms: opened by a button at once, filled from what it belongs to, tried, refused at the input
that is wrong, and saved.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from bot.app import open_bot
from bot.blocks import limits, modals
from bot.sandbox.slack import Message, View
from bot.sandbox.world import Sandbox
from tests.scenarios.test_alerts import SPIKE, Meter, kept, look, messages, running, told
from tests.scenarios.test_digests import HURRIED
from tests.support.clock import MovableClock as Clock

pytestmark = pytest.mark.usefixtures("before_noon")
QUIET = {**SPIKE, "above": "50 GB", "recover": "40 GB"}


async def opened(world: Sandbox, message: Message, action: str, *, user: str = "U0ADA") -> View:
    await world.slack.press(message, action, user=user)
    view: View = await world.slack.until(lambda: world.slack.modal(user))
    assert limits.view_problems(view.view) == []
    return view


async def confirmed(world: Sandbox, says: str) -> Message:
    found: Message = await world.slack.until(
        lambda: next((m for m in world.slack.messages if says in m.text and m.seen_by), None)
    )
    return found


async def test_question_is_repeated_from_its_answer(world: Sandbox, clock: Clock) -> None:
    async with running(world, QUIET):
        answer = await world.slack.answer_to("/usage rapid7-eu last 3 days")
        view = await opened(world, answer, "modal.repeat")
        assert view.state({})["values"]["question"]["question"]["value"] == "rapid7-eu last 3 days"
        assert (
            "Read as `/usage rapid7-eu last 3 days`: 3 days" in view.words()
            or "Read as" in view.words()
        )
        await world.slack.submit(view, time="08:30", days="mondays")
        assert world.slack.modal() is None
        await confirmed(
            world, "Subscription 1 created: `/usage rapid7-eu last 3 days` at 08:30 on Mondays"
        )
    assert world.slack.refused == []


async def test_empty_required_field_is_marked_on_the_demo_page(
    world: Sandbox, clock: Clock
) -> None:
    async with running(world, QUIET), aiohttp.ClientSession() as page:
        view = await opened(world, await world.slack.answer_to("/logs"), "modal.question")
        asked = {"view": view.id, "do": "submit", "values": {}}
        async with page.post(f"{world.slack.url}/do/view", json=asked) as answer:
            assert answer.status == 200
        shown = world.slack.modal()
        assert shown is view
        assert set(view.errors) == {modals.LOG_NAMES}


async def test_alert_form_tests_and_saves(world: Sandbox, clock: Clock) -> None:
    meter = Meter(world)
    meter(3)
    async with running(world, QUIET):
        answer = await world.slack.answer_to("/usage rapid7-eu today", channel="C0KITCHEN")
        view = await opened(world, answer, "modal.alert")
        meter(6)
        await world.slack.press_in(view, "try.alert", threshold="5 GB")
        await world.slack.until(lambda: "would have fired 91 times in 90 days" in view.words())
        assert "checked once a day, on whole days" in view.words()
        await world.slack.submit(
            view, threshold="5 GB", **{"as": "pantry", "for": "10m", "repeat": "4h"}
        )
        await confirmed(
            world,
            (
                "Alert `pantry` created: bytes of `/usage rapid7-eu today` above 5.00 GB, for at "
                "least 10 min, reminder every 4 h"
            ),
        )
        past = await confirmed(world, "pantry would have fired 91 times in 90 days")
        assert any(block["type"] == "data_visualization" for block in past.blocks)
    [rule] = await kept(world, "SELECT name, channel FROM rules")
    assert rule == {"name": "pantry", "channel": "C0KITCHEN"}
    assert world.slack.refused == []


@pytest.mark.parametrize(
    ("given", "block", "says"),
    [
        ({"threshold": "much"}, "threshold", "is not a threshold"),
        ({"threshold": "5 GB", "recover": "6 GB"}, "recover", "at or below the threshold"),
        ({"threshold": "5 GB", "for": "a while"}, "for", "is not a duration"),
        ({"threshold": "5 GB", "as": "-"}, "as", "A name has letters"),
        ({"threshold": "5 GB", "question": "todya"}, "question", "todya"),
        ({"threshold": "5 GB", "as": "ingest-spike"}, "as", "already"),
        ({"threshold": "5 GB", "question": "today above 4 GB"}, "question", "above"),
    ],
)
async def test_refusal_is_shown_at_its_input(
    world: Sandbox, clock: Clock, given: dict[str, str], block: str, says: str
) -> None:
    async with running(world, QUIET):
        answer = await world.slack.answer_to("/usage rapid7-eu today")
        view = await opened(world, answer, "modal.alert")
        await world.slack.submit(view, **given)
        assert list(view.errors) == [block]
        assert says in view.errors[block]
        await world.slack.submit(
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
        assert world.slack.modal() is None
        await confirmed(world, "Alert `usage-1` created")


async def test_each_wrong_field_of_an_alert_is_marked(world: Sandbox, clock: Clock) -> None:
    async with running(world, QUIET):
        answer = await world.slack.answer_to("/usage rapid7-eu today")
        view = await opened(world, answer, "modal.alert")
        await world.slack.submit(view, threshold="5", **{"for": "a while", "as": "-"})
        assert set(view.errors) == {"threshold", "for", "as"}
        assert "write 5 GB" in view.errors["threshold"]
        assert "nodata" not in " ".join(view.errors.values())


async def test_alert_with_spaces_can_be_deleted(world: Sandbox, clock: Clock) -> None:
    async with running(world, QUIET):
        answer = await world.slack.answer_to("/usage rapid7-eu today")
        view = await opened(world, answer, "modal.alert")
        await world.slack.submit(view, threshold="5 GB", **{"as": "my alert"})
        await confirmed(world, "Alert `my alert` created")
        await world.slack.command("/usage unalert other thing")
        refusal = await confirmed(world, "There is no alert")
        assert "my alert" in refusal.text
        await world.slack.command("/usage unalert my alert")
        await confirmed(world, "Alert `my alert` deleted")
    assert world.slack.refused == []


async def test_only_chat_rules_can_be_edited(world: Sandbox, clock: Clock) -> None:
    meter = Meter(world)
    async with running(world) as bot:
        await look(bot, clock, meter, 6)
        await world.slack.until(lambda: told(world))
        await world.slack.press(messages(world)[0], "alert.edit")
        await confirmed(world, "Alert `ingest-spike` comes from bot.toml and is edited there")
        made = await world.slack.answer_to(
            "/usage alert rapid7-eu today above 7 GB for 30m as pantry"
        )
        view = await opened(world, made, "alert.edit")
        now = {name: next(iter(v.values())) for name, v in view.state({})["values"].items()}
        assert now["threshold"]["value"] == "7.00 GB"
        assert now["for"]["value"] == "30m"
        assert "as" not in now
        await world.slack.submit(view, threshold="5.5 GB", **{"for": ""})
        await confirmed(
            world,
            (
                "Alert `pantry` updated: bytes of `/usage rapid7-eu today` above 5.50 GB. Posts "
                "here; checked every 15 min."
            ),
        )
        await world.slack.until(lambda: any(text.startswith("🔴 pantry") for text in told(world)))
    [rule] = await kept(world, "SELECT rule FROM rules")
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
    world: Sandbox, clock: Clock, line: str, action: str, question: str | None
) -> None:
    async with running(world, QUIET):
        refusal = await world.slack.answer_to(line)
        assert "Try" in refusal.text
        view = await opened(world, refusal, action)
        assert view.state({})["values"]["question"]["question"]["value"] == question


async def test_silence_form_is_filled_in(world: Sandbox, clock: Clock) -> None:
    async with running(world, QUIET):
        refusal = await world.slack.answer_to("/usage silence ingest-spike")
        assert "For how long?" in refusal.text
        view = await opened(world, refusal, "modal.silence")
        assert (
            view.state({})["values"]["name"]["name"]["selected_option"]["value"] == "ingest-spike"
        )
        await world.slack.submit(view, length="4h", comment='a "load" test')
        await confirmed(world, "Alert `ingest-spike` is silenced until")
    [silence] = await kept(world, "SELECT comment FROM silences")
    assert silence["comment"] == 'a "load" test'


async def test_form_refuses_unpermitted_person(world: Sandbox, clock: Clock) -> None:
    async with running(world, QUIET, access={"usage": ["*"], "manage": ["U0ADA"]}):
        answer = await world.slack.answer_to("/usage rapid7-eu today", user="U0LINUS")
        view = await opened(world, answer, "modal.alert", user="U0LINUS")
        await world.slack.press_in(view, "try.alert", threshold="5 GB")
        await world.slack.until(lambda: "You don't have access to manage" in view.words())
        await world.slack.submit(view, threshold="5 GB")
        assert "You don't have access to manage" in view.errors["question"]
        world.slack.close(view)
        view = await opened(world, answer, "modal.repeat", user="U0LINUS")
        await world.slack.submit(view)
        assert "You don't have access to manage" in view.errors["question"]


async def test_form_that_does_not_open_is_reported(world: Sandbox, clock: Clock) -> None:
    async with running(world, QUIET):
        answer = await world.slack.answer_to("/usage rapid7-eu today")
        world.slack.answer_with(
            200,
            '{"ok":false,"error":"expired_trigger_id"}',
            path="views.open",
            Content_Type="application/json",
        )
        await world.slack.press(answer, "modal.alert")
        await confirmed(world, "The form could not be opened in time")


async def test_closed_form_is_not_updated(world: Sandbox, clock: Clock) -> None:
    async with running(world, QUIET):
        answer = await world.slack.answer_to("/usage rapid7-eu today")
        view = await opened(world, answer, "modal.alert")
        world.rapid7.be_slow(0.3)
        await world.slack.press_in(view, "try.alert", threshold="5 GB")
        world.slack.close(view)
        clock.ahead += timedelta(seconds=1)
        await world.slack.until(lambda: any("views.update" in text for text in world.slack.refused))


async def test_forms_work_over_http_too(world: Sandbox, free_tcp_port: int) -> None:
    settings: Any = world.settings(slack={"mode": "http", "port": free_tcp_port})
    world.slack.events_url = f"http://127.0.0.1:{free_tcp_port}/slack/events"
    async with (
        open_bot(settings, world.tokens("http"), pace=HURRIED, clock=world.clock) as bot,
        bot.connected(),
    ):
        answer = await world.slack.answer_to("/usage rapid7-eu today")
        view = await opened(world, answer, "modal.alert")
        await world.slack.submit(view, threshold="much")
        assert "is not a threshold" in view.errors["threshold"]
        await world.slack.submit(view, threshold="5 GB")
        assert world.slack.modal() is None
        await confirmed(world, "Alert `usage-1` created")
