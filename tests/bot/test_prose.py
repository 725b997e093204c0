"""Texts for people follow the rules of `tests/prose.py`."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli.main import main
from tests.conftest import ROOT
from tests.prose import (
    CODE,
    PAGES,
    RULES,
    Rule,
    first_person,
    found_in,
    long_sentences,
    problems_of_code,
    problems_of_page,
    prose_of,
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_rule_finds_its_example(rule: Rule) -> None:
    assert [found.partition(":")[0] for found in found_in(rule.wrong)] == [rule.name]
    assert found_in(rule.right) == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_page_keeps_the_rules(path: Path) -> None:
    assert problems_of_page(path) == []


def test_messages_keep_the_rules() -> None:
    found = {str(path.relative_to(ROOT)): problems_of_code(path) for path in CODE}
    assert {name: problems for name, problems in found.items() if problems} == {}


def test_messages_in_the_first_person_are_found() -> None:
    assert first_person("Slack does not let me post.") == ["first person: “me”"]
    assert first_person("Why I am not there") == ["first person: “I”"]
    assert first_person("Alert me…") == []
    assert first_person("The US region of the account.") == []


def test_code_of_a_page_is_no_prose() -> None:
    page = "Run `simply`:\n\n    simply run\n\n```\njust run\n```\nSimply run."
    assert [line for line in prose_of(page).splitlines() if found_in(line)] == ["Simply run."]


def test_long_sentences_and_paragraphs_are_found() -> None:
    assert long_sentences("word " * 41) == [f"sentence of 41 words: {('word ' * 41)[:60]}…"]
    assert long_sentences("Four words are fine. " * 33)[0].startswith("paragraph of 132 words")
    assert long_sentences("| " + "word " * 200 + "|") == []


@pytest.mark.parametrize("command", main.commands)
def test_help_keeps_the_rules(command: str) -> None:
    shown = CliRunner().invoke(main, [command, "--help"]).output
    assert found_in(prose_of(" ".join(shown.split()))) == []
    # An example is copied as it is; everything else fits a terminal.
    lines = [line for line in shown.splitlines() if not line.startswith("    main ")]
    assert [line for line in lines if len(line) > 80] == []
    assert "Examples:" in shown


def test_list_of_commands_is_not_cut() -> None:
    shown = CliRunner().invoke(main, ["--help"]).output
    assert "..." not in shown.partition("Commands:")[2]
    assert max(len(line) for line in shown.splitlines()) <= 100
