"""Installed to a whole Enterprise Grid organisation, the bot looks names up in one workspace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bot.errors import ConfigError
from bot.sandbox.sandbox import Sandbox
from tests.conftest import connected_bot

GRID = {"team_id": "T0SANDBOX", "ops_channel": "#ops"}
ON_CALL = {"usage": ["*"], "apiaudit": ["S0ONCALL"], "logs": []}


@pytest.fixture(autouse=True)
def organisation(sandbox: Sandbox) -> None:
    sandbox.slack.is_org_install = True


def looked_up(sandbox: Sandbox, method: str) -> list[str]:
    return [str(entry) for entry in sandbox.slack.requests if entry.path.endswith(method)]


async def test_user_groups_are_looked_up_in_the_workspace(sandbox: Sandbox) -> None:
    member = sandbox.slack.groups["S0ONCALL"][0]
    async with connected_bot(sandbox, slack=GRID, access=ON_CALL):
        answer = await sandbox.slack.answer_to("/apiaudit 2h", user=member)
        assert "call" in answer.text
    assert not [refused for refused in sandbox.slack.refused if "missing_argument" in refused]
    assert all("team_id" in asked for asked in looked_up(sandbox, "usergroups.users.list"))


async def test_members_of_the_workspace_are_no_strangers(sandbox: Sandbox) -> None:
    """`*` means everyone in the organisation, whose token names no workspace."""
    async with connected_bot(sandbox, slack=GRID, access=ON_CALL):
        assert "in 7 days" in (await sandbox.slack.answer_to("/usage last 7 days")).text


async def test_check_looks_channels_up_in_the_workspace(
    sandbox: Sandbox, run_cli: Callable[..., Any]
) -> None:
    ran = await run_cli(
        "check", "--json", table={**sandbox.table(), "slack": GRID, "access": ON_CALL}
    )
    assert ran.json["ok"], ran.out
    assert looked_up(sandbox, "conversations.list")


async def test_check_asks_for_the_workspace(sandbox: Sandbox, run_cli: Callable[..., Any]) -> None:
    ran = await run_cli("check", "--json")
    assert ran.code == 2
    [failed] = [check for check in ran.json["checks"] if check["name"] == "workspace"]
    assert not failed["ok"]
    assert "team_id" in failed["hint"]


async def test_one_workspace_is_asked_without_its_id(sandbox: Sandbox) -> None:
    sandbox.slack.is_org_install = False
    member = sandbox.slack.groups["S0ONCALL"][0]
    async with connected_bot(sandbox, access=ON_CALL):
        await sandbox.slack.answer_to("/apiaudit 2h", user=member)
    asked = looked_up(sandbox, "usergroups.users.list")
    assert asked
    assert "team_id" not in "".join(asked)


@pytest.mark.parametrize("wrong", ["E0ORG", "sandbox", "t0sandbox", "", 7])
def test_wrong_team_id_is_named(sandbox: Sandbox, wrong: Any) -> None:
    with pytest.raises(ConfigError) as raised:
        sandbox.settings(slack={"team_id": wrong})
    [problem] = raised.value.problems
    assert problem.key == "slack.team_id"
