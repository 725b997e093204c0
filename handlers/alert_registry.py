"""All alert rules, of the configuration and from chat, and who may see and change which."""

from __future__ import annotations

import asyncio
import contextlib
import difflib
from collections.abc import Iterator, Sequence

import msgspec
from msgspec import Struct, field, structs

from bot import formatting
from bot.access import AccessPolicy
from bot.alerts.paging import channels
from bot.alerts.rule import Rule
from bot.errors import BadQuestion
from bot.questions.question import CommandName
from bot.store import RuleChanged, StoredRule
from handlers.permissions import Owned, Permissions, Requester, not_a_manager

# A name has few words.
MOST_WORDS = 8
# How many alerts are named if the requested one does not exist.
MOST_NAMED = 10


class RuleRegistry(Struct, frozen=True):
    """Finds rules by name for people who may know of them. A rule that a person may not see does
    not exist for them.
    """

    permissions: Permissions
    file_rules: Sequence[Rule]
    chat_rules: dict[str, StoredRule] = field(default_factory=dict)
    # Held while a rule is written and listed, so that a list read meanwhile does not undo it.
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def access(self) -> AccessPolicy:
        return self.permissions.access

    def rules(self) -> Iterator[Rule]:
        """Every rule, those of the configuration first."""
        yield from self.file_rules
        for stored in self.chat_rules.values():
            yield rule_of(stored)

    def escalating(self) -> Iterator[Rule]:
        """Every rule that escalates. It is asked for every few seconds, so that of the rules made in
        chat no others are decoded.
        """
        yield from (rule for rule in self.file_rules if rule.paging.escalate_after)
        for stored in self.chat_rules.values():
            # The JSON leaves out what is not set, so the name of the field is there only with a
            # value.
            if '"escalate_after"' in stored.rule:
                yield rule_of(stored)

    def find(self, name: str) -> Rule | None:
        """The rule of that name, ignoring case."""
        lowered = name.lower()
        for rule in self.file_rules:
            if rule.name.lower() == lowered:
                return rule
        # Of the rules made in chat no others are decoded: there may be thousands.
        stored = next((s for s in self.chat_rules.values() if s.name.lower() == lowered), None)
        return rule_of(stored) if stored else None

    async def seen(self, name: str, requester: Requester) -> Rule | None:
        """The rule of that name; None where the person sees no such rule."""
        rule = self.find(name)
        return rule if rule is not None and await self.may_see(rule, requester) else None

    def stored(self, rule: Rule) -> StoredRule | None:
        """The rule as it is stored; None for those of the configuration. Raises BadQuestion where it
        was changed or deleted since it was found.
        """
        if rule in self.file_rules:
            return None
        stored = self.chat_rules.get(rule.name)
        if stored is None or rule_of(stored) != rule:
            raise changed_meanwhile(rule)
        return stored

    def owned(self, rule: Rule) -> Owned:
        """Who made a rule, and where; a rule of the configuration has no creator."""
        stored = self.chat_rules.get(rule.name)
        return Owned(rule.command, rule.channel, stored.user if stored else "")

    async def closed_channels(self, rule: Rule) -> list[str]:
        """The channels to which a rule escalates and that its creator has left. A rule of the
        configuration has no creator, and posts where the operator wants it.
        """
        creator = self.owned(rule).creator
        is_closed = self.permissions.channels.is_closed_to
        return [
            channel
            for channel in channels(rule.paging.escalate_to)
            if creator and await is_closed(creator, channel)
        ]

    async def may_see(self, rule: Rule, requester: Requester) -> bool:
        return await self.permissions.may_see(self.owned(rule), requester)

    async def visible(self, requester: Requester) -> list[Rule]:
        """Every rule that the person may know of."""
        return [rule for rule in self.rules() if await self.may_see(rule, requester)]

    async def visible_here(self, requester: Requester) -> list[Rule]:
        """The rules of the person's channel, and those of the configuration."""
        return [
            rule
            for rule in await self.visible(requester)
            if rule.name not in self.chat_rules or rule.channel == requester.channel
        ]

    async def visible_rule(self, name: str, command: CommandName, requester: Requester) -> Rule:
        """The rule of that name. Raises BadQuestion where the person sees no such rule, and
        AccessDenied.
        """
        if rule := await self.seen(name, requester):
            return rule
        # Whoever has no access to the command reads that, and not which alerts there are.
        self.access.require(command, **requester.rights)
        # A suggestion must not name an alert that the person may not see.
        names = [each.name for each in await self.visible(requester)]
        raise BadQuestion(
            f"There is no alert “{formatting.sanitise(name, 60)}”{_suggested(name, names)}",
            f"/{command} alerts",
        )

    async def managed(self, name: str, command: CommandName, requester: Requester) -> Rule:
        """The rule of that name, for those who may manage it. Raises BadQuestion and
        AccessDenied.
        """
        rule = await self.visible_rule(name, command, requester)
        self.access.require_manage(rule.command, **requester.rights)
        return rule

    async def editable(self, name: str, command: CommandName, requester: Requester) -> StoredRule:
        """The rule of that name where it was made in this channel, for those who may manage it.
        Raises BadQuestion and AccessDenied.
        """
        rule = await self.managed(name, command, requester)
        stored = self.chat_rules.get(rule.name)
        if stored is None:
            raise BadQuestion(
                f"Alert `{rule.name}` comes from bot.toml and is edited there; here it can be "
                "silenced."
            )
        if stored.channel != requester.channel:
            raise BadQuestion(
                f"Alert `{rule.name}` belongs to another channel, and is edited there.",
                f"/{rule.command} alerts",
            )
        return stored

    async def deletable(self, name: str, command: CommandName, requester: Requester) -> StoredRule:
        """The rule of that name, for its creator and those who may manage it; the creator may delete
        it from direct messages, too. Raises BadQuestion and AccessDenied.
        """
        rule = self.find(name)
        if rule is None or not await self.permissions.may_end(self.owned(rule), requester):
            await self.visible_rule(name, command, requester)
            raise not_a_manager()
        stored = self.chat_rules.get(rule.name)
        if stored is None:
            raise BadQuestion(
                f"Alert `{rule.name}` comes from bot.toml and is deleted there; here it can be "
                "silenced.",
                f"/{rule.command} silence {formatting.quoted(rule.name)} 4h",
            )
        # People may have left the channel in which they made the alert.
        is_own = stored.user == requester.user and requester.is_in_direct_message
        if stored.channel != requester.channel and not is_own:
            await self.visible_rule(name, command, requester)
            raise BadQuestion(
                f"Alert `{rule.name}` belongs to another channel, and is deleted there.",
                f"/{rule.command} alerts",
            )
        return stored


def _suggested(name: str, names: list[str]) -> str:
    """`; did you mean spike?`, or the alerts there are."""
    # Cut, because the time of the comparison grows faster than the length of what was typed.
    if near := difflib.get_close_matches(name[:60], names, n=1):
        return f"; did you mean {near[0]}?"
    if not names:
        return "."
    alerts = "alerts are" if len(names) > 1 else "only alert is"
    return f"; the {alerts} {formatting.join_words(names[:MOST_NAMED])}."


def names_in_front(text: str) -> Iterator[tuple[str, str]]:
    """The words at the front that may be the name of an alert, the most first, and what follows."""
    words = text.split(maxsplit=MOST_WORDS)
    for count in range(min(len(words), MOST_WORDS), 0, -1):
        yield " ".join(words[:count]), " ".join(words[count:])


def changed_meanwhile(rule: Rule) -> BadQuestion:
    return BadQuestion(
        f"Alert `{rule.name}` was changed or deleted at the same time; nothing was done.",
        f"/{rule.command} alerts",
    )


@contextlib.contextmanager
def explaining_change(rule: Rule) -> Iterator[None]:
    """Raises BadQuestion where the rule is no longer the one whose access was checked."""
    try:
        yield
    except RuleChanged:
        raise changed_meanwhile(rule) from None


def rule_of(stored: StoredRule) -> Rule:
    """The rule as it is stored."""
    rule = msgspec.json.decode(stored.rule, type=Rule)
    # strftime has a day without a leading zero only on some platforms.
    made = f"{stored.made_at.day} {stored.made_at:%b %Y}"
    return structs.replace(
        rule,
        name=stored.name,
        channel=stored.channel,
        origin=f"this channel, created {made}",
    )
