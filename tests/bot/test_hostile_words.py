"""Words designed to be slow: the work they cause is bounded, and grows no faster than their length."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import UTC

import pytest

from bot.alerts.commands import parse_alert_command
from bot.errors import BadQuestion
from bot.questions.amounts import AmbiguousAmount, read_count, read_duration, read_size
from bot.questions.context import MOST_WINDOW_WORDS
from bot.questions.question import CommandName
from bot.schedules.cron import read_cron
from bot.schedules.subscribe import parse_subscription
from tests.bot.test_question import HOUSE, TWO, ask, refusal
from tests.support.work import growth, lines_run, peak_memory

SHAPES: dict[str, Callable[[int], str]] = {
    "letters": lambda n: "a " * n,
    "window words": lambda n: "last week " * (n // 2),
    "numbers": lambda n: "7 " * n,
    "ranges": lambda n: "10:00 to " * (n // 2),
    "commas": lambda n: "kitchen," * n,
    "fillers": lambda n: "please " * n,
    "filters": lambda n: "who:a " * n,
    "brackets": lambda n: "kitchen where(" + "(" * n,
    "quotes": lambda n: '"' * n,
    "one word": lambda n: "x" * n,
    "digits": lambda n: "last " + "9" * n + " mins",
    "csv": lambda n: "csv " * n,
    "limits": lambda n: "kitchen " + "limit 5 " * (n // 2),
    "accounts": lambda n: "edge " * n,
    "dots": lambda n: "2026-11-01" + ".." * n,
    "escapes": lambda n: "kitchen where(a=/" + '\\"' * n + "/)",
    "calculations": lambda n: "kitchen where(a) " + "sort " * n,
    "functions": lambda n: "kitchen " + "avrage:x " * (n // 4),
    "unknown functions": lambda n: "kitchen " + "qqqq:x " * (n // 4),
    "clauses": lambda n: "kitchen " + "sum(a) " * (n // 4),
    "open clauses": lambda n: "kitchen groupby" + "(" * n,
    "keys": lambda n: "kitchen by " + "a, " * n,
    "key": lambda n: "kitchen groupby(" + "a," * n + ")",
    "levels": lambda n: "kitchen level:" + "error," * n,
    "level words": lambda n: "kitchen " + "level:error " * (n // 4),
    "words of a calculation": lambda n: "kitchen " + "average of " * (n // 4),
    "triple quotes": lambda n: "kitchen where(a=" + "'''" * n + ")",
    "newest": lambda n: "kitchen " + "newest 5 " * (n // 4),
    "lists": lambda n: "list " * n,
    "having": lambda n: "kitchen by a having(" + "count>" * n + ")",
}


def tried(command: CommandName, words: str) -> None:
    with contextlib.suppress(BadQuestion):
        ask(f"/{command} {words}")


@pytest.mark.parametrize("command", ["usage", "apiaudit", "logs"])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_work_grows_no_faster_than_the_words(
    command: CommandName, shape: Callable[[int], str]
) -> None:
    tried(command, shape(50))
    assert max(growth(lambda size: tried(command, shape(size)), [100, 200, 400])) < 2.6


@pytest.mark.parametrize("command", ["usage", "apiaudit", "logs"])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_no_question_takes_much_work_or_memory(
    command: CommandName, shape: Callable[[int], str]
) -> None:
    with peak_memory() as peak:
        tried(command, shape(1400))
    assert peak[0] < 20_000_000
    assert lines_run(lambda: tried(command, shape(1400))) < 400_000


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "1",
        "1m",
        "1.",
        "1,",
        "-",
        '"',
        " ",
        "x ",
        "at ",
        "above ",
        "above 5 ",
        "recover 1",
        "@a, ",
        "a and ",
        "<@U1|",
        "notify @a ",
        "escalate after 5m to a ",
        "9" * 30 + "e",
        "1 m ",
        "2h",
        ")",
        "/",
    ],
)
def test_words_of_any_length_are_read_by_every_parser(piece: str) -> None:
    """The work of patterns is not counted in lines, so these words are much longer than those whose
    work is counted. A pattern that backtracks would never finish.
    """
    words = (piece * 4000)[:4000]
    for text in (
        f"subscribe {words}",
        f"subscribe {words} at 9am",
        f"subscribe {words} at 09:00 on {words}",
        f"unsubscribe {words}",
    ):
        with contextlib.suppress(BadQuestion):
            parse_subscription("usage", text, HOUSE)
    for text in (
        f"alert {words}",
        f"alert x above {words}",
        f"alert above 5 for {words}",
        f"alert above 5 in {words}",
        f"alert above 5 in last {words}",
        f"alert above 5 notify {words}",
        f"alert above 5 escalate after 5m to {words}",
        f"alert above 5 escalate {words}",
        f"alert above 5 runbook https://{words}",
        f"silence x {words}",
        f"silence {words} 2h",
    ):
        for command in ("usage", "logs"):
            with contextlib.suppress(BadQuestion):
                parse_alert_command(command, text, HOUSE)
    read_cron(words, UTC)
    with contextlib.suppress(AmbiguousAmount):
        assert read_size(words) is None
        assert read_duration(words) is None
        assert read_count(words) is None


@pytest.mark.parametrize("command", ["usage", "apiaudit"])
def test_window_of_too_many_words_is_refused_clearly(command: CommandName) -> None:
    error = refusal(f"/{command} {'a ' * 800}")
    assert "has 800 words, too many for a window" in error.message
    assert f"at most {MOST_WINDOW_WORDS}" in error.message
    assert ask(error.hint)


def test_too_long_question_is_refused() -> None:
    error = refusal("/usage " + "a " * 2500)
    assert "it has 4,999 characters, and at most 4,000 are read" in error.message
    assert ask(error.hint)


def test_too_many_logs_are_refused_without_reading_them_all() -> None:
    error = refusal("/logs " + ",".join(f"log{n}" for n in range(500)), TWO)
    assert "At most 10 logs" in error.message
