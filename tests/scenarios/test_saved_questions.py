"""Questions that a channel saves under a name: `save`, `saved`, `unsave`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.sandbox import Sandbox
from bot.store import SavedQuestion
from tests.conftest import Run, connected_bot
from tests.support.modals import opened

SAVE = "/usage save last 7 days per log as morning"


async def say(sandbox: Sandbox, line: str, **where: Any) -> str:
    return str((await sandbox.slack.answer_to(line, **where)).text)


async def test_saved_question_is_asked_by_its_name(sandbox: Sandbox) -> None:
    async with connected_bot(sandbox):
        saved = await say(sandbox, SAVE)
        assert "`/usage morning` asks `/usage last 7 days per log`" in saved
        assert "By log: kitchen" in await say(sandbox, "/usage morning")
        assert "7 days" in await say(sandbox, "/usage MORNING csv")


async def test_nul_is_refused_like_any_character(sandbox: Sandbox) -> None:
    async with connected_bot(sandbox) as bot:
        assert "a character that is not allowed" in await say(sandbox, "/usage last 7 days\0")
        [asked] = await bot.store.read("SELECT text FROM questions", ())
    assert asked["text"] == "last 7 days\ufffd"


async def test_channels_have_questions_of_their_own(sandbox: Sandbox) -> None:
    async with connected_bot(sandbox):
        await say(sandbox, SAVE)
        assert "not a window" in await say(sandbox, "/usage morning", channel="C0KITCHEN")
        assert "No questions are saved" in await say(sandbox, "/usage saved", channel="C0KITCHEN")


async def test_saved_questions_are_listed_to_those_with_access(sandbox: Sandbox) -> None:
    async with connected_bot(sandbox):
        await say(sandbox, SAVE)
        await say(sandbox, "/apiaudit save edge 2h failures as denied")
        seen = await say(sandbox, "/usage saved")
        assert "`/usage morning`: `/usage last 7 days per log`" in seen
        assert "`/apiaudit denied`" in seen
        assert "/apiaudit" not in await say(sandbox, "/usage saved", user="U0LINUS")


async def test_terminal_asks_saved_questions_of_its_channel(sandbox: Sandbox, run_cli: Run) -> None:
    channel = ("--channel", "C0OPS")
    assert (await run_cli("ask", "/usage morning", *channel)).code == 2
    # A question alone creates no database.
    database = sandbox.location
    assert not isinstance(database, Path) or not database.exists()
    async with connected_bot(sandbox):
        await say(sandbox, SAVE)
    ran = await run_cli("ask", "/usage morning csv", *channel, "--json")
    assert "in 7 days" in ran.json["text"]
    assert ran.json["files"][0]["name"].endswith(".csv")
    for other in ((), ("--channel", "C0KITCHEN")):
        assert (await run_cli("ask", "/usage morning", *other)).code == 2


async def test_saved_question_may_be_saved_under_another_name(sandbox: Sandbox) -> None:
    async with connected_bot(sandbox):
        await say(sandbox, SAVE)
        seen = await say(sandbox, "/usage save morning as evening")
        assert "`/usage evening` asks `/usage last 7 days per log`" in seen
        await say(sandbox, "/usage save evening as morning")
        assert "in 7 days" in await say(sandbox, "/usage morning")


@pytest.mark.parametrize(
    "words", ["subscribe morning at 09:00", "alert morning bytes above 500 GB every 15m"]
)
async def test_schedule_stores_the_question_itself(sandbox: Sandbox, words: str) -> None:
    async with connected_bot(sandbox):
        await say(sandbox, SAVE)
        assert "`/usage last 7 days per log`" in await say(sandbox, f"/usage {words}")
        await say(sandbox, "/usage save yesterday as morning")
        listed = await say(
            sandbox, f"/usage {words.split(maxsplit=1)[0].replace('subscribe', 'subscription')}s"
        )
        assert "last 7 days per log" in listed


@pytest.mark.parametrize(
    "line",
    [
        "/usage save yesterday as today",
        "/usage save yesterday as alerts",
        "/usage save yesterday as rapid7-eu",
        "/usage save yesterday as weekend",
        "/apiaudit save 24h as edge",
        "/logs save cellar as kitchen",
        "/logs save cellar as kitch",
        "/usage save yesterday as help",
        "/usage save yesterday as per",
        "/logs save cellar as list",
        "/logs save cellar as show",
    ],
)
async def test_name_with_a_meaning_is_refused(sandbox: Sandbox, line: str) -> None:
    async with connected_bot(sandbox):
        refused = await say(sandbox, line)
        assert "means something else already" in refused
        again = refused.partition("Try ")[2]
        assert "Saved for this channel" in await say(sandbox, again)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("/usage save", "Save it as what?"),
        ("/usage save last 7 days", "Save it as what?"),
        ("/usage save last 7 days as x", "cannot be a name"),
        ("/usage save last 7 days as <!channel>", "cannot be a name"),
        ("/usage save lsat 7 days as weekly", "did you mean “last 7 days”"),
        ("/usage save help as weekly", "not a question to save"),
        ("/logs save kitchen 2h where(password=Tr0ub4dor3xy) as weekly", "looks like a password"),
        ("/apiaudit save 1h status:5xx as weekly", "status"),
        ("/usage unsave", "Give its name"),
        ("/usage unsave nothing", "There is no saved question"),
    ],
)
async def test_what_cannot_be_saved_is_explained(sandbox: Sandbox, line: str, says: str) -> None:
    async with connected_bot(sandbox):
        refused = await say(sandbox, line)
    assert says in refused
    assert "Tr0ub4dor" not in refused


async def test_replacing_the_question_of_somebody_is_announced(sandbox: Sandbox) -> None:
    async with connected_bot(sandbox):
        await say(sandbox, SAVE)
        assert "Saved" in await say(sandbox, "/usage save yesterday as morning", user="U0LINUS")
        await sandbox.slack.until(
            lambda: any(
                "changed from `/usage last 7 days per log` to `/usage yesterday` by" in m.text
                for m in sandbox.slack.messages
            )
        )
        assert "Deleted" in await say(sandbox, "/usage unsave morning")
        await sandbox.slack.until(
            lambda: any(
                "`/usage yesterday`, was deleted by" in m.text for m in sandbox.slack.messages
            )
        )


async def test_two_people_cannot_save_one_name(sandbox: Sandbox) -> None:
    async with connected_bot(sandbox, access={"usage": ["*"], "manage": ["U0GRACE"]}):
        texts = await asyncio.gather(
            say(sandbox, "/usage save yesterday as morning", user="U0ADA"),
            say(sandbox, "/usage save today as morning", user="U0LINUS"),
        )
    assert sorted("Saved for this channel" in text for text in texts) == [False, True]
    assert any("You don't have access" in text for text in texts)


async def test_manage_decides_who_replaces(sandbox: Sandbox) -> None:
    async with connected_bot(sandbox, access={"usage": ["*"], "manage": ["U0GRACE"]}):
        await say(sandbox, SAVE)
        refused = await say(sandbox, "/usage unsave morning", user="U0LINUS")
        assert "You don't have access" in refused
        assert "7 days" in await say(sandbox, "/usage morning", user="U0LINUS")


async def test_lost_access_refuses_a_saved_question(sandbox: Sandbox) -> None:
    async with connected_bot(sandbox, access={"usage": ["U0ADA"]}):
        await say(sandbox, SAVE)
        assert "You don't have access" in await say(sandbox, "/usage morning", user="U0LINUS")
        assert "You don't have access" in await say(sandbox, "/usage saved", user="U0LINUS")


async def test_channel_has_room_for_fifty(sandbox: Sandbox) -> None:
    async with connected_bot(sandbox) as bot:
        for number in range(50):
            await bot.store.saved_questions.save(
                SavedQuestion("C0OPS", "usage", f"name-{number}", "yesterday", "U0ADA"),
                now=bot.clock(),
                most=50,
            )
        assert "the most there can be" in await say(sandbox, SAVE)
        assert "Saved" in await say(sandbox, "/usage save today as name-7")


async def test_home_shows_what_a_person_saved(sandbox: Sandbox) -> None:
    async with connected_bot(sandbox):
        await say(sandbox, SAVE)
        await sandbox.slack.open_home("U0ADA")
        home = await sandbox.slack.until(lambda: sandbox.slack.homes.get("U0ADA"))
        assert "Saved questions" in str(home)
        await sandbox.slack.press_at_home("/usage last 7 days per log")
        answer = await sandbox.slack.until(
            lambda: next((m for m in sandbox.slack.messages if m.channel == "D0ADA"), None)
        )
        assert "By log" in answer.text


async def test_form_offers_saved_questions_of_the_channel(sandbox: Sandbox) -> None:
    async with connected_bot(sandbox):
        await say(sandbox, SAVE)
        view = await opened(sandbox, await sandbox.slack.answer_to("/usage help"), "modal.question")
        assert "morning: last 7 days per log" in view.words()
        await sandbox.slack.submit(view, saved="morning", window="nonsense")
        answer = await sandbox.slack.until(
            lambda: next((m for m in sandbox.slack.messages if "By log" in m.text), None)
        )
        assert "in 7 days" in answer.text
        elsewhere = await sandbox.slack.answer_to("/usage help", channel="C0KITCHEN")
        view = await opened(sandbox, elsewhere, "modal.question")
        assert "morning" not in view.words()
