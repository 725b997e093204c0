"""Channels, people and user groups: `conversations.*`, `users.*` and `usergroups.*`, in pages."""

from __future__ import annotations

from typing import Any

from bot.sandbox.slack.records import (
    BOT,
    Message,
)
from bot.sandbox.slack.state import SlackState


class DirectoryApi(SlackState):
    """Channels, people and user groups: `conversations.*`, `users.*` and `usergroups.*`, in pages."""

    __slots__ = ()

    def _api_conversations_list(self, args: dict[str, Any]) -> dict[str, Any]:
        """One channel a page, so that whoever asks has to follow the cursor."""
        if self._lacks_team(args):
            return {"ok": False, "error": "missing_argument"}
        listed = [channel for channel in self.channels.values() if not channel.direct_with]
        at = int(args.get("cursor") or 0)
        # The cursor is the position, since nothing changes between two pages.
        most = self.listed_per_page
        found = [
            {"id": c.id, "name": c.name, "is_member": c.bot_is_in} for c in listed[at : at + most]
        ]
        cursor = str(at + most) if at + most < len(listed) else ""
        return {"ok": True, "channels": found, "response_metadata": {"next_cursor": cursor}}

    def _api_conversations_info(self, args: dict[str, Any]) -> dict[str, Any]:
        """A channel; one with `members` is private, and is not known to a bot that is not in it."""
        channel = self.channels.get(args.get("channel", ""))
        if channel is None or (channel.members is not None and not channel.bot_is_in):
            return {"ok": False, "error": "channel_not_found"}
        if channel.direct_with:
            return {
                "ok": True,
                "channel": {"id": channel.id, "is_im": True, "user": channel.direct_with},
            }
        facts: dict[str, Any] = {
            "is_member": channel.bot_is_in,
            "is_private": channel.members is not None,
            "is_archived": False,
            "is_ext_shared": channel.is_ext_shared,
        }
        tabs = [
            {"id": f"Ct{c.id[1:]}", "type": "canvas", "label": "", "data": {"file_id": c.id}}
            for c in self.canvases.values()
            if c.channel == channel.id
        ]
        facts |= {"properties": {"tabs": [{"id": "files", "type": "files", "label": ""}, *tabs]}}
        return {"ok": True, "channel": {"id": channel.id, "name": channel.name, **facts}}

    def _api_conversations_members(self, args: dict[str, Any]) -> dict[str, Any]:
        """Who is in a channel, one person a page."""
        channel = self.channels.get(args.get("channel", ""))
        if channel is None:
            return {"ok": False, "error": "channel_not_found"}
        members = channel.members if channel.members is not None else tuple(self.users)
        at = int(args.get("cursor") or 0)
        more = str(at + 1) if at + 1 < len(members) else ""
        return {
            "ok": True,
            "members": list(members[at : at + 1]),
            "response_metadata": {"next_cursor": more},
        }

    def _api_conversations_history(self, args: dict[str, Any]) -> dict[str, Any]:
        """The messages of a channel, newest first, a page; metadata only where it is asked for.
        Names are not taken.
        """
        channel = self.channels.get(args.get("channel", ""))
        if channel is None:
            return {"ok": False, "error": "channel_not_found"}
        if not channel.bot_is_in:
            return {"ok": False, "error": "not_in_channel"}
        here = [
            m
            for m in self.messages
            if m.channel == channel.id and not m.seen_by and (not m.thread_ts or m.broadcast)
        ]
        return _page_of(here[::-1], args, self.messages_per_page)

    def _api_conversations_replies(self, args: dict[str, Any]) -> dict[str, Any]:
        """A page of a message and the replies in its thread, oldest first."""
        root = next(
            (
                m
                for m in self.messages
                if m.ts == args.get("ts") and m.channel == args.get("channel")
            ),
            None,
        )
        if root is None or root.seen_by:
            return {"ok": False, "error": "thread_not_found"}
        if not self.channels[root.channel].bot_is_in:
            return {"ok": False, "error": "not_in_channel"}
        return _page_of(
            [
                root,
                *(m for m in self.messages if m.thread_ts == root.ts and m.channel == root.channel),
            ],
            args,
            self.messages_per_page,
        )

    def _api_conversations_open(self, args: dict[str, Any]) -> dict[str, Any]:
        user = args.get("users", "")
        if user not in self.users:
            return {"ok": False, "error": "user_not_found"}
        return {"ok": True, "channel": {"id": self._direct_channel(user).id}}

    def _api_users_info(self, args: dict[str, Any]) -> dict[str, Any]:
        user = self.users.get(args.get("user", ""))
        if user is None:
            return {"ok": False, "error": "user_not_found"}
        names = {"name": user.name.lower(), "real_name": user.name}
        shown = {
            "id": user.id,
            "team_id": user.team,
            "deleted": user.deleted,
            **names,
            "tz": user.tz,
            "is_bot": False,
        }
        return {"ok": True, "user": shown}

    def _api_users_list(self, args: dict[str, Any]) -> dict[str, Any]:
        """One person a page, so that whoever asks has to follow the cursor."""
        if self._lacks_team(args):
            return {"ok": False, "error": "missing_argument"}
        listed = list(self.users.values())
        at = int(args.get("cursor") or 0)
        members = [
            {
                "id": user.id,
                "name": user.name.lower(),
                "deleted": user.deleted,
                "profile": {"display_name": user.name, "display_name_normalized": user.name},
            }
            for user in listed[at : at + 1]
        ]
        cursor = str(at + 1) if at + 1 < len(listed) else ""
        return {"ok": True, "members": members, "response_metadata": {"next_cursor": cursor}}

    def _api_usergroups_list(self, args: dict[str, Any]) -> dict[str, Any]:
        if self._lacks_team(args):
            return {"ok": False, "error": "missing_argument"}
        found = [
            {"id": group, "handle": group[2:].lower(), "name": group[2:].title(), "date_delete": 0}
            for group in self.groups
        ]
        return {"ok": True, "usergroups": found}

    def _lacks_team(self, args: dict[str, Any]) -> bool:
        """The token of an organisation has to say which workspace is meant."""
        return self.is_org_install and args.get("team_id") != "T0SANDBOX"

    def _api_usergroups_users_list(self, args: dict[str, Any]) -> dict[str, Any]:
        if self._lacks_team(args):
            return {"ok": False, "error": "missing_argument"}
        members = self.groups.get(args.get("usergroup", ""))
        return (
            {"ok": False, "error": "no_such_subteam"}
            if members is None
            else {"ok": True, "users": members}
        )


def _page_of(messages: list[Message], args: dict[str, Any], size: int) -> dict[str, Any]:
    """At most `size` messages a page, no older than was asked for; metadata only where it is asked for."""
    at = int(args.get("cursor") or 0)
    size = min(size, int(args.get("limit") or 100))
    since = float(args.get("oldest") or 0)
    with_metadata = str(args.get("include_all_metadata", "")).lower() in ("1", "true")
    here = [m for m in messages if float(m.ts) >= since]
    page = [
        {
            "ts": m.ts,
            "text": m.text,
            "blocks": m.blocks,
            "files": [f.shown() for f in m.files],
            **_author(m),
            **_streaming_state(m),
            **({"metadata": m.metadata} if with_metadata and m.metadata else {}),
        }
        for m in here[at : at + size]
    ]
    return {
        "ok": True,
        "messages": page,
        "response_metadata": {"next_cursor": str(at + size) if at + size < len(here) else ""},
    }


def _streaming_state(message: Message) -> dict[str, Any]:
    """Whether a message that began as a stream still is one."""
    if not message.streaming:
        return {}
    is_open = message.streaming == "streaming"
    return {"streaming_state": "in_progress" if is_open else "completed"}


def _author(message: Message) -> dict[str, Any]:
    """Who posted a message: an app by its bot, too."""
    return {
        "user": message.user,
        **({"bot_id": f"B{message.user[1:]}"} if message.user == BOT else {}),
    }
