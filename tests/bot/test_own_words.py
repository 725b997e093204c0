"""Questions as people on call type them: read rightly, or asked back with what keeps their point; and
every suggestion works.
"""

from __future__ import annotations

import itertools
import re
from typing import Any

import pytest

from bot.errors import BadQuestion, SuggestedQuestion
from bot.questions.registry import COMMANDS
from tests.bot.own_words_cases import READ, REFUSED, SUGGESTED
from tests.bot.test_question import HOUSE, ask, meant

# Every question, as a share that is answered at once.
ANSWERED = 0.7


@pytest.mark.parametrize(("line", "words"), READ, ids=[line for line, _ in READ])
def test_sentence_is_read(line: str, words: str) -> None:
    command = line.partition(" ")[0]
    found = ask(line)
    same = ask(f"{command} {words}")
    assert (found.parts, found.accounts) == (same.parts, same.accounts)
    assert ask(found.line).parts == found.parts


@pytest.mark.parametrize(("line", "hint"), SUGGESTED, ids=[line for line, _ in SUGGESTED])
def test_uncertain_sentence_is_asked_back(line: str, hint: str) -> None:
    with pytest.raises(SuggestedQuestion) as caught:
        ask(line)
    assert caught.value.hint == hint
    assert ask(hint).own_words == ""


@pytest.mark.parametrize("line", REFUSED)
def test_what_is_left_out_is_refused(line: str) -> None:
    with pytest.raises(BadQuestion, match="leaves nothing out") as caught:
        ask(line)
    assert ask(caught.value.hint)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("/apiaudit who made more than 100 calls today", "“more than 100” could not be read: a question has no threshold"),
        ("/apiaudit status > 400 today", "“> 400” could not be read: a question has no threshold"),
        ("/apiaudit show me my failures", "“my” names nobody here"),
        ("/apiaudit calls by us today", "“us” names nobody here"),
        ("/logs kitchen oven not grill", "`where(NOT /word/i)` leaves lines out"),
        ("/logs errors in kitchen, timeouts in cellar", "ask about each log by itself"),
        ("/logs kitchen errors yesterday vs today", "/logs answers about one window"),
    ],
)  # fmt: skip
def test_what_a_question_cannot_ask_is_said(line: str, says: str) -> None:
    with pytest.raises(BadQuestion, match=re.escape(says)) as caught:
        ask(line)
    assert not isinstance(caught.value, SuggestedQuestion)
    assert ask(caught.value.hint)


@pytest.mark.parametrize(
    ("line", "lost"),
    [
        ("/usage how much did team-a log this week", "did you mean “this week”, without it?"),
        ("/usage first week of november", "did you mean “november”, without it?"),
        ("/logs kitchen failed logins", "“logins” is left out."),
        ("/logs issues with oven in kitchen", "“oven” is left out."),
    ],
)
def test_suggestion_names_the_words_that_it_lacks(line: str, lost: str) -> None:
    with pytest.raises(SuggestedQuestion, match=re.escape(lost)):
        ask(line)


@pytest.mark.parametrize(
    "line",
    [
        # Another account may be called `us`, to which the person has no access.
        "/usage us today",
        "/apiaudit calls by akamai today",
        "/usage this week more than last month?",
        "/usage today higher than last week",
        "/apiaudit did anyone else call edge",
        "/apiaudit did nobody call edge",
    ],
)
def test_no_word_is_bent(line: str) -> None:
    with pytest.raises(BadQuestion):
        ask(line)


def test_most_sentences_are_answered() -> None:
    lines = len(READ) + len(SUGGESTED) + len(REFUSED)
    assert lines >= 150
    assert len(READ) / lines >= ANSWERED


@pytest.mark.parametrize(
    ("name", "sentence", "words"),
    [(name, *each) for name, command in COMMANDS.items() for each in command.sentences],
)
def test_documented_sentence_is_read(name: str, sentence: str, words: str) -> None:
    found = ask(f"/{name} {sentence}")
    assert found.own_words == sentence
    same = ask(f"/{name} {words}")
    assert (found.parts.subject, found.window.window) == (same.parts.subject, same.window.window)
    assert sorted(found.parts.rest.split()) == sorted(same.parts.rest.split())


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("/usage yestarday per log", "/usage yesterday per log"),
        ("/usage las week csv", "/usage last week csv"),
        ("/usage lst 7 days by week", "/usage last 7 days by week"),
        ("/usage rapid7-ue last 7 days", "/usage rapid7-eu last 7 days"),
        ("/apiaudit 2h egde failures", "/apiaudit 2h edge failures"),
        ("/apiaudit egde las week failures", "/apiaudit edge last week failures"),
        ("/apiaudit who called egde yestarday", "/apiaudit edge yesterday by who"),
        ("/logs cellar,kitchn yestarday", "/logs cellar,kitchen yesterday"),
        ("/logs kitchen timeouts yestarday limit 50", "/logs kitchen yesterday where(/timeout/i) limit 50"),
        ("/logs how many errors in kichen today", "/logs kitchen today where(/error/i) count"),
    ],
)  # fmt: skip
def test_typing_mistake_is_named_and_everything_else_kept(line: str, hint: str) -> None:
    with pytest.raises(SuggestedQuestion) as caught:
        ask(line)
    assert ask(caught.value.hint).parts == ask(hint).parts


@pytest.mark.parametrize("line", ["/usage tomorow", "/apiaudit edge tomorow failures"])
def test_mistyped_future_is_named(line: str) -> None:
    with pytest.raises(
        BadQuestion, match="“tomorow” is read as “tomorrow”, which is in the future"
    ):
        ask(line)


@pytest.mark.parametrize(
    "line",
    [
        "/apiaudit failures by region",
        "/apiaudit edge calls by endpoint",
        "/apiaudit last 403 calls than 5",
        "/apiaudit who called edge more than 100 times",
        "/apiaudit calls without failures",
        "/usage everything except kitchen last week",
        "/usage more than 5 gb today",
        "/logs errors but not timeouts in kitchen",
        "/logs kitchen or cellar but not both",
    ],
)
def test_words_that_narrow_are_never_dropped(line: str) -> None:
    with pytest.raises(BadQuestion):
        ask(line)


BROKEN: list[str] = [
    f"/{command} {first} {second} {third}".strip()
    for command, (first, second, third) in itertools.product(
        ("usage", "apiaudit", "logs"),
        itertools.product(
            ("", "who", "many", "how many errors", "edge", "kitchen", "kitchn", "rapid7-ue", "frobnicate"),
            ("", "yestarday", "last week", "since 13h", "tomorow", "403", "by team", "errors"),
            ("in kitchen", "on edge", "not linus", "frobnicate", "limit 5"),
        ),
    )
]  # fmt: skip


@pytest.mark.parametrize("command", ["usage", "apiaudit", "logs"])
def test_every_suggestion_is_accepted(command: str) -> None:
    known = {name for logs in HOUSE.logs.values() for name in logs}
    lines = [line for line in BROKEN if line.startswith(f"/{command} ")]
    assert len(lines) > 300
    for line in lines:
        try:
            ask(line)
        except BadQuestion as error:
            question: Any = ask(error.hint)
            assert not question.own_words, (line, error.hint)
            # A log that nobody has named is not offered.
            typed = set(re.split(r"[\s,]", line))
            for log in getattr(question, "logs", ()):
                assert log.typed.rpartition("/")[2] in known or log.typed in typed, (
                    line,
                    error.hint,
                )
                assert log.typed not in ("many", "who", "how"), (line, error.hint)


def test_status_before_calls_is_no_number_of_them() -> None:
    found = ask("/apiaudit edge 403 calls today")
    assert found.parts == ask("/apiaudit edge today status:403 calls").parts


def test_sentence_in_a_thread_is_a_question() -> None:
    assert (
        meant("/apiaudit edge 2h who called the most").parts
        == ask("/apiaudit edge 2h by who").parts
    )
