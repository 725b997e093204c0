"""The commands: our own, a row each, and those of other installed packages. Modules below the
commands find them here; the folder of a command is imported when the command is first needed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property
from importlib import import_module
from importlib.metadata import EntryPoint
from itertools import chain
from typing import Any

from bot.questions.command import Command
from bot.questions.question import AccountDirectory, CommandName
from providers.plugins import (
    PluginProblem,
    UnusablePlugin,
    check_version,
    installed_plugins,
    load_plugins,
)

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

    def __init__(self) -> None:
        self._folders = {row.rpartition(".")[2]: row for row in BUILT_IN}
        self.built_in: Collection[CommandName] = self._folders.keys()
        """The names of our own commands."""
        self._opened: dict[CommandName, Command[Any]] = {}

    @cached_property
    def _plugins(self) -> tuple[Mapping[CommandName, Command[Any]], tuple[PluginProblem, ...]]:
        return load_plugin_commands(self.built_in, installed_plugins(ENTRY_POINTS))

    @property
    def problems(self) -> tuple[PluginProblem, ...]:
        """The plug-ins that were skipped."""
        return self._plugins[1]

    def __getitem__(self, name: CommandName) -> Command[Any]:
        if name not in self._folders:
            return self._plugins[0][name]
        # Not when this module is imported: commands import modules that read the registry.
        if name not in self._opened:
            self._opened[name] = import_module(self._folders[name]).COMMAND
        return self._opened[name]

    def __iter__(self) -> Iterator[CommandName]:
        return chain(self._folders, self._plugins[0])

    def __len__(self) -> int:
        return len(self._folders) + len(self._plugins[0])

    def with_accounts(
        self, names: Iterable[CommandName], directory: AccountDirectory
    ) -> list[CommandName]:
        """Those of the commands that an account of the directory can answer. All of them where there
        is no account at all, so that the bot can still be looked at.
        """
        given = [*names]
        return [name for name in given if directory.of_kind(self[name].kinds)] or given

    @property
    def first(self) -> CommandName:
        """The command for examples that would fit any."""
        return next(iter(self))

    @property
    def help_line(self) -> str:
        """The help of the first command, for a line that names no command."""
        return f"/{self.first} help"


def load_plugin_commands(
    built_in: Collection[CommandName], found: Iterable[EntryPoint]
) -> tuple[Mapping[CommandName, Command[Any]], tuple[PluginProblem, ...]]:
    """The commands of entry points beside our own, and the plug-ins that were skipped."""
    commands: dict[CommandName, Command[Any]] = {}
    problems = []

    def read(value: object) -> Command[Any]:
        command = _checked(value)
        # The first one wins, so that no package replaces a built-in command.
        if command.name in built_in or command.name in commands:
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
