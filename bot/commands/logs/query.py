"""Which lines of a log are wanted, and what is shown of them (pure)."""

from __future__ import annotations

from msgspec import Struct

from bot.commands.logs.clauses import Clauses, split_clauses
from bot.commands.logs.display import Display, Statistic
from bot.commands.logs.leql import level_condition, split_where_clause, with_conditions
from bot.commands.logs.words import read_display
from bot.errors import BadQuestion
from bot.questions.amounts import AmbiguousAmount, read_count
from bot.questions.context import Context
from providers.sources import MOST_LINES


class LineQuery(Struct, frozen=True):
    """The where(…) as it was typed, the levels, the limit, and what is shown of the lines."""

    where: str = ""
    levels: tuple[str, ...] = ()
    limit: int | None = None
    display: Display = None

    @property
    def leql(self) -> str:
        """The condition of the lines, with that of their levels."""
        return with_conditions(self.where, [level_condition(self.levels)] if self.levels else [])

    @property
    def filter_words(self) -> str:
        """What was typed to choose the lines."""
        level = f"level:{','.join(self.levels)}" if self.levels else ""
        return " ".join(filter(None, [self.where, level]))

    @property
    def words(self) -> str:
        """The words it can be typed with again."""
        shown = self.display.words if self.display else []
        return " ".join(filter(None, [self.filter_words, *shown, self._limit_words]))

    @property
    def line_words(self) -> str:
        """The words without those that say what is shown."""
        return " ".join(filter(None, [self.filter_words, self._limit_words]))

    @property
    def _limit_words(self) -> str:
        return f"limit {self.limit}" if self.limit else ""


class QueryWords(Struct, frozen=True):
    """A query, and the words around it that belong to something else."""

    query: LineQuery
    others: list[str]


class QueryText(Struct, frozen=True):
    """A text whose clauses in brackets were taken out."""

    text: str
    where: str
    clauses: Clauses


def take_clauses(text: str, context: Context) -> QueryText:
    """The text without its clauses in brackets, and these."""
    text, where = split_where_clause(text, context)
    text, clauses = split_clauses(text, context)
    return QueryText(text, where, clauses)


def read_query(words: list[str], taken: QueryText, context: Context) -> QueryWords:
    """The query of the words and of the clauses that were taken out before. Raises BadQuestion."""
    rest, limit = _limit(words, context)
    read = read_display(rest, taken.clauses, limit, context)
    has_groups = isinstance(read.display, Statistic) and read.display.group_by
    if limit and read.display and not has_groups:
        raise BadQuestion(
            f"limit is how many lines a file has, and {read.display.words[0]} has no file.",
            context.instead(f"limit {limit}", ""),
        )
    # The limit of groups is among the words of their statistic.
    of_lines = None if has_groups else limit
    return QueryWords(LineQuery(taken.where, read.levels, of_lines, read.display), read.others)


def _limit(words: list[str], context: Context) -> tuple[list[str], int | None]:
    lowered = [word.lower().rstrip(":") for word in words]
    if "limit" not in lowered:
        return words, None
    at = lowered.index("limit")
    after = words[at + 1 : at + 3]
    # `limit 2 thousand`
    length = 2 if len(after) == 2 and after[1].lower().rstrip(",") in ("thousand", "million") else 1
    typed = " ".join(after[:length])
    wrong = " ".join([words[at], typed]).strip()
    try:
        number = read_count(typed.rstrip(","))
    except AmbiguousAmount as error:
        raise BadQuestion(
            f"{error}.", context.instead(wrong, f"limit {error.readings[1]}")
        ) from None
    if number is None or number != int(number) or not 1 <= number <= MOST_LINES:
        raise BadQuestion(
            f"limit takes a whole number from 1 to {MOST_LINES:,}.",
            context.instead(wrong, "limit 500"),
        )
    return words[:at] + words[at + 1 + length :], int(number)
