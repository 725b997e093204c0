"""The tools: their arguments, and the question that these ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.alerts.state import State
from bot.errors import BadQuestion
from bot.formatting import sanitise
from bot.questions.question import CommandName
from bot.questions.registry import COMMANDS
from bot.questions.tool import CommandTool, QuestionArguments, joined

ALERTS = "alerts"


class AlertArguments(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    name: str | None = Field(
        None, max_length=100, description="One alert, by its name.", examples=["ingest-spike"]
    )
    state: Literal["firing", "pending", "no_data", "inactive", "no_baseline", "unknown"] | None = (
        Field(None, description="Alerts in this state alone.", examples=[str(State.FIRING)])
    )


class _OneAlert(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    name: str = Field(
        min_length=1, max_length=100, description="The alert's name.", examples=["ingest-spike"]
    )


class AcknowledgeArguments(_OneAlert):
    verb: ClassVar[str] = "Acknowledgement"


class SilenceArguments(_OneAlert):
    verb: ClassVar[str] = "Silence"

    duration: str = Field(
        min_length=1,
        max_length=60,
        description="How long: a duration, or an end such as `until 09:00` or `until monday`.",
        examples=["2h", "30m", "until 09:00"],
    )
    comment: str = Field(
        "",
        max_length=500,
        description="Why; shown to everybody who sees the alert.",
        examples=["planned load test"],
    )


class UnsilenceArguments(_OneAlert):
    verb: ClassVar[str] = "End of a silence"


ChangeArguments = AcknowledgeArguments | SilenceArguments | UnsilenceArguments


@dataclass(frozen=True, slots=True)
class ToolDescription:
    """A tool as clients list it, and the command that it asks; none for those about alerts."""

    name: str
    title: str
    description: str
    arguments: type[BaseModel]
    command: CommandName | None = None
    is_read_only: bool = True


CHANGES = (
    ToolDescription(
        "acknowledge_alert",
        "Acknowledge an alert",
        "Acknowledges the open incident of an alert for everybody, including in PagerDuty and "
        "Opsgenie: no more reminders, and nobody else is called. It cannot be undone.",
        AcknowledgeArguments,
        is_read_only=False,
    ),
    ToolDescription(
        "silence_alert",
        "Silence an alert",
        "Silences an alert for everybody: it is still checked, and sends no notifications for that "
        "long.",
        SilenceArguments,
        is_read_only=False,
    ),
    ToolDescription(
        "unsilence_alert",
        "End the silence of an alert",
        "Ends the silence of an alert, which sends notifications again.",
        UnsilenceArguments,
        is_read_only=False,
    ),
)


def tool_descriptions(*, with_changes: bool = False) -> list[ToolDescription]:
    """A tool for each command, also those of plug-ins, and one for alerts, each with a name of its
    own; with those that change alerts where that is wanted.
    """
    alerts = ToolDescription(
        ALERTS,
        "Alerts",
        "Alerts with their state, value and threshold at their last check, the most severe "
        "first. Nothing is checked anew or changed.",
        AlertArguments,
    )
    of_commands: dict[str, ToolDescription] = {}
    # The same with and without changes, so that no tool of a plug-in is renamed by that.
    reserved = {ALERTS, *(tool.name for tool in CHANGES)}
    # Our own commands come first, and keep their names.
    for command in COMMANDS:
        tool = _tool_of(command)
        while tool.name in of_commands or tool.name in reserved:
            tool = replace(tool, name=f"ask_{tool.name}")
        of_commands[tool.name] = tool
    return [*of_commands.values(), alerts, *(CHANGES if with_changes else ())]


def _tool_of(command: CommandName) -> ToolDescription:
    if own := _own_tool(command):
        return ToolDescription(own.name, own.title, own.description, own.arguments, command)
    description = f"Answers questions of /{command}; the question `help` explains its words."
    return ToolDescription(command, command, description, QuestionArguments, command)


def _own_tool(command: CommandName) -> CommandTool | None:
    """The `tool` of a command's folder; None if it has none."""
    module = f"{type(COMMANDS[command]).__module__}.tool"
    try:
        found = import_module(module).TOOL
    except ModuleNotFoundError as error:
        # A module that the tool itself imports is missing, which is a fault.
        if error.name != module:
            raise
        return None
    assert isinstance(found, CommandTool)
    return found


def read_arguments(tool: ToolDescription, given: Mapping[str, Any]) -> BaseModel:
    """The arguments of a call. Raises BadQuestion for the first that is wrong."""
    try:
        return tool.arguments.model_validate(dict(given))
    except ValidationError as error:
        # Without the input, which may hold a secret.
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
    return joined(f"/{command}", arguments.words(), words)
