"""Credentials in addresses: the password of `scheme://user:password@host`, and a token in place
of the user.
"""

from __future__ import annotations

from typing import Final

from providers.patterns import lazy_pattern
from providers.redaction.notation import Span
from providers.redaction.secret import MARK
from providers.redaction.values import looks_secret, may_be_secret

ADDRESS_HINTS: Final = (
    "://",
    ":\\/\\/",
    "%3a%2f%2f",
    ":thin:",
    "@tcp(",
    "@unix(",
    "sip:",
    "sips:",
    ":pserver:",
    ":ext:",
)

# After `://`, the user and the password are no longer than this.
LONGEST_ADDRESS: Final = 1024

_MARK: Final = MARK.encode()
_ADDRESS: Final = lazy_pattern(
    rb"(?:[^\s\"'<>\\`:]|:(?!\\{0,16}/\\{0,16}/)|\\{1,16}(?:/|u0026)){1,1024}"
)
_AUTHORITY: Final = lazy_pattern(rb"(?:[^/?#\\]|\\(?!/))*+")
_HOST: Final = lazy_pattern(rb"\[?[\w.:-]{1,253}\]?(?=[/?#,;)}\]\\]|$)")
_PORT: Final = lazy_pattern(rb"\d{1,5}$")
_DIGIT: Final = lazy_pattern(rb"\d")
# An `@` in a query or a path, as in `?user=ada@example.com`, is not the end of a password.
_PATH_WITH_AT: Final = lazy_pattern(rb"[?&=]|/@|//")
_ENCODED_USERINFO: Final = lazy_pattern(
    rb"(?i)(?:(?!%3a|%40|%2f)[^\s\"'<>&]){0,128}%3a((?:(?!%40|%2f)[^\s\"'<>&]){1,256})%40"
)
_ORACLE: Final = lazy_pattern(rb"[\w.$#]{1,64}/([^\s@\"'<>]{1,128})@")
# `sip:ada:x@kitchen.example`, `:pserver:ada:x@kitchen.example:/src` of CVS
_WITHOUT_SLASHES: Final = lazy_pattern(
    rb"(?i:(?<![A-Za-z])sips?|:pserver|:ext):[^\s:@/\"'<>]{1,128}:(?P<password>[^\s@\"'<>]{1,128})@[\w.-]"
)
_AROUND_ADDRESS: Final = (b" ", b"\t", b"\n", b'"', b"'", b"<", b">", b"`")


def address_secrets(block: bytes, at: int) -> list[Span]:
    """The password of `scheme://user:password@host`, or a token in place of the user."""
    if block[at : at + 1] == b"@":
        return _before_host(block, at)
    if block[at : at + 1] == b"%":
        match = _ENCODED_USERINFO.match(block, at + 9)
        return [Span(*match.span(1))] if match and match[1] != _MARK else []
    if block[at + 1 : at + 2] in b"tT":
        match = _ORACLE.match(block, at + 6)
        return [Span(*match.span(1))] if match else []
    if match := _WITHOUT_SLASHES.match(block, at):
        return [Span(*match.span("password"))] if may_be_secret(match["password"]) else []
    if block[at + 1 : at + 2] not in (b"/", b"\\"):
        # `gossip:`, `sip:` without a password.
        return []
    start = at + (3 if block[at + 1 : at + 2] == b"/" else 5)
    if block.find(b"@", start, start + LONGEST_ADDRESS) < 0:
        return []
    match = _ADDRESS.match(block, start)
    if match is None or b"@" not in match[0]:
        return []
    is_token = block[max(0, at - 4) : at].lower() == b"nats"
    return _userinfo(match[0], start, is_token=is_token)


def _userinfo(address: bytes, offset: int, *, is_token: bool) -> list[Span]:
    """`is_token` means that a user without a password is a token, as in `nats://x@kitchen`."""
    authority = _AUTHORITY.match(address)
    standard = authority.end() if authority else 0
    end = address.rfind(b"@", 0, standard)
    beyond = _end_beyond_authority(address, standard, end)
    end = max(end, beyond)
    if end < 0:
        return []
    user, colon, password = address[:end].partition(b":")
    spans = []
    if password and may_be_secret(password):
        spans.append(Span(offset + len(user) + 1, offset + end))
    # Many user names have digits, so before a password a token has to be longer.
    if is_token and not colon:
        return [Span(offset, offset + len(user))] if may_be_secret(user) else []
    if _is_token(user, shortest=16 if colon else 12):
        spans.append(Span(offset, offset + len(user)))
    return spans


def _is_token(user: bytes, *, shortest: int) -> bool:
    """Whether the user is a token rather than a name or a mail address."""
    return (
        bool(_DIGIT.search(user)) and b"%40" not in user and looks_secret(user, shortest=shortest)
    )


def _end_beyond_authority(address: bytes, standard: int, end: int) -> int:
    """Where a password that contains a slash ends: `user:pa/ss@host`. A port followed by a path
    with an `@` looks similar.
    """
    last = address.rfind(b"@")
    if last <= max(end, standard - 1) or not _HOST.match(address, last + 1):
        return -1
    user, colon, rest = address[:last].partition(b":")
    first = address[len(user) + 1 : standard]
    if (
        not colon
        or (end < 0 and _PORT.match(first))
        or _PATH_WITH_AT.search(rest[len(first) :])
        or len(user) > 128
    ):
        return -1
    return last if end < 0 or b"." not in address[end + 1 : standard] else -1


def _before_host(block: bytes, at: int) -> list[Span]:
    left = block[max(0, at - 256) : at]
    word = left[max(left.rfind(sign) for sign in _AROUND_ADDRESS) + 1 :]
    user, _, password = word.partition(b":")
    if not password or password == _MARK or b"/" in user:
        return []
    return [Span(at - len(password), at)]
