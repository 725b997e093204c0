"""Words about alerts in plain messages: `@Opswatch silence 2h` in the thread of an alert, or
`@Opswatch ack spike` elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence

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
from handlers.alert_registry import RuleRegistry

CHANGES = frozenset(
    (*ACKNOWLEDGE_WORDS, *UNACKNOWLEDGE_WORDS, *SILENCE_WORDS, *UNSILENCE_WORDS, EDIT)
)
# Only in the thread of an alert: elsewhere these words change a question.
_SHOWS = frozenset(["show", "status", "details"])
_DATA = frozenset(["why", "data", "show data", "show the data", "show why"])
_THIS = frozenset(["", "it", "this", "that", "this alert", "the alert", "please", "this one"])


class AlertMessages(Struct, frozen=True):
    """Reads the words of a message as a line about an alert."""

    registry: RuleRegistry

    def line(self, text: str, thread: Sequence[Sequence[Block]]) -> str:
        """The line that the words mean; empty where they are not about an alert. `thread` has our
        own messages there, the oldest first. Raises BadQuestion where no alert is named.
        """
        words = text.strip(" ?!.").removeprefix("/")
        verb, _, rest = words.partition(" ")
        verb = verb.lower()
        name = alert_of(thread[0]) if thread else ""
        if name:
            return self._about(name, words, verb, rest.strip())
        if verb not in CHANGES:
            return ""
        return self._elsewhere(verb, rest.strip(), bool(thread))

    def _about(self, name: str, words: str, verb: str, rest: str) -> str:
        plain = " ".join(words.lower().split())
        if plain in _DATA:
            return self._data(self._rule(name))
        is_this = rest.lower() in _THIS
        if verb in _SHOWS and is_this:
            rule = self._rule(name)
            return f'/{rule.command} alerts "{rule.name}"'
        if verb not in CHANGES:
            return ""
        # What is named wins over the alert of the thread.
        if not is_this and (named := self._named(rest)):
            return f"/{named.command} {verb} {rest}"
        rule = self._rule(name)
        takes_more = verb == EDIT or verb in SILENCE_WORDS
        if not takes_more and not is_this:
            # Another alert, that does not exist.
            return f"/{rule.command} {verb} {rest}"
        if verb in SILENCE_WORDS and rest and not _begins_length(rest):
            rest = (
                " ".join(rest.split()[1:]) if rest.split(maxsplit=1)[0].lower() in _THIS else rest
            )
        more = "" if is_this and verb != EDIT else f" {rest}"
        return f"/{rule.command} {verb} {formatting.quoted(rule.name)}{more}".rstrip()

    def _elsewhere(self, verb: str, rest: str, is_thread: bool) -> str:
        if rest.lower() in _THIS or (verb in SILENCE_WORDS and _begins_length(rest)):
            where = (
                "This thread has none that is open; name it"
                if is_thread
                else "Name it, or write in its thread"
            )
            more = " 2h" if verb in SILENCE_WORDS else ""
            raise BadQuestion(f"Which alert? {where}.", f"/{COMMANDS.first} {verb} NAME{more}")
        rule = self._named(rest)
        return f"/{rule.command if rule else COMMANDS.first} {verb} {rest}"

    def _named(self, rest: str) -> Rule | None:
        """The alert whose name the words begin with."""
        if rest.startswith('"'):
            return self.registry.find(rest[1:].partition('"')[0].strip())
        # Bounded: a name has few words.
        words = rest.split(maxsplit=8)
        for count in range(min(len(words), 8), 0, -1):
            if rule := self.registry.find(" ".join(words[:count])):
                return rule
        return None

    def _rule(self, name: str) -> Rule:
        rule = self.registry.find(name)
        if rule is None:
            shown = formatting.sanitise(name, 60)
            raise BadQuestion(f"Alert “{shown}” no longer exists.", f"/{COMMANDS.first} alerts")
        return rule

    def _data(self, rule: Rule) -> str:
        if rule.redacted_query:
            raise BadQuestion(
                f"The question of alert `{rule.name}` has a secret, and is not asked here."
            )
        return rule.query


def _begins_length(text: str) -> bool:
    try:
        return begins_length(text.partition('"')[0].split(maxsplit=12))
    except BadQuestion:
        return True
