"""Answers: text, blocks, exact numbers and files."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct, field

from bot.questions.windows import ParsedWindow

Block = dict[str, Any]
# Bytes in memory, or where they are on disk, in the answer's own folder.
Content = bytes | Path


class AnswerFile(Struct, frozen=True):
    """A file of an answer. `kind` is Slack's snippet type."""

    name: str
    content: Content
    title: str
    kind: str = "text"

    @property
    def bytes(self) -> int:
        return self.content.stat().st_size if isinstance(self.content, Path) else len(self.content)

    def open(self) -> io.BufferedReader | io.BytesIO:
        """The content, to be read in parts."""
        if isinstance(self.content, Path):
            return self.content.open("rb")
        return io.BytesIO(self.content)

    def sha256(self) -> str:
        # Read in parts, because a log may be a gigabyte.
        with self.open() as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


class Step(Struct, frozen=True):
    """One part of work in progress: its name, its status, and how far it is. `result` is what came
    of it, which is shown before the whole answer is known.
    """

    name: str
    status: Literal["in_progress", "complete", "error"]
    detail: str = ""
    result: str = ""


class Progress(Struct):
    """Progress of work: in words, and by its parts if it has several. `lines` are the last ones of
    a log that is followed, without secrets.
    """

    detail: str = ""
    steps: dict[str, Step] = field(default_factory=dict)
    lines: Sequence[str] = ()
    # That of the same work for somebody else, whose answer is shared.
    shared: Progress | None = None

    @property
    def current(self) -> Progress:
        """The progress of the work that is waited for."""
        return self.shared or self

    def step(self, step: Step) -> None:
        """Replaces the state of one part."""
        self.steps[step.name] = step


class Answer(Struct, frozen=True):
    """An answer. `text` alone is complete; `values` are exact, and a number that is not known is
    absent. `data_until` is set where the facts end before the window does, because they come late.
    """

    text: str
    blocks: Sequence[Block]
    values: Mapping[str, Any] = field(default_factory=dict)
    files: Sequence[AnswerFile] = ()
    warnings: Sequence[str] = ()
    window: ParsedWindow | None = None
    data_until: datetime | None = None


class EvidenceFact(Struct, frozen=True, omit_defaults=True):
    """A fact behind a value. `at` is when it happened, which is shown before it."""

    name: str
    value: str
    at: datetime | None = None


class Evidence(Struct, frozen=True, omit_defaults=True):
    """What is behind a value: facts, and the question that shows no more than that; empty where the
    question of the alert does. It is stored with the incident.
    """

    facts: tuple[EvidenceFact, ...] = ()
    query: str = ""


NO_EVIDENCE = Evidence()


class Measurement(Struct, frozen=True):
    """The values of a question with nothing rendered, as an alert reads them. A number that is not
    known is absent; `data_until` as in an answer. `shortcomings` say what else is missing, in a few
    words each.
    """

    values: Mapping[str, Any]
    window: ParsedWindow | None = None
    data_until: datetime | None = None
    shortcomings: Sequence[str] = ()
    # What is behind the values of the subjects that fire; computed only for a notification.
    evidence: Callable[[Collection[str]], Evidence] | None = None
