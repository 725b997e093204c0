"""The records of the sandbox Slack: people, channels, messages, files, views and deliveries."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

BOT = "U0OPSWATCH"


class NotConnected(AssertionError):
    """There is no connection to deliver over."""


@dataclass(slots=True)
class User:
    id: str
    name: str
    tz: str
    about: str
    deleted: bool = False
    team: str = "T0SANDBOX"


@dataclass(slots=True)
class Channel:
    id: str
    name: str
    about: str
    bot_is_in: bool = True
    direct_with: str = ""
    # None in a public channel, where everybody is taken for a member.
    members: tuple[str, ...] | None = None
    is_ext_shared: bool = False


@dataclass(slots=True)
class File:
    id: str
    name: str
    length: int
    content: bytes = b""
    title: str = ""
    alt_txt: str = ""
    shared: bool = False
    shared_at: float = 0.0

    def shown(self) -> dict[str, Any]:
        preview = ""
        # Compressed content has nothing to show.
        if not self.name.endswith(".gz"):
            preview = self.content[:1500].decode("utf-8", "replace")
        return {
            "id": self.id,
            "name": self.name,
            "size": len(self.content),
            "title": self.title,
            "preview": preview,
        }


@dataclass(slots=True)
class Message:
    """A message in a channel. `seen_by` is set if only one person sees it."""

    ts: str
    channel: str
    user: str
    text: str
    blocks: list[dict[str, Any]] = field(default_factory=list)
    thread_ts: str = ""
    seen_by: str = ""
    files: list[File] = field(default_factory=list)
    edited: int = 0
    command: bool = False
    metadata: dict[str, Any] = field(default_factory=dict)
    broadcast: bool = False
    # `streaming`, `closed`, or `stopped_by_user`; empty for one that was never streamed.
    streaming: str = ""
    # A stream takes either text or chunks, as it began.
    stream_mode: str = ""

    def shown(self) -> dict[str, Any]:
        return {
            "ts": self.ts,
            "channel": self.channel,
            "user": self.user,
            "text": self.text,
            "blocks": self.blocks,
            "thread_ts": self.thread_ts,
            "broadcast": self.broadcast,
            "seen_by": self.seen_by,
            "edited": self.edited,
            "streaming": self.streaming == "streaming",
            "command": self.command,
            "files": [file.shown() for file in self.files],
        }


@dataclass(slots=True)
class ResponseUrl:
    user: str
    channel: str
    made_at: float
    uses: int = 0
    ts: str = ""


@dataclass(slots=True)
class Ack:
    """When an envelope was acknowledged, and with what."""

    envelope_id: str
    sent_at: float
    done: asyncio.Future[Any]
    acked_at: float = 0.0


@dataclass(slots=True)
class View:
    """A modal as one person has it open; `errors` are shown at its inputs, by block id."""

    id: str
    user: str
    view: dict[str, Any]
    hash: str
    errors: dict[str, str] = field(default_factory=dict)

    def shown(self) -> dict[str, Any]:
        return {"id": self.id, "view": self.view, "errors": self.errors}

    def words(self) -> str:
        """All its text, for tests."""
        return json.dumps(self.view["blocks"], ensure_ascii=False)

    def state(self, given: dict[str, str]) -> dict[str, Any]:
        """The values of its inputs: those `given` by block id, and the initial ones of the others."""
        values = {}
        for block in self.view["blocks"]:
            if block["type"] == "input":
                element = block["element"]
                values[block["block_id"]] = {
                    element["action_id"]: _entered(element, given.get(block["block_id"]))
                }
        return {"values": values}


def _entered(element: dict[str, Any], given: str | None) -> dict[str, Any]:
    """The value of an input, as Slack sends it."""
    kind = element["type"]
    if kind == "multi_external_select":
        # Its options come from the bot, as those of an external select.
        words = (given or "").split()[: element.get("max_selected_items", 100)]
        options = [{"text": {"type": "plain_text", "text": each}, "value": each} for each in words]
        return {"type": kind, "selected_options": options}
    if kind in ("static_select", "external_select"):
        options = [
            *element.get("options", []),
            *([element["initial_option"]] if element.get("initial_option") else []),
        ]
        chosen = (
            next((o for o in options if o["value"] == given), None)
            if given is not None
            else element.get("initial_option")
        )
        # The options of an external select come from the bot, so any value may have been chosen.
        if kind == "external_select" and given and chosen is None:
            chosen = {"text": {"type": "plain_text", "text": given}, "value": given}
        return {"type": kind, "selected_option": chosen}
    name, initial = {
        "plain_text_input": ("value", "initial_value"),
        "timepicker": ("selected_time", "initial_time"),
        "datepicker": ("selected_date", "initial_date"),
    }[kind]
    return {"type": kind, name: (given or None) if given is not None else element.get(initial)}


def missing_inputs(view: View, state: dict[str, Any]) -> list[str]:
    """The inputs that must be filled and are not."""
    wanted = [
        b["block_id"] for b in view.view["blocks"] if b["type"] == "input" and not b.get("optional")
    ]
    return [
        name
        for name in wanted
        if not any(list(entry.values())[-1] for entry in state["values"][name].values())
    ]
