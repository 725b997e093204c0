"""The buttons under an alert: acknowledge it, silence it, change its rule."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from slack_bolt.async_app import AsyncApp, AsyncBoltContext

from bot import formatting
from bot.alerts.rule import Rule
from bot.blocks import messages
from bot.blocks.alerts import ACKNOWLEDGE, SILENCE
from bot.errors import BadQuestion
from bot.questions.registry import COMMANDS
from handlers.alert_rules import RuleManager
from handlers.listeners.actions import reply_target_from_action
from handlers.permissions import Requester
from handlers.requests import RequestHandler


@dataclass(frozen=True, slots=True)
class AcknowledgeAction:
    """Somebody takes an incident on. It is not repeated; what is new, and its end, are told."""

    requests: RequestHandler
    rules: RuleManager

    async def __call__(
        self, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext
    ) -> None:
        rule, asker = await managed(self.requests, self.rules, body, action, context)
        if not await self.rules.job.acknowledge(rule, user=asker.user):
            text = f"Alert `{rule.name}` is over or acknowledged already."
            await self.requests.delivery.send_note(context["target"], messages.note(text))


@dataclass(frozen=True, slots=True)
class SilenceAction:
    """Quiet for one hour, four, or until tomorrow."""

    requests: RequestHandler
    rules: RuleManager

    async def __call__(
        self, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext
    ) -> None:
        rule, asker = await managed(self.requests, self.rules, body, action, context)
        told = await self.rules.silence(
            rule, _LENGTHS.get(str(action["action_id"]).rpartition(".")[2]), "", asker.user
        )
        await self.requests.delivery.send_note(context["target"], told)


_LENGTHS: dict[str, timedelta | None] = {
    length: formatting.read_duration(length) for length in ("1h", "4h")
}


async def managed(
    requests: RequestHandler,
    rules: RuleManager,
    body: dict[str, Any],
    action: dict[str, Any],
    context: AsyncBoltContext,
) -> tuple[Rule, Requester]:
    """The rule that a button is about, for somebody who may manage it. Raises BadQuestion and
    Refused.
    """
    target = context["target"] = reply_target_from_action(body, "")
    name = str(action.get("value", ""))
    rule = rules.rule(name)
    if rule is None:
        raise BadQuestion(
            f"There is no alert “{formatting.sanitise(name, 60)}” any more.",
            f"/{COMMANDS.first} alerts",
        )
    requester = await requests.permissions.requester(target.user, target.channel)
    return await rules.required(rule.name, rule.command, requester), requester


def register(app: AsyncApp, requests: RequestHandler, rules: RuleManager) -> None:
    app.action(ACKNOWLEDGE)(AcknowledgeAction(requests, rules).__call__)
    app.action(re.compile(rf"^{re.escape(SILENCE)}\.\w+$"))(SilenceAction(requests, rules).__call__)
