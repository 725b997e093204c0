"""The App Home tab, rendered each time it is opened."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from typing import Any

from msgspec import Struct, field
from slack_bolt.async_app import AsyncApp

from bot.blocks.home import CHECK_ACTION, HomeFacts, home_blocks
from bot.questions.question import CommandName
from bot.questions.registry import COMMANDS
from bot.store import Store
from handlers.alert_rules import RuleManager
from handlers.permissions import Requester
from handlers.requests import RequestHandler
from handlers.shown_work import SHOW_WORK_AFTER_S
from handlers.subscriptions import SubscriptionManager
from providers.models import Check
from providers.redaction import MARK
from providers.sources import Checked

# Of each list, so that the tab fits a screen.
RECENT = 5
# An account that takes longer is shown as such, and people can check again.
CHECK_S = 20.0


class HomeTab(Struct, frozen=True):
    requests: RequestHandler
    store: Store
    accounts: Mapping[str, Checked]
    subscriptions: SubscriptionManager
    rules: RuleManager
    checking: dict[str, asyncio.Task[Check]] = field(default_factory=dict)

    async def opened(self, event: dict[str, Any]) -> None:
        if event.get("tab") == "home":
            await self.refresh(str(event.get("user", "")))

    async def refresh(self, user: str) -> None:
        """Shows the tab as of now."""
        await self._publish(user)

    async def check(self, body: dict[str, Any]) -> None:
        """Checks each account that the person may ask, and updates the tab as results arrive. People
        who check at the same time share the requests.
        """
        user = str((body.get("user") or {}).get("id", ""))
        requester = await self.requests.permissions.requester(user, "")
        checks: dict[str, Check | None] = dict.fromkeys(self._accounts_of(requester))
        await self._publish(user, checks)
        asked = [asyncio.create_task(self._store_result(account, checks)) for account in checks]
        if asked:
            # Accounts that answer at once are shown in one step.
            await asyncio.wait(asked, timeout=SHOW_WORK_AFTER_S)
        if not all(task.done() for task in asked):
            await self._publish(user, checks)
        await asyncio.gather(*asked)
        await self._publish(user, checks)

    async def _store_result(self, account: str, checks: dict[str, Check | None]) -> None:
        task = self.checking.get(account)
        if task is None:
            # Kept while it runs, so that ten people who press the button make one request.
            task = self.checking[account] = asyncio.create_task(_check(self.accounts[account]))
            task.add_done_callback(lambda _: self.checking.pop(account))
        checks[account] = await task

    async def _publish(self, user: str, checks: Mapping[str, Check | None] | None = None) -> None:
        await self.requests.delivery.views.publish_home(
            user, home_blocks(await self._facts(user, checks or {}))
        )

    def _accounts_of(self, requester: Requester) -> list[str]:
        """The accounts whose names the person may read."""
        return list(
            self.requests.permissions.directory(
                self.requests.answering.directory, requester
            ).accounts
        )

    async def _facts(self, user: str, checks: Mapping[str, Check | None]) -> HomeFacts:
        permissions = self.requests.permissions
        requester = await permissions.requester(user, "")
        allowed = permissions.allowed(requester)
        names = self._accounts_of(requester)
        conditions = await asyncio.gather(*(self.accounts[name].status() for name in names))
        summary = await self.rules.listing.summary(requester)
        return HomeFacts(
            allowed=allowed,
            without_account=self._without_account(),
            directory=permissions.directory(self.requests.answering.directory, requester),
            conditions=conditions,
            alerts=summary.alerts,
            ok=summary.ok,
            evaluated_at=summary.evaluated_at,
            upcoming=await self.subscriptions.upcoming(requester),
            recent=await self._recent(user, allowed),
            now=self.requests.clock(),
            zone=self.rules.listing.zone,
            checks=checks,
            may_check=bool(names),
            saved=await self._saved(user, allowed),
        )

    def _without_account(self) -> list[CommandName]:
        """The commands that nobody can ask yet, as no account is of their kind."""
        answered = COMMANDS.with_accounts(COMMANDS, self.requests.answering.directory)
        return [name for name in COMMANDS if name not in answered]

    async def _saved(
        self, user: str, allowed: Collection[CommandName]
    ) -> list[tuple[str, str, str]]:
        """The questions that the person saved in any channel and may ask here."""
        return [
            (f"/{each.command} {each.name}", f"/{each.command} {each.query}", each.channel)
            for each in await self.store.saved_questions.of_user(user)
            if each.command in allowed and MARK not in each.query
        ]

    async def _recent(self, user: str, allowed: Collection[CommandName]) -> list[str]:
        """The person's latest questions that they may ask here. One with a redacted secret could not
        be asked again, and is left out.
        """
        # Some may be of commands that the person has lost access to.
        asked = await self.store.questions.recent(user, 2 * RECENT)
        lines = [
            f"/{each.command} {each.text}".strip()
            for each in asked
            if each.command in allowed and MARK not in each.text
        ]
        return lines[:RECENT]


async def _check(account: Checked) -> Check:
    """The first failed check of an account; the last one if all pass."""
    try:
        async with asyncio.timeout(CHECK_S):
            checks = await account.check()
    except TimeoutError:
        return Check(account.account, ok=False, detail="No answer yet.", hint="Try again later.")
    return next((check for check in checks if not check.ok), checks[-1])


def register(
    app: AsyncApp,
    requests: RequestHandler,
    store: Store,
    accounts: Mapping[str, Checked],
    subscriptions: SubscriptionManager,
    rules: RuleManager,
) -> HomeTab:
    """Returns the tab, for those who change what it shows."""
    tab = HomeTab(requests, store, accounts, subscriptions, rules)
    app.event("app_home_opened")(tab.opened)
    app.action(CHECK_ACTION)(tab.check)
    return tab
