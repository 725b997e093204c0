"""The blocks we use, as functions returning plain dicts, and how outside text is made harmless in
them.

Everything that came from outside goes through `code` or `plain`: Slack's markup has no escape for
`*`, `_` or backticks, so such text is shown in a code span with its backticks replaced, or in a text
object that knows no markup at all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from bot.answer import Block
from bot.formatting import sanitise, sanitise_lines, truncate

# Slack's limits, in characters: the text of a section, a field of one, a header, and a label of a
# chart.
SECTION_TEXT = 3000
FIELD_TEXT = 2000
HEADER_TEXT = 150
LABEL = 20
MOST_FIELDS = 10
# So many sentences of 280 characters fit into a section.
MOST_WARNINGS = 9
# The most points that a native chart shows; 30 days need weekly bars.
MOST_POINTS = 20
# Behind the label of a bar that covers a part of its time only.
PART = " (part)"
# A table block takes 100 rows, without its header.
MOST_TABLE_ROWS = 100
# Signs that Slack reads as markup, and others that look like them. An underscore is markup at the
# edge of a word alone.
_MARKS = str.maketrans({"*": "∗", "~": "∼", "`": "ˋ"})
_EDGE = re.compile(r"(?<!\w)_|_(?!\w)")
_NOT_OURS = re.compile(
    r"<(?!(?:@[UWB][A-Z0-9]{1,30}|!subteam\^S[A-Z0-9]{1,40}|#[CGD][A-Z0-9]{1,30}|!date\^\d{1,20}\^[^<>|]{1,80}\|[^<>|]{1,80})>)"
)


def entities(text: str) -> str:
    """The three characters that Slack reads as control characters, for text where no other sign is
    markup, such as in a code block.
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def without_entities(text: str) -> str:
    """Undoes `entities`."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def escaped(text: str) -> str:
    """Outside text inside mrkdwn with all markup escaped. A sentence reads better this way than in
    `code`.
    """
    return _EDGE.sub("ˍ", entities(sanitise_lines(text)).translate(_MARKS))


def with_code(text: str) -> str:
    """Our sentence with its own `code` kept and all other text escaped."""
    parts = sanitise(text, 1500).split("`")
    if len(parts) % 2 == 0:
        return escaped("ˋ".join(parts))
    return "".join(
        code(part, 300) if number % 2 else escaped(part) for number, part in enumerate(parts)
    )


def code(text: str, most: int = 120) -> str:
    """Outside text inside mrkdwn, in a code span that it cannot close."""
    return f"`{entities(sanitise(text, most).replace('`', 'ˋ')) or ' '}`"


def mrkdwn(text: str, most: int = SECTION_TEXT) -> Block:
    """Our own markup. `verbatim` keeps Slack from making links and mentions of what looks like
    them; of what is in angle brackets only people, user groups, channels and times are left as
    they are, since we send nothing else.
    """
    shown = _NOT_OURS.sub("&lt;", truncate(sanitise_lines(text), most)) if text.strip() else "–"
    return {"type": "mrkdwn", "text": shown, "verbatim": True}


def plain(text: str, most: int) -> Block:
    return {"type": "plain_text", "text": sanitise(text, most) or " ", "emoji": False}


def header(text: str) -> Block:
    return {"type": "header", "text": plain(text, HEADER_TEXT)}


def section(text: str) -> Block:
    return {"type": "section", "text": mrkdwn(text)}


def warnings(lines: Sequence[str]) -> list[Block]:
    """What is missing from an answer, a line each, shown before its headline; nothing if there are
    no lines.
    """
    shown = [with_code(sanitise(line, 280)) for line in lines[:MOST_WARNINGS]]
    return [section("\n".join(f":warning: {line}" for line in shown))] if shown else []


def preview(lines: Sequence[str], title: str = "", *, most: int = 220) -> Block:
    """The last lines of a log, as many as fit into a section, each cut to `most` characters."""
    body = "\n".join(_line_in_code(line, most) for line in fitting_lines(lines, most))
    return section(f"*{title}*\n```{body}```" if title else f"```{body}```")


def fitting_lines(lines: Sequence[str], most: int) -> Sequence[str]:
    """The last of the lines that a preview has room for."""
    length = 0
    for number, line in enumerate(reversed(lines)):
        length += len(_line_in_code(line, most)) + 1
        if length > PREVIEW_TEXT:
            return lines[len(lines) - number :]
    return lines


def _line_in_code(line: str, most: int) -> str:
    return entities(sanitise(line, most).replace("`", "ˋ"))


# Of the text of a section, what is left beside a title.
PREVIEW_TEXT = 2800


def fields(pairs: Iterable[tuple[str, str]]) -> Block:
    """Names and values side by side, at most ten."""
    return {
        "type": "section",
        "fields": [
            mrkdwn(f"*{name}*\n{value}", FIELD_TEXT) for name, value in list(pairs)[:MOST_FIELDS]
        ],
    }


def context(*texts: str) -> Block:
    return {"type": "context", "elements": [mrkdwn(text, FIELD_TEXT) for text in texts[:10]]}


@lru_cache(maxsize=256)
def local_time(moment: datetime) -> str:
    """A time that each reader sees in their own zone; in UTC where Slack cannot show it so."""
    utc = moment.astimezone(UTC)
    return (
        f"<!date^{int(moment.timestamp())}^{{date_short_pretty}} {{time}}|{utc.day} "
        f"{utc:%b %Y %H:%M} UTC>"
    )


def divider() -> Block:
    return {"type": "divider"}


def button(text: str, action: str, value: str = "", *, style: str = "") -> Block:
    made: Block = {"type": "button", "text": plain(text, 75), "action_id": action}
    if value:
        made["value"] = value
    return made | ({"style": style} if style else {})


def link_button(text: str, action: str, url: str) -> Block:
    """A button that opens a web page."""
    return {**button(text, action), "url": url}


def mention(recipient: str) -> str:
    """A person or a user group in mrkdwn, who is notified."""
    return f"<!subteam^{recipient}>" if recipient.startswith("S") else f"<@{recipient}>"


def context_at(block_id: str, text: str) -> Block:
    """A line that can be found again, to be edited."""
    return {**context(text), "block_id": block_id}


def input_(block_id: str, label: str, element: Block, *, optional: bool = False) -> Block:
    """A labelled input of a modal; its element is known by the same name as its block."""
    return {
        "type": "input",
        "block_id": block_id,
        "label": plain(label, 150),
        "element": {**element, "action_id": block_id},
        "optional": optional,
    }


def text_entry(initial: str, hint: str, *, most: int = 200) -> Block:
    made: Block = {"type": "plain_text_input", "placeholder": plain(hint, 150), "max_length": most}
    return made | ({"initial_value": initial[:most]} if initial else {})


def select(options: Sequence[str] | Mapping[str, str], chosen: str, hint: str = "") -> Block:
    """A choice among values, or among labels by their values. `hint` says what holds without one."""
    labels = options if isinstance(options, Mapping) else {name: name for name in options}
    made: Block = {
        "type": "static_select",
        "options": [option(label, value) for value, label in labels.items()],
    }
    if hint:
        made["placeholder"] = plain(hint, 150)
    if chosen in labels:
        made["initial_option"] = option(labels[chosen], chosen)
    return made


def option(name: str, value: str = "") -> Block:
    """A choice, identified by its value, or by its label if it has none."""
    return {"text": plain(name, 75), "value": value or name}


def actions(buttons: Sequence[Block], block_id: str = "") -> Block:
    made: Block = {"type": "actions", "elements": list(buttons)[:25]}
    return {**made, "block_id": block_id} if block_id else made


def ask_buttons(questions: Sequence[tuple[str, str]]) -> list[Block]:
    """Buttons that each ask a question: what they say, and the line that is asked."""
    fitting = [(text, line) for text, line in questions if len(line) <= 2000]
    return [button(text, f"ask.{number}", line) for number, (text, line) in enumerate(fitting)]


def preview_link(blocks: Sequence[Block]) -> str:
    """A link that opens the blocks in Slack's Block Kit Builder. The part after the `#` is not sent
    to the server.
    """
    return "https://app.slack.com/block-kit-builder/#" + quote(
        json.dumps({"blocks": list(blocks)}, ensure_ascii=False), safe=""
    )


def data_table(
    caption: str, head: Sequence[str], rows: Sequence[Sequence[Any]], *, page_size: int = 10
) -> Block:
    """A table that can be sorted. A cell is a text, or a number with the text that shows it; at
    most a hundred rows.
    """
    body = [[_cell(cell) for cell in row] for row in rows[:MOST_TABLE_ROWS]]
    return {
        "type": "data_table",
        "caption": sanitise(caption, 200),
        "page_size": max(1, min(page_size, 100)),
        "rows": [[_cell(name) for name in head], *body],
    }


def chart(
    title: str,
    *,
    kind: str,
    series: Sequence[tuple[str, Sequence[float]]],
    labels: Sequence[str],
    unit: str,
) -> Block:
    """A native chart of at most twenty points; labels are made unique, as Slack matches points by
    them.
    """
    names = _unique([_bar_name(label) for label in labels][-MOST_POINTS:])
    return {
        "type": "data_visualization",
        "title": sanitise(title, 50),
        "chart": {
            "type": kind,
            "series": [
                {
                    "name": sanitise(name, LABEL),
                    "data": [
                        {"label": label, "value": value}
                        for label, value in zip(names, points[-MOST_POINTS:], strict=True)
                    ],
                }
                for name, points in series
            ],
            "axis_config": {"categories": names, "y_label": sanitise(unit, 50)},
        },
    }


def mark_parts(
    labels: Sequence[str],
    starts: Sequence[datetime],
    step: timedelta,
    first: datetime,
    end: datetime,
) -> list[str]:
    """The labels of bars that are `step` long, with a mark at those of which the time from `first`
    to `end` covers a part only.
    """
    return [
        f"{label}{PART}" if start < first or start + step > end else label
        for label, start in zip(labels, starts, strict=True)
    ]


def picture(file: str, alt_text: str) -> Block:
    """A picture that was uploaded, by its file id."""
    return {
        "type": "image",
        "slack_file": {"id": file},
        "alt_text": truncate(alt_text, 1900) or "chart",
    }


def plain_table(table: Block) -> Block:
    """A table that cannot be sorted, of the rows of one that can."""
    rows = [
        [{"type": "raw_text", "text": cell["text"]} for cell in row]
        for row in table["rows"][:MOST_TABLE_ROWS]
    ]
    numbers = [cell["type"] == "raw_number" for cell in table["rows"][1]]
    return {
        "type": "table",
        "rows": rows,
        "column_settings": [{"align": "right" if is_number else "left"} for is_number in numbers],
    }


def scale(values: Sequence[float]) -> tuple[float, str]:
    """The divisor of bytes for an axis, and its unit."""
    top = max(values, default=0)
    for factor, unit in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if top >= factor:
            return factor, unit
    return 1.0, "B"


def _cell(value: Any) -> Block:
    if isinstance(value, tuple):
        number, text = value
        return {"type": "raw_number", "value": number, "text": sanitise(text, 200) or "–"}
    return {"type": "raw_text", "text": sanitise(str(value), 200).strip() or "–"}


def _bar_name(label: str) -> str:
    """A label that fits; a shortened one keeps its mark."""
    clean = sanitise(label)
    if len(clean) > LABEL and clean.endswith(PART):
        return truncate(clean.removesuffix(PART), LABEL - 1) + "*"
    return truncate(clean, LABEL)


def _unique(labels: list[str]) -> list[str]:
    seen: dict[str, int] = {}
    out = []
    for label in labels:
        seen[label] = seen.get(label, 0) + 1
        out.append(label if seen[label] == 1 else f"{label[: LABEL - 3]} {seen[label]}")
    return out
