"""The values that `opswatch init --vendor` leaves to the operator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

PLACEHOLDER = "CHANGE-ME"
Place = tuple[str | int, ...]


def placeholders(table: Mapping[str, Any]) -> Iterator[Place]:
    """The place of each value that was not filled in, in the order of the file."""
    left: list[tuple[Place, Any]] = [((), table)]
    while left:
        place, value = left.pop()
        if value == PLACEHOLDER:
            yield place
        elif isinstance(value, Mapping):
            left += [((*place, key), inner) for key, inner in [*value.items()][::-1]]
        elif isinstance(value, list):
            found = [((*place, n), inner) for n, inner in enumerate(value)]
            left += reversed(found)
