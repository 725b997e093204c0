"""Answers as tools return them: those of `ask --json`, with the beginning of each file."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import Any

from bot.cli.ask import SavedFile, TerminalAnswer

# What a model reads without losing the question from sight.
MOST_EXCERPT_BYTES = 8_000
RESULT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "text": {"type": "string", "description": "The whole answer in words."},
        "values": {
            "type": "object",
            "description": "Exact numbers by name. A number that is not known is absent, never 0.",
        },
        "files": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "path": {
                        "type": ["string", "null"],
                        "description": "Where it was saved; null if the server saves no files.",
                    },
                    "bytes": {"type": "integer"},
                    "sha256": {"type": "string"},
                    "excerpt": {"type": "string", "description": "Its first lines."},
                    "truncated": {"type": "boolean", "description": "It is longer than excerpt."},
                },
                "required": ["name", "path", "bytes", "sha256", "excerpt", "truncated"],
            },
        },
        "warnings": {"type": "array", "items": {"type": "string"}},
        "window": {
            "type": ["object", "null"],
            "description": "The time that the answer is about (UTC), and how the words were read.",
            "properties": {
                "start": {"type": "string"},
                "end": {"type": "string"},
                "said": {"type": "string"},
            },
        },
    },
    "required": ["text", "values", "files", "warnings", "window"],
}


def answer_result(shown: TerminalAnswer, *, is_saved: bool) -> dict[str, Any]:
    """The answer, with the beginning of its files. Blocks are for Slack, and left out."""
    answer = shown.as_json()
    files = [
        found | _excerpt_of(file) | ({} if is_saved else {"path": None})
        for found, file in zip(answer["files"], shown.files, strict=True)
    ]
    return {
        # In plain words: only Slack reads entities.
        "text": shown.answer.text,
        "values": answer["values"],
        "files": files,
        "warnings": answer["warnings"],
        "window": answer["window"],
    }


def _excerpt_of(file: SavedFile) -> dict[str, Any]:
    """The first complete lines of a file, from which secrets were removed."""
    # A byte more shows whether there is more.
    begun = _beginning(file.path, MOST_EXCERPT_BYTES + 1)
    is_longer = len(begun) > MOST_EXCERPT_BYTES
    if is_longer:
        begun = begun[:MOST_EXCERPT_BYTES]
        # Half a line could be half a number; a single long line is better than nothing.
        begun = begun[: begun.rfind(b"\n") + 1] or begun
    return {"excerpt": begun.decode("utf-8", "replace"), "truncated": is_longer}


def _beginning(path: Path, most: int) -> bytes:
    if path.suffix != ".gz":
        with path.open("rb") as plain:
            return plain.read(most)
    try:
        with gzip.open(path) as packed:
            return packed.read(most)
    # A damaged file is still saved whole; only its excerpt is missing.
    except (EOFError, OSError, zlib.error):
        return b""
