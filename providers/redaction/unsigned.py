"""The value behind a name without a sign: `--password x`, `password is x`, `token(x)`, cells of a
row. Only what looks like a secret is one, unless the name is an option or a setting.
"""

from __future__ import annotations

import re
from typing import Final

from providers.patterns import compile_pattern
from providers.redaction import notation
from providers.redaction.names import NameKind, name_kind, words
from providers.redaction.notation import Span, secret_value_at
from providers.redaction.pairs import is_pair_value
from providers.redaction.values import is_secret, looks_random, looks_secret

_WORD: Final = compile_pattern(rb"[A-Za-z]++[,.;:]?(?=\s|$)")
# Settings of Redis, which have no sign in front of their value.
_SETTINGS: Final = words("requirepass masterauth")
_IS_PASSWORD: Final = compile_pattern(rb"(?i)pass|pwd")
# Behind these, a name and a blank are followed by a value: Clojure's keywords, shells, C.
_ASSIGNMENT: Final = compile_pattern(
    rb"(?:(?:^|[\s({\[,]):|(?:\bsetx|\bsetenv|\bset[ ]-[a-zU]{1,3}|#define)[ \t]{1,3})$"
)
# The next field of a line, the next attribute of a tag, the protocol behind a path.
_ATTRIBUTE: Final = compile_pattern(rb"[A-Za-z][\w:.-]{0,40}=|HTTP/\d")
_CELL: Final = compile_pattern(rb"""[^\s,;|"'()]{8,256}+""")
_NETRC: Final = compile_pattern(rb"\blogin[ \t]{1,8}\S{1,64}[ \t]{1,8}(?:pass)?$")


def is_prose(block: bytes, first: int, at: int, start: int, name: bytes) -> bool:
    """Whether a mere word stands at `start`, behind a name and a blank, and the name is no option,
    no setting and not in a .netrc.
    """
    if not _WORD.match(block, start):
        return False
    return not (
        name.startswith(b"-")
        or name in _SETTINGS
        or block[first:at].isupper()
        or block.find(b"login ", max(0, at - 100), at) >= 0
        or _ASSIGNMENT.search(block[max(0, first - 12) : first])
    )


def secret_in_sentence(block: bytes, end: int, name: bytes) -> list[Span]:
    """`password for ada: x`, `password was set to x`."""
    if name_kind(name) is not NameKind.SECRET:
        return []
    phrase = notation.PHRASE.match(block, end)
    if phrase is None:
        return []
    return secret_value_at(block, phrase.end(), lambda value, _: looks_random(value[:256]))


def loosely_joined_secret(
    block: bytes, after: re.Match[bytes], kind: NameKind, name: bytes
) -> list[Span]:
    """`password is x`, cells of a table, arguments of a function: only what looks like a secret is
    one.
    """
    if after["loose"] in (b",", b";"):
        return _next_cell(block, after.end(), kind)
    is_password_call = (
        after["loose"] == b"(" and kind is NameKind.SECRET and _IS_PASSWORD.search(name)
    )

    def is_secret_value(value: bytes, quote: bytes) -> bool:
        value = value[: notation.LONGEST_ORDINARY]
        return looks_secret(value) or bool(is_password_call and quote and is_pair_value(value))

    return secret_value_at(block, after.end(), is_secret_value)


def _next_cell(block: bytes, start: int, kind: NameKind) -> list[Span]:
    """The cell of a CSV row behind the cell that is the name."""
    cell = _CELL.match(block, start)
    is_found = cell and kind in (NameKind.SECRET, NameKind.PASS) and looks_random(cell[0])
    return [Span(*cell.span())] if cell and is_found else []


def secret_behind_blank(
    block: bytes, after: re.Match[bytes], kind: NameKind, name: bytes
) -> list[Span]:
    """`--password x`, `password x` in a .netrc, columns of a table. Without a sign only what looks
    like a secret is one.
    """
    start = after.end()
    is_option = name.startswith(b"-")
    if kind in (NameKind.AUTHORIZATION, NameKind.COOKIE, NameKind.DIRECTORY):
        return []
    if is_option and block[start : start + 1] == b"-":
        return []

    def is_secret_value(value: bytes, quote: bytes) -> bool:
        if _ATTRIBUTE.match(value) or not is_secret(kind, value, prose=False):
            return False
        return (
            is_option
            or looks_secret(value)
            or _is_setting(block, after, name)
            or (kind is NameKind.SECRET and _is_password_value(value, quote, after, name))
        )

    return secret_value_at(block, start, is_secret_value)


def _is_setting(block: bytes, after: re.Match[bytes], name: bytes) -> bool:
    """Whether a value is sure to stand behind the name: in a .netrc, a shell, a table of the
    environment.
    """
    start = after.end("rest") - len(name)
    return bool(
        name in _SETTINGS
        or (len(after["blank"]) > 1 and name.isupper() and b"_" in name)
        or _is_netrc(block, after.start())
        or _ASSIGNMENT.search(block[max(0, start - 12) : start])
    )


def _is_password_value(value: bytes, quote: bytes, after: re.Match[bytes], name: bytes) -> bool:
    has_digit = len(value) >= 6 and any(48 <= byte <= 57 for byte in value) and not value.isdigit()
    is_password = bool(_IS_PASSWORD.search(name))
    if has_digit and (is_password or len(after["blank"]) > 1):
        return True
    return is_password and quote in (b"'", b'"')


def _is_netrc(block: bytes, at: int) -> bool:
    return bool(_NETRC.search(block[max(0, at - 100) : at]))
