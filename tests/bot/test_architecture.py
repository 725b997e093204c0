"""The map of the house stays true: who imports whom, and which rooms are pure."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.conftest import ROOT

PURE = ["question", "windows", "answer", "access", "words", "errors", "slack_text", "manifest", "reports", "alerts", "blocks"]
FILES = sorted(path for room in ("bot", "handlers", "providers") for path in (ROOT / room).rglob("*.py"))


def imports(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    named = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return named | {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


def room(path: Path) -> str:
    return path.relative_to(ROOT).with_suffix("").as_posix()


def test_every_pure_room_has_files() -> None:
    found = {room(f).split("/")[1] for f in FILES if room(f).split("/")[0] == "bot"}
    assert set(PURE) <= found


@pytest.mark.parametrize("path", [f for f in FILES if room(f).startswith("providers")], ids=room)
def test_providers_know_nothing_above_them(path: Path) -> None:
    assert not [
        name for name in imports(path) if name.split(".")[0] in ("bot", "handlers", "slack_sdk", "slack_bolt", "sqlite_utils")
    ]


@pytest.mark.parametrize("path", [f for f in FILES if room(f).startswith("handlers")], ids=room)
def test_handlers_name_no_vendor(path: Path) -> None:
    assert not [
        name
        for name in imports(path)
        if name.startswith(("providers.rapid7", "providers.akamai", "providers.devicewise", "bot.app"))
    ]


@pytest.mark.parametrize("path", [f for f in FILES if room(f).split("/")[0] == "bot" and room(f).split("/")[1] in PURE], ids=room)
def test_pure_rooms_wait_for_nothing(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Await | ast.AsyncFunctionDef)]
    outside = {"slack_sdk", "slack_bolt", "sqlite_utils", "sqlite3", "httpx", "aiohttp", "asyncio", "handlers"}
    assert not [name for name in imports(path) if name.split(".")[0] in outside]
    assert ".now(" not in path.read_text()


def test_httpx_is_imported_by_providers_alone() -> None:
    users = {room(path).split("/")[0] for path in FILES if any(name.split(".")[0] == "httpx" for name in imports(path))}
    assert users == {"providers"}


def test_the_sandbox_shares_no_parsing_signing_or_formatting_with_the_bot() -> None:
    own = [path for path in FILES if room(path).startswith("bot/sandbox") and path.name not in ("demo.py", "world.py")]
    assert own
    for path in own:
        assert not [n for n in imports(path) if n.split(".")[0] in ("providers", "handlers") or (n.startswith("bot.") and not n.startswith("bot.sandbox"))], path  # fmt: skip


def test_the_lock_holds_every_dependency_hashed_and_no_address() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert "://" not in lock
    entries = [block for block in lock.split("\n") if block and not block.startswith((" ", "#"))]
    assert all("==" in entry for entry in entries)
    assert lock.count("--hash=sha256:") >= len(entries)
    names = {entry.split("==")[0] for entry in entries}
    assert {"slack-bolt", "httpx", "apscheduler", "sqlite-utils", "pytest", "pytest-mock"} <= names
