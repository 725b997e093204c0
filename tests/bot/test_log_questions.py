"""The words of `/logs` that ask for a calculation, some lines, new lines as they arrive, or the
list of logs.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from bot.alerts.create import CreateAlert, parse_alert
from bot.commands.logs.calculation import Calculation
from bot.commands.logs.display import Entries, Follow, Statistic
from bot.commands.logs.leql import equals, level_condition
from bot.commands.logs.question import LogsQuestion
from bot.commands.logs.statistics import statement
from bot.errors import BadQuestion
from bot.questions.question import AccountDirectory
from bot.questions.reading import apply_follow_up, read_form, read_question_line
from bot.questions.registry import COMMANDS
from providers.rapid7.sandbox import leql as vendor
from providers.rapid7.sandbox.leql_conditions import Entry

NOW = datetime(2026, 11, 21, 14, 5, tzinfo=UTC)
HOUSE = AccountDirectory({"eu": "rapid7"}, {"eu": {"web": "1", "kitchen": "2"}})
HOUR = timedelta(hours=1)


def ask(line: str, directory: AccountDirectory = HOUSE) -> LogsQuestion:
    question = read_question_line(line, directory, now=NOW, zone=UTC)
    assert isinstance(question, LogsQuestion)
    return question


def refusal(line: str) -> BadQuestion:
    with pytest.raises(BadQuestion) as caught:
        ask(line)
    return caught.value


@pytest.mark.parametrize(
    ("line", "typed"),
    [
        ("/logs eu kitchen 20m", ["eu/kitchen"]),
        ("/logs EU Kitchen 20m", ["eu/Kitchen"]),
        ("/logs from eu kitchen, web 20m", ["eu/kitchen", "eu/web"]),
        ('/logs eu "Pantry Door" 20m', ["eu/Pantry Door"]),
        ("/logs eu-w kitchen 20m", ["eu-west/kitchen"]),
        ("/logs eu, kitchen 20m", ["eu", "kitchen"]),
        ("/logs web kitchen 20m", ["web", "kitchen"]),
        ("/logs e kitchen 20m", None),
        ("/logs eu 20m", ["eu"]),
    ],
)
def test_account_before_its_log_is_read(line: str, typed: list[str] | None) -> None:
    logs = {"kitchen": "1", "web": "2"}
    directory = AccountDirectory({"eu": "rapid7", "eu-west": "rapid7"}, {"eu": logs})
    if typed is None:
        with pytest.raises(BadQuestion, match="Logs are separated by commas"):
            ask(line, directory)
        return
    question = ask(line, directory)
    assert question.parts.subject == ",".join(f'"{n}"' if " " in n else n for n in typed)
    assert ask(question.line, directory).logs == question.logs


def test_log_named_like_account_is_read() -> None:
    directory = AccountDirectory({"web": "rapid7"}, {"web": {"web": "1", "kitchen": "2"}})
    assert [log.id for log in ask("/logs web 20m", directory).logs] == ["1"]


def test_window_before_log_is_no_account() -> None:
    accounts = {"24h-archive": "rapid7"}
    directory = AccountDirectory(accounts, {"24h-archive": {"kitchen": "1"}})
    question = ask("/logs 24h kitchen", directory)
    assert (question.subject, question.parts.window) == ("kitchen", "24h")


AVERAGE = Calculation("average", "duration")
STATISTICS = [
    ("count", Statistic(), "calculate(count)"),
    ("calculate(count)", Statistic(), "calculate(count)"),
    ("calculate(average:duration)", Statistic(AVERAGE), "calculate(average:duration)"),
    ("average:duration", Statistic(AVERAGE), "calculate(average:duration)"),
    ("avg(duration)", Statistic(AVERAGE), "calculate(average:duration)"),
    ("average duration", Statistic(AVERAGE), "calculate(average:duration)"),
    ("average of duration", Statistic(AVERAGE), "calculate(average:duration)"),
    ("max(duration)", Statistic(Calculation("max", "duration")), "calculate(max:duration)"),
    ("min:duration", Statistic(Calculation("min", "duration")), "calculate(min:duration)"),
    ("calculate(SUM: bytes)", Statistic(Calculation("sum", "bytes")), "calculate(sum:bytes)"),
    ("unique user", Statistic(Calculation("unique", "user")), "calculate(unique:user)"),
    ("calculate(bytes)", Statistic(Calculation("bytes")), "calculate(bytes)"),
    ("count:user", Statistic(Calculation("count", "user")), "calculate(count:user)"),
    ("p95:duration", Statistic(Calculation("percentile", "duration", 95)), "calculate(percentile(95):duration)"),
    ("p99 duration", Statistic(Calculation("percentile", "duration", 99)), "calculate(percentile(99):duration)"),
    ("percentile(95):duration", Statistic(Calculation("percentile", "duration", 95)), "calculate(percentile(95):duration)"),
    ("calculate(pctl(50):duration)", Statistic(Calculation("percentile", "duration", 50)), "calculate(percentile(50):duration)"),
    ("median duration", Statistic(Calculation("percentile", "duration", 50)), "calculate(percentile(50):duration)"),
    ("sd:http.took-ms", Statistic(Calculation("standarddeviation", "http.took-ms")), "calculate(standarddeviation:http.took-ms)"),
    ("groupby(path)", Statistic(group_by=("path",)), "groupby(path) calculate(count) sort(desc) limit(40)"),
    ("group by path", Statistic(group_by=("path",)), "groupby(path) calculate(count) sort(desc) limit(40)"),
    ("by path", Statistic(group_by=("path",)), "groupby(path) calculate(count) sort(desc) limit(40)"),
    ("count by path, please", Statistic(group_by=("path",)), "groupby(path) calculate(count) sort(desc) limit(40)"),
    ("groupby(path, status) top 10", Statistic(group_by=("path", "status"), top=10), "groupby(path, status) calculate(count) sort(desc) limit(10)"),
    ("by path, status", Statistic(group_by=("path", "status")), "groupby(path, status) calculate(count) sort(desc) limit(40)"),
    ("by path,status top 3", Statistic(group_by=("path", "status"), top=3), "groupby(path, status) calculate(count) sort(desc) limit(3)"),
    ("groupby(#log)", Statistic(group_by=("#log",)), "groupby(#log) calculate(count) sort(desc) limit(40)"),
    ("by path limit 5", Statistic(group_by=("path",), top=5), "groupby(path) calculate(count) sort(desc) limit(5)"),
    ("top 5 path", Statistic(group_by=("path",), top=5), "groupby(path) calculate(count) sort(desc) limit(5)"),
    ("top 5 count by path", Statistic(group_by=("path",), top=5), "groupby(path) calculate(count) sort(desc) limit(5)"),
    ("groupby(path) limit(5)", Statistic(group_by=("path",), top=5), "groupby(path) calculate(count) sort(desc) limit(5)"),
    ("groupby(path) bottom 3", Statistic(group_by=("path",), top=3, ascending=True), "groupby(path) calculate(count) sort(asc) limit(3)"),
    ("groupby(path) calculate(average:duration) having(average>5) sort(asc)", Statistic(AVERAGE, ("path",), "average>5", ascending=True), "groupby(path) calculate(average:duration) having(average>5) sort(asc) limit(40)"),
    ("timeslice 1h", Statistic(step=HOUR), "calculate(count) timeslice(1h)"),
    ("timeslice(1h)", Statistic(step=HOUR), "calculate(count) timeslice(1h)"),
    ("by hour", Statistic(step=HOUR), "calculate(count) timeslice(1h)"),
    ("count per hour", Statistic(step=HOUR), "calculate(count) timeslice(1h)"),
    ("timeslice 90m", Statistic(step=timedelta(minutes=90)), "calculate(count) timeslice(90m)"),
    ("calculate(count) timeslice(24)", Statistic(slices=24), "calculate(count) timeslice(24)"),
    ("by user by hour", Statistic(group_by=("user",), step=HOUR), "groupby(user) calculate(count) sort(desc) limit(40) timeslice(1h)"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "statistic", "leql"), STATISTICS, ids=[w for w, *_ in STATISTICS]
)
def test_words_of_a_calculation(words: str, statistic: Statistic, leql: str) -> None:
    question = ask(f"/logs web 24h where(status>=500) {words}")
    assert question.display == statistic
    assert question.window.window.length == timedelta(days=1)
    assert question.leql == "where(status>=500)"
    assert statement("", statistic) == leql
    again = ask(f"/logs {question.parts}")
    assert again == replace(question, text=again.text)
    assert vendor.parse(f"{question.leql} {leql}").is_statistical


@pytest.mark.parametrize("words", [words for words, *_ in STATISTICS])
def test_words_may_come_before_the_window(words: str) -> None:
    words = words.replace(", please", "")
    assert ask(f"/logs web {words} last 2 hours") == replace(
        ask(f"/logs web last 2 hours {words}"), text=f"web {words} last 2 hours"
    )


LINES = [
    ("newest 50", Entries(50)),
    ("newest", Entries(20)),
    ("latest 5 lines", Entries(5)),
    ("last 20 lines", Entries(20)),
    ("oldest 1,000", Entries(1000, newest=False)),
    ("first 3 lines", Entries(3, newest=False)),
    ("follow", Follow()),
    ("tail", Entries(20)),
    ("tail -50", Entries(50)),
    ("tail -n 5", Entries(5)),
    ("head 3", Entries(3, newest=False)),
    ("tail -f", Follow()),
    ("live tail", Follow()),
    ("follow 2m", Follow(timedelta(minutes=2))),
    ("follow for 90 seconds", Follow(timedelta(seconds=90))),
]


@pytest.mark.parametrize(("words", "display"), LINES)
def test_words_for_some_lines(words: str, display: Entries | Follow) -> None:
    question = ask(f"/logs web {words} where(/a/)")
    assert question.display == display
    again = ask(f"/logs {question.parts}")
    assert again == replace(question, text=again.text)


def test_follow_begins_now() -> None:
    window = ask("/logs web follow 2m").window
    assert (window.window.start, window.window.end) == (NOW, NOW + timedelta(minutes=2))


@pytest.mark.parametrize(
    ("line", "levels"),
    [
        ("level:error", ("error",)),
        ("severity=WARNING", ("warn",)),
        ("level:error,fatal", ("error", "fatal")),
        ("level:err|warn", ("error", "warn")),
        ("level:critical", ("fatal",)),
        ("level:notice", ("info",)),
    ],
)
def test_level_is_a_filter(line: str, levels: tuple[str, ...]) -> None:
    question = ask(f"/logs web 2h {line} count")
    assert question.query.levels == levels
    assert question.query.filter_words == f"level:{','.join(levels)}"
    assert ask(f"/logs {question.parts}").query == question.query


@pytest.mark.parametrize(
    ("line", "is_error"),
    [
        ("2026-11-20 12:00:00 ERROR kitchen timeout", True),
        ("E1120 [ERROR] x", True),
        ("ERROR: disk full", True),
        ('{"level":"error","msg":"x"}', True),
        ('{"severity": "ERROR"}', True),
        ("ts=1 level=error msg=x", True),
        ("ts=1 lvl=err msg=x", True),
        ("2026-11-20 INFO no error was found", False),
        ('level=info msg="0 errors"', False),
        ("GET /ERROR/404 200", False),
        ("class=java.lang.ERROR_HANDLER INFO", False),
        ("INFO level of errors=3", False),
        ("NO_ERROR", False),
    ],
)  # fmt: skip
def test_level_finds_fields_and_capitals(line: str, is_error: bool) -> None:
    found = vendor.parse(f"where({level_condition(['error'])})")
    assert found.matches(Entry(line)) is is_error


def test_level_joins_the_where_clause() -> None:
    question = ask("/logs web where(a OR b) level:error")
    assert question.leql == f"where((a OR b) AND {level_condition(['error'])})"
    vendor.parse(question.leql)


REFUSALS = [
    ("/logs web medain:duration", "did you mean median"),
    ("/logs web calculate(mode:duration)", "not a calculation"),
    ("/logs web calculate(sum)", "needs a key"),
    ("/logs web calculate(percentile(200):duration)", "between 0 and 100"),
    ("/logs web calculate(average:duration", "not closed"),
    ("/logs web groupby()", "is empty"),
    ("/logs web groupby(a b)", "not the name of a key"),
    ("/logs web groupby(a,b,c,d,e,f)", "at most 5 keys"),
    ("/logs web top 10", "groupby"),
    ("/logs web count having(count>1)", "groupby"),
    ("/logs web by path having(many)", "comparison"),
    ("/logs web by path top 0", "from 1 to 100"),
    ("/logs web by path top 1000", "from 1 to 100"),
    ("/logs web by path sort(up)", "asc or desc"),
    ("/logs web count timeslice", "timeslice takes"),
    ("/logs web count timeslice 0", "timeslice takes"),
    ("/logs web 30d count timeslice 1m", "more than 200 slices"),
    ("/logs web groupby(a) groupby(b)", "twice"),
    ("/logs web where(a groupby(b))", "after the where"),
    ("/logs web join(a)", "not a clause"),
    ("/logs web where(a) count where(b)", "given twice"),
    ("/logs web count newest 5", "cannot be combined"),
    ("/logs web count follow", "cannot be combined"),
    ("/logs web count limit 5", "limit is how many lines"),
    ("/logs web newest 5 limit 5", "limit is how many lines"),
    ("/logs web newest 0", "from 1 to 5,000"),
    ("/logs web newest 5001", "from 1 to 5,000"),
    ("/logs web follow 1h", "10 minutes"),
    ("/logs web follow last 2h", "takes no window"),
    ("/logs web level:eror", "not a level"),
    ("/logs list attic", "not an account"),
]


@pytest.mark.parametrize(("line", "says"), REFUSALS, ids=[line for line, _ in REFUSALS])
def test_refusal_has_an_example_that_works(line: str, says: str) -> None:
    error = refusal(line)
    assert says in error.message
    assert error.hint.startswith("/logs ")
    assert ask(error.hint)


def test_too_many_slices_offer_longer_ones() -> None:
    assert refusal("/logs web 30d count timeslice 1m").hint == "/logs web 30d count timeslice 6h"


@pytest.mark.parametrize("line", ["/logs list", "/logs list eu", "/logs please list"])
def test_list_of_logs(line: str) -> None:
    question = ask(line)
    assert question.is_list
    assert question.accounts == ("eu",)
    assert ask(f"/logs {question.parts}").is_list


def test_log_called_list_is_a_log() -> None:
    directory = AccountDirectory({"eu": "rapid7"}, {"eu": {"list": "1"}})
    assert ask("/logs list 2h", directory).logs[0].id == "1"


@pytest.mark.parametrize("name", ["count", "newest", "follow", "level"])
def test_log_may_have_the_name_of_a_word(name: str) -> None:
    directory = AccountDirectory({"eu": "rapid7"}, {"eu": {name: "1"}})
    question = ask(f"/logs {name} 2h count", directory)
    assert question.logs[0].id == "1"
    assert question.display == Statistic()


def test_follow_up_narrows_the_question() -> None:
    question = ask("/logs web 24h where(a)")
    found = apply_follow_up(question, "by path top 5", HOUSE, now=NOW, zone=UTC)
    assert str(found.parts) == "web 24h where(a) groupby(path) top 5"
    other = apply_follow_up(found, "7d", HOUSE, now=NOW, zone=UTC)
    assert str(other.parts) == "web 7d where(a) groupby(path) top 5"


FORMS = [
    ({"rest": "where(a) groupby(path)"}, Statistic(group_by=("path",))),
    ({"show": "count timeslice 1h", "rest": "where(a)"}, Statistic(step=HOUR)),
    ({"show": "newest 20", "rest": "level:error"}, Entries(20)),
    ({"show": "count", "rest": "by path"}, Statistic(group_by=("path",))),
    ({"show": "follow", "window": ""}, Follow()),
    ({"rest": "where(a) limit 5"}, None),
    (
        {"rest": f"groupby({', '.join('abcde')}) calculate(average:{'x' * 60}) top 10"},
        Statistic(Calculation("average", "x" * 60), tuple("abcde"), top=10),
    ),
]


@pytest.mark.parametrize(("values", "display"), FORMS, ids=str)
def test_form_asks_the_same_questions(values: dict[str, str], display: object) -> None:
    question = read_form("logs", {"log": "web", "window": "2h", **values}, HOUSE, now=NOW, zone=UTC)
    assert isinstance(question, LogsQuestion)
    assert question.display == display
    fields = {field.name: field.value for field in COMMANDS["logs"].form(question, HOUSE)}
    again = read_form("logs", {k: v for k, v in fields.items() if v}, HOUSE, now=NOW, zone=UTC)
    assert again == question


@pytest.mark.parametrize(
    ("text", "query", "value", "threshold"),
    [
        ("web where(status>=500) count above 100 in last 1h", "web where(status>=500) count last 1h", "count", 100),
        ("web last 1h where(status>=500) count above 100", "web last 1h where(status>=500) count", "count", 100),
        ("web count last 1h above 100", "web count last 1h", "count", 100),
        ("web 1h calculate(average:duration) above 250", "web 1h calculate(average:duration)", "average", 250),
        ("web 1h p95:duration above 250 for 10m", "web 1h p95:duration", "percentile", 250),
        ("web 1h average duration average above 250", "web 1h average duration", "average", 250),
        ("web 1h by path above 50 each group", "web 1h by path", "count", 50),
        ("web where(count above 3) last 1h lines above 5", "web where(count above 3) last 1h", "lines", 5),
        ("web where(avg:x) last 1h above 5", "web where(avg:x) last 1h", "lines", 5),
        ("web 1h calculate(bytes) above 5 MB", "web 1h calculate(bytes)", "bytes", 5e6),
        ("web level:error count above 10 in the last 15 minutes every 5m", "web level:error count the last 15 minutes", "count", 10),
    ],
)  # fmt: skip
def test_alert_on_a_calculation(text: str, query: str, value: str, threshold: float) -> None:
    alert = parse_alert("logs", text, HOUSE)
    assert isinstance(alert, CreateAlert)
    assert (alert.query, alert.value, alert.threshold) == (query, value, threshold)
    assert ask(f"/logs {alert.query}").logs


def test_window_behind_the_threshold_is_named_once() -> None:
    alert = parse_alert("logs", "web count above 100 in last 1h every 5m as many", HOUSE)
    again = parse_alert("logs", f"{alert.query} {alert.condition}", HOUSE)
    assert (again.query, again.every, again.name) == (alert.query, alert.every, "many")


@pytest.mark.parametrize(
    ("value", "condition"),
    [
        ("/orders", 'path="/orders"'),
        ('say "hi"', "path='say \"hi\"'"),
        ('it\'s "both"', "path='''it's \"both\"'''"),
        ("", 'path=""'),
        ("a\\b", ""),
        ("a\nb", ""),
        ("\x1b[31mred", ""),
        ("\u202eevil", ""),
        ("'''\"", ""),
    ],
)
def test_value_is_quoted_for_the_vendor(value: str, condition: str) -> None:
    assert equals("path", value) == condition
    if condition and value:
        entry = Entry("")
        entry.fields["path"] = value
        assert vendor.parse(f"where({condition})").matches(entry)
