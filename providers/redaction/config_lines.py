"""Lines of configurations in which a name and a blank are followed by the value: a .netrc, the
users and the settings of devices.
"""

from __future__ import annotations

from typing import Final

from providers.patterns import lazy_pattern
from providers.redaction.lines import line_before
from providers.redaction.names import is_about_secret
from providers.redaction.values import is_password_word

_NETRC: Final = lazy_pattern(rb"\blogin[ \t]{1,8}\S{1,64}[ \t]{1,8}(?:pass)?$")
_NETRC_LINE: Final = lazy_pattern(
    rb"(?:^|\n|[ \t])login[ \t]{1,8}\S{1,64}[ \t]{0,3}\r?\n[ \t]{0,16}$"
)
_USER: Final = lazy_pattern(
    rb"""(?:^|[\n{ ])(?:user|username|local-user|name)[ ]["']?[\w.@-]{1,64}["']?[ ]$"""
)
# `neighbor 192.0.2.1 password x` of routers
_NEIGHBOR: Final = lazy_pattern(rb"(?:^|[\n ])neighbor[ ][\w.:-]{1,64}[ ]$")
# `Password1 x`, `MqttPassword x` at the console of Tasmota
_TASMOTA: Final = lazy_pattern(
    rb"(?i)(?:Password[12]|MqttPassword|WebPassword)[ ](?P<value>[^\s;\"']{4,64})(?=[ ]?(?:;|\r?\n|\r?$))"
)
_LAST_SETTING: Final = lazy_pattern(
    rb"(?P<value>[a-z]{4,24})(?=[ ]?(?:\}|\r?\n|\r?$|(?:partition|role|level|privilege|service|group)\b))"
)
_SET_LINE: Final = lazy_pattern(rb"(?:\s{0,40}|[^\n]{0,60}[#>$][ ])set[ ](?:[\w.-]{1,40}[ ]){1,8}$")
_LONGEST_FRONT: Final = 100
_LONGEST_SET_LINE: Final = 160


def is_netrc(block: bytes, at: int) -> bool:
    """Whether `login ada` is before a place."""
    front = block[max(0, at - _LONGEST_FRONT) : at]
    return b"login" in front and bool(_NETRC.search(front))


def is_last_setting(block: bytes, first: int, start: int) -> bool:
    """Whether a name is the first word of a line after `login ada`, and the value the last; or
    whether a word is set after `username ada`, rather than the word of a sentence.
    """
    front = block[max(0, first - _LONGEST_FRONT) : first]
    if b"login" in front and _is_last(block, start):
        return bool(_NETRC_LINE.search(front))
    if setting := _TASMOTA.match(block, first):
        return setting.start("value") == start and not is_about_secret(setting["value"])
    if not (_USER.search(front) or _NEIGHBOR.search(front)):
        return False
    word = _LAST_SETTING.match(block, start)
    return word is not None and is_password_word(word["value"])


def _is_last(block: bytes, start: int) -> bool:
    end = block.find(b"\n", start, start + _LONGEST_FRONT)
    line = block[start : end if end >= 0 else start + _LONGEST_FRONT]
    return not line.strip().count(b" ")


def is_set_line(block: bytes, first: int) -> bool:
    """Whether the name at `first` is set, as in `set vpn ipsec psk kitchen secret 'x'`."""
    return bool(_SET_LINE.match(line_before(block, first, _LONGEST_SET_LINE)))
