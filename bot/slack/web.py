"""Slack's Web API within its rate limits: every call waits for its turn, and after a 429 for as
long as Slack asks.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any

import aiohttp
import msgspec
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.slack.pace import Priority, SlackPace

log = logging.getLogger("opswatch")
# Their callers handle 429 themselves: the connection to Slack, and forms, whose trigger expires
# within seconds.
NOT_PACED = frozenset({"apps.connections.open", "auth.test", "views.open"})
# With the token of an Enterprise Grid organisation, these have to name one of its workspaces.
TEAM_METHODS = frozenset(
    {"conversations.list", "usergroups.list", "usergroups.users.list", "users.list"}
)
# Used if Slack sends no Retry-After, or an invalid one.
WAIT_S = 30.0
LONGEST_WAIT_S = 600.0
# Awaited by each call of a task right before it is sent, however long it has waited; an exception
# cancels the call.
BEFORE_CALL: ContextVar[Callable[[], Awaitable[None]] | None] = ContextVar(
    "before_call", default=None
)


def json_text(value: Any) -> str:
    """JSON for Slack. Several times as fast as the standard encoder, which is used for invalid
    Unicode only.
    """
    try:
        return msgspec.json.encode(value).decode()
    except (UnicodeEncodeError, TypeError):
        return json.dumps(value)


def web_client(
    token: str,
    api_url: str,
    session: aiohttp.ClientSession,
    *,
    pace: SlackPace | None = None,
    team_id: str | None = None,
) -> PacedWebClient:
    """A client that shares one HTTP session. It repeats a call only after a 429, which means that
    Slack did nothing.
    """
    # The SDK formats every request for its log if its logger has no level of its own, even if
    # nobody reads it.
    sdk_log = logging.getLogger("slack_sdk.web")
    sdk_log.setLevel(logging.WARNING)
    return PacedWebClient(
        pace=pace or SlackPace(),
        team_id=team_id or "",
        token=token,
        base_url=api_url,
        session=session,
        timeout=30,
        retry_handlers=[],
        logger=sdk_log,
    )


class PacedWebClient(AsyncWebClient):
    """The SDK's client within Slack's rate limits. `team_id` is the workspace in which names are
    looked up, for the token of a whole organisation.

    Raises NoRoom for progress that would have to wait, and aiohttp.ClientPayloadError if an answer
    cannot be read, so that it is unknown what Slack did.
    """

    def __init__(
        self,
        *,
        pace: SlackPace,
        priority: Priority = Priority.ANSWER,
        team_id: str = "",
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.pace = pace
        self.priority = priority
        self.team_id = team_id

    def at(self, priority: Priority) -> PacedWebClient:
        """The same client with another priority."""
        if priority is self.priority:
            return self
        return PacedWebClient(
            pace=self.pace,
            priority=priority,
            team_id=self.team_id,
            token=self.token,
            base_url=self.base_url,
            session=self.session,
            timeout=self.timeout,
            proxy=self.proxy,
            ssl=self.ssl,
            logger=self.logger,
            retry_handlers=[],
        )

    async def api_call(self, api_method: str, **request: Any) -> AsyncSlackResponse:
        if self.team_id and api_method in TEAM_METHODS:
            request["params"] = {**(request.get("params") or {}), "team_id": self.team_id}
        if api_method in NOT_PACED:
            return await self._unpaced_call(api_method, request)
        channel = _channel_of(request)
        since = asyncio.get_running_loop().time()
        while True:
            await self.pace.turn(api_method, channel, self.priority, since=since)
            if before := BEFORE_CALL.get():
                await before()
            try:
                answer = await self._send_once(api_method, request)
            except SlackApiError as error:
                wait_s = retry_after_s(error)
                if wait_s is None:
                    raise
            else:
                if api_method == "chat.postMessage":
                    self.pace.same_channel(channel, str(answer.get("channel") or ""))
                return answer
            log.warning("Slack limits %s for %.0f s; calls wait.", api_method, wait_s)
            await self.pace.block(api_method, channel, wait_s)

    async def _send_once(self, method: str, request: Mapping[str, Any]) -> AsyncSlackResponse:
        """One attempt. JSON, as which every message is sent, and simple parameters go the short way:
        the SDK spends more time on its arguments than on sending them.
        """
        if request.keys() == {"json"}:
            sent = {"data": json_text(request["json"]).encode(), "headers": self._json_headers}
        elif request.keys() == {"params"} and _are_simple(request["params"]):
            sent = {"params": _query(request["params"]), "headers": self._form_headers}
        else:
            return await super().api_call(method, **_copied(request))
        url = f"{self.base_url}{method}"
        # As the SDK would send it, with its own headers.
        answer = await self._exchange("POST", url, sent)
        response = AsyncSlackResponse(
            client=self, http_verb="POST", api_url=url, req_args={}, **answer
        )
        response.validate()  # type: ignore[no-untyped-call]  # the SDK does not annotate it
        return response

    @cached_property
    def _json_headers(self) -> Mapping[str, str]:
        return {
            **self.headers,
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json;charset=utf-8",
        }

    @cached_property
    def _form_headers(self) -> Mapping[str, str]:
        return {**self._json_headers, "Content-Type": "application/x-www-form-urlencoded"}

    async def _unpaced_call(self, method: str, request: Mapping[str, Any]) -> AsyncSlackResponse:
        """A call whose 429 the caller handles; it is counted all the same."""
        try:
            return await super().api_call(method, **request)
        except SlackApiError as error:
            if retry_after_s(error) is not None:
                self.pace.on_refusal(method)
            raise

    async def _request(
        self, *, http_verb: str, api_url: str, req_args: dict[str, Any]
    ) -> dict[str, Any]:
        return await self._exchange(http_verb, api_url, req_args)

    async def _exchange(self, verb: str, url: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The response, with fields that can be read whatever a proxy sent in Slack's place. Raises
        aiohttp.ClientPayloadError if it reports neither success nor an error.
        """
        assert self.session is not None, "it is given"
        async with self.session.request(verb, url, **arguments) as response:
            fields = _fields_of(await response.read())
        if response.status == 200 and "ok" not in fields:
            raise aiohttp.ClientPayloadError("Slack's answer could not be read.")
        return {"data": fields, "headers": response.headers, "status_code": response.status}


def _fields_of(body: bytes) -> dict[str, Any]:
    """The fields of an answer; none if it is not Slack's."""
    try:
        fields = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return fields if isinstance(fields, dict) else {}


def _are_simple(parameters: Mapping[str, Any] | None) -> bool:
    return parameters is not None and all(
        value is None or isinstance(value, str | int) for value in parameters.values()
    )


def _query(parameters: Mapping[str, Any]) -> dict[str, str]:
    """Parameters as Slack takes them; those without a value are left out."""
    return {
        name: str(int(value)) if isinstance(value, bool) else str(value)
        for name, value in parameters.items()
        if value is not None
    }


def retry_after_s(error: SlackApiError) -> float | None:
    """How many seconds to wait after a 429; None for any other error."""
    if error.response.status_code != 429 and error.response.get("error") not in (
        "ratelimited",
        "rate_limited",
    ):
        return None
    given = str(error.response.headers.get("Retry-After") or "").strip()
    return max(0.0, min(seconds_of(given), LONGEST_WAIT_S))


def seconds_of(given: str) -> float:
    """Retry-After as a number of seconds or as a date (RFC 9110)."""
    try:
        seconds = float(given)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(given) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return WAIT_S
    return seconds if 0 <= seconds < float("inf") else WAIT_S


def _channel_of(request: Mapping[str, Any]) -> str:
    """The channel that a call is about; empty if none."""
    for place in ("json", "params", "data"):
        fields = request.get(place)
        if isinstance(fields, Mapping):
            return str(fields.get("channel") or fields.get("channel_id") or "")
    return ""


def _copied(request: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of the arguments, since the SDK changes them and a second attempt needs them whole."""
    return {
        name: dict(value) if isinstance(value, dict) else value for name, value in request.items()
    }
