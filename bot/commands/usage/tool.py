"""`/usage` as a tool."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bot.questions.tool import CommandTool, QuestionArguments, Window, Word, joined


class UsageArguments(QuestionArguments):
    account: Word | None = Field(
        None,
        description="The usage account, or `all`; needed where there are several.",
    )
    accounts: list[Word] = Field(
        default=[], max_length=20, description="Several usage accounts, with their total."
    )
    window: Window | None = None
    compare_with: Window | None = Field(
        None,
        description="Another window, whose usage that of the window is compared with.",
        examples=["last month", "previous", "a week ago"],
    )
    by: Literal["day", "week", "month"] | None = Field(
        None, description="Totals for each of these."
    )
    per_log: bool = Field(default=False, description="Totals for each log, too.")
    csv: bool = Field(default=False, description="Add the numbers as a CSV file.")

    def words(self) -> str:
        return joined(
            self.account,
            *self.accounts,
            self.window,
            self.compare_with and f"vs {self.compare_with}",
            self.by and f"by {self.by}",
            self.per_log and "per log",
            self.csv and "csv",
        )


TOOL = CommandTool(
    "usage",
    "Data usage",
    (
        "How much log data was ingested: total, daily average, peak, change against the time "
        "before, month to date and forecast. `values` has the exact numbers, in bytes. Windows are "
        "whole days. Words of a question: `last 7 days per log`, `this month by week`, `this month vs "
        "last month`."
    ),
    UsageArguments,
)
