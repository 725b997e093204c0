"""Mentions. In the thread of an answer, `@Opswatch last 30 days` asks its question again with that
change. Elsewhere the mention is a question, with or without the name of its command.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from slack_bolt.async_app import AsyncApp, AsyncBoltContext

from bot.blocks import messages as block_messages
from bot.errors import BadQuestion
from bot.formatting import join_words
from bot.questions.reading import LONGEST_QUESTION, apply_follow_up, read_question_line
from bot.questions.registry import COMMANDS
from bot.slack.delivery import ReplyTarget
from bot.slack.text import unescape_input
from handlers.requests import RequestHandler, split_command

# `<@U012AB>`, or `<@U012AB|name>` in older clients, with the colon that people put behind it.
_MENTION = re.compile(r"^\s*<@[A-Z0-9]+(?:\|[^>]*)?>[\s,:]*")


@dataclass(frozen=True, slots=True)
class Mention:
    """Answers mentions in the thread, where Slack allows no slash commands."""

    requests: RequestHandler

    async def __call__(
        self, event: dict[str, Any], body: dict[str, Any], context: AsyncBoltContext
    ) -> None:
        user = str(event.get("user", ""))
        channel = str(event.get("channel", ""))
        ts = str(event.get("ts", ""))
        # Two bots that answer each other's mentions would never stop.
        if not user or event.get("bot_id") or event.get("bot_profile") or event.get("subtype"):
            return
        target = context["target"] = ReplyTarget(
            user=user,
            channel=channel,
            response_url="",
            line="",
            thread_ts=str(event.get("thread_ts") or ts),
            # Slack delivers an event again with the same event_id ("Events API", retries).
            delivery=str(body.get("event_id") or ts),
        )
        # Which id a message of the bot has depends on how it was posted.
        own_ids = {
            own for own in (context.bot_user_id, context.bot_id, body.get("api_app_id")) if own
        }
        line = await self._line(_words_after_mention(event), event, target, own_ids)
        target = context["target"] = replace(target, line=line)
        command, words = split_command(target.line)
        await self.requests.ask(command, words, target, via="mention")

    async def _line(
        self, text: str, event: dict[str, Any], target: ReplyTarget, own_ids: Collection[str]
    ) -> str:
        """The question of the mention. Raises BadQuestion."""
        name = text.partition(" ")[0].removeprefix("/").lower()
        if name in COMMANDS:
            return f"/{name} {text.partition(' ')[2]}".strip()
        asked = await self._question_of_thread(event, target, own_ids)
        if not asked:
            # A mention outside a thread may leave out the command: `@Opswatch what failed on edge
            # today?`.
            if line := _question_by_topic(text):
                return line
            raise BadQuestion(
                (
                    "In the thread of an answer, say what to change; elsewhere begin with "
                    f"{join_words([*COMMANDS], conjunction='or')}."
                ),
                COMMANDS.help_line,
            )
        requests = self.requests
        now = self.requests.clock()
        # Before the words are read: a refusal of theirs names accounts.
        await requests.require(split_command(asked)[0], target.user, target.channel)
        zone = await requests.people.zone(target.user)
        question = read_question_line(asked, requests.answering.directory, now=now, zone=zone)
        return (
            apply_follow_up(question, text, requests.answering.directory, now=now, zone=zone).line
            if text
            else question.line
        )

    async def _question_of_thread(
        self, event: dict[str, Any], target: ReplyTarget, own_ids: Collection[str]
    ) -> str:
        """The question of our latest answer in the thread; empty if there is none."""
        if not event.get("thread_ts"):
            return ""
        messages = await self.requests.delivery.thread(
            target.channel, target.thread_ts, own_ids=own_ids
        )
        return next(
            (
                line
                for blocks in reversed(messages)
                if (line := block_messages.extract_question(blocks))
            ),
            "",
        )


def _words_after_mention(event: Mapping[str, Any]) -> str:
    """The words after the mention. Raises BadQuestion if they are too long for a question."""
    text = str(event.get("text", ""))
    if len(text) > LONGEST_QUESTION:
        raise BadQuestion(
            f"That is too long for a question; at most {LONGEST_QUESTION:,} characters are read.",
            COMMANDS.help_line,
        )
    return unescape_input(_MENTION.sub("", text)).strip()


def _question_by_topic(text: str) -> str:
    """The question of words without a command, by the topic words of a command; empty if there are
    none.
    """
    words = text.split()
    spoken = [word.lower().strip(".,;:?!") for word in words]
    for command in COMMANDS.values():
        topics = command.topics.words
        kept = command.topics.options
        if not topics.isdisjoint(spoken):
            others = [
                word
                for word, plain in zip(words, spoken, strict=True)
                if plain in kept or plain not in topics
            ]
            return f"/{command.name} {' '.join(others)}".strip()
    return ""


def register(app: AsyncApp, requests: RequestHandler) -> None:
    app.event("app_mention")(Mention(requests).__call__)
