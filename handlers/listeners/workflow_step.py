"""The step *Ask Opswatch* of Slack's Workflow Builder (“Custom steps”): asks a question and posts the
answer in a channel.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from typing import Any

from msgspec import Struct
from slack_bolt.async_app import AsyncApp
from slack_bolt.context.complete.async_complete import AsyncComplete
from slack_bolt.context.fail.async_fail import AsyncFail

from bot.access import visible_directory
from bot.blocks import kit
from bot.commands.answering import AnswerContext, Answerer, lazy_temp_dir
from bot.errors import AccessDenied, BadQuestion
from bot.formatting import join_words
from bot.questions.question import CommandName
from bot.questions.reading import read_question, split_line
from bot.questions.registry import COMMANDS
from bot.slack.manifest import ASK_STEP
from bot.slack.outbox import Outbox
from bot.slack.private_reasons import MAYBE_SHARED_CHANNEL
from bot.slack.text import unescape_input
from bot.store import OutboxStore, Post
from handlers.error_messages import error_message, log_failure
from handlers.jobs.digests import file_posts
from handlers.permissions import Permissions, Requester
from handlers.saved_questions import SavedQuestionManager
from handlers.typed_secrets import SecretCheck

log = logging.getLogger("opswatch")


class WorkflowStep(Struct, frozen=True):
    """Asks as the channel, not as a person: a workflow can name anybody as the one who runs it.

    So a question is answered only where everybody in the channel has access, and nothing of the
    answer is an output of the step, which the workflow could send elsewhere.
    """

    answering: Answerer
    permissions: Permissions
    posts: OutboxStore
    outbox: Outbox
    secrets: SecretCheck
    saved_questions: SavedQuestionManager
    zone: tzinfo
    clock: Callable[[], datetime]

    async def __call__(
        self, event: dict[str, Any], complete: AsyncComplete, fail: AsyncFail
    ) -> None:
        try:
            posts = await self._posts(event.get("inputs") or {}, _key(event))
        except Exception as error:
            shown = error_message(error)
            log_failure(error, "A workflow step failed", level=shown.log_level)
            await fail(error=self.secrets.redacted(f"{shown.message} {shown.hint}".strip()))
            return
        for post in posts:
            # Its key keeps a step that Slack delivers again from being posted twice.
            await self.posts.enqueue(post, now=self.clock())
        self.outbox.wake()
        await complete()

    async def _posts(self, inputs: Mapping[str, Any], key: str) -> list[Post]:
        """The answer and its files. Raises BadQuestion and AccessDenied."""
        channel = str(inputs.get("channel") or "")
        if not channel:
            raise BadQuestion("The step names no channel.", "Choose one in the Workflow Builder.")
        command, words = split_line(unescape_input(str(inputs.get("question") or "")))
        # Before the words are read: a refusal of theirs names accounts.
        await self._require(command, channel)
        words = await self.saved_questions.expand(command, words, Requester("", channel))
        directory = visible_directory(self.answering.directory, self._public(channel))
        question = read_question(command, words, directory, now=self.clock(), zone=self.zone)
        self.secrets.refuse(question.line, COMMANDS.help_line)
        with lazy_temp_dir() as folder:
            answer = await self.answering.answer(question, AnswerContext(folder, self.zone))
            files, too_large = await file_posts(answer, key, channel)
        note = f"without {join_words(too_large)}: too large for a workflow" if too_large else ""
        text = f"Workflow{f' ({note})' if note else ''}: {answer.text}"
        head = kit.context("Asked by a workflow" + (f" · {kit.escaped(note)}" if note else ""))
        blocks = [*answer.blocks[:1], head, *answer.blocks[1:]]
        return [Post(key, channel, text, blocks), *files]

    def _public(self, channel: str) -> list[CommandName]:
        return [name for name in COMMANDS if self.permissions.access.is_public(name, channel)]

    async def _require(self, command: CommandName, channel: str) -> None:
        """Raises AccessDenied unless everybody in the channel has access."""
        is_public = self.permissions.access.is_public(command, channel)
        reason = await self.permissions.private_reason(command, channel)
        if reason == MAYBE_SHARED_CHANNEL:
            raise AccessDenied(
                f"A workflow cannot ask /{command} there now: Slack does not say whether the channel is "
                "shared with another organisation.",
                "Invite the bot with `/invite @Opswatch`, or try again in a minute.",
            )
        if not is_public or reason:
            raise AccessDenied(
                f"A workflow cannot ask /{command} there, because not everybody in the channel may.",
                f"Ask the operator to add the channel to `{command}` under [access] in bot.toml.",
            )


def _key(event: Mapping[str, Any]) -> str:
    return f"workflow:{event.get('function_execution_id', '')}"


def register(app: AsyncApp, step: WorkflowStep) -> None:
    app.function(ASK_STEP)(step.__call__)
