"""Looks people up in Slack: their time zone, whether they belong to the workspace, and their user
groups.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar
from zoneinfo import ZoneInfo

from msgspec import Struct

from bot.access import Membership
from bot.errors import SlackDeliveryUnknown, SlackRefused

if TYPE_CHECKING:
    from bot.slack.client import SlackClient

log = logging.getLogger("opswatch")
T = TypeVar("T")
# Time zones and names change rarely.
PROFILE_KEPT_S = 600.0
# So that access is lost within a minute of leaving a group or of deactivation.
RIGHTS_KEPT_S = 60.0
# How long a list of members is used if Slack does not answer.
OLDEST_LIST_S = 3600.0
# A failing Slack is asked again soon, but not by every question.
TRY_AGAIN_AFTER_S = 30.0
# The same while nothing is known, and so people have no access.
TRY_UNKNOWN_AFTER_S = 5.0
LOOKUP_TIMEOUT_S = 5.0
# Slack's errors for a user group that was deleted or disabled, and for a person who does not exist
# or is not visible to the app.
NO_GROUP = frozenset(
    {
        "no_such_subteam",
        "subteam_not_found",
        "subteam_disabled",
        "no_such_usergroup",
        "usergroup_not_found",
    }
)
NO_PERSON = frozenset({"user_not_found", "users_not_found"})
NOT_SHOWN = "user_not_visible"


class Person(Struct, frozen=True):
    """A person as Slack describes them."""

    zone: tzinfo
    membership: Membership = Membership.MEMBER
    name: str = ""


class UserDirectory(Protocol):
    """What handlers need to know about people."""

    async def zone(self, user: str) -> tzinfo: ...

    async def name(self, user: str) -> str: ...

    async def names(self, mentions: Collection[str]) -> Mapping[str, str]: ...

    async def membership(self, user: str, *, kept_s: float = PROFILE_KEPT_S) -> Membership: ...

    async def groups_of(self, user: str, groups: Sequence[str]) -> Sequence[str]: ...

    def unknown_groups(self, groups: Sequence[str]) -> Sequence[str]: ...


class SlackUserDirectory:
    """People from `users.info` and `usergroups.users.list`. `fallback` is the time zone of a person
    without one.

    `workspace` holds the ids of our own team and organisation; people of any other are external.
    If it is empty, nobody is.
    """

    def __init__(
        self,
        client: SlackClient,
        fallback: tzinfo,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client = client
        self._fallback = fallback
        self._profiles = _Cache[Person](clock)
        self._members = _Cache[frozenset[str]](clock)
        self._groups = _Cache[Mapping[str, str]](clock)
        self._failing: set[str] = set()
        self._refusal = ""
        self.workspace: frozenset[str] = frozenset()

    async def zone(self, user: str) -> tzinfo:
        """The person's time zone."""
        return (await self._person(user, PROFILE_KEPT_S)).zone

    async def name(self, user: str) -> str:
        """The person's display name; their id if it cannot be looked up."""
        return (await self._person(user, PROFILE_KEPT_S)).name or user

    async def names(self, mentions: Collection[str]) -> Mapping[str, str]:
        """What people and user groups are called, by id; those that cannot be looked up are left
        out.
        """
        # Most alerts call nobody.
        if not mentions:
            return {}
        people = [each for each in mentions if not each.startswith("S")]
        found = await asyncio.gather(*(self._person(each, PROFILE_KEPT_S) for each in people))
        names = {each: person.name for each, person in zip(people, found, strict=True)}
        if len(people) < len(mentions):
            groups = await self._groups.get("", self._ask_groups, kept_s=PROFILE_KEPT_S) or {}
            names |= {each: f"group {groups[each]}" for each in mentions if each in groups}
        return {each: name for each, name in names.items() if name}

    async def membership(self, user: str, *, kept_s: float = PROFILE_KEPT_S) -> Membership:
        """Whether the person belongs to the workspace; at most `kept_s` old, but for a Slack that does
        not answer. Unknown if it never has.
        """
        return (await self._person(user, kept_s)).membership

    async def groups_of(self, user: str, groups: Sequence[str]) -> Sequence[str]:
        """Which of the groups the person is in. A deleted group, or one whose members are unknown,
        has no members.
        """
        if not groups:
            return ()
        members = await asyncio.gather(*(self._members_of(group) for group in groups))
        return [group for group, users in zip(groups, members, strict=True) if user in users]

    def unknown_groups(self, groups: Sequence[str]) -> Sequence[str]:
        """The groups whose members could not be looked up, and which therefore count as empty."""
        return [group for group in groups if group in self._failing]

    async def _person(self, user: str, kept_s: float) -> Person:
        found = await self._profiles.get(user, lambda: self._ask_person(user), kept_s=kept_s)
        return found or Person(self._fallback, Membership.UNKNOWN)

    async def _members_of(self, group: str) -> frozenset[str]:
        found = await self._members.get(
            group, lambda: self._ask_members(group), kept_s=RIGHTS_KEPT_S, oldest_s=OLDEST_LIST_S
        )
        self._note(group, is_known=found is not None)
        return found if found is not None else frozenset()

    def _note(self, group: str, *, is_known: bool) -> None:
        """Logs once when the members of a group become unknown."""
        if is_known:
            self._failing.discard(group)
        elif group not in self._failing:
            self._failing.add(group)
            log.error(
                (
                    "The members of the user group %s cannot be looked up in Slack; the group counts "
                    "as empty."
                ),
                group,
            )

    def _note_refusal(self, code: str) -> None:
        """Logs each reason once until people can be looked up again."""
        if code != self._refusal:
            self._refusal = code
            log.error(
                (
                    "People cannot be looked up in Slack (%s); `*` under [access] does not cover those "
                    "whom it has not described yet."
                ),
                code,
            )

    async def _ask_groups(self) -> Mapping[str, str]:
        """The handles of all user groups, by id."""
        groups = (await self._client.read("usergroups.list")).get("usergroups") or []
        return {str(group["id"]): str(group.get("handle") or "") for group in groups}

    async def _ask_person(self, user: str) -> Person:
        try:
            found = (await self._client.read("users.info", user=user))["user"]
        except SlackRefused as error:
            code = error.code
            if code not in (*NO_PERSON, NOT_SHOWN):
                self._note_refusal(code)
                raise
            return Person(
                self._fallback, Membership.EXTERNAL if code == NOT_SHOWN else Membership.GONE
            )
        self._refusal = ""
        profile = found.get("profile") or {}
        names = [profile.get("display_name"), found.get("real_name"), found.get("name")]
        return Person(
            self._zone_of(found), self._membership_of(found), str(next(filter(None, names), ""))
        )

    def _zone_of(self, found: dict[str, object]) -> tzinfo:
        try:
            return ZoneInfo(str(found["tz"]))
        except (KeyError, ValueError, OSError):
            return self._fallback

    def _membership_of(self, found: dict[str, object]) -> Membership:
        if found.get("deleted"):
            return Membership.GONE
        organisation = found.get("enterprise_user")
        teams = {
            found.get("team_id"),
            organisation.get("enterprise_id") if isinstance(organisation, dict) else None,
        }
        teams.discard(None)
        if found.get("is_stranger"):
            return Membership.EXTERNAL
        if not self.workspace:
            return Membership.MEMBER
        if not teams:
            return Membership.UNKNOWN
        return Membership.EXTERNAL if teams.isdisjoint(self.workspace) else Membership.MEMBER

    async def _ask_members(self, group: str) -> frozenset[str]:
        try:
            answer = await self._client.read("usergroups.users.list", usergroup=group)
        except SlackRefused as error:
            if error.code not in NO_GROUP:
                raise
            return frozenset()
        return frozenset(answer["users"])


class _Moment(Struct, frozen=True):
    """An instant on two clocks: wall time may jump, and monotonic time stops while the machine is
    suspended.
    """

    wall: datetime
    monotonic: float


class _Entry(Struct, Generic[T]):
    value: T | None
    learned: _Moment | None
    tried: _Moment


class _Cache(Generic[T]):
    """Caches answers of Slack by key. If one cannot be refreshed, the old one is used for a while,
    and the lookup is repeated soon.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._entries: dict[str, _Entry[T]] = {}
        self._asking: dict[str, asyncio.Task[_Entry[T]]] = {}

    async def get(
        self,
        key: str,
        ask: Callable[[], Awaitable[T]],
        *,
        kept_s: float,
        oldest_s: float = float("inf"),
    ) -> T | None:
        """The cached value if it is at most `kept_s` old, else a fresh one; if that fails, the cached
        one up to `oldest_s`, else None.
        """
        known = self._entries.get(key)
        if known is None or not self._is_recent(known, kept_s):
            # Hundreds of alerts of one person may be due at once; they share one request.
            task = self._asking.get(key) or self._ask(key, ask, known)
            known = await asyncio.shield(task)
        if known.learned is None or self._age_s(known.learned) > oldest_s:
            return None
        return known.value

    def _is_recent(self, entry: _Entry[T], kept_s: float) -> bool:
        if entry.learned is not None and self._age_s(entry.learned) < kept_s:
            return True
        # The last attempt failed.
        again_s = TRY_AGAIN_AFTER_S if entry.learned else TRY_UNKNOWN_AFTER_S
        return entry.tried != entry.learned and self._age_s(entry.tried) < again_s

    def _ask(
        self, key: str, ask: Callable[[], Awaitable[T]], known: _Entry[T] | None
    ) -> asyncio.Task[_Entry[T]]:
        task = self._asking[key] = asyncio.create_task(self._learn(key, ask, known))
        task.add_done_callback(lambda _: self._asking.pop(key))
        return task

    async def _learn(
        self, key: str, ask: Callable[[], Awaitable[T]], known: _Entry[T] | None
    ) -> _Entry[T]:
        now = self._now()
        try:
            async with asyncio.timeout(LOOKUP_TIMEOUT_S):
                entry = _Entry(await ask(), now, now)
        except (SlackRefused, SlackDeliveryUnknown, TimeoutError, KeyError, TypeError, ValueError):
            entry = _Entry(known.value, known.learned, now) if known else _Entry[T](None, None, now)
        self._entries[key] = entry
        return entry

    def _now(self) -> _Moment:
        return _Moment(self._clock(), time.monotonic())

    def _age_s(self, moment: _Moment) -> float:
        now = self._now()
        return max(now.monotonic - moment.monotonic, (now.wall - moment.wall).total_seconds())
