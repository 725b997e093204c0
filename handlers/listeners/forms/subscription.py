"""The form of a subscription."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from slack_bolt.async_app import AsyncAck, AsyncBoltContext

from bot.answer import Answer
from bot.blocks import modals
from bot.blocks.modals import ModalState
from bot.questions.form import FormValues
from bot.schedules.form import read_subscription_form
from handlers.listeners.forms import views
from handlers.permissions import Requester
from handlers.requests import RequestHandler
from handlers.subscriptions import SubscriptionManager


class OpenSubscription(Struct, frozen=True):
    """`Repeat…` under an answer, and `Fill in…` under a refused `subscribe`."""

    requests: RequestHandler

    async def __call__(
        self, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext
    ) -> None:
        state, words = await views.parse_allowed_button(self.requests, body, action, context)
        preview = views.question_preview(self.requests, state, words)
        view = modals.subscription_modal(state, words, preview)
        await views.open_view(self.requests, body, context, view)


class SaveSubscription(Struct, frozen=True):
    """`Subscribe` in the form."""

    requests: RequestHandler
    subscriptions: SubscriptionManager

    async def __call__(
        self, ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext
    ) -> None:
        await views.submit_with_note(self.requests, ack, body, context, self._subscribe)

    async def _subscribe(
        self, state: ModalState, values: FormValues, requester: Requester
    ) -> Answer:
        # The refusal of a question names accounts, so access is checked before it is read.
        self.subscriptions.access.require_manage(state.command, **requester.rights)
        subscription = read_subscription_form(values)
        return await self.subscriptions.subscribe(subscription, state.command, requester)
