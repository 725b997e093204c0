"""Logs: the requests, how logs are joined and retried, and streams that break off."""

from __future__ import annotations

import gzip
from urllib.parse import parse_qs

import pytest
from aiohttp import web

from providers.errors import (
    Incomplete,
    ProtocolError,
    Unavailable,
)
from providers.rapid7.client import MATCH_ALL, Rapid7
from providers.rapid7.sandbox import Rapid7Sandbox
from providers.redaction import Secret
from providers.sandbox.seed import CELLAR, KITCHEN
from tests.providers.rapid7.support import WINDOW, body_of


async def test_download_names_query_limit_and_window(server: Rapid7Sandbox, rapid7: Rapid7) -> None:
    await body_of(rapid7, [KITCHEN, CELLAR])
    entry = server.requests[0]
    assert entry.path == f"/download/logs/{KITCHEN}:{CELLAR}"
    assert parse_qs(entry.query)["query"] == [MATCH_ALL]
    assert "limit=1000" in entry.query
    assert (
        f"from={int(WINDOW.start.timestamp() * 1000)}&to={int(WINDOW.end.timestamp() * 1000)}"
        in entry.query
    )
    assert "time_range" not in entry.query
    assert entry.headers["Accept-Encoding"] == "identity"


async def test_relative_range_is_sent_as_typed(server: Rapid7Sandbox, rapid7: Rapid7) -> None:
    assert await body_of(rapid7, [KITCHEN], window="last 20 mins")
    assert "time_range=last+20+mins" in server.requests[0].query
    assert "from=" not in server.requests[0].query


@pytest.mark.parametrize("key", ["../usage", "a/b", "a?limit=1", "..", "", "a:b", "a%2fb"])
def test_id_cannot_change_the_path(key: str) -> None:
    client = Rapid7("r", base_url="http://127.0.0.1:9", api_key=Secret("kkkk"))
    with pytest.raises(ProtocolError, match="an invalid ID"):
        client.download([key], WINDOW, query="", limit=1, most_bytes=10**9)


async def downloaded(rapid7: Rapid7, *ids: str) -> bytes:
    async with rapid7.download(
        ids or (KITCHEN,), WINDOW, query="", limit=5, most_bytes=10**9
    ) as stream:
        return b"".join([piece async for piece in stream])


@pytest.mark.parametrize("separator", [":", ";"])
async def test_log_ids_are_joined_as_either_page_documents(
    server: Rapid7Sandbox, rapid7: Rapid7, separator: str
) -> None:
    """A request that was refused once is not tried again."""
    server.separators = separator
    for _ in range(2):
        assert len((await downloaded(rapid7, KITCHEN, CELLAR)).splitlines()) == 5
    assert len(server.requests) == (2 if separator == ":" else 3)


async def test_first_refusal_of_both_separators_is_reported(
    server: Rapid7Sandbox, rapid7: Rapid7
) -> None:
    server.answer_with(400, '{"message": "Invalid query"}', times=9)
    for ids in ((KITCHEN, CELLAR), (KITCHEN,)):
        with pytest.raises(ProtocolError, match="Invalid query"):
            await downloaded(rapid7, *ids)
    assert len(server.requests) == 3


async def test_no_content_is_an_empty_log(server: Rapid7Sandbox, rapid7: Rapid7) -> None:
    server.answer_with(204)
    assert await downloaded(rapid7) == b""


async def test_log_that_is_not_ready_is_retried(server: Rapid7Sandbox, rapid7: Rapid7) -> None:
    server.answer_with(202)
    assert await downloaded(rapid7)
    assert len(server.requests) == 2
    server.answer_with(202, '{"id": "q1", "progress": 3}', times=9)
    with pytest.raises(Unavailable, match="still preparing the log"):
        await downloaded(rapid7)


@pytest.mark.parametrize(
    "disposition",
    ["attachment; filename=.log", "attachment", "", "x; filename*=utf-8''%2e%2e%2fevil", '"'],
)
async def test_vendor_file_name_is_ignored(
    server: Rapid7Sandbox, rapid7: Rapid7, disposition: str
) -> None:
    server.answer_with(200, "one\n", Content_Type="text/plain", Content_Disposition=disposition)
    assert await downloaded(rapid7) == b"one\n"


async def test_no_lines_is_an_empty_log(rapid7: Rapid7) -> None:
    assert await body_of(rapid7, [KITCHEN], query="where(/no such thing/)") == b""


@pytest.mark.parametrize("content_type", ["text/html", "application/json"])
async def test_another_content_type_with_status_200_is_no_log(
    server: Rapid7Sandbox, rapid7: Rapid7, content_type: str
) -> None:
    server.answer_with(200, "{}", Content_Type=content_type)
    with pytest.raises(ProtocolError, match="where a log was expected"):
        await body_of(rapid7, [KITCHEN])


async def test_broken_stream_is_reported(server: Rapid7Sandbox, rapid7: Rapid7) -> None:
    server.misbehave(broken_off)
    with pytest.raises(Incomplete, match="broke off"):
        await body_of(rapid7, [KITCHEN])


async def test_gzip_in_spite_of_identity_is_unpacked(server: Rapid7Sandbox, rapid7: Rapid7) -> None:
    server.answer_with(
        200, gzip.compress(b"one\ntwo\n"), Content_Type="text/plain", Content_Encoding="gzip"
    )
    assert await body_of(rapid7, [KITCHEN]) == b"one\ntwo\n"


async def test_truncated_gzip_is_reported(server: Rapid7Sandbox, rapid7: Rapid7) -> None:
    whole = gzip.compress(b"".join(b"line %d\n" % n for n in range(5000)))
    server.answer_with(
        200, whole[: len(whole) // 2], Content_Type="text/plain", Content_Encoding="gzip"
    )
    with pytest.raises(Incomplete, match="too early"):
        await body_of(rapid7, [KITCHEN])


async def test_redirected_download_carries_no_key(server: Rapid7Sandbox, rapid7: Rapid7) -> None:
    server.answer_with(302, Location=f"{server.url}/elsewhere")
    with pytest.raises(ProtocolError, match="redirect"):
        await body_of(rapid7, [KITCHEN])
    assert len(server.requests) == 1


async def broken_off(request: web.Request) -> web.StreamResponse:
    """A chunked answer that is cut in the middle."""
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    response.enable_chunked_encoding()
    await response.prepare(request)
    await response.write(b"first\nsecond\nthi")
    assert request.transport is not None
    request.transport.abort()
    return response


@pytest.mark.parametrize(
    ("ids", "limit"), [([], 10), ([KITCHEN] * 11, 10), ([KITCHEN], 0), ([KITCHEN], 20_000_001)]
)
def test_unsupported_download_sends_no_request(rapid7: Rapid7, ids: list[str], limit: int) -> None:
    with pytest.raises(ValueError, match="one to ten logs"):
        rapid7.download(ids, WINDOW, query="", limit=limit, most_bytes=1)
