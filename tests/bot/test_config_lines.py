"""Problems of the configuration name the line in the file, and never quote a value of it."""

from __future__ import annotations

import re
import time
import tomllib
from pathlib import Path

import pytest

from bot.config import read_settings
from bot.config.lines import lines_of_keys
from bot.config.on_call import read_schedule
from bot.errors import ConfigError
from tests.conftest import ROOT

WRONG = '''
[slack]
mode = "pigeon"

[providers.eu]      # without a key
kind = "rapid7"
region = "eu"
monthly_quota = 150
logs = { web = "../etc" }

[[alert]]
name = "first"
ask = "/usage eu"
value = "bytes"
above = "5 GB"
channel = "#ops"

[[alert]]
name = "second"
ask = """\\
  /usage eu"""
value = "byts"
above = "5 GB"
channel = "#ops"
colour = "red"
'''


def problems_of(text: str, folder: Path) -> list[str]:
    path = folder / "bot.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(ConfigError) as refused:
        read_settings(path, environ={})
    return [str(problem) for problem in refused.value.problems]


def test_each_problem_names_its_line(tmp_path: Path) -> None:
    found = problems_of(WRONG, tmp_path)
    assert [line.split(" = ")[0].split(": ")[:2] for line in found] == [
        ["bot.toml, line 3", "slack.mode"],
        ["bot.toml, line 5", "providers.eu.api_key"],
        ["bot.toml, line 8", "providers.eu.monthly_quota"],
        ["bot.toml, line 9", "providers.eu.logs.web"],
        ["bot.toml, line 25", "alert.second.colour"],
    ]


def test_key_is_found_behind_values_of_several_lines() -> None:
    text = 'a = [\n  1,\n  2,\n]\n[[b.c]]\nd = """\n[no.table]\ne = 1\n"""\n[b.c.f]\n"g.h" = 1\n[[b.c]]\nd.x = 3\n'
    lines = lines_of_keys(text)
    assert lines["b", "c", 0, "d"] == 6
    assert lines["b", "c", 0, "f", "g.h"] == 11
    assert lines["b", "c", 1, "d", "x"] == 13
    assert ("no", "table") not in lines


def test_every_key_of_the_example_has_its_line() -> None:
    text = (ROOT / "bot.example.toml").read_text("utf-8")
    lines = text.split("\n")
    for place, line in lines_of_keys(text).items():
        assert str(place[-1] if isinstance(place[-1], str) else place[-2]) in lines[line - 1]
    assert len(lines_of_keys(text)) > 30


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("timezone = 'UTC'\nregion = hunter2", "line 2, column 10, region = …: write a text in straight"),
        ('[slack\nmode = "hunter2"', "line 1, column 7, [slack: the name of a table ends with ]"),
        ('password = "hunter2\nmode = 1', "line 1, column 20, password = …: a text ends in its line"),
        ('a = "hunter2" hunter2', "line 1, column 15, a = …: only a # comment may follow a value"),
        ("slack: hunter2", "line 1, column 6, slack : …: a setting is written as key ="),
        ("a = 1\na = 'hunter2'\n", "line 2, column 14, a = …: this key or table is there already"),
        ("[slack]\nx = 1\n[slack]", "line 3, column 7, [slack]: this table is there already"),
        ('x = 1\ny = [1,\n"hunter2",\n', "line 2, y = …"),
        ('x = """\nhunter2\n', "line 1, x = …: a text ends with the quotes"),
        ("hunter2\n", "line 1, column 8: a setting is written as"),
        ("aHVudGVyMg==\n", "line 1, column 12: write a text"),
        (f"a = {'9' * 5000}", "a number is too long"),
    ],
)  # fmt: skip
def test_what_is_not_toml_is_shown_by_its_key(text: str, says: str, tmp_path: Path) -> None:
    [found] = problems_of(text, tmp_path)
    assert says in found
    assert "hunter2" not in found and "aHVud" not in found


def test_every_error_of_the_parser_has_plain_words(tmp_path: Path) -> None:
    """Messages of tomllib that are not in the table would be shown as they are."""
    texts = ["= 1", "a 1", "a = ", "a = True", "a = 1 2", "[a]]", "[[a]", "a = [1", "a = {b = 1", "a = {b = 1, b = 2}",
             "a = 'x", 'a = "\\p"', 'a = "\\u12"', "[a]\n[a]", "a = 1\n[a]", "a = {}\na.b = 1", "[]", "é = 1", "a = 'x\ty'\x01"]  # fmt: skip
    for text in texts:
        [found] = problems_of(text, tmp_path)
        with pytest.raises(tomllib.TOMLDecodeError) as error:
            tomllib.loads(text)
        words = re.sub(r" \(at .*", "", str(error.value))
        assert words not in found, found


def test_hostile_file_is_located_in_time(tmp_path: Path) -> None:
    began = time.perf_counter()
    for text in ("a = [\n" + "[1],\n" * 20_000, "x = 1\n" * 2 + "\n" * 50_000, "k = 1 # ]\n" * 3):
        problems_of(text, tmp_path)
    assert time.perf_counter() - began < 10


def test_schedule_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "primary.toml"
    path.write_text("[[rotation]]\npeople = [U012AB]\n")
    with pytest.raises(ValueError, match=r"line 2, column 11, people = …: write a text"):
        read_schedule(path)
