"""A rule: which value of which question is watched, and what counts as too much or too little."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from bot.alerts.mutes import Mute, next_end
from bot.alerts.state import WHOLE, Reading, SubjectState
from bot.questions.question import CommandName
from bot.questions.registry import COMMANDS

SHORTEST_EVERY = timedelta(seconds=5)
NAME = re.compile(r"(?=.{1,60}\Z)[^\W_][\w.-]*(?: [\w.-]+)*")
# Of a subject that is not listed where the others are, these are known: it has none.
_ADDITIVE = frozenset({"bytes", "calls", "failures"})


@dataclass(frozen=True, slots=True)
class Rule:
    """One alert. Either `above` or `below` is set; `recover` is the recovery threshold on the calm
    side. With `each` every log, account or actor of the answer is watched for itself. `origin` says
    where the rule comes from.
    """

    name: str
    line: str
    value: str
    channel: str
    above: float | None = None
    below: float | None = None
    recover: float | None = None
    every: timedelta = timedelta(minutes=15)
    hold: timedelta = timedelta(0)
    keep: timedelta = timedelta(0)
    repeat: timedelta | None = None
    no_data: Literal["hold", "alert", "ok"] = "hold"
    each: str = ""
    origin: str = "bot.toml"

    @property
    def command(self) -> CommandName:
        return self.line.partition(" ")[0].removeprefix("/").lower()

    @property
    def threshold(self) -> float:
        threshold = self.above if self.above is not None else self.below
        assert threshold is not None
        return threshold

    @property
    def side(self) -> str:
        return "above" if self.above is not None else "below"

    @property
    def definition(self) -> str:
        """What it watches; a rule that watches something else starts afresh."""
        return f"{self.line} {self.value} {self.above} {self.below}" + (
            f" each {self.each}" if self.each else ""
        )

    def is_breach(self, value: float, *, firing: bool) -> bool:
        """Whether the value is on the wrong side. What fires already stays so until it is past the
        recovery threshold.
        """
        edge = self.recover if firing and self.recover is not None else self.threshold
        return value > edge if self.above is not None else value < edge

    def is_worse(self, value: float, than: float | None) -> bool:
        return than is None or (value > than if self.above is not None else value < than)

    def worst(self, values: Iterable[float | None]) -> float | None:
        """The worst of those that are known, or None."""
        return (max if self.above is not None else min)(
            (value for value in values if value is not None), default=None
        )


def rule_from_definition(name: str, definition: str, channel: str) -> Rule:
    """What is left of a rule that is there no more: what it watched."""
    subjects = re.search(r" each (\w+)$", definition)
    each = subjects[1] if subjects else ""
    line, value, above, below = definition.removesuffix(f" each {each}").rsplit(" ", 3)
    sides = {
        side: float(edge) for side, edge in (("above", above), ("below", below)) if edge != "None"
    }
    return Rule(name, line, value, channel, **sides, each=each)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class EvaluationTimes:
    """When a rule is evaluated: at whole multiples of `every` since 1970, so that a restart changes
    nothing, and the moment that a planned quiet ends.
    """

    every: timedelta
    mutes: Sequence[Mute] = ()

    def get_next_fire_time(
        self, previous_fire_time: datetime | None, now: datetime
    ) -> datetime | None:
        del previous_fire_time
        step = _EPOCH - (_EPOCH - now) // self.every * self.every
        ends = [end for mute in self.mutes if (end := next_end(mute, now))]
        return min([step, *ends]) if ends else step


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def extract_readings(
    rule: Rule, values: Mapping[str, Any], known: Mapping[str, SubjectState]
) -> dict[str, Reading]:
    """The watched number of an answer, or that of each subject; None where the answer does not know
    it. Of the subjects that were `known` before and are not among those listed, none is counted
    where counting them all is known to be none; of a value that is no count, a complete answer
    leaves them out.

    An answer that is not complete knows of what it counts that there is at least so much; of all
    else it knows nothing.
    """
    found = _readings(rule, values, known)
    if is_partial(values):
        return {name: value if _is_certain(rule, value) else None for name, value in found.items()}
    return found


def is_partial(values: Mapping[str, Any]) -> bool:
    """Whether an answer says itself that not all of it came."""
    return values.get("complete") is False or values.get("truncated") is True


def _is_certain(rule: Rule, at_least: Reading) -> bool:
    return (
        at_least is not None
        and rule.above is not None
        and _is_counted(rule.value)
        and at_least > rule.above
    )


def _is_counted(value: str) -> bool:
    return value in _ADDITIVE or value == "lines" or value.startswith("levels.")


def _readings(
    rule: Rule, values: Mapping[str, Any], known: Mapping[str, SubjectState]
) -> dict[str, Reading]:
    if not rule.each:
        return {WHOLE: extract_value(values, rule.value)}
    listed = values.get(f"by_{rule.each}")
    if not isinstance(listed, Mapping):
        return dict.fromkeys(known) or {WHOLE: None}
    found: dict[str, Reading] = {
        name: extract_value(each, rule.value) for name, each in listed.items()
    }
    if rule.value in _ADDITIVE and extract_value(values, rule.value) is not None:
        unlisted: Reading = 0.0
    elif values.get("complete") is True or values.get("days_missing") == 0:
        return found
    else:
        unlisted = None
    return {**{name: unlisted for name in known if name != WHOLE}, **found}


def extract_value(values: Mapping[str, Any], name: str) -> float | None:
    """The watched number of an answer, or None where the answer does not know it. `levels.error` is
    a level of a log, which is 0 where the log was read and has none.
    """
    found: Any = values.get(name)
    if "." in name:
        group, _, part = name.partition(".")
        found = values.get(group)
        found = found.get(part) if isinstance(found, Mapping) else None
    if found is None and name.startswith("levels.") and "lines" in values:
        return 0.0
    return float(found) if isinstance(found, int | float) else None


def has_value(command: str, name: str) -> bool:
    """Whether answers of a command have such a value to be watched."""
    return name in COMMANDS[command].values
