"""The form of an alert: filled from a question or a rule, tried on the past, and saved."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from slack_bolt.async_app import AsyncAck, AsyncBoltContext

from bot.alerts.commands import CreateAlert, parse_alert_command
from bot.alerts.form import new_alert, read_alert_form
from bot.alerts.rule import Rule
from bot.answer import Answer
from bot.blocks import kit, modals
from bot.blocks.backtest import backtest_blocks, backtest_text, sentence
from bot.blocks.modals import ModalState
from bot.errors import BadQuestion, SlackDeliveryUnknown, SlackRefused
from bot.questions.form import FormValues
from bot.questions.registry import COMMANDS
from bot.slack.delivery import ReplyTarget
from handlers.alert_registry import rule_of
from handlers.alert_rules import RuleManager
from handlers.backtesting import Backtesting
from handlers.error_messages import error_message, log_failure
from handlers.listeners.actions import reply_target_from_action
from handlers.listeners.forms import views
from handlers.permissions import Requester
from handlers.requests import RequestHandler
from handlers.rule_conversion import create_alert_from

log = logging.getLogger("opswatch")


class OpenAlert(Struct, frozen=True):
    """`Alert me…` under an answer, and `Fill in…` under a refused `alert`."""

    requests: RequestHandler

    async def __call__(
        self, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext
    ) -> None:
        state, words = await views.parse_allowed_button(self.requests, body, action, context)
        alert = self._as_typed(state, words)
        preview = views.question_preview(self.requests, state, alert.query)
        view = modals.alert_modal(state, alert, preview)
        await views.open_view(self.requests, body, context, view)

    def _as_typed(self, state: ModalState, words: str) -> CreateAlert:
        """The typed alert if it can be read, else only its question."""
        directory = self.requests.answering.directory
        try:
            alert = parse_alert_command(state.command, f"alert {words}", directory)
        except BadQuestion:
            # What cannot be read is the condition; the question before it fills the form anyway.
            alert = None
        return alert if isinstance(alert, CreateAlert) else new_alert(state.command, words)


class EditAlert(Struct, frozen=True):
    """`Edit alert` under an alert."""

    requests: RequestHandler
    rules: RuleManager

    async def __call__(
        self, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext
    ) -> None:
        target = context["target"] = reply_target_from_action(body, "")
        requester = await self.requests.permissions.requester(target.user, target.channel)
        name = str(action.get("value", ""))
        stored = await self.rules.editable(name, COMMANDS.first, requester)
        rule = rule_of(stored)
        state = ModalState(rule.command, stored.channel, rule.name)
        alert = create_alert_from(rule)
        preview = views.question_preview(self.requests, state, alert.query)
        view = modals.alert_modal(state, alert, preview, is_new=False)
        await views.open_view(self.requests, body, context, view)


async def _read_form(
    rules: RuleManager, state: ModalState, values: FormValues, requester: Requester
) -> CreateAlert:
    """The alert that was filled in, for a person who may manage it. Raises AccessDenied and
    BadQuestion.
    """
    # The refusal of a question names accounts, so access is checked before it is read.
    rules.access.require_manage(state.command, **requester.rights)
    before = new_alert(state.command, "")
    if state.rule:
        before = create_alert_from(
            rule_of(await rules.editable(state.rule, state.command, requester))
        )
    return read_alert_form(state.command, values, before)


class TryAlert(Struct, frozen=True):
    """`Try it` in the form: what the alert would have done in the last ninety days, before it is
    saved.
    """

    requests: RequestHandler
    rules: RuleManager
    backtesting: Backtesting

    async def __call__(self, body: dict[str, Any], context: AsyncBoltContext) -> None:
        # Errors are shown in the modal.
        context["target"] = None
        view = body["view"]
        user = str(body["user"]["id"])
        # Slack refuses an update with an old hash, so that nothing the person enters meanwhile is
        # lost (views.update).
        hash_ = await self._show(view, view["hash"], "Trying it on the last 90 days …")
        await self._show(view, hash_, await self._result(view, user))

    async def _result(self, view: Mapping[str, Any], user: str) -> str:
        try:
            state = modals.state_of(view)
            requester = await self.requests.permissions.requester(user, state.channel)
            values = views.entered_values(view)
            alert = await _read_form(self.rules, state, values, requester)
            rule, _ = self.rules.preview(alert, state.command, requester)
            # Only tried: nothing is saved, and no name is taken.
            test = await self.backtesting.run(rule)
        except Exception as error:
            log_failure(error, "A new alert could not be tried on the past", level=logging.DEBUG)
            message = error_message(error)
            # The hint of a refused question is a line to type, which does not help in a form.
            hint = "" if message.kind == "bad_question" else message.hint
            return f"{message.message} {hint}".strip()
        return " ".join([f"It {sentence(test)}.", *test.notes])

    async def _show(self, view: Mapping[str, Any], hash_: str, result: str) -> str:
        """Shows a result in the modal, and returns the new hash. A modal that was closed or changed
        meanwhile is left alone.
        """
        changed = modals.with_result(view, kit.escaped(result))
        try:
            return await self.requests.delivery.views.update(changed, view["id"], hash_)
        except (SlackRefused, SlackDeliveryUnknown) as error:
            log.info("A form could not be updated: %s", error)
            return hash_


class SaveAlert(Struct, frozen=True):
    """`Save` in the form; every input that is wrong is marked."""

    requests: RequestHandler
    rules: RuleManager
    backtesting: Backtesting

    async def __call__(
        self, ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext
    ) -> None:
        saved = await views.submit(self.requests, ack, body, context, self._save)
        if saved is None:
            return
        rule, note = saved
        await self.requests.delivery.send_note(context["target"], note)
        await self._send_backtest(rule, context["target"])

    async def _save(
        self, state: ModalState, values: FormValues, requester: Requester
    ) -> tuple[Rule, Answer]:
        alert = await _read_form(self.rules, state, values, requester)
        return await self.rules.make(alert, state.command, requester, instead_of=state.rule)

    async def _send_backtest(self, rule: Rule, target: ReplyTarget) -> None:
        """Shows the person what the new alert would have done. A failure is only logged, because
        the alert is saved.
        """
        try:
            test = await self.backtesting.run(rule)
        except Exception as error:
            log_failure(error, "A new alert could not be tried on the past", level=logging.INFO)
            return
        if test.samples:
            zone = await self.requests.people.zone(target.user)
            await self.requests.delivery.send_ephemeral(
                target, backtest_text(test, zone), backtest_blocks(test, zone)
            )
