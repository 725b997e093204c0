"""Passwords in configurations: of routers and switches, of WLAN, PPP, IPsec, SNMP and mail."""

from __future__ import annotations

from typing import Final

from providers.patterns import lazy_pattern
from providers.redaction.arguments import argument
from providers.redaction.notation import Span

DEVICE_HINTS: Final = (
    "community ",
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
)

# Each pattern ends where the secret begins. The digit before a password says how it is encrypted;
# type 7 can be decrypted by anyone.
_SETTINGS: Final = lazy_pattern(
    rb"""(?xi)
    (?: community[ ] (?=\S{3,64}[ ](?:ro|rw|\d{1,3}\.\d|default|view)\b|\S{3,64};)
      | (?-i:enable)[ ](?:password|secret)[ ] (?:level[ ]\d{1,2}[ ])? (?:\d[ ] | (?=[^\s\d]{0,40}\d))
      | -server[ ]key[ ] (?:\d[ ])?
      | -server[ ]host[ ][\w.:-]{1,64} (?:[ ](?!key)[\w-]{1,20}){0,8}?[ ]key[ ] (?:\d[ ])?
      | isakmp[ ]key[ ] (?:\d[ ])?
      | wpa-psk[ ] (?:ascii[ ]|hex[ ])? (?:\d[ ])?
      | wpa_passphrase[ ] (?:"[^"\n]{1,64}"|[^\s"=]{1,64})[ ] (?=[^\s=]{8,63}(?:\s|$))
      | (?:password|secret)[ ][0579][ ] (?=\S{4,256}[ ]?(?:\\{0,8}["']|\r?\n|\r?$))
      | [ ]key[ ]7[ ] (?=[0-9A-Za-z]{4})
      | digest-key[ ]\d{1,3}[ ]md5[ ] (?:\d[ ])?
      | key-string[ ] (?:\d[ ])?
      | (?:ascii|hexadecimal)-text[ ] | -text[ ] (?=\\{0,8}")
      | (?:password|passwd|secret|key)[ ](?-i:ENC)[ ]
      | priv[ ]aes(?:[ ](?:128|192|256))?[ ]
      | [ ]auth[ ](?:sha|md5)[ ]
      | [ ]?:[ ](?:psk|eap|xauth)[ ]
    )
    """
)
# createUser ada SHA "x" AES "y" of Net-SNMP
_SNMP_USER: Final = lazy_pattern(
    rb"""(?xi) createuser[ ] (?:-e[ ]\S{1,40}[ ])? \S{1,64} [ ](?:md5|sha(?:-?\d{3})?)[ ] (?P<auth>"[^"\n]{1,128}"|\S{1,128})
    (?: [ ](?:des|aes(?:-?\d{3})?)[ ] (?P<priv>"[^"\n]{1,128}"|\S{1,128}) )?"""
)
# ada * "x" * in the secrets of PPP
_PPP: Final = lazy_pattern(rb"""[ ]\*[ ](?P<value>\\{0,8}"[^"\n]{4,128}")[ ]\*[ \t\r]*(?:\n|"|$)""")
_PPP_USER: Final = lazy_pattern(
    rb"""(?:^|\n|[ "])(?:\\{0,8}"[\w.@-]{1,64}\\{0,8}"|[\w.@-]{1,64})$"""
)
# [smtp.example]:587 ada:x of Postfix
_RELAY: Final = lazy_pattern(rb"\]:\d{2,5}[ \t]{1,8}[\w.@+-]{1,128}:(?=\S)")
# WIFI:T:WPA;S:kitchen;P:x;; of QR codes
_WIFI: Final = lazy_pattern(
    rb"(?i:wifi:)(?:[TSHR]:[^;\n]{0,64};){1,4}P:(?P<value>(?:[^;\\\n]|\\.){1,128})"
)


def device_secrets(block: bytes, at: int) -> list[Span]:
    """The secrets of the setting whose fixed text is at `at`."""
    if block.startswith(b" * ", at):
        return _ppp(block, at)
    if match := _WIFI.match(block, at):
        return [Span(*match.span("value"))]
    if match := _SNMP_USER.match(block, at):
        spans = [match.span(group) for group in ("auth", "priv") if match[group]]
        return [span for start, _ in spans for span in argument(block, start)]
    for pattern in (_RELAY, _SETTINGS):
        if match := pattern.match(block, at):
            return argument(block, match.end())
    return []


def _ppp(block: bytes, at: int) -> list[Span]:
    match = _PPP.match(block, at)
    if match is None or not _PPP_USER.search(block[max(0, at - 80) : at]):
        return []
    return argument(block, match.start("value"))
