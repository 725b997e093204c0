"""How often the bot looks up which blocks other processes were refused."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.slack.block_fallback import LOOKED_UP_EVERY, BlockFallback

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
TABLE = {
    "type": "data_table",
    "caption": "Soups",
    "rows": [[{"type": "raw_text", "text": text}] for text in ("Soup", "Onion")],
}


class Refusals:
    """The refusals that all processes know, and how often they were requested."""

    def __init__(self) -> None:
        self.refused = False
        self.lookups = 0

    async def add(self, kinds: Collection[str], *, until: datetime) -> None:
        """Ignores the refusal."""

    async def any_refused(self, kinds: Collection[str], *, now: datetime) -> bool:
        self.lookups += 1
        return self.refused


async def test_lookup_suffices_for_seconds() -> None:
    refusals = Refusals()
    now = NOON
    sent = list[Mapping[str, Any]]()
    fallback = BlockFallback(_no_upload)
    fallback.shared = refusals
    fallback.clock = lambda: now

    async def send(fields: Mapping[str, Any]) -> bool:
        sent.append(fields)
        return True

    for _ in range(3):
        await fallback.send(send, [TABLE], "soup")
    assert refusals.lookups == 1
    now += LOOKED_UP_EVERY
    refusals.refused = True
    await fallback.send(send, [TABLE], "soup")
    assert [fields["blocks"][-1]["type"] for fields in sent] == ["data_table"] * 3 + ["table"]
    # A clock that was set back ends what is known, too.
    now = NOON - timedelta(hours=1)
    refusals.refused = False
    await fallback.send(send, [TABLE], "soup")
    assert (refusals.lookups, sent[-1]["blocks"][-1]["type"]) == (3, "data_table")


async def _no_upload(**_: Any) -> str:
    raise AssertionError("no picture is sent")
