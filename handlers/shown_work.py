"""The work of a question: shown with its progress while it takes long, and cancelled by its asker."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta

from msgspec import Struct

from bot.answer import Answer, Progress, Step
from bot.commands.answering import Clock
from bot.formatting import format_duration
from bot.slack.delivery import Delivery, ReplaceMode, ReplyTarget
from bot.slack.pace import NoRoom
from bot.slack.reply_target import StreamState
from bot.slack.users import RIGHTS_KEPT_S
from bot.store import QuestionStore, StoreUnavailable
from handlers.error_messages import Cancelled, Stopping, log_failure
from handlers.progress_record import ProgressRecord
from handlers.running_tasks import Cancellable, RunningTasks
from providers.redaction import Redactor

# Work that takes longer is shown, with a button that cancels it.
SHOW_WORK_AFTER_S = 0.8
# `chat.update` takes about 50 calls a minute, for all questions in progress together.
EDIT_EVERY_S = 3.0
# A log is followed for ten minutes, in which its asker may lose access. Groups are read again after
# the same time.
CHECK_ACCESS_EVERY_S = RIGHTS_KEPT_S
# Neither progress nor the answer waits longer for the database, such as for a free connection.
DATABASE_WITHIN_S = 0.5
# How often a question in progress looks for a cancellation that another process has received.
CHECK_CANCEL_EVERY_S = 1.0


class ShownWork(Struct, frozen=True):
    """The work of one question. `ticket` cancels it, `window` is how its time range was read, and
    `progress` is updated by the work.
    """

    ticket: str
    target: ReplyTarget
    window: str
    progress: Progress
    delivery: Delivery
    questions: QuestionStore
    redactor: Redactor
    clock: Clock
    # Raises AccessDenied once the asker has lost access.
    require_access: Callable[[], Awaitable[None]]

    async def run(self, work: Coroutine[None, None, Answer], running: RunningTasks) -> Answer:
        """The answer. Raises Cancelled where its asker has cancelled it, and Stopping."""
        started_at = time.monotonic()
        task = asyncio.create_task(work)
        target = self.target
        running.cancellable[self.ticket] = Cancellable(
            target.user, target.channel, target.thread, task
        )
        is_offered = False
        if running.is_stopped(target.channel, target.thread, target.user, target.asked_ts):
            task.cancel()
        try:
            await asyncio.wait({task}, timeout=SHOW_WORK_AFTER_S)
            if not task.done():
                # Before the message with the button is shown.
                await self._offer_cancel()
                # Withdrawn at the end even where offering has failed half-way.
                is_offered = True
                await self._show_until_done(task, started_at)
            if task.cancelled():
                # The end of the process cancels like the button, and says something else.
                raise Stopping if running.stopping else Cancelled
            return task.result()
        finally:
            del running.cancellable[self.ticket]
            if is_offered:
                await self._withdraw_cancel()
            # The question was cancelled from outside; its work must not go on for nobody.
            if not task.done():
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    async def _show_until_done(self, task: asyncio.Task[Answer], started_at: float) -> None:
        checked_at = started_at
        while not task.done():
            if time.monotonic() - checked_at >= CHECK_ACCESS_EVERY_S:
                await self.require_access()
                checked_at = time.monotonic()
            lasted = timedelta(seconds=round(time.monotonic() - started_at))
            parts = (self.window, self.progress.current.detail, f"{format_duration(lasted)} so far")
            detail = " · ".join(filter(None, parts))
            await self._show(self._shown_progress(detail))
            if self.target.state.progress.stream is StreamState.STOPPED:
                # The asker has stopped the stream, which is the same as Cancel.
                task.cancel()
                await asyncio.wait({task})
            await self._wait_or_cancel(task)

    def _shown_progress(self, detail: str) -> Progress:
        """The progress without secrets, which errors of vendors might quote. A copy, because the
        work changes its progress while Slack is called.
        """
        redacted = self.redactor.text
        progress = self.progress.current
        steps = {
            name: Step(name, step.status, redacted(step.detail), redacted(step.result))
            for name, step in progress.steps.items()
        }
        return Progress(redacted(detail), steps, progress.lines)

    async def _offer_cancel(self) -> None:
        with contextlib.suppress(StoreUnavailable):
            await self.questions.offer_cancel(self.ticket, self.target.user)

    async def _withdraw_cancel(self) -> None:
        with contextlib.suppress(StoreUnavailable):
            await self.questions.withdraw_cancel(self.ticket)

    async def _wait_or_cancel(self, task: asyncio.Task[Answer]) -> None:
        """Waits until progress is to be shown again: in a stream, soon after a further result is
        known. Slack may have delivered Cancel to another process.
        """
        ends_at = time.monotonic() + EDIT_EVERY_S
        results = self._results()
        while not task.done() and (left := ends_at - time.monotonic()) > 0:
            await asyncio.wait({task}, timeout=min(left, CHECK_CANCEL_EVERY_S))
            if self.target.state.progress.is_streaming and self._results() != results:
                ends_at = 0.0
            if not task.done() and await self._is_cancelled_elsewhere():
                task.cancel()
                await asyncio.wait({task})

    async def _is_cancelled_elsewhere(self) -> bool:
        """Whether another process has received Cancel. Where the database is slow, it is asked again
        soon.
        """
        with contextlib.suppress(StoreUnavailable, TimeoutError):
            async with asyncio.timeout(DATABASE_WITHIN_S):
                return await self.questions.is_cancelled(self.ticket)
        return False

    def _results(self) -> int:
        """How many parts of the answer are known."""
        return sum(bool(step.result) for step in self.progress.current.steps.values())

    async def _show(self, progress: Progress) -> None:
        """Shows progress. If that fails, the work continues."""
        try:
            if await self._is_unreported():
                await self._show_and_record(progress)
        # Answers come before progress in a channel that is near its limit.
        except NoRoom:
            return
        except Exception as error:
            log_failure(error, "Progress could not be shown")

    async def _is_unreported(self) -> bool:
        """False where this process was paused, and another has reported the question meanwhile."""
        with contextlib.suppress(StoreUnavailable, TimeoutError):
            async with asyncio.timeout(DATABASE_WITHIN_S):
                return await self.questions.is_in_progress(self.target.delivery)
        return True

    async def _show_and_record(self, progress: Progress) -> None:
        """Shows progress, and stores where: after a crash at any moment, the next process can
        replace the message.
        """
        target = self.target
        record = ProgressRecord(self.questions, target, self.clock)
        state = target.state
        shown_ts = state.progress.ts
        is_shown_privately = state.replace_original
        replaces_nothing = target.replaces is ReplaceMode.NOTHING
        if not shown_ts and not is_shown_privately:
            # Stored before the message is shown, for a crash right after that.
            await record.save_response_url(replace=replaces_nothing)
        await self.delivery.show_progress(target, self.ticket, progress)
        if state.progress.ts != shown_ts:
            await self.questions.note_shown(target.delivery, state.progress.ts)
        if state.replace_original and not is_shown_privately and not replaces_nothing:
            await record.save_response_url(replace=True)
