"""Problems between the tables: names used twice, questions that cannot be read, and alerts and
mutes that name something that does not exist.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from bot.alerts.paging import targets
from bot.alerts.rule import has_value
from bot.alerts.value_words import compares_nothing
from bot.config.accounts import directory_as_written
from bot.config.settings import Settings
from bot.config.tables import AlertSettings, DigestSettings
from bot.errors import BadQuestion, ConfigProblem, hint_in_words
from bot.questions.question import AccountDirectory
from bot.questions.reading import read_line
from bot.questions.registry import COMMANDS

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")
# Words of the grammar: an account of this name could not be named in a question.
_RESERVED = frozenset(
    [
        "help",
        "today",
        "yesterday",
        "last",
        "past",
        "since",
        "this",
        "by",
        "per",
        "csv",
        "failures",
        "limit",
        "where",
        "own",
        "subscribe",
        "subscriptions",
        "unsubscribe",
        "alert",
        "alerts",
        "unalert",
        "silence",
        "unsilence",
    ]
)


def bad_names(table: Mapping[str, Any]) -> Iterator[ConfigProblem]:
    accounts = table.get("providers")
    for name in accounts if isinstance(accounts, Mapping) else ():
        if (
            not _NAME.fullmatch(name)
            or name.lower() in _RESERVED
            # `7d` and `2h` are windows; `3rd-floor` is a name.
            or (name[0].isdigit() and not re.search(r"[A-Za-z]{3}", name))
        ):
            yield ConfigProblem(
                f"providers.{name}",
                "",
                "letters, digits and dashes, such as usage-eu; it must not be a reserved word",
            )
    for kind in ("digest", "alert"):
        entries = table.get(kind)
        names = (
            [e.get("name") for e in entries if isinstance(e, Mapping)]
            if isinstance(entries, list)
            else []
        )
        for name in sorted({str(n) for n in names if n and names.count(n) > 1}):
            yield ConfigProblem(f"{kind}.{name}", "", "a name of its own; this one is used twice")


def schedule_problems(
    settings: Settings, table: Mapping[str, Any], now: datetime
) -> list[ConfigProblem]:
    """Digests and alerts must ask questions that can be read, about values that exist. `table` is
    the whole file, while the settings hold only its valid part.
    """
    problems = []
    directory = directory_as_written(table)
    entries: list[tuple[str, DigestSettings | AlertSettings]] = [
        ("digest", entry) for entry in settings.digest
    ]
    entries += [("alert", entry) for entry in settings.alert]
    # Without a directory a kind is unknown, and each question about it would be reported a second
    # time.
    for kind, entry in entries if directory else ():
        assert directory is not None
        try:
            question = read_line(entry.ask, directory, now=now, zone=settings.timezone)
        except BadQuestion as error:
            problems.append(
                ConfigProblem(f"{kind}.{entry.name}.ask", repr(entry.ask), _with_hint(error))
            )
            continue
        if isinstance(entry, DigestSettings):
            problems += _canvas_problems(entry)
        if isinstance(entry, AlertSettings) and not has_value(question.command, entry.value):
            right = f"must be one of {', '.join(COMMANDS[question.command].values.names)}"
            problems.append(ConfigProblem(f"alert.{entry.name}.value", repr(entry.value), right))
        elif isinstance(entry, AlertSettings) and (why := compares_nothing(question, entry.value)):
            problems.append(ConfigProblem(f"alert.{entry.name}.value", repr(entry.value), why))
        if (
            isinstance(entry, AlertSettings)
            and entry.each
            and entry.each not in COMMANDS[question.command].values.subjects
        ):
            right = (
                f"must be one of {', '.join(COMMANDS[question.command].values.subjects)}"
                if COMMANDS[question.command].values.subjects
                else f"left out for /{question.command}"
            )
            problems.append(ConfigProblem(f"alert.{entry.name}.each", repr(entry.each), right))
    problems += _unknown_names(settings, table)
    problems += _button_problems(settings, directory, now)
    return problems


def _with_hint(error: BadQuestion) -> str:
    """The message, and what to write or to do instead."""
    return f"{error.message} {hint_in_words(error.hint)}".rstrip()


def _canvas_problems(digest: DigestSettings) -> Iterator[ConfigProblem]:
    """A canvas is a tab of a channel, and direct messages have none that others see."""
    if digest.as_ == "canvas" and digest.channel.startswith(("D", "U", "W")):
        right = '"message" for direct messages, or a channel'
        yield ConfigProblem(f"digest.{digest.name}.as", repr(digest.as_), right)


def _unknown_names(settings: Settings, table: Mapping[str, Any]) -> Iterator[ConfigProblem]:
    """Mutes and buttons that name an unknown alert, and alerts that name an unknown target or
    on-call schedule.
    """
    # As written, because an alert with another problem is left out of the settings, but is there.
    alerts = _names_as_written(table, "alert")
    there = ", ".join(sorted(alerts)) or "there is none"
    for kind, title, names in (
        *(("mute", mute.name, mute.alerts) for mute in settings.mute),
        *(("button", button.text, button.alerts) for button in settings.button),
    ):
        for name in names:
            if name not in alerts:
                right = f"the name of an alert: {there}"
                yield ConfigProblem(f"{kind}.{title}.alerts", repr(name), right)
    written = [table.get("targets"), table.get("on_call")]
    named = [set(each) if isinstance(each, Mapping) else set() for each in written]
    for name in sorted(named[0] & named[1]):
        yield ConfigProblem(f"on_call.{name}", "", "a name that no target has")
    known = named[0] | named[1]
    for alert in settings.alert:
        for key, recipients in (("notify", alert.notify), ("escalate_to", alert.escalate_to)):
            for name in targets(recipients):
                if name not in known:
                    right = (
                        "the name of a target or an on-call schedule: "
                        f"{', '.join(sorted(known)) or 'there is none'}"
                    )
                    yield ConfigProblem(f"alert.{alert.name}.{key}", repr(name), right)


def _button_problems(
    settings: Settings, directory: AccountDirectory | None, now: datetime
) -> Iterator[ConfigProblem]:
    """Buttons whose question cannot be read."""
    for button in settings.button if directory else ():
        assert directory is not None
        try:
            if button.ask:
                read_line(button.ask, directory, now=now, zone=settings.timezone)
        except BadQuestion as error:
            wanted = _with_hint(error)
            yield ConfigProblem(f"button.{button.text}.ask", repr(button.ask), wanted)


def _names_as_written(table: Mapping[str, Any], kind: str) -> set[str]:
    entries = table.get(kind)
    names = (
        [entry.get("name") for entry in entries if isinstance(entry, Mapping)]
        if isinstance(entries, list | tuple)
        else []
    )
    return {name for name in names if isinstance(name, str)}
