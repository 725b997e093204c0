"""What the store knows about the progress of a question, for a process that reports an interruption."""

from __future__ import annotations

import contextlib

from msgspec import Struct

from bot.commands.answering import Clock
from bot.slack.reply_target import ReplyTarget
from bot.slack.response_url import LIVES
from bot.store import KeptResponseUrl, QuestionStore, StoreUnavailable
from providers.redaction import Secret


class ProgressRecord(Struct, frozen=True):
    """Records how the asker of one question is reached, and which message a report may replace."""

    questions: QuestionStore
    target: ReplyTarget
    clock: Clock

    async def keep_response_url(self, *, replace: bool) -> None:
        """Stores how the next process reaches the asker after a crash, and whether its report may
        `replace` the message that the response URL has shown.
        """
        target = self.target
        if target.response_url or target.thread_ts:
            kept = KeptResponseUrl(Secret(target.response_url), replace, target.thread_ts)
            until = self.clock() + LIVES
            await self.questions.keep_response_url(target.delivery, kept, until=until)

    async def before_answer(self) -> None:
        """The answer is about to replace private progress: a process that reports an interruption
        cannot see whether it has, and so must replace nothing.
        """
        if not self.target.state.replace_original:
            return
        with contextlib.suppress(StoreUnavailable):
            await self.keep_response_url(replace=False)

    async def before_files(self) -> None:
        """The answer is in the place of the progress: a process that reports a crash during the
        upload of its files must not replace it.
        """
        with contextlib.suppress(StoreUnavailable):
            await self.questions.note_shown(self.target.delivery, "")
            await self.questions.take_response_url(self.target.delivery, now=self.clock())
