"""The value after a name and a sign: `password=x`, `"token": "x"`, `secret => ["x", "y"]`."""

from __future__ import annotations

import re
from typing import Final

from providers.patterns import lazy_pattern
from providers.redaction import notation
from providers.redaction.credentials import cookie_members, cookies, credentials, is_cookie
from providers.redaction.extents import whole_value
from providers.redaction.lines import line_before
from providers.redaction.names import NameKind
from providers.redaction.notation import Span, quoted_end, value_at
from providers.redaction.pairs import is_pair_value, list_items, paired_value
from providers.redaction.prose import WORDS_OF_SENTENCES
from providers.redaction.secret import MARK, MARK_BEGINS
from providers.redaction.values import (
    TEST_NAME,
    is_password_word,
    is_secret,
    looks_like_password,
    looks_random,
    looks_secret,
)

# {SSHA} of a password hash in a directory.
_SCHEME_OF_HASH: Final = lazy_pattern(rb"\{[A-Z0-9-]{3,12}\}")
# Only the values of these names are looked for on the line below.
_ON_NEXT_LINE: Final = frozenset(
    {NameKind.SECRET, NameKind.PASS, NameKind.COOKIE, NameKind.AUTHORIZATION}
)
_CREDENTIALS_BELOW: Final = lazy_pattern(rb"\\?\r?\n[ \t]{1,40}+(?:-[ ])?(?=[\w.~+/-])")
# A value that is alone on the line below its name.
_NEXT_LINE: Final = lazy_pattern(
    rb"""(?:\\?\r?\n|(?:\\{1,8}r)?\\{1,8}n)[ \t]{1,40}+(?:-[ ])?(?:(?P<quoted>(?:string\(\d{1,7}\)[ ])?(?:\\(?:\\\\){0,7})?["'])|(?P<bare>[^\s:=#\[{(<>"']{4,1024}+)(?=[ \t\r]*+(?:\n|$)))"""
)
# A value that is alone on its line.
_ALONE: Final = rb"""(?P<bare>[^\s:=#\[{(<>"']{8,256}+)(?=[ \t\r]*+(?:\n|$))"""
# Below a line that is nothing but the name, as a prompt shows it.
_ALONE_BELOW: Final = lazy_pattern(rb"\r?\n" + _ALONE)
# Below an empty line, as the first start of a server prints it.
_BELOW_EMPTY_LINE: Final = lazy_pattern(rb"(?:\r?\n[ \t]{0,40}){2}" + _ALONE)
# A name instead of a connection string: `dsn: default`.
_DATA_SOURCE: Final = lazy_pattern(
    rb"(?:default|primary|secondary|replica|main|local)(?=[\s\"',;)\\]|$)"
)
# Dovecot's id of a connection: `session=<Ax2Kp3oN+QwKAAAB>`.
_DOVECOT_SESSION: Final = lazy_pattern(rb"<[A-Za-z0-9+/]{8,24}>")
# The new value of `"old" -> "new"`, `"old":"x","new":"y"`.
_NEW_VALUE: Final = lazy_pattern(
    rb"""[^\S\n]{1,3}[-=]>[^\S\n]{1,3}(?=\\{0,8}["'])|,[ ]?"(?:new|to|after|new_?[vV]alue)"[ ]?:[ ]?(?=")"""
)
# The first line of a block scalar or a here document; `multiline` reads the lines below it.
_TEXT_BELOW: Final = lazy_pattern(
    rb"""(?:[|>][+-]?\d?[+-]?[^\S\n]*+(?:#[^\n]{0,200}+)?|<<[-~]?["']?\w{1,40}["']?[^\S\n]*+)(?=\n|$)"""
)
# env("SECRET") names a variable.
_READS: Final = lazy_pattern(
    rb"""(?i:[\w.]{0,20}?env(?:iron)?(?:\.?get)?|[\w.]{0,20}?var)[(\[]\\{0,8}["'][A-Z][A-Z0-9_]*+\\{0,8}["']"""
)
# What programs print in the place of a value: `(sensitive value)`, `(known after apply)`.
_REMARK: Final = lazy_pattern(
    rb"""(?xi)
    \( (?: (?:sensitive|ephemeral|hidden|secret|default)(?:[ ]value)? | known[ ]after[ ]apply | write-only[ ]attribute
      | none | null | nil | unset | empty | blank | unchanged | unknown | redacted | masked
      | (?:optional|required)(?:,[ ][\w ,-]{1,40})? | default[:=]?[ ](?:none|empty|null)
      | (?:[a-z]{3,9}[ ])?(?:from|in|by|via)[ ](?:the[ ])?(?:environment|env|vault|keyring|keychain|file|config|configuration|stdin|user)
      | not[ ](?:set|shown|displayed|provided|given|available|applicable|changed|configured|required|specified|stored|used|needed|found|logged)
      | (?:leave|left)[ ](?:empty|blank|unchanged)(?:[ ][\w-]{1,20}){0,6}
      | user[ ][\w.@-]{1,64} | uid[ =]\d{1,10} ) \)
    """
)
# Several words in brackets: `password: (sunny day)`.
_BRACKETED_WORDS: Final = lazy_pattern(
    rb"\((?P<words>[^\s()\"'\\<>]{1,64}(?:[ ][^\s()\"'\\<>]{1,64}){1,16})\)"
)
# Kubernetes names a Secret and its namespace: `secret=kitchen-tls namespace=kitchen`.
_NAMED_SECRET: Final = lazy_pattern(rb"(?P<name>[a-z0-9][a-z0-9.-]{0,62}),?[ ]namespace=")
# A command whose output is the value: `KEY=`vault read secret``. Passphrases are words with blanks
# as well, so the program has to be a path, to have an option, or to be one whose name is no word.
_COMMAND: Final = lazy_pattern(
    rb"""(?x)
    (?: (?:sudo[ ])? (?:aws|az|base64|bash|curl|docker|etcdctl|gcloud|gh|git|gopass|jq|kubectl|openssl|printenv|pwgen|python3?|sops|terraform
          |wget|yq|vault[ ](?:read|kv|token|print)|consul[ ]kv|doppler[ ]secrets|heroku[ ]config:get|op[ ](?:read|item)|pass[ ]show|cat[ ][./~$]\S{1,100}) (?=[ ]|$)
      | (?:\.{1,2}|~)?/[\w.-]{1,64}(?:/[\w.-]{1,64}){0,8} (?=[ ]|$)
      | [a-z][\w.-]{1,40}[ ](?:[\w./:-]{1,40}[ ]){0,4}?(?:-[A-Za-z]|--[a-z][a-z-]{1,30})(?=[ =]|$) )
    [^`\n]{0,200}$
    """
)
# Kubernetes on a volume: `"db-creds" : secret "db-creds" not found`.
_KUBERNETES_OBJECT: Final = lazy_pattern(rb"(?:secret|configmap|object|references)[ ]")
# `token = state.push("link_open")`: the first argument of a method is seldom the secret.
_METHOD: Final = lazy_pattern(
    rb"""[a-z_][\w.]{0,20}\.[a-z_]{1,20}\(\\{0,8}["'](?P<value>[^"'\\\n]{0,200})"""
)
_ATTRIBUTE: Final = lazy_pattern(rb"""(?x)
    (?: [a-z][a-z_.-]{0,40}\d? | [A-Z]{2,20}(?:_[A-Z]{1,20}){0,4} | [a-z]{0,20}(?:[A-Z][a-z]{1,20}){1,4} ) =(?:[^=\s&]|\t)
    | [A-Za-z_.-]{2,30}=\s
    """)
# A declaration with a type of text, whose value without quotes is code.
_DECLARED: Final = lazy_pattern(
    rb"(?i)(?:[^\S\n]{1,4}|:[^\S\n]?)(?:&|SecretStr|Option|str[ ]\|)[^\n=]{0,24}=[^\S\n]?$"
)
_DECLARED_TEXT: Final = lazy_pattern(rb"(?i):[^\S\n]?(?:&|Secret|Option|str)[^\n=]{0,28}=[^\S\n]?$")
_CALL_OF_CODE: Final = lazy_pattern(rb"[A-Za-z_][\w.]{0,60}\(")
_FIRST_WORD: Final = lazy_pattern(rb"[a-z]{2,20}+(?=[ ][a-z\d])")
# Members of a connection string before `Pwd=x`.
_CONNECTION: Final = (b"server=", b"host=", b"source=", b"uid=", b"user id=", b"user=", b"dsn=")
_UNTIL_SEMICOLON: Final = lazy_pattern(rb"[^\s;\"']{4,256}(?=;|[\s\"']|$)")
_VALUE_QUOTE: Final = lazy_pattern(rb"""(\\{0,16}["'])[ ]?:[ ]{0,8}$""")
# `auth: passwd-file(ada,192.0.2.7)` of Dovecot
_CALL: Final = lazy_pattern(rb"[A-Za-z][\w-]{1,40}\([\w.@+-]{1,128}[,)]")
# A type in code: `password: HiddenText | None`.
_OR_NONE: Final = lazy_pattern(rb"[ ]\|[ ](?:None|null|undefined)\b")
# ODBC's PWD={x}
_BRACED: Final = lazy_pattern(rb"""\{([^\s{}"'=:,]{4,200}+)\}""")
_IS_PASSWORD: Final = lazy_pattern(rb"(?i)pass|pwd")
# How many old and new values of a chain are read, and how many bytes of each decide.
_MOST_VALUES: Final = 8
_LONGEST_READ: Final = 512
_MARK: Final = MARK.encode()
_GO_LIST: Final = b"[]string{"


def assigned_secrets(
    block: bytes, after: re.Match[bytes], kind: NameKind, name: bytes
) -> list[Span]:
    """The secrets after the name and the sign that `AFTER_NAME` found."""
    start = after.end()
    sign = after["sign"] or b"="
    prose = sign == b":" and block[start - 1 : start] != b":" and not after["close"]
    prose = prose and name[-3:].lower() not in (b"cvv", b"cvc")
    if prose and name == b"PASS":
        if TEST_NAME.match(block, start):
            return []
        kind = NameKind.DOUBTFUL
    if not _begins_plainly(block, start):
        if tag := notation.TYPE_TAG.match(block, start):
            start = tag.end()
        if (marked := _marked_value(block, start, after, kind, name)) is not None:
            return marked
        if scheme := _SCHEME_OF_HASH.match(block, start):
            start = scheme.end()
        if block[start : start + 1] in (b"\n", b"\r", b"\\") and kind in _ON_NEXT_LINE:
            first = after.end("rest") - len(name)
            begins_line = first == 0 or block[first - 1 : first] == b"\n"
            return _on_next_line(block, start, kind, name, begins_line=begins_line)
    return _unmarked_value(block, start, after, kind, name, prose=prose)


def _unmarked_value(
    block: bytes,
    start: int,
    after: re.Match[bytes],
    kind: NameKind,
    name: bytes,
    *,
    prose: bool,
) -> list[Span]:
    """A word, a number, or credentials without quotes."""
    if _names_something_else(block, start, after, name):
        return []
    if close := _json_close(after):
        if notation.WORD_LITERAL.match(block, start):
            return []
        if number := notation.NUMBER.match(block, start):
            return _number(number, kind, close)
    if kind is NameKind.AUTHORIZATION:
        return credentials(block, start)
    if kind is NameKind.COOKIE:
        return cookies(block, start)
    if name == b"secret" and after["sign"] == b"=" and _is_kubernetes_name(block, start):
        return []
    if value := _of_connection_string(block, start, after, kind):
        return value
    found = _bare(block, start, kind, prose=prose)
    if found and _is_name_itself(block[found[0].start : found[0].end], name):
        return []
    return [whole_value(block, value, after, name) for value in found]


def _names_something_else(block: bytes, start: int, after: re.Match[bytes], name: bytes) -> bool:
    """Whether the value is an object, a data source, a connection, code, or a remark."""
    if after["sign"] == b":" and after["close"] and _KUBERNETES_OBJECT.match(block, start):
        return True
    if name.lower() == b"dsn" and _DATA_SOURCE.match(block, start):
        return True
    if name == b"session" and _DOVECOT_SESSION.match(block, start):
        return True
    if _is_next_attribute(block, start, after) or _is_code(block, start, after, name):
        return True
    call = _METHOD.match(block, start)
    if call and not (looks_secret(call["value"]) or looks_like_password(call["value"])):
        return True
    return bool(_READS.match(block, start) or _REMARK.match(block, start))


def _is_next_attribute(block: bytes, start: int, after: re.Match[bytes]) -> bool:
    """Whether a name without a value is followed by the next one: `password= user=ada`."""
    sign = after.end("sign")
    has_gap_after_sign_only = (
        after["sign"] == b"=" and start > sign == after.end("rest") + 1 and not after["close"]
    )
    if not has_gap_after_sign_only:
        return False
    word = _FIRST_WORD.match(block, start)
    # The `pw=` parameter of a sentence: `pw= took 0.25 ms`.
    return bool(_ATTRIBUTE.match(block, start) or (word and word[0] in WORDS_OF_SENTENCES))


def _is_code(block: bytes, start: int, after: re.Match[bytes], name: bytes) -> bool:
    """Whether a value without quotes is code: `token: str | None = bot_token`, `password: str =
    Field(default=None)`.
    """
    if name == b"SecretStr" and after["sign"] == b"=":
        return True
    declaration = block[after.end("rest") : after.end()]
    if _DECLARED_TEXT.match(declaration) and _CALL_OF_CODE.match(block, start):
        return True
    value = notation.BARE.match(block, start) if _DECLARED.match(declaration) else None
    return value is not None and not looks_random(value[0][: notation.LONGEST_ORDINARY])


def _of_connection_string(
    block: bytes, start: int, after: re.Match[bytes], kind: NameKind
) -> list[Span]:
    """`Pwd=euro{pium};` between other members, where braces are a part of the password."""
    if kind not in (NameKind.SECRET, NameKind.DIRECTORY) or after["sign"] != b"=":
        return []
    value = _UNTIL_SEMICOLON.match(block, start)
    if value is None or b"{" not in value[0][1:] or value[0][:1] in b"{$%":
        return []
    front = line_before(block, start, 256).lower()
    is_member = b";" in front and any(member in front for member in _CONNECTION)
    return [Span(*value.span())] if is_member else []


def _is_kubernetes_name(block: bytes, start: int) -> bool:
    named = _NAMED_SECRET.match(block, start)
    return named is not None and not looks_random(named["name"])


def _is_name_itself(value: bytes, name: bytes) -> bool:
    """Whether a value is the variable of the same name: `user_token=user_token` in code."""
    return b"_" in value[1:] and name.lower().endswith(value.lower())


def _begins_plainly(block: bytes, start: int) -> bool:
    """Whether the value has no quote, bracket or tag before it."""
    return block[start : start + 1].isalnum() and not (
        block[start + 1 : start + 2] in (b'"', b"'", b"(", b"{", b"[")
        or block[start + 2 : start + 3] in (b'"', b"'")
        or block[start : start + 1].isupper()
        or block.startswith((b"string(", b"datetime", b"bytes"), start)
    )


def _marked_value(
    block: bytes, start: int, after: re.Match[bytes], kind: NameKind, name: bytes
) -> list[Span] | None:
    """The value that a quote, a bracket or a wrapper opens; None if there is none of them."""
    if opening := notation.OPENING.match(block, start):
        if after["paired"]:
            return paired_value(block, opening, kind, after, name)
        return _quoted(block, opening, kind)
    first = block[start : start + 1]
    if block.startswith(_GO_LIST, start):
        return list_items(block, start + len(_GO_LIST), kind, None)
    if first == b"[" and not block.startswith(MARK_BEGINS, start):
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
    if braced is None or not is_secret(kind, braced[1], prose=False):
        return []
    return [Span(*braced.span(1))]


def _json_close(after: re.Match[bytes]) -> bytes | None:
    """The quote that closes a name in JSON or in a Python dictionary."""
    if after["named"] and (quoted := _VALUE_QUOTE.search(after["named"])):
        # {"name":"password","value":123456}
        return bytes(quoted[1])
    close: bytes | None = after["close"] if after["sign"] else None
    return close if close and close[-1:] in b"\"'" else None


def _quoted(block: bytes, opening: re.Match[bytes], kind: NameKind) -> list[Span]:
    spans: list[Span] = []
    found: re.Match[bytes] | None = opening
    for _ in range(_MOST_VALUES):
        if found is None:
            break
        start = found.end()
        end = quoted_end(block, start, found["quote"], start + _LONGEST_READ)
        value = block[start:end]
        if notation.CLOSED.match(value):
            break
        is_value = is_cookie(value) if kind is NameKind.COOKIE else True
        if found[0] == b"`" and block[start - 2 : start - 1] == b"=" and _COMMAND.match(value):
            is_value = False
        if is_value and is_secret(kind, value, prose=False):
            if end == start + _LONGEST_READ:
                end = quoted_end(block, start, found["quote"])
            spans.append(Span(start, end))
        following = _NEW_VALUE.match(block, end + len(found["quote"]))
        found = notation.OPENING.match(block, following.end()) if following else None
    return spans


def _on_next_line(
    block: bytes, start: int, kind: NameKind, name: bytes, *, begins_line: bool
) -> list[Span]:
    """A value that is alone on the line below: in YAML, PHP's var_dump, properties files."""
    match = _NEXT_LINE.match(block, start)
    if kind in (NameKind.COOKIE, NameKind.AUTHORIZATION) and not (match and match["quoted"]):
        below = _CREDENTIALS_BELOW.match(block, start)
        find = cookies if kind is NameKind.COOKIE else credentials
        return find(block, below.end()) if below else []
    if match is None:
        below = _BELOW_EMPTY_LINE.match(block, start)
        if below is None and begins_line:
            below = _ALONE_BELOW.match(block, start)
        is_value = below and _IS_PASSWORD.search(name) and looks_random(below["bare"])
        return [Span(*below.span("bare"))] if below and is_value else []
    if match["quoted"]:
        opening = notation.OPENING.match(block, match.start("quoted"))
        end = quoted_end(block, opening.end(), opening["quote"]) if opening else start
        is_name = block[end + 1 : end + 2] in (b":", b"=") or block[end + 1 : end + 3] == b" :"
        return [] if opening is None or is_name else _quoted(block, opening, kind)
    value = match["bare"]
    is_value = looks_secret(value) or (
        _IS_PASSWORD.search(name) and (is_pair_value(value) or is_password_word(value))
    )
    return [Span(*match.span("bare"))] if is_value else []


def _number(number: re.Match[bytes], kind: NameKind, close: bytes) -> list[Span]:
    """A number in JSON, which is replaced by a string so that the line stays valid JSON."""
    if not is_secret(kind, number[0], prose=False):
        return []
    return [Span(number.start(), number.end(), close + _MARK + close)]


def _is_type(block: bytes, found: Span) -> bool:
    """Whether a value is a type in code, which has no digits."""
    value = block[found.start : found.end]
    return value.isalpha() and bool(_OR_NONE.match(block, found.end))


def _bare(block: bytes, start: int, kind: NameKind, *, prose: bool) -> list[Span]:
    if bracketed := _BRACKETED_WORDS.match(block, start):
        if block.startswith(b" =>", bracketed.end()):
            # A function in code.
            return []
        # Words in brackets after `pass:` are remarks, as of compilers and of test runs.
        is_value = is_secret(kind, bracketed["words"], prose=prose)
        return [Span(*bracketed.span())] if is_value else []
    found = value_at(block, start)
    if prose and kind is NameKind.DOUBTFUL and _CALL.match(block, start):
        return []
    if found is None or _is_type(block, found):
        return []
    is_long = found.end - found.start >= notation.LONGEST_ORDINARY
    # A bracket after the value means that it is code, not a secret.
    following = block[found.end : found.end + 2]
    is_code = following[:1] in (b"(", b"[") and following[1:] != b"\\"
    value = block[found.start : found.end] + (following[:1] if is_code else b"")
    if is_long or is_secret(kind, value, prose=prose):
        return [found]
    return []
