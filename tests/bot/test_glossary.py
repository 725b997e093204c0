"""Texts for people contain no term that the glossary rules out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli.main import main
from tests.conftest import ROOT
from tests.prose import CODE, PAGES, texts

ROW = re.compile(r"^\| (?P<term>[^|]+) \| [^|]+ \| (?P<avoided>[^|]*) ?\|$", re.MULTILINE)
COMMANDS = ["", *main.commands]


def avoided() -> dict[str, str]:
    """Each phrase to avoid, with the term to use."""
    _, _, *rows = ROW.findall((ROOT / "docs" / "glossary.md").read_text("utf-8"))
    return {
        phrase.strip(): term
        for term, phrases in rows
        for phrase in phrases.split(",")
        if phrase.strip()
    }


def found_in(text: str) -> list[str]:
    return [
        f"“{phrase}” (write “{term}”)"
        for phrase, term in avoided().items()
        if re.search(rf"\b{re.escape(phrase)}\b", text, re.IGNORECASE)
    ]


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_messages_use_the_glossary(path: Path) -> None:
    assert [(line, found) for line, text in texts(path) for found in found_in(text)] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_pages_use_the_glossary(path: Path) -> None:
    if path.name != "glossary.md":
        lines = enumerate(path.read_text("utf-8").splitlines(), start=1)
        assert [(number, found) for number, line in lines for found in found_in(line)] == []


@pytest.mark.parametrize("command", COMMANDS, ids=lambda name: name or "opswatch")
def test_help_uses_the_glossary(command: str) -> None:
    shown = CliRunner().invoke(main, [*filter(None, [command]), "--help"]).output
    assert "Usage:" in shown
    assert found_in(" ".join(shown.split())) == []


def test_glossary_rules_something_out() -> None:
    assert found_in("Nothing is told here.") == ["“is told” (write “posted”)"]
