"""The commands: our own, a row each, and those of other installed packages. Modules below the
commands find them here; each folder is imported when one of its commands is first needed.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from bot.questions.command import Command
from bot.questions.question import CommandName

log = logging.getLogger("opswatch")
# In the order in which they are shown.
BUILT_IN = ("bot.commands.usage", "bot.commands.apiaudit", "bot.commands.logs")
# A package adds a command by an entry point of this group whose value is a `Command`.
ENTRY_POINTS = "opswatch.commands"
# As Slack takes them, and as keys of a configuration.
_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")
# Keys that [access] has beside the commands.
_TAKEN = frozenset({"manage"})


class CommandRegistry(Mapping[CommandName, Command[Any]]):
    """Commands by name."""

    @cached_property
    def _commands(self) -> Mapping[CommandName, Command[Any]]:
        built_in: list[Command[Any]] = [import_module(row).COMMAND for row in BUILT_IN]
        commands = {command.name: command for command in built_in}
        for command in _plug_ins(entry_points(group=ENTRY_POINTS)):
            if command.name in commands:
                log.error("The command /%s of a plug-in is left out: it exists.", command.name)
            else:
                commands[command.name] = command
        return commands

    def __getitem__(self, name: CommandName) -> Command[Any]:
        return self._commands[name]

    def __iter__(self) -> Iterator[CommandName]:
        return iter(self._commands)

    def __len__(self) -> int:
        return len(self._commands)

    @property
    def first(self) -> CommandName:
        """The command for examples that would fit any."""
        return next(iter(self))

    @property
    def help_line(self) -> str:
        """The help of the first command, for a line that names no command."""
        return f"/{self.first} help"


def _plug_ins(found: Iterable[EntryPoint]) -> Iterator[Command[Any]]:
    """The commands of other packages. One that cannot be used is skipped and logged, and the others
    work.
    """
    for entry in sorted(found, key=lambda each: (each.name, each.value)):
        try:
            command = entry.load()
        except Exception:
            log.exception("The command plug-in “%s” cannot be loaded.", entry.name)
            continue
        if not isinstance(command, Command):
            log.error("The command plug-in “%s” is no Command.", entry.name)
        elif not _NAME.fullmatch(command.name) or command.name in _TAKEN:
            log.error("The command plug-in “%s” has a name that cannot be used.", entry.name)
        else:
            yield command


COMMANDS = CommandRegistry()
