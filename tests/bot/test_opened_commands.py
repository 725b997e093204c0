"""The code that answers a command's questions is loaded when first needed."""

from __future__ import annotations

from typing import Any

import pytest

from bot.commands.answering import OpenedCommands


class Command:
    def __init__(self) -> None:
        self.opened_with: list[Any] = []

    def open(self, services: Any) -> list[Any]:
        self.opened_with.append(services)
        return self.opened_with


def test_command_is_opened_once_when_used() -> None:
    usage = Command()
    logs = Command()
    commands: Any = {"usage": usage, "logs": logs}
    services: Any = "services"
    opened = OpenedCommands(commands, services)
    assert (list(opened), len(opened)) == (["usage", "logs"], 2)
    first: Any = opened["usage"]
    again: Any = opened["usage"]
    assert first is again
    assert (usage.opened_with, logs.opened_with) == (["services"], [])


def test_unknown_command_is_not_opened() -> None:
    nothing: Any = {}
    services: Any = None
    with pytest.raises(KeyError):
        OpenedCommands(nothing, services)["usage"]
