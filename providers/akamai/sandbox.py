"""A stand-in of Akamai's Reporting API. Every request is checked with the vendor's own EdgeGrid
signer.
"""

from __future__ import annotations

import csv
import io
import json
import logging
import random
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from aiohttp import web

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
ENUMS = {
    "http_method": {"head", "post", "get", "delete", "put", "other"},
    "response_class": {f"{n}xx" for n in range(7)},
    "response_status": {"success", "error"},
}
STRINGS = {
    "client_token",
    "contract_type",
    "endpoint",
    "response_code",
    "username",
    "url_contain",
    "url_not_contain",
    "url_start_with",
    "url_not_start_with",
    "url_end_with",
    "url_not_end_with",
    "url_exact_match",
    "url_match",
    "url_not_match",
}
V2_COLUMNS = {
    "authorizationClientToken": "clientToken",
    "requestMethod": "method",
    "requestUri": "uri",
}


def example_rows(start: datetime, end: datetime) -> Iterator[dict[str, str]]:
    """Recorded calls, the same for the same time: a few clients, one of which fails often."""
    clients = (
        ("ada@example.com", "akab-ada", "terraform", "203.0.113.7", 0.03),
        ("grace@example.com", "akab-grace", "purge-job", "203.0.113.9", 0.02),
        ("linus@example.com", "akab-linus", "old-script", "198.51.100.4", 0.45),
    )
    calls = (
        ("get", "papi/v1/properties"),
        ("post", "ccu/v3/invalidate/url/production"),
        ("get", "reporting-api/v1/reports"),
        ("put", "papi/v1/properties/prp_42/versions/7/rules"),
        ("delete", "edgeworkers/v1/ids/7"),
    )
    tick = -(-int(start.timestamp()) // 97) * 97
    while tick < end.timestamp():
        spread = random.Random(tick)
        owner, token, client, ip, unlucky = clients[min(2, int(spread.random() ** 1.5 * 3.2))]
        method, uri = spread.choice(calls)
        code = (
            spread.choice(("429", "503", "403", "500"))
            if spread.random() < unlucky
            else spread.choice(("200", "200", "201", "304"))
        )
        yield {
            "clientId": client,
            "clientIp": ip,
            "clientOwner": owner,
            "clientToken": token,
            "method": method,
            "responseCode": code,
            "timestamp": datetime.fromtimestamp(tick, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "uri": f"akab-example.luna.akamaiapis.net/{uri}",
        }
        tick += 97


class Refusal(Exception):
    """A request the real service would refuse: status and body."""

    def __init__(self, status: int, body: dict[str, Any], kind: str = "application/json") -> None:
        super().__init__(status)
        self.status, self.body, self.kind = status, body, kind


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
                "channel": "#ops",
            }
        ]

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(V1, self._guarded(self._describe)),
            web.post(V1 + "/report-data", self._guarded(self._post)),
            web.get(V1 + "/report-data", self._guarded(self._get)),
            web.post(V2, self._guarded(self._v2)),
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
                self._check_signature(request, await request.read())
                if self.retired and request.path.startswith(V1):
                    raise Refusal(
                        410,
                        {
                            "type": "reporting.re.gone",
                            "title": "Report retired",
                            "instance": "x",
                            "errors": [],
                        },
                    )
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

    def _check_signature(self, request: web.Request, body: bytes) -> None:
        """EdgeGrid with the vendor's signer: the same request, timestamp and nonce must give the
        same header.
        """
        from akamai.edgegrid.edgegrid import EdgeGridAuthHeaders

        logging.getLogger("akamai.edgegrid.edgegrid").setLevel(logging.WARNING)
        header = request.headers.get("Authorization", "")
        match = re.fullmatch(
            r"EG1-HMAC-SHA256 client_token=([^;]+);access_token=([^;]+);timestamp=([^;]+);nonce=([^;]+);signature=(\S+)",
            header,
        )
        if not match:
            raise _gateway(
                400, "pep-authn/request-error", "Bad request", "Invalid Authorization header"
            )
        client_token, access_token, timestamp, nonce, _ = match.groups()
        signed_at = datetime.strptime(timestamp, "%Y%m%dT%H:%M:%S%z")
        if abs(self.now() - signed_at) > timedelta(seconds=30):
            raise _gateway(400, "pep-authn/request-error", "Bad request", "Invalid timestamp")
        if (client_token, access_token) != (self.client_token, self.access_token):
            raise _gateway(401, "pep-authn/deny", "Not authorized", "Inactive client token")
        if nonce in self.nonces:
            raise _gateway(401, "pep-authn/deny", "Not authorized", "The nonce was used before")
        self.nonces.add(nonce)
        signer = EdgeGridAuthHeaders(self.client_token, self.client_secret, self.access_token)
        view = SimpleNamespace(
            method=request.method,
            url=self.url + request.raw_path,
            headers={"Host": request.headers["Host"]},
            body=body,
        )
        if signer.make_auth_header(view, timestamp, nonce) != header:
            raise _gateway(401, "pep-authn/deny", "Not authorized", "The signature does not match")

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
                "metrics": [{"name": name, "unit": "STRING"} for name in METRICS],
                "filters": enums + texts,
                "dataRetentionDays": 92,
                "limit": 5000,
                "maxLimit": 25000,
            }
        )

    async def _post(self, request: web.Request) -> web.Response:
        if request.content_type != "application/json":
            raise Refusal(
                415,
                {
                    "type": "reporting.re.media",
                    "title": "Unsupported media type",
                    "instance": "x",
                    "errors": [],
                },
            )
        try:
            body = json.loads(await request.text())
        except ValueError:
            raise _invalid("invalid.request.body") from None
        if not isinstance(body, dict) or set(body) - {"objectIds", "metrics", "filters"}:
            raise _invalid("unknown.member")
        ids, metrics, filters = (
            body.get("objectIds"),
            body.get("metrics") or METRICS,
            body.get("filters") or {},
        )
        return self._report(request, ids, metrics, filters)

    async def _get(self, request: web.Request) -> web.Response:
        """Filters come as `name=value` joined by commas."""
        filters: dict[str, list[str]] = {}
        for pair in filter(None, request.query.get("filters", "").split(",")):
            name, equals, value = pair.partition("=")
            if not equals:
                raise _invalid("invalid.filter")
            filters.setdefault(name, []).append(value)
        metrics = list(filter(None, request.query.get("metrics", "").split(","))) or METRICS
        return self._report(
            request, request.query.get("objectIds", "").split(","), metrics, filters
        )

    def _report(
        self, request: web.Request, ids: Any, metrics: list[str], filters: dict[str, list[str]]
    ) -> web.Response:
        start, end = self._window(request)
        self._check_ids(ids)
        if set(metrics) - set(METRICS):
            raise _invalid("invalid.metric")
        for name, values in filters.items():
            if name not in self.enums and name not in STRINGS:
                raise _invalid("invalid.filter.name")
            if name in self.enums and set(values) - self.enums[name]:
                raise _invalid("invalid.filter.value")
        ends = self._data_ends(end)
        found = [
            row
            for row in self.rows(start, min(ends, end))
            if all(_passes(row, n, v) for n, v in filters.items())
        ]
        rows = [{name: row[name] for name in metrics} for row in found[: self.row_cap]]
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
                text=_as_csv(metadata, metrics, rows), content_type="text/csv", charset="utf-8"
            )
        return web.json_response({"metadata": metadata, "data": rows, "summaryStatistics": {}})

    def _data_ends(self, end: datetime) -> datetime:
        """Until when there is data for a report that ends then; all of it where nothing lags."""
        return min(end, self.data_until()) if self.data_until else end

    async def _v2(self, request: web.Request) -> web.Response:
        body = json.loads(await request.text())
        self._check_ids(body.get("objectIds"))
        start, end = self._window(request)
        dimensions, limit = body["dimensions"], min(body.get("limit", 5000), 25000)
        found = [
            row
            for row in self.rows(start, end)
            if all(_passes_v2(row, f) for f in body.get("filters", []))
        ]
        rows = [{name: _v2_value(row, name) for name in dimensions} for row in found[:limit]]
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
            return web.json_response(result)
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
        return web.json_response(self._results[key])

    def _check_ids(self, ids: Any) -> None:
        if not isinstance(ids, list) or not ids:
            raise _invalid("missing.objects")
        strange = [key for key in ids if key not in self.account_ids]
        if strange:
            errors = [
                {
                    "type": "reporting.re.problem.forbidden.objects",
                    "title": f"You don't have access to {', '.join(strange)}",
                }
            ]
            raise Refusal(
                403,
                {
                    "type": "reporting.re.problem.forbidden",
                    "title": "Forbidden",
                    "instance": "x",
                    "errors": errors,
                },
            )

    def _window(self, request: web.Request) -> tuple[datetime, datetime]:
        try:
            start, end = (datetime.fromisoformat(request.query[name]) for name in ("start", "end"))
        except (KeyError, ValueError):
            raise _invalid("date.range.invalid.date.format") from None
        if start.tzinfo is None or end <= start or start < self.now() - timedelta(days=92):
            raise _invalid("date.range")
        if self.whole_steps_only and any(moment.timestamp() % 300 for moment in (start, end)):
            raise _invalid("interval", "start and end must be divisible by the interval")
        return start, end


def _as_csv(metadata: dict[str, Any], metrics: list[str], rows: list[dict[str, str]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    out.write("#METADATA_START\n")
    for key in (
        "name",
        "version",
        "start",
        "end",
        "availableDataEnds",
        "suggestedRetryTime",
        "rowCount",
        "objectType",
    ):
        writer.writerow([key, metadata[key] if metadata[key] is not None else ""])
    writer.writerow(["objectIds", *metadata["objectIds"]])
    for entry in metadata["filters"]:
        writer.writerow([entry["name"], *entry["values"]])
    out.write(
        "#METADATA_END\n\n#SUMMARYSTATISTICS_START\n\n#SUMMARYSTATISTICS_END\n\n#COLUMNS_START\n"
    )
    writer.writerow(metrics)
    out.write("#COLUMNS_END\n\n#DATA_START\n")
    writer.writerows([row[name] for name in metrics] for row in rows)
    out.write("#DATA_END\n")
    return out.getvalue()


def _passes(row: dict[str, str], name: str, values: list[str]) -> bool:
    """Any of the values of a filter; filters that the rows cannot show pass everything."""
    code, uri = row["responseCode"], row["uri"]
    tests: dict[str, Callable[[str], bool]] = {
        "client_token": lambda v: row["clientToken"] == v,
        "http_method": lambda v: (
            row["method"] == v if v != "other" else row["method"] not in ENUMS["http_method"]
        ),
        "response_class": lambda v: code[:1] == v[0],
        "response_code": lambda v: code == v,
        "response_status": lambda v: (code[:1] in "23") == (v == "success"),
        "username": lambda v: row["clientOwner"] == v,
        "url_contain": lambda v: v in uri,
        "url_not_contain": lambda v: v not in uri,
        "url_start_with": uri.startswith,
        "url_not_start_with": lambda v: not uri.startswith(v),
        "url_end_with": uri.endswith,
        "url_not_end_with": lambda v: not uri.endswith(v),
        "url_exact_match": lambda v: uri == v,
        "url_match": lambda v: re.search(v, uri) is not None,
        "url_not_match": lambda v: re.search(v, uri) is None,
    }
    test = tests.get(name)
    return test is None or any(test(value) for value in values)


def _passes_v2(row: dict[str, str], wanted: dict[str, Any]) -> bool:
    value = (
        row["responseCode"][:1] + "xx"
        if wanted["dimensionName"] == "responseClass"
        else str(_v2_value(row, wanted["dimensionName"]))
    )
    return _compare(wanted["operator"], value, wanted["expressions"])


def _compare(operator: str, value: str, expressions: Iterable[str]) -> bool:
    if operator == "IN_LIST":
        return value in expressions
    if operator == "CONTAINS":
        return any(e in value for e in expressions)
    if operator == "STARTS_WITH":
        return any(value.startswith(e) for e in expressions)
    if operator == "ENDS_WITH":
        return any(value.endswith(e) for e in expressions)
    raise _invalid("unknown.operator")


def _v2_value(row: dict[str, str], name: str) -> Any:
    value = row[V2_COLUMNS.get(name, name)]
    if name == "requestMethod":
        return value.upper()
    return int(value) if name == "responseCode" and value.isdigit() else value


def _gateway(status: int, kind: str, title: str, detail: str) -> Refusal:
    body = {
        "type": f"https://problems.luna.akamaiapis.net/-/{kind}",
        "title": title,
        "status": status,
        "detail": detail,
        "requestId": "1a2b",
    }
    return Refusal(status, body, "application/problem+json")


def _invalid(what: str, title: str = "") -> Refusal:
    errors = [
        {"type": f"reporting.re.{what}", "title": title or what.replace(".", " ").capitalize()}
    ]
    return Refusal(
        400,
        {
            "type": "reporting.re.invalid.request",
            "title": "Invalid request",
            "instance": "x",
            "errors": errors,
        },
    )
