"""Secrets after names of several words: `API key: x`, `new session id x`, `seed phrase: …`; and
tokens in the paths of links, such as `/reset-password/x`.
"""

from __future__ import annotations

import re
from typing import Final

from providers.patterns import lazy_pattern
from providers.redaction.notation import Span
from providers.redaction.values import (
    is_ordinary,
    is_uuid,
    looks_like_password,
    looks_random,
    looks_secret,
)

_NAMES: Final = (
    *("api key", "access key", "secret key", "private key", "encryption key", "decryption key"),
    *("signing key", "license key", "licence key", "master key", "shared key", "account key"),
    *("aes key", "hmac key", "tsig key", "des key", "rsa key", "storage key", "auth key"),
    *("session id", "session key", "recovery code", "backup code", "recovery key", "unlock key"),
    *(
        "product key",
        "activation key",
        "root key",
        "webhook key",
        "server key",
        "service key",
        "network key",
        "psk key",
    ),
)
_SEEDS: Final = ("mnemonic", "seed phrase", "seed_phrase", "seedphrase", "recovery phrase")
_LINKS: Final = (
    *("/reset-password/", "/password-reset/", "/password/reset/", "/password/edit/", "/reset/"),
    *("/verify/", "/verify-email/", "/activate/", "/confirm/", "/confirmation/", "/invite/"),
    *("/invitation/", "/magic-link/", "/magic/", "/unsubscribe/", "/one-time/", "/sso/token/"),
)
PHRASE_HINTS: Final = (*_NAMES, *_SEEDS, *_LINKS)

_AFTER_NAME: Final = lazy_pattern(
    rb"""(?x)
    s? (?:\\{0,8}["'])? (?:[ ](?:provided|supplied|given|used|received|found))?
    (?: (?P<sign> [ ]?[:=]{1,2}>?[ ]{0,3} | [ ](?:is|was|->|set[ ]to|to):?[ ] ) | [ ] )
    (?P<quote> \\{0,8}["'`] | \[\\{0,8}["'] )?
    (?P<value> [^\s"'`\\,;()<>\[\]{}|]{6,512} )
    """
)
_SEED: Final = lazy_pattern(
    rb"""(?xi)
    (?:mnemonic|(?:seed|recovery)[ _]?phrase) \\{0,8}["']? [ ]?[:=]>?[ ]? \[? (?:\\{0,8}["'])?
    (?P<value> [a-z]{3,8} (?:[ ][a-z]{3,8}){11,23}+ (?![ ]?[a-z]) )
    """
)
_LINK_TOKEN: Final = lazy_pattern(rb"[\w.~-]{16,512}+")
_NAME: Final = lazy_pattern(rb"(?i)\w{2,12} (?:key|code|id)(?!\w{2})")
# The fingerprint of a key of OpenPGP, a session of ZooKeeper.
_IDENTIFIER: Final = lazy_pattern(rb"(?:[0-9A-F]{16}|[0-9A-F]{40}|0x[0-9a-f]{1,16})$")
# `Session ID = x` in the log of a machine. Keys of Heroku and of licences are UUIDs, too.
_OF_SESSION: Final = lazy_pattern(rb"(?i)session id$")
# The recovery key of BitLocker.
_DIGITS_IN_GROUPS: Final = lazy_pattern(rb"(?:\d{6}-){7}\d{6}$")
# `recovery codes: a1b2-c3d4 e5f6-a7b8`
_OF_CODES: Final = lazy_pattern(rb"(?i)(?:recovery|backup) codes")
_OTHER_CODES: Final = lazy_pattern(
    rb"[ ,]{1,2}(?P<codes>(?=[a-z-]{0,16}\d)[\w-]{6,20}(?:[ ,]{1,2}(?=[a-z-]{0,16}\d)[\w-]{6,20}){0,15})"
)
_WORD_BEGINS: Final = lazy_pattern(rb"[A-Za-z0-9_]")


def phrase_secrets(block: bytes, at: int) -> list[Span]:
    """The secret after the name or the beginning of a path at `at`."""
    if block[at : at + 1] == b"/":
        token = _LINK_TOKEN.match(block, block.index(b"/", at + 1) + 1)
        return _found(token, 0) if token and looks_random(token[0]) else []
    if seed := _SEED.match(block, at):
        return _found(seed, "value")
    name = _NAME.match(block, at)
    if name is None or (at and _WORD_BEGINS.match(block, at - 1)):
        return []
    after = _AFTER_NAME.match(block, name.end())
    if after is None or (_OF_SESSION.match(name[0]) and is_uuid(after["value"])):
        return []
    if not _is_value(after):
        return []
    others = _OTHER_CODES.match(block, after.end()) if _OF_CODES.match(block, at) else None
    return [*_found(after, "value"), *(_found(others, "codes") if others else [])]


def _is_value(after: re.Match[bytes]) -> bool:
    """Whether a word after the name is the secret: behind a sign a word with digits suffices."""
    value: bytes = after["value"].rstrip(b".!")
    if _DIGITS_IN_GROUPS.match(value):
        return True
    if is_ordinary(value) or _IDENTIFIER.match(value):
        return False
    if after["sign"] or after["quote"]:
        return looks_secret(value) or looks_like_password(value)
    return looks_random(value)


def _found(match: re.Match[bytes], group: int | str) -> list[Span]:
    return [Span(*match.span(group))]
