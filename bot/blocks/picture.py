"""Draws a chart as SVG for a Slack without native charts (pure)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any

from bot.answer import Block

# Pixels of the drawing, which is rendered at twice this size.
WIDE = 1000
HIGH = 420
LEFT = 76
RIGHT = 18
TOP = 66
BOTTOM = 46
COLOURS = ("#3b7fc4", "#d9534f", "#8a6fc1")
# The renderer takes the first of these that the machine has.
FONTS = "Lato, 'DejaVu Sans', 'Liberation Sans', 'Noto Sans', Arial, sans-serif"


def svg_of(block: Block) -> str:
    """A `data_visualization` block of bars or lines as SVG, on white, for a rendering at twice its
    size.
    """
    chart = block["chart"]
    labels: Sequence[str] = chart["axis_config"]["categories"]
    unit = str(chart["axis_config"].get("y_label", ""))
    top = _ceiling(
        # One scale for all series.
        max([point["value"] for one in chart["series"] for point in one["data"]], default=0)
    )
    slot = (WIDE - LEFT - RIGHT) / len(labels)
    parts = [
        _text(LEFT, 34, block["title"], size=24, weight=700),
        _text(WIDE - RIGHT, 34, unit, size=18, anchor="end", fill="#616061"),
    ]
    parts += _grid(top) + _labels(labels, slot) + _legend(chart["series"])
    for number, one in enumerate(chart["series"]):
        values = [point["value"] for point in one["data"]]
        draw = _bars if chart["type"] == "bar" else _line
        parts += draw(
            values, top, slot, COLOURS[number % len(COLOURS)], number, len(chart["series"])
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {HIGH}" width="{WIDE}" height="{HIGH}" font-family="{FONTS}">'
        f'<rect width="{WIDE}" height="{HIGH}" fill="#ffffff"/>{"".join(parts)}</svg>'
    )


def alt_text(block: Block) -> str:
    """A text alternative that says what a chart shows."""
    chart = block["chart"]
    series = []
    for one in chart["series"]:
        points = ", ".join(f"{point['label']} {point['value']:g}" for point in one["data"])
        series.append(f"{one['name']} {points}")
    return f"{block['title']}, {chart['axis_config'].get('y_label', '')}: {'; '.join(series)}"[
        :1900
    ]


def _ceiling(highest: float) -> float:
    """A round number above the highest value."""
    if highest <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(highest))
    return next(
        # Each of these has a short quarter, for the labels of the grid.
        step * power
        for step in (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10)
        if step * power >= highest
    )


def _y(value: float, top: float) -> float:
    return TOP + (HIGH - TOP - BOTTOM) * (1 - max(0.0, value) / top)


def _grid(top: float) -> list[str]:
    parts = []
    for share in (0, 0.25, 0.5, 0.75, 1):
        y = _y(top * share, top)
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDE - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e4e4e7" stroke-width="1.5"/>'
        )
        parts.append(
            _text(LEFT - 10, y + 6, f"{top * share:.3g}", size=17, anchor="end", fill="#616061")
        )
    return parts


def _labels(labels: Sequence[str], slot: float) -> list[str]:
    """As many labels as there is room for, the last one among them, since it says whether its bar
    is a part.
    """
    # About ten pixels a character at this size.
    longest = max(len(label) for label in labels) * 10
    every = math.ceil((longest + 14) / slot)
    last = len(labels) - 1
    return [
        _text(
            min(LEFT + slot * (n + 0.5), WIDE - len(label) * 5),
            HIGH - 16,
            label,
            size=17,
            anchor="middle",
            fill="#616061",
        )
        for n, label in enumerate(labels)
        if n == last or (n % every == 0 and last - n >= every)
    ]


def _legend(series: Sequence[Any]) -> list[str]:
    if len(series) < 2:
        return []
    parts = []
    x = float(LEFT)
    for number, one in enumerate(series):
        parts.append(
            f'<rect x="{x:.0f}" y="44" width="12" height="12" rx="3" fill="{COLOURS[number % len(COLOURS)]}"/>'
        )
        parts.append(_text(x + 18, 56, one["name"], size=16, fill="#616061"))
        x += 40 + 9.5 * len(one["name"])
    return parts


def _bars(
    values: Sequence[float], top: float, slot: float, colour: str, number: int, of: int
) -> list[str]:
    # A single bar is not as wide as the picture.
    width = min(52.0, slot * 0.74 / of)
    bars = []
    for n, value in enumerate(values):
        x = LEFT + slot * (n + 0.5) - width * of / 2 + width * number
        y = _y(value, top)
        bars.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(1, width - 2):.1f}" height="{_y(0, top) - y:.1f}" rx="3" fill="{colour}"/>'
        )
    return bars


def _line(
    values: Sequence[float], top: float, slot: float, colour: str, number: int, of: int
) -> list[str]:
    # Lines share their points; bars are beside each other.
    del number, of
    points = " ".join(
        f"{LEFT + slot * (n + 0.5):.1f},{_y(value, top):.1f}" for n, value in enumerate(values)
    )
    return [
        f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="3" stroke-linejoin="round"/>'
    ]


def _text(
    x: float,
    y: float,
    text: str,
    *,
    size: int,
    anchor: str = "start",
    weight: int = 400,
    fill: str = "#1d1c1d",
) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}" text-anchor="{anchor}" fill="{fill}">{escape(str(text))}</text>'
