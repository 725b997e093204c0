"""The commands of TR50, by which calls can be filtered. The vendor lists them on its pages and has no
request for them; one that is missing here can be typed.
"""

from __future__ import annotations

from typing import Final

# By service, without its name.
_COMMANDS: Final = {
    "alarm": "history publish",
    "api": "authenticate",
    "app": "create delete find list update",
    "config": "desc get set",
    "diag": "check echo ping time",
    "email": "send",
    "file": "delete get list put tag.cloud",
    "gateway": "register",
    "geofence": "create delete find history list locate update",
    "locale": "get list set",
    "location": "decode encode history publish stats weather",
    "log": "list publish",
    "mailbox": "ack check find list purge send summary update",
    "method": "exec",
    "module": "register",
    "org": "create delete find list update",
    "property": "aggregate batch current history publish stats",
    "role": "create delete find list perms update",
    "session": "find info list org.list org.switch",
    "thing": (
        "attr.add attr.delete attr.get attr.set attr.unset bind create delete find list "
        "sectag.add sectag.cloud sectag.delete tag.add tag.cloud tag.delete unbind update"
    ),
    "thing_def": "create delete find list update",
    "trigger": "create delete find list list.actions list.events update",
    "tunnel": "close conn.history history open router.list",
    "usage": "api.history api.list storage.history thing.history",
    "user": "create delete find list org.add org.list org.remove org.update update",
}
SERVICES: Final = tuple(_COMMANDS)
COMMANDS: Final = tuple(
    f"{service}.{command}"
    for service, commands in _COMMANDS.items()
    for command in commands.split()
)
