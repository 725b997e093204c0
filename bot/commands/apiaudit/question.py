"""The words and the form of `/apiaudit [account ...] [window] [calls [N]] [by COLUMN] [new KIND]
[filter ...] [failures] [csv]`.
"""

from __future__ import annotations

from msgspec import field
from msgspec.structs import replace

from bot.commands.apiaudit.display import GROUPS, MOST_CALLS, SUMMARY, Display, split_display
from bot.commands.apiaudit.filters import (
    TypedFilters,
    call_filters,
    intended_filter,
    not_filters,
    split_filters,
)
from bot.commands.apiaudit.novelty import KINDS, MOST_DAYS, USUAL_DAYS
from bot.errors import BadQuestion, SuggestedQuestion
from bot.formatting import join_words
from bot.questions.accounts import split_accounts
from bot.questions.comparison import read_windows, working_hint
from bot.questions.comparison_form import comparison_field, read_form_windows
from bot.questions.context import MOST_WINDOW_WORDS, Context
from bot.questions.form import (
    ACCOUNT,
    CSV,
    FormField,
    FormValues,
    csv_field,
    read_accounts,
    refused_at,
)
from bot.questions.phrases import tokens, without
from bot.questions.question import QuestionParts, TableQuestion
from bot.questions.window_words import status_in
from bot.questions.windows import ParsedWindow
from bot.questions.windows.alignment import Comparison
from providers.models import CallFilters

CHOSEN = "filters"
FILTERS = "rest"
SHOW = "show"


class AuditQuestion(TableQuestion, frozen=True, kw_only=True):
    """Which calls are asked for, and what of them is shown. `typed_filters` are the words that the
    filters were typed with.
    """

    command: str = "apiaudit"
    filters: CallFilters = field(default_factory=CallFilters)
    display: Display = SUMMARY
    typed_filters: tuple[str, ...] = ()


def read_apiaudit(text: str, context: Context) -> AuditQuestion:
    words, csv = without(tokens(text, context), CSV)
    filters = split_filters(words, context)
    display, others = _split_display(filters.others, context)
    named = split_accounts(others, context)
    accounts = named.names or tuple(context.accounts())
    applied = call_filters(filters, context)
    parts = _parts(named.typed, " ".join(named.words), display, filters, csv=csv)
    window, comparison = _audit_windows(parts, context)
    with working_hint(_line_of_summary(parts, display, filters, context)):
        _refuse_single_calls(comparison, display, applied)
    return AuditQuestion(
        text=text,
        window=window,
        accounts=accounts,
        parts=parts,
        comparison=comparison,
        filters=applied,
        display=display,
        typed_filters=tuple(filters.typed),
        csv=csv,
    )


def read_apiaudit_form(values: FormValues, context: Context) -> AuditQuestion:
    chosen = values.get(ACCOUNT, "")
    csv = bool(values.get(CSV))
    accounts = read_accounts(values, context)
    with refused_at(FILTERS):
        chosen_filters = values.get(CHOSEN, "")
        typed_filters = values.get(FILTERS, "")
        found = tokens(f"{chosen_filters} {typed_filters}", context)
        words = [word.rstrip(",") for word in found]
        words, is_csv_typed = without(words, CSV)
        filters = split_filters([word for word in words if word], context)
        typed, others = _split_display(filters.others, context)
        if others:
            raise not_filters(others)
        applied = call_filters(filters, context)
    chosen_display, _ = _split_display(values.get(SHOW, "").split(), context)
    display = typed if typed != SUMMARY else chosen_display
    window, window_words, comparison = read_form_windows(values, context)
    with refused_at(SHOW):
        _refuse_single_calls(comparison, display, applied)
    csv = csv or is_csv_typed
    parts = _parts(chosen, window_words, display, filters, csv=csv)
    return AuditQuestion(
        text=str(parts),
        window=window,
        accounts=accounts,
        parts=parts,
        comparison=comparison,
        filters=applied,
        display=display,
        typed_filters=tuple(filters.typed),
        csv=csv,
    )


def audit_fields(question: AuditQuestion | None) -> list[FormField]:
    """The inputs of the form after account and window."""
    example = "failures, status:5xx, who:ada@example.com"
    typed = " ".join(question.typed_filters) if question else ""
    shown = " ".join(question.display.words) if question else ""
    choices = dict.fromkeys([*([shown] if shown else []), *SHOW_CHOICES])
    return [
        comparison_field(),
        FormField(SHOW, "Show", "choice", shown, tuple(choices), placeholder="Summary"),
        FormField(CHOSEN, "Filters", "filters", placeholder="Search, such as 5xx or get"),
        FormField(FILTERS, "More filters, as text", "text", typed, placeholder=example, hint=HINT),
        csv_field(chosen=bool(question and question.csv)),
    ]


HINT = "Any filter by its name, even if the list above has none; /apiaudit help names them all."
# What the form offers beside the usual answer.
SHOW_CHOICES = (
    "calls",
    f"calls {MOST_CALLS}",
    "slowest",
    *(f"new {name}" for name in KINDS),
    *(f"by {name}" for name in GROUPS),
)


def _split_display(words: list[str], context: Context) -> tuple[Display, list[str]]:
    """What is to be shown, and the other words. Raises BadQuestion for no calls at all, and for
    values that are compared with too many days.
    """
    display, others = split_display(words)
    if not 1 <= display.days <= MOST_DAYS:
        usual = replace(display, days=USUAL_DAYS)
        raise BadQuestion(
            f"What is new is compared with 1 to {MOST_DAYS} days before.",
            context.working(" ".join([*others, *usual.words])),
        )
    number = display.calls or 0
    typed = f"{number} calls"
    if 400 <= number <= 599 and typed in context.text and f"calls {number}" not in context.text:
        raise SuggestedQuestion(
            f"Calls with the status {number} are typed `status:{number}`.",
            context.instead(typed, f"status:{number} calls"),
        )
    if display.calls == 0:
        raise BadQuestion(
            f"`calls` takes a number from 1 to {MOST_CALLS}.",
            context.instead("calls 0" if "calls 0" in context.text else "0 calls", "calls 20"),
        )
    return display, others


def _line_of_summary(
    parts: QuestionParts, display: Display, filters: TypedFilters, context: Context
) -> str:
    """The same question about all its calls together."""
    typed = [word for word in filters.typed if not word.lower().startswith("call:")]
    words = [*replace(display, calls=None, new=()).words, *typed]
    return f"/{context.command.name} {replace(parts, rest=' '.join(words))}"


def _refuse_single_calls(
    comparison: Comparison | None, display: Display, filters: CallFilters
) -> None:
    """Raises BadQuestion where calls of two windows would be listed one by one."""
    if comparison is None:
        return
    if display.new:
        raise BadQuestion("`new` compares one window with the days before it, not with another.")
    if display.calls is None and not filters.call:
        return
    shown = "`calls` lists" if display.calls is not None else "`call:` shows"
    raise BadQuestion(f"{shown} calls of one window; a comparison counts those of two.")


def _parts(
    subject: str, window: str, display: Display, filters: TypedFilters, *, csv: bool
) -> QuestionParts:
    rest = [*display.words, *filters.typed, *([CSV] if csv else [])]
    return QuestionParts(subject, window, " ".join(rest))


def _audit_windows(
    parts: QuestionParts, context: Context
) -> tuple[ParsedWindow, Comparison | None]:
    """The window, or the comparison of two. Raises BadQuestion with bare words such as
    `403` as the filters that they were probably meant to be.
    """
    if number := status_in(parts.window):
        line = str(replace(parts, window="", rest=f"status:{number} {parts.rest}".strip()))
        raise SuggestedQuestion(
            f"“{parts.window}” may be calls with the status {number}, or the “last {number} seconds”.",
            context.working(line),
        )
    try:
        return read_windows(parts, context)
    except BadQuestion:
        meant = {word: intended_filter(word) for word in parts.window.split()[:MOST_WINDOW_WORDS]}
        filters = list(filter(None, meant.values()))
        if not context.explains or not filters:
            raise
        window = " ".join(word for word in parts.window.split() if not meant.get(word))
        rest = " ".join(filter(None, [*filters, parts.rest]))
        line = context.working(str(replace(parts, window=window, rest=rest)))
        raise SuggestedQuestion(
            f"A filter has a name; did you mean {join_words(filters)}?", line
        ) from None
