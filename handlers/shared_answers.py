"""Shares one answer among people who ask the same question at the same moment, such as at the
beginning of an incident: each account is asked once, and the report is made once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Hashable
from datetime import timedelta, tzinfo
from typing import Any

from msgspec import Struct

from bot.answer import Answer, Progress
from bot.commands.answer_resources import AnswerResources
from bot.commands.answering import AnswerContext
from bot.questions.question import Question
from bot.system.loop_turns import LoopTurns
from providers.models import Window

# An answer that was begun earlier may lack what the person has just seen happen.
SHARED_WITHIN_S = 1.0
# All who share an answer get it at once, and each of them posts it.
ANSWERS_PER_LOOP_TURN = 8


class _Work(Struct):
    """The work on an answer, in a task of its own, so that nobody who leaves ends it for the others."""

    started_at: float
    window: Window | None
    progress: Progress
    resources: AnswerResources
    task: asyncio.Task[Answer]
    askers: int = 0

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
        answer: Callable[[Question, AnswerContext], Coroutine[Any, Any, Answer]],
        resources: AnswerResources,
    ) -> Answer:
        """The result of `answer`, or of the same work for somebody else that began within the last
        second. `resources` hold the files of the answer.
        """
        key = _key(question, context.zone)
        if key is None:
            return await answer(question, context)
        window = question.window.window if question.window else None
        work = self._in_progress.get(key)
        if work is None or not (work.is_recent and work.is_about(window)):
            task = asyncio.create_task(answer(question, context))
            work = _Work(time.monotonic(), window, context.progress, resources, task)
            self._begin(key, work)
        return await self._result(key, work, context.progress, resources)

    def _begin(self, key: Hashable, work: _Work) -> None:
        self._in_progress[key] = work
        # The work may outlast the person who asked first.
        work.resources.hold()

        def end(task: asyncio.Task[Answer]) -> None:
            self._forget(key, work)
            if not task.cancelled():
                # Nobody may wait for it any more; else asyncio would log that it was not read.
                task.exception()
            work.resources.release()

        work.task.add_done_callback(end)

    def _forget(self, key: Hashable, work: _Work) -> None:
        """Nobody joins the work any more."""
        # A later one may have taken its place.
        if self._in_progress.get(key) is work:
            del self._in_progress[key]

    async def _result(
        self, key: Hashable, work: _Work, progress: Progress, resources: AnswerResources
    ) -> Answer:
        """The answer for one of those who wait for it."""
        is_joined = work.resources is not resources
        work.askers += 1
        work.resources.hold()
        if is_joined:
            progress.shared = work.progress
        try:
            answer = await asyncio.shield(work.task)
            await self._loop_turns.next()
            if is_joined and answer.files:
                resources.share(work.resources)
            return answer
        finally:
            progress.shared = None
            work.resources.release()
            await self._leave(key, work)

    async def _leave(self, key: Hashable, work: _Work) -> None:
        """Cancels the work with the last who waits for it."""
        work.askers -= 1
        if work.askers or work.task.done():
            return
        self._forget(key, work)
        work.task.cancel()
        await asyncio.wait({work.task})


def _key(question: Question, zone: tzinfo) -> Hashable | None:
    """What the answer depends on beside its window, of which the instants of `last hour` differ from
    question to question; None if it is not shared.
    """
    shared_as = question.shared_as
    return None if shared_as is None else (shared_as, zone)
