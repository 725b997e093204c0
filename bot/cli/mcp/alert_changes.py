"""Acknowledges and silences alerts in the name of a person, with their rights at the time of the call.
Repeating a call changes nothing more.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from bot.alerts.commands import Silence, Unsilence, silence_length
from bot.alerts.rule import Rule
from bot.cli.mcp.alert_states import ALERT_SCHEMA, ListedAlert, open_store
from bot.cli.mcp.tools import (
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
from handlers.alert_texts import unacknowledgeable
from handlers.error_messages import log_failure
from handlers.jobs.alert_schedules import schedule_of
from handlers.permissions import Requester

T = TypeVar("T")
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
        # Left out for people who end their own silence of an alert that they have no access to.
        "alert": ALERT_SCHEMA,
    },
    "required": ["text", "changed"],
}


class _Done(Struct, frozen=True):
    """The alert of a call, what was changed in words, and whether the person may see the alert."""

    rule: Rule
    text: str
    is_changed: bool = True
    may_be_seen: bool = False


async def change_alert(
    arguments: ChangeArguments, config: Path, *, user: str, channel: str | None
) -> dict[str, Any]:
    """The alert after the change. Raises what `handlers.error_messages.error_message` can explain."""
    settings = read_settings(config)
    async with open_store(settings) as store:
        if store is None:
            raise BadQuestion("There is no alert yet: the bot has not created its database.")
        async with open_alert_changes(settings, slack_tokens("neither"), store) as alerts:
            done = await _audited(arguments, alerts, user.strip(), (channel or "").strip())
            result: dict[str, Any] = {
                "text": terminal_text(done.text),
                "changed": done.is_changed,
            }
            if done.may_be_seen:
                result["alert"] = (await _listed(done.rule, alerts, store)).as_json()
            return result


async def _audited(
    arguments: ChangeArguments, alerts: AlertChanges, user: str, channel: str
) -> _Done:
    """The change, which is logged with the person, as is a refusal."""
    try:
        asker = await alerts.people.requester(user, channel)
        rule = await _rule(arguments, alerts, asker)
        done = await _settled(_logged(arguments, rule, alerts, asker))
        return replace(done, may_be_seen=await alerts.registry.may_see(done.rule, asker))
    except AccessDenied:
        name = sanitise(arguments.name, 100)
        audit_log.warning("%s was refused for %s: alert %s.", arguments.verb, user, name)
        raise


async def _settled(work: Coroutine[Any, Any, T]) -> T:
    """The result of work that is finished even if nobody waits for it any more: what is written is
    logged, too.
    """
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        if not task.cancelled() and (error := task.exception()):
            log_failure(error, "A change that was cancelled failed", level=logging.INFO)
        raise


async def _logged(
    arguments: ChangeArguments, rule: Rule | None, alerts: AlertChanges, asker: Requester
) -> _Done:
    if rule is None:
        done = await _unsilence(arguments.name, alerts, asker)
    elif isinstance(arguments, SilenceArguments):
        done = await _silence(arguments, rule, alerts, asker)
    else:
        done = await _acknowledge(rule, alerts, asker)
    # A process that was killed after the change has left no line, but its call may be repeated.
    how = "" if done.is_changed else " was repeated, or had no effect,"
    audit_log.info("%s%s by %s: alert %s.", arguments.verb, how, asker.user, done.rule.name)
    return done


async def _rule(arguments: ChangeArguments, alerts: AlertChanges, asker: Requester) -> Rule | None:
    """The alert of that name, for people who may manage it; None where ending a silence checks that
    itself: people may end their own without access to manage alerts. Raises BadQuestion and
    AccessDenied.
    """
    if isinstance(arguments, UnsilenceArguments):
        return None
    return await alerts.registry.managed(arguments.name, _own_command(alerts, asker), asker)


async def _acknowledge(rule: Rule, alerts: AlertChanges, asker: Requester) -> _Done:
    name = await alerts.people.directory.name(asker.user)
    if await alerts.job.acknowledge(rule, user=asker.user, name=name):
        return _Done(rule, f"Alert {rule.name} is acknowledged: no more reminders are posted.")
    state = await alerts.job.state(rule)
    if state.acknowledged_by:
        return _Done(rule, f"Alert {rule.name} is acknowledged already.", is_changed=False)
    silence = alerts.job.silences.active(rule.name, alerts.clock())
    text = f"Alert {rule.name} {unacknowledgeable(state, silence)}"
    return _Done(rule, text, is_changed=False)


async def _silence(
    arguments: SilenceArguments, rule: Rule, alerts: AlertChanges, asker: Requester
) -> _Done:
    length, end = silence_length(arguments.duration, "2h")
    silence = Silence(rule.name, length, sanitise(arguments.comment, 500), end)
    if _is_silenced(rule, silence, alerts, asker):
        return _Done(rule, f"Alert {rule.name} is silenced like this already.", is_changed=False)
    await alerts.silences.silence(rule, silence, asker.user)
    return _Done(
        rule, f"Alert {rule.name} is silenced. It is still checked, and posts after the silence."
    )


def _is_silenced(rule: Rule, wanted: Silence, alerts: AlertChanges, asker: Requester) -> bool:
    """Whether an earlier call of the same person has made this silence."""
    now = alerts.clock()
    made = alerts.job.silences.current(rule.name)
    if made is None or made.user != asker.user:
        return False
    if made.comment != alerts.silences.secrets.redacted(wanted.comment):
        return False
    return abs(alerts.silences.readings_of(rule, wanted, now).end - made.end) <= REPEATED_WITHIN


async def _unsilence(name: str, alerts: AlertChanges, asker: Requester) -> _Done:
    is_changed = True
    try:
        await alerts.silences.handle(Unsilence(name), _own_command(alerts, asker), asker)
    except NotSilenced:
        is_changed = False
    rule = alerts.registry.find(name)
    assert rule is not None, "its silence was looked up"
    what = "is no longer silenced" if is_changed else "is not silenced"
    return _Done(rule, f"Alert {rule.name} {what}.", is_changed)


def _own_command(alerts: AlertChanges, asker: Requester) -> CommandName:
    """A command of the person. That of the alert would reveal in a refusal that the alert exists."""
    return next(iter(alerts.permissions.allowed(asker)), COMMANDS.first)


async def _listed(rule: Rule, alerts: AlertChanges, store: Store) -> ListedAlert:
    now = alerts.clock()
    return ListedAlert(
        rule,
        await alerts.job.state(rule),
        alerts.job.silences.active(rule.name, now),
        is_paused=schedule_of(rule.name) in await store.pauses.all(),
    )
