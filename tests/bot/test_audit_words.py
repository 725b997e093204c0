"""The words of `/apiaudit` that list calls, count them by a column, and filter rows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.blocks.help_pages import help_answer
from bot.commands.apiaudit.display import GROUPS, Display
from bot.commands.apiaudit.filters import filter_examples
from bot.commands.apiaudit.rows import matching, read_milliseconds, read_network
from bot.errors import BadQuestion
from bot.questions.question import AccountDirectory
from bot.questions.reading import read_question_line
from providers.akamai import filters as akamai
from providers.devicewise import filters as devicewise
from providers.models import ApiCall, CallFilters, Outcome

NOW = datetime(2026, 11, 21, 14, 5, tzinfo=UTC)
HOUSE = AccountDirectory({"rapid7-eu": "rapid7", "edge": "akamai", "iot": "devicewise"})


def ask(line: str) -> Any:
    return read_question_line(line, HOUSE, now=NOW, zone=UTC)


def refusal(line: str) -> BadQuestion:
    with pytest.raises(BadQuestion) as caught:
        ask(line)
    return caught.value


@pytest.mark.parametrize(
    ("words", "calls", "by", "hours"),
    [
        ("edge 2h calls", 20, (), 2),
        ("edge 2h calls 50", 50, (), 2),
        ("edge calls 50 2h", 50, (), 2),
        ("50 calls edge 2h", 50, (), 2),
        ("edge newest 5 calls 2h", 5, (), 2),
        ("edge last 5 calls", 5, (), 24),
        ("edge calls 2 hours", 20, (), 2),
        ("edge calls 2h", 20, (), 2),
        ("calls 100 last 3 hours", 100, (), 3),
        ("2h by ip", None, ("ip",), 2),
        ("by ip 2h by code", None, ("ip", "code"), 2),
        ("2h per organisation by user", None, ("org", "who"), 2),
        ("edge 2h calls 7 by client failures", 7, ("client",), 2),
    ],
)
def test_display_words(words: str, calls: int | None, by: tuple[str, ...], hours: int) -> None:
    question = ask(f"/apiaudit {words}")
    assert question.display == Display(calls, by)
    assert question.window.window.length.total_seconds() == hours * 3600
    assert ask(question.also("own:no")).display == question.display


@pytest.mark.parametrize("name", GROUPS)
def test_every_group_can_be_typed(name: str) -> None:
    assert ask(f"/apiaudit 2h by {name}").display.by == (name,)


@pytest.mark.parametrize(
    ("words", "filters"),
    [
        ("ip:203.0.113.7", CallFilters(ip=("203.0.113.7/32",))),
        ("ip:10.1.2.3/8", CallFilters(ip=("10.0.0.0/8",))),
        ("ip:10.1.2.3,192.168.0.0/16", CallFilters(ip=("10.1.2.3/32", "192.168.0.0/16"))),
        ("ip:2001:db8::/32", CallFilters(ip=("2001:db8::/32",))),
        ("client:terraform client:purge", CallFilters(client=("terraform", "purge"))),
        ("org:KITCHEN host:ip-10-200-40-2", CallFilters(org=("KITCHEN",), host=("ip-10-200-40-2",))),
        ("code:503 code:429", CallFilters(code=("503", "429"))),
        ("slower:2s", CallFilters(slower_than_ms=2000)),
        ("slower:1.5s slower:250ms", CallFilters(slower_than_ms=250)),
        ("call:1F3A9C07", CallFilters(call="1f3a9c07")),
        ("show_all", CallFilters(native={"show_all": ("yes",)})),
        ("id:1-123A metrics:uri,method", CallFilters(native={"id": ("1-123A",), "metrics": ("uri,method",)})),
    ],
)  # fmt: skip
def test_filter_words(words: str, filters: CallFilters) -> None:
    assert ask(f"/apiaudit 2h {words}").filters == filters


@pytest.mark.parametrize(
    ("words", "says", "hint"),
    [
        ("ip:10.0.0", "not an IP address", "ip:10.0.0.0/8"),
        ("ip:10.0.0.0/33", "not an IP address", "ip:10.0.0.0/8"),
        ("ip:" + "1" * 500, "not an IP address", "ip:10.0.0.0/8"),
        ("ip:,", "needs a value", "ip:10.0.0.0/8"),
        ("slower:2", "takes a duration", "slower:2s"),
        ("slower:slow", "takes a duration", "slower:2s"),
        ("slower:-2s", "takes a duration", "slower:2s"),
        ("call:7", "not the ID of a call", "calls"),
        ("calls 0", "from 1 to 100", "calls 20"),
        ("address:10.0.0.1", "did you mean ip:", "ip:10.0.0.1"),
        ("organisation:KITCHEN", "did you mean org:", "org:KITCHEN"),
        ("org:", "needs a value", "org:KITCHEN"),
        ("response_code:", "needs a value", "response_code:503"),
    ],
)
def test_wrong_filter_is_refused(words: str, says: str, hint: str) -> None:
    error = refusal(f"/apiaudit iot 2h {words}")
    assert says in error.message
    assert len(error.message) < 300
    assert error.hint == f"/apiaudit iot 2h {hint}"


def call(**changes: Any) -> ApiCall:
    values: dict[str, Any] = {
        "at": NOW,
        "at_text": "2026-11-21T14:05:00Z",
        "account": "edge",
        "actor": "ada",
        "action": "GET",
        "target": "/papi",
        "status": "200",
        "outcome": Outcome.SUCCESS,
        "client": "terraform",
        "ip": "203.0.113.7",
        "duration_ms": 2000.0,
        "host": "ip-10-200-40-2",
        "organisation": "KITCHEN",
    }
    return ApiCall(**{**values, **changes})


@pytest.mark.parametrize(
    ("filters", "passes", "fails"),
    [
        (CallFilters(ip=("203.0.113.0/24",)), {}, {"ip": "203.0.114.7"}),
        (CallFilters(ip=("203.0.113.7/32",)), {"ip": "::ffff:203.0.113.7"}, {"ip": "Other"}),
        (CallFilters(ip=("2001:db8::/32", "10.0.0.0/8")), {"ip": "2001:DB8::1"}, {"ip": ""}),
        (CallFilters(client=("TERRAFORM",)), {}, {"client": "terraform-2"}),
        (CallFilters(org=("kitchen",)), {}, {"organisation": ""}),
        (CallFilters(host=("ip-10-200-40-2",)), {}, {"host": "ip-10-200-40-20"}),
        (CallFilters(code=("503", "200")), {}, {"status": "201"}),
        (CallFilters(slower_than_ms=2000), {"duration_ms": 2000.1}, {"duration_ms": 2000.0}),
        (CallFilters(slower_than_ms=0), {}, {"duration_ms": None}),
        (CallFilters(call=call().id), {}, {"target": "/other"}),
    ],
)
def test_row_filters(filters: CallFilters, passes: dict[str, Any], fails: dict[str, Any]) -> None:
    kept = call(**passes)
    left_out = call(**fails)
    assert matching([kept, left_out, kept], filters) == [kept, kept]


@pytest.mark.parametrize(
    "text", ["", " ", "1.2.3", "1.2.3.4/", "1.2.3.4/33", "::/129", "0x7f.1", "a" * 99]
)
def test_no_network(text: str) -> None:
    assert read_network(text) is None


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [("500ms", 500), ("2S", 2000), ("1.5s", 1500), ("2m", 120_000), ("1h", 3_600_000)],
)
def test_milliseconds(text: str, milliseconds: float) -> None:
    assert read_milliseconds(text) == milliseconds


@pytest.mark.parametrize("text", ["", "s", "1e3s", "-1s", "1 s", "1.s", ".5s", "9" * 40 + "s"])
def test_no_milliseconds(text: str) -> None:
    assert read_milliseconds(text) is None


@pytest.mark.parametrize(
    ("filters", "says"),
    [
        (CallFilters(org=("x",)), "records no organisation, so `org:` cannot"),
        (CallFilters(host=("x",)), "records no host apart from the URL (try `url:`), so `host:` cannot"),
        (CallFilters(slower_than_ms=5), "records no duration, so `slower:` cannot"),
        (CallFilters(code=("-90008",)), "three digits"),
        (CallFilters(native={"show_all": ("yes",)}), "has no filter `show_all`"),
        (CallFilters(native={"metrics": ("colour",)}), "`metrics` takes clientId"),
        (CallFilters(native={"metrics": (",",)}), "`metrics` needs a value"),
        (CallFilters(native={"metrics": ("uri",)}, who=("ada",)), "needs the column clientOwner"),
        (CallFilters(native={"metrics": ("uri",)}, ip=("10.0.0.0/8",)), "needs the column clientIp"),
        (CallFilters(native={"metrics": ("uri",)}, leave_out_own=True), "`own:no`"),
    ],
)  # fmt: skip
def test_akamai_refuses_what_it_cannot_apply(filters: CallFilters, says: str) -> None:
    assert says in (akamai.unsupported_filter("edge", filters) or "")


@pytest.mark.parametrize(
    ("filters", "says"),
    [
        (CallFilters(ip=("10.0.0.0/8",)), "records no IP address, so `ip:` cannot"),
        (CallFilters(code=("503",)), "-90008"),
        (CallFilters(native={"show_all": ("perhaps",)}), "`show_all` takes yes or no"),
        (CallFilters(native={"metrics": ("uri",)}), "has no filter `metrics`"),
        (CallFilters(native={"id": ("1-123A",)}), "has no filter `id`"),
    ],
)
def test_devicewise_refuses_what_it_cannot_apply(filters: CallFilters, says: str) -> None:
    assert says in (devicewise.unsupported_filter("iot", filters) or "")


@pytest.mark.parametrize(
    "filters",
    [
        CallFilters(ip=("10.0.0.0/8",), client=("x",), code=("503",)),
        CallFilters(native={"id": ("1-123A",), "metrics": ("URI,method", "clientip")}),
    ],
)
def test_akamai_takes_its_columns(filters: CallFilters) -> None:
    assert akamai.unsupported_filter("edge", filters) is None


def test_help_lists_every_filter_with_an_example() -> None:
    help_text = help_answer("apiaudit", HOUSE).text
    for name, value in filter_examples().items():
        assert f"{name}:{value}" in help_text
    for provider in (akamai, devicewise):
        assert set(provider.NATIVE_FILTERS) <= set(provider.EXAMPLES)


@pytest.mark.parametrize(("name", "value"), filter_examples().items())
def test_filter_examples_are_valid(name: str, value: str) -> None:
    assert ask(f"/apiaudit 2h {name}:{value}").filters
