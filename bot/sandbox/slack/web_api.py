"""The Web API of the sandbox Slack: tokens, rate limits, refusals, and the method that is called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from email.utils import formatdate
from typing import Any

from aiohttp import web

from bot.sandbox.slack.records import (
    BOT,
)
from bot.sandbox.slack.state import SlackState
from bot.sandbox.slack_limits import Meter, Refusal, SlackLimits


class WebApi(SlackState):
    """The Web API of the sandbox Slack: tokens, rate limits, refusals, and the method that is called."""

    __slots__ = ()

    def limit(self, limits: SlackLimits = SlackLimits()) -> None:
        """From now on calls are counted, and one over the limits gets 429 with Retry-After, as in
        Slack.
        """
        self._meter = Meter(limits)

    def refuse(
        self,
        method: str,
        error: str,
        *,
        when: Callable[[Mapping[str, Any]], bool] = lambda _: True,
        times: int | None = None,
    ) -> Refusal:
        """Refuses calls of a method with one of Slack's errors: all, or those whose arguments match
        `when`; always, or `times` times. To end it, remove the result from `refusals`.
        """
        refusal = Refusal(method, error, when, times)
        self.refusals.append(refusal)
        return refusal

    def fail(
        self,
        method: str = "chat.postMessage",
        *,
        how: str = "cut",
        processed: bool = True,
        times: int = 1,
    ) -> None:
        """The next calls of a method are processed, or not, and get no proper answer: the
        connection is `cut`, or the answer is an HTTP status, with Slack's own error for 500 and
        with a web page otherwise.
        """

        async def act(request: web.Request) -> web.StreamResponse:
            if processed:
                await self._method(request)
            # A cut connection and a web page are of proxies, and this one is of Slack itself.
            if how == "500":
                return web.json_response({"ok": False, "error": "internal_error"}, status=500)
            if how != "cut":
                return web.Response(
                    status=int(how),
                    text="<html>Service Unavailable</html>",
                    content_type="text/html",
                )
            # Reset without a response.
            assert request.transport is not None
            request.transport.abort()
            return web.Response()

        self.misbehave(act, path=method, times=times)

    async def _method(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        args = await _arguments(request)
        token = args.pop("token", "") or request.headers.get("Authorization", "").removeprefix(
            "Bearer "
        )
        wanted = self.app_token if method == "apps.connections.open" else self.bot_token
        if method.startswith("functions."):
            # The token that came with the event ends the step, as long as it has not ended.
            wanted = self.step_tokens.get(str(args.get("function_execution_id")), wanted)
        if not token:
            return _refuse("not_authed")
        if token != wanted:
            return _refuse("invalid_auth")
        handler = getattr(self, "_api_" + method.replace(".", "_"), None)
        if handler is None:
            return _refuse("unknown_method")
        if wait_s := self._too_often(method, args):
            self.refused.append(f"{method}: ratelimited")
            headers = {"Retry-After": str(wait_s)}
            return web.json_response(
                {"ok": False, "error": "ratelimited"}, status=429, headers=headers
            )
        if refusal := next(
            (refusal for refusal in self.refusals if refusal.takes(method, args)), None
        ):
            self.refused.append(f"{method}: {refusal.error}")
            self._notify()
            return _refuse(refusal.error)
        # Refusals are counted only where a method was called with a right token.
        answer: dict[str, Any] = handler(args)
        if not answer["ok"]:
            self.refused.append(f"{method}: {answer}")
        self._notify()
        date = formatdate(self.clock(), usegmt=True)
        return web.json_response(answer, headers={"X-OAuth-Scopes": self.scopes, "Date": date})

    def _too_often(self, method: str, args: Mapping[str, Any]) -> int:
        """For how many seconds the call comes too early."""
        if self._meter is None:
            return 0
        channel = self._channel(str(args.get("channel", "")))
        return self._meter.retry_after(method, channel.id if channel else "", self.clock())

    def _api_auth_test(self, args: dict[str, Any]) -> dict[str, Any]:
        del args
        who: dict[str, Any] = {
            "team": "Sandbox",
            "user": "opswatch",
            "team_id": "T0SANDBOX",
            "user_id": BOT,
            "bot_id": "B0OPSWATCH",
        }
        if self.is_org_install:
            who |= {"enterprise_id": "E0SANDBOX", "is_enterprise_install": True}
            who |= {"team": "Sandbox organisation", "team_id": "E0SANDBOX"}
        return {"ok": True, "url": self.url, **who}

    def _api_apps_connections_open(self, args: dict[str, Any]) -> dict[str, Any]:
        del args
        ticket = self._id("ticket-")
        self.tickets.add(ticket)
        return {"ok": True, "url": f"{self.url.replace('http', 'ws', 1)}/socket/{ticket}"}


async def _arguments(request: web.Request) -> dict[str, Any]:
    """The arguments of a call, from the query, a form or JSON."""
    args: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json":
        return args | (await request.json() or {})
    if request.can_read_body:
        args |= dict(await request.post())
    return args


def _refuse(error: str) -> web.Response:
    return web.json_response({"ok": False, "error": error})
