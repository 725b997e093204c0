"""A bot that dies again and again: `python -m tests.scenarios.crashing FOLDER BEGAN_AT SPEED`.

Reads one order a line: the label of a step to die at, or how many seconds to live. For each it
forks a child that runs the real bot, with the configuration in FOLDER and a clock that runs SPEED
times as fast, and says how it ended, `SIGKILL` where it was killed. It imports everything once, so
that dying a hundred times is quick.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot import app
from bot.config import parse_settings, slack_tokens
from bot.slack.event_posts import EventPosts
from bot.slack.outbox import OutboxTimings
from bot.slack.post_sender import PostSender
from bot.store import LeaseTimings
from bot.store.sql.alerts import SqlAlerts
from bot.store.sql.canvases import SqlCanvases
from bot.store.sql.outbox import SqlOutbox
from bot.store.sql.schedules import SqlSchedules
from handlers.jobs import digests
from handlers.jobs.alerts import AlertJob

LABELS = (
    "asked",
    "before commit",
    "committed",
    "claimed",
    "before post",
    "posted",
    "before mark",
    "marked",
)
# Between the creation of a canvas and its record.
BEFORE_CANVAS_RECORD = "before canvas record"
LONGEST_LIFE_S = 6.0
# The next life begins at once and is not to wait long for what this one has claimed.
LEASE = LeaseTimings(renew_every=0.05, expires_after=0.3)


def fast_clock(began_at: float, speed: float) -> Callable[[], datetime]:
    return lambda: datetime.fromtimestamp(began_at + (time.time() - began_at) * speed, UTC)


def main(folder: Path, began_at: float, speed: float) -> None:
    for line in sys.stdin:
        child = os.fork()
        if not child:
            live(folder, fast_clock(began_at, speed), line.strip())
        print(bury(child, line.strip()), flush=True)


def bury(child: int, order: str) -> str:
    """Kills the bot at the given time unless it dies before, and returns how it ended: `SIGKILL`,
    or its exit code.
    """
    ends_at = time.monotonic() + (
        LONGEST_LIFE_S if order in (*LABELS, BEFORE_CANVAS_RECORD) else float(order)
    )
    while time.monotonic() < ends_at:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return _ending(status)
        time.sleep(0.005)
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    return _ending(os.waitpid(child, 0)[1])


def _ending(status: int) -> str:
    return (
        signal.Signals(os.WTERMSIG(status)).name
        if os.WIFSIGNALED(status)
        else f"exit code {os.WEXITSTATUS(status)}"
    )


def live(folder: Path, clock: Callable[[], datetime], order: str) -> None:
    digests.TICK_S = 0.05
    try:
        arm(order)
        asyncio.run(run(folder, clock))
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(1)


def arm(order: str) -> None:
    """Makes the step with this label the last."""
    dies(AlertJob, "_measure", after="asked", order=order)
    dies(digests.DigestJob, "_posts", after="asked", order=order)
    dies(
        SqlAlerts,
        "save_evaluations",
        before="before commit",
        after="committed",
        order=order,
        when=lambda alerts, several: any(j.posts for j in several),
    )
    dies(SqlAlerts, "save_user_action", before="before commit", after="committed", order=order)
    dies(SqlSchedules, "end_run", before="before commit", after="committed", order=order)
    dies(SqlOutbox, "claim_post", after="claimed", order=order, found=bool)
    dies(PostSender, "_post", before="before post", after="posted", order=order)
    dies(PostSender, "_edit", before="before post", after="posted", order=order)
    dies(EventPosts, "send", before="before post", after="posted", order=order)
    dies(
        SqlCanvases,
        "save",
        before=BEFORE_CANVAS_RECORD,
        order=order,
        when=lambda _, canvas: canvas.canvas_id,
    )
    dies(SqlOutbox, "sent", before="before mark", after="marked", order=order)


def dies(
    owner: Any,
    name: str,
    *,
    order: str,
    before: str = "",
    after: str = "",
    when: Callable[..., bool] = lambda *_: True,
    found: Callable[[Any], bool] = lambda _: True,
) -> None:
    """Ends the process before or after the method, as the order requires."""
    if order not in (before, after):
        return
    method: Callable[..., Awaitable[Any]] = getattr(owner, name)

    async def deadly(*args: Any, **kwargs: Any) -> Any:
        is_it = when(*args)
        if is_it and order == before:
            os.kill(os.getpid(), signal.SIGKILL)
        result = await method(*args, **kwargs)
        if is_it and order == after and found(result):
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, deadly)


async def run(folder: Path, clock: Callable[[], datetime]) -> None:
    table = json.loads((folder / "table.json").read_text())
    settings = parse_settings(table, folder=folder, environ=os.environ, now=clock())
    pace = OutboxTimings(per_channel=0.005, look=0.02, retry=0.01, mend=0.1)
    async with (
        app.open_bot(
            settings,
            slack_tokens("socket", os.environ),
            pace=pace,
            clock=clock,
            lease=LEASE,
        ) as bot,
        bot.connected(),
    ):
        await asyncio.sleep(3600)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]))
