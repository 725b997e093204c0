"""Asking without typing a command: forms, shortcuts, and mentions in a thread."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.app import Bot
from bot.blocks import limits
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack import BOT, Message, View
from tests.support.messages import buttons

pytestmark = pytest.mark.usefixtures("bot")
TODAY = datetime.now(UTC).date()


async def opened(sandbox: Sandbox, *, user: str = "U0ADA") -> View:
    view: View = await sandbox.slack.until(lambda: sandbox.slack.modal(user))
    assert limits.view_problems(view.view) == []
    return view


async def form(sandbox: Sandbox, line: str, *, user: str = "U0ADA", channel: str = "C0OPS") -> View:
    """The form that the answer's button opens."""
    answer = await sandbox.slack.answer_to(line, user=user, channel=channel)
    await sandbox.slack.press(answer, "modal.question", user=user)
    return await opened(sandbox, user=user)


async def answered(sandbox: Sandbox, says: str, *, channel: str = "C0OPS") -> Message:
    found: Message = await sandbox.slack.until(
        lambda: next(
            (
                m
                for m in sandbox.slack.messages
                if m.user == BOT and says in m.text and m.channel == channel
            ),
            None,
        )
    )
    return found


def entered(view: View) -> dict[str, Any]:
    """The initial values of a form."""
    values = {}
    for block, entries in view.state({})["values"].items():
        [entry] = entries.values()
        found = next(value for name, value in entry.items() if name != "type")
        values[block] = found["value"] if isinstance(found, dict) else found
    return values


async def test_usage_form_has_a_date_range(sandbox: Sandbox) -> None:
    view = await form(sandbox, "/usage help", channel="C0KITCHEN")
    assert "Read as" in view.words()
    first = TODAY - timedelta(days=9)
    last = TODAY - timedelta(days=3)
    await sandbox.slack.submit(
        view, **{"from": str(first), "to": str(last), "rest": "per log", "csv": "csv"}
    )
    answer = await answered(sandbox, "in 7 days", channel="C0KITCHEN")
    assert answer.seen_by == ""
    assert "By log" in answer.text
    await sandbox.slack.until(
        lambda: any(f.name.endswith(".csv") for m in sandbox.slack.messages for f in m.files)
    )


async def test_audit_form_is_prefilled(sandbox: Sandbox) -> None:
    view = await form(sandbox, "/apiaudit edge lsat 2h status:5xx")
    meant: dict[str, Any] = {
        "account": "edge",
        "window": "last 2h",
        "from": None,
        "to": None,
        "compare": None,
        "show": None,
        "filters": [],
        "rest": "status:5xx",
        "csv": None,
    }
    assert entered(view) == meant
    assert "Read as `/apiaudit edge last 2h status:5xx`" in view.words()
    sandbox.slack.close(view)
    view = await form(sandbox, "/apiaudit edge whenever status:5xx")
    assert entered(view) == {**dict.fromkeys(meant), "filters": []}
    assert "“whenever” is not a window" in view.words()
    sandbox.slack.close(view)
    answer = await sandbox.slack.answer_to("/apiaudit edge 2h status:5xx")
    await sandbox.slack.shortcut("ask_again", message=answer)
    view = await opened(sandbox)
    assert entered(view) == {
        "account": "edge",
        "window": "2h",
        "from": None,
        "to": None,
        "compare": None,
        "show": None,
        "filters": [],
        "rest": "status:5xx",
        "csv": None,
    }
    await sandbox.slack.submit(view, window="last 24h", rest="status:9xx")
    assert "A status of edge" in (await answered(sandbox, "A status of edge")).text


async def test_refusal_is_shown_at_its_input(sandbox: Sandbox) -> None:
    view = await form(sandbox, "/apiaudit help")
    await sandbox.slack.submit(view, rest="colour:red")
    assert list(view.errors) == ["rest"]
    assert "“colour:” is not a filter" in view.errors["rest"]
    await sandbox.slack.submit(
        view, rest="failures", **{"from": str(TODAY), "to": str(TODAY - timedelta(days=3))}
    )
    assert list(view.errors) == ["from"]
    await sandbox.slack.submit(view, rest="failures", **{"from": "", "to": ""})
    assert sandbox.slack.modal() is None
    await answered(sandbox, "edge, iot: ")


async def test_bare_command_offers_its_form(sandbox: Sandbox) -> None:
    refusal = await sandbox.slack.answer_to("/logs")
    assert list(buttons(refusal)) == ["Fill in…", "Ask this instead"]
    refusal = await sandbox.slack.answer_to("/logs kitchn")
    assert list(buttons(refusal)) == ["Ask this instead", "Fill in…"]


async def test_log_is_searched_by_name(sandbox: Sandbox) -> None:
    view = await form(sandbox, "/logs")
    assert "Choose a log and a time range." in view.words()
    assert await sandbox.slack.options(view, "log", "") == ["kitchen", "cellar", "Pantry Door"]
    assert await sandbox.slack.options(view, "log", "PAN") == ["Pantry Door"]
    assert await sandbox.slack.options(view, "log", "attic") == []
    await sandbox.slack.submit(view, log="Pantry Door", window="last 1h", rest="where(/error/i)")
    await answered(sandbox, "Pantry Door: ")


async def test_slow_account_hides_no_configured_log(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.listeners.forms.question.NAMES_WITHIN_S", 0.05)
    view = await form(sandbox, "/logs")
    sandbox.rapid7.be_slow(1.0, path="/management/logs")
    assert await sandbox.slack.options(view, "log", "") == ["kitchen", "cellar"]
    # Its listing goes on, and is not requested again.
    monkeypatch.setattr("handlers.listeners.forms.question.NAMES_WITHIN_S", 60)
    assert await sandbox.slack.options(view, "log", "PAN") == ["Pantry Door"]
    assert len([path for path in sandbox.rapid7.paths() if "/management/logs" in path]) == 1


async def test_filters_are_searched_as_accounts_describe_them(sandbox: Sandbox) -> None:
    view = await form(sandbox, "/apiaudit help")
    assert "More filters, as text" in view.words()
    sandbox.akamai.enums["response_class"] = {"4xx", "5xx", "7xx"}
    assert await sandbox.slack.options(view, "filters", "7x") == ["response_class:7xx"]
    assert "action:thing.list" in await sandbox.slack.options(view, "filters", "thing.l")
    assert (await sandbox.slack.options(view, "filters", ""))[0] == "failures"
    # Described once, however many letters are typed.
    assert len([path for path in sandbox.akamai.paths() if path.endswith("versions/1")]) == 1
    await sandbox.slack.submit(view, filters="response_class:4xx http_method:get", rest="7d")
    assert list(view.errors) == ["rest"]
    await sandbox.slack.submit(view, account="edge", filters="response_class:4xx http_method:get")
    answer = await answered(sandbox, "edge: ")
    assert "/apiaudit edge response_class:4xx http_method:get" in str(answer.blocks)


async def test_filters_of_the_chosen_account_are_offered(sandbox: Sandbox) -> None:
    answer = await sandbox.slack.answer_to("/apiaudit iot 2h")
    await sandbox.slack.shortcut("ask_again", message=answer)
    view = await opened(sandbox)
    found = await sandbox.slack.options(view, "filters", "5xx")
    assert found == ["status:5xx"]
    assert sandbox.akamai.paths() == []


async def test_account_that_does_not_describe_itself_hides_nothing(sandbox: Sandbox) -> None:
    view = await form(sandbox, "/apiaudit help")
    sandbox.akamai.answer_with(500, times=99)
    assert await sandbox.slack.options(view, "filters", "4xx") == ["status:4xx"]
    assert "service:thing" in await sandbox.slack.options(view, "filters", "service:th")
    sandbox.akamai.faults.clear()
    await sandbox.slack.submit(view, account="edge", rest="response_class:4xx")
    await answered(sandbox, "edge: ")


async def test_filters_are_hidden_without_access(sandbox: Sandbox) -> None:
    view = await form(sandbox, "/apiaudit help")
    view.user = "U0LINUS"
    assert await sandbox.slack.options(view, "filters", "") == []
    assert sandbox.akamai.paths() == []


async def log_form_whose_access_ended(sandbox: Sandbox) -> View:
    """The form of /logs, opened by a person who has since lost access to it."""
    await sandbox.slack.shortcut("ask_opswatch")
    view = await opened(sandbox)
    await sandbox.slack.press_in(view, "modal.choose.logs")
    await sandbox.slack.until(lambda: view.view["title"]["text"] == "/logs")
    view.user = "U0LINUS"
    return view


async def test_log_names_are_hidden_without_access(sandbox: Sandbox) -> None:
    view = await log_form_whose_access_ended(sandbox)
    assert await sandbox.slack.options(view, "log", "") == []
    await sandbox.slack.submit(view, log="kitchen")
    trouble = await answered(sandbox, "You don't have access to /logs here", channel="D0LINUS")
    assert trouble.user == BOT


async def test_form_checks_access_before_it_reads_words(sandbox: Sandbox) -> None:
    view = await log_form_whose_access_ended(sandbox)
    await sandbox.slack.submit(view, log="kitchen", rest="where(" + "a " * 800)
    assert view.errors == {}
    await answered(sandbox, "You don't have access to /logs here", channel="D0LINUS")


async def test_chooser_offers_allowed_commands_only(sandbox: Sandbox) -> None:
    await sandbox.slack.shortcut("ask_opswatch", user="U0LINUS")
    view = await opened(sandbox, user="U0LINUS")
    offered = [block["accessory"]["action_id"] for block in view.view["blocks"]]
    assert "modal.choose.usage" in offered
    assert not {"modal.choose.apiaudit", "modal.choose.logs"} & {*offered}


async def test_chosen_form_needs_access(sandbox: Sandbox) -> None:
    await sandbox.slack.shortcut("ask_opswatch")
    view = await opened(sandbox)
    view.user = "U0LINUS"
    await sandbox.slack.press_in(view, "modal.choose.logs")
    await sandbox.slack.until(lambda: view.view["title"]["text"] == "/logs")
    assert [block["type"] for block in view.view["blocks"]] == ["section", "section"]
    assert limits.view_problems(view.view) == []
    assert "kitchen" not in view.words()


async def test_form_accepts_smart_quotes(sandbox: Sandbox) -> None:
    view = await form(sandbox, "/apiaudit help")
    await sandbox.slack.submit(view, account="edge", window="last 24h", rest="who:“Ada\u00a0L”")
    assert view.errors == {}
    await answered(sandbox, "edge: ")


async def test_global_shortcut_answers_by_direct_message(
    sandbox: Sandbox,
) -> None:
    await sandbox.slack.shortcut("ask_opswatch", user="U0LINUS")
    view = await opened(sandbox, user="U0LINUS")
    await sandbox.slack.press_in(view, "modal.choose.usage")
    await sandbox.slack.until(lambda: view.view["title"]["text"] == "/usage")
    assert limits.view_problems(view.view) == []
    await sandbox.slack.submit(view, window="last 7 days")
    await answered(sandbox, "in 7 days", channel="D0LINUS")


async def test_message_shortcut_without_answer_offers_commands(
    sandbox: Sandbox,
) -> None:
    typed = await sandbox.slack.say("hello")
    await sandbox.slack.shortcut("ask_again", message=typed)
    assert "/apiaudit" in (await opened(sandbox)).words()


async def test_mention_in_thread_repeats_changed_question(sandbox: Sandbox) -> None:
    answer = await sandbox.slack.answer_to("/usage rapid7-eu last 7 days per log")
    await sandbox.slack.say("@Opswatch last 3 days", thread_ts=answer.ts)
    again = await answered(sandbox, "in 3 days")
    assert again.thread_ts == answer.ts
    assert "By log" in again.text
    await sandbox.slack.say("@Opswatch csv", thread_ts=answer.ts)
    await sandbox.slack.until(
        lambda: any(m.files and m.thread_ts == answer.ts for m in sandbox.slack.messages)
    )
    assert sum("in 3 days" in m.text for m in sandbox.slack.messages if m.user == BOT) == 2


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (
            "@Opswatch how much data last week?",
            "Read as /usage last week.",
        ),
        ("@Opswatch show me the data usage for the last 3 days, please", "in 3 days"),
        ("@Opswatch what failed on edge in the last 2h?", r"edge: \d+ failed call"),
        ("@Opswatch API calls on iot today", "iot: "),
        ("@Opswatch give me the log of kitchen, 2h", "kitchen: "),
        ("@Opswatch logs", "Which log?"),
    ],
)
async def test_mention_needs_no_command(sandbox: Sandbox, typed: str, says: str) -> None:
    mention = await sandbox.slack.say(typed)
    answer = await sandbox.slack.until(
        lambda: next(
            (m for m in sandbox.slack.messages if m.user == BOT and re.search(says, m.text)), None
        )
    )
    assert answer.thread_ts == mention.ts


@pytest.mark.parametrize("typed", ["@Opswatch usage last 3 days", "@Opswatch: /usage last 3 days"])
async def test_mention_is_answered_in_its_thread(sandbox: Sandbox, typed: str) -> None:
    mention = await sandbox.slack.say(typed, channel="C0KITCHEN")
    answer = await answered(sandbox, "in 3 days", channel="C0KITCHEN")
    assert answer.thread_ts == mention.ts


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("@Opswatch thanks", "In the thread of an answer, say what to change"),
        ("@Opswatch usage lsat week", "did you mean “last week”?"),
        ("@Opswatch last week", "In the thread of an answer"),
    ],
)
async def test_unreadable_mention_is_refused_privately(
    sandbox: Sandbox, typed: str, says: str
) -> None:
    mention = await sandbox.slack.say(typed)
    refusal = await answered(sandbox, says)
    assert (refusal.seen_by, refusal.thread_ts) == ("U0ADA", mention.ts)


@pytest.mark.parametrize(
    "typed",
    [
        "@Opswatch",
        "@Opswatch help",
        "@Opswatch: Help",
        "@Opswatch help me",
        "@Opswatch What can you do?",
    ],
)
async def test_mention_alone_gives_an_overview(sandbox: Sandbox, typed: str) -> None:
    mention = await sandbox.slack.say(typed)
    overview = await answered(sandbox, "Ask about usage, API calls or logs")
    assert (overview.seen_by, overview.thread_ts) == ("U0ADA", mention.ts)
    await sandbox.slack.press(overview, "ask.0")
    await answered(sandbox, "GB in 7 days")


async def test_unchanged_follow_up_is_refused(sandbox: Sandbox) -> None:
    answer = await sandbox.slack.answer_to("/usage last 7 days")
    await sandbox.slack.say("@Opswatch lsat week", thread_ts=answer.ts)
    assert (await answered(sandbox, "did you mean “last week”?")).thread_ts == answer.ts


async def test_mention_is_private_in_restricted_channel(sandbox: Sandbox) -> None:
    await sandbox.slack.say("@Opswatch apiaudit edge 2h", channel="C0KITCHEN")
    answer = await answered(sandbox, "edge: ", channel="C0KITCHEN")
    assert answer.seen_by == "U0ADA"
    await sandbox.slack.say("@Opswatch apiaudit edge 2h", channel="C0KITCHEN", user="U0LINUS")
    refusal = await answered(sandbox, "You don't have access to", channel="C0KITCHEN")
    assert refusal.seen_by == "U0LINUS"


async def test_every_form_is_within_slack_limits(sandbox: Sandbox, bot: Bot) -> None:
    for name in ("usage", "apiaudit", "logs"):
        view = await form(sandbox, f"/{name} help")
        assert json.dumps(view.view)
        assert limits.view_problems(view.view) == []
        sandbox.slack.close(view)
    assert sandbox.slack.refused == []


async def test_form_shows_words_without_slack_escapes(sandbox: Sandbox) -> None:
    view = await form(sandbox, "/apiaudit edge lsat 2h url:/a&b")
    assert entered(view)["rest"] == "url:/a&b"
