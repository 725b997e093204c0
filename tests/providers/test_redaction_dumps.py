"""Dumps: a different secret every few bytes, in lines of any length."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial

import pytest

from providers.redaction import Redactor, assigned, named, notation, unsigned, values
from providers.redaction.secret import DUMP_MARK
from providers.redaction.tokens import letters
from tests.support.regex_work import Work

RANDOM = random.Random(11)
SIZE = 60_000
ORDINARY = "".join(
    f"2026-11-21T10:00:{n % 60:02} GET /oven/{n * 7919 % 10_007} 200 {n % 97} ms\n"
    for n in range(40)
)
ORDINARY_TEXT = ORDINARY.replace("\n", " ")


def word(length: int) -> str:
    return "0aZ9" + "".join(RANDOM.choices(letters(60), k=length))


DUMPS: dict[str, Callable[[], str]] = {
    "assignments": lambda: f"token={word(8)} ",
    "long assignments": lambda: f"token={word(40)} ",
    "columns": lambda: f"a.pwd {word(8)} ",
    "cells": lambda: f"pass,{word(8)} ",
    "members": lambda: f'"password":"{word(8)}",',
    "objects": lambda: f'{{"name":"password","value":"{word(8)}"}},',
    "escaped members": lambda: f'\\"token\\":\\"{word(8)}\\",',
    "elements": lambda: f"<password>{word(8)}</password>",
    "parameters": lambda: f"&api_key={word(12)}",
    "options": lambda: f"--password {word(8)} ",
    "sentences": lambda: f"password is {word(8)}. ",
    "cookies": lambda: f"cookie: a={word(8)} ",
    "schemes": lambda: f"Bearer {word(20)} ",
    "headers": lambda: f"Authorization: Bearer {word(20)}, ",
    "addresses": lambda: f"http://a:{word(8)}@h/ ",
    "tokens": lambda: f"ghp_{word(36)} ",
    "beginnings of tokens": lambda: f"-eyJ{word(8)}",
}


def dump(kind: str, line_length: int = SIZE) -> str:
    lines: list[str] = []
    while sum(map(len, lines)) < SIZE:
        line = DUMPS[kind]()
        while len(line) < line_length - 60:
            line += DUMPS[kind]()
        lines.append(line)
    return "\n".join(lines)


@pytest.mark.parametrize("line_length", [600, 5_000, SIZE])
@pytest.mark.parametrize("kind", DUMPS)
def test_dump_is_removed_and_says_so(kind: str, line_length: int) -> None:
    text = dump(kind, line_length)
    redacted = Redactor().text(text)
    removed = {text[at : at + 12] for at in range(0, len(text), 997)}
    assert not [part for part in removed if part.count("0aZ9") and part in redacted]
    if line_length > 600:
        assert DUMP_MARK.decode() in redacted
    assert redacted.count("\n") == text.count("\n")
    assert Redactor().text(redacted) == redacted


@pytest.mark.parametrize("kind", DUMPS)
def test_text_around_dump_stays(kind: str) -> None:
    text = f"first {ORDINARY}{dump(kind)}\n{ORDINARY}{dump(kind)} {ORDINARY_TEXT} last"
    redacted = Redactor().text(text)
    assert redacted.startswith(f"first {ORDINARY}")
    assert redacted.count(ORDINARY) == 2
    assert redacted.endswith(f"{ORDINARY_TEXT} last")


@pytest.mark.parametrize("kind", DUMPS)
def test_secrets_beside_dump_vanish(kind: str) -> None:
    key = f"-----BEGIN RSA PRIVATE KEY-----\n{letters(64)}\n{letters(64)}\n"
    text = f"{dump(kind)}\npassword=hunter2!\n{dump(kind)}\n{key}{dump(kind)} secret='hunter2! x'\n"
    redacted = Redactor().text(text)
    assert "hunter2" not in redacted
    assert letters(64)[20:40] not in redacted


@pytest.mark.parametrize("kind", [kind for kind in DUMPS if kind != "beginnings of tokens"])
def test_short_list_of_secrets_keeps_its_names(kind: str) -> None:
    redacted = Redactor().text("".join(DUMPS[kind]() for _ in range(20)))
    assert redacted.count("[redacted]") == 20
    assert DUMP_MARK.decode() not in redacted


def test_header_of_table_below_dump_is_read() -> None:
    redacted = Redactor().text(
        dump("cells", 16) + "\nuser,password,city\nada,Zq8w1xyz,Bern\nbo,c0ffee12,Rome\n"
    )
    assert "Zq8w1xyz" not in redacted
    assert redacted.endswith("ada,[redacted],Bern\nbo,[redacted],Rome\n")


def test_log_with_secrets_in_each_line_keeps_its_lines() -> None:
    lines = "".join(
        f"2026-11-21T10:00:00Z login user=ada{n} password={word(8)} session={word(20)}\n"
        for n in range(2_000)
    )
    redacted = Redactor().text(lines)
    assert DUMP_MARK.decode() not in redacted
    assert all(f"user=ada{n} password=[redacted]" in redacted for n in range(2_000))


@pytest.mark.parametrize("kind", DUMPS)
def test_twice_as_long_dump_takes_little_more_work(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = Work()
    for module in (named, notation, values, unsigned, assigned):
        work.watch(module, monkeypatch)
    line = dump(kind).encode()
    redact = Redactor()
    short = work.of(partial(redact.part, line[: SIZE // 2], None))
    long = work.of(partial(redact.part, line, None))
    assert long <= 1.5 * short + 10_000
