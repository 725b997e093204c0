"""docs/operating.md covers everything that exists."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner

from bot.cli.main import main
from tests.conftest import ROOT
from tests.scenarios.test_metrics import families

PAGE = (ROOT / "docs" / "operating.md").read_text()
COMMANDS = re.findall(r"^ {4}opswatch ([^#>\n]*)", PAGE, re.MULTILINE)


def test_page_lists_exactly_the_metrics_there_are() -> None:
    listed = set(re.findall(r"`(opswatch_[a-z_]+)`", PAGE))
    served = {
        family.name + ("_total" if family.type == "counter" else "")
        for family in families()
        if family.name.startswith("opswatch")
    }
    assert listed == served


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_of_the_page_exist(command: str) -> None:
    words = command.split()
    shown = CliRunner().invoke(main, [words[0], "--help"])
    assert shown.exit_code == 0
    assert all(word in shown.output for word in words if word.startswith("--"))


def test_page_has_commands() -> None:
    assert len(COMMANDS) >= 5


def test_links_of_the_page_lead_somewhere() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", PAGE):
        assert (ROOT / "docs" / link).resolve().is_file(), link
