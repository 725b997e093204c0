"""Commands that people wait for in a terminal import only what they need."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

import bot.store
from tests.conftest import ROOT

UNUSED = {
    "apscheduler",
    "aiohttp",
    "configparser",
    "email.policy",
    "hyperscan",
    "resvg_py",
    "slack_bolt",
    "slack_sdk",
    "sqlite_utils",
}


def imported_by(code: str) -> set[str]:
    """The modules imported after the code has run."""
    script = f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
        text=True,
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("import bot.cli.main", id="help"),
        pytest.param(
            "import bot.cli.ask, bot.store.sqlite.connection, providers.rapid7.client",
            id="a question",
        ),
        pytest.param(
            "from providers.redaction import Redactor, Secret\n"
            "assert Redactor([Secret('s3cr3t-value')]).text('') == ''",
            id="nothing to redact",
        ),
    ],
)
def test_unneeded_packages_are_not_imported(code: str) -> None:
    assert not UNUSED & imported_by(code)


def test_help_reads_no_settings() -> None:
    heavy = {"pydantic", "providers.settings", "bot.config.reading", "bot.questions.registry"}
    assert not heavy & imported_by("import bot.cli.main")


def test_answers_of_other_commands_are_not_imported() -> None:
    modules = imported_by(
        "import bot.cli.ask\nfrom bot.questions.registry import COMMANDS; [*COMMANDS.values()]"
    )
    answers = {f"bot.commands.{command}.answer" for command in ("usage", "apiaudit", "logs")}
    assert not answers & modules


@pytest.mark.parametrize("name", bot.store.__all__)
def test_store_exports_every_name(name: str) -> None:
    assert getattr(bot.store, name) is not None


def test_unknown_name_is_no_export() -> None:
    with pytest.raises(AttributeError, match="kitchen"):
        bot.store.kitchen  # noqa: B018


def test_names_of_commands_import_none_of_them() -> None:
    modules = imported_by(
        "import bot.config\n"
        "from bot.questions.registry import COMMANDS\n"
        "assert {'usage', 'logs', 'apiaudit'} <= {*COMMANDS}; COMMANDS['usage']"
    )
    assert "bot.commands.usage" in modules
    assert not {"bot.commands.logs", "bot.commands.apiaudit"} & modules


def test_installed_packages_are_searched_once() -> None:
    modules = imported_by(
        "import importlib.metadata as metadata\n"
        "searched = []\n"
        "find = metadata.entry_points\n"
        "metadata.entry_points = lambda **group: searched.append(group) or find(**group)\n"
        "from bot.questions.registry import COMMANDS; [*COMMANDS]\n"
        "from providers.registry import registry; registry()\n"
        "from contextlib import suppress\n"
        "from bot.config.settings import Settings\n"
        "with suppress(ValueError): Settings.model_validate({})\n"
        "assert len(searched) == 1, searched"
    )
    assert "bot.questions.registry" in modules
