"""The wheel contains everything that the program needs, and works without a checkout."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("hatchling") is None, reason="hatchling is not installed"
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    [built] = folder.glob("opswatch-*.whl")
    return built


@pytest.fixture(scope="module")
def program(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`opswatch` in a new environment that shares only its dependencies with the environment of the
    tests.
    """
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True, timeout=120
    )
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(folder / "bin" / "python"),
        "install",
        "--no-index",
        "--no-deps",
        "-q",
    ]
    subprocess.run([*pip, str(wheel)], check=True, capture_output=True, timeout=120)
    return folder / "bin" / "opswatch"


def run(program: Path, *words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    env = {
        name: value
        for name, value in os.environ.items()
        if name not in ("PYTHONPATH", "BOT_CONFIG")
    }
    return subprocess.run(
        [str(program), *words], cwd=cwd, env=env, capture_output=True, text=True, timeout=180
    )


def test_wheel_contains_all_package_files(wheel: Path) -> None:
    packed = set(zipfile.ZipFile(wheel).namelist())
    ours = {
        path.relative_to(ROOT).as_posix()
        for package in ("bot", "handlers", "providers")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert len(ours) > 100
    assert ours <= packed
    assert "bot/cli/example.toml" in packed


def test_wheel_contains_no_tests_or_configuration(wheel: Path) -> None:
    packed = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].split("-")[0] for name in packed} == {
        "bot",
        "handlers",
        "providers",
        "opswatch",
    }
    assert not [name for name in packed if name.endswith(("bot.toml", ".sqlite", ".env"))]


def test_installed_program_calls_itself_opswatch(program: Path, tmp_path: Path) -> None:
    shown = run(program, "--help", cwd=tmp_path).stdout
    assert "opswatch check" in shown
    assert "python -m bot" not in shown
    assert "opswatch ask" in run(program, "ask", "--help", cwd=tmp_path).stdout


def test_installed_program_writes_the_example(program: Path, tmp_path: Path) -> None:
    ran = run(program, "init", "--full", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert "`opswatch check`" in ran.stdout
    assert (tmp_path / "bot.toml").read_bytes() == (ROOT / "bot.example.toml").read_bytes()


def test_demo_runs_without_a_checkout(program: Path, tmp_path: Path) -> None:
    ran = run(
        program, "demo", "--ask", "/usage last 7 days", "--ask", "/apiaudit edge 2h", cwd=tmp_path
    )
    assert ran.returncode == 0, ran.stderr
    assert "rapid7-eu" in ran.stdout
    assert "edge" in ran.stdout
