"""What clocks ask: digests when they are due, and the scheduler that looks at what is due."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from functools import partial

from bot import formatting
from bot.blocks import messages
from bot.commands.answering import AnswerContext, Answerer, lazy_temp_dir
from bot.questions.reading import read_line
from bot.schedules.due import Due, Trigger
from bot.slack.outbox import Outbox, operator_post
from bot.store import Post, PostKind, ScheduleStore
from handlers.error_messages import error_message
from handlers.jobs.scheduler import GRACE, Job
from providers.errors import ProviderError

log = logging.getLogger("opswatch")
# How often the timetable is looked at.
TICK_S = 1.0
ON_TIME = timedelta(minutes=1)
# What is kept in the database until Slack has it.
LARGEST_FILE = 8_000_000


@dataclass(frozen=True, slots=True)
class Digest:
    """A question on a schedule, and where its answer goes. `at` is its cron expression as it was
    written.
    """

    name: str
    line: str
    at: str
    trigger: Trigger
    channel: str

    @property
    def definition(self) -> str:
        """What it says; a digest that says something else is another one, and does not make up for
        the past.
        """
        return f"{self.at} {self.line}"


@dataclass(frozen=True, slots=True)
class DigestJob:
    """Asks a digest's question and puts the answer into the outbox."""

    answering: Answerer
    schedules: ScheduleStore
    outbox: Outbox
    zone: tzinfo
    clock: Callable[[], datetime]
    ops_channel: str

    def scheduled(self, digest: Digest) -> Job:
        return Job(
            digest.name,
            digest.trigger,
            partial(self.run, digest),
            lambda now: self.schedules.last_handled_at(digest.name, digest.definition, now=now),
        )

    async def run(self, digest: Digest, due: Due) -> None:
        """Once for each due instant, whatever is restarted when: the end of the run and its post
        are one transaction.
        """
        now = self.clock()
        passed_over = await self.schedules.claim_run(digest.name, due.at, now=now)
        if passed_over is None:
            return
        due = replace(due, passed_over=due.passed_over + passed_over)
        outcome, posts = await self._outcome(digest, due, now)
        await self.schedules.end_run(
            digest.name, due.at, outcome=outcome, posts=posts, now=self.clock()
        )
        self.outbox.wake()

    async def _outcome(self, digest: Digest, due: Due, now: datetime) -> tuple[str, list[Post]]:
        if now - due.at > GRACE:
            return "missed", self._for_ops(
                digest,
                due,
                (
                    "was not sent, since I was away for "
                    f"{formatting.format_duration(now - due.at)} after it was due"
                ),
            )
        try:
            return "sent", await self._posts(digest, due, now)
        except Exception as error:
            trouble = error_message(error)
            if not isinstance(error, ProviderError):
                log.error("The digest %s failed: %s", digest.name, type(error).__name__)
            return trouble.kind, self._for_ops(
                digest, due, f"could not be answered: {trouble.message} {trouble.hint}"
            )

    async def _posts(self, digest: Digest, due: Due, now: datetime) -> list[Post]:
        """The answer, and its files in the thread; one that is too large is named, and how to have
        it.
        """
        question = read_line(digest.line, self.answering.directory, now=now, zone=self.zone)
        key, notes, files, too_large = (
            _key("digest", digest.name, due),
            [_note(due, now, self.zone)],
            list[Post](),
            list[str](),
        )
        with lazy_temp_dir() as folder:
            answer = await self.answering.answer(question, AnswerContext(folder, self.zone))
            for file in answer.files:
                if file.bytes > LARGEST_FILE:
                    too_large.append(f"{file.name} ({formatting.format_bytes(file.bytes)})")
                else:
                    content = await asyncio.to_thread(file.path.read_bytes)
                    files.append(
                        Post(
                            f"{key}:{file.name}",
                            digest.channel,
                            file.name,
                            [],
                            PostKind.FILE,
                            key,
                            content,
                        )
                    )
        if too_large:
            notes.append(
                f"without {formatting.join_words(too_large)}, which is too large for a digest; "
                "ask for it"
            )
        note = ", ".join(filter(None, notes))
        text = f"Digest {digest.name}{f' ({note})' if note else ''}: {answer.text}"
        return [
            Post(
                key,
                digest.channel,
                text,
                messages.digest_blocks(digest.name, answer.blocks, note=note),
            ),
            *files,
        ]

    def _for_ops(self, digest: Digest, due: Due, what: str) -> list[Post]:
        """Trouble with a digest is told where the bot tells of its troubles, or else where the
        digest would have stood.
        """
        text = f"The digest `{digest.name}` of {_said(due.at, self.zone, self.clock())} {what}"
        return [
            operator_post(
                self.ops_channel or digest.channel, _key("digest", digest.name, due), text
            )
        ]


def _key(kind: str, name: str, due: Due) -> str:
    """What names for ever what came of one due instant."""
    return f"{kind}:{name}:{due.at:%Y%m%dT%H%M%SZ}"


def _note(due: Due, now: datetime, zone: tzinfo) -> str:
    """What is odd about the time of a digest; nothing where it is on time."""
    late = (
        f"due at {_said(due.at, zone, now)}, sent {formatting.format_duration(now - due.at)} late"
        if now - due.at > ON_TIME
        else ""
    )
    skipped = (
        f"{due.passed_over} earlier {'one is' if due.passed_over == 1 else 'ones are'} left out"
        if due.passed_over > 0
        else ""
    )
    return ", ".join(part for part in (late, skipped) if part)


def _said(moment: datetime, zone: tzinfo, now: datetime) -> str:
    return f"{moment.astimezone(zone):%a} {formatting.format_time(moment, zone, now)}"
