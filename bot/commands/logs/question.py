"""The words and the form of `/logs LOG[,LOG...] [window] [where(LEQL)] [level:LEVEL] [count |
calculate(…)] [groupby(KEY)] [top N] [timeslice D] [newest N] [follow] [limit N]`, and `/logs list`.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import timedelta

from msgspec import field
from msgspec.structs import replace

from bot.commands.logs.display import MOST_SLICES, Display, Follow, Statistic
from bot.commands.logs.leql import pattern_of, with_conditions
from bot.commands.logs.names import (
    LogRef,
    named_account,
    read_log,
    split_log_names,
    split_logs_and_patterns,
    with_verb_behind_logs,
)
from bot.commands.logs.query import LineQuery, QueryWords, read_query, take_clauses
from bot.errors import BadQuestion, SuggestedQuestion
from bot.formatting import format_duration, join_words, quoted, sanitise
from bot.questions.comparison_words import split_comparison
from bot.questions.context import Context
from bot.questions.question import Question, QuestionParts
from bot.questions.window_words import SHORTEST_BEGINNING, status_in
from bot.questions.windows import ParsedWindow, strip_filler_words
from providers.models import Window


class LogsQuestion(Question, frozen=True, kw_only=True):
    """The logs, which of their lines are wanted, and what is shown of these. Without `logs` it
    lists the logs.
    """

    command: str = "logs"
    logs: tuple[LogRef, ...]
    query: LineQuery = field(default_factory=LineQuery)

    @property
    def subject(self) -> str:
        return self.parts.subject

    @property
    def shared_as(self) -> Hashable | None:
        # Whoever follows a log sees the lines from their own question on.
        if isinstance(self.display, Follow):
            return None
        return (self.line, self.accounts, self.parts, self.logs)

    @property
    def is_list(self) -> bool:
        """Whether it lists the logs."""
        return not self.logs

    @property
    def leql(self) -> str:
        return self.query.leql

    @property
    def limit(self) -> int | None:
        return self.query.limit

    @property
    def display(self) -> Display:
        return self.query.display

    def about_lines(self, conditions: Sequence[str], window: str, words: str) -> str:
        """The line of a question about the lines that meet more conditions, in another window."""
        where = with_conditions(self.query.where, conditions)
        filters = replace(self.query, where=where).filter_words
        rest = " ".join(filter(None, (filters, words)))
        return f"/{self.command} {QuestionParts(self.subject, window, rest)}"


def read_logs(text: str, context: Context) -> LogsQuestion:
    accounts = context.accounts()
    if listed := _listed(text, accounts, context):
        return listed
    taken = take_clauses(text, context)
    names, words = split_log_names(with_verb_behind_logs(taken.text, context), context)
    read = read_query(words, taken, context)
    logs = tuple(read_log(name, context) for name in names)
    parts = parts_of(names, " ".join(strip_filler_words(read.others)), read.query)
    window = _logs_window(parts, names, read, context)
    return question_of(text, window, logs, parts, read.query, context)


def _listed(text: str, accounts: Sequence[str], context: Context) -> LogsQuestion | None:
    """The question that lists the logs; None for any other question. A log called `list` is not
    special.
    """
    words = strip_filler_words(text.split())
    is_a_log = any("list" in logs for logs in context.directory.logs.values())
    if not words or words[0].lower() != "list" or is_a_log:
        return None
    unknown = [word for word in words[1:] if word not in accounts]
    if unknown:
        raise BadQuestion(
            f"“{sanitise(unknown[0], 40)}” is not an account; the accounts are {join_words([*accounts], 8)}.",
            "/logs list",
        )
    return LogsQuestion(
        text=text,
        window=context.window(QuestionParts(window="last 7 days")),
        accounts=tuple(words[1:] or accounts),
        parts=QuestionParts(subject=" ".join(["list", *words[1:]])),
        logs=(),
    )


def parts_of(names: Sequence[str], window: str, query: LineQuery) -> QuestionParts:
    return QuestionParts(",".join(map(quoted, names)), window, query.words)


def question_of(
    text: str,
    window: ParsedWindow,
    logs: tuple[LogRef, ...],
    parts: QuestionParts,
    query: LineQuery,
    context: Context,
) -> LogsQuestion:
    if isinstance(query.display, Statistic):
        _check_slices(query.display, window, parts, context)
    accounts = tuple(dict.fromkeys(log.account for log in logs if log.account))
    return LogsQuestion(
        text=text,
        window=window,
        accounts=accounts,
        parts=parts,
        logs=logs,
        query=query,
    )


def _check_slices(
    statistic: Statistic, window: ParsedWindow, parts: QuestionParts, context: Context
) -> None:
    """Raises BadQuestion for more slices than the vendor returns."""
    step = statistic.step
    length = window.window.length
    if step is None or length <= step * MOST_SLICES:
        return
    # The shortest usual one that fits.
    longer = next((other for other in _STEPS if length <= other * MOST_SLICES), _STEPS[-1])
    words = replace(statistic, step=longer).words[-1]
    raise BadQuestion(
        f"{format_duration(length)} in slices of {format_duration(step)} are more than "
        f"{MOST_SLICES} slices.",
        context.working(str(parts).replace(f"timeslice {statistic.timeslice}", words)),
    )


def _only_account(
    names: Sequence[str], parts: QuestionParts, context: Context
) -> BadQuestion | None:
    """The error for an account in place of a log; its example names a log of that account. None for
    other names.
    """
    account = named_account(names[0], context) if len(names) == 1 else ""
    logs = [*context.directory.logs.get(account, {})]
    if not account or not logs or read_log(names[0], context).id:
        return None
    words = parts.window.split() or [""]
    # What follows an unknown log may be a window.
    rest = " ".join(words[1:])
    window = rest if rest and context.is_window(rest) else context.command.example_window
    shown = join_words([sanitise(name, 40) for name in logs], 8)
    return BadQuestion(
        f"{account} is an account; “{sanitise(words[0], 40)}” is not among its configured logs, {shown}.",
        context.working(str(replace(parts, subject=quoted(f"{account}/{logs[0]}"), window=window))),
    )


_STEPS = tuple(timedelta(minutes=n) for n in (1, 5, 15, 60, 360, 1440, 10_080))


def follow_window(follow: Follow, context: Context) -> ParsedWindow:
    """The window of lines that are followed."""
    window = Window(context.now, context.now + follow.length)
    label = f"{format_duration(follow.length)} from now"
    return ParsedWindow(window, label, by_day=False, asked_at=context.now)


def _logs_window(
    parts: QuestionParts, names: Sequence[str], read: QueryWords, context: Context
) -> ParsedWindow:
    """The window. Its BadQuestion moves logs and patterns that are among the words of the window to
    where they belong.
    """
    query = read.query
    if isinstance(query.display, Follow) and not parts.window:
        return follow_window(query.display, context)
    if number := status_in(parts.window):
        where = with_conditions(query.where, [rf"/\b{number}\b/"])
        rest = replace(query, where=where).words
        raise SuggestedQuestion(
            f"“{parts.window}” may be lines with {number}, or the “last {number} seconds”.",
            context.working(str(replace(parts, window="", rest=rest))),
        )
    compared = split_comparison(parts.window)
    if compared and compared.second and context.is_window(compared.first):
        raise BadQuestion(
            "/logs answers about one window; ask about each by itself.",
            context.working(str(replace(parts, window=compared.first))),
        )
    try:
        window = context.window(parts)
    except BadQuestion:
        if context.explains and (error := _only_account(names, parts, context)):
            raise error from None
        # With their commas, which say that either of two words is meant.
        logs, patterns, left = split_logs_and_patterns(read.others, context)
        # Reading the words as something else takes time, and only people see the suggestion.
        if not context.explains or not (logs or patterns):
            raise
        if logs:
            # In `errors in kitchen` the first word means lines, not a log.
            known, before, unknown = split_logs_and_patterns(
                [f"{name}," for name in names], context
            )
            others = [name.rstrip(",") for name in unknown]
            # One word before a configured log is rather of its lines than a log of the vendor's.
            is_word = len(names) == 1 and names[0].isalpha() and len(names[0]) >= SHORTEST_BEGINNING
            if is_word and names[0] in context.text.split():
                before += [pattern_of(name) for name in others]
                others = []
            names = [*known, *others]
            patterns = [*before, *patterns]
        where = with_conditions(query.where, patterns)
        meant = parts_of(
            list(dict.fromkeys([*names, *logs])),
            " ".join(strip_filler_words(left)),
            replace(query, where=where),
        )
        line = context.working(str(meant))
        several = logs and (names or not patterns)
        reasons = ["Logs are separated by commas"] if several else []
        reasons += ["lines are filtered by where(…)"] if patterns else []
        message = " and ".join(reasons)
        raise SuggestedQuestion(f"{message[0].upper()}{message[1:]}.", line) from None
    if isinstance(query.display, Follow):
        raise BadQuestion(
            "follow shows what arrives from now on; it takes no window.",
            context.working(str(replace(parts, window=""))),
        )
    return window
