"""Which versions may open a database that a newer version has migrated.

Each migration says which earlier one a program has to know so that it can use the database
nevertheless, and the database records that: one that only adds tables does not keep the release
before it from running, so that a release can be rolled back.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from bot.store.errors import StoreError

TABLE = "schema_compatibility"


def require_known(
    applied: Collection[str], known: Sequence[str], oldest: Mapping[str, str], *, database: str
) -> None:
    """Raises StoreError where a migration is unknown and this version may not use its result.
    `oldest` is what the database has recorded.
    """
    refused = sorted(
        f"{name}, which needs at least {oldest[name]}" if name in oldest else name
        for name in applied
        if name not in known and oldest.get(name) not in known
    )
    if refused:
        raise StoreError(
            f"{database} was written by a newer version ({'; '.join(refused)}). Install that "
            "version, or put a backup from before the upgrade back."
        )


def oldest_of(known: Sequence[str], compatible: Mapping[str, str]) -> list[tuple[str, str]]:
    """For each migration the one that a program has to know: itself, unless it is `compatible`."""
    return [(name, compatible.get(name, name)) for name in known]
