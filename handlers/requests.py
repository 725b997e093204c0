"""Handles every question from Slack: records it once, checks access, reads it, answers it and
delivers the answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Collection, Sequence
from datetime import datetime, tzinfo
from functools import partial

from msgspec import Struct, field
from msgspec.structs import replace

from bot.access import AccessPolicy, visible_directory
from bot.answer import Answer, Block
from bot.blocks import help_pages, messages
from bot.commands.answer_resources import AnswerResources
from bot.commands.answering import AnswerContext, Answerer, Clock
from bot.errors import (
    AccessDenied,
    BadQuestion,
    FormLink,
    offering_form,
)
from bot.observability.logging_setup import logged_question
from bot.observability.observers import QuestionObserver, ignore_question
from bot.questions.form import FormValues
from bot.questions.question import CommandName, HelpRequest, Question
from bot.questions.reading import read_form
from bot.questions.registry import COMMANDS
from bot.slack.channels import CLOSED_NOW, NOT_THERE
from bot.slack.delivery import Delivery, ReplyTarget
from bot.slack.reply_target import QuestionEnd
from bot.slack.text import unescape_input
from bot.slack.users import UserDirectory
from bot.store import QuestionRecord, Store, StoreUnavailable
from bot.system.file_memory import FileMemory
from handlers.chat_commands import Manager, is_managing
from handlers.error_messages import Stopping, error_message
from handlers.outcomes import Outcomes
from handlers.permissions import Permissions, Requester
from handlers.progress_record import ProgressRecord, answer_ticket
from handlers.question_readings import QuestionReadings
from handlers.running_tasks import RunningTasks
from handlers.saved_questions import SavedQuestionManager
from handlers.shared_answers import SharedAnswers
from handlers.shown_work import ShownWork
from handlers.typed_secrets import SecretCheck
from providers.redaction import Redactor

log = logging.getLogger("opswatch")


class RequestHandler(Struct, frozen=True):
    """Answers the questions of all people."""

    answering: Answerer
    permissions: Permissions
    delivery: Delivery
    store: Store
    redactor: Redactor
    clock: Clock
    managers: Sequence[Manager]
    saved_questions: SavedQuestionManager
    outcomes: Outcomes
    zone: tzinfo
    on_finished: QuestionObserver = ignore_question
    running: RunningTasks = field(default_factory=RunningTasks)
    shared_answers: SharedAnswers = field(default_factory=SharedAnswers)
    readings: QuestionReadings = field(default_factory=QuestionReadings)
    file_memory: FileMemory = field(default_factory=FileMemory)

    @property
    def access(self) -> AccessPolicy:
        return self.permissions.access

    @property
    def people(self) -> UserDirectory:
        return self.permissions.people

    async def ask(
        self,
        command: CommandName,
        words: str,
        target: ReplyTarget,
        *,
        via: str,
        form: FormValues | None = None,
    ) -> None:
        """Answers the question in the words, or in the submitted form, and records its outcome. A
        repeated delivery has no effect.

        Errors are raised for ErrorListener, which reports them to the asker and records the outcome.
        """
        task = asyncio.current_task()
        assert task is not None
        self.running.tasks.add(task)
        # Not before ErrorListener has reported an error.
        task.add_done_callback(self.running.tasks.discard)
        with logged_question(target.delivery):
            await self._recorded(command, words, target, via=via, form=form)

    async def asker(self, command: CommandName, user: str, channel: str) -> Requester:
        """The person, with those of their groups that matter for the command."""
        return await self.permissions.requester(user, channel, command)

    async def require(self, command: CommandName, user: str, channel: str) -> Requester:
        """The person, if they may ask the command there. Raises AccessDenied. Called before
        anything names an account.
        """
        requester = await self.asker(command, user, channel)
        self.access.require(command, **requester.rights)
        return requester

    async def _recorded(
        self,
        command: CommandName,
        words: str,
        target: ReplyTarget,
        *,
        via: str,
        form: FormValues | None,
    ) -> None:
        started = time.monotonic()
        asked = QuestionRecord(
            delivery=target.delivery,
            asked_at=self.clock(),
            user=target.user,
            channel=target.channel,
            command=command,
            # PostgreSQL takes no NUL in a text.
            # Redacted before it is cut, because half a secret may not be recognised.
            text=self.redactor.text(unescape_input(words))[:2000].replace("\0", "\ufffd"),
            via=via,
        )
        # Slack delivers again what was not acknowledged in time, also to another process.
        if not await self.store.questions.claim(asked):
            log.info("A repeated delivery is ignored: /%s", command)
            return
        outcome = "internal"
        is_unanswered = False
        is_reported_first = False
        try:
            outcome = await self._ask(command, words, target, form)
        except BaseException as error:
            outcome = error_message(error).kind
            is_reported_first = isinstance(error, Exception)
            if isinstance(error, asyncio.CancelledError) and self.running.stopping:
                is_complete = target.state.is_complete
                outcome = "answered" if is_complete else Stopping.kind
                # What a command has changed must not be offered again.
                is_unanswered = not is_complete and (
                    form is not None or not is_managing(unescape_input(words))
                )
            raise
        finally:
            took_ms = round((time.monotonic() - started) * 1000)
            if is_reported_first:
                target.state.unreported = QuestionEnd(outcome, took_ms)
            # Such as an answer that waited for the pace of its channel. Without an end, the next
            # process reports it to its asker.
            elif not is_unanswered:
                await self._record_end(target, outcome, took_ms)
            self.on_finished(command, outcome, took_ms / 1000)
            log.info("Finished /%s after %d ms: %s.", command, took_ms, outcome)

    async def _record_end(self, target: ReplyTarget, outcome: str, took_ms: int) -> None:
        deletion = target.state.deletion
        # A private answer would be sent again by the next process.
        if deletion and not target.state.private_reason:
            self.outcomes.record_after(deletion, target.delivery, outcome=outcome, took_ms=took_ms)
        else:
            await self.outcomes.record(target.delivery, outcome=outcome, took_ms=took_ms)

    async def _ask(
        self, command: CommandName, words: str, target: ReplyTarget, form: FormValues | None
    ) -> str:
        if self.running.stopping:
            raise Stopping
        words = unescape_input(words)
        asker = await self.asker(command, target.user, target.channel)
        if form is None:
            # First of all: a saved question may follow `alert` and `subscribe`.
            words = await self.saved_questions.expand(command, words, asker)
        for manager in self.managers if form is None else ():
            if note := await manager.handle(command, words, asker):
                await self.delivery.send_note(target, note)
                return "managed"
        self.access.require(command, **asker.rights)
        # Both are known already, except for a person or a channel that is new.
        zone = await self.people.zone(target.user)
        # Asked again before anything is posted.
        private_reason = await self._private_reason(command, target, harmless=CLOSED_NOW)
        with offering_form(FormLink("question", command, words)):
            question = self._read(command, words, form, asker, zone)
        may_manage = self.access.may_manage(command, **asker.rights)
        if isinstance(question, HelpRequest):
            directory = self.permissions.directory(self.answering.directory, asker)
            answer = help_pages.help_for(question, directory, may_manage=may_manage)
            await self.delivery.send_note(target, answer)
            return "help"
        # An error from here on offers to ask it again, as it was read.
        target.state.question = question.line
        target.state.private_reason = private_reason
        target = replace(
            target,
            line=question.line,
            display_line=self.redactor.text(question.line),
            public=target.direct or self.access.is_public(command, target.channel),
        )
        is_public = target.public and not private_reason
        with offering_form(FormLink("question", command, question.text)):
            answer = await self._answer(question, target, zone, may_manage=may_manage or is_public)
        return "partial" if answer.warnings else "answered"

    def _read(
        self,
        command: CommandName,
        words: str,
        form: FormValues | None,
        asker: Requester,
        zone: tzinfo,
    ) -> Question | HelpRequest:
        """The question in the words, or in the submitted form. Raises BadQuestion."""
        now = self.clock()
        allowed = self.permissions.allowed(asker)
        directory = partial(visible_directory, self.answering.directory, allowed)
        if form is not None:
            return read_form(command, form, directory(), now=now, zone=zone)
        return self.readings.read(command, words, allowed, directory, now=now, zone=zone)

    async def _answer(
        self, question: Question, target: ReplyTarget, zone: tzinfo, *, may_manage: bool
    ) -> Answer:
        """Delivers the answer and returns it. A private one is stored for a while, so that it can be
        shared.
        """
        with AnswerResources(self.file_memory) as resources:
            ticket = answer_ticket(target.delivery)
            work = self._work(question, zone, resources, target, ticket)
            is_private = not target.public or bool(target.state.private_reason)
            if is_private:
                # Whether the answer can be shared is looked up while the bot works on it.
                answer, may_share = await asyncio.gather(work, self._is_bot_in_channel(target))
            else:
                answer = await work
                may_share = True
            blocks = messages.with_follow_up(
                answer.blocks, question.line, user=target.user, ticket=ticket, may_manage=may_manage
            )
            answer = replace(answer, blocks=blocks)
            if not await self.store.questions.is_in_progress(target.delivery):
                # This process was paused, and another one has reported it to the asker.
                log.warning("Question %s was reported as interrupted meanwhile.", target.delivery)
                return answer
            record = ProgressRecord(self.store.questions, target, self.clock)
            if target.streams:
                await record.before_stream()
            if answer.files:
                await record.before_files([file.name for file in answer.files])
            state = target.state
            # Asked again where Slack could not be reached before.
            state.private_reason = state.private_reason or await self._private_reason(
                question.command, target, harmless=NOT_THERE
            )
            is_private = not target.public or bool(state.private_reason)
            # Before it is sent: the next process sends it again if this one ends meanwhile.
            store = partial(
                self.store_answer, ticket, question.command, target, answer.text, answer.blocks
            )
            # A stream of steps ends before it is replaced by the answer: in between, the next process
            # has to know that.
            is_stored = is_private or state.progress.is_streaming
            if is_stored:
                await store()
            await self.delivery.answer(
                target,
                answer,
                ticket=ticket if may_share else "",
                before_fallback=None if is_stored else store,
            )
        return answer

    async def _private_reason(
        self, command: CommandName, target: ReplyTarget, *, harmless: Collection[str]
    ) -> str:
        """Why an answer that everybody may see is not posted in the channel. Empty if it is posted."""
        if target.direct:
            return ""
        return await self.permissions.private_reason(command, target.channel, harmless=harmless)

    async def _is_bot_in_channel(self, target: ReplyTarget) -> bool:
        """Whether a private answer can be shared in its channel."""
        return await self.permissions.channels.is_bot_in(target.channel) is not False

    async def store_answer(
        self,
        ticket: str,
        command: CommandName,
        target: ReplyTarget,
        text: str,
        blocks: Sequence[Block],
        *,
        since: datetime | None = None,
    ) -> None:
        """Stores a private answer, without secrets that were typed, so that its asker can share it
        for a day.
        """
        secrets = SecretCheck(self.redactor)
        await self.store.answers.save(
            ticket,
            user=target.user,
            channel=target.channel,
            command=command,
            text=secrets.redacted(text),
            blocks=secrets.redacted_blocks(blocks),
            now=since or self.clock(),
        )

    async def _work(
        self,
        question: Question,
        zone: tzinfo,
        resources: AnswerResources,
        target: ReplyTarget,
        ticket: str,
    ) -> Answer:
        context = AnswerContext(resources.folder, zone, memory=resources.memory)
        work = ShownWork(
            ticket,
            target,
            question.window.label if question.window else "",
            context.progress,
            self.delivery,
            self.store.questions,
            self.redactor,
            self.clock,
            partial(self._require_still, question.command, target),
        )
        answering = self.shared_answers.answer(question, context, self.answering.answer, resources)
        return await work.run(answering, self.running)

    async def may_still_ask(self, command: CommandName, user: str, channel: str) -> bool:
        """Whether the asker of a question in progress has access now, by the rules that a reload
        may have brought.
        """
        may_still_ask = self.running.may_still_ask or self.permissions.may_still_ask
        return await may_still_ask(command, user, channel)

    async def _require_still(self, command: CommandName, target: ReplyTarget) -> None:
        """Raises AccessDenied if the asker has lost access while the bot works on the answer."""
        if not await self.may_still_ask(command, target.user, target.channel):
            raise AccessDenied(
                f"You no longer have access to /{command} here, so the answer was stopped.",
                f"Ask the operator to add you to `{command}` under [access] in bot.toml.",
            )

    async def cancel(self, ticket: str, user: str) -> bool:
        """Cancels a person's own question, whichever process is working on it; False if it has
        ended or is somebody else's.
        """
        # The question is in this process, or in another one that shares the database.
        if self.running.cancel(ticket, user):
            return True
        return await self.store.questions.request_cancel(ticket, user)

    async def note_answer_seen(self, ticket: str, user: str) -> None:
        """Records that a person can see their private answer, since they have pressed a button of
        it. Slack may not have confirmed it yet: if this process ends before, the next one must not
        put anything in its place. `ticket` may be cut.
        """
        if not ticket:
            return
        # Without the database nothing is reported after a crash either.
        with contextlib.suppress(StoreUnavailable):
            for delivery in await self.store.questions.in_progress_of(user):
                if answer_ticket(delivery).startswith(ticket):
                    await self.store.questions.note_answered(delivery)

    async def cancel_in_thread(
        self, channel: str, thread_ts: str, user: str, *, stopped_ts: str, before: datetime
    ) -> None:
        """Cancels a person's own questions in a thread, whichever process is working on them: those
        that Slack took before `stopped_ts`, and that other processes recorded `before` that time.
        An outage of the database only leaves those of other processes.
        """
        self.running.stop_thread(channel, thread_ts, user, stopped_ts)
        try:
            asked = await self.store.questions.in_progress_in(channel, thread_ts, before=before)
        except StoreUnavailable as error:
            log.warning("Questions of other processes were not cancelled: %s", error)
            return
        for ticket in map(answer_ticket, asked):
            try:
                await self.cancel(ticket, user)
            except StoreUnavailable as error:
                log.warning("A question of another process was not cancelled: %s", error)


def split_command(line: str) -> tuple[CommandName, str]:
    """The command and the words of a line such as `/usage last 7 days`. Raises BadQuestion for any
    other line.
    """
    name, _, words = line.strip().partition(" ")
    command = COMMANDS.get(name.removeprefix("/"))
    if command is None or not name.startswith("/"):
        raise BadQuestion(
            "This button belongs to a question that no longer exists.", COMMANDS.help_line
        )
    return command.name, words
