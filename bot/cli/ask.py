"""A question asked in a terminal: the same answer as text or JSON, with its files in a folder."""

from __future__ import annotations

import gc
import os
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from bot import formatting
from bot.answer import Answer, Progress
from bot.blocks import kit
from bot.commands.answering import AnswerContext, lazy_temp_dir
from bot.commands.seen_store import MemorySeenStore, SeenStore
from bot.composition.accounts import ProviderRegistry, build_answerer
from bot.config import Settings, has_bot_token, read_settings, slack_tokens
from bot.errors import AccessDenied, BadQuestion
from bot.questions.managing import MANAGING_WORDS, names_question
from bot.questions.question import AccountDirectory, CommandName, HelpRequest, Question
from bot.questions.reading import read_request, split_line
from bot.questions.registry import COMMANDS
from bot.questions.saved import name_of
from bot.store.errors import StoreError
from bot.system.private_files import save_private
from bot.system.terminal_text import terminal_text
from providers.clock import utc_now
from providers.limits.rate_limiter import MemoryRateLimitStore, RateLimitStore
from providers.models import iso_utc
from providers.redaction import Redactor

if TYPE_CHECKING:
    from bot.access import AccessPolicy
    from bot.composition.people import LastRequester
    from handlers.permissions import Requester


class SavedFile(Struct, frozen=True):
    name: str
    path: Path
    bytes: int
    sha256: str


class TerminalAnswer(Struct, frozen=True):
    """An answer with its files in the requested folder."""

    answer: Answer
    files: Sequence[SavedFile]

    def as_json(self) -> dict[str, Any]:
        window = self.answer.window
        return {
            # As Slack is sent it: nothing in it is a mention or a link.
            "text": kit.entities(formatting.sanitise_lines(self.answer.text)),
            "blocks": list(self.answer.blocks),
            "values": dict(self.answer.values),
            "files": [
                {"name": f.name, "path": str(f.path), "bytes": f.bytes, "sha256": f.sha256}
                for f in self.files
            ],
            "warnings": list(self.answer.warnings),
            # Opens the blocks in Slack's Block Kit Builder.
            "preview": kit.preview_link(self.answer.blocks),
            "window": {
                "start": instant(window.window.start),
                "end": instant(window.window.end),
                "said": window.label,
            }
            if window
            else None,
        }

    def as_text(self) -> str:
        return terminal_text("\n".join([self.answer.text, *self.saved()]))

    def saved(self) -> list[str]:
        """A line for each file that was saved."""
        return [f"Saved {f.path} ({formatting.format_bytes(f.bytes)})" for f in self.files]


async def answer_in_terminal(
    text: str,
    config: Path,
    *,
    out: Path,
    user: str | None,
    channel: str | None,
    progress: Progress | None = None,
    spare_budgets: RateLimitStore | None = None,
    last: LastRequester | None = None,
) -> TerminalAnswer:
    """The answer to one question, as for a person and a place where these are given; `progress`
    follows the work. `spare_budgets` are used where the bot's database cannot be written, and `last`
    where Slack cannot be asked who the person is. Raises what `handlers.error_messages.error_message` can explain.
    """
    # First of all: an empty variable of a script must not ask with the rights of the operator.
    refuse_empty_asker(user, channel)
    settings = read_settings(config)
    directory = None
    command, rest = split_line(text)
    if user or channel:
        from bot.access import visible_directory

        access, asker = await requester_of(settings, user, channel, last)
        # Before the words are read, because their refusal names accounts.
        access.require(command, **asker.rights)
        allowed = [name for name in COMMANDS if access.may_ask(name, **asker.rights)]
        directory = visible_directory(settings.directory, allowed)
    if channel:
        rest = await _with_saved_question(settings, command, rest, channel.strip())
    _refuse_slack_only(command, rest, directory or settings.directory)
    question = read_request(
        command, rest, directory or settings.directory, now=utc_now(), zone=settings.timezone
    )
    # Before anything is sent to a provider: an answer that cannot be saved wastes its requests.
    _refuse_unwritable(out)
    redactor = Redactor(settings.secrets())
    async with (
        open_question_stores(settings, spare_budgets) as stores,
        aclosing(
            ProviderRegistry(settings, redactor, stores.rate_limits, only=_accounts_of(question))
        ) as accounts,
    ):
        # Turned off for the start, whose objects live until the end and are not scanned; the answer
        # itself makes garbage.
        gc.freeze()
        gc.enable()
        with lazy_temp_dir() as folder:
            answerer = build_answerer(
                settings, accounts, redactor, only=[question.command], seen=stores.seen
            )
            answer = await answerer.answer(
                question, AnswerContext(folder, settings.timezone, progress or Progress())
            )
            return TerminalAnswer(answer, _saved(answer, out))


async def _with_saved_question(
    settings: Settings, command: CommandName, words: str, channel: str
) -> str:
    """The words with the question of the channel that the first of them names, if any."""
    from bot.store.opening import open_unchanged
    from bot.store.sql.saved_questions import SqlSavedQuestions

    first, blank, after = words.strip().partition(" ")
    name = name_of(first, settings.directory)
    location = settings.database
    # Opening it would create an empty database where the bot has made none.
    if not name or (isinstance(location, Path) and not location.exists()):
        return words
    try:
        database = await open_unchanged(location)
    except StoreError:
        # The operator may run this as another user, who cannot read the bot's database.
        return words
    try:
        saved = await SqlSavedQuestions(database).find(channel, command, name)
    finally:
        await database.close()
    return f"{saved.query}{blank}{after}" if saved else words


def _accounts_of(question: Question | HelpRequest) -> Collection[str] | None:
    """The accounts to open; None where the question does not say. Opening one imports the code of
    its vendor.
    """
    if isinstance(question, HelpRequest):
        return ()
    # None opens all accounts: a log may be one of any of them.
    return question.accounts or None


def _refuse_slack_only(command: CommandName, words: str, directory: AccountDirectory) -> None:
    """Raises BadQuestion for what only makes sense in a channel: alerts, silences and
    subscriptions.
    """
    verb = words.split(maxsplit=1)[0].lower() if words.strip() else ""
    if verb in MANAGING_WORDS and not names_question(verb, directory):
        raise BadQuestion(
            f"`/{command} {verb}` works only in Slack, where alerts, subscriptions and saved questions are kept.",
            COMMANDS[command].example(directory),
        )


_EXAMPLES = {"--user": "U012AB", "--channel": "C012AB"}


def refuse_empty_asker(user: str | None, channel: str | None) -> None:
    """Raises BadQuestion for an id that is given and empty, which must not mean “anybody”."""
    for option, given in (("--user", user), ("--channel", channel)):
        if given is not None and not given.strip():
            raise BadQuestion(
                f"{option} is empty; name an ID, or leave it out.",
                f'{option} {_EXAMPLES[option]} "/usage last 7 days"',
            )


async def requester_of(
    settings: Settings, user: str | None, channel: str | None, last: LastRequester | None = None
) -> tuple[AccessPolicy, Requester]:
    """The access rules, and the person and the channel that they apply to. Who the person is, Slack
    is asked; `last` is what it has said before. Raises AccessDenied for somebody who has left, and
    where that is unknown.
    """
    from bot.composition.from_settings import build_access_policy
    from handlers.permissions import Requester

    access = build_access_policy(settings.access)
    asker = Requester((user or "").strip(), (channel or "").strip())
    # Without a token nobody is in a group: access by group is refused rather than assumed.
    if not asker.user or not has_bot_token():
        return access, asker
    from bot.composition.people import SlackUnknown, open_people

    try:
        async with open_people(settings, slack_tokens("neither")) as people:
            asker = await people.requester(asker.user, asker.channel)
            unknown = people.directory.unknown_groups(access.groups(*COMMANDS))
    except SlackUnknown:
        known = last.recent() if last else None
        if known is None:
            raise
        return access, known
    except AccessDenied:
        # Whoever has left is not let in again by what Slack said before.
        if last:
            last.known = None
        raise
    return access, last.learn(asker, unknown) if last else asker


class QuestionStores(Struct, frozen=True):
    """The stored data that answers use: the budgets of accounts, and the values of earlier calls."""

    rate_limits: RateLimitStore
    seen: SeenStore


@asynccontextmanager
async def open_question_stores(
    settings: Settings, spare: RateLimitStore | None = None
) -> AsyncIterator[QuestionStores]:
    """The stores of the bot, so that a terminal does not exceed its budgets either; where its
    database cannot be written, the spare budgets, or else budgets of this question alone.
    """
    from bot.store.opening import open_unchanged
    from bot.store.records import LeaseTimings
    from bot.store.sql.claims import Claims
    from bot.store.sql.rate_limits import SqlRateLimits
    from bot.store.sql.seen import SqlSeen

    try:
        database = await open_unchanged(settings.database)
    except StoreError:
        # The operator may run this as another user, who cannot write the bot's database, or in
        # another version.
        yield QuestionStores(spare or MemoryRateLimitStore(), MemorySeenStore())
        return
    # A reservation belongs to a process, so this one claims like the bot.
    claims = Claims(database, LeaseTimings())
    try:
        yield QuestionStores(SqlRateLimits(database, claims), SqlSeen(database))
    finally:
        await claims.end()
        await database.close()


def _saved(answer: Answer, out: Path) -> list[SavedFile]:
    """The files in the folder, each for its owner alone."""
    saved = []
    for file in answer.files:
        size = file.bytes
        # Before it is moved to the folder, where somebody else may change it.
        digest = file.sha256()
        target = save_private(file.content, out, file.name)
        saved.append(SavedFile(target.name, target, size, digest))
    return saved


def _refuse_unwritable(out: Path) -> None:
    # The folder is created only for an answer with files, so its nearest parent counts.
    place = next((p for p in (out, *out.resolve().parents) if p.exists()), Path("/"))
    if not place.is_dir() or not os.access(place, os.W_OK):
        raise BadQuestion(
            f"Files cannot be written to {formatting.sanitise(str(out), 200)}.", "--out /tmp"
        )


def instant(moment: datetime) -> str:
    """A moment as JSON answers show it."""
    return iso_utc(moment, "milliseconds" if moment.microsecond else "seconds")
