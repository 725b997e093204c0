"""Every kind of secret in every notation: no part of it remains, and the text around it stays."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from providers.redaction import Redactor
from providers.redaction.names import EXAMPLES, NameKind, name_kind
from providers.redaction.runs import RUN_FORMATS, RunFormat
from providers.redaction.tokens import MARKED_RUN_SAMPLE, TOKEN_FORMATS, TokenFormat
from tests.providers.secrets_in_logs import (
    ADDRESS_CONTEXTS,
    ANYWHERE,
    HEADER_CONTEXTS,
    NAMED_CONTEXTS,
    NAMES,
    QUERY_CONTEXTS,
    VALUES,
    Context,
)

REDACTOR = Redactor()
SIGNS = frozenset("&+/!$*")
# Parts of a context that must be there afterwards.
KEPT = (
    "user=ada",
    "page=2",
    "from=10",
    "--verbose",
    "kitchen.example",
    "next",
    "twice",
    "status=200",
)


def assert_removed(line: str, secret: str, around: str) -> None:
    """No part of the secret remains that is longer than three characters, unless it is also in the
    text around it.
    """
    redacted = REDACTOR.text(line)
    parts = {secret[at : at + 4] for at in range(len(secret) - 3)}
    assert not [
        part
        for part in parts
        if part in redacted and part not in around and part not in "[redacted]"
    ], redacted
    assert [word for word in KEPT if word in around and word not in redacted] == []
    assert REDACTOR.text(redacted) == redacted
    if (before := as_json(line)) is not None:
        assert (after := as_json(redacted)) is not None, redacted
        assert same_shape(before, after)


def as_json(text: str) -> Any:
    try:
        return json.loads(text) if text[:1] in "[{" else None
    except ValueError:
        return None


def same_shape(before: Any, after: Any) -> bool:
    if isinstance(before, dict):
        return (
            isinstance(after, dict)
            and list(before) == list(after)
            and all(same_shape(before[key], after[key]) for key in before)
        )
    if isinstance(before, list):
        return (
            isinstance(after, list)
            and len(before) == len(after)
            and all(map(same_shape, before, after))
        )
    return before == after or (isinstance(after, str) and "[redacted]" in after)


@pytest.mark.parametrize(
    "context", [*NAMED_CONTEXTS, *QUERY_CONTEXTS], ids=lambda context: context.text
)
def test_value_behind_secret_name_is_removed(context: Context) -> None:
    for name in NAMES:
        for value in VALUES.values():
            has_signs = bool(SIGNS & set(value))
            in_markup = (
                context.text.startswith("<") or "&lt;" in context.text or "u003c" in context.text
            )
            if (has_signs and not context.signs) or (in_markup and "&" in value):
                continue
            assert_removed(
                context.with_secret(name, value), value, context.text.replace("NAME", name)
            )


@pytest.mark.parametrize("context", HEADER_CONTEXTS)
def test_credentials_in_header_are_removed(context: str) -> None:
    for value in VALUES.values():
        if "&" not in value:
            assert_removed(context.replace("{}", value), value, context)


@pytest.mark.parametrize("context", ADDRESS_CONTEXTS)
def test_password_in_address_or_command_is_removed(context: str) -> None:
    for value in VALUES.values():
        if "%3A" not in context or not SIGNS & set(value):
            assert_removed(context.replace("{}", value), value, context)


@pytest.mark.parametrize("token", TOKEN_FORMATS, ids=lambda token: token.name)
def test_self_identifying_token_is_removed_anywhere(token: TokenFormat) -> None:
    for prefix in token.prefixes:
        whole = token.sample if token.before else prefix + token.sample
        # Of an address only the part that is secret goes.
        secret = (
            whole
            if REDACTOR.text(whole) == "[redacted]"
            else token.sample.rpartition("/")[2].rstrip('"')
        )
        assert len(secret) > 6
        for context in ANYWHERE:
            assert_removed(context.replace("{}", whole), secret, context)


# JSON and `{SSHA}` are seldom in a query string, and `Tableau` is recognised by text in its middle.
IN_QUERY_STRINGS = [
    token
    for token in TOKEN_FORMATS
    if not token.before and not token.name.startswith(("JSON Web Key", "Password hash"))
]


@pytest.mark.parametrize("token", IN_QUERY_STRINGS, ids=lambda token: token.name)
def test_token_in_query_string_is_removed(token: TokenFormat) -> None:
    once = quote(token.example, safe="")
    for encoded in {once, quote(once, safe="")} - {token.example}:
        for context in ("GET /a?t={}&page=2 HTTP/1.1", "next=%2Fa%3Ft%3D{}%26n%3D7&user=ada"):
            redacted = REDACTOR.text(context.replace("{}", encoded))
            assert "[redacted]" in redacted
            assert encoded[-12:] not in redacted
            assert redacted.endswith(context.rpartition("&")[2])


@pytest.mark.parametrize("token", RUN_FORMATS, ids=lambda token: token.name)
def test_token_without_fixed_text_is_removed(token: RunFormat) -> None:
    for context in ANYWHERE:
        assert_removed(context.replace("{}", token.sample), token.sample, context)


@pytest.mark.parametrize("context", ANYWHERE)
def test_marked_azure_key_is_removed_anywhere(context: str) -> None:
    if "/" not in context:
        assert_removed(context.replace("{}", MARKED_RUN_SAMPLE), MARKED_RUN_SAMPLE, context)


@pytest.mark.parametrize("letter", "xX1*")
def test_placeholder_of_token_stays(letter: str) -> None:
    for token in TOKEN_FORMATS:
        for prefix in token.prefixes if not token.before else ():
            line = f"set it to {prefix}{letter * 40} first"
            assert REDACTOR.text(line) == line


def test_at_least_120_token_formats_are_known() -> None:
    assert len({prefix for token in TOKEN_FORMATS for prefix in token.prefixes}) >= 120


@pytest.mark.parametrize(("name", "kind"), EXAMPLES.items())
def test_name_is_read_as_its_example_says(name: str, kind: NameKind) -> None:
    assert name_kind(name.encode()) is kind
