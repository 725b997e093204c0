"""The form of a question: filled from words, with the names of logs to search, and asked."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from functools import partial
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace
from slack_bolt.async_app import AsyncAck, AsyncBoltContext

from bot.answer import Block
from bot.blocks import kit, modals
from bot.blocks.modals import ModalState
from bot.errors import BadQuestion, SuggestedQuestion
from bot.questions.command import LONGEST_CHOICE
from bot.questions.form import SAVED, FormValues, saved_fields
from bot.questions.question import Question
from bot.questions.reading import read_form, read_question
from bot.questions.registry import COMMANDS
from bot.slack.delivery import ReplyTarget
from handlers.error_messages import log_failure
from handlers.listeners.errors import ErrorListener
from handlers.listeners.forms import views
from handlers.requests import RequestHandler
from providers.sources import LogSource

log = logging.getLogger("opswatch")
# Slack waits three seconds for the options of a menu.
NAMES_WITHIN_S = 2.5
# Slack's limit for the options of a menu.
MOST_OPTIONS = 100


async def question_view(requests: RequestHandler, state: ModalState, words: str) -> Block:
    """The form of a question, filled from the words as far as they can be read, or as they were
    probably intended.
    """
    saved = await requests.saved_questions.choices(state.command, state.channel)
    directory = requests.answering.directory
    command = COMMANDS[state.command]
    now = requests.clock()
    zone = requests.zone
    read = partial(read_question, state.command, directory=directory, now=now, zone=zone)
    question: Question | None = None
    try:
        question = read(words)
    except SuggestedQuestion as error:
        # The form begins with what the refusal suggests, so that one click asks it.
        words = error.hint.partition(" ")[2]
        question = read(words)
    except BadQuestion:
        pass
    preview = views.question_preview(requests, state, words)
    if command.names_logs and not words:
        preview = "Choose a log and a time range."
    notes = requests.answering.form_notes(state.command)
    fields = [*saved_fields(saved), *command.form(question, directory)]
    return modals.question_modal(state, fields, preview, notes)


class OpenQuestion(Struct, frozen=True):
    """`Fill in…` under help and under a refused question."""

    requests: RequestHandler

    async def __call__(
        self, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext
    ) -> None:
        state, words = await views.parse_allowed_button(self.requests, body, action, context)
        view = await question_view(self.requests, state, words)
        await views.open_view(self.requests, body, context, view)


class LogNames(Struct, frozen=True):
    """The names of logs that contain what was typed so far: those of the configuration, and those
    that the accounts list.
    """

    requests: RequestHandler
    sources: Mapping[str, LogSource]
    _listing: dict[str, asyncio.Task[list[str]]] = field(default_factory=dict)

    async def __call__(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        typed = str(body.get("value") or "").lower()
        state = modals.state_of(body.get("view") or {})
        if not await views.may_ask(self.requests, state, str(body["user"]["id"])):
            # The names of logs are hidden from people without access; a menu without options says
            # nothing of them.
            await ack(options=[])
            return
        found = [
            name
            for name in dict.fromkeys(await self._names())
            if typed in name.lower() and len(name) <= LONGEST_CHOICE
        ]
        await ack(options=[kit.option(name, _quoted(name)) for name in found[:MOST_OPTIONS]])

    async def _names(self) -> list[str]:
        configured = self.requests.answering.directory.logs.values()
        names = [name for logs in configured for name in logs]
        listings = [self._listing_of(account) for account in self.sources]
        if listings:
            # An account that takes longer is left out now. Its listing goes on, so that the next
            # letter that is typed finds it.
            await asyncio.wait(listings, timeout=NAMES_WITHIN_S)
        for listing in listings:
            names += listing.result() if listing.done() else []
        return names

    def _listing_of(self, account: str) -> asyncio.Task[list[str]]:
        """The names of an account's logs, requested once however many letters are typed."""
        task = self._listing.get(account)
        if task is None:
            task = self._listing[account] = asyncio.create_task(_listed(self.sources[account]))
            task.add_done_callback(lambda _: self._listing.pop(account))
        return task


async def _listed(source: LogSource) -> list[str]:
    """The names of an account's logs; none where it does not list them."""
    try:
        return [entry.name for entry in await source.named_logs()]
    except Exception as error:
        log_failure(error, "The logs of an account could not be listed")
        return []


def _quoted(name: str) -> str:
    """The value of a choice: the name, in quotes where it would be read as several."""
    # A comma separates logs.
    return f'"{name}"' if "," in name else name


class AskQuestion(Struct, frozen=True):
    """`Ask` in the form; a refusal is shown at the invalid input."""

    requests: RequestHandler
    problems: ErrorListener
    _asking: set[asyncio.Task[None]] = field(default_factory=set)

    async def __call__(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        view = body["view"]
        user = str(body["user"]["id"])
        state = modals.state_of(view)
        values = views.entered_values(view)
        words = saved = values.get(SAVED, "")
        # Without access the form is not read: the request handler refuses and records it.
        if not saved and await views.may_ask(self.requests, state, user):
            try:
                words = self._read(state, values).text
            except BadQuestion as error:
                await ack(response_action="errors", errors=views.input_errors(view, error))
                return
        await ack()
        # Bolt drops an ack whose listener raises right after it, so the question runs as a task.
        # The id by which a form that Slack delivers again is the same question.
        target = views.form_target(state, user, delivery=str(body.get("trigger_id") or ""))
        form = None if saved else values
        task = asyncio.create_task(self._ask(state, form, words, target))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    def _read(self, state: ModalState, values: FormValues) -> Question:
        requests = self.requests
        directory = requests.answering.directory
        now = requests.clock()
        return read_form(state.command, values, directory, now=now, zone=requests.zone)

    async def _ask(
        self, state: ModalState, form: FormValues | None, words: str, target: ReplyTarget
    ) -> None:
        target = replace(target, line=f"/{state.command} {words}".strip())
        try:
            if not target.channel:
                dm = await self.requests.delivery.open_dm(target.user)
                target = replace(target, channel=dm, direct=True)
            await self.requests.ask(state.command, words, target, via="form", form=form)
        except Exception as error:
            await self.problems.report(error, target)
