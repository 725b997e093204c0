"""The form of a question as data: its inputs, and the values that were entered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Literal

from msgspec import Struct

from bot.errors import BadQuestion
from bot.formatting import sanitise
from bot.questions.context import Context
from bot.questions.question import ALL, Question, QuestionParts
from bot.questions.windows import ParsedWindow

FormValues = Mapping[str, str]
# The inputs that every question has.
ACCOUNT = "account"
WINDOW = "window"
FIRST_DAY = "from"
LAST_DAY = "to"
# The input that takes a whole question in words.
QUESTION = "question"
# The input whose choices are searched among the names of logs.
LOG = "log"
CSV = "csv"
# The input that asks a saved question in place of all others.
SAVED = "saved"


class InvalidForm(BadQuestion):
    """Several inputs of a form may be wrong: `errors` has a message for each, by its name."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        # Where only one can be shown, it is the first.
        field, message = next(iter(errors.items()))
        super().__init__(message, field=field)
        self.errors = dict(errors)


class FormField(Struct, frozen=True):
    """One input. `value` is what it holds when the form opens, `label` what people read above it. The
    choices of `log` and `filters` are searched while people type; `filters` takes several.
    """

    name: str
    label: str
    kind: Literal["choice", "text", "day", "log", "filters"]
    value: str = ""
    # Values, or labels by value.
    choices: Sequence[str] | Mapping[str, str] = ()
    placeholder: str = ""
    is_optional: bool = True
    longest: int = 200
    # A sentence below it.
    hint: str = ""


def account_field(
    question: Question | None, accounts: Sequence[str], *, is_optional: bool
) -> list[FormField]:
    """Which account is asked, where there are several."""
    if len(accounts) < 2:
        return []
    chosen = question.parts.subject if question else ""
    choices = dict.fromkeys([*accounts, *([chosen] if chosen else [])])
    return [
        FormField(
            ACCOUNT,
            "Account",
            "choice",
            chosen,
            list(choices),
            placeholder="All accounts" if is_optional else "",
            is_optional=is_optional,
        )
    ]


def csv_field(*, chosen: bool) -> FormField:
    """Whether the answer is wanted as a table to download, too."""
    label = "Table to download"
    value = CSV if chosen else ""
    return FormField(CSV, label, "choice", value, {CSV: "CSV"}, placeholder="No")


def saved_fields(saved: Mapping[str, str]) -> list[FormField]:
    """The saved questions of a channel, what each asks by its name; nothing where there are none."""
    choices = {name: f"{name}: {query}" for name, query in saved.items()}
    if not choices:
        return []
    hint = "Asks what was saved, whatever is chosen below."
    return [
        FormField(SAVED, "Saved question", "choice", choices=choices, placeholder="None", hint=hint)
    ]


@contextmanager
def refused_at(field: str) -> Iterator[None]:
    """Marks this input as the cause of a BadQuestion raised inside."""
    try:
        yield
    except BadQuestion as error:
        # The innermost input knows best.
        error.field = error.field or field
        raise


def read_accounts(values: FormValues, context: Context) -> tuple[str, ...]:
    """The chosen accounts, or all of them. Raises BadQuestion if there are none."""
    available = context.accounts()
    chosen = values.get(ACCOUNT, "")
    if chosen in ("", ALL):
        return tuple(available)
    for name in chosen.split():
        if name not in available:
            # The form was opened before the configuration was changed.
            message = f"Account “{sanitise(name, 40)}” no longer exists."
            raise BadQuestion(message, context.example, field=ACCOUNT)
    return tuple(chosen.split())


def read_form_window(values: FormValues, context: Context) -> tuple[ParsedWindow, str]:
    """The window, and the words it can be typed with. Chosen days take precedence over a window
    that was chosen by name.
    """
    first = _day(values, FIRST_DAY)
    last = _day(values, LAST_DAY)
    wrong = FIRST_DAY if first else LAST_DAY
    # One day alone is that day.
    first, last = first or last, last or first
    if first and last:
        with refused_at(wrong):
            return context.days(first, last), f"{first}..{last}"
    words = values.get(WINDOW, "")
    with refused_at(WINDOW):
        return context.window(QuestionParts(window=words)), words


def _day(values: FormValues, name: str) -> date | None:
    """The day that was chosen; Slack sends it as ISO 8601."""
    chosen = values.get(name, "")
    try:
        return date.fromisoformat(chosen) if chosen else None
    except ValueError:
        raise BadQuestion(f"“{sanitise(chosen, 40)}” is not a day.", field=name) from None
