"""JSON as vendors send it, read fast and forgivingly."""

from __future__ import annotations

import json
from typing import Any

import msgspec


def json_of(body: bytes | str) -> Any:
    """What the JSON holds; None where it is none.

    Read by the fast decoder; what that rejects (lone surrogates, big numbers) is read again by the standard one.
    """
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        pass
    try:
        return json.loads(body.decode("utf-8", "surrogatepass") if isinstance(body, bytes) else body)
    except (ValueError, RecursionError):
        return None
