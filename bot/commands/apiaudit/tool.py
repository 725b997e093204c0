"""`/apiaudit` as a tool."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from bot.questions.tool import CommandTool, QuestionArguments, Window, Word, joined


class AuditArguments(QuestionArguments):
    accounts: list[Word] = Field(
        default=[], max_length=20, description="The audit accounts; all of them if left out."
    )
    window: Window | None = None
    compare_with: Window | None = Field(
        None,
        description="Another window, whose calls those of the window are compared with.",
        examples=["yesterday", "previous", "a week ago"],
    )
    filters: list[Annotated[str, StringConstraints(max_length=500)]] = Field(
        default=[],
        max_length=20,
        description="Filters, each `name:value`; `help` lists them.",
        examples=[["status:5xx", "who:ada"], ["action:POST", "url:/papi"]],
    )
    new: list[Literal["actor", "ip", "client", "action"]] = Field(
        default=[],
        description="List the values not seen in the 30 days before, of each of these.",
    )
    failures: bool = Field(default=False, description="Failed calls alone.")
    csv: bool = Field(default=False, description="Add every call as a row of a CSV file.")

    def words(self) -> str:
        return joined(
            *self.accounts,
            self.window,
            self.compare_with and f"vs {self.compare_with}",
            *self.filters,
            *(f"new {kind}" for kind in self.new),
            self.failures and "failures",
            self.csv and "csv",
        )


TOOL = CommandTool(
    "api_audit",
    "API audit",
    (
        "API calls that were recorded: how many, by whom, how many failed, how "
        "long they took. Words of a question: `edge 24h status:5xx`, `last 2h failures calls 20`, "
        "`24h by ip`, `today vs yesterday`."
    ),
    AuditArguments,
)
