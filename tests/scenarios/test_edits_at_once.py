"""A change or deletion of an alert, the end of its incident and the post about it belong together."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.app import Bot
from bot.sandbox.sandbox import Sandbox
from bot.store import StoreUnavailable, Topic
from tests.support.alerts import Meter, posted_texts, running

pytestmark = pytest.mark.usefixtures("before_noon")
MADE = "/usage alert rapid7-eu today above 50 GB as mine"


async def settled(bot: Bot, sandbox: Sandbox, state: str) -> None:
    """Once the alert has this state, and everything is posted."""
    async with asyncio.timeout(30):
        while True:
            states = await bot.store.alerts.states()
            if states.get("mine") == state and not await bot.store.outbox.backlog():
                return
            await asyncio.sleep(0.02)


async def stored(bot: Bot) -> list[Any]:
    rules = [(each.name, each.rule, each.user) for each in await bot.store.rules.rules()]
    posts = await bot.store.read("SELECT key FROM outbox ORDER BY id")
    incidents = await bot.store.alerts.open_incidents()
    return [rules, posts, [each.alert_state for each in incidents]]


@pytest.mark.parametrize("words", ["unalert mine", "edit mine above 60 GB", "edit mine every 20m"])
@pytest.mark.parametrize(("gigabytes", "state"), [(3, "inactive"), (70, "firing")])
async def test_failed_write_leaves_everything_as_it_was(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, words: str, gigabytes: float, state: str
) -> None:
    """As would a process that is killed in the middle."""

    def failing(tx: Any, topic: Topic) -> None:
        raise StoreUnavailable("the disk is full")

    Meter(sandbox)(gigabytes)
    async with running(sandbox) as bot:
        await sandbox.slack.answer_to(MADE, user="U0GRACE")
        await settled(bot, sandbox, state)
        before = await stored(bot)
        with monkeypatch.context() as patched:
            patched.setattr("bot.store.sql.rules.record_change", failing)
            answer = await sandbox.slack.answer_to(f"/usage {words}")
        assert "disk is full" in answer.text
        assert await stored(bot) == before
        await sandbox.slack.answer_to(f"/usage {words}")
        assert await stored(bot) != before


async def test_two_deletions_at_once_are_one(sandbox: Sandbox) -> None:
    async with running(sandbox) as bot:
        await sandbox.slack.answer_to(MADE, user="U0GRACE")
        await settled(bot, sandbox, "inactive")
        answers = await asyncio.gather(
            *(
                sandbox.slack.answer_to("/usage unalert mine", user=each)
                for each in ("U0ADA", "U0LINUS")
            )
        )
        assert await bot.store.rules.rules() == []
        await sandbox.slack.until(lambda: posted_texts(sandbox))
        await sandbox.slack.answer_to("/usage silence ingest-spike 3h")
        await sandbox.slack.until(lambda: "ingest-spike" in posted_texts(sandbox)[-1])
    texts = [text for text in posted_texts(sandbox) if "was deleted" in text]
    assert len(texts) == 1
    assert sorted("deleted." in answer.text for answer in answers) == [False, True]


async def test_new_alert_of_a_deleted_name_is_not_silenced(sandbox: Sandbox) -> None:
    Meter(sandbox)(70)
    async with running(sandbox) as bot:
        await sandbox.slack.answer_to(MADE)
        await settled(bot, sandbox, "firing")
        await sandbox.slack.answer_to("/usage silence mine 2d")
        await sandbox.slack.answer_to("/usage unalert mine")
        assert await bot.store.silences.silences(sandbox.clock()) == []
        seen = len(posted_texts(sandbox))
        await sandbox.slack.answer_to(MADE)
        await sandbox.slack.until(lambda: posted_texts(sandbox)[seen:])
        assert "mine" in posted_texts(sandbox)[-1]
