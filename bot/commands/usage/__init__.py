"""`/usage`: how much log data accounts send."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from bot.commands.answering import AnsweredCommand, Services
from bot.commands.usage.question import (
    PER_LOG,
    UsageQuestion,
    read_usage,
    read_usage_form,
    usage_fields,
)
from bot.commands.usage.sentences import EXAMPLES, sentence_of
from bot.questions.comparison_words import is_comparison
from bot.questions.context import Context
from bot.questions.description import AlertValues, Topics
from bot.questions.form import FormField, FormValues, account_field
from bot.questions.question import ALL, AccountDirectory
from bot.questions.sentences import Sentence
from providers.provider import Capability

if TYPE_CHECKING:
    from bot.commands.usage.answer import UsageAnswerer


class UsageCommand(AnsweredCommand[UsageQuestion]):
    """The command `/usage`."""

    def read(self, text: str, context: Context) -> UsageQuestion:
        return read_usage(text, context)

    def read_form(self, values: FormValues, context: Context) -> UsageQuestion:
        return read_usage_form(values, context)

    def sentence(self, text: str, directory: AccountDirectory) -> Sentence | None:
        return sentence_of(text, directory, self.kinds)

    def filter_for(self, words: str, directory: AccountDirectory) -> str:
        # A log is in the table of all logs.
        is_log = words.lower() in map(str.lower, directory.logs_of(directory.logs))
        return PER_LOG if is_log else ""

    def option_fields(self, question: UsageQuestion | None) -> list[FormField]:
        return usage_fields(question)

    def subject_fields(
        self, question: UsageQuestion | None, accounts: list[str]
    ) -> list[FormField]:
        fields = account_field(question, accounts, is_optional=False)
        return [
            replace(field, choices={**{name: name for name in field.choices}, ALL: "All accounts"})
            for field in fields
        ]

    def default_value(self, query: str) -> str:
        return "change_percent" if is_comparison(query) else super().default_value(query)

    def alert_example(self, directory: AccountDirectory) -> str:
        return f"/{self.name} alert {self.localised('today', directory)} above 5 GB every 15m"

    def open(self, services: Services) -> UsageAnswerer:
        from bot.commands.usage.answer import UsageAnswerer

        return UsageAnswerer(services.usage, services.quotas, services.clock)


COMMAND = UsageCommand(
    name="usage",
    description="How much log data an account sends, day by day",
    summary=(
        "/usage shows how much log data an account sends, day by day, with quota and month-end "
        "forecast."
    ),
    usage_hint="[account ...] [window [vs window]] [by day|week|month] [per log] [csv]",
    capability=Capability.USAGE,
    default_window="10 days",
    example_window="last 7 days",
    examples=(
        ("last 7 days", "the last seven days, including today so far"),
        ("this month", "month to date, with a forecast"),
        ("last month by week", "last month, week by week"),
        ("yesterday per log", "yesterday's usage of each log"),
        ("this month vs last month", "the change, and which logs explain it"),
        ("all last 7 days", "all accounts with their total"),
        ("2026-11-01..2026-11-07 csv", "a range of dates, as a table to download"),
    ),
    sentences=EXAMPLES,
    windows=(
        "today",
        "yesterday",
        "last 7 days",
        "last 30 days",
        "this month",
        "last month",
        "3 months",
    ),
    values=AlertValues(
        names=(
            "bytes",
            "reported_bytes",
            "days",
            "days_missing",
            "mean_bytes_per_day",
            "peak_bytes",
            "change_percent",
            "change_bytes",
            "before_bytes",
            "month_to_date_bytes",
            "forecast_month_bytes",
            "quota_percent",
        ),
        default="bytes",
        usual_threshold="5 GB",
        subjects=("log", "account"),
        of_comparisons=frozenset({"change_bytes", "before_bytes"}),
        whole=frozenset(
            {
                *("bytes", "reported_bytes", "days", "days_missing", "peak_bytes"),
                *("before_bytes", "month_to_date_bytes"),
            }
        ),
        synonyms={
            "no data": "days_missing",
            "missing days": "days_missing",
            "quota": "quota_percent",
            "forecast": "forecast_month_bytes",
            "daily average": "mean_bytes_per_day",
            "average per day": "mean_bytes_per_day",
        },
        labels={
            "bytes": "Data in the window",
            "reported_bytes": "Total reported by the vendor",
            "days": "Days with data",
            "days_missing": "Days without data",
            "mean_bytes_per_day": "Daily average",
            "peak_bytes": "Largest day",
            "change_percent": "Change vs. the window before, or the other window (%)",
            "change_bytes": "Change vs. the other window",
            "before_bytes": "Data in the other window",
            "month_to_date_bytes": "Month to date",
            "forecast_month_bytes": "Month-end forecast",
            "quota_percent": "Monthly quota used (%)",
        },
    ),
    topics=Topics(frozenset({"usage", "data", "ingest", "ingested", "volume", "quota"})),
    whole_days=True,
    default_access=("*",),
)
