"""Slack's documented limits as one table, and a check of every payload before it is sent.

Pages: Block Kit reference (blocks and elements), chat.postMessage, Home tabs. Two limits are known
from the field alone: two charts a message, and about 13,200 characters of blocks before
`msg_blocks_too_long`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import msgspec

from bot.answer import Block

# Slack cuts longer top-level text, and recommends at most GOOD_TEXT characters.
MOST_TEXT = 40_000
GOOD_TEXT = 4_000
# Of a message; modals and Home tabs take more.
MOST_BLOCKS = 50
MOST_VIEW_BLOCKS = 100
MOST_BLOCK_CHARACTERS = 13_000
MOST_CHARTS = 2


def message_problems(text: str, blocks: Sequence[Block]) -> list[str]:
    """What Slack would refuse in a message; empty if nothing."""
    found = []
    if not text.strip():
        found.append("text: empty, so screen readers and notifications have nothing")
    if len(text) > MOST_TEXT:
        found.append(f"text: {len(text)} characters, at most {MOST_TEXT}")
    encoded = _encoded(blocks)
    # Their JSON is at least as long as their texts. The exact count walks through every block, so it
    # is made only where it may matter.
    may_be_long = encoded is None or sum(map(len, encoded)) > MOST_BLOCK_CHARACTERS
    if may_be_long and (count := characters(blocks)) > MOST_BLOCK_CHARACTERS:
        found.append(f"blocks: {count} characters, at most {MOST_BLOCK_CHARACTERS}")
    return found + _block_problems(blocks, encoded, most=MOST_BLOCKS)


def block_problems(blocks: Sequence[Block], *, most: int) -> list[str]:
    """What Slack would refuse in the blocks of a message (most 50) or a view (most 100)."""
    return _block_problems(blocks, _encoded(blocks), most=most)


def _block_problems(
    blocks: Sequence[Block], encoded: Sequence[bytes] | None, *, most: int
) -> list[str]:
    found = [f"blocks: {len(blocks)}, at most {most}"] if len(blocks) > most else []
    types = [block.get("type") for block in blocks]
    # Not documented; found live by another client (vercel/chat#696).
    if types.count("data_visualization") > MOST_CHARTS:
        found.append(f"blocks: {types.count('data_visualization')} charts, at most {MOST_CHARTS}")
    # Slack answers only_one_table_allowed.
    if types.count("table") > 1:
        found.append("blocks: only one table")
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    if len(ids) != len(set(ids)):
        found.append("blocks: block_id not unique")
    for number, block in enumerate(blocks):
        json = _without_id(block, encoded[number]) if encoded else b""
        if json in _ACCEPTED:
            continue
        check = _CHECKS.get(str(block.get("type")))
        complaints = [*check(block)] if check else ["unknown type"]
        found += [f"blocks[{number}] {block.get('type')}: {complaint}" for complaint in complaints]
        if json and not complaints:
            _remember(json)
    return found


def _encoded(blocks: Sequence[Block]) -> list[bytes] | None:
    """The JSON of each block; None where some of it is no valid Unicode."""
    try:
        return [msgspec.json.encode(block) for block in blocks]
    except UnicodeEncodeError:
        return None


def _without_id(block: Block, encoded: bytes) -> bytes:
    """The JSON of a block but for its id, which is another one in each message."""
    return msgspec.json.encode({**block, "block_id": ""}) if "block_id" in block else encoded


# The JSON of blocks in which nothing was found. Those who share an answer have the same blocks.
_ACCEPTED: set[bytes] = set()
_LONGEST_ACCEPTED = 4_000
_MOST_ACCEPTED = 500


def _remember(json: bytes) -> None:
    if len(json) > _LONGEST_ACCEPTED:
        return
    if len(_ACCEPTED) >= _MOST_ACCEPTED:
        _ACCEPTED.clear()
    _ACCEPTED.add(json)


def characters(value: Any) -> int:
    """The characters of all texts in the blocks."""
    # Exact classes: this runs for every block of every message.
    if value.__class__ is str:
        return len(value)
    if value.__class__ is dict:
        return sum([characters(inner) for key, inner in value.items() if key not in _UNCOUNTED])
    return sum([characters(inner) for inner in value]) if value.__class__ in (list, tuple) else 0


# Not shown, and so not counted by Slack.
_UNCOUNTED = frozenset({"type", "action_id", "value", "style"})


def _text(
    value: Any, where: str, most: int, *, kinds: tuple[str, ...] = ("plain_text", "mrkdwn")
) -> tuple[str, ...]:
    if not isinstance(value, dict) or value.get("type") not in kinds:
        return (f"{where} must be {' or '.join(kinds)}",)
    length = len(value.get("text", ""))
    if not 1 <= length <= most:
        return (f"{where} has {length} characters, 1 to {most}",)
    return ()


def _section(block: Block) -> Iterator[str]:
    if "text" not in block and "fields" not in block:
        yield "neither text nor fields"
    if "text" in block:
        yield from _text(block["text"], "text", 3000)
    listed = block.get("fields", ["-"])
    if not 1 <= len(listed) <= 10:
        yield f"{len(listed)} fields, 1 to 10"
    for field in block.get("fields", []):
        yield from _text(field, "field", 2000)
    if "accessory" in block:
        yield from _element(block["accessory"])


def _header(block: Block) -> Iterator[str]:
    yield from _text(block.get("text"), "text", 150, kinds=("plain_text",))


def _context(block: Block) -> Iterator[str]:
    elements = block.get("elements", [])
    if not 1 <= len(elements) <= 10:
        yield f"{len(elements)} elements, 1 to 10"
    for element in elements:
        if element.get("type") != "image":
            yield from _text(element, "element", 2000)


def _actions(block: Block) -> Iterator[str]:
    elements = block.get("elements", [])
    if not 1 <= len(elements) <= 25:
        yield f"{len(elements)} elements, 1 to 25"
    ids = [element.get("action_id") for element in elements]
    if len(ids) != len(set(ids)):
        yield "action_id not unique"
    for element in elements:
        yield from _element(element)


def _element(element: Block) -> Iterator[str]:
    if len(element.get("action_id", "")) > 255:
        yield "action_id longer than 255"
    if element.get("type") == "button":
        yield from _text(element.get("text"), "button", 75, kinds=("plain_text",))
        if len(element.get("value", "")) > 2000:
            yield "value longer than 2000"
        if element.get("style", "primary") not in ("primary", "danger"):
            yield "style is primary or danger"


def _image(block: Block) -> Iterator[str]:
    if not 1 <= len(block.get("alt_text", "")) <= 2000:
        yield "alt_text 1 to 2000"
    if ("image_url" in block) == ("slack_file" in block):
        yield "either image_url or slack_file"


def _data_table(block: Block) -> Iterator[str]:
    rows = block.get("rows", [])
    if not 2 <= len(rows) <= 101:
        yield f"{len(rows)} rows, a header and 1 to 100"
    if rows and not 1 <= len(rows[0]) <= 20:
        yield f"{len(rows[0])} columns, 1 to 20"
    if len({len(row) for row in rows}) > 1:
        yield "rows of unequal length"
    # Slack refuses an empty cell, and with it the whole message.
    if any(not cell.get("text") for row in rows for cell in row):
        yield "an empty cell"
    if not 1 <= block.get("page_size", 5) <= 100:
        yield "page_size 1 to 100"


def _table(block: Block) -> Iterator[str]:
    rows = block.get("rows", [])
    if not 1 <= len(rows) <= 100:
        yield f"{len(rows)} rows, 1 to 100"
    if any(not 1 <= len(row) <= 20 for row in rows):
        yield "1 to 20 cells a row"


def _chart(block: Block) -> Iterator[str]:
    if not 1 <= len(block.get("title", "")) <= 50:
        yield "title 1 to 50"
    chart = block.get("chart", {})
    if chart.get("type") == "pie":
        if any(segment.get("value", 0) <= 0 for segment in chart.get("segments", [])):
            yield "a pie's values are above 0"
        return
    categories = chart.get("axis_config", {}).get("categories", [])
    # The page says 6; two clients enforce 12. The smaller limit holds for both.
    if not 1 <= len(chart.get("series", [])) <= 6:
        yield "1 to 6 series"
    for one in chart.get("series", []):
        labels = [point.get("label") for point in one.get("data", [])]
        if not 1 <= len(labels) <= 20:
            yield f"{len(labels)} points, 1 to 20"
        # The labels of every series have to equal the categories.
        if labels != categories:
            yield "labels differ from the categories"
        if any(len(str(label)) > 20 for label in (*labels, one.get("name", ""))):
            yield "a label longer than 20"


def _task(block: Block) -> Iterator[str]:
    if not 1 <= len(block.get("task_id", "")) <= 255:
        yield "task_id 1 to 255"
    if not block.get("title"):
        yield "no title"
    if block.get("status") not in ("pending", "in_progress", "complete", "error"):
        yield "status is pending, in_progress, complete or error"


def _plan(block: Block) -> Iterator[str]:
    if not block.get("title"):
        yield "no title"
    for card in block.get("tasks", []):
        yield from _task(card)


def _input(block: Block) -> Iterator[str]:
    yield from _text(block.get("label"), "label", 2000, kinds=("plain_text",))
    element = block.get("element", {})
    if "placeholder" in element:
        yield from _text(element["placeholder"], "placeholder", 150, kinds=("plain_text",))
    if element.get("type") == "static_select" and not 1 <= len(element.get("options", [])) <= 100:
        yield f"{len(element.get('options', []))} options, 1 to 100"
    for option in element.get("options", []):
        yield from _text(option.get("text"), "option", 75)
        if not 1 <= len(option.get("value", "")) <= 150:
            yield "an option's value has 1 to 150 characters"


def view_problems(view: Block) -> list[str]:
    """What Slack would refuse in a modal; empty if nothing."""
    found = [
        f"{name}: longer than 24"
        for name in ("title", "submit", "close")
        if len(view.get(name, {}).get("text", "")) > 24
    ]
    found += (
        ["private_metadata: longer than 3000"]
        if len(view.get("private_metadata", "")) > 3000
        else []
    )
    # Slack requires a submit button as soon as there is an input.
    if "submit" not in view and any(block.get("type") == "input" for block in view["blocks"]):
        found.append("submit: required with inputs")
    messages_only = {"data_table", "data_visualization", "table", "task_card", "plan"} & {
        str(block.get("type")) for block in view["blocks"]
    }
    found += [f"blocks: {name} belongs to messages" for name in sorted(messages_only)]
    return found + block_problems(view["blocks"], most=MOST_VIEW_BLOCKS)


_CHECKS: Mapping[str, Callable[[Block], Iterator[str]]] = MappingProxyType(
    {
        "section": _section,
        "header": _header,
        "context": _context,
        "actions": _actions,
        "image": _image,
        "divider": lambda _: iter(()),
        "input": _input,
        "data_table": _data_table,
        "task_card": _task,
        "plan": _plan,
        "data_visualization": _chart,
        "table": _table,
    }
)
