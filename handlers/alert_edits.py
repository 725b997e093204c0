"""`edit`: changes an alert by words, as its form does."""

from __future__ import annotations

from typing import Any, Protocol

from bot import formatting
from bot.alerts.commands import EditAlert
from bot.alerts.create import CreateAlert
from bot.alerts.edit import edited_alert
from bot.answer import Answer
from bot.errors import BadQuestion
from bot.questions.question import CommandName
from handlers.alert_registry import RuleRegistry, names_in_front, rule_of
from handlers.chat_commands import QuestionReader
from handlers.permissions import Requester
from handlers.rule_conversion import create_alert_from


class Makes(Protocol):
    """Knows the alerts, and makes and changes them."""

    @property
    def questions(self) -> QuestionReader: ...
    @property
    def registry(self) -> RuleRegistry: ...

    async def make(
        self, new: CreateAlert, command: CommandName, requester: Requester, *, instead_of: str = ""
    ) -> tuple[Any, Answer]: ...


async def edited(
    rules: Makes, action: EditAlert, command: CommandName, requester: Requester
) -> Answer:
    """The note about the changed alert. Raises BadQuestion and AccessDenied."""
    name, words = _split(rules.registry, action.words)
    rule = rule_of(await rules.registry.editable(name, command, requester))
    before = create_alert_from(rule)
    line = f"/{rule.command} edit {formatting.quoted(rule.name)}"
    try:
        new = edited_alert(rule.command, before, words, rules.questions.directory(requester))
    except BadQuestion as error:
        raise BadQuestion(error.message, f"{line} {error.hint or 'every 5m'}") from None
    return (await rules.make(new, rule.command, requester, instead_of=rule.name))[1]


def _split(registry: RuleRegistry, words: str) -> tuple[str, str]:
    """The name at the front, the longest that an alert has, and what follows it."""
    if words.startswith('"') and '"' in words[1:]:
        name, _, rest = words[1:].partition('"')
        return name.strip(), rest.strip()
    for name, rest in names_in_front(words):
        if registry.find(name):
            return name, rest
    first, _, rest = words.partition(" ")
    return first, rest.strip()
