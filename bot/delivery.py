"""How an answer reaches the person who asked: in the channel, or privately, with its files, however long it took.

Every payload is checked against Slack's limits first. What certainly did not reach Slack is sent again, or goes another way. A post is
not sent again after a cut connection, since Slack may have taken it; an edit and a replacement are, since doing them twice changes
nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, TypeVar

import aiohttp
import msgspec
from slack_sdk.errors import SlackApiError

from bot.answer import Answer, AnswerFile, Block, Progress
from bot.blocks import kit, limits, talk
from bot.errors import SlackRefused, SlackUnreachable, SlackUnsure
from bot.plainer import Plainer
from bot.response_url import respond
from bot.slack_client import SlackClient
from bot.slack_outcomes import INVITE as INVITE
from bot.slack_outcomes import MESSAGE_GONE, THREAD_GONE, asked, sent
from bot.slack_outcomes import NOT_HERE as NOT_HERE
from bot.slack_outcomes import UNSURE as UNSURE
from bot.slack_outcomes import reason_of as reason_of
from bot.slack_pace import Priority, SlackPace
from bot.uploads import UploadRefused, upload
from bot.words import inert_lines, shortened

log = logging.getLogger("opswatch")
T = TypeVar("T")

SNIPPET_BYTES = 1_000_000
UPLOAD_CHUNK = 256 * 1024
# The metadata of a message that says that work goes on, and among how many of the latest it is looked for.
WORK_EVENT, WORKING = "opswatch_work", "Working on"
LOOK_THROUGH = 100
# Of 200 messages each.
MOST_THREAD_PAGES = 10
# How long to wait, in seconds, before what certainly did not reach Slack is sent again.
REACH_AGAIN_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
# A wait for a turn in a channel that its asker is told of, in seconds; and how often the same person is.
LONG_QUEUE_S = 8.0
QUEUE_TOLD_EVERY_S = 60.0
# When a message that says that work goes on is tried to be removed, where it could not be replaced: in seconds from then.
REMOVE_AFTER_S = (5.0, 30.0, 120.0, 600.0)
UNREACHABLE = "Only you see this, because Slack took no message for this channel just now."


class Holder(Enum):
    """What holds the button that was pressed, which its response URL then stands for."""

    NOTHING = "nothing: the question was typed"
    STAYS = "a message that stays, such as one that all see, or help: nothing takes its place"
    ANSWER = "a private answer to the same person: the next answer takes its place"
    REFUSAL = "a private refusal: whatever comes of it takes its place"


@dataclass(slots=True)
class Errand:
    """One question on its way through Slack: who asked, where, and what has been shown so far.

    `place` is the person's own answer in the channel, by its `ts`, where a button of it was pressed: the next answer takes its place.
    `private_place` is the person's own private answer, by the beginning of its ticket, likewise.
    `response_url` is empty where there is none, or none that may be used any more. `work_hidden` where somebody has deleted the message
    that said that work goes on, which is then not shown again.
    `direct` where it came from the App Home: everything about it then goes into the person's direct messages, which nobody else sees.
    `thread_ts` where it was asked in a thread: it is answered there.
    """

    user: str
    channel: str
    response_url: str
    line: str
    public: bool = False
    away: str = ""
    shown_ts: str = ""
    shown_privately: bool = False
    holder: Holder = Holder.NOTHING
    place: str = ""
    private_place: str = ""
    told_beside: bool = False
    work_hidden: bool = False
    delivery: str = ""
    direct: bool = False
    thread_ts: str = ""
    shown_line: str = ""

    @property
    def title(self) -> str:
        """The question as it may be shown: without a secret that was typed in it."""
        return self.shown_line or self.line


def json_text(value: Any) -> str:
    """JSON for Slack, several times as fast as the standard encoder, which is left what is no Unicode."""
    try:
        return msgspec.json.encode(value).decode()
    except (UnicodeEncodeError, TypeError):
        return json.dumps(value)


def web_client(
    token: str, api_url: str, session: aiohttp.ClientSession, *, patient: bool = True, pace: SlackPace | None = None
) -> SlackClient:
    """A Slack client that shares one HTTP session and repeats nothing but, where it is `patient`, what Slack says it did not take."""
    # The SDK spells out every request where its logger has no level of its own, even if nobody reads it.
    sdk_log = logging.getLogger("slack_sdk.web")
    sdk_log.setLevel(logging.WARNING)
    pace = pace or (SlackPace() if patient else None)
    return SlackClient(pace=pace, token=token, base_url=api_url, session=session, timeout=30, retry_handlers=[], logger=sdk_log)


class Delivery:
    """Brings answers, progress and troubles to the asker."""

    def __init__(
        self,
        client: SlackClient,
        session: aiohttp.ClientSession,
        plainer: Plainer,
        reach_again_s: Sequence[float] = REACH_AGAIN_S,
        remove_after_s: Sequence[float] = REMOVE_AFTER_S,
    ) -> None:
        self._client, self._session, self._plainer = client, session, plainer
        self._reach_again_s, self._remove_after_s = reach_again_s, remove_after_s
        self._queue_told: dict[tuple[str, str], float] = {}
        self._removals: set[asyncio.Task[None]] = set()

    async def aclose(self) -> None:
        """Ends what is still to be tidied up."""
        for task in self._removals:
            task.cancel()
        await asyncio.gather(*self._removals, return_exceptions=True)

    async def show_work(self, errand: Errand, ticket: str, progress: Progress) -> None:
        """A message that the work goes on, with Cancel; shown where the answer will stand, and as answers leave room for it."""
        blocks = talk.working_blocks(errand.title, ticket, progress)
        text = f"{WORKING} {errand.title}"
        if errand.public and not errand.away:
            try:
                await self._show_in_channel(errand, text, blocks)
                return
            except SlackUnreachable:
                return
            except SlackRefused as error:
                self._away(errand, error)
        if errand.shown_privately or errand.told_beside:
            return
        if errand.holder is Holder.STAYS or not errand.response_url:
            errand.told_beside = True
            await self.tell(errand, talk.soon(errand.title, ticket))
            return
        if not await self._show_privately(errand, text, talk.older_blocks(blocks)):
            errand.told_beside = True
            await self.tell(errand, talk.soon(errand.title, ticket))

    async def _show_privately(self, errand: Errand, text: str, blocks: Sequence[Block]) -> bool:
        """Whether the asker may be shown the work: by the response URL alone, since nothing else can be replaced by the answer."""
        url = errand.response_url
        # What a response URL has made beside a button's message cannot be taken back, so the work takes its place.
        errand.shown_privately = errand.holder is not Holder.NOTHING
        try:
            # A response URL can be used a few times, and not for what may be refused first.
            errand.shown_privately = await self._by_response_url(errand, text, blocks)
        except SlackRefused:
            errand.shown_privately = False
        except SlackUnsure:
            # Where it stands, the answer takes its place; where it does not, the answer comes all the same.
            errand.response_url, errand.shown_privately = url, True
        return errand.shown_privately

    async def _show_in_channel(self, errand: Errand, text: str, blocks: Sequence[Block]) -> None:
        """Raises SlackRefused, and NoRoom where answers need the room."""
        if errand.work_hidden:
            return
        client = self._client.at(Priority.PROGRESS)
        if not errand.shown_ts:
            await self._post_work(errand, text, blocks, client)
        elif not await self._edited(errand, errand.shown_ts, text, blocks, client):
            await self._take_back(errand)
            errand.work_hidden = True

    async def _post_work(self, errand: Errand, text: str, blocks: Sequence[Block], client: SlackClient) -> None:
        """Where Slack does not say whether it took the message, it is looked for, so that none is left saying that work goes on."""
        try:
            errand.shown_ts = await self._post(errand, text, blocks, client, key=work_key(errand.delivery))
        except SlackUnsure:
            errand.shown_ts = await self.find_work(errand)
            errand.work_hidden = not errand.shown_ts

    async def find_work(self, errand: Errand) -> str:
        """The `ts` of the latest message in the channel that says that work on this question goes on; empty where there is none."""
        pages = self._client.conversations_replies if errand.thread_ts else self._client.conversations_history
        where: dict[str, Any] = {"ts": errand.thread_ts} if errand.thread_ts else {}
        page = await asked(lambda: pages(channel=errand.channel, limit=LOOK_THROUGH, include_all_metadata=True, **where))
        for message in page["messages"]:
            metadata = message.get("metadata") or {}
            key = (metadata.get("event_payload") or {}).get("key")
            is_work = metadata.get("event_type") == WORK_EVENT and str(message.get("text", "")).startswith(WORKING)
            if is_work and key == work_key(errand.delivery):
                return str(message["ts"])
        return ""

    async def answer(self, errand: Errand, answer: Answer, *, ticket: str) -> None:
        """The answer, in the channel or privately, and then its files."""
        if errand.public and not errand.away:
            try:
                thread = await self._once_reached(lambda: self._answer_in_channel(errand, answer))
            except SlackRefused as error:
                self._away(errand, error)
            else:
                await self._bring_files(errand, answer.files, channel=errand.channel, thread_ts=errand.thread_ts or thread)
                if errand.holder is Holder.REFUSAL:
                    with contextlib.suppress(SlackRefused, SlackUnsure):
                        await respond(self._session, errand.response_url, {"delete_original": True})
                return
            await self._take_back(errand)
        errand.shown_privately |= errand.holder in (Holder.ANSWER, Holder.REFUSAL)
        await self.whisper(errand, *_private(errand, answer, ticket))
        errand.shown_privately = False
        if answer.files:
            await self._bring_files(errand, answer.files, comment=kit.code(errand.title, 500))

    async def trouble(self, errand: Errand, text: str, blocks: Sequence[Block]) -> None:
        """A refusal or an error: always private, and nothing is left that says work goes on."""
        await self._take_back(errand)
        errand.shown_privately |= errand.holder is Holder.REFUSAL
        await self.whisper(errand, text, blocks)

    async def give_back(self, errand: Errand, text: str, blocks: Sequence[Block]) -> None:
        """A private answer is where it was before the work took its place."""
        await self.whisper(errand, text, blocks)
        errand.shown_privately = False

    async def lost(self, errand: Errand, text: str, blocks: Sequence[Block]) -> None:
        """An earlier process was cut off: what it left saying that work goes on tells that now; else its asker alone is told."""
        with contextlib.suppress(SlackRefused, SlackUnsure):
            ts = errand.shown_ts or await self.find_work(errand)
            if ts and await self._edited(errand, ts, text, blocks, self._client):
                return
        await self.whisper(errand, text, blocks)

    async def share(self, channel: str, user: str, text: str, blocks: Sequence[Block]) -> None:
        """A private answer put into the channel by its asker. Raises SlackRefused."""
        told = [*talk.without_buttons(blocks), kit.context(f"Shared by <@{user}>")]
        await self._post(Errand(user=user, channel=channel, response_url="", line=""), text, told, self._client)

    async def tell(self, errand: Errand, told: Answer) -> None:
        """What became of a wish or of a button, for the asker alone."""
        await self.whisper(errand, told.text, told.blocks)

    async def whisper(self, errand: Errand, text: str, blocks: Sequence[Block]) -> None:
        """A message only the asker sees; it takes the place of what was whispered about this errand before.

        Raises SlackRefused where no way is left, and SlackUnsure where Slack did not say whether it took it.
        """
        blocks = self._checked(text, blocks)
        await self._once_reached(lambda: self._whisper(errand, text, blocks))

    async def _whisper(self, errand: Errand, text: str, blocks: Sequence[Block]) -> None:
        """By the first way that takes it: the response URL, beside the channel, by direct message."""
        if errand.direct:
            await self._post(errand, text, blocks, self._client)
            return
        with contextlib.suppress(SlackRefused):
            if await self._by_response_url(errand, text, blocks):
                return
        try:
            await self._beside(errand, text, blocks)
        except SlackRefused as error:
            if error.code not in (*NOT_HERE, "user_not_in_channel"):
                raise
            await self._directly(errand, text, blocks)
        if errand.shown_privately:
            # It still says that work goes on, and nothing but its response URL can change that.
            self._remove_later(errand.response_url)
            errand.shown_privately, errand.response_url = False, ""

    async def _by_response_url(self, errand: Errand, text: str, blocks: Sequence[Block]) -> bool:
        """Whether Slack took it. Raises SlackRefused where it takes these blocks in no way, and SlackUnsure."""

        async def send(shown: Sequence[Block]) -> bool:
            payload = {
                "response_type": "ephemeral",
                "replace_original": errand.shown_privately,
                "text": outward(text),
                "blocks": list(shown),
                **_thread(errand),
            }
            try:
                return await respond(self._session, errand.response_url, payload)
            except SlackUnsure:
                if not errand.shown_privately:
                    raise
                return await respond(self._session, errand.response_url, payload)

        try:
            return await self._plainer.send(send, blocks, text, with_pictures=False)
        except SlackUnsure:
            # What is told of this must not take the place of what may stand there.
            errand.response_url, errand.shown_privately = "", False
            raise

    async def _beside(self, errand: Errand, text: str, blocks: Sequence[Block]) -> None:
        """In the channel, for the asker alone. Raises SlackRefused, such as where one of us is not in it."""

        async def send(shown: Sequence[Block]) -> Any:
            return await sent(
                lambda: self._client.chat_postEphemeral(
                    channel=errand.channel, user=errand.user, text=outward(text), blocks=list(shown), **_thread(errand)
                )
            )

        try:
            await self._plainer.send(send, blocks, text, with_pictures=False)
        except SlackRefused as error:
            if error.code not in THREAD_GONE or not errand.thread_ts:
                raise
            errand.thread_ts = ""
            await self._plainer.send(send, blocks, text, with_pictures=False)

    async def _directly(self, errand: Errand, text: str, blocks: Sequence[Block]) -> None:
        """By direct message. Raises SlackRefused, such as where the person has left."""
        channel = await self.direct(errand.user)
        await self._post(Errand(user=errand.user, channel=channel, response_url="", line=errand.line), text, blocks, self._client)

    async def _once_reached(self, send: Callable[[], Awaitable[T]]) -> T:
        """What `send` gives once Slack can be reached. Raises SlackUnreachable where that takes too long."""
        for wait_s in self._reach_again_s:
            try:
                return await send()
            except SlackUnreachable:
                log.warning("Slack could not be reached; what there is to say is sent again in %.0f s.", wait_s)
                await asyncio.sleep(wait_s)
        return await send()

    async def open_view(self, trigger: str, view: Block) -> None:
        """Opens a modal. Raises SlackApiError where the trigger is used up or too old."""
        await self._client.views_open(trigger_id=trigger, view=view)

    async def update_view(self, view: Block, view_id: str, hash_: str) -> str:
        """Tells an open modal anew, and gives its new hash. Raises SlackApiError where it was closed or has changed meanwhile."""
        told = await self._client.views_update(view=view, view_id=view_id, hash=hash_)
        return str((told.get("view") or {}).get("hash") or hash_)

    async def home(self, user: str, blocks: Sequence[Block]) -> None:
        problems = limits.block_problems(blocks, most=limits.MOST_VIEW_BLOCKS)
        if problems:
            log.error("App Home would be refused: %s", "; ".join(problems))
        await self._client.views_publish(user_id=user, view={"type": "home", "blocks": list(blocks)[: limits.MOST_VIEW_BLOCKS]})

    async def _answer_in_channel(self, errand: Errand, answer: Answer) -> str:
        """The `ts` of the answer, which takes the place of the answer that the person had, or of what showed that work goes on. Where that
        is gone, or cannot be edited any more, it is posted anew."""
        for ts in filter(None, (errand.place, errand.shown_ts)):
            if await self._edited(errand, ts, answer.text, answer.blocks, self._client):
                if ts == errand.shown_ts:
                    errand.shown_ts = ""
                await self._take_back(errand)
                return ts
        await self._tell_of_queue(errand)
        ts = await self._post(errand, answer.text, answer.blocks, self._client)
        await self._take_back(errand)
        return ts

    async def _tell_of_queue(self, errand: Errand) -> None:
        """Tells the asker that the answer waits for its turn in a busy channel. A courtesy: where it cannot be told, it is not."""
        pace, now = self._client.pace, asyncio.get_running_loop().time()
        wait_s = pace.wait_s(errand.channel) if pace else 0.0
        key = (errand.user, errand.channel)
        if wait_s < LONG_QUEUE_S or errand.direct or now - self._queue_told.get(key, -QUEUE_TOLD_EVERY_S) < QUEUE_TOLD_EVERY_S:
            return
        self._queue_told = {known: at for known, at in self._queue_told.items() if now - at < QUEUE_TOLD_EVERY_S} | {key: now}
        text = f"Much is being posted in this channel: the answer to `{errand.title}` is ready and comes in about {wait_s:.0f} s."
        with contextlib.suppress(SlackRefused, SlackUnsure):
            await self._whisper(replace(errand, shown_privately=False), text, self._checked(text, talk.note_blocks(text)))

    async def _take_back(self, errand: Errand) -> None:
        """Nothing is left that says that work goes on."""
        if errand.shown_ts:
            with contextlib.suppress(SlackApiError, *UNSURE):
                await self._client.chat_delete(channel=errand.channel, ts=errand.shown_ts)
            errand.shown_ts = ""

    def _remove_later(self, response_url: str) -> None:
        """Tries for a while to remove the message that a response URL has made."""

        async def remove() -> None:
            for wait_s in self._remove_after_s:
                await asyncio.sleep(wait_s)
                with contextlib.suppress(SlackRefused, SlackUnsure):
                    if await respond(self._session, response_url, {"delete_original": True}):
                        return

        task = asyncio.create_task(remove())
        self._removals.add(task)
        task.add_done_callback(self._removals.discard)

    async def _bring_files(
        self, errand: Errand, files: Sequence[AnswerFile], *, channel: str = "", thread_ts: str = "", comment: str = ""
    ) -> None:
        """The files, in the thread or by direct message. The answer stands by now: trouble with a file is told beside it."""
        try:
            for file in files:
                channel, thread_ts = await self._bring_file(errand, file, channel, thread_ts, comment)
        except (SlackApiError, SlackRefused, SlackUnsure, UploadRefused, *UNSURE) as error:
            why = _why(error)
            log.error("A file could not be sent: %s", why)
            text = f"The file could not be sent ({why}). Ask again, or for a shorter window."
            await self.whisper(errand, text, [kit.section(kit.escaped(text))])

    async def _bring_file(self, errand: Errand, file: AnswerFile, channel: str, thread_ts: str, comment: str) -> tuple[str, str]:
        """Where the file stands: in the thread, in the channel where the thread is gone, or in direct messages where we may not post."""
        channel = channel or await self.direct(errand.user)
        try:
            await self._send_file(file, channel=channel, thread_ts=thread_ts, comment=comment)
        except SlackApiError as error:
            if reason_of(error) in THREAD_GONE and thread_ts:
                return await self._bring_file(errand, file, channel, "", comment)
            if reason_of(error) not in NOT_HERE or channel.startswith("D"):
                raise
            return await self._bring_file(errand, file, "", "", kit.code(errand.title, 500))
        return channel, thread_ts

    def _away(self, errand: Errand, error: SlackRefused) -> None:
        """Where we may not post, the answer becomes private; any other refusal of Slack's rises."""
        if isinstance(error, SlackUnreachable):
            errand.away = UNREACHABLE
            return
        if error.code not in NOT_HERE:
            raise error
        errand.away = NOT_HERE[error.code]

    async def _post(self, errand: Errand, text: str, blocks: Sequence[Block], client: SlackClient, *, key: str = "") -> str:
        """The `ts` of a message in the channel, in the thread where there is one and it is not gone. Raises SlackRefused and SlackUnsure."""
        metadata: dict[str, Any] = {"metadata": {"event_type": WORK_EVENT, "event_payload": {"key": key}}} if key else {}

        async def send(shown: Sequence[Block], said: str = text) -> str:
            answer = await sent(
                lambda: client.chat_postMessage(
                    channel=errand.channel,
                    text=outward(said),
                    blocks=list(shown),
                    unfurl_links=False,
                    unfurl_media=False,
                    **metadata,
                    **_thread(errand),
                )
            )
            return str(answer["ts"])

        try:
            return await self._in_some_size(send, text, blocks)
        except SlackRefused as error:
            if error.code not in THREAD_GONE or not errand.thread_ts:
                raise
            errand.thread_ts = ""
            return await self._in_some_size(send, text, blocks)

    async def _edited(self, errand: Errand, ts: str, text: str, blocks: Sequence[Block], client: SlackClient) -> bool:
        """False where the message is gone, or too old to be edited. Raises SlackRefused and SlackUnsure."""

        async def send(shown: Sequence[Block], said: str = text) -> bool:
            async def update() -> Any:
                return await client.chat_update(channel=errand.channel, ts=ts, text=outward(said), blocks=list(shown))

            try:
                await sent(update)
            except SlackUnsure:
                await sent(update)
            return True

        try:
            return await self._in_some_size(send, text, blocks)
        except SlackRefused as error:
            if error.code not in MESSAGE_GONE:
                raise
            return False

    async def _in_some_size(self, send: Callable[..., Awaitable[T]], text: str, blocks: Sequence[Block]) -> T:
        """What `send` gives for the blocks, or for a few words where Slack finds the message too long all the same."""
        try:
            return await self._plainer.send(send, self._checked(text, blocks), text)
        except SlackRefused as error:
            if error.code != "msg_too_long":
                raise
            few = shortened(text, 1400)
            return await send([kit.section(kit.escaped(few))], few)

    def _checked(self, text: str, blocks: Sequence[Block]) -> Sequence[Block]:
        """The blocks where Slack will take them; else shortened until it will."""
        problems = limits.message_problems(outward(text), blocks)
        if not problems:
            return blocks
        log.error("A message would be refused by Slack and is simplified: %s", "; ".join(problems))
        return [kit.section(kit.escaped(shortened(text, 1400)))] if text.strip() else [kit.section("No answer.")]

    async def thread(self, channel: str, ts: str, *, own_ids: Collection[str]) -> list[list[Block]]:
        """The blocks of our own messages in a thread, the oldest first. Raises SlackRefused."""
        found: list[list[Block]] = []
        cursor = ""
        for _ in range(MOST_THREAD_PAGES):
            page = await asked(lambda: self._client.conversations_replies(channel=channel, ts=ts, limit=200, cursor=cursor))  # noqa: B023
            found += [message.get("blocks") or [] for message in page["messages"] if is_ours(message, own_ids)]
            cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                break
        return found

    async def direct(self, user: str) -> str:
        """The channel of a person's direct messages with us. Raises SlackRefused."""
        opened = await asked(lambda: self._client.conversations_open(users=user))
        return str(opened["channel"]["id"])

    async def _send_file(self, file: AnswerFile, *, channel: str, thread_ts: str = "", comment: str = "") -> None:
        """A file by Slack's three steps; its bytes go out in pieces and are never all in memory."""
        place: dict[str, Any] = {"channel_id": channel}
        place |= {"thread_ts": thread_ts} if thread_ts else {}
        place |= {"initial_comment": comment} if comment else {}
        await upload(
            self._client, self._session, name=file.name, length=file.bytes, content=_pieces(file), about=file.title,
            kind=_snippet_type(file), place=place,
        )  # fmt: skip


def work_key(delivery: str) -> str:
    """By what the message that says that work goes on is found again; it tells nothing of the delivery."""
    return hashlib.sha256(delivery.encode()).hexdigest()[:20]


def is_ours(message: Mapping[str, Any], own_ids: Collection[str]) -> bool:
    """Whether a message was posted by this app, as `user`, `bot_id` or `app_id` tell. Anybody else's holds no question of ours, whatever
    its buttons say."""
    return any(message.get(name) in own_ids for name in ("user", "bot_id", "app_id"))


def _thread(errand: Errand) -> dict[str, Any]:
    return {"thread_ts": errand.thread_ts} if errand.thread_ts else {}


def _why(error: Exception) -> str:
    """Why a file could not be sent, in a few words."""
    if isinstance(error, SlackApiError):
        return reason_of(error)
    if isinstance(error, SlackRefused):
        return error.code
    if isinstance(error, UploadRefused):
        return f"HTTP {error.status}"
    return "Slack could not be reached" if isinstance(error, aiohttp.ClientConnectorError) else "the connection was cut"


def _private(errand: Errand, answer: Answer, ticket: str) -> tuple[str, list[Block]]:
    """A private answer in words and blocks: why it is private, where its file is, and the button that shares it."""
    blocks, text = talk.with_share(answer.blocks, ticket), answer.text
    if answer.files:
        where = "The file is in your direct messages."
        blocks.insert(-1, kit.context(where))
        text = f"{text}\n{where}"
    return (f"{errand.away}\n{text}", [kit.context(errand.away), *blocks]) if errand.away else (text, blocks)


def _snippet_type(file: AnswerFile) -> str | None:
    """Text that Slack shows in place is a snippet, up to 1 MB; everything else is a file."""
    return file.kind if file.bytes <= SNIPPET_BYTES and not file.name.endswith(".gz") else None


def outward(text: str) -> str:
    """Top-level text as Slack wants it: escaped, so that nothing in it pings or links, and short enough to be shown whole."""
    return kit.entities(shortened(inert_lines(text), limits.GOOD_TEXT - 400)) if text.strip() else "–"


async def _pieces(file: AnswerFile) -> AsyncIterator[bytes]:
    with file.path.open("rb") as source:
        while piece := await asyncio.to_thread(source.read, UPLOAD_CHUNK):
            yield piece
