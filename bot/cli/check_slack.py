"""Whether Slack knows the channels, people and user groups that the configuration names, and
whether its clock agrees with ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot import formatting
from bot.alerts.paging import channels, mentions
from bot.config import Settings
from bot.questions.registry import COMMANDS
from bot.slack.errors import error_code
from providers.http.connections import describe_failure
from providers.models import Check

# Slack refuses signatures that are older than five minutes; schedules and windows are wrong long
# before.
MOST_SKEW_S = 30.0
# A workspace with many channels has many pages to read.
WITHIN_S = 60.0
# users.info and conversations.info take about fifty calls a minute or more, so a very long
# configuration is not checked to its end.
MOST_LOOKED_UP = 100
# A burst of calls could be answered with 429.
AT_ONCE = 4
KINDS = "public_channel,private_channel"
INVITE = "Type `/invite @Opswatch` in it."


@dataclass(slots=True)
class SlackDirectory:
    """Looks up what the configuration names. Its methods return what is wrong and what to do, or
    None.
    """

    client: AsyncWebClient
    _names: dict[str, dict[str, object]] = field(default_factory=dict)

    async def problem(self, name: str) -> tuple[str, str] | None:
        if name.startswith("#"):
            return self._named(name)
        if name.startswith("S"):
            return await self._group(name)
        if name.startswith(("U", "W")):
            return await self._person(name)
        return await self._channel(name)

    async def list_names(self, wanted: Iterable[str]) -> None:
        """Reads the list of channels until each wanted name is found."""
        missing = {name for name in wanted if name.startswith("#")}
        cursor = ""
        while missing:
            page = await self.client.conversations_list(
                # The most that conversations.list returns at once; it has no search by name.
                types=KINDS,
                exclude_archived=False,
                limit=1000,
                cursor=cursor,
            )
            self._names |= {f"#{found['name']}": found for found in page["channels"]}
            missing -= self._names.keys()
            cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                return

    def _named(self, name: str) -> tuple[str, str] | None:
        found = self._names.get(name)
        if found is None:
            return (
                "There is no such channel, or it is private and the bot is not in it.",
                f"Check the name, or use the channel's ID. {INVITE}",
            )
        return _membership(found)

    async def _channel(self, channel: str) -> tuple[str, str] | None:
        try:
            found = (await self.client.conversations_info(channel=channel))["channel"]
        except SlackApiError as error:
            # Anything else is a failure of the check, and not of the configuration.
            if error.response.get("error") != "channel_not_found":
                raise
            return (
                "Slack knows no such channel, or it is private and the bot is not in it.",
                f"Check the ID in the channel's details. {INVITE}",
            )
        # Direct messages have no members to check.
        return None if found.get("is_im") else _membership(found)

    async def _person(self, user: str) -> tuple[str, str] | None:
        try:
            found = (await self.client.users_info(user=user))["user"]
        except SlackApiError as error:
            if error.response.get("error") not in (
                "user_not_found",
                "users_not_found",
                "user_not_visible",
            ):
                raise
            return "Slack knows no such person.", "Copy the member ID from the person's profile."
        return (
            ("This person was deactivated.", "Take the ID out.") if found.get("deleted") else None
        )

    async def _group(self, group: str) -> tuple[str, str] | None:
        try:
            users = (await self.client.usergroups_users_list(usergroup=group))["users"]
        except SlackApiError as error:
            if error.response.get("error") not in (
                "no_such_subteam",
                "subteam_not_found",
                "subteam_disabled",
            ):
                raise
            return (
                "Slack knows no such user group, or it is disabled, so it includes nobody.",
                "Check the ID, or enable the group.",
            )
        return (
            None
            if users
            else (
                "This user group has no members, so it includes nobody.",
                "Add members in Slack.",
            )
        )


async def check_names(client: AsyncWebClient, settings: Settings) -> list[Check]:
    """A check for each configured channel, person and user group that is wrong, and one if Slack
    does not answer.
    """
    named = named_in(settings)
    looked_up = dict([*named.items()][:MOST_LOOKED_UP])
    try:
        async with asyncio.timeout(WITHIN_S):
            return await _look_up(client, looked_up)
    except (
        SlackApiError,
        aiohttp.ClientError,
        TimeoutError,
        OSError,
        KeyError,
        TypeError,
        AttributeError,
    ) as error:
        detail = (
            "Slack did not report whether the channels, people and groups in bot.toml exist "
            f"({_why_no_answer(error)})."
        )
        hint = "Run the check again; nothing in bot.toml needs to be changed for this."
        return [Check("slack names", ok=False, detail=detail, hint=hint)]


def _why_no_answer(error: Exception) -> str:
    if isinstance(error, SlackApiError):
        return error_code(error)
    if isinstance(error, TimeoutError):
        return f"no answer within {WITHIN_S:.0f} s"
    if isinstance(error, KeyError | TypeError | AttributeError):
        return "its answer could not be read; is a proxy in between?"
    failure = describe_failure(error, setting="SLACK_API_URL")
    return failure.with_host if failure else "it could not be reached"


def named_in(settings: Settings) -> dict[str, list[str]]:
    """Every channel, person and user group that the configuration names, and by which settings."""
    found: dict[str, list[str]] = {}
    if settings.slack.ops_channel:
        # By name, so that one that several settings have is looked up once.
        found.setdefault(settings.slack.ops_channel, []).append("ops_channel")
    for what, entries in (("digest", settings.digest), ("alert", settings.alert)):
        for entry in entries:
            found.setdefault(entry.channel, []).append(f"{what} {entry.name}")
    for alert in settings.alert:
        called = (*alert.notify, *alert.escalate_to)
        for who in dict.fromkeys((*mentions(called), *channels(called))):
            found.setdefault(who, []).append(f"alert {alert.name}")
    allowed = {name: settings.access.allowed(name) for name in COMMANDS}
    further = {"manage": settings.access.manage or (), "notify": settings.access.notify or ()}
    for key, people in {**allowed, **further}.items():
        for who in people:
            if who != "*":
                found.setdefault(who, []).append(f"[access] {key}")
    return found


async def _look_up(client: AsyncWebClient, named: Mapping[str, list[str]]) -> list[Check]:
    directory = SlackDirectory(client)
    turns = asyncio.Semaphore(AT_ONCE)
    await directory.list_names(named)

    async def look_up(name: str, where: list[str]) -> Check | None:
        async with turns:
            problem = await directory.problem(name)
        if problem is None:
            return None
        detail, hint = problem
        return Check(
            f"{_kind(name)} {name}",
            ok=False,
            detail=f"{detail} Named by {formatting.join_words(where[:5])}.",
            hint=hint,
        )

    checks = await asyncio.gather(*(look_up(name, where) for name, where in named.items()))
    return [check for check in checks if check]


def check_clock(date: str | None, now: datetime) -> Check | None:
    """How our clock differs from the `Date` of Slack's answer; None if they agree, or Slack sent no
    date.
    """
    try:
        slack = parsedate_to_datetime(date or "")
    except (ValueError, OverflowError):
        return None
    # RFC 9110 has the zone; a proxy may write the date without it.
    ahead_s = (now - (slack if slack.tzinfo else slack.replace(tzinfo=UTC))).total_seconds()
    if abs(ahead_s) <= MOST_SKEW_S:
        return None
    direction = "ahead of" if ahead_s > 0 else "behind"
    detail = (
        f"The clock of this machine is {abs(ahead_s):,.0f} s {direction} Slack's, so schedules, "
        "windows and signatures are wrong."
    )
    return Check(
        "clock", ok=False, detail=detail, hint="Set the clock of the machine, by NTP for example."
    )


def is_ours(check: Check) -> bool:
    """Whether the configuration or the machine is wrong, rather than Slack."""
    return check.name == "clock" or check.name.split(" ")[0] in ("channel", "person", "group")


def _kind(name: str) -> str:
    if name.startswith("S"):
        return "group"
    return "person" if name.startswith(("U", "W")) else "channel"


def _membership(channel: Mapping[str, object]) -> tuple[str, str] | None:
    if channel.get("is_archived"):
        # Before membership: nobody can join an archived channel.
        return "This channel is archived.", "Unarchive it, or name another one."
    return None if channel.get("is_member") else ("The bot is not in this channel.", INVITE)
