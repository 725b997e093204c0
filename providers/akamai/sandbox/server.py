"""The server: both reports, their windows, caps and pages."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from providers.akamai.sandbox.filters import ENUMS, STRINGS, v1_predicate, v2_predicate
from providers.akamai.sandbox.refusals import (
    Refusal,
    forbidden_objects,
    invalid_request,
    report_error,
)
from providers.akamai.sandbox.rows import as_csv, example_rows, v2_value
from providers.akamai.sandbox.signature import SignatureCheck
from providers.sandbox.pieces import in_pieces, json_array
from providers.sandbox.server import StandIn

V1 = "/reporting-api/v1/reports/apiusagedetails-by-time/versions/1"
V2 = "/reporting-api/v2/reports/common/apis/usage-details/data"
METRICS = [
    "timestamp",
    "clientOwner",
    "clientIp",
    "clientId",
    "clientToken",
    "method",
    "uri",
    "responseCode",
]
RETENTION = timedelta(days=92)


@dataclass(slots=True)
class AkamaiSandbox(StandIn):
    """`rows` gives the recorded calls between two instants as v1 spells them."""

    name: str = "akamai"
    title: str = "Akamai"
    account: str = "edge"
    client_token: str = "akab-client-token-opswatch"
    client_secret: str = "c2VjcmV0LWZvci10aGUtc2FuZGJveC1vbmx5"
    access_token: str = "akab-access-token-opswatch"
    account_ids: tuple[str, ...] = ("1-123A", "1-1TGTG")
    rows: Callable[[datetime, datetime], Iterable[dict[str, str]]] = example_rows
    row_cap: int = 5000
    deprecated: bool = False
    retired: bool = False
    asynchronous: bool = False
    nonces: set[str] = field(default_factory=set)
    page_size: int = 0
    whole_steps_only: bool = False
    data_until: Callable[[], datetime] | None = None
    enums: dict[str, set[str]] = field(
        default_factory=lambda: {name: set(values) for name, values in ENUMS.items()}
    )
    _results: dict[str, dict[str, Any]] = field(default_factory=dict)
    _asked: dict[str, int] = field(default_factory=dict)

    def settings(self) -> dict[str, Any]:
        return {
            "base_url": self.url,
            "edgerc": ".edgerc",
            "account_ids": list(self.account_ids),
        }

    def files(self) -> dict[str, str]:
        return {".edgerc": self.edgerc()}

    def alerts(self) -> list[dict[str, Any]]:
        """One that fires, since the calls of one client fail again and again."""
        return [
            {
                "name": "failing-clients",
                "ask": f"/apiaudit {self.account} last 2h",
                "value": "failures",
                "above": 3,
                "each": "actor",
                "every": "1m",
                "repeat": "15m",
                "channel": "#security",
            }
        ]

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(V1, self._guarded(self._describe)),
            web.post(V1 + "/report-data", self._guarded(self._post)),
            web.get(V1 + "/report-data", self._guarded(self._get)),
            web.post(V2, self._guarded(self._v2)),
            web.get(V2.removesuffix("/data"), self._guarded(self._v2_options)),
            web.get("/reporting-api/v2/results/{id}", self._guarded(self._result)),
        ]

    def edgerc(self) -> str:
        """An `.edgerc` for this server, with the oddities found in the field."""
        host = self.url.removeprefix("http://")
        return (
            "; made for the sandbox\n[default]\n"
            f"client_secret = {self.client_secret}\nhost = https://{host}/\n"
            f"access_token = {self.access_token}\nclient_token = {self.client_token}\n"
        )

    def _guarded(self, handler: Callable[[web.Request], Any]) -> Callable[[web.Request], Any]:
        async def guarded(request: web.Request) -> web.StreamResponse:
            try:
                self._verify(request, await request.read())
                if self.retired and request.path.startswith(V1):
                    raise report_error(410, "gone", "Report retired")
                return await handler(request)  # type: ignore[no-any-return]
            except Refusal as refusal:
                text = json.dumps(refusal.body)
                date = self.now().strftime("%a, %d %b %Y %H:%M:%S GMT")
                return web.Response(
                    status=refusal.status,
                    text=text,
                    content_type=refusal.kind,
                    headers={"Date": date},
                )

        return guarded

    def _verify(self, request: web.Request, body: bytes) -> None:
        check = SignatureCheck(
            self.client_token, self.client_secret, self.access_token, self.nonces
        )
        check.verify(request, body, url=self.url, now=self.now())

    async def _describe(self, request: web.Request) -> web.Response:
        del request
        enums = [
            {
                "name": n,
                "type": "enum",
                "values": [{"value": v} for v in sorted(vs)],
                "required": False,
            }
            for n, vs in self.enums.items()
        ]
        texts = [{"name": name, "type": "string", "required": False} for name in sorted(STRINGS)]
        return web.json_response(
            {
                "name": "apiusagedetails-by-time",
                "businessObjectName": "account_id",
                "version": 1,
                "status": "DEPRECATED" if self.deprecated else "PUBLISHED",
                "deprecated": self.deprecated,
                "supportsPagination": False,
                "outputType": "FLAT",
                "requiredProducts": ["EDGECONTROL"],
                "requiredRoles": ["IDM: API Clients - Admin Access"],
                "metrics": [{"name": name, "unit": "STRING"} for name in METRICS],
                "filters": enums + texts,
                "dataRetentionDays": RETENTION.days,
                "limit": 5000,
                "maxLimit": 25000,
            }
        )

    async def _v2_options(self, request: web.Request) -> web.Response:
        del request
        listed = {
            "requestMethod": [method.upper() for method in sorted(self.enums["http_method"])],
            "responseClass": sorted(self.enums["response_class"]),
            "responseStatus": sorted(self.enums["response_status"]),
        }
        texts = ("clientOwner", "clientIp", "clientId", "requestUri", "endpoint", "responseCode")
        enums = [
            {**_dimension(name), "filterType": "ENUM", "filterEnumValues": values}
            for name, values in listed.items()
        ]
        dimensions = [{**_dimension("timestamp"), "filterable": False}]
        dimensions += [*map(_dimension, texts), *enums]
        return web.json_response({"dimensions": dimensions, "metrics": []})

    async def _post(self, request: web.Request) -> web.Response:
        if request.content_type != "application/json":
            raise report_error(415, "media", "Unsupported media type")
        try:
            body = json.loads(await request.text())
        except ValueError:
            raise invalid_request("invalid.request.body") from None
        if not isinstance(body, dict) or set(body) - {"objectIds", "metrics", "filters"}:
            raise invalid_request("unknown.member")
        ids = body.get("objectIds")
        metrics = body.get("metrics") or METRICS
        filters = body.get("filters") or {}
        return await self._report(request, ids, metrics, filters)

    async def _get(self, request: web.Request) -> web.Response:
        """Filters come as `name=value` joined by commas."""
        filters: dict[str, list[str]] = {}
        for pair in filter(None, request.query.get("filters", "").split(",")):
            name, equals, value = pair.partition("=")
            if not equals:
                raise invalid_request("invalid.filter")
            filters.setdefault(name, []).append(value)
        metrics = list(filter(None, request.query.get("metrics", "").split(","))) or METRICS
        return await self._report(
            request, request.query.get("objectIds", "").split(","), metrics, filters
        )

    async def _report(
        self, request: web.Request, ids: Any, metrics: list[str], filters: dict[str, list[str]]
    ) -> web.Response:
        start, end = self._window(request)
        self._check_ids(ids)
        if set(metrics) - set(METRICS):
            raise invalid_request("invalid.metric")
        for name, values in filters.items():
            if name not in self.enums and name not in STRINGS:
                raise invalid_request("invalid.filter.name")
            if name in self.enums and set(values) - self.enums[name]:
                raise invalid_request("invalid.filter.value")
        ends = self._data_ends(end)
        found = await self._first_rows(
            self.rows(start, min(ends, end)), v1_predicate(filters), self.row_cap
        )
        rows = [{name: row[name] for name in metrics} for row in found]
        metadata = {
            "name": "apiusagedetails-by-time",
            "version": "1",
            "outputType": "FLAT",
            "start": request.query["start"],
            "end": request.query["end"],
            "availableDataEnds": ends.isoformat() if ends < end else None,
            "suggestedRetryTime": None,
            "rowCount": len(rows),
            "filters": [{"name": name, "values": values} for name, values in filters.items()],
            "columns": [{"name": name, "label": name} for name in metrics],
            "objectType": "account_id",
            "objectIds": ids,
        }
        if "text/csv" in request.headers.get("Accept", ""):
            return web.Response(
                text=await as_csv(metadata, metrics, rows), content_type="text/csv", charset="utf-8"
            )
        return await _json({"metadata": metadata, "summaryStatistics": {}}, rows)

    async def _first_rows(
        self,
        rows: Iterable[dict[str, str]],
        is_wanted: Callable[[dict[str, str]], bool],
        most: int,
    ) -> list[dict[str, str]]:
        """The rows that pass, up to the cap; no more are looked at than that takes."""
        found: list[dict[str, str]] = []
        async for piece in in_pieces(rows):
            found += filter(is_wanted, piece)
            if len(found) >= most:
                break
        return found[:most]

    def _data_ends(self, end: datetime) -> datetime:
        """Until when there is data for a report that ends then; all of it where nothing lags."""
        return min(end, self.data_until()) if self.data_until else end

    async def _v2(self, request: web.Request) -> web.Response:
        body = json.loads(await request.text())
        self._check_ids(body.get("objectIds"))
        start, end = self._window(request)
        dimensions = body["dimensions"]
        limit = min(body.get("limit", 5000), 25000)
        wanted = v2_predicate(body.get("filters", []))
        found = await self._first_rows(self.rows(start, end), wanted, limit)
        rows = [{name: v2_value(row, name) for name in dimensions} for row in found]
        result = {
            "metadata": {
                "columns": [{"name": name} for name in dimensions],
                "rowCount": len(rows),
                "availableDataEnds": None,
                "suggestedRetryTime": None,
            },
            "data": rows,
            "links": [],
        }
        if self.page_size:
            result = self._first_page(result)
        if not self.asynchronous:
            return await _json(result, result["data"])
        key = f"r{len(self._results)}"
        self._results[key] = result
        return web.Response(status=303, headers={"Location": f"/reporting-api/v2/results/{key}"})

    def _first_page(self, whole: dict[str, Any]) -> dict[str, Any]:
        """The rows in pages that lead from one to the next."""
        rows = whole["data"]
        pages = [rows[at : at + self.page_size] for at in range(0, len(rows), self.page_size)] or [
            []
        ]
        base = len(self._results)
        keys = [f"r{base + n}" for n in range(len(pages))]
        for number, (key, page) in enumerate(zip(keys, pages, strict=True)):
            following = (
                [{"rel": "next", "href": f"/reporting-api/v2/results/{keys[number + 1]}"}]
                if number + 1 < len(pages)
                else []
            )
            self._results[key] = {
                "metadata": {**whole["metadata"], "rowCount": len(page)},
                "data": page,
                "links": following,
            }
            self._asked[key] = 99
        return self._results[keys[0]]

    async def _result(self, request: web.Request) -> web.Response:
        """Answers 303 to itself once, then the result."""
        key = request.match_info["id"]
        self._asked[key] = self._asked.get(key, 0) + 1
        if self._asked[key] < 2:
            return web.Response(status=303, headers={"Location": request.path})
        return await _json(self._results[key], self._results[key]["data"])

    def _check_ids(self, ids: Any) -> None:
        if not isinstance(ids, list) or not ids:
            raise invalid_request("missing.objects")
        if strange := [key for key in ids if key not in self.account_ids]:
            raise forbidden_objects(strange)

    def _window(self, request: web.Request) -> tuple[datetime, datetime]:
        try:
            start, end = (datetime.fromisoformat(request.query[name]) for name in ("start", "end"))
        except (KeyError, ValueError):
            raise invalid_request("date.range.invalid.date.format") from None
        if start.tzinfo is None or end <= start or start < self.now() - RETENTION:
            raise invalid_request("date.range")
        if self.whole_steps_only and any(moment.timestamp() % 300 for moment in (start, end)):
            raise invalid_request("interval", "start and end must be divisible by the interval")
        return start, end


async def _json(report: dict[str, Any], rows: Iterable[object]) -> web.Response:
    """A report as JSON, with its rows made in pieces."""
    members = [
        f"{json.dumps(key)}: {json.dumps(value)}" for key, value in report.items() if key != "data"
    ]
    members.append(f'"data": {await json_array(rows)}')
    return web.Response(text="{" + ", ".join(members) + "}", content_type="application/json")


def _dimension(name: str) -> dict[str, Any]:
    """A dimension of v2 as its page lists it."""
    facts = {"filterable": True, "mandatory": False, "filterType": "TEXT", "authorizable": False}
    return {"name": name, "type": "STRING", **facts}
