"""The questions, commands, settings and links shown in the README and docs/ work."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot import config
from bot.alerts.commands import CreateAlert, parse_alert_command
from bot.notifications.kinds import KINDS
from bot.questions.question import AccountDirectory, CommandName
from bot.questions.reading import read_line, read_question
from bot.questions.windows import read_window
from bot.schedules.subscribe import Subscribe, parse_subscription
from providers.registry import registry
from providers.settings import Table
from tests import reference
from tests.conftest import ROOT

PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
README = "\n".join(page.read_text("utf-8") for page in PAGES)
HOUSE = AccountDirectory(
    {"rapid7-eu": "rapid7", "edge": "akamai", "iot": "devicewise"},
    {"rapid7-eu": {"kitchen": "a", "cellar": "b"}},
)
NOW = datetime(2026, 11, 21, 14, 5, tzinfo=UTC)
QUESTIONS = sorted(
    line
    for line in set(re.findall(r"`(/(?:usage|apiaudit|logs)[^`]*)`", README)) - {"/logs"}
    if "[" not in line
)
WINDOWS = re.findall(r"`([^`]+)`", README.split("## Windows")[1].split("ISO instants")[0])
MODELS: tuple[type[Table], ...] = (
    config.Settings,
    config.SlackSettings,
    config.AccessSettings,
    config.HealthSettings,
    config.LimitSettings,
    config.LoggingSettings,
    config.RetentionSettings,
    config.DigestSettings,
    config.AlertSettings,
    config.MuteSettings,
    config.ChannelSettings,
    config.ButtonSettings,
    *(kind.settings for kind in KINDS.values()),
    *(provider.settings for provider in registry().providers.values()),
)
WISHES = re.findall(
    r"^ {4}/(usage|apiaudit|logs) ((?:subscribe|subscriptions|unsubscribe|alert|alerts|unalert|silence|unsilence)\b.*)$",
    README,
    re.MULTILINE,
)
COMMANDS = re.findall(
    r"^ {4,}(?:\.venv/bin/)?(python -m bot .*|make \S+|opswatch [^#\n]*)", README, re.MULTILINE
)


def test_readme_has_examples_of_every_kind() -> None:
    assert len(QUESTIONS) >= 10
    assert len(WISHES) >= 12
    assert len(WINDOWS) >= 15
    assert len(COMMANDS) >= 10


@pytest.mark.parametrize("line", QUESTIONS)
def test_readme_questions_are_valid(line: str) -> None:
    assert read_line(line, HOUSE, now=NOW, zone=UTC)


@pytest.mark.parametrize(("command", "words"), WISHES, ids=[words for _, words in WISHES])
def test_readme_schedule_commands_are_valid(command: CommandName, words: str) -> None:
    action = parse_subscription(command, words, HOUSE) or parse_alert_command(command, words, HOUSE)
    assert action
    if isinstance(action, CreateAlert | Subscribe):
        assert read_question(command, action.query, HOUSE, now=NOW, zone=UTC).window


@pytest.mark.parametrize("words", WINDOWS)
def test_readme_windows_are_valid(words: str) -> None:
    assert read_window(words, now=NOW, zone=UTC, whole_days=False, example="").label


@pytest.mark.parametrize("command", COMMANDS)
def test_readme_commands_exist(command: str) -> None:
    words = shlex.split(re.sub(r"^opswatch ", "python -m bot ", command.strip()))
    if words[0] == "make":
        assert re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
        return
    options = [word for word in words if word.startswith("--")]
    shown = subprocess.run(
        [sys.executable, *words[1:4], "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert all(option in shown for option in options)


def test_settings_are_documented() -> None:
    example = (ROOT / "bot.example.toml").read_text()
    for model in MODELS:
        for name, field in model.model_fields.items():
            assert (field.alias or name) in README, name
            if name not in ("app_token", "app_id", "thing_key"):
                assert (field.alias or name) in example, name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8"))
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []


def test_site_has_every_page() -> None:
    listed = re.findall(r"\S+\.md", (ROOT / "mkdocs.yml").read_text("utf-8"))
    assert {f"{page.name}" for page in (ROOT / "docs").glob("*.md")} <= set(listed)


def test_index_lists_the_pages_as_the_navigation_does() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text("utf-8").partition("nav:")[2]
    index = (ROOT / "docs" / "index.md").read_text("utf-8")
    in_navigation = re.findall(r"^ +- ([^:\n]+):(?: (\S+\.md))?$", navigation, re.MULTILINE)[1:]
    in_index = [
        (title or name, path)
        for title, name, path in re.findall(
            r"^(?:## (.+)|- \[([^\]]+)\]\((\S+)\).*)$", index, re.MULTILINE
        )
    ]
    assert in_index == in_navigation


def test_generated_pages_are_current() -> None:
    for page, parts in reference.pages().items():
        written = page.read_text("utf-8")
        assert reference.filled(written, parts) == written, "run make reference"


def test_every_setting_has_a_description() -> None:
    for model in MODELS:
        # Tables are described by their own models, and the kind of an account by its heading.
        is_top = model is config.Settings
        described_elsewhere = (
            set(model.model_fields) - {"timezone", "database"} if is_top else {"kind"}
        )
        described = {*reference.docstrings(model), *described_elsewhere}
        assert set(model.model_fields) <= described, model.__name__


def test_makefile_names_tests_that_exist() -> None:
    shown = subprocess.run(
        ["make", "--dry-run", "--always-make", "PYTHON=python3", "test-hours"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    named = re.findall(r"tests/\S+", shown)
    assert len(named) > 20
    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.name)
def test_page_begins_with_what_it_is_about(page: Path) -> None:
    _, _, first, *_ = page.read_text("utf-8").split("\n", 3)
    assert re.match(r"[A-Z`][^|]*\w", first), "a sentence, not a table, a list or a heading"


def test_site_holds_the_files_its_pages_link_to(tmp_path: Path) -> None:
    from tests import site_links

    site_links.on_post_build({"docs_dir": str(ROOT / "docs"), "site_dir": str(tmp_path)})
    # A page that is not the first one is a folder, above which its link begins.
    linked = re.findall(
        r"\]\((?:\.\./)+([\w./-]+)", (ROOT / "docs/operating.md").read_text("utf-8")
    )
    assert "deploy/alerts.yml" in linked
    assert [path for path in linked if not (tmp_path / path).exists()] == []
