"""Shares one answer among people who ask the same question at the same moment, such as at the
beginning of an incident: each account is asked once, and the report is made once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from datetime import tzinfo

from msgspec import Struct

from bot.answer import Answer, Progress
from bot.commands.answering import AnswerContext
from bot.questions.question import Question, TableQuestion
from providers.errors import ProviderError

# An answer that was begun earlier may lack what the person has just seen happen.
SHARED_WITHIN_S = 1.0


class _Work(Struct):
    """The work on an answer. `outcome` is None if the others cannot use it."""

    started_at: float
    progress: Progress
    outcome: asyncio.Future[Answer | ProviderError | None]

    @property
    def is_recent(self) -> bool:
        return time.monotonic() - self.started_at <= SHARED_WITHIN_S


class SharedAnswers:
    """The answers in progress. A finished answer is not kept: the next question gets a new one."""

    def __init__(self) -> None:
        self._in_progress: dict[Hashable, _Work] = {}

    async def answer(
        self,
        question: Question,
        context: AnswerContext,
        answer: Callable[[Question, AnswerContext], Awaitable[Answer]],
    ) -> Answer:
        """The result of `answer`, or of the same work for somebody else that began within the last
        second.
        """
        key = _key(question, context.zone)
        if key is None:
            return await answer(question, context)
        # Once only: people whose answers have files would otherwise wait for each other in a row.
        if (work := self._in_progress.get(key)) and work.is_recent:
            context.progress.steps = work.progress.steps
            # Cancelling one question must not cancel the work that others wait for.
            outcome = await asyncio.shield(work.outcome)
            if isinstance(outcome, ProviderError):
                raise outcome
            if outcome is not None:
                return outcome
            context.progress.steps = {}
        return await self._shared(key, context.progress, answer(question, context))

    async def _shared(
        self, key: Hashable, progress: Progress, answering: Awaitable[Answer]
    ) -> Answer:
        """The answer; people who ask the same meanwhile get it, too."""
        work = _Work(time.monotonic(), progress, asyncio.get_running_loop().create_future())
        self._in_progress[key] = work
        outcome: Answer | ProviderError | None = None
        try:
            answer = await answering
            # Files are deleted with the question that they were made for.
            outcome = None if answer.files else answer
        except ProviderError as error:
            outcome = error
            raise
        finally:
            # A later one may have taken its place.
            if self._in_progress.get(key) is work:
                del self._in_progress[key]
            work.outcome.set_result(outcome)
        return answer


def _key(question: Question, zone: tzinfo) -> Hashable | None:
    """What the answer depends on; None if it is not shared. The instants of the window are left out,
    since those of `last hour` differ from question to question.
    """
    if not isinstance(question, TableQuestion) or question.csv:
        return None
    return (question.line, question.accounts, question.parts, zone)
