"""Arguments written as a list of strings: `["mysql", "-px"]`, `["curl", "-u", "ada:x"]`."""

from __future__ import annotations

from typing import Final, NamedTuple

from providers.patterns import lazy_pattern
from providers.redaction.lines import line_before

_PROGRAM: Final = (
    rb"(?:mysql(?:admin|dump|import|show|check|slap|sh|binlog|pump|hotcopy|_upgrade"
    rb"|_secure_installation)?|mariadb(?:-(?:admin|backup|binlog|check|dump|import|show|slap"
    rb"|upgrade|secure-installation))?|sshpass)(?:\.exe)?"
)
_JOINED_ITEM: Final = lazy_pattern(rb'\\{0,4}"-p(?=[^\s"\\-]{4})')
_PROGRAM_ITEM: Final = lazy_pattern(
    rb'(?P<slashes>\\{0,16})"(?:[^"\n]{0,200}[/\\])?' + _PROGRAM + rb'(?P=slashes)"'
)
# {"command": ["mysql"], "args": ["-px"]}
_PROGRAM_MEMBER: Final = lazy_pattern(
    rb"""(?i)"(?:command|cmd|exe|executable|program|path|process|entrypoint)\\{0,4}"\s?:\s?\[?\s?\\{0,4}"(?:[^"\n]{0,100}[/\\])?"""
    + _PROGRAM
    + rb'\\{0,4}"'
)
# mysql -u root "-px"
_SHELL_COMMAND: Final = lazy_pattern(
    rb"(?:^|[\s\"'`/\\$(;|&])" + _PROGRAM + rb"(?:[ \t][^|;\n]{0,256}[^\s|;,\[({])?[ \t]{1,3}$"
)
# The value of one of these options may be `mysql`, too.
_NAMES_CONTAINER: Final = lazy_pattern(
    rb'"--(?:name|hostname|network|network-alias|link|label|service|container)\\{0,16}"\s?,\s?$'
)
# What ends the list after an item, or shows that the item is the name of a member.
_END_OF_LIST: Final = lazy_pattern(rb'(?P<slashes>\\{0,16})"\s?[\]):}]')
_BRACES: Final = lazy_pattern(rb"[{}]")
# `-port=1`, `-print-defaults`
_LONG_OPTION: Final = lazy_pattern(
    rb'(?:orts?|rint|rotocol|lugins?|atterns?|ath|id|refix|roxy|rofile|rogress|roject|ublish|rompt|arallel|olicy|retty)(?:[-=:_.]|\\{0,16}"|$)'
)
# `-p3306:3306`, `-p127.0.0.1:8080:80/tcp`
_PORTS: Final = lazy_pattern(
    rb"(?:[\d.]{7,15}:|\[[\da-f:]{2,39}\]:|localhost:)?(?:\d{1,5}(?:-\d{1,5})?)?:\d{1,5}(?:-\d{1,5})?(?:/(?:tcp|udp|sctp))?$"
)
_SHORT_NUMBER: Final = lazy_pattern(rb"\d{1,5}$")
_USER_ITEM: Final = lazy_pattern(
    rb"""\\{0,4}"(?:-u|--user)\\{0,4}"[^\S\n]?,[^\S\n]?\\{0,4}"(?P<user>[^"\\:\n]{1,64}):"""
)
_REACH: Final = 256
_MOST_SLASHES: Final = 16


class Item(NamedTuple):
    """Where the password in an item may begin, what opened the item, and the line before it."""

    start: int
    quote: bytes
    front: bytes
    user: bytes = b""


def joined_item(block: bytes, at: int) -> Item | None:
    """The item `-px` at `at` if it is an argument of a program that reads a password from it."""
    match = _JOINED_ITEM.match(block, at)
    if match is None or _LONG_OPTION.match(block, match.end()):
        return None
    front = line_before(block, at, _REACH).rstrip(b"\\")
    # This check is cheaper than the searches, which few lines need.
    if not any(word in front for word in (b"mysql", b"mariadb", b"sshpass")):
        return None
    item = Item(match.end(), _quote(block, at), front)
    return item if _is_argument(item) else None


def is_joined_password(item: Item, value: bytes) -> bool:
    """Whether a value after `-p` is neither a port, nor ports that a container publishes."""
    # `sshpass -e ssh -p2222`
    is_port = b"sshpass" in item.front and _SHORT_NUMBER.match(value)
    return not (is_port or _PORTS.match(value))


def user_item(block: bytes, at: int) -> Item | None:
    """The item after `"-u"` or `"--user"` at `at` if it has a colon."""
    match = _USER_ITEM.match(block, at)
    if match is None:
        return None
    return Item(match.end(), _quote(block, at), b"", match["user"])


def _quote(block: bytes, at: int) -> bytes:
    """The quote at `at` with all backslashes before it, some of which may be before `at`."""
    first = max(0, at - _MOST_SLASHES)
    start = first + len(block[first:at].rstrip(b"\\"))
    return block[start : block.find(b'"', at) + 1]


def _is_argument(item: Item) -> bool:
    front = item.front
    quote = item.quote
    for program in _PROGRAM_ITEM.finditer(front):
        if program["slashes"] != quote[:-1] or _NAMES_CONTAINER.search(front[: program.start()]):
            continue
        # From the closing quote on.
        ends = _END_OF_LIST.finditer(front, program.end() - len(quote))
        if not any(end["slashes"] == quote[:-1] for end in ends):
            return True
    member = _PROGRAM_MEMBER.search(front)
    if member and not _ends_object(front[member.end() :]):
        return True
    return bool(_SHELL_COMMAND.search(front))


def _ends_object(text: bytes) -> bool:
    depth = 0
    for brace in _BRACES.findall(text):
        depth += 1 if brace == b"{" else -1
        if depth < 0:
            return True
    return False
