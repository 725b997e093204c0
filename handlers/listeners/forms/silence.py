"""The form of a silence."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from slack_bolt.async_app import AsyncAck, AsyncBoltContext

from bot.alerts.form import read_silence_form
from bot.answer import Answer
from bot.blocks import messages, modals
from bot.blocks.modals import ModalState
from bot.questions.command import LONGEST_CHOICE
from bot.questions.form import FormValues
from handlers.alert_rules import RuleManager
from handlers.listeners.forms import views
from handlers.permissions import Requester
from handlers.requests import RequestHandler

NOTHING_TO_SILENCE = "There is no alert here that you can silence."


class OpenSilence(Struct, frozen=True):
    """`Fill in…` under a refused `silence`."""

    requests: RequestHandler
    rules: RuleManager

    async def __call__(
        self, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext
    ) -> None:
        state, words = views.parse_button(body, action, context)
        target = context["target"]
        requester = await self.requests.permissions.requester(target.user, state.channel)
        nameable = await self.rules.nameable(requester)
        # A longer name is no value that a menu of Slack takes; it can be typed.
        names = [name for name in nameable if len(name) <= LONGEST_CHOICE]
        if not names:
            await self.requests.delivery.send_note(target, messages.note(NOTHING_TO_SILENCE))
            return
        typed = words.partition(" ")[0].strip('"').lower()
        chosen = next((name for name in names if name.lower() == typed), names[0])
        view = modals.silence_modal(state, names, chosen)
        await views.open_view(self.requests, body, context, view)


class SaveSilence(Struct, frozen=True):
    """`Silence` in the form."""

    requests: RequestHandler
    rules: RuleManager

    async def __call__(
        self, ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext
    ) -> None:
        await views.submit_with_note(self.requests, ack, body, context, self._silence)

    async def _silence(self, state: ModalState, values: FormValues, requester: Requester) -> Answer:
        return await self.rules.silences.handle(read_silence_form(values), state.command, requester)
