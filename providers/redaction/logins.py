"""Passwords of logins: lines of FTP, IMAP, SMTP and Redis, arguments of calls, password
files, and codes that were sent to a person.
"""

from __future__ import annotations

import binascii
import re
from typing import Final

from providers.patterns import lazy_pattern
from providers.redaction.arguments import argument
from providers.redaction.notation import Span
from providers.redaction.values import looks_like_password, looks_stated

LOGIN_HINTS: Final = (
    "auth plain ",
    "auth login ",
    'auth" ',
    'auth\\" ',
    'auth\\\\\\" ',
    "auth.user.info",
    "auth ",
    "> pass ",
    "c: pass ",
    "command: pass ",
    "auth=(",
    "credentials(",
    "getconnection(",
    "basicauth(",
    "login(",
    "mysqli_connect(",
    "new pdo(",
    "authenticate plain ",
    "nickserv",
    "otpauth-migration",
    "/bot",
    "pin entered",
    "entered pin",
    " is your ",
    "otp for ",
    "otp is ",
    "login with ",
    "log in with ",
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
    "one-time password",
    "login code",
    "access code",
)
# Matched in upper case only: ` login ` is a part of many harmless lines.
EXACT_LOGIN_HINTS: Final = (" LOGIN ", "USER ", "OPER ")

# Each pattern ends where the secret begins; `argument` reads the secret.
_WORD: Final = lazy_pattern(rb"""[^\s"'`|;,)<\\]{3,256}+""")
_PROTOCOL: Final = lazy_pattern(
    rb"""(?x)
    (?: AUTH[ ](?!LOGIN[ ][\w.+-]{1,64}@)(?:PLAIN|LOGIN|XOAUTH2)[ ] (?:[A-Za-z0-9+/]{2,64}={0,2}[ ](?=[A-Za-z0-9+/=]{8,}))? (?=[A-Za-z0-9+/=]{8})
      | (?<=")(?<!name[ ]")(?<!name[ ]\\")(?<!word[ ]")(?<!word[ ]\\")(?i:AUTH)\\{0,3}"[ ] (?:\\{0,3}"[^"\\\n]{1,64}\\{0,3}"[ ])? (?=\\{0,3}")
      | (?i:auth\.user\.info)[ ]?[=:][ ]?[^\s:"']{1,64}: (?=\S)
      | (?:>|C:|(?i:command:)) [ ] PASS [ ] (?=\S)
      | AUTHENTICATE[ ](?:PLAIN|LOGIN|XOAUTH2)[ ] (?=[A-Za-z0-9+/=]{8})
      | USER[ ](?!and[ ])\S{1,64}[ ]PASS[ ] (?=\S)
      | USER[ ]\S{1,64}[ ]?\r?\n[^\n]{0,80}?\bPASS[ ] (?=\S)
      | (?:NickServ|NICKSERV)[ ]:?(?:IDENTIFY|identify)[ ] (?:\S{1,32}[ ])?? (?=\S{4,64}[ ]?(?:\\{0,8}["']|\r?\n|\r?$))
      | OPER[ ][\w-]{1,32}[ ] (?=\S{4,64}[ ]?(?:\\{0,8}["']|\r?\n|\r?$))
      | (?i:otpauth-migration)://offline\?data=
      | /bot\d{5,16}: (?=[\w-]{30})
      | (?i:log[ ]?in[ ]with)[ ](?:(?:user|username|the|account)[ ])?[\w.@-]{1,64}[ ]?/[ ]? (?=[^\s/]{4,64}(?:\s|$|["'\\]))
      | (?i:SSWS)[ ] (?=[\w-]{20})
    )
    """
)
_ONLY_USER: Final = lazy_pattern(
    rb"(?i)AUTH[ ]LOGIN[ ](?P<word>[A-Za-z0-9+/]{8,128}+)={0,2}(?![A-Za-z0-9+/=]|[ ][A-Za-z0-9+/]{8})"
)
# A port or an identifier may be after a colon, so the word there has to look like a password.
_USER_AND_PASSWORD: Final = lazy_pattern(
    rb"""(?xi)
    log[ ]?in[ ]with[ ](?:(?:user|username|the|account)[ ])?
    (?!(?:id|uid|userid|method|provider|type|host|node|server|port|realm|tenant|domain):)
    [\w.@-]{1,64}:(?P<value>[^\s/"'\\]{4,64}?)(?=[.,;]?(?:\s|$|["'\\]))
    """
)
# A line of Redis and a sentence look alike, so the word has to look like a password.
_REDIS: Final = lazy_pattern(
    rb"AUTH (?:[\w.-]{1,64} )?(?=\S{1,128}+[ \r]*+$|[^\s\"'\\]{1,128}+\\{0,8}[\"'])", re.MULTILINE
)
_IMAP: Final = lazy_pattern(rb" LOGIN (?:\\{0,8}\"[^\"\\\n]{1,64}\\{0,8}\"|[^\s\"]{1,64}) ")
# The tag of the client, by which the server answers.
_IMAP_TAG: Final = lazy_pattern(rb"(?:^|[\s>:\"'])[A-Za-z]{0,4}\d{1,6}$")
_CALL: Final = lazy_pattern(
    rb"""(?xi)
    (?: auth=\( | credentials\( | basicauth\( | \blogin\( | getconnection\([ ]?(?:\\{0,8}"[^"\n]{1,200}"|[\w.]{1,60}),[ ]?
      | (?:mysqli_connect|new[ ]pdo)\([ ]?\\{0,8}["'][^"'\n]{1,200}["'],[ ]? ) [ ]? (?P<quote>\\{0,8}["']) [^"'\\\n]{1,128} (?P=quote) [ ]?,[ ]? (?=\\{0,8}["'])
    """
)  # fmt: skip
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
    (?: (?:(?:verific|activ|confirm|authentic|registr)ation|2fa|mfa|security|one-time|login|access|sms|otp)[ ]code | one-time[ ]password | otp | pin[ ]entered | entered[ ]pin )
    (?: [ ]for[ ][\w.@+-]{1,64} )? (?:[ ]is)? [ ]?[:=]?[ ] (?P<value>\d{4,8}|\d{3}[ -]\d{3})(?!\w|%|[.,-]\d)
    """
)


_CODE_BEFORE: Final = lazy_pattern(rb"(?:^|[^\w.-])(?:[A-Z]-)?(?P<value>\d{4,8}|\d{3}[ -]\d{3})$")
_IS_CODE: Final = lazy_pattern(
    rb"(?i) is your (?:(?!(?:of|in|for|with|to)[ ])[\w.-]{1,20} ){0,3}?(?:code|otp|pin|passcode|password)\b"
)


def login_secrets(block: bytes, at: int) -> list[Span]:
    """The secrets of the login whose fixed text is at `at`."""
    first = block[at : at + 1]
    if first == b":":
        return _in_password_file(block, at)
    if block.startswith(b" is your ", at):
        return _code_before(block, at)
    if first == b" ":
        return _imap(block, at)
    if match := _CODE.match(block, at):
        return [Span(*match.span("value"))]
    if match := _USER_AND_PASSWORD.match(block, at):
        value = match["value"]
        return [Span(*match.span("value"))] if looks_stated(value) else []
    if _names_user(block, at):
        return []
    for pattern in (_PROTOCOL, _CALL, _ORACLE, _OPENSSL, _UNSEAL):
        if match := pattern.match(block, at):
            return argument(block, match.end())
    if match := _REDIS.match(block, at, at + 256):
        word = _WORD.match(block, match.end())
        return [Span(*word.span())] if word and looks_like_password(word[0]) else []
    return []


def _names_user(block: bytes, at: int) -> bool:
    """Whether the only argument of `AUTH LOGIN` is the mail address of a user in Base64."""
    match = _ONLY_USER.match(block, at)
    # No Base64 has such a length.
    if match is None or len(match["word"]) % 4 == 1:
        return False
    word = match["word"]
    return b"@" in binascii.a2b_base64(word + b"=" * (-len(word) % 4))


def _in_password_file(block: bytes, at: int) -> list[Span]:
    """`db:5432:kitchen:ada:x` of PostgreSQL, `ada/x@db:1521/kitchen` of Oracle."""
    if block.startswith(b":1521", at):
        offset = max(0, at - 256)
        front = _ORACLE_FRONT.search(block[offset:at])
        return [Span(offset + front.start("value"), offset + front.end("value"))] if front else []
    match = _PASSWORD_FILE.match(block, at)
    return argument(block, match.end()) if match else []


def _code_before(block: bytes, at: int) -> list[Span]:
    """`482913 is your login code`"""
    code = _CODE_BEFORE.search(block, max(0, at - 16), at)
    return [Span(*code.span("value"))] if code and _IS_CODE.match(block, at) else []


def _imap(block: bytes, at: int) -> list[Span]:
    match = _IMAP.match(block, at)
    if match is None or not _IMAP_TAG.search(block[max(0, at - 16) : at]):
        return []
    return argument(block, match.end())
