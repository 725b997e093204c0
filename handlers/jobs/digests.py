"""Posts digests when they are due."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, tzinfo
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from bot import formatting
from bot.answer import Answer, Block
from bot.blocks import messages
from bot.blocks.canvas import CanvasPage, canvas_footer, canvas_markdown, canvas_text, literal
from bot.commands.answering import AnswerContext, Answerer, lazy_temp_dir
from bot.questions.reading import read_line
from bot.schedules.due import Due, Trigger
from bot.slack.outbox import Outbox, operator_post
from bot.store import Post, PostKind, ScheduleStore
from handlers.error_messages import error_message, log_failure
from handlers.jobs.scheduler import GRACE, Job
from handlers.typed_secrets import SecretCheck
from providers.errors import ProviderError

log = logging.getLogger("opswatch")
# The time between two rounds of the scheduler.
TICK_S = 1.0
ON_TIME = timedelta(minutes=1)
# Files are stored in the database until they are posted.
LARGEST_FILE = 8_000_000


class Digest(Struct, frozen=True):
    """A question on a schedule, and the channel of its answer. `at` is its cron expression as it was
    written.
    """

    name: str
    line: str
    at: str
    trigger: Trigger
    channel: str
    redacted_line: str | None = None
    as_canvas: bool = False
    # Of the canvas: a subscription has no name of its own.
    title: str = ""

    @property
    def display_line(self) -> str:
        """The question as it may be stored and shown: without a secret that `line` may hold."""
        return self.redacted_line or self.line

    @property
    def definition(self) -> str:
        """Its schedule and question. With another definition it is a new digest, which does not make
        up for missed runs.
        """
        # Without the secret of `line`: it is stored in the database.
        return f"{self.at} {self.display_line}"


class DigestJob(Struct, frozen=True):
    """Asks a digest's question and puts the answer into the outbox."""

    answering: Answerer
    schedules: ScheduleStore
    outbox: Outbox
    zone: tzinfo
    clock: Callable[[], datetime]
    ops_channel: str
    secrets: SecretCheck

    def scheduled(self, digest: Digest) -> Job:
        return Job(
            digest.name,
            digest.trigger,
            partial(self.run, digest),
            lambda now: self.schedules.last_handled_at(digest.name, digest.definition, now=now),
        )

    async def run(self, digest: Digest, due: Due) -> None:
        """Runs once for each due time, whatever is restarted: the end of the run and its post are
        one transaction.
        """
        now = self.clock()
        passed_over = await self.schedules.claim_run(digest.name, due.at, now=now)
        # Another process runs it, or has run it.
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
                f"was not posted: the bot was down for {formatting.format_duration(now - due.at)} "
                "after it was due.",
            )
        try:
            return "sent", await self._posts(digest, due, now)
        except Exception as error:
            shown = error_message(error)
            # The failure of a vendor is no fault of the bot, and the post says what it is.
            if not isinstance(error, ProviderError):
                log_failure(error, f"Digest {digest.name} failed", level=logging.ERROR)
            return shown.kind, self._for_ops(digest, due, f"failed: {shown.message} {shown.hint}")

    async def _posts(self, digest: Digest, due: Due, now: datetime) -> list[Post]:
        """The answer, and its files in the thread. Files that are too large are listed by name."""
        question = read_line(digest.line, self.answering.directory, now=now, zone=self.zone)
        key = _key("digest", digest.name, due)
        notes = [_note(due, now, self.zone)]
        with lazy_temp_dir() as folder:
            answer = await self.answering.answer(question, AnswerContext(folder, self.zone))
            if digest.as_canvas:
                notes.append(_without_files(answer))
                return [self._canvas_post(digest, key, answer, notes, due)]
            files, too_large = await file_posts(answer, key, digest.channel)
        if too_large:
            notes.append(
                f"without {formatting.join_words(too_large)}: too large for a digest, run the "
                "command instead"
            )
        text, blocks = self._message(digest, answer, notes)
        return [Post(key, digest.channel, text, blocks), *files]

    def _message(
        self, digest: Digest, answer: Answer, notes: Sequence[str]
    ) -> tuple[str, Sequence[Block]]:
        """The text and the blocks of a digest, without a secret that its question may hold."""
        note = ", ".join(filter(None, notes))
        text = f"Digest {digest.name}{f' ({note})' if note else ''}: {answer.text}"
        blocks = self._answer_blocks(digest, answer)
        if digest.redacted_line is not None:
            # The answer repeats its question, in words and in buttons.
            text = self.secrets.redacted(text)
        return text, messages.digest_blocks(digest.name, blocks, note=note)

    def _answer_blocks(self, digest: Digest, answer: Answer) -> Sequence[Block]:
        if digest.redacted_line is None:
            return answer.blocks
        return self.secrets.redacted_blocks(answer.blocks)

    def _canvas_post(
        self, digest: Digest, key: str, answer: Answer, notes: Sequence[str], due: Due
    ) -> Post:
        """The canvas of a digest, with the message that is posted if there can be none."""
        text, blocks = self._message(digest, answer, notes)
        words = answer.text if digest.redacted_line is None else self.secrets.redacted(answer.text)
        changed = f"changed {_time_label(due.at, self.zone, self.clock())}"
        page = CanvasPage(
            digest.name,
            digest.title or digest.name,
            canvas_markdown(self._answer_blocks(digest, answer)) or canvas_text(words),
            canvas_footer(digest.name, [changed, *notes]),
        )
        about = f"canvas:{digest.channel}:{digest.name}"
        return Post(key, digest.channel, text, blocks, PostKind.CANVAS, about, page.encode())

    def _for_ops(self, digest: Digest, due: Due, what: str) -> list[Post]:
        """The post about a failure, in the ops channel, or without one in the digest's channel."""
        text = f"Digest `{digest.name}` of {_time_label(due.at, self.zone, self.clock())} {what}"
        if digest.redacted_line is not None:
            text = self.secrets.redacted(text)
        return [
            operator_post(
                self.ops_channel or digest.channel, _key("digest", digest.name, due), text
            )
        ]


def first_page(digest: Digest, first: str) -> CanvasPage:
    """The canvas of a new digest until its first answer."""
    title = digest.title or digest.name
    return CanvasPage(digest.name, title, literal(first), canvas_footer(digest.name, []))


def _without_files(answer: Answer) -> str:
    """A note about the files of an answer, which a canvas cannot hold."""
    if not answer.files:
        return ""
    names = formatting.join_words([file.name for file in answer.files])
    return f"without {names}: a canvas holds no files, run the command instead"


async def file_posts(answer: Answer, key: str, channel: str) -> tuple[list[Post], list[str]]:
    """The files of an answer as posts in the thread of the post with that key, and what is too large
    to be stored until then.
    """
    posts = list[Post]()
    too_large = list[str]()
    for file in answer.files:
        if file.bytes > LARGEST_FILE:
            too_large.append(f"{file.name} ({formatting.format_bytes(file.bytes)})")
            continue
        # Into the post, since the folder is deleted before the outbox sends it.
        with file.open() as source:
            content = await asyncio.to_thread(source.read)
        posts.append(
            Post(f"{key}:{file.name}", channel, file.name, [], PostKind.FILE, key, content)
        )
    return posts, too_large


def _key(kind: str, name: str, due: Due) -> str:
    """The key of the post of one due time."""
    return f"{kind}:{name}:{due.at:%Y%m%dT%H%M%SZ}"


def _note(due: Due, now: datetime, zone: tzinfo) -> str:
    """Whether the digest is late, and how many earlier ones it replaces; empty if neither."""
    late = (
        f"due {_time_label(due.at, zone, now)}, {formatting.format_duration(now - due.at)} late"
        if now - due.at > ON_TIME
        else ""
    )
    skipped = (
        f"{due.passed_over} earlier {'one was' if due.passed_over == 1 else 'ones were'} skipped"
        if due.passed_over > 0
        else ""
    )
    return ", ".join(part for part in (late, skipped) if part)


def _time_label(moment: datetime, zone: tzinfo, now: datetime) -> str:
    return f"{moment.astimezone(zone):%a} {formatting.format_time_in_zone(moment, zone, now)}"
