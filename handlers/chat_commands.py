"""What the commands that manage alerts and subscriptions have in common: who may use them, in which
order they are checked, and that the examples of their refusals work.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import tzinfo
from typing import Protocol, TypeVar

from msgspec import Struct

from bot.answer import Answer
from bot.commands.answering import Answerer, Clock
from bot.errors import BadQuestion, FormLink, FormName, offering_form
from bot.questions.managing import MANAGING_WORDS
from bot.questions.question import AccountDirectory, CommandName, HelpRequest, Question
from bot.questions.reading import read_request
from bot.questions.registry import COMMANDS
from bot.slack.channels import Channels
from handlers.permissions import Permissions, Requester
from handlers.typed_secrets import SecretCheck

# A suggestion that is refused has a suggestion of its own, which is tried once more.
SUGGESTIONS_TRIED = 2
Action = TypeVar("Action")


def is_managing(text: str) -> bool:
    """Whether a manager handles the words. What it changes must not be done twice."""
    return text.strip().partition(" ")[0].lower() in MANAGING_WORDS


class Manager(Protocol):
    """Handles the commands of one kind."""

    async def handle(self, command: CommandName, text: str, asker: Requester) -> Answer | None:
        """The note for whoever typed it; None if the words are something else. Raises BadQuestion
        and AccessDenied.
        """
        ...


class CommandKind(Protocol[Action]):
    """The commands of one kind. `verbs` are their first words, `create_verb` is the one whose
    refusals name accounts, and `forms` are those that can be filled in instead, by verb.
    """

    @property
    def verbs(self) -> Sequence[str]: ...
    @property
    def create_verb(self) -> str: ...
    @property
    def forms(self) -> Mapping[str, FormName]: ...
    @property
    def permissions(self) -> Permissions: ...

    def parse(self, command: CommandName, text: str, requester: Requester) -> Action:
        """The action that words with one of the `verbs` ask for. Raises BadQuestion."""
        ...

    def check(self, action: Action, command: CommandName, requester: Requester) -> None:
        """Raises BadQuestion where the action cannot be carried out as it was typed."""
        ...

    def example(self, command: CommandName, requester: Requester) -> str:
        """A command that works."""
        ...

    async def run(self, action: Action, command: CommandName, requester: Requester) -> Answer:
        """Carries the action out. Raises BadQuestion and AccessDenied."""
        ...


async def handle_command(
    kind: CommandKind[Action], command: CommandName, text: str, asker: Requester
) -> Answer | None:
    """As `Manager.handle`, for the commands of this kind."""
    verb, _, rest = text.strip().partition(" ")
    verb = verb.lower()
    if verb not in kind.verbs:
        return None
    permissions = kind.permissions
    requester = await permissions.requester(asker.user, asker.channel)
    if verb == kind.create_verb:
        # Checked before the words are read, because their refusal names accounts.
        permissions.access.require_manage(command, **requester.rights)
    # Only a command with a form of its own offers it; `unalert` and the like are short enough.
    form = kind.forms.get(verb)
    with offering_form(FormLink(form, command, rest.strip()) if form else None):
        with working_hints(kind, command, requester):
            action = kind.parse(command, text, requester)
        return await kind.run(action, command, requester)


@contextlib.contextmanager
def working_hints(
    kind: CommandKind[Action], command: CommandName, requester: Requester
) -> Iterator[None]:
    """Gives a BadQuestion a hint that works when it is typed: its own, else the one of the refusal
    of that, else an example.
    """
    try:
        yield
    except BadQuestion as error:
        error.hint = _working_hint(kind, error.hint, command, requester)
        raise


def _working_hint(
    kind: CommandKind[Action], hint: str, command: CommandName, requester: Requester
) -> str:
    for _ in range(SUGGESTIONS_TRIED):
        words = hint.partition(" ")[2]
        # A hint that asks a question was checked where it was made.
        if words.strip().partition(" ")[0].lower() not in kind.verbs:
            return hint
        try:
            kind.check(kind.parse(command, words, requester), command, requester)
        except BadQuestion as error:
            hint = error.hint
        else:
            return hint
    return kind.example(command, requester)


class QuestionReader(Struct, frozen=True):
    """Reads questions that are about to be stored, and asked again on a schedule."""

    answering: Answerer
    permissions: Permissions
    secrets: SecretCheck
    zone: tzinfo
    clock: Clock

    def directory(self, requester: Requester) -> AccountDirectory:
        """The accounts and logs whose names may be shown to the person."""
        return self.permissions.directory(self.answering.directory, requester)

    def read(
        self, command: CommandName, query: str, requester: Requester, *, no_help: str
    ) -> Question:
        """The question. Raises BadQuestion with a question as its hint, and with the message
        `no_help` where the words ask for help.
        """
        directory = self.directory(requester)
        # What is stored is not to be guessed.
        question = read_request(
            command, query, directory, now=self.clock(), zone=self.zone, sentences=False
        )
        example = COMMANDS[command].example(directory)
        if isinstance(question, HelpRequest):
            raise BadQuestion(no_help, example)
        # It is asked again word for word, so a secret in it cannot be redacted.
        self.secrets.refuse(question.line, example)
        self.answering.check(question)
        return question


async def audience_warning(permissions: Permissions, command: CommandName, channel: str) -> str:
    """A warning if not everybody in the channel has access to what will be posted there. `*` does
    not give access to people from other organisations (Slack Connect).
    """
    access = permissions.access
    if access.names_channel(command, channel):
        return ""
    if not access.is_public(command, channel):
        return f" Everybody in this channel will see it, including people without access to /{command}."
    if await permissions.channels.is_shared(channel):
        return " Everybody in this channel will see it, including people from other organisations."
    return ""


async def invitation(channels: Channels, channel: str) -> str:
    """What to do first if the bot cannot post in the channel."""
    if await channels.is_bot_in(channel) is not False:
        return ""
    return (
        " It is saved, but nothing can be posted yet, because Opswatch is not in this channel. "
        "Invite it with `/invite @Opswatch`."
    )
