"""Where something is in a TOML file: the line of each key, and of what is not TOML. Values are never
quoted, as they may be secrets.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from bot.placeholders import Place

# No configuration comes near; a longer one is not searched to its end.
_MOST_LINES = 10_000
_MOST_LINES_OF_A_VALUE = 300
# A value of several lines ends in a line with one of these.
_MAY_END = re.compile(r"""[\]}]|\"""|'''""")
_POSITION = re.compile(r" \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$")
# A key of a setting or the name of a table. Nothing else is shown, nor what base64 looks like.
_SHOWN_KEY = re.compile(r"\s*(?P<key>[a-z][a-z0-9_-]{0,39})\s*(?P<sign>[=:])(?!=)")
_SHOWN_TABLE = re.compile(r"\s*(?P<table>\[{1,2}[a-z0-9_. -]{1,60}\]{0,2})\s*(?:#.*)?")
_QUOTES = 'write a text in straight quotes ("…"), and a number, true or false without'
# What is wrong, by how tomllib's message begins.
_MEANT = (
    ("Invalid value", _QUOTES),
    ("Expected newline or end of document", f"only a # comment may follow a value; {_QUOTES}"),
    ("Expected '='", 'a setting is written as key = "value"'),
    ("Invalid statement", 'a setting is written as key = "value", and a table as [name]'),
    ("Invalid initial character for a key", "a key is letters, digits and dashes"),
    ("Illegal character", "a text ends in its line, with the quote that it began with"),
    ("Unterminated string", "a text ends with the quotes that it began with"),
    ("Expected ']'", "the name of a table ends with ]"),
    ("Expected ']]'", "the name of an entry ends with ]]"),
    ("Unclosed array", "a list ends with ]"),
    ("Unclosed inline table", "a table in braces ends in its line, with }"),
    ("Unescaped", r"in double quotes a backslash is written as \\; in single quotes as it is"),
    ("Invalid hex value", r"in double quotes a backslash is written as \\; in single quotes as it is"),
    ("Cannot overwrite", "this key or table is there already"),
    ("Cannot declare", "this table is there already"),
    ("Cannot mutate", "this table is there already"),
    ("Duplicate", "this key is there already"),
)  # fmt: skip


def lines_of_keys(text: str) -> dict[Place, int]:
    """The line of each key and table; an entry of `[[alert]]` has its number in its place."""
    found: dict[Place, int] = {}
    entries: dict[Place, int] = {}
    table: Place = ()
    for line, written, parsed in _statements(text):
        if written.lstrip().startswith("["):
            table = _table_place(parsed, entries, is_entry=written.lstrip().startswith("[["))
            place = table
        else:
            place = table + _keys(parsed)
        for length in range(1, len(place) + 1):
            found.setdefault(place[:length], line)
    return found


def syntax_problem(text: str, error: tomllib.TOMLDecodeError) -> str:
    """The line that is not TOML, its key, and what would be right."""
    message = str(error)
    position = _POSITION.search(message)
    lines = _lines(text)
    number = int(position["line"]) if position and position["line"] else _unfinished(text)
    column = f", column {position['column']}" if position and position["column"] else ""
    words = next(
        (meant for beginning, meant in _MEANT if message.startswith(beginning)),
        re.sub(r"'[^']*'|\"[^\"]*\"", "…", _POSITION.sub("", message)),
    )
    shown = _shown(lines[number - 1]) if number <= len(lines) else ""
    return f"line {number}{column}{shown}: {words}"


def _shown(line: str) -> str:
    """`, region = …`, or the name of a table; nothing where the line could be a part of a value."""
    if key := _SHOWN_KEY.match(line):
        return f", {key['key']} {key['sign']} …"
    table = _SHOWN_TABLE.fullmatch(line)
    return f", {table['table']}" if table else ""


def _unfinished(text: str) -> int:
    """The line of the first statement that does not end, or else the last one."""
    lines = _lines(text)
    after = 0
    for line, written, _ in _statements(text):
        after = line + written.count("\n")
    left = [number for number, line in enumerate(lines[after:], after + 1) if line.strip()]
    return left[0] if left else max(after, 1)


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").split("\n")


def _statements(text: str) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Each statement with its first line, until one that is not TOML: alone, each is a document."""
    lines = _lines(text)[:_MOST_LINES]
    at = 0
    while at < len(lines):
        for end in range(at + 1, min(at + _MOST_LINES_OF_A_VALUE, len(lines)) + 1):
            if end > at + 1 and not _MAY_END.search(lines[end - 1]):
                continue
            try:
                parsed = tomllib.loads(written := "\n".join(lines[at:end]))
            except (ValueError, RecursionError):
                continue
            if parsed:
                yield at + 1, written, parsed
            at = end
            break
        else:
            return


def _keys(parsed: Any) -> Place:
    place: list[str | int] = []
    while isinstance(parsed, Mapping) and len(parsed) == 1:
        key, parsed = next(iter(parsed.items()))
        place.append(key)
    return tuple(place)


def _table_place(parsed: Any, entries: dict[Place, int], *, is_entry: bool) -> Place:
    """The place of a table; in a list it is in the entry that was begun last."""
    keys = _keys(parsed)
    place: Place = ()
    for key in keys[:-1]:
        place = (*place, key)
        if place in entries:
            place = (*place, entries[place])
    place = (*place, *keys[-1:])
    if is_entry:
        entries[place] = entries.get(place, -1) + 1
        place = (*place, entries[place])
    return place
