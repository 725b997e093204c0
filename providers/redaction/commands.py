"""Passwords in the arguments of commands (`curl -u ada:x`, `mysql -px`, `net user ada x /add`) and
in SQL statements.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from providers.patterns import lazy_pattern
from providers.redaction import notation
from providers.redaction.argument_lists import is_joined_password, joined_item, user_item
from providers.redaction.arguments import piped_value
from providers.redaction.identified import identified_secrets
from providers.redaction.lines import line_before
from providers.redaction.names import NameKind, name_kind
from providers.redaction.notation import OPENING, Span, quoted_end
from providers.redaction.prose import is_prose_argument
from providers.redaction.values import (
    is_secret,
    looks_like_password,
    looks_random,
    looks_secret,
    may_be_secret,
)

COMMAND_HINTS: Final = (
    " -u",
    " --user",
    " --proxy-user",
    " -p",
    "mysql",
    "mariadb",
    "sshpass",
    "redis-cli",
    "ldap",
    "smbclient",
    "rpcclient",
    "identified",
    "securestring",
    "pscredential",
    "networkcredential",
    "net user",
    "net use ",
    "net1 user",
    "chpasswd",
    "passwd --stdin",
    "saslpasswd2 ",
    "smbpasswd -s",
    "vncpasswd",
    "kinit ",
    "openconnect ",
    "cryptsetup ",
    "gpg --",
    "gh auth login ",
    "sudo -s",
    "htpasswd",
    "mosquitto_passwd",
    " -x ",
    "sqlplus",
    "sqlcmd",
    "--creds",
    " -passin",
    " -passout",
    "-hp",
    "snmp",
    "insert into",
    "insert ignore into",
    "replace into",
    "--password-stdin",
    "curl ",
    "openssl enc",
    "unseal ",
    "vault login ",
    "--from-literal=",
    "rabbitmqctl ",
    "ssh-keygen",
    "lftp ",
    "useradd ",
    "usermod ",
    "nsupdate ",
    "freerdp",
    "crypt(",
    "schtasks ",
    "::add-mask::",
    "::set-output name=",
    '"-u"',
    '"--user"',
    '"-p',
    '\\"-u\\"',
    '\\"--user\\"',
    '\\"-p',
    "-asplaintext ",
    " -a ",
    " --auth ",
)

_USER: Final = lazy_pattern(
    rb"""(?:^|[^\S\n]|["',\[])(?:-u|--user|--proxy-user|-U|-a|--auth)(?:[^\S\n]{1,3}|=|["'],[^\S\n]?)?(\\{0,4}["'])?(\{[^\s:"'\\{}]{1,128}\}(?:\\{0,4}["'])?|[^\s:"'\\<]{0,128}):"""
)
_EMPTY_PASSWORD: Final = lazy_pattern(rb"\s|$")
_CLOSED: Final = lazy_pattern(rb"\\{0,4}[\"'](?:\s|$)")
# Not `http-server`, `http://` or `http.server`.
_CURL: Final = lazy_pattern(
    rb"(?i)(?<![\w.-])(?:curl|wget|http|https|ftp|lftp|xh|etcdctl)(?:\.exe)?(?=[\s\"'\\]|$)"
)
# In a list of arguments of one of these, `-u` is followed by a user and a group.
_RUNS_AS_USER: Final = lazy_pattern(
    rb"(?<![\w.-])(?:docker|podman|nerdctl|buildah|crictl|ctr|kubectl|oc|gosu|su-exec|chown|setpriv|uwsgi|memcached)(?=[\s\"'\\])"
)
# What the line before ends with if a command continues on the next one.
_CONTINUES: Final = (b"\\", b"^", b"`", b",")
_HOST: Final = lazy_pattern(rb"(?:\d{1,3}(?:\.\d{1,3}){3}|localhost|\[.{0,40})$")
_CREATES: Final = lazy_pattern(
    rb"""(?:create|add|set)(?:[\s"',\\]{1,8}-\S{1,64}){0,4}[\s"',\\]{1,8}(?P<kind>secret|configmap|cm)\b"""
)
# Each pattern ends where the password begins.
_COMMANDS: Final = lazy_pattern(
    rb"""(?x)
    (?: (?:mysql\w{0,10}|mariadb(?:-\w{1,10})?) (?:[^\S\n][^\n|;]{0,200}?)?? [^\S\n] -p (?=[^\s-])
      | sshpass [^\S\n] (?:[^\n|;]{0,40}?[^\S\n])?? -p [^\S\n]?
      | redis-cli [^\S\n] (?:[^\n|;]{0,200}?[^\S\n])?? -a [^\S\n]{1,3}
      | ldap\w{1,10} [^\S\n] (?:[^\n|;]{0,200}?[^\S\n])?? -w [^\S\n]{1,3}
      | (?:smb|rpc)client [^\S\n] (?:[^\n|;]{0,200}?[^\S\n])?? -U [^\S\n]? [^\s%]{1,64} %
      | (?i:securestring) [^\S\n]{1,3} (?i:-asplaintext[^\S\n]{1,3}|-force[^\S\n]{1,3}){0,2} (?i:-string[^\S\n]{1,3})? (?=[^\s$-])
      | (?i:(?:ps|network)credential) (?:\]::new)? [^\S\n]? \( [^\S\n]? (?:\\{0,4}["']|\$) [^"',\n]{1,64} ["']? [^\S\n]? , [^\S\n]? (?=\\{0,4}["'])
      | (?i:net1?[ ]{1,3}user) [^\S\n]{1,3} (?:"[^"\n]{1,64}"|(?!(?i:failed|took|usage|in|for|stopped|ok|not|is)[:,]?[ ](?!\S{1,128}[ ]/)|--|\[|\d)[^\s"/]{1,64}) [^\S\n]{1,3} (?=[^\s/*])
      | (?i:net[ ]{1,3}use) [^\S\n]{1,3} (?:[a-zA-Z*]:?[^\S\n]{1,3})? \\\\[^\s]{1,200} [^\S\n]{1,3} (?=[^\s/*])
      | -(?i:asplaintext) [^\S\n]{1,3} (?:-(?i:force)[^\S\n]{1,3}) (?=\\{0,4}["'])
      | curl [^\S\n] (?:[^\n|;]{0,400}?[^\S\n])?? (?:-b|--cookie) [^\S\n]{0,3} (?=\\{0,4}["'][^"'=\n]{1,100}=)
      | curl [^\S\n] (?:[^\n|;]{0,400}?[^\S\n])?? --(?:oauth2-bearer|pass|proxy-pass|tlspassword) [^\S\n]{1,3}
      | openssl [^\S\n] enc [^\S\n] [^\n|;]{0,200}? (?<=[^\S\n])-[kK] [^\S\n]{1,3} (?=[^\s-])
      | unseal [^\S\n]{1,3} (?=[A-Za-z0-9+/]{20})
      | vault [^\S\n] login [^\S\n]{1,3} (?:-\S{1,40}[^\S\n]{1,3}){0,4} (?:token=)? (?=[^\s=-]{8}[^\s=]{0,200}(?:\s|$|["'\\]))
      | rabbitmqctl [^\S\n] (?:[^\n|;]{0,60}?[^\S\n])?? (?:add_user|change_password|authenticate_user) [^\S\n]{1,3} \S{1,64} [^\S\n]{1,3}
      | ssh-keygen [^\S\n] (?:[^\n|;]{0,200}?[^\S\n])?? -[NP] [^\S\n]{1,3} (?=[^\s-])
      | lftp [^\S\n] (?:[^\n|;]{0,100}?[^\S\n])?? (?:-u|--user) [^\S\n]{1,3} [^\s,"']{1,64} ,
      | user(?:add|mod) [^\S\n] (?:[^\n|;]{0,200}?[^\S\n])?? (?:-p|--password) [^\S\n]{1,3} (?=[^\s-])
      | nsupdate [^\S\n] (?:[^\n|;]{0,100}?[^\S\n])?? -y [^\S\n]{1,3} (?:[\w-]{1,20}:)? [\w.-]{1,100} :
      | freerdp [^\S\n] (?:[^\n|;]{0,200}?[^\S\n])?? /p:
      | crypt\( (?:[^\n();]{1,200},[ ]?)? (?='[^'\n]{4,128}'[ ]?(?:,[ ]?gen_salt|\)))
      | (?i:schtasks) [^\S\n] (?:[^\n|;]{0,300}?[^\S\n])?? /(?i:rp|p) [^\S\n]{1,3}
      | ::add-mask::
      | ::set-output [^\S\n] name= [\w-]{0,40}(?i:token|secret|password|key|credential)[\w-]{0,20} ::
      | \\{0,4}" (?:-u|--user|-U) \\{0,4}" [^\S\n]?,[^\S\n]? \\{0,4}" [^"\\\n]{1,64} \\{0,4}" [^\S\n]?,[^\S\n]? \\{0,4}" -(?:p|P|w|pw) \\{0,4}" [^\S\n]?,[^\S\n]? (?=\\{0,4}")
      | (?:htpasswd|mosquitto_passwd) [^\S\n]{1,3} (?:-\w{1,4}[^\S\n]{1,3}){0,3} -\w{0,3}b\w{0,3} [^\S\n]{1,3} [^\s-][^\s]{0,200} [^\S\n]{1,3} \S{1,64} [^\S\n]{1,3}
      | sqlplus [^\S\n]{1,3} (?:-\w[^\S\n]{1,3}){0,3} [\w.$\#]{1,64}/
      | sqlcmd [^\S\n] (?:[^\n|;]{0,200}?[^\S\n])?? -P [^\S\n]{0,3}
      | --creds (?:=|[^\S\n]{1,3}) [^\s:]{1,64} :
      | [ ]-pass(?:in|out) [^\S\n]{1,3} pass:
      | -hp (?=[^\s-])
      | snmp\w{2,10} [^\S\n] (?:[^\n|;]{0,120}?[^\S\n])?? -[AXc] [^\S\n]{1,3}
    )
    """
)  # fmt: skip
# `-p x`, `-P x`, `-pw x`, `-px` after a command, and what separates the option from the password.
_OPTION: Final = lazy_pattern(rb"[ ]-(?:pw?|P)(?P<gap>[^\S\n]{1,3}|=)?(?=[^\s-])")
_SPACED_OPTION: Final = lazy_pattern(
    rb"""(?i)\b(?:(?:docker|podman|oc|helm[ ]registry|az|skopeo|vault|cf|ibmcloud)[^\S\n]login|mongo\w{0,8}|psexec(?:\.exe)?|plink|pscp|putty|psftp|rdesktop|ipmitool|sqlcmd|bcp|zip|unzip|wbadmin|winrs|ncftp\w{0,4}|mosquitto_(?:pub|sub)|sshpass|clickhouse-client|influx|cqlsh|isql|impacket-\w{1,20}|evil-winrm|crackmapexec|racadm|rabbitmqadmin|netexec|nxc|hydra|xfreerdp|tsql|twine|certutil|smbmap|mycli|hdbsql|cypher-shell|conan[^\S\n]remote[^\S\n]login|dotnet[^\S\n]nuget|altool|security[^\S\n](?:unlock-keychain|create-keychain|import)|beeline)(?:\.exe)?[^\S\n]"""
)
# One of these is part of each of the commands above. A search for them is a cheap first check.
_COMMAND_WORDS: Final = tuple(
    b"login mongo psexec plink pscp putty psftp rdesktop ipmitool sqlcmd bcp zip wbadmin winrs ncftp "
    b"mosquitto_ sshpass clickhouse influx cqlsh isql impacket evil-winrm crackmapexec netexec nxc "
    b"hydra xfreerdp racadm rabbitmqadmin p4 osql 7z rar mysql tsql twine certutil smbmap mycli hdbsql cypher nuget altool keychain security beeline".split()
)
_JOINED_OPTION: Final = lazy_pattern(
    rb"\b(?:7z[ar]?|(?:un)?zip|unrar|rar|sshpass|mysql\w{0,10}|bcp|sqlcmd|isql|osql|tsql)(?:\.exe)?[^\S\n]"
)
# Of these, only `-P` is followed by a password, and `-p` by something else.
_UPPER_OPTION: Final = lazy_pattern(rb"(?:^|[\s\"'/])p4(?:\.exe)?[ ]")
_FROM_LITERAL: Final = lazy_pattern(rb"""--from-literal=\\{0,4}["']?[\w.-]{1,100}=(?=\S)""")
# How the programs begin that read a password from standard input.
_READ_PASSWORD: Final = (
    *(b"chpass", b"passwd", b"saslpa", b"smbpas", b"vncpas", b"kinit ", b"openco", b"crypts"),
    *(b"gpg --", b"gh aut", b"sudo -", b"--pass"),
)
_LONGEST_PIPED: Final = 300
_PIPED: Final = lazy_pattern(
    rb"""(?:echo|printf)[^\S\n]{1,3}(?:-\w{1,3}[^\S\n]{1,3})?(?:(?:\\{0,4}["'])?[\w.-]{1,64}:)?(?:'?%s(?:\\n)?'?[ ])?(?:\\{0,4}["'])?(?P<value>[^\s"'|\\)$;]{4,200})(?:\\{1,2}n(?P=value))?(?:\\{1,2}n)?\\{0,4}["']?(?:;[ ]?echo[ ](?:\\{0,4}["'])?(?P<again>(?P=value))\\{0,4}["']?\))?[^\S\n]{0,3}\|[^\S\n]{0,3}(?:sudo[^\S\n])?(?:[^\n|;]{0,120}login[^\n|;]{0,100}[^\S\n])?$"""
)
_ARGUMENT: Final = lazy_pattern(rb"(?:[^\s\"'\\]|\\(?!\\{0,8}[\"'])){1,512}")
# `sqlplus ada/x@//kitchen.example:1521/menu`
_BEFORE_HOST: Final = lazy_pattern(rb"[^\s@\"'\\]{1,128}")
_LONGEST_CHECKED: Final = 256
_LONGEST_COMMAND: Final = 1024

_COLUMNS: Final = lazy_pattern(
    rb"""(?ix) (?:insert|replace) (?:[ ]ignore)? [ ] into \s{1,3} [\w.$"`\[\]\\-]{1,130} \s{0,3} \( (?P<columns>[^()\n]{1,4096}) \) \s{0,3}
    (?:output\s[^()\n]{1,200}\s)? values \s{0,3} """
)  # fmt: skip
_ROW: Final = lazy_pattern(rb"\s{0,3},?\s{0,3}\(")
_CELL: Final = lazy_pattern(
    rb"""(?x) \s{0,3} (?: [NEnex]? (?: '(?P<single>(?:[^'\\\n]|''|\\.){0,4096}+)' | (?P<slashes>\\{1,8})(?P<quote>["'])(?P<escaped>[^"'\\\n]{0,4096}+)\\{1,8}(?P=quote)
      | "(?P<double>(?:[^"\\\n]|""|\\.){0,4096}+)" ) | [^,()'"\n]{0,200}(?:\([^()\n]{0,200}\))? ) \s{0,3} (?P<end>[,)]) """
)  # fmt: skip
_MOST_CELLS: Final = 4096


def command_secrets(block: bytes, at: int) -> list[Span]:
    """Passwords in the arguments of the command at `at`, or of the option there."""
    if block.startswith((b"insert", b"INSERT", b"Insert", b"replace", b"REPLACE"), at):
        return _inserted(block, at)
    if block[at : at + 3] in (b" -p", b" -P") and not block.startswith(b"ass", at + 3):
        return _password_option(block, at)
    first = block[at : at + 1]
    if block[at : at + 4] == b" -X ":
        return _privacy_argument(block, at)
    if first.isspace() and not block.startswith(b"-pass", at + 1):
        return _user_argument(block, at)
    if first in (b'"', b"\\"):
        return _item(block, at)
    if first in b"iI" and block[at : at + 10].lower() == b"identified":
        return identified_secrets(block, at)
    if first == b"-" and (literal := _FROM_LITERAL.match(block, at)):
        return _literal(block, at, literal.end())
    if block[at : at + 6].lower() in _READ_PASSWORD:
        # `echo ada:x | chpasswd`
        return piped_value(_PIPED, block, at, _LONGEST_PIPED)
    return _argument_of_command(block, at)


def _privacy_argument(block: bytes, at: int) -> list[Span]:
    """`-X x` of Net-SNMP, which other programs follow with a method."""
    front = line_before(block, at, _LONGEST_CHECKED)
    return _secret_argument(block, at + 4, may_be_secret) if b"snmp" in front else []


def _argument_of_command(block: bytes, at: int) -> list[Span]:
    match = _COMMANDS.match(block, at)
    if match and match[0].startswith(b"sqlplus"):
        password = _BEFORE_HOST.match(block, match.end())
        is_password = password and may_be_secret(password[0])
        return [Span(*password.span())] if password and is_password else []
    return _secret_argument(block, match.end(), may_be_secret) if match else []


def _item(block: bytes, at: int) -> list[Span]:
    """The password in the item of a list of arguments at `at`, or in the item after it."""
    if joined := joined_item(block, at):
        return _secret_argument(
            block,
            joined.start,
            lambda value: is_joined_password(joined, value) and may_be_secret(value),
            quote=joined.quote,
        )
    if item := user_item(block, at):
        return _user_password(block, at, item.start, item.user, item.quote, in_list=True)
    return _argument_of_command(block, at)


def _literal(block: bytes, at: int, start: int) -> list[Span]:
    """The value of `--from-literal`, which is a setting if it is for a ConfigMap."""
    command = _command_before(block, at, _LONGEST_COMMAND)
    is_setting = False
    # This check is cheaper than the search, which few commands need.
    if b"configmap" in command or b"cm" in command:
        *_, kind = [b"", *_CREATES.findall(command)]
        is_setting = kind in (b"configmap", b"cm")
    return _secret_argument(block, start, looks_random if is_setting else may_be_secret)


def _password_option(block: bytes, at: int) -> list[Span]:
    """`docker login -p x`, `7z -px`: what `-p` means depends on the command."""
    option = _OPTION.match(block, at)
    if option is None:
        return []
    preceding = line_before(block, at, 256) + b" "
    if not _names_command(preceding.lower()):
        return []
    commands = _SPACED_OPTION if option["gap"] else _JOINED_OPTION
    if block.startswith(b" -P ", at) and _UPPER_OPTION.search(preceding):
        return _secret_argument(block, option.end(), may_be_secret)

    def is_password(value: bytes) -> bool:
        # `unzip -pq` is two options.
        is_option = not option["gap"] and len(value) < 3
        is_secret = not (is_option or value.isdigit()) and may_be_secret(value)
        return is_secret and bool(commands.search(preceding))

    return _secret_argument(block, option.end(), is_password)


def _names_command(text: bytes) -> bool:
    """Whether a text probably contains one of the commands. This is much faster than matching them."""
    return any(word in text for word in _COMMAND_WORDS)


def _user_argument(block: bytes, at: int) -> list[Span]:
    match = _USER.match(block, at)
    if match is None:
        return []
    user = match[2]
    quote = None if user.endswith((b'"', b"'")) else match[1]
    if (_CLOSED if quote else _EMPTY_PASSWORD).match(block, match.end()):
        # Some services take the key as the name of the user, and no password.
        return [Span(*match.span(2))] if looks_secret(user) else []
    return _user_password(block, at, match.end(), user, quote, in_list=False)


def _user_password(
    block: bytes, at: int, start: int, user: bytes, quote: bytes | None, *, in_list: bool
) -> list[Span]:
    """The password after `-u ada:`, unless it is a group, or a port after a host."""

    def is_password(value: bytes) -> bool:
        if not may_be_secret(value):
            return False
        if value.isdigit() and (user.isdigit() or _HOST.match(user)):
            return False
        command = _command_before(block, at, _LONGEST_CHECKED)
        if _CURL.search(command) or looks_secret(value, shortest=4):
            return True
        return in_list and looks_like_password(value) and not _RUNS_AS_USER.search(command)

    return _secret_argument(block, start, is_password, quote=quote)


def _command_before(block: bytes, at: int, longest: int) -> bytes:
    """The beginning of the command that `at` is part of, which may continue over several lines."""
    front = block[max(0, at - longest) : at]
    start = front.rfind(b"\n") + 1
    while start and front[: start - 1].rstrip(b"\r").endswith(_CONTINUES):
        start = front.rfind(b"\n", 0, start - 1) + 1
    return front[start:]


def _secret_argument(
    block: bytes, start: int, is_password: Callable[[bytes], bool], quote: bytes | None = None
) -> list[Span]:
    """The argument at `start` if its beginning looks like a password. `quote` is the opening quote,
    if it was found before `start`.
    """
    beginning = _argument(block, start, quote, start + _LONGEST_CHECKED)
    value = block[beginning.start : beginning.end]
    is_quoted = quote or block[beginning.start - 1 : beginning.start] in (b'"', b"'")
    if (is_quoted and notation.CLOSED.match(value)) or not is_password(value):
        return []
    if not is_quoted and is_prose_argument(block, beginning.start, value):
        return []
    return [_argument(block, start, quote, len(block))]


def _argument(block: bytes, start: int, quote: bytes | None, limit: int) -> Span:
    if quote:
        return Span(start, quoted_end(block, start, quote, limit))
    if opening := OPENING.match(block, start):
        return Span(opening.end(), quoted_end(block, opening.end(), opening["quote"], limit))
    match = _ARGUMENT.match(block, start, limit)
    return Span(start, match.end() if match else start)


def _inserted(block: bytes, at: int) -> list[Span]:
    """The values of columns whose names mean a secret: `INSERT INTO cook (name, password) VALUES
    ('ada', 'x')`.
    """
    head = _COLUMNS.match(block, at)
    if head is None:
        return []
    columns = [name_kind(name.strip(b" \t\r\n\"'`[]\\")) for name in head["columns"].split(b",")]
    if all(kind is NameKind.PLAIN for kind in columns):
        return []
    spans: list[Span] = []
    position = head.end()
    cells_left = _MOST_CELLS
    while cells_left > 0 and (row := _ROW.match(block, position)):
        position, found, read = _row(block, row.end(), columns)
        spans += found
        cells_left -= read + 1
    return spans


def _row(block: bytes, position: int, columns: list[NameKind]) -> tuple[int, list[Span], int]:
    """The end of a row, the secrets in it, and the number of cells read."""
    spans: list[Span] = []
    for index, kind in enumerate(columns):
        cell = _CELL.match(block, position)
        if cell is None:
            return position, spans, index
        for group in ("single", "double", "escaped"):
            if cell[group] and is_secret(kind, cell[group][:2048], prose=False):
                spans.append(Span(*cell.span(group)))
        position = cell.end()
        if cell["end"] == b")":
            break
    return position, spans, len(columns)
