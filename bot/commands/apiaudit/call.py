"""One call in full: its columns in our terms, and the vendor's record (pure)."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, tzinfo
from pathlib import Path

from bot import formatting
from bot.answer import AnswerFile, Block
from bot.blocks import kit
from bot.commands.apiaudit.listing import duration
from bot.questions.windows import zone_name
from providers.models import ApiCall

# A column of the record is shown as a block of code where it is longer than a line.
LONGEST_LINE = 100
# A section takes 3,000 characters, and the blocks of a message 13,000.
MOST_CODE = 2_800
MOST_CODE_BLOCKS = 3
MOST_TEXT = 8_000


def call_text(call: ApiCall, *, zone: tzinfo, notes: Sequence[str]) -> str:
    """The whole answer in words."""
    lines = [
        *(formatting.sanitise(note, 400) for note in notes),
        f"Call {call.id}: {_title(call)}.",
    ]
    lines += [f"{name}: {formatting.sanitise(value)}" for name, value in _facts(call, zone)]
    lines += [
        f"{name}: {formatting.truncate(formatting.sanitise_lines(value), MOST_TEXT)}"
        for name, value in call.columns
    ]
    return "\n".join(lines)


def call_blocks(
    call: ApiCall,
    *,
    zone: tzinfo,
    buttons: list[tuple[str, str]],
    notes: Sequence[str],
    warnings: Sequence[str],
) -> list[Block]:
    """The answer as blocks: what is missing, headline, our columns, the vendor's record."""
    short = [(name, value) for name, value in call.columns if _is_line(value)]
    long = [(name, value) for name, value in call.columns if not _is_line(value)]
    listed = "\n".join(f"{kit.code(name)} {kit.code(value)}" for name, value in short)
    remarks = [kit.escaped(note) for note in notes]
    if call_is_cut(call):
        remarks.append("The file has the full text of what is cut here.")
    return [
        *kit.warnings(warnings),
        kit.header(_title(call)),
        kit.context(f"{kit.code(call.account)} · {kit.code(call.id)}"),
        *_fields(_facts(call, zone)),
        *([kit.section(f"*As it was recorded*\n{listed}")] if listed else []),
        *(_code(name, value) for name, value in long[:MOST_CODE_BLOCKS]),
        *([kit.context(*remarks)] if remarks else []),
        *([kit.actions(kit.ask_buttons(buttons))] if buttons else []),
    ]


def call_is_cut(call: ApiCall) -> bool:
    """Whether the record has more than the blocks show."""
    long = [value for _, value in call.columns if not _is_line(value)]
    return len(long) > MOST_CODE_BLOCKS or any(_shown(value) != value for value in long)


def call_file(call: ApiCall, folder: Callable[[], Path]) -> AnswerFile | None:
    """The record as JSON, where a message has no room for it."""
    if not call_is_cut(call):
        return None
    name = f"apiaudit-call-{call.id}.json"
    path = folder() / name
    # Not ASCII alone: people search the file for names as they are written.
    path.write_text(json.dumps(dict(call.columns), indent=2, ensure_ascii=False) + "\n", "utf-8")
    return AnswerFile(name, path, f"Call {call.id}", kind="json")


def _title(call: ApiCall) -> str:
    """What was called, and what came of it."""
    asked = " ".join(part for part in (call.action, call.target) if part) or "unnamed call"
    return (
        f"{formatting.sanitise(asked, 110)} → {formatting.sanitise(call.status, 20) or 'unknown'}"
    )


def _facts(call: ApiCall, zone: tzinfo) -> list[tuple[str, str]]:
    """Our columns that have a value, by the words that the table of calls uses."""
    facts = (
        ("Time", _when(call, zone)),
        ("Account", call.account),
        ("Actor", call.actor or "unnamed"),
        ("Action", call.action),
        ("Target", call.target),
        ("Status", f"{call.status or 'unknown'} ({call.outcome})"),
        ("Client", call.client),
        ("IP", call.ip),
        ("Organisation", call.organisation),
        ("Host", call.host),
        ("Duration", duration(call)),
    )
    return [(name, value) for name, value in facts if value]


def _when(call: ApiCall, zone: tzinfo) -> str:
    if not call.at:
        return call.at_text[:40]
    # In both zones, since the vendor's own pages and logs show UTC.
    local = call.at.astimezone(zone)
    text = f"{local:%Y-%m-%d %H:%M:%S}.{local.microsecond // 1000:03d} {zone_name(zone)}"
    utc = call.at.astimezone(UTC)
    return text if local.utcoffset() == utc.utcoffset() else f"{text} ({utc:%H:%M:%S} UTC)"


def _fields(facts: Sequence[tuple[str, str]]) -> list[Block]:
    """The facts in sections, which take ten each."""
    pairs = [(name, kit.escaped(formatting.truncate(value, 300))) for name, value in facts]
    return [
        kit.fields(pairs[at : at + kit.MOST_FIELDS]) for at in range(0, len(pairs), kit.MOST_FIELDS)
    ]


def _is_line(value: str) -> bool:
    return len(value) <= LONGEST_LINE and "\n" not in value


def _code(name: str, value: str) -> Block:
    return kit.section(f"*{kit.escaped(name)}*\n```{_escaped(_shown(value))}```")


def _shown(value: str) -> str:
    """The beginning of a text that fits into a section once it is escaped."""
    # Counted once it is escaped, as Slack counts.
    if len(_escaped(value)) <= MOST_CODE:
        return value
    shown = value[:MOST_CODE]
    while len(_escaped(shown)) > MOST_CODE:
        # By a tenth at a time, as a text of many `&` grows fivefold.
        shown = shown[: len(shown) * 9 // 10]
    return f"{shown}\n…"


def _escaped(text: str) -> str:
    return kit.entities(formatting.sanitise_lines(text).replace("`", "ˋ"))
