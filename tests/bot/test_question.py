"""Words become a Question: the grammar in tables, and for every refusal an example that works."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.alerts.commands import CreateAlert, parse_alert_command
from bot.errors import BadQuestion, SuggestedQuestion
from bot.questions.question import AccountDirectory, HelpRequest, Question
from bot.questions.reading import apply_follow_up, read_line, read_question_line, read_request
from bot.questions.registry import COMMANDS
from bot.slack.text import unescape_input
from providers.akamai import filters as akamai
from providers.devicewise import filters as devicewise
from providers.models import CallFilters

NOW = datetime(2026, 11, 21, 14, 5, tzinfo=UTC)
KITCHEN = "aee00b66-a543-43dc-b093-53963c2e8f41"
CELLAR = "d8eacea6-3dbd-4163-8fc2-3ef5067bd7c9"
HOUSE = AccountDirectory(
    {"rapid7-eu": "rapid7", "edge": "akamai", "iot": "devicewise"},
    {"rapid7-eu": {"kitchen": KITCHEN, "cellar": CELLAR}},
)
TWO = AccountDirectory(
    {"eu": "rapid7", "us": "rapid7"},
    {"eu": {"kitchen": KITCHEN, "web": CELLAR}, "us": {"kitchen": CELLAR, "attic": KITCHEN}},
)


def ask(line: str, directory: AccountDirectory = HOUSE) -> Any:
    return read_question_line(line, directory, now=NOW, zone=UTC)


def request(line: str) -> Question | HelpRequest:
    return read_line(line, HOUSE, now=NOW, zone=UTC)


def refusal(line: str, directory: AccountDirectory = HOUSE) -> BadQuestion:
    with pytest.raises(BadQuestion) as caught:
        ask(line, directory)
    return caught.value


def meant(line: str, directory: AccountDirectory = HOUSE) -> Any:
    """The question that the words ask, or else the one that is offered."""
    try:
        return ask(line, directory)
    except BadQuestion as error:
        return ask(error.hint, directory)


def test_bare_usage_covers_ten_days() -> None:
    question = ask("/usage")
    assert question.accounts == ("rapid7-eu",)
    assert question.window is not None
    assert len(question.window.window.days) == 10


@pytest.mark.parametrize(
    ("line", "by", "per_log", "csv", "days"),
    [
        ("/usage last 7 days", "day", False, False, 7),
        ("/usage rapid7-eu last 7 days by week per log csv", "week", True, True, 7),
        ("/usage csv by month 2w", "month", False, True, 14),
        ("usage RAPID7-EU Per Log yesterday", "day", True, False, 1),
    ],
)
def test_usage_words_come_in_any_order(
    line: str, by: str, per_log: bool, csv: bool, days: int
) -> None:
    question = ask(line)
    assert question.window is not None
    assert (question.by, question.per_log, question.csv, len(question.window.window.days)) == (
        by,
        per_log,
        csv,
        days,
    )


def test_bare_apiaudit_asks_all_accounts_for_24h() -> None:
    question = ask("/apiaudit")
    assert question.accounts == ("edge", "iot")
    assert question.window is not None
    assert question.window.window.length.total_seconds() == 86400


def test_repeated_apiaudit_filter_means_any() -> None:
    question = ask(
        '/apiaudit edge iot 7d failures who:ada who:bob url:"/a b" status:5xx own:no response_class:4xx csv'
    )
    assert question.filters == CallFilters(
        who=("ada", "bob"),
        status=("5xx",),
        url=("/a b",),
        failures=True,
        leave_out_own=True,
        native={"response_class": ("4xx",)},
    )
    assert question.csv
    assert question.accounts == ("edge", "iot")


def test_grammar_knows_filters_of_vendors() -> None:
    for name in (*akamai.NATIVE_FILTERS, *devicewise.NATIVE_FILTERS):
        assert ask(f"/apiaudit 24h {name}:x").filters.native == {name: ("x",)}


def test_time_with_colon_is_no_filter() -> None:
    question = ask("/apiaudit edge 2026-11-01T10:00..2026-11-01T11:30 status:503")
    assert question.filters.status == ("503",)
    assert question.window is not None
    assert question.window.window.length.total_seconds() == 5400


@pytest.mark.parametrize("line", ["/apiaudit since 09:00", "/apiaudit edge since 09:00 failures"])
def test_since_an_hour_is_no_filter_either(line: str) -> None:
    assert ask(line).filters.native == {}


def test_logs_names_ids_and_the_vendors_own_names() -> None:
    question = ask(f'/logs kitchen,{CELLAR},"Pantry Door" 2h')
    assert [(log.account, log.id, log.typed) for log in question.logs] == [
        ("rapid7-eu", KITCHEN, "kitchen"),
        (None, CELLAR, CELLAR),
        (None, None, "Pantry Door"),
    ]


LEQL = [
    ("/logs kitchen 20m where(/error/i)", "where(/error/i)"),
    ("/logs kitchen where(/error/i) 20m", "where(/error/i)"),
    ("/logs kitchen WHERE (status=500 AND (a OR b)) limit 5", "where(status=500 AND (a OR b))"),
    ('/logs kitchen where(msg=")") 2h', 'where(msg=")")'),
    ("/logs kitchen where(/a\\)b/i) 2h", "where(/a\\)b/i)"),
    ("/logs kitchen where(path=/a(b/ OR x='(') 2h", "where(path=/a(b/ OR x='(')"),
    ('/logs kitchen where("""it\'s (") here""") 2h', 'where("""it\'s (") here""")'),
    ('/logs kitchen where("calculate(")', 'where("calculate(")'),
]


@pytest.mark.parametrize(("line", "leql"), LEQL, ids=[leql for _, leql in LEQL])
def test_clause_ends_at_its_own_bracket(line: str, leql: str) -> None:
    assert ask(line).leql == leql


def test_where_in_front_of_the_limit_and_window() -> None:
    question = ask("/logs kitchen limit 1,000 last 2 hours")
    assert question.limit == 1000
    assert question.window is not None
    assert question.window.window.length.total_seconds() == 7200


REFUSALS = [
    ("/foo", "not a command"),
    ("", "no question"),
    ("/usage foo", "not a window"),
    ("/usage 20m", "recorded by day"),
    ("/usage edge 7d", "edge is an account of Akamai, which /usage cannot ask"),
    ("/usage rapid7eu 7d", "did you mean rapid7-eu"),
    ("/usage rapid7eu whenever", "did you mean rapid7-eu"),
    ("/apiaudit edge iott 24h", "did you mean iot"),
    ("/usage by day by week", "one of them"),
    ("/apiaudit foo:1", "not a filter"),
    ("/apiaudit respons_class:5xx", "did you mean response_class:"),
    ("/apiaudit status:", "needs a value"),
    ("/apiaudit own:maybe", "takes `no`"),
    ('/apiaudit url:"/a', "quote is not closed"),
    ("/apiaudit edge 24h nonsense", "“nonsense” could not be read; did you mean “who:nonsense”?"),
    ("/logs", "Which log"),
    ("/logs kitchen where(", "not closed"),
    ("/logs kitchen where()", "is empty"),
    ("/logs kitchen where(a groupby(b))", "where"),
    ("/logs kitchen limit 0", "from 1 to 20,000,000"),
    ("/logs kitchen limit 20000001", "from 1 to 20,000,000"),
    ("/logs kitchen limit -1", "from 1 to 20,000,000"),
    ("/logs kitchen limit", "from 1 to 20,000,000"),
    ("/logs a,b,c,d,e,f,g,h,i,j,k", "At most 10"),
    ("/logs kitchen sometime", "not a window"),
    ("/usage " + "x" * 5000, "too long"),
]


@pytest.mark.parametrize(
    ("line", "says"), REFUSALS, ids=[line[:40] or "empty" for line, _ in REFUSALS]
)
def test_wrong_question_gets_a_valid_example(line: str, says: str) -> None:
    error = refusal(line)
    assert says in error.message
    assert "\n" not in error.message
    assert request(error.hint)


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("/usage us whenever by week csv", "/usage us last 7 days by week csv"),
        ("/usage us 20m per log", "/usage us last 7 days per log"),
        ("/usage us 2026-02-30", "/usage us last 7 days"),
        ("/usage last month csv", "/usage eu last month csv"),
        ("/usage us eu last month vs", "/usage us eu last month vs previous"),
        (
            "/usage all last month vs sometime per log",
            "/usage all last month vs previous per log",
        ),
        ("/usage us sometime vs last month csv", "/usage us last 7 days vs last month csv"),
        ("/usage us q3 vs q2 vs q1 by week", "/usage us q3 vs q2 by week"),
        ("/usage us q3 vs q3 per log", "/usage us q3 vs previous per log"),
        ("/usage us last 7 days vs 3 hours ago", "/usage us last 7 days vs previous"),
        ("/usage us by day by week csv 7d", "/usage us by week csv 7d"),
        ("/logs us/kitchen 2h limit 0", "/logs us/kitchen 2h limit 500"),
        ("/logs us/kitchen 2h limit 1.000", "/logs us/kitchen 2h limit 1000"),
        ("/logs kitchen 2h where(/a/) limit 5", "/logs eu/kitchen 2h where(/a/) limit 5"),
        ("/logs us/kitchen 2h limit 5 where()", "/logs us/kitchen 2h limit 5 where(/error/i)"),
        ("/logs us/kitchen 2h where(/a/", "/logs us/kitchen 2h where(/error/i)"),
        (
            "/logs us/kitchen 25:00 to 26:00 where(/a/) limit 5",
            "/logs us/kitchen last 20 mins where(/a/) limit 5",
        ),
    ],
)
def test_suggestions_contain_typed_words_and_account(line: str, hint: str) -> None:
    error = refusal(line, TWO)
    assert error.hint == hint
    assert ask(hint, TWO)


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("/apiaudit iot 7d foo:1 failures csv", "/apiaudit iot 7d url:1 failures csv"),
        ("/apiaudit iot 7d status: who:ada", "/apiaudit iot 7d status:error who:ada"),
        ("/apiaudit iot own:maybe 2h", "/apiaudit iot own:no 2h"),
        ('/apiaudit iot 2h url:"/a', '/apiaudit iot 2h url:"/a"'),
        ("/apiaudit rapid7-eu last 2h failures", "/apiaudit last 2h failures"),
        ("/apiaudit iot sometime status:5xx csv", "/apiaudit iot 24h status:5xx csv"),
    ],
)
def test_audit_suggestions_contain_filters_and_accounts(line: str, hint: str) -> None:
    error = refusal(line)
    assert error.hint == hint
    assert ask(hint)


@pytest.mark.parametrize(
    ("words", "limit"),
    [
        ("limit 20 million", 20_000_000),
        ("limit: 500", 500),
        ("limit 5k", 5000),
        ("limit 1e6", 1_000_000),
        ("limit 1,000", 1000),
    ],
)
def test_limit_is_read_as_people_write_it(words: str, limit: int) -> None:
    question = ask(f"/logs kitchen 2h {words}")
    assert question.limit == limit
    assert question.parts.window == "2h"


def test_log_ids_joined_by_colons_are_several_logs() -> None:
    assert [log.id for log in ask(f"/logs {KITCHEN}:{CELLAR} 2h").logs] == [KITCHEN, CELLAR]


def test_several_accounts_and_none_named_are_listed() -> None:
    error = refusal("/usage 7d", TWO)
    assert "eu, us" in error.message
    assert ask(error.hint, TWO)


def test_ambiguous_log_needs_its_account() -> None:
    error = refusal("/logs kitchen", TWO)
    assert "in eu and in us" in error.message
    assert ask(error.hint, TWO).logs[0].account == "eu"


def test_account_is_found_by_its_log() -> None:
    assert ask("/logs attic 2h", TWO).accounts == ("us",)


def test_missing_accounts_are_reported() -> None:
    for command in COMMANDS:
        assert "configured" in refusal(f"/{command} 24h", AccountDirectory({})).message


@pytest.mark.parametrize("word", ["help", "HELP", "?", " help "])
def test_help_is_help(word: str) -> None:
    assert request(f"/usage {word}") == HelpRequest("usage")


@pytest.mark.parametrize(
    ("slack", "typed"),
    [
        ("last\u200b week\u2060", "last week"),
        ("\u200elast\u202fweek\ufeff", "last week"),
        (
            "kitchen where(a &lt; 5 AND b &gt; 3 &amp;&amp; c)",
            "kitchen where(a < 5 AND b > 3 && c)",
        ),
        ("where(“say” = ‘x’)", "where(\"say\" = 'x')"),
        ("url:<https://example.com/a?b=1&amp;c=2>", "url:https://example.com/a?b=1&c=2"),
        ("where(host=<http://example.com|example.com>)", "where(host=example.com)"),
        ("who:<mailto:ada@example.com|ada@example.com>", "who:ada@example.com"),
        ("&amp;lt;", "&lt;"),
        ("plain text", "plain text"),
    ],
)
def test_slack_escapes_are_undone(slack: str, typed: str) -> None:
    assert unescape_input(slack) == typed


@given(
    st.sampled_from(list(COMMANDS)),
    st.text(max_size=80)
    | st.from_regex(r"(kitchen|edge|7d|where\(|[\"'/:,() ]|limit|by|who:){1,12}", fullmatch=True),
)
def test_any_words_give_a_question_or_a_refusal(command: str, words: str) -> None:
    try:
        question = read_request(COMMANDS[command].name, words, HOUSE, now=NOW, zone=UTC)
    except BadQuestion as error:
        assert error.message
    else:
        assert isinstance(question, HelpRequest) or question.window


SLOW_TO_READ = {
    "brackets": "web where(" + "(" * 20_000,
    "quotes": '"' * 20_001,
    "clauses": "web " + "where(/a/) " * 2_000,
    "a long word": "a" * 40_000,
    "many words": "a b " * 10_000,
    "dots": "2026-11-01" + ".." * 10_000,
    "colons": "who:" * 10_000,
    "backslashes": "web where(/" + "\\\\" * 10_000 + "/)",
    "digits": "last " + "9" * 30_000 + " mins",
    "links": "<https://" * 5_000,
    "entities": "&lt;" * 10_000,
}


@pytest.mark.parametrize("command", ["usage", "apiaudit", "logs"])
@pytest.mark.parametrize("words", SLOW_TO_READ.values(), ids=SLOW_TO_READ.keys())
def test_adversarial_question_is_parsed_quickly(command: str, words: str) -> None:
    """Patterns that backtrack would make this run for hours."""
    try:
        ask(f"/{command} {unescape_input(words)}")
    except BadQuestion as refusal:
        assert len(refusal.message) < 500
        assert len(refusal.hint) < 500


TWINS = AccountDirectory(
    {
        "rapid7-eu": "rapid7",
        "rapid7-us": "rapid7",
        "edge": "akamai",
        "edge-two": "akamai",
        "iot": "devicewise",
    }
)


@pytest.mark.parametrize(
    ("line", "accounts"),
    [
        ("/usage rapid7-e last 7 days", ("rapid7-eu",)),
        ("/apiaudit IOT 24h", ("iot",)),
        ("/apiaudit edge 24h", ("edge",)),
        ("/apiaudit edge- iot 24h", ("edge-two", "iot")),
    ],
)
def test_unique_prefix_names_a_log(line: str, accounts: tuple[str, ...]) -> None:
    assert read_question_line(line, TWINS, now=NOW, zone=UTC).accounts == accounts


def test_ambiguous_prefix_is_refused_with_all_names() -> None:
    with pytest.raises(
        BadQuestion, match="“rapid7” may be rapid7-eu and rapid7-us; specify which"
    ) as caught:
        read_question_line("/usage rapid7 last 7 days", TWINS, now=NOW, zone=UTC)
    assert caught.value.hint == "/usage rapid7-eu last 7 days"


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("/usage lsat week", "/usage last week"),
        ("/usage rapid7-eu lst 7 dayss csv", "/usage rapid7-eu last 7 days csv"),
        ("/usage yesterdy", "/usage yesterday"),
        ("/apiaudit iot psat 3 huors failures", "/apiaudit iot past 3 hours failures"),
        ("/logs kitchen sinec mondy", "/logs kitchen since monday"),
    ],
)
def test_mistyped_window_suggests_the_nearest(line: str, hint: str) -> None:
    with pytest.raises(BadQuestion, match="did you mean") as caught:
        read_question_line(line, HOUSE, now=NOW, zone=UTC)
    assert caught.value.hint == hint
    assert read_question_line(hint, HOUSE, now=NOW, zone=UTC)


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("/apiaudit edge 10:00", "/apiaudit edge since 10:00"),
        ("/apiaudit iot status:5xx between two and three today", "/apiaudit iot today status:5xx"),
        ("/logs kitchen,cellar what happened last 20 mins where(/a b/) limit 5", "/logs kitchen,cellar last 20 mins where(/a b/) limit 5"),
    ],
)  # fmt: skip
def test_window_among_unknown_words_is_suggested(line: str, hint: str) -> None:
    error = refusal(line)
    assert "did you mean “" in error.message
    assert error.hint == hint
    assert ask(hint)


@pytest.mark.parametrize(
    ("line", "same"),
    [
        ("/usage last 7 days rapid7-eu by log", "/usage rapid7-eu last 7 days per log"),
        ("/usage for the last 7 days, please", "/usage last 7 days"),
        ("/usage please", "/usage"),
        ("/apiaudit last 2h edge and iot", "/apiaudit edge iot last 2h"),
        ("/apiaudit what failed on edge today?", "/apiaudit edge today failures"),
        ("/apiaudit errors only", "/apiaudit failures"),
        ("/logs kitchen for the last hour", "/logs kitchen last hour"),
        (
            '/logs from kitchen, cellar and "Pantry Door" since 9am',
            '/logs kitchen,cellar,"Pantry Door" since 9am',
        ),
        ("/logs kitchen and last hour", "/logs kitchen last hour"),
        ("/logs kitchen, 2h", "/logs kitchen 2h"),
        ("/logs kitchen, cellar, last 20 mins", "/logs kitchen,cellar last 20 mins"),
    ],
)
def test_words_may_be_in_any_order(line: str, same: str) -> None:
    question = ask(line)
    assert f"/{question.command} {question.parts}".strip() == same
    assert ask(same) == replace(question, text=ask(same).text)


def test_filler_words_of_follow_up_are_ignored() -> None:
    question = ask("/apiaudit edge 7d status:5xx")
    assert (
        str(apply_follow_up(question, "and what about last month?", HOUSE, now=NOW, zone=UTC).parts)
        == "edge last month status:5xx"
    )
    assert (
        str(apply_follow_up(question, "only failures, please", HOUSE, now=NOW, zone=UTC).parts)
        == "edge 7d failures status:5xx"
    )


@pytest.mark.parametrize(
    "line",
    ["/usage foo", "/usage lsat 0 days", "/usage last blue moon"],
)
def test_unrecognisable_words_are_refused(line: str) -> None:
    with pytest.raises(BadQuestion) as caught:
        read_question_line(line, HOUSE, now=NOW, zone=UTC)
    assert "did you mean “" not in caught.value.message


@pytest.mark.parametrize(
    ("line", "window", "same"),
    [
        (
            "/usage today by week per log csv",
            "last 30 days",
            "/usage rapid7-eu last 30 days by week per log",
        ),
        ("/apiaudit edge 24h failures who:csv csv", "7d", "/apiaudit edge 7d failures who:csv"),
        ("/apiaudit", "7d", "/apiaudit edge iot 7d"),
        (
            '/logs "kitchen",cellar limit 5 2h where(a = "x")',
            "20m",
            '/logs kitchen,cellar 20m where(a = "x") limit 5',
        ),
    ],
)
def test_question_with_new_window_drops_its_file(line: str, window: str, same: str) -> None:
    question = read_question_line(line, HOUSE, now=NOW, zone=UTC)
    assert question.over(window) == same
    assert read_question_line(same, HOUSE, now=NOW, zone=UTC).over(window) == same


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("/logs kitchen cellar 30m", "/logs kitchen,cellar 30m"),
        ("/logs kitchen 30m cellar limit 5", "/logs kitchen,cellar 30m limit 5"),
        ("/logs kitchen errors 30m", "/logs kitchen 30m where(/error/i)"),
        ("/logs errors in kitchen", "/logs kitchen where(/error/i)"),
        ("/logs timeouts from the cellar last 2h", "/logs cellar last 2h where(/timeout/i)"),
        ("/logs errors,warnings kitchen 1h", "/logs kitchen 1h where(/error|warn/i)"),
        ("/logs kitchen errors and warnings 1h", "/logs kitchen 1h where(/error|warn/i)"),
        ("/logs kitchen errors or timeouts 1h", "/logs kitchen 1h where(/error|timeout/i)"),
        ("/logs kitchen errors, warnings", "/logs kitchen where(/error|warn/i)"),
        (
            "/logs kitchen 1h errors, warnings or timeouts",
            "/logs kitchen 1h where(/error|warn|timeout/i)",
        ),
        (
            "/logs kitchen errors , and Warnings; exceptions",
            "/logs kitchen where(/error|warn|exception/i)",
        ),
        ("/logs kitchen timeout errors 1h", "/logs kitchen 1h where(/timeout/i AND /error/i)"),
        ("/logs kitchen 30m | grep x", "/logs kitchen 30m where(/x/i)"),
        ("/logs kitchen grep -i a/b 30m", "/logs kitchen 30m where(/a\\/b/i)"),
        ("/logs kitchen /x/i 30m", "/logs kitchen 30m where(/x/i)"),
        (
            "/logs kitchen cellar errors 30m limit 9",
            "/logs kitchen,cellar 30m where(/error/i) limit 9",
        ),
        (
            "/logs kitchen where(a OR b) errors 30m",
            "/logs kitchen 30m where((a OR b) AND /error/i)",
        ),
        ("/apiaudit 403", "/apiaudit status:403"),
        ("/apiaudit edge 5xx last 2h", "/apiaudit edge last 2h status:5xx"),
        ("/apiaudit delete 2h failures csv", "/apiaudit 2h action:delete failures csv"),
        ("/apiaudit ada@example.com today", "/apiaudit today who:ada@example.com"),
        ("/apiaudit actor:ada 2h", "/apiaudit who:ada 2h"),
        ("/apiaudit user:ada 403 2h", "/apiaudit 2h status:403 who:ada"),
    ],
)
def test_words_become_logs_and_filters(line: str, hint: str) -> None:
    assert meant(line).parts == ask(hint).parts


@pytest.mark.parametrize(
    "line", ["/logs help filters", "/usage help csv", "/apiaudit HELP filters"]
)
def test_help_with_a_topic_is_help(line: str) -> None:
    assert isinstance(request(line), HelpRequest)


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("/usage today above 5 GB", "/usage alert today above 5 GB"),
        ("/usage above 5GB", "/usage alert above 5GB"),
        ("/usage this month below 1.5 TB", "/usage alert this month below 1.5 TB"),
        (
            "/apiaudit edge last 2h failures above 20",
            "/apiaudit alert edge last 2h failures above 20",
        ),
        ("/logs kitchen 15m above 100", "/logs alert kitchen 15m above 100"),
        ("/logs kitchen 15m lines above 100", "/logs alert kitchen 15m lines above 100"),
    ],
)
def test_threshold_in_question_suggests_an_alert(line: str, hint: str) -> None:
    error = refusal(line)
    assert error.hint == hint
    # A button that asks a suggestion would create the alert.
    assert not isinstance(error, SuggestedQuestion)
    command = hint[1:].partition(" ")[0]
    words = hint.partition(" ")[2]
    assert isinstance(parse_alert_command(command, words, HOUSE), CreateAlert)


@pytest.mark.parametrize(
    "line",
    ["/usage since the dawn above all", "/usage whenever above 5 GB", "/usage today above 5"],
)
def test_other_words_suggest_no_alert(line: str) -> None:
    assert " alert " not in refusal(line).hint


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("zzz today", "/usage today"),
        ("zzz", "/usage last 7 days"),
        ("prod-eu last 7 days by week", "/usage last 7 days by week"),
    ],
)
def test_unknown_account_is_answered_with_the_accounts(words: str, hint: str) -> None:
    directory = AccountDirectory({"rapid7-eu": "rapid7"})
    with pytest.raises(BadQuestion) as caught:
        read_line(f"/usage {words}", directory, now=NOW, zone=UTC)
    name = words.split(maxsplit=1)[0]
    assert caught.value.message == (
        f"“{name}” is not a window and not an account; the account is rapid7-eu."
    )
    assert caught.value.hint == hint


@pytest.mark.parametrize(
    ("line", "unread", "read"),
    [
        ("/usage yesterday logins", "logins", "yesterday"),
        ("/apiaudit edge yesterday loginz", "loginz", "who:loginz"),
        ("/logs kitchen last 20m logins seen", "logins seen", "where(/logins seen/i)"),
    ],
)
def test_only_unread_words_are_named(line: str, unread: str, read: str) -> None:
    with pytest.raises(BadQuestion) as caught:
        ask(line)
    assert f"“{unread}” could not be read; did you mean “{read}”" in caught.value.message
    assert ask(caught.value.hint)
