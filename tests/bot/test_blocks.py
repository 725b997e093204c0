"""Every message is within Slack's limits and inert, whatever text came from outside. Two
implementations of the limits agree.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answer import Block, Progress, Step
from bot.blocks import help_pages, kit, messages, older_blocks, progress_blocks
from bot.blocks.limits import block_problems, message_problems
from bot.commands.apiaudit.blocks import audit_blocks, audit_text
from bot.commands.apiaudit.report import AuditFacts, audit_report
from bot.commands.logs.blocks import logs_blocks, logs_text
from bot.commands.logs.report import LogReport
from bot.commands.usage.blocks import usage_blocks, usage_text
from bot.commands.usage.report import UsageFacts, usage_report
from bot.commands.usage.total import UsageTotal
from bot.questions.question import AccountDirectory
from bot.questions.windows import ParsedWindow
from bot.sandbox import block_kit_schema
from bot.slack.block_fallback import to_fallback_text
from bot.slack.web import json_text
from providers.models import ApiCall, DayRange, LogUsage, Outcome, UsagePeriod, Window

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
READ = ParsedWindow(Window(NOON - timedelta(hours=1), NOON), "20 Nov 2026 11:00 to 12:00 (UTC)")
HOSTILE = [
    "<!channel> <!here> <@U0ADA>",
    "@everyone @channel #general",
    "<https://evil.example|click me> https://evil.example",
    "`code` ```block``` *bold* _it_ ~no~",
    "\u202eright to left\u202c \x1b[31mred \x00 \u200b",
    "& &amp; &lt;!channel&gt;",
    "x" * 5000,
    "",
]


def usage(days: int, name: str = "Kitchen", logs: int = 0) -> tuple[str, list[Block]]:
    first = date(2026, 11, 20) - timedelta(days=days - 1)
    by_day = {first + timedelta(days=n): 10**9 + n for n in range(days)}
    by_log = LogUsage({first: {f"id-{n}{name[:40]}": n for n in range(logs)}}) if logs else None
    report = UsageTotal(usage_report(UsageFacts("eu", DayRange(first, date(2026, 11, 20)), UsagePeriod(by_day, 5, None, None, name, name), date(2026, 11, 20), by_log=by_log, log_names={"id-0" + name[:40]: name})))  # fmt: skip
    return usage_text(report, READ, by="day"), usage_blocks(
        report, READ, by="day", buttons=[("CSV", "/usage csv")]
    )


def audit(calls: int, text: str = "ada") -> tuple[str, list[Block]]:
    rows = [ApiCall(NOON - timedelta(minutes=n % 59 + 1), text, "iot", f"{text}{n}", text or "GET", text, text, Outcome.FAILURE, text, text, 1.5) for n in range(calls)]  # fmt: skip
    report = audit_report(AuditFacts(("iot",), READ.window, rows, complete=False, notes=(text,)))
    return audit_text(report, READ, zone=UTC), audit_blocks(
        report, READ, zone=UTC, buttons=[("CSV", "/apiaudit csv")], warnings=[text]
    )


def logs(lines: int, text: str = "GET /kitchen") -> tuple[str, list[Block]]:
    timeline = tuple((NOON + timedelta(minutes=n), n) for n in range(20))
    report = LogReport((text or "kitchen",), "eu", lines, lines * 9, False, True, {"error": 3}, (text,) * min(lines, 12), timeline, timedelta(minutes=1), (text,))  # fmt: skip
    shown: dict[str, Any] = {"file_label": "a.log", "query": text, "warnings": [text]}
    return logs_text(report, READ, **shown), logs_blocks(
        report, READ, zone=UTC, buttons=[("2 h", "/logs x 2h")], **shown
    )


PARTS = Progress(
    "so far",
    {
        t: Step(t, s, t)  # type: ignore[arg-type]
        for t, s in zip(HOSTILE, ("in_progress", "complete", "error") * 3, strict=False)
    },
)
SAMPLES = {
    **{f"usage {n} days": usage(n) for n in (1, 7, 20, 21, 92, 400, 3600)},
    "usage by 300 logs": usage(7, logs=300),
    **{f"audit {n} calls": audit(n) for n in (0, 1, 15, 5000)},
    **{f"logs {n} lines": logs(n) for n in (0, 1, 100_000)},
    **{f"{kind.__name__} with {text[:12]!r}": kind(9, text) for kind in (usage, audit, logs) for text in HOSTILE},
    "help": (help_pages.help_answer("logs", AccountDirectory({"eu": "rapid7"}, {"eu": {"kitchen": "x"}})).text, list(help_pages.help_answer("usage", AccountDirectory({})).blocks)),
    **{f"error {text[:12]!r}": (messages.error_text(text, "/usage") , messages.error_blocks(text or "x", text, again=f"/usage {text[:200]}")) for text in HOSTILE},
    "working": ("Working", progress_blocks.working_blocks(HOSTILE[0], "ticket", Progress(HOSTILE[1]))),
    "working in parts": ("Working", progress_blocks.working_blocks(HOSTILE[0], "ticket", PARTS)),
}  # fmt: skip


@pytest.mark.parametrize(("text", "blocks"), SAMPLES.values(), ids=SAMPLES.keys())
def test_every_message_passes_both_readings_of_slacks_limits(
    text: str, blocks: list[Block]
) -> None:
    assert message_problems(to_fallback_text(text), blocks) == []
    assert block_kit_schema.complaints(blocks, most=50) == []
    assert not block_kit_schema.too_long(blocks)
    shared = messages.with_share(blocks, "ticket")
    assert block_kit_schema.complaints(shared, most=50) == block_problems(shared, most=50) == []
    block_fallback = older_blocks.plain_blocks(blocks, text)
    assert (
        block_kit_schema.complaints(block_fallback, most=50)
        == block_problems(block_fallback, most=50)
        == []
    )


@pytest.mark.parametrize(("text", "blocks"), SAMPLES.values(), ids=SAMPLES.keys())
def test_nothing_from_outside_pings_links_or_hides(text: str, blocks: list[Block]) -> None:
    marked = [value for block in blocks for value in texts(block)]
    assert all(value["verbatim"] is True for value in marked)
    assert not re.search(
        r"<[!@#h]", to_fallback_text(text) + "".join(value["text"] for value in marked)
    )
    assert not re.search(
        "[\u202a-\u202e\u2066-\u2069\u200b\x1b\x00]",
        to_fallback_text(text) + "".join(shown(blocks)),
    )


def shown(value: Any) -> list[str]:
    """All text that a person reads. Excludes what a button sends back when pressed."""
    if isinstance(value, dict):
        return [text for key, inner in value.items() if key != "value" for text in shown(inner)]
    return (
        [value]
        if isinstance(value, str)
        else [text for inner in value for text in shown(inner)]
        if isinstance(value, list)
        else []
    )


def texts(value: Any) -> list[dict[str, Any]]:
    """Every mrkdwn object in a block."""
    if isinstance(value, dict):
        own = [value] if value.get("type") == "mrkdwn" else []
        return own + [found for inner in value.values() for found in texts(inner)]
    return [found for inner in value for found in texts(inner)] if isinstance(value, list) else []


@given(st.text(max_size=400))
def test_no_text_leaves_its_code_span(text: str) -> None:
    shown = kit.code(text, 400)
    assert shown.count("`") == 2
    assert "<" not in shown
    assert "\n" not in shown


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_text_makes_valid_blocks(text: str, other: str) -> None:
    for shown, blocks in (
        usage(3, text),
        audit(3, text),
        logs(3, text),
        (text or "x", messages.error_blocks(text or "x", other)),
    ):
        assert message_problems(to_fallback_text(shown), blocks) == []
        assert block_kit_schema.complaints(blocks, most=50) == []


BROKEN: list[tuple[str, Block]] = [
    ("long header", {"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}),
    ("mrkdwn header", {"type": "header", "text": {"type": "mrkdwn", "text": "x"}}),
    ("long section", kit.section("") | {"text": {"type": "mrkdwn", "text": "x" * 3001}}),
    ("empty section", {"type": "section"}),
    ("eleven fields", {"type": "section", "fields": [kit.mrkdwn("x")] * 11}),
    ("eleven elements", {"type": "context", "elements": [kit.mrkdwn("x")] * 11}),
    ("26 buttons", {"type": "actions", "elements": [kit.button("x", f"a{n}") for n in range(26)]}),
    ("same action twice", {"type": "actions", "elements": [kit.button("x", "a"), kit.button("y", "a")]}),
    ("long value", {"type": "actions", "elements": [kit.button("x", "a", "v" * 2001)]}),
    ("empty cell", {"type": "data_table", "caption": "c", "rows": [[{"type": "raw_text", "text": "a"}], [{"type": "raw_text", "text": ""}]]}),
    ("uneven rows", {"type": "data_table", "caption": "c", "rows": [[{"type": "raw_text", "text": "a"}] * 2, [{"type": "raw_text", "text": "b"}]]}),
    ("102 rows", {"type": "data_table", "caption": "c", "rows": [[{"type": "raw_text", "text": "a"}]] * 102}),
    ("21 points", {"type": "data_visualization", "title": "t", "chart": {"type": "bar", "series": [{"name": "s", "data": [{"label": str(n), "value": 1} for n in range(21)]}], "axis_config": {"categories": [str(n) for n in range(21)]}}}),
    ("labels differ", {"type": "data_visualization", "title": "t", "chart": {"type": "bar", "series": [{"name": "s", "data": [{"label": "a", "value": 1}]}], "axis_config": {"categories": ["b"]}}}),
    ("unknown block", {"type": "marquee"}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "block"), BROKEN, ids=[name for name, _ in BROKEN])
def test_both_schemas_find_invalid_blocks(name: str, block: Block) -> None:
    assert block_problems([block], most=50), name
    assert block_kit_schema.complaints([block], most=50), name


def test_too_many_blocks_charts_and_characters_are_found() -> None:
    assert block_problems([kit.divider()] * 51, most=50)
    chart = kit.chart("t", kind="bar", series=[("s", [1.0])], labels=["a"], unit="B")
    assert block_problems([chart] * 3, most=50)
    assert message_problems("x", [kit.section("x" * 2900)] * 5)
    assert message_problems("", [])


def test_accepted_block_is_checked_again_once_changed() -> None:
    block = kit.section("Kitchen")
    assert block_problems([block], most=50) == block_problems([block], most=50) == []
    block["block_id"] = "kitchen"
    assert block_problems([block], most=50) == []
    block["text"]["text"] = "x" * 3001
    assert block_problems([block], most=50) == block_problems([block], most=50) != []


def test_chart_labels_are_unique_and_at_most_twenty() -> None:
    chart = kit.chart(
        "t",
        kind="bar",
        series=[("s", [float(n) for n in range(30)])],
        labels=["01:30"] * 30,
        unit="B",
    )
    labels = chart["chart"]["axis_config"]["categories"]
    assert len(labels) == len(set(labels)) == 20


def test_long_table_counts_omitted_rows() -> None:
    text, blocks = usage(92)
    assert "… and 52 more; the file has them all" in json.dumps(blocks, ensure_ascii=False)
    assert "… and 52 before" in text


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**53), 2**53)
        | st.text(st.characters(exclude_categories=())),
        st.lists,
    )
)
def test_blocks_of_any_text_are_json(value: Any) -> None:
    assert json.loads(json_text({"value": value})) == {"value": value}
