"""The values of `Authorization` and `Cookie` headers."""

from __future__ import annotations

import re
from typing import Final

from providers.patterns import lazy_pattern
from providers.redaction import notation
from providers.redaction.names import NameKind
from providers.redaction.notation import Span, quoted_end
from providers.redaction.secret import MARK_BEGINS, REST_MARK
from providers.redaction.values import is_ordinary, is_secret, looks_secret

_MOST_COOKIES: Final = 128
_KNOWN_SCHEME: Final = (
    rb"(?:bearer|basic|token|api-?key|key|negotiate|ntlm|eg1-hmac-sha256|sharedaccesssignature|sharedkey(?:lite)?|ssws|splunk|geniekey|bot|pat"
    rb"|sso-key|dpop|klaviyo-api-key|deepl-auth-key|user-?token|jwt|oauth2?|zoho-oauthtoken|goog1|app-?key|secret)"
)
# A parameter of Digest, OAuth or an AWS signature. Most are harmless, but all of them are removed.
# A quoted one ends with the same quote, and does not begin with the quote that ends the string
# around the header.
_QUOTED: Final = rb"""(?:"(?![ ]?[,:}\]])[^"\\\n]{0,2048}"|\\"[^"\\\n]{0,2048}\\"|\\{3}"[^"\\\n]{0,2048}\\{3}")"""
_PARAMETER: Final = rb"""[\w-]{1,40}=(?:QUOTED|[^\s,;"'\\]{0,4096})""".replace(b"QUOTED", _QUOTED)
_CREDENTIALS: Final = lazy_pattern(
    rb"""(?xi)
    (?P<parameters> (?:digest|oauth|hawk|signature|mac|aws4-[\w-]{4,24}|acs3-[\w-]{4,24}|gnap|hmac[\w-]{0,20}|[\w-]{1,30}-sha(?:1|256|512)) [^\S\n]{1,3}
        PARAMETER (?: [^\S\n]{0,3} [,;] [^\S\n]{0,3} PARAMETER )* )
  | (?P<scheme> SCHEME [^\S\n]{1,3} ) (?P<token> (?!\[redacted) [^\s"'`\\,<>]{1,8192} (?:,(?=[^\s"'])[^\s"'`\\<>]{1,4096})? )
  | (?P<other_scheme> [a-z][a-z0-9_.-]{1,30} [^\S\n]{1,3} ) (?P<other_token> (?!\[redacted) (?![\w.-]{1,30}=[^=\s]) [^\s"'`\\,<>]{4,8192} ) (?P<ends>\s{0,8}(?:["'`\\,}]|$))?
  | (?P<bare> [^\s"'`\\,<>]{1,8192} )
    """.replace(b"PARAMETER", _PARAMETER).replace(b"SCHEME", _KNOWN_SCHEME),
    re.MULTILINE,
)  # fmt: skip
# An example or a variable: `XXXXXXXX`, `***`, `${TOKEN}`, `$(cat key)`.
_PLACEHOLDER: Final = lazy_pattern(
    rb"(?:[xX]{3,64}|[*.]{3,64}|\$\{?[A-Za-z_]\w{0,64}\}?|\$\(\w[\w./-]{0,64}\)?|<[A-Za-z_-]{1,40}>)$"
)
# The identifiers of the two sides of a connection of IKE, and the user of a connection of RDP.
_IDENTIFIER: Final = lazy_pattern(rb"[0-9a-f]{16}-[0-9a-f]{16}$|mstshash=[\w.@-]{1,64}$")
# The date of `Expires` has a comma and blanks, which end a cookie elsewhere.
_COOKIES: Final = lazy_pattern(
    rb"""(?x)
    [^\s;"'`\\]{1,8192}
    (?: [^\S\n]{0,3} ; [^\S\n]{0,3} (?: expires=\w{3},?[ ][\w: -]{1,40}GMT | [^\s;"'`\\]{1,8192} ) )*+
    (?: [^;\n"'`\\]{1,128} ; [^\S\n]{0,3} [\w.$-]{1,64}=[^\s;"'`\\]{0,4096} )*+
    ;?
    """,
    re.IGNORECASE,
)


def credentials(block: bytes, start: int) -> list[Span]:
    """A scheme and the credentials after it. After an unknown scheme, only what looks like
    credentials is removed.
    """
    match = _CREDENTIALS.match(block, start)
    if match is None or block.startswith(MARK_BEGINS, start):
        return []
    if match["scheme"] and _is_no_token(match["token"]):
        return []
    if match["parameters"] or match["scheme"]:
        return [Span(start, match.end())]
    word = (match["other_scheme"] or match["bare"]).strip()
    token = match["other_token"]
    # Apache HttpClient shows the end of a line in its wire log as `[\\r][\\n]`.
    word = word.rstrip(b"[")
    if len(word) < notation.LONGEST_ORDINARY and not is_secret(
        NameKind.AUTHORIZATION, word, prose=True
    ):
        return []
    if token and (match["ends"] is not None or looks_secret(token)):
        return [Span(start, match.end("other_token"))]
    return [Span(start, start + len(word))]


def _is_no_token(word: bytes) -> bool:
    """Whether a word after a scheme is an example, a variable, or as in `Basic Authentication`."""
    return bool(_PLACEHOLDER.match(word)) or (word.isalpha() and is_ordinary(word))


def cookies(block: bytes, start: int) -> list[Span]:
    match = _COOKIES.match(block, start)
    if match is None or block.startswith(REST_MARK[1:], start):
        return []
    is_long = len(match[0]) >= notation.LONGEST_ORDINARY
    if is_long or (is_cookie(match[0]) and is_secret(NameKind.COOKIE, match[0], prose=True)):
        return [Span(start, match.end())]
    return []


def cookie_members(block: bytes, at: int) -> list[Span]:
    """The values of a JSON object of strings, such as the cookies of a request."""
    spans: list[Span] = []
    for _ in range(_MOST_COOKIES):
        member = notation.MEMBER.match(block, at + 1)
        opening = notation.OPENING.match(block, member.end()) if member else None
        if opening is None:
            break
        at = quoted_end(block, opening.end(), opening["quote"]) + len(opening["quote"])
        if is_secret(
            NameKind.COOKIE, block[opening.end() : at - len(opening["quote"])], prose=False
        ):
            spans.append(Span(opening.end(), at - len(opening["quote"])))
        at -= 1
    return spans


def is_cookie(value: bytes) -> bool:
    if _IDENTIFIER.match(value):
        return False
    return b"=" in value or looks_secret(value, shortest=4)
