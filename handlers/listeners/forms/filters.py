"""The filters that the form of recorded calls offers, as the accounts describe them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, field
from slack_bolt.async_app import AsyncAck

from bot.blocks import kit, modals
from bot.formatting import join_words
from bot.questions.command import LONGEST_CHOICE
from bot.questions.filter_choices import FilterChoice, filter_choices
from bot.questions.form import ACCOUNT
from bot.questions.registry import COMMANDS
from handlers.error_messages import log_failure
from handlers.listeners.forms import views
from handlers.listeners.forms.question import MOST_OPTIONS, NAMES_WITHIN_S
from handlers.requests import RequestHandler
from providers.models import CallsDescription
from providers.sources import CallSource, DescribesCalls

# The values of filters change with a release of the vendor.
KEPT_S = 3600.0
# An account that could not describe itself is asked again after that.
FAILED_FOR_S = 60.0


class FilterChoices(Struct, frozen=True):
    """The filters that contain what was typed so far: those that any account takes, and those that
    the chosen accounts list. Without an answer of an account its filters can be typed as text.
    """

    requests: RequestHandler
    sources: Mapping[str, CallSource]
    _described: dict[str, tuple[float, CallsDescription]] = field(default_factory=dict)
    _asking: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    async def __call__(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        view = body.get("view") or {}
        state = modals.state_of(view)
        # The filters name accounts and their ids, which people without access must not see.
        if not await views.may_ask(self.requests, state, str(body["user"]["id"])):
            await ack(options=[])
            return
        chosen = views.entered_values(view).get(ACCOUNT, "").split()
        accounts = [name for name in self.sources if not chosen or name in chosen]
        described = await self._descriptions(accounts)
        words = COMMANDS[state.command].filter_words()
        found = filter_choices(words, described, str(body.get("value") or ""))
        fitting = [each for each in found if len(each.word) <= LONGEST_CHOICE]
        await ack(options=[_option(each, accounts) for each in fitting[:MOST_OPTIONS]])

    async def _descriptions(self, accounts: Sequence[str]) -> dict[str, CallsDescription]:
        asked = [task for name in accounts if (task := self._ask(name))]
        if asked:
            # An account that takes longer is left out now, and answers for the next letter.
            await asyncio.wait(asked, timeout=NAMES_WITHIN_S)
        return {name: self._described[name][1] for name in accounts if name in self._described}

    def _ask(self, account: str) -> asyncio.Task[None] | None:
        """The request to an account, made once however many letters are typed; None if its
        description is known or it has none.
        """
        source = self.sources[account]
        known_until, _ = self._described.get(account, (0.0, None))
        if not isinstance(source, DescribesCalls) or time.monotonic() < known_until:
            return None
        task = self._asking.get(account)
        if task is None:
            task = self._asking[account] = asyncio.create_task(self._describe(source))
            task.add_done_callback(lambda _: self._asking.pop(account))
        return task

    async def _describe(self, source: DescribesCalls) -> None:
        account = source.account
        try:
            found = await source.calls_description()
        except Exception as error:
            log_failure(error, "An account could not describe its filters")
            # What it said before still holds.
            _, earlier = self._described.get(account, (0.0, CallsDescription()))
            self._described[account] = (time.monotonic() + FAILED_FOR_S, earlier)
        else:
            self._described[account] = (time.monotonic() + KEPT_S, found)


def _option(choice: FilterChoice, accounts: Sequence[str]) -> dict[str, Any]:
    """A choice; where not every account takes it, with those that do."""
    option = kit.option(choice.word)
    if not choice.accounts or len(choice.accounts) == len(accounts):
        return option
    return {**option, "description": kit.plain(join_words([*choice.accounts], 3), 75)}
