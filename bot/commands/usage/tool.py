"""`/usage` as a tool."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bot.questions.tool import CommandTool, QuestionArguments, Window, Word, joined


class UsageArguments(QuestionArguments):
    account: Word | None = Field(
        None, description="The usage account; needed where there are several."
    )
    window: Window | None = None
    by: Literal["day", "week", "month"] | None = Field(
        None, description="Totals for each of these."
    )
    per_log: bool = Field(default=False, description="Totals for each log, too.")
    csv: bool = Field(default=False, description="Add the numbers as a CSV file.")

    def words(self) -> str:
        return joined(
            self.account,
            self.window,
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
        "whole days. Words of a question: `last 7 days per log`, `this month by week`."
    ),
    UsageArguments,
)
