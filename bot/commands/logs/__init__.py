"""`/logs`: the lines of a log, with a preview and the whole file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.commands.answering import AnsweredCommand, Services
from bot.commands.logs.calculation import FUNCTIONS, function_in
from bot.commands.logs.form import line_fields, log_fields, read_logs_form
from bot.commands.logs.leql import pattern_of, with_conditions
from bot.commands.logs.names import pattern_named
from bot.commands.logs.question import LogsQuestion, read_logs
from bot.commands.logs.sentences import EXAMPLES, sentence_of
from bot.questions.context import Context
from bot.questions.description import AlertValues, Topics
from bot.questions.form import FormField, FormValues
from bot.questions.question import AccountDirectory
from bot.questions.sentences import Sentence
from providers.provider import Capability

if TYPE_CHECKING:
    from bot.commands.logs.answer import LogsAnswerer


class LogsCommand(AnsweredCommand[LogsQuestion]):
    """The command `/logs`."""

    def read(self, text: str, context: Context) -> LogsQuestion:
        return read_logs(text, context)

    def read_form(self, values: FormValues, context: Context) -> LogsQuestion:
        return read_logs_form(values, context)

    def subject_fields(self, question: LogsQuestion | None, accounts: list[str]) -> list[FormField]:
        del accounts
        return log_fields(question)

    def sentence(self, text: str, directory: AccountDirectory) -> Sentence | None:
        return sentence_of(text, directory, self.kinds)

    def filter_for(self, words: str, directory: AccountDirectory) -> str:
        del directory
        return with_conditions("", [pattern_named(words) or pattern_of(words)])

    def option_fields(self, question: LogsQuestion | None) -> list[FormField]:
        return line_fields(question)

    def example_words(self, directory: AccountDirectory) -> str:
        return f"{self._first_log(directory)} {self.example_window}"

    def alert_example(self, directory: AccountDirectory) -> str:
        asked = f"{self._first_log(directory)} where(/timeout/) last 15m"
        return f"/{self.name} alert {asked} lines above 100"

    def localised(self, words: str, directory: AccountDirectory) -> str:
        names = list(dict.fromkeys(self._log_names(directory)))
        if not names:
            return words
        # The examples with two logs become ones with one.
        if len(names) == 1:
            return words.replace("kitchen,cellar", names[0]).replace("kitchen", names[0])
        return words.replace("kitchen", names[0]).replace("cellar", names[1])

    def default_value(self, query: str) -> str:
        """The result of the calculation; without one, the lines."""
        return function_in(query) or self.values.default

    def help_facts(self) -> list[str]:
        """What can be asked of the lines beside the file."""
        return [
            "Without a download: `count`; `calculate(average:duration)`, or sum, min, max, unique, "  # noqa: ISC004
            "percentile(95), standarddeviation and bytes; `groupby(path)` or `by path`; `top 10`; "
            "`timeslice 1h` or `by hour`; `having(count>10)`.",
            "Lines: `newest 50`, `oldest 50`, `level:error`, `limit 500`; `follow` shows new lines "  # noqa: ISC004
            "for ten minutes. All logs: `/logs list`.",
        ]

    def open(self, services: Services) -> LogsAnswerer:
        from bot.commands.logs.answer import LogsAnswerer

        return LogsAnswerer(
            services.logs,
            services.redactor,
            services.upload_plain,
            services.upload_total,
            services.log_names,
            services.usage,
        )

    def _first_log(self, directory: AccountDirectory) -> str:
        return next(iter(self._log_names(directory)), "LOG")

    def _log_names(self, directory: AccountDirectory) -> list[str]:
        return directory.logs_of(directory.of_kind(self.kinds))


# The results of calculations, which alerts can watch.
RESULTS = tuple(dict.fromkeys(name for name in FUNCTIONS.values() if name != "bytes"))
COMMAND = LogsCommand(
    name="logs",
    description="The lines of a log, with a preview and the whole file",
    summary=(
        "/logs shows the lines of a log with a preview, counts by level and the whole file, "
        "secrets removed."
    ),
    usage_hint=(
        "LOG[,LOG...] [window] [where(LEQL)] [level:LEVEL] [count] [groupby(KEY)] [timeslice D] "
        "[newest N] [follow] [limit N]"
    ),
    capability=Capability.LOGS,
    default_window="20 minutes",
    example_window="last 20 mins",
    examples=(
        ("kitchen", "the last twenty minutes"),
        ("kitchen 2h where(/error/i)", "only the lines that match"),
        ("kitchen,cellar since 09:00 limit 500", "two logs in one file, at most 500 lines"),
        ("kitchen 24h where(status>=500) count", "how many lines match, without a download"),
        ("kitchen 24h groupby(path) top 10", "the most common values of a key"),
        ("kitchen newest 20 level:error", "the newest lines of a level"),
        ("list", "the logs there are, with their sizes"),
    ),
    sentences=EXAMPLES,
    windows=("last 20 mins", "last 1h", "last 2h", "today", "yesterday"),
    values=AlertValues(
        names=("lines", "bytes", "levels.error", *RESULTS),
        default="lines",
        asked=frozenset({"count"}),
        subjects=("group",),
        usual_threshold="100",
        group="levels",
        counts=("lines", "bytes", "count"),
        whole=frozenset({"lines", "bytes", "count", "unique"}),
        labels={
            "lines": "Lines",
            "bytes": "Size",
            "levels.error": "Error lines",
            "count": "Lines counted by a query",
            "unique": "Unique values",
            "min": "Minimum",
            "max": "Maximum",
            "standarddeviation": "Standard deviation",
        },
    ),
    topics=Topics(frozenset({"log", "logs", "lines"})),
    names_logs=True,
)
