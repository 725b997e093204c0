"""The value after a name without a sign: `--password x`, `password is x`, `token(x)`, cells of a
row. It is removed only if it looks like a secret, unless the name is an option or a setting.
"""

from __future__ import annotations

import re
from typing import Final

from providers.patterns import lazy_pattern
from providers.redaction import notation
from providers.redaction.config_lines import is_last_setting, is_netrc, is_set_line
from providers.redaction.credentials import cookies, credentials
from providers.redaction.lines import line_before
from providers.redaction.names import NameKind, name_kind, words
from providers.redaction.notation import Span, secret_value_at
from providers.redaction.pairs import is_pair_value
from providers.redaction.prose import is_prose_argument
from providers.redaction.values import (
    TEST_NAME,
    is_ordinary,
    is_passphrase,
    is_password_word,
    is_secret,
    is_version,
    looks_like_password,
    looks_random,
    looks_secret,
    looks_stated,
    may_be_secret,
)

_FOLLOWING: Final = (b"following ", b"following\t")
_ANNOUNCED: Final = lazy_pattern(
    rb"""(?:[ ][a-z]{1,20}+){1,12}:(?:[ ]{1,3}|[ ]?(?:\r?\n[ \t]{0,40}){1,2})(?P<value>[^\s"'\\]{6,256}+)"""
)
_TO: Final = lazy_pattern(rb"[ ]to:?[ ]{1,3}$")
_SET_BEFORE: Final = lazy_pattern(
    rb"(?i)\b(?:set|setting|change|changed|changing|reset|update|updated)[ ](?:(?:the|your|its)[ ])?$"
)
_SET_AFTER: Final = lazy_pattern(rb"[ ]{1,3}(?:set|changed|reset|updated)[ ]")
_CHANGE: Final = lazy_pattern(
    rb"[ ](?:was[ ]|has[ ]been[ ])?(?:changed|updated|rotated|reset|renamed)[ ]from[ ]"
    # Without a new value it is a place: `password changed from iPhone13`.
    rb"(?=[^\s]{1,256}[ ]to[ ])"
)
_TO_NEW: Final = lazy_pattern(rb"""(?:\\{0,8}["'`])?,?[ ]to[ ]""")
_HAS_DIGIT: Final = lazy_pattern(rb"\d")
_HAS_BLANK: Final = lazy_pattern(rb"\s")
_WORD: Final = lazy_pattern(rb"[A-Za-z]++[,.;:]?(?=\s|$)")
# Settings of Redis and LDAP, whose values follow without a sign.
_SETTINGS: Final = words("requirepass masterauth bindpw rootbindpw rootpw")
_SQL_FUNCTIONS: Final = words("PASSWORD OLD_PASSWORD")
_IS_PASSWORD: Final = lazy_pattern(rb"(?i)pass|pwd")
_LONGEST_CELL: Final = 64
_JOINS_CELLS: Final = (b"|", b"->", b"=>")
# After these, a name and a blank are followed by its value: in Clojure, shells, C and Dockerfiles.
_ASSIGNMENT: Final = lazy_pattern(
    rb"(?:(?:^|[\s({\[,]):|(?:\bsetx|\bsetenv|\bset[ ]-[a-zU]{1,3}|#define|\b(?:ENV|ARG))[ \t]{1,3})$"
)
# `proxy_set_header Cookie x` of nginx, `RequestHeader set Cookie x` of Apache, `:cookie "x"`.
_SETS_HEADER: Final = lazy_pattern(
    rb"(?i:(?:set|add)[_-]header|header[ \t]{1,3}(?:set|add|append|merge)|\(:|[{,]:)[ \t]{0,3}$"
)
# The next field, the next attribute, or the protocol after a path is not a value.
_ATTRIBUTE: Final = lazy_pattern(rb"[A-Za-z][\w:.-]{0,40}=(?=[^=\s])|[a-z_]{1,30}=$|HTTP/\d")
# The same without a value in the line. Base64 ends alike.
_EMPTY_ATTRIBUTE: Final = lazy_pattern(rb"[\w.:-]{1,40}=$")
# `git config app.password x`, `aws configure set aws_secret_access_key x`
_CONFIGURES: Final = lazy_pattern(
    rb"""(?x) \b (?:git|npm|yarn|pnpm|pip|aws|gcloud|az|rclone|heroku|firebase|conda|composer|poetry|bundle
    |gh|glab|helm|kubectl|oc|doctl|stripe|pulumi|snap|s3cmd|mc|dotnet|vault|consul|ngrok|wg)
    [ ] (?:[\w-]{1,20}[ ])? (?:config(?:ure)?|set)(?::\w{1,12})? [ ] [^\n|;]{0,100}? (?<=[ :./_-]) $"""
)
# The option that holds the value of the named setting: `reg add … /v Password /d x`,
# `aws ssm put-parameter --name /kitchen/password --value x`.
_VALUE_OPTION: Final = lazy_pattern(
    rb"""(?xi) (?:/t[ ]REG_\w{1,16}[ ]|--?type[ ]\w{1,20}[ ])? (?:--value|--string-value|--secret-string|/d|-Value|-SecretValue)(?:[ ]|=) (?=[^\s-]) """
)
_TOOL_OPTION: Final = lazy_pattern(rb"""\\?["']?[ ]?(?:-v|--body)[ =](?=[^\s-])""")
_WITH_TOOL_OPTION: Final = lazy_pattern(rb"\bgh[ ]secret[ ]set[ ]|\biscsiadm[ ]")
# The session of a connection in the logs of OpenSMTPD and of ZooKeeper.
_CONNECTION: Final = lazy_pattern(rb"(?:0x)?[0-9a-f]{16}:?$")
_OPTION: Final = lazy_pattern(rb"--?[a-z]{2,20}(?:-[a-z]{1,20}){0,4}$")
# The controls of PAM: `password [success=1 default=ignore] pam_unix.so`.
_CONTROLS: Final = lazy_pattern(rb"\[\w{1,20}=\w{1,20}[ \]]")
# `password "Private Key" "x"` of OpenVPN
_REALM: Final = lazy_pattern(
    rb"""\\{0,8}"(?:Auth|Private Key|HTTP Proxy|SOCKS Proxy)\\{0,8}"[ ](?=\\{0,8}")"""
)
_ASSIGNING: Final = (b"set", b"#define", b"ENV", b"ARG")
# `DefaultPassword    REG_SZ    x` of Windows
_REGISTRY_TYPE: Final = lazy_pattern(rb"REG_(?:EXPAND_|MULTI_)?SZ[ \t]{1,8}")
_CELL: Final = lazy_pattern(rb"""[^\s,;|"'()]{8,256}+""")


def is_prose(block: bytes, first: int, at: int, start: int, name: bytes) -> bool:
    """Whether an ordinary word follows a name and a blank, and the name is not an option, a
    setting, or part of a .netrc.
    """
    if not _WORD.match(block, start):
        return False
    return not (
        name.startswith(b"-")
        or _sets_header(block, first)
        or is_last_setting(block, first, start)
        or name in _SETTINGS
        or block[first:at].isupper()
        or block.find(b"login ", max(0, at - 100), at) >= 0
        or _is_assigned(block, first)
    )


def secret_in_sentence(block: bytes, end: int, name: bytes) -> list[Span]:
    """`password for ada: x`, `password was set to x`."""
    if name_kind(name) not in (NameKind.SECRET, NameKind.PASS):
        return []
    if change := _CHANGE.match(block, end):
        return _changed_values(block, change.end())
    phrase = notation.PHRASE.match(block, end)
    if phrase is None:
        return _in_following_line(block, end, name)
    is_password = bool(_IS_PASSWORD.search(name))
    # `password of ada = x`
    has_sign = phrase[0].rstrip(b" \t")[-1:] in (b":", b"=")

    start = end - len(name)
    is_set = bool(_TO.search(phrase[0])) and bool(
        _SET_BEFORE.search(block[max(0, start - 20) : start]) or _SET_AFTER.match(phrase[0])
    )

    def is_secret_value(value: bytes, quote: bytes) -> bool:
        value = value[:256]
        if is_set and quote and not _HAS_BLANK.search(value) and not is_ordinary(value):
            return True
        return looks_random(value) or (
            is_password
            and (
                looks_like_password(value.rstrip(b".!"))
                or (has_sign and _states_password(block, phrase.end(), value, quote))
            )
        )

    found = secret_value_at(block, phrase.end(), is_secret_value)
    return found or _in_following_line(block, end, name)


def _changed_values(block: bytes, start: int) -> list[Span]:
    """The old and the new value of `password changed from x to y`."""
    old = _stated_value(block, start)
    follows = _TO_NEW.match(block, old[0].end) if old else None
    return old + (_stated_value(block, follows.end()) if follows else [])


def _stated_value(block: bytes, start: int) -> list[Span]:
    return secret_value_at(block, start, lambda value, _: looks_stated(value))


def _in_following_line(block: bytes, end: int, name: bytes) -> list[Span]:
    """`Please use the following password to log in: x`"""
    start = end - len(name)
    if not block[max(0, start - 10) : start].endswith(_FOLLOWING):
        return []
    match = _ANNOUNCED.match(block, end)
    return [Span(*match.span("value"))] if match and looks_stated(match["value"]) else []


def loosely_joined_secret(
    block: bytes, after: re.Match[bytes], kind: NameKind, name: bytes
) -> list[Span]:
    """`password is x`, cells of a table, arguments of a function. The value is removed if it looks
    like a secret.
    """
    if after["loose"][:1] in (b",", b";"):
        start = after.end("rest") - len(name)
        if block[start - 1 : start] == b"(" and kind in (NameKind.COOKIE, NameKind.AUTHORIZATION):
            return _header_value(block, after.end(), kind)
        return _next_cell(block, after.end(), kind)
    if kind is NameKind.COOKIE:
        return cookies(block, after.end())
    if kind is NameKind.AUTHORIZATION and not notation.OPENING.match(block, after.end()):
        return credentials(block, after.end()) if after["loose"].strip() in (b"|", b"->") else []
    is_password_call = (
        after["loose"] == b"(" and kind is NameKind.SECRET and _IS_PASSWORD.search(name)
    )

    is_call = after["loose"] == b"(" and kind in (NameKind.SECRET, NameKind.PASS)
    is_function = is_call and name in _SQL_FUNCTIONS
    is_statement = kind is NameKind.SECRET and after["loose"][:1].isspace()
    states_word = is_statement and _IS_PASSWORD.search(name)
    is_cell = kind is NameKind.SECRET and after["loose"].strip() in _JOINS_CELLS

    def is_secret_value(value: bytes, quote: bytes) -> bool:
        value = value[: notation.LONGEST_ORDINARY]
        if looks_secret(value):
            return not (after["loose"] == b"|" and _ATTRIBUTE.match(value))
        if quote and is_call:
            return (
                (is_function and not is_ordinary(value))
                or bool(is_password_call and is_pair_value(value))
                or looks_like_password(value)
            )
        if is_cell and len(value) <= _LONGEST_CELL and _is_cell_value(value):
            return True
        if states_word:
            return _states_password(block, after.end(), value, quote)
        return is_statement and looks_like_password(value.rstrip(b".!"))

    return secret_value_at(block, after.end(), is_secret_value)


def _is_cell_value(value: bytes) -> bool:
    return bool(_HAS_DIGIT.search(value)) and is_pair_value(value)


def _states_password(block: bytes, start: int, value: bytes, quote: bytes) -> bool:
    """Whether a value after `password is` is the password itself: a word with digits, or a word
    that ends the sentence and is not a description.
    """
    value = value.rstrip(b".!")
    if looks_like_password(value) or (quote and is_passphrase(value)):
        return True
    following = block[start + len(quote) + len(value) : start + len(quote) + len(value) + 2]
    ends = (
        not following
        or following[:1] in b"\r\n\"'"
        or following in (b".", b".\n", b"!\n", b"!", b".\r")
    )
    return ends and is_password_word(value)


def _next_cell(block: bytes, start: int, kind: NameKind) -> list[Span]:
    """The CSV cell after the cell with the name."""
    cell = _CELL.match(block, start)
    if (
        cell is None
        or kind not in (NameKind.SECRET, NameKind.PASS)
        or _ATTRIBUTE.match(cell[0])
        or _is_empty_attribute(cell[0])
    ):
        return []
    return [Span(*cell.span())] if looks_random(cell[0]) else []


def secret_behind_blank(
    block: bytes, after: re.Match[bytes], kind: NameKind, name: bytes
) -> list[Span]:
    """`--password x`, `password x` in a .netrc, columns of a table. Without a sign, a value has to
    look like a secret.
    """
    start = _behind_realm(block, after.end())
    is_option = name.startswith(b"-")
    if _sets_header(block, after.end("rest") - len(name)):
        return _header_value(block, start, kind)
    if kind in (NameKind.AUTHORIZATION, NameKind.COOKIE) or (
        kind is NameKind.DIRECTORY and not is_option
    ):
        return []
    if (is_option and block[start : start + 1] == b"-") or _CONTROLS.match(block, start):
        return []
    if name == b"set-credentials" and _is_assigned(block, after.end("rest") - len(name)):
        # `kubectl config set-credentials ada`: the name of an entry.
        return []
    if name == b"PASS" and TEST_NAME.match(block, start):
        return []

    def is_secret_value(value: bytes, quote: bytes) -> bool:
        if _is_of_another_kind(value, quote, name):
            return False
        if looks_secret(value) and kind in (NameKind.SECRET, NameKind.DOUBTFUL):
            return True
        if not is_secret(kind, value, prose=False) or (
            not quote and is_prose_argument(block, start, value)
        ):
            return False
        return (
            is_option
            or looks_secret(value)
            or _is_setting(block, after, name)
            or (kind is NameKind.SECRET and _is_password_value(block, value, quote, after, name))
        )

    return secret_value_at(block, start, is_secret_value)


def _behind_realm(block: bytes, start: int) -> int:
    realm = _REALM.match(block, start)
    return realm.end() if realm else start


def _is_empty_attribute(value: bytes) -> bool:
    """Whether a word is `EventTV=` rather than Base64."""
    return bool(_EMPTY_ATTRIBUTE.match(value)) and (len(value) < 12 or not looks_random(value))


def _is_of_another_kind(value: bytes, quote: bytes, name: bytes) -> bool:
    """Whether a word after a name and a blank is the next attribute or option, the version of a
    program, or the number of a connection.
    """
    is_option = name.startswith(b"-")
    if not (is_option and quote) and (_ATTRIBUTE.match(value) or _OPTION.match(value)):
        return True
    if _is_empty_attribute(value):
        return True
    if not is_option and name.lower().endswith(b"session") and _CONNECTION.match(value):
        return True
    return not is_option and is_version(value.strip(b"()"))


def _value_option_of_tool(block: bytes, start: int) -> re.Match[bytes] | None:
    """An option that holds a value with some commands, and something else with most."""
    option = _TOOL_OPTION.match(block, start)
    if option is None:
        return None
    front = line_before(block, start, 200)
    return option if _WITH_TOOL_OPTION.search(front) else None


def value_of_option(block: bytes, start: int, kind: NameKind) -> list[Span]:
    """The value after the option that holds it, as in `--name /kitchen/password --value x`, or after
    the type that the registry of Windows shows between a name and its value.
    """
    if kind is not NameKind.SECRET:
        return []
    front = (
        _REGISTRY_TYPE.match(block, start)
        or _VALUE_OPTION.match(block, start)
        or _value_option_of_tool(block, start)
    )
    if front is None:
        return []
    return secret_value_at(block, front.end(), lambda value, _: may_be_secret(value))


def _header_value(block: bytes, start: int, kind: NameKind) -> list[Span]:
    """The value of a header that a server is configured to set."""
    opening = notation.OPENING.match(block, start)
    if block.startswith(b"$", start):
        return []
    if not opening and kind is NameKind.COOKIE:
        return cookies(block, start)
    if not opening and kind is NameKind.AUTHORIZATION:
        return credentials(block, start)
    return secret_value_at(block, start, lambda value, _: is_secret(kind, value, prose=False))


def _is_setting(block: bytes, after: re.Match[bytes], name: bytes) -> bool:
    """Whether the name is certainly followed by its value: in a .netrc, a shell, a table of the
    environment.
    """
    start = after.end("rest") - len(name)
    return bool(
        name in _SETTINGS
        or (len(after["blank"]) > 1 and name.isupper() and b"_" in name)
        or is_netrc(block, after.start())
        or is_last_setting(block, start, after.end())
        or _is_assigned(block, start)
    )


def _is_password_value(
    block: bytes, value: bytes, quote: bytes, after: re.Match[bytes], name: bytes
) -> bool:
    has_digit = len(value) >= 6 and any(48 <= byte <= 57 for byte in value) and not value.isdigit()
    is_password = bool(_IS_PASSWORD.search(name))
    if has_digit and (is_password or len(after["blank"]) > 1):
        return True
    if is_password and looks_like_password(value.rstrip(b".")):
        return True
    return quote in (b"'", b'"') and (
        is_password or is_set_line(block, after.end("rest") - len(name))
    )


def _sets_header(block: bytes, first: int) -> bool:
    """Whether the words before a name set a header: `proxy_set_header`."""
    front = block[max(0, first - 24) : first]
    return (b"eader" in front or b":" in front) and bool(_SETS_HEADER.search(front))


def _is_assigned(block: bytes, first: int) -> bool:
    """Whether a name and a blank are followed by a value: in a shell, in C, in Clojure."""
    front = block[max(0, first - 12) : first]
    # This check is cheaper than the search, which few lines need.
    is_likely = front[-1:] == b":" or any(word in front for word in _ASSIGNING)
    if is_likely and _ASSIGNMENT.search(front):
        return True
    line = line_before(block, first, 128)
    return (b"config" in line or b" set " in line) and bool(_CONFIGURES.search(line))
