"""Compressed answers: how they are unpacked, and what is refused before it is unpacked."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.errors import (
    ProtocolError,
)
from providers.http.unpacking import MOST_PART_BYTES, Unpacker
from tests.conftest import memory_below
from tests.support.vendors import MB, Vendor, download_of


async def test_gzip_bomb_is_refused_before_it_unfolds(vendor: Vendor) -> None:
    packer = zlib.compressobj(1, wbits=31)
    block = b"[]," * 100_000
    bomb = b"".join(
        [
            packer.compress(vendor.around[0]),
            *(packer.compress(block) for _ in range(830)),
            packer.flush(),
        ]
    )
    assert len(bomb) < 2 * MB
    vendor.sends(bomb, Content_Encoding="gzip")
    with pytest.raises(ProtocolError, match="sent more than 64 MB"), memory_below(250 * MB):
        await vendor.ask()


@pytest.mark.parametrize("packing", ["gzip, gzip", "gzip, deflate", "gzip,gzip,gzip"])
async def test_answer_packed_more_than_once_is_refused(vendor: Vendor, packing: str) -> None:
    vendor.sends(gzip.compress(gzip.compress(b" " * MB)), Content_Encoding=packing)
    with pytest.raises(ProtocolError, match="cannot be unpacked"):
        await vendor.ask()


@pytest.mark.parametrize(
    "body",
    [gzip.compress(b"{}" * 1000)[:-9], b"not packed", gzip.compress(b"{}") + b"junk"],
    ids=["cut short", "not packed", "junk behind it"],
)
async def test_answer_that_does_not_unpack_is_refused(vendor: Vendor, body: bytes) -> None:
    vendor.sends(body, Content_Encoding="gzip")
    with pytest.raises(ProtocolError, match="cannot be unpacked"):
        await vendor.ask()


@pytest.mark.parametrize("encoding", ["utf-8", "identity", ""])
async def test_encoding_that_names_no_packing_is_passed_over(rapid7: Vendor, encoding: str) -> None:
    rapid7.sends(rapid7.body(b'{"day":"2026-11-01","usage":5}'), Content_Encoding=encoding)
    assert (await rapid7.ask()).by_day == {date(2026, 11, 1): 5}


@pytest.mark.parametrize(
    "deflate", [zlib.compress, lambda data: zlib.compress(data)[2:-4]], ids=["zlib", "bare"]
)
async def test_deflate_is_unpacked_with_and_without_its_header(
    rapid7: Vendor, deflate: Callable[[bytes], bytes]
) -> None:
    rapid7.sends(
        deflate(rapid7.body(b'{"day":"2026-11-01","usage":5}')), Content_Encoding="deflate"
    )
    assert (await rapid7.ask()).by_day == {date(2026, 11, 1): 5}


@given(st.binary(max_size=2000), st.lists(st.integers(1, 400), max_size=8))
def test_packed_bytes_come_out_whole_however_they_are_cut(data: bytes, cuts: list[int]) -> None:
    packed = gzip.compress(data * 300)
    out = bytearray()
    unpacker = Unpacker()
    for cut in [*cuts, len(packed)]:
        for part in unpacker.feed(packed[:cut]):
            assert len(part) <= MOST_PART_BYTES
            out += part
        packed = packed[cut:]
    assert (bytes(out), unpacker.ended) == (data * 300, True)


@pytest.mark.parametrize("encoding", ["gzip, gzip", "br", "zstd"])
async def test_unknown_compression_is_refused(encoding: str) -> None:
    async with download_of({"Content-Type": "text/plain", "Content-Encoding": encoding}) as ask:
        with pytest.raises(ProtocolError, match="sent a log packed as"):
            await ask()
