"""Slash commands."""

from __future__ import annotations

import uuid
from typing import Any

from msgspec import Struct
from slack_bolt.async_app import AsyncApp, AsyncBoltContext

from bot.questions.question import CommandName
from bot.questions.registry import COMMANDS
from bot.slack.delivery import ReplyTarget
from handlers.requests import RequestHandler


class SlashCommand(Struct, frozen=True):
    """One slash command, which has been acknowledged already."""

    name: CommandName
    requests: RequestHandler

    async def __call__(self, body: dict[str, Any], context: AsyncBoltContext) -> None:
        words = str(body.get("text") or "")
        target = ReplyTarget(
            user=str(body.get("user_id", "")),
            channel=str(body.get("channel_id", "")),
            response_url=str(body.get("response_url", "")),
            line=f"/{self.name} {words}".strip(),
            # The same when Slack delivers the command again, and new for each one that is typed.
            delivery=str(body.get("trigger_id") or uuid.uuid4().hex),
        )
        context["target"] = target
        await self.requests.ask(self.name, words, target, via="slash")


def register(app: AsyncApp, requests: RequestHandler) -> None:
    for command in COMMANDS.values():
        app.command(f"/{command.name}")(SlashCommand(command.name, requests).__call__)
