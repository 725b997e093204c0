"""Messages: `chat.*` and response URLs, refused as Slack refuses them."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from bot.sandbox import block_kit_schema
from bot.sandbox.slack.arguments import decode_json
from bot.sandbox.slack.records import (
    BOT,
    Channel,
    Message,
)
from bot.sandbox.slack.state import SlackState


class ChatApi(SlackState):
    """Messages: `chat.*` and response URLs, refused as Slack refuses them."""

    __slots__ = ()

    def _api_chat_postMessage(self, args: dict[str, Any]) -> dict[str, Any]:
        channel, error = self._where_to_post(args)
        if channel is None:
            return error
        thread_ts = args.get("thread_ts") or ""
        if thread_ts and not any(
            m.ts == thread_ts and m.channel == channel.id for m in self.messages
        ):
            return {"ok": False, "error": "thread_not_found"}
        message = Message(
            self._ts(), channel.id, BOT, args.get("text", ""), args.get("blocks") or [], thread_ts
        )
        message.metadata = decode_json(args.get("metadata")) or {}
        # Arguments of a form are text; those of JSON are not.
        message.broadcast = bool(thread_ts) and str(args.get("reply_broadcast", "")).lower() in (
            "1",
            "true",
        )
        self._add(message)
        return {
            "ok": True,
            "channel": channel.id,
            "ts": message.ts,
            "message": {"text": message.text},
        }

    def _api_chat_postEphemeral(self, args: dict[str, Any]) -> dict[str, Any]:
        channel, error = self._where_to_post(args)
        if channel is None:
            return error
        message = Message(
            self._ts(),
            channel.id,
            BOT,
            args.get("text", ""),
            args.get("blocks") or [],
            args.get("thread_ts") or "",
            seen_by=args["user"],
        )
        self._add(message)
        return {"ok": True, "message_ts": message.ts}

    def _api_chat_update(self, args: dict[str, Any]) -> dict[str, Any]:
        message = self._message(args)
        # Ephemeral messages cannot be changed by their timestamp.
        if message is None or message.seen_by:
            return {"ok": False, "error": "message_not_found"}
        if message.streaming == "streaming":
            return {"ok": False, "error": "streaming_state_conflict"}
        if error := _message_error(args) or self._blocks_error(args["blocks"]):
            return error
        message.text = args.get("text", "")
        message.blocks = args.get("blocks") or []
        message.edited += 1
        self._broadcast_message("changed", message)
        return {"ok": True, "channel": message.channel, "ts": message.ts, "text": message.text}

    def _api_chat_delete(self, args: dict[str, Any]) -> dict[str, Any]:
        message = self._message(args)
        if message is None or message.seen_by:
            return {"ok": False, "error": "message_not_found"}
        if message.streaming == "streaming":
            return {"ok": False, "error": "cant_delete_message"}
        self.messages.remove(message)
        self._broadcast_message("deleted", message)
        return {"ok": True, "channel": message.channel, "ts": message.ts}

    def _api_chat_getPermalink(self, args: dict[str, Any]) -> dict[str, Any]:
        channel = self._channel(args.get("channel", ""))
        # A name is accepted for posts only.
        if channel is None or channel.id != args["channel"]:
            return {"ok": False, "error": "channel_not_found"}
        ts = args.get("message_ts", "")
        if not any(m.ts == ts and m.channel == channel.id and not m.seen_by for m in self.messages):
            return {"ok": False, "error": "message_not_found"}
        link = f"{self.url}/archives/{channel.id}/p{ts.replace('.', '')}"
        return {"ok": True, "channel": channel.id, "permalink": link}

    def _where_to_post(self, args: dict[str, Any]) -> tuple[Channel | None, dict[str, Any]]:
        """The channel, or None with the error that Slack would return."""
        channel = self._channel(args.get("channel", ""))
        if channel is None:
            return None, {"ok": False, "error": "channel_not_found"}
        if not channel.bot_is_in:
            return None, {"ok": False, "error": "not_in_channel"}
        error = _message_error(args) or self._blocks_error(args["blocks"])
        return (None, error) if error else (channel, {})

    def _blocks_error(self, blocks: list[dict[str, Any]]) -> dict[str, Any] | None:
        """The error that Slack would return for the blocks of a message, or None."""
        if found := block_kit_schema.complaints(blocks, most=50):
            return {
                "ok": False,
                "error": "invalid_blocks",
                "response_metadata": {"messages": found},
            }
        if block_kit_schema.too_long(blocks):
            return {"ok": False, "error": "msg_blocks_too_long"}
        return self._unknown_blocks(blocks)

    def _unknown_blocks(self, blocks: list[dict[str, Any]]) -> dict[str, Any] | None:
        """The error of an older Slack for the newest blocks, and of any for a picture that does not
        exist or is not ready.
        """
        types = {block["type"] for block in blocks}
        unknown = set() if self.supports_new_blocks else {"data_table", "data_visualization"}
        unknown |= set() if self.knows_tables else {"table"}
        unknown |= set() if self.knows_tasks else {"task_card", "plan"}
        pictures = [
            self.files.get(block["slack_file"]["id"]) for block in blocks if "slack_file" in block
        ]
        if types & unknown or any(
            # A file cannot be used in a block until Slack has processed it.
            f is None or not f.shared or self.clock() - f.shared_at < 0.9
            for f in pictures
        ):
            return {
                "ok": False,
                "error": "invalid_blocks",
                "response_metadata": {"messages": [f"unsupported {sorted(types & unknown)}"]},
            }
        return None

    async def _response(self, request: web.Request) -> web.Response:
        """A response URL: five uses within thirty minutes; its messages stay ephemeral."""
        url = self.response_urls.get(request.match_info["id"])
        if url is None or url.uses >= 5 or self.clock() - url.made_at > 1800:
            return web.json_response(
                {"ok": False, "error": "used_url" if url else "expired_url"}, status=404
            )
        url.uses += 1
        args = await request.json()
        earlier = next((m for m in self.messages if m.ts == url.ts), None) if url.ts else None
        if args.get("delete_original"):
            if earlier is not None:
                self.messages.remove(earlier)
                self._broadcast_message("deleted", earlier)
            return web.Response(text="ok")
        if error := _message_error(args) or self._blocks_error(args["blocks"]):
            self.refused.append(f"response_url: {error}")
            return web.json_response(error, status=400)
        seen_by = url.user if args.get("response_type", "ephemeral") == "ephemeral" else ""
        # A command's own line cannot be replaced.
        if args.get("replace_original") and earlier is not None and not earlier.command:
            earlier.text = args.get("text", "")
            earlier.blocks = args.get("blocks") or []
            earlier.edited += 1
            self._broadcast_message("changed", earlier)
        else:
            message = Message(
                self._ts(),
                url.channel,
                BOT,
                args.get("text", ""),
                args.get("blocks") or [],
                args.get("thread_ts", ""),
                seen_by,
            )
            self._add(message)
            # Later uses of the URL replace or delete this message.
            url.ts = url.ts or message.ts
        self._notify()
        return web.Response(text="ok")


def _message_error(args: dict[str, Any]) -> dict[str, Any] | None:
    """The error that Slack would return for the text of a message, or None."""
    blocks = args["blocks"] = decode_json(args.get("blocks")) or []
    text = args.get("text") or ""
    if not text and not blocks:
        return {"ok": False, "error": "no_text"}
    return {"ok": False, "error": "msg_too_long"} if len(text) > 40_000 else None
