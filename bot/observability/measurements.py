"""What is measured at each scrape: connection, outbox, database, alerts, accounts."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct, field
from msgspec.structs import replace

from bot.alerts.state import State
from bot.store import AlertStore, Store, StoreError
from providers.clock import Clock
from providers.models import AccountStatus
from providers.sources import Checked

# How long a scrape waits for a slow database.
WITHIN_S = 3.0
EVALUATION_FAILED = "error"
NOT_EVALUATED = "unknown"


class Measurements(Struct, frozen=True):
    """The state of the bot at one scrape."""

    ready: bool = False
    slack_connected: bool = False
    slack_reconnects: int = 0
    last_event_at: datetime | None = None
    outbox_messages: int = 0
    outbox_oldest_age: timedelta = timedelta(0)
    database_up: bool = False
    database_bytes: int = 0
    reload_successful: bool = True
    configured_at: datetime | None = None
    alerts: Mapping[str, int] = field(default_factory=dict)
    accounts: Sequence[AccountStatus] = ()


async def measure(
    store: Store,
    accounts: Collection[Checked],
    alerts: Collection[str],
    before: Measurements,
    clock: Clock,
) -> Measurements:
    """The current state of the store, of the accounts and of the alerts with these names. If the
    database does not answer, the values of `before` are kept.
    """
    try:
        async with asyncio.timeout(WITHIN_S):
            return await _measure(store, accounts, alerts, before, clock)
    # A scrape that fails would also lose what needs no database, such as the connection to Slack.
    except (TimeoutError, StoreError, OSError):
        return before


async def _measure(
    store: Store,
    accounts: Collection[Checked],
    alerts: Collection[str],
    before: Measurements,
    clock: Clock,
) -> Measurements:
    backlog = await store.outbox.backlog()
    since = await store.outbox.oldest_waiting()
    age = max(clock() - since, timedelta(0)) if since else timedelta(0)
    return replace(
        before,
        outbox_messages=sum(queue.count for queue in backlog),
        outbox_oldest_age=age,
        database_bytes=await store.size(),
        alerts=await _alerts_by_state(store.alerts, alerts),
        accounts=await asyncio.gather(*(account.status() for account in accounts)),
    )


async def _alerts_by_state(store: AlertStore, names: Collection[str]) -> dict[str, int]:
    """The number of alerts in each state, including states with none."""
    # A series that appears only with its first alert has no rate before it.
    counts = {state.value: 0 for state in State} | {EVALUATION_FAILED: 0}
    found = await store.states()
    for name in names:
        state = found.get(name, NOT_EVALUATED)
        counts[state] = counts.get(state, 0) + 1
    return counts
