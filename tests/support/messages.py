"""Reads messages in tests: their text, buttons, kinds of blocks and files."""

from __future__ import annotations

import json
from typing import Any

from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack import Message


def types(message: Message) -> list[str]:
    return [block["type"] for block in message.blocks]


def text_of(message: Message) -> str:
    return message.text + json.dumps(message.blocks, ensure_ascii=False)


def button_elements(message: Message) -> list[dict[str, Any]]:
    return [e for block in message.blocks if block["type"] == "actions" for e in block["elements"]]


def buttons(message: Message) -> dict[str, str]:
    return {e["text"]["text"]: e["action_id"] for e in button_elements(message)}


async def files_after(
    sandbox: Sandbox, line: str, user: str = "U0ADA", channel: str = "C0OPS"
) -> tuple[Message, Message]:
    """The answer to a line, and the message with its file."""
    before = len(sandbox.slack.messages)
    answer = await sandbox.slack.answer_to(line, user=user, channel=channel)
    brought = await sandbox.slack.until(
        lambda: next((m for m in sandbox.slack.messages[before:] if m.files), None)
    )
    return answer, brought


async def answer_text(
    sandbox: Sandbox, line: str, *, user: str = "U0ADA", channel: str = "C0OPS"
) -> str:
    return (await sandbox.slack.answer_to(line, user=user, channel=channel)).text
