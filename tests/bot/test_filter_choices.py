"""The filters that a form offers."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from bot.questions.filter_choices import FilterChoice, filter_choices
from bot.questions.question import AccountDirectory
from bot.questions.reading import read_form
from bot.slack.text import plain_punctuation
from providers.devicewise.commands import COMMANDS, SERVICES
from providers.models import CallsDescription, FilterValues
from tests.bot.test_question import HOUSE, NOW

EDGE = CallsDescription(
    (FilterValues("response_class", ("4xx", "5xx")), FilterValues("id", ("1-123A", "two words")))
)
IOT = CallsDescription((FilterValues("status", ("success",)), FilterValues("id", ("1-123A",))))
WORDS = ("failures", "status:success")


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("5x", ["response_class:5xx"]),
        ("XX", ["response_class:4xx", "response_class:5xx"]),
        ("fail", ["failures"]),
        ("s", ["status:success", "failures", "response_class:4xx", "response_class:5xx", 'id:"two words"']),
        ("id 123", ["id:1-123A"]),
        ("nothing", []),
    ],
)  # fmt: skip
def test_choices_contain_what_was_typed(typed: str, words: list[str]) -> None:
    found = filter_choices(WORDS, {"edge": EDGE, "iot": IOT}, typed)
    assert [choice.word for choice in found] == words


def test_choice_names_the_accounts_that_list_it() -> None:
    found = {each.word: each for each in filter_choices(WORDS, {"edge": EDGE, "iot": IOT}, "")}
    assert found["status:success"] == FilterChoice("status:success")
    assert found["id:1-123A"].accounts == ("edge", "iot")
    assert found["response_class:4xx"].accounts == ("edge",)


HOSTILE = (
    "", " ", 'a"b', "“q”", "a\tb", "a\nb", "a\u00a0b", "\u202eevil", "x\x00y", "\ud800", "two words",
    "a'b", "a’b", "a…", "a—b", "<!channel>", "@channel", "a\\b", "x|y", "`x`", "csv", "a:b", "&amp;", "x" * 3000,
)  # fmt: skip


def test_every_choice_can_be_read() -> None:
    named = ("url_start_with", "we ird", "", "url_start_with:x", "\u202eid", "id\n")
    description = CallsDescription(tuple(FilterValues(name, HOSTILE) for name in named))
    found = [each.word for each in filter_choices((), {"edge": description}, "")]
    assert 'url_start_with:"two words"' in found
    for word in found:
        assert plain_punctuation(word) == word
        question = read_form("apiaudit", {"filters": word}, HOUSE, now=NOW, zone=ZoneInfo("UTC"))
        assert question.line == f"/apiaudit {word}"


def test_every_command_is_a_choice_that_can_be_read() -> None:
    directory = AccountDirectory({"iot": "devicewise"}, {})
    zone = ZoneInfo("UTC")
    for command in COMMANDS:
        chosen = {"filters": f"action:{command}"}
        question = read_form("apiaudit", chosen, directory, now=NOW, zone=zone)
        assert f"action:{command}" in question.line
    assert {command.partition(".")[0] for command in COMMANDS} == set(SERVICES)


def test_chosen_and_typed_filters_are_one_question() -> None:
    values = {"filters": "response_class:5xx failures", "rest": "who:ada@example.com"}
    question = read_form("apiaudit", values, HOUSE, now=NOW, zone=ZoneInfo("UTC"))
    assert question.line == "/apiaudit failures response_class:5xx who:ada@example.com"
