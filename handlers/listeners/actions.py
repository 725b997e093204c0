"""The buttons of an answer: ask another question, share, cancel."""

from __future__ import annotations

import contextlib
import re
import uuid
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from slack_bolt.async_app import AsyncApp, AsyncBoltContext

from bot.blocks import kit, messages
from bot.blocks.messages import SHARE_ACTION
from bot.blocks.progress_blocks import WORKING_ACTION
from bot.errors import AccessDenied, SlackDeliveryUnknown, SlackRefused
from bot.slack.delivery import ReplaceMode, ReplyTarget
from bot.slack.private_reasons import INVITE, NOT_HERE
from bot.store import Store
from handlers.requests import RequestHandler, split_command

# No question is worked on for longer, in seconds; a log is followed for ten minutes.
LONGEST_WORK_S = 1800.0


class AskAction(Struct, frozen=True):
    """Asks the question in the button's value, as the person who pressed it."""

    requests: RequestHandler

    async def __call__(
        self, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext
    ) -> None:
        line = str(action.get("value", ""))
        target = reply_target_from_action(body, line)
        context["target"] = target
        await self.requests.note_answer_seen(target.replaces_ticket, target.user)
        command, words = split_command(line)
        if not target.channel:
            channel = await self.requests.delivery.open_dm(target.user)
            target = context["target"] = replace(target, channel=channel, direct=True)
        elif target.channel.startswith("D") and target.replaces is ReplaceMode.STAYS:
            # Nobody else sees the bot's direct messages with a person.
            target = context["target"] = replace(target, direct=True)
        await self.requests.ask(command, words, target, via="button")


class ShareAction(Struct, frozen=True):
    """Posts a private answer in the channel; only its asker can, and only once."""

    requests: RequestHandler
    store: Store

    async def __call__(
        self, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext
    ) -> None:
        target = reply_target_from_action(body, "")
        context["target"] = target
        ticket = str(action.get("value", ""))
        await self.requests.note_answer_seen(ticket, target.user)
        # Taken before it is posted, so that two clicks share it once.
        kept = await self.store.answers.take(
            ticket, user=target.user, channel=target.channel, now=self.requests.clock()
        )
        if kept is None:
            await self._reply(
                target, "This answer is shared already or too old; ask again to share it."
            )
            return
        try:
            # Access may have been lost since the question was asked.
            await self.requests.require(kept.command, target.user, target.channel)
            await self.requests.delivery.share(target.channel, target.user, kept.text, kept.blocks)
        except (AccessDenied, SlackRefused, SlackDeliveryUnknown) as error:
            # Stored again for the rest of its day, since nothing was posted or Slack did not
            # confirm it.
            await self.requests.store_answer(
                ticket, kept.command, target, kept.text, kept.blocks, since=kept.kept_at
            )
            if not isinstance(error, SlackRefused) or NOT_HERE.get(error.code) != INVITE:
                raise
            await self._reply(
                target,
                (
                    "It cannot be shared, because Opswatch is not in this channel: `/invite @Opswatch` "
                    "and press Share again."
                ),
            )

    async def _reply(self, target: ReplyTarget, text: str) -> None:
        await self.requests.delivery.send_ephemeral(target, text, [kit.section(text)])


class CancelAction(Struct, frozen=True):
    """Cancels the question of a progress message; only its asker can. A message that is left of a
    question on which nobody works any more is deleted.
    """

    requests: RequestHandler

    async def __call__(
        self, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext
    ) -> None:
        target = reply_target_from_action(body, "")
        context["target"] = target
        ticket = str(action.get("value", ""))
        if await self.requests.cancel(ticket, target.user):
            return
        if await self._is_left(ticket, shown_at=_message_ts(body)):
            await self.requests.delivery.delete_pressed(target)
        text = "You have nothing left to cancel here."
        await self.requests.delivery.send_ephemeral(target, text, [kit.section(text)])

    async def _is_left(self, ticket: str, *, shown_at: str) -> bool:
        """Whether nobody works on the question, and its answer cannot just have taken the place of
        its progress.
        """
        with contextlib.suppress(ValueError):
            if self.requests.clock().timestamp() - float(shown_at) > LONGEST_WORK_S:
                return not await self.requests.store.questions.can_be_cancelled(ticket)
        return False


def reply_target_from_action(body: dict[str, Any], line: str) -> ReplyTarget:
    """The reply target of a pressed button.

    The next answer replaces the person's own one. If others have replied to that, it is posted in
    the thread instead.
    """
    channel = body.get("channel") or {}
    container = body.get("container") or {}
    message = body.get("message") or {}
    user = str((body.get("user") or {}).get("id", ""))
    ts = _message_ts(body)
    block = str(next(iter(body.get("actions") or [{}])).get("block_id", ""))
    is_own = block.startswith(messages.answer_block_id(user))
    is_private = bool(container.get("is_ephemeral"))
    is_discussed = is_own and _is_discussed(message)
    # The first message of a thread has its own `ts` as its `thread_ts`.
    thread = str(message.get("thread_ts") or container.get("thread_ts") or ts)
    return ReplyTarget(
        user=user,
        channel=str(channel.get("id") or container.get("channel_id") or ""),
        response_url=str(body.get("response_url", "")),
        line=line,
        replaces=_replace_mode(block, is_own=is_own, is_private=is_private),
        replaces_ts=ts if is_own and not is_private and not is_discussed else "",
        replaces_ticket=block.rpartition(".")[2] if is_own and is_private else "",
        thread_ts=thread if is_discussed or thread != ts else "",
        delivery=str(body.get("trigger_id") or uuid.uuid4().hex),
    )


def _message_ts(body: dict[str, Any]) -> str:
    """The message whose button was pressed."""
    container = body.get("container") or {}
    message = body.get("message") or {}
    return str(container.get("message_ts") or message.get("ts") or "")


def _replace_mode(block: str, *, is_own: bool, is_private: bool) -> ReplaceMode:
    if is_private and is_own:
        return ReplaceMode.ANSWER
    if is_private and block == messages.REFUSAL:
        return ReplaceMode.REFUSAL
    return ReplaceMode.STAYS


def _is_discussed(message: dict[str, Any]) -> bool:
    """Whether anybody but the bot has replied to its message."""
    if not message.get("reply_count"):
        return False
    # Slack may leave the names out; who is unknown counts as somebody else.
    return bool(set(message.get("reply_users") or ["?"]) - {message.get("user")})


def register(app: AsyncApp, requests: RequestHandler, store: Store) -> None:
    # An action_id is unique within its block, so buttons of one kind are numbered.
    app.action(re.compile(r"^ask\.\d+$"))(AskAction(requests).__call__)
    app.action(SHARE_ACTION)(ShareAction(requests, store).__call__)
    app.action(WORKING_ACTION)(CancelAction(requests).__call__)
