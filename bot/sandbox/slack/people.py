"""What people do in the sandbox Slack: type commands, press buttons, fill in modals."""

from __future__ import annotations

import asyncio
import html
from typing import Any

from aiohttp import web

from bot.sandbox.slack.modal_people import ModalPeople
from bot.sandbox.slack.records import (
    BOT,
    Ack,
    Message,
)

# How messages begin that say that an answer is still to come: work goes on, or the channel is busy.
INTERIM = ("Working on", "This channel is busy", "The answer to")


class People(ModalPeople):
    """What people do in the sandbox Slack: type commands, press buttons, fill in modals."""

    __slots__ = ()

    async def command(
        self,
        line: str,
        *,
        user: str = "U0ADA",
        channel: str = "C0OPS",
        trigger_id: str = "",
        over: web.WebSocketResponse | None = None,
        **extra: Any,
    ) -> Ack:
        """Types a slash command. It appears in the channel as the person's own line, visible to
        them only.

        `over` is the connection that delivers it; `extra` is added to the envelope, such as
        `retry_attempt` of a repeated delivery.
        """
        name, _, text = line.partition(" ")
        self._add(Message(self._ts(), channel, user, line, seen_by=user, command=True))
        payload = {
            "token": "sandbox",
            "team_id": "T0SANDBOX",
            "team_domain": "sandbox",
            "channel_id": channel,
            "channel_name": self.channels[channel].name,
            "user_id": user,
            "user_name": self.users[user].name.lower(),
            "command": name,
            # Slack escapes these three characters in the text of a command.
            "text": html.escape(text, quote=False),
            "api_app_id": "A0OPSWATCH",
            "is_enterprise_install": "false",
            "response_url": self._response_url(user, channel),
            "trigger_id": self._trigger(user, trigger_id),
        }
        return await self._send("slash_commands", payload, over=over, **extra)

    async def answer_to(
        self, line: str, *, user: str = "U0ADA", channel: str = "C0OPS", timeout_s: float = 30.0
    ) -> Message:
        """Types a command and waits for the bot's answer, which is neither an interim message nor
        a post of the outbox.
        """
        before = {(m.ts, m.edited) for m in self.messages}
        ack = await self.command(line, user=user, channel=channel)
        async with asyncio.timeout(timeout_s):
            await ack.done

        def answered() -> Message | None:
            fresh = [
                m
                for m in self.seen(user, channel)
                if (m.ts, m.edited) not in before and not m.thread_ts
            ]
            # Posts of the outbox, such as reports, may come at any time.
            fresh = [m for m in fresh if m.metadata.get("event_type") != "opswatch_post"]
            return next((m for m in fresh if not m.text.startswith(INTERIM)), None)

        found: Message = await self.until(answered, timeout_s=timeout_s)
        return found

    async def press(self, message: Message, action_id: str, *, user: str = "U0ADA") -> Ack:
        """Presses a button of a message."""
        elements = [
            (block, e)
            for block in message.blocks
            for e in [*block.get("elements", []), block.get("accessory") or {}]
            if e.get("action_id") == action_id
        ]
        block, element = elements[0]
        payload: dict[str, Any] = {
            "type": "block_actions",
            **self._interaction_of(user),
            "container": {
                "type": "message",
                "message_ts": message.ts,
                "channel_id": message.channel,
                "is_ephemeral": bool(message.seen_by),
                **({"thread_ts": message.thread_ts} if message.thread_ts else {}),
            },
            "channel": {"id": message.channel, "name": self.channels[message.channel].name},
            "response_url": self._response_url(user, message.channel, ts=message.ts),
            "state": {"values": {}},
            "actions": [
                {**element, "block_id": block.get("block_id", "b1"), "action_ts": self._ts()}
            ],
        }
        # Slack sends no message for buttons of ephemeral ones.
        if not message.seen_by:
            payload["message"] = {
                "user": message.user,
                "ts": message.ts,
                "text": message.text,
                "blocks": message.blocks,
            }
            payload["message"] |= self._thread_of(message)
        return await self._send("interactive", payload)

    async def press_at_home(self, value: str, *, user: str = "U0ADA", action: str = "") -> Ack:
        """Presses the button with that value or action in a person's App Home; where several have
        the value, the one with that `action`. Slack gives no channel and no response URL with it.
        """
        buttons = [
            each
            for block in self.homes[user]
            for each in [*block.get("elements", []), block.get("accessory") or {}]
            if each.get("type") == "button"
        ]
        element = next(
            each
            for each in buttons
            if value in (each.get("value"), each["action_id"]) and action in ("", each["action_id"])
        )
        payload = {
            "type": "block_actions",
            **self._interaction_of(user),
            "container": {"type": "view", "view_id": "V0HOME"},
            "view": {
                "id": "V0HOME",
                "type": "home",
                "blocks": self.homes[user],
                "state": {"values": {}},
                "private_metadata": "",
            },
            "actions": [{**element, "block_id": "b1", "action_ts": self._ts()}],
        }
        return await self._send("interactive", payload)

    async def say(
        self, text: str, *, user: str = "U0ADA", channel: str = "C0OPS", thread_ts: str = ""
    ) -> Message:
        """Posts a message of a person in a channel or a thread. The bot receives an event if it is
        mentioned and in the channel, and for a direct message if the app may read those.
        """
        message = Message(
            self._ts(), channel, user, text.replace("@Opswatch", f"<@{BOT}>"), thread_ts=thread_ts
        )
        self._add(message)
        is_direct = bool(self.channels[channel].direct_with)
        reads_directs = is_direct and "im:history" in self.scopes.split(",")
        if reads_directs or ("@Opswatch" in text and self.channels[channel].bot_is_in):
            kind = (
                {"type": "message", "channel_type": "im"} if is_direct else {"type": "app_mention"}
            )
            event = {
                **kind,
                "user": user,
                "text": message.text,
                "ts": message.ts,
                "channel": channel,
                "event_ts": message.ts,
            }
            await self._send(
                "events_api",
                self._event(user, {**event, **({"thread_ts": thread_ts} if thread_ts else {})}),
            )
        return message

    async def start_agent_thread(self, user: str = "U0ADA") -> str:
        """Opens a thread with the app in Slack's agent surface; returns the `ts` of the thread."""
        channel = self._direct_channel(user).id
        ts = self._ts()
        # Slack itself posts the first message of the thread, in the app's name.
        self._add(Message(ts, channel, BOT, "New Assistant Thread"))
        self.agent_threads[ts] = []
        event = {
            "type": "assistant_thread_started",
            "assistant_thread": {
                "user_id": user,
                "context": {"channel_id": "C0OPS", "team_id": "T0SANDBOX"},
                "channel_id": channel,
                "thread_ts": ts,
            },
            "event_ts": self._ts(),
        }
        ack = await self._send("events_api", self._event(user, event))
        async with asyncio.timeout(3):
            await ack.done
        return ts

    async def stop_agent_session(self, thread: str, user: str = "U0ADA") -> None:
        """Presses the stop button that Slack shows in a thread while the app works there."""
        channel = self._direct_channel(user).id
        streams = [
            message
            for message in self.messages
            if message.thread_ts == thread and message.streaming == "streaming"
        ]
        for message in streams:
            message.streaming = "stopped_by_user"
        event = {
            "type": "agent_session_stopped",
            "channel": channel,
            "thread_ts": thread,
            "user": user,
            "streaming_message_ts": [message.ts for message in streams],
            "event_ts": self._ts(),
        }
        ack = await self._send("events_api", self._event(user, event))
        async with asyncio.timeout(3):
            await ack.done

    async def run_step(self, question: str, channel: str, *, step: str = "") -> str:
        """A workflow comes to the step *Ask Opswatch*; returns what came of it. With the id of an
        earlier `step` its event is delivered again.
        """
        first = not step
        step = step or self._id("Fx")
        self.step_tokens.setdefault(step, f"xwfp-sandbox-{step}")
        event = {
            "type": "function_executed",
            "function": {
                "id": "Fn0ASK",
                "callback_id": "ask",
                "type": "app",
                "app_id": "A0OPSWATCH",
            },
            "inputs": {"question": html.escape(question, quote=False), "channel": channel},
            "function_execution_id": step,
            "workflow_execution_id": "Wx0SANDBOX",
            "event_ts": self._ts(),
            "bot_access_token": self.step_tokens[step],
        }
        await self._send("events_api", self._event("", event))
        if first:
            await self.until(lambda: step in self.steps)
        return step

    async def shortcut(
        self, callback_id: str, *, user: str = "U0ADA", message: Message | None = None
    ) -> Ack:
        """Uses a shortcut: that of a message, or the global one."""
        payload: dict[str, Any] = {
            "type": "message_action" if message else "shortcut",
            **self._interaction_of(user),
            "callback_id": callback_id,
            "action_ts": self._ts(),
        }
        if message:
            payload["channel"] = {
                "id": message.channel,
                "name": self.channels[message.channel].name,
            }
            payload["message_ts"] = message.ts
            payload["response_url"] = self._response_url(user, message.channel)
            said_by = {"user": message.user} | (
                {"bot_id": "B0OPSWATCH"} if message.user == BOT else {}
            )
            payload["message"] = {
                "type": "message",
                "ts": message.ts,
                "text": message.text,
                "blocks": message.blocks,
                **said_by,
            }
        return await self._send("interactive", payload)

    async def open_home(self, user: str) -> Ack:
        event = {
            "type": "app_home_opened",
            "user": user,
            "channel": f"D0{user[2:]}",
            "tab": "home",
            "event_ts": self._ts(),
        }
        return await self._send("events_api", self._event(user, event))

    def _thread_of(self, message: Message) -> dict[str, Any]:
        """The fields by which a message describes the thread that it is in, or that it began."""
        replies = [m for m in self.messages if m.thread_ts == message.ts and not m.seen_by]
        if not replies:
            return {"thread_ts": message.thread_ts} if message.thread_ts else {}
        users = list(dict.fromkeys(reply.user for reply in replies))
        return {
            "thread_ts": message.ts,
            "reply_count": len(replies),
            "reply_users": users,
            "latest_reply": replies[-1].ts,
        }

    def _event(self, user: str, event: dict[str, Any]) -> dict[str, Any]:
        del user
        return {
            "token": "sandbox",
            "team_id": "T0SANDBOX",
            "api_app_id": "A0OPSWATCH",
            "event": event,
            "type": "event_callback",
            "event_id": self._id("Ev"),
            "event_time": int(self.clock()),
            "authorizations": [{"team_id": "T0SANDBOX", "user_id": BOT, "is_bot": True}],
        }
