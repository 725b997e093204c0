"""Secrets that stand behind a name which says so, in any notation: `password=x`, `"x-api-key":
"x"`, `<token>x</token>`, `--secret x`.
"""

from __future__ import annotations

import re
from typing import Final

from providers.redaction import notation
from providers.redaction.credentials import cookie_members, cookies, credentials, is_cookie
from providers.redaction.names import FOREIGN_NAMES, NameKind, name_kind, words
from providers.redaction.notation import Span, quoted_end
from providers.redaction.pairs import is_pair_value, list_items, paired_value, value_in_front
from providers.redaction.secret import MARK
from providers.redaction.values import is_secret, looks_random, looks_secret

# Parts of words that begin or continue the names of secrets, in lower case. Each is a place to
# look; what is there is decided then.
_HINTS: Final = (
    "pass pwd pw= pw: pw\" pw' _pw bindpw rootpw secret token _key -key .key ?key= &key= apikey "
    "accesskey authkey privatekey accountkey"
    " sharedkey signingkey encryptionkey masterkey storagekey sshkey appkey clientkey licensekey "
    "vendorkey servicekey credential creds"
    " cookie jwt otp mfa= mfa: mfa\" mfa' pin= pin: pin\" pin' cvv cvc psk dsn connection connstr "
    "session sess= sess: sess_ sessid sid= sid:"
    ' sid" sid\' _sid signature sig= sig" sig: authorization auth= auth: auth" auth\' _auth '
    "-auth x-auth authtoken assertion samlresponse ticket=  hmac csrf xsrf"
    " ?code= &code= code_verifier device_code requirepass masterauth"
)
NAME_HINTS: Final = tuple(_HINTS.split())
FOREIGN_HINTS: Final = FOREIGN_NAMES
_NAME_BYTES: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-."
_LONGEST_NAME: Final = 64
_ESCAPE_REST: Final = re.compile(
    rb"(?<=\\)(?:[nrtbf]|u00[0-9a-fA-F]{2}|x[0-9a-fA-F]{2})|(?<=%)(?:25){0,2}[0-9A-Fa-f]{2}"
)
_COLOUR: Final = re.compile(notation.COLOUR)
# `checksum/secret` of Helm, `unexpected token` of a parser.
_ABOUT_NAME: Final = (b"checksum/", b"nexpected ")
_NAME_REST: Final = re.compile(rb"[\w.-]{0,64}+")
_FOREIGN_NAME: Final = re.compile(
    b"(?i:" + b"|".join(re.escape(name.encode()) for name in FOREIGN_NAMES) + b")"
)
# A name with its value, where the two show by themselves that it is no secret.
_ORDINARY_MEMBER: Final = re.compile(
    rb"""(?x)
    (?P<name>[\w.-]{1,64}+)
    (?:
        (?P<member> "[ ]?:[ ]? (?: null | true | false | \d{1,4} | "[\w .-]{0,32}" ) [,}\]] | =[\w-]{0,32}[ ] | :[ ][\w-]{1,32}[ ] )
      | (?P<word> [ ] (?!(?:is|was|to|for|of|string|str|value|entered|provided|received|generated|supplied|given|used|changed|set|reset|updated|mismatch)[ ]) [a-z.]{1,32} [ ] )
    )?
    """
)  # fmt: skip
_WORD_BEHIND: Final = re.compile(rb"(?P<rest>[\w.-]{0,64}+) (?!is|was|str)[a-z]{2,20}+(?=[ \n]|$)")
_WORD: Final = re.compile(rb"[A-Za-z]++[,.;:]?(?=\s|$)")
# {SSHA} of a password hash in a directory.
_SCHEME_OF_HASH: Final = re.compile(rb"\{[A-Z0-9-]{3,12}\}")
# Settings of Redis, which have no sign in front of their value.
_SETTINGS: Final = words("requirepass masterauth")
_IS_PASSWORD: Final = re.compile(rb"(?i)pass|pwd")
# Behind these, a name and a blank are followed by a value: Clojure's keywords, shells, C.
_ASSIGNMENT: Final = re.compile(
    rb"(?:(?:^|[\s({\[,]):|(?:\bsetx|\bsetenv|\bset[ ]-[a-zU]{1,3}|#define)[ \t]{1,3})$"
)
# A value by itself on the line below its name.
_NEXT_LINE: Final = re.compile(
    rb"""(?:\\?\r?\n)[ \t]{1,40}+(?:-[ ])?(?:(?P<quoted>(?:string\(\d{1,7}\)[ ])?\\{0,16}["'])|(?P<bare>[^\s:=#\[{(<>"']{4,1024}+)(?=[ \t\r]*+(?:\n|$)))"""
)
# The new value of `"old" -> "new"`, `"old":"x","new":"y"`.
_NEW_VALUE: Final = re.compile(
    rb"""[^\S\n]{1,3}[-=]>[^\S\n]{1,3}(?=["'])|,[ ]?"(?:new|to|after|new_?[vV]alue)"[ ]?:[ ]?(?=")"""
)
# The head of a block scalar or a here document; what is below belongs to `multiline`.
_TEXT_BELOW: Final = re.compile(
    rb"""(?:[|>][+-]?\d?[+-]?[^\S\n]*+(?:#[^\n]{0,200}+)?|<<[-~]?["']?\w{1,40}["']?[^\S\n]*+)(?=\n|$)"""
)
# ODBC's PWD={x}
_BRACED: Final = re.compile(rb"""\{([^\s{}"'=:,]{4,200}+)\}""")
# The next field of a line, the next attribute of a tag, the protocol behind a path.
_ATTRIBUTE: Final = re.compile(rb"[A-Za-z][\w:.-]{0,40}=|HTTP/\d")
_CELL: Final = re.compile(rb"""[^\s,;|"'()]{8,256}+""")
_FORM_FIELD: Final = re.compile(rb"""name=\\{0,16}["']?$""")
_FORM_VALUE: Final = re.compile(rb"""[^\r\n\\"']{1,4096}+""")

_MARK: Final = MARK.encode()


def named_secrets(block: bytes, at: int) -> list[Span]:
    """The secrets behind the name that has one of NAME_HINTS at `at`."""
    if block[at] in b"?&.":
        at += 1
    start = _name_start(block, at)
    # Most names in logs stand in a sentence, such as `session opened`.
    word = _WORD_BEHIND.match(block, at)
    if word and name_kind(block[start : word.end("rest")]) in (NameKind.PLAIN, NameKind.DOUBTFUL):
        return []
    after = notation.AFTER_NAME.match(block, at)
    if after and after["blank"] and _is_prose(block, start, at, after.end()):
        return _in_sentence(block, start, after)
    tag = None if after and (after["sign"] or after["named"]) else _tag(block, start, at)
    if tag:
        rest = _NAME_REST.match(block, at)
        kind = name_kind(block[start : rest.end() if rest else at])
        return _element(block, tag.end(), kind) or value_in_front(block, start, kind)
    if after is None:
        return _without_sign(block, start, at)
    name = block[start : after.end("rest")]
    kind = _kind(block, start, at, name)
    if kind is NameKind.PLAIN:
        return []
    if after["blank"]:
        return _behind_blank(block, after, kind, name) or _in_sentence(block, start, after)
    if after["loose"]:
        return _loosely_behind(block, after, kind, name)
    if after["body"]:
        return _form_field(block, start, after.end(), kind)
    return _behind_sign(block, after, kind, name)


def foreign_named_secrets(block: bytes, at: int) -> list[Span]:
    """The secret behind a name in another language, such as `contraseña`."""
    found = _FOREIGN_NAME.match(block, at)
    if found is None:
        return []
    after = notation.AFTER_NAME.match(block, found.end())
    if after and not (after["blank"] or after["loose"] or after["body"]):
        return _behind_sign(block, after, NameKind.SECRET, found[0])
    if notation.TAG_OPENS.search(block[max(0, at - 32) : at]) and (
        tag := notation.ELEMENT.match(block, found.end())
    ):
        return _element(block, tag.end(), NameKind.SECRET)
    return []


def mentions_context(line: bytes) -> bool:
    """Whether a line holds words that give a meaning to a name and a blank far behind them."""
    return any(word in line for word in (b"login", b"set", b"#define", b":"))


def ordinary_text(block: bytes, at: int, *, has_context: bool) -> bytes | None:
    """What stands around `at` and holds no secret wherever it stands: a name with the bytes around
    it, or with a value such as `null`.
    """
    at += block[at] in b"?&."
    start = _name_start(block, at)
    match = _ORDINARY_MEMBER.match(block, start)
    in_front = block[start - 1 : start]
    if (
        match is None
        or match.end("name") <= at
        or not in_front
        or in_front in _NAME_BYTES + b"\\%?&\n["
    ):
        return None
    kind = name_kind(match["name"])
    if kind is NameKind.PLAIN:
        behind = block[match.end("name") : match.end("name") + 1]
        return None if not behind or behind.isspace() else in_front + match["name"] + behind
    may_be_ordinary = match["member"] or (match["word"] and not has_context)
    is_simple = kind in (NameKind.SECRET, NameKind.DOUBTFUL, NameKind.PASS)
    if may_be_ordinary and is_simple and not named_secrets(block, at):
        return in_front + match[0]
    return None


def _without_sign(block: bytes, start: int, at: int) -> list[Span]:
    """`{"value":"x","name":"x-api-key"}`, or a name in a sentence."""
    rest = _NAME_REST.match(block, at)
    name = block[start : rest.end()] if rest else b""
    return value_in_front(block, start, name_kind(name)) or _phrase(
        block, rest.end() if rest else at, name
    )


def _in_sentence(block: bytes, start: int, after: re.Match[bytes]) -> list[Span]:
    return _phrase(block, after.end("rest"), block[start : after.end("rest")])


def _phrase(block: bytes, end: int, name: bytes) -> list[Span]:
    """`password for ada: x`, `password was set to x`."""
    if name_kind(name) is not NameKind.SECRET:
        return []
    phrase = notation.PHRASE.match(block, end)
    if phrase is None:
        return []
    found = _value_at(block, phrase.end())
    if found and looks_random(block[found.start : min(found.end, found.start + 256)]):
        return [found]
    return []


def _loosely_behind(
    block: bytes, after: re.Match[bytes], kind: NameKind, name: bytes
) -> list[Span]:
    """`password is x`, cells of a table, arguments of a function: only what looks like a secret is
    one.
    """
    if after["loose"] in (b",", b";"):
        return _next_cell(block, after.end(), kind)
    found = _value_at(block, after.end())
    if found is None:
        return []
    value = block[found.start : min(found.end, found.start + notation.LONGEST_ORDINARY)]
    if after["loose"] == b"(" and _IS_PASSWORD.search(name) and kind is NameKind.SECRET:
        is_quoted = found.start > after.end()
        is_found = looks_secret(value) or (is_quoted and is_pair_value(value))
    else:
        is_found = looks_secret(value)
    return [found] if is_found else []


def _next_cell(block: bytes, start: int, kind: NameKind) -> list[Span]:
    """The cell of a CSV row behind the cell that is the name."""
    cell = _CELL.match(block, start)
    is_found = cell and kind in (NameKind.SECRET, NameKind.PASS) and looks_random(cell[0])
    return [Span(*cell.span())] if cell and is_found else []


def _form_field(block: bytes, start: int, end: int, kind: NameKind) -> list[Span]:
    """The value of a field of multipart/form-data."""
    if not _FORM_FIELD.search(block[max(0, start - 16) : start]):
        return []
    value = _FORM_VALUE.match(block, end)
    if value is None or not is_secret(kind, value[0][:1024], prose=False):
        return []
    return [Span(*value.span())]


def _is_prose(block: bytes, first: int, at: int, start: int) -> bool:
    """Whether a mere word stands behind a blank, and the name is no option, no setting and not in a
    .netrc.
    """
    if not _WORD.match(block, start):
        return False
    rest = _NAME_REST.match(block, at)
    name = block[first : rest.end()] if rest else b""
    return not (
        name.startswith(b"-")
        or name in _SETTINGS
        or block[first:at].isupper()
        or block.find(b"login ", max(0, at - 100), at) >= 0
        or _ASSIGNMENT.search(block[max(0, first - 12) : first])
    )


def _name_start(block: bytes, at: int) -> int:
    left = block[max(0, at - _LONGEST_NAME) : at]
    start = at - (len(left) - len(left.rstrip(_NAME_BYTES)))
    in_front = block[start - 1 : start]
    if in_front in (b"\\", b"%"):
        return _behind_escape(block, start, at)
    if in_front in (b"[", b";"):
        return _behind_colour(block, start, at)
    return start


def _behind_colour(block: bytes, start: int, at: int) -> int:
    """In an escape such as `ESC[1;32mpassword` the digits and the `m` are no part of the name."""
    for colour in _COLOUR.finditer(block, max(0, start - 32), at):
        start = max(start, colour.end())
    return start


def _behind_escape(block: bytes, start: int, at: int) -> int:
    """In `\\npassword` the letter belongs to the escape, and so do the digits of `%26password`."""
    escape = _ESCAPE_REST.match(block, start, at)
    return escape.end() if escape else start


def _kind(block: bytes, start: int, at: int, name: bytes) -> NameKind:
    """The kind of a name. `key`, `code` and `auth` alone are names of secrets at the head of a
    query parameter; `-D` and its like are no part of a name.
    """
    if block[at - 1 : at] in (b"?", b"&") and name in (b"key", b"code", b"auth"):
        return NameKind.CODE if name == b"code" else NameKind.SECRET
    kind = name_kind(name)
    if name[:1] == b"-" and name[1:2].isupper() and kind is not NameKind.SECRET:
        behind = name_kind(name[2:])
        return kind if behind is NameKind.PLAIN else behind
    return NameKind.PLAIN if block[max(0, start - 10) : start].endswith(_ABOUT_NAME) else kind


def _tag(block: bytes, start: int, at: int) -> re.Match[bytes] | None:
    """The rest of an XML tag, where the name is one's."""
    if notation.TAG_OPENS.search(block[max(0, start - 32) : start]):
        return notation.ELEMENT.match(block, at)
    if notation.NAME_ATTRIBUTE.search(block[max(0, start - 24) : start]):
        return notation.NAMED_ELEMENT.match(block, at)
    return None


def _element(block: bytes, start: int, kind: NameKind) -> list[Span]:
    text = notation.ELEMENT_TEXT.match(block, start)
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
    if _ATTRIBUTE.match(value):
        return []
    if kind in (NameKind.AUTHORIZATION, NameKind.COOKIE, NameKind.DIRECTORY) or not is_secret(
        kind, value, prose=False
    ):
        return []
    if is_option or looks_secret(value) or _is_setting(block, after, name):
        return [found]
    return [found] if _is_password_value(block, found, after, kind, name) else []


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


def _is_password_value(
    block: bytes, found: Span, after: re.Match[bytes], kind: NameKind, name: bytes
) -> bool:
    if kind is not NameKind.SECRET:
        return False
    value = block[found.start : found.end]
    has_digit = len(value) >= 6 and any(48 <= byte <= 57 for byte in value) and not value.isdigit()
    is_password = bool(_IS_PASSWORD.search(name))
    if has_digit and (is_password or len(after["blank"]) > 1):
        return True
    return is_password and block[found.start - 1 : found.start] in (b"'", b'"')


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
    if not _begins_plainly(block, start):
        if tag := notation.TYPE_TAG.match(block, start):
            start = tag.end()
        if (marked := _marked_value(block, start, after, kind, name)) is not None:
            return marked
        if scheme := _SCHEME_OF_HASH.match(block, start):
            start = scheme.end()
        if block[start : start + 1] in (b"\n", b"\r", b"\\") and kind is NameKind.SECRET:
            return _on_next_line(block, start, kind, name)
    close = _json_close(after)
    if close and notation.WORD_LITERAL.match(block, start):
        return []
    if close and (number := notation.NUMBER.match(block, start)):
        return _number(number, kind, close)
    if kind is NameKind.AUTHORIZATION:
        return credentials(block, start)
    if kind is NameKind.COOKIE:
        return cookies(block, start)
    return _bare(block, start, kind, prose=prose)


def _begins_plainly(block: bytes, start: int) -> bool:
    """Whether a bare value stands there for sure, without a quote, a bracket or a tag in front."""
    return block[start : start + 1].isalnum() and not (
        block[start + 1 : start + 2] in (b'"', b"'", b"(", b"{", b"[")
        or block[start + 2 : start + 3] in (b'"', b"'")
        or block[start : start + 1].isupper()
        or block.startswith((b"string(", b"datetime", b"bytes"), start)
    )


def _marked_value(
    block: bytes, start: int, after: re.Match[bytes], kind: NameKind, name: bytes
) -> list[Span] | None:
    """The value where a quote, a bracket or a wrapper opens it; None where nothing does."""
    if opening := notation.OPENING.match(block, start):
        if after["paired"]:
            return paired_value(block, opening, kind, after, name)
        return _quoted(block, opening, kind)
    first = block[start : start + 1]
    if first == b"[" and not block.startswith(_MARK, start):
        return list_items(block, start + 1, kind, _json_close(after))
    if first == b"{" and kind is NameKind.COOKIE:
        return cookie_members(block, start)
    if wrapper := notation.WRAPPER.match(block, start):
        return _bare(block, wrapper.end(), kind, prose=False)
    if first == b"{" and not (
        block.startswith(b"{{", start) or _SCHEME_OF_HASH.match(block, start)
    ):
        return _braced(block, start, kind)
    return [] if first == b"|" or _TEXT_BELOW.match(block, start) else None


def _braced(block: bytes, start: int, kind: NameKind) -> list[Span]:
    braced = _BRACED.match(block, start)
    if braced is None or kind is not NameKind.SECRET or not is_secret(kind, braced[1], prose=False):
        return []
    return [Span(*braced.span(1))]


def _json_close(after: re.Match[bytes]) -> bytes | None:
    """The quote behind a name of JSON or of a Python dictionary."""
    close: bytes | None = after["close"] if after["sign"] else None
    return close if close and close[-1:] in b"\"'" else None


def _quoted(block: bytes, opening: re.Match[bytes], kind: NameKind) -> list[Span]:
    spans: list[Span] = []
    found: re.Match[bytes] | None = opening
    while found:
        start = found.end()
        end = quoted_end(block, start, found["quote"])
        value = block[start : min(end, start + 2048)]
        is_value = is_cookie(value) if kind is NameKind.COOKIE else True
        if is_value and is_secret(kind, value, prose=False):
            spans.append(Span(start, end))
        behind = _NEW_VALUE.match(block, end + len(found["quote"]))
        found = notation.OPENING.match(block, behind.end()) if behind else None
    return spans


def _on_next_line(block: bytes, start: int, kind: NameKind, name: bytes) -> list[Span]:
    """A value by itself on the line below: of YAML, of PHP's var_dump, of a properties file."""
    match = _NEXT_LINE.match(block, start)
    if match is None:
        return []
    if match["quoted"]:
        opening = notation.OPENING.match(block, match.start("quoted"))
        end = quoted_end(block, opening.end(), opening["quote"]) if opening else start
        is_name = block[end + 1 : end + 2] in (b":", b"=") or block[end + 1 : end + 3] == b" :"
        return [] if opening is None or is_name else _quoted(block, opening, kind)
    value = match["bare"]
    is_value = looks_secret(value) or (_IS_PASSWORD.search(name) and is_pair_value(value))
    return [Span(*match.span("bare"))] if is_value else []


def _number(number: re.Match[bytes], kind: NameKind, close: bytes) -> list[Span]:
    """A number of JSON, which becomes a text so that JSON stays JSON."""
    if not is_secret(kind, number[0], prose=False):
        return []
    return [Span(number.start(), number.end(), close + _MARK + close)]


def _bare(block: bytes, start: int, kind: NameKind, *, prose: bool) -> list[Span]:
    found = _value_at(block, start)
    if found is None:
        return []
    is_long = found.end - found.start >= notation.LONGEST_ORDINARY
    # A bracket behind the value tells code from a secret.
    behind = block[found.end : found.end + 1]
    value = block[found.start : found.end] + (behind if behind in (b"(", b"[") else b"")
    if is_long or is_secret(kind, value, prose=prose):
        return [found]
    return []


def _value_at(block: bytes, start: int) -> Span | None:
    """A value, quoted or bare, without its quotes."""
    if opening := notation.OPENING.match(block, start):
        return Span(opening.end(), quoted_end(block, opening.end(), opening["quote"]))
    match = notation.BARE.match(block, start)
    return Span(start, match.end()) if match else None
