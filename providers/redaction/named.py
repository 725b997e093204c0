"""Secrets that stand behind a name which says so, in any notation: `password=x`, `"x-api-key":
"x"`, `<token>x</token>`, `--secret x`.
"""

from __future__ import annotations

import re
from typing import Final

from providers.redaction import values
from providers.redaction.names import NameKind, name_kind, words
from providers.redaction.secret import MARK
from providers.redaction.values import Span, is_secret, looks_secret, quoted_end

# Parts of words that begin or continue the names of secrets, in lower case. Each is a place to
# look; what is there is decided then.
_HINTS: Final = (
    "pass pwd pw= pw: pw\" pw' _pw bindpw rootpw secret token _key -key .key ?key= &key= apikey "
    "accesskey authkey privatekey accountkey"
    " sharedkey signingkey encryptionkey masterkey storagekey sshkey appkey clientkey licensekey "
    "vendorkey servicekey credential creds"
    " cookie jwt otp mfa= mfa: mfa\" mfa' pin= pin: pin\" pin' cvv cvc psk dsn connection connstr "
    "session sess= sess: sess_ sessid sid= sid:"
    " sid\" sid' _sid signature sig= sig\" sig: authorization auth= auth: auth\" auth' _auth "
    "-auth x-auth authtoken assertion samlresponse ticket=  hmac csrf xsrf"
    " ?code= &code= code_verifier device_code requirepass masterauth kennwort motdepasse contrasena"
)  # fmt: skip
NAME_HINTS: Final = tuple(_HINTS.split())
_NAME_BYTES: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-."
_MOST_ITEMS: Final = 256
_LONGEST_NAME: Final = 64
_ESCAPE_REST: Final = re.compile(
    rb"(?<=\\)(?:[nrtbf]|u00[0-9a-fA-F]{2})|(?<=%)(?:25){0,2}[0-9A-Fa-f]{2}"
)
_NAME_REST: Final = re.compile(rb"[\w.-]{0,64}+")
# A name with a byte behind it, and its value where that shows what it is.
_NAME_IN_CROWD: Final = re.compile(
    rb"""(?P<name>[\w.-]{1,64}+)(?P<literal>"[^\S\n]?:[^\S\n]?(?:null|true|false|""|\d{1,4})[,}\]])?"""
)
_VALUE_IN_FRONT: Final = re.compile(
    rb"""(?i)"value"\s?:\s?"([^"\\\n]{1,200})"\s?,\s?"(?:name|key|header)"\s?:\s?"$"""
)
_WORD: Final = re.compile(rb"[A-Za-z]++[,.;:]?(?=\s|$)")
# {SSHA} of a password hash in a directory.
_SCHEME_OF_HASH: Final = re.compile(rb"\{[A-Z0-9-]{3,12}\}")
# Settings of Redis, which have no sign in front of their value.
_SETTINGS: Final = words("requirepass masterauth")
# A value of YAML that stands by itself on the line below its name.
_BLOCK_SCALAR: Final = re.compile(
    rb"[|>][+-]?\r?\n[ \t]{2,40}(?P<value>[^\s\[][^\s:=]{5,4095}+)(?=\s|$)"
)
_IS_PASSWORD: Final = re.compile(rb"(?i)pass|pwd")

_MARK: Final = MARK.encode()
_KNOWN_SCHEME: Final = (
    rb"(?:bearer|basic|token|api-?key|key|negotiate|ntlm|eg1-hmac-sha256|sharedaccesssignature|sharedkey(?:lite)?|ssws|splunk|geniekey|bot|pat"
    rb"|sso-key|dpop|klaviyo-api-key|deepl-auth-key|user-?token|jwt|oauth2?|zoho-oauthtoken|goog1|app-?key|secret)"
)
_PARAMETER: Final = rb"""[\w-]{1,40}=(?:\\{0,16}"[^"\\\n]{0,2048}\\{0,16}"|[^\s,;"'\\]{0,4096})"""
_CREDENTIALS: Final = re.compile(
    rb"""(?xi)
    (?P<parameters> (?:digest|oauth|hawk|signature|mac|aws4-[\w-]{4,24}|acs3-[\w-]{4,24}|gnap|hmac[\w-]{0,20}|[\w-]{1,30}-sha(?:1|256|512)) [^\S\n]{1,3}
        PARAMETER (?: [^\S\n]{0,3} [,;] [^\S\n]{0,3} PARAMETER )* )
  | (?P<scheme> SCHEME [^\S\n]{1,3} ) (?P<token> [^\s"'`\\,<>]{1,8192} (?:,(?=[^\s"'])[^\s"'`\\<>]{1,4096})? )
  | (?P<other_scheme> [a-z][a-z0-9_.-]{1,30} [^\S\n]{1,3} ) (?P<other_token> (?![\w.-]{1,30}=[^=\s]) [^\s"'`\\,<>]{4,8192} ) (?P<ends>\s{0,8}(?:["'`\\,}]|$))?
  | (?P<bare> [^\s"'`\\,<>]{1,8192} )
    """.replace(b"PARAMETER", _PARAMETER).replace(b"SCHEME", _KNOWN_SCHEME),
    re.MULTILINE,
)  # fmt: skip
_COOKIES: Final = re.compile(
    rb"""(?x)
    [^\s;"'`\\]{1,8192}
    (?: [^\S\n]{0,3} ; [^\S\n]{0,3} (?: expires=\w{3},?[ ][\w: -]{1,40}GMT | [^\s;"'`\\]{1,8192} ) )*+
    (?: [^;\n"'`\\]{1,128} ; [^\S\n]{0,3} [\w.$-]{1,64}=[^\s;"'`\\]{0,4096} )*+
    ;?
    """,
    re.IGNORECASE,
)


def named_secrets(block: bytes, at: int) -> list[Span]:
    """The secrets behind the name that has one of NAME_HINTS at `at`."""
    if block[at] in b"?&.":
        at += 1
    after = values.AFTER_NAME.match(block, at)
    if after and after["blank"] and _is_prose(block, at, after.end()):
        return []
    tag = None if after and (after["sign"] or after["named"]) else _tag(block, at)
    start = _name_start(block, at)
    if after is None and tag is None:
        return _value_in_front(block, start, at)
    name = block[start : after.end("rest") if after else at + 24]
    if tag:
        rest = _NAME_REST.match(block, at)
        name = block[start : rest.end() if rest else at]
        return _element(block, tag.end(), name_kind(name))
    assert after is not None
    kind = _kind(block, at, name)
    if kind is NameKind.PLAIN:
        return []
    if after["blank"]:
        return _behind_blank(block, after, kind, name)
    if after["loose"]:
        return _loosely_behind(block, after.end())
    return _behind_sign(block, after, kind, name)


def ordinary_text(block: bytes, at: int) -> bytes | None:
    """What stands around `at` and holds no secret wherever it stands: a name with the bytes around
    it, or with a value such as `null`.
    """
    at += block[at] in b"?&."
    start = _name_start(block, at)
    match = _NAME_IN_CROWD.match(block, start)
    in_front = block[start - 1 : start]
    if (
        match is None
        or match.end("name") <= at
        or not in_front
        or in_front in _NAME_BYTES + b"\\%?&\n"
    ):
        return None
    if name_kind(match["name"]) is NameKind.PLAIN:
        behind = block[match.end("name") : match.end("name") + 1]
        return None if not behind or behind.isspace() else in_front + match["name"] + behind
    if match["literal"] and not named_secrets(block, at):
        return in_front + match["name"] + match["literal"]
    return None


def _loosely_behind(block: bytes, start: int) -> list[Span]:
    """`password is x`, cells of a table, arguments of a function: only what looks like a secret is
    one.
    """
    found = _value_at(block, start)
    if found is None or not looks_secret(
        block[found.start : found.start + values.LONGEST_ORDINARY][: found.end - found.start]
    ):
        return []
    return [found]


def _value_in_front(block: bytes, start: int, at: int) -> list[Span]:
    """The value of `{"value":"x","name":"x-api-key"}`."""
    if block[start - 1 : start] != b'"':
        return []
    offset = max(0, start - values.LONGEST_ORDINARY)
    match = _VALUE_IN_FRONT.search(block[offset:start])
    rest = _NAME_REST.match(block, at)
    if (
        match is None
        or rest is None
        or not is_secret(name_kind(block[start : rest.end()]), match[1], prose=False)
    ):
        return []
    return [Span(offset + match.start(1), offset + match.end(1))]


def _is_prose(block: bytes, at: int, start: int) -> bool:
    """Whether a mere word stands behind a blank, and the name is no option, no setting and not in a
    .netrc.
    """
    if not _WORD.match(block, start):
        return False
    first = _name_start(block, at)
    rest = _NAME_REST.match(block, at)
    name = block[first : rest.end()] if rest else b""
    return not (
        name.startswith(b"-")
        or name in _SETTINGS
        or block[first:at].isupper()
        or block.find(b"login ", max(0, at - 100), at) >= 0
    )


def _name_start(block: bytes, at: int) -> int:
    left = block[max(0, at - _LONGEST_NAME) : at]
    start = at - (len(left) - len(left.rstrip(_NAME_BYTES)))
    return _behind_escape(block, start, at) if block[start - 1 : start] in (b"\\", b"%") else start


def _behind_escape(block: bytes, start: int, at: int) -> int:
    """In `\\npassword` the letter belongs to the escape, and so do the digits of `%26password`."""
    escape = _ESCAPE_REST.match(block, start, at)
    return escape.end() if escape else start


def _kind(block: bytes, at: int, name: bytes) -> NameKind:
    """The kind of a name; `key`, `code` and `auth` alone are names of secrets at the head of a
    query parameter.
    """
    if block[at - 1 : at] in (b"?", b"&") and name in (b"key", b"code", b"auth"):
        return NameKind.CODE if name == b"code" else NameKind.SECRET
    return name_kind(name)


def _tag(block: bytes, at: int) -> re.Match[bytes] | None:
    """The rest of an XML tag, where the name is one's."""
    start = _name_start(block, at)
    if values.TAG_OPENS.search(block[max(0, start - 32) : start]):
        return values.ELEMENT.match(block, at)
    if values.NAME_ATTRIBUTE.search(block[max(0, start - 24) : start]):
        return values.NAMED_ELEMENT.match(block, at)
    return None


def _element(block: bytes, start: int, kind: NameKind) -> list[Span]:
    text = values.ELEMENT_TEXT.match(block, start)
    if kind is NameKind.PLAIN or text is None or not is_secret(kind, text[0].strip(), prose=False):
        return []
    return [Span(start, text.end())]


def _behind_blank(block: bytes, after: re.Match[bytes], kind: NameKind, name: bytes) -> list[Span]:
    """`--password x`, `password x` in a .netrc, columns of a table. Without a sign only what looks
    like a secret is one.
    """
    start = after.end()
    is_option = name.startswith(b"-")
    found = _value_at(block, start)
    if found is None or (block[start : start + 1] == b"-" and is_option):
        return []
    value = block[found.start : found.end]
    if kind in (NameKind.AUTHORIZATION, NameKind.COOKIE, NameKind.DIRECTORY) or not is_secret(
        kind, value, prose=False
    ):
        return []
    if is_option or _is_netrc(block, after.start()) or looks_secret(value):
        return [found]
    has_digit = len(value) >= 6 and any(48 <= byte <= 57 for byte in value) and not value.isdigit()
    is_password = bool(_IS_PASSWORD.search(name))
    if kind is NameKind.SECRET and has_digit and (is_password or len(after["blank"]) > 1):
        return [found]
    if name in _SETTINGS or (len(after["blank"]) > 1 and name.isupper() and b"_" in name):
        return [found]
    is_quoted = block[found.start - 1 : found.start] in (b"'", b'"')
    return [found] if is_password and is_quoted and kind is NameKind.SECRET else []


def _is_netrc(block: bytes, at: int) -> bool:
    return bool(
        re.search(rb"\blogin[ \t]{1,8}\S{1,64}[ \t]{1,8}(?:pass)?$", block[max(0, at - 100) : at])
    )


def _behind_sign(block: bytes, after: re.Match[bytes], kind: NameKind, name: bytes) -> list[Span]:
    start = after.end()
    sign = after["sign"] or b"="
    prose = sign == b":" and block[start - 1 : start] != b":" and not after["close"]
    if prose and name == b"PASS":
        kind = NameKind.DOUBTFUL
    first = block[start : start + 1]
    if (
        not first.isalnum()
        or block[start + 1 : start + 3][-1:] in (b'"', b"'")
        or block[start + 1 : start + 2] in (b'"', b"'")
    ):
        if tag := values.TYPE_TAG.match(block, start):
            start = tag.end()
        if opening := values.OPENING.match(block, start):
            return _quoted(block, opening, kind, pair=_pair(block, after, name))
        if first == b"[" and not block.startswith(_MARK, start):
            return _items(block, start + 1, kind, _json_close(after))
        if first == b"{" and kind is NameKind.COOKIE:
            return _members(block, start)
        if tagged := _SCHEME_OF_HASH.match(block, start):
            start = tagged.end()
        elif kind is NameKind.SECRET and (scalar := _BLOCK_SCALAR.match(block, start)):
            return [Span(scalar.start("value"), scalar.end())]
        elif first == b"|" or (first == b"{" and not block.startswith(b"{{", start)):
            return []
    close = _json_close(after)
    if close and values.WORD_LITERAL.match(block, start):
        return []
    if close and (number := values.NUMBER.match(block, start)):
        return _number(number, kind, close)
    if kind is NameKind.AUTHORIZATION:
        return _credentials(block, start)
    if kind is NameKind.COOKIE:
        return _cookies(block, start)
    return _bare(block, start, kind, prose=prose)


def _json_close(after: re.Match[bytes]) -> bytes | None:
    """The quote behind a name of JSON or of a Python dictionary."""
    close: bytes | None = after["close"] if after["sign"] else None
    return close if close and close[-1:] in b"\"'" else None


def _pair(block: bytes, after: re.Match[bytes], name: bytes) -> bytes:
    """What opens a pair such as `("password", "x")` or `["--password", "x"]`; nothing where a sign
    stands between the two.
    """
    if not after["paired"]:
        return b""
    if name.startswith(b"-"):
        return b"-"
    start = after.end("rest") - len(name)
    return block[max(0, start - 2) : start] or b"["


def _quoted(block: bytes, opening: re.Match[bytes], kind: NameKind, *, pair: bytes) -> list[Span]:
    start = opening.end()
    end = quoted_end(block, start, opening["quote"])
    value = block[start : min(end, start + 2048)]
    if kind is NameKind.COOKIE and not _is_cookie(value):
        return []
    if not is_secret(kind, value, prose=False):
        return []
    if pair and pair != b"-":
        is_closed = block.startswith((b")", b"]"), end + len(opening["quote"]))
        is_secret_alone = (
            kind in (NameKind.AUTHORIZATION, NameKind.COOKIE)
            or pair == b"('"
            or looks_secret(value)
        )
        if not (is_closed and is_secret_alone):
            return []
    return [Span(start, end)]


def _items(block: bytes, start: int, kind: NameKind, close: bytes | None) -> list[Span]:
    """All the values of a list: `["a", "b"]`, and `[a=b; c=d]` of a Go header. `close` is the quote
    behind a name of JSON.
    """
    spans: list[Span] = []
    at = start
    is_list = False
    for _ in range(_MOST_ITEMS):
        at = _behind_gap(block, at)
        if opening := values.OPENING.match(block, at):
            end = quoted_end(block, opening.end(), opening["quote"])
            item = Span(opening.end(), end)
            at = end + len(opening["quote"])
        elif close and (literal := values.LITERAL.match(block, at)):
            item = Span(at, literal.end(), close + _MARK + close)
            at = literal.end()
        else:
            break
        is_list = True
        if is_secret(kind, block[item.start : min(item.end, item.start + 2048)], prose=False):
            spans.append(item)
    if is_list or block.startswith((b"]", b"{", b"["), at):
        return spans
    text = values.BRACKETED.match(block, start)
    if text and (len(text[0]) >= values.LONGEST_ORDINARY or is_secret(kind, text[0], prose=False)):
        return [Span(start, text.end())]
    return []


def _behind_gap(block: bytes, at: int) -> int:
    gap = values.ITEM_GAP.match(block, at)
    return gap.end() if gap else at


def _members(block: bytes, at: int) -> list[Span]:
    """The values of a JSON object of texts, such as the cookies of a request."""
    spans: list[Span] = []
    while member := values.MEMBER.match(block, at + 1):
        opening = values.OPENING.match(block, member.end())
        if opening is None:
            break
        at = quoted_end(block, opening.end(), opening["quote"]) + len(opening["quote"])
        if is_secret(
            NameKind.COOKIE, block[opening.end() : at - len(opening["quote"])], prose=False
        ):
            spans.append(Span(opening.end(), at - len(opening["quote"])))
        at -= 1
    return spans


def _credentials(block: bytes, start: int) -> list[Span]:
    """A scheme and what follows it; a scheme that nobody knows only where what follows looks like
    credentials.
    """
    match = _CREDENTIALS.match(block, start)
    if match is None or block.startswith(_MARK, start):
        return []
    if match["parameters"] or match["scheme"]:
        return [Span(start, match.end())]
    word, token = (match["other_scheme"] or match["bare"]).strip(), match["other_token"]
    if len(word) < values.LONGEST_ORDINARY and not is_secret(
        NameKind.AUTHORIZATION, word, prose=True
    ):
        return []
    if token and (match["ends"] is not None or looks_secret(token)):
        return [Span(start, match.end("other_token"))]
    return [Span(start, start + len(word))]


def _cookies(block: bytes, start: int) -> list[Span]:
    match = _COOKIES.match(block, start)
    if match is None:
        return []
    is_long = len(match[0]) >= values.LONGEST_ORDINARY
    if is_long or (_is_cookie(match[0]) and is_secret(NameKind.COOKIE, match[0], prose=True)):
        return [Span(start, match.end())]
    return []


def _is_cookie(value: bytes) -> bool:
    return b"=" in value or looks_secret(value, shortest=4)


def _number(number: re.Match[bytes], kind: NameKind, close: bytes) -> list[Span]:
    """A number of JSON, which becomes a text so that JSON stays JSON."""
    if not is_secret(kind, number[0], prose=False):
        return []
    return [Span(number.start(), number.end(), close + _MARK + close)]


def _bare(block: bytes, start: int, kind: NameKind, *, prose: bool) -> list[Span]:
    found = _value_at(block, start)
    if found is None:
        return []
    is_long = found.end - found.start >= values.LONGEST_ORDINARY
    if is_long or is_secret(kind, block[found.start : found.end], prose=prose):
        return [found]
    return []


def _value_at(block: bytes, start: int) -> Span | None:
    """A value, quoted or bare, without its quotes."""
    if opening := values.OPENING.match(block, start):
        return Span(opening.end(), quoted_end(block, opening.end(), opening["quote"]))
    match = values.BARE.match(block, start)
    return Span(start, match.end()) if match else None
