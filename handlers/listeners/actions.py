"""The buttons under an answer: ask something else, share, cancel."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncApp, AsyncBoltContext

from bot.blocks import kit, messages
from bot.blocks.messages import SHARE_ACTION, WORKING_ACTION
from bot.errors import AccessDenied, SlackDeliveryUnknown, SlackRefused
from bot.slack.delivery import INVITE, NOT_HERE, ReplaceMode, ReplyTarget
from bot.store import Store
from handlers.requests import RequestHandler, split_command


@dataclass(frozen=True, slots=True)
class AskAction:
    """A button that asks the question in its value, as the person who pressed it."""

    door: RequestHandler

    async def __call__(
        self, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext
    ) -> None:
        line = str(action.get("value", ""))
        errand = reply_target_from_action(body, line)
        context["errand"] = errand
        command, words = split_command(line)
        if not errand.channel:
            errand.channel, errand.direct = await self.door.delivery.direct(errand.user), True
        elif errand.channel.startswith("D") and errand.holder is ReplaceMode.STAYS:
            # A message of ours in somebody's direct messages is seen by nobody else.
            errand.direct = True
        await self.door.ask(command, words, errand, via="button")


@dataclass(frozen=True, slots=True)
class ShareAction:
    """Puts a private answer into the channel; only its asker can, and once."""

    door: RequestHandler
    store: Store

    async def __call__(
        self, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext
    ) -> None:
        errand = reply_target_from_action(body, "")
        context["errand"] = errand
        ticket = str(action.get("value", ""))
        since = await self.store.answer_kept_at(ticket)
        kept = await self.store.take_answer(
            ticket, user=errand.user, channel=errand.channel, now=self.door.clock()
        )
        if kept is None:
            await self._say(
                errand, "This answer is shared already or too old; ask again to share it."
            )
            return
        text, blocks = kept
        try:
            if line := messages.extract_question(blocks):
                # What may be shown to others is what may be asked now, not what was allowed when it
                # was asked.
                await self.door.require(split_command(line)[0], errand.user, errand.channel)
            await self.door.delivery.share(errand.channel, errand.user, text, blocks)
        except (AccessDenied, SlackRefused, SlackDeliveryUnknown) as error:
            await self.door.keep(ticket, errand, text, blocks, since=since)
            if not isinstance(error, SlackRefused) or NOT_HERE.get(error.code) != INVITE:
                raise
            await self._say(
                errand,
                (
                    "It cannot be shared, because I am not in this channel: `/invite @Opswatch` "
                    "and press Share again."
                ),
            )

    async def _say(self, errand: ReplyTarget, text: str) -> None:
        await self.door.delivery.send_ephemeral(errand, text, [kit.section(text)])


@dataclass(frozen=True, slots=True)
class CancelAction:
    """Stops the work behind a progress message; its asker alone can."""

    door: RequestHandler

    async def __call__(
        self, body: dict[str, Any], action: dict[str, Any], context: AsyncBoltContext
    ) -> None:
        errand = reply_target_from_action(body, "")
        context["errand"] = errand
        if not self.door.works.cancel(str(action.get("value", "")), errand.user):
            text = "There is nothing of yours to cancel here any more."
            await self.door.delivery.send_ephemeral(errand, text, [kit.section(text)])


def reply_target_from_action(body: dict[str, Any], line: str) -> ReplyTarget:
    """Who pressed, where, and what may become of the message that holds the button.

    A person's own answer gives way to the next, unless others have replied to it: then the next one
    joins them.
    """
    channel, container, message = (
        body.get("channel") or {},
        body.get("container") or {},
        body.get("message") or {},
    )
    user, ts = (
        str((body.get("user") or {}).get("id", "")),
        str(container.get("message_ts") or message.get("ts") or ""),
    )
    block = str(next(iter(body.get("actions") or [{}])).get("block_id", ""))
    is_own, is_private, holder = (
        block.startswith(messages.answer_block_id(user)),
        bool(container.get("is_ephemeral")),
        ReplaceMode.STAYS,
    )
    if is_private and (is_own or block == messages.REFUSAL):
        holder = ReplaceMode.ANSWER if is_own else ReplaceMode.REFUSAL
    # A message that begins a thread names itself as its thread.
    thread, joins = (
        str(message.get("thread_ts") or container.get("thread_ts") or ts),
        is_own and _is_discussed(message),
    )
    return ReplyTarget(
        user=user,
        channel=str(channel.get("id") or container.get("channel_id") or ""),
        response_url=str(body.get("response_url", "")),
        line=line,
        holder=holder,
        place=ts if is_own and not is_private and not joins else "",
        private_place=block.rpartition(".")[2] if is_own and is_private else "",
        thread_ts=thread if joins or thread != ts else "",
        delivery=str(body.get("trigger_id") or uuid.uuid4().hex),
    )


def _is_discussed(message: dict[str, Any]) -> bool:
    """Whether somebody else than ourselves has replied to a message of ours."""
    if not message.get("reply_count"):
        return False
    return bool(set(message.get("reply_users") or ["?"]) - {message.get("user")})


def register(app: AsyncApp, door: RequestHandler, store: Store) -> None:
    app.action(re.compile(r"^ask\.\d+$"))(AskAction(door).__call__)
    app.action(SHARE_ACTION)(ShareAction(door, store).__call__)
    app.action(WORKING_ACTION)(CancelAction(door).__call__)
