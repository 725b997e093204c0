"""What is cached about people: for how long, and what applies if Slack does not answer."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.access import AccessPolicy, Membership
from bot.errors import SlackRefused
from bot.slack.users import OLDEST_LIST_S, RIGHTS_KEPT_S, SlackUserDirectory

START = datetime(2026, 11, 21, 12, tzinfo=UTC)


class FakeSlack:
    """Answers with what it was given, or refuses with a code."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.calls = 0

    async def read(self, method: str, **arguments: str) -> Any:
        self.calls += 1
        found = self.answers[next(iter(arguments.values()))]
        if isinstance(found, str):
            raise SlackRefused(found)
        return {"user" if method == "users.info" else "users": found}


class SetClock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


def people_of(slack: FakeSlack) -> tuple[SlackUserDirectory, SetClock]:
    clock = SetClock()
    people = SlackUserDirectory(slack, ZoneInfo("Europe/Dublin"), clock)  # type: ignore[arg-type]
    people.workspace = frozenset({"T0OURS", "E0OURS"})
    return people, clock


async def test_who_leaves_group_loses_it_within_a_minute() -> None:
    slack = FakeSlack(S0ONCALL=["U0ADA"])
    people, clock = people_of(slack)
    assert await people.groups_of("U0ADA", ["S0ONCALL"]) == ["S0ONCALL"]
    slack.answers["S0ONCALL"] = ["U0GRACE"]
    assert await people.groups_of("U0ADA", ["S0ONCALL"]) == ["S0ONCALL"]
    assert slack.calls == 1
    clock.now += timedelta(seconds=RIGHTS_KEPT_S + 1)
    assert await people.groups_of("U0ADA", ["S0ONCALL"]) == []


async def test_several_at_once_ask_slack_once() -> None:
    slack = FakeSlack(S0ONCALL=["U0ADA"], U0ADA={"team_id": "T0OURS"})
    people, _ = people_of(slack)
    found = await asyncio.gather(*(people.groups_of("U0ADA", ["S0ONCALL"]) for _ in range(100)))
    assert found == [["S0ONCALL"]] * 100
    await asyncio.gather(*(people.membership("U0ADA") for _ in range(100)))
    assert slack.calls == 2


@pytest.mark.parametrize("code", ["no_such_subteam", "subteam_disabled"])
async def test_group_that_is_gone_has_no_members(code: str) -> None:
    slack = FakeSlack(S0ONCALL=["U0ADA"])
    people, clock = people_of(slack)
    await people.groups_of("U0ADA", ["S0ONCALL"])
    slack.answers["S0ONCALL"] = code
    clock.now += timedelta(seconds=RIGHTS_KEPT_S + 1)
    assert await people.groups_of("U0ADA", ["S0ONCALL"]) == []
    assert people.unknown_groups(["S0ONCALL"]) == []


async def test_list_without_refresh_lasts_an_hour(caplog: pytest.LogCaptureFixture) -> None:
    slack = FakeSlack(S0ONCALL=["U0ADA"])
    people, clock = people_of(slack)
    await people.groups_of("U0ADA", ["S0ONCALL"])
    slack.answers["S0ONCALL"] = "internal_error"
    for minutes in range(5, 60, 5):
        clock.now = START + timedelta(minutes=minutes)
        assert await people.groups_of("U0ADA", ["S0ONCALL"]) == ["S0ONCALL"], minutes
    assert caplog.records == []
    clock.now = START + timedelta(seconds=OLDEST_LIST_S + 1)
    for _ in range(2):
        assert await people.groups_of("U0ADA", ["S0ONCALL"]) == []
    assert people.unknown_groups(["S0ONCALL"]) == ["S0ONCALL"]
    assert [record.getMessage() for record in caplog.records] == [
        (
            "The members of the user group S0ONCALL cannot be looked up in Slack; the group counts "
            "as empty."
        )
    ]
    slack.answers["S0ONCALL"] = ["U0ADA"]
    clock.now += timedelta(minutes=1)
    assert await people.groups_of("U0ADA", ["S0ONCALL"]) == ["S0ONCALL"]
    assert people.unknown_groups(["S0ONCALL"]) == []


async def test_clock_put_back_still_expires_lists() -> None:
    slack = FakeSlack(S0ONCALL=["U0ADA"])
    people, clock = people_of(slack)
    await people.groups_of("U0ADA", ["S0ONCALL"])
    slack.answers["S0ONCALL"] = []
    clock.now -= timedelta(days=1)
    assert await people.groups_of("U0ADA", ["S0ONCALL"]) == ["S0ONCALL"]
    clock.now += timedelta(days=2)
    assert await people.groups_of("U0ADA", ["S0ONCALL"]) == []


@pytest.mark.parametrize(
    ("found", "membership"),
    [
        ({"team_id": "T0OURS", "tz": "Asia/Tokyo"}, Membership.MEMBER),
        ({}, Membership.UNKNOWN),
        ({"is_stranger": True}, Membership.EXTERNAL),
        ("missing_scope", Membership.UNKNOWN),
        ({"team_id": "T0OURS", "deleted": True}, Membership.GONE),
        ({"team_id": "T0ELSEWHERE"}, Membership.EXTERNAL),
        (
            {"team_id": "T0SISTER", "enterprise_user": {"enterprise_id": "E0OURS"}},
            Membership.MEMBER,
        ),
        ({"team_id": "T0OURS", "is_stranger": True}, Membership.EXTERNAL),
        ("user_not_found", Membership.GONE),
        ("user_not_visible", Membership.EXTERNAL),
        ("internal_error", Membership.UNKNOWN),
    ],
)
async def test_membership_comes_from_slack(found: Any, membership: Membership) -> None:
    people, _ = people_of(FakeSlack(U0ADA=found))
    assert await people.membership("U0ADA") is membership
    expected = "Asia/Tokyo" if isinstance(found, dict) and "tz" in found else "Europe/Dublin"
    assert str(await people.zone("U0ADA")) == expected


async def test_unknown_person_is_looked_up_again_within_seconds(
    caplog: pytest.LogCaptureFixture,
) -> None:
    slack = FakeSlack(U0ADA="ratelimited")
    people, clock = people_of(slack)
    for _ in range(3):
        assert await people.membership("U0ADA") is Membership.UNKNOWN
    assert slack.calls == 1
    slack.answers["U0ADA"] = {"team_id": "T0OURS"}
    clock.now += timedelta(seconds=6)
    assert await people.membership("U0ADA") is Membership.MEMBER
    # What is known stays so, however long Slack does not answer.
    slack.answers["U0ADA"] = "ratelimited"
    clock.now += timedelta(days=7)
    assert await people.membership("U0ADA") is Membership.MEMBER
    # Once for each outage.
    assert [record.getMessage() for record in caplog.records] == [
        (
            "People cannot be looked up in Slack (ratelimited); `*` under [access] does not cover "
            "those whom it has not described yet."
        )
    ] * 2


ACCESS = AccessPolicy({"usage": ["*"], "apiaudit": ["U0ADA", "S0ONCALL"], "logs": ["C0OPS"]})


@pytest.mark.parametrize(
    ("command", "who", "may"),
    [
        ("usage", {"user": "U0LINUS", "channel": ""}, True),
        ("usage", {"user": "U0LINUS", "channel": "", "membership": Membership.EXTERNAL}, False),
        ("usage", {"user": "U0LINUS", "channel": "", "membership": Membership.GONE}, False),
        ("usage", {"user": "U0LINUS", "channel": "", "membership": Membership.UNKNOWN}, False),
        ("apiaudit", {"user": "U0ADA", "channel": "", "membership": Membership.UNKNOWN}, True),
        ("apiaudit", {"user": "U0ADA", "channel": "", "membership": Membership.EXTERNAL}, True),
        ("apiaudit", {"user": "U0ADA", "channel": "", "membership": Membership.GONE}, False),
        ("apiaudit", {"user": "U0LINUS", "channel": "C0OPS", "groups": ["S0ONCALL"]}, True),
        ("logs", {"user": "U0LINUS", "channel": "C0OPS"}, True),
        ("logs", {"user": "U0LINUS", "channel": "D0LINUS"}, False),
        ("logs", {"user": "", "channel": ""}, False),
        ("apiaudit", {"user": "*", "channel": ""}, False),
    ],
)
def test_one_match_suffices(command: Any, who: dict[str, Any], may: bool) -> None:
    assert ACCESS.may_ask(command, **who) is may


class FakeSlackWithGroups(FakeSlack):
    """Also lists its user groups."""

    async def read(self, method: str, **arguments: str) -> Any:
        if method != "usergroups.list":
            return await super().read(method, **arguments)
        self.calls += 1
        if "groups" not in self.answers:
            raise SlackRefused("missing_scope")
        return {"usergroups": self.answers["groups"]}


async def test_names_of_people_and_groups_are_known() -> None:
    groups = [{"id": "S0ONCALL", "handle": "oncall"}, {"id": "S0EMPTY"}]
    slack = FakeSlackWithGroups(U0ADA={"real_name": "Ada"}, U0GONE="user_not_found", groups=groups)
    people, _ = people_of(slack)
    for _ in range(3):
        found = await people.names(["U0ADA", "U0GONE", "S0ONCALL", "S0DELETED"])
        assert found == {"U0ADA": "Ada", "S0ONCALL": "group oncall"}
    assert slack.calls == 3
    assert await people.names([]) == {}


async def test_unknown_groups_have_no_name() -> None:
    people, _ = people_of(FakeSlackWithGroups(U0ADA={"real_name": "Ada"}))
    assert await people.names(["U0ADA", "S0ONCALL"]) == {"U0ADA": "Ada"}
