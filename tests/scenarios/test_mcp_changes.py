"""`python -m bot mcp --allow-changes`: alerts are acknowledged and silenced in the name of a person, with
their rights, beside a running bot that shares the database.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Any

import pytest
from mcp import ClientSession, McpError

from bot.app import Bot
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack import BOT, Channel
from bot.sandbox.slack.records import User
from bot.sandbox.targets import TargetSandbox
from bot.store import NewSilence
from tests.conftest import Run
from tests.support.alerts import SPIKE, Meter, evaluate, running, thread
from tests.support.clock import MovableClock as Clock
from tests.support.mcp_clients import (
    http_server,
    http_session,
    logged,
    stdio_session,
    structured,
    text_of,
)

pytestmark = pytest.mark.usefixtures("before_noon")
TOKEN = "a-bearer-token-of-the-tests"
CHANGES = {"acknowledge_alert", "silence_alert", "unsilence_alert"}
AUDIT = {
    "name": "failed-calls",
    "ask": "/apiaudit edge last 1h",
    "value": "failures",
    "above": 20,
    "channel": "#ops",
}
ADA = ("--allow-changes", "--user", "U0ADA")


def table_of(sandbox: Sandbox, access: Mapping[str, list[str]]) -> dict[str, Any]:
    table = sandbox.table()
    return {**table, "alert": [SPIKE, AUDIT], "access": {**table["access"], **access}}


@asynccontextmanager
async def session_of(
    sandbox: Sandbox,
    *words: str,
    transport: str = "stdio",
    access: Mapping[str, list[str]] = MappingProxyType({}),
) -> AsyncIterator[ClientSession]:
    table = table_of(sandbox, access)
    if transport == "stdio":
        async with stdio_session(sandbox, *words, table=table) as session:
            yield session
        return
    words = (*words, "--token", "env:MCP_TOKEN")
    async with (
        http_server(sandbox, *words, table=table, MCP_TOKEN=TOKEN) as url,
        http_session(url, token=TOKEN) as session,
    ):
        yield session


async def called(session: ClientSession, tool: str, **arguments: str) -> dict[str, Any]:
    return structured(await session.call_tool(tool, arguments))


async def refused(session: ClientSession, tool: str, **arguments: str) -> dict[str, Any]:
    result = await session.call_tool(tool, arguments)
    assert result.isError, result
    error: dict[str, Any] = structured(result)["error"]
    return error


@asynccontextmanager
async def firing(sandbox: Sandbox, clock: Clock) -> AsyncIterator[Bot]:
    """A bot with an alert that fires."""
    async with running(sandbox, SPIKE, AUDIT) as bot:
        await evaluate(bot, clock, Meter(sandbox), 6)
        await sandbox.slack.until(lambda: [m for m in sandbox.slack.messages if m.user == BOT])
        yield bot


async def posted(sandbox: Sandbox, words: str) -> None:
    await sandbox.slack.until(lambda: any(words in text for text in thread(sandbox)))


@pytest.mark.parametrize("transport", ["stdio", "http"])
async def test_person_acknowledges_and_silences(
    transport: str, sandbox: Sandbox, clock: Clock, targets: TargetSandbox
) -> None:
    async with (
        firing(sandbox, clock) as bot,
        session_of(sandbox, *ADA, transport=transport) as session,
    ):
        listed = {tool.name: tool for tool in (await session.list_tools()).tools}
        assert listed.keys() >= CHANGES
        for name, tool in listed.items():
            hints = tool.annotations
            assert hints is not None
            assert hints.readOnlyHint is (name not in CHANGES)
            # The specification: additive changes alone are not destructive, and a call is idempotent
            # if a second one has no further effect, however late it comes.
            assert hints.destructiveHint is (name in CHANGES)
            assert hints.idempotentHint is (name not in CHANGES)
        first = await called(session, "acknowledge_alert", name="INGEST-spike")
        again = await called(session, "acknowledge_alert", name="ingest-spike")
        assert (first["changed"], again["changed"]) == (True, False)
        assert first["alert"]["acknowledged"]
        assert first["alert"] == again["alert"]
        await posted(sandbox, "Acknowledged")
        # Longer than the clocks of the test and of a database server differ.
        silence = {"name": "ingest-spike", "duration": "2d", "comment": "load test"}
        first = await called(session, "silence_alert", **silence)
        again = await called(session, "silence_alert", **silence)
        assert (first["changed"], again["changed"]) == (True, False)
        assert "load test" in first["alert"]["silenced"]
        await posted(sandbox, "ilenced")
        # The bot takes notice of it.
        async with asyncio.timeout(30):
            while not bot.rules.silences.job.silences.silences:
                await asyncio.sleep(0.02)
        first = await called(session, "unsilence_alert", name="ingest-spike")
        again = await called(session, "unsilence_alert", name="ingest-spike")
        assert (first["changed"], again["changed"]) == (True, False)
        assert first["alert"]["silenced"] is None
        await posted(sandbox, "unsilenced by Ada")
        async with asyncio.timeout(30):
            while bot.rules.silences.job.silences.silences:
                await asyncio.sleep(0.02)
    texts = thread(sandbox)
    assert [sum(word in text for text in texts) for word in ("Acknowledged", "unsilenced")] == [
        1,
        1,
    ]
    assert "by Ada" in next(text for text in texts if "Acknowledged" in text)


async def test_changes_are_logged_with_their_person(sandbox: Sandbox, clock: Clock) -> None:
    async with firing(sandbox, clock):
        async with session_of(sandbox, *ADA) as session:
            await called(session, "acknowledge_alert", name="ingest-spike")
            await called(session, "acknowledge_alert", name="ingest-spike")
        lines = logged(sandbox.folder).splitlines()
        done = [line for line in lines if "Acknowledgement by U0ADA: alert ingest-spike." in line]
        assert len(done) == 1
        async with session_of(sandbox, *ADA, access={"manage": ["U0GRACE"]}) as session:
            error = await refused(session, "silence_alert", name="ingest-spike", duration="1h")
        assert error["kind"] == "refused"
        assert "Silence was refused for U0ADA" in logged(sandbox.folder)


async def test_tools_are_read_only_by_default(sandbox: Sandbox) -> None:
    async with session_of(sandbox, "--user", "U0ADA") as session:
        listed = {tool.name for tool in (await session.list_tools()).tools}
        for name in sorted(CHANGES):
            with pytest.raises(McpError, match="There is no tool"):
                await session.call_tool(name, {"name": "ingest-spike"})
    assert not listed & CHANGES


@pytest.mark.parametrize(
    ("words", "access", "name", "kind"),
    [
        (["--user", "U0LINUS"], {}, "failed-calls", "bad_question"),
        (["--user", "U0LINUS"], {}, "no-such-alert", "bad_question"),
        (["--user", "U0LINUS"], {"manage": ["U0ADA"]}, "ingest-spike", "refused"),
        (["--user", "U0ADA"], {"manage": ["S0GROUP"]}, "ingest-spike", "refused"),
        (["--user", "U0ADA"], {"usage": [], "apiaudit": []}, "ingest-spike", "bad_question"),
        (["--user", "U0GONE"], {}, "ingest-spike", "refused"),
    ],
    ids=["unseen", "unknown", "no manager", "not in the group", "no access", "deactivated"],
)
async def test_rights_are_those_of_chat(
    sandbox: Sandbox,
    clock: Clock,
    words: list[str],
    access: dict[str, list[str]],
    name: str,
    kind: str,
) -> None:
    sandbox.slack.users["U0GONE"] = User("U0GONE", "Gone", "", "", deleted=True)
    async with (
        running(sandbox, SPIKE, AUDIT),
        session_of(sandbox, "--allow-changes", *words, access=access) as session,
    ):
        errors = [
            await refused(session, "acknowledge_alert", name=name),
            await refused(session, "silence_alert", name=name, duration="2h"),
            await refused(session, "unsilence_alert", name=name),
        ]
    assert [error["kind"] for error in errors] == [kind] * 3
    assert "failed-calls" not in str(errors).replace(f"“{name}”", "")


WRONG: dict[str, tuple[str, dict[str, str], str]] = {
    "no duration": ("silence_alert", {"name": "ingest-spike"}, "duration"),
    "zero": ("silence_alert", {"name": "ingest-spike", "duration": "0m"}, "a year"),
    "a century": ("silence_alert", {"name": "ingest-spike", "duration": "36500d"}, "a year"),
    "words": ("silence_alert", {"name": "ingest-spike", "duration": "2h please"}, "For how long"),
    "comment": ("silence_alert", {"name": "ingest-spike", "duration": "2h deploy"}, "For how long"),
    "empty name": ("acknowledge_alert", {"name": ""}, "name"),
    "long name": ("unsilence_alert", {"name": "x" * 101}, "name"),
    "unknown argument": ("acknowledge_alert", {"name": "x", "force": "yes"}, "force"),
    "hostile name": ("acknowledge_alert", {"name": "\u202e<!channel>\x1b[31m"}, "no alert"),
}


async def test_wrong_arguments_change_nothing(sandbox: Sandbox, clock: Clock) -> None:
    async with firing(sandbox, clock) as bot, session_of(sandbox, *ADA) as session:
        results = {
            name: await session.call_tool(tool, arguments)
            for name, (tool, arguments, _) in WRONG.items()
        }
        assert await bot.store.silences.silences(sandbox.clock()) == []
    for name, result in results.items():
        assert structured(result)["error"]["kind"] == "bad_question", name
        assert WRONG[name][2] in text_of(result), name
        assert not {"\x1b", "\u202e"} & set(text_of(result)), name


async def test_alert_without_incident_stays_as_it_is(sandbox: Sandbox) -> None:
    async with running(sandbox, SPIKE, AUDIT), session_of(sandbox, *ADA) as session:
        done = await called(session, "acknowledge_alert", name="ingest-spike")
    assert not done["changed"]
    assert done["text"].startswith("Alert ingest-spike is ")
    assert done["text"].endswith(": there is nothing to acknowledge.")


async def test_own_silence_of_a_closed_alert_shows_nothing_of_it(sandbox: Sandbox) -> None:
    """People may end their own silence without access to the alert."""
    async with running(sandbox, SPIKE, AUDIT) as bot:
        now = sandbox.clock()
        end = now.replace(year=now.year + 1)
        await bot.store.silences.silence(NewSilence("failed-calls", now, end, "", "U0LINUS"))
        words = ("--allow-changes", "--user", "U0LINUS")
        access = {"apiaudit": ["U0ADA"]}
        async with session_of(sandbox, *words, access=access) as session:
            done = await called(session, "unsilence_alert", name="failed-calls")
            assert done == {"text": "Alert failed-calls is no longer silenced.", "changed": True}
            await refused(session, "unsilence_alert", name="failed-calls")


async def test_own_alert_is_announced(sandbox: Sandbox) -> None:
    """Nobody else has seen what an assistant did."""
    async with running(sandbox, SPIKE, AUDIT):
        await sandbox.slack.answer_to("/usage alert rapid7-eu today above 50 GB as mine")
        async with session_of(sandbox, *ADA) as session:
            done = await called(session, "silence_alert", name="mine", duration="until tomorrow")
            await sandbox.slack.until(
                lambda: any("`mine` was silenced" in m.text for m in sandbox.slack.messages)
            )
    assert done["alert"]["channel"] == "C0OPS"


async def test_alert_of_a_closed_channel_is_unknown(sandbox: Sandbox) -> None:
    sandbox.slack.channels["C0VAULT"] = Channel("C0VAULT", "vault", "", members=("U0GRACE",))
    async with running(sandbox, SPIKE, AUDIT):
        await sandbox.slack.answer_to(
            "/usage alert rapid7-eu today above 50 GB as deep", user="U0GRACE", channel="C0VAULT"
        )
        async with session_of(sandbox, *ADA) as session:
            error = await refused(session, "silence_alert", name="deep", duration="1h")
    assert "There is no alert “deep”" in error["message"]


async def test_alert_of_an_open_channel_is_listed(sandbox: Sandbox) -> None:
    async with running(sandbox, SPIKE, AUDIT):
        await sandbox.slack.answer_to(
            "/usage alert rapid7-eu today above 50 GB as soup", user="U0GRACE", channel="C0KITCHEN"
        )
        async with session_of(sandbox, *ADA) as session:
            listed = await called(session, "alerts")
            done = await called(session, "silence_alert", name="soup", duration="1h")
        async with session_of(sandbox, "--user", "U0ADA") as session:
            without_slack = await called(session, "alerts")
    names = {alert["name"] for alert in listed["alerts"]}
    assert names == {"ingest-spike", "failed-calls", "soup"}
    assert done["changed"]
    assert "soup" not in str(without_slack)


@pytest.mark.parametrize("fault", ["invalid_auth", "unreachable", "users.info"])
async def test_nothing_changes_without_slack(sandbox: Sandbox, clock: Clock, fault: str) -> None:
    """Who may change an alert is not known then."""
    async with firing(sandbox, clock) as bot, session_of(sandbox, *ADA) as session:
        if fault == "unreachable":
            sandbox.slack.fail("auth.test", processed=False, times=99)
        elif fault == "users.info":
            sandbox.slack.refuse(fault, "internal_error")
        else:
            sandbox.slack.refuse("auth.test", fault)
        errors = [
            await refused(session, "silence_alert", name="ingest-spike", duration="1h"),
            await refused(session, "acknowledge_alert", name="ingest-spike"),
            await refused(session, "unsilence_alert", name="ingest-spike"),
        ]
        assert await bot.store.silences.silences(sandbox.clock()) == []
        # What is read only goes on with what Slack has said last.
        listed = await called(session, "alerts")
        usage = await session.call_tool("usage", {"window": "today"})
    assert not usage.isError
    assert {alert["name"] for alert in listed["alerts"]} == {"ingest-spike", "failed-calls"}
    assert not any(alert["acknowledged"] for alert in listed["alerts"])
    for error in errors:
        assert error["kind"] == "refused"
        assert "Slack cannot be asked who that person is" in error["message"]


@pytest.mark.parametrize("transport", ["stdio", "http"])
@pytest.mark.parametrize("fault", ["users.info", "auth.test"])
async def test_reading_needs_to_know_the_person_once(
    sandbox: Sandbox, transport: str, fault: str
) -> None:
    sandbox.slack.refuse(fault, "internal_error")
    async with session_of(sandbox, "--user", "U0ADA", transport=transport) as session:
        errors = [
            await refused(session, "usage", window="today"),
            await refused(session, "alerts"),
        ]
        sandbox.slack.refusals.clear()
        assert not (await session.call_tool("usage", {"window": "today"})).isError
    assert ["Slack cannot be asked" in error["message"] for error in errors] == [True, True]


async def test_who_has_left_is_not_let_in_by_an_outage(sandbox: Sandbox) -> None:
    async with session_of(sandbox, "--user", "U0LINUS") as session:
        assert not (await session.call_tool("usage", {"window": "today"})).isError
        sandbox.slack.users["U0LINUS"] = User("U0LINUS", "Linus", "", "", deleted=True)
        error = await refused(session, "usage", window="today")
        assert "deactivated" in error["message"]
        sandbox.slack.refuse("users.info", "internal_error")
        error = await refused(session, "usage", window="today")
        assert "Slack cannot be asked" in error["message"]


async def test_member_of_a_group_keeps_access_for_a_while(sandbox: Sandbox) -> None:
    sandbox.slack.groups["S0ONCALL"] = ["U0LINUS"]
    access = {"usage": ["S0ONCALL"]}
    async with session_of(sandbox, "--user", "U0LINUS", access=access) as session:
        sandbox.slack.refuse("usergroups.users.list", "internal_error")
        for _ in range(2):
            assert not (await session.call_tool("usage", {"window": "today"})).isError
        sandbox.slack.refusals.clear()
        sandbox.slack.groups["S0ONCALL"] = []
        await refused(session, "usage", window="today")


@pytest.mark.parametrize("transport", ["stdio", "http"])
@pytest.mark.parametrize("user", ["U0GONE", "U0NOBODY", "U0THERE"])
async def test_reading_is_for_members(sandbox: Sandbox, transport: str, user: str) -> None:
    sandbox.slack.users["U0GONE"] = User("U0GONE", "Gone", "", "", deleted=True)
    sandbox.slack.users["U0THERE"] = User("U0THERE", "There", "", "", team="T0ELSEWHERE")
    async with session_of(sandbox, "--user", user, transport=transport) as session:
        error = await refused(session, "usage", window="today")
        alerts = await session.call_tool("alerts", {})
    assert error["kind"] == "refused"
    assert alerts.isError or structured(alerts)["alerts"] == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--allow-changes"], "needs --user"),
        (["--allow-changes", "--user", " "], "--user is empty"),
        (["--allow-changes", "--user", "U0ADA", "--http"], "needs a token"),
    ],
    ids=["nobody", "empty", "open port"],
)
async def test_changes_need_a_person(run_cli: Run, words: list[str], message: str) -> None:
    ran = await run_cli("mcp", *words)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err


async def test_changes_need_the_token_of_slack(run_cli: Run) -> None:
    ran = await run_cli("mcp", *ADA, SLACK_BOT_TOKEN="")
    assert ran.code == 2
    assert "SLACK_BOT_TOKEN" in ran.err
