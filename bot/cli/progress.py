"""Progress on standard error while a question is answered in a terminal."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator

from bot.answer import Progress
from bot.cli.program import is_terminal
from bot.system.terminal_text import terminal_line

# An answer that arrives sooner shows no progress.
SHOWN_AFTER_S = 1.0
REDRAWN_EVERY_S = 0.25
_STATUS = {"in_progress": "working", "complete": "done", "error": "failed"}


@contextlib.asynccontextmanager
async def shown_progress() -> AsyncIterator[Progress]:
    """Progress that is shown while it lasts, where standard error is a terminal."""
    progress = Progress()
    if not is_terminal(sys.stderr):
        yield progress
        return
    showing = asyncio.create_task(_show(progress))
    try:
        yield progress
    finally:
        showing.cancel()
        # Until the line is removed from the terminal, so that the answer begins on a clean one.
        await asyncio.wait([showing])


async def _show(progress: Progress) -> None:
    await asyncio.sleep(SHOWN_AFTER_S)
    # Imported only once progress is shown: most answers arrive before.
    from rich.console import Console

    with Console(stderr=True).status(progress_line(progress)) as status:
        while True:
            await asyncio.sleep(REDRAWN_EVERY_S)
            status.update(progress_line(progress))


def progress_line(progress: Progress) -> str:
    """The work in one line, as markup of a terminal."""
    from rich.markup import escape

    # What a provider says may look like markup.
    return escape(progress_text(progress))


def progress_text(progress: Progress) -> str:
    """The work in one line: in words, or part by part."""
    parts = [
        f"{step.name}: {step.detail or _STATUS[step.status]}" for step in progress.steps.values()
    ]
    return terminal_line(progress.detail or ", ".join(parts) or "Working")
