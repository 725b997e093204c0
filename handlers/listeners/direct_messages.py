"""Plain messages to the bot, where the app has Slack's agent surface (“Developing agents”): threads
that begin with suggested prompts, are named by their question, and show a status while it is being
answered.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from msgspec import Struct
from slack_bolt.async_app import AsyncApp, AsyncBoltContext

from bot.blocks.overview import TITLE
from bot.questions.registry import COMMANDS
from handlers.listeners.alert_messages import AlertMessages
from handlers.listeners.message_questions import MessageQuestions, is_from_person
from handlers.requests import RequestHandler

# Another process stores the thread of a question once it shows progress, which is a moment later.
LOOK_AGAIN_AFTER_S = (1.0, 2.0)
STATUS = "is looking it up…"


class DirectMessage(Struct, frozen=True):
    """Answers what people write to the bot, as it answers mentions."""

    requests: RequestHandler
    alerts: AlertMessages

    async def __call__(
        self, event: dict[str, Any], body: dict[str, Any], context: AsyncBoltContext
    ) -> None:
        # A mention in a channel comes as an event of its own.
        if event.get("channel_type") != "im" or not is_from_person(event):
            return
        channel = str(event.get("channel", ""))
        thread = str(event.get("thread_ts") or "")
        text = str(event.get("text", ""))
        threads = self.requests.delivery.agent_threads
        async with threads.status(channel, thread, STATUS):
            questions = MessageQuestions(self.requests, self.alerts)
            await questions.ask(text, event, body, context, via="message")
        # Set again with each question, since another one may change what the thread is about.
        if line := context["target"].line:
            title = self.requests.redactor.text(line.removeprefix("/"))
            await threads.set_title(channel, thread, title)


class AgentSessionStopped(Struct, frozen=True):
    """Cancels what a person is waiting for in a thread that they have stopped. Slack has ended the
    streams of the thread already.
    """

    requests: RequestHandler

    async def __call__(self, event: dict[str, Any]) -> None:
        channel = str(event.get("channel") or "")
        thread = str(event.get("thread_ts") or "")
        cancel = partial(
            self.requests.cancel_in_thread,
            channel,
            thread,
            str(event.get("user") or ""),
            stopped_ts=str(event.get("event_ts") or ""),
            before=self.requests.clock(),
        )
        try:
            await cancel()
        finally:
            await self.requests.delivery.agent_threads.end_processing(channel, thread)
        if self.requests.store.pace.is_shared:
            for wait_s in LOOK_AGAIN_AFTER_S:
                await asyncio.sleep(wait_s)
                await cancel()


class AgentThreadStarted(Struct, frozen=True):
    """Suggests questions in a new thread: an example of each command that the person may ask."""

    requests: RequestHandler

    async def __call__(self, event: dict[str, Any]) -> None:
        thread = event.get("assistant_thread") or {}
        channel = str(thread.get("channel_id", ""))
        if prompts := await self._prompts(str(thread.get("user_id", "")), channel):
            await self.requests.delivery.agent_threads.suggest(
                channel, str(thread.get("thread_ts", "")), TITLE, prompts
            )

    async def _prompts(self, user: str, channel: str) -> list[tuple[str, str]]:
        permissions = self.requests.permissions
        asker = await permissions.requester(user, channel)
        everything = self.requests.answering.directory
        directory = permissions.directory(everything, asker)
        shown = COMMANDS.with_accounts(permissions.allowed(asker), everything)
        commands = [COMMANDS[name] for name in shown]
        # Slack would take a leading slash for a slash command.
        return [(each.description, each.example(directory).removeprefix("/")) for each in commands]


def register(app: AsyncApp, requests: RequestHandler, alerts: AlertMessages) -> None:
    app.event("message")(DirectMessage(requests, alerts).__call__)
    app.event("assistant_thread_started")(AgentThreadStarted(requests).__call__)
    app.event("agent_session_stopped")(AgentSessionStopped(requests).__call__)
