"""The direct path to Slack's methods sends arguments as the SDK would."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk.web.internal_utils import convert_bool_to_0_or_1

from bot.slack.web import _are_simple, _query

CASES: dict[str, tuple[dict[str, Any], bool]] = {
    "text": ({"user": "U0ADA"}, True),
    "numbers": ({"limit": 100, "cursor": ""}, True),
    "truth": ({"include_all_metadata": True, "inclusive": False}, True),
    "nothing": ({"filename": "kitchen.log", "snippet_type": None}, True),
    "empty": ({}, True),
    "list": ({"users": ["U0ADA", "U0LINUS"]}, False),
    "nested": ({"files": [{"id": "F1"}]}, False),
}


@pytest.mark.parametrize(("parameters", "simple"), CASES.values(), ids=CASES)
def test_short_way_sends_what_the_sdk_sends(parameters: dict[str, Any], simple: bool) -> None:
    assert _are_simple(parameters) is simple
    if simple:
        given = {name: value for name, value in parameters.items() if value is not None}
        by_sdk = convert_bool_to_0_or_1(given) or {}
        assert _query(parameters) == {name: str(value) for name, value in by_sdk.items()}


def test_no_parameters_go_the_long_way() -> None:
    assert not _are_simple(None)
