"""`save`, `saved` and `unsave`: questions that a channel asks by a name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import ClassVar

from msgspec import Struct

from bot.answer import Answer
from bot.blocks import messages
from bot.commands.answering import Clock
from bot.errors import BadQuestion, FormName
from bot.questions.managing import SAVED_WORDS
from bot.questions.question import CommandName
from bot.questions.registry import COMMANDS
from bot.questions.saved import Save, SavedCommand, Unsave, name_of, parse_saved
from bot.questions.windows import TwoReadings
from bot.store import SavedQuestion, SavedQuestionStore
from handlers.chat_commands import QuestionReader, handle_command, working_hints
from handlers.pauses import Announcer
from handlers.permissions import Owned, Permissions, Requester, not_a_manager

MOST_OF_CHANNEL = 50
# A question follows these words.
BEFORE_QUESTION = ("alert", "subscribe", "save")


class SavedQuestionManager(Struct, frozen=True):
    """Saves, lists and deletes questions by name."""

    questions: QuestionReader
    store: SavedQuestionStore
    announcer: Announcer
    clock: Clock
    verbs: ClassVar[Sequence[str]] = SAVED_WORDS
    create_verb: ClassVar[str] = ""
    forms: ClassVar[Mapping[str, FormName]] = MappingProxyType({})

    @property
    def permissions(self) -> Permissions:
        return self.questions.permissions

    async def handle(self, command: CommandName, text: str, asker: Requester) -> Answer | None:
        """As `Manager.handle`."""
        if text.strip().partition(" ")[0].lower() in SAVED_WORDS:
            # Checked before the words are read, because their refusal names accounts.
            self.permissions.access.require(command, **asker.rights)
        return await handle_command(self, command, text, asker)

    async def expand(self, command: CommandName, words: str, asker: Requester) -> str:
        """The words with the saved question that the first of them names, also after `alert`,
        `subscribe` and `save`: what is saved names no other saved question, which may change.
        """
        before, first, after = _around_first(words)
        name = name_of(first, self.questions.answering.directory)
        # Looked up only for what can be a name, so that most questions cost no query.
        if not name:
            return words
        saved = await self.store.find(asker.channel, command, name)
        return f"{before}{saved.query}{after}" if saved else words

    async def choices(self, command: CommandName, channel: str) -> dict[str, str]:
        """The questions of a channel for a form: what each asks, by its name."""
        saved = await self.store.in_channel(channel) if channel else ()
        return {each.name: each.query for each in saved if each.command == command}

    def parse(self, command: CommandName, text: str, requester: Requester) -> SavedCommand:
        return parse_saved(command, text, self.questions.directory(requester))

    def check(self, action: SavedCommand, command: CommandName, requester: Requester) -> None:
        if isinstance(action, Save):
            self._query(action, command, requester)

    def example(self, command: CommandName, requester: Requester) -> str:
        words = COMMANDS[command].example_words(self.questions.directory(requester))
        return f"/{command} save {words} as morning"

    async def run(self, action: SavedCommand, command: CommandName, requester: Requester) -> Answer:
        if isinstance(action, Save):
            return await self._save(action, command, requester)
        if isinstance(action, Unsave):
            return await self._unsave(action.name, command, requester)
        return await self._list(command, requester)

    async def _save(self, action: Save, command: CommandName, requester: Requester) -> Answer:
        with working_hints(self, command, requester):
            query = self._query(action, command, requester)
        question = SavedQuestion(requester.channel, command, action.name, query, requester.user)
        only_own = not await self._may_change_others(command, requester)
        try:
            replaced = await self.store.save(
                question, now=self.clock(), most=MOST_OF_CHANNEL, only_own=only_own
            )
        except PermissionError:
            raise not_a_manager() from None
        except OverflowError:
            raise BadQuestion(
                f"This channel has {MOST_OF_CHANNEL} saved questions, the most there can be; "
                "delete one first.",
                f"/{command} saved",
            ) from None
        if replaced:
            # Both questions are shown, so that whoever saved the first one can save it again.
            what = f" was changed from `/{command} {replaced.query}` to `/{command} {query}`"
            await self._announce(replaced, requester, what)
        return messages.note(
            f"Saved for this channel: `/{command} {action.name}` asks `/{command} {query}`. "
            f"Delete it with `/{command} unsave {action.name}`."
        )

    def _query(self, action: Save, command: CommandName, requester: Requester) -> str:
        """The words to save. Raises BadQuestion with a command as its hint."""
        try:
            question = self.questions.read(
                command, action.query, requester, no_help="`help` is not a question to save."
            )
        except BadQuestion as error:
            error.hint = f"/{command} save {error.hint.partition(' ')[2]} as {action.name}"
            raise
        self._require_free(action, command, requester)
        return question.text

    def _require_free(self, action: Save, command: CommandName, requester: Requester) -> None:
        """Raises BadQuestion for a name that means something else."""
        if self._is_free(action.name, command, requester):
            return
        raise BadQuestion(
            f"“{action.name}” means something else already; choose another name.",
            f"/{command} save {action.query} as my-{action.name}",
        )

    def _is_free(self, name: str, command: CommandName, requester: Requester) -> bool:
        directory = self.questions.answering.directory
        if not name_of(name, directory):
            return False
        description = COMMANDS[command]
        if any(words == name for words, _ in description.examples):
            return False
        if description.names_logs and self._is_start_of_log_name(name):
            return False
        return not any(
            self._has_meaning(command, words, requester)
            # `per` alone is no question, but `per log` is: such a name would change what people
            # type.
            for words in (name, *description.phrases_with(name))
        )

    def _is_start_of_log_name(self, name: str) -> bool:
        logs = self.questions.answering.directory.logs.values()
        return any(log.lower().startswith(name) for names in logs for log in names)

    def _has_meaning(self, command: CommandName, words: str, requester: Requester) -> bool:
        """Whether the words are a question, or nearly one, beside one about a log of that name: any
        word may be the name of a log that the vendor alone knows.
        """
        try:
            question = self.questions.read(command, words, requester, no_help="")
        # Words that are asked back with two readings mean something, too.
        except TwoReadings:
            return True
        except BadQuestion as error:
            # Words for help are refused without a message.
            return COMMANDS[command].names_logs or not error.message
        return not (COMMANDS[command].names_logs and question.subject == words)

    async def _unsave(self, name: str, command: CommandName, requester: Requester) -> Answer:
        only_of = "" if await self._may_change_others(command, requester) else requester.user
        try:
            saved = await self.store.delete(requester.channel, command, name, only_of=only_of)
        except PermissionError:
            raise not_a_manager() from None
        if saved is None:
            raise BadQuestion(
                f"There is no saved question `{name}` in this channel.", f"/{command} saved"
            )
        await self._announce(saved, requester, f", `/{command} {saved.query}`, was deleted")
        return messages.note(f"Deleted: `/{command} {name}` asked `/{command} {saved.query}`.")

    async def _list(self, command: CommandName, requester: Requester) -> Answer:
        access = self.permissions.access
        lines = [
            messages.ListLine(
                f"`/{each.command} {each.name}`: `/{each.command} {each.query}`", each.user
            )
            for each in await self.store.in_channel(requester.channel)
            if access.may_ask(each.command, **requester.rights)
        ]
        if not lines:
            return messages.note(
                f"No questions are saved in this channel. Save one with `{self.example(command, requester)}`."
            )
        return messages.list_answer("Saved questions of this channel:", lines)

    async def _may_change_others(self, command: CommandName, requester: Requester) -> bool:
        """Whether the person may change in their channel what somebody else has saved."""
        return await self.permissions.may_end(Owned(command, requester.channel), requester)

    async def _announce(self, saved: SavedQuestion, requester: Requester, what: str) -> None:
        """Tells the channel who changed what somebody else had saved."""
        if saved.user != requester.user:
            text = f"The saved question `/{saved.command} {saved.name}`{what}"
            await self.announcer.done_by(requester.user, saved.channel, text)


def _around_first(words: str) -> tuple[str, str, str]:
    """The text before the first word of the question, that word, and the text after it."""
    verb, blank, rest = words.strip().partition(" ")
    if verb.lower() in BEFORE_QUESTION and rest:
        first, behind, after = rest.partition(" ")
        return f"{verb}{blank}", first, f"{behind}{after}"
    return "", verb, f"{blank}{rest}"
