"""The tools: their arguments, and the question that these ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from bot.alerts.state import State
from bot.errors import BadQuestion
from bot.formatting import quoted, sanitise
from bot.questions.question import CommandName
from bot.questions.reading import LONGEST_QUESTION
from bot.questions.registry import COMMANDS

ALERTS = "alerts"
# Commands whose tool has another name than the command.
_TOOL_NAMES = {"apiaudit": "api_audit"}
Word = Annotated[str, StringConstraints(pattern=r"^\S+$", max_length=100)]
LogName = Annotated[str, StringConstraints(pattern=r'^[^\s,"][^,"\n]*$', max_length=100)]
Window = Annotated[
    str,
    Field(
        max_length=200,
        description="The time that the question is about. Left out, it is the usual one.",
        examples=["today", "last 7 days", "2026-11-01..2026-11-07", "last 20 mins", "yesterday"],
    ),
]


class QuestionArguments(BaseModel):
    """A question in words, as people type it after the command."""

    model_config = ConfigDict(extra="forbid", strict=True)

    question: Annotated[
        str,
        Field(
            max_length=LONGEST_QUESTION,
            description="Words of the question, after what the other arguments say. `help` explains "
            "them and names the accounts.",
            examples=["help"],
        ),
    ] = ""

    def words(self) -> str:
        """The question in words, without what `question` holds."""
        return ""


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
        return _joined(
            self.account,
            self.window,
            self.by and f"by {self.by}",
            self.per_log and "per log",
            self.csv and "csv",
        )


class AuditArguments(QuestionArguments):
    accounts: list[Word] = Field(
        default=[], max_length=20, description="The audit accounts; all of them if left out."
    )
    window: Window | None = None
    filters: list[Annotated[str, StringConstraints(max_length=500)]] = Field(
        default=[],
        max_length=20,
        description="Filters, each `name:value`; `help` lists them.",
        examples=[["status:5xx", "who:ada"], ["action:POST", "url:/papi"]],
    )
    failures: bool = Field(default=False, description="Failed calls alone.")
    csv: bool = Field(default=False, description="Add every call as a row of a CSV file.")

    def words(self) -> str:
        return _joined(
            *self.accounts,
            self.window,
            *self.filters,
            self.failures and "failures",
            self.csv and "csv",
        )


class LogArguments(QuestionArguments):
    logs: list[LogName] = Field(
        default=[],
        max_length=10,
        description="The logs, by name or id. The question `list` lists them.",
        examples=[["web"], ["web", "db"]],
    )
    window: Window | None = None
    where: str | None = Field(
        None,
        max_length=3000,
        description="Only lines that meet this condition (LEQL).",
        examples=["/timeout/i", "status>=500"],
    )
    limit: int | None = Field(None, ge=1, description="At most so many lines.", examples=[1000])

    def words(self) -> str:
        return _joined(
            ",".join(quoted(name) for name in self.logs),
            self.window,
            self.where and f"where({self.where})",
            self.limit is not None and f"limit {self.limit}",
        )


class AlertArguments(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    name: str | None = Field(
        None, max_length=100, description="One alert, by its name.", examples=["ingest-spike"]
    )
    state: Literal["firing", "pending", "no_data", "inactive", "no_baseline", "unknown"] | None = (
        Field(None, description="Alerts in this state alone.", examples=[str(State.FIRING)])
    )


@dataclass(frozen=True, slots=True)
class ToolDescription:
    """A tool as clients list it, and the command that it asks; none for the list of alerts."""

    name: str
    title: str
    description: str
    arguments: type[BaseModel]
    command: CommandName | None = None


_DESCRIBED: Mapping[CommandName, tuple[str, str, type[QuestionArguments]]] = {
    "usage": (
        "Data usage",
        (
            "How much log data was ingested: total, daily average, peak, change against the time "
            "before, month to date and forecast. `values` has the exact numbers, in bytes. Windows are "
            "whole days. Words of a question: `last 7 days per log`, `this month by week`."
        ),
        UsageArguments,
    ),
    "apiaudit": (
        "API audit",
        (
            "API calls that were recorded: how many, by whom, how many failed, how "
            "long they took. Words of a question: `edge 24h status:5xx`, `last 2h failures calls 20`, "
            "`24h by ip`."
        ),
        AuditArguments,
    ),
    "logs": (
        "Logs",
        (
            "Lines of logs, without secrets, or numbers that are computed over them. Words of a "
            "question: `list`, `web 20m where(/error/i)`, `web 24h where(status>=500) count`, "
            "`web 24h groupby(path) top 10`, `web newest 50`."
        ),
        LogArguments,
    ),
}


def tool_descriptions() -> list[ToolDescription]:
    """A tool for each command, also those of plug-ins, and one for alerts."""
    return [
        *(_tool_of(command) for command in COMMANDS),
        ToolDescription(
            ALERTS,
            "Alerts",
            "Alerts with their state, value and threshold at their last check, the most severe "
            "first. Nothing is checked anew or changed.",
            AlertArguments,
        ),
    ]


def _tool_of(command: CommandName) -> ToolDescription:
    if command in _DESCRIBED:
        title, description, arguments = _DESCRIBED[command]
        return ToolDescription(
            _TOOL_NAMES.get(command, command), title, description, arguments, command
        )
    # Its name may be that of another tool.
    name = f"ask_{command}" if command in {ALERTS, *_TOOL_NAMES.values()} else command
    description = f"Answers questions of /{command}; the question `help` explains its words."
    return ToolDescription(name, command, description, QuestionArguments, command)


def read_arguments(tool: ToolDescription, given: Mapping[str, Any]) -> BaseModel:
    """The arguments of a call. Raises BadQuestion for the first that is wrong."""
    try:
        return tool.arguments.model_validate(dict(given))
    except ValidationError as error:
        wrong = error.errors(include_input=False, include_url=False, include_context=False)[0]
        name = sanitise(".".join(str(part) for part in wrong["loc"]), 60)
        if wrong["type"] == "extra_forbidden":
            known = ", ".join(tool.arguments.model_fields)
            raise BadQuestion(
                f"The tool {tool.name} has no argument “{name}”.", f"Its arguments are {known}."
            ) from None
        raise BadQuestion(
            f"Argument “{name}” of the tool {tool.name} is wrong: {wrong['msg']}.",
            "The schema of the tool says what it takes.",
        ) from None


def question_line(command: CommandName, arguments: QuestionArguments) -> str:
    """The question as it is typed, such as `/usage last 7 days`."""
    words = arguments.question.strip()
    # Clients copy whole lines from examples, command and all.
    first, _, rest = words.partition(" ")
    if first.lower() in (f"/{command}", command):
        words = rest
    return _joined(f"/{command}", arguments.words(), words)


def _joined(*parts: str | Literal[False] | None) -> str:
    return " ".join(part for part in parts if part)
