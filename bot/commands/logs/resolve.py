"""Finds the logs that a question names, by configured name, by id or by a log's own name."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from bot import formatting
from bot.commands.answering import or_error
from bot.commands.logs.leql import with_conditions
from bot.commands.logs.names import LogRef, pattern_named
from bot.commands.logs.question import LogsQuestion
from bot.errors import BadQuestion
from bot.questions.question import QuestionParts
from bot.questions.window_words import SHORTEST_BEGINNING
from providers.errors import ProviderError, combined
from providers.models import NamedLog
from providers.sources import LogSource


class LogResolver(Struct, frozen=True):
    """`given_names` are the ids of the configured logs of each account, by name."""

    sources: Mapping[str, LogSource]
    given_names: Mapping[str, Mapping[str, str]]

    async def resolve(self, question: LogsQuestion) -> list[LogRef]:
        """Every log with its account and id; they must all be in one account, for one download
        returns them.
        """
        found = await asyncio.gather(*(self._resolve_one(log, question) for log in question.logs))
        accounts = list(dict.fromkeys(log.account or "" for log in found))
        if len(accounts) > 1:
            raise BadQuestion(
                (
                    f"These logs are in {formatting.join_words(accounts)}; ask for each account "
                    "by itself."
                ),
                f"/logs {replace(question.parts, subject=formatting.quoted(found[0].typed))}",
            )
        # Each log once, by its first name.
        return list({log.id: log for log in reversed(found)}.values())[::-1]

    async def _resolve_one(self, log: LogRef, question: LogsQuestion) -> LogRef:
        if log.account and log.id:
            return log
        accounts = [log.account] if log.account else list(self.sources)
        # An id needs no list where there is only one account.
        if log.id and len(accounts) == 1:
            return LogRef(log.typed, account=accounts[0], id=log.id)
        return await self._look_up(log, accounts, question)

    def _with_prefix(
        self, log: LogRef, named: Sequence[tuple[str, NamedLog]], question: LogsQuestion
    ) -> list[tuple[str, NamedLog]]:
        """The one log whose name begins so, among those of the configuration and those that the
        accounts list. Raises BadQuestion where there are several.
        """
        given = [
            (account, NamedLog(key, name))
            for account, logs in self.given_names.items()
            for name, key in logs.items()
            if not log.account or log.account == account
        ]
        begun = {
            entry.id: (account, entry)
            for account, entry in [*named, *given]
            if entry.name.lower().startswith(log.typed.lower())
        }
        if len(begun) > 1:
            names = sorted({formatting.sanitise(entry.name, 40) for _, entry in begun.values()})
            raise BadQuestion(
                (
                    f"“{formatting.sanitise(log.typed, 60)}” may be "
                    f"{formatting.join_words(names, 8)}; specify which."
                ),
                _instead(question, log, names[0]),
            )
        return list(begun.values())

    async def _look_up(
        self, log: LogRef, accounts: Sequence[str], question: LogsQuestion
    ) -> LogRef:
        """By id or by a log's own name, in every account; the name must be one log's alone."""
        listings = await asyncio.gather(
            *(or_error(self.sources[account].named_logs()) for account in accounts)
        )
        named = [
            (account, entry)
            for account, listing in zip(accounts, listings, strict=True)
            # An account that does not answer hides only its own logs.
            if not isinstance(listing, ProviderError)
            for entry in listing
        ]
        found = [
            (account, entry)
            for account, entry in named
            # Exactly as typed first, and then whatever the capitals.
            if entry.id == log.id or (not log.id and entry.name == log.typed)
        ]
        if not found and not log.id:
            found = [
                (account, entry)
                for account, entry in named
                if entry.name.lower() == log.typed.lower()
            ]
        if not found and not log.id and len(log.typed) >= SHORTEST_BEGINNING:
            found = self._with_prefix(log, named, question)
        if len(found) == 1:
            account, entry = found[0]
            return LogRef(entry.name, account=account, id=entry.id)
        away = [listing for listing in listings if isinstance(listing, ProviderError)]
        # The log may be in the account that did not answer.
        if away and not found:
            raise combined(away)
        for listing in listings:
            if isinstance(listing, BaseException) and not isinstance(listing, ProviderError):
                raise listing
        raise _not_one(
            log,
            question,
            found_in=[account for account, _ in found],
            known=named,
        )


def _not_one(
    log: LogRef,
    question: LogsQuestion,
    *,
    found_in: list[str],
    known: Sequence[tuple[str, NamedLog]],
) -> BadQuestion:
    typed = formatting.sanitise(log.typed, 60)
    if not found_in:
        return _no_log(log, question, known)
    if len(set(found_in)) == 1:
        return BadQuestion(
            f"Several logs in {found_in[0]} are named “{typed}”; use the ID.", "/logs help"
        )
    return BadQuestion(
        f"“{typed}” is a log in {formatting.join_words(found_in)}; specify which.",
        _instead(question, log, f"{found_in[0]}/{typed}"),
    )


def _no_log(
    log: LogRef, question: LogsQuestion, listed: Sequence[tuple[str, NamedLog]]
) -> BadQuestion:
    """The error for a name that no log has. For that of an account, the example has a log of it."""
    typed = formatting.sanitise(log.typed, 60)
    of_account = [(account, entry) for account, entry in listed if account == log.typed.lower()]
    known = [entry.name for _, entry in of_account or listed]
    unknown = f"“{typed}” is an account; its" if of_account else f"There is no log “{typed}”; the"
    near = [name for name in known if name.lower().startswith(log.typed.lower())]
    near += difflib.get_close_matches(log.typed, known, n=1)
    example = formatting.sanitise(
        next(iter([*near, *(name for name in known if " " not in name)]), "LOG"), 60
    ).replace('"', "")
    names = (
        formatting.join_words(sorted(formatting.sanitise(name, 40) for name in known), 8) or "none"
    )
    if owner := log.account or (of_account and of_account[0][0]):
        example = f"{owner}/{example}"
    message = f"{unknown} logs are {names}."
    if pattern := pattern_named(log.typed):
        return BadQuestion(
            f"{message} For such lines of a log, add {with_conditions('', [pattern])}.",
            _lines_of(question, log, example, pattern),
        )
    return BadQuestion(message, _instead(question, log, example))


def _lines_of(question: LogsQuestion, log: LogRef, name: str, pattern: str) -> str:
    """The line of the same question about the lines of its other logs, or of the one named, that
    meet the pattern.
    """
    names = [each.typed for each in question.logs if each is not log] or [name]
    window = question.parts.window or "last 20 mins"
    query = replace(question.query, where=with_conditions(question.query.where, [pattern]))
    return f"/logs {QuestionParts(','.join(map(formatting.quoted, names)), window, query.words)}"


def _instead(question: LogsQuestion, log: LogRef, name: str) -> str:
    """The line of the same question with another name in the place of this one."""
    names = [name if each is log else each.typed for each in question.logs]
    window = question.parts.window or "last 20 mins"
    return (
        "/logs "
        f"{replace(question.parts, subject=','.join(map(formatting.quoted, names)), window=window)}"
    )
