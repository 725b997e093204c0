"""What Slack knows about people: their time zone and the groups they are in. Remembered for a while, never required."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import tzinfo
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

T = TypeVar("T")
KEPT_S = 600.0
PATIENCE_S = 5.0


class People(Protocol):
    """Who somebody is, as far as a question needs to know."""

    async def zone(self, user: str) -> tzinfo: ...

    async def groups_of(self, user: str, groups: Sequence[str]) -> Sequence[str]: ...


class SlackPeople:
    """People as Slack knows them (`users.info`, `usergroups.users.list`); `fallback` is the zone where Slack does not tell."""

    def __init__(self, client: AsyncWebClient, fallback: tzinfo) -> None:
        self._client, self._fallback = client, fallback
        self._zones: dict[str, tuple[float, tzinfo]] = {}
        self._members: dict[str, tuple[float, frozenset[str]]] = {}

    async def zone(self, user: str) -> tzinfo:
        return await _remembered(self._zones, user, lambda: self._ask_zone(user), otherwise=self._fallback)

    async def groups_of(self, user: str, groups: Sequence[str]) -> Sequence[str]:
        """Which of the groups the person is in; a group that cannot be read counts as one they are not in."""
        members = await asyncio.gather(
            *(_remembered(self._members, g, lambda g=g: self._ask_members(g), otherwise=frozenset[str]()) for g in groups)  # type: ignore[misc]
        )
        return [group for group, users in zip(groups, members, strict=True) if user in users]

    async def _ask_zone(self, user: str) -> tzinfo:
        answer = await self._client.users_info(user=user)
        return ZoneInfo(answer["user"]["tz"])

    async def _ask_members(self, group: str) -> frozenset[str]:
        answer = await self._client.usergroups_users_list(usergroup=group)
        return frozenset(answer["users"])


async def _remembered(kept: dict[str, tuple[float, T]], key: str, ask: Callable[[], Awaitable[T]], *, otherwise: T) -> T:
    """What was learned lately, or what Slack says now, or `otherwise`; a failure is remembered, too."""
    known = kept.get(key)
    if known and time.monotonic() - known[0] < KEPT_S:
        return known[1]
    try:
        found = await asyncio.wait_for(ask(), PATIENCE_S)
    except (SlackApiError, aiohttp.ClientError, TimeoutError, KeyError, TypeError, ValueError, OSError):
        found = known[1] if known else otherwise
    kept[key] = (time.monotonic(), found)
    return found
