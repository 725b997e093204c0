"""Secrets that tools take as plain arguments (`cargo login x`, `mc alias set k https://x id x`), as
input of a shell (`<<< x`), or that protocols send without a name.
"""

from __future__ import annotations

import re
from typing import Final

from providers.patterns import lazy_pattern
from providers.redaction.arguments import argument, piped_value
from providers.redaction.lines import line_before
from providers.redaction.names import words
from providers.redaction.notation import Span
from providers.redaction.prose import is_prose_argument
from providers.redaction.values import (
    looks_random,
    looks_stated,
    may_be_secret,
)

TOOL_HINTS: Final = (
    "cargo login ",
    "nuget push ",
    "poetry config ",
    "mc alias set ",
    "mc config host add ",
    "virsh secret-set-value ",
    'key: "',
    "key: '",
    "##vso[task.setvariable ",
    "new value: ",
    "wifi.begin(",
    "composer config ",
    "bundle config ",
    "snyk auth ",
    "codecov ",
    "sapcontrol ",
    "+login ",
    "sv_setsteamaccount ",
    "set-initial-password ",
    "reset-admin-password ",
    "-setcookie ",
    'rcon: "rcon ',
    "client_send",
    "\tresp=",
    " env:",
    "set passwd ",
    "set password ",
    "set psksecret ",
    "option key ",
    "option wpakey ",
    "> auth ",
    '" *',
    "key1\tfull\t",
    "key2\tfull\t",
    "].key=",
    "/setcredentials ",
    "security add-",
    "signtool sign ",
    "kadmin ",
    "doctl ",
    "flyctl ",
    "sp_addlogin ",
    "sp_password ",
    "simple_bind",
    "ldap_bind(",
    "wordpress_logged_in_",
    "wordpress_sec_",
    "sonar.login=",
    "key content ",
    "totp seed",
    "otp seed",
    "login incorrect: [",
    "login ok: [",
    "login failed (",
    "login failed [",
    "ftp> user ",
    "radtest ",
    "db2 connect to ",
    ".logon ",
    "x-honeycomb-team",
    "password for the ",
    "::set-env name=",
    "com2sec ",
    "snmp_community",
    ".auth(",
    "acl setuser ",
    '="-u" a',
    '=\\"-u\\" a',
    "impacket-",
    "ldappasswd ",
    "net ads ",
    "net rpc ",
    "login attempt [",
    "using pw ",
    "with pw ",
    "token { ",
    "secret { ",
    "password { ",
    "| convertto-securestring",
    "<<< ",
    "<(echo ",
    "<(printf ",
    "password-command ",
    'send "',
    'send \\"',
    'send -- "',
    'send -- \\"',
)
# Matched with their letter case: a password prompt and a challenge of SMTP in Base64, and POP3.
EXACT_TOOL_HINTS: Final = ("334 UGFzc3dvcmQ6", "334 PD", "APOP ", "PASSWORD ")

_QUOTE: Final = rb"""\\{0,8}["']"""
# A name between a command and the password: no word of a sentence about the command.
_NAME: Final = (
    rb"(?!(?:failed|failure|error|is|are|was|has|not|the|took|in|for|with|by|after|at|exited|stopped"
    rb"|rotated|disabled|command|usage|ok|--)[:,;.]{0,2}[ ])\S{1,64}"
)
# Each pattern ends where the secret begins.
_ARGUMENTS: Final = lazy_pattern(
    rb"""(?xi)
    (?: cargo[ ]login[ ] (?:--?[a-z-]{1,20}[ ]){0,3} (?=[^\s<-]{8})
      | nuget[ ]push[ ] [^\s-][^\s]{0,200}\.s?nupkg[ ] (?=[^\s-]{8})
      | poetry[ ]config[ ] (?: pypi-token\.[\w.-]{1,64} | http-basic\.[\w.-]{1,64}[ ]\S{1,64} )[ ] (?=[^\s-])
      | mc[ ](?:alias[ ]set|config[ ]host[ ]add)[ ] NAME[ ]https?://\S{1,200}[ ]NAME[ ]
      | \#\#vso\[task\.setvariable[ ][^\]\n]{0,200}?issecret=true[^\]\n]{0,100}\]
      | virsh[ ]secret-set-value[ ] (?:--secret[ ])? (?=[\w-]{1,64}[ ])NAME[ ] (?:--base64[ ])? (?=[^\s-])
      | /setcredentials[ ] \S{1,64}[ ](?:server|proxy)[ ]\w{1,20}[ ]\S{1,64}[ ]
      | security[ ]add-(?:generic|internet)-password[ ] (?:[^\n|;]{0,200}?[ ])??-w[ ]
      | signtool[ ]sign[ ] (?:[^\n|;]{0,200}?[ ])??/p[ ]
      | kadmin[ ] (?:[^\n|;]{0,120}?[ ])??-w[ ]
      | (?:doctl|flyctl)[ ] (?:[^\n|;]{0,120}?[ ])??-t[ ] (?=[^\s-]{8})
      | sp_(?:addlogin|password)[ ] (?:@\w{1,20}[ ]?=[ ]?)? (?:N?'[^'\n]{0,128}'|null)[ ]?,[ ]? (?:@\w{1,20}[ ]?=[ ]?)? N? (?=')
      | (?:ldap_bind|simple_bind(?:_s)?)\([ ]? (?:\$?\w{1,40},[ ]?)? QUOTE[^"'\\\n]{0,256}QUOTE[ ]?,[ ]? (?=QUOTE)
      | radtest[ ] (?:-\w[ ]\S{1,20}[ ]){0,3} NAME[ ] (?=\S{4,128}[ ]\S)
      | db2[ ]connect[ ]to[ ]\S{1,64}[ ]user[ ]\S{1,64}[ ]using[ ]
      | \.logon[ ][^\s,]{1,100},
      | x-honeycomb-team QUOTE?[ ]?[:=][ ]? (?=QUOTE?[\w-]{8})
      | password[ ]for[ ]the[ ][\w.-]{1,40}[ ]user (?:[ ]\([^()\n]{0,120}\))? :(?:[ ]{1,4}|[ ]?\r?\n) (?=\S{6,128}[ ]?(?:["'\\]|\r?$|\r?\n))
      | (?-i:PASSWORD)[ ][\w.-]{1,40}[ ]=[ ] (?=[^\s"']{0,60}\d)
      | ftp>[ ]user[ ]NAME[ ] (?=\S{4})
      | ::set-env[ ]name=[\w-]{0,40}(?:token|secret|password|key|credential)[\w-]{0,20}::
      | com2sec[ ] NAME[ ]NAME[ ] (?!public\b|rotated\b)(?=\S)
      | snmp_community QUOTE?[ ]?[=:][ ]? (?=QUOTE?[\w.-]{4})
      | \.auth\([ ]?QUOTE(?!(?:realm|scheme|type|method|mode|provider|basic|bearer|digest)QUOTE)[^"'\\\n]{1,64}QUOTE[ ]?,[ ]? (?=QUOTE)
      | acl[ ]setuser[ ]\S{1,64}[ ] (?:\S{1,64}[ ]){0,6}?>
      | =\\{0,8}"-u\\{0,8}"[ ]a\d{1,3}=\\{0,8}"(?P<user>[^":\s\\]{1,64}):(?!(?P=user)\b|\d{1,6}\b)
      | impacket-\w{1,20}[ ] (?:\S{1,64}[ ]){0,4}?[\w.-]{1,64}/[\w.-]{1,64}:
      | ldappasswd[ ] (?:[^\n|;]{0,120}?[ ])??-[sa][ ]
      | net[ ](?:ads|rpc)[ ] (?:[^\n|;]{0,120}?[ ])??-U[ ]?[^\s%]{1,64}%
      | (?:using|with)[ ]pw[ ] (?=[^\s"']{0,60}\d)
      | (?:token|secret|password)[ ]\{[ ](?:value|data|secret|token|password|key):[ ] (?=QUOTE)
      | wordpress_(?:logged_in|sec)_[\w-]{1,64}=
      | (?:set-initial|reset-admin)-password[ ] (?:--[\w-]{1,30}(?:=\S{1,64})?[ ]){0,3} (?=[^\s-])
      | wifi\.begin\([ ]?QUOTE[^"'\\\n]{1,64}QUOTE[ ]?,[ ]? (?=QUOTE)
      | composer[ ]config[ ] (?:--?[a-z]{1,20}[ ]){0,3} http-basic\.[\w.-]{1,100}[ ]NAME[ ]
      | bundle[ ]config[ ] (?:(?:--?[a-z]{1,20}|set|local)[ ]){0,3} [\w.-]{1,100}[ ][\w.@-]{1,64}:
      | snyk[ ]auth[ ] (?=[\w-]{16})
      | codecov[ ] (?:[^\n|;]{0,120}?[ ])??-t[ ] (?=[\w-]{16})
      | sapcontrol[ ] (?:[^\n|;]{0,120}?[ ])??-user[ ]NAME[ ] (?=[^\s-])
      | \+login[ ]NAME[ ] (?=[^\s+-])
      | sv_setsteamaccount[ ] (?=\S{16})
      | key[12]\tfull\t
      | -setcookie[ ] (?=[^\s-])
      | rcon:[ ]"rcon[ ]\d{1,12}[ ]
      | client_send QUOTE?[ ]?[:=][ ]?QUOTE?[^"'^\n]{0,8}\^[^"'^\n]{1,64}\^
      | option[ ](?:wpa)?key[ ] (?=QUOTE)
      | \]\.key= (?=QUOTE)
      | sonar\.login= (?=[^\s"',;&]{0,40}\d)
      | key[ ]content[ ]{1,20}:[ ]
    )
    """.replace(b"QUOTE", _QUOTE).replace(b"NAME", _NAME)
)
# `key: "x"` of ESPHome, which is 32 bytes in Base64.
_ENCRYPTION_KEY: Final = lazy_pattern(
    rb"""(?i)(?<![\w.-])key: (?P<quote>["'])(?P<value>[A-Za-z0-9+/]{43}=)(?P=quote)"""
)
_SHARED_SECRET: Final = lazy_pattern(rb"""["']?[ ]\S{1,128}[ ]\d{1,5}[ ](?=\S{4})""")
_RANDOM_VALUE: Final = lazy_pattern(
    rb"""(?xi) (?:t?otp[ ]seed(?:[ ]is)?[ ]?[:=]?[ ]) (?P<value>[^\s"'\\,;&]{8,256}) """
)
_BASE32: Final = lazy_pattern(rb"(?=[A-Z]{0,24}[2-7])[A-Z2-7]{8,256}$|[A-Z2-7]{16,256}$")
# The user and the password that a RADIUS server prints: `Login incorrect: [ada/x] (from client …)`.
_RADIUS: Final = lazy_pattern(
    rb"""(?xi) login[ ](?:incorrect:|ok:|failed|attempt)[ ][(\[] (?!host/|(?-i:[A-Z]{2,20})/) [^\s/()\[\]<>"'\\]{1,128}/(?P<value>[^\s()\[\]<>"'\\]{4,128})[)\]][ ](?:\(from[ ]|failed|succeeded) """
)
# A string that a shell gives to a command that reads a password.
_INPUT: Final = lazy_pattern(
    rb"""<<<[ ]{1,3}(?:\\{0,8}["'])?(?:[\w.@-]{1,64}:)?(?P<value>[^\s"'\\|;$`]{4,512}(?:(?<=[A-Za-z0-9])(?:[ ][^\s"'\\|;$`]{1,64}){1,8}(?=["']))?)"""
)
_READS_PASSWORD: Final = lazy_pattern(
    rb"(?i)\A(?!.{0,200}\b(?:grep|jq|cut|awk|sed|read|wc|tr|psql|cout)\b)(?:.{0,200}?)(?:passw|-token\b|\blogin\b|\bauth\b|kinit|tarsnap|secret|credential|\bpass[ ]insert|luks|\bsu\b)"
)
_PRINTED: Final = lazy_pattern(
    rb"""(?x) (?:<\(|password-command[ ](?:\\{0,8}["'])?) (?:echo|printf)[ ] (?:-\w{1,3}[ ])? (?:\\{0,8}["'])? (?P<value>[^\s"'\\|;$`()]{6,512}) """
)
_NAMES_FILE: Final = lazy_pattern(rb"(?i)-(?:pass\w{0,12}|token|secret|key)(?:-file)?[ =]$")
# What a reset of Elasticsearch prints.
_NEW_VALUE: Final = lazy_pattern(rb"(?i)new value: (?P<value>[\w*+=-]{12,64})[ \r]*+(?:\n|$)")
_IS_RESET: Final = lazy_pattern(rb"(?i)password[^\n]{0,120}\n?[^\n]{0,40}$")
# `send "x\r"` of expect, after a prompt for a password.
_SENT: Final = lazy_pattern(
    rb"""(?i)send[ ](?:--[ ])?(?P<quote>\\{0,8}")(?P<value>[^\s"'\\$]{4,256})\\{1,8}[rn](?=\\{0,8}")"""
)
_PROMPT: Final = lazy_pattern(rb"(?i)passw|passphrase|\bpin\b")
# What the client answers on the next line, which may begin with a time and `C:` or `->`.
_ANSWER: Final = lazy_pattern(
    rb"""(?x) 334[ ][A-Za-z0-9+/=]{8,1024}+ [ ]? (?:\\{1,8}r)? (?:\r?\n|\\{1,8}n) (?:[^\n]{0,120}?[ ])?? (?P<value>[A-Za-z0-9+/]{4,1024}+={0,2}) (?=[ ]?(?:\r?\n|\r?$|[\\"'\x1b])) """
)
_DIGEST: Final = lazy_pattern(rb"APOP \S{1,128} (?P<value>[0-9a-f]{32})(?![0-9A-Za-z])")
_STRING_BEFORE: Final = lazy_pattern(
    rb"""(?P<quote>["'])(?P<value>[^"'\\\n$]{4,128})\\{0,8}(?P=quote)[ ]?$"""
)
# Dovecot's answer of a client, a variable of PowerShell, a login at the prompt of Redis.
_SHAPES: Final = lazy_pattern(
    rb"""(?xi)
    (?: \tresp=(?=[A-Za-z0-9+/]{8})
      | [ ]env:\w{0,40}(?:token|secret|passw(?:or)?d|pass|pwd|pw|key|credential)\w{0,20}[ ](?:-value[ ])?["']?
      | (?P<redis>)>[ ]auth[ ](?:[\w.-]{1,64}[ ])?
    ) (?P<value>[^\s"'\\]{4,512}) (?(redis)[ \r]*+(?:\n|$))
    """
)
_REDIS_PROMPT: Final = lazy_pattern(rb":\d{1,5}(?:\[\d{1,3}\])?$")
# "ada" l2tpd "x" * in the secrets of PPP.
_CHAP: Final = lazy_pattern(
    rb"""(?:^|[:]\s)\s{0,8}(?!(?:ORDER|GROUP|SELECT)\b)(?:"[^"\n]{1,64}"|[\w.@*-]{1,64})[ \t]{1,16}(?:"[^"\n]{0,64}"|[\w.*-]{1,64})[ \t]{1,16}"(?P<value>[^"\n]{4,128})$"""
)
_CHAP_ENDS: Final = lazy_pattern(rb'" \*[ \t\r]*+(?:\n|$)')
_SET: Final = lazy_pattern(
    rb"""(?i)set[ ](?:password|passwd|psksecret)[ ]["']?(?P<value>[^\s"'\\]{4,128})["']?[ \r]*+(?:\n|$)"""
)
_BEGINS_LINE: Final = lazy_pattern(rb"(?:^|[#>$][ ]?)[ \t]*+$")
_IN_SENTENCES: Final = words("again first before later here there instead twice command value")
_LONGEST_FRONT: Final = 200


def tool_secrets(block: bytes, at: int) -> list[Span]:
    """The secret of the command, the call or the line of a protocol whose fixed text is at `at`."""
    if block[at : at + 5].lower() == b"key: ":
        key = _ENCRYPTION_KEY.match(block, at)
        return _value(key) if key else []
    # Choosing by the first letter is much faster than trying all patterns.
    find = _BY_FIRST_LETTER.get(block[at : at + 1].lower())
    found = find(block, at) if find else []
    if found or (not block[at : at + 1].isalpha() and block[at : at + 1] not in b"/:=.-]+#"):
        return found
    match = _ARGUMENTS.match(block, at)
    spans = argument(block, match.end()) if match else []
    if match is None or not spans:
        return []
    if block[at : at + 3].lower() == b"mc ":
        # The access key is the word before the secret key.
        return [Span(block.rindex(b" ", at, match.end() - 1) + 1, match.end() - 1), *spans]
    if block.startswith(b"radtest", at) and (shared := _SHARED_SECRET.match(block, spans[0].end)):
        # `radtest ada x 10.0.0.1 0 x`: the server and the client share the last argument.
        return [*spans, *argument(block, shared.end())]
    return spans


def _stated(block: bytes, at: int) -> list[Span]:
    match = _RANDOM_VALUE.match(block, at)
    if match is None:
        return []
    return _value(match) if looks_random(match["value"]) or _BASE32.match(match["value"]) else []


def _of_login(block: bytes, at: int) -> list[Span]:
    match = _RADIUS.match(block, at)
    return _value(match) if match and may_be_secret(match["value"]) else []


def _of_protocol(block: bytes, at: int) -> list[Span]:
    match = _ANSWER.match(block, at) or _DIGEST.match(block, at)
    return _value(match) if match else []


def _of_shell(block: bytes, at: int) -> list[Span]:
    if match := _INPUT.match(block, at):
        return _value(match) if _is_read(block, at, _READS_PASSWORD, match["value"]) else []
    match = _PRINTED.match(block, at)
    if match is None:
        return []
    is_read = block[at : at + 1] in b"pP" or _is_read(block, at, _NAMES_FILE, match["value"])
    is_value = may_be_secret if is_read else looks_stated
    return _value(match) if is_value(match["value"]) else []


def _sent(block: bytes, at: int) -> list[Span]:
    match = _SENT.match(block, at)
    if match is None:
        return []
    is_password = looks_stated(match["value"]) or _is_read(block, at, _PROMPT, match["value"])
    return _value(match) if is_password else []


def _piped(block: bytes, at: int) -> list[Span]:
    """The string before `| ConvertTo-SecureString`."""
    return piped_value(_STRING_BEFORE, block, at, _LONGEST_FRONT)


def _is_read(block: bytes, at: int, reader: re.Pattern[bytes], value: bytes) -> bool:
    """Whether the text before `at` on the same line reads a password, and `value` can be one."""
    front = line_before(block, at, _LONGEST_FRONT)
    return bool(reader.search(front)) and may_be_secret(value)


def _value(match: re.Match[bytes]) -> list[Span]:
    return [Span(*match.span("value"))]


def _reset(block: bytes, at: int) -> list[Span]:
    """`New value: x` after `Password for the [ada] user successfully reset.`"""
    match = _NEW_VALUE.match(block, at)
    if match is None or not looks_random(match["value"]):
        return []
    front = block[max(0, at - _LONGEST_FRONT) : at]
    return _value(match) if _IS_RESET.search(front) else []


def _of_shape(block: bytes, at: int) -> list[Span]:
    """A value that only the form of its whole line shows."""
    front = line_before(block, at, _LONGEST_FRONT)
    if block.startswith(b'" *', at):
        chap = _CHAP.search(front)
        first = at - len(front)
        is_line = chap and _CHAP_ENDS.match(block, at)
        return [Span(first + chap.start("value"), at)] if chap and is_line else []
    match = _SHAPES.match(block, at)
    if match is None or not may_be_secret(match["value"]):
        return []
    if is_prose_argument(block, match.start("value"), match["value"]):
        return []
    is_redis = match.lastgroup != "redis" or _REDIS_PROMPT.search(front)
    return _value(match) if is_redis else []


def _set(block: bytes, at: int) -> list[Span]:
    """The only word after `set passwd` at the beginning of a line: a setting of a firewall."""
    match = _SET.match(block, at)
    if match is None:
        return _sent(block, at)
    front = line_before(block, at, _LONGEST_FRONT)
    value = match["value"]
    is_sentence = value.lower() in _IN_SENTENCES or is_prose_argument(block, match.start(), value)
    if is_sentence or not _BEGINS_LINE.search(front) or not may_be_secret(value):
        return []
    return _value(match)


_BY_FIRST_LETTER: Final = {
    b"\t": _of_shape,
    b" ": _of_shape,
    b">": _of_shape,
    b'"': _of_shape,
    b"<": _of_shell,
    b"p": _of_shell,
    b"|": _piped,
    b"3": _of_protocol,
    b"a": _of_protocol,
    b"s": _set,
    b"l": _of_login,
    b"n": _reset,
    b"o": _stated,
    b"t": _stated,
}
