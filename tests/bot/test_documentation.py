"""Messages quoted in docs/ are messages of the program."""

from __future__ import annotations

import ast
import re
import shlex
from functools import cache

import click
import pytest

from bot.cli.main import main
from bot.errors import OpswatchError
from providers.errors import ProviderError
from tests.conftest import ROOT

TROUBLESHOOTING = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
QUOTED = [
    text for text in re.findall(r"^\| `([^`]+)`", TROUBLESHOOTING, re.MULTILINE) if " " in text
]
KINDS = dict(
    re.findall(
        r"^\| `(\w+)` \| (\d) \|", (ROOT / "docs" / "json.md").read_text("utf-8"), re.MULTILINE
    )
)


@cache
def messages() -> list[str]:
    """Every text of the program, with an ellipsis in place of each inserted value."""
    found = []
    for room in ("bot", "handlers", "providers"):
        for path in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.JoinedStr):
                    found.append("".join(_part(value) for value in node.values))
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.append(node.value)
    return found


def _part(value: ast.expr) -> str:
    return str(value.value) if isinstance(value, ast.Constant) else "…"


@pytest.mark.parametrize("quoted", QUOTED)
def test_troubleshooting_quotes_real_messages(quoted: str) -> None:
    wanted = quoted.strip("… ")
    assert any(wanted in message.replace("`", "") for message in messages())


def test_troubleshooting_covers_many_messages() -> None:
    assert len(QUOTED) >= 25


PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SHOWN = sorted(
    {
        line.strip("`").partition("#")[0].split(">")[0].strip()
        for page in PAGES
        for line in re.findall(
            r"^ +opswatch [^\n]+|`opswatch [^`\n]+`", page.read_text("utf-8"), re.MULTILINE
        )
        if "|" not in line
    }
)


def unknown_options(shown: str) -> list[str]:
    """Command-line options that the program does not have at that place."""
    command: click.Command = main
    unknown = []
    for word in shlex.split(shown)[1:]:
        if word.startswith("--"):
            known = {name for option in command.params for name in (*option.opts, "--help")}
            unknown += [word] if word not in known else []
        elif isinstance(command, click.Group):
            found = command.get_command(click.Context(command), word)
            if found is None:
                return [word]
            command = found
    return unknown


@pytest.mark.parametrize("shown", SHOWN)
def test_command_of_a_page_exists(shown: str) -> None:
    assert unknown_options(shown) == []


def test_option_in_the_wrong_place_is_found() -> None:
    assert unknown_options("opswatch run --verbose") == ["--verbose"]
    assert unknown_options("opswatch --verbose run") == []
    assert len(SHOWN) > 20


def test_made_up_message_would_be_found() -> None:
    assert not any("The bot is out of coffee" in message for message in messages())


def kinds_below(error: type[OpswatchError | ProviderError]) -> set[str]:
    """The kinds of an error and of all errors derived from it."""
    return {error.kind}.union(*(kinds_below(each) for each in error.__subclasses__()))


def test_kinds_of_errors_are_documented() -> None:
    # No terminal command posts to Slack, or has a Cancel button.
    ours = kinds_below(OpswatchError) - {"slack", "cancelled"}
    vendors = kinds_below(ProviderError)
    assert set(KINDS) == ours | vendors
    assert {kind for kind, code in KINDS.items() if code == "3"} == vendors
