"""Reports questions that a crash interrupted, or whose error Slack did not take. Slack does not
deliver an acknowledged request again.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime, timedelta

from msgspec import Struct, field

from bot.answer import Block
from bot.blocks import kit
from bot.commands.answering import Clock
from bot.errors import OpswatchError
from bot.slack.channels import CLOSED_NOW
from bot.slack.delivery import Delivery, ReplyTarget
from bot.slack.errors import may_end
from bot.slack.reply_target import ReplyState, ShownProgress
from bot.store import QuestionRecord, Store, StoreUnavailable
from handlers.chat_commands import is_managing
from handlers.error_messages import (
    Lost,
    LostCommand,
    LostFiles,
    error_message,
    log_failure,
)
from handlers.outcomes import Outcomes
from handlers.permissions import Permissions
from handlers.progress_record import ProgressRecord, answer_ticket
from providers.redaction import MARK

# After this time nobody waits for the answer any more; only the progress in the channel is ended.
REPORT_FOR = timedelta(minutes=30)
END_PROGRESS_FOR = timedelta(days=7)
# When a report that Slack did not take is sent again, in seconds.
AGAIN_AFTER_S = (5.0, 15.0, 60.0, 240.0, 900.0)
SENT_TWICE = "This answer is sent again, since Slack had not confirmed it; you may see it twice."


class InterruptionReporter(Struct, frozen=True):
    """Reports once to each asker that their question was interrupted."""

    store: Store
    permissions: Permissions
    delivery: Delivery
    outcomes: Outcomes
    clock: Clock
    # Reports that Slack has not taken yet: how many attempts were made.
    _attempts: dict[str, int] = field(default_factory=dict)
    _reports: set[asyncio.Task[None]] = field(default_factory=set)

    async def report(self, *, started: datetime) -> None:
        """Begins to report the questions of processes that have ended, those whose error could not be
        sent, and those without a process from before `started`.
        """
        interrupted = await self.store.questions.take_interrupted(
            since=self.clock() - END_PROGRESS_FOR, before=started
        )
        # Each by itself, so that none waits while Slack is slow to take another.
        for asked in interrupted:
            task = asyncio.create_task(self._report(asked))
            self._reports.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._reports.discard(task)
        if not task.cancelled() and isinstance(failure := task.exception(), Exception):
            log_failure(failure, "An interrupted question could not be reported")

    async def _report(self, asked: QuestionRecord) -> None:
        line = f"/{asked.command} {asked.text}".strip()
        target = await self._target(asked, line)
        try:
            await self._send(asked, target, line)
        except Exception as error:
            log_failure(error, "An interrupted question could not be reported")
            if may_end(error) and self._attempts.get(asked.delivery, 0) < len(AGAIN_AFTER_S):
                await self._report_later(target)
                return
        self._attempts.pop(asked.delivery, None)
        # Not where this process is stopped meanwhile: then the next one reports it.
        await self.outcomes.interruption_reported(asked.delivery)

    async def _report_later(self, target: ReplyTarget) -> None:
        """Lets a report be made again after a while, by the next process if this one ends before."""
        record = ProgressRecord(self.store.questions, target, self.clock)
        await record.before_later_report()
        attempts = self._attempts.get(target.delivery, 0)
        self._attempts[target.delivery] = attempts + 1
        await asyncio.sleep(AGAIN_AFTER_S[attempts])
        await self.outcomes.leave(target.delivery)

    async def close(self) -> None:
        """Leaves the reports that Slack has not taken to the next process."""
        reports = list(self._reports)
        for task in reports:
            task.cancel()
        await asyncio.gather(*reports, return_exceptions=True)

    async def _send(self, asked: QuestionRecord, target: ReplyTarget, line: str) -> None:
        lost = _report_of(LostCommand(line) if is_managing(asked.text) else Lost(line), line)
        if asked.asked_at < self.clock() - REPORT_FOR:
            await self.delivery.earlier.end_progress(target, *lost)
            return
        files = list[str]()
        sent_again = False
        # Whatever else fails, the asker hears of the interruption.
        try:
            files = await self.store.questions.unsent_files(asked.delivery)
            sent_again = await self._send_again(asked, target)
        except Exception as failure:
            if may_end(failure):
                raise
            log_failure(failure, "An answer could not be sent again")
            # It is not known whether the answer has replaced the progress already.
            target.state.replace_original = False
        if sent_again:
            await self.delivery.earlier.delete_progress(target)
        if files:
            # The answer comes before its files: it may have replaced the progress already, and
            # have been shared since.
            target.state.replace_original = False
            lost_files = _report_of(LostFiles(line, files), line)
            unanswered = lost_files if sent_again else lost
            await self.delivery.earlier.report_missing_files(
                target, *lost_files, unanswered=unanswered
            )
        elif not sent_again:
            await self.delivery.earlier.report_interrupted(target, *lost)

    async def _send_again(self, asked: QuestionRecord, target: ReplyTarget) -> bool:
        """Sends an answer that was ready and was stored, since it is private or ends a stream, and
        that Slack may not have taken. It replaces the progress or itself where that is possible.
        False where none was ready.
        """
        kept = await self.store.answers.find(
            answer_ticket(asked.delivery), user=asked.user, now=self.clock()
        )
        if kept is None or not await self.permissions.may_still_ask(
            asked.command, asked.user, asked.channel
        ):
            return False
        if await self.delivery.earlier.restore_streamed_answer(target, kept.text, kept.blocks):
            return True
        reason = await self.permissions.private_reason(
            asked.command, asked.channel, harmless=CLOSED_NOW
        )
        is_new_message = not target.state.replace_original
        notes = [note for note in (is_new_message and SENT_TWICE, reason) if note]
        text = "\n".join([*notes, kept.text])
        blocks = [*map(kit.context, notes), *kept.blocks]
        may_share = await self.permissions.channels.is_bot_in(asked.channel) is not False
        await self.delivery.restore_answer(
            target, text, blocks, ticket=kept.ticket if may_share else ""
        )
        return True

    async def _target(self, asked: QuestionRecord, line: str) -> ReplyTarget:
        """The reply target of a question of an earlier process, as far as it was stored."""
        kept = None
        # Without it, the asker is reached through the channel or a direct message.
        with contextlib.suppress(StoreUnavailable):
            kept = await self.store.questions.take_response_url(asked.delivery, now=self.clock())
        return ReplyTarget(
            user=asked.user,
            channel=asked.channel,
            response_url=kept.url.open() if kept else "",
            line=line,
            delivery=asked.delivery,
            thread_ts=kept.thread_ts if kept else "",
            state=ReplyState(
                replace_original=bool(kept and kept.replace),
                progress=ShownProgress(asked.shown_ts or ""),
            ),
        )


def _report_of(error: OpswatchError, line: str) -> tuple[str, list[Block]]:
    """The text and blocks of a report."""
    message = error_message(error)
    # A question with a redacted secret cannot be asked again by a button.
    return message.text, message.blocks("" if MARK in line else line)
