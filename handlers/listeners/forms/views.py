"""What all forms share: opening a view in time, and saving it or marking invalid inputs."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, TypeVar

from slack_bolt.async_app import AsyncAck, AsyncBoltContext

from bot.answer import Answer, Block
from bot.blocks import kit, limits, messages, modals
from bot.blocks.modals import ModalState
from bot.errors import (
    AccessDenied,
    BadQuestion,
    OpswatchError,
    SlackDeliveryUnknown,
    SlackRefused,
)
from bot.questions.form import FormValues, InvalidForm
from bot.questions.reading import read_question
from bot.slack.delivery import ReplyTarget
from bot.slack.text import plain_punctuation
from bot.store import StoreUnavailable
from handlers.error_messages import error_message
from handlers.listeners.actions import reply_target_from_action
from handlers.permissions import Requester
from handlers.requests import RequestHandler, split_command

log = logging.getLogger("opswatch")
# Slack waits three seconds for the response to a submitted form.
SAVE_WITHIN_S = 2.0
TOO_LATE = "The form could not be opened in time. Press the button again."
T = TypeVar("T")


async def open_view(
    requests: RequestHandler, body: dict[str, Any], context: AsyncBoltContext, view: Block
) -> None:
    """Opens a modal immediately, because a trigger expires after three seconds."""
    # Slack's own refusal names fewer details, and the person waits for the form.
    if problems := limits.view_problems(view):
        log.error("A form would be refused: %s", "; ".join(problems))
    try:
        await requests.delivery.views.open(str(body.get("trigger_id", "")), view)
    except (SlackRefused, SlackDeliveryUnknown) as error:
        log.warning("A form could not be opened: %s", error)
        await requests.delivery.send_note(context["target"], messages.note(TOO_LATE))


def parse_button(
    body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext
) -> tuple[ModalState, str]:
    """The command in the value of a button, and the words after it. Raises BadQuestion."""
    line = kit.without_entities(str(action.get("value", "")))
    # Before the line is read, so that a refusal reaches the person.
    target = context["target"] = reply_target_from_action(body, line)
    command, words = split_command(line)
    return ModalState(command, target.channel), words


async def parse_allowed_button(
    requests: RequestHandler,
    body: dict[str, Any],
    action: dict[str, Any],
    context: AsyncBoltContext,
) -> tuple[ModalState, str]:
    """The same for a person with access to the command. Raises BadQuestion and AccessDenied."""
    state, words = parse_button(body, action, context)
    await requests.require(state.command, context["target"].user, state.channel)
    return state, words


async def may_ask(requests: RequestHandler, state: ModalState, user: str) -> bool:
    asker = await requests.asker(state.command, user, state.channel)
    return requests.access.may_ask(state.command, **asker.rights)


def question_preview(requests: RequestHandler, state: ModalState, words: str) -> str:
    """How the question is read, in one line."""
    directory = requests.answering.directory
    now = requests.clock()
    try:
        question = read_question(state.command, words, directory, now=now, zone=requests.zone)
    except BadQuestion as error:
        return kit.escaped(error.message)
    return f"Read as {kit.code(question.line, 200)}: {kit.escaped(question.window.label)}"


def entered_values(view: Mapping[str, Any]) -> dict[str, str]:
    """What was entered, with plain quotes and blanks."""
    return {name: plain_punctuation(value) for name, value in modals.form_values(view).items()}


def input_errors(view: Mapping[str, Any], error: OpswatchError) -> dict[str, str]:
    """Error messages by input; at the first input if the error names none."""
    inputs = [str(block["block_id"]) for block in view["blocks"] if block.get("type") == "input"]
    # Slack shows errors only at inputs, by their block_id ("Modals", response_action errors).
    errors = {getattr(error, "field", ""): error.message}
    if isinstance(error, InvalidForm):
        errors = error.errors
    return {name if name in inputs else inputs[0]: text for name, text in errors.items()}


async def submit(
    requests: RequestHandler,
    ack: AsyncAck,
    body: Mapping[str, Any],
    context: AsyncBoltContext,
    save: Callable[[ModalState, FormValues, Requester], Awaitable[T]],
) -> T | None:
    """The result of `save` for a submitted form; None if the modal stays open and shows what is
    invalid.
    """
    view = body["view"]
    user = str(body["user"]["id"])
    state = modals.state_of(view)
    context["target"] = form_target(state, user)

    async def saving() -> T:
        requester = await requests.permissions.requester(user, state.channel)
        return await save(state, entered_values(view), requester)

    return await _save_in_time(ack, view, saving())


async def submit_with_note(
    requests: RequestHandler,
    ack: AsyncAck,
    body: Mapping[str, Any],
    context: AsyncBoltContext,
    save: Callable[[ModalState, FormValues, Requester], Awaitable[Answer]],
) -> None:
    """Saves a submitted form, and sends the note about it to the person."""
    note = await submit(requests, ack, body, context, save)
    if note:
        await requests.delivery.send_note(context["target"], note)


async def _save_in_time(
    ack: AsyncAck, view: Mapping[str, Any], saving: Coroutine[Any, Any, T]
) -> T | None:
    """The result. What takes longer than Slack waits continues after the modal is closed, and its
    error is raised.
    """
    task = asyncio.create_task(saving)
    # Not `wait_for`, which would cancel it: what is half saved is worse than late.
    await asyncio.wait({task}, timeout=SAVE_WITHIN_S)
    if not task.done():
        await ack()
        return await task
    try:
        result = task.result()
    except (BadQuestion, AccessDenied) as error:
        await ack(response_action="errors", errors=input_errors(view, error))
        return None
    except StoreUnavailable as error:
        log.error("A form could not be saved: %s", error)
        text = f"Nothing was saved. {error_message(error).text}"
        await ack(response_action="errors", errors=input_errors(view, BadQuestion(text)))
        return None
    await ack()
    return result


def form_target(state: ModalState, user: str, *, delivery: str = "") -> ReplyTarget:
    """Where notes about a form go: to the person, in the channel it was opened in."""
    return ReplyTarget(
        user=user,
        channel=state.channel,
        response_url="",
        line="",
        delivery=delivery or uuid.uuid4().hex,
    )
