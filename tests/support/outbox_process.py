"""A process that posts what is in an outbox until it is killed: `python -m tests.scenarios.posting
DATABASE`.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import aiohttp

from bot.slack.delivery import web_client
from bot.slack.outbox import Outbox, OutboxTimings
from bot.store import LeaseTimings, Store
from providers.clock import utc_now


async def main(path: Path) -> None:
    store = await Store.open(
        path, now=utc_now(), lease=LeaseTimings(renew_every=0.05, expires_after=0.3)
    )
    async with aiohttp.ClientSession() as session:
        client = web_client(
            os.environ["SLACK_BOT_TOKEN"], os.environ["SLACK_API_URL"], session, patient=False
        )
        print("posting", flush=True)
        await Outbox(
            store.outbox,
            client,
            utc_now,
            "",
            OutboxTimings(per_channel=0.005, look=0.02, retry=0.01),
        ).run()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
