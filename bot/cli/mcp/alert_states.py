"""The state of every alert that the asker may see, as the bot stored it at the last check."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

import msgspec

from bot.alerts.mutes import ActiveSilence
from bot.alerts.rule import Rule
from bot.alerts.state import MOST_SEVERE_FIRST, AlertState
from bot.blocks.alert_lines import PAUSED, rule_line, state_line
from bot.blocks.alert_values import threshold_label
from bot.cli.ask import instant, refuse_empty_asker, requester_of
from bot.cli.mcp.tools import AlertArguments
from bot.composition.from_settings import mutes_from_settings, rules_from_settings
from bot.composition.people import LastRequester, SlackUnknown, open_people
from bot.config import Settings, read_settings, slack_tokens
from bot.errors import ConfigError, ConfigProblem
from bot.store import Store, StoredRule, StoreError
from bot.system.terminal_text import terminal_line
from handlers.alert_registry import rule_of
from handlers.jobs.alert_schedules import schedule_of
from handlers.jobs.silences import SilenceIndex
from handlers.permissions import Owned, sees
from providers.clock import utc_now

ALERT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "state": {"type": "string", "enum": [str(state) for state in MOST_SEVERE_FIRST]},
        "since": {"type": ["string", "null"]},
        "value": {"type": ["number", "null"]},
        "checked_at": {"type": ["string", "null"]},
        "question": {"type": "string"},
        "measures": {"type": "string", "description": "The value that is checked."},
        "threshold": {"type": "string"},
        "channel": {"type": "string"},
        "severity": {"type": ["string", "null"]},
        "acknowledged": {"type": "boolean"},
        "silenced": {"type": ["string", "null"], "description": "Until when, or why."},
        "paused": {"type": "boolean"},
    },
    "required": ["name", "state"],
}
ALERTS_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "text": {"type": "string", "description": "A line for each alert."},
        "alerts": {"type": "array", "items": ALERT_SCHEMA},
    },
    "required": ["text", "alerts"],
}


@dataclass(frozen=True, slots=True)
class ListedAlert:
    """A rule with its stored state, and why it sends no notifications now, if so."""

    rule: Rule
    state: AlertState
    silence: ActiveSilence | None
    is_paused: bool

    def line(self, zone: tzinfo, now: datetime) -> str:
        state = PAUSED if self.is_paused else state_line(self.rule, self.state, zone, now)
        silenced = f"; {self.silence.text}" if self.silence else ""
        return terminal_line(f"{self.rule.name}: {state}: {rule_line(self.rule)}{silenced}")

    def as_json(self) -> dict[str, Any]:
        state, since, value = self.state.summary()
        checked_at = self.state.evaluated_at
        severity = self.rule.paging.severity
        return {
            "name": self.rule.name,
            "state": str(state),
            "since": instant(since) if since else None,
            "value": value,
            "checked_at": instant(checked_at) if checked_at else None,
            "question": self.rule.display_query,
            "measures": self.rule.value,
            "threshold": threshold_label(self.rule),
            "channel": self.rule.channel,
            "severity": str(severity) if severity else None,
            "acknowledged": bool(self.state.acknowledged_by),
            "silenced": self.silence.text if self.silence else None,
            "paused": self.is_paused,
        }


async def alert_states(
    arguments: AlertArguments,
    config: Path,
    *,
    user: str | None,
    channel: str | None,
    last: LastRequester | None = None,
    opens_channels: bool = False,
) -> dict[str, Any]:
    """The alerts of the configuration and from chat, the most severe first; with `opens_channels` also
    those of other channels that are open to the person. `last` is used where Slack cannot be asked
    who they are. Raises what `handlers.error_messages.error_message` can explain.
    """
    refuse_empty_asker(user, channel)
    settings = read_settings(config)
    now = utc_now()
    async with open_store(settings) as store:
        stored = {each.name: each for each in (await store.rules.rules() if store else ())}
        rules = [*rules_from_settings(settings), *map(rule_of, stored.values())]
        if user or channel:
            access, asker = await requester_of(settings, user, channel, last)
            seen = [(rule, sees(access, _owned(rule, stored), asker)) for rule in rules]
            # Only Slack knows which other channels are open to the person.
            rules = await _visible(settings, seen, asker.user if opens_channels else "")
        if arguments.name is not None:
            rules = [rule for rule in rules if rule.name.lower() == arguments.name.lower()]
        found = await _with_states(rules, store, settings, now)
    found = [each for each in found if arguments.state in (None, each.state.state)]
    # The same order as on the App Home.
    found.sort(key=lambda each: MOST_SEVERE_FIRST.index(each.state.state))
    lines = [each.line(settings.timezone, now) for each in found]
    return {
        "text": "\n".join(lines) or "There are no such alerts.",
        "alerts": [each.as_json() for each in found],
    }


def _owned(rule: Rule, stored: Mapping[str, StoredRule]) -> Owned:
    made = stored.get(rule.name)
    return Owned(rule.command, rule.channel, made.user if made else "")


async def _visible(
    settings: Settings, seen: Sequence[tuple[Rule, bool | None]], user: str
) -> list[Rule]:
    """The rules that are seen, and those of which that is None whose channel is open to the user."""
    unsure = {rule.channel for rule, is_seen in seen if is_seen is None}
    is_open = await _open_channels(settings, unsure, user) if user and unsure else set[str]()
    return [
        rule for rule, is_seen in seen if is_seen or (is_seen is None and rule.channel in is_open)
    ]


async def _open_channels(settings: Settings, channels: Iterable[str], user: str) -> set[str]:
    """The channels that are open to the person; none while Slack cannot be asked."""
    try:
        async with open_people(settings, slack_tokens("neither")) as people:
            is_open = people.permissions.channels.is_open_to
            return {channel for channel in channels if await is_open(user, channel)}
    except SlackUnknown:
        return set()


async def _with_states(
    rules: Sequence[Rule], store: Store | None, settings: Settings, now: datetime
) -> list[ListedAlert]:
    if store is None:
        return [ListedAlert(rule, AlertState(), None, is_paused=False) for rule in rules]
    silences = SilenceIndex(store.silences, mutes_from_settings(settings), settings.timezone)
    await silences.refresh(now)
    paused = await store.pauses.all()
    states = await store.alerts.stored_states([(rule.name, rule.definition) for rule in rules])
    return [
        ListedAlert(
            rule,
            msgspec.json.decode(state, type=AlertState) if state else AlertState(),
            silences.active(rule.name, now),
            schedule_of(rule.name) in paused,
        )
        for rule, state in zip(rules, states, strict=True)
    ]


@asynccontextmanager
async def open_store(settings: Settings) -> AsyncIterator[Store | None]:
    """The database of the bot; None where the bot has not created it yet. Raises ConfigError where
    it cannot be used.
    """
    location = settings.database
    # Opening it would create an empty database under the wrong user.
    if isinstance(location, Path) and not location.exists():
        yield None
        return
    try:
        store = await Store.open(location, now=utc_now())
    except StoreError as error:
        shown = location.name if isinstance(location, Path) else ""
        raise ConfigError([ConfigProblem("database", shown, str(error))]) from None
    try:
        yield store
    finally:
        await store.close()
