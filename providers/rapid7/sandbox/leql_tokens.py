"""Tokens of LEQL: brackets, signs, words, quoted texts and regular expressions."""

from __future__ import annotations

import re
from collections.abc import Iterator

_WORD = re.compile(r"[^\s()\[\],=!<>\"'/][^\s()\[\],=!<>\"']*")
_SIGN = re.compile(r"!==|==|!=|<=|>=|=|<|>")


class LeqlError(ValueError):
    """A query that is not accepted, with the reason."""


Token = tuple[str, str, int, int]


def tokens_of(text: str, at: int = 0) -> Iterator[Token]:
    """Kind, text, start and end of each token. The kinds are the brackets, `,`, `sign`, `regex`,
    `quoted` and `word`.
    """
    while at < len(text):
        char = text[at]
        if char.isspace():
            at += 1
            continue
        start = at
        if char in "()[],":
            kind = char
            value = char
            at += 1
        elif sign := _SIGN.match(text, at):
            kind = "sign"
            value = sign[0]
            at = sign.end()
        elif char in "\"'":
            kind = "quoted"
            value, at = _quoted(text, at)
        elif char == "/":
            kind = "regex"
            value, at = _regex(text, at)
        elif word := _WORD.match(text, at):
            kind = "word"
            value = word[0]
            at = word.end()
        else:
            raise LeqlError(f"Unexpected input at position {at}: {char}")
        yield kind, value, start, at


def _quoted(text: str, at: int) -> tuple[str, int]:
    mark = text[at : at + 3] if text[at : at + 3] in ("'''", '"""') else text[at]
    end = text.find(mark, at + len(mark))
    if end < 0:
        raise LeqlError(f"Missing closing quote for the one at position {at}")
    return text[at + len(mark) : end], end + len(mark)


def _regex(text: str, at: int) -> tuple[str, int]:
    end = at + 1
    while end < len(text) and text[end] != "/":
        end += 2 if text[end] == "\\" else 1
    if end >= len(text):
        raise LeqlError(f"Missing closing / for the regular expression at position {at}")
    flags = re.compile(r"[a-z]*").match(text, end + 1)
    assert flags is not None
    return text[at : flags.end()], flags.end()
