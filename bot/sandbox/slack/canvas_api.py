"""Canvases: `canvases.*` and `conversations.canvases.create`, as strict as Slack's pages say."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.slack.arguments import decode_json
from bot.sandbox.slack.state import SlackState

READ = "canvases:read"
WRITE = "canvases:write"
MOST_CHARACTERS = 1_048_576
MOST_CELLS = 300
MOST_TITLE = 255
HEADERS = ("h1", "h2", "h3")
# Whether an operation takes a section, and whether it takes content.
OPERATIONS: Mapping[str, tuple[str, bool]] = {
    "insert_after": ("required", True),
    "insert_before": ("required", True),
    "insert_at_start": ("none", True),
    "insert_at_end": ("none", True),
    "replace": ("optional", True),
    "delete": ("required", False),
}
_FENCE = "```"
# What Slack's messages mark up, and a canvas shows as it is.
_OF_MESSAGES = re.compile(r"<(?:[@#!][^>\n]{1,80}|https?:[^>|\n]{1,200}\|[^>\n]{1,200})>")


@dataclass(slots=True)
class Section:
    """One block of a canvas: a heading, a paragraph, a list, a table or a code block."""

    text: str
    id: str = field(default_factory=lambda: f"temp:C:{secrets.token_hex(14)}")

    @property
    def kind(self) -> str:
        """`h1` to `h3`; empty for what is not a heading."""
        marks = len(self.text) - len(self.text.lstrip("#"))
        is_heading = 1 <= marks <= 3 and self.text[marks : marks + 1] == " "
        return f"h{marks}" if is_heading else ""


@dataclass(slots=True)
class Canvas:
    """A canvas. `channel` is where it is a tab, and `author` who created it."""

    id: str
    title: str
    channel: str
    sections: list[Section]
    author: str
    is_channel_canvas: bool = False
    edits: int = 0

    @property
    def markdown(self) -> str:
        return "\n\n".join(section.text for section in self.sections)

    def shown(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "title": self.title or "Untitled",
            "channel": self.channel,
            "markdown": self.markdown,
        }


class CanvasApi(SlackState):
    """Canvases: `canvases.*` and `conversations.canvases.create`."""

    __slots__ = ()

    def write_canvas(self, channel: str, title: str, markdown: str) -> Canvas:
        """A canvas that a person writes, as a tab of a channel."""
        canvas = Canvas(self._id("F"), title, channel, sections_of(markdown), "U0ADA")
        self.canvases[canvas.id] = canvas
        self._show_canvases()
        return canvas

    def delete_canvas(self, canvas: Canvas) -> None:
        """A person deletes a canvas."""
        del self.canvases[canvas.id]
        self._show_canvases()

    def canvases_in(self, channel: str) -> list[Canvas]:
        """The canvases in the tabs of a channel, oldest first."""
        return [canvas for canvas in self.canvases.values() if canvas.channel == channel]

    def _api_canvases_create(self, args: dict[str, Any]) -> dict[str, Any]:
        channel = args.get("channel_id") or ""
        if error := self._canvas_error(WRITE) or self._creation_error(args):
            return error
        if channel and (error := self._place_error(channel)):
            return error
        if self.is_free and not channel:
            return _error("free_teams_cannot_create_non_tabbed_canvases")
        if self.is_free and self.canvases_in(channel):
            return _error("free_team_canvas_tab_already_exists")
        return self._created(args, channel)

    def _api_conversations_canvases_create(self, args: dict[str, Any]) -> dict[str, Any]:
        channel = args.get("channel_id") or ""
        if error := self._canvas_error(WRITE) or self._creation_error(args):
            return error
        if error := self._place_error(channel):
            return error
        if any(canvas.is_channel_canvas for canvas in self.canvases_in(channel)):
            return _error("channel_canvas_already_exists")
        if self.is_free and self.canvases_in(channel):
            return _error("free_team_canvas_tab_already_exists")
        return self._created(args, channel, is_channel_canvas=True)

    def _api_canvases_edit(self, args: dict[str, Any]) -> dict[str, Any]:
        if error := self._canvas_error(WRITE):
            return error
        changes = decode_json(args.get("changes"))
        # More than one is not supported.
        if not isinstance(changes, list) or len(changes) != 1 or not isinstance(changes[0], dict):
            return _error("invalid_arguments", "changes takes one change")
        canvas = self.canvases.get(str(args.get("canvas_id")))
        if canvas is None:
            return _error("canvas_not_found")
        if error := _apply(canvas, changes[0]):
            return error
        canvas.edits += 1
        self._show_canvases()
        return {"ok": True}

    def _api_canvases_delete(self, args: dict[str, Any]) -> dict[str, Any]:
        if error := self._canvas_error(WRITE):
            return error
        if self.canvases.pop(str(args.get("canvas_id")), None) is None:
            return _error("canvas_not_found")
        self._show_canvases()
        return {"ok": True}

    def _api_canvases_sections_lookup(self, args: dict[str, Any]) -> dict[str, Any]:
        if error := self._canvas_error(READ):
            return error
        criteria = decode_json(args.get("criteria"))
        if not isinstance(criteria, dict) or not criteria:
            return _error("invalid_arguments", "no criteria")
        kinds = criteria.get("section_types", [])
        known = {*HEADERS, "any_header"}
        if set(criteria) - {"section_types", "contains_text"} or set(kinds) - known:
            return _error("invalid_arguments", f"unknown criteria: {criteria}")
        canvas = self.canvases.get(str(args.get("canvas_id")))
        if canvas is None:
            return _error("canvas_not_found")
        wanted = {*kinds, *(HEADERS if "any_header" in kinds else ())}
        text = criteria.get("contains_text", "")
        found = [
            {"id": section.id}
            for section in canvas.sections
            if (not wanted or section.kind in wanted) and text in section.text
        ]
        return {"ok": True, "sections": found}

    def _created(
        self, args: Mapping[str, Any], channel: str, *, is_channel_canvas: bool = False
    ) -> dict[str, Any]:
        document = decode_json(args.get("document_content")) or {}
        canvas = Canvas(
            self._id("F"),
            args.get("title") or "",
            channel,
            sections_of(document.get("markdown", "")),
            "U0OPSWATCH",
            is_channel_canvas=is_channel_canvas,
        )
        self.canvases[canvas.id] = canvas
        self._show_canvases()
        return {"ok": True, "canvas_id": canvas.id}

    def _canvas_error(self, scope: str) -> dict[str, Any] | None:
        if scope not in self.scopes.split(","):
            return _error("missing_scope", needed=scope)
        return None if self.has_canvases else _error("canvas_disabled_user_team")

    def _creation_error(self, args: Mapping[str, Any]) -> dict[str, Any] | None:
        if len(args.get("title") or "") > MOST_TITLE:
            return _error("invalid_arguments", "title too long")
        document = decode_json(args.get("document_content"))
        return _document_error(document, "canvas_creation_failed") if document else None

    def _place_error(self, channel_id: str) -> dict[str, Any] | None:
        """Names are not taken."""
        channel = self.channels.get(channel_id)
        if channel is None or channel.direct_with:
            return _error("channel_not_found")
        return None if channel.bot_is_in else _error("not_in_channel")

    def _show_canvases(self) -> None:
        shown = [canvas.shown() for canvas in self.canvases.values()]
        self._broadcast({"event": "canvases", "canvases": shown})
        self._notify()


def sections_of(markdown: str) -> list[Section]:
    """The blocks of Markdown, which blank lines separate outside of code."""
    sections: list[Section] = []
    lines: list[str] = []
    in_code = False
    for line in [*markdown.split("\n"), ""]:
        if line.startswith(_FENCE):
            in_code = not in_code
        if line.strip() or in_code:
            lines.append(line)
        elif lines:
            sections.append(Section("\n".join(lines)))
            lines = []
    return sections


def _apply(canvas: Canvas, change: Mapping[str, Any]) -> dict[str, Any] | None:
    """Makes a change; the error if Slack would refuse it."""
    operation = str(change.get("operation"))
    if operation == "rename":
        title = change.get("title_content")
        if error := _document_error(title, "canvas_editing_failed"):
            return error
        canvas.title = change["title_content"]["markdown"]
        return None
    if operation not in OPERATIONS:
        return _error("invalid_arguments", f"unknown operation {operation}")
    takes_section, takes_content = OPERATIONS[operation]
    section_id = change.get("section_id")
    if bool(section_id) and takes_section == "none":
        return _error("invalid_arguments", "takes no section")
    if not section_id and takes_section == "required":
        return _error("invalid_arguments", "no section")
    ids = [section.id for section in canvas.sections]
    if section_id and section_id not in ids:
        return _error("canvas_editing_failed", "unknown section")
    content: list[Section] = []
    if takes_content:
        document = change.get("document_content")
        if error := _document_error(document, "canvas_editing_failed"):
            return error
        content = sections_of(change["document_content"]["markdown"])
    at = ids.index(section_id) if section_id else 0
    first, last = {
        "insert_after": (at + 1, at + 1),
        "insert_before": (at, at),
        "insert_at_start": (0, 0),
        "insert_at_end": (len(ids), len(ids)),
        "replace": (at, at + 1) if section_id else (0, len(ids)),
        "delete": (at, at + 1),
    }[operation]
    canvas.sections[first:last] = content
    return None


def _document_error(document: object, refusal: str) -> dict[str, Any] | None:
    """The error for content that Slack does not take: Markdown within its sizes."""
    if not isinstance(document, dict) or set(document) != {"type", "markdown"}:
        return _error("invalid_arguments", "document_content has type and markdown")
    markdown = document["markdown"]
    if document["type"] != "markdown" or not isinstance(markdown, str):
        return _error("invalid_arguments", "only markdown is supported")
    if len(markdown) > MOST_CHARACTERS:
        return _error("invalid_arguments", "too long")
    for section in sections_of(markdown):
        if section.text.startswith(_FENCE):
            continue
        if _cells(section.text) > MOST_CELLS:
            return _error(refusal, "a table has more than 300 cells")
        # Slack takes it and shows it as it is, which nobody wants.
        if found := _OF_MESSAGES.search(re.sub(r"`[^`\n]*`", "", section.text)):
            return _error(refusal, f"markup of messages: {found[0]}")
    return None


def _cells(section: str) -> int:
    """The cells of a section that is a table, without the line below its head."""
    lines = section.split("\n")
    if len(lines) < 2 or not re.fullmatch(r"\|(?: ?:?-{3,}:? ?\|)+", lines[1].strip()):
        return 0
    rows = [lines[0], *lines[2:]]
    return sum(len(re.findall(r"(?<!\\)\|", row)) - 1 for row in rows)


def _error(error: str, message: str = "", **more: str) -> dict[str, Any]:
    shown = {"response_metadata": {"messages": [message]}} if message else {}
    return {"ok": False, "error": error, **shown, **more}
