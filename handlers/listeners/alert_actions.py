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
from bot.blocks.alert_buttons import ACKNOWLEDGE, LINK, SILENCE
from bot.errors import BadQuestion
from bot.questions.registry import COMMANDS
from handlers.alert_rules import RuleManager
from handlers.listeners.actions import reply_target_from_action
from handlers.permissions import Requester
from handlers.requests import RequestHandler


@dataclass(frozen=True, slots=True)
class AcknowledgeAction:
    """Acknowledges an incident: no more reminders; changes and its end are still posted."""

    requests: RequestHandler
    rules: RuleManager

    async def __call__(
        self, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext
    ) -> None:
        rule, asker = await managed(self.requests, self.rules, body, action, context)
        name = await self.rules.permissions.people.name(asker.user)
        if not await self.rules.job.acknowledge(rule, user=asker.user, name=name):
            text = f"Alert `{rule.name}` is not firing, or is acknowledged already."
            await self.requests.delivery.send_note(context["target"], messages.note(text))


@dataclass(frozen=True, slots=True)
class SilenceAction:
    """Silences an alert for one hour, for four, or until tomorrow."""

    requests: RequestHandler
    rules: RuleManager

    async def __call__(
        self, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext
    ) -> None:
        rule, asker = await managed(self.requests, self.rules, body, action, context)
        length = _LENGTHS.get(str(action["action_id"]).rpartition(".")[2])
        answer = await self.rules.silences.silence(rule, length, "", asker.user)
        await self.requests.delivery.send_note(context["target"], answer)


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
    """The rule that a button is about, for those who may manage it. Raises BadQuestion and
    AccessDenied.
    """
    target = context["target"] = reply_target_from_action(body, "")
    name = str(action.get("value", ""))
    rule = rules.registry.find(name)
    if rule is None:
        raise BadQuestion(
            f"Alert “{formatting.sanitise(name, 60)}” no longer exists.",
            f"/{COMMANDS.first} alerts",
        )
    requester = await requests.permissions.requester(target.user, target.channel)
    return await rules.registry.managed(rule.name, rule.command, requester), requester


async def follow_link() -> None:
    """Does nothing: Slack has opened the page of the button already, and reports the press."""


def register(app: AsyncApp, requests: RequestHandler, rules: RuleManager) -> None:
    app.action(ACKNOWLEDGE)(AcknowledgeAction(requests, rules).__call__)
    app.action(re.compile(rf"^{re.escape(SILENCE)}\.\w+$"))(SilenceAction(requests, rules).__call__)
    app.action(re.compile(rf"^{re.escape(LINK)}\.\d+$"))(follow_link)
