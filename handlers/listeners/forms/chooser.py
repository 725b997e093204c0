"""The two shortcuts, and the choice among the questions that a person has access to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from slack_bolt.async_app import AsyncAck, AsyncBoltContext

from bot.answer import Block
from bot.blocks import messages, modals
from bot.blocks.modals import ModalState
from bot.errors import AccessDenied
from bot.questions.registry import COMMANDS
from handlers.listeners.actions import reply_target_from_action
from handlers.listeners.forms import views
from handlers.listeners.forms.question import question_view
from handlers.requests import RequestHandler, split_command

NO_ACCESS = "You don't have access to any command here."
NO_ACCESS_HINT = "Ask the operator to add you under [access] in bot.toml."


async def chooser_view(requests: RequestHandler, user: str, channel: str) -> Block:
    """The questions that the person may ask there; a note where there are none."""
    # Without a channel only access by person and group counts.
    requester = await requests.permissions.requester(user, channel)
    allowed = requests.permissions.allowed(requester)
    commands = COMMANDS.with_accounts(allowed, requests.answering.directory)
    if not commands:
        return modals.note_modal("Ask Opswatch", NO_ACCESS, NO_ACCESS_HINT)
    return modals.chooser_modal(channel, commands)


class AskAgain(Struct, frozen=True):
    """The shortcut on a message: the form of the question that the message answers, or else a
    choice of all.
    """

    requests: RequestHandler

    async def __call__(
        self, ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext
    ) -> None:
        await ack()
        context["target"] = target = reply_target_from_action(body, "")
        line = _question_of(body, context)
        if not line:
            view = await chooser_view(self.requests, target.user, target.channel)
        else:
            command, words = split_command(line)
            await self.requests.require(command, target.user, target.channel)
            view = await question_view(self.requests, ModalState(command, target.channel), words)
        await views.open_view(self.requests, body, context, view)


def _question_of(body: Mapping[str, Any], context: AsyncBoltContext) -> str:
    message = body.get("message") or {}
    if not _is_ours(message, body, context):
        return ""
    return messages.extract_question(message.get("blocks") or [])


def _is_ours(
    message: Mapping[str, Any], body: Mapping[str, Any], context: AsyncBoltContext
) -> bool:
    """Whether the bot posted the message. Buttons of another app may look like ours."""
    # Which of these a message has depends on how it was posted; what is missing is not compared.
    ours = {"user": context.bot_user_id, "bot_id": context.bot_id, "app_id": body.get("api_app_id")}
    return all(
        not message.get(name) or not own or message[name] == own for name, own in ours.items()
    )


class AskOpswatch(Struct, frozen=True):
    """The global shortcut. It belongs to no channel, so the answer is sent as a direct message."""

    requests: RequestHandler

    async def __call__(
        self, ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext
    ) -> None:
        await ack()
        context["target"] = target = reply_target_from_action(body, "")
        view = await chooser_view(self.requests, target.user, "")
        await views.open_view(self.requests, body, context, view)


class ChooseQuestion(Struct, frozen=True):
    """Turns a choice into the form of one question."""

    requests: RequestHandler

    async def __call__(
        self, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext
    ) -> None:
        # Errors of the choice are shown in the modal, which has no channel.
        context["target"] = None
        view = body["view"]
        state = modals.parse_state(str(action.get("value") or ""))
        form = await self._form(state, str(body["user"]["id"]))
        await self.requests.delivery.views.update(form, view["id"], view["hash"])

    async def _form(self, state: ModalState, user: str) -> Block:
        """The form, or a note where the person has lost access since the choice was shown."""
        try:
            await self.requests.require(state.command, user, state.channel)
        except AccessDenied as error:
            return modals.note_modal(f"/{state.command}", error.message, error.hint)
        return await question_view(self.requests, state, "")
