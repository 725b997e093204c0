"""Ports of the store for questions: those that were asked, their answers, and those saved by a
name.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from bot.answer import Block
from bot.store.records import (
    QuestionRecord,
    SavedQuestion,
    StoredAnswer,
    StoredResponseUrl,
)


class QuestionStore(Protocol):
    """The record of who asked what."""

    async def claim(self, asked: QuestionRecord) -> bool:
        """Records a question that this process answers. False if the delivery is recorded already
        and must be ignored.
        """
        ...

    async def is_in_progress(self, delivery: str) -> bool:
        """Whether this process still has the claim on the question. False once it has ended, or
        another process has reported it as interrupted.
        """
        ...

    async def finish(self, delivery: str, *, outcome: str, took_ms: int) -> None:
        """Records how a question ended: `answered`, `partial`, `help`, `cancelled`, or the kind of
        its error. Changes nothing where another process has taken it as interrupted.
        """
        ...

    async def save_response_url(
        self, delivery: str, kept: StoredResponseUrl, *, until: datetime
    ) -> None:
        """Keeps how to reach an asker until the question has ended or the URL has expired."""
        ...

    async def take_response_url(self, delivery: str, *, now: datetime) -> StoredResponseUrl | None:
        """Returns what was kept for the question and deletes it. Deletes all that has expired."""
        ...

    async def note_shown(self, delivery: str, ts: str) -> None:
        """Records the progress message of a question."""
        ...

    async def note_files(self, delivery: str, names: Sequence[str]) -> None:
        """Records the names of the files that are sent after the answer, until the question ends."""
        ...

    async def unsent_files(self, delivery: str) -> list[str]:
        """The names of the files that may not have been sent."""
        ...

    async def take_interrupted(self, *, since: datetime, before: datetime) -> list[QuestionRecord]:
        """Questions asked since then whose process has ended or lost its lease, for this process to
        report; each is returned to one process, and to another one if this one ends before
        `interruption_reported`. `before` limits those recorded by versions without claims.
        """
        ...

    async def leave(self, delivery: str) -> None:
        """Gives up the claim of this process on a question that has not ended, so that
        `take_interrupted` returns it.
        """
        ...

    async def interruption_reported(self, delivery: str) -> None:
        """Records that the asker was notified: the question is `lost`."""
        ...

    async def offer_cancel(self, ticket: str, user: str) -> None:
        """Lets a person cancel, through any process, a question that this one is working on."""
        ...

    async def request_cancel(self, ticket: str, user: str) -> bool:
        """Asks the process that is working on a person's question to cancel it. False if none is,
        or the question is somebody else's.
        """
        ...

    async def in_progress_of(self, user: str) -> list[str]:
        """The deliveries of a person's questions that have not ended, in any process."""
        ...

    async def note_answered(self, delivery: str) -> None:
        """Records that the asker has the answer, though its process has not recorded the end; a
        file that is still to come is reported as missing after a crash all the same.
        """
        ...

    async def in_progress_in(self, channel: str, thread_ts: str, *, before: datetime) -> list[str]:
        """The deliveries of the questions of a thread that were recorded by that time and whose
        progress is shown, in any process.
        """
        ...

    async def is_cancelled(self, ticket: str) -> bool:
        """Whether another process has been asked to cancel this question."""
        ...

    async def can_be_cancelled(self, ticket: str) -> bool:
        """Whether a process is working on the question, whoever has asked it."""
        ...

    async def withdraw_cancel(self, ticket: str) -> None:
        """The question has ended."""
        ...

    async def recent(self, user: str, most: int) -> list[QuestionRecord]:
        """A person's latest answered questions, newest first, each text once."""
        ...

    async def latest(self, most: int = 100) -> list[QuestionRecord]:
        """The latest questions of everybody, newest first."""
        ...

    async def prune(self, *, before: datetime) -> None:
        """Deletes questions asked before that time."""
        ...

    async def forget_expired_urls(self, now: datetime) -> None:
        """Deletes expired response URLs."""
        ...


class DeliveryStore(Protocol):
    """Deliveries of Slack that were handled, so that a repeated one has no effect."""

    async def claim(self, key: str, *, now: datetime) -> bool:
        """Records a delivery that this process handles. False if it is recorded already."""
        ...

    async def release(self, key: str) -> None:
        """Forgets a delivery that had no effect, so that it may come again."""
        ...

    async def prune(self, now: datetime) -> None:
        """Deletes deliveries that Slack no longer repeats."""
        ...


class AnswerStore(Protocol):
    """Private answers, kept for a while so that their asker can share them."""

    async def save(
        self,
        ticket: str,
        *,
        user: str,
        channel: str,
        command: str,
        text: str,
        blocks: Sequence[Block],
        now: datetime,
    ) -> None: ...

    async def take(
        self, ticket: str, *, user: str, channel: str | None = None, now: datetime | None = None
    ) -> StoredAnswer | None:
        """Returns the person's answer and deletes it: only one kept within a day before `now`, and
        for its `channel`, if these are given.
        """
        ...

    async def find(
        self, begins: str, *, user: str, now: datetime | None = None
    ) -> StoredAnswer | None:
        """The person's answer whose ticket begins like this, without deleting it."""
        ...

    async def prune(self, now: datetime) -> None:
        """Deletes expired answers."""
        ...


class SavedQuestionStore(Protocol):
    """Questions that channels ask by a name."""

    async def save(
        self, question: SavedQuestion, *, now: datetime, most: int, only_own: bool = False
    ) -> SavedQuestion | None:
        """Saves a question, and returns the one of the same name that it replaced. Raises
        OverflowError where the channel has `most` others. With `only_own` it replaces none that
        somebody else saved, and raises PermissionError.
        """
        ...

    async def find(self, channel: str, command: str, name: str) -> SavedQuestion | None: ...

    async def delete(
        self, channel: str, command: str, name: str, *, only_of: str = ""
    ) -> SavedQuestion | None:
        """Deletes a question and returns it; None if there is none of that name. Raises
        PermissionError where it is to be `only_of` one person and another one saved it.
        """
        ...

    async def in_channel(self, channel: str) -> list[SavedQuestion]:
        """The saved questions of a channel, by command and name."""
        ...

    async def of_user(self, user: str) -> list[SavedQuestion]:
        """The questions that a person saved, in any channel."""
        ...
