"""`/logs` as a tool."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from bot.formatting import quoted
from bot.questions.tool import CommandTool, QuestionArguments, Window, joined

LogName = Annotated[str, StringConstraints(pattern=r'^[^\s,"][^,"\n]*$', max_length=100)]


class LogArguments(QuestionArguments):
    logs: list[LogName] = Field(
        default=[],
        max_length=10,
        description="The logs, by name or ID. The question `list` lists them.",
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
        return joined(
            ",".join(quoted(name) for name in self.logs),
            self.window,
            self.where and f"where({self.where})",
            self.limit is not None and f"limit {self.limit}",
        )


TOOL = CommandTool(
    "logs",
    "Logs",
    (
        "Lines of logs, without secrets, or numbers that are computed over them. Words of a "
        "question: `list`, `web 20m where(/error/i)`, `web 24h where(status>=500) count`, "
        "`web 24h groupby(path) top 10`, `web newest 50`."
    ),
    LogArguments,
)
