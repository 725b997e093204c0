"""The words and the form of `/usage [account] [window] [by day|week|month] [per log] [csv]`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from bot.errors import BadQuestion
from bot.questions.context import Context
from bot.questions.form import (
    ACCOUNT,
    CSV,
    FormField,
    FormValues,
    csv_field,
    read_accounts,
    read_form_window,
)
from bot.questions.phrases import without, without_any
from bot.questions.question import QuestionParts, TableQuestion

Unit = Literal["day", "week", "month"]
UNITS: tuple[Unit, ...] = get_args(Unit)
TABLE = "rest"
PER_LOG = "per log"


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageQuestion(TableQuestion):
    """How much data an account has sent: in which units, and whether each log by itself."""

    command: str = "usage"
    unit: Unit | None = None
    per_log: bool = False

    @property
    def by(self) -> Unit:
        """The unit of the table."""
        return self.unit or "day"


def read_usage(text: str, context: Context) -> UsageQuestion:
    words, csv = without(text.split(), "csv")
    words, per_log = without_any(words, PER_LOG, "by log")
    words, unit = _unit(words, context)
    named, words = context.accounts_and_window(words)
    accounts = _one_of(named, context)
    parts = _parts(named, " ".join(words), unit=unit, per_log=per_log, csv=csv)
    return UsageQuestion(
        text=text,
        window=context.window(parts),
        accounts=accounts,
        parts=parts,
        unit=unit,
        per_log=per_log,
        csv=csv,
    )


def read_usage_form(values: FormValues, context: Context) -> UsageQuestion:
    chosen = values.get(ACCOUNT, "")
    accounts = read_accounts(values, context)
    if len(accounts) > 1:
        raise BadQuestion(_which(accounts), context.example, field=ACCOUNT)
    window, words = read_form_window(values, context)
    table = values.get(TABLE, "")
    csv = bool(values.get(CSV))
    unit = next((unit for unit in UNITS if table == f"by {unit}"), None)
    per_log = table == PER_LOG
    parts = _parts([chosen] if chosen else [], words, unit=unit, per_log=per_log, csv=csv)
    return UsageQuestion(
        text=str(parts),
        window=window,
        accounts=accounts,
        parts=parts,
        unit=unit,
        per_log=per_log,
        csv=csv,
    )


def usage_fields(question: UsageQuestion | None) -> list[FormField]:
    """The inputs of the form behind account and window."""
    tables = (*(f"by {unit}" for unit in UNITS), PER_LOG)
    return [
        FormField(TABLE, "Table", "choice", _table(question) if question else "", tables, "By day"),
        csv_field(chosen=bool(question and question.csv)),
    ]


def _table(question: UsageQuestion) -> str:
    """The choice of the form for the table of a question; none for one that has a unit and `per
    log`.
    """
    if question.unit and question.per_log:
        return ""
    if question.per_log:
        return PER_LOG
    return f"by {question.unit}" if question.unit else ""


def _unit(words: list[str], context: Context) -> tuple[list[str], Unit | None]:
    """The words without `by week`, and the unit it names."""
    unit: Unit | None = None
    for each in UNITS:
        words, found = without(words, "by", each)
        if found and unit:
            raise BadQuestion(
                "A table goes by day, week or month, one of them.",
                context.instead(f"by {unit}", ""),
            )
        unit = each if found else unit
    return words, unit


def _one_of(named: list[str], context: Context) -> tuple[str, ...]:
    """The one account of the question."""
    available = context.accounts()
    if len(named) > 1:
        raise BadQuestion("One account at a time, please.", context.instead(named[-1], ""))
    if not named and len(available) > 1:
        raise BadQuestion(_which(available), context.working(f"{available[0]} {context.text}"))
    return tuple(named or available)


def _which(available: Sequence[str]) -> str:
    return f"Which account? There are {', '.join(available)}."


def _parts(
    named: list[str], window: str, *, unit: Unit | None, per_log: bool, csv: bool
) -> QuestionParts:
    options = [f"by {unit}" if unit else "", PER_LOG if per_log else "", CSV if csv else ""]
    return QuestionParts(" ".join(named), window, " ".join(filter(None, options)))
