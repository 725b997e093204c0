"""One recorded call for a person to read: every column, with its request and response as indented
JSON, and without secrets.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from providers.devicewise.calls import nested_json
from providers.devicewise.parse import Row
from providers.redaction import MARK, Redactor

# Deeper levels of objects and lists, and JSON in a string in JSON in a string, are left out.
MOST_LEVELS = 30
MOST_STRINGS_IN_STRINGS = 3
# Named as TR50 names them, in lower case and without `_` and `-`.
_SECRET_NAMES = frozenset(
    {
        "appid",
        "applicationtoken",
        "apptoken",
        "authorization",
        "jwt",
        "mfa",
        "organizationtoken",
        "otp",
        "passwd",
        "pwd",
        "secret",
        "sessionid",
        "token",
    }
)
_SECRET_ENDINGS = ("password", "token", "secret", "apikey")
# Replies of these commands hold a session by `id` and `ref`; `session.end` accepts either.
_SESSION_COMMANDS = frozenset({"session.info", "session.find", "session.list"})
_SESSION_NAMES = frozenset({"id", "ref"})
# Error messages quote the session that they refuse.
_SESSION_ID = re.compile(r"(?<![0-9A-Za-z])[0-9a-fA-F]{32}(?![0-9A-Za-z])")


def columns(row: Row, redactor: Redactor) -> tuple[tuple[str, str], ...]:
    """Every column that came, by the vendor's names and without secrets."""
    # A response is masked by the command that it answers.
    commands = _commands(row.request)
    came = {
        "ts": row.ts,
        "execTime": None if row.execTime is None else str(row.execTime),
        "processedBy": row.processedBy,
        "orgId": row.orgId,
        "orgKey": row.orgKey,
        "whoami": row.whoami,
    }
    plain = tuple((name, redactor.text(value)) for name, value in came.items() if value)
    nested = (("request", row.request), ("response", row.response))
    return plain + tuple((name, _json(text, commands, redactor)) for name, text in nested if text)


def _json(text: str, commands: Mapping[str, str], redactor: Redactor) -> str:
    value = nested_json(text)
    if value is None:
        return f"({len(text):,} characters that cannot be read as JSON)"
    masked = {
        key: _masked(inner, _mask_of(commands.get(key, "")))
        for key, inner in (value.items() if isinstance(value, dict) else ())
    }
    shown = masked if isinstance(value, dict) else _masked(value, _is_secret)
    # Masked by name first, and then by what secrets look like.
    return redactor.text(json.dumps(shown, indent=2, ensure_ascii=False))


def _commands(request: str | None) -> dict[str, str]:
    """The command of each id of a request."""
    value = nested_json(request)
    if not isinstance(value, dict):
        return {}
    return {key: _command(inner) for key, inner in value.items()}


def _command(value: Any) -> str:
    if not isinstance(value, dict):
        return ""
    named = (inner for key, inner in value.items() if key.lower() == "command")
    found = next(named, "")
    return found.lower() if isinstance(found, str) else ""


Mask = Callable[[str], bool]


def _mask_of(command: str) -> Mask:
    if command in _SESSION_COMMANDS:
        return _is_secret_of_session
    return _is_secret


def _is_secret(name: str) -> bool:
    plain = re.sub(r"[_\-\s]", "", name[:100]).lower()
    return plain in _SECRET_NAMES or plain.endswith(_SECRET_ENDINGS)


def _is_secret_of_session(name: str) -> bool:
    return name.lower() in _SESSION_NAMES or _is_secret(name)


def _masked(value: Any, mask: Mask, levels: int = MOST_LEVELS, strings: int = 0) -> Any:
    """The value with every secret in it replaced."""
    if isinstance(value, str):
        return _masked_text(value, mask, levels, strings)
    if not isinstance(value, dict | list):
        return value
    if levels <= 0:
        return "(deeper levels are left out)"
    if isinstance(value, list):
        return [_masked(inner, mask, levels - 1, strings) for inner in value]
    is_login = _command(value) == "api.authenticate"
    return {
        name: _hidden(inner)
        if mask(name) or (is_login and name.lower() == "params")
        else _masked(inner, mask, levels - 1, strings)
        for name, inner in value.items()
    }


def _hidden(value: Any) -> Any:
    """The value as a secret; one that is empty already stays."""
    return MARK if value or value == 0 else value


def _masked_text(text: str, mask: Mask, levels: int, strings: int) -> str:
    """A text, which may be JSON itself."""
    if text.lstrip()[:1] in ("{", "["):
        if strings >= MOST_STRINGS_IN_STRINGS:
            return f"({len(text):,} characters)"
        inner = nested_json(text)
        if isinstance(inner, dict | list):
            return json.dumps(_masked(inner, mask, levels - 1, strings + 1), ensure_ascii=False)
    return _SESSION_ID.sub(MARK, text) if "session" in text.lower() else text
