"""A question as arguments, for programs that call a command as a tool."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Struct
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from bot.questions.reading import LONGEST_QUESTION

Word = Annotated[str, StringConstraints(pattern=r"^\S+$", max_length=100)]
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

    # A model that invents an argument is told so, and does not get an answer to another question.
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


class CommandTool(Struct, frozen=True):
    """A command as a tool: what programs list, and its arguments. A command without one takes its
    question in words.
    """

    name: str
    title: str
    description: str
    arguments: type[QuestionArguments] = QuestionArguments


def joined(*parts: str | Literal[False] | None) -> str:
    """The parts that are not empty, joined by spaces."""
    return " ".join(part for part in parts if part)
