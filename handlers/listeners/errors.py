"""Every error becomes a kind answer. The one listener for all of them."""

from __future__ import annotations

import contextlib
import logging
import traceback
from dataclasses import dataclass

from slack_bolt.async_app import AsyncBoltContext

from bot.blocks import messages
from bot.errors import SlackDeliveryUnknown, SlackRefused
from bot.slack.delivery import Delivery, ReplyTarget
from bot.store import Store, StoreUnavailable
from handlers.error_messages import error_message
from providers.clock import Clock
from providers.redaction import Redactor

log = logging.getLogger("opswatch")


@dataclass(frozen=True, slots=True)
class ErrorListener:
    """The one listener that Bolt calls for every error that rises from another."""

    delivery: Delivery
    store: Store
    redactor: Redactor
    clock: Clock

    async def __call__(self, error: Exception, context: AsyncBoltContext) -> None:
        await self.tell(error, context.get("target"))

    async def tell(self, error: Exception, target: ReplyTarget | None) -> None:
        """Tells of an error whoever it kept from an answer."""
        trouble = error_message(error)
        if trouble.kind == "internal":
            log.error("Fault: %s", self.redactor.text("".join(traceback.format_exception(error))))
        if target is None:
            return
        try:
            await self._give_back(target)
            await self.delivery.send_error(
                target, trouble.text, trouble.blocks(target.state.question or target.line)
            )
        except (SlackRefused, SlackDeliveryUnknown) as failed:
            log.error("%s could not be told what went wrong: %s", target.user, failed)
        except Exception as failed:
            log.error(
                "An error could not be told: %s",
                self.redactor.text("".join(traceback.format_exception(failed))),
            )

    async def _give_back(self, target: ReplyTarget) -> None:
        """The private answer whose place was taken by work that came to nothing."""
        if not target.state.replace_original or not target.replaces_ticket:
            return
        with contextlib.suppress(StoreUnavailable):
            if kept := await self.store.answers.find(
                target.replaces_ticket, user=target.user, now=self.clock()
            ):
                ticket, text, blocks = kept
                await self.delivery.restore_answer(
                    target, text, messages.with_share(blocks, ticket)
                )
