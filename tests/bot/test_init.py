"""`python -m bot init` writes a configuration to start from, and never overwrites an existing one."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from bot.cli.init import example_config
from bot.config import read_settings
from bot.errors import ConfigError, ConfigProblem
from tests.conftest import ROOT

Opswatch = Callable[..., subprocess.CompletedProcess[str]]

EXAMPLE = (ROOT / "bot.example.toml").read_bytes()


@pytest.mark.parametrize(
    ("words", "environ", "written"),
    [
        ([], {}, "bot.toml"),
        (["other.toml"], {}, "other.toml"),
        (["--config", "given.toml"], {}, "given.toml"),
        ([], {"BOT_CONFIG": "named.toml"}, "named.toml"),
        (["other.toml"], {"BOT_CONFIG": "named.toml"}, "other.toml"),
    ],
    ids=["default", "argument", "option", "environment", "argument wins"],
)
def test_init_writes_the_example(
    tmp_path: Path, words: list[str], environ: dict[str, str], written: str, opswatch: Opswatch
) -> None:
    ran = opswatch("init", *words, cwd=tmp_path, **environ)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert [path.name for path in tmp_path.iterdir()] == [written]
    assert (tmp_path / written).read_bytes() == example_config()
    assert stat.S_IMODE((tmp_path / written).stat().st_mode) == 0o600


def test_full_example_has_every_setting(tmp_path: Path, opswatch: Opswatch) -> None:
    assert opswatch("init", "--full", cwd=tmp_path).returncode == 0
    assert (tmp_path / "bot.toml").read_bytes() == EXAMPLE


@pytest.mark.parametrize(
    ("vendors", "most"), [([], 55), (["rapid7"], 32), (["akamai"], 36), (["devicewise"], 32)]
)
def test_configuration_to_start_from_is_short(vendors: list[str], most: int) -> None:
    text = example_config(vendors).decode()
    assert len(text.splitlines()) <= most
    assert "\n\n\n" not in text
    assert "init --full" in text
    assert set(re.findall(r"^\[(\w+)", text, re.MULTILINE)) == {"slack", "access", "providers"}


def test_init_shows_next_steps(tmp_path: Path, opswatch: Opswatch) -> None:
    steps = [
        line
        for line in opswatch("init", "my.toml", cwd=tmp_path).stdout.splitlines()
        if line[:1].isdigit()
    ]
    assert [step[:2] for step in steps] == ["1.", "2.", "3.", "4."]
    assert "python -m bot check --config my.toml" in steps[3]
    assert "python -m bot run --config my.toml" in steps[3]


def test_init_never_overwrites(tmp_path: Path, opswatch: Opswatch) -> None:
    (tmp_path / "bot.toml").write_text("mine")
    ran = opswatch("init", cwd=tmp_path)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "exists already" in ran.stderr
    assert (tmp_path / "bot.toml").read_text() == "mine"


def test_init_does_not_write_through_links(tmp_path: Path, opswatch: Opswatch) -> None:
    (tmp_path / "bot.toml").symlink_to(tmp_path / "elsewhere")
    assert opswatch("init", cwd=tmp_path).returncode == 2
    assert not (tmp_path / "elsewhere").exists()


def test_init_names_a_missing_folder(tmp_path: Path, opswatch: Opswatch) -> None:
    ran = opswatch("init", "nowhere/bot.toml", cwd=tmp_path)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "nowhere does not exist" in ran.stderr


def test_example_is_valid_with_its_variables(tmp_path: Path, opswatch: Opswatch) -> None:
    assert opswatch("init", cwd=tmp_path).returncode == 0
    with pytest.raises(ConfigError) as raised:
        read_settings(tmp_path / "bot.toml", environ={})
    active = re.findall(r'^[^#\n]*"env:(\w+)"', example_config().decode(), re.MULTILINE)
    wanted = dict.fromkeys(active, "x")
    assert "RAPID7_API_KEY" in wanted
    assert len(raised.value.problems) == len(wanted)
    assert read_settings(tmp_path / "bot.toml", environ=wanted).providers


@pytest.mark.parametrize(
    ("vendors", "accounts"),
    [
        (["rapid7"], {"rapid7-eu"}),
        (["akamai"], {"edge"}),
        (["Akamai", "devicewise"], {"edge", "iot"}),
    ],
    ids=["one", "another", "two"],
)
def test_init_sets_up_named_vendors_alone(
    tmp_path: Path, vendors: list[str], accounts: set[str], opswatch: Opswatch
) -> None:
    options = [word for vendor in vendors for word in ("--vendor", vendor)]
    ran = opswatch("init", *options, cwd=tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")
    written = tomllib.loads((tmp_path / "bot.toml").read_text())
    assert set(written["providers"]) == accounts
    assert written["access"] == {"usage": ["*"]}
    assert "ops_channel" not in written["slack"]


def test_commented_line_keeps_its_column() -> None:
    lines = example_config(["rapid7"]).decode().splitlines()
    [channel] = [line for line in lines if line.startswith("# ops_channel")]
    [mode] = [line for line in lines if line.startswith("mode")]
    assert channel.rindex("#") == mode.rindex("#")


def test_init_names_the_vendors(tmp_path: Path, opswatch: Opswatch) -> None:
    ran = opswatch("init", "--vendor", "rapid", cwd=tmp_path)
    assert ran.returncode == 2
    assert "not one of rapid7, akamai, devicewise" in ran.stderr
    assert list(tmp_path.iterdir()) == []


def test_help_shows_the_invoked_name(tmp_path: Path, opswatch: Opswatch) -> None:
    assert "python -m bot check" in opswatch("--help", cwd=tmp_path).stdout
    assert "Usage: python -m bot check" in opswatch("check", "--help", cwd=tmp_path).stdout


def test_missing_configuration_points_to_init(tmp_path: Path, opswatch: Opswatch) -> None:
    ran = opswatch("check", cwd=tmp_path)
    assert ran.returncode == 2
    assert "python -m bot init" in ran.stdout
    assert "bot.example.toml" not in ran.stdout


def test_demo_names_missing_packages(tmp_path: Path) -> None:
    hidden = tmp_path / "akamai"
    hidden.mkdir()
    (hidden / "__init__.py").write_text("")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    ran = subprocess.run(
        [sys.executable, "-m", "bot", "demo", "--ask", "/usage"],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (ran.returncode, ran.stdout) == (2, "")
    assert (
        ran.stderr
        == "The demo needs packages that are not installed: pip install 'opswatch[demo]'\n"
    )


@pytest.mark.parametrize(
    "words", [["manifest"], ["ask", "/usage help"], ["init", "--help"]], ids=lambda words: words[0]
)
def test_closed_pipe_is_no_fault(words: list[str], tmp_path: Path) -> None:
    """As `opswatch manifest | head` closes it, once it has read enough."""
    (tmp_path / "bot.toml").write_text("")
    with subprocess.Popen(
        [sys.executable, "-m", "bot", *words],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as program:
        assert program.stdout
        assert program.stderr
        program.stdout.close()
        assert program.stderr.read() == b""


@pytest.mark.parametrize(
    ("vendor", "unfilled"),
    [
        ("rapid7", ["rapid7-eu.region"]),
        ("akamai", ["edge.host", "edge.account_ids"]),
        ("devicewise", []),
    ],
    ids=["rapid7", "akamai", "devicewise"],
)
def test_init_leaves_no_guess(tmp_path: Path, vendor: str, unfilled: list[str]) -> None:
    """What remains is a reference, a default, or has to be filled in, which `check` says."""
    path = tmp_path / "bot.toml"
    path.write_bytes(example_config([vendor]))
    table = tomllib.loads(path.read_text())
    assert "timezone" not in table
    [account] = table["providers"].values()
    assert not {"monthly_quota", "logs", "org"} & account.keys()
    environ = dict.fromkeys(re.findall(r'^[^#\n]*"env:(\w+)"', path.read_text(), re.MULTILINE), "x")
    problems: Sequence[ConfigProblem] = ()
    try:
        read_settings(path, environ=environ)
    except ConfigError as error:
        problems = error.problems
    assert [each.key for each in problems] == [f"providers.{key}" for key in unfilled]
    words = "still says CHANGE-ME; write your own value"
    regions = ", one of us, us2, us3, eu, ca, au, ap" if vendor == "rapid7" else ""
    assert all(each.right == words + regions for each in problems)


def test_filled_in_example_is_valid(tmp_path: Path) -> None:
    path = tmp_path / "bot.toml"
    path.write_bytes(example_config(["rapid7"]).replace(b"CHANGE-ME", b"eu"))
    assert read_settings(path, environ={"RAPID7_API_KEY": "x"}).providers
