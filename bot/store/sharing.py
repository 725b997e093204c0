"""State that the processes sharing a database coordinate by."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from bot.store.records import PaceLimit, Topic


class ChangeStore(Protocol):
    """Counts changes of what processes keep in memory."""

    async def numbers(self) -> dict[Topic, int]:
        """The number of changes of each topic; one that was never changed is missing."""
        ...


class RefusedBlockStore(Protocol):
    """The kinds of blocks that Slack has refused, shared by all processes and kept across restarts."""

    async def add(self, kinds: Collection[str], *, until: datetime) -> None: ...

    async def any_refused(self, kinds: Collection[str], *, now: datetime) -> bool:
        """Whether a refusal of one of them is on record."""
        ...


class PaceStore(Protocol):
    """The pace of calls to Slack, for all processes together."""

    @property
    def is_shared(self) -> bool:
        """Whether another process uses the database now."""
        ...

    async def reserve(self, limits: Sequence[PaceLimit], *, if_free: bool = False) -> float | None:
        """Reserves a call in every lane, and returns how many seconds it has to wait. With
        `if_free` it reserves nothing and returns None unless half of each burst stays free.
        """
        ...

    async def block(self, limit: PaceLimit, seconds: float) -> None:
        """Holds back calls in a lane after Slack has refused one."""
        ...

    async def prune(self) -> None:
        """Deletes lanes in which nothing is reserved."""
        ...
