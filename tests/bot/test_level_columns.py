"""Logs of unknown programs, in which the first lines show where the level is."""

from __future__ import annotations

import pytest

from bot.logs.counter import LogCounter
from tests.support.counted_logs import as_read, counted

_MESSAGES = (
    "could not reach kitchen after 3 tries",
    "user ada logged in from 10.0.0.7",
    "GET /error/warning took 12 ms",
    "no errors found, info page shown",
    "retry in 4 s",
)
_LOWER = ("error", "info", "warn", "debug")
_UPPER = ("ERROR", "INFO", "WARN", "DEBUG")
_CAPITALISED = ("Error", "Info", "Warning", "Debug")
_LETTERS = ("E", "I", "W", "D")


def _log(template: str, words: tuple[str, ...], lines: int = 20) -> list[bytes]:
    """Lines of a template, with each word as often."""
    return [
        template.format(
            f"2026-11-21 10:{number:02}:00",
            words[number % len(words)],
            f"{_MESSAGES[number % 5]} in run {number}",
        ).encode()
        for number in range(lines)
    ]


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{} oven {} {}", _LOWER),
        ("{} 1234 {} {}", _LOWER),
        ("{} [12] {} {}", _CAPITALISED),
        ("{} [oven][12] {} : {}", _LOWER),
        ("{} oven {} {}", _LETTERS),
        ("{} {}. {}", _LETTERS),
        ("{} T12 {} oven {}", _LETTERS),
        ("{} oven.bake/{} {}", _LOWER),
        ("{} oven.{}: {}", _LOWER),
        ("{} oven-{}: {}", _UPPER),
        ("{} oven severity={} {}", _LOWER),
        ("{} Thread: 12 Level: {} {}", _CAPITALISED),
        ("{} \U0001f525 {} {}", _UPPER),
        ("{} ▌{} {}", _UPPER),
        ("{} @{} oven {}", _LOWER),
        ("{} |-{} in oven - {}", _UPPER),
        ("{} kitchen;12;{};{}", _LOWER),
        ("{} `{}` {}", _LOWER),
        ("12 | {1} | {0} | {2}", _LOWER),
        ("kitchen;{1};{0};{2}", _CAPITALISED),
        ("{0},oven,12,{2},{1}", _UPPER),
        ("{0} {2} [{1}]", _LOWER),
        ("{0} {2} level {1}", _LOWER),
        ("{} oven {} {}", ("Fehler", "Hinweis", "Warnung", "Debug")),
        ("{} [{}] {}", ("ОШИБКА", "Информация", "предупреждение", "отладка")),
        ("{} [{}] {}", ("エラー", "情報", "警告", "デバッグ")),
        ("{} [{}] {}", ("错误", "信息", "警告", "调试")),
        ("{} [{}] {}", ("HATA", "BİLGİ", "UYARI", "DEBUG")),
        ("{} [{}] {}", ("BŁĄD", "Informacja", "OSTRZEŻENIE", "DEBUG")),
        ("{} - {} - {}", ("ERROR", "INFORMACIÓN", "ADVERTENCIA", "DEPURACIÓN")),
    ],
)
def test_level_is_found_in_its_column(template: str, words: tuple[str, ...]) -> None:
    lines = _log(template, words)

    counter = counted(b"\n".join(lines) + b"\n")

    assert counter.counted_levels() == dict.fromkeys(("error", "warn", "info", "debug"), 5)
    assert len(counter.minutes) == len(lines)


@pytest.mark.parametrize(
    ("template", "words"),
    [
        # The same word in each line names the log or the program.
        ("{} oven error {}", ("x",)),
        ("{} oven {} {}", ("error",)),
        ("{} {} {}", ("wind E", "wind W")),
        ("{} GET /{} 200 {}", _LOWER),
        ("{} {}: {}", ("config", "system", "note")),
        ("{} oven {} {}", ("error", "started", "info", "stopped")),
        ("{} user {} {}", ("Ada", "Bob", "Info")),
        ("{} {} {}", ("A", "B", "C", "D")),
        ("{0} {2} {1}", ("200", "404", "500")),
    ],
)
def test_words_without_a_column_are_prose(template: str, words: tuple[str, ...]) -> None:
    assert counted(b"\n".join(_log(template, words)) + b"\n").counted_levels() == {}


def test_few_or_repeated_lines_show_no_column() -> None:
    lines = _log("{} oven {} {}", _LOWER, lines=4)

    assert counted(b"\n".join(lines * 5) + b"\n").counted_levels() == {}


def test_line_without_the_column_has_no_level() -> None:
    lines = [*_log("{} oven {} {}", _LOWER), b"2026-11-21 11:00:00 oven an error in prose"]

    assert counted(b"\n".join(lines) + b"\n").levels.total() == len(lines) - 1


@pytest.mark.parametrize("size", [1, 60, 700])
def test_column_does_not_depend_on_blocks(size: int) -> None:
    lines = [*_log("{} oven {} {}", _LOWER), b"    at oven.Bake", *_log("{} oven {} {}", _LOWER)]
    text = b"\n".join(lines) + b"\n"

    counter = LogCounter()
    for start in range(0, len(text), size):
        counter.feed(text[start : start + size])
    counter.close()

    levels, minutes, untimed = as_read(lines)
    assert levels.total() == 40
    assert (counter.levels, counter.minutes, counter.untimed) == (levels, minutes, untimed)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (b"2026-11-21 10:%02d:00 I orders", b"2026-11-21 10:%02d:00 D orders"),
        (b"2026-11-21 10:%02d:00,/api/error,200", b"2026-11-21 10:%02d:00,/api/info,200"),
        (b"2026-11-21 10:%02d:00 200 GET /api/error", b"2026-11-21 10:%02d:00 200 GET /api/info"),
        (b"2026-11-21 10:%02d:00,/error,200", b"2026-11-21 10:%02d:00,/info,200"),
    ],
)
def test_changes_and_paths_are_not_levels(first: bytes, second: bytes) -> None:
    log = b"".join(b"%s\n%s\n" % (first % n, second % n) for n in range(40))
    assert counted(log).levels == {}


def test_level_after_a_name_and_slash_counts() -> None:
    lines = (b"2026-11-21 10:%02d:00 oven/error: hot\n2026-11-21 10:%02d:00 oven/info: on\n",)
    log = b"".join(lines[0] % (n, n) for n in range(20))
    assert counted(log).counted_levels() == {"error": 20, "info": 20}


@pytest.mark.parametrize("length", [10_000, 100_000])
def test_level_ends_a_long_line(length: int) -> None:
    text = b"x " * (length // 2)
    log = b"".join(
        b"2026-11-21 10:%02d:00 %s[%s]\n" % (n, text, level)
        for n in range(20)
        for level in (b"error", b"info")
    )
    # Blocks as they come from a network.
    blocks = [log[at : at + 50_000] for at in range(0, len(log), 50_000)]
    assert counted(*blocks).counted_levels() == {"error": 20, "info": 20}
