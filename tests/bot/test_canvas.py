"""Answers as the Markdown of a canvas."""

from __future__ import annotations

import re
from typing import Any

import pytest

from bot.blocks import kit
from bot.blocks.canvas import (
    MOST_CELLS,
    MOST_MARKDOWN,
    canvas_markdown,
    canvas_text,
    from_mrkdwn,
)
from bot.sandbox.slack.canvas_api import sections_of
from tests.support.inert import HOSTILE
from tests.support.work import growth


@pytest.mark.parametrize(
    ("mrkdwn", "markdown"),
    [
        ("*bold* and _slanted_", "**bold** and _slanted_"),
        ("`code *as it is*`", "`code *as it is*`"),
        ("a &lt; b &amp; c", "a \\< b & c"),
        ("one\ntwo", "one\n\ntwo"),
        ("first:\n• one\n• two", "first:\n\n- one\n- two"),
        ("```a\n\n* b```", "```\na\n\n* b\n```"),
        ("by <@U0ADA> in <#C0OPS>", "by ![](@U0ADA) in ![](#C0OPS)"),
        ("<!date^1^{date}|21 Nov 2026>", "21 Nov 2026"),
        ("snake_case_name", "snake\\_case\\_name"),
        ("1. not a list", "1\\. not a list"),
        ("- not a list", "\\- not a list"),
        ("# no heading", "\\# no heading"),
        ("4.5 GB", "4.5 GB"),
        (
            "&amp;lt;b&amp;gt; &amp;#33; AT&amp;T; a &amp; b;",
            "\\&lt;b\\&gt; \\&\\#33; AT\\&T; a & b;",
        ),
        ("a\n---\nb", "a\n\n\\---\n\nb"),
        ("a\n===", "a\n\n\\==="),
        ("1.", "1\\."),
        ("-", "\\-"),
    ],
)
def test_mrkdwn_becomes_markdown(mrkdwn: str, markdown: str) -> None:
    assert from_mrkdwn(mrkdwn) == markdown


def chart(*labels: str) -> dict[str, Any]:
    values = [float(n) for n in range(len(labels))]
    return kit.chart("Usage", kind="bar", series=[("usage", values)], labels=labels, unit="GB")


def test_chart_becomes_a_table() -> None:
    shown = canvas_markdown([kit.header("5 GB"), chart("21 Nov", "22 Nov"), kit.divider()])
    assert shown == (
        "## 5 GB\n\n**Usage**\n\n|   | usage (GB) |\n| --- | ---: |\n| 21 Nov | 0 |\n"
        "| 22 Nov | 1 |\n\n---"
    )


def test_chart_beside_its_table_is_left_out() -> None:
    table = kit.data_table("By day", ["Day", "Usage"], [["Sat 21 Nov", "1 GB"]])
    assert canvas_markdown([chart("21 Nov (part)"), table]).count("21 Nov") == 1
    assert canvas_markdown([chart("22 Nov"), table]).count("Nov") == 2


@pytest.mark.parametrize("columns", [1, 2, 7, 20])
def test_table_has_at_most_300_cells(columns: int) -> None:
    head = [f"column {n}" for n in range(columns)]
    table = kit.data_table("Many", head, [["cell"] * columns] * 100)
    shown = canvas_markdown([table])
    rows = [line for line in shown.split("\n") if line.startswith("| c")]
    assert len(rows) * columns <= MOST_CELLS
    assert ("more row" in shown) == (len(rows) < 101)
    if len(rows) < 101:
        assert f"… and {101 - len(rows)} more rows" in shown


def test_buttons_are_left_out() -> None:
    assert canvas_markdown([kit.actions([kit.button("Ask", "ask.0")])]) == ""


def test_long_answer_ends_with_whole_block() -> None:
    blocks = [kit.preview(["x" * 2000]) for _ in range(500)]
    shown = canvas_markdown(blocks)
    assert len(shown) <= MOST_MARKDOWN
    assert shown.endswith("```\n\n…")
    assert shown.count("```") % 2 == 0


def test_words_become_paragraphs() -> None:
    assert canvas_text("*5 GB*\n\n- 1") == "\\*5 GB\\*\n\n\\- 1"
    assert len(canvas_text("x" * 200_000)) <= MOST_MARKDOWN


RICH = {
    "type": "rich_text",
    "elements": [
        {
            "type": "rich_text_section",
            "elements": [{"type": "text", "text": each} for each in "a*"],
        },
        {"type": "rich_text_section", "elements": [{"type": "text", "text": "b"}]},
    ],
}
RAW = {"type": "raw_text", "text": "c"}


@pytest.mark.parametrize(
    ("block", "markdown"),
    [
        ({"type": "table", "rows": [[RAW, RAW], [RICH, RAW]]}, "| c | c |\n| --- | --- |\n| a\\*b | c |"),
        ({"type": "table", "rows": []}, ""),
        ({"type": "data_table", "rows": [[RAW], [{"type": "raw_number", "value": 3}]]}, "| c |\n| ---: |\n| 3 |"),
        (RICH, "a\\*\n\nb"),
        ({"type": "markdown", "text": "![](@U0ADA)"}, "\\!\\[\\](@U0ADA)"),
        ({"type": "video"}, ""),
    ],
)  # fmt: skip
def test_blocks_of_plug_ins_are_shown(block: dict[str, Any], markdown: str) -> None:
    assert canvas_markdown([block]) == markdown


def test_chart_with_gaps_is_shown() -> None:
    gaps = chart("21 Nov", "22 Nov")
    gaps["chart"]["series"][0]["data"].pop()
    gaps["chart"]["series"].append({"name": "other", "data": []})
    assert "| 21 Nov | 0 |   |" in canvas_markdown([gaps])


# What would act in a canvas: a mention, a link, markup of words, HTML.
ACTS = re.compile(r"(?<!\\)!\[|(?<!\\)\]\(|(?<!\\)\*\*|(?<!\\)~~|(?<!\\)<|(?m:^)(?:#|>|[-+] )")


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("more", ["", " [x](https://evil.example) ![](@U0ADA) **b** | c\n# d\n> e"])
def test_outside_text_is_inert(text: str, more: str) -> None:
    hostile = text + more
    blocks = [
        kit.section(f"{kit.code(hostile)} {kit.escaped(hostile)}"),
        kit.fields([("Name", kit.escaped(hostile))]),
        kit.context(kit.with_code(hostile)),
        kit.data_table(hostile, ["a", "b"], [[hostile, hostile]]),
        kit.header(hostile),
        kit.preview([hostile]),
    ]
    shown = canvas_markdown(blocks)
    outside_code = re.sub(r"```.*?```|`[^`\n]*`", "", shown, flags=re.DOTALL)
    ours = re.sub(r"(?m)^(?:## |- \*\*Name\*\* |- |\*\*(?=.*\*\*$))|\*\*$", "", outside_code)
    ours = re.sub(r"!\[\]\([@#][A-Z0-9]+\)", "", ours)
    assert not ACTS.search(ours), ours
    # The table is one section of three rows, whatever its cells hold.
    [table] = [each.text for each in sections_of(shown) if each.text.startswith("| a")]
    assert len(table.split("\n")) == 3
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 3 for row in table.split("\n"))


@pytest.mark.parametrize(
    "sign", ["*", "_", "`", "```", "<", "-", "=\n", "&amp;#", "• x\n", "a ", "\\", "1. ", "*a _b "]
)
def test_conversion_is_linear(sign: str) -> None:
    factors = growth(lambda size: from_mrkdwn(sign * size), [500, 1000, 2000])
    assert max(factors) < 2.5
