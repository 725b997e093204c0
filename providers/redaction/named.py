"""Secrets that stand behind a name which says so, in any notation: `password=x`, `"x-api-key":
"x"`, `<token>x</token>`, `--secret x`.
"""

from __future__ import annotations

import re
from typing import Final

from providers.patterns import lazy_pattern
from providers.redaction import notation
from providers.redaction.assigned import assigned_secrets
from providers.redaction.names import FOREIGN_NAMES, NameKind, name_kind
from providers.redaction.notation import Span
from providers.redaction.pairs import value_in_front
from providers.redaction.unsigned import (
    is_prose,
    loosely_joined_secret,
    secret_behind_blank,
    secret_in_sentence,
)
from providers.redaction.values import is_secret

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
    " auth\\ auth% auth> sid\\ sid% sid> pin\\ pin% pin> pw\\ pw% pw> sig\\ mfa_ unseal codeverifier auth_code authcode verification_code verificationcode pin_code pincode"
    " ?code= &code= code_verifier device_code requirepass masterauth"
)
NAME_HINTS: Final = tuple(_HINTS.split())
# `deployKey`, but no `monkey`. Found as they are.
EXACT_NAME_HINTS: Final = tuple(f"Key{sign}" for sign in "\"'=: \\<>%&[](),;|*\t")
FOREIGN_HINTS: Final = FOREIGN_NAMES
_NAME_BYTES: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-."
_LONGEST_NAME: Final = 64
_ESCAPE_REST: Final = lazy_pattern(
    rb"(?<=\\)(?:[nrtbf]|u00[0-9a-fA-F]{2}|x[0-9a-fA-F]{2})|(?<=%)(?:25){0,2}[0-9A-Fa-f]{2}"
)
_COLOUR: Final = lazy_pattern(notation.COLOUR)
# `checksum/secret` of Helm, `unexpected token` of a parser.
_ABOUT_NAME: Final = (b"checksum/", b"nexpected ")
# The name of a secret at Amazon: `arn:aws:secretsmanager:eu-west-1:123456789012:secret:kitchen`.
_RESOURCE: Final = lazy_pattern(rb"\d{12}:$")
_FOREIGN_NAME: Final = lazy_pattern(
    b"(?i:" + b"|".join(re.escape(name.encode()) for name in FOREIGN_NAMES) + b")"
)
# A name with its value, where the two show by themselves that it is no secret.
_ORDINARY_MEMBER: Final = lazy_pattern(
    rb"""(?x)
    (?P<name>[\w.-]{1,64}+)
    (?:
        (?P<member> "[ ]?:[ ]? (?: null | true | false | \d{1,4} | "[\w .-]{0,32}" ) [,}\]] | =[\w-]{0,32}[ ] | :[ ][\w-]{1,32}[ ] )
      | (?P<word> [ ] (?!(?:is|was|to|for|of|string|str|value|entered|provided|received|generated|supplied|given|used|changed|set|reset|updated|mismatch)[ ]) [a-z.]{1,32} [ ] )
    )?
    """
)  # fmt: skip
# The rest of a name, and a word or a number behind it that a doubtful name does not make a secret:
# `session opened`, `"session":12,`.
_REST_AND_ORDINARY: Final = lazy_pattern(
    rb"""(?x)
    (?P<rest>[\w.-]{0,64}+)
    (?P<ordinary> [ ](?!is|was|str)[a-z]{2,20}+(?=[ \n]|$) | "[ ]?:[ ]?\d{1,15}+(?=[ ]?[,}]) )?
    """
)
# The last bytes of `<`, `&lt;`, `\\u003c`, `%3C` and `<ns:`; and of an attribute in front of a name.
_TAG_ENDS: Final = (b"<", b";", b"c", b"C", b":")
_QUOTES: Final = (b'"', b"'")
_FORM_FIELD: Final = lazy_pattern(rb"""name=\\{0,16}["']?$""")
_FORM_VALUE: Final = lazy_pattern(rb"""[^\r\n\\"']{1,4096}+""")


def named_secrets(block: bytes, at: int) -> list[Span]:
    """The secrets behind the name that has one of NAME_HINTS at `at`."""
    if block[at] in b"?&.":
        at += 1
    start = _name_start(block, at)
    behind = _REST_AND_ORDINARY.match(block, at)
    assert behind
    name = block[start : behind.end("rest")]
    kind = _kind(block, start, at, name)
    if kind is NameKind.PLAIN or (behind["ordinary"] and kind is NameKind.DOUBTFUL):
        return []
    after = notation.after_name(block, at)
    if after and (after["sign"] or after["named"]):
        return assigned_secrets(block, after, kind, name)
    if after and after["blank"] and is_prose(block, start, at, after.end(), name):
        return secret_in_sentence(block, after.end("rest"), name)
    if tag := _tag(block, start, at):
        return _element(block, tag.end(), kind) or value_in_front(block, start, kind)
    if after is None:
        return value_in_front(block, start, kind) or secret_in_sentence(
            block, behind.end("rest"), name
        )
    return _without_sign(block, start, after, kind, name)


def _without_sign(
    block: bytes, start: int, after: re.Match[bytes], kind: NameKind, name: bytes
) -> list[Span]:
    if after["blank"]:
        return secret_behind_blank(block, after, kind, name) or secret_in_sentence(
            block, after.end("rest"), name
        )
    if after["loose"]:
        return loosely_joined_secret(block, after, kind, name)
    if after["body"]:
        return _form_field(block, start, after.end(), kind)
    return assigned_secrets(block, after, kind, name)


def foreign_named_secrets(block: bytes, at: int) -> list[Span]:
    """The secret behind a name in another language, such as `contraseña`."""
    found = _FOREIGN_NAME.match(block, at)
    if found is None:
        return []
    after = notation.AFTER_NAME.match(block, found.end())
    if after and not (after["blank"] or after["loose"] or after["body"]):
        return assigned_secrets(block, after, NameKind.SECRET, found[0])
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


def _form_field(block: bytes, start: int, end: int, kind: NameKind) -> list[Span]:
    """The value of a field of multipart/form-data."""
    if not _FORM_FIELD.search(block[max(0, start - 16) : start]):
        return []
    value = _FORM_VALUE.match(block, end)
    if value is None or not is_secret(kind, value[0][:1024], prose=False):
        return []
    return [Span(*value.span())]


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
    if name == b"secret" and _RESOURCE.search(block[max(0, start - 16) : start]):
        return NameKind.PLAIN
    return NameKind.PLAIN if block[max(0, start - 10) : start].endswith(_ABOUT_NAME) else kind


def _tag(block: bytes, start: int, at: int) -> re.Match[bytes] | None:
    """The rest of an XML tag, where the name is one's."""
    in_front = block[start - 1 : start]
    if in_front in _TAG_ENDS and notation.TAG_OPENS.search(block[max(0, start - 32) : start]):
        return notation.ELEMENT.match(block, at)
    if in_front in _QUOTES and notation.NAME_ATTRIBUTE.search(block[max(0, start - 24) : start]):
        return notation.NAMED_ELEMENT.match(block, at)
    return None


def _element(block: bytes, start: int, kind: NameKind) -> list[Span]:
    judged = notation.ELEMENT_TEXT.match(block, start, start + notation.LONGEST_ORDINARY)
    if judged is None or judged[0].startswith((b'"', b"'", b"\\")):
        return []
    if not is_secret(kind, judged[0].strip(), prose=False):
        return []
    text = notation.ELEMENT_TEXT.match(block, start)
    if text is None:
        return []
    end = text.end()
    if block[end : end + 1] in (b"\n", b"") and (quote := block.find(b'"', start, end)) >= 0:
        # Without the closing tag, the text ends with the string that the element is written in.
        end = start + len(block[start:quote].rstrip(b"\\"))
    return [Span(start, end)]
