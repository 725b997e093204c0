"""The lock holds what was promised; the map of imports is checked by import-linter in
`make lint`.
"""

from __future__ import annotations

from tests.conftest import ROOT


def test_lock_is_hashed_and_without_urls() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert "://" not in lock
    entries = [block for block in lock.split("\n") if block and not block.startswith((" ", "#"))]
    assert all("==" in entry for entry in entries)
    assert lock.count("--hash=sha256:") >= len(entries)
    names = {entry.split("==")[0] for entry in entries}
    assert {"slack-bolt", "httpx", "apscheduler", "sqlite-utils", "pytest", "pytest-mock"} <= names
