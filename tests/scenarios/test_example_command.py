"""A command of another package works everywhere, and no other package names one of our commands."""

from __future__ import annotations

import ast
import os
import re
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from bot.cli.mcp import tools
from bot.config.tables import AccessSettings
from bot.questions.registry import COMMANDS, load_plugin_commands
from bot.sandbox.sandbox import Sandbox
from tests.conftest import ROOT, Run
from tests.example_command.opswatch_pantry import COMMAND as PANTRY

FOLDER = ROOT / "tests" / "example_command"
PATHS = os.pathsep.join([str(ROOT), str(FOLDER)])


async def test_added_command_answers_in_terminal(run_cli: Run) -> None:
    ran = await run_cli("ask", "/pantry today", "--json", PYTHONPATH=PATHS)
    assert ran.code == 0, ran.err
    assert ran.json["values"] == {"jars": 1}
    unknown = await run_cli("ask", "/pantri today", PYTHONPATH=PATHS)
    assert unknown.code == 2
    assert re.search(r"the commands are /usage, .* and /pantry\.", unknown.err + unknown.out)


async def test_added_command_is_in_manifest(run_cli: Run) -> None:
    ran = await run_cli("manifest", "--json", PYTHONPATH=PATHS)
    commands = ran.json["features"]["slash_commands"]
    assert [command["command"] for command in commands][-1] == "/pantry"
    assert "/pantry counts jars." in ran.json["display_information"]["long_description"]


async def test_added_command_answers_in_chat(run_cli: Run) -> None:
    asked = ("--ask", "/pantry today", "--ask", "/pantry help", "--ask", "/pantry alerts")
    ran = await run_cli("demo", *asked, PYTHONPATH=PATHS)
    assert ran.code == 0, ran.err
    assert re.search(r"^  \d jars", ran.out, re.MULTILINE)
    assert "How many jars there are" in ran.out
    assert "/pantry alert today jars above 3" in ran.out


async def test_access_to_added_command_is_configured(sandbox: Sandbox, run_cli: Run) -> None:
    table = sandbox.table()
    question = ("ask", "/pantry today", "--user", "U0LINUS")
    assert (await run_cli(*question, table=table, PYTHONPATH=PATHS)).code == 0
    table["access"]["pantry"] = ["U0ADA"]
    assert (await run_cli(*question, table=table, PYTHONPATH=PATHS)).code == 4
    unknown = await run_cli(*question, table=table)
    assert unknown.code == 2
    assert "access.pantry: an unknown key" in unknown.err + unknown.out


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("no_such_module:COMMAND", "the module no_such_module is not installed"),
        ("bot.commands.usage:MISSING", "bot.commands.usage has no MISSING"),
        ("bot.commands.usage:UsageCommand", "its value is of type ABCMeta, not Command"),
        ("bot.commands.usage:COMMAND", "there is a command /usage already"),
    ],
)
def test_unusable_command_is_skipped(value: str, reason: str) -> None:
    entry = EntryPoint("other", value, "opswatch.commands")
    commands, problems = load_plugin_commands(COMMANDS.built_in, [entry])
    assert commands == {}
    sentence = f"The command “other” of the package unknown is skipped: {reason}."
    assert [str(problem) for problem in problems] == [sentence]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"api_version": 2},
            "it was written for version 2 of the plug-in interface, and this bot has version 1",
        ),
        (
            {"name": "Not A Name"},
            "its name is not a word of lower-case letters, digits and underscores",
        ),
        *(
            ({"name": key}, f"the name “{key}” is a key of [access] already")
            for key in AccessSettings.model_fields
        ),
    ],
)
def test_invalid_command_is_skipped(
    changes: dict[str, Any], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = replace(COMMANDS["usage"], **{"name": "pantry", **changes})
    monkeypatch.setattr("bot.commands.usage.OTHER", made, raising=False)
    entry = EntryPoint("other", "bot.commands.usage:OTHER", "opswatch.commands")
    commands, problems = load_plugin_commands(COMMANDS.built_in, [entry])
    assert commands == {}
    assert reason in str(problems[0])


async def test_check_reports_unusable_command(tmp_path: Path, run_cli: Run) -> None:
    info = tmp_path / "opswatch_broken-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: opswatch-broken\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[opswatch.commands]\npantry = no_such_module:COMMAND\n")
    paths = os.pathsep.join([str(ROOT), str(tmp_path)])
    ran = await run_cli("check", PYTHONPATH=paths)
    assert "“pantry” of the package opswatch-broken is skipped" in ran.out + ran.err


def test_tools_of_added_commands_have_names_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    # One has no tool of its own, and the other brings one that is called `usage`.
    added = {"alerts": replace(PANTRY, name="alerts"), "other": COMMANDS["usage"]}
    monkeypatch.setattr(tools, "COMMANDS", {"usage": COMMANDS["usage"], **added})
    found = [(tool.name, tool.command) for tool in tools.tool_descriptions()]
    assert found == [
        ("usage", "usage"),
        ("ask_alerts", "alerts"),
        ("ask_usage", "other"),
        ("alerts", None),
    ]


def modules() -> list[Path]:
    """The modules that must not name a command: all except the commands' own folders and the
    sandbox, whose configuration is what users write.
    """
    found = [path for room in ("bot", "handlers") for path in (ROOT / room).rglob("*.py")]
    own = [ROOT / "bot" / "sandbox", *(ROOT / "bot" / "commands" / name for name in COMMANDS)]
    return [path for path in found if not any(path.is_relative_to(folder) for folder in own)]


def named_commands(source: str) -> list[str]:
    """The strings in a module that are a command's name or begin with a typed command."""
    names = [*COMMANDS, *(f"/{name}" for name in COMMANDS)]
    return [
        node.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and (node.value in names or node.value.startswith(tuple(f"/{name} " for name in COMMANDS)))
    ]


# The settings of accounts have a table of this name, too.
SETTINGS = {"logs"}


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_room_names_a_command(path: Path) -> None:
    found = named_commands(path.read_text("utf-8"))
    is_config = "config" in str(path.relative_to(ROOT))
    assert [name for name in found if not (is_config and name in SETTINGS)] == []


def test_scan_finds_a_named_command() -> None:
    assert named_commands('x = ["usage", "/logs help", f"/apiaudit {x}"]') == [
        "usage",
        "/logs help",
        "/apiaudit ",
    ]
