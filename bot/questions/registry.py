"""The commands: our own, a row each, and those of other installed packages. Modules below the
commands find them here; each folder is imported when one of its commands is first needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from bot.questions.command import Command
from bot.questions.question import CommandName
from providers.plugins import PluginProblem, UnusablePlugin, check_version, load_plugins

# In the order in which they are shown.
BUILT_IN = ("bot.commands.usage", "bot.commands.apiaudit", "bot.commands.logs")
# A package adds a command by an entry point of this group whose value is a `Command`.
ENTRY_POINTS = "opswatch.commands"
# As Slack takes them, and as keys of a configuration.
_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")
# Keys that [access] has beside the commands.
_TAKEN = frozenset({"manage", "notify"})


class CommandRegistry(Mapping[CommandName, Command[Any]]):
    """Commands by name."""

    @cached_property
    def _loaded(self) -> tuple[Mapping[CommandName, Command[Any]], tuple[PluginProblem, ...]]:
        # Not when this module is imported: commands import modules that read the registry.
        built_in: list[Command[Any]] = [import_module(row).COMMAND for row in BUILT_IN]
        return load_commands(built_in, entry_points(group=ENTRY_POINTS))

    @property
    def _commands(self) -> Mapping[CommandName, Command[Any]]:
        return self._loaded[0]

    @property
    def built_in(self) -> frozenset[CommandName]:
        """The names of our own commands."""
        return frozenset(row.rpartition(".")[2] for row in BUILT_IN)

    @property
    def problems(self) -> tuple[PluginProblem, ...]:
        """The plug-ins that were skipped."""
        return self._loaded[1]

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


def load_commands(
    built_in: Iterable[Command[Any]], found: Iterable[EntryPoint]
) -> tuple[Mapping[CommandName, Command[Any]], tuple[PluginProblem, ...]]:
    """Our own commands, followed by those of entry points, and the plug-ins that were skipped."""
    commands = {command.name: command for command in built_in}
    problems = []

    def read(value: object) -> Command[Any]:
        command = _checked(value)
        # The first one stays, so that no package replaces a command of ours.
        if command.name in commands:
            raise UnusablePlugin(f"there is a command /{command.name} already")
        return command

    for plugin in load_plugins(found, "command", read):
        if isinstance(plugin, PluginProblem):
            # One that cannot be loaded is reported by `check` and `run`, and hides no other.
            problems.append(plugin)
        else:
            commands[plugin.name] = plugin
    return commands, tuple(problems)


def _checked(value: object) -> Command[Any]:
    """The value as a command. Raises UnusablePlugin if it cannot be used."""
    if not isinstance(value, Command):
        raise UnusablePlugin(f"its value is of type {type(value).__name__}, not Command")
    # Before anything else of it is used.
    check_version(value.api_version)
    if not isinstance(value.name, str) or not _NAME.fullmatch(value.name):
        raise UnusablePlugin("its name is not a word of lower-case letters, digits and underscores")
    if value.name in _TAKEN:
        raise UnusablePlugin(f"the name “{value.name}” is a key of [access] already")
    return value


COMMANDS = CommandRegistry()
