"""Shared by the tests of Rapid7: the sample on the vendor's page, and windows."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from providers.models import DayRange, Window
from providers.rapid7.client import Rapid7

SAMPLE = {
    "daily_usage": [
        {"usage": 134929550, "day": "2018-12-13"},
        {"usage": 133613742, "day": "2018-12-12"},
        {"usage": 133206061, "day": "2018-12-11"},
        {"usage": 126998155, "day": "2018-12-10"},
        {"usage": 131107328, "day": "2018-12-09"},
    ],
    "period_usage": 2427260775,
    "period": {"to": "2018-12-19", "from": "2018-12-01"},
    "id": "<internal ID>",
    "name": "<Account name>",
}
DAYS = DayRange(date(2018, 12, 1), date(2018, 12, 19))
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
WINDOW = Window(NOON, NOON + timedelta(minutes=20))


async def body_of(
    rapid7: Rapid7,
    ids: list[str],
    *,
    query: str = "",
    limit: int = 1000,
    window: Window | str = WINDOW,
) -> bytes:
    async with rapid7.download(ids, window, query=query, limit=limit, most_bytes=10**9) as stream:
        return b"".join([piece async for piece in stream])
