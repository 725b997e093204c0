"""The Bolt app: its authorization, which is known from the start, and its early acks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

import stamina
from slack_bolt import BoltResponse
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.listener.async_listener import AsyncCustomListener
from slack_bolt.middleware.async_middleware import AsyncMiddleware
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.request.internals import build_normalized_headers
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.config import SlackTokens
from bot.health import ConnectionStatus
from bot.slack.deliveries import SOCKET_MODE, wants_reply
from bot.slack.socket_errors import FATAL_ERRORS, NOT_CONNECTED, unreachable
from bot.slack.socket_mode import SocketTimeouts
from bot.slack.web import retry_after_s

log = logging.getLogger("opswatch")
# Without a name Bolt reads the sources of all callers to name the app after a file. It sets the level
# of the logger of this name for every delivery, so the name must not be that of one of ours.
APP_NAME = "opswatch.bolt"
# What a listener of a command may take to be called without Bolt.
COMMAND_ARGUMENTS = frozenset({"self", "body", "context"})


async def wait_for_auth(
    client: AsyncWebClient, slack: ConnectionStatus, timeouts: SocketTimeouts
) -> AsyncSlackResponse:
    """Slack's answer to `auth.test`: who the bot is. Repeated until Slack can be reached. Raises
    SlackApiError for one of FATAL_ERRORS.
    """

    def may_retry(error: Exception) -> bool | float:
        """Whether to try again, and after how many seconds where Slack says."""
        # A token that is refused does not get better by waiting.
        if not isinstance(error, NOT_CONNECTED) or _is_fatal(error):
            return False
        slack.problem = _describe(error)
        log.error("Not connected to Slack: %s Trying again.", slack.problem)
        wait_s = retry_after_s(error) if isinstance(error, SlackApiError) else None
        return True if wait_s is None else max(wait_s, timeouts.first_wait)

    async for attempt in stamina.retry_context(
        on=may_retry,
        attempts=None,
        timeout=None,
        wait_initial=timeouts.first_wait,
        wait_max=timeouts.longest_wait,
        wait_jitter=timeouts.first_wait,
    ):
        with attempt:
            async with asyncio.timeout(timeouts.open):
                return await client.auth_test()
    raise AssertionError("stamina either returns or raises")


def _is_fatal(error: Exception) -> bool:
    return isinstance(error, SlackApiError) and error.response.get("error") in FATAL_ERRORS


def _describe(error: Exception) -> str:
    if not isinstance(error, SlackApiError):
        return unreachable(error)
    code = error.response.get("error") or error.response.status_code
    return f"Slack does not say which app the token belongs to ({code})."


class _Acknowledge(AsyncMiddleware):
    """Acknowledges every delivery before its listener runs. Bolt would drop the ack of a listener
    that raises right after it. A submitted modal is left to its listener, which may answer with
    errors.
    """

    async def async_process(
        self,
        *,
        req: AsyncBoltRequest,
        resp: BoltResponse,  # noqa: ARG002
        next: Any,  # noqa: A002
    ) -> BoltResponse | None:
        if not wants_reply(req.body):
            await req.context.ack()
        response: BoltResponse | None = await next()
        return response


class CommandRequest(AsyncBoltRequest):
    """A slash command over Socket Mode, without what Bolt finds out about each delivery."""

    def __init__(
        self, body: dict[str, Any], headers: dict[str, str | Sequence[str]] | None = None
    ) -> None:
        # Bolt's own constructor is not called: most of its time goes to places where a command has
        # nothing, such as the parts of an event.
        self.raw_body = ""
        self.body = body
        self.query = {}
        self.headers = build_normalized_headers(headers)
        self.content_type = None
        self.context = AsyncBoltContext({})
        self.lazy_only = False
        self.lazy_function_name = None
        self.mode = SOCKET_MODE

    def complete(self) -> AsyncBoltRequest:
        """The same as Bolt reads it."""
        return AsyncBoltRequest(mode=self.mode, body=self.body, headers={**self.headers})


class CommandApp(AsyncApp):
    """A Bolt app that passes a slash command straight to its listener. Of what Bolt prepares for
    each delivery, such as another client, an authorization and a dozen arguments, no command uses
    anything, and there is no other listener that might match.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._command_listeners: dict[str, AsyncCustomListener] = {}
        self._running: set[asyncio.Task[None]] = set()

    async def async_dispatch(self, req: AsyncBoltRequest) -> BoltResponse:
        name = req.body.get("command")
        listener = await self._listener_of(str(name), req) if name else None
        if listener is None:
            return await super().async_dispatch(_complete(req))
        req.context["client"] = self.client
        response = await req.context.ack()
        task = asyncio.create_task(self._run(listener, req))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return response

    async def _run(self, listener: AsyncCustomListener, req: AsyncBoltRequest) -> None:
        given = {"body": req.body, "context": req.context}
        try:
            await listener.ack_function(
                **{name: given[name] for name in listener.arg_names if name in given}
            )
        except Exception as error:
            await self.listener_runner.listener_error_handler.handle(
                error=error, request=req, response=None
            )

    async def _listener_of(self, name: str, req: AsyncBoltRequest) -> AsyncCustomListener | None:
        """The first listener that takes the command, as Bolt would find it; None where Bolt has to
        call it.
        """
        if name not in self._command_listeners:
            complete = _complete(req)
            for listener in self._async_listeners:
                response = BoltResponse(status=200)
                if await listener.async_matches(req=complete, resp=response):
                    if isinstance(listener, AsyncCustomListener) and COMMAND_ARGUMENTS.issuperset(
                        listener.arg_names
                    ):
                        self._command_listeners[name] = listener
                    break
        return self._command_listeners.get(name)


def _complete(request: AsyncBoltRequest) -> AsyncBoltRequest:
    return request.complete() if isinstance(request, CommandRequest) else request


def bolt_app(
    client: AsyncWebClient, tokens: SlackTokens, auth_response: AsyncSlackResponse
) -> AsyncApp:
    """The Bolt app. The `auth.test` of the start is its authorization, so that no delivery waits for
    another one.
    """
    authorization = AuthorizeResult.from_auth_test_response(
        auth_test_response=auth_response, bot_token=tokens.bot.open()
    )

    async def authorize() -> AuthorizeResult:
        return authorization

    return CommandApp(
        name=APP_NAME,
        client=client,
        signing_secret=tokens.signing.open(),
        authorize=authorize,
        before_authorize=_Acknowledge(),
        # HttpMode has checked the signature before it read anything.
        request_verification_enabled=False,
    )
