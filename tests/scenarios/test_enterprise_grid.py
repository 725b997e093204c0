"""Installed to a whole Enterprise Grid organisation, the bot looks names up in one workspace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bot.errors import ConfigError
from bot.sandbox.world import Sandbox
from tests.conftest import connected_bot

GRID = {"team_id": "T0SANDBOX", "ops_channel": "#ops"}
ON_CALL = {"usage": ["*"], "apiaudit": ["S0ONCALL"], "logs": []}


@pytest.fixture(autouse=True)
def organisation(world: Sandbox) -> None:
    world.slack.is_org_install = True


def looked_up(world: Sandbox, method: str) -> list[str]:
    return [str(entry) for entry in world.slack.requests if entry.path.endswith(method)]


async def test_user_groups_are_looked_up_in_the_workspace(world: Sandbox) -> None:
    member = world.slack.groups["S0ONCALL"][0]
    async with connected_bot(world, slack=GRID, access=ON_CALL):
        answer = await world.slack.answer_to("/apiaudit 2h", user=member)
        assert "call" in answer.text
    assert not [refused for refused in world.slack.refused if "missing_argument" in refused]
    assert all("team_id" in asked for asked in looked_up(world, "usergroups.users.list"))


async def test_members_of_the_workspace_are_no_strangers(world: Sandbox) -> None:
    """`*` means everyone in the organisation, whose token names no workspace."""
    async with connected_bot(world, slack=GRID, access=ON_CALL):
        assert "in 7 days" in (await world.slack.answer_to("/usage last 7 days")).text


async def test_check_looks_channels_up_in_the_workspace(
    world: Sandbox, front_door: Callable[..., Any]
) -> None:
    ran = await front_door(
        "check", "--json", table={**world.table(), "slack": GRID, "access": ON_CALL}
    )
    assert ran.json["ok"], ran.out
    assert looked_up(world, "conversations.list")


async def test_check_asks_for_the_workspace(world: Sandbox, front_door: Callable[..., Any]) -> None:
    ran = await front_door("check", "--json")
    assert ran.code == 2
    [failed] = [check for check in ran.json["checks"] if check["name"] == "workspace"]
    assert not failed["ok"]
    assert "team_id" in failed["hint"]


async def test_one_workspace_is_asked_without_its_id(world: Sandbox) -> None:
    world.slack.is_org_install = False
    member = world.slack.groups["S0ONCALL"][0]
    async with connected_bot(world, access=ON_CALL):
        await world.slack.answer_to("/apiaudit 2h", user=member)
    asked = looked_up(world, "usergroups.users.list")
    assert asked
    assert "team_id" not in "".join(asked)


@pytest.mark.parametrize("wrong", ["E0ORG", "sandbox", "t0sandbox", "", 7])
def test_wrong_team_id_is_named(world: Sandbox, wrong: Any) -> None:
    with pytest.raises(ConfigError) as raised:
        world.settings(slack={"team_id": wrong})
    [problem] = raised.value.problems
    assert problem.key == "slack.team_id"
