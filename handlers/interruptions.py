"""Reports questions that a crash interrupted. Slack does not deliver an acknowledged request again."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime, timedelta

from msgspec import Struct

from bot.commands.answering import Clock
from bot.slack.delivery import Delivery, ReplyTarget
from bot.slack.reply_target import ReplyState
from bot.store import QuestionRecord, QuestionStore, StoreUnavailable
from handlers.chat_commands import is_managing
from handlers.error_messages import ErrorMessage, Lost, LostCommand, error_message, log_failure
from handlers.outcomes import Outcomes
from providers.redaction import MARK

# After this time nobody waits for the answer any more.
REPORT_FOR = timedelta(minutes=30)


class InterruptionReporter(Struct, frozen=True):
    """Reports once to each asker that their question was interrupted."""

    questions: QuestionStore
    delivery: Delivery
    outcomes: Outcomes
    clock: Clock

    async def report(self, *, started: datetime) -> None:
        """Reports the questions of processes that have ended, and those without a process from
        before `started`.
        """
        interrupted = await self.questions.take_interrupted(
            since=self.clock() - REPORT_FOR, before=started
        )
        # Together, so that none waits while Slack is slow to take the others.
        reports = (self._report(asked) for asked in interrupted)
        for failure in await asyncio.gather(*reports, return_exceptions=True):
            if isinstance(failure, Exception):
                log_failure(failure, "An interrupted question could not be reported")

    async def _report(self, asked: QuestionRecord) -> None:
        line = f"/{asked.command} {asked.text}".strip()
        message = error_message(LostCommand(line) if is_managing(asked.text) else Lost(line))
        try:
            await self._send(asked, line, message)
        except Exception as error:
            log_failure(error, "An interrupted question could not be reported")
        # Not where this process is stopped meanwhile: then the next one reports it.
        await self.outcomes.interruption_reported(asked.delivery)

    async def _send(self, asked: QuestionRecord, line: str, message: ErrorMessage) -> None:
        # A question with a redacted secret cannot be asked again by a button.
        blocks = message.blocks("" if MARK in line else line)
        target = await self._target(asked, line)
        await self.delivery.report_interrupted(target, message.text, blocks)

    async def _target(self, asked: QuestionRecord, line: str) -> ReplyTarget:
        """The reply target of a question of an earlier process, as far as it was stored."""
        kept = None
        # Without it, the asker is reached through the channel or a direct message.
        with contextlib.suppress(StoreUnavailable):
            kept = await self.questions.take_response_url(asked.delivery, now=self.clock())
        return ReplyTarget(
            user=asked.user,
            channel=asked.channel,
            response_url=kept.url.open() if kept else "",
            line=line,
            delivery=asked.delivery,
            thread_ts=kept.thread_ts if kept else "",
            state=ReplyState(
                progress_ts=asked.shown_ts or "", replace_original=bool(kept and kept.replace)
            ),
        )
