"""Reports every error to the person who asked."""

from __future__ import annotations

import contextlib
import logging
import traceback

from msgspec import Struct
from slack_bolt.async_app import AsyncBoltContext

from bot.slack.channels import Channels
from bot.slack.delivery import Delivery, ReplyTarget
from bot.slack.errors import may_end
from bot.store import Store, StoreUnavailable
from handlers.error_messages import error_message, log_failure
from handlers.outcomes import Outcomes
from handlers.progress_record import ProgressRecord
from providers.clock import Clock
from providers.errors import ProviderError
from providers.redaction import Redactor

log = logging.getLogger("opswatch")


class ErrorListener(Struct, frozen=True):
    """Called by Bolt with each exception of another listener."""

    delivery: Delivery
    channels: Channels
    store: Store
    outcomes: Outcomes
    redactor: Redactor
    clock: Clock

    async def __call__(self, error: Exception, context: AsyncBoltContext) -> None:
        await self.report(error, context.get("target"))

    async def report(self, error: Exception, target: ReplyTarget | None) -> None:
        """Sends the error to the asker; logs one that is a fault of the bot with its traceback."""
        message = error_message(error)
        # Other errors are part of normal work, and the person reads what they say.
        if message.kind == "internal":
            log.error("Fault: %s", self._traceback(error))
        # The person is not shown the host, which the operator has to know.
        elif isinstance(error, ProviderError) and error.host:
            log_failure(error, "A question could not be answered")
        # Raised where there is nobody to report it to, such as while a form is shown.
        if target is None:
            return
        is_outage = False
        try:
            await self._restore_answer(target)
            await self.delivery.send_error(
                target, message.text, message.blocks(target.state.question or target.line)
            )
        except Exception as failure:
            log_failure(
                failure, f"An error could not be sent to {target.user}", level=logging.ERROR
            )
            is_outage = may_end(failure)
        await self._record_end(target, is_outage=is_outage)

    async def _record_end(self, target: ReplyTarget, *, is_outage: bool) -> None:
        """Records the end of the question, except where Slack takes nothing just now: then its asker
        is told later.
        """
        end = target.state.unreported
        if end is None:
            return
        if is_outage:
            await ProgressRecord(self.store.questions, target, self.clock).before_later_report()
            await self.outcomes.leave(target.delivery)
        else:
            await self.outcomes.record(target.delivery, outcome=end.outcome, took_ms=end.took_ms)

    async def _restore_answer(self, target: ReplyTarget) -> None:
        """Shows the private answer again that a progress message has replaced."""
        if not target.state.replace_original or not target.replaces_ticket:
            return
        # Without the database the answer is lost, and the error is sent anyway.
        with contextlib.suppress(StoreUnavailable):
            if kept := await self.store.answers.find(
                target.replaces_ticket, user=target.user, now=self.clock()
            ):
                may_share = await self.channels.is_bot_in(target.channel) is not False
                await self.delivery.restore_answer(
                    target, kept.text, kept.blocks, ticket=kept.ticket if may_share else ""
                )

    def _traceback(self, error: Exception) -> str:
        """The traceback without secrets, which may be in the values of an exception."""
        return self.redactor.text("".join(traceback.format_exception(error)))
