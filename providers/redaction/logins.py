"""Passwords of logins: lines of FTP, IMAP, SMTP and Redis, arguments of calls, configurations of
network devices, password files, and codes that were sent to a person.
"""

from __future__ import annotations

import re
from typing import Final

from providers.patterns import lazy_pattern
from providers.redaction.names import NameKind
from providers.redaction.notation import Span
from providers.redaction.values import is_ordinary, is_secret, looks_like_password

LOGIN_HINTS: Final = (
    "auth plain ",
    "auth login ",
    'auth" ',
    "auth ",
    "> pass ",
    "c: pass ",
    "command: pass ",
    "auth=(",
    "credentials(",
    "getconnection(",
    "community ",
    "enable password ",
    "enable secret ",
    "-server key ",
    "isakmp key ",
    "wpa-psk ",
    "password 0 ",
    "password 7 ",
    "password 5 ",
    "secret 5 ",
    "secret 9 ",
    ":5432:",
    ":*:*:",
    ":1521/",
    ":1521:",
    "expdp ",
    "impdp ",
    "openssl ",
    "ssws ",
    "unseal key ",
    "verification code",
    "activation code",
    "confirmation code",
    "authentication code",
    "registration code",
    "2fa code",
    "mfa code",
    "security code",
    "one-time code",
    "login code",
    "access code",
)
# Matched in upper case only: ` login ` is a part of many harmless lines.
EXACT_LOGIN_HINTS: Final = (" LOGIN ",)

# Each pattern ends where the secret begins; `_argument` reads the secret.
_WORD: Final = lazy_pattern(rb"""[^\s"'`|;,)<\\]{3,256}+""")
_QUOTED: Final = lazy_pattern(
    rb"""(?P<quote>\\{0,8}["'])(?P<value>[^"'\\\n]{1,256}+)(?=(?P=quote))"""
)
_PROTOCOL: Final = lazy_pattern(
    rb"""(?x)
    (?: AUTH[ ](?:PLAIN|LOGIN|XOAUTH2)[ ] (?=[A-Za-z0-9+/=]{8})
      | (?<=")(?i:AUTH)"[ ] (?:"[^"\\\n]{1,64}"[ ])? (?=")
      | (?:>|C:|(?i:command:)) [ ] PASS [ ] (?=\S)
      | (?i:SSWS)[ ] (?=[\w-]{20})
    )
    """
)
# A line of Redis and a sentence look alike, so the word has to look like a password.
_REDIS: Final = lazy_pattern(rb"AUTH (?:[\w.-]{1,64} )?(?=\S{1,128}+[ \r]*+$)", re.MULTILINE)
_IMAP: Final = lazy_pattern(rb" LOGIN (?:\"[^\"\n]{1,64}\"|[^\s\"]{1,64}) ")
# The tag of the client, by which the server answers.
_IMAP_TAG: Final = lazy_pattern(rb"(?:^|[\s>:])[A-Za-z]{0,4}\d{1,6}$")
_CALL: Final = lazy_pattern(
    rb"""(?xi)
    (?: auth=\( | credentials\( | getconnection\([ ]?"[^"\n]{1,200}",[ ]? ) [ ]? (?P<quote>\\{0,8}["']) [^"'\\\n]{1,128} (?P=quote) [ ]?,[ ]? (?=\\{0,8}["'])
    """
)  # fmt: skip
# The digit before a password says how it is encrypted; type 7 can be decrypted by anyone.
_DEVICE: Final = lazy_pattern(
    rb"""(?xi)
    (?: community[ ] (?=\S{3,64}[ ](?:ro|rw)\b)
      | (?-i:enable)[ ](?:password|secret)[ ] (?:level[ ]\d{1,2}[ ])? (?:\d[ ] | (?=[^\s\d]{0,40}\d))
      | -server[ ]key[ ] (?:\d[ ])?
      | isakmp[ ]key[ ] (?:\d[ ])?
      | wpa-psk[ ] (?:ascii[ ]|hex[ ])? (?:\d[ ])?
      | (?:password|secret)[ ][0579][ ] (?=\S{4,256}[ ]?\r?(?:\n|$))
    )
    """
)
# host:port:database:user:password of PostgreSQL's .pgpass
_PASSWORD_FILE: Final = lazy_pattern(
    rb"(?::5432:[^\s:\"']{1,64}|:\*:\*):[^\s:\"']{1,64}:(?=[^\s:\"'])"
)
_ORACLE: Final = lazy_pattern(rb"(?i:expdp|impdp) [\w.$#]{1,64}/(?=[^\s@/])")
_ORACLE_FRONT: Final = lazy_pattern(
    rb"(?:^|[\s\"'=])[\w$#]{1,30}/(?P<value>[^\s@/\"']{3,64})@[\w.-]{1,100}$"
)
_OPENSSL: Final = lazy_pattern(rb"openssl [^\n|;]{1,100}? -k[ ](?=[^\s-])")
_UNSEAL: Final = lazy_pattern(rb"(?i)unseal key \d{1,2}: (?=[A-Za-z0-9+/]{20})")
_CODE: Final = lazy_pattern(
    rb"""(?xi)
    (?:(?:verific|activ|confirm|authentic|registr)ation|2fa|mfa|security|one-time|login|access)[ ]code (?:[ ]is)? [ ]?[:=]?[ ] (?P<value>\d{4,8}|\d{3}[ -]\d{3})(?![\w.%])
    """
)


def login_secrets(block: bytes, at: int) -> list[Span]:
    """The secrets of the login whose fixed text is at `at`."""
    first = block[at : at + 1]
    if first == b":":
        return _in_password_file(block, at)
    if first == b" ":
        return _imap(block, at)
    if match := _CODE.match(block, at):
        return [Span(*match.span("value"))]
    for pattern in (_PROTOCOL, _CALL, _DEVICE, _ORACLE, _OPENSSL, _UNSEAL):
        if match := pattern.match(block, at):
            return _argument(block, match.end())
    if match := _REDIS.match(block, at, at + 256):
        word = _WORD.match(block, match.end())
        return [Span(*word.span())] if word and looks_like_password(word[0]) else []
    return []


def _in_password_file(block: bytes, at: int) -> list[Span]:
    """`db:5432:kitchen:ada:x` of PostgreSQL, `ada/x@db:1521/kitchen` of Oracle."""
    if block.startswith(b":1521", at):
        offset = max(0, at - 256)
        front = _ORACLE_FRONT.search(block[offset:at])
        return [Span(offset + front.start("value"), offset + front.end("value"))] if front else []
    match = _PASSWORD_FILE.match(block, at)
    return _argument(block, match.end()) if match else []


def _imap(block: bytes, at: int) -> list[Span]:
    match = _IMAP.match(block, at)
    if match is None or not _IMAP_TAG.search(block[max(0, at - 16) : at]):
        return []
    return _argument(block, match.end())


def _argument(block: bytes, start: int) -> list[Span]:
    """The word or the quoted string at `start`, unless it is an ordinary word or a reference."""
    quoted = _QUOTED.match(block, start)
    match = quoted or _WORD.match(block, start)
    if match is None:
        return []
    group = "value" if quoted else 0
    value = match[group]
    if is_ordinary(value) or not is_secret(NameKind.SECRET, value, prose=False):
        return []
    return [Span(*match.span(group))]
