"""A question asked in a terminal: the same answer, set as text or JSON, its files in a folder."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

from bot import formatting
from bot.access import visible_directory
from bot.alerts import commands as alert_commands
from bot.alerts.backtest import Backtest
from bot.answer import Answer, Progress
from bot.blocks import kit
from bot.commands.answering import AnswerContext, lazy_temp_dir
from bot.composition import (
    ProviderRegistry,
    build_access_policy,
    build_answerer,
    rules_from_settings,
)
from bot.config import Settings, read_settings, slack_tokens
from bot.errors import BadQuestion, ConfigError, ConfigProblem
from bot.private_files import save_private
from bot.questions import saved
from bot.questions.question import AccountDirectory, CommandName
from bot.questions.reading import read_request, split_line
from bot.questions.registry import COMMANDS
from bot.schedules import subscribe
from bot.store import Store, StoreError
from bot.terminal_text import terminal_text
from handlers.permissions import Requester
from providers.clock import utc_now
from providers.limits.rate_limiter import MemoryRateLimitStore, RateLimitStore
from providers.models import iso_utc
from providers.redaction import Redactor, Secret


@dataclass(frozen=True, slots=True)
class SavedFile:
    name: str
    path: Path
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class TerminalAnswer:
    """An answer with its files where the asker wants them."""

    answer: Answer
    files: Sequence[SavedFile]

    def as_json(self) -> dict[str, Any]:
        window = self.answer.window
        return {
            "text": self.answer.text,
            "blocks": list(self.answer.blocks),
            "values": dict(self.answer.values),
            "files": [
                {"name": f.name, "path": str(f.path), "bytes": f.bytes, "sha256": f.sha256}
                for f in self.files
            ],
            "warnings": list(self.answer.warnings),
            "preview": kit.preview_link(self.answer.blocks),
            "window": {
                "start": _instant(window.window.start),
                "end": _instant(window.window.end),
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
) -> TerminalAnswer:
    """The answer to one question, as for a person and a place where these are given; `progress`
    follows the work. Raises what `handlers.error_messages.error_message` can explain.
    """
    for option, given in (("--user", user), ("--channel", channel)):
        if given is not None and not given.strip():
            raise BadQuestion(
                f"{option} is empty; name an id, or leave it out.",
                f'{option} {_EXAMPLES[option]} "/usage last 7 days"',
            )
    settings, directory = read_settings(config), None
    command, rest = split_line(text)
    if user or channel:
        access = build_access_policy(settings.access)
        groups = await _groups_of(settings, user, access.groups(*COMMANDS)) if user else ()
        asker = Requester((user or "").strip(), (channel or "").strip(), groups)
        access.require(command, **asker.rights)
        allowed = [name for name in COMMANDS if access.may_ask(name, **asker.rights)]
        directory = visible_directory(settings.directory, allowed)
    _refuse_slack_only(command, rest, directory or settings.directory)
    question = read_request(
        command, rest, directory or settings.directory, now=utc_now(), zone=settings.timezone
    )
    _refuse_unwritable(out)
    redactor = Redactor(settings.secrets())
    async with (
        open_rate_limit_store(settings) as rate_limit_store,
        aclosing(ProviderRegistry(settings, redactor, rate_limit_store)) as accounts,
    ):
        with lazy_temp_dir() as folder:
            answer = await build_answerer(settings, accounts, redactor).answer(
                question, AnswerContext(folder, settings.timezone, progress or Progress())
            )
            return TerminalAnswer(answer, _saved(answer, out))


def _refuse_slack_only(command: CommandName, words: str, directory: AccountDirectory) -> None:
    """Raises BadQuestion for what only makes sense in a channel: alerts, silences and
    subscriptions.
    """
    verb = words.split(maxsplit=1)[0].lower() if words.strip() else ""
    if verb in (*alert_commands.WORDS, *subscribe.WORDS, *saved.WORDS):
        raise BadQuestion(
            f"`/{command} {verb}` works only in Slack, where alerts, subscriptions and saved questions are kept.",
            COMMANDS[command].example(directory),
        )


_EXAMPLES = {"--user": "U012AB", "--channel": "C012AB"}


async def run_backtest(name: str, config: Path, *, days: int) -> tuple[Backtest, tzinfo]:
    """What an alert of the configuration, or one made in chat, would have done."""
    from handlers.alert_registry import rule_of
    from handlers.backtesting import MOST_DAYS, Backtesting

    if not 1 <= days <= MOST_DAYS:
        raise BadQuestion(
            f"--days takes a whole number from 1 to {MOST_DAYS}.",
            f"python -m bot backtest {name} --days 90",
        )
    settings = read_settings(config)
    redactor = Redactor(settings.secrets())
    async with (
        open_store(settings) as store,
        aclosing(ProviderRegistry(settings, redactor, store.rate_limits)) as accounts,
    ):
        answering = build_answerer(settings, accounts, redactor)
        rules = [
            *rules_from_settings(settings),
            *(rule_of(kept) for kept in await store.rules.rules()),
        ]
        rule = next((rule for rule in rules if rule.name.lower() == name.lower()), None)
        if rule is None:
            there = formatting.join_words([rule.name for rule in rules], 20) or "none"
            raise BadQuestion(
                f"There is no alert “{formatting.sanitise(name, 60)}”; there are: {there}.",
                "python -m bot backtest NAME",
            )
        backtesting = Backtesting(
            answering.commands, settings.directory, store.alerts, settings.timezone, utc_now
        )
        return await backtesting.run(rule, days=days), settings.timezone


def backtest_json(test: Backtest) -> dict[str, Any]:
    """The result for other programs. A firing that goes on has no end."""
    days = formatting.pluralise(round((test.end - test.start).total_seconds() / 86_400), "day")
    return {
        "alert": test.rule.name,
        "window": {
            "start": _instant(test.start),
            "end": _instant(test.end),
            "said": f"the last {days}",
        },
        "samples": test.samples,
        "missing": test.missing,
        "firings": [
            {
                "start": _instant(firing.start),
                "end": _instant(firing.end) if firing.end else None,
                "peak": firing.peak,
            }
            for firing in test.firings
        ],
        "now": test.now,
        "notes": list(test.notes),
    }


def _shown(database: Path | Secret) -> str:
    return database.name if isinstance(database, Path) else ""


@asynccontextmanager
async def open_store(settings: Settings) -> AsyncIterator[Store]:
    """The database of the bot. Raises ConfigError where it cannot be used."""
    try:
        store = await Store.open(settings.database, now=utc_now())
    except StoreError as error:
        raise ConfigError(
            [ConfigProblem("database", _shown(settings.database), str(error))]
        ) from None
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def open_rate_limit_store(settings: Settings) -> AsyncIterator[RateLimitStore]:
    """The budgets that the bot keeps, so that a terminal does not exceed them either; where its
    database cannot be written, budgets of this process alone.
    """
    try:
        store = await Store.open(settings.database, now=utc_now())
    except StoreError:
        yield MemoryRateLimitStore()
        return
    try:
        yield store.rate_limits
    finally:
        await store.close()


def _saved(answer: Answer, out: Path) -> list[SavedFile]:
    """The files in the folder, each for its owner alone."""
    saved = []
    for file in answer.files:
        size, digest = file.bytes, file.sha256()
        target = save_private(file.path, out, file.name)
        saved.append(SavedFile(target.name, target, size, digest))
    return saved


def _refuse_unwritable(out: Path) -> None:
    place = next((p for p in (out, *out.resolve().parents) if p.exists()), Path("/"))
    if not place.is_dir() or not os.access(place, os.W_OK):
        raise BadQuestion(
            f"Files cannot be written to {formatting.sanitise(str(out), 200)}.", "--out /tmp"
        )


async def _groups_of(settings: Settings, user: str, groups: Sequence[str]) -> Sequence[str]:
    """User groups are known to Slack alone; without a token nobody is in one."""
    if not groups:
        return ()
    try:
        tokens = slack_tokens("neither")
    except ConfigError:
        return ()
    from bot.slack.client import slack_client
    from bot.slack.users import SlackUserDirectory
    from providers.http.connections import open_session

    async with open_session(settings.network) as session:
        people = SlackUserDirectory(
            slack_client(
                tokens.bot.open(), tokens.api_url, session, team_id=settings.slack.team_id
            ),
            settings.timezone,
        )
        return await people.groups_of(user, groups)


def _instant(moment: datetime) -> str:
    return iso_utc(moment, "milliseconds" if moment.microsecond else "seconds")
