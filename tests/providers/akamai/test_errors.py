"""Clock skew, signatures, and the translation of each Akamai error."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime, timedelta

import pytest

from providers.akamai.client import Akamai
from providers.akamai.edgerc import EdgeGridCredentials
from providers.akamai.reports import ReportSettings
from providers.akamai.sandbox import AkamaiSandbox
from providers.errors import (
    AuthFailed,
    NotFound,
    ProtocolError,
    ProviderError,
    RateLimited,
    Unavailable,
)
from providers.models import CallFilters
from providers.redaction import Secret
from tests.providers.akamai.support import SAMPLE_DATA, WINDOW, client_of


@pytest.mark.parametrize(
    "href",
    [
        "http://elsewhere.example/x",
        "https://127.0.0.1/x",
        "http://127.0.0.1:1/x",
        "//elsewhere.example/x",
    ],
)
async def test_link_to_other_host_is_not_followed(server: AkamaiSandbox, href: str) -> None:
    client = client_of(server, report="v2")
    server.answer_with(303, Location=href)
    with pytest.raises(ProtocolError, match="link to another host"):
        await client.calls(WINDOW, CallFilters())
    await client.aclose()
    assert len(server.requests) == 1


async def test_report_that_is_never_ready_is_reported(
    server: AkamaiSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("providers.akamai.transport.ASYNC_WAITS_S", (0.0,) * 5)
    client = client_of(server, report="v2")
    server.answer_with(303, Location="/reporting-api/v2/results/r0", times=99)
    with pytest.raises(Unavailable, match="still preparing"):
        await client.calls(WINDOW, CallFilters())
    await client.aclose()
    assert len(server.requests) == 6


async def test_persistently_wrong_clock_is_reported(server: AkamaiSandbox, edge: Akamai) -> None:
    drift = iter(range(1, 100))
    server.now = lambda: datetime.now(UTC) + timedelta(minutes=7 * next(drift))
    with pytest.raises(AuthFailed, match="this machine's clock is wrong"):
        await edge.calls(WINDOW, CallFilters())
    assert len(server.requests) == 2


async def test_missing_date_header_uses_request_time(server: AkamaiSandbox, edge: Akamai) -> None:
    when = datetime.now(UTC) + timedelta(minutes=9)
    problem = {
        "type": "https://problems/pep-authn/request-error",
        "title": "Bad request",
        "detail": "Invalid timestamp",
        "requestTime": f"{when:%Y-%m-%dT%H:%M:%SZ}",
    }
    server.answer_with(400, json.dumps(problem), Date="soon")
    server.now = lambda: datetime.now(UTC) + timedelta(minutes=9)
    await edge.calls(WINDOW, CallFilters())
    assert len(server.requests) == 2


async def test_clock_skew_is_corrected_once(server: AkamaiSandbox, edge: Akamai) -> None:
    server.now = lambda: datetime.now(UTC) + timedelta(minutes=7)
    await edge.calls(WINDOW, CallFilters())
    await edge.calls(WINDOW, CallFilters())
    assert len(server.requests) == 3


async def test_every_attempt_is_signed_afresh(server: AkamaiSandbox, edge: Akamai) -> None:
    server.answer_with(503, times=2)
    await edge.calls(WINDOW, CallFilters())
    assert len({entry.headers["Authorization"] for entry in server.requests}) == 3


async def test_wrong_secret_is_reported_without_showing_it(server: AkamaiSandbox) -> None:
    secrets = (Secret(server.client_token), Secret("not-the-secret"), Secret(server.access_token))
    client = Akamai(
        "edge",
        credentials=EdgeGridCredentials(server.url, *secrets),
        settings=ReportSettings(("1-123A",)),
    )
    with pytest.raises(AuthFailed, match="The signature does not match") as caught:
        await client.calls(WINDOW, CallFilters())
    await client.aclose()
    assert "not-the-secret" not in f"{caught.value!r}{caught.value.hint}"


async def test_foreign_account_id_is_named(server: AkamaiSandbox) -> None:
    client = client_of(server, account_ids=("1-ELSEWHERE",))
    with pytest.raises(AuthFailed, match="1-ELSEWHERE"):
        await client.calls(WINDOW, CallFilters())
    await client.aclose()


def gateway(kind: str, detail: str) -> str:
    return json.dumps(
        {
            "type": f"https://problems.luna.akamaiapis.net/-/{kind}",
            "title": "Bad request",
            "detail": detail,
        }
    )


ERRORS = [
    (
        "burst block",
        400,
        gateway("pep-authn/request-error", "WAF deny rule IPBLOCK-BURST4-54013"),
        RateLimited,
    ),
    (
        "bad request",
        400,
        json.dumps({"type": "x", "title": "Invalid request", "errors": [{"title": "Bad date"}]}),
        ProtocolError,
    ),
    (
        "no errors",
        400,
        json.dumps({"type": "x", "title": "Invalid request", "errors": []}),
        ProtocolError,
    ),
    ("inactive", 401, gateway("pep-authn/deny", "Inactive client token"), AuthFailed),
    ("denied", 403, gateway("pep-authz/deny", "lacks grant"), AuthFailed),
    ("gone", 410, "", NotFound),
    ("not found", 404, "<html></html>", NotFound),
    ("html", 502, "<html>Access Denied Reference #18</html>", Unavailable),
    (
        "quota",
        429,
        json.dumps(
            {"title": "Rate Limit Exceeded", "rateLimitNextRequest": "Fri, 29 Mar 2044 13:40:00 Z"}
        ),
        RateLimited,
    ),
    ("cost", 422, json.dumps({"title": "query-cost-exceeded"}), ProtocolError),
]


@pytest.mark.parametrize(
    ("status", "body", "error"), [case[1:] for case in ERRORS], ids=[case[0] for case in ERRORS]
)
async def test_each_error_is_one_of_the_family(
    server: AkamaiSandbox, edge: Akamai, status: int, body: str, error: type[ProviderError]
) -> None:
    server.answer_with(status, body, times=9)
    with pytest.raises(error) as caught:
        await edge.calls(WINDOW, CallFilters())
    assert caught.value.hint


@pytest.mark.parametrize(
    "body",
    ["", "{}", '{"data": 3}', "<html>", "[" * 50_000],
    ids=["empty", "no data", "number", "html", "deep"],
)
async def test_unreadable_answer_is_a_protocol_error(
    server: AkamaiSandbox, edge: Akamai, body: str
) -> None:
    server.answer_with(200, body, Content_Type="application/json")
    with pytest.raises(ProtocolError):
        await edge.calls(WINDOW, CallFilters())


async def test_query_string_secrets_are_redacted(server: AkamaiSandbox, edge: Akamai) -> None:
    server.rows = lambda a, b: [{**SAMPLE_DATA[0], "uri": "host/x?token=s3cr3t&page=2"}]
    page = await edge.calls(WINDOW, CallFilters())
    assert page.calls[0].target == "host/x?token=[redacted]&page=2"


async def test_429_names_time_of_recovery(server: AkamaiSandbox, edge: Akamai) -> None:
    when = datetime.now(UTC) + timedelta(minutes=4)
    server.answer_with(
        429,
        json.dumps(
            {
                "title": "Rate Limit Exceeded",
                "rateLimitNextRequest": f"{when:%a, %d %b %Y %H:%M:%S} Z",
            }
        ),
        times=9,
    )
    with pytest.raises(RateLimited) as caught:
        await edge.calls(WINDOW, CallFilters())
    assert caught.value.hint == "Try again in about 4 min."


async def test_refused_window_is_no_clock_error(server: AkamaiSandbox, edge: Akamai) -> None:
    errors = [
        {
            "type": "reporting.re.date.range.invalid.date.format",
            "title": "Invalid timestamp in start",
        }
    ]
    body = {
        "type": "reporting.re.invalid.request",
        "title": "Invalid timestamp",
        "instance": "x",
        "errors": errors,
    }
    server.answer_with(400, json.dumps(body), times=9)
    with pytest.raises(ProtocolError, match="refused the window"):
        await edge.calls(WINDOW, CallFilters())


@pytest.mark.parametrize(
    "href", ["http://[::1", "\x00", "/x" * 70_000, "http://h:99999999/", "//", "\ud800"], ids=repr
)
async def test_invalid_link_is_a_protocol_error(server: AkamaiSandbox, href: str) -> None:
    client = client_of(server, report="v2")
    body = {"metadata": {}, "data": SAMPLE_DATA[:1], "links": [{"rel": "next", "href": href}]}
    server.answer_with(200, json.dumps(body), Content_Type="application/json")
    with contextlib.suppress(ProviderError):
        assert (await client.calls(WINDOW, CallFilters())).calls
    await client.aclose()
