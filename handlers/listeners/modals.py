"""The modals: opened at once by a button, tried, and saved by the same words that people type."""

from __future__ import annotations

import asyncio
import logging
import re
import uuid
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import Any, TypeVar

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext

from bot.alerts.commands import CreateAlert, parse_alert_command
from bot.alerts.rule import Rule
from bot.answer import Answer, Block
from bot.blocks import kit, limits, messages, modals
from bot.blocks.alerts import EDIT
from bot.blocks.backtest import backtest_blocks, backtest_text, sentence
from bot.blocks.modals import ModalState, about_from, about_of, form_values
from bot.errors import (
    AccessDenied,
    BadQuestion,
    SlackDeliveryUnknown,
    SlackRefused,
    SuggestedQuestion,
)
from bot.formatting import sanitise
from bot.questions.question import AccountDirectory, Question
from bot.questions.reading import read_form, read_question
from bot.questions.registry import COMMANDS
from bot.slack.delivery import ReplyTarget
from bot.slack.manifest import ASK_AGAIN, ASK_OPSWATCH
from bot.store import StoreUnavailable
from handlers.alert_registry import rule_of
from handlers.alert_rules import RuleManager, create_alert_from
from handlers.backtesting import Backtesting
from handlers.error_messages import error_message
from handlers.listeners.actions import reply_target_from_action
from handlers.listeners.errors import ErrorListener
from handlers.requests import RequestHandler, split_command
from handlers.subscriptions import SubscriptionManager
from providers.sources import LogSource

log = logging.getLogger("opswatch")
# Slack waits three seconds for what a form that was submitted says.
SAVE_WITHIN_S = 2.0
T = TypeVar("T")
# What Slack shows of a choice.
LONGEST_NAME = 75
NAMES_WITHIN_S = 2.5
# A form without names, for somebody who may not read them.
NO_ACCOUNTS = AccountDirectory({})
TOO_LATE = "The form could not be opened in time; press the button again."


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """`Fill in…` under help and under a refused question, and *Ask again* at a message: the form of
    a question.
    """

    requests: RequestHandler

    async def __call__(
        self, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext
    ) -> None:
        about, words = await _asked(self.requests, body, action, context)
        await _open(self.requests, body, context, _form_of(self.requests, about, words))


@dataclass(frozen=True, slots=True)
class AskAgain:
    """The shortcut at a message: the form of the question that the message answers; else the choice
    of all.
    """

    requests: RequestHandler

    async def __call__(
        self, ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext
    ) -> None:
        await ack()
        context["target"] = target = reply_target_from_action(body, "")
        message = body.get("message") or {}
        line = (
            messages.extract_question(message.get("blocks") or [])
            if _is_ours(message, body, context)
            else ""
        )
        if not line:
            await _open(self.requests, body, context, modals.chooser_modal(target.channel))
            return
        command, words = split_command(line)
        await self.requests.require(command, target.user, target.channel)
        await _open(
            self.requests,
            body,
            context,
            _form_of(self.requests, ModalState(command, target.channel), words),
        )


@dataclass(frozen=True, slots=True)
class AskOpswatch:
    """The shortcut that is everywhere. It belongs to no channel, so it is answered in direct
    messages.
    """

    requests: RequestHandler

    async def __call__(
        self, ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext
    ) -> None:
        await ack()
        context["target"] = reply_target_from_action(body, "")
        await _open(self.requests, body, context, modals.chooser_modal(""))


@dataclass(frozen=True, slots=True)
class ChooseQuestion:
    """A choice becomes the form of one question."""

    requests: RequestHandler

    async def __call__(
        self, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext
    ) -> None:
        context["target"] = None
        about, view = about_from(str(action.get("value") or "")), body["view"]
        await self.requests.delivery.update_view(
            await self._form(about, str(body["user"]["id"])), view["id"], view["hash"]
        )

    async def _form(self, about: ModalState, user: str) -> Block:
        try:
            await self.requests.require(about.command, user, about.channel)
        except AccessDenied as error:
            # A form without names; who submits it is refused and recorded.
            return modals.question_modal(
                about, COMMANDS[about.command].form(None, NO_ACCOUNTS), kit.escaped(error.message)
            )
        return _form_of(self.requests, about, "")


@dataclass(frozen=True, slots=True)
class LogNames:
    """The names of logs that hold what was typed so far: those of the configuration, and those that
    the accounts list.
    """

    requests: RequestHandler
    sources: Mapping[str, LogSource]

    async def __call__(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        typed = str(body.get("value") or "").lower()
        about = about_of(body.get("view") or {})
        if not await _may_ask(self.requests, about, str(body["user"]["id"])):
            await ack(options=[])
            return
        names = [name for logs in self.requests.answering.directory.logs.values() for name in logs]
        async with asyncio.timeout(NAMES_WITHIN_S):
            listed = await asyncio.gather(
                *(source.named_logs() for source in self.sources.values()), return_exceptions=True
            )
            names += [
                entry.name
                for listing in listed
                if not isinstance(listing, BaseException)
                for entry in listing
            ]
        found = [
            name
            for name in dict.fromkeys(names)
            if typed in name.lower() and len(name) <= LONGEST_NAME
        ]
        await ack(options=[kit.option(name, _as_log(name)) for name in found[:100]])


@dataclass(frozen=True, slots=True)
class AskQuestion:
    """`Ask` in the form of a question; a refusal appears at the input it is about."""

    requests: RequestHandler
    problems: ErrorListener
    _asking: set[asyncio.Task[None]] = field(default_factory=set)

    async def __call__(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        about, user = about_of(body["view"]), str(body["user"]["id"])
        given, words = form_values(body["view"]), ""
        # The form of somebody who may not ask is not read; the request handler refuses and records
        # it.
        if await _may_ask(self.requests, about, user):
            try:
                words = self._read(about, given).text
            except BadQuestion as error:
                wrong = _input_of(body["view"], error.field)
                await ack(response_action="errors", errors={wrong: error.message})
                return
        await ack()
        # Bolt forgets an ack whose listener raises right after it, so the question goes its own way
        # from here.
        task = asyncio.create_task(self._ask(about, given, words, _errand(about, user)))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    def _read(self, about: ModalState, given: Mapping[str, str]) -> Question:
        requests = self.requests
        directory, now = requests.answering.directory, requests.clock()
        return read_form(about.command, given, directory, now=now, zone=requests.zone)

    async def _ask(
        self, about: ModalState, given: Mapping[str, str], words: str, target: ReplyTarget
    ) -> None:
        line = f"/{about.command} {words}".strip()
        target = replace(target, line=line)
        try:
            if not target.channel:
                dm = await self.requests.delivery.open_dm(target.user)
                target = replace(target, channel=dm, direct=True)
            await self.requests.ask(about.command, words, target, via="form", form=given)
        except Exception as error:
            await self.problems.tell(error, target)


@dataclass(frozen=True, slots=True)
class OpenRepeat:
    """`Repeat…` under an answer, and `Fill in…` under a refusal: a question to be asked again and
    again.
    """

    requests: RequestHandler

    async def __call__(
        self, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext
    ) -> None:
        about, words = await _asked(self.requests, body, action, context)
        await _open(
            self.requests,
            body,
            context,
            modals.repeat_modal(about, words, _said(self.requests, about, words)),
        )


@dataclass(frozen=True, slots=True)
class OpenAlert:
    """`Alert me…` under an answer, and `Fill in…` under a refusal: a value to be watched."""

    requests: RequestHandler

    async def __call__(
        self, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext
    ) -> None:
        about, words = await _asked(self.requests, body, action, context)
        wish = _as_far_as_typed(self.requests, about, words)
        await _open(
            self.requests,
            body,
            context,
            modals.alert_modal(about, wish, _said(self.requests, about, wish.query)),
        )


@dataclass(frozen=True, slots=True)
class OpenSilence:
    """`Fill in…` under a refused silence."""

    requests: RequestHandler
    rules: RuleManager

    async def __call__(
        self, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext
    ) -> None:
        about, words = _button_line(body, action, context)
        requester = await self.requests.permissions.requester(context["target"].user, about.channel)
        names = [name for name in await self.rules.nameable(requester) if len(name) <= LONGEST_NAME]
        if not names:
            text = "There is no alert here that could be silenced."
            await self.requests.delivery.send_note(context["target"], messages.note(text))
            return
        typed = words.partition(" ")[0].strip('"').lower()
        chosen = next((name for name in names if name.lower() == typed), names[0])
        await _open(self.requests, body, context, modals.silence_modal(about, names, chosen))


@dataclass(frozen=True, slots=True)
class EditAction:
    """`Edit rule` under an alert."""

    requests: RequestHandler
    rules: RuleManager

    async def __call__(
        self, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext
    ) -> None:
        target = context["target"] = reply_target_from_action(body, "")
        requester = await self.requests.permissions.requester(target.user, target.channel)
        kept = await self.rules.editable(str(action.get("value", "")), COMMANDS.first, requester)
        rule = rule_of(kept)
        about = ModalState(rule.command, kept.channel, rule.name)
        wish = create_alert_from(rule)
        view = modals.alert_modal(
            about, wish, _said(self.requests, about, wish.query), is_new=False
        )
        await _open(self.requests, body, context, view)


@dataclass(frozen=True, slots=True)
class TryAlert:
    """`Try it` in the modal of an alert: what it would have done in the last ninety days, before it
    is saved.
    """

    requests: RequestHandler
    rules: RuleManager
    backtesting: Backtesting

    async def __call__(self, body: dict[str, Any], context: AsyncBoltContext) -> None:
        context["target"] = None
        view, user = body["view"], str(body["user"]["id"])
        about = about_of(view)
        shown = await self._show(view, view["id"], view["hash"], "Trying it on the last 90 days …")
        try:
            asker = await self.requests.asker(about.command, user, about.channel)
            self.rules.access.require_manage(about.command, **asker.rights)
            wish = _wish(self.requests, about, form_values(view))
            rule, _ = self.rules.preview(wish, about.command, asker)
            test = await self.backtesting.run(rule)
            result = " ".join([f"It {sentence(test)}.", *test.notes])
        except Exception as error:
            trouble = error_message(error)
            result = f"{trouble.message} {trouble.hint if trouble.kind != 'bad_question' else ''}".strip()
        await self._show(view, view["id"], shown, result)

    async def _show(self, view: Mapping[str, Any], view_id: str, hash_: str, result: str) -> str:
        """The modal with another result, and its new hash. Where it was closed or changed
        meanwhile, nothing is shown.
        """
        try:
            told = await self.requests.delivery.update_view(
                modals.with_result(view, kit.escaped(result)), view_id, hash_
            )
        except (SlackRefused, SlackDeliveryUnknown) as error:
            log.info("A form could not be told anew: %s", type(error).__name__)
            return hash_
        return told


@dataclass(frozen=True, slots=True)
class SaveRepeat:
    """`Subscribe` in the modal."""

    requests: RequestHandler
    subscriptions: SubscriptionManager

    async def __call__(
        self, ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext
    ) -> None:
        about, user = about_of(body["view"]), str(body["user"]["id"])
        context["target"] = _errand(about, user)
        words = modals.repeat_words(form_values(body["view"]))
        told = await _saved(ack, "question", self._take(about, words, user))
        if told:
            await _confirm(self.requests, about, user, told, context)

    async def _take(self, about: ModalState, words: str, user: str) -> Answer | None:
        asker = await self.requests.asker(about.command, user, about.channel)
        return await self.subscriptions.handle(about.command, words, asker)


@dataclass(frozen=True, slots=True)
class SaveSilence:
    """`Silence` in the modal."""

    requests: RequestHandler
    rules: RuleManager

    async def __call__(
        self, ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext
    ) -> None:
        about, user = about_of(body["view"]), str(body["user"]["id"])
        context["target"] = _errand(about, user)
        given = form_values(body["view"])
        asker = await self.requests.asker(about.command, user, about.channel)
        told = await _saved(
            ack, "name", self.rules.handle(about.command, modals.silence_words(given), asker)
        )
        if told:
            await _confirm(self.requests, about, user, told, context)


@dataclass(frozen=True, slots=True)
class SaveAlert:
    """`Save` in the modal of an alert; a refusal stands at the input it is about."""

    requests: RequestHandler
    rules: RuleManager
    backtesting: Backtesting

    async def __call__(
        self, ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext
    ) -> None:
        about, user, given = (
            about_of(body["view"]),
            str(body["user"]["id"]),
            form_values(body["view"]),
        )
        try:
            requester = await self.requests.asker(about.command, user, about.channel)
            self.rules.access.require_manage(about.command, **requester.rights)
        except AccessDenied as error:
            await ack(response_action="errors", errors={"question": error.message})
            return
        try:
            wish = _wish(self.requests, about, given)
        except BadQuestion as error:
            await ack(
                response_action="errors",
                errors=_wrong_inputs(self.requests, about, given) or {"question": error.message},
            )
            return
        context["target"] = _errand(about, user)
        made = await _saved(ack, "question", self._make(wish, about, user))
        if made:
            rule, told = made
            await _confirm(self.requests, about, user, told, context)
            await self._tell_the_past(rule, about, user)

    async def _make(self, wish: CreateAlert, about: ModalState, user: str) -> tuple[Rule, Answer]:
        requester = await self.requests.permissions.requester(user, about.channel)
        return await self.rules.make(wish, about.command, requester, instead_of=about.rule)

    async def _tell_the_past(self, rule: Rule, about: ModalState, user: str) -> None:
        """What it would have done, with its chart, for whoever has made it. A courtesy: where it
        fails, nothing is said.
        """
        try:
            test = await self.backtesting.run(rule)
        except Exception as error:
            log.info("A new alert could not be tried on the past: %s", type(error).__name__)
            return
        if test.samples:
            zone = await self.requests.people.zone(user)
            await self.requests.delivery.send_ephemeral(
                _errand(about, user), backtest_text(test, zone), backtest_blocks(test, zone)
            )


async def _asked(
    requests: RequestHandler,
    body: dict[str, Any],
    action: dict[str, Any],
    context: AsyncBoltContext,
) -> tuple[ModalState, str]:
    """What the button is about, for whoever may ask it: the command and its words. Raises
    BadQuestion and Refused.
    """
    about, words = _button_line(body, action, context)
    await requests.require(about.command, context["target"].user, about.channel)
    return about, words


def _is_ours(
    message: Mapping[str, Any], body: Mapping[str, Any], context: AsyncBoltContext
) -> bool:
    """Whether a message is one of ours: another app may set buttons that look like ours."""
    ours = {"user": context.bot_user_id, "bot_id": context.bot_id, "app_id": body.get("api_app_id")}
    return all(
        not message.get(name) or not own or message[name] == own for name, own in ours.items()
    )


def _button_line(
    body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext
) -> tuple[ModalState, str]:
    """The command and the words that a button holds."""
    line = str(action.get("value", ""))
    target = context["target"] = reply_target_from_action(body, line)
    command, words = split_command(line)
    return ModalState(command, target.channel), words


def _as_log(name: str) -> str:
    """The value of a choice: the name, in quotes where it would be read as several."""
    return f'"{name}"' if "," in name else name


async def _may_ask(requests: RequestHandler, about: ModalState, user: str) -> bool:
    asker = await requests.asker(about.command, user, about.channel)
    return requests.access.may_ask(about.command, **asker.rights)


def _form_of(requests: RequestHandler, about: ModalState, words: str) -> Block:
    """The form of a question, filled from words as far as they can be read, or as they were
    probably meant.
    """
    directory, command = requests.answering.directory, COMMANDS[about.command]
    read = partial(
        read_question, about.command, directory=directory, now=requests.clock(), zone=requests.zone
    )
    question: Question | None = None
    try:
        question = read(words)
    except SuggestedQuestion as error:
        words = error.hint.partition(" ")[2]
        question = read(words)
    except BadQuestion:
        pass
    preview = (
        "Choose a log, and when."
        if command.names_logs and not words
        else _said(requests, about, words)
    )
    return modals.question_modal(about, command.form(question, directory), preview)


def _input_of(view: Mapping[str, Any], field: str) -> str:
    """The input at which a refusal appears: the one that is wrong, or else the first."""
    inputs = [block["block_id"] for block in view["blocks"] if block.get("type") == "input"]
    return field if field in inputs else str(inputs[0])


def _as_far_as_typed(requests: RequestHandler, about: ModalState, words: str) -> CreateAlert:
    """The wish that was typed, where it can be read; else its question alone."""
    try:
        wish = parse_alert_command(about.command, f"alert {words}", requests.answering.directory)
    except BadQuestion:
        wish = None
    return wish if isinstance(wish, CreateAlert) else modals.new_alert(about.command, words)


def _said(requests: RequestHandler, about: ModalState, words: str) -> str:
    """How the question is read, in one line."""
    try:
        question = read_question(
            about.command,
            words,
            requests.answering.directory,
            now=requests.clock(),
            zone=requests.zone,
        )
    except BadQuestion as error:
        return kit.escaped(error.message)
    return f"Read as {kit.code(question.line, 200)}: {kit.escaped(question.window.said)}"


def _wish(
    requests: RequestHandler,
    about: ModalState,
    given: Mapping[str, str],
    only: Sequence[str] | None = None,
) -> CreateAlert:
    wish = parse_alert_command(
        about.command, modals.alert_words(given, only), requests.answering.directory
    )
    if not isinstance(wish, CreateAlert):
        raise BadQuestion("That is no alert.", f"/{COMMANDS.first} alerts")
    return wish


def _wrong_inputs(
    requests: RequestHandler, about: ModalState, given: Mapping[str, str]
) -> dict[str, str]:
    """What is wrong in each input of the form of an alert, by its name."""
    wrong: dict[str, str] = {}
    for name in ("threshold", *modals.OPTIONS):
        if name != "threshold" and not given.get(name):
            continue
        if name == "recover" and "threshold" in wrong:
            continue
        # One option at a time, with a threshold that can be read.
        usual = (
            {"threshold": "5 GB" if "bytes" in given.get("value", "") else "20"}
            if "threshold" in wrong
            else {}
        )
        try:
            _wish(requests, about, {**given, **usual}, [name])
        except BadQuestion as error:
            says = _FIELD_TAKES.get(name, "") if "I do not understand" in error.message else ""
            wrong[name] = (
                f"I do not understand “{sanitise(given.get(name, ''), 40)}”; {says}."
                if says
                else error.message
            )
    return wrong


_FIELD_TAKES = MappingProxyType(
    {
        "threshold": "a threshold is a number, a percentage or a size such as 5 GB",
        "recover": "write a number, a percentage or a size such as 5 GB",
        "every": "write a duration such as 15m or 4h",
        "for": "write a duration such as 10m or 2h",
        "repeat": "write a duration such as 4h or 1d",
        "as": "a name is letters, digits, dots, dashes and spaces",
    }
)


async def _open(
    requests: RequestHandler, body: dict[str, Any], context: AsyncBoltContext, view: Block
) -> None:
    """Opens a modal at once: a trigger lives three seconds."""
    problems = limits.view_problems(view)
    if problems:
        log.error("A form would be refused: %s", "; ".join(problems))
    try:
        await requests.delivery.open_view(str(body.get("trigger_id", "")), view)
    except (SlackRefused, SlackDeliveryUnknown) as error:
        log.warning("A form could not be opened: %s", type(error).__name__)
        await requests.delivery.send_note(context["target"], messages.note(TOO_LATE))


async def _saved(ack: AsyncAck, block: str, taking: Coroutine[Any, Any, T]) -> T | None:
    """What came of it, the modal closed; or None, with the refusal standing in it. What takes
    longer than Slack waits goes on behind the closed modal, and an error rises to the listener that
    tells it.
    """
    task = asyncio.create_task(taking)
    await asyncio.wait({task}, timeout=SAVE_WITHIN_S)
    if not task.done():
        await ack()
        return await task
    try:
        told = task.result()
    except (BadQuestion, AccessDenied) as error:
        await ack(response_action="errors", errors={block: error.message})
        return None
    except StoreUnavailable as error:
        log.error("A form could not be saved: %s", error)
        await ack(
            response_action="errors",
            errors={block: f"Nothing was saved. {error_message(error).text}"},
        )
        return None
    await ack()
    return told


async def _confirm(
    requests: RequestHandler, about: ModalState, user: str, told: Answer, context: AsyncBoltContext
) -> None:
    context["target"] = target = _errand(about, user)
    await requests.delivery.send_note(target, told)


def _errand(about: ModalState, user: str) -> ReplyTarget:
    return ReplyTarget(
        user=user, channel=about.channel, response_url="", line="", delivery=uuid.uuid4().hex
    )


def register(
    app: AsyncApp,
    requests: RequestHandler,
    subscriptions: SubscriptionManager,
    rules: RuleManager,
    backtesting: Backtesting,
    logs: Mapping[str, LogSource],
    problems: ErrorListener,
) -> None:
    app.action(messages.OPEN_QUESTION)(OpenQuestion(requests).__call__)
    app.action(re.compile(rf"^{re.escape(modals.CHOOSE)}\.\w+$"))(ChooseQuestion(requests).__call__)
    app.options(modals.LOG_NAMES)(LogNames(requests, logs).__call__)
    app.view(modals.ASK)(AskQuestion(requests, problems).__call__)
    app.shortcut(ASK_AGAIN)(AskAgain(requests).__call__)
    app.shortcut(ASK_OPSWATCH)(AskOpswatch(requests).__call__)
    app.action(messages.OPEN_REPEAT)(OpenRepeat(requests).__call__)
    app.action(messages.OPEN_ALERT)(OpenAlert(requests).__call__)
    app.action(messages.OPEN_SILENCE)(OpenSilence(requests, rules).__call__)
    app.view(modals.SAVE_SILENCE)(SaveSilence(requests, rules).__call__)
    app.action(EDIT)(EditAction(requests, rules).__call__)
    app.action(modals.TRY_ALERT)(TryAlert(requests, rules, backtesting).__call__)
    app.view(modals.SAVE_REPEAT)(SaveRepeat(requests, subscriptions).__call__)
    app.view(modals.SAVE_ALERT)(SaveAlert(requests, rules, backtesting).__call__)
