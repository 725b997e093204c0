"""What no linter checks: the lock file, the tools in CONTRIBUTING, and one assignment a line.
import-linter checks the map of imports in `make lint`.
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

from tests.conftest import ROOT


def test_lock_is_hashed_and_without_urls() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert "://" not in lock
    entries = [block for block in lock.split("\n") if block and not block.startswith((" ", "#"))]
    assert all("==" in entry for entry in entries)
    assert lock.count("--hash=sha256:") >= len(entries)
    names = {entry.split("==")[0] for entry in entries}
    assert {"slack-bolt", "httpx", "apscheduler", "sqlite-utils", "pytest", "pytest-mock"} <= names


def test_tools_of_contributing_are_installed() -> None:
    pages = [
        (ROOT / name).read_text("utf-8") for name in ("CONTRIBUTING.md", ".pre-commit-config.yaml")
    ]
    tools = set(re.findall(r"\.venv/bin/([\w-]+)", "\n".join(pages)))
    assert "pre-commit" in tools
    assert [
        tool for tool in sorted(tools) if not Path(sys.executable).with_name(tool).exists()
    ] == []


def saves_a_line(node: ast.stmt) -> bool:
    """Whether a statement such as `a, b = 1, 2` assigns values that do not depend on each other."""
    if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Tuple):
        return False
    [target, *_] = node.targets
    if not isinstance(target, ast.Tuple) or len(target.elts) != len(node.value.elts):
        return False
    assigned = {ast.unparse(each) for each in target.elts}
    # A swap needs the old values of both.
    read = {ast.unparse(each) for each in ast.walk(node.value) if isinstance(each, ast.Name)}
    return not assigned & read


def test_one_assignment_a_line() -> None:
    modules = [
        path for room in ("bot", "handlers", "providers") for path in (ROOT / room).rglob("*.py")
    ]
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in modules
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.stmt) and saves_a_line(node)
    ]
    assert found == []
