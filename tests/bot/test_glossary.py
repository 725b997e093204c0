"""What people read holds no word that the glossary rules out."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli.main import main
from tests.conftest import ROOT

ROW = re.compile(r"^\| (?P<term>[^|]+) \| [^|]+ \| (?P<avoided>[^|]*) ?\|$", re.MULTILINE)
CODE = [path for room in ("bot", "handlers", "providers") for path in (ROOT / room).rglob("*.py")]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")),
    *(ROOT / "docs").rglob("*.md"),
    *(ROOT / name for name in ("bot.example.toml", "manifest.yml", "Makefile")),
]
COMMANDS = ["", *main.commands]


def avoided() -> dict[str, str]:
    """Each phrase that is not written, with the term to write."""
    _, _, *rows = ROW.findall((ROOT / "docs" / "glossary.md").read_text("utf-8"))
    return {
        phrase.strip(): term
        for term, phrases in rows
        for phrase in phrases.split(",")
        if phrase.strip()
    }


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """The string literals of a module that are no docstrings."""
    tree = ast.parse(path.read_text("utf-8"))
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in docstrings
        ):
            yield node.lineno, node.value


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
