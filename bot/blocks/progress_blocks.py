"""The progress of a question, with a button that cancels it."""

from __future__ import annotations

from msgspec.structs import replace

from bot.answer import Answer, Block, Progress
from bot.blocks import kit, task_cards
from bot.blocks.messages import note

WORKING_ACTION = "cancel"


def working_blocks(line: str, ticket: str, progress: Progress) -> list[Block]:
    """The progress of a long-running question, by its steps where it has several, with a button
    that cancels it.
    """
    steps = [*progress.steps.values()]
    cancel = cancel_button(ticket)
    # A plan with a single step would repeat its title.
    if len(steps) > 1:
        cards = [
            task_cards.task(f"{ticket}.{n}", step.name, step.detail, step.status)
            for n, step in enumerate(steps)
        ]
        return [task_cards.plan(line, cards), kit.context(kit.escaped(progress.detail)), cancel]
    detail = " · ".join(filter(None, [progress.detail, *(step.detail for step in steps)]))
    lines = [kit.preview(progress.lines)] if progress.lines else []
    return [task_cards.task(ticket, line, detail or "…"), *lines, cancel]


def pending_note(line: str, ticket: str) -> Answer:
    """The same as a note that cannot be edited later, so it must stay true."""
    pending = note(
        f"The answer to `{line}` takes a while and will appear below, visible to you alone."
    )
    return replace(pending, blocks=[*pending.blocks, cancel_button(ticket)])


def cancel_button(ticket: str) -> Block:
    """The button that cancels the work."""
    return kit.actions([kit.button("Cancel", WORKING_ACTION, ticket)])
