"""Secrets in the AT commands of modems, whose arguments have no names: `AT+CPIN="1234"`."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from providers.patterns import lazy_pattern
from providers.redaction.notation import Span
from providers.redaction.values import is_ordinary


class ModemCommand(Struct, frozen=True):
    """A command in lower case, which of its arguments are secrets, counted from zero, and an
    example.
    """

    text: str
    secret: tuple[int, ...]
    sample: str


MODEM_COMMANDS: Final = (
    ModemCommand("at+cwjap", (1,), 'AT+CWJAP="kitchen","{}"'),
    ModemCommand("at+cwsap", (1,), 'AT+CWSAP="kitchen","{}",5,3'),
    ModemCommand("at+cgauth=", (2, 3), 'AT+CGAUTH=1,1,"{}","ada"'),
    ModemCommand("at+cstt=", (2,), 'AT+CSTT="internet","ada","{}"'),
    ModemCommand("at+sapbr=3,1,", (1,), 'AT+SAPBR=3,1,"PWD","{}"'),
    ModemCommand("at+qicsgp=", (4,), 'AT+QICSGP=1,1,"internet","ada","{}",1'),
    ModemCommand("at+qmtconn=", (3,), 'AT+QMTCONN=0,"oven","ada","{}"'),
    ModemCommand("at+cmqttconnect=", (5,), 'AT+CMQTTCONNECT=0,"tcp://mq:1883",60,1,"ada","{}"'),
    ModemCommand("at+mqttusercfg=", (4,), 'AT+MQTTUSERCFG=0,1,"oven","ada","{}",0,0,""'),
    ModemCommand("at+uauthreq=", (2, 3), 'AT+UAUTHREQ=1,1,"{}","ada"'),
    ModemCommand("at+cpin=", (0, 1), 'AT+CPIN="{}"'),
    ModemCommand("at+clck=", (2,), 'AT+CLCK="SC",1,"{}"'),
    ModemCommand("at+cpwd=", (1, 2), 'AT+CPWD="SC","{}","5813"'),
    ModemCommand("at#sgact=", (3,), 'AT#SGACT=1,1,"ada","{}"'),
    ModemCommand("at#pdpauth=", (3,), 'AT#PDPAUTH=1,1,"ada","{}"'),
    ModemCommand("at#ftpopen=", (2,), 'AT#FTPOPEN="ftp.example","ada","{}",0'),
    ModemCommand("at#mqlogin=", (2,), 'AT#MQLOGIN=1,"ada","{}"'),
    ModemCommand("at#epassw=", (0,), 'AT#EPASSW="{}"'),
    ModemCommand("at#passw=", (0,), 'AT#PASSW="{}"'),
    ModemCommand("at#dwcfg=", (2, 3), 'AT#DWCFG="api.example",0,"{}",1'),
)
MODEM_HINTS: Final = tuple(command.text for command in MODEM_COMMANDS)

_SECRET: Final = {command.text.encode(): command.secret for command in MODEM_COMMANDS}
_REST: Final = lazy_pattern(rb"(?i:_(?:cur|def))?[=,]?")
_ARGUMENT: Final = lazy_pattern(
    rb"""(?x)
    "(?P<quoted>(?:[^"\\\r\n]|\\[^\r\n]){0,256}+)"
    # In a string around the command, every quote and every backslash has backslashes before it.
    | (?P<slashes>\\{1,8})"(?P<escaped>(?:(?!(?P=slashes)"[,;\s"\\)]|(?P=slashes)"$)[^\r\n]){0,256}+)(?P=slashes)"
    | (?P<bare>[^",\s\\]{0,64})
    """
)
# A mode or a port rather than a secret, where models of modems differ.
_NO_SECRET: Final = lazy_pattern(rb"\d{0,3}$")


def modem_secrets(block: bytes, at: int) -> list[Span]:
    """The secrets among the arguments of the AT command at `at`."""
    text = next(text for text in _SECRET if block[at : at + len(text)].lower() == text)
    rest = _REST.match(block, at + len(text))
    position = rest.end() if rest else at + len(text)
    spans: list[Span] = []
    for index in range(max(_SECRET[text]) + 1):
        argument = _ARGUMENT.match(block, position)
        if argument is None:
            break
        group = str(argument.lastgroup)
        if index in _SECRET[text] and _is_secret(argument[group]):
            spans.append(Span(*argument.span(group)))
        position = argument.end()
        if block[position : position + 1] != b",":
            break
        position += 1
    return spans


def _is_secret(value: bytes) -> bool:
    return not (is_ordinary(value) or _NO_SECRET.match(value))
