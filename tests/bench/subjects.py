"""What is measured, each in a process of its own: `python -m tests.bench.subjects
floor|stock|opswatch|memory|logs FOLDER`.

`floor` is a bare aiohttp echo of Socket Mode, `stock` a slack-bolt AsyncApp that acks and responds
once, `memory` is Opswatch with its facts at hand and no pace towards Slack, `logs` a server of logs
of any size.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from statistics import quantiles
from typing import Any
from unittest.mock import patch

from providers.models import (
    ApiCall,
    CallFilters,
    CallPage,
    DayRange,
    NamedLog,
    Outcome,
    UsagePeriod,
    Window,
)

LAG_EVERY_S = 0.01
LAG_SAMPLES = 200
# The API calls and the lines of an answer.
CALLS = 2000
LINES = 1000
# The group of a log's id that says of what kind its lines are.
JSON_LINES = "0001"
API, BOT, APP = (
    os.environ.get(name, "") for name in ("SLACK_API_URL", "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN")
)


async def floor() -> None:
    import aiohttp

    async with aiohttp.ClientSession() as session:
        headers = {"Authorization": f"Bearer {APP}"}
        async with session.post(f"{API}apps.connections.open", headers=headers) as response:
            url = (await response.json())["url"]
        async with session.ws_connect(url) as socket:
            async for frame in socket:
                message = json.loads(frame.data)
                if "envelope_id" in message:
                    await socket.send_str(json.dumps({"envelope_id": message["envelope_id"]}))


async def stock(folder: Path) -> None:
    from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
    from slack_bolt.async_app import AsyncApp
    from slack_sdk.web.async_client import AsyncWebClient

    os.environ.pop("SLACK_BOT_TOKEN", None)
    app = AsyncApp(client=AsyncWebClient(token=BOT, base_url=API))

    @app.command("/usage")
    async def usage(ack, respond) -> None:  # type: ignore[no-untyped-def]
        await ack()
        await respond("in 7 days")

    handler = AsyncSocketModeHandler(app, APP, web_client=app.client)
    async with measured_lag(folder / "lag"):
        await handler.start_async()  # type: ignore[no-untyped-call]  # slack-bolt does not annotate it


async def opswatch(folder: Path) -> None:
    # As `python -m bot` does, until the bot runs.
    gc.disable()
    from bot.config import read_settings, slack_tokens
    from bot.runtime import run_bot

    await run_bot(lambda: (read_settings(folder / "bot.toml"), slack_tokens("socket")))


class MemoryUsage:
    """A source that answers from memory, so that only the bot is measured."""

    account = "rapid7-eu"

    async def usage(self, days: DayRange) -> UsagePeriod:
        return _usage(days)


@lru_cache
def _usage(days: DayRange) -> UsagePeriod:
    by_day = {day: 5_000_000_000 + day.toordinal() % 7 * 100_000_000 for day in days.each()}
    return UsagePeriod(by_day, sum(by_day.values()), days.first, days.last, "Ada's Kitchen", "k1")


class MemoryCalls:
    """The same for API calls, of which there are CALLS."""

    account = "edge"

    def __init__(self) -> None:
        self._page = CallPage([_call(n) for n in range(CALLS)], complete=True)

    def unsupported_filter(self, filters: CallFilters) -> None:
        """Accepts any filter; none is used."""

    def kept_since(self, now: datetime) -> None:
        """No limit: nothing is too old."""

    async def calls(self, window: Window, filters: CallFilters, **_: Any) -> CallPage:
        return self._page


def _call(number: int) -> ApiCall:
    at = datetime.now(UTC) - timedelta(seconds=30 * number)
    failed = number % 7 == 0
    return ApiCall(
        at=at,
        at_text=at.isoformat(),
        account="edge",
        actor=("ada", "grace", "linus")[number % 3],
        action=("GET", "POST", "PUT", "DELETE")[number % 4],
        target=f"akab.luna.akamaiapis.net/papi/v1/properties/prp_{number % 40}",
        status="503" if failed else "200",
        outcome=Outcome.FAILURE if failed else Outcome.SUCCESS,
        client="c1",
        ip="192.0.2.7",
        duration_ms=None,
    )


class MemoryLogs:
    """The same for logs: the first LINES lines of a day in the kitchen."""

    account = "rapid7-eu"

    def __init__(self) -> None:
        self._lines = b"\n".join(log_lines()[:LINES]) + b"\n"

    async def named_logs(self) -> Sequence[NamedLog]:
        return ()

    @asynccontextmanager
    async def download(self, *_: Any, **__: Any) -> AsyncIterator[AsyncIterator[bytes]]:
        yield self._stream()

    async def _stream(self) -> AsyncIterator[bytes]:
        yield self._lines


async def memory(folder: Path) -> None:
    from bot.composition.accounts import ProviderRegistry
    from bot.slack.pace import SlackPace

    class InMemory(ProviderRegistry):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self.usage = {"rapid7-eu": MemoryUsage()}  # type: ignore[dict-item]
            self.calls = {"edge": MemoryCalls()}
            self.logs = {"rapid7-eu": MemoryLogs()}

    # The bot is measured, and not how often Slack takes a message in a channel.
    with patch.multiple(
        "bot.composition.foundation",
        ProviderRegistry=InMemory,
        SlackPace=lambda *_: SlackPace(1e-6),
    ):
        async with measured_lag(folder / "lag"):
            await opswatch(folder)


@asynccontextmanager
async def measured_lag(path: Path) -> AsyncIterator[None]:
    measuring = asyncio.create_task(write_loop_lag(path))
    yield
    measuring.cancel()


async def write_loop_lag(path: Path) -> None:
    """Repeatedly writes the lag of the event loop, as JSON."""
    loop = asyncio.get_running_loop()
    turns = LoopTurnTimes(loop)
    late_ms: deque[float] = deque(maxlen=LAG_SAMPLES)
    busy_ms: deque[float] = deque(maxlen=LAG_SAMPLES)
    samples = 0
    written_at = 0.0
    while True:
        due = loop.time() + LAG_EVERY_S
        await asyncio.sleep(LAG_EVERY_S)
        late_ms.append(max(0.0, loop.time() - due) * 1000)
        # A timer that is due in one turn is called in the next.
        busy_ms.append(min(late_ms[-1], (time.thread_time() - turns.previous_s) * 1000))
        samples += 1
        if len(late_ms) == LAG_SAMPLES and loop.time() - written_at > 0.5:
            written_at = loop.time()
            lag = {"p99_ms": _p99(late_ms), "busy_p99_ms": _p99(busy_ms), "samples": samples}
            # Replaced as a whole, because another process reads it.
            path.with_suffix(".new").write_text(json.dumps(lag))
            path.with_suffix(".new").replace(path)


class LoopTurnTimes:
    """The processor time of the loop's thread at the beginning of its previous turn."""

    def __init__(self, loop: Any) -> None:
        self.previous_s = 0.0
        current_s = 0.0
        select = loop._selector.select

        def measured(timeout: float | None = None) -> Any:
            nonlocal current_s
            events = select(timeout)
            self.previous_s = current_s
            current_s = time.thread_time()
            return events

        loop._selector.select = measured


def _p99(values: Iterable[float]) -> float:
    return quantiles(values, n=100)[98]


async def logs(folder: Path) -> None:
    """Serves logs. The last group of a log's id is its size in megabytes, and the group before it
    says whether its lines are JSON. The server's address is written to `folder/logs`.
    """
    from aiohttp import web

    blocks = {"0000": log_block(), JSON_LINES: json_block()}

    async def download(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        *_, kind, megabytes = request.match_info["id"].split("-")
        block = blocks[kind]
        for _ in range(int(megabytes) * 1_000_000 // len(block)):
            await response.write(block)
        return response

    app = web.Application()
    app.add_routes([web.get("/download/logs/{id}", download)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    (folder / "logs").write_text(f"http://127.0.0.1:{runner.addresses[0][1]}")
    await asyncio.Event().wait()


def log_lines() -> list[bytes]:
    """The lines of a day in the kitchen, including secrets."""
    from providers.sandbox import seed

    now = datetime.now(UTC)
    return [line.encode() for line in seed.log_lines(seed.KITCHEN, now - timedelta(days=1), now)]


def log_block() -> bytes:
    """A block of some of these lines."""
    return b"\n".join(log_lines())[:65_000].rpartition(b"\n")[0] + b"\n"


def json_block() -> bytes:
    """The same as JSON, in the form that many logging libraries write."""
    lines = []
    for line in log_block().decode().splitlines():
        time, level, logger, message = line.split(" ", 3)
        lines.append(
            json.dumps(
                {"timestamp": time, "level": level, "logger": logger, "message": message},
                separators=(",", ":"),
            )
        )
    return "\n".join(lines).encode() + b"\n"


if __name__ == "__main__":
    name = sys.argv[1]
    folder = Path(sys.argv[2])
    subjects: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {
        "floor": floor,
        "stock": lambda: stock(folder),
        "opswatch": lambda: opswatch(folder),
        "memory": lambda: memory(folder),
        "logs": lambda: logs(folder),
    }
    asyncio.run(subjects[name]())
