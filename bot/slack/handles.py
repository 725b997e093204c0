"""Finds people, user groups and channels by their handles: `@oncall`, `@ada`, `#incidents`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from bot.slack.client import SlackClient

# A workspace with more people than these pages hold is not read to its end; an id always works.
MOST_PAGES = 10
_KINDS = "public_channel,private_channel"


class Handles(Protocol):
    """Looks up ids; an empty string if nothing has that handle. Raises what the client raises."""

    async def mentioned(self, handle: str) -> str: ...

    async def channel(self, name: str) -> str: ...


class SlackHandles:
    """Handles from `usergroups.list`, `users.list` and `conversations.list`, read when a rule is
    created.
    """

    def __init__(self, client: SlackClient) -> None:
        self._client = client

    async def mentioned(self, handle: str) -> str:
        """The id of the user group or the person with that handle. A name that several people have
        is nobody's.
        """
        name = handle.removeprefix("@").lower()
        groups = (await self._client.read("usergroups.list")).get("usergroups") or []
        found = [str(group["id"]) for group in groups if _is_called(group, name)]
        if found:
            return found[0]
        people: list[str] = []
        async for page in self._client.pages("users.list", limit=1000, most=MOST_PAGES):
            members = page.get("members") or []
            # The user name is unique in a workspace; display names are not.
            if own := [str(user["id"]) for user in members if _lower(user, "name") == name]:
                return own[0]
            people += [str(user["id"]) for user in members if _is_person(user, name)]
        return people[0] if len(people) == 1 else ""

    async def channel(self, name: str) -> str:
        """The id of the channel with that name."""
        pages = self._client.pages(
            "conversations.list", types=_KINDS, exclude_archived=True, limit=1000
        )
        async for page in pages:
            for found in page["channels"]:
                if f"#{found['name']}" == name:
                    return str(found["id"])
        return ""


def _is_called(group: dict[str, Any], name: str) -> bool:
    return _lower(group, "handle") == name and not group.get("date_delete")


def _is_person(user: dict[str, Any], name: str) -> bool:
    """Whether an active person shows that name."""
    profile = user.get("profile") or {}
    shown = {_lower(profile, "display_name_normalized"), _lower(profile, "display_name")}
    return name in shown and not user.get("deleted")


def _lower(fields: dict[str, Any], name: str) -> str:
    return str(fields.get(name) or "").lower()
