"""Mentions: `@Opswatch last 30 days` in the thread of an answer, or `@Opswatch usage today`."""

from __future__ import annotations

import re
from typing import Any

from msgspec import Struct
from slack_bolt.async_app import AsyncApp, AsyncBoltContext

from handlers.listeners.alert_messages import AlertMessages
from handlers.listeners.message_questions import MessageQuestions, is_from_person
from handlers.requests import RequestHandler

# `<@U012AB>`, or `<@U012AB|name>` in older clients, with the colon that people put after it.
_MENTION = re.compile(r"^\s*<@[A-Z0-9]+(?:\|[^>]*)?>[\s,:]*")


class Mention(Struct, frozen=True):
    """Answers mentions in the thread, where Slack allows no slash commands."""

    questions: MessageQuestions

    async def __call__(
        self, event: dict[str, Any], body: dict[str, Any], context: AsyncBoltContext
    ) -> None:
        if is_from_person(event):
            words = _MENTION.sub("", str(event.get("text", "")))
            await self.questions.ask(words, event, body, context, via="mention")


def register(app: AsyncApp, requests: RequestHandler, alerts: AlertMessages) -> None:
    app.event("app_mention")(Mention(MessageQuestions(requests, alerts)).__call__)
