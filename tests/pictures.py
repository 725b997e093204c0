"""The pictures of the README, taken from the demo page: `make pictures`."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from playwright.async_api import Page

from bot.sandbox.demo import open_demo, watched_alerts
from tests.browser import CHROMIUM, open_page, say
from tests.conftest import ROOT

FOLDER = ROOT / "tests" / "pictures"
PICTURES = {
    "usage": ("/usage last 7 days", 1060),
    "apiaudit": ("/apiaudit 24h", 1210),
    "logs": ("/logs kitchen 2h where(/error/i)", 1180),
}


async def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    await _alert()
    for name, (line, height) in PICTURES.items():
        with tempfile.TemporaryDirectory() as folder:
            async with (
                open_demo(Path(folder)) as sandbox,
                open_page(sandbox.slack.url, width=1180, height=height) as page,
            ):
                await _take(page, line, FOLDER / f"{name}.png")


async def _alert() -> None:
    """The alert that a visitor to the demo sees."""
    with tempfile.TemporaryDirectory() as folder:
        watched = [{**alert, "every": "5s"} for alert in watched_alerts()]
        async with (
            open_demo(Path(folder), alert=watched) as sandbox,
            open_page(sandbox.slack.url, width=1180, height=640) as page,
        ):
            await page.wait_for_selector("article .header")
            await sandbox.slack.until(lambda: len(sandbox.slack.messages) >= 1)
            await page.wait_for_timeout(700)
            await page.evaluate("document.activeElement.blur()")
            await page.screenshot(path=FOLDER / "alert.png")


async def _take(page: Page, line: str, path: Path) -> None:
    await say(page, line)
    await page.wait_for_selector("article .header")
    await page.wait_for_timeout(700)
    await page.evaluate("document.getElementById('messages').scrollTop = 0")
    await page.evaluate("document.activeElement.blur()")
    await page.screenshot(path=path)


if __name__ == "__main__":
    if CHROMIUM is None:
        raise SystemExit("The pictures need Chromium: apt-get install chromium")
    asyncio.run(main())
