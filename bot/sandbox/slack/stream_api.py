"""Messages that are streamed in threads with agents: `chat.startStream`, `chat.appendStream` and
`chat.stopStream`.
"""

from __future__ import annotations

from typing import Any

from bot.sandbox.slack.arguments import decode_json
from bot.sandbox.slack.chat_api import ChatApi
from bot.sandbox.slack.records import BOT, Message

# Of a call, and of a text field of a task (“chat.appendStream”).
MOST_MARKDOWN = 12_000
MOST_FIELD = 256
# Of all chunks of a stream together, and again of the blocks at its end (“chat.stopStream”).
MOST_BLOCKS = 50
STATUSES = frozenset({"pending", "in_progress", "complete", "error"})


class StreamApi(ChatApi):
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
        # The one thread of a direct message needs no recipient, and Slack takes none.
        if args.get("recipient_user_id") or args.get("recipient_team_id"):
            return _error("invalid_arguments")
        if args.get("thread_ts") not in self.agent_threads:
            return _error("invalid_thread_ts")
        message = Message(self._ts(), channel.id, BOT, "", thread_ts=args["thread_ts"])
        message.stream_mode = "text" if args.get("markdown_text") else "chunks"
        if error := self._append(message, args):
            return error
        message.streaming = "streaming"
        self._add(message)
        return {"ok": True, "channel": channel.id, "ts": message.ts}

    def _api_chat_appendStream(self, args: dict[str, Any]) -> dict[str, Any]:
        message = self._message(args)
        if message is None:
            return _error("message_not_found")
        if not args.get("chunks") and not args.get("markdown_text"):
            return _error("markdown_text_or_chunks_required")
        if error := _state_error(message) or self._append(message, args):
            return error
        self._broadcast_message("changed", message)
        return {"ok": True, "channel": message.channel, "ts": message.ts}

    def _api_chat_stopStream(self, args: dict[str, Any]) -> dict[str, Any]:
        message = self._message(args)
        if message is None:
            return _error("message_not_found")
        # Whoever has ended it: only an append names the reader.
        if message.streaming != "streaming":
            return _error("message_not_in_streaming_state")
        # Checked before the chunks are added, since a refused call changes nothing.
        blocks = decode_json(args.get("blocks")) or []
        if error := _number_error(len(blocks)) or self._blocks_error(blocks):
            return error
        if error := self._append(message, args):
            return error
        message.blocks += blocks
        message.text = _words(message)
        message.streaming = "closed"
        self._broadcast_message("changed", message)
        return {"ok": True, "channel": message.channel, "ts": message.ts}

    def _append(self, message: Message, args: dict[str, Any]) -> dict[str, Any] | None:
        """Adds text or chunks to a message; the error if Slack would refuse them."""
        text = args.get("markdown_text") or ""
        chunks = decode_json(args.get("chunks")) or []
        if error := _mode_error(message, text, chunks):
            return error
        if len(text) + sum(_length(chunk) for chunk in chunks) > MOST_MARKDOWN:
            return _error("msg_too_long")
        if any(not _is_valid(chunk) for chunk in chunks):
            return _error("invalid_chunks")
        added = [block for chunk in chunks for block in chunk.get("blocks", ())]
        number = len(message.blocks) + len(added)
        if error := _number_error(number) or self._blocks_error(added):
            return error
        message.text += text
        for chunk in chunks:
            if chunk["type"] == "markdown_text":
                message.text += chunk["text"]
            elif chunk["type"] == "blocks":
                message.blocks += chunk["blocks"]
            elif chunk["type"] == "task_update":
                _update_task(message, chunk)
        message.text = _words(message)
        return None


def _state_error(message: Message) -> dict[str, Any] | None:
    if message.streaming == "stopped_by_user":
        return _error("stopped_by_user")
    return None if message.streaming == "streaming" else _error("message_not_in_streaming_state")


def _number_error(blocks: int) -> dict[str, Any] | None:
    return _error("msg_blocks_too_many") if blocks > MOST_BLOCKS else None


def _mode_error(message: Message, text: str, chunks: list[dict[str, Any]]) -> dict[str, Any] | None:
    if text and chunks:
        return _error("cannot_provide_both_markdown_text_and_chunks")
    mode = "text" if text else "chunks" if chunks else message.stream_mode
    return _error("streaming_mode_mismatch") if mode != message.stream_mode else None


def _is_valid(chunk: Any) -> bool:
    if not isinstance(chunk, dict):
        return False
    if chunk.get("type") == "task_update":
        named = isinstance(chunk.get("id"), str) and bool(chunk.get("title"))
        fields = (str(chunk.get(name) or "") for name in ("title", "details", "output"))
        is_short = all(len(field) <= MOST_FIELD for field in fields)
        return named and is_short and chunk.get("status") in STATUSES
    if chunk.get("type") == "blocks":
        return bool(chunk.get("blocks"))
    wanted = {"markdown_text": "text", "plan_update": "title"}.get(str(chunk.get("type")))
    return bool(wanted and isinstance(chunk.get(wanted), str))


def _length(chunk: Any) -> int:
    """The text of a chunk, without that of its blocks, which have limits of their own."""
    names = ("text", "title", "details", "output")
    return sum(len(str(chunk.get(name) or "")) for name in names) if isinstance(chunk, dict) else 0


def _update_task(message: Message, chunk: dict[str, Any]) -> None:
    """Title and status are replaced, and details are appended to those there are."""
    at = next(
        (n for n, block in enumerate(message.blocks) if block.get("task_id") == chunk["id"]), None
    )
    card = {
        "type": "task_card",
        "task_id": chunk["id"],
        "title": chunk["title"],
        "status": chunk["status"],
    }
    for name in ("details", "output"):
        earlier = "" if at is None else _rich_words(message.blocks[at].get(name))
        if words := earlier + (chunk.get(name) or ""):
            section = {"type": "rich_text_section", "elements": [{"type": "text", "text": words}]}
            card[name] = {"type": "rich_text", "elements": [section]}
    if at is None:
        message.blocks.append(card)
    else:
        message.blocks[at] = card


def _rich_words(part: Any) -> str:
    return str(part["elements"][0]["elements"][0]["text"]) if part else ""


def _words(message: Message) -> str:
    """The text that Slack makes of a stream: that of its blocks, without buttons and tables."""
    if message.stream_mode == "text":
        return message.text
    words = []
    for block in message.blocks:
        parts = [block.get("text"), block.get("title"), *block.get("fields", ())]
        parts += block["elements"] if block["type"] == "context" else []
        words += [part["text"] if isinstance(part, dict) else part for part in parts if part]
    return " ".join(words)


def _error(error: str) -> dict[str, Any]:
    return {"ok": False, "error": error}
