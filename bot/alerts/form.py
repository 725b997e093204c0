"""The forms of an alert and of a silence, read from their values (pure)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from typing import TypeVar

from msgspec import Struct, field

from bot.alerts.baseline import Usual
from bot.alerts.commands import Silence
from bot.alerts.create import USUAL_EVERY, CreateAlert
from bot.alerts.paging import (
    Paging,
    read_escalation,
    read_link,
    read_recipients,
    read_severity,
)
from bot.alerts.rule import NAME, SHORTEST_EVERY, has_value
from bot.alerts.silence_ends import NEXT_MORNING, SilenceEnd
from bot.alerts.thresholds import (
    OTHER_UNIT,
    USUAL_THRESHOLD,
    is_size_in_mega,
    read_threshold,
    read_usual,
)
from bot.alerts.thresholds import THRESHOLD as THRESHOLD_AMOUNT
from bot.errors import BadQuestion
from bot.formatting import sanitise
from bot.questions.amounts import AmbiguousAmount, read_duration
from bot.questions.form import QUESTION, FormValues, InvalidForm
from bot.questions.question import CommandName
from bot.questions.registry import COMMANDS

# The inputs of the form of an alert.
VALUE = "value"
SIDE = "side"
THRESHOLD = "threshold"
RESOLVE_AT = "recover"
EVERY = "every"
FOR = "for"
REMINDER = "repeat"
EACH = "each"
ALERT_NAME = "as"
SEVERITY = "severity"
RUNBOOK = "runbook"
NOTIFY = "notify"
ESCALATE = "escalate"
# The inputs of the form of a silence.
SILENCED = "name"
LENGTH = "length"
COMMENT = "comment"
LONGEST_COMMENT = 500
LONGEST_RECIPIENTS = 1000
USUAL_LENGTH = "2h"
_LENGTHS: Mapping[str, timedelta | SilenceEnd] = MappingProxyType(
    {
        "30m": timedelta(minutes=30),
        "1h": timedelta(hours=1),
        "2h": timedelta(hours=2),
        "4h": timedelta(hours=4),
        "8h": timedelta(hours=8),
        "1d": timedelta(days=1),
        "7d": timedelta(days=7),
        # The value is that of forms which were open before it was named after its time.
        "until tomorrow": NEXT_MORNING,
        "until monday": SilenceEnd("monday"),
    }
)
_AFTER = re.compile(r"\A\s*after\s+", re.IGNORECASE)
T = TypeVar("T")


def new_alert(command: CommandName, question: str) -> CreateAlert:
    """The alert that a form starts with where only its question is known."""
    # NaN represents a threshold that has not been entered yet.
    return CreateAlert(question, COMMANDS[command].default_value(question), "above", float("nan"))


def read_alert_form(command: CommandName, values: FormValues, before: CreateAlert) -> CreateAlert:
    """The alert `before` with the values of the form; what has no input is unchanged. Raises
    InvalidForm with every input that is wrong.
    """
    form = _AlertForm(command, values)
    # Each input is read by itself, so that all that are wrong are marked at once.
    usual = form.read(THRESHOLD, form.usual)
    amount = recover = None
    # Read once only: an input shows one message.
    if usual is None and THRESHOLD not in form.errors:
        amount = form.read(THRESHOLD, form.threshold)
    if usual is None:
        recover = form.read(RESOLVE_AT, lambda: form.resolve_threshold(amount))
    alert = replace(
        before,
        query=values.get(QUESTION, ""),
        value=form.read(VALUE, form.value) or before.value,
        side=form.side,  # type: ignore[arg-type]
        threshold=amount or 0.0,
        recover=recover,
        usual=form.read(RESOLVE_AT, lambda: form.with_recover(usual)),
        every=form.read(EVERY, form.interval) or USUAL_EVERY,
        for_=form.read(FOR, lambda: form.duration(FOR)) or timedelta(0),
        repeat=form.read(REMINDER, lambda: form.duration(REMINDER)) or None,
        each=form.read(EACH, form.subject) or "",
        name=form.read(ALERT_NAME, form.name) or before.name,
        paging=form.paging(),
        condition="",
    )
    if form.errors:
        raise InvalidForm(form.errors)
    return alert


def read_silence_form(values: FormValues) -> Silence:
    """The silence that was filled in. Raises BadQuestion that names the input."""
    length = values.get(LENGTH, "")
    if length not in _LENGTHS:
        raise BadQuestion("Choose how long to silence the alert.", field=LENGTH)
    comment = sanitise(values.get(COMMENT, ""), LONGEST_COMMENT)
    chosen = _LENGTHS[length]
    name = values.get(SILENCED, "")
    if isinstance(chosen, SilenceEnd):
        return Silence(name, None, comment, chosen)
    return Silence(name, chosen, comment)


class _AlertForm(Struct, frozen=True):
    """Reads one input at a time, and collects what is wrong."""

    command: CommandName
    values: FormValues
    errors: dict[str, str] = field(default_factory=dict)

    def read(self, name: str, reader: Callable[[], T]) -> T | None:
        """What the reader reads of the input; None where it is wrong."""
        try:
            return reader()
        except BadQuestion as error:
            self.errors[name] = error.message
        except AmbiguousAmount as error:
            self.errors[name] = f"{error}."
        except ValueError as error:
            self.errors[name] = str(error)
        return None

    def paging(self) -> Paging:
        after, to = self.read(ESCALATE, self.escalation) or (None, ())
        return Paging(
            severity=read_severity(self.values.get(SEVERITY, "")),
            runbook=self.read(RUNBOOK, self.runbook) or "",
            notify=self.read(NOTIFY, self.notified) or (),
            escalate_after=after,
            escalate_to=to,
        )

    def runbook(self) -> str:
        typed = self.values.get(RUNBOOK, "")
        return read_link(typed) if typed else ""

    def notified(self) -> tuple[str, ...]:
        typed = self.values.get(NOTIFY, "")
        return read_recipients(typed) if typed else ()

    def escalation(self) -> tuple[timedelta | None, tuple[str, ...]]:
        """`after 15m to @oncall`; `after` can be omitted."""
        typed = self.values.get(ESCALATE, "")
        if not typed:
            return None, ()
        return read_escalation(f"after {_AFTER.sub('', typed)}")

    def value(self) -> str:
        value = self.values.get(VALUE, "")
        if not has_value(self.command, value):
            raise BadQuestion("Choose a value.")
        return value

    @property
    def side(self) -> str:
        side = self.values.get(SIDE, "")
        return side if side in ("below", "outside") else "above"

    def usual(self) -> Usual | None:
        """The threshold that follows what is usual; None where it is an amount."""
        typed = self.values.get(THRESHOLD, "")
        if self.side == "outside":
            if typed and read_usual(typed) is not None:
                raise BadQuestion("Leave it empty: the band of usual values is the threshold.")
            return Usual("outside")
        return Usual(self.side, read_usual(typed)) if USUAL_THRESHOLD.fullmatch(typed) else None

    def with_recover(self, usual: Usual | None) -> Usual | None:
        """The same with its resolve threshold."""
        typed = self.values.get(RESOLVE_AT, "")
        if not typed or usual is None:
            return usual
        factor = read_usual(typed)
        if usual.factor is None or factor is None:
            raise BadQuestion("Leave it empty, or enter two multiples such as 2x usual.")
        if factor > usual.factor if usual.side == "above" else factor < usual.factor:
            where = "at or below" if usual.side == "above" else "at or above"
            raise BadQuestion(f"The resolve threshold must be {where} the threshold.")
        return Usual(usual.side, usual.factor, factor)

    def threshold(self) -> float:
        if not self.values.get(THRESHOLD):
            raise BadQuestion("Enter a number, a percentage, a size such as 5 GB, or 2x usual.")
        return self._amount(THRESHOLD)

    def resolve_threshold(self, threshold: float | None) -> float | None:
        if not self.values.get(RESOLVE_AT):
            return None
        amount = self._amount(RESOLVE_AT)
        is_below = self.values.get(SIDE) == "below"
        if threshold is None or (amount >= threshold if is_below else amount <= threshold):
            return amount
        side = "at or above" if is_below else "at or below"
        raise BadQuestion(f"The resolve threshold must be {side} the threshold.")

    def duration(self, name: str) -> timedelta:
        typed = self.values.get(name, "")
        if not typed:
            return timedelta(0)
        length = read_duration(typed)
        if length is None:
            raise BadQuestion(
                f"“{sanitise(typed, 40)}” is not a duration; enter one such as 10m, 4h or 1d."
            )
        return length

    def interval(self) -> timedelta:
        if not self.values.get(EVERY):
            return USUAL_EVERY
        length = self.duration(EVERY)
        if length < SHORTEST_EVERY:
            raise BadQuestion("An alert can be checked every 5 seconds at most.")
        return length

    def subject(self) -> str:
        each = self.values.get(EACH, "")
        if each and each not in COMMANDS[self.command].values.subjects:
            raise BadQuestion("Choose one from the list.")
        return each

    def name(self) -> str:
        name = " ".join(self.values.get(ALERT_NAME, "").strip('"').split())
        if name and not NAME.fullmatch(name):
            raise BadQuestion("A name has letters, digits, dots, dashes and spaces.")
        return name

    def _amount(self, name: str) -> float:
        typed = self.values.get(name, "")
        value = self.values.get(VALUE, "")
        known = value if has_value(self.command, value) else COMMANDS[self.command].values.default
        is_read = THRESHOLD_AMOUNT.fullmatch(typed) and not is_size_in_mega(typed, known)
        if OTHER_UNIT.fullmatch(typed) and not is_read:
            raise BadQuestion(
                f"“{sanitise(typed, 40)}” is not a threshold; sizes are in B, kB, MB, GB or TB."
            )
        return read_threshold(typed, known, self.command)
