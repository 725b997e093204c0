"""Shares one answer among people who ask the same question at the same moment, such as at the
beginning of an incident: each account is asked once, and the report is made once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from datetime import timedelta, tzinfo

from msgspec import Struct

from bot.answer import Answer, Progress
from bot.commands.answer_resources import AnswerResources
from bot.commands.answering import AnswerContext
from bot.questions.question import Question
from bot.system.loop_turns import LoopTurns
from providers.errors import ProviderError
from providers.models import Window

# An answer that was begun earlier may lack what the person has just seen happen.
SHARED_WITHIN_S = 1.0
# All who share an answer get it at once, and each of them posts it.
ANSWERS_PER_LOOP_TURN = 8


class _Work(Struct):
    """The work on an answer. `outcome` is None if the others cannot use it. Files can be shared where
    `resources` keep them until everybody has received them.
    """

    started_at: float
    window: Window | None
    progress: Progress
    resources: AnswerResources | None
    outcome: asyncio.Future[Answer | ProviderError | None]

    @property
    def is_recent(self) -> bool:
        return time.monotonic() - self.started_at <= SHARED_WITHIN_S

    def is_about(self, window: Window | None) -> bool:
        """Whether the window is the same, but for the time between the two questions. After
        midnight the same words are about another day.
        """
        if self.window is None or window is None:
            return self.window is window
        apart = (abs(self.window.start - window.start), abs(self.window.end - window.end))
        return max(apart) <= timedelta(seconds=SHARED_WITHIN_S)


class SharedAnswers:
    """The answers in progress. A finished answer is not kept: the next question gets a new one."""

    def __init__(self) -> None:
        self._in_progress: dict[Hashable, _Work] = {}
        self._loop_turns = LoopTurns(ANSWERS_PER_LOOP_TURN)

    async def answer(
        self,
        question: Question,
        context: AnswerContext,
        answer: Callable[[Question, AnswerContext], Awaitable[Answer]],
        resources: AnswerResources | None = None,
    ) -> Answer:
        """The result of `answer`, or of the same work for somebody else that began within the last
        second. `resources` hold the files of the answer.
        """
        key = _key(question, context.zone)
        if key is None:
            return await answer(question, context)
        # Once only: people whose answers have files would otherwise wait for each other in a row.
        window = question.window.window if question.window else None
        work = self._in_progress.get(key)
        is_joined = work and work.is_recent and work.is_about(window)
        if work and is_joined and (shared := await self._joined(work, context.progress, resources)):
            return shared
        work = _Work(
            time.monotonic(),
            window,
            context.progress,
            resources,
            asyncio.get_running_loop().create_future(),
        )
        return await self._shared(key, work, answer(question, context))

    async def _joined(
        self, work: _Work, progress: Progress, resources: AnswerResources | None
    ) -> Answer | None:
        """The answer to somebody else; None if it cannot be shared."""
        can_share_files = resources is not None and work.resources is not None
        if resources and work.resources:
            resources.share(work.resources)
        progress.shared = work.progress
        try:
            # Cancelling one question must not cancel the work that others wait for.
            outcome = await asyncio.shield(work.outcome)
        finally:
            progress.shared = None
        await self._loop_turns.next()
        if isinstance(outcome, ProviderError):
            raise outcome
        return None if outcome and outcome.files and not can_share_files else outcome

    async def _shared(self, key: Hashable, work: _Work, answering: Awaitable[Answer]) -> Answer:
        """The answer; people who ask the same meanwhile get it, too."""
        self._in_progress[key] = work
        outcome: Answer | ProviderError | None = None
        try:
            answer = outcome = await answering
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
    """What the answer depends on beside its window, of which the instants of `last hour` differ from
    question to question; None if it is not shared.
    """
    shared_as = question.shared_as
    return None if shared_as is None else (shared_as, zone)
