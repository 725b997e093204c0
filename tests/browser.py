"""Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Page, async_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--force-color-profile=srgb",
]  # fmt: skip


@asynccontextmanager
async def open_page(
    url: str, *, width: int = 1280, height: int = 900, scale: float = 1
) -> AsyncIterator[Page]:
    """The demo page, ready to type in. Every error of the page's own scripts fails the caller."""
    faults: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        page = await browser.new_page(
            viewport={"width": width, "height": height}, device_scale_factor=scale
        )
        page.on("pageerror", lambda error: faults.append(str(error)))
        await page.goto(url)
        await page.wait_for_selector("body[data-ready]")
        yield page
        await browser.close()
    assert faults == []


async def say(page: Page, line: str) -> None:
    await page.fill("#text", line)
    await page.press("#text", "Enter")
