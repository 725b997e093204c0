"""A stand-in of Opsgenie's Alert API. Pages: "Alert API", "Response"."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from providers.sandbox.server import Server


def _text(most: int, least: int = 0) -> Any:
    return Annotated[str, Field(min_length=least, max_length=most)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Alert(_Strict):
    message: _text(130, 1)  # type: ignore[valid-type]
    alias: _text(512)  # type: ignore[valid-type]
    description: _text(15_000) = ""  # type: ignore[valid-type]
    priority: Literal["P1", "P2", "P3", "P4", "P5"] = "P3"
    source: _text(100) = ""  # type: ignore[valid-type]
    entity: _text(512) = ""  # type: ignore[valid-type]
    tags: Annotated[list[_text(50)], Field(max_length=20)] = []  # type: ignore[valid-type]
    details: dict[str, str] = {}
    user: _text(100) = ""  # type: ignore[valid-type]
    note: _text(25_000) = ""  # type: ignore[valid-type]


class _Note(_Strict):
    user: _text(100) = ""  # type: ignore[valid-type]
    source: _text(100) = ""  # type: ignore[valid-type]
    note: _text(25_000) = ""  # type: ignore[valid-type]


@dataclass(slots=True)
class OpenAlert:
    """`count` is how often it was created: only the first time calls somebody."""

    alias: str
    message: str
    priority: str
    status: str = "open"
    count: int = 1
    acknowledged_by: str = ""


@dataclass(slots=True)
class OpsgenieSandbox(Server):
    """`missed` are requests about alerts that do not exist, which Opsgenie accepts and drops."""

    name: str = "opsgenie"
    title: str = "Opsgenie"
    api_key: str = "eb243592-0000-1111-2222-333333333333"
    alerts: list[OpenAlert] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    def settings(self) -> dict[str, Any]:
        return {"kind": "opsgenie", "base_url": self.url, "api_key": "env:OPSGENIE_API_KEY"}

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/v2/alerts", self._create),
            web.post("/v2/alerts/{alias}/acknowledge", self._acknowledge),
            web.post("/v2/alerts/{alias}/close", self._close),
        ]

    async def _create(self, request: web.Request) -> web.Response:
        if refusal := self._refusal(request):
            return refusal
        try:
            alert = _Alert.model_validate_json(await request.read())
        except ValidationError as error:
            return _unprocessable(error)
        opened = self._open(alert.alias)
        if opened is None:
            self.alerts.append(OpenAlert(alert.alias, alert.message, alert.priority))
        else:
            # An open alert with the same alias is counted and not created again ("Alert API").
            opened.count += 1
        return _accepted()

    async def _acknowledge(self, request: web.Request) -> web.Response:
        return await self._change(request, "acknowledged")

    async def _close(self, request: web.Request) -> web.Response:
        return await self._change(request, "closed")

    async def _change(self, request: web.Request, status: str) -> web.Response:
        if refusal := self._refusal(request):
            return refusal
        if request.query.get("identifierType") != "alias":
            return web.json_response({"message": "Unknown identifier"}, status=404)
        try:
            note = _Note.model_validate_json(await request.read())
        except ValidationError as error:
            return _unprocessable(error)
        opened = self._open(request.match_info["alias"])
        if opened is None:
            self.missed.append(status)
        else:
            opened.status = status
            opened.acknowledged_by = note.user or opened.acknowledged_by
        return _accepted()

    def _open(self, alias: str) -> OpenAlert | None:
        return next((a for a in self.alerts if a.alias == alias and a.status != "closed"), None)

    def _refusal(self, request: web.Request) -> web.Response | None:
        if request.headers.get("Authorization") != f"GenieKey {self.api_key}":
            return web.json_response({"message": "Could not authenticate"}, status=401)
        if request.content_type != "application/json":
            return web.json_response({"message": "Unsupported media type"}, status=415)
        return None


def _accepted() -> web.Response:
    found = {"result": "Request will be processed", "took": 0.1, "requestId": str(uuid.uuid4())}
    # Requests are processed later, so that mistakes of that kind are never answered.
    return web.json_response(found, status=202)


def _unprocessable(error: ValidationError) -> web.Response:
    errors = {".".join(map(str, each["loc"])): each["msg"] for each in error.errors()}
    found = {"message": "Request body is not processable", "errors": errors}
    return web.json_response(found, status=422)
