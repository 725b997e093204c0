"""Values that other installed packages register by entry points: loaded one by one, and skipped with
a reason where they cannot be used.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeVar

from msgspec import Struct

# Increased when earlier plug-ins would no longer work.
API_VERSION = 1
T = TypeVar("T")


class UnusablePlugin(ValueError):
    """Why a plug-in cannot be used, to follow “is skipped: ”."""


class PluginProblem(Struct, frozen=True):
    """A plug-in that was skipped. `what` is “provider” or “command”."""

    what: str
    package: str
    name: str
    reason: str

    def __str__(self) -> str:
        return (
            f"The {self.what} “{self.name}” of the package {self.package} is skipped: "
            f"{self.reason}."
        )


def installed_plugins(group: str) -> Iterable[EntryPoint]:
    """The entry points of a group. The installed packages are searched once for all groups, since
    each search takes milliseconds of the start.
    """
    found: Iterable[EntryPoint] = _entry_points(tuple(sys.path)).select(group=group)
    return found


@lru_cache(maxsize=1)
def _entry_points(path: tuple[str, ...]) -> Any:  # noqa: ARG001 - where packages are found
    return entry_points()


def load_plugins(
    found: Iterable[EntryPoint], what: str, read: Callable[[object], T]
) -> Iterator[T | PluginProblem]:
    """What `read` returns for each value, sorted by name, or why it is skipped. `read` raises
    UnusablePlugin.
    """
    # The order of installed packages is not defined.
    for entry in sorted(found, key=lambda each: (each.name, each.value)):
        try:
            plugin = read(_loaded(entry))
        except UnusablePlugin as error:
            package = entry.dist.name if entry.dist else "unknown"
            yield PluginProblem(what, package, entry.name, str(error))
        else:
            yield plugin


def check_version(version: object) -> None:
    """Raises UnusablePlugin for a plug-in that was written for another version of the interface."""
    if version != API_VERSION:
        raise UnusablePlugin(
            f"it was written for version {version} of the plug-in interface, and this bot has "
            f"version {API_VERSION}"
        )


def _loaded(entry: EntryPoint) -> object:
    module, _, attribute = entry.value.partition(":")
    try:
        return entry.load()
    except AttributeError as error:
        # Also raised by a fault inside the module, whose name is another one.
        if error.name == attribute:
            raise UnusablePlugin(f"{module} has no {attribute}") from error
        raise UnusablePlugin(f"{module} fails when it is imported (AttributeError)") from error
    except ModuleNotFoundError as error:
        raise UnusablePlugin(f"the module {error.name} is not installed") from error
    # A plug-in's code runs here and may fail in any way, including sys.exit.
    except (Exception, SystemExit) as error:
        kind = type(error).__name__
        raise UnusablePlugin(f"{module} fails when it is imported ({kind})") from error
