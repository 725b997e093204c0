"""The files of an answer: in its thread, in the channel where the thread is gone, or by direct
message where the bot may not post.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence

from bot.answer import AnswerFile
from bot.blocks import kit
from bot.errors import SlackDeliveryUnknown, SlackRefused, SlackUnreachable
from bot.slack.client import SlackClient
from bot.slack.errors import THREAD_GONE, UploadRefused
from bot.slack.messages import SlackMessages
from bot.slack.private_reasons import NOT_HERE
from bot.slack.reply_target import ReplyTarget

log = logging.getLogger("opswatch")
# Slack refuses larger snippets with `snippet_too_large`.
SNIPPET_BYTES = 1_000_000
UPLOAD_CHUNK = 256 * 1024


class FileDelivery:
    """Uploads large files in pieces, so that none of them is held in memory."""

    def __init__(self, client: SlackClient, messages: SlackMessages) -> None:
        self._client = client
        self._messages = messages

    async def send(
        self,
        target: ReplyTarget,
        files: Sequence[AnswerFile],
        *,
        channel: str = "",
        thread_ts: str = "",
        comment: str = "",
    ) -> str:
        """Sends the files, by direct message without a `channel`. Returns why one could not be
        sent; empty where all were.
        """
        try:
            for file in files:
                channel, thread_ts = await self._send_file(
                    target, file, channel, thread_ts, comment
                )
        except (SlackRefused, SlackDeliveryUnknown) as error:
            why = _why(error)
            log.error("A file could not be sent: %s", why)
            return why
        except asyncio.CancelledError:
            # Its asker reads of it, since the answer says that a file follows.
            return "the bot is restarting"
        return ""

    async def _send_file(
        self, target: ReplyTarget, file: AnswerFile, channel: str, thread_ts: str, comment: str
    ) -> tuple[str, str]:
        """The channel and thread where the file was accepted."""
        channel = channel or await self._messages.open_dm(target.user)
        try:
            await self._upload(file, channel, thread_ts, comment)
        except SlackRefused as error:
            if error.code in THREAD_GONE and thread_ts:
                # The thread is gone: the file goes into the channel.
                return await self._send_file(target, file, channel, "", comment)
            if error.code not in NOT_HERE or channel.startswith("D"):
                raise
            return await self._send_file(target, file, "", "", kit.code(target.title, 500))
        return channel, thread_ts

    async def _upload(self, file: AnswerFile, channel: str, thread_ts: str, comment: str) -> None:
        destination = {"channel_id": channel}
        destination |= {"thread_ts": thread_ts} if thread_ts else {}
        destination |= {"initial_comment": comment} if comment else {}
        await self._client.upload(
            name=file.name,
            length=file.bytes,
            content=_content(file),
            alt_text=file.title,
            snippet_type=_snippet_type(file),
            destination=destination,
        )


def _why(error: SlackRefused | SlackDeliveryUnknown) -> str:
    """Why a file could not be sent, in a few words."""
    if isinstance(error, SlackUnreachable):
        return "Slack could not be reached"
    if isinstance(error, SlackRefused | UploadRefused):
        return error.code
    return "the connection was cut"


def _snippet_type(file: AnswerFile) -> str | None:
    """Text that Slack shows in place is a snippet, up to 1 MB; everything else is a file."""
    return file.kind if file.bytes <= SNIPPET_BYTES and not file.name.endswith(".gz") else None


def _content(file: AnswerFile) -> bytes | AsyncIterator[bytes]:
    """A small file at once: it is in memory, or was just written, so that it waits for no disk."""
    if isinstance(file.content, bytes):
        return file.content
    return file.content.read_bytes() if file.bytes <= UPLOAD_CHUNK else _pieces(file)


async def _pieces(file: AnswerFile) -> AsyncIterator[bytes]:
    with file.open() as source:
        while piece := await asyncio.to_thread(source.read, UPLOAD_CHUNK):
            yield piece
