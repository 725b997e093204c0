"""The App Home tab, drawn from state each time it is opened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.blocks.home import home_blocks
from bot.question import COMMANDS
from bot.store import Store
from handlers.door import Door

RECENT = 5


@dataclass(frozen=True, slots=True)
class HomeTab:
    door: Door
    store: Store

    async def __call__(self, event: dict[str, Any]) -> None:
        if event.get("tab") != "home":
            return
        user = str(event.get("user", ""))
        access = self.door.access
        groups = await self.door.people.groups_of(user, [g for name in COMMANDS for g in access.groups(COMMANDS[name].name)])
        allowed = [c.name for c in COMMANDS.values() if access.may_ask(c.name, user=user, channel="", groups=groups)]
        recent = [f"/{asked.command} {asked.text}".strip() for asked in await self.store.recent_questions(user, RECENT)]
        await self.door.delivery.home(user, home_blocks(allowed, self.door.answering.directory, recent))


def register(app: AsyncApp, door: Door, store: Store) -> None:
    app.event("app_home_opened")(HomeTab(door, store).__call__)
