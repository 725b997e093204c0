"""An answer laid out for a terminal: the blocks of the Slack message as headings, tables, charts
and colour.
"""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Iterator, Sequence
from itertools import accumulate
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
# Three digits of a larger number are a whole one.
LEAST_WHOLE = 999.5
# A cell that has nothing to say.
NO_VALUE = ("", "–")
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
    """A table that is too wide: the columns that fit are aligned, and the others follow below each
    row by their names, where they have a value.
    """
    width = max(width, LEAST_WIDTH)
    head, *rows = ([terminal_line(cell["text"]) for cell in row] for row in block["rows"])
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    aligned = _aligned(widths, width)
    title = Text(terminal_line(block.get("caption", "")), style="bold")
    lines = [Text(_joined(head[:aligned], widths, width), style="dim")]
    for row in rows:
        lines.append(Text(_joined(row[:aligned], widths, width)))
        others = zip(head[aligned:], row[aligned:], strict=True)
        if named := [f"{name} {cell}" for name, cell in others if cell not in NO_VALUE]:
            lines.append(Text(_wrapped(" · ".join(named), width, indent=" " * GAP), style="dim"))
    return Group(title, *lines)


def _aligned(widths: Sequence[int], width: int) -> int:
    """How many columns fit next to each other; at least one."""
    taken = accumulate(each + GAP for each in widths)
    return max(1, sum(end - GAP <= width for end in taken))


def _joined(cells: Sequence[str], widths: Sequence[int], width: int) -> str:
    line = "".join(cell.ljust(each + GAP) for cell, each in zip(cells, widths, strict=False))
    return _wrapped(line.rstrip(), width) if len(cells) == 1 else line.rstrip()


def _wrapped(line: str, width: int, indent: str = "") -> str:
    return textwrap.fill(
        line,
        width,
        initial_indent=indent,
        subsequent_indent=" " * GAP,
        break_on_hyphens=False,
    )


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
    numbers = _numbers(series)
    cells = _bar_cells(series, numbers, width)
    for point, *row in zip(series[0]["data"], *numbers, strict=True):
        bar = _bar(point["value"], largest, cells)
        table.add_row(terminal_line(point["label"]), bar, *map(Text, row))
    if len(series) == 1:
        title.append(f"  {terminal_line(block['chart']['axis_config']['y_label'])}", "dim not bold")
    return Group(title, table)


def _bar_cells(
    series: Sequence[dict[str, Any]], numbers: Sequence[Sequence[str]], width: int
) -> int:
    """How long the longest bar may be, so that labels and numbers are whole."""
    taken = max((len(point["label"]) for point in series[0]["data"]), default=0) + GAP
    for one, column in zip(series, numbers, strict=True):
        name = len(one["name"]) if len(series) > 1 else 0
        taken += max([name, *map(len, column)]) + GAP
    return max(LEAST_BAR_CELLS, min(BAR_CELLS, width - taken - GAP))


def _bar(value: float, largest: float, cells: int) -> str:
    eighths = round(cells * 8 * abs(value) / largest) if largest else 0
    whole, rest = divmod(eighths, 8)
    return "█" * whole + (EIGHTHS[rest] if rest else "")


def _numbers(series: Sequence[dict[str, Any]]) -> list[list[str]]:
    """The numbers of each series, all of them whole or none."""
    values = [[point["value"] for point in one["data"]] for one in series]
    whole = all(value == int(value) for column in values for value in column)
    return [[_number(value, whole=whole) for value in column] for column in values]


def _number(value: float, *, whole: bool) -> str:
    """A count, or three digits as sizes have: `32.0` next to `31.9`."""
    if whole or not 0 < abs(value) < LEAST_WHOLE:
        return f"{value:,.0f}"
    return f"{value:#.3g}".rstrip(".")
