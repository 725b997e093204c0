"""Threads with agents: `assistant.threads.*`."""

from __future__ import annotations

from typing import Any

from bot.sandbox.slack.arguments import decode_json
from bot.sandbox.slack.state import SlackState


class AgentApi(SlackState):
    """Threads with agents: `assistant.threads.*`."""

    __slots__ = ()

    def _api_assistant_threads_setStatus(self, args: dict[str, Any]) -> dict[str, Any]:
        if error := self._thread_error(args, "chat:write"):
            return error
        if "status" not in args:
            return {"ok": False, "error": "invalid_arguments"}
        self.statuses.append(args["status"])
        return {"ok": True}

    def _api_assistant_threads_setSuggestedPrompts(self, args: dict[str, Any]) -> dict[str, Any]:
        if error := self._thread_error(args, "assistant:write"):
            return error
        prompts = decode_json(args.get("prompts")) or []
        named = all(prompt.get("title") and prompt.get("message") for prompt in prompts)
        if not 1 <= len(prompts) <= 4 or not named:
            return {"ok": False, "error": "invalid_arguments"}
        self.agent_threads[args["thread_ts"]] = [prompt["message"] for prompt in prompts]
        return {"ok": True}

    def _thread_error(self, args: dict[str, Any], scope: str) -> dict[str, Any] | None:
        if scope not in self.scopes.split(","):
            return {"ok": False, "error": "missing_scope", "needed": scope}
        channel = self.channels.get(args.get("channel_id", ""))
        if channel is None or not channel.direct_with:
            return {"ok": False, "error": "channel_not_found"}
        if args.get("thread_ts") not in self.agent_threads:
            return {"ok": False, "error": "invalid_thread_ts"}
        return None
