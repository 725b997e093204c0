"""Words about alerts in plain messages: `@Opswatch silence 2h` in the thread of an alert, or
`@Opswatch ack spike` elsewhere.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Awaitable, Callable, Sequence

from msgspec import Struct

from bot import formatting
from bot.alerts.rule import Rule
from bot.alerts.silence_words import begins_length
from bot.answer import Block
from bot.blocks.alert_buttons import alert_of
from bot.errors import BadQuestion
from bot.questions.managing import (
    ACKNOWLEDGE_WORDS,
    EDIT,
    SILENCE_WORDS,
    UNACKNOWLEDGE_WORDS,
    UNSILENCE_WORDS,
)
from bot.questions.registry import COMMANDS
from handlers.alert_registry import MOST_WORDS, RuleRegistry, names_in_front
from handlers.permissions import Requester

CHANGES = frozenset(
    (*ACKNOWLEDGE_WORDS, *UNACKNOWLEDGE_WORDS, *SILENCE_WORDS, *UNSILENCE_WORDS, EDIT)
)
# Only in the thread of an alert: elsewhere these words change a question.
_SHOWS = frozenset(["show", "status", "details"])
_DATA = frozenset(["why", "data", "show data", "show the data", "show why"])
# `this alert`, in front of what is to become of it.
_THIS = re.compile(
    r"(?i)(?:please\s+)?(?:(?:it|this|that|the)(?:\s+(?:alert|incident|one))?|please)(?!\S)\s*"
)
_POLITE = re.compile(r"(?i)[\s,]*(?<!\S)(?:please|pls|thanks|thank\syou|now)\Z")


class AlertMessages(Struct, frozen=True):
    """Reads the words of a message as a line about an alert."""

    registry: RuleRegistry

    async def line(
        self,
        text: str,
        thread: Sequence[Sequence[Block]],
        asker: Callable[[], Awaitable[Requester]],
    ) -> str:
        """The line that the words mean; empty where they are not about an alert. `thread` has our
        own messages there, the oldest first. Raises BadQuestion where no alert is named.
        """
        words = text.strip().strip(" ?!.").removeprefix("/")
        # People write on in the next line, and some clients put no plain blanks.
        verb, rest = [*words.split(maxsplit=1), "", ""][:2]
        verb = verb.lower().rstrip(",:;")
        name = alert_of(thread[0]) if thread else ""
        if name and " ".join(words.lower().split()) in _DATA:
            return _data(self._rule(name))
        if name and verb in _SHOWS and not _without_this(rest):
            rule = self._rule(name)
            return f'/{rule.command} alerts "{rule.name}"'
        if verb not in CHANGES:
            return ""
        change = _Change(self.registry, await asker(), verb, rest.strip())
        if named := await change.named():
            # What is named wins over the alert of the thread.
            return f"/{named.command} {verb} {change.rest}"
        return await change.about(self._rule(name)) if name else change.elsewhere(bool(thread))

    def _rule(self, name: str) -> Rule:
        rule = self.registry.find(name)
        if rule is None:
            shown = formatting.sanitise(name, 60)
            raise BadQuestion(f"Alert “{shown}” no longer exists.", f"/{COMMANDS.first} alerts")
        return rule


class _Change(Struct, frozen=True):
    """The first word of a message that changes an alert and the others, and who wrote it."""

    registry: RuleRegistry
    requester: Requester
    verb: str
    rest: str

    async def about(self, rule: Rule) -> str:
        """The line for the alert of the thread."""
        more = _without_this(self.rest)
        takes_more = self.verb == EDIT or self.verb in SILENCE_WORDS
        if not takes_more and more:
            # Another alert, that does not exist.
            return f"/{rule.command} {self.verb} {self.rest}"
        if takes_more and (other := await self._other(rule, more)):
            raise BadQuestion(
                f"Which alert, `{rule.name}` or `{other.name}`? Name it in front; a comment is in quotes.",
                f"/{other.command} {self.verb} {formatting.quoted(other.name)} {self._example}",
            )
        return f'/{rule.command} {self.verb} "{rule.name}" {more}'.rstrip()

    @property
    def _example(self) -> str:
        return {EDIT: "every 5m"}.get(self.verb, "2h" if self.verb in SILENCE_WORDS else "")

    def elsewhere(self, is_thread: bool) -> str:
        """The line where no alert is named that the person may see."""
        allowed = self.registry.permissions.allowed(self.requester)
        command = next(iter(allowed), COMMANDS.first)
        is_length = self.verb in SILENCE_WORDS and begins_length(self.rest)
        if _without_this(self.rest) and not is_length:
            return f"/{command} {self.verb} {self.rest}"
        where = (
            "This thread has none that is open; name it"
            if is_thread
            else "Name it, or write in its thread"
        )
        line = f"/{command} {self.verb} NAME {self._example}".rstrip()
        raise BadQuestion(f"Which alert? {where}.", line)

    async def named(self) -> Rule | None:
        """The alert whose name the words begin with. One that the person may not see does not
        exist for them.
        """
        if self.rest.startswith('"'):
            name = self.rest[1:].partition('"')[0].strip()
            return await self.registry.seen(name, self.requester)
        for name, _ in names_in_front(self.rest):
            if rule := await self.registry.seen(name, self.requester):
                return rule
        return None

    async def _other(self, rule: Rule, more: str) -> Rule | None:
        """Another alert that is named behind a length, as in `silence 2h edge`, and not in quotes."""
        # A comment that names another alert has few words.
        words = more.partition('"')[0].split()[: 2 * MOST_WORDS]
        for start, count in itertools.product(range(1, len(words)), range(1, 4)):
            name = " ".join(words[start : start + count]).strip(",.;:()")
            other = await self.registry.seen(name, self.requester)
            if other and other.name != rule.name:
                return other
        return None


def _without_this(rest: str) -> str:
    """The words without `this alert` in front of them, and without `please`."""
    found = _THIS.match(rest)
    rest = rest[found.end() :] if found else rest
    return rest if '"' in rest else _POLITE.sub("", rest)


def _data(rule: Rule) -> str:
    if rule.redacted_query:
        raise BadQuestion(
            f"The question of alert `{rule.name}` has a secret, and is not asked here."
        )
    return rule.query
