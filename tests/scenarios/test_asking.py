"""Asking without typing a command: forms, shortcuts, and mentions in a thread."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from bot.app import Bot
from bot.blocks import limits
from bot.sandbox.slack import BOT, Message, View
from bot.sandbox.world import Sandbox
from tests.scenarios.test_slack import buttons

pytestmark = pytest.mark.usefixtures("bot")
TODAY = datetime.now(UTC).date()


async def opened(world: Sandbox, *, user: str = "U0ADA") -> View:
    view: View = await world.slack.until(lambda: world.slack.modal(user))
    assert limits.view_problems(view.view) == []
    return view


async def form(world: Sandbox, line: str, *, user: str = "U0ADA", channel: str = "C0OPS") -> View:
    """The form behind the button of what was answered."""
    answer = await world.slack.answer_to(line, user=user, channel=channel)
    await world.slack.press(answer, "modal.question", user=user)
    return await opened(world, user=user)


async def answered(world: Sandbox, says: str, *, channel: str = "C0OPS") -> Message:
    found: Message = await world.slack.until(
        lambda: next(
            (
                m
                for m in world.slack.messages
                if m.user == BOT and says in m.text and m.channel == channel
            ),
            None,
        )
    )
    return found


def entered(view: View) -> dict[str, str | None]:
    """What stands in a form when it opens."""
    values = {}
    for block, entries in view.state({})["values"].items():
        [entry] = entries.values()
        found = next(value for name, value in entry.items() if name != "type")
        values[block] = found["value"] if isinstance(found, dict) else found
    return values


async def test_usage_form_has_a_date_range(world: Sandbox) -> None:
    view = await form(world, "/usage help", channel="C0KITCHEN")
    assert "Read as" in view.words()
    first, last = TODAY - timedelta(days=9), TODAY - timedelta(days=3)
    await world.slack.submit(
        view, **{"from": str(first), "to": str(last), "rest": "per log", "csv": "csv"}
    )
    answer = await answered(world, "in 7 days", channel="C0KITCHEN")
    assert answer.seen_by == ""
    assert "By log" in answer.text
    await world.slack.until(
        lambda: any(f.name.endswith(".csv") for m in world.slack.messages for f in m.files)
    )


async def test_audit_form_is_prefilled(world: Sandbox) -> None:
    view = await form(world, "/apiaudit edge lsat 2h status:5xx")
    meant = {
        "account": "edge",
        "window": "last 2h",
        "from": None,
        "to": None,
        "compare": None,
        "show": None,
        "rest": "status:5xx",
        "csv": None,
    }
    assert entered(view) == meant
    assert "Read as `/apiaudit edge last 2h status:5xx`" in view.words()
    world.slack.close(view)
    view = await form(world, "/apiaudit edge whenever status:5xx")
    assert entered(view) == dict.fromkeys(meant)
    assert "“whenever” is not a window I can read" in view.words()
    world.slack.close(view)
    answer = await world.slack.answer_to("/apiaudit edge 2h status:5xx")
    await world.slack.shortcut("ask_again", message=answer)
    view = await opened(world)
    assert entered(view) == {
        "account": "edge",
        "window": "2h",
        "from": None,
        "to": None,
        "compare": None,
        "show": None,
        "rest": "status:5xx",
        "csv": None,
    }
    await world.slack.submit(view, window="last 24h", rest="status:9xx")
    assert "A status of edge" in (await answered(world, "A status of edge")).text


async def test_refusal_is_shown_at_its_input(world: Sandbox) -> None:
    view = await form(world, "/apiaudit help")
    await world.slack.submit(view, rest="colour:red")
    assert list(view.errors) == ["rest"]
    assert "“colour:” is not a filter" in view.errors["rest"]
    await world.slack.submit(
        view, rest="failures", **{"from": str(TODAY), "to": str(TODAY - timedelta(days=3))}
    )
    assert list(view.errors) == ["from"]
    await world.slack.submit(view, rest="failures", **{"from": "", "to": ""})
    assert world.slack.modal() is None
    await answered(world, "edge, iot: ")


async def test_bare_command_offers_its_form(world: Sandbox) -> None:
    refusal = await world.slack.answer_to("/logs")
    assert list(buttons(refusal)) == ["Fill in…", "Ask this instead"]
    refusal = await world.slack.answer_to("/logs kitchn")
    assert list(buttons(refusal)) == ["Ask this instead", "Fill in…"]


async def test_log_is_searched_by_name(world: Sandbox) -> None:
    view = await form(world, "/logs")
    assert "Choose a log and a time range." in view.words()
    assert await world.slack.options(view, "log", "") == ["kitchen", "cellar", "Pantry Door"]
    assert await world.slack.options(view, "log", "PAN") == ["Pantry Door"]
    assert await world.slack.options(view, "log", "attic") == []
    await world.slack.submit(view, log="Pantry Door", window="last 1h", rest="where(/error/i)")
    await answered(world, "Pantry Door: ")


async def test_slow_account_hides_no_configured_log(
    world: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.listeners.forms.question.NAMES_WITHIN_S", 0.05)
    view = await form(world, "/logs")
    world.rapid7.be_slow(1.0, path="/management/logs")
    assert await world.slack.options(view, "log", "") == ["kitchen", "cellar"]
    # Its listing goes on, and is not requested again.
    monkeypatch.setattr("handlers.listeners.forms.question.NAMES_WITHIN_S", 60)
    assert await world.slack.options(view, "log", "PAN") == ["Pantry Door"]
    assert len([path for path in world.rapid7.paths() if "/management/logs" in path]) == 1


async def log_form_whose_access_ended(world: Sandbox) -> View:
    """The form of /logs, held by a person without access to it."""
    await world.slack.shortcut("ask_opswatch")
    view = await opened(world)
    await world.slack.press_in(view, "modal.choose.logs")
    await world.slack.until(lambda: view.view["title"]["text"] == "/logs")
    view.user = "U0LINUS"
    return view


async def test_log_names_are_hidden_without_access(world: Sandbox) -> None:
    view = await log_form_whose_access_ended(world)
    assert await world.slack.options(view, "log", "") == []
    await world.slack.submit(view, log="kitchen")
    trouble = await answered(world, "You don't have access to /logs here", channel="D0LINUS")
    assert trouble.user == BOT


async def test_form_checks_access_before_it_reads_words(world: Sandbox) -> None:
    view = await log_form_whose_access_ended(world)
    await world.slack.submit(view, log="kitchen", rest="where(" + "a " * 800)
    assert view.errors == {}
    await answered(world, "You don't have access to /logs here", channel="D0LINUS")


async def test_chooser_offers_allowed_commands_only(world: Sandbox) -> None:
    await world.slack.shortcut("ask_opswatch", user="U0LINUS")
    view = await opened(world, user="U0LINUS")
    offered = [block["accessory"]["action_id"] for block in view.view["blocks"]]
    assert offered == ["modal.choose.usage"]


async def test_chosen_form_needs_access(world: Sandbox) -> None:
    await world.slack.shortcut("ask_opswatch")
    view = await opened(world)
    view.user = "U0LINUS"
    await world.slack.press_in(view, "modal.choose.logs")
    await world.slack.until(lambda: view.view["title"]["text"] == "/logs")
    assert [block["type"] for block in view.view["blocks"]] == ["section", "section"]
    assert limits.view_problems(view.view) == []
    assert "kitchen" not in view.words()


async def test_form_accepts_smart_quotes(world: Sandbox) -> None:
    view = await form(world, "/apiaudit help")
    await world.slack.submit(view, account="edge", window="last 24h", rest="who:“Ada\u00a0L”")
    assert view.errors == {}
    await answered(world, "edge: ")


async def test_global_shortcut_answers_by_direct_message(
    world: Sandbox,
) -> None:
    await world.slack.shortcut("ask_opswatch", user="U0LINUS")
    view = await opened(world, user="U0LINUS")
    await world.slack.press_in(view, "modal.choose.usage")
    await world.slack.until(lambda: view.view["title"]["text"] == "/usage")
    assert limits.view_problems(view.view) == []
    await world.slack.submit(view, window="last 7 days")
    await answered(world, "in 7 days", channel="D0LINUS")


async def test_message_shortcut_without_answer_offers_commands(
    world: Sandbox,
) -> None:
    said = await world.slack.say("hello")
    await world.slack.shortcut("ask_again", message=said)
    assert "/apiaudit" in (await opened(world)).words()


async def test_mention_in_thread_repeats_changed_question(world: Sandbox) -> None:
    answer = await world.slack.answer_to("/usage rapid7-eu last 7 days per log")
    await world.slack.say("@Opswatch last 3 days", thread_ts=answer.ts)
    again = await answered(world, "in 3 days")
    assert again.thread_ts == answer.ts
    assert "By log" in again.text
    await world.slack.say("@Opswatch csv", thread_ts=answer.ts)
    await world.slack.until(
        lambda: any(m.files and m.thread_ts == answer.ts for m in world.slack.messages)
    )
    assert sum("in 3 days" in m.text for m in world.slack.messages if m.user == BOT) == 2


@pytest.mark.parametrize(
    ("said", "says"),
    [
        (
            "@Opswatch how much data last week?",
            "“much last week” is not a window; did you mean “last week”?",
        ),
        ("@Opswatch show me the data usage for the last 3 days, please", "in 3 days"),
        ("@Opswatch what failed on edge in the last 2h?", r"edge: \d+ failed call"),
        ("@Opswatch API calls on iot today", "iot: "),
        ("@Opswatch give me the log of kitchen, 2h", "kitchen: "),
        ("@Opswatch logs", "Which log?"),
    ],
)
async def test_mention_needs_no_command(world: Sandbox, said: str, says: str) -> None:
    mention = await world.slack.say(said)
    answer = await world.slack.until(
        lambda: next(
            (m for m in world.slack.messages if m.user == BOT and re.search(says, m.text)), None
        )
    )
    assert answer.thread_ts == mention.ts


@pytest.mark.parametrize("said", ["@Opswatch usage last 3 days", "@Opswatch: /usage last 3 days"])
async def test_mention_is_answered_in_its_thread(world: Sandbox, said: str) -> None:
    mention = await world.slack.say(said, channel="C0KITCHEN")
    answer = await answered(world, "in 3 days", channel="C0KITCHEN")
    assert answer.thread_ts == mention.ts


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ("@Opswatch hello", "In the thread of an answer, say what to change"),
        ("@Opswatch usage lsat week", "did you mean “last week”?"),
        ("@Opswatch last week", "In the thread of an answer"),
    ],
)
async def test_unreadable_mention_is_refused_privately(
    world: Sandbox, said: str, says: str
) -> None:
    mention = await world.slack.say(said)
    refusal = await answered(world, says)
    assert (refusal.seen_by, refusal.thread_ts) == ("U0ADA", mention.ts)


@pytest.mark.parametrize("said", ["@Opswatch", "@Opswatch help", "@Opswatch: Help"])
async def test_mention_alone_gives_an_overview(world: Sandbox, said: str) -> None:
    mention = await world.slack.say(said)
    overview = await answered(world, "Ask about usage, API calls or logs")
    assert (overview.seen_by, overview.thread_ts) == ("U0ADA", mention.ts)
    await world.slack.press(overview, "ask.0")
    await answered(world, "GB in 7 days")


async def test_unchanged_follow_up_is_refused(world: Sandbox) -> None:
    answer = await world.slack.answer_to("/usage last 7 days")
    await world.slack.say("@Opswatch lsat week", thread_ts=answer.ts)
    assert (await answered(world, "did you mean “last week”?")).thread_ts == answer.ts


async def test_mention_is_private_in_restricted_channel(world: Sandbox) -> None:
    await world.slack.say("@Opswatch apiaudit edge 2h", channel="C0KITCHEN")
    answer = await answered(world, "edge: ", channel="C0KITCHEN")
    assert answer.seen_by == "U0ADA"
    await world.slack.say("@Opswatch apiaudit edge 2h", channel="C0KITCHEN", user="U0LINUS")
    refusal = await answered(world, "You don't have access to", channel="C0KITCHEN")
    assert refusal.seen_by == "U0LINUS"


async def test_every_form_is_within_slack_limits(world: Sandbox, bot: Bot) -> None:
    for name in ("usage", "apiaudit", "logs"):
        view = await form(world, f"/{name} help")
        assert json.dumps(view.view)
        assert limits.view_problems(view.view) == []
        world.slack.close(view)
    assert world.slack.refused == []


async def test_form_shows_words_without_slack_escapes(world: Sandbox) -> None:
    view = await form(world, "/apiaudit edge lsat 2h url:/a&b")
    assert entered(view)["rest"] == "url:/a&b"
