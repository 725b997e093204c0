"""Questions in plain messages. In the thread of an answer, words such as `last 30 days` ask its
question again with that change. Elsewhere they are a question, with or without the name of its
command.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from slack_bolt.async_app import AsyncBoltContext

from bot.answer import Block
from bot.blocks import messages as block_messages
from bot.blocks.overview import overview
from bot.errors import AccessDenied, BadQuestion
from bot.formatting import join_words
from bot.questions.reading import LONGEST_QUESTION, apply_follow_up, read_question_line
from bot.questions.registry import COMMANDS
from bot.slack.delivery import ReplyTarget
from bot.slack.text import unescape_input
from handlers.listeners.alert_messages import AlertMessages
from handlers.requests import RequestHandler, split_command


class MessageQuestions(Struct, frozen=True):
    """Answers the questions of plain messages, in their thread."""

    requests: RequestHandler
    alerts: AlertMessages

    async def ask(
        self,
        text: str,
        event: Mapping[str, Any],
        body: Mapping[str, Any],
        context: AsyncBoltContext,
        *,
        via: str,
    ) -> None:
        """Answers the words of a message event. Raises BadQuestion."""
        target = context["target"] = reply_target(event, body)
        # Which id a message of the bot has depends on how it was posted.
        own_ids = {
            own for own in (context.bot_user_id, context.bot_id, body.get("api_app_id")) if own
        }
        text = _checked(text)
        line = "" if _asks_for_help(text) else await self._line(text, event, target, own_ids)
        if not line:
            await self._send_overview(target)
            return
        target = context["target"] = replace(target, line=line)
        command, words = split_command(target.line)
        await self.requests.ask(command, words, target, via=via)

    async def _send_overview(self, target: ReplyTarget) -> None:
        requests = self.requests
        asker = await requests.permissions.requester(target.user, target.channel)
        allowed = requests.permissions.allowed(asker)
        if not allowed:
            raise AccessDenied("You don't have access to any command here.")
        everything = requests.answering.directory
        directory = requests.permissions.directory(everything, asker)
        shown = COMMANDS.with_accounts(allowed, everything)
        await requests.delivery.send_note(target, overview(directory, shown))

    async def _line(
        self,
        text: str,
        event: Mapping[str, Any],
        target: ReplyTarget,
        own_ids: Collection[str],
    ) -> str:
        """The question of the message; empty where there are no words. Raises BadQuestion."""
        first, _, rest = text.partition(" ")
        name = first.removeprefix("/").lower()
        if name in COMMANDS:
            return f"/{name} {rest}".strip()
        thread = await self._thread(event, target, own_ids)
        asker = partial(self.requests.permissions.requester, target.user, target.channel)
        if about := await self.alerts.line(text, thread, asker):
            return about
        if answered := _question_of(thread):
            return await self._follow_up(answered, text, target)
        # Outside a thread the command may be left out: `what failed on edge today?`.
        return _question_by_topic(text)

    async def _follow_up(self, answered: str, text: str, target: ReplyTarget) -> str:
        """The question of an answer with the change that the text asks for, or as it was."""
        requests = self.requests
        # Before the words are read: a refusal of theirs names accounts.
        await requests.require(split_command(answered)[0], target.user, target.channel)
        zone = await requests.people.zone(target.user)
        directory = requests.answering.directory
        now = requests.clock()
        question = read_question_line(answered, directory, now=now, zone=zone)
        if not text:
            return question.line
        return apply_follow_up(question, text, directory, now=now, zone=zone).line

    async def _thread(
        self, event: Mapping[str, Any], target: ReplyTarget, own_ids: Collection[str]
    ) -> list[list[Block]]:
        """The blocks of our messages in the thread, the oldest first."""
        if not event.get("thread_ts"):
            return []
        return await self.requests.delivery.thread(
            target.channel, target.thread_ts, own_ids=own_ids
        )


def _question_of(thread: Sequence[Sequence[Block]]) -> str:
    """The question of our latest answer in a thread; empty if there is none."""
    lines = (block_messages.extract_question(blocks) for blocks in reversed(thread))
    return next(filter(None, lines), "")


def is_from_person(event: Mapping[str, Any]) -> bool:
    """Whether a person wrote the message: two bots that answer each other would never stop."""
    is_bot = event.get("bot_id") or event.get("bot_profile")
    return bool(event.get("user")) and not is_bot and not event.get("subtype")


def reply_target(event: Mapping[str, Any], body: Mapping[str, Any]) -> ReplyTarget:
    """The thread of the message, or the one that begins with it."""
    ts = str(event.get("ts", ""))
    is_direct = event.get("channel_type") == "im"
    return ReplyTarget(
        user=str(event.get("user", "")),
        channel=str(event.get("channel", "")),
        response_url="",
        line="",
        thread_ts=str(event.get("thread_ts") or ts),
        # Slack delivers an event again with the same event_id ("Events API", retries).
        delivery=str(body.get("event_id") or ts),
        # Nobody else sees direct messages, so that nothing in them is private beyond that.
        direct=is_direct,
        # A thread of Slack's agent surface begins before anybody writes in it.
        streams=is_direct and bool(event.get("thread_ts")),
        asked_ts=ts,
    )


def _checked(text: str) -> str:
    """The words as people typed them. Raises BadQuestion if they are too long for a question."""
    if len(text) > LONGEST_QUESTION:
        raise BadQuestion(
            f"That is too long for a question; at most {LONGEST_QUESTION:,} characters are read.",
            COMMANDS.help_line,
        )
    return unescape_input(text).strip()


def _asks_for_help(text: str) -> bool:
    """Whether somebody who does not know the bot asks what it answers."""
    return " ".join(text.lower().replace("?", " ").split()) in _HELP


_HELP = frozenset({"help", "help me", "commands", "what can you do", "hi", "hello"})


def _question_by_topic(text: str) -> str:
    """The question of words without a command, by the topic words of a command; empty without
    words. Raises BadQuestion where no command has such a topic.
    """
    words = text.split()
    plain = [word.lower().strip(".,;:?!") for word in words]
    for command in COMMANDS.values():
        topics = command.topics
        if topics.words.isdisjoint(plain):
            continue
        # A topic such as `failures` is an option, too, and stays.
        left = [
            word
            for word, spelling in zip(words, plain, strict=True)
            if spelling in topics.options or spelling not in topics.words
        ]
        return f"/{command.name} {' '.join(left)}".strip()
    if not words:
        return ""
    raise BadQuestion(
        "In the thread of an answer, say what to change; elsewhere begin with "
        f"{join_words([*COMMANDS], conjunction='or')}.",
        COMMANDS.help_line,
    )
