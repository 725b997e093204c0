"""A private answer as its asker reads it: why it is private, where its file is, and how it can be
shared.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.answer import Answer, Block
from bot.blocks import kit, messages
from bot.slack.private_reasons import NOT_HERE, NOT_SHAREABLE

FILE_PLACE = "The file is in your direct messages."


def private_answer(answer: Answer, ticket: str, *, reason: str) -> tuple[str, list[Block]]:
    """The answer as text and blocks, with the `reason` why it is private, if any."""
    if reason in NOT_HERE.values():
        # If the bot may not post, nothing can be shared; the reason says what to do.
        text = answer.text
        blocks = [*answer.blocks]
    else:
        text, blocks = shareable(answer.text, answer.blocks, ticket)
    if answer.files:
        blocks.insert(-1, kit.context(FILE_PLACE))
        text = f"{text}\n{FILE_PLACE}"
    if reason:
        return f"{reason}\n{text}", [kit.context(reason), *blocks]
    return text, blocks


def shareable(text: str, blocks: Sequence[Block], ticket: str) -> tuple[str, list[Block]]:
    """An answer with Share, or without a `ticket` with what has to be done before it can be shared."""
    if ticket:
        return text, messages.with_share(blocks, ticket)
    shown = [*blocks]
    shown.insert(-1, kit.context(NOT_SHAREABLE))
    return f"{text}\n{NOT_SHAREABLE}", shown
