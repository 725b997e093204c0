"""Answers a question in the same way for a slash command, a button, a schedule and a terminal, and
measures its values for an alert.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, tzinfo
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable

from msgspec import Struct, field

from bot.alerts.replay import Replay, ReplayRequest
from bot.answer import Answer, Measurement, Progress
from bot.blocks.help_pages import help_for
from bot.blocks.messages import with_reading
from bot.commands.seen_store import MemorySeenStore, SeenStore
from bot.questions.command import Command, Q
from bot.questions.question import AccountDirectory, CommandName, HelpRequest, Question
from bot.questions.registry import COMMANDS
from bot.system.file_memory import MemoryAllowance
from bot.system.private_files import FolderPool
from providers.errors import ProviderError
from providers.redaction import Redactor
from providers.sources import CallSource, LogSource, UsageSource

T = TypeVar("T")
_FOLDERS = FolderPool()
Clock = Callable[[], datetime]


class AnswerContext(Struct, frozen=True):
    """What an answer needs besides the question: where files may be written (the folder is created
    on first use) or kept in memory, the time zone to show times in, and where to report progress.
    """

    folder: Callable[[], Path]
    zone: tzinfo
    progress: Progress = field(default_factory=Progress)
    memory: MemoryAllowance = field(default_factory=MemoryAllowance)


class MeasureContext(Struct, frozen=True):
    """What a measurement needs besides the question: the one value to fetch, and with `each` the
    kind of subject to split it by (`log`, `actor` …).
    """

    folder: Callable[[], Path]
    zone: tzinfo
    value: str
    each: str = ""


async def or_error(request: Awaitable[T]) -> T | ProviderError:
    """The result, or the provider's error for an answer that does not depend on the result."""
    try:
        return await request
    except ProviderError as error:
        return error


Q_in = TypeVar("Q_in", bound=Question, contravariant=True)  # noqa: PLC0105


class CommandHandler(Protocol[Q_in]):
    """Answers the questions of one command."""

    async def answer(self, question: Q_in, asking: AnswerContext) -> Answer: ...

    async def measure(self, question: Q_in, context: MeasureContext) -> Measurement:
        """The values of the answer; nothing is rendered."""
        ...

    async def replay(self, request: ReplayRequest[Any]) -> Replay:
        """The values that the answers would have had over a period in the past."""
        ...


@runtime_checkable
class ChecksQuestions(Protocol[Q_in]):
    """Checks without a request whether an account can answer a question."""

    def check(self, question: Q_in) -> None:
        """Raises BadQuestion with a question that works if no answer is possible."""
        ...


@runtime_checkable
class HasFormNotes(Protocol):
    """Knows without a request what people should know before they fill in the form."""

    def form_notes(self) -> Sequence[str]: ...


class Services(Struct, frozen=True, kw_only=True):
    """What the answers of all commands use: the accounts by capability, and the limits of files."""

    usage: Mapping[str, UsageSource]
    calls: Mapping[str, CallSource]
    logs: Mapping[str, LogSource]
    quotas: Mapping[str, int | None]
    log_names: Mapping[str, Mapping[str, str]]
    redactor: Redactor
    upload_plain: int
    upload_total: int
    clock: Clock
    # Values of earlier calls; without a database they are known for as long as the process lives.
    seen: SeenStore = field(default_factory=MemorySeenStore)


class AnsweredCommand(Command[Q]):
    """A command with its answers."""

    @abstractmethod
    def open(self, services: Services) -> CommandHandler[Q]:
        """What answers its questions, with these accounts."""


class OpenedCommands(Mapping[CommandName, CommandHandler[Any]]):
    """The handlers of some commands. Each is opened when it is first used, since that imports what
    its answers need.
    """

    def __init__(
        self, commands: Mapping[CommandName, AnsweredCommand[Any]], services: Services
    ) -> None:
        self._commands = commands
        self._services = services
        self._opened: dict[CommandName, CommandHandler[Any]] = {}

    def __getitem__(self, name: CommandName) -> CommandHandler[Any]:
        if name not in self._opened:
            self._opened[name] = self._commands[name].open(self._services)
        return self._opened[name]

    def __iter__(self) -> Iterator[CommandName]:
        return iter(self._commands)

    def __len__(self) -> int:
        return len(self._commands)


def open_commands(
    services: Services, only: Collection[CommandName] | None = None
) -> Mapping[CommandName, CommandHandler[Any]]:
    """The handlers of every command, or of `only` some. Those of plug-ins are opened at once, so
    that one that cannot be stops the start.
    """
    commands = {
        name: command
        for name in COMMANDS
        if only is None or name in only
        if isinstance(command := COMMANDS[name], AnsweredCommand)
    }
    opened = OpenedCommands(commands, services)
    for name in commands.keys() - COMMANDS.built_in:
        opened[name]
    return opened


class Answerer(Struct, frozen=True):
    """Answers any question."""

    commands: Mapping[CommandName, CommandHandler[Any]]
    directory: AccountDirectory
    redactor: Redactor = field(default_factory=Redactor)

    async def answer(self, question: Question | HelpRequest, asking: AnswerContext) -> Answer:
        if isinstance(question, HelpRequest):
            return help_for(question, self.directory)
        answer = await self.commands[question.command].answer(question, asking)
        if not question.own_words:
            return answer
        return with_reading(answer, self.redactor.text(question.line))

    async def measure(self, question: Question, context: MeasureContext) -> Measurement:
        return await self.commands[question.command].measure(question, context)

    def form_notes(self, command: CommandName) -> Sequence[str]:
        """What people should know before they fill in the form of a command, a sentence each."""
        handler = self.commands.get(command)
        return handler.form_notes() if isinstance(handler, HasFormNotes) else ()

    def check(self, question: Question) -> None:
        """Raises BadQuestion for a valid question that its accounts cannot answer, such as one with
        a filter of another vendor.
        """
        handler = self.commands[question.command]
        if isinstance(handler, ChecksQuestions):
            handler.check(question)


@contextmanager
def lazy_temp_dir() -> Iterator[Callable[[], Path]]:
    """A folder for the files of one answer, made at its first use; they are deleted with the
    answer.
    """
    with ExitStack() as stack:
        yield lru_cache(lambda: stack.enter_context(_FOLDERS.folder()))
