"""Passwords in configurations: of routers and switches, of WLAN, PPP, IPsec, SNMP and mail."""

from __future__ import annotations

from typing import Final

from providers.patterns import lazy_pattern
from providers.redaction.arguments import argument
from providers.redaction.names import words
from providers.redaction.notation import Span
from providers.redaction.values import (
    is_ordinary,
    looks_like_password,
    looks_secret,
    looks_stated,
)

DEVICE_HINTS: Final = (
    "community ",
    "authentication-key ",
    "enable password ",
    "enable secret ",
    "-server key ",
    "-server host ",
    "isakmp key ",
    "wpa-psk ",
    "wpa_passphrase ",
    "password 0 ",
    "password 7 ",
    "password 5 ",
    "secret 5 ",
    "secret 9 ",
    " key 7 ",
    "digest-key ",
    "key-string ",
    "-text ",
    "password enc ",
    "passwd enc ",
    "secret enc ",
    " key enc ",
    "priv aes",
    " auth sha ",
    " auth md5 ",
    "createuser ",
    *(
        f"{text}{quote}"
        for text in (": eap ", ": psk ", ": xauth ", " * ")
        for quote in ('"', '\\"')
    ),
    "]:587",
    "]:465",
    "]:25 ",
    "wifi:",
    "password cipher ",
    "password simple ",
    "password irreversible-cipher ",
    "key cipher ",
    "read cipher ",
    "write cipher ",
    ' plaintext "',
    " phash ",
    "pre-shared-key ",
    "ipsec secret ",
    "xauth password ",
    "auth-pass ",
    " on >",
    " off >",
)

# Each pattern ends where the secret begins. The digit before a password says how it is encrypted;
# type 7 can be decrypted by anyone.
_SETTINGS: Final = lazy_pattern(
    rb"""(?xi)
    (?: (?-i:enable)[ ](?:password|secret)[ ] (?:level[ ]\d{1,2}[ ])? (?:\d[ ] | (?=[^\s\d]{0,40}\d))
      | -server[ ]key[ ] (?:\d[ ])?
      | -server[ ]host[ ][\w.:-]{1,64} (?:[ ](?!key)[\w-]{1,20}){0,8}?[ ]key[ ] (?:\d[ ])?
      | isakmp[ ]key[ ] (?:\d[ ])?
      | wpa-psk[ ] (?:ascii[ ]|hex[ ])? (?:\d[ ])?
      | wpa_passphrase[ ] (?:"[^"\n]{1,64}"|[^\s"=]{1,64})[ ] (?=[^\s=]{8,63}(?:\s|$))
      | (?:password|secret)[ ][0579][ ] (?=\S{4,256}[ ]?(?:\\{0,8}["']|\x1b|\r?\n|\r?$))
      | [ ]key[ ]7[ ] (?=[0-9A-Za-z]{4})
      | digest-key[ ]\d{1,3}[ ]md5[ ] (?:\d[ ])?
      | key-string[ ] (?:\d[ ])?
      | authentication-key[ ] (?:\d{1,5}[ ]md5[ ])? (?:\d[ ])? (?=\S{4,256}[ ]?(?:\d{1,2}[ ]?)?(?:\\{0,8}["'];?|;|\r?\n|\r?$))
      | (?:ascii|hexadecimal)-text[ ] | -text[ ] (?=\\{0,8}")
      | (?:password|passwd|secret|key)[ ](?-i:ENC)[ ]
      | priv[ ]aes(?:[ ](?:128|192|256))?[ ]
      | [ ]auth[ ](?:sha|md5)[ ]
      | [ ]?:[ ](?:psk|eap|xauth)[ ]
      | password[ ]irreversible-cipher[ ] (?=\S{4})
      | (?:password|key|read|write)[ ](?:cipher|simple)[ ] (?!(?:TLS|SSL|EC|DHE|AES|DES|RC4)[\w-]) (?=\S{4,256}[ ]?(?:\\{0,8}["']|\r?\n|\r?$|mib-view|acl|access|level))
      | [ ]plaintext[ ] (?=")
      | [ ]phash[ ] (?=\$)
      | pre-shared-key[ ] (?:local[ ]|remote[ ]|ascii-text[ ]|\d[ ])? (?=\S{4,256}[ ]?(?:\\{0,8}["']|\r?\n|\r?$))
      | (?:ipsec[ ]secret|xauth[ ]password)[ ] (?=\S{4,256}[ ]?(?:\r?\n|\r?$))
      | (?<=sentinel[ ])auth-pass[ ][\w.-]{1,64}[ ] (?=\S{4,256}[ ]?(?:\r?\n|\r?$))
    )
    """
)
# createUser ada SHA "x" AES "y" of Net-SNMP
_SNMP_USER: Final = lazy_pattern(
    rb"""(?xi) createuser[ ] (?:-e[ ]\S{1,40}[ ])? \S{1,64} [ ](?:md5|sha(?:-?\d{3})?)[ ] (?P<auth>"[^"\n]{1,128}"|\S{1,128})
    (?: [ ](?:des|aes(?:-?\d{3})?)[ ] (?P<priv>"[^"\n]{1,128}"|\S{1,128}) )?"""
)
# ada * "x" * in the secrets of PPP
_PPP: Final = lazy_pattern(
    rb"""[ ]\*[ ](?P<value>\\{0,8}"[^"\n]{4,128}")[ ]\*[ \t\r]{0,64}+(?:\n|"|$)"""
)
_PPP_USER: Final = lazy_pattern(
    rb"""(?:^|\n|[ "])(?:\\{0,8}"[\w.@-]{1,64}\\{0,8}"|[\w.@-]{1,64})$"""
)
# snmp-server community x RO, rocommunity x default, community x;
_COMMUNITY: Final = lazy_pattern(
    rb"(?i)community[ ](?=(?P<value>\S{3,64}?)(?:[ ](?P<mode>r[ow]|authorization)\b|[ ](?:\d{1,3}\.\d|default\b|view\b)|;|(?P<last>[ ]?\\{0,8}(?:\r?\n|\r?$|[\"']))))"
)
# Communities of routes in BGP, and what precedes their names in policies and sentences.
_ROUTES: Final = lazy_pattern(
    rb"(?i)(?:(?:target|origin|large|rt|soo):)?(?:0x[\da-f]{1,16}|\d{1,10}(?::\d{1,10}){1,2})$"
)
_IN_POLICY: Final = lazy_pattern(
    rb"(?i)\b(?:bgp|from|then|match|extended|large|our|your|the|of)[ ]{1,3}$"
)
# What sentences and help texts have after `snmp community`.
_ABOUT_COMMUNITY: Final = words(
    "name names string strings limit limits setting settings option options access acl list lists "
    "mode modes config configs configuration parameter parameters value values test tests check "
    "checks support feature features field fields entry entries view views rule rules policy "
    "policies mapping map table index type types group groups member members security feed forum "
    "page guide documentation docs attribute attributes lookup query queries context server agent"
)
_SNMP_IN_SENTENCE: Final = lazy_pattern(
    rb"(?i)\b(?:an?|the|this|that|our|your|each|every|any|no|of|for|in|with|without|and|or|uses?|using|about|by|to|from|on)[ ]{1,3}snmp[ ]$"
)
_SNMP_SECTION: Final = lazy_pattern(rb"(?i)snmp\s?\{[^{}]{0,160}$")
_LONGEST_SECTION: Final = 160
# [smtp.example]:587 ada:x of Postfix
_RELAY: Final = lazy_pattern(rb"\]:\d{2,5}[ \t]{1,8}(?P<user>[\w.@+-]{1,128}):(?=\S)")
# A server that listens on every address is not a relay, and neither is `mx.example[10.0.0.1]`.
_NO_RELAY: Final = lazy_pattern(rb"\[(?:::|0\.0\.0\.0)$|[\w.]\[[^\[\]\s]{1,80}$")
# `connected to [mx.example]:25 worker:idle`
_IN_SENTENCE: Final = lazy_pattern(rb"(?i)\b(?:on|to|from|at|via|by|with)[ ]\[[^\[\]\s]{1,80}$")
# What logs state about a connection.
_CONNECTION_FIELDS: Final = frozenset(
    b"proto protocol state status pid fd tls ssl addr address port family type mode id session "
    b"queue msgid qid rc code error err reason result reply response delay delays dsn size from to "
    b"helo ehlo time timeout elapsed user conn tcp udp ino inode uid gid timer cookie name process service "
    b"level msg message event action version cipher count".split()
)
# WIFI:T:WPA;S:kitchen;P:x;; of QR codes
_WIFI: Final = lazy_pattern(
    rb"(?i:wifi:)(?:[TSHR]:[^;\n]{0,64};){1,4}P:(?P<value>(?:[^;\\\n]|\\.){1,128})"
)


_REDIS_USER: Final = lazy_pattern(rb"(?:^|[\s\"'])user[ ][\w.-]{1,64}$")


def device_secrets(block: bytes, at: int) -> list[Span]:
    """The secrets of the setting whose fixed text is at `at`."""
    if block.startswith(b" * ", at):
        return _ppp(block, at)
    if match := _WIFI.match(block, at):
        return [Span(*match.span("value"))]
    if match := _SNMP_USER.match(block, at):
        spans = [match.span(group) for group in ("auth", "priv") if match[group]]
        return [span for start, _ in spans for span in argument(block, start)]
    if match := _COMMUNITY.match(block, at):
        value = match["value"].strip(b"\"'\\")
        is_set = match["last"] is None or _is_set_at_end(block, at, value)
        is_secret = is_set and _is_community(block, at, value, match["mode"])
        return argument(block, match.end()) if is_secret else []
    if match := _RELAY.match(block, at):
        return _relay(block, at, match["user"], match.end())
    if block.startswith((b" on >", b" off >"), at):
        # user ada on >x ~* of Redis
        is_user = _REDIS_USER.search(block, max(0, at - 80), at)
        return argument(block, block.index(b">", at) + 1) if is_user else []
    if match := _SETTINGS.match(block, at):
        return argument(block, match.end())
    return []


def _is_set_at_end(block: bytes, at: int, value: bytes) -> bool:
    """Whether a value at the end of a line is set as in `set snmp community x`. Sentences such as
    `a friendly community` and `limits of the snmp community` look alike.
    """
    front = block[max(0, at - 24) : at]
    if not front.lower().endswith(b"snmp "):
        return False
    if looks_stated(value):
        return True
    return not (is_ordinary(value) or _SNMP_IN_SENTENCE.search(front))


def _is_community(block: bytes, at: int, value: bytes, mode: bytes | None) -> bool:
    """Whether a value is a community of SNMP rather than one of BGP, or a word of a sentence."""
    if _ROUTES.match(value):
        return False
    if not mode and value.rstrip(b".,:;!?)").lower() in _ABOUT_COMMUNITY:
        return False
    front = block[max(0, at - _LONGEST_SECTION) : at]
    looks_private = looks_stated(value)
    if mode or (looks_private and not _IN_POLICY.search(front)):
        return True
    line = front.rpartition(b"\n")[2].lower()
    return (
        line.endswith((b"ro", b"rw", b"trap"))
        or b"snmp" in line
        or bool(_SNMP_SECTION.search(front))
    )


def _relay(block: bytes, at: int, user: bytes, start: int) -> list[Span]:
    """The password of a relay, unless the line states something about a connection."""
    front = block[max(0, at - 100) : at]
    if user.lower() in _CONNECTION_FIELDS or _NO_RELAY.search(front):
        return []
    spans = argument(block, start)
    if not spans or b"@" in user or not _IN_SENTENCE.search(front):
        return spans
    value = block[spans[0].start : spans[0].end]
    return spans if looks_secret(value) or looks_like_password(value) else []


def _ppp(block: bytes, at: int) -> list[Span]:
    match = _PPP.match(block, at)
    if match is None or not _PPP_USER.search(block[max(0, at - 80) : at]):
        return []
    return argument(block, match.start("value"))
