"""Threads of Slack's agent surface: suggested prompts, the title, and the status under a thread
(“assistant.threads.*”), and the status of their session (“Agent sessions”).
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from msgspec import Struct

from bot.errors import SlackDeliveryUnknown, SlackRefused, SlackUnreachable
from bot.formatting import sanitise, truncate
from bot.slack.client import SlackClient
from bot.slack.pace import NoRoom, Priority

log = logging.getLogger("opswatch")
# As many as Slack shows (“assistant.threads.setSuggestedPrompts”).
MOST_PROMPTS = 4
# Slack shows about so many characters; its page names no limit.
MOST_TITLE = 100


class AgentThreads(Struct, frozen=True):
    """Decorates threads. Whatever Slack does not accept is skipped, since answers do not depend on
    it.
    """

    client: SlackClient

    async def suggest(
        self, channel: str, thread_ts: str, title: str, prompts: Sequence[tuple[str, str]]
    ) -> None:
        """Offers questions in a new thread, each with a label and the message it sends."""
        shown = [{"title": label, "message": text} for label, text in prompts[:MOST_PROMPTS]]
        await self._call(
            "assistant.threads.setSuggestedPrompts", channel, thread_ts, title=title, prompts=shown
        )

    async def set_title(self, channel: str, thread_ts: str, title: str) -> None:
        """Names a thread in the person's list of threads."""
        shown = truncate(sanitise(title), MOST_TITLE)
        await self._call("assistant.threads.setTitle", channel, thread_ts, title=shown)

    @asynccontextmanager
    async def status(self, channel: str, thread_ts: str, text: str) -> AsyncIterator[None]:
        """Shows the text under the thread for as long as something is worked on; nothing where the
        app has no agent surface, so that a direct message begins no thread.
        """
        await self._call("assistant.threads.setStatus", channel, thread_ts, status=text)
        try:
            yield
        finally:
            # A message that everybody sees removes the status, a private one does not.
            await self._call("assistant.threads.setStatus", channel, thread_ts, status="")

    async def end_processing(self, channel: str, thread_ts: str) -> None:
        """Removes the stop button, which Slack leaves to the app (“agent_session_stopped”)."""
        await self._call("agents.sessions.setStatus", channel, thread_ts, status="active")

    async def _call(self, method: str, channel: str, thread_ts: str, **arguments: Any) -> None:
        if not thread_ts:
            return
        try:
            await self.client.at(Priority.PROGRESS).call(
                method, channel_id=channel, thread_ts=thread_ts, **arguments
            )
        except NoRoom:
            pass
        except (SlackRefused, SlackUnreachable, SlackDeliveryUnknown) as error:
            log.info("%s had no effect: %s", method, error)
