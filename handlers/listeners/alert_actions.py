"""The buttons of an alert, under its message and on Home: acknowledge, silence, unsilence."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from msgspec import Struct
from slack_bolt.async_app import AsyncApp, AsyncBoltContext

from bot import formatting
from bot.alerts.commands import Silence, Unsilence
from bot.alerts.rule import Rule
from bot.alerts.silence_ends import NEXT_MORNING, TOMORROW
from bot.answer import Answer
from bot.blocks import messages
from bot.blocks.alert_buttons import ACKNOWLEDGE, LINK, SILENCE, UNSILENCE
from bot.errors import BadQuestion
from bot.questions.amounts import read_duration
from bot.questions.registry import COMMANDS
from handlers.alert_rules import RuleManager
from handlers.listeners.actions import reply_target_from_action
from handlers.permissions import Requester
from handlers.requests import RequestHandler

# Shows a person their App Home as of now.
RefreshHome = Callable[[str], Awaitable[None]]


class AcknowledgeAction(Struct, frozen=True):
    """Acknowledges an incident: no more reminders; changes and its end are still posted."""

    requests: RequestHandler
    rules: RuleManager
    refresh_home: RefreshHome

    async def __call__(
        self, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext
    ) -> None:
        rule, asker = await managed(self.requests, self.rules, body, action, context)
        name = await self.rules.permissions.people.name(asker.user)
        is_done = await self.rules.job.acknowledge(rule, user=asker.user, name=name)
        if is_at_home(body):
            await self.refresh_home(asker.user)
        elif not is_done:
            note = messages.note(await self.rules.listing.why_not_acknowledged(rule))
            await self.requests.delivery.send_note(context["target"], note)


class SilenceAction(Struct, frozen=True):
    """Silences an alert for one hour, for four, or until a morning."""

    requests: RequestHandler
    rules: RuleManager
    refresh_home: RefreshHome

    async def __call__(
        self, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext
    ) -> None:
        rule, asker = await managed(self.requests, self.rules, body, action, context)
        named = str(action["action_id"]).rpartition(".")[2]
        wanted = Silence(rule.name, _LENGTHS.get(named), end=_ENDS.get(named, NEXT_MORNING))
        answer = await self.rules.silences.silence(rule, wanted, asker.user)
        await respond(self.requests, self.refresh_home, body, context, asker, answer)


class UnsilenceAction(Struct, frozen=True):
    """Ends the silence of an alert, for those who may manage it and for whoever started it."""

    requests: RequestHandler
    rules: RuleManager
    refresh_home: RefreshHome

    async def __call__(
        self, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext
    ) -> None:
        rule, asker = await requested(self.requests, self.rules, body, action, context)
        answer = await self.rules.silences.handle(Unsilence(rule.name), rule.command, asker)
        await respond(self.requests, self.refresh_home, body, context, asker, answer)


_LENGTHS: dict[str, timedelta | None] = {length: read_duration(length) for length in ("1h", "4h")}


# The second one is under messages of earlier versions, as “Silence until tomorrow”.
_ENDS = {"morning": NEXT_MORNING, "tomorrow": TOMORROW}


async def respond(
    requests: RequestHandler,
    refresh_home: RefreshHome,
    body: dict[str, Any],
    context: AsyncBoltContext,
    asker: Requester,
    answer: Answer,
) -> None:
    """Shows the result of a button: the updated App Home, or a note where it was pressed."""
    if is_at_home(body):
        await refresh_home(asker.user)
    else:
        await requests.delivery.send_note(context["target"], answer)


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
    rule, requester = await requested(requests, rules, body, action, context)
    # Access is checked at the click: the message may be older than the access rules.
    return await rules.registry.managed(rule.name, rule.command, requester), requester


async def requested(
    requests: RequestHandler,
    rules: RuleManager,
    body: dict[str, Any],
    action: dict[str, Any],
    context: AsyncBoltContext,
) -> tuple[Rule, Requester]:
    """The rule that a button is about, and who pressed it. Raises BadQuestion."""
    target = context["target"] = reply_target_from_action(body, "")
    name = str(action.get("value", ""))
    rule = rules.registry.find(name)
    if rule is None:
        raise BadQuestion(
            f"Alert “{formatting.sanitise(name, 60)}” no longer exists.",
            f"/{COMMANDS.first} alerts",
        )
    return rule, await requests.permissions.requester(target.user, target.channel)


def is_at_home(body: dict[str, Any]) -> bool:
    """Whether the button was pressed on the App Home, which then shows the new state."""
    return (body.get("view") or {}).get("type") == "home"


async def follow_link() -> None:
    """Does nothing: Slack has opened the page of the button already, and reports the press."""


def register(
    app: AsyncApp, requests: RequestHandler, rules: RuleManager, refresh_home: RefreshHome
) -> None:
    acknowledge = AcknowledgeAction(requests, rules, refresh_home)
    silence = SilenceAction(requests, rules, refresh_home)
    unsilence = UnsilenceAction(requests, rules, refresh_home)
    app.action(ACKNOWLEDGE)(acknowledge.__call__)
    app.action(re.compile(rf"^{re.escape(SILENCE)}\.\w+$"))(silence.__call__)
    app.action(UNSILENCE)(unsilence.__call__)
    # Slack reports clicks on links, too, and shows a warning beside a button that nobody
    # acknowledges.
    app.action(re.compile(rf"^{re.escape(LINK)}\.\d+$"))(follow_link)
