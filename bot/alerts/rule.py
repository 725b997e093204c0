"""A rule: which value of which question an alert evaluates, and the threshold it must not cross."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Literal

import msgspec
from msgspec import Struct

from bot.alerts.baseline import Baseline, Usual
from bot.alerts.mutes import Mute, next_end
from bot.alerts.paging import NO_PAGING, Paging
from bot.alerts.state import UNNAMED, WHOLE, Reading, SubjectState
from bot.questions.question import CommandName
from bot.questions.registry import COMMANDS

# More often would take the rate limits of vendors, whose figures change more slowly.
SHORTEST_EVERY = timedelta(seconds=5)
NAME = re.compile(r"(?=.{1,60}\Z)[^\W_][\w.-]*(?: [\w.-]+)*")
# A subject that is not listed where the others are has zero of these.
_ADDITIVE = frozenset(
    {
        "bytes",
        "calls",
        "count",
        "failures",
        "new_actions",
        "new_actors",
        "new_clients",
        "new_ips",
    }
)


FILE_ORIGIN = "bot.toml"


class Rule(
    msgspec.Struct,
    frozen=True,
    dict=True,
    rename={"query": "line", "for_": "hold", "keep_firing_for": "keep"},
):
    """One alert. One of `above`, `below` and `usual` is set; `recover` is the threshold at which it
    resolves. With `each` every log, account or actor of the answer is evaluated by itself. `origin` says
    where the rule was made. A rule made in chat is stored as JSON, in which `rename` keeps the
    names of earlier versions.
    """

    name: str
    query: str
    value: str
    channel: str
    above: float | None = None
    below: float | None = None
    recover: float | None = None
    every: timedelta = timedelta(minutes=15)
    for_: timedelta = timedelta(0)
    keep_firing_for: timedelta = timedelta(0)
    repeat: timedelta | None = None
    no_data: Literal["hold", "alert", "ok"] = "hold"
    each: str = ""
    origin: str = FILE_ORIGIN
    # Left out of the stored rule where there is nothing to hide.
    redacted_query: str | msgspec.UnsetType = msgspec.UNSET
    # A threshold that follows what is usual; left out where there is none.
    usual: Usual | msgspec.UnsetType = msgspec.UNSET
    # Left out of the stored rule where it calls nobody, as in rules of earlier versions.
    paging_or_unset: Paging | msgspec.UnsetType = msgspec.field(
        default=msgspec.UNSET, name="paging"
    )

    @property
    def paging(self) -> Paging:
        """How urgent it is and whom it calls."""
        return self.paging_or_unset or NO_PAGING

    @property
    def display_query(self) -> str:
        """The question as it may be stored and shown: without a secret that `query` may hold."""
        return self.redacted_query or self.query

    @property
    def is_from_file(self) -> bool:
        """Whether the operator defines it, so that it cannot be edited from chat."""
        return self.origin == FILE_ORIGIN

    @property
    def command(self) -> CommandName:
        return self.query.partition(" ")[0].removeprefix("/").lower()

    @property
    def threshold(self) -> float:
        """The fixed threshold, of a rule that has one."""
        threshold = self.above if self.above is not None else self.below
        assert threshold is not None
        return threshold

    def threshold_at(self, baseline: Baseline | None) -> float | None:
        """The threshold of an instant; None where it follows a baseline that is not known."""
        if not self.usual:
            return self.threshold
        return self.usual.threshold(baseline) if baseline else None

    def next_check(self, now: datetime) -> datetime:
        """When it is evaluated next, after now."""
        return _EPOCH + ((now - _EPOCH) // self.every + 1) * self.every

    @property
    def side(self) -> str:
        if self.usual:
            return self.usual.side
        return "above" if self.above is not None else "below"

    @cached_property
    def definition(self) -> str:
        """What it evaluates, as stored in databases. A rule whose definition changes starts afresh."""
        usual = f" usual {self.usual.side} {self.usual.factor}" if self.usual else ""
        each = f" each {self.each}" if self.each else ""
        return f"{self.display_query} {self.value} {self.above} {self.below}{usual}{each}"

    @property
    def baseline_definition(self) -> str:
        """What its baseline is computed from. Rules that differ in their threshold alone share it."""
        each = f" each {self.each}" if self.each else ""
        return f"baseline {self.display_query} {self.value}{each}"

    def is_breach(self, value: float, *, firing: bool, baseline: Baseline | None = None) -> bool:
        """Whether the value is past the threshold. A firing alert stays in breach until the value
        reaches the resolve threshold. Where the threshold follows what is usual, nothing is a breach
        without a baseline.
        """
        if self.usual:
            return baseline is not None and self.usual.is_breach(value, baseline, firing=firing)
        # Hysteresis: a value between both thresholds changes nothing.
        edge = self.recover if firing and self.recover is not None else self.threshold
        return value > edge if self.above is not None else value < edge

    def is_worse(self, value: float, than: float | None, baseline: Baseline | None = None) -> bool:
        """Whether a value is worse than another: further beyond the threshold, or, of a rule that
        fires on both sides, further from what is usual.
        """
        if than is None:
            return True
        if self.side == "outside" and baseline:
            return abs(value - baseline.median) > abs(than - baseline.median)
        return value < than if self.side == "below" else value > than

    def worst(self, values: Iterable[float | None]) -> float | None:
        """The worst of those that are known, or None."""
        return (min if self.side == "below" else max)(
            (value for value in values if value is not None), default=None
        )


def rule_from_definition(name: str, definition: str, channel: str) -> Rule:
    """A deleted rule, as far as its stored definition describes it."""
    subjects = re.search(r" each (\w+)$", definition)
    each = subjects[1] if subjects else ""
    definition = definition.removesuffix(f" each {each}")
    usual: Usual | msgspec.UnsetType = msgspec.UNSET
    if found := _USUAL_DEFINITION.search(definition):
        factor = None if found[2] == "None" else float(found[2])
        definition = definition[: found.start()]
        usual = Usual(found[1], factor)
    # From the right, because the question has spaces of its own.
    query, value, above, below = definition.rsplit(" ", 3)
    sides: dict[str, Any] = {
        side: float(edge) for side, edge in (("above", above), ("below", below)) if edge != "None"
    }
    return Rule(name, query, value, channel, **sides, each=each, usual=usual)


def is_same_value(rule: Rule, definition: str) -> bool:
    """Whether a stored definition is of the same value of the same question."""
    try:
        stored = rule_from_definition(rule.name, definition, rule.channel)
    except ValueError:
        # A series of a baseline has a definition of its own.
        return False
    return stored.baseline_definition == rule.baseline_definition


_USUAL_DEFINITION = re.compile(r" usual (above|below|outside) ([0-9.e+-]{1,30}|None)$")


class EvaluationTimes(Struct, frozen=True):
    """When a rule is evaluated: at whole multiples of `every` since 1970, so that a restart changes
    nothing, and whenever a mute ends.
    """

    every: timedelta
    mutes: Sequence[Mute] = ()

    def get_next_fire_time(
        self, previous_fire_time: datetime | None, now: datetime
    ) -> datetime | None:
        del previous_fire_time
        # Rounded up: floor division of a negative length.
        step = _EPOCH - (_EPOCH - now) // self.every * self.every
        # What still fires is notified as soon as its mute ends.
        ends = [end for mute in self.mutes if (end := next_end(mute, now))]
        return min([step, *ends]) if ends else step


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def extract_readings(
    rule: Rule,
    values: Mapping[str, Any],
    known: Mapping[str, SubjectState],
    *,
    partial: bool | None = None,
) -> dict[str, Reading]:
    """The rule's value in an answer, or that of each subject; None where it is unknown. A `known`
    subject that is no longer listed counts as zero if the total is known. If the value is not a
    count, a complete answer omits it.

    The values of an incomplete answer are lower bounds, which can only breach `above`. `partial` says
    whether it is one, where that is known already.
    """
    found = (
        _readings(rule, values, known) if rule.each else {WHOLE: extract_value(values, rule.value)}
    )
    if is_partial(values) if partial is None else partial:
        return {name: value if _is_certain(rule, value) else None for name, value in found.items()}
    return found


def is_partial(values: Mapping[str, Any]) -> bool:
    """Whether an answer is incomplete or truncated."""
    return values.get("complete") is False or values.get("truncated") is True


def _is_certain(rule: Rule, at_least: Reading) -> bool:
    return (
        at_least is not None
        and rule.above is not None
        and _is_counted(rule.value)
        # More can only be worse, so that a breach is certain.
        and at_least > rule.above
    )


def _is_counted(value: str) -> bool:
    return value in _ADDITIVE or value == "lines" or value.startswith("levels.")


def _readings(
    rule: Rule, values: Mapping[str, Any], known: Mapping[str, SubjectState]
) -> dict[str, Reading]:
    listed = values.get(f"by_{rule.each}")
    if not isinstance(listed, Mapping):
        # Nothing is listed, so nothing is known of any subject.
        return dict.fromkeys(known) or {WHOLE: None}
    found: dict[str, Reading] = {
        # An empty name means the whole answer.
        name or UNNAMED: extract_value(each, rule.value)
        for name, each in listed.items()
    }
    if rule.value in _ADDITIVE and extract_value(values, rule.value) is not None:
        unlisted: Reading = 0.0
    # A complete answer without the subject says that it is gone.
    elif values.get("complete") is True or values.get("days_missing") == 0:
        return found
    else:
        unlisted = None
    return {**{name: unlisted for name in known if name != WHOLE}, **found}


def extract_value(values: Mapping[str, Any], name: str) -> float | None:
    """The named value of an answer, or None where it is unknown. `levels.error` is the count of a
    log level: 0 if the log has no line of it.
    """
    found: Any = values.get(name)
    if "." in name:
        group, _, part = name.partition(".")
        found = values.get(group)
        found = found.get(part) if isinstance(found, Mapping) else None
    # Levels are counted as they occur; a log without errors lists none.
    if found is None and name.startswith("levels.") and "lines" in values:
        return 0.0
    return float(found) if isinstance(found, int | float) else None


def has_value(command: str, name: str) -> bool:
    """Whether alerts on a command can evaluate this value."""
    return name in COMMANDS[command].values
