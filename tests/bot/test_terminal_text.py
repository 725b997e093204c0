"""Text shown in a terminal cannot control it."""

from __future__ import annotations

import json
import re

import pytest

from bot.system.terminal_text import terminal_json, terminal_line, terminal_text

ACTS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)
HOSTILE = [
    ("a\x1b[31mred\x1b[0m b", "ared b"),
    ("\x1b[2J\x1b[1;1Hgone", "gone"),
    ("\x9b31mred", "red"),
    ("\x1b]0;title\x07text", "text"),
    ("\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\", "link"),
    ("\x9d0;title\x9ctext", "text"),
    ("\x1bP1$r\x1b\\text", "text"),
    ("\x1b(0text\x1bc", "text"),
    ("\x1b]0;never closed", "0;never closed"),
    ("one\r\ntwo\rthree", "one\ntwo·three"),
    ("\u202egnp.exe\u202c", "·gnp.exe·"),
    ("a\u200bb\ufeff", "a·b·"),
    ("\udc80", "·"),
    ("\x00\x07\x08", "···"),
    ("tab\tend", "tab end"),
    ("5.40 GB – Größe ∗ 😀", "5.40 GB – Größe ∗ 😀"),
]


@pytest.mark.parametrize(("hostile", "shown"), HOSTILE)
def test_terminal_text_acts_on_nothing(hostile: str, shown: str) -> None:
    assert terminal_text(hostile) == shown
    assert ACTS.search(terminal_text(hostile)) is None
    assert "\n" not in terminal_line(hostile)


@pytest.mark.parametrize(("hostile", "shown"), HOSTILE)
def test_json_escapes_control_characters(hostile: str, shown: str) -> None:
    del shown
    line = terminal_json({"text": hostile, hostile: 1})
    assert ACTS.search(line) is None
    assert json.loads(line) == {"text": hostile, hostile: 1}


@pytest.mark.parametrize(
    "piece", ["\x1b[", "\x1b]", "\x9d", "\x9b", "\x1b", "\x1bP;", "0", "\x1b]\x9d"]
)
def test_time_grows_linearly_with_length(piece: str) -> None:
    """A pattern that is not linear would read the text again from each of its signs, for hours."""
    assert len(terminal_text(piece * 300_000)) <= 300_000 * len(piece)
