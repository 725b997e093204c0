"""The App Home tab, drawn from state each time it is opened."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.blocks.home import HomeFacts, home_blocks
from bot.question import COMMANDS
from bot.store import Store
from handlers.door import Door
from handlers.manage import Asker, SubscriptionManager
from handlers.rules import RuleManager
from providers.sources import Checked

RECENT = 5


@dataclass(frozen=True, slots=True)
class HomeTab:
    door: Door
    store: Store
    accounts: Mapping[str, Checked]
    subscriptions: SubscriptionManager
    rules: RuleManager

    async def __call__(self, event: dict[str, Any]) -> None:
        if event.get("tab") == "home":
            user = str(event.get("user", ""))
            await self.door.delivery.home(user, home_blocks(await self._facts(user)))

    async def _facts(self, user: str) -> HomeFacts:
        access = self.door.access
        groups = await self.door.people.groups_of(user, [g for c in COMMANDS.values() for g in access.groups(c.name)])
        asker = Asker(user, "", groups)
        allowed = [c.name for c in COMMANDS.values() if access.may_ask(c.name, **asker.rights)]
        conditions = await asyncio.gather(*(account.condition() for account in self.accounts.values()))
        standing = await self.rules.standing(allowed)
        return HomeFacts(
            allowed=allowed,
            directory=self.door.answering.directory,
            conditions=conditions,
            alerts=standing.told,
            calm=standing.calm,
            evaluated_at=standing.evaluated_at,
            upcoming=await self.subscriptions.upcoming(allowed),
            recent=[f"/{asked.command} {asked.text}".strip() for asked in await self.store.recent_questions(user, RECENT)],
            now=self.door.clock(),
        )


def register(
    app: AsyncApp,
    door: Door,
    store: Store,
    accounts: Mapping[str, Checked],
    subscriptions: SubscriptionManager,
    rules: RuleManager,
) -> None:
    app.event("app_home_opened")(HomeTab(door, store, accounts, subscriptions, rules).__call__)
