"""Question in, answer out: the same way for a slash command, a button, a schedule and a
terminal.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from functools import lru_cache
from pathlib import Path
from typing import Protocol, TypeVar

from bot.answer import Answer, Progress
from bot.blocks.messages import help_for
from bot.private_files import temporary_folder
from bot.questions.question import AccountDirectory, CommandName, Question
from handlers.replay import Replay, ReplayRequest
from providers.errors import ProviderError

T = TypeVar("T")
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class AnswerContext:
    """What an answer needs to know beside the question: where files may be written (a folder that
    is made when it is asked for), in whose zone times are said, and where to tell how far the work
    is. `only` names the one value that is wanted, where the rest need not be fetched; `each` the
    subjects for which it is wanted, too (`by_log`, …).
    """

    folder: Callable[[], Path]
    zone: tzinfo
    progress: Progress = field(default_factory=Progress)
    only: str = ""
    each: str = ""


async def or_error(request: Awaitable[T]) -> T | ProviderError:
    """What comes, or the error that came instead, where the answer can do without."""
    try:
        return await request
    except ProviderError as error:
        return error


class CommandHandler(Protocol):
    """Something that answers the questions of one command."""

    async def answer(self, question: Question, asking: AnswerContext) -> Answer: ...

    async def past(self, span: ReplayRequest) -> Replay:
        """What the answers would have been in a time that is over."""
        ...


@dataclass(frozen=True, slots=True)
class Answerer:
    """Answers any question."""

    commands: Mapping[CommandName, CommandHandler]
    directory: AccountDirectory

    async def answer(self, question: Question, asking: AnswerContext) -> Answer:
        if question.help:
            return help_for(question, self.directory)
        return await self.commands[question.command].answer(question, asking)


@contextmanager
def lazy_temp_dir() -> Iterator[Callable[[], Path]]:
    """A folder for the files of one answer, made when the first one is written and gone with the
    answer.
    """
    with ExitStack() as stack:
        yield lru_cache(lambda: stack.enter_context(temporary_folder()))
