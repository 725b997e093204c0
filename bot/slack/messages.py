"""Messages on their way to Slack: by response URL, beside a channel, by direct message and in it,
each in the first form that Slack takes.

Every payload is checked against Slack's limits first. What went wrong rises as SlackRefused,
SlackUnreachable or SlackDeliveryUnknown.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import aiohttp
import msgspec

from bot.answer import Block
from bot.blocks import kit, limits
from bot.errors import SlackDeliveryUnknown, SlackRefused
from bot.formatting import sanitise_lines, truncate
from bot.slack.block_fallback import BlockFallback
from bot.slack.client import SlackClient
from bot.slack.outcomes import MESSAGE_GONE, THREAD_GONE, asked, sent
from bot.slack.pace import SlackPace
from bot.slack.reply_target import ReplyTarget
from bot.slack.response_url import respond

log = logging.getLogger("opswatch")
T = TypeVar("T")
# The metadata of a message that says that work goes on, and among how many of the latest it is
# looked for.
WORK_EVENT, WORKING = "opswatch_work", "Working on"
LOOK_THROUGH = 100
# Of 200 messages each.
MOST_THREAD_PAGES = 10


def json_text(value: Any) -> str:
    """JSON for Slack, several times as fast as the standard encoder, which is left what is no
    Unicode.
    """
    try:
        return msgspec.json.encode(value).decode()
    except (UnicodeEncodeError, TypeError):
        return json.dumps(value)


def web_client(
    token: str,
    api_url: str,
    session: aiohttp.ClientSession,
    *,
    patient: bool = True,
    pace: SlackPace | None = None,
    team_id: str | None = None,
) -> SlackClient:
    """A Slack client that shares one HTTP session and repeats nothing but, where it is `patient`,
    what Slack says it did not take.
    """
    # The SDK spells out every request where its logger has no level of its own, even if nobody
    # reads it.
    sdk_log = logging.getLogger("slack_sdk.web")
    sdk_log.setLevel(logging.WARNING)
    pace = pace or (SlackPace() if patient else None)
    return SlackClient(
        pace=pace,
        team_id=team_id or "",
        token=token,
        base_url=api_url,
        session=session,
        timeout=30,
        retry_handlers=[],
        logger=sdk_log,
    )


class SlackMessages:
    """Sends, edits and finds messages for an target."""

    def __init__(
        self, client: SlackClient, session: aiohttp.ClientSession, block_fallback: BlockFallback
    ) -> None:
        self._client, self._session, self._block_fallback = client, session, block_fallback

    async def by_response_url(
        self, target: ReplyTarget, text: str, blocks: Sequence[Block]
    ) -> bool:
        """Whether Slack took it. Raises SlackRefused where it takes these blocks in no way, and
        SlackDeliveryUnknown.
        """

        async def send(shown: Sequence[Block]) -> bool:
            payload = {
                "response_type": "ephemeral",
                "replace_original": target.state.replace_original,
                "text": to_fallback_text(text),
                "blocks": list(shown),
                **_thread(target),
            }
            try:
                return await respond(self._session, target.url, payload)
            except SlackDeliveryUnknown:
                if not target.state.replace_original:
                    raise
                return await respond(self._session, target.url, payload)

        try:
            return await self._block_fallback.send(send, blocks, text, with_pictures=False)
        except SlackDeliveryUnknown:
            # What is told of this must not take the place of what may stand there.
            target.state.url_spent = True
            target.state.replace_original = False
            raise

    async def beside(self, target: ReplyTarget, text: str, blocks: Sequence[Block]) -> None:
        """In the channel, for the asker alone. Raises SlackRefused, such as where one of us is not
        in it.
        """

        async def send(shown: Sequence[Block]) -> Any:
            return await sent(
                lambda: self._client.chat_postEphemeral(
                    channel=target.channel,
                    user=target.user,
                    text=to_fallback_text(text),
                    blocks=list(shown),
                    **_thread(target),
                )
            )

        try:
            await self._block_fallback.send(send, blocks, text, with_pictures=False)
        except SlackRefused as error:
            if error.code not in THREAD_GONE or not target.thread:
                raise
            target.state.thread_gone = True
            await self._block_fallback.send(send, blocks, text, with_pictures=False)

    async def directly(self, target: ReplyTarget, text: str, blocks: Sequence[Block]) -> None:
        """By direct message. Raises SlackRefused, such as where the person has left."""
        channel = await self.open_dm(target.user)
        await self.post(
            ReplyTarget(user=target.user, channel=channel, response_url="", line=target.line),
            text,
            blocks,
            self._client,
        )

    async def post(
        self,
        target: ReplyTarget,
        text: str,
        blocks: Sequence[Block],
        client: SlackClient,
        *,
        key: str = "",
    ) -> str:
        """The `ts` of a message in the channel, in the thread where there is one and it is not
        gone. Raises SlackRefused and SlackDeliveryUnknown.
        """
        metadata: dict[str, Any] = (
            {"metadata": {"event_type": WORK_EVENT, "event_payload": {"key": key}}} if key else {}
        )

        async def send(shown: Sequence[Block], said: str = text) -> str:
            answer = await sent(
                lambda: client.chat_postMessage(
                    channel=target.channel,
                    text=to_fallback_text(said),
                    blocks=list(shown),
                    unfurl_links=False,
                    unfurl_media=False,
                    **metadata,
                    **_thread(target),
                )
            )
            return str(answer["ts"])

        try:
            return await self._in_some_size(send, text, blocks)
        except SlackRefused as error:
            if error.code not in THREAD_GONE or not target.thread:
                raise
            target.state.thread_gone = True
            return await self._in_some_size(send, text, blocks)

    async def edited(
        self, target: ReplyTarget, ts: str, text: str, blocks: Sequence[Block], client: SlackClient
    ) -> bool:
        """False where the message is gone, or too old to be edited. Raises SlackRefused and
        SlackDeliveryUnknown.
        """

        async def send(shown: Sequence[Block], said: str = text) -> bool:
            async def update() -> Any:
                return await client.chat_update(
                    channel=target.channel, ts=ts, text=to_fallback_text(said), blocks=list(shown)
                )

            try:
                await sent(update)
            except SlackDeliveryUnknown:
                await sent(update)
            return True

        try:
            return await self._in_some_size(send, text, blocks)
        except SlackRefused as error:
            if error.code not in MESSAGE_GONE:
                raise
            return False

    async def _in_some_size(
        self, send: Callable[..., Awaitable[T]], text: str, blocks: Sequence[Block]
    ) -> T:
        """What `send` gives for the blocks, or for a few words where Slack finds the message too
        long all the same.
        """
        try:
            return await self._block_fallback.send(send, self.checked(text, blocks), text)
        except SlackRefused as error:
            if error.code != "msg_too_long":
                raise
            few = truncate(text, 1400)
            return await send([kit.section(kit.escaped(few))], few)

    async def find_work(self, target: ReplyTarget) -> str:
        """The `ts` of the latest message in the channel that says that work on this question goes
        on; empty where there is none.
        """
        pages = (
            self._client.conversations_replies
            if target.thread
            else self._client.conversations_history
        )
        where: dict[str, Any] = {"ts": target.thread} if target.thread else {}
        page = await asked(
            lambda: pages(
                channel=target.channel, limit=LOOK_THROUGH, include_all_metadata=True, **where
            )
        )
        for message in page["messages"]:
            metadata = message.get("metadata") or {}
            key = (metadata.get("event_payload") or {}).get("key")
            is_work = metadata.get("event_type") == WORK_EVENT and str(
                message.get("text", "")
            ).startswith(WORKING)
            if is_work and key == work_key(target.delivery):
                return str(message["ts"])
        return ""

    async def thread(self, channel: str, ts: str, *, own_ids: Collection[str]) -> list[list[Block]]:
        """The blocks of our own messages in a thread, the oldest first. Raises SlackRefused."""
        found: list[list[Block]] = []
        cursor = ""
        for _ in range(MOST_THREAD_PAGES):
            page = await asked(
                partial(
                    self._client.conversations_replies,
                    channel=channel,
                    ts=ts,
                    limit=200,
                    cursor=cursor,
                )
            )
            found += [
                message.get("blocks") or []
                for message in page["messages"]
                if is_ours(message, own_ids)
            ]
            cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                break
        return found

    async def open_dm(self, user: str) -> str:
        """The channel of a person's direct messages with us. Raises SlackRefused."""
        opened = await asked(lambda: self._client.conversations_open(users=user))
        return str(opened["channel"]["id"])

    def checked(self, text: str, blocks: Sequence[Block]) -> Sequence[Block]:
        """The blocks where Slack will take them; else shortened until it will."""
        problems = limits.message_problems(to_fallback_text(text), blocks)
        if not problems:
            return blocks
        log.error("A message would be refused by Slack and is simplified: %s", "; ".join(problems))
        return (
            [kit.section(kit.escaped(truncate(text, 1400)))]
            if text.strip()
            else [kit.section("No answer.")]
        )


def work_key(delivery: str) -> str:
    """By what the message that says that work goes on is found again; it tells nothing of the
    delivery.
    """
    return hashlib.sha256(delivery.encode()).hexdigest()[:20]


def is_ours(message: Mapping[str, Any], own_ids: Collection[str]) -> bool:
    """Whether a message was posted by this app, as `user`, `bot_id` or `app_id` tell. Anybody
    else's holds no question of ours, whatever its buttons say.
    """
    return any(message.get(name) in own_ids for name in ("user", "bot_id", "app_id"))


def _thread(target: ReplyTarget) -> dict[str, Any]:
    return {"thread_ts": target.thread} if target.thread else {}


def to_fallback_text(text: str) -> str:
    """Top-level text as Slack wants it: escaped, so that nothing in it pings or links, and short
    enough to be shown whole.
    """
    return (
        kit.entities(truncate(sanitise_lines(text), limits.GOOD_TEXT - 400))
        if text.strip()
        else "–"
    )
