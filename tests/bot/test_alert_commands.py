"""The words that create and silence alerts."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.alerts.baseline import Usual
from bot.alerts.commands import (
    Acknowledge,
    CreateAlert,
    DeleteAlert,
    EditAlert,
    ListAlerts,
    ShowAlert,
    Silence,
    Unsilence,
    parse_alert_command,
)
from bot.alerts.paging import Paging
from bot.errors import BadQuestion
from bot.questions.question import AccountDirectory, CommandName
from bot.questions.registry import COMMANDS
from tests.bot.test_question import HOUSE
from tests.support.work import growth

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def usual(query: str, threshold: Usual, *, value: str = "bytes", **changes: Any) -> CreateAlert:
    """An alert whose threshold follows the usual values."""
    return CreateAlert(query, value, threshold.side, 0.0, usual=threshold, **changes)  # type: ignore[arg-type]


ALERTS: list[tuple[CommandName, str, CreateAlert]] = [
    ("usage", "today above 5 GB every 15m", CreateAlert("today", "bytes", "above", 5e9, every=15 * MINUTE)),
    ("apiaudit", "edge last 1h failures above 20 for 10m", CreateAlert("edge last 1h", "failures", "above", 20, for_=10 * MINUTE)),
    ("logs", "web where(/timeout/) last 15m lines above 100", CreateAlert("web where(/timeout/) last 15m", "lines", "above", 100)),
    ("logs", "web levels.error above 3", CreateAlert("web", "levels.error", "above", 3)),
    ("logs", "web where(above 5) 20m lines below 1", CreateAlert("web where(above 5) 20m", "lines", "below", 1)),
    ("apiaudit", "24h failures ABOVE 20", CreateAlert("24h", "failures", "above", 20)),
    ("apiaudit", "24h failures failures above 20", CreateAlert("24h failures", "failures", "above", 20)),
    ("apiaudit", "edge 1h failure_percent above 2.5%", CreateAlert("edge 1h", "failure_percent", "above", 2.5)),
    ("apiaudit", "edge 1h failure_percent above 2.5 % for 5m", CreateAlert("edge 1h", "failure_percent", "above", 2.5, for_=5 * MINUTE)),
    ("apiaudit", "1h above 1,000 each account", CreateAlert("1h", "failures", "above", 1000, each="account")),
    ("usage", 'today above 5 GB as "my alert" for 1h', CreateAlert("today", "bytes", "above", 5e9, for_=HOUR, name="my alert")),
    ("usage", "above 5GB", CreateAlert("", "bytes", "above", 5e9)),
    ("usage", "this month forecast_month_bytes above 1.5 TB", CreateAlert("this month", "forecast_month_bytes", "above", 1.5e12)),
    (
        "usage",
        (
            "rapid7-eu today above 5 GB recover 4.5 GB every 30m for 1h repeat 4h keep firing for 5m nodata "
            "alert each log as ingest-spike"
        ),
        CreateAlert("rapid7-eu today", "bytes", "above", 5e9, 4.5e9, 30 * MINUTE, HOUR, 5 * MINUTE, 4 * HOUR, "log", "alert", "ingest-spike"),
    ),
    ("usage", "today above 5 GB severity Critical notify @sre runbook https://w.example.com/a escalate after 15m to pagerduty", CreateAlert("today", "bytes", "above", 5e9, paging=Paging("critical", "https://w.example.com/a", ("@sre",), 15 * MINUTE, ("pagerduty",)))),
    ("usage", "today above 5 GB escalate after 1h unless acknowledged to @leads, #Incidents and Mail for 5m", CreateAlert("today", "bytes", "above", 5e9, for_=5 * MINUTE, paging=Paging(escalate_after=HOUR, escalate_to=("@leads", "#incidents", "mail")))),
    ("usage", "today above 5 GB notify @@sre, @U0ADA, @subteam^S0SRE, <@U0BEA|bea> every 5m", CreateAlert("today", "bytes", "above", 5e9, every=5 * MINUTE, paging=Paging(notify=("@sre", "U0ADA", "S0SRE", "U0BEA")))),
    ("usage", "today above 2x usual", usual("today", Usual("above", 2.0))),
    ("usage", "today above 2 x usual every 1h", usual("today", Usual("above", 2.0), every=HOUR)),
    ("usage", "today ABOVE 2.5X Usual", usual("today", Usual("above", 2.5))),
    ("usage", "today above 2× the usual", usual("today", Usual("above", 2.0))),
    ("usage", "today above 3 times usual", usual("today", Usual("above", 3.0))),
    ("usage", "today above x2 usual", usual("today", Usual("above", 2.0))),
    ("usage", "today above 150% of usual", usual("today", Usual("above", 1.5))),
    ("usage", "today above twice the usual", usual("today", Usual("above", 2.0))),
    ("usage", "today above double usual for 1h", usual("today", Usual("above", 2.0), for_=HOUR)),
    ("usage", "today below half of usual", usual("today", Usual("below", 0.5))),
    ("usage", "today below 0.5x usual", usual("today", Usual("below", 0.5))),
    ("usage", "today outside usual", usual("today", Usual("outside"))),
    ("usage", "today above usual", usual("today", Usual("above"))),
    ("usage", "today above 2x usual recover 1.5x usual", usual("today", Usual("above", 2.0, 1.5))),
    ("usage", "today mean_bytes_per_day outside usual for 1h", usual("today", Usual("outside"), value="mean_bytes_per_day", for_=HOUR)),
    ("apiaudit", "edge 1h above 2x usual each actor as odd", usual("edge 1h", Usual("above", 2.0), value="failures", each="actor", name="odd")),
    ("apiaudit", "1h failure_percent above 2x usual", usual("1h", Usual("above", 2.0), value="failure_percent")),
    ("logs", "web where(outside usual) 20m outside usual", usual("web where(outside usual) 20m", Usual("outside"), value="lines")),
    ("usage", "this month vs last month above 20 %", CreateAlert("this month vs last month", "change_percent", "above", 20.0)),
    ("usage", "yesterday vs previous below -30 recover -10", CreateAlert("yesterday vs previous", "change_percent", "below", -30.0, recover=-10.0)),
    ("usage", "q3 vs q2 change_bytes below −1.5 GB", CreateAlert("q3 vs q2", "change_bytes", "below", -1.5e9)),
    ("usage", "q3 vs q2 bytes above 1 TB each account", CreateAlert("q3 vs q2", "bytes", "above", 1e12, each="account")),
    ("apiaudit", "today vs yesterday change_calls below -100 each actor", CreateAlert("today vs yesterday", "change_calls", "below", -100.0, each="actor")),
    ("apiaudit", "today vs yesterday failures above 5", CreateAlert("today vs yesterday", "failures", "above", 5.0)),
    ("usage", "today above 5 GB, for 10m, every 5m.", CreateAlert("today", "bytes", "above", 5e9, for_=10 * MINUTE, every=5 * MINUTE)),
    ("usage", "today above 5 GB for half an hour and every hour", CreateAlert("today", "bytes", "above", 5e9, for_=30 * MINUTE, every=HOUR)),
    ("usage", "today above 5 GB for at least 10 mins checked every 5m", CreateAlert("today", "bytes", "above", 5e9, for_=10 * MINUTE, every=5 * MINUTE)),
    ("usage", "today above 5 GB recover below 4 GB repeat every 4h", CreateAlert("today", "bytes", "above", 5e9, 4e9, repeat=4 * HOUR)),
    ("usage", "today above 5 GB resolve at 4,5 GB no data alert named spike", CreateAlert("today", "bytes", "above", 5e9, 4.5e9, no_data="alert", name="spike")),
    ("usage", "today above 5 bytes for 1 week", CreateAlert("today", "bytes", "above", 5, for_=7 * 24 * HOUR)),
    ("usage", "last week vs previous above +20 percent", CreateAlert("last week vs previous", "change_percent", "above", 20.0)),
    ("apiaudit", "edge failures above 20 within 1h per actor", CreateAlert("edge 1h", "failures", "above", 20, each="actor")),
    ("apiaudit", "edge 1h duration_p95_ms above 2s recover 500 ms", CreateAlert("edge 1h", "duration_p95_ms", "above", 2000.0, 500.0)),
    ("apiaudit", "edge 1h duration_p95_ms above 2m recover 90s", CreateAlert("edge 1h", "duration_p95_ms", "above", 120000.0, 90000.0)),
    ("apiaudit", "edge 1h duration_p95_ms above 1m30s recover 1 minute", CreateAlert("edge 1h", "duration_p95_ms", "above", 90000.0, 60000.0)),
    ("apiaudit", "edge 1h duration_p95_ms above 2M recover 1 min", CreateAlert("edge 1h", "duration_p95_ms", "above", 120000.0, 60000.0)),
    ("usage", "us today above 5 GB recover  \t below 4 GB", CreateAlert("us today", "bytes", "above", 5e9, 4e9)),
    ("apiaudit", "edge last 1h p95 above 2s", CreateAlert("edge last 1h", "duration_p95_ms", "above", 2000.0)),
    ("apiaudit", "edge last 1h p95  latency above 2s", CreateAlert("edge last 1h", "duration_p95_ms", "above", 2000.0)),
    ("apiaudit", "edge last 1h Failure Rate above 5%", CreateAlert("edge last 1h", "failure_percent", "above", 5.0)),
    ("apiaudit", "when edge last 1h error rate is above 5%", CreateAlert("edge last 1h", "failure_percent", "above", 5.0)),
    ("apiaudit", "edge 1h p95 above 2m", CreateAlert("edge 1h", "duration_p95_ms", "above", 120000.0)),
    ("apiaudit", "edge last 1h calls == 0", CreateAlert("edge last 1h", "calls", "below", 1.0)),
    ("apiaudit", "edge last 1h calls==0 for 10m", CreateAlert("edge last 1h", "calls", "below", 1.0, for_=10 * MINUTE)),
    ("apiaudit", "if edge last 1h calls is equal to zero", CreateAlert("edge last 1h", "calls", "below", 1.0)),
    ("apiaudit", "edge last 1h no calls.", CreateAlert("edge last 1h", "calls", "below", 1.0)),
    ("apiaudit", "zero requests in 1h each account", CreateAlert("1h", "calls", "below", 1.0, each="account")),
    ("usage", "yesterday bytes = 0 B", CreateAlert("yesterday", "bytes", "below", 1.0)),
    ("usage", "us yesterday no data for 6h", CreateAlert("us yesterday", "days_missing", "above", 0.0, for_=6 * HOUR)),
    ("usage", "us last week missing days above 1", CreateAlert("us last week", "days_missing", "above", 1.0)),
    ("usage", "us this month quota above 80%", CreateAlert("us this month", "quota_percent", "above", 80.0)),
    ("logs", "web where(no lines) 20m no lines", CreateAlert("web where(no lines) 20m", "lines", "below", 1.0)),
    ("logs", "web 20m levels.error == 0", CreateAlert("web 20m", "levels.error", "below", 1.0)),
    ("usage", "today as above above 5 GB as spike for 1h", CreateAlert("today as above", "bytes", "above", 5e9, for_=HOUR, name="spike")),
]  # fmt: skip


@pytest.mark.parametrize(("command", "text", "alert"), ALERTS, ids=[text for _, text, _ in ALERTS])
def test_alert_command_is_parsed(command: CommandName, text: str, alert: CreateAlert) -> None:
    assert parse_alert_command(command, f"alert {text}", HOUSE) == alert


@pytest.mark.parametrize(
    ("command", "text", "says"),
    [
        ("usage", "alert", "When does it fire?"),
        ("usage", "alert today", "When does it fire?"),
        ("usage", "alert today above", "Above or below what"),
        ("usage", "alert today above much", "“much” is not a threshold"),
        ("usage", "alert today above -5 GB", "bytes is never below zero"),
        ("usage", "alert q3 vs q2 below -", "is not a threshold"),
        ("usage", "alert q3 vs q2 below -1.000", "can be read as"),
        ("usage", "alert q3 vs q2 above 20 GB", "is not a threshold for change_percent"),
        ("usage", "alert today above 5 GB soon", "“soon” is not an option"),
        ("usage", "alert today above 5 GB every month", "“every month” is not an option"),
        ("usage", "alert today above 5 GB, every 15m and every 5m", "`every` is given twice"),
        ("usage", "alert today above 5 GB recover below 6 GB", "recover must be at or"),
        ("usage", "alert today above 5 GB every 15m every 5m", "`every` is given twice"),
        ("usage", "alert today above 5 GB every 1s", "every is at least 5s"),
        ("usage", "alert today above 5 GB recover 6 GB", "recover must be at or"),
        ("usage", "alert today below 5 GB recover 4 GB", "recover must be at or"),
        ("usage", "alert today outside 5 GB", "outside takes usual"),
        ("usage", "alert today outside", "outside takes usual"),
        ("usage", "alert today outside 2x usual", "outside takes usual"),
        ("usage", "alert today above 0x usual", "above 0 and at most 1,000"),
        ("usage", "alert today above 1001x usual", "above 0 and at most 1,000"),
        ("usage", "alert today above 2x usual recover 3x usual", "at or below the threshold"),
        ("usage", "alert today below 0.5x usual recover 0.2x usual", "at or above the threshold"),
        ("usage", "alert today above 2x usual recover 4 GB", "not a multiple of what is usual"),
        ("usage", "alert today above 5 GB recover 2x usual", "not a threshold for bytes"),
        ("usage", "alert today outside usual recover 2x usual", "recover takes a factor below"),
        ("usage", "alert today above 2x unusual", "Use 2x usual, or an amount"),
        ("usage", "alert today above 2x", "Use 2x usual, or an amount"),
        ("usage", "alert today above twice for 1h", "Use twice usual, or an amount"),
        ("usage", "alert today unusual", "or outside usual"),
        ("usage", "alert today over 2x usual", "Add above or below"),
        ("usage", "alert today outsde usual", "When does it fire?"),
        ("usage", "alert today above 5 GB each actor", "each takes log"),
        ("logs", "alert web above 5 each log", "each takes group"),
        ("usage", "alert today above 5 GB nodata shout", "nodata takes hold, alert or ok"),
        ("usage", "alert today above 5 GB as -x", "A name has letters"),
        ("usage", "alert today above 5 GB severity high", "severity takes info, warning or"),
        ("usage", "alert today above 5 GB severity", "severity takes info, warning or"),
        ("usage", "alert today above 5 GB notify", "notify takes people"),
        ("usage", "alert today above 5 GB notify ^", "names nobody"),
        ("usage", "alert today above 5 GB runbook ftp://x", "begins with https://"),
        (
            "usage",
            "alert today above 5 GB runbook https://ada:pw@x.example.com",
            "begins with https",
        ),
        ("usage", "alert today above 5 GB escalate to @sre", "escalate says after how long"),
        ("usage", "alert today above 5 GB escalate after soon to @sre", "escalate says after how"),
        ("usage", "alert today above 5 GB escalate after 15m", "escalate says after how long"),
        ("apiaudit", "alert 1h failures above 5 GB", "“5 GB” is not a threshold for failures"),
        ("usage", "unalert", "Which alert"),
        ("usage", "silence", "Which alert"),
        ("usage", "silence ingest-spike", "For how long"),
        ("usage", "silence ingest-spike forever", "ends by itself"),
        ("usage", "silence ingest-spike 900d", "between a second and a year"),
        ("usage", "silence ingest-spike 0m", "between a second and a year"),
        ("usage", "unsilence", "Which alert"),
        ("usage", "pause", "Which alert"),
        ("usage", "edit", "Which alert"),
        ("usage", "unack ingest-spike", "cannot be taken back"),
    ],
)
def test_unreadable_alert_gets_example(command: CommandName, text: str, says: str) -> None:
    with pytest.raises(BadQuestion, match=says.replace("(", r"\(")) as caught:
        parse_alert_command(command, text, HOUSE)
    assert parse_alert_command(command, caught.value.hint.partition(" ")[2], HOUSE)


@pytest.mark.parametrize(
    ("command", "text", "hint"),
    [
        (
            "usage",
            "alert us this month above 5.000 GB every 1h as big",
            "/usage alert us this month above 5 GB every 1h as big",
        ),
        (
            "usage",
            "alert us today abov 5 GB every 15m",
            "/usage alert us today above 5 GB every 15m",
        ),
        ("usage", "alert us yesterday", "/usage alert us yesterday above 5 GB"),
        ("usage", "alert us today above much for 1h", "/usage alert us today above 5 GB for 1h"),
        ("usage", "alert us today above 5 GB soon", "/usage alert us today above 5 GB"),
        (
            "usage",
            "alert us today above 5 GB recover 6 GB for 1h",
            "/usage alert us today above 5 GB recover 5 GB for 1h",
        ),
        (
            "usage",
            "alert us today above 5 GB every 1s for 1h",
            "/usage alert us today above 5 GB every 15m for 1h",
        ),
        (
            "usage",
            "alert us today above 5 GB every 6M for 1h",
            "/usage alert us today above 5 GB every 6m for 1h",
        ),
        (
            "apiaudit",
            "alert iot 1h failures above 5 GB for 1h",
            "/apiaudit alert iot 1h failures above 20 for 1h",
        ),
        (
            "usage",
            "alert us last week drops by 30 % for 1h",
            "/usage alert us last week vs previous below -30% for 1h",
        ),
        (
            "apiaudit",
            "alert iot today vs yesterday up by 20%",
            "/apiaudit alert iot today vs yesterday above 20%",
        ),
        (
            "apiaudit",
            "alert edge 24h up 20% failures",
            "/apiaudit alert edge 24h failures vs previous above 20%",
        ),
        (
            "apiaudit",
            "alert edge today vs yesterday drops by 20% in failures for 1h",
            "/apiaudit alert edge today failures vs yesterday below -20% for 1h",
        ),
        (
            "usage",
            "alert us last week up 20% bytes for 1h",
            "/usage alert us last week vs previous change_percent above 20% for 1h",
        ),
        (
            "apiaudit",
            "alert edge 24h above 20 failures for 1h",
            "/apiaudit alert edge 24h failures above 20 for 1h",
        ),
        (
            "apiaudit",
            "alert edge 24h more than 20 calls",
            "/apiaudit alert edge 24h calls above 20",
        ),
        (
            "usage",
            "alert us today above 5 GB recover 4",
            "/usage alert us today above 5 GB recover 4 GB",
        ),
        ("usage", 'silence spike 2 parsecs "load test"', '/usage silence spike 2h "load test"'),
        ("usage", "silence 2h spike", "/usage silence spike 2h"),
        (
            "apiaudit",
            "alert edge failures above 30 last 2h status:5xx for 10m",
            "/apiaudit alert edge last 2h status:5xx failures above 30 for 10m",
        ),
        ("logs", "alert kitchen lines above 9 today", "/logs alert kitchen today lines above 9"),
        (
            "apiaudit",
            "alert no calls last 1h for 5m",
            "/apiaudit alert last 1h calls below 1 for 5m",
        ),
        (
            "apiaudit",
            "alert edge 1h failure_percent == 0",
            "/apiaudit alert edge 1h failure_percent below 1",
        ),
        ("apiaudit", "alert edge 1h calls == 5", "/apiaudit alert edge 1h calls above 5"),
        ("apiaudit", "alert edge 1h failures != 0", "/apiaudit alert edge 1h failures above 0"),
        (
            "apiaudit",
            "alert edge failures are above 20 last 2h",
            "/apiaudit alert edge last 2h failures above 20",
        ),
        (
            "apiaudit",
            "alert if edge failures were above 20 last 2h for 10m",
            "/apiaudit alert if edge last 2h failures above 20 for 10m",
        ),
        ("usage", "alert rapid7-eu is above 5 GB today", "/usage alert rapid7-eu today above 5 GB"),
        (
            "apiaudit",
            "alert edge 1h failures above 20 today",
            "/apiaudit alert edge 1h failures above 20",
        ),
        (
            "apiaudit",
            "alert when edge 1h failures are above 20 last 2h for 10m",
            "/apiaudit alert when edge 1h failures above 20 for 10m",
        ),
        (
            "apiaudit",
            "alert edge 1h is above 20 failures",
            "/apiaudit alert edge 1h failures above 20",
        ),
    ],
)
def test_suggestions_contain_typed_words(command: CommandName, text: str, hint: str) -> None:
    with pytest.raises(BadQuestion) as caught:
        parse_alert_command(command, text, HOUSE)
    assert caught.value.hint == hint


def test_example_of_unknown_account_works() -> None:
    with pytest.raises(BadQuestion) as caught:
        parse_alert_command("apiaudit", "alert attic failures above 20 last 2h", HOUSE)
    assert caught.value.hint == COMMANDS["apiaudit"].alert_example(HOUSE)


@pytest.mark.parametrize(
    ("command", "text", "query", "value"),
    [
        ("usage", "alert if today is above 5 GB", "today", "bytes"),
        ("usage", "alert whenever today goes above 5 GB", "today", "bytes"),
        ("apiaudit", "alert when edge last 1h failures are above 20", "edge last 1h", "failures"),
        ("logs", "alert kitchen last 15m lines were above 9", "kitchen last 15m", "lines"),
        ("apiaudit", "alert edge last 1h who:is above 20", "edge last 1h who:is", "failures"),
    ],
)
def test_alert_may_be_a_sentence(command: CommandName, text: str, query: str, value: str) -> None:
    alert = parse_alert_command(command, text, HOUSE)
    assert isinstance(alert, CreateAlert)
    assert (alert.query, alert.value) == (query, value)


@pytest.mark.parametrize("name", ["quota", "quota-eu"])
def test_account_is_not_read_as_value(name: str) -> None:
    directory = AccountDirectory({name: "rapid7"})
    alert = parse_alert_command("usage", "alert quota above 5 GB", directory)
    assert isinstance(alert, CreateAlert)
    assert (alert.query, alert.value) == ("quota", "bytes")


@pytest.mark.parametrize(
    ("text", "threshold"),
    [
        ("above 5,5 GB", 5.5e9),
        ("above 0.125 GB", 125e6),
        ("above 0", 0),
        ("days above 1,000", 1000),
        ("days above 1,000,000", 1e6),
        ("days above 1.000.000", 1e6),
        ("days above 1.234,5", 1234.5),
        ("days above 1_000", 1000),
        ("days above 1e9", 1e9),
        ("days above 2.5e9", 2.5e9),
        ("days above 5 million", 5e6),
        ("above 5 B", 5),
        ("above 1e9 B", 1e9),
        ("above 0,5 MB", 5e5),
        ("above 12,34 MB", 12_340_000),
    ],
)
def test_numbers_are_read_as_people_write_them(text: str, threshold: float) -> None:
    action = parse_alert_command("usage", f"alert today {text}", HOUSE)
    assert isinstance(action, CreateAlert)
    assert action.threshold == threshold


@pytest.mark.parametrize(
    "text",
    ["above 5.000 GB", "above 1.000", "above 5 GB recover 1.500 GB", "above 5 GB for 1.500h"],
)
def test_ambiguous_number_is_asked_back(text: str) -> None:
    with pytest.raises(
        BadQuestion, match=r"can be read as .* or as .*; write one of these"
    ) as caught:
        parse_alert_command("usage", f"alert today {text}", HOUSE)
    assert parse_alert_command("usage", caught.value.hint.removeprefix("/usage "), HOUSE)


@pytest.mark.parametrize(
    "text",
    [
        "above 12,34,567",
        "above 1,2,3",
        "above ..",
        "above 1e99",
        "above " + "9" * 400,
        "above 5 GiB",
        "above ٣",
    ],
)
def test_threshold_must_be_a_number(text: str) -> None:
    with pytest.raises(BadQuestion, match="is not a threshold"):
        parse_alert_command("usage", f"alert today {text}", HOUSE)


@pytest.mark.parametrize(
    ("command", "text", "says", "hint"),
    [
        (
            "usage",
            "today above 5",
            "“5” has no unit; write 5 GB or 5 MB or 5 B",
            "today above 5 GB",
        ),
        ("usage", "today above 5k as big", "write 5 kB", "today above 5 kB as big"),
        (
            "usage",
            "today peak_bytes above 5000000000",
            "write 5000000000 B or",
            "today peak_bytes above 5000000000 B",
        ),
        ("usage", "today above 5 GB recover 4", "“4” has no unit", "today above 5 GB recover 4 GB"),
        (
            "usage",
            "today above 10%",
            "a percentage is a threshold for quota_percent",
            "today quota_percent above 10",
        ),
        (
            "usage",
            "today bytes above 80% of quota",
            "use the value quota_percent",
            "today quota_percent above 80",
        ),
        (
            "usage",
            "today above 80 percent of the monthly quota for 1h",
            "quota_percent",
            "today quota_percent above 80 for 1h",
        ),
        (
            "usage",
            "today above 5 gigs every 1h",
            "“5 gigs” is not a threshold",
            "today above 5 GB every 1h",
        ),
        ("usage", "today above 5 GiB", "“5 GiB” is not a threshold", "today above 5.37 GB"),
        ("usage", "today above 500 megabytes", "is not a threshold", "today above 500 MB"),
        ("usage", "today days above 2 days", "for days", "today days above 2"),
        (
            "apiaudit",
            "1h duration_p95_ms above 1.500m",
            "can be read as",
            "1h duration_p95_ms above 1.5m",
        ),
        ("usage", "today above 5m", "is not a threshold", "today above 5 MB"),
        ("apiaudit", "1h calls above 2m", "is not a threshold", "1h calls above 20"),
        ("usage", "today above 5G", "is not a threshold", "today above 5 GB"),
        ("usage", "today > 5 GB", "Add above or below", "today above 5 GB"),
        ("usage", "today >5GB for 1h", "Add above or below", "today above 5GB for 1h"),
        ("usage", "today over 20", "Add above or below", "today above 20 GB"),
        ("usage", "today less than 5 MB", "Add above or below", "today below 5 MB"),
        (
            "usage",
            "today quota_percent above 5 GB",
            "is not a threshold for quota_percent",
            "today quota_percent above 80",
        ),
        (
            "apiaudit",
            "1h failures over 20 for 10m",
            "Add above or below",
            "1h failures above 20 for 10m",
        ),
        (
            "apiaudit",
            "1h failures above 10%",
            "threshold for failure_percent",
            "1h failure_percent above 10",
        ),
        (
            "apiaudit",
            "1h above 10% for 5m",
            "threshold for failure_percent",
            "1h failure_percent above 10 for 5m",
        ),
        ("apiaudit", "1h calls above 10%", "which is not a percentage", "1h calls above 10"),
        ("logs", "web 15m lines above 10%", "which is not a percentage", "web 15m lines above 10"),
        (
            "logs",
            "web 15m lines above 5 GB",
            "is not a threshold for lines",
            "web 15m bytes above 5 GB",
        ),
        ("logs", "web 15m bytes above 5", "has no unit", "web 15m bytes above 5 GB"),
    ],
)
def test_thresholds_are_not_guessed(command: CommandName, text: str, says: str, hint: str) -> None:
    with pytest.raises(BadQuestion, match=says) as caught:
        parse_alert_command(command, f"alert {text}", HOUSE)
    assert caught.value.hint == f"/{command} alert {hint}"
    assert parse_alert_command(command, f"alert {hint}", HOUSE)


@pytest.mark.parametrize(
    ("typed", "length"),
    [
        ("90s", timedelta(seconds=90)),
        ("1h30m", 90 * MINUTE),
        ("1.5h", 90 * MINUTE),
        ("1,5h", 90 * MINUTE),
        ("2 hours", 2 * HOUR),
        ("1 hour 30 minutes", 90 * MINUTE),
        ("90 min", 90 * MINUTE),
    ],
)
def test_durations_are_read_as_people_write_them(typed: str, length: timedelta) -> None:
    action = parse_alert_command("usage", f"alert today above 5 GB for {typed} every 1h", HOUSE)
    assert isinstance(action, CreateAlert)
    assert (action.for_, action.every) == (length, HOUR)
    assert parse_alert_command("usage", f'silence spike {typed} "x"', HOUSE) == Silence(
        "spike", length, "x"
    )


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("alerts", ListAlerts()),
        ("unalert usage-1", DeleteAlert("usage-1")),
        ("unalert my alert", DeleteAlert("my alert")),
        ('unalert "my alert"', DeleteAlert("my alert")),
        ("silence my alert 2h planned", Silence("my alert", 2 * HOUR, "planned")),
        (
            'silence ingest-spike 2h "planned load test"',
            Silence("ingest-spike", 2 * HOUR, "planned load test"),
        ),
        ("silence ingest-spike for 30m planned", Silence("ingest-spike", 30 * MINUTE, "planned")),
        ("silence ingest-spike until tomorrow", Silence("ingest-spike", None)),
        ('silence "ingest spike" 1d', Silence("ingest spike", 24 * HOUR)),
        ("unsilence ingest-spike", Unsilence("ingest-spike")),
        ("acknowledge ingest-spike", Acknowledge("ingest-spike")),
        ("ack my alert", Acknowledge("my alert")),
        ("alerts ingest-spike", ShowAlert("ingest-spike")),
        ("alerts here", ListAlerts(words="here")),
        ("alerts all", ListAlerts(is_all=True, words="all")),
        ("alerts mine", ListAlerts(is_own=True, words="mine")),
        ("alerts firing", ListAlerts(frozenset({"firing"}), words="firing")),
        ("alerts acked", ListAlerts(frozenset({"acknowledged"}), words="acked")),
        ("alerts no data", ListAlerts(frozenset({"nodata"}), words="nodata")),
        (
            "alerts all Pending page 2",
            ListAlerts(frozenset({"pending"}), is_all=True, page=2, words="all pending"),
        ),
        ("alerts page 3", ListAlerts(page=3)),
        ('alerts "firing"', ShowAlert("firing")),
        ("snooze spike 2h", Silence("spike", 2 * HOUR)),
        ("mute my alert 2h planned", Silence("my alert", 2 * HOUR, "planned")),
        ("pause spike until tomorrow", Silence("spike", None)),
        ("unsnooze spike", Unsilence("spike")),
        ("unmute my alert", Unsilence("my alert")),
        ("resume spike", Unsilence("spike")),
        ("edit spike above 6 GB", EditAlert("spike above 6 GB")),
        ("alert edit spike every 5m", EditAlert("spike every 5m")),
        ("last 7 days", None),
        ("subscribe today at 09:00", None),
        ("", None),
    ],
)
def test_other_alert_words(text: str, action: Any) -> None:
    assert parse_alert_command("usage", text, HOUSE) == action


@pytest.mark.parametrize("command", ["usage", "apiaudit", "logs"])
def test_example_of_each_command_is_an_alert(command: CommandName) -> None:
    assert isinstance(
        parse_alert_command(
            command, COMMANDS[command].alert_example(HOUSE).partition(" ")[2], HOUSE
        ),
        CreateAlert,
    )


@pytest.mark.parametrize(
    ("asked", "query", "value"),
    [
        ("last 7 days above 50 GB", "last 7 days", "bytes"),
        ("rapid7-eu past 30 days above 50 GB", "rapid7-eu past 30 days", "bytes"),
        ("last seven days above 50 GB", "last seven days", "bytes"),
        ("last 7 days days below 7", "last 7 days", "days"),
        ("this month days below 7", "this month", "days"),
        ("last 7 days days_missing above 0", "last 7 days", "days_missing"),
    ],
)
def test_days_of_window_are_no_value(asked: str, query: str, value: str) -> None:
    alert = parse_alert_command("usage", f"alert {asked}", HOUSE)
    assert isinstance(alert, CreateAlert)
    assert (alert.query, alert.value) == (query, value)


@given(st.sampled_from(["usage", "apiaudit", "logs"]), st.sampled_from(["alert", "silence", "unalert", "unsilence"]), st.text(max_size=60) | st.lists(st.sampled_from(["above", "below", "5 GB", "20", "every", "15m", "for", "as", "x", "each", "log", "where(above 5)"]), max_size=8).map(" ".join))  # fmt: skip
def test_any_words_parse_or_are_refused(command: CommandName, verb: str, text: str) -> None:
    try:
        assert parse_alert_command(command, f"{verb} {text}", HOUSE)
    except BadQuestion as refusal:
        assert refusal.hint


def test_words_made_to_be_slow_are_read_in_time() -> None:
    for text in (
        "above " * 600,
        "above 5 " * 500,
        "above 5 every " * 280,
        "above " + "9" * 3900,
        "silence " + "x " * 1900,
    ):
        with pytest.raises(BadQuestion):
            parse_alert_command("usage", f"alert {text} nonsense", HOUSE)


@pytest.mark.parametrize(
    "words",
    [
        "above ",
        "above 5 ",
        "above 5 every ",
        "9",
        "1m",
        "1.",
        "each log ",
        'as "',
        "recover 5 ",
        "5 GB ",
    ],
)
@pytest.mark.parametrize("verb", ["alert today above 5 GB ", "alert ", "silence x ", "unalert "])
def test_work_grows_no_faster_than_the_words(verb: str, words: str) -> None:
    def read(times: int) -> None:
        with contextlib.suppress(BadQuestion):
            parse_alert_command("usage", verb + words * times, HOUSE)

    read(10)
    assert max(growth(read, [100, 200, 400])) < 2.6


@pytest.mark.parametrize(
    ("command", "words", "example"),
    [
        ("usage", "today above", "above 5 GB"),
        ("usage", "today days above", "days above 20"),
        ("usage", "today peak_bytes above", "peak_bytes above 5 GB"),
        ("apiaudit", "edge 1h duration_p95_ms above", "duration_p95_ms above 2s"),
        ("apiaudit", "edge 1h failure_percent above lots", "failure_percent above 20"),
        ("apiaudit", "edge 1h duration_p95_ms", "duration_p95_ms above 2s"),
        ("logs", "kitchen 20m above", "above 100"),
        ("logs", "kitchen 20m bytes below", "bytes below 5 GB"),
    ],
)
def test_example_threshold_fits_value(command: CommandName, words: str, example: str) -> None:
    with pytest.raises(BadQuestion) as caught:
        parse_alert_command(command, f"alert {words}", HOUSE)
    assert caught.value.hint.endswith(example)
    assert parse_alert_command(command, caught.value.hint.partition(" ")[2], HOUSE)
