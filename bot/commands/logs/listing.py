"""`/logs list`: the logs of the accounts, their bytes of the last days and their retention."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta

from msgspec import Struct

from bot import formatting
from bot.answer import Answer
from bot.blocks import kit
from bot.commands.answering import or_error
from bot.commands.logs.question import LogsQuestion
from bot.errors import BadQuestion
from providers.errors import ProviderError, combined
from providers.models import DayRange, NamedLog
from providers.sources import LogSource, UsageSource

# What a message has room for; there are more columns of text than in other tables.
MOST_LISTED = 60
LONGEST_NAME = 60
DAYS = 7
MOST_BUTTONS = 5


class ListedLog(Struct, frozen=True):
    """A log of an account. `name` is the configured one or else its own, and `bytes` is None where it
    is not known.
    """

    account: str
    name: str
    own_name: str
    bytes: int | None
    retention: str


class LogLister(Struct, frozen=True):
    """Lists the logs of the accounts that a question names."""

    sources: Mapping[str, LogSource]
    usage: Mapping[str, UsageSource]
    given_names: Mapping[str, Mapping[str, str]]

    async def answer(self, question: LogsQuestion) -> Answer:
        """All accounts are asked at once; one that fails is named, and the others are still listed."""
        accounts = [account for account in question.accounts if account in self.sources]
        if not accounts:
            raise BadQuestion("No account has logs.", "/logs help")
        today = question.window.now.date()
        days = DayRange(today - timedelta(days=DAYS - 1), today)
        found = await asyncio.gather(*(self._account(account, days) for account in accounts))
        failed = [each for each in found if isinstance(each, ProviderError)]
        if len(failed) == len(found):
            raise combined(failed)
        logs = [log for each in found if not isinstance(each, ProviderError) for log in each[0]]
        notes = [note for each in found if not isinstance(each, ProviderError) for note in each[1]]
        warnings = [f"{e.account} is missing from this answer: {e.message}" for e in failed]
        # The largest first, as they cost the most.
        logs.sort(key=lambda log: (-(log.bytes or 0), log.name.lower()))
        return _answer(logs, [*warnings, *notes])

    async def _account(
        self, account: str, days: DayRange
    ) -> tuple[list[ListedLog], list[str]] | ProviderError:
        """The logs of an account with notes on what is not known of them."""
        usage = self.usage.get(account)
        names, sizes = await asyncio.gather(
            or_error(self.sources[account].named_logs()),
            or_error(_bytes_by_log(usage, days) if usage else _nothing()),
        )
        if isinstance(names, ProviderError):
            return names
        notes = []
        if isinstance(sizes, ProviderError):
            notes = [f"Log sizes in {account} are unavailable: {sizes.message}"]
            sizes = None
        return [self._listed(account, log, sizes) for log in names], notes

    def _listed(self, account: str, log: NamedLog, sizes: Mapping[str, int] | None) -> ListedLog:
        given = {key: name for name, key in self.given_names.get(account, {}).items()}
        # A log that sent nothing is not listed by the API.
        size = None if sizes is None else sizes.get(log.id, 0)
        return ListedLog(account, given.get(log.id, log.name), log.name, size, log.retention)


async def _bytes_by_log(usage: UsageSource, days: DayRange) -> Mapping[str, int] | None:
    by_log: Counter[str] = Counter()
    for logs in (await usage.usage_by_log(days)).by_day.values():
        by_log.update(logs)
    return by_log


async def _nothing() -> Mapping[str, int] | None:
    return None


def _answer(logs: list[ListedLog], warnings: list[str]) -> Answer:
    head = formatting.pluralise(len(logs), "log")
    shown = logs[:MOST_LISTED]
    more = (
        [f"{len(logs) - MOST_LISTED:,} more logs are not shown."] if len(logs) > len(shown) else []
    )
    size_head = f"Last {DAYS} days (UTC)"
    names, rows = _rows(shown, size_head)
    # Before the logs, as Slack may cut the text after them.
    lines = [f"{head}, the largest first.", *more]
    lines += [_in_words(log) for log in shown]
    buttons = _questions(shown)
    missing = "\n".join(f":warning: {kit.with_code(formatting.sanitise(w, 280))}" for w in warnings)
    blocks = [
        kit.header(head),
        *([kit.section(missing)] if missing else []),
        *([kit.data_table("Logs", names, rows)] if rows else []),
        *([kit.context(*map(kit.escaped, more))] if more else []),
        *([kit.actions(kit.ask_buttons(buttons))] if buttons else []),
    ]
    values = {"logs": len(logs)}
    if logs and all(log.bytes is not None for log in logs):
        values["bytes"] = sum(log.bytes or 0 for log in logs)
    text = "\n".join(formatting.sanitise(line, 400) for line in [*warnings, *lines])
    return Answer(text, blocks, values, warnings=warnings)


def _questions(logs: list[ListedLog]) -> list[tuple[str, str]]:
    """The questions for the first logs; with several accounts, each names its own."""
    has_accounts = len({log.account for log in logs}) > 1
    names = [f"{log.account}/{log.name}" if has_accounts else log.name for log in logs]
    return [
        (formatting.truncate(name, 40), f"/logs {formatting.quoted(name)}")
        for name in names[:MOST_BUTTONS]
        # Other names cannot be typed again.
        if '"' not in name and name == formatting.sanitise(name)
    ]


def _in_words(log: ListedLog) -> str:
    own = f" ({_own_name(log)})" if log.own_name != log.name else ""
    size = "" if log.bytes is None else f", {formatting.format_bytes(log.bytes)} in {DAYS} days"
    kept = f", kept {log.retention}" if log.retention else ""
    name = formatting.truncate(log.name, LONGEST_NAME)
    return f"{log.account}: {name}{own}{size}{kept}."


def _rows(
    logs: list[ListedLog], size_head: str
) -> tuple[list[str], list[list[str | tuple[float, str]]]]:
    """Names of columns and cells; a column in which nothing is known is left out."""
    columns: list[tuple[str, list[str | tuple[float, str]]]] = [
        ("Log", [formatting.truncate(log.name, LONGEST_NAME) for log in logs]),
        (
            "Own name",
            [_own_name(log) for log in logs],
        ),
        ("Account", [log.account for log in logs]),
        (size_head, [_size(log) for log in logs]),
        ("Kept", [log.retention for log in logs]),
    ]
    one_account = len({log.account for log in logs}) < 2
    kept = [
        (name, cells)
        for name, cells in columns
        if any(cells) and not (name == "Account" and one_account)
    ]
    return [name for name, _ in kept], [
        list(row) for row in zip(*(c for _, c in kept), strict=True)
    ]


def _own_name(log: ListedLog) -> str:
    return "" if log.own_name == log.name else formatting.truncate(log.own_name, LONGEST_NAME)


def _size(log: ListedLog) -> str | tuple[float, str]:
    return "" if log.bytes is None else (log.bytes, formatting.format_bytes(log.bytes))
