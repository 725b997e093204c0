"""Secrets after a name that means a secret, in any notation: `password=x`, `"x-api-key": "x"`,
`<token>x</token>`, `--secret x`.
"""

from __future__ import annotations

import json
import re
from typing import Final

from providers.patterns import lazy_pattern
from providers.redaction import notation
from providers.redaction.assigned import assigned_secrets
from providers.redaction.lines import line_before
from providers.redaction.names import FOREIGN_NAMES, NameKind, name_kind
from providers.redaction.notation import Span, secret_value_at
from providers.redaction.pairs import value_before_name
from providers.redaction.unsigned import (
    is_prose,
    loosely_joined_secret,
    secret_behind_blank,
    secret_in_sentence,
    value_of_option,
)
from providers.redaction.values import is_secret, looks_stated

# Parts of the names of secrets, in lower case. Where one is found, the whole name is read and
# decides.
_HINTS: Final = (
    "pass pwd pw= pw: pw\" pw' bindpw rootpw secret token _key -key .key ?key= &key= apikey "
    "accesskey authkey privatekey accountkey"
    " sharedkey signingkey encryptionkey masterkey storagekey sshkey appkey clientkey licensekey "
    "vendorkey servicekey credential creds"
    ' cookie jwt otp mfa= mfa: mfa" mfa\' pin= pin: pin" pin\' puk= puk: puk" puk1 puk2 pin1= pin1: pin2= pin2: cvv cvc psk dsn connectionstring connection_string connection-string connection.string connstr '
    "session sess= sess: sess_ sessid sid= sid:"
    ' sid" sid\' _sid signature sig= sig" sig: authorization auth= auth: auth" auth\' _auth '
    "-auth x-auth authtoken assertion samlresponse ticket=  hmac csrf xsrf"
    " auth\\ auth% auth> sid\\ sid% sid> pin\\ pin% pin> pw\\ pw% pw> sig\\ mfa_ unseal codeverifier"
    " auth_code auth-code authcode verification_code verification-code verificationcode pin_code "
    "pincode recovery_code recovery-code recoverycode backup_code backup-code backupcode user_code "
    "code-verifier code.verifier -pw _pw mnemonic seed_phrase seedphrase recovery_phrase recoveryphrase magic= "
    "magic_link .dockerc"
    ' rlkey= resourcekey= crumb= crumb: crumb" mfacode mfa-code 2fa_code 2facode two_factor_code '
    "one_time_code onetimecode sms_code smscode login_code logincode sig%"
    " ?code= &code= code_verifier device_code activationcode activation_code requirepass masterauth"
)
NAME_HINTS: Final = tuple(_HINTS.split())
# `deployKey`, but not `monkey`: matched with the capital K only.
EXACT_NAME_HINTS: Final = tuple(f"Key{sign}" for sign in "\"'=: \\<>%&[](),;|*\t")
# The same as JSON escapes them: `contrase\\u00f1a`.
_JSON_NAMES: Final = tuple(json.dumps(name)[1:-1] for name in FOREIGN_NAMES if not name.isascii())
FOREIGN_HINTS: Final = (*FOREIGN_NAMES, *_JSON_NAMES)
_NAME_BYTES: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-."
_LONGEST_NAME: Final = 64
_ESCAPE_REST: Final = lazy_pattern(
    rb"(?<=\\)(?:[nrtbf]|u00[0-9a-fA-F]{2}|x[0-9a-fA-F]{2})|(?<=%)(?:25){0,2}[0-9A-Fa-f]{2}"
)
_COLOUR: Final = lazy_pattern(notation.COLOUR)
# `checksum/secret` of Helm, `unexpected token` of a parser.
_ABOUT_NAME: Final = (b"checksum/", b"nexpected ")
# In an Amazon resource name, `secret` is a type:
# `arn:aws:secretsmanager:eu-west-1:123456789012:secret:kitchen`.
_RESOURCE: Final = lazy_pattern(rb"\d{12}:$")
# The tag of an image, and one that is the beginning of a commit.
_TAG: Final = lazy_pattern(rb":[\w.-]{1,128}+")
_COMMIT_TAG: Final = lazy_pattern(rb":[0-9a-f]{1,12}+(?![\w.-])")
_MENTIONS_IMAGE: Final = lazy_pattern(
    rb"(?i)image|registry|docker|containerd|podman|\b(?:pull|push)(?:ing|ed)?\b"
)
_LONGEST_IMAGE: Final = 160
_NEVER_AN_IMAGE: Final = lazy_pattern(
    rb"(?i)(?:sess|session|sid|session[_-]?id|ticket|csrf|xsrf|csrf[_-]?token|nonce)$"
)
# In a log of sessions, their numbers are no cookies: those of Cowrie, and the calls of SIP.
_OF_LOG: Final = (b"cowrie", b"SecurityEvent=")
_CALL_ID: Final = lazy_pattern(
    rb"""[\\"':=]{1,8}[\w.-]{6,64}@\[?[\w.:-]{3,64}\]?(?=[\\"',;\s]|$)"""
)
_LONGEST_RECORD: Final = 512
# Jenkins makes its crumbs of a digest.
_JENKINS_CRUMB: Final = lazy_pattern(
    rb"""[\\"'\s:=]{1,16}(?=(?:[A-Za-z]{0,14}[0-9]){3})[0-9A-Za-z]{14}"""
)
# `mot de passe est x`, `contraseña es x`
_FOREIGN_IS: Final = lazy_pattern(rb"[ ](?:est|es|ist|is|jest|\xc3\xa9|\xc3\xa8)[ ]?:?[ ]")
_FOREIGN_NAME: Final = lazy_pattern(
    b"(?i:" + b"|".join(re.escape(name.encode()) for name in FOREIGN_HINTS) + b")"
)
# A name and a value that are known to be harmless wherever they occur.
_ORDINARY_MEMBER: Final = lazy_pattern(
    rb"""(?x)
    (?P<name>[\w.-]{1,64}+)
    (?:
        (?P<member> "[ ]?:[ ]? (?: null | true | false | \d{1,4} | "[\w .-]{0,32}" ) [,}\]] | =[\w-]{0,32}[ \n] | :[ ][\w-]{1,32}[ \n] )
      | (?P<word> [ ] (?!(?:is|was|to|for|of|string|str|value|entered|provided|received|generated|supplied|given|used|changed|set|reset|updated|mismatch)[ ]) [a-z.]{1,32} [ ] )
    )?
    """
)  # fmt: skip
# The rest of a name, and a word or number after it that is not the secret of a doubtful name:
# `session opened`, `"session":12,`.
_REST_AND_ORDINARY: Final = lazy_pattern(
    rb"""(?x)
    (?P<rest>[\w.-]{0,64}+)
    (?P<ordinary> [ ](?!is|was|str)[a-z]{2,20}+(?=[ \n]|$) | "[ ]?:[ ]?\d{1,15}+(?=[ ]?[,}])
      | (?:[:=][ ]?|[ ])(?:[\d._-]{1,40}+|0x[0-9a-f]{1,16}+)(?=[ \n]|$) )?
    """
)
# The last bytes of `<`, `&lt;`, `\\u003c`, `%3C` and `<ns:`; and the quote of an attribute, before
# a name.
_TAG_ENDS: Final = (b"<", b";", b"c", b"C", b":")
_QUOTES: Final = (b'"', b"'")
# A text of an element with a quote in it is read this far to find the closing tag.
_LONGEST_QUOTED_TEXT: Final = 1024
_NO_CLOSING_TAG: Final = lazy_pattern(rb"\n|\Z|<(?![\\/])")
_LONGEST_ELEMENT_LINE: Final = 4096
# The key of the keyboard that follows a link: `<a accesskey="n" href="…">`.
_KEYBOARD_KEY: Final = lazy_pattern(rb"""=\\{0,8}["'][^"'\\]\\{0,8}["']""")
_FORM_FIELD: Final = lazy_pattern(rb"""name=\\{0,16}["']?$""")
_FORM_VALUE: Final = lazy_pattern(rb"""[^\r\n\\"']{1,4096}+""")


# Sentences in which no secret follows the name, whatever kind it is: `password for ada from`,
# `session opened`. Most of what servers log about passwords is like this. The words are ordinary
# ones, without those that `notation.PHRASE` reads on from.
_HARMLESS_SENTENCE: Final = lazy_pattern(
    rb"""(?x)
    [\w.-]{0,64}+ [ ]
    (?: for[ ](?:invalid[ ]user[ ]|user[ ])?[\w.@-]{1,40}+[ ](?:from|by|via|on|at)(?=[ ])
      | (?: from|with|by|and|at|in|or|opened|closed|open|close|started|ended|terminated|established
          | expired|failed|failure|denied|granted|accepted|rejected|refused|invalid|valid|missing
          | required|not|never|found|deleted|sent|error|enabled|disabled|active|inactive )
        (?=[ \n]|$) )
    """
)
# Here the text before the name decides, too: `the following password to log in: x`, an element.
_DECIDES_BEFORE: Final = lazy_pattern(rb"ollowing|<|lt;|u003|%3")
_LONGEST_FRONT: Final = 80


def named_secrets(block: bytes, at: int) -> list[Span]:
    """The secrets after the name that contains one of NAME_HINTS at `at`."""
    if _HARMLESS_SENTENCE.match(block, at) and not _DECIDES_BEFORE.search(
        block, max(0, at - _LONGEST_FRONT), at
    ):
        return []
    if block[at] in b"?&.":
        at += 1
    start = _name_start(block, at)
    following = _REST_AND_ORDINARY.match(block, at)
    assert following
    name = block[start : following.end("rest")]
    kind = _kind(block, start, at, name)
    if kind is NameKind.PLAIN or (following["ordinary"] and kind is NameKind.DOUBTFUL):
        return []
    after = notation.after_name(block, at)
    if after and not notation.is_value_of_name(block, start, after):
        return []
    if after and (after["sign"] or after["named"] or after["attribute"] or after["block"]):
        return assigned_secrets(block, after, kind, name)
    if after and after["blank"] and is_prose(block, start, at, after.end(), name):
        return secret_in_sentence(block, after.end("rest"), name)
    if tag := _tag(block, start, at):
        return _element(block, tag.end(), kind) or value_before_name(block, start, kind)
    if after is None:
        return value_before_name(block, start, kind) or secret_in_sentence(
            block, following.end("rest"), name
        )
    return _without_sign(block, start, after, kind, name)


def _without_sign(
    block: bytes, start: int, after: re.Match[bytes], kind: NameKind, name: bytes
) -> list[Span]:
    if after["blank"]:
        return (
            value_of_option(block, after.end(), kind)
            or secret_behind_blank(block, after, kind, name)
            or secret_in_sentence(block, after.end("rest"), name)
        )
    if after["loose"]:
        found = loosely_joined_secret(block, after, kind, name)
        if found or after["loose"].strip().lower() not in (b"is", b"was"):
            return found
        return secret_in_sentence(block, after.end("rest"), name)
    if after["body"]:
        return _form_field(block, start, after.end(), kind)
    return assigned_secrets(block, after, kind, name)


def foreign_named_secrets(block: bytes, at: int) -> list[Span]:
    """The secret after a name in another language, such as `contraseña`."""
    found = _FOREIGN_NAME.match(block, at)
    if found is None:
        return []
    after = notation.AFTER_NAME.match(block, found.end())
    if after and not (after["blank"] or after["loose"] or after["body"]):
        return assigned_secrets(block, after, NameKind.SECRET, found[0])
    if verb := _FOREIGN_IS.match(block, found.end()):
        return secret_value_at(block, verb.end(), lambda value, _: looks_stated(value))
    if notation.TAG_OPENS.search(block[max(0, at - 32) : at]) and (
        tag := notation.ELEMENT.match(block, found.end())
    ):
        return _element(block, tag.end(), NameKind.SECRET)
    return []


def mentions_context(line: bytes) -> bool:
    """Whether a line contains words that make the value after a name and a blank a secret, even far
    away.
    """
    return any(word in line for word in (b"login", b"set", b"#define", b":", b"eader"))


def ordinary_text(block: bytes, at: int, *, has_context: bool) -> bytes | None:
    """The text around `at` if it holds no secret wherever it occurs: a name with the bytes around
    it, or a name and a value such as `null`.
    """
    at += block[at] in b"?&."
    start = _name_start(block, at)
    match = _ORDINARY_MEMBER.match(block, start)
    preceding = block[start - 1 : start]
    if (
        match is None
        or match.end("name") <= at
        or not preceding
        or preceding in _NAME_BYTES + b"\\%?&["
    ):
        return None
    kind = name_kind(match["name"])
    if kind is NameKind.PLAIN:
        following = block[match.end("name") : match.end("name") + 1]
        if not following or following in b"\t\r\n":
            return None
        return preceding + match["name"] + following
    may_be_ordinary = match["member"] or (match["word"] and not has_context)
    is_simple = match["word"] or kind in (NameKind.SECRET, NameKind.DOUBTFUL, NameKind.PASS)
    if may_be_ordinary and is_simple and not named_secrets(block, at):
        return preceding + match[0]
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
    preceding = block[start - 1 : start]
    if preceding in (b"\\", b"%"):
        return _after_escape(block, start, at)
    if preceding in (b"[", b";"):
        return _after_colour(block, start, at)
    return start


def _after_colour(block: bytes, start: int, at: int) -> int:
    """The digits and the `m` of an escape such as `ESC[1;32m` are not part of the name after it."""
    for colour in _COLOUR.finditer(block, max(0, start - 32), at):
        start = max(start, colour.end())
    return start


def _after_escape(block: bytes, start: int, at: int) -> int:
    """The `n` of `\\npassword` and the digits of `%26password` are not part of the name."""
    escape = _ESCAPE_REST.match(block, start, at)
    return escape.end() if escape else start


def _kind(block: bytes, start: int, at: int, name: bytes) -> NameKind:
    """The kind of a name. At the beginning of a query parameter, `key`, `code` and `auth` are names
    of secrets. `-D` and similar options are not part of a name.
    """
    if block[at - 1 : at] in (b"?", b"&") and name in (b"key", b"code", b"auth"):
        return NameKind.CODE if name == b"code" else NameKind.SECRET
    kind = name_kind(name)
    if name[:1] == b"-" and name[1:2].isupper() and kind is not NameKind.SECRET:
        following = name_kind(name[2:])
        return kind if following is NameKind.PLAIN else following
    if name.lower() == b"accesskey" and _KEYBOARD_KEY.match(block, start + len(name)):
        return NameKind.PLAIN
    if name == b"secret" and _RESOURCE.search(block[max(0, start - 16) : start]):
        return NameKind.PLAIN
    if kind is NameKind.DOUBTFUL and (
        _is_image(block, start, name)
        or _is_other_crumb(block, start, name)
        or _is_number_of_session(block, start, name)
    ):
        return NameKind.PLAIN
    return NameKind.PLAIN if block[max(0, start - 10) : start].endswith(_ABOUT_NAME) else kind


def _is_image(block: bytes, start: int, name: bytes) -> bool:
    """Whether a name is a part of an image, as in `kitchen/auth:5f2c8e0a1b3d`, and not of a key of
    a cache, as in `kitchen/session:5f2c8e0a1b3d`.
    """
    if block[start - 1 : start] != b"/" or _NEVER_AN_IMAGE.search(name):
        return False
    end = start + len(name)
    if _COMMIT_TAG.match(block, end):
        return True
    front = line_before(block, start, _LONGEST_IMAGE)
    return bool(_TAG.match(block, end) and _MENTIONS_IMAGE.search(front))


def _is_number_of_session(block: bytes, start: int, name: bytes) -> bool:
    """Whether a session is one of a log of sessions: `"session":"5f2c8e0a1b3d"` of Cowrie."""
    if not name.lower().endswith((b"session", b"sessionid")):
        return False
    if _CALL_ID.match(block, start + len(name)):
        return True
    front = line_before(block, start, _LONGEST_RECORD)
    rest = block[start : start + _LONGEST_RECORD].partition(b"\n")[0]
    return any(text in front or text in rest for text in _OF_LOG)


def _is_other_crumb(block: bytes, start: int, name: bytes) -> bool:
    """Whether `crumb` is a part of a path through pages rather than the token of Jenkins."""
    lower = name.lower()
    if not lower.endswith(b"crumb") or b"jenkins" in lower:
        return False
    return not _JENKINS_CRUMB.match(block, start + len(name))


def _tag(block: bytes, start: int, at: int) -> re.Match[bytes] | None:
    """The rest of the XML tag, if the name is the name of an element or an attribute."""
    preceding = block[start - 1 : start]
    if preceding in _TAG_ENDS and notation.TAG_OPENS.search(block[max(0, start - 32) : start]):
        return notation.ELEMENT.match(block, at)
    if preceding in _QUOTES and notation.NAME_ATTRIBUTE.search(block[max(0, start - 24) : start]):
        return notation.NAMED_ELEMENT.match(block, at)
    return None


def _element(block: bytes, start: int, kind: NameKind) -> list[Span]:
    if inner := notation.INNER_ELEMENT.match(block, start):
        start = inner.end()
    if line := notation.ELEMENT_LINE.match(block, start, start + _LONGEST_ELEMENT_LINE):
        text = line["text"].rstrip()
        first = line.start("text")
        return [Span(first, first + len(text))] if is_secret(kind, text, prose=False) else []
    beginning = notation.ELEMENT_TEXT.match(block, start, start + notation.LONGEST_ORDINARY)
    if beginning is None or beginning[0].startswith((b'"', b"'", b"\\")):
        return []
    if not is_secret(kind, beginning[0].strip(), prose=False):
        return []
    if beginning[0][:1] == b" " and block.find(b"</", start, start + _LONGEST_ELEMENT_LINE) < 0:
        # `curl -u <user:password> https://…` is no element.
        return []
    quote = block.find(b'"', start, start + _LONGEST_QUOTED_TEXT)
    if quote >= 0:
        text = notation.ELEMENT_TEXT.match(block, start, start + _LONGEST_QUOTED_TEXT)
        is_closed = text and not _NO_CLOSING_TAG.match(block, text.end())
        if (
            not is_closed
            or notation.NEXT_TEXT.search(block, start, text.end() if text else start)
            or (text and text.end() == start + _LONGEST_QUOTED_TEXT)
        ):
            # The closing tag is missing, so the value ends with the string that contains it.
            return [Span(start, start + len(block[start:quote].rstrip(b"\\")))]
    text = notation.ELEMENT_TEXT.match(block, start)
    return [Span(start, text.end())] if text else []
