"""Messages that are streamed in threads with agents: `chat.startStream`, `chat.appendStream` and
`chat.stopStream`.
"""

from __future__ import annotations

from typing import Any

from bot.sandbox import block_kit_schema
from bot.sandbox.slack.arguments import decode_json
from bot.sandbox.slack.records import BOT, Message
from bot.sandbox.slack.state import SlackState

MOST_MARKDOWN = 12_000
STATUSES = frozenset({"pending", "in_progress", "complete", "error"})


class StreamApi(SlackState):
    """Messages that are streamed in threads with agents."""

    __slots__ = ()

    def stop_by_hand(self, message: Message) -> None:
        """Its reader stops the stream."""
        message.streaming = "stopped_by_user"

    def expire(self, message: Message) -> None:
        """Slack closes a stream that has lasted too long."""
        message.streaming = "closed"

    def _api_chat_startStream(self, args: dict[str, Any]) -> dict[str, Any]:
        channel = self.channels.get(args.get("channel", ""))
        if channel is None:
            return _error("channel_not_found")
        if not channel.direct_with:
            return _error("channel_type_not_supported")
        if args.get("thread_ts") not in self.agent_threads:
            return _error("invalid_thread_ts")
        message = Message(self._ts(), channel.id, BOT, "", thread_ts=args["thread_ts"])
        if error := _append(message, args):
            return error
        message.streaming = "streaming"
        self._add(message)
        return {"ok": True, "channel": channel.id, "ts": message.ts}

    def _api_chat_appendStream(self, args: dict[str, Any]) -> dict[str, Any]:
        message = self._message(args)
        if message is None:
            return _error("message_not_found")
        if not args.get("chunks") and not args.get("markdown_text"):
            return _error("invalid_arguments")
        if error := _state_error(message) or _append(message, args):
            return error
        self._broadcast_message("changed", message)
        return {"ok": True, "channel": message.channel, "ts": message.ts}

    def _api_chat_stopStream(self, args: dict[str, Any]) -> dict[str, Any]:
        message = self._message(args)
        if message is None:
            return _error("message_not_found")
        if error := _state_error(message) or _append(message, args):
            return error
        blocks = decode_json(args.get("blocks")) or []
        if found := block_kit_schema.complaints(blocks, most=50):
            return {**_error("invalid_blocks"), "response_metadata": {"messages": found}}
        message.blocks += blocks
        message.streaming = "closed"
        self._broadcast_message("changed", message)
        return {"ok": True, "channel": message.channel, "ts": message.ts}


def _state_error(message: Message) -> dict[str, Any] | None:
    if message.streaming == "stopped_by_user":
        return _error("stopped_by_user")
    return None if message.streaming == "streaming" else _error("message_not_in_streaming_state")


def _append(message: Message, args: dict[str, Any]) -> dict[str, Any] | None:
    """Adds text and chunks to a message; the error if Slack would refuse them."""
    text = args.get("markdown_text") or ""
    if len(text) > MOST_MARKDOWN:
        return _error("msg_too_long")
    chunks = decode_json(args.get("chunks")) or []
    if any(not _is_valid(chunk) for chunk in chunks):
        return _error("invalid_chunks")
    message.text += text
    for chunk in chunks:
        if chunk["type"] == "markdown_text":
            message.text += chunk["text"]
        elif chunk["type"] == "blocks":
            message.blocks += chunk["blocks"]
        elif chunk["type"] == "task_update":
            _update_task(message, chunk)
    return None


def _is_valid(chunk: Any) -> bool:
    if not isinstance(chunk, dict):
        return False
    if chunk.get("type") == "task_update":
        named = isinstance(chunk.get("id"), str) and bool(chunk.get("title"))
        return named and chunk.get("status") in STATUSES
    if chunk.get("type") == "blocks":
        return not block_kit_schema.complaints(chunk.get("blocks"), most=50)
    wanted = {"markdown_text": "text", "plan_update": "title"}.get(str(chunk.get("type")))
    return bool(wanted and isinstance(chunk.get(wanted), str))


def _update_task(message: Message, chunk: dict[str, Any]) -> None:
    """Title and status are replaced, and details are appended to those there are."""
    at = next(
        (n for n, block in enumerate(message.blocks) if block.get("task_id") == chunk["id"]), None
    )
    earlier = "" if at is None else _details(message.blocks[at])
    card = {
        "type": "task_card",
        "task_id": chunk["id"],
        "title": chunk["title"],
        "status": chunk["status"],
    }
    if details := earlier + (chunk.get("details") or ""):
        section = {
            "type": "rich_text_section",
            "elements": [{"type": "text", "text": details}],
        }
        card["details"] = {"type": "rich_text", "elements": [section]}
    if at is None:
        message.blocks.append(card)
    else:
        message.blocks[at] = card


def _details(card: dict[str, Any]) -> str:
    return str(card["details"]["elements"][0]["elements"][0]["text"]) if "details" in card else ""


def _error(error: str) -> dict[str, Any]:
    return {"ok": False, "error": error}
