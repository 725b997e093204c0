"""The shapes in which most secrets stand in logs, each found by one expression: a plain name, a sign, and letters with digits among them.

What has none of these shapes is left to the slower rules, which would come to the same result.
"""

from __future__ import annotations

import re
from typing import Final

_SHAPES: Final = re.compile(
    rb"""(?x)
    (?<![a-z0-9_.%\\-])
    (?:
        (?: password | passwd | secret | token | api_?key )
        (?:\\{0,3}["'])? [^\S\n]? [=:] [^\S\n]? (?P<quote> \\{0,3}["'] )?
        (?P<value> (?=[a-z]{0,64}[0-9]) [a-z0-9] (?: [a-z0-9_~!$*^+-] | &(?![\w.%-]{1,40}[=:]) ){7,255}+ )
        (?(quote) (?P=quote) | (?: (?=\s|$) | (?=["'][^\w!$^*~@\#+]) ) )
      | session_?id (?:\\{0,3}["'])? [=:] (?P<opening> \\{0,3}["'] )?
        (?P<session> (?=[a-f]{0,64}[0-9]) (?=[0-9]{0,15}[a-f]) [0-9a-f]{12,128}+ )
        (?(opening) (?P=opening) | (?: (?=\s|$) | (?=["'][^\w!$^*~@\#+]) ) )
      | authorization (?:\\{0,3}["'])? [^\S\n]? [=:] [^\S\n]? (?P<around> \\{0,3}["'] )?
        (?P<credentials> (?:bearer|basic|token) [ ] [a-z0-9._~+/=-]{6,8192}+ )
        (?(around) (?P=around) | (?: (?=\s|$) | (?=["'][^\w!$^*~@\#+]) ) )
    )
    """
)  # fmt: skip


def common_secret(lowered: bytes, at: int) -> tuple[int, int] | None:
    """Where a secret in a common shape stands, of which the name begins at `at`. The block is in lower case."""
    match = _match_at(lowered, at)
    # The value is the last group of each shape.
    return match.span(match.lastgroup or 0) if match else None


_match_at: Final = _SHAPES.match
