"""Words to the bot in the thread of an alert: they are about that alert."""

from __future__ import annotations

import pytest

from bot.app import Bot
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack import Message
from tests.support.alerts import SPIKE, Meter, evaluated, messages, posted_texts, running, thread
from tests.support.clock import MovableClock as Clock

pytestmark = pytest.mark.usefixtures("before_noon")


async def said(sandbox: Sandbox, text: str, thread_ts: str = "", user: str = "U0ADA") -> Message:
    """The next message of the bot for that person, or in that thread."""
    before = len(sandbox.slack.messages)
    await sandbox.slack.say(text, thread_ts=thread_ts, user=user)
    found: Message = await sandbox.slack.until(
        lambda: next((m for m in sandbox.slack.messages[before:] if m.seen_by == user), None)
    )
    return found


async def incident(sandbox: Sandbox, bot: Bot, clock: Clock) -> Message:
    """The one message of the channel, after the next evaluation."""
    await evaluated(bot, clock)
    await sandbox.slack.until(lambda: posted_texts(sandbox))
    [root] = messages(sandbox)
    return root


async def test_words_in_the_thread_of_an_alert_are_about_it(sandbox: Sandbox, clock: Clock) -> None:
    Meter(sandbox)(6)
    async with running(sandbox, SPIKE) as bot:
        root = await incident(sandbox, bot, clock)
        assert (
            "Alert `ingest-spike` acknowledged"
            in (await said(sandbox, "@Opswatch ack", root.ts)).text
        )
        await sandbox.slack.until(lambda: any("cknowledged" in t for t in thread(sandbox)))
        assert (
            "Alert `ingest-spike` is silenced until"
            in (await said(sandbox, "@Opswatch silence until tomorrow", root.ts)).text
        )
        assert "no longer silenced" in (await said(sandbox, "@Opswatch unsilence", root.ts)).text
        assert "(deploy)" in (await said(sandbox, "@Opswatch snooze 2h deploy", root.ts)).text
        assert "For how long" in (await said(sandbox, "@Opswatch silence", root.ts)).text
        assert (
            "Alert `ingest-spike` (times in"
            in (await said(sandbox, "@Opswatch show", root.ts)).text
        )
        before = len(sandbox.slack.messages)
        await sandbox.slack.say("@Opswatch why?", thread_ts=root.ts)
        await sandbox.slack.until(
            lambda: any("6.00 GB" in m.text for m in sandbox.slack.messages[before:])
        )
        # By name, also elsewhere.
        assert "acknowledged already" in (await said(sandbox, "@Opswatch ack ingest-spike")).text
        assert (
            "There is no alert “nothing”"
            in (await said(sandbox, "@Opswatch ack nothing", root.ts)).text
        )


async def test_thread_of_an_answer_is_about_no_alert(sandbox: Sandbox, clock: Clock) -> None:
    async with running(sandbox, SPIKE) as bot:
        await evaluated(bot, clock)
        answer = await sandbox.slack.answer_to("/usage rapid7-eu today")
        root = answer.thread_ts or answer.ts
        assert (
            "This thread has none that is open" in (await said(sandbox, "@Opswatch ack", root)).text
        )
        assert (
            "This thread has none that is open"
            in (await said(sandbox, "@Opswatch silence 2h", root)).text
        )
        assert "Which alert?" in (await said(sandbox, "@Opswatch silence 2h")).text


async def test_rights_are_those_of_the_button(sandbox: Sandbox, clock: Clock) -> None:
    Meter(sandbox)(6)
    async with running(sandbox, SPIKE, access={"usage": ["*"], "manage": ["U0ADA"]}) as bot:
        root = await incident(sandbox, bot, clock)
        refused = await said(sandbox, "@Opswatch silence 2h", root.ts, user="U0GRACE")
        assert "access to manage" in refused.text


async def test_alert_that_a_person_may_not_see_is_like_none(sandbox: Sandbox, clock: Clock) -> None:
    audit = {"name": "failed-calls", "ask": "/apiaudit edge today", "value": "failures", "above": 1}
    audit |= {"every": "15m", "channel": "#ops"}
    access = {"usage": ["*"], "apiaudit": ["U0ADA"]}
    async with running(sandbox, SPIKE, audit, access=access):
        for verb in ("ack", "silence", "edit", "unsilence"):
            refused = [
                (await said(sandbox, f"@Opswatch {verb} {name} 2h", user="U0GRACE")).text
                for name in ("failed-calls", "no-such-calls")
            ]
            assert refused[0].replace("failed", "no-such") == refused[1]


async def test_words_around_a_change_are_read(sandbox: Sandbox, clock: Clock) -> None:
    other = {**SPIKE, "name": "other", "above": "90 GB"}
    Meter(sandbox)(6)
    async with running(sandbox, SPIKE, other) as bot:
        root = await incident(sandbox, bot, clock)
        answer = await said(sandbox, "@Opswatch silence the alert for 2h please", root.ts)
        assert "`ingest-spike` is silenced until" in answer.text
        assert "(" not in answer.text.partition("until")[2].partition(".")[0]
        answer = await said(sandbox, "@Opswatch unmute it now", root.ts)
        assert "no longer silenced" in answer.text
        answer = await said(sandbox, "@Opswatch snooze\n2h\u00a0deploy", root.ts)
        assert "(deploy)" in answer.text
        # Another alert that is named behind the length is not the comment.
        for words in ("silence 2h other", "silence for 2h, other", "edit every 5m other"):
            answer = await said(sandbox, f"@Opswatch {words}", root.ts)
            assert "Which alert, `ingest-spike` or `other`?" in answer.text
