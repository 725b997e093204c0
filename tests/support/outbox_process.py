"""A process that posts what is in an outbox until it is killed: `python -m
tests.support.outbox_process DATABASE [LEASE_S]`.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import aiohttp

from bot.slack.client import slack_client
from bot.slack.outbox import Outbox, OutboxTimings
from bot.slack.pace import SlackPace
from bot.store import LeaseTimings, Store
from providers.clock import utc_now
from providers.redaction import Secret

TIMINGS = OutboxTimings(per_channel=0.005, look=0.02, retry=0.01)


def location_word(location: Path | Secret) -> str:
    """The database as a command-line argument; the URL of a test server contains no password."""
    return location.open() if isinstance(location, Secret) else str(location)


async def main(word: str, lease_s: float) -> None:
    location = Secret(word) if "://" in word else Path(word)
    lease = LeaseTimings(renew_every=lease_s / 6, expires_after=lease_s)
    store = await Store.open(location, now=utc_now(), lease=lease)
    async with aiohttp.ClientSession() as session:
        client = slack_client(
            os.environ["SLACK_BOT_TOKEN"],
            os.environ["SLACK_API_URL"],
            session,
            pace=SlackPace(TIMINGS.per_channel),
        )
        print("posting", flush=True)
        await Outbox(store.outbox, client, utc_now, "", TIMINGS).run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 0.3))
