"""Where the value after a name begins and ends, in every notation that logs use."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from providers.patterns import lazy_pattern
from providers.redaction.secret import MARK


class Span(NamedTuple):
    """A part of a block and what takes its place."""

    start: int
    end: int
    mark: bytes = MARK.encode()


# A colour escape of terminals, in text and in JSON.
COLOUR: Final = rb"(?:(?:\x1b|\\{1,4}(?:u001[bB]|x1[bB]|033|e)|\#033)\[[\d;]{0,20}m)"
BLANK: Final = rb"(?:[^\S\n]|\\t|\xc2\xa0|%(?:25){0,2}20|COLOUR)".replace(b"COLOUR", COLOUR)
# A quote in text, JSON, doubly escaped JSON, HTML, query strings and print. An even number of
# backslashes does not escape it, so that it ends a string there.
QUOTE: Final = (
    rb"""(?:(?:\\(?:\\\\){0,7})?["'`]|&(?:quot|apos);|&\#(?:3[49]|x2[27]);|%(?:25){0,2}2[27]"""
    rb"""|\\{1,4}(?:u00|x)2[27]|\xe2\x80[\x98-\x9f]|\xc2[\xab\xbb])"""
)
SIGN: Final = (
    rb"(?:=>|[:?+.]=|:{1,3}=|={1,3}|:{2,4}(?=[^\S\n])|:(?!:)|<-(?=[^\S\n]?[\"'])"
    rb"|%(?:25){0,2}3[DdAa]|\\{1,4}(?:u00|x)3[dDaA]|&\#(?:6[1]|58|x3[dDaA]);|\xef\xbc[\x9a\x9d])"
)
_LESS: Final = rb"(?:<|&lt;|\\{1,4}u003[cC]|%3[Cc])"
_MORE: Final = rb"(?:>|&gt;|\\{1,4}u003[eE]|%3[Ee])"
# {"field.name":"password","field.value":"x"}
_DOTTED_KEY: Final = rb"[\w-]{1,40}(?:\.[\w-]{1,40}){0,3}\.value"
_VALUE_KEY: Final = (
    rb"(?:(?:string|parameter|new|old)?[_-]?value|val|v|s|\#text|_text|content|data|plain(?:text)?"
    rb"|raw|string|text|bytes|default|DOTTED)"
).replace(b"DOTTED", _DOTTED_KEY)
# {"github-oauth":{"github.com":"x"}}. Other dotted keys are fields: {"auth":{"trace.id":"x"}}.
_HOST: Final = (
    rb"[\w-]{1,40}(?:\.[\w-]{1,40}){0,3}"
    rb"\.(?:com|org|net|io|dev|app|cloud|de|eu|fr|nl|uk|jp|example|internal|intranet|local|corp|lan)"
)
# {"stringValue":"x"} and {"arrayValue":{"values":[{"stringValue":"x"}]}} of OpenTelemetry.
_WRAPPED: Final = rb"""(?:\[?\{"(?:string|array|bytes)Value"[ ]?:[ ]?|\{"values"[ ]?:[ ]?)"""

# What separates a name from its value. The longest separators are the blanks of tables.
AFTER_NAME: Final = lazy_pattern(
    rb"""(?xi)
    (?P<rest>[\w.-]{0,64}+)
    (?:
        # password[0]=x, "password": "x", user[password]=x, **password**: x
        (?: \[\d{0,6}\] )? (?:[:=](?=QUOTE[^\S\n]?:))? (?P<close>QUOTE|\*{1,2}(?=[^\S\n]{0,3}[:=])|</(?:b|em|strong|code|label|span|i)>(?=[^\S\n]?[:=]))? (?:\]|\)|%5[Dd])? (?:
            # password: str = "x"
            (?: (?:[^\S\n]{1,4}|:[^\S\n]?) (?:(?:&(?:'static[ ])?)?(?:string|str)|SecretStr(?:ing)?|(?:Option|Optional)[<\[]&?(?:string|str)[>\]]|str[ ]\|[ ]None) (?=[^\S\n]{0,4}=) )?
            BLANK{0,60}
            (?P<sign>SIGN) (?: \*{1,2}(?=[^\S\n]) )? BLANK{0,60}
            # {"S": "x"}: a value wrapped in an object
            (?P<wrapped> \{ \s{0,40} (?: \\{0,8}"\w{1,30}\\{0,8}" BLANK{0,8} : BLANK{0,8} (?:true|false|null|\d{1,20}|\\{0,8}"[^"\\\n]{0,40}\\{0,8}") \s{0,8} , \s{0,40} ){0,3} BLANK{0,8} QUOTE (?:VALUE_KEY|HOST) QUOTE BLANK{0,8} : BLANK{0,8} )?
          # "name":"x-api-key","value":"x", <add key="password" value="x">
          | (?P<named> (?: BLANK{0,8} , BLANK{0,8} "\w{1,30}" BLANK{0,8} : BLANK{0,8} (?:true|false|null|\d{1,20}|"[^"\\\n]{0,40}") ){0,3}?
              (?: ; s:\d{1,7}: (?=\\{0,16}") | BLANK{0,8} [,;]? (?:BLANK{0,8}|\r?\n[^\S\n]{0,40}) (?:QUOTE VALUE_KEY QUOTE|VALUE_KEY) BLANK{0,8} SIGN BLANK{0,8} WRAPPED{0,4}
                # "field":"password","old":"x","new":"x"; PHP's s:8:"password";s:1:"x"; argv[1]="--password" argv[2]="x"
                | BLANK{0,8} , BLANK{0,8} "(?:text|new|old|from|to|before|after)" BLANK{0,8} : BLANK{0,8} (?=")
                | [^\S\n] \w{1,20}\[\d{1,4}\]= (?=\\{0,16}["']) ) )
          # <input name="password" type="hidden" value="x">
          | (?P<attribute> (?<=["']) (?: [^\S\n]{1,3} [\w-]{1,20}=\\{0,8}["'][^"'<>\\\n]{0,60}\\{0,8}["'] ){1,4}? [^\S\n]{1,3} value= (?=\\{0,8}["']) )
          # variable "password" { default = "x" } of Terraform
          | (?P<block> (?<=["']) [ ] \{ \s{1,40} (?: [a-z_]{1,20} [ ]{0,20} = [^\n{}]{0,200} \n\s{0,40} ){0,4}? default [ ]{0,20} = [ ]{0,20} (?=["']) )
          # ("password", "x")
          | (?P<paired> BLANK{0,4} (?:[,;]|>>,|[^\S\n]\.) BLANK{0,4} (?:<<)? | \t | (?<=["']) [ ] ) (?=b?\\{0,16}["'`])
          # password is x; | password | x |; setPassword("x"); password,x
          | (?P<loose> [^\S\n]{1,8} (?:is|was|ist|lautet|->) :? [^\S\n]{1,4} | [^\S\n]{0,60} \| [^\S\n]{0,60} | \( (?![\s)]) | [,;][ ]? (?=\w) )
          # name="password", an empty line, x
          | (?P<body> (?: \r?\n | (?:\\{1,8}r)?\\{1,8}n ){2} )
        )
      | (?P<plist> LESS / [\w:]{1,20} MORE \s{0,40} LESS (?:string|value|data|td|dd)(?:[ ][^<>\n]{0,80})? MORE )
      # --password x
      | (?P<blank> (?:[^\S\n]|\\t|COLOUR){1,60} )
    )
    """.replace(b"QUOTE", QUOTE).replace(b"SIGN", SIGN).replace(b"BLANK", BLANK).replace(b"VALUE_KEY", _VALUE_KEY).replace(b"HOST", _HOST)
    .replace(b"MORE", _MORE).replace(b"WRAPPED", _WRAPPED).replace(b"LESS", _LESS).replace(b"COLOUR", COLOUR)
)  # fmt: skip

# The same for plain values after a blank, a sign or a comma, which is much faster. It excludes
# everything that AFTER_NAME would match in another way.
_PLAIN_AFTER_NAME: Final = lazy_pattern(
    rb"""(?x)
    (?P<rest>[\w.-]{0,64}+)
    (?: (?P<blank>[ ]) (?!(?:is|was|ist|lautet|str\w{0,3})[ \n]) (?=[A-Za-z0-9][\w.+/~-]{0,255}+(?:\n|[ ][\w("'\[]|$))
      | (?![:=]["'][^\S\n]?:) (?P<close>["'])? (?P<sign>[=:]) (?=[A-Za-z0-9"']) (?!str)
      | (?P<loose>,) (?=\w{1,256}+(?:[,;\n]|[ ]\w|$)) )
    (?P<wrapped>(?!))? (?P<named>(?!))? (?P<attribute>(?!))? (?P<block>(?!))? (?P<paired>(?!))? (?P<body>(?!))? (?P<plist>(?!))?
    """
)  # fmt: skip

# What separates a name from its value in a sentence.
PHRASE: Final = lazy_pattern(
    rb"""(?xi)
    (?: [^\S\n]{1,3} (?: (?:is|was|has[ ]been) [ ] (?=(?:generated|created|issued|assigned)[ ]for[ ]|(?:re)?set[ ]to[ ]|changed[ ]to[ ]) )?
      (?:value|entered|provided|received|generated|created|issued|assigned|supplied|given|used|changed|set|reset|updated|mismatch) )?
    (?: [^\S\n]{1,3} (?:for|of) (?:[^\S\n]{1,3}(?:user|account|login))? [^\S\n]{1,3} ["'(]? [\w.@\\/-]{1,40}+ ["')]?
      | [^\S\n] \( [\w.@-]{1,40}+ \) )?
    (?: [^\S\n]{0,3} [:=] [^\S\n]{1,3} | [^\S\n]{1,3} (?:is|was|to|will[ ]be) :? [^\S\n]{1,3}
      | [^\S\n]{1,3} (?: \.{3,60} [^\S\n]? :? | - | \xe2\x80[\x93\x94\xa2] | \xe2\x86\x92 ) [^\S\n]{1,3} )
    (?: (?:got|received|presented|expected) :? [^\S\n]{1,3} )?
    """
)  # fmt: skip

# A bare value ends at blanks and quotes. It ends at `&`, `,`, `;` and closing brackets, also
# percent-encoded, only if something else begins after them.
BARE: Final = lazy_pattern(
    rb"""(?x)
    (?:
        \[redacted\]
      | [^\s"'`&,;|<>\[\](){}\\%\x1b\xc2\xe2]++
      | %(?!(?:25){0,2}(?:2[0267Cc]|3[BbCcEe]|7[Dd]|0[AaDd]))
      | %(?:25){0,2}(?:2[06Cc]|3[Bb]) (?! [\w.-]{0,40}+(?:%(?:25){0,2}3[Dd]|=) | [{\[] | \s | $ | ["'])
      | [&,;|] (?! \\{0,16}["'{\[] | [\w.%-]{1,40} (?:\\{0,16}["'])? [=:] | \s | $ | (?:quot|apos|\#3[49]|\#x2[27]|gt|lt); )
      | \$\{[\w.:-]{1,64}\} | \{\{[^\S\n]?[\w.:-]{1,64}[^\S\n]?\}\} | <[\w-]{1,40}>(?=\s|$)
      | [\])}>] (?! [\s,;.&)\]}>"'`\\:\x1b] | $ )
      | [(\[{<] (?! \s | $ | / | \\{0,16}["'] | \\)
      | \\{1,16} (?! [\\nrtu"'`/\s] | x[123][bBdD27] | 033 | e\[ | $ )
      | \xe2 (?!\x80[\x98-\x9f]) | \xc2 (?![\xa0\xab\xbb])
      | (?<=[\w!$^*~@\#+]) ["'`] (?= [\w!$^*~@\#+]{2} )
    )++
    """
)
# The rest of the tags `<password type="text">` and `<entry key="password">`.
NAMED_ELEMENT: Final = lazy_pattern(
    rb"""[\w.-]{0,64}+\\{0,16}["'](?:[^\S\n][^<>\n]{0,120}?)?""" + _MORE + rb"(?:<!\[CDATA\[)?"
)
NAME_ATTRIBUTE: Final = lazy_pattern(rb"""(?i:name|key|id)=\\{0,16}["']$""")
ELEMENT: Final = lazy_pattern(
    rb"[\w.-]{0,64}+(?:[^\S\n][^<>\n]{0,120}?)?" + _MORE + rb"(?:<!\[CDATA\[)?"
)
TAG_OPENS: Final = lazy_pattern(rb"(?:" + _LESS + rb")(?:[\w-]{1,20}:)?$")
# <Password><Value>x</Value></Password>
INNER_ELEMENT: Final = lazy_pattern(_LESS + rb"(?i:value|string|text|plaintext|data)" + _MORE)
ELEMENT_TEXT: Final = lazy_pattern(rb"(?:(?!\]\]>|&lt;|\\{1,4}u003[cC]|%3[Cc])[^<\n])++")
# The text of an element on a line of its own: `<token>\n  x\n</token>`.
ELEMENT_LINE: Final = lazy_pattern(
    rb"[ \t\r]{0,8}\n[ \t]{0,100}(?P<text>[^<\s][^<\n]{0,4096}+)(?=\s{0,100}</|\s{0,8}\Z)"
)
# A list that is not closed ends with the string that contains it.
BRACKETED: Final = lazy_pattern(
    rb"""[^\]\n"']{1,8192}+(?=\])|(?:[^\]\n"'\\]|\\++(?!["'])|(?<!\\)"(?![ ]?[,:}\]])[^"\\\]\n]{0,4096}"|(?<!\\)'[^'\\\]\n]{0,4096}'|\\{1,16}"[^"\\\]\n]{0,4096}\\{1,16}"){1,8192}+(?=\])|[^\]\n"']{1,8192}"""
)
# A longer bare value is never an ordinary one. So names inside it are not looked at again.
LONGEST_ORDINARY: Final = 256
OPENING: Final = lazy_pattern(
    rb"""(?x)
    # b"x", Secret("x"), string(1) "x", Some "x", Secret { value: "x" }, <<"x">>
    (?:(?: [bBrRuUnN]{1,2} | @ | \$ | <<
         | string\(\d{1,7}\)[^\S\n] | (?:Just|Some|Ok)[^\S\n]
         | [A-Z]\w{0,30}[^\S\n]?\{[^\S\n]?(?:\w{1,20}:[^\S\n]?)?
         | [A-Za-z_.]{0,30}\( ) (?=\\{0,16}["']))?
    (?P<quote> \\{0,16}(?:"{3}|'{3}) | QUOTE )
    """.replace(b"QUOTE", QUOTE)
)
# Optional[x]
WRAPPER: Final = lazy_pattern(rb"(?:Optional|Some|Just|Ok|Secret(?:Str)?|Sensitive)[\[(](?=\w)")
# The quote closes the string that contains the name: `{"message":"Password:"}`.
CLOSED: Final = lazy_pattern(rb"[,}\]):](?:[\s,}\])\[{:\d.eE+-]|true|false|null)*+(?:$|[^\s\w])")
# What follows a quote that closes a JSON string instead of opening a value.
CLOSES_TEXT: Final = lazy_pattern(rb"[ ]?[:,}\]]")
MEMBER: Final = lazy_pattern(
    rb"""[^\n"{}]{0,40}\\{0,16}"[^\n"\\]{0,128}\\{0,16}"[^\S\n]{0,8}:[^\S\n]{0,8}(?=\\{0,16}")"""
)
WORD_LITERAL: Final = lazy_pattern(
    rb"(?:null|true|false|None|True|False|NaN|nil)(?=\s{0,40}[,}\]]|\s|$)"
)
LITERAL: Final = lazy_pattern(rb"(?:null|true|false|-?\d[\d.eE+-]{0,64})(?=\s{0,40}[,\]])")
ITEM_GAP: Final = lazy_pattern(rb"[\s]{0,40}(?:,[\s]{0,200})?")
NUMBER: Final = lazy_pattern(
    rb"-?\d{1,400}+(?:\.\d{1,400}+)?(?:[eE][+-]?\d{1,5})?(?=\s{0,40}[,}\]\n]|\s{0,40}$)"
)
# A type or an anchor of YAML.
TYPE_TAG: Final = lazy_pattern(rb"(?:!!?[\w:/.-]{1,40}|&[\w-]{1,40})[^\S\n]++")
# Closing quotes that differ from the opening one.
_CLOSING_QUOTES: Final = {
    b"\xe2\x80\x9c": b"\xe2\x80\x9d",
    b"\xe2\x80\x9e": b"\xe2\x80\x9c",
    b"\xe2\x80\x98": b"\xe2\x80\x99",
    b"\xc2\xab": b"\xc2\xbb",
}


def after_name(block: bytes, at: int) -> re.Match[bytes] | None:
    """What separates the name at `at` from its value, together with the rest of the name."""
    return _PLAIN_AFTER_NAME.match(block, at) or AFTER_NAME.match(block, at)


def is_value_of_name(block: bytes, start: int, after: re.Match[bytes]) -> bool:
    """Whether the member after the name that begins at `start` holds its value. In structured logs
    any member may be before `field.value`, so that a key has to announce the name.
    """
    if not after["named"] or not _HAS_DOTTED_KEY.search(after["named"]):
        return True
    return bool(_KEY_OF_NAME.search(block, max(0, start - _LONGEST_KEY), start))


def value_at(block: bytes, start: int) -> Span | None:
    """A value, quoted or bare, without its quotes."""
    return _value_before(block, start, len(block))


def secret_value_at(
    block: bytes, start: int, is_secret: Callable[[bytes, bytes], bool]
) -> list[Span]:
    """The value at `start` if `is_secret` accepts its beginning and its quote, which may be empty.

    Only then the rest of a long value is read, so that lines full of such values stay linear.
    """
    limit = start + LONGEST_ORDINARY
    beginning = _value_before(block, start, limit)
    if beginning is None:
        return []
    quote = block[start : beginning.start][-1:]
    value = block[beginning.start : beginning.end]
    if (quote and CLOSES_TEXT.match(value)) or not is_secret(value, quote):
        return []
    if beginning.end < limit:
        return [beginning]
    found = value_at(block, start)
    return [found] if found else []


def _value_before(block: bytes, start: int, limit: int) -> Span | None:
    if opening := OPENING.match(block, start):
        return Span(opening.end(), quoted_end(block, opening.end(), opening["quote"], limit))
    match = BARE.match(block, start, limit)
    return Span(start, match.end()) if match else None


def quoted_end(block: bytes, start: int, quote: bytes, limit: int | None = None) -> int:
    """The end of a quoted value that begins at `start`, after `quote`: the same quote after as many
    backslashes, the end of the line, or `limit`.
    """
    limit = len(block) if limit is None else max(start, min(limit, len(block)))
    if quote[-1:] not in b"\"'`" or (len(quote) > 1 and quote[-1:] == quote[-2:-1]):
        end = block.find(b"\n", start, limit)
        end = limit if end < 0 else end
        found = block.find(_CLOSING_QUOTES.get(quote, quote), start, end)
        return _end_of_text(block, start, end, quote) if found < 0 else found
    depth = len(quote) - 1
    if depth == 0:
        end = block.find(quote, start, limit)
        if end >= 0 and block.find(b"\\", start, end) < 0 and block.find(b"\n", start, end) < 0:
            if quote == b"'" and NEXT_TEXT.search(block, start, end):
                return _end_of_text(block, start, end, quote)
            return end
    for match in _QUOTES[quote[-1:]].finditer(block, start, limit):
        found = match.end() - 1
        backslashes = found - match.start()
        if block[found] == _NEWLINE:
            return _end_of_text(block, start, found, quote)
        if (escapes := _escapes_of_closing_quote(backslashes, depth)) is not None:
            end = found - escapes
            is_apart = quote[-1:] == b"'" and NEXT_TEXT.search(block, start, end)
            return _end_of_text(block, start, end, quote) if is_apart else end
    return _end_of_text(block, start, limit, quote)


def _end_of_text(block: bytes, start: int, end: int, quote: bytes) -> int:
    """The end of a value that is not closed on its line: the end of the double-quoted string that
    contains it, or of the line.
    """
    if quote[-1:] == b'"':
        return end
    found = block.find(b'"', start, end)
    if found < 0:
        return end
    return start + len(block[start:found].rstrip(b"\\"))


def _escapes_of_closing_quote(backslashes: int, depth: int) -> int | None:
    """How many of the backslashes before a quote escape it, if it closes a value that was opened
    after `depth` of them, or a string around that value. The others are the end of the value.
    """
    escapes = 0
    while depth > 0 and backslashes % 2:
        backslashes = (backslashes - 1) // 2
        depth = (depth - 1) // 2
        escapes = 2 * escapes + 1
    return None if backslashes % 2 else escapes


_HAS_DOTTED_KEY: Final = lazy_pattern(rb"(?i)[\w-]\.value(?![\w.-])")
_KEY_OF_NAME: Final = lazy_pattern(
    rb"""(?xi)
    (?<![A-Za-z])(?:attribute|field|header|parameter|property|setting|variable)?(?:name|key|field)
    \\{0,16}["']?[ ]?[:=][ ]?\\{0,16}["']?$
    """
)
_LONGEST_KEY: Final = 48
# The boundary between two JSON strings, such as `","`.
NEXT_TEXT: Final = lazy_pattern(rb"""(?<!\\)"[ ]?[}\]]{0,8}[ ]?[,:][ ]?["\[{\d]""")
_NEWLINE: Final = ord("\n")
_QUOTES: Final = {
    quote: lazy_pattern(rb"(?<!\\)\\*+(?:" + quote + rb"|\n)") for quote in (b'"', b"'", b"`")
}
