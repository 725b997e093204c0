"""Secrets that neither a name nor a format of their own gives away: credentials in addresses,
behind `Bearer`, and in commands.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

from providers.redaction.names import NameKind, words
from providers.redaction.secret import MARK
from providers.redaction.values import OPENING, Span, is_secret, looks_secret, quoted_end

ADDRESS_HINTS: Final = ("://", ":\\/\\/", "%3a%2f%2f", ":thin:", "@tcp(", "@unix(")
SCHEME_HINTS: Final = ("bearer", "basic ", "basic%20")
COMMAND_HINTS: Final = (
    " -u",
    " --user",
    " --proxy-user",
    "mysql",
    "mariadb",
    "sshpass",
    "redis-cli",
    "ldap",
    "docker login",
    "smbclient",
    "identified",
    "securestring",
)

# Behind `://`, what stands in front of the host ends within so many bytes.
LONGEST_ADDRESS: Final = 1024

_MARK: Final = MARK.encode()
_ADDRESS: Final = re.compile(
    rb"(?:[^\s\"'<>\\`:]|:(?!\\{0,16}/\\{0,16}/)|\\{1,16}(?:/|u0026)){1,1024}"
)
_AUTHORITY: Final = re.compile(rb"(?:[^/?#\\]|\\(?!/))*+")
_HOST: Final = re.compile(rb"\[?[\w.:-]{1,253}\]?(?=[/?#,;)}\]\\]|$)")
_PORT: Final = re.compile(rb"\d{1,5}$")
_DIGIT: Final = re.compile(rb"\d")
_PATH_WITH_AT: Final = re.compile(rb"[?&=]|/@|//")
_ENCODED_USERINFO: Final = re.compile(
    rb"(?i)(?:(?!%3a|%40|%2f)[^\s\"'<>&]){0,128}%3a((?:(?!%40|%2f)[^\s\"'<>&]){1,256})%40"
)
_ORACLE: Final = re.compile(rb"[\w.$#]{1,64}/([^\s@\"'<>]{1,128})@")
_AROUND_ADDRESS: Final = (b" ", b"\t", b"\n", b'"', b"'", b"<", b">", b"`")

_BEARER: Final = re.compile(
    rb"(?i)(?<![A-Za-z])bearer(?:[^\S\n]{1,3}|%20|\+)((?![\w.-]{1,30}=[^=\s])[A-Za-z0-9._~+/=:-]{6,16384})"
)
_BEHIND_BEARER: Final = words(
    "authentication authorization instrument instruments certificate certificates security "
    "securities credential credentials challenge scheme"
    " header headers tokens tokens: shares realm methods support prefix"
)
_BASIC: Final = re.compile(
    rb"(?i)(?<![A-Za-z])basic(?:[^\S\n]{1,3}|%20)((?:[A-Za-z0-9+/_-]|%3[dD]){6,4096}={0,2})"
)
_DIGIT_OR_CASE: Final = re.compile(rb"\d|[a-z][A-Z]|[._~+/=].")

_USER: Final = re.compile(
    rb"""(?:^|[^\S\n]|["',\[])(?:-u|--user|--proxy-user)(?:[^\S\n]{1,3}|=|["'],[^\S\n]?)?(\\{0,4}["'])?([^\s:"'\\]{1,128}):"""
)
_CURL: Final = re.compile(rb"(?i)\b(?:curl|wget|http|https|ftp|lftp|xh)\b")
_COMMANDS: Final = re.compile(
    rb"""(?x)
    (?: (?:mysql\w{0,10}|mariadb(?:-\w{1,10})?) (?:[^\S\n][^\n|;]{0,200}?)?? [^\S\n] -p (?=[^\s-])
      | sshpass [^\S\n] (?:[^\n|;]{0,40}?[^\S\n])?? -p [^\S\n]?
      | redis-cli [^\S\n] (?:[^\n|;]{0,200}?[^\S\n])?? -a [^\S\n]{1,3}
      | ldap\w{1,10} [^\S\n] (?:[^\n|;]{0,200}?[^\S\n])?? -w [^\S\n]{1,3}
      | docker[^\S\n]login [^\S\n] (?:[^\n|;]{0,200}?[^\S\n])?? -p [^\S\n]{1,3}
      | smbclient [^\S\n] (?:[^\n|;]{0,200}?[^\S\n])?? -U [^\S\n]? [^\s%]{1,64} %
      | (?i:securestring) [^\S\n]{1,3} (?:-string[^\S\n]{1,3})? (?=["'])
      | (?i:identified[^\S\n]{1,3}(?:with[^\S\n]{1,3}\S{1,40}[^\S\n]{1,3})?(?:by|as)) [^\S\n]{1,3} (?:(?i:password)[^\S\n]{1,3})? (?=\\{0,4}["'])
    )
    """
)
_ARGUMENT: Final = re.compile(rb"[^\s\"']{1,512}")


def address_secrets(block: bytes, at: int) -> list[Span]:
    """The password of `scheme://user:password@host`, or a token that stands in the user's place."""
    if block[at : at + 1] == b"@":
        return _in_front_of_host(block, at)
    if block[at : at + 1] == b"%":
        match = _ENCODED_USERINFO.match(block, at + 9)
        return [Span(*match.span(1))] if match and match[1] != _MARK else []
    if block[at + 1 : at + 2] in b"tT":
        match = _ORACLE.match(block, at + 6)
        return [Span(*match.span(1))] if match else []
    start = at + (3 if block[at + 1 : at + 2] == b"/" else 5)
    if block.find(b"@", start, start + LONGEST_ADDRESS) < 0:
        return []
    match = _ADDRESS.match(block, start)
    if match is None or b"@" not in match[0]:
        return []
    return _userinfo(match[0], start)


def _userinfo(address: bytes, offset: int) -> list[Span]:
    authority = _AUTHORITY.match(address)
    standard = authority.end() if authority else 0
    end = address.rfind(b"@", 0, standard)
    beyond = _beyond_authority(address, standard, end)
    end = max(end, beyond)
    if end < 0:
        return []
    user, colon, password = address[:end].partition(b":")
    spans = []
    if password and is_secret(NameKind.SECRET, password, prose=False):
        spans.append(Span(offset + len(user) + 1, offset + end))
    if _is_token(user, shortest=16 if colon else 12):
        spans.append(Span(offset, offset + len(user)))
    return spans


def _is_token(user: bytes, *, shortest: int) -> bool:
    """Whether a token stands in the place of the user, rather than a name or a mail address."""
    return (
        bool(_DIGIT.search(user)) and b"%40" not in user and looks_secret(user, shortest=shortest)
    )


def _beyond_authority(address: bytes, standard: int, end: int) -> int:
    """Where a password ends that holds a slash: `user:pa/ss@host`. A port and a path with an `@`
    look much like it.
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


def _in_front_of_host(block: bytes, at: int) -> list[Span]:
    left = block[max(0, at - 256) : at]
    word = left[max(left.rfind(sign) for sign in _AROUND_ADDRESS) + 1 :]
    user, _, password = word.partition(b":")
    if not password or password == _MARK or b"/" in user:
        return []
    return [Span(at - len(password), at)]


def scheme_secrets(block: bytes, at: int) -> list[Span]:
    """What follows `Bearer` or `Basic` where it is no prose."""
    if (match := _BEARER.match(block, at)) and _is_bearer_token(match[1][:512]):
        return [Span(*match.span(1))]
    if (match := _BASIC.match(block, at)) and _is_basic(match[1]):
        return [Span(*match.span(1))]
    return []


def _is_bearer_token(token: bytes) -> bool:
    """Whether a word behind `Bearer` is a token: whatever is no known word, if it is long enough or
    holds more than letters.
    """
    if token.rstrip(b".,:;").lower() in _BEHIND_BEARER or not is_secret(
        NameKind.SECRET, token, prose=True
    ):
        return False
    return len(token) >= 8 or bool(_DIGIT_OR_CASE.search(token))


def _is_basic(token: bytes) -> bool:
    """Whether a word decodes to a user and a password, or looks like nothing but Base64."""
    word = token[:512].replace(b"%3D", b"=").rstrip(b"=")
    try:
        decoded = base64.b64decode(
            word[: len(word) // 4 * 4], altchars=b"-_" if b"-" in word or b"_" in word else None
        )
    except binascii.Error:
        return False
    if b":" in decoded and all(32 <= byte < 127 for byte in decoded):
        return True
    return (
        len(token) >= 12
        and bool(re.search(rb"\d", word))
        and bool(re.search(rb"[a-z][A-Z0-9]", word))
    )


def command_secrets(block: bytes, at: int) -> list[Span]:
    """Passwords in the arguments of commands: `curl -u ada:x`, `mysql -px`, `sshpass -p x`; and
    `IDENTIFIED BY 'x'` of SQL.
    """
    if block[at : at + 1].isspace():
        return _user_argument(block, at)
    match = _COMMANDS.match(block, at)
    if match is None:
        return []
    found = _argument(block, match.end())
    value = block[found.start : found.end]
    return [found] if is_secret(NameKind.SECRET, value, prose=False) else []


def _user_argument(block: bytes, at: int) -> list[Span]:
    match = _USER.match(block, at)
    if match is None:
        return []
    start = match.end()
    end = quoted_end(block, start, match[1]) if match[1] else _argument(block, start).end
    password = block[start : min(end, start + 512)]
    if not is_secret(NameKind.SECRET, password, prose=False) or (
        password.isdigit() and match[2].isdigit()
    ):
        return []
    if not _CURL.search(block[max(0, at - 256) : at]) and not looks_secret(password, shortest=4):
        return []
    return [Span(start, end)]


def _argument(block: bytes, start: int) -> Span:
    if opening := OPENING.match(block, start):
        return Span(opening.end(), quoted_end(block, opening.end(), opening["quote"]))
    match = _ARGUMENT.match(block, start)
    return Span(start, match.end() if match else start)
