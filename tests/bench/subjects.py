"""What is measured, each in a process of its own: `python -m tests.bench.subjects floor|stock|opswatch FOLDER`.

`floor` is a bare aiohttp echo of Socket Mode, `stock` a slack-bolt AsyncApp that acks and responds once.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

API, BOT, APP = os.environ["SLACK_API_URL"], os.environ["SLACK_BOT_TOKEN"], os.environ["SLACK_APP_TOKEN"]


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


async def stock() -> None:
    from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
    from slack_bolt.async_app import AsyncApp
    from slack_sdk.web.async_client import AsyncWebClient

    os.environ.pop("SLACK_BOT_TOKEN")
    app = AsyncApp(client=AsyncWebClient(token=BOT, base_url=API))

    @app.command("/usage")
    async def usage(ack, respond) -> None:  # type: ignore[no-untyped-def]
        await ack()
        await respond("in 7 days")

    handler = AsyncSocketModeHandler(app, APP, web_client=app.client)
    await handler.start_async()


async def opswatch(folder: Path) -> None:
    from bot.app import run_bot
    from bot.config import read_settings, slack_tokens

    await run_bot(read_settings(folder / "bot.toml"), slack_tokens("socket"))


if __name__ == "__main__":
    name, folder = sys.argv[1], Path(sys.argv[2])
    asyncio.run({"floor": floor, "stock": stock, "opswatch": lambda: opswatch(folder)}[name]())
