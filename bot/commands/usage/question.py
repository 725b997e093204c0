"""The words and the form of `/usage [account ...] [window [vs window]] [by day|week|month] [per log]
[csv]`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from bot.errors import BadQuestion
from bot.questions.accounts import NamedAccounts, split_accounts
from bot.questions.comparison import read_windows
from bot.questions.comparison_form import comparison_field, read_form_windows
from bot.questions.context import Context
from bot.questions.form import (
    ACCOUNT,
    CSV,
    FormField,
    FormValues,
    csv_field,
    read_accounts,
)
from bot.questions.phrases import without, without_any
from bot.questions.question import ALL, QuestionParts, TableQuestion

Unit = Literal["day", "week", "month"]
UNITS: tuple[Unit, ...] = get_args(Unit)
TABLE = "rest"
PER_LOG = "per log"


class UsageQuestion(TableQuestion, frozen=True, kw_only=True):
    """How much data the accounts have sent: in which units, and whether each log by itself."""

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
    named = split_accounts(words, context)
    accounts = _accounts(named, context)
    parts = _parts(named.typed, " ".join(named.words), unit=unit, per_log=per_log, csv=csv)
    window, comparison = read_windows(parts, context)
    return UsageQuestion(
        text=text,
        window=window,
        accounts=accounts,
        parts=parts,
        comparison=comparison,
        unit=unit,
        per_log=per_log,
        csv=csv,
    )


def read_usage_form(values: FormValues, context: Context) -> UsageQuestion:
    chosen = values.get(ACCOUNT, "")
    accounts = read_accounts(values, context)
    if len(accounts) > 1 and not chosen:
        raise BadQuestion(_which(accounts), context.example, field=ACCOUNT)
    window, words, comparison = read_form_windows(values, context)
    table = values.get(TABLE, "")
    csv = bool(values.get(CSV))
    # Only what the form offers; anything else came from an old message and means the usual table.
    unit = next((unit for unit in UNITS if table == f"by {unit}"), None)
    per_log = table == PER_LOG
    parts = _parts(chosen, words, unit=unit, per_log=per_log, csv=csv)
    return UsageQuestion(
        text=str(parts),
        window=window,
        accounts=accounts,
        parts=parts,
        comparison=comparison,
        unit=unit,
        per_log=per_log,
        csv=csv,
    )


def usage_fields(question: UsageQuestion | None) -> list[FormField]:
    """The inputs of the form after account and window."""
    # By day is what an empty choice means.
    tables = (*(f"by {unit}" for unit in UNITS if unit != "day"), PER_LOG)
    return [
        comparison_field(),
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
                "A table goes by day, week or month: choose one of them.",
                context.instead(f"by {unit}", ""),
            )
        unit = each if found else unit
    return words, unit


def _accounts(named: NamedAccounts, context: Context) -> tuple[str, ...]:
    """The accounts of the question. Raises BadQuestion where there are several and none is named."""
    available = context.accounts()
    if not named.names and len(available) > 1:
        raise BadQuestion(_which(available), context.working(f"{available[0]} {context.text}"))
    return named.names or tuple(available)


def _which(available: Sequence[str]) -> str:
    return f"Which account? There are {', '.join(available)}; `{ALL}` asks them all."


def _parts(
    subject: str, window: str, *, unit: Unit | None, per_log: bool, csv: bool
) -> QuestionParts:
    options = [f"by {unit}" if unit else "", PER_LOG if per_log else "", CSV if csv else ""]
    return QuestionParts(subject, window, " ".join(filter(None, options)))
