"""Arguments as Web API calls carry them."""

from __future__ import annotations

import json
from typing import Any


def decode_json(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            return None
    return value
