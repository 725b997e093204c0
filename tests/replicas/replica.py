"""One replica: `python -m tests.replicas.replica FOLDER RENEW_EVERY_S EXPIRES_AFTER_S` runs the bot
with the configuration in FOLDER, as `python -m bot run` does, with these timings of its lease.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from functools import partial
from pathlib import Path

from bot.app import open_bot
from bot.config import read_settings, slack_tokens
from bot.lifecycle import service
from bot.runtime import run_bot
from bot.store import LeaseTimings
from bot.store.postgres import connection
from tests.support.clock import OFFSET, moved_dialect


def main(folder: Path, renew_every: float, expires_after: float) -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    if OFFSET in os.environ:
        dialect = moved_dialect()
        connection.PostgresTransaction.dialect = dialect
        connection.PostgresDatabase.dialect = dialect
    lease = LeaseTimings(renew_every=renew_every, expires_after=expires_after)
    service.open_bot = partial(open_bot, lease=lease)  # type: ignore[attr-defined]
    asyncio.run(run_bot(lambda: (read_settings(folder / "bot.toml"), slack_tokens("socket"))))


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]))
