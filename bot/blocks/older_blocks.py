"""Messages for Slack clients and workspaces that do not support the newest blocks."""

from __future__ import annotations

from collections.abc import Sequence

from bot import formatting
from bot.answer import Block
from bot.blocks import kit, picture, task_cards

_NEWEST = frozenset({"data_table", "data_visualization", "task_card", "plan"})


def newest_kind(blocks: Sequence[Block]) -> frozenset[str]:
    """The kinds among these blocks that not every Slack client supports."""
    return _NEWEST.intersection(str(block.get("type")) for block in blocks)


def without_newest_blocks(blocks: Sequence[Block], pictures: Sequence[str] = ()) -> list[Block]:
    """The same message in blocks that every Slack client supports. A chart becomes the next of the
    `pictures`, by file id, or is left out; the first table becomes a plain one, of which a message
    can have one, and other tables are left out.
    """
    older: list[Block] = []
    left = list(pictures)
    has_table = False
    for block in blocks:
        if block.get("type") == "data_visualization":
            older += [kit.picture(left.pop(0), picture.alt_text(block))] if left else []
        elif block.get("type") == "data_table":
            older += (
                []
                # Of the plain kind Slack takes one table for each message.
                if has_table
                else [kit.context(f"*{kit.escaped(block['caption'])}*"), kit.plain_table(block)]
            )
            has_table = True
        elif block.get("type") == "task_card":
            older += task_cards.older_task(block)
        elif block.get("type") == "plan":
            older += task_cards.older_plan(block)
        else:
            older.append(block)
    return older


def plain_blocks(blocks: Sequence[Block], text: str) -> list[Block]:
    """The same message for a Slack that refuses the newest blocks: its text replaces charts and
    tables.
    """
    known = [block for block in blocks if block.get("type") not in _NEWEST]
    words = kit.section(f"```{kit.entities(formatting.truncate(text, 2500).replace('`', 'ˋ'))}```")
    return [*known[:1], words, *known[1:]]
