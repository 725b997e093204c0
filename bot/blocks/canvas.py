"""An answer as the Markdown of a canvas, which has no Block Kit (pure).

Page: "Canvases". A table has at most 300 cells, and no picture or chart can be embedded, so a chart
becomes a table of its numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from types import MappingProxyType
from typing import Any

import msgspec

from bot.answer import Block
from bot.blocks.kit import without_entities
from bot.formatting import pluralise, truncate

MOST_CELLS = 300
# Slack accepts 1 MiB; a digest that is longer than this is not an overview.
MOST_MARKDOWN = 100_000
MOST_TITLE = 150
# The markup of our own mrkdwn: first code and angle brackets, then what surrounds words.
_TOKENS = re.compile(
    r"```(?P<fence>[^`]+)```|`(?P<code>[^`\n]+)`|<(?P<angle>[^<>\n]{1,3000})>"
    r"|(?<![\w*])\*(?P<bold>[^*\n]+)\*(?![\w*])|(?<!\w)_(?P<italic>[^_\n]+)_(?!\w)"
)
# A name such as `&lt;` would be shown as the character that it represents.
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!]|&(?=#?\w{1,40};))")
# At the start of a line these begin a list; `+` and `-` mean something nowhere else.
_LIST = re.compile(r"(?m)^(\s{0,3}|\s{0,3}\d{1,9}(?=[.)]))([-+.)])(?=\s|$)")
# A line of nothing else is a divider, or makes a heading of the line above.
_RULE = re.compile(r"(?m)^([ \t]*)([-=])(?=[-= \t]*$)")


class CanvasPage(msgspec.Struct, frozen=True):
    """The wanted content of a canvas. A change of the `footer` alone does not update it."""

    digest: str
    title: str
    markdown: str
    footer: str

    def encode(self) -> bytes:
        return msgspec.json.encode(self)

    @classmethod
    def decode(cls, content: bytes) -> CanvasPage:
        """Raises msgspec.DecodeError where another version has written it."""
        return msgspec.json.decode(content, type=cls)


def canvas_markdown(blocks: Sequence[Block]) -> str:
    """The blocks of a message as Markdown, without buttons."""
    tables = [block for block in blocks if block.get("type") == "data_table"]
    parts: list[str] = []
    for block in blocks:
        if block.get("type") == "data_visualization" and _is_in_a_table(block, tables):
            continue
        render = _RENDER.get(str(block.get("type")))
        parts += render(block) if render else ()
    return _joined(part for part in parts if part.strip())


def canvas_text(text: str) -> str:
    """Words as the Markdown of a canvas, for an answer with no blocks that a canvas can show."""
    lines = (truncate(line.strip(), MOST_MARKDOWN // 4) for line in text.split("\n"))
    return _joined(literal(line) for line in lines if line)


def _joined(parts: Iterable[str]) -> str:
    """As many of the parts as fit. Half of a part could be an unclosed code block."""
    shown: list[str] = []
    left = MOST_MARKDOWN
    for part in parts:
        left -= len(part) + 2
        if left < 0:
            return "\n\n".join([*shown, "…"])
        shown.append(part)
    return "\n\n".join(shown)


def canvas_footer(digest: str, notes: Sequence[str]) -> str:
    """The last line of a canvas: whose it is, and what happened to it."""
    shown = [literal(note) for note in notes if note]
    whose = f"Digest {code_span(digest)}"
    return " · ".join([whose, *shown, "Opswatch replaces what is written here"])


def literal(text: str) -> str:
    """Text without any Markdown syntax."""
    return _RULE.sub(r"\1\\\2", _LIST.sub(r"\1\\\2", _SPECIAL.sub(r"\\\1", text)))


def code_span(text: str) -> str:
    """Text in a code span that it cannot close."""
    return f"`{text.replace('`', 'ˋ')}`"


def from_mrkdwn(text: str) -> str:
    """Our own mrkdwn as Markdown: a paragraph or an entry of a list for each line."""
    made = "".join(_pieces(text))
    # Within a code block lines stay together.
    parts = re.split(r"\n(```\n.*?\n```)\n", made, flags=re.DOTALL)
    shown = [part if number % 2 else _paragraphs(part) for number, part in enumerate(parts)]
    return "\n\n".join(filter(None, shown))


def _paragraphs(text: str) -> str:
    made = ""
    for line in filter(None, (line.strip() for line in text.split("\n"))):
        is_entry = line.startswith("• ")
        entry = f"- {line[2:]}" if is_entry else line
        follows_entry = is_entry and made.rpartition("\n")[2].startswith("- ")
        made += f"{chr(10) if follows_entry else chr(10) * 2}{entry}" if made else entry
    return made


def _pieces(text: str) -> Iterator[str]:
    done = 0
    for match in _TOKENS.finditer(text):
        yield literal(without_entities(text[done : match.start()]))
        yield _piece(match)
        done = match.end()
    yield literal(without_entities(text[done:]))


def _piece(match: re.Match[str]) -> str:
    kind = match.lastgroup
    assert kind is not None, "each alternative is a group"
    inner = match[kind]
    if kind == "fence":
        return f"\n```\n{without_entities(inner).strip(chr(10))}\n```\n"
    if kind == "code":
        return code_span(without_entities(inner))
    if kind == "angle":
        return _angle(inner)
    # A mark that encloses only blanks would be shown as it is.
    words = "".join(_pieces(inner)).strip()
    mark = "**" if kind == "bold" else "_"
    return f"{mark}{words}{mark}" if words else ""


def _angle(inner: str) -> str:
    """A person, a channel, a time or a link, as our messages have them."""
    target, _, label = inner.partition("|")
    if re.fullmatch(r"[@#][A-Z0-9]{1,30}", target):
        return f"![]({target})"
    if target.startswith("!"):
        return literal(without_entities(label)) or "a user group"
    return literal(without_entities(label or target))


def _text(value: Mapping[str, Any]) -> str:
    if value.get("type") == "mrkdwn":
        return from_mrkdwn(str(value.get("text", "")))
    return literal(str(value.get("text", "")))


def _header(block: Block) -> list[str]:
    return [f"## {_text(block['text'])}"]


def _section(block: Block) -> list[str]:
    parts = [_text(block["text"])] if "text" in block else []
    facts = [" ".join(_text(field).split("\n\n")) for field in block.get("fields", ())]
    return [*parts, "\n".join(f"- {fact}" for fact in facts)]


def _context(block: Block) -> list[str]:
    texts = [_text(each) for each in block["elements"] if each.get("type") != "image"]
    return [" · ".join(texts)]


def _any_table(block: Block) -> list[str]:
    """Plug-ins may build their tables without our kit, as Slack allows them."""
    if not block["rows"]:
        return []
    head, *rows = [[_words(cell) for cell in row] for row in block["rows"]]
    numbers = [cell.get("type") == "raw_number" for cell in block["rows"][-1]]
    caption = literal(block.get("caption", ""))
    return [f"**{caption}**" if caption else "", *_table(head, rows, numbers)]


def _rich_text(block: Block) -> list[str]:
    return [literal(_words(each)) for each in block["elements"]]


def _words(element: Mapping[str, Any]) -> str:
    """The text of an element or a cell, and of those inside it."""
    for key in ("text", "value"):
        if isinstance(element.get(key), str | int | float):
            return str(element[key])
    return "".join(map(_words, element.get("elements", ())))


def _chart(block: Block) -> list[str]:
    """The numbers of a chart: a row for each point, a column for each series."""
    chart = block["chart"]
    title = f"**{literal(block['title'])}**"
    if chart.get("type") == "pie":
        segments = [[str(each["label"]), f"{each['value']:g}"] for each in chart["segments"]]
        return [title, *_table(["", "Value"], segments, [False, True])]
    axis = chart["axis_config"]
    names = [str(series["name"]) for series in chart["series"]]
    points = [[f"{point['value']:g}" for point in series["data"]] for series in chart["series"]]
    rows = [
        [str(label), *values]
        for label, values in zip(
            axis["categories"], zip_longest(*points, fillvalue=""), strict=False
        )
    ]
    unit = str(axis.get("y_label", ""))
    is_unit_known = not unit or any(unit in name for name in names)
    head = ["", *(name if is_unit_known else f"{name} ({unit})" for name in names)]
    return [title, *_table(head, rows, [False] + [True] * len(names))]


def _is_in_a_table(chart: Block, tables: Sequence[Block]) -> bool:
    """Whether a table has a row for each point of the chart, such as `Mon 23 Nov` for `23 Nov`."""
    categories = chart["chart"].get("axis_config", {}).get("categories", ())
    # Behind it is that a bar covers a part of its time.
    labels = [str(label).partition(" (")[0] for label in categories]
    for table in tables:
        rows = [str(row[0].get("text")) for row in table["rows"][1:]]
        if labels and all(any(label in row for row in rows) for label in labels):
            return True
    return False


def _table(
    head: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[bool]
) -> list[str]:
    most = MOST_CELLS // max(1, len(head)) - 1
    lines = [
        _row(head),
        _line("---:" if is_number else "---" for is_number in numbers),
        *(_row(row) for row in rows[:most]),
    ]
    left = len(rows) - most
    return ["\n".join(lines), f"… and {pluralise(left, 'more row')}" if left > 0 else ""]


def _row(cells: Sequence[str]) -> str:
    return _line(literal(" ".join(cell.split())) or " " for cell in cells)


def _line(cells: Any) -> str:
    return f"| {' | '.join(cells)} |"


_RENDER: Mapping[str, Callable[[Block], list[str]]] = MappingProxyType(
    {
        "context": _context,
        "data_table": _any_table,
        "data_visualization": _chart,
        "divider": lambda _: ["---"],
        "header": _header,
        "markdown": lambda block: [literal(block["text"])],
        "rich_text": _rich_text,
        "section": _section,
        "table": _any_table,
    }
)
