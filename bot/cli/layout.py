"""An answer laid out for a terminal: the blocks of the Slack message as headings, tables, charts
and colour.
"""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from bot.answer import Block
from bot.system.terminal_text import terminal_line, terminal_text

BAR_CELLS = 40
# Shorter bars show no difference.
LEAST_BAR_CELLS = 8
GAP = 2
# A table that is wider than the terminal by more is unreadable: each of its cells is folded.
MOST_FOLDED = 1.25
LEAST_WIDTH = 20
# Eighths of a cell, so that a bar is as exact as eight times its width.
EIGHTHS = " ▏▎▍▌▋▊▉█"
# Blocks that follow others without an empty line between them.
_CLOSE = {"header": ("",), "context": ("header", "context")}
# The parts of Slack's markup that answers use: code blocks, code, bold, times, people, channels
# and links.
_MARKUP = re.compile(
    r"```(?P<block>[^`]*+)```|`(?P<code>[^`\n]*+)`|\*(?P<bold>[^*\n]++)\*"
    r"|<(?P<target>[^<>|\n]*+)(?:\|(?P<label>[^<>\n]*+))?>"
)
_EMOJI = re.compile(r":(?P<name>[a-z0-9_]{2,40}):")
_SIGNS = {
    "warning": "⚠",
    "white_check_mark": "✓",
    "x": "✗",
    "rotating_light": "!",
    "hourglass_flowing_sand": "…",
}


def print_answer(
    blocks: Sequence[Block], notes: Sequence[str] = (), *, console: Console | None = None
) -> None:
    """Prints the blocks and then the notes, such as which files were saved. Buttons are left out,
    as nothing can be pressed here.
    """
    console = console or Console(highlight=False)
    previous = ""
    for block in blocks:
        parts = list(render(block, console.width))
        if parts and previous not in _CLOSE.get(block["type"], ()):
            console.print()
        for part in parts:
            console.print(part)
        previous = block["type"] if parts else previous
    for note in notes:
        console.print(Text(terminal_line(note), style="dim"))


def render(block: Block, width: int) -> Iterator[RenderableType]:
    """What a terminal of that width shows of one block; nothing for one that only Slack can show."""
    match block["type"]:
        case "header":
            yield Text(terminal_line(block["text"]["text"]), style="bold")
        case "section":
            yield from _section(block)
        case "context":
            yield Group(*(markup(part["text"], "dim") for part in block["elements"]))
        case "data_table" | "table":
            yield _table(block) if _fits(block, width) else _records(block, width)
        case "data_visualization":
            yield _chart(block, width)
        case "image":
            yield Text(terminal_line(block["alt_text"]))


def markup(source: str, style: str = "") -> Text:
    """Slack's markup as styled text. Times and links are shown by their words."""
    shown = Text(style=style)
    at = 0
    # Text between matches is what Slack shows as it is.
    for match in _MARKUP.finditer(source):
        shown.append(_words(source[at : match.start()]))
        shown.append(*_styled(match))
        at = match.end()
    shown.append(_words(source[at:]))
    return shown


def _styled(match: re.Match[str]) -> tuple[str, str]:
    if (block := match["block"]) is not None:
        return _words(block), ""
    if (code := match["code"]) is not None:
        return _words(code), "cyan"
    if (bold := match["bold"]) is not None:
        return _words(bold), "bold"
    return _words(match["label"] or match["target"]), ""


def _words(source: str) -> str:
    with_signs = _EMOJI.sub(lambda match: _SIGNS.get(match["name"], match[0]), source)
    # Unescaped first: an escaped control character must not become one afterwards.
    return terminal_text(html.unescape(with_signs))


def _section(block: Block) -> Iterator[RenderableType]:
    if "text" in block:
        yield markup(block["text"]["text"])
    if "fields" in block:
        table = Table.grid(padding=(0, 2, 0, 0))
        for pair in block["fields"]:
            name, _, value = pair["text"].partition("\n")
            table.add_row(markup(name.strip("*"), "dim"), markup(value))
        yield table


def _table(block: Block) -> Table:
    head, *rows = block["rows"]
    table = Table(
        title=terminal_line(block.get("caption", "")) or None,
        title_justify="left",
        title_style="bold",
        box=None,
        padding=(0, 2, 0, 0),
    )
    for place, cell in enumerate(head):
        # The first row decides for its column; a missing number is text.
        is_number = bool(rows) and rows[0][place]["type"] == "raw_number"
        table.add_column(
            Text(terminal_line(cell["text"])),
            justify="right" if is_number else "left",
            overflow="fold",
            no_wrap=place == 0 or is_number,
            header_style="dim",
        )
    for row in rows:
        table.add_row(*(Text(terminal_line(cell["text"])) for cell in row))
    return table


def _fits(block: Block, width: int) -> bool:
    """Whether a table is readable in that width, where some of its cells may be folded."""
    columns = zip(*block["rows"], strict=True)
    needed = sum(max(len(cell["text"]) for cell in column) + GAP for column in columns)
    return needed <= width * MOST_FOLDED


def _records(block: Block, width: int) -> Group:
    """A table whose rows are lines: as many as a row needs, the others indented."""
    head, *rows = (
        textwrap.fill(
            (" " * GAP).join(terminal_line(cell["text"]) for cell in row),
            max(width, LEAST_WIDTH),
            subsequent_indent=" " * GAP,
            break_on_hyphens=False,
        )
        for row in block["rows"]
    )
    title = Text(terminal_line(block.get("caption", "")), style="bold")
    return Group(title, Text(head, style="dim"), *map(Text, rows))


def _chart(block: Block, width: int) -> Group:
    """A bar for each point of the first series, as long as its value is to the largest, and
    the numbers of all series.
    """
    series = block["chart"]["series"]
    title = Text(terminal_line(block["title"]), style="bold")
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=len(series) > 1, header_style="dim")
    table.add_column(style="dim", no_wrap=True)
    table.add_column(style="blue", no_wrap=True)
    for one in series:
        table.add_column(Text(terminal_line(one["name"])), justify="right", no_wrap=True)
    # Changes may be negative; a bar shows how large.
    largest = max((abs(point["value"]) for point in series[0]["data"]), default=0)
    cells = _bar_cells(series, width)
    for points in zip(*(one["data"] for one in series), strict=True):
        numbers = [Text(_number(point["value"])) for point in points]
        bar = _bar(points[0]["value"], largest, cells)
        table.add_row(terminal_line(points[0]["label"]), bar, *numbers)
    if len(series) == 1:
        title.append(f"  {terminal_line(block['chart']['axis_config']['y_label'])}", "dim not bold")
    return Group(title, table)


def _bar_cells(series: Sequence[dict[str, Any]], width: int) -> int:
    """How long the longest bar may be, so that labels and numbers are whole."""
    taken = max((len(point["label"]) for point in series[0]["data"]), default=0) + GAP
    for one in series:
        numbers = (len(_number(point["value"])) for point in one["data"])
        name = len(one["name"]) if len(series) > 1 else 0
        taken += max([name, *numbers]) + GAP
    return max(LEAST_BAR_CELLS, min(BAR_CELLS, width - taken - GAP))


def _bar(value: float, largest: float, cells: int) -> str:
    eighths = round(cells * 8 * abs(value) / largest) if largest else 0
    whole, rest = divmod(eighths, 8)
    return "█" * whole + (EIGHTHS[rest] if rest else "")


def _number(value: Any) -> str:
    return f"{value:,.3g}" if isinstance(value, float) and abs(value) < 1000 else f"{value:,.0f}"
