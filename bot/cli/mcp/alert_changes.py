"""Acknowledges and silences alerts in the name of a person, with their rights at the time of the call.
Repeating a call changes nothing more.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

from msgspec import Struct

from bot.alerts.commands import Silence, Unsilence, silence_length
from bot.alerts.rule import Rule
from bot.cli.mcp.alert_states import ALERT_SCHEMA, ListedAlert, open_store
from bot.cli.mcp.tools import (
    AcknowledgeArguments,
    ChangeArguments,
    SilenceArguments,
    UnsilenceArguments,
)
from bot.composition.alert_changes import AlertChanges, open_alert_changes
from bot.config import read_settings, slack_tokens
from bot.errors import AccessDenied, BadQuestion
from bot.formatting import sanitise
from bot.questions.question import CommandName
from bot.questions.registry import COMMANDS
from bot.store import Store
from bot.system.terminal_text import terminal_text
from handlers.alert_silences import NotSilenced
from handlers.jobs.alert_schedules import schedule_of
from handlers.permissions import Requester

# Shown in standard error whatever the level of other lines.
audit_log = logging.getLogger("opswatch.audit")
# A silence that ends so close to the requested end is that of a call that is repeated.
REPEATED_WITHIN = timedelta(minutes=1)
CHANGE_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "text": {"type": "string", "description": "What was changed."},
        "changed": {
            "type": "boolean",
            "description": "False if the alert was in this state already, or has no incident.",
        },
        "alert": ALERT_SCHEMA,
    },
    "required": ["text", "changed", "alert"],
}


class _Done(Struct, frozen=True):
    """The alert of a call, and what was changed in words."""

    rule: Rule
    text: str
    is_changed: bool = True


async def change_alert(
    arguments: ChangeArguments, config: Path, *, user: str, channel: str | None
) -> dict[str, Any]:
    """The alert after the change. Raises what `handlers.error_messages.error_message` can explain."""
    settings = read_settings(config)
    async with open_store(settings) as store:
        if store is None:
            raise BadQuestion("There is no alert yet: the bot has not created its database.")
        async with open_alert_changes(settings, slack_tokens("neither"), store) as alerts:
            asker = await alerts.permissions.requester(user.strip(), (channel or "").strip())
            done = await _audited(arguments, alerts, asker)
            return {
                "text": terminal_text(done.text),
                "changed": done.is_changed,
                "alert": (await _listed(done.rule, alerts, store)).as_json(),
            }


async def _audited(arguments: ChangeArguments, alerts: AlertChanges, asker: Requester) -> _Done:
    """The change, which is logged with the person, as is a refusal."""
    name = sanitise(arguments.name, 100)
    try:
        if isinstance(arguments, AcknowledgeArguments):
            done = await _acknowledge(arguments, alerts, asker)
        elif isinstance(arguments, SilenceArguments):
            done = await _silence(arguments, alerts, asker)
        else:
            done = await _unsilence(arguments, alerts, asker)
    except AccessDenied:
        audit_log.warning("%s was refused for %s: alert %s.", arguments.verb, asker.user, name)
        raise
    if done.is_changed:
        audit_log.info("%s by %s: alert %s.", arguments.verb, asker.user, done.rule.name)
    return done


async def _acknowledge(
    arguments: AcknowledgeArguments, alerts: AlertChanges, asker: Requester
) -> _Done:
    rule = await _managed(arguments.name, alerts, asker)
    name = await alerts.people.name(asker.user)
    if await alerts.job.acknowledge(rule, user=asker.user, name=name):
        return _Done(rule, f"Alert {rule.name} is acknowledged: no more reminders are posted.")
    state = await alerts.job.state(rule)
    why = "is acknowledged already" if state.acknowledged_by else "has no open incident"
    return _Done(rule, f"Alert {rule.name} {why}.", is_changed=False)


async def _silence(arguments: SilenceArguments, alerts: AlertChanges, asker: Requester) -> _Done:
    length, end = silence_length(arguments.duration, "2h")
    comment = sanitise(arguments.comment, 500)
    rule = await _managed(arguments.name, alerts, asker)
    silence = Silence(rule.name, length, comment, end)
    if _is_silenced(rule, silence, alerts, asker):
        return _Done(rule, f"Alert {rule.name} is silenced like this already.", is_changed=False)
    await alerts.silences.handle(silence, rule.command, asker)
    return _Done(
        rule, f"Alert {rule.name} is silenced. It is still checked, and posts after the silence."
    )


def _is_silenced(rule: Rule, wanted: Silence, alerts: AlertChanges, asker: Requester) -> bool:
    """Whether an earlier call of the same person has made this silence."""
    now = alerts.clock()
    made = alerts.job.silences.silence(rule.name, now)
    if made is None or made.user != asker.user:
        return False
    if made.comment != alerts.silences.secrets.redacted(wanted.comment):
        return False
    return abs(alerts.silences.readings_of(rule, wanted, now).end - made.end) <= REPEATED_WITHIN


async def _unsilence(
    arguments: UnsilenceArguments, alerts: AlertChanges, asker: Requester
) -> _Done:
    command = _own_command(alerts, asker)
    try:
        await alerts.silences.handle(Unsilence(arguments.name), command, asker)
    except NotSilenced:
        rule = _known(arguments.name, alerts)
        return _Done(rule, f"Alert {rule.name} is not silenced.", is_changed=False)
    rule = _known(arguments.name, alerts)
    return _Done(rule, f"Alert {rule.name} is no longer silenced.")


async def _managed(name: str, alerts: AlertChanges, asker: Requester) -> Rule:
    """The alert of that name, for people who may manage it. Raises BadQuestion and AccessDenied."""
    return await alerts.registry.managed(name, _own_command(alerts, asker), asker)


def _own_command(alerts: AlertChanges, asker: Requester) -> CommandName:
    """A command of the person. That of the alert would reveal in a refusal that the alert exists."""
    return next(iter(alerts.permissions.allowed(asker)), COMMANDS.first)


def _known(name: str, alerts: AlertChanges) -> Rule:
    rule = alerts.registry.find(name)
    assert rule is not None, "its silence was looked up"
    return rule


async def _listed(rule: Rule, alerts: AlertChanges, store: Store) -> ListedAlert:
    now = alerts.clock()
    return ListedAlert(
        rule,
        await alerts.job.state(rule),
        alerts.job.silences.active(rule.name, now),
        is_paused=schedule_of(rule.name) in await store.pauses.all(),
    )
