"""Modals as people open them, and the notes about what they saved."""

from __future__ import annotations

from bot.blocks import limits
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack import Message, View


async def opened(sandbox: Sandbox, message: Message, action: str, *, user: str = "U0ADA") -> View:
    await sandbox.slack.press(message, action, user=user)
    view: View = await sandbox.slack.until(lambda: sandbox.slack.modal(user))
    assert limits.view_problems(view.view) == []
    return view


async def confirmed(sandbox: Sandbox, says: str) -> Message:
    found: Message = await sandbox.slack.until(
        lambda: next((m for m in sandbox.slack.messages if says in m.text and m.seen_by), None)
    )
    return found
