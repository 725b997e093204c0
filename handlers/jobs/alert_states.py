"""The states of alerts in memory, which are read from the store where they are not known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from msgspec import Struct, field

from bot.alerts.rule import Rule
from bot.alerts.state import AlertState
from bot.store import AlertStore

decode_state = msgspec.json.Decoder(AlertState).decode


class CachedStates(Struct, frozen=True):
    """The state of each alert with the rule that it belongs to: of a rule with another definition
    the state is another one, too.
    """

    alerts: AlertStore
    states: dict[str, tuple[Rule, AlertState]] = field(default_factory=dict)

    async def of(self, rule: Rule) -> AlertState:
        await self.read([rule])
        return self.states[rule.name][1]

    def known(self, rule: Rule) -> AlertState:
        """The state of a rule that was read."""
        return self.states[rule.name][1]

    def keep(self, rule: Rule, state: AlertState) -> None:
        self.states[rule.name] = (rule, state)

    def drop(self, alerts: Iterable[str]) -> None:
        """Forgets states, which are read again."""
        for alert in alerts:
            self.states.pop(alert, None)

    async def refresh(self) -> None:
        """Forgets the states that another process has changed."""
        self.drop(await self.alerts.changed_elsewhere())

    async def read(self, rules: Sequence[Rule]) -> None:
        """Reads the states that are not cached, with one query."""
        # A state may be dropped while others are read.
        while missing := [rule for rule in rules if not self._is_cached(rule)]:
            stored = await self.alerts.stored_states([(r.name, r.definition) for r in missing])
            for rule, state in zip(missing, stored, strict=True):
                self.keep(rule, decode_state(state) if state else AlertState())

    def _is_cached(self, rule: Rule) -> bool:
        cached = self.states.get(rule.name)
        return cached is not None and (cached[0] is rule or cached[0].definition == rule.definition)
