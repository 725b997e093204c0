"""The Slack client of the bot: every call within Slack's rate limits, every error as one of ours,
and every message in blocks that the workspace accepts.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from typing import Any

import aiohttp

from bot.answer import Block
from bot.errors import SlackDeliveryUnknown, SlackUnreachable
from bot.slack import response_url
from bot.slack.block_fallback import BlockFallback
from bot.slack.errors import UploadRefused, slack_errors
from bot.slack.pace import Priority, SlackPace
from bot.slack.web import PacedWebClient, web_client
from bot.store.sharing import RefusedBlockStore
from providers.clock import Clock

# Half an hour is enough for a gigabyte over a slow line; a silent host is given up after two
# minutes.
UPLOAD_TIMEOUT = aiohttp.ClientTimeout(total=1800, sock_connect=10, sock_read=120)
# More pages than any list of a workspace has.
MOST_PAGES = 10_000

# Everything goes to these as it is given, so that the SDK need not look through all blocks.
MESSAGE_METHODS = frozenset({"chat.postEphemeral", "chat.postMessage", "chat.update"})
Fields = Mapping[str, Any]


class SlackAnswer(dict[str, Any]):
    """The fields of an answer; `date` is its Date header, by which the clocks are compared."""

    def __init__(self, fields: Fields, date: str) -> None:
        super().__init__(fields)
        self.date = date


class SlackClient:
    """Calls Slack's Web API.

    Raises SlackRefused where Slack refuses, SlackUnreachable where nothing was sent,
    SlackDeliveryUnknown where Slack may have acted, and NoRoom for progress that would have to
    wait.
    """

    def __init__(
        self,
        web: PacedWebClient,
        session: aiohttp.ClientSession,
        block_fallback: BlockFallback | None = None,
    ) -> None:
        self.web = web
        self._session = session
        # Shared by all priorities, so that a refusal is remembered once.
        self._block_fallback = block_fallback or BlockFallback(self.upload)
        self._by_priority: dict[Priority, SlackClient] = {}

    def share_refusals(self, refused: RefusedBlockStore, clock: Clock) -> None:
        """Lets all processes know which blocks Slack refuses."""
        self._block_fallback.shared = refused
        self._block_fallback.clock = clock

    @property
    def pace(self) -> SlackPace:
        return self.web.pace

    def at(self, priority: Priority) -> SlackClient:
        """The same client with another priority."""
        if priority not in self._by_priority:
            self._by_priority[priority] = SlackClient(
                self.web.at(priority), self._session, self._block_fallback
            )
        return self._by_priority[priority]

    async def call(self, method: str, **arguments: Any) -> SlackAnswer:
        """Slack's answer to a method, such as `conversations.info`."""
        with slack_errors():
            if method in MESSAGE_METHODS:
                send = partial(self.web.api_call, method, json=arguments)
            else:
                send = partial(getattr(self.web, method.replace(".", "_")), **arguments)
            answer: Any = await send()
        return SlackAnswer(answer.data, str(answer.headers.get("Date") or ""))

    async def read(self, method: str, **arguments: Any) -> SlackAnswer:
        """Slack's answer to a method that changes nothing. Raises SlackUnreachable in place of
        SlackDeliveryUnknown.
        """
        try:
            return await self.call(method, **arguments)
        except SlackDeliveryUnknown:
            # Reading twice does no harm, so it makes no difference whether Slack has acted.
            raise SlackUnreachable from None

    async def pages(
        self, method: str, *, most: int = MOST_PAGES, **arguments: Any
    ) -> AsyncIterator[SlackAnswer]:
        """The pages of a list. The SDK's own iteration would bypass the rate limits, and would
        start again after a 429.
        """
        cursor = ""
        for _ in range(most):
            page = await self.read(method, cursor=cursor, **arguments)
            yield page
            cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                return

    async def post(
        self,
        channel: str,
        text: str,
        blocks: Sequence[Block],
        *,
        or_words: bool = False,
        **options: Any,
    ) -> Fields:
        """Posts a message; the answer has its `ts` and `channel`. With `or_words`, one of which
        Slack accepts no blocks is posted as text alone.
        """

        async def send(shown: Fields) -> Fields:
            return await self.call("chat.postMessage", channel=channel, **shown, **options)

        return await self._block_fallback.send(send, blocks, text, or_words=or_words)

    async def update(
        self,
        channel: str,
        ts: str,
        text: str,
        blocks: Sequence[Block],
        *,
        or_words: bool = False,
    ) -> None:
        """Replaces a message."""

        async def send(shown: Fields) -> Fields:
            return await self.call("chat.update", channel=channel, ts=ts, **shown)

        await self._block_fallback.send(send, blocks, text, or_words=or_words)

    async def stop_stream(
        self, channel: str, ts: str, text: str, blocks: Sequence[Block], *, first_id: str = ""
    ) -> None:
        """Ends a stream with the blocks, or with simpler ones. Its words are those of its blocks.
        `first_id` becomes the id of the first block, in whichever form they are accepted.
        """

        async def send(shown: Fields) -> Fields:
            last = list(shown["blocks"])
            if last and first_id:
                last[0] = {**last[0], "block_id": first_id}
            fields = {"blocks": last} if last else {}
            return await self.call("chat.stopStream", channel=channel, ts=ts, **fields)

        await self._block_fallback.send(send, blocks, text)

    async def post_ephemeral(
        self, channel: str, user: str, text: str, blocks: Sequence[Block], **options: Any
    ) -> None:
        """Posts a message that only one person sees, without pictures, which others could open."""

        async def send(shown: Fields) -> Fields:
            return await self.call(
                "chat.postEphemeral", channel=channel, user=user, **shown, **options
            )

        await self._block_fallback.send(send, blocks, text, with_pictures=False)

    async def respond(
        self,
        url: str,
        text: str,
        blocks: Sequence[Block],
        *,
        replace_original: bool,
        **options: Any,
    ) -> bool:
        """Posts to a response URL, for one person; False if Slack certainly did not accept it."""

        async def send(shown: Fields) -> bool:
            payload = {
                "response_type": "ephemeral",
                "replace_original": replace_original,
                **shown,
                **options,
            }
            try:
                return await response_url.respond(self._session, url, payload)
            except SlackDeliveryUnknown:
                if not replace_original:
                    raise
                # Replacing twice changes nothing.
                return await response_url.respond(self._session, url, payload)

        return await self._block_fallback.send(send, blocks, text, with_pictures=False)

    async def delete_original(self, url: str) -> bool:
        """Deletes the message of a response URL; False where Slack did not accept that."""
        return await response_url.respond(self._session, url, {"delete_original": True})

    async def upload(
        self,
        *,
        name: str,
        length: int,
        content: bytes | AsyncIterator[bytes],
        alt_text: str,
        snippet_type: str | None = None,
        destination: Mapping[str, str] | None = None,
    ) -> str:
        """Uploads a file and returns its id. Without a `destination` only the bot sees it; with
        one, messages in the channel go first. Raises UploadRefused, too.
        """
        client = self.at(Priority.FILE) if destination else self
        target = await client.call(
            "files.getUploadURLExternal",
            filename=name,
            length=length,
            # Slack refuses a longer one.
            alt_txt=alt_text[:1000],
            snippet_type=snippet_type,
        )
        await self._send_bytes(str(target["upload_url"]), length, content)
        file_id = str(target["file_id"])
        await client.call(
            "files.completeUploadExternal",
            files=[{"id": file_id, "title": name}],
            **(destination or {}),
        )
        return file_id

    async def _send_bytes(
        self, url: str, length: int, content: bytes | AsyncIterator[bytes]
    ) -> None:
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(length)}
        with slack_errors():
            async with self._session.post(
                url, data=content, headers=headers, timeout=UPLOAD_TIMEOUT
            ) as response:
                status = response.status
        if status != 200:
            raise UploadRefused(status)


def slack_client(
    token: str,
    api_url: str,
    session: aiohttp.ClientSession,
    *,
    pace: SlackPace | None = None,
    team_id: str | None = None,
) -> SlackClient:
    """A client over a shared HTTP session."""
    return SlackClient(web_client(token, api_url, session, pace=pace, team_id=team_id), session)
