"""Threads with agents and steps of workflows: `assistant.threads.*` and `functions.*`."""

from __future__ import annotations

from typing import Any

from bot.sandbox.slack.arguments import decode_json
from bot.sandbox.slack.state import SlackState

# “agents.sessions.setStatus”
SESSION_STATUSES = frozenset({"active", "processing", "suspended", "closed"})


class AgentApi(SlackState):
    """Threads with agents and steps of workflows: `assistant.threads.*` and `functions.*`."""

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
        self._broadcast({"event": "prompts", "prompts": self.agent_threads})
        return {"ok": True}

    def _api_assistant_threads_setTitle(self, args: dict[str, Any]) -> dict[str, Any]:
        if error := self._thread_error(args, "assistant:write"):
            return error
        if not args.get("title"):
            return {"ok": False, "error": "invalid_arguments"}
        self.agent_titles[args["thread_ts"]] = args["title"]
        return {"ok": True}

    def _api_agents_sessions_setStatus(self, args: dict[str, Any]) -> dict[str, Any]:
        if error := self._thread_error(args, "chat:write"):
            return error
        if args.get("status") not in SESSION_STATUSES:
            return {"ok": False, "error": "invalid_arguments"}
        self.agent_sessions[args["thread_ts"]] = args["status"]
        return {"ok": True, "status": args["status"]}

    def _thread_error(self, args: dict[str, Any], scope: str) -> dict[str, Any] | None:
        if scope not in self.scopes.split(","):
            return {"ok": False, "error": "missing_scope", "needed": scope}
        channel = self.channels.get(args.get("channel_id", ""))
        if channel is None or not channel.direct_with:
            return {"ok": False, "error": "channel_not_found"}
        if args.get("thread_ts") not in self.agent_threads:
            return {"ok": False, "error": "invalid_thread_ts"}
        return None

    def _api_functions_completeSuccess(self, args: dict[str, Any]) -> dict[str, Any]:
        if decode_json(args.get("outputs")) is None:
            return {"ok": False, "error": "invalid_arguments"}
        return self._end_step(args, "completed")

    def _api_functions_completeError(self, args: dict[str, Any]) -> dict[str, Any]:
        if not args.get("error"):
            return {"ok": False, "error": "invalid_arguments"}
        return self._end_step(args, args["error"])

    def _end_step(self, args: dict[str, Any], end: str) -> dict[str, Any]:
        step = args.get("function_execution_id", "")
        if step not in self.step_tokens:
            return {"ok": False, "error": "invalid_function_execution_id"}
        if step in self.steps:
            return {"ok": False, "error": "function_execution_already_completed"}
        self.steps[step] = end
        return {"ok": True}
