"""Every error becomes a kind answer. The one listener for all of them."""

from __future__ import annotations

import logging
import traceback
from dataclasses import dataclass

from slack_bolt.async_app import AsyncBoltContext

from bot.delivery import Delivery, Errand
from handlers.trouble import trouble_of
from providers.redaction import Redactor

log = logging.getLogger("opswatch")


@dataclass(frozen=True, slots=True)
class ErrorListener:
    """The one listener that Bolt calls for every error that rises from another."""

    delivery: Delivery
    redactor: Redactor

    async def __call__(self, error: Exception, context: AsyncBoltContext) -> None:
        await self.tell(error, context.get("errand"))

    async def tell(self, error: Exception, errand: Errand | None) -> None:
        """Tells of an error whoever it kept from an answer."""
        trouble = trouble_of(error)
        if trouble.kind == "internal":
            log.error("Fault: %s", self.redactor.text("".join(traceback.format_exception(error))))
        if errand is None:
            return
        try:
            await self.delivery.trouble(errand, trouble.text, trouble.blocks(errand.line))
        except Exception as failed:
            log.error("An error could not be told: %s", self.redactor.text(repr(failed)))
