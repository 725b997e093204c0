"""Modals, App Home and files: `views.*`, `files.*` and the uploads themselves."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from bot.sandbox import block_kit_schema, modal_schema
from bot.sandbox.slack.arguments import decode_json
from bot.sandbox.slack.records import (
    BOT,
    File,
    Message,
    View,
)
from bot.sandbox.slack.state import SlackState


class SurfacesApi(SlackState):
    """Modals, App Home and files: `views.*`, `files.*` and the uploads themselves."""

    __slots__ = ()

    def _api_views_publish(self, args: dict[str, Any]) -> dict[str, Any]:
        view = decode_json(args.get("view")) or {}
        found = block_kit_schema.complaints(view.get("blocks"), most=100)
        if found or view.get("type") != "home":
            return {
                "ok": False,
                "error": "invalid_arguments",
                "response_metadata": {"messages": found},
            }
        self.homes[args["user_id"]] = view["blocks"]
        self._broadcast({"event": "home", "user": args["user_id"], "blocks": view["blocks"]})
        return {"ok": True, "view": {"id": self._id("V")}}

    def _api_views_open(self, args: dict[str, Any]) -> dict[str, Any]:
        # Removed, as a trigger can be used once.
        user, made_at = self.triggers.pop(args.get("trigger_id", ""), ("", 0.0))
        if not user:
            return {"ok": False, "error": "invalid_trigger_id"}
        if self.clock() - made_at > 3:
            return {"ok": False, "error": "expired_trigger_id"}
        found = modal_schema.view_complaints(decode_json(args.get("view")))
        if found:
            return {
                "ok": False,
                "error": "invalid_arguments",
                "response_metadata": {"messages": found},
            }
        view = View(self._id("V"), user, decode_json(args["view"]), self._id("h"))
        # A new modal takes the place of the one that is open.
        self.views = {key: known for key, known in self.views.items() if known.user != user} | {
            view.id: view
        }
        self._show_view(user)
        return {"ok": True, "view": {"id": view.id, "hash": view.hash}}

    def _api_views_update(self, args: dict[str, Any]) -> dict[str, Any]:
        view = self.views.get(args.get("view_id", ""))
        if view is None:
            return {"ok": False, "error": "not_found"}
        # Somebody else has changed the view since it was read.
        if args.get("hash") and args["hash"] != view.hash:
            return {"ok": False, "error": "hash_conflict"}
        found = modal_schema.view_complaints(decode_json(args.get("view")))
        if found:
            return {
                "ok": False,
                "error": "invalid_arguments",
                "response_metadata": {"messages": found},
            }
        view.view = decode_json(args["view"])
        view.hash = self._id("h")
        view.errors = {}
        self._show_view(view.user)
        return {"ok": True, "view": {"id": view.id, "hash": view.hash}}

    def _api_files_getUploadURLExternal(self, args: dict[str, Any]) -> dict[str, Any]:
        length = int(args.get("length") or 0)
        if not args.get("filename") or length <= 0:
            return {"ok": False, "error": "invalid_arguments"}
        if len(args.get("alt_txt", "")) > 1000:
            return {"ok": False, "error": "alt_txt_too_large"}
        if args.get("snippet_type") and length > 1_000_000:
            return {"ok": False, "error": "snippet_too_large"}
        file = File(self._id("F"), args["filename"], length, alt_txt=args.get("alt_txt", ""))
        self.files[file.id] = file
        return {"ok": True, "upload_url": f"{self.url}/upload/{file.id}", "file_id": file.id}

    def _api_files_completeUploadExternal(self, args: dict[str, Any]) -> dict[str, Any]:
        listed = decode_json(args.get("files")) or []
        files = [self.files.get(entry.get("id", "")) for entry in listed]
        # A file can be shared once, and only when all its bytes have arrived.
        if not files or any(f is None or len(f.content) != f.length or f.shared for f in files):
            return {"ok": False, "error": "file_not_found"}
        channel = self.channels.get(args.get("channel_id", ""))
        if args.get("channel_id") and (channel is None or not channel.bot_is_in):
            return {
                "ok": False,
                "error": "channel_not_found" if channel is None else "not_in_channel",
            }
        done = [f for f in files if f]
        for file, entry in zip(done, listed, strict=True):
            file.title = entry.get("title", file.name)
            file.shared = True
            file.shared_at = self.clock()
        if channel:
            comment = args.get("initial_comment", "")
            self._add(
                Message(
                    self._ts(),
                    channel.id,
                    BOT,
                    comment,
                    thread_ts=args.get("thread_ts", ""),
                    files=done,
                )
            )
        return {"ok": True, "files": [{"id": file.id, "title": file.title} for file in done]}

    async def _upload(self, request: web.Request) -> web.Response:
        file = self.files.get(request.match_info["id"])
        content = await request.read()
        if file is None or len(content) != file.length:
            return web.Response(status=400, text="length mismatch")
        file.content = content
        return web.Response(text=f"OK - {len(content)}")
