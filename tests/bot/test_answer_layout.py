"""What an answer shows first, and how its numbers, bars and times are labelled."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from bot.blocks import kit
from bot.blocks.picture import svg_of
from bot.commands.logs.blocks import logs_blocks, logs_text, preview_title
from bot.commands.logs.report import LogReport
from bot.formatting import join_words
from providers.models import Outcome
from tests.bot.test_honest_answers import (
    HOUR,
    NOON,
    TODAY,
    audit,
    call,
    chart_of,
    history,
    read,
    rendered,
    report_of,
    text_of,
    usage_chart,
)


def tables(blocks: list[dict[str, Any]]) -> dict[str, list[list[str]]]:
    return {
        block["caption"]: [[cell["text"] for cell in row] for row in block["rows"]]
        for block in blocks
        if block["type"] == "data_table"
    }


def failed(minute: int = 0, **changes: Any) -> Any:
    return call(minute, outcome=Outcome.FAILURE, status="503", **changes)


def test_actors_are_sorted_by_failures() -> None:
    calls = [call(n, actor="ada") for n in range(9)]
    calls += [call(1, actor="bob"), failed(2, actor="bob"), failed(3, actor="eve")]
    text, blocks = rendered(audit(*calls))
    assert [row[0] for row in tables(blocks)["By actor"]] == ["Actor", "bob", "eve", "ada"]
    assert "By actor: bob 2 (1 failed), eve 1 (1 failed) and ada 9." in text


def test_failures_replace_table_of_actions() -> None:
    _, blocks = rendered(audit(failed(1), *(call(n, action=f"a{n}") for n in range(2, 6))))
    assert list(tables(blocks)) == ["By actor"]
    _, without_failures = rendered(audit(*(call(n) for n in range(5))))
    assert list(tables(without_failures)) == ["By actor", "By action"]


def test_headline_has_the_share_that_failed() -> None:
    text, blocks = rendered(audit(failed(1), *(call(n) for n in range(2, 5))))
    assert "4 calls, 1 failed (25.0 %)" in text
    assert "*Failed*" not in str(blocks)
    text, _ = rendered(audit(failed(1), call(2), call(3, outcome=Outcome.UNKNOWN)))
    assert "3 calls, 1 failed –" in text
    assert "Failed: 50.0 % of 2 calls." in text


def test_failed_calls_are_listed_without_their_host() -> None:
    calls = [failed(n, target=f"akab-1.example.net/papi/v{n}") for n in range(2)]
    _, blocks = rendered(audit(*calls))
    assert list(tables(blocks)) == ["By actor"]
    [listed] = [b["text"]["text"] for b in blocks if "2 failures" in str(b.get("text"))]
    assert listed.startswith("*2 failures (paths on akab-1.example.net)*\n")
    assert " /papi/v1 503" in listed


def test_levels_are_one_line() -> None:
    report = LogReport(
        names=("kitchen",), account="eu", lines=3651, bytes=9, complete=True, truncated=False,
        levels={"error": 91, "info": 3560}, tail=(), timeline=(), step=timedelta(minutes=1),
    )  # fmt: skip
    window = read(HOUR)
    text = logs_text(report, window, file_label=None, query="")
    assert "Levels: error 91, info 3,560." in text
    blocks = logs_blocks(report, window, zone=UTC, file_label=None, query="", buttons=[])
    assert blocks[2]["text"]["text"] == "*error 91* · info 3,560"


def test_latency_names_accounts_that_have_it() -> None:
    timed = call(1, account="iot")
    untimed = call(2, account="edge", duration_ms=None)
    assert "p95 latency (iot only): 1.0 ms" in rendered(audit(timed, untimed))[0]
    assert "p95 latency: " in rendered(audit(timed, call(2, account="edge")))[0]


def test_own_no_is_code_in_finding() -> None:
    _, blocks = rendered(audit(call(1, own=True), call(2)))
    assert "`own:no`" in str(blocks) and "ˋown:noˋ" not in str(blocks)
    evil = [failed(n, actor="`x` <!here> `") for n in range(5)]
    _, blocks = rendered(audit(*evil, call(1, own=True)))
    finding = next(b["text"]["text"] for b in blocks if "of the failed calls" in str(b.get("text")))
    assert finding.count("`") == 2 and "<!here>" not in finding


def test_chart_of_one_bar_is_left_out() -> None:
    types = [block["type"] for block in rendered(audit(call(1), call(1)))[1]]
    assert "data_visualization" not in types
    with pytest.raises(StopIteration):
        usage_chart(report_of(history(), TODAY, TODAY))


@pytest.mark.parametrize(
    ("by", "first", "labels"),
    [
        ("day", date(2026, 11, 18), ["18 Nov", "19 Nov", "20 Nov (so far)"]),
        ("week", date(2026, 11, 6), ["6 Nov (part)", "9 Nov", "16 Nov (so far)"]),
        ("month", date(2026, 10, 5), ["Oct 2026 (part)", "Nov 2026 (so far)"]),
        ("month", date(2026, 10, 1), ["Oct 2026", "Nov 2026 (so far)"]),
    ],
)
def test_bar_of_part_of_its_time_is_marked(by: str, first: date, labels: list[str]) -> None:
    assert usage_chart(report_of(history(), first, TODAY), by)["labels"] == labels


def test_first_and_last_bar_of_audit_are_marked() -> None:
    calls = [call(n) for n in range(0, 60, 5)]
    window = type(HOUR)(HOUR.start + timedelta(minutes=2), HOUR.end - timedelta(minutes=2))
    labels = chart_of(rendered(audit(*calls, window=window))[1])["labels"]
    assert [label.endswith("(part)") for label in labels] == [
        True,
        *[False] * (len(labels) - 2),
        True,
    ]
    whole = chart_of(rendered(audit(*calls))[1])["labels"]
    assert not any(label.endswith("(part)") for label in whole)


def test_long_label_keeps_its_mark() -> None:
    starts = [datetime(2025, 12, 31, 10, tzinfo=UTC), NOON]
    labels = kit.mark_parts(
        ["31 Dec 2025 10:00", "31 Dec 2025 12:00"], starts, timedelta(hours=2), starts[1], NOON
    )
    chart = kit.chart("t", kind="bar", series=[("s", [1, 2])], labels=labels, unit="")
    shown = chart["chart"]["axis_config"]["categories"]
    assert shown == ["31 Dec 2025 10:00*", "31 Dec 2025 12:00*"]


def test_usage_labels_are_the_terms_of_the_field() -> None:
    text = text_of(report_of(history(), date(2026, 11, 14), TODAY))
    for label in ("Daily average: ", "vs. previous 7 days: ", "Month-end forecast: "):
        assert label in text
    assert "typical error" in text


def test_numbers_have_one_separator() -> None:
    assert join_words(["x"] * 1500, 1) == "x … and 1,499 more"
    days = history(back=1201)
    del days[date(2026, 11, 4)]
    assert " in 1,200 of 1,201 days – " in text_of(report_of(days, min(days), TODAY))
    report = LogReport(
        names=("kitchen",), account="eu", lines=3651, bytes=9, complete=True, truncated=False,
        levels={}, tail=("a",) * 10, timeline=(), step=timedelta(minutes=1),
    )  # fmt: skip
    assert preview_title(report) == "Last 10 of 3,651 lines"


@pytest.mark.parametrize(
    ("actors", "note"),
    [
        (10, ""),
        (11, "Not shown: 1 more actor; add `csv` for every call."),
        (12, "Not shown: 2 more actors; add `csv` for every call."),
    ],
)
def test_rows_left_out_are_counted(actors: int, note: str) -> None:
    text, _ = rendered(audit(*(call(n, actor=f"a{n}") for n in range(actors))))
    assert note in text
    assert ("Not shown" in text) == bool(note)


def test_today_is_no_whole_day() -> None:
    text = text_of(report_of(history(), TODAY, TODAY))
    assert " so far today – " in text
    assert "in 1 day" not in text


@pytest.mark.parametrize("count", [5, 15, 20])
def test_picture_labels_first_and_last_bar(count: int) -> None:
    labels = [f"{n} Nov 00:00 (part)" for n in range(count)]
    series = [("calls", [1.0] * count)]
    drawn = svg_of(kit.chart("Calls", kind="bar", series=series, labels=labels, unit="calls"))
    assert ">0 Nov 00:00 (part)<" in drawn
    assert f">{count - 1} Nov 00:00 (part)<" in drawn
