"""Records the progress of a question in the store, for a process that reports an interruption."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Sequence

from msgspec import Struct

from bot.commands.answering import Clock
from bot.slack.reply_target import ReplyTarget
from bot.slack.response_url import LIVES
from bot.store import QuestionStore, StoredResponseUrl, StoreUnavailable
from providers.redaction import Secret


class ProgressRecord(Struct, frozen=True):
    """Records how the asker of one question is reached, and which message a report may replace."""

    questions: QuestionStore
    target: ReplyTarget
    clock: Clock

    async def save_response_url(self, *, replace: bool) -> None:
        """Stores how the next process reaches the asker after a crash, and whether its report may
        `replace` the message that the response URL has shown.
        """
        target = self.target
        if target.url or target.thread_ts:
            kept = StoredResponseUrl(Secret(target.url), replace, target.thread_ts)
            until = self.clock() + LIVES
            await self.questions.save_response_url(target.delivery, kept, until=until)

    async def before_stream(self) -> None:
        """A quick answer is streamed in two calls: a process that finds only the first one needs
        the thread to end it.
        """
        with contextlib.suppress(StoreUnavailable):
            await self.save_response_url(replace=False)

    async def before_later_report(self) -> None:
        """Nothing could be sent: the asker is reached in the same way later."""
        with contextlib.suppress(StoreUnavailable):
            await self.save_response_url(replace=self.target.state.replace_original)

    async def before_files(self, names: Sequence[str]) -> None:
        """Files follow the answer: a process that finds them unsent reports them by name."""
        with contextlib.suppress(StoreUnavailable):
            await self.questions.note_files(self.target.delivery, names)


def answer_ticket(delivery: str) -> str:
    """The ticket of the answer to a question: the next process finds a private answer by it."""
    return hashlib.sha256(f"answer to {delivery}".encode()).hexdigest()[:32]
