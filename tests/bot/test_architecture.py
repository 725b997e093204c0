"""The lock holds what was promised; the map of imports is checked by import-linter in
`make lint`.
"""

from __future__ import annotations

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
