"""A silence, the post about it and its line in the log belong together: whatever is cancelled, killed or
changed meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from bot.cli.mcp.alert_changes import change_alert
from bot.cli.mcp.tools import SilenceArguments
from bot.sandbox.sandbox import Sandbox
from bot.store import NewSilence, RuleEdit, Store
from bot.store.sql.rules import SqlSilences
from tests.scenarios.test_mcp_changes import ADA, called, session_of, table_of
from tests.support.alerts import SPIKE, posted_texts, running
from tests.support.clock import MovableClock as Clock
from tests.support.mcp_clients import server_environ

pytestmark = pytest.mark.usefixtures("before_noon")
WANTED = SilenceArguments(name="ingest-spike", duration="2d", comment="load test")


@pytest.fixture
def config(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The configuration and the environment of a server in this process."""
    for name, value in server_environ(sandbox, table_of(sandbox, {})).items():
        monkeypatch.setenv(name, value)
    return sandbox.folder / "bot.toml"


async def stored(sandbox: Sandbox) -> tuple[int, int]:
    """The number of silences, and of posts about them."""
    store = await Store.open(sandbox.location, now=sandbox.clock())
    try:
        silences = await store.read("SELECT number FROM silences")
        posts = await store.read("SELECT key FROM outbox WHERE text LIKE '%was silenced until%'")
    finally:
        await store.close()
    return len(silences), len(posts)


def audited(caplog: pytest.LogCaptureFixture) -> int:
    return sum("Silence by U0ADA: alert ingest-spike." in line for line in caplog.messages)


async def created(sandbox: Sandbox) -> None:
    """A database as the bot has created it."""
    await (await Store.open(sandbox.location, now=sandbox.clock())).close()


@pytest.mark.parametrize("part", range(20))
async def test_cancelled_call_leaves_all_or_nothing(
    sandbox: Sandbox, config: Path, caplog: pytest.LogCaptureFixture, part: int
) -> None:
    caplog.set_level(logging.INFO, "opswatch.audit")
    await created(sandbox)
    work = asyncio.create_task(change_alert(WANTED, config, user="U0ADA", channel=None))
    # Over the whole of a call, which takes a fraction of a second.
    await asyncio.wait([work], timeout=part * 0.02)
    work.cancel()
    await asyncio.wait([work], timeout=30)
    silences, posts = await stored(sandbox)
    assert silences == posts == audited(caplog)
    await change_alert(WANTED, config, user="U0ADA", channel=None)
    assert await stored(sandbox) == (1, 1)


async def test_call_that_is_cancelled_while_it_writes_is_finished(
    sandbox: Sandbox,
    config: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.INFO, "opswatch.audit")
    await created(sandbox)
    silence = SqlSilences.silence
    works = list[asyncio.Task[Any]]()

    async def cancelled(*args: Any) -> Any:
        works[0].cancel()
        return await silence(*args)

    monkeypatch.setattr(SqlSilences, "silence", cancelled)
    works.append(asyncio.create_task(change_alert(WANTED, config, user="U0ADA", channel=None)))
    with pytest.raises(asyncio.CancelledError):
        await works[0]
    assert (*await stored(sandbox), audited(caplog)) == (1, 1, 1)


KILLED = """
import asyncio, os, signal
from pathlib import Path
from bot.cli.mcp.alert_changes import change_alert
from bot.cli.mcp.tools import SilenceArguments
from bot.store.sql.rules import SqlSilences

silence = SqlSilences.silence

async def deadly(*args):
    await silence(*args)
    os.kill(os.getpid(), signal.SIGKILL)

SqlSilences.silence = deadly
wanted = SilenceArguments(name="ingest-spike", duration="2d", comment="load test")
asyncio.run(change_alert(wanted, Path("bot.toml"), user="U0ADA", channel=None))
"""


async def test_kill_after_the_commit_loses_no_post(sandbox: Sandbox, clock: Clock) -> None:
    async with running(sandbox, SPIKE):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", KILLED),
            cwd=sandbox.folder,
            env=server_environ(sandbox, table_of(sandbox, {})),
        )
        assert await asyncio.wait_for(process.wait(), 60) == -signal.SIGKILL
        async with session_of(sandbox, *ADA) as session:
            again = await called(
                session, "silence_alert", name="ingest-spike", duration="2d", comment="load test"
            )
        assert not again["changed"]
        await sandbox.slack.until(lambda: posted_texts(sandbox))
        # Whatever else is queued is posted after it.
        await sandbox.slack.answer_to("/usage silence ingest-spike 3h")
        await sandbox.slack.until(lambda: len(posted_texts(sandbox)) > 1)
    assert ["load test" in text for text in posted_texts(sandbox)] == [True, False]


@pytest.mark.parametrize(
    "words",
    [
        *("silence mine 2h", "unsilence mine", "unalert mine"),
        *("edit mine every 20m", "edit mine above 60 GB"),
    ],
)
@pytest.mark.parametrize("change", ["deleted", "passed on"])
async def test_alert_that_another_process_has_changed_is_left_alone(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, words: str, change: str
) -> None:
    """Access was checked by what this process knew."""
    monkeypatch.setattr("handlers.changes.CHECK_EVERY_S", 3600)
    async with running(sandbox, SPIKE) as bot:
        await sandbox.slack.answer_to(
            "/usage alert rapid7-eu today above 50 GB as mine", user="U0GRACE"
        )
        [rule] = await bot.store.rules.rules()
        now = sandbox.clock()
        end = now.replace(year=now.year + 1)
        if words.startswith("un"):
            await bot.store.silences.silence(NewSilence("mine", now, end, "", "U0GRACE"))
        if change == "deleted":
            await bot.store.rules.edit_rule(RuleEdit(rule, None, "U0GRACE", now))
        else:
            await bot.store.rules.edit_rule(RuleEdit(rule, rule.rule, "U0LINUS", now))
        seen = len(posted_texts(sandbox))
        before = await bot.store.read("SELECT * FROM silences")
        rules = await bot.store.rules.rules()
        answer = await sandbox.slack.answer_to(f"/usage {words}")
        # A silence ends with its alert, which is read each time.
        is_ended = words == "unsilence mine" and change == "deleted"
        says = "was changed or deleted at the same time; nothing was done"
        assert ("is not silenced" if is_ended else says) in answer.text
        assert await bot.store.read("SELECT * FROM silences") == before
        assert await bot.store.rules.rules() == rules
    assert not [text for text in posted_texts(sandbox)[seen:] if "mine" in text]


async def test_calls_at_the_same_time_are_one(sandbox: Sandbox) -> None:
    """A client may call again before the first answer has come."""
    await created(sandbox)
    arguments = {"name": "ingest-spike", "duration": "2d"}
    async with session_of(sandbox, *ADA) as session:
        done = await asyncio.gather(
            *(called(session, "silence_alert", **arguments) for _ in range(4))
        )
    assert sorted(each["changed"] for each in done) == [False, False, False, True]
    assert await stored(sandbox) == (1, 1)


async def test_repeated_call_is_logged(
    sandbox: Sandbox, config: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "opswatch.audit")
    await created(sandbox)
    for _ in range(2):
        await change_alert(WANTED, config, user="U0ADA", channel=None)
    assert [line for line in caplog.messages if "U0ADA" in line] == [
        "Silence by U0ADA: alert ingest-spike.",
        "Silence was repeated, or had no effect, by U0ADA: alert ingest-spike.",
    ]
