"""Dense text without secrets: repeated text is not read again, and secrets in it are found as
elsewhere.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable
from functools import partial

import pytest

from providers.redaction import Redactor, assigned, named, notation, ordinary, unsigned, values
from providers.redaction.scan import Match
from providers.redaction.tokens import letters
from tests.support.regex_work import Work

RANDOM = random.Random(6)
SIZE = 40_000


def number() -> int:
    return RANDOM.randrange(100_000, 1_000_000)


def word() -> str:
    return "".join(RANDOM.choices("abcdefghijklmnopqrstuvwxyz", k=8))


ORDINARY: dict[str, Callable[[], str]] = {
    "counts": lambda: f'"max_tokens":{number()},',
    "types": lambda: f"token_type={word()} ",
    "prose counts": lambda: f"tokens: {number()} ",
    "results": lambda: f"passed {number()} ",
    "keys": lambda: f"primary_key={number()} ",
    "nulls": lambda: f'{{"id":{number()},"password":null}},',
    "compasses": lambda: f"compass{number()} ",
    "sessions": lambda: f"sid={number()} ",
    "secretaries": lambda: f"secretary {word()} ",
    "consents": lambda: f"cookie consent {number()} ",
    "states": lambda: f"token: expired {number()} ",
    "addresses": lambda: f"http://{word()}/{word()} ",
}
SECRETS = (
    f"token={letters(20)}",
    f'"password":"{letters(12)}",',
    f"sid={letters(20)}",
    f"http://ada:{letters(12)}@kitchen/",
    f"ghp_{letters(36)}",
    f"Cookie: shop={letters(20)}",
    f"proxy_set_header Cookie shop={letters(20)};",
    f"password for ada: {letters(12)}",
)


def ordinary_lines(kind: str, line_length: int) -> list[str]:
    lines: list[str] = []
    while sum(map(len, lines)) < SIZE:
        line = ORDINARY[kind]()
        while len(line) < line_length:
            line += ORDINARY[kind]()
        lines.append(line)
    return lines


@pytest.mark.parametrize("line_length", [1, 200, 6_000])
@pytest.mark.parametrize("kind", ORDINARY)
def test_dense_ordinary_text_stays(kind: str, line_length: int) -> None:
    text = "\n".join(ordinary_lines(kind, line_length))
    assert Redactor().text(text) == text


@pytest.mark.parametrize("kind", ORDINARY)
def test_secret_in_dense_ordinary_text_is_removed(kind: str) -> None:
    lines = ordinary_lines(kind, 200)
    for place, secret in enumerate(SECRETS):
        lines[20 * place + 5] += secret
        lines[20 * place + 9] = secret
    one_by_one = [Redactor().text(line) for line in lines]
    assert Redactor().text("\n".join(lines)) == "\n".join(one_by_one)
    assert letters(12) not in "".join(one_by_one)


@pytest.mark.parametrize("line_length", [1, 200])
@pytest.mark.parametrize("kind", sorted(set(ORDINARY) - {"addresses"}))
def test_repeated_ordinary_text_is_read_seldom(
    kind: str, line_length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = Work()
    for module in (named, notation, values, unsigned, assigned):
        work.watch(module, monkeypatch)
    text = "\n".join(ordinary_lines(kind, line_length)).encode()
    redact = Redactor()
    redact.part(text, None)
    assert work.of(partial(redact.part, text, None)) < len(text) / 4


def test_text_is_ordinary_only_with_mixed_digits() -> None:
    """A text that is harmless only if all of its digits are the same is read at each place."""

    def places(block: bytes) -> list[Match]:
        return [(0, match.start(), match.end()) for match in re.finditer(rb"n=", block)]

    def same_digits(block: bytes, matches: list[Match]) -> Iterable[bytes]:
        for _, at, end in matches:
            digits = block[end : end + 6]
            if len(set(digits)) == 1:
                yield block[at - 1 : end + 7]

    block = b" n=444444 " * 1_000
    kept = ordinary.without_ordinary_text(block, places, same_digits, (True, True))
    assert kept == block
