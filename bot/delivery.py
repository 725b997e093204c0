"""How an answer reaches the person who asked: in the channel, or privately, with its files, however long it took.

Every payload is checked against Slack's limits first. Posts are not sent again after a cut connection, since Slack may have
taken them; only a 429, which means it did not, is waited for.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Any

import aiohttp
import msgspec
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.answer import Answer, AnswerFile, Block, Progress
from bot.blocks import kit, limits, talk
from bot.errors import SlackRefused, SlackUnsure
from bot.plainer import Plainer
from bot.slack_client import SlackClient
from bot.slack_pace import SlackPace
from bot.uploads import UploadRefused, upload
from bot.words import inert_lines, shortened

log = logging.getLogger("opswatch")

# Why an answer cannot stand in a channel, and so is whispered.
INVITE = "Only you see this, because I am not in this channel: `/invite @Opswatch` and ask again to have answers in it."
NOT_HERE = MappingProxyType(
    {
        "not_in_channel": INVITE,
        "channel_not_found": INVITE,
        "is_archived": "Only you see this, because this channel is archived.",
        "restricted_action": "Only you see this, because a setting of the workspace keeps me from posting in this channel.",
    }
)
# A message that cannot be edited any more.
GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})
# Nothing on the way from Slack says whether it took a message.
UNSURE = (aiohttp.ClientError, TimeoutError, OSError)
SNIPPET_BYTES = 1_000_000
UPLOAD_CHUNK = 256 * 1024
RESPOND_TIMEOUT = aiohttp.ClientTimeout(total=15)


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
    delivery: str = ""
    direct: bool = False
    thread_ts: str = ""


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

    def __init__(self, client: AsyncWebClient, session: aiohttp.ClientSession, plainer: Plainer) -> None:
        self._client, self._session, self._plainer = client, session, plainer

    async def show_work(self, errand: Errand, ticket: str, progress: Progress) -> None:
        """A message that the work goes on, with Cancel; shown where the answer will stand."""
        blocks = talk.working_blocks(errand.line, ticket, progress)
        text = f"Working on {errand.line}"
        if errand.public and not errand.away:
            try:
                if errand.shown_ts:
                    await self._edit(errand.channel, errand.shown_ts, text, blocks)
                else:
                    errand.shown_ts = await self._post(errand.channel, text, blocks, errand.thread_ts)
                return
            except SlackRefused as error:
                self._away(errand, error)
        if errand.shown_privately or errand.told_beside:
            return
        if errand.holder is Holder.STAYS or not errand.response_url:
            errand.told_beside = True
            await self.tell(errand, talk.soon(errand.line, ticket))
            return
        # What a response URL has made beside a button's message cannot be taken back, so the work takes its place.
        errand.shown_privately = errand.holder is not Holder.NOTHING
        # A response URL can be used a few times, and not for what may be refused first.
        await self.whisper(errand, text, talk.older_blocks(blocks))
        errand.shown_privately = True

    async def answer(self, errand: Errand, answer: Answer, *, ticket: str) -> None:
        """The answer, in the channel or privately, and then its files."""
        if errand.public and not errand.away:
            try:
                thread = await self._answer_in_channel(errand, answer)
            except SlackRefused as error:
                self._away(errand, error)
            else:
                await self._bring_files(errand, answer.files, channel=errand.channel, thread_ts=errand.thread_ts or thread)
                if errand.holder is Holder.REFUSAL:
                    with contextlib.suppress(SlackRefused):
                        await self._respond(errand.response_url, {"delete_original": True})
                return
        errand.shown_privately |= errand.holder in (Holder.ANSWER, Holder.REFUSAL)
        await self.whisper(errand, *_private(errand, answer, ticket))
        errand.shown_privately = False
        if answer.files:
            await self._bring_files(errand, answer.files, comment=kit.code(errand.line, 500))

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
        if errand.shown_ts:
            with contextlib.suppress(SlackRefused):
                await self._edit(errand.channel, errand.shown_ts, text, blocks)
                return
        await self.whisper(errand, text, blocks)

    async def share(self, channel: str, user: str, text: str, blocks: Sequence[Block]) -> None:
        """A private answer put into the channel by its asker. Raises SlackRefused."""
        told = [*talk.without_buttons(blocks), kit.context(f"Shared by <@{user}>")]
        await self._post(channel, text, told)

    async def tell(self, errand: Errand, told: Answer) -> None:
        """What became of a wish or of a button, for the asker alone."""
        await self.whisper(errand, told.text, told.blocks)

    async def whisper(self, errand: Errand, text: str, blocks: Sequence[Block]) -> None:
        """A message only the asker sees; it takes the place of what was whispered about this errand before."""
        if errand.direct:
            await self._post(errand.channel, text, blocks)
            return
        blocks = self._checked(text, blocks)

        async def send(shown: Sequence[Block]) -> bool:
            payload = {
                "response_type": "ephemeral",
                "replace_original": errand.shown_privately,
                "text": outward(text),
                "blocks": list(shown),
                **({"thread_ts": errand.thread_ts} if errand.thread_ts else {}),
            }
            return await self._respond(errand.response_url, payload)

        with contextlib.suppress(SlackRefused):
            if await self._plainer.send(send, blocks, text, with_pictures=False):
                return
        await self._whisper_otherwise(errand, text, blocks)

    async def _whisper_otherwise(self, errand: Errand, text: str, blocks: Sequence[Block]) -> None:
        """Where the response URL has been used up or is too old: beside the channel, or else by direct message."""
        thread: dict[str, Any] = {"thread_ts": errand.thread_ts} if errand.thread_ts else {}

        async def beside(shown: Sequence[Block]) -> Any:
            return await self._client.chat_postEphemeral(
                channel=errand.channel, user=errand.user, text=outward(text), blocks=list(shown), **thread
            )

        async def directly(shown: Sequence[Block]) -> Any:
            channel = await self.direct(errand.user)
            return await self._client.chat_postMessage(channel=channel, text=outward(text), blocks=list(shown))

        try:
            await self._plainer.send(beside, blocks, text, with_pictures=False)
        except SlackApiError as error:
            if error.response.get("error") not in (*NOT_HERE, "user_not_in_channel"):
                raise SlackRefused(reason_of(error)) from None
            await self._plainer.send(directly, blocks, text, with_pictures=False)

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
        """The `ts` of the answer, which takes the place of the answer that the person had, or of what showed that work goes on."""
        if errand.place and await self._edited_in_place(errand, answer):
            await self._take_back(errand)
            return errand.place
        if not errand.shown_ts:
            return await self._post(errand.channel, answer.text, answer.blocks, errand.thread_ts)
        ts, errand.shown_ts = await self._edit(errand.channel, errand.shown_ts, answer.text, answer.blocks), ""
        return ts

    async def _edited_in_place(self, errand: Errand, answer: Answer) -> bool:
        """False where the person's answer is gone, or too old to be edited."""
        try:
            await self._edit(errand.channel, errand.place, answer.text, answer.blocks)
        except SlackRefused as error:
            if error.code not in GONE:
                raise
            return False
        return True

    async def _take_back(self, errand: Errand) -> None:
        """Nothing is left that says that work goes on."""
        if errand.shown_ts:
            with contextlib.suppress(SlackApiError):
                await self._client.chat_delete(channel=errand.channel, ts=errand.shown_ts)
            errand.shown_ts = ""

    async def _bring_files(
        self, errand: Errand, files: Sequence[AnswerFile], *, channel: str = "", thread_ts: str = "", comment: str = ""
    ) -> None:
        """The files, in the thread or by direct message. The answer stands by now: trouble with a file is told beside it."""
        try:
            channel = channel or await self.direct(errand.user)
            await self._send_files(files, channel=channel, thread_ts=thread_ts, comment=comment)
        except (SlackApiError, UploadRefused, aiohttp.ClientError, TimeoutError) as error:
            why = str(error.response.get("error")) if isinstance(error, SlackApiError) else type(error).__name__
            log.error("A file could not be sent: %s", why)
            text = f"The file could not be sent ({why}). Ask again, or for a shorter window."
            await self.whisper(errand, text, [kit.section(kit.escaped(text))])

    def _away(self, errand: Errand, error: SlackRefused) -> None:
        """Where we may not post, the answer becomes private; any other refusal of Slack's rises."""
        if error.code not in NOT_HERE:
            raise error
        errand.away = NOT_HERE[error.code]

    async def _post(self, channel: str, text: str, blocks: Sequence[Block], thread_ts: str = "") -> str:
        thread: dict[str, Any] = {"thread_ts": thread_ts} if thread_ts else {}

        async def send(shown: Sequence[Block]) -> str:
            answer = await self._client.chat_postMessage(
                channel=channel, text=outward(text), blocks=list(shown), unfurl_links=False, unfurl_media=False, **thread
            )
            return str(answer["ts"])

        return await self._plainer.send(lambda shown: _sent(send, shown), self._checked(text, blocks), text)

    async def _edit(self, channel: str, ts: str, text: str, blocks: Sequence[Block]) -> str:
        async def send(shown: Sequence[Block]) -> str:
            await self._client.chat_update(channel=channel, ts=ts, text=outward(text), blocks=list(shown))
            return ts

        return await self._plainer.send(lambda shown: _sent(send, shown), self._checked(text, blocks), text)

    async def _respond(self, url: str, payload: dict[str, Any]) -> bool:
        """By the response_url, which works where we are no member. False where Slack does not take it any more; raises SlackRefused
        where it does not take these blocks."""
        if not url:
            return False
        try:
            async with self._session.post(url, json=payload, timeout=RESPOND_TIMEOUT) as response:
                if response.status == 400:
                    raise SlackRefused("invalid_blocks")
                if response.status != 200:
                    log.warning("Slack refused an answer by response_url (HTTP %s)", response.status)
                return response.status == 200
        except (aiohttp.ClientError, TimeoutError):
            log.warning("An answer by response_url got no reply")
            return True

    def _checked(self, text: str, blocks: Sequence[Block]) -> Sequence[Block]:
        """The blocks where Slack will take them; else shortened until it will."""
        problems = limits.message_problems(outward(text), blocks)
        if not problems:
            return blocks
        log.error("A message would be refused by Slack and is simplified: %s", "; ".join(problems))
        return [kit.section(kit.escaped(shortened(text, 1400)))] if text.strip() else [kit.section("No answer.")]

    async def thread(self, channel: str, ts: str) -> list[list[Block]]:
        """The blocks of the messages in a thread, its first among them, the oldest first. Raises SlackRefused."""
        found: list[list[Block]] = []
        cursor = ""
        while True:
            try:
                page = await self._client.conversations_replies(channel=channel, ts=ts, limit=200, cursor=cursor)
            except SlackApiError as error:
                raise SlackRefused(reason_of(error)) from None
            found += [message.get("blocks") or [] for message in page["messages"]]
            cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                return found

    async def direct(self, user: str) -> str:
        """The channel of a person's direct messages with us."""
        opened = await self._client.conversations_open(users=user)
        return str(opened["channel"]["id"])

    async def _send_files(self, files: Sequence[AnswerFile], *, channel: str, thread_ts: str = "", comment: str = "") -> None:
        """Each file by Slack's three steps; its bytes go out in pieces and are never all in memory."""
        place: dict[str, Any] = {"channel_id": channel}
        place |= {"thread_ts": thread_ts} if thread_ts else {}
        place |= {"initial_comment": comment} if comment else {}
        for file in files:
            await upload(
                self._client, self._session, name=file.name, length=file.bytes, content=_pieces(file), about=file.title,
                kind=_snippet_type(file), place=place,
            )  # fmt: skip


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


async def _sent(send: Any, blocks: Sequence[Block]) -> str:
    """What the post gives. Raises SlackRefused, or SlackUnsure where Slack did not say whether it took it."""
    try:
        return str(await send(blocks))
    except SlackApiError as error:
        if getattr(error.response, "status_code", 200) >= 500:
            raise SlackUnsure from None
        raise SlackRefused(reason_of(error)) from None
    except UNSURE:
        raise SlackUnsure from None


def reason_of(error: SlackApiError) -> str:
    """Slack's own word for why."""
    return str(error.response.get("error") or "no reason given")


async def _pieces(file: AnswerFile) -> AsyncIterator[bytes]:
    with file.path.open("rb") as source:
        while piece := await asyncio.to_thread(source.read, UPLOAD_CHUNK):
            yield piece
