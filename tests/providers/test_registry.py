"""A vendor is a folder and a row, including vendors in another package."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from providers.registry import BUILT_IN, load_registry
from tests.conftest import ROOT

VENDOR_NAMES = re.compile("|".join(each.kind for each in BUILT_IN), re.IGNORECASE)
# The registry has the rows; a rule for secrets is named by whose secrets it finds.
ALLOWED = ("providers/registry.py", "providers/redaction/")


def test_no_file_outside_its_folder_names_a_vendor() -> None:
    folders = tuple(f"providers/{each.kind}/" for each in BUILT_IN)
    named = [
        path.relative_to(ROOT).as_posix()
        for top in ("bot", "handlers", "providers")
        for path in (ROOT / top).rglob("*")
        if path.suffix in (".py", ".js", ".html", ".css", ".yml")
        and VENDOR_NAMES.search(path.read_text("utf-8"))
    ]
    assert [name for name in named if not name.startswith((*folders, *ALLOWED))] == []


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("no_such_module:PROVIDER", "the module no_such_module is not installed"),
        ("providers.rapid7:MISSING", "providers.rapid7 has no MISSING"),
        ("providers.models:Window", "its value is of type type, not Provider"),
        ("providers.rapid7:PROVIDER", "its kind “rapid7” is Rapid7's already"),
    ],
)
def test_unusable_plugin_is_skipped(value: str, reason: str) -> None:
    assert problem_of(value) == f"The provider “other” of the package unknown is skipped: {reason}."


def problem_of(value: str) -> str:
    """Why the provider at an entry point is skipped; our own are available all the same."""
    found = load_registry(BUILT_IN, [EntryPoint("other", value, "opswatch.providers")])
    assert list(found.providers) == [each.kind for each in BUILT_IN]
    return str(found.problems[0])


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import gone", "the module gone is not installed"),
        ("1 / 0", "broken fails when it is imported (ZeroDivisionError)"),
        ("import re; re.missing", "broken fails when it is imported (AttributeError)"),
        ("raise SystemExit(0)", "broken fails when it is imported (SystemExit)"),
        ("PROVIDER = (", "broken fails when it is imported (SyntaxError)"),
    ],
    ids=["missing module", "error", "missing name", "exit", "syntax"],
)
def test_plugin_that_fails_on_import_is_skipped(
    code: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "broken", raising=False)
    assert problem_of("broken:PROVIDER").endswith(f"is skipped: {reason}.")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"api_version": 2},
            "it was written for version 2 of the plug-in interface, and this bot has version 1",
        ),
        ({"kind": "Not A Kind"}, "its kind is not a word of lower-case letters, digits and dashes"),
        ({"title": " "}, "it has no title"),
        ({"settings": dict}, "its settings are not a subclass of AccountSettings"),
        ({"capabilities": frozenset()}, "its capabilities are not some of usage, calls, logs"),
        ({"filters": ("Bad!",)}, "its filter “Bad!” is not a word of lower-case letters"),
    ],
    ids=["version", "kind", "title", "settings", "capabilities", "filter"],
)
def test_invalid_provider_is_skipped(
    changes: dict[str, Any], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = replace(BUILT_IN[0], **{"kind": "other", **changes})
    monkeypatch.setattr("providers.rapid7.OTHER", made, raising=False)
    assert reason in problem_of("providers.rapid7:OTHER")


def install(folder: Path, target: str = "opswatch_acme:PROVIDER") -> dict[str, str]:
    """The environment of a program that finds the example package in a folder."""
    source = ROOT / "tests" / "example_provider" / "opswatch_acme"
    shutil.copytree(source, folder / "opswatch_acme")
    info = folder / "opswatch_acme-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: opswatch-acme\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[opswatch.providers]\nacme = {target}\n")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}


def opswatch(env: dict[str, str], cwd: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bot", *words]
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=300)


def test_installed_vendor_answers_in_demo(tmp_path: Path) -> None:
    env = install(tmp_path)
    asked = ("/usage coyote last 7 days", "/apiaudit coyote 24h")
    ran = opswatch(env, tmp_path, "demo", *(w for line in asked for w in ("--ask", line)))
    assert ran.returncode == 0, ran.stderr
    assert "7.00 kB" in ran.stdout
    assert "wile" in ran.stdout


def test_check_reports_broken_plugin(tmp_path: Path) -> None:
    env = install(tmp_path, "opswatch_acme:MISSING")
    (tmp_path / "bot.toml").write_text("")
    ran = opswatch(env, tmp_path, "check")
    assert ran.returncode == 2
    assert "“acme” of the package opswatch-acme is skipped" in ran.stdout + ran.stderr


def test_init_writes_example_of_installed_vendor(tmp_path: Path) -> None:
    assert opswatch(install(tmp_path), tmp_path, "init").returncode == 0
    assert 'kind = "acme"' in (tmp_path / "bot.toml").read_text()
