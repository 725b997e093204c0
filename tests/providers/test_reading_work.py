"""Reading an answer: the work it causes, its depth, and what counts as nesting."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.akamai import parse as akamai_parse
from providers.akamai import problems as akamai_problems
from providers.devicewise import parse as devicewise_parse
from providers.devicewise.calls import api_call
from providers.errors import (
    ProviderError,
)
from providers.http.decoding import MOST_DEPTH, MOST_VALUES, decode_json, excess_of
from providers.rapid7 import parse as rapid7_parse
from tests.support.work import growth

TEXTS = {
    "escaped quotes": rb'{"a":"\"[[[[,,,"}',
    "escaped backslash": rb'{"a":"\\","b":[1]}',
    "brackets in strings": b'{"a":"' + b"[{" * 3 * MOST_DEPTH + b'"}',
    "commas in strings": b'["' + b"," * (MOST_VALUES + 9) + b'"]',
    "a quote at each slice": b'["' + (b"x" * 65_535 + b"\\" + b'"') * 3 + b'"]',
    "many lists one deep": b"[" + b"[]," * 1000 + b"[]]",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_brackets_in_strings_are_not_nesting(text: bytes) -> None:
    assert excess_of(text) == excess_of(text.decode()) == ""
    assert decode_json(text) == json.loads(text)


@given(
    st.recursive(
        st.none() | st.text(st.sampled_from('",[]{}\\a')),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.text(st.sampled_from('"[\\')), inner, max_size=3)
        ),
    )
)
def test_excess_is_counted_as_a_decoder_would(value: Any) -> None:
    """Uses small bounds and small slices, so that their edges are reached everywhere."""
    from providers.http import decoding

    body = json.dumps(value).encode()
    bounds = (decoding.MOST_VALUES, decoding.MOST_DEPTH, decoding._SLICE_BYTES)
    decoding.MOST_VALUES = 10**6
    decoding.MOST_DEPTH = 3
    decoding._SLICE_BYTES = 5
    try:
        assert bool(excess_of(body)) == (depth_of(value) > 3)
    finally:
        decoding.MOST_VALUES, decoding.MOST_DEPTH, decoding._SLICE_BYTES = bounds


def depth_of(value: Any) -> int:
    inner = (
        value
        if isinstance(value, list)
        else list(value.values())
        if isinstance(value, dict)
        else None
    )
    return 0 if inner is None else 1 + max(map(depth_of, inner), default=0)


@pytest.mark.parametrize("depth", [MOST_DEPTH, MOST_DEPTH + 1, 5000])
def test_depth_has_a_limit_for_text_in_text_too(depth: int) -> None:
    text = "[" * depth + "]" * depth
    assert (decode_json(text) is None) == (depth > MOST_DEPTH)


def call_in(text: bytes) -> object:
    return api_call(
        devicewise_parse.row_of({"request": text.decode(), "response": text.decode()}),
        account="a",
        whoami="",
    )


READERS: dict[str, Callable[[bytes], object]] = {
    "excess": excess_of,
    "usage": lambda body: rapid7_parse.usage_period(body, account="a"),
    "usage by log": lambda body: rapid7_parse.log_usage(body, account="a"),
    "logs": lambda body: rapid7_parse.named_logs(body, account="a"),
    "refusal": rapid7_parse.vendor_message,
    "calls": lambda body: devicewise_parse.list_page(body, account="a"),
    "a request in a string": call_in,
    "report": lambda body: akamai_parse.json_report(body, account="a"),
    "table": lambda body: akamai_parse.csv_report(body, account="a"),
    "problem": lambda body: akamai_problems.vendor_message(akamai_problems.problem(body)),
}
UNITS = [
    b"[",
    b"{",
    b'"',
    b"\\",
    b'\\"',
    b"[],",
    b'{"a":',
    b",",
    b"\n",
    b'","',
    b"9",
    b"#DATA_START\n",
    b'{"daily_usage":[',
    b"]}",
    b"\xc3\xa9",
]


@pytest.mark.parametrize("unit", UNITS, ids=repr)
@pytest.mark.parametrize("reader", READERS.values(), ids=READERS.keys())
def test_work_grows_no_faster_than_the_answer(
    reader: Callable[[bytes], object], unit: bytes
) -> None:
    def read(size: int) -> None:
        for body in (
            unit * size,
            b'{"daily_usage":[' + unit * size,
            b"#METADATA_START\n" + unit * size,
        ):
            with contextlib.suppress(ProviderError):
                reader(body)

    assert max(growth(read, [20_000, 40_000, 80_000])) < 2.6
