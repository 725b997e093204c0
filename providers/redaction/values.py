"""Where the value behind a name begins and ends, in every notation that logs use, and which values
are no secrets.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from providers.redaction.names import NameKind, words
from providers.redaction.secret import MARK


class Span(NamedTuple):
    """A part of a block and what takes its place."""

    start: int
    end: int
    mark: bytes = MARK.encode()


_MARK: Final = MARK.encode()
BLANK: Final = rb"(?:[^\S\n]|\\t)"
# A quote as it stands in text, JSON, doubly escaped JSON, HTML, and a query string.
QUOTE: Final = rb"""(?:\\{0,16}["'`]|&quot;|&\#3[49];|%(?:25){0,2}2[27]|\\{1,4}u002[27])"""
SIGN: Final = rb"(?:=>|:{1,3}=|={1,3}|::(?=[^\S\n])|:(?!:)|%(?:25){0,2}3[DdAa]|\\{1,4}u003[dDaA])"
_LESS: Final = rb"(?:<|&lt;|\\{1,4}u003[cC]|%3[Cc])"
_MORE: Final = rb"(?:>|&gt;|\\{1,4}u003[eE]|%3[Ee])"
_VALUE_KEY: Final = (
    rb"(?:value|val|v|string[_-]?value|s|\#text|_text|content|data|plain(?:text)?|raw)"
)

# What stands between a name and its value. The longest that a log writes between the two is a table
# column.
AFTER_NAME: Final = re.compile(
    rb"""(?xi)
    (?P<rest>[\w.-]{0,64}+)
    (?:
        (?P<close>QUOTE)? (?:\]|\)|%5[Dd])? (?:
            # password: str = "x"
            (?: (?:[^\S\n]{1,4}|:[^\S\n]?) (?:string|str) (?=[^\S\n]{0,4}=) )?
            BLANK{0,60}
            (?P<sign>SIGN) BLANK{0,60}
            # {"S": "x"}: a value wrapped in an object
            (?P<wrapped> \{ BLANK{0,8} QUOTE VALUE_KEY QUOTE BLANK{0,8} : BLANK{0,8} )?
          # "name":"x-api-key","value":"x", <add key="password" value="x">
          | (?P<named> (?: BLANK{0,8} , BLANK{0,8} "\w{1,30}" BLANK{0,8} : BLANK{0,8} (?:true|false|null|\d{1,20}|"[^"\\\n]{0,40}") ){0,3}
              BLANK{0,8} [,;]? BLANK{0,8} QUOTE? VALUE_KEY QUOTE? BLANK{0,8} SIGN BLANK{0,8} )
          # ("password", "x")
          | (?P<paired> BLANK{0,4} , BLANK{0,4} ) (?=b?\\{0,16}["'`])
          # password is x; | password | x |; setPassword("x"); name="password"\r\n\r\nx
          | (?P<loose> [^\S\n]{1,8} (?:is|was|->) :? [^\S\n]{1,4} | [^\S\n]{0,60} \| [^\S\n]{0,60} | \( (?=\\{0,16}["'])
              | (?: (?:\\{1,8}r)? \\{1,8}n ){2} )
        )
      | (?P<plist> LESS / [\w:]{1,20} MORE BLANK{0,8} LESS (?:string|value|data) MORE )
      # --password x
      | (?P<blank> (?:[^\S\n]|\\t){1,60} )
    )
    """.replace(b"QUOTE", QUOTE).replace(b"SIGN", SIGN).replace(b"BLANK", BLANK).replace(b"VALUE_KEY", _VALUE_KEY)
    .replace(b"MORE", _MORE).replace(b"LESS", _LESS)
)  # fmt: skip

# A bare value ends at blanks and quotes; `&`, `,`, `;` and closing brackets end it only where
# something else begins behind them.
BARE: Final = re.compile(
    rb"""(?x)
    (?:
        \[redacted\]
      | [^\s"'`&,;|<>\[\](){}\\%]++
      | %(?!(?:25){0,2}(?:2[02267BbCc]|3[BbCcEe]|7[Dd]|0[AaDd]))
      | [&,;|] (?! \\{0,16}["'{\[] | [\w.%-]{1,40} (?:\\{0,16}["'])? [=:] | \s | $ | (?:quot|\#3[49]|gt|lt); )
      | \$\{[\w.:-]{1,64}\} | \{\{[^\S\n]?[\w.:-]{1,64}[^\S\n]?\}\} | <[\w-]{1,40}>(?=\s|$)
      | [\])}>] (?! [\s,;.&)\]}>"'`\\:] | $ )
      | [(\[{<] (?! \s | $ | /)
      | \\{1,16} (?! [\\nrtu"'`/\s] | $ )
      | (?<=[\w!$^*~@\#+]) ["'`] (?= [\w!$^*~@\#+]{2} )
    )++
    """
)
# <password type="text">x</password>; what follows the name in a tag.
# The rest of <entry key="password">x</entry>.
NAMED_ELEMENT: Final = re.compile(
    rb"""[\w.-]{0,64}+\\{0,16}["'](?:[^\S\n][^<>\n]{0,120}?)?""" + _MORE + rb"(?:<!\[CDATA\[)?"
)
NAME_ATTRIBUTE: Final = re.compile(rb"""(?:name|key|id)=\\{0,16}["']$""")
ELEMENT: Final = re.compile(
    rb"[\w.-]{0,64}+(?:[^\S\n][^<>\n]{0,120}?)?" + _MORE + rb"(?:<!\[CDATA\[)?"
)
TAG_OPENS: Final = re.compile(rb"(?:" + _LESS + rb")(?:[\w-]{1,20}:)?$")
ELEMENT_TEXT: Final = re.compile(rb"(?:(?!\]\]>|&lt;|\\{1,4}u003[cC]|%3[Cc])[^<\n])++")
BRACKETED: Final = re.compile(rb"[^\]\n]{1,8192}")
# A bare value that is longer is no ordinary one, whatever it holds. Names inside of it need not be
# looked at again and again.
LONGEST_ORDINARY: Final = 256
OPENING: Final = re.compile(
    rb"""(?:(?:[bBrRuU]{1,2}|@|\$|[A-Za-z_.]{1,30}\()(?=\\{0,16}["']))?(?P<quote>\\{0,16}(?:"{3}|'{3}|["'`])|&quot;|&\#3[49];|%(?:25){0,2}2[27]|\\{1,4}u002[27])"""
)
MEMBER: Final = re.compile(
    rb"""[^\n"{}]{0,40}\\{0,16}"[^\n"\\]{0,128}\\{0,16}"[^\S\n]{0,8}:[^\S\n]{0,8}(?=\\{0,16}")"""
)
WORD_LITERAL: Final = re.compile(
    rb"(?:null|true|false|None|True|False|NaN|nil)(?=\s{0,40}[,}\]]|\s|$)"
)
LITERAL: Final = re.compile(rb"(?:null|true|false|-?\d[\d.eE+-]{0,64})(?=\s{0,40}[,\]])")
ITEM_GAP: Final = re.compile(rb"[\s]{0,40}(?:,[\s]{0,200})?")
NUMBER: Final = re.compile(
    rb"-?\d{1,400}+(?:\.\d{1,400}+)?(?:[eE][+-]?\d{1,5})?(?=\s{0,40}[,}\]\n]|\s{0,40}$)"
)
TYPE_TAG: Final = re.compile(rb"!!?[\w:/.-]{1,40}[^\S\n]+")

# Ordinary words where a secret could stand: states, types, articles.
_ORDINARY: Final = words(
    "null none nil undefined true false yes no on off nan n/a na unset empty omitted masked "
    "redacted filtered removed expire expired expires"
    " expiry invalid valid missing required optional incorrect wrong bad mismatch malformed "
    "unknown unauthorized forbidden ok okay success"
    " successful succeeded failed failure fail error denied granted accepted rejected refused "
    "revoked rotated refreshed renewed changed"
    " updated created deleted generated issued reset set sent received found not never is was are "
    "were has have had must should can cannot"
    " could will would may be been to from for of in at by with without and or the a an this that "
    "it its you your please enable enabled"
    " disable disabled active inactive pending present absent used unused opened open closed "
    "close started ended terminated established"
    " string str int integer bool boolean bytes object array number any void include same-origin "
    "omit anonymous bearer basic too plain md5"
    " sha1 sha256 sha512 hmac rsa jwt oauth oauth2 saml ldap kerberos gssapi ntlm negotiate "
    "digest publickey keyboard-interactive"
    " token credentials authentication authorization authenticated unauthenticated authorized "
    "validation verification verified checking checked check skipped"
    " skipping using trying got expecting expected unexpected end eof (null) (none) (nil) \\N"
)
# Placeholders, paths of secret files, objects of Java; looked for only where _HAS_SIGN finds
# something.
_PLACEHOLDER: Final = re.compile(
    rb"""(?xi)
    (?:
        (?:[*\#x.?_-]|\xe2\x80\xa2){1,64}$
      | \$\{[^}]{0,200}\}?$ | \{\{[^}]{0,200}(?:\}\}?)?$ | \$\([^)]{0,200}\)?$ | %\(\w{1,40}\)s?$ | <[\w -]{1,40}>?$ | %[sdvq]$ | \$[A-Z_][A-Z0-9_]{0,64}$
      | \[(?:redacted|filtered|hidden|masked|removed)\]?$
      | \d{1,2}(?:\.\d{1,3}){2}$
      | (?-i:[a-z]{2,30}(?:-[a-z0-9]{1,10}){0,6}/[a-z]{2,30}(?:-[a-z0-9]{1,10}){0,6})$   # a thing of Kubernetes in its namespace
      | env:\w{1,64}$ | file:[/~.\w-]{1,200}$ | //
      | /(?:etc|run|var|home|usr|opt|tmp|mnt|root|srv|dev|proc|app|secrets)/[\w./-]{1,200}$
      | (?:[a-z][a-z0-9_]{0,40}\.){1,8}[A-Za-z][\w-]{0,60}[@{\[(:/]      # a class of Java and its object, a type of Kubernetes
      | [A-Za-z]{1,40}(?:\[|\{|@[0-9a-f]{3,16}$)                       # Token{, Token@1a2b
    )
    """
)
_HAS_SIGN: Final = re.compile(rb"^\d{1,2}\.|^[*#.?_$%<{\[/\\\xe2-]|[@{\[(:/\s]|^[xX]{1,64}$")
# A quoted value that begins like this is a sentence about a secret.
_STATEMENT: Final = re.compile(
    rb"(?i)(?:is|was|are|were|has|have|had|must|should|cannot|could|will|would|may|not|no|too|invalid|expired|missing|required|incorrect"
    rb"|wrong|unknown|failed|changed|please|your|enter|this field|field|does)\s{1,8}[a-z]"
)
_WORDS_ONLY: Final = re.compile(rb"[A-Za-z]{1,20}(?:[ _-][A-Za-z]{1,20}){0,8}$")
_SHORT_NUMBER: Final = re.compile(
    rb"[-+]?\d{1,5}(?:[.,:/]\d{1,5}){0,3}(?:ms|s|m|h|d|%|kb|mb|b)?$", re.IGNORECASE
)
_DIRECTORY: Final = re.compile(rb"(?:[/~.\\]|[A-Za-z]:[\\/]|%2[Ff])")
_NO_SECRET_SHAPE: Final = re.compile(
    rb"""(?x)
    (?: S-1-\d{1,10}(?:-\d{1,10}){0,16}                                         # a Windows security identifier
      | [a-z][a-z0-9+.-]{1,20}:/{1,3}[^\s]*+                      # an address; credentials in it are found by themselves
      | (?:[/~.]|[A-Za-z]:\\)[\w./\\~+-]*+                        # a path
      | \d{4}-\d\d-\d\d(?:[T ].{0,40})?                               # a date
      | \d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?(?:/\d{1,3})?                # an address of the internet protocol
      | v?\d{1,20}(?:[._-]\d{1,20}){1,5}(?:[.-]?[a-z]{1,10}\d{0,4})?           # a version
      | [\d.,:_/+-]++(?:[a-zA-Z%]{1,3})?                          # a number with its unit
      | 0x[0-9a-fA-F]{1,16}
      | [a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,8}\.[A-Za-z]{2,10}(?::\d{1,5})?   # a host or a file
      | [\w.+-]{1,64}@[\w.-]{1,255}                              # a mail address
      | [A-Za-z]{1,30}(?:\d{1,2}|[_.-]\d{1,4})                    # a name with a number
      | [a-z]{1,40}(?:[_-](?:[a-z]{1,20}|\d{1,4}|[a-z0-9]{5}|[a-f0-9]{8,10})){1,8}   # words with hyphens, as Kubernetes names things
    )$
    """
)
_CODE: Final = re.compile(rb"[A-Za-z0-9-]{4,}")
_SMALL_NUMBER: Final = re.compile(rb"\d{1,5}(?=[\s,;.)]|$)")
_HAS_BLANK: Final = re.compile(rb"\s")
_HAS_DIGIT: Final = re.compile(rb"\d")
_HAS_LETTER: Final = re.compile(rb"[A-Za-z]")
_HAS_SPECIAL: Final = re.compile(rb"[!@#$%^&*+=~?]")
# Behind this length a doubtful value is not looked at any further.
_LONGEST_DOUBTFUL: Final = 1024


def is_ordinary(value: bytes) -> bool:
    """Whether a value is an ordinary word, a placeholder, or a sentence about a secret."""
    if value.rstrip(b".,:;!?").lower() in _ORDINARY:
        return True
    return bool(_HAS_SIGN.search(value) and (_PLACEHOLDER.match(value) or _STATEMENT.match(value)))


def looks_secret(value: bytes, *, shortest: int = 6) -> bool:
    """Whether a value reads as nothing but a secret: no prose, no path, no number, no date, no
    name.
    """
    if len(value) < shortest or _HAS_BLANK.search(value):
        return False
    if is_ordinary(value) or _NO_SECRET_SHAPE.match(value):
        return False
    if not _HAS_LETTER.search(value):
        return len(value) >= 16 and not value.isdigit()
    if _HAS_DIGIT.search(value):
        return True
    if _HAS_SPECIAL.search(value):
        return len(value) >= 8
    return len(value) >= 20 and value != value.lower() and not _WORDS_ONLY.match(value)


def is_secret(kind: NameKind, value: bytes, *, prose: bool) -> bool:
    """Whether the value of a name of that kind is to be taken out. `prose`: a colon and a blank
    stand in front, as in a sentence.
    """
    if not value or value == _MARK or kind is NameKind.PLAIN:
        return False
    if kind is NameKind.DOUBTFUL:
        return looks_secret(value[:_LONGEST_DOUBTFUL])
    if kind is NameKind.CODE:
        return (
            bool(_CODE.match(value))
            and not is_ordinary(value)
            and bool(_HAS_DIGIT.search(value[:64]))
        )
    if is_ordinary(value):
        return False
    if kind is NameKind.PASS:
        return not _SHORT_NUMBER.match(value) and (
            not prose or looks_secret(value[:256], shortest=4)
        )
    if kind is NameKind.DIRECTORY:
        return not _DIRECTORY.match(value)
    return not (prose and _SMALL_NUMBER.match(value))


def quoted_end(block: bytes, start: int, quote: bytes) -> int:
    """Where a quoted value ends that begins at `start` behind `quote`: at the same quote, as deep
    in backslashes, or with the line.
    """
    if quote[-1:] not in b"\"'`" or (len(quote) > 1 and quote[-1:] == quote[-2:-1]):
        end = _line_end(block, start)
        found = block.find(quote, start, end)
        return end if found < 0 else found
    depth = len(quote) - 1
    for match in _QUOTES[quote[-1:]].finditer(block, start):
        found = match.end() - 1
        backslashes = found - match.start()
        if block[found] == _NEWLINE:
            return found
        if _closes(backslashes, depth):
            return found - min(depth, backslashes)
    return len(block)


def _closes(backslashes: int, depth: int) -> bool:
    """Whether a quote behind so many backslashes ends a value that was opened behind `depth` of
    them.
    """
    while depth > 0:
        if backslashes % 2 == 0:
            return True
        backslashes = (backslashes - 1) // 2
        depth = (depth - 1) // 2
    return backslashes % 2 == 0


def _line_end(block: bytes, start: int) -> int:
    end = block.find(b"\n", start)
    return len(block) if end < 0 else end


_NEWLINE: Final = ord("\n")
_QUOTES: Final = {
    quote: re.compile(rb"(?<!\\)\\*+(?:" + quote + rb"|\n)") for quote in (b'"', b"'", b"`")
}
