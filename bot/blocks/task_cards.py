"""Work in progress as a card or a plan of several, and the same in blocks that all clients support."""

from __future__ import annotations

from collections.abc import Sequence

from bot.answer import Block
from bot.blocks import kit
from bot.formatting import sanitise


def task(task_id: str, title: str, detail: str, status: str = "in_progress") -> Block:
    """Work in progress or ended, and how far it is."""
    card = {
        "type": "task_card",
        "task_id": task_id,
        "title": sanitise(title, 150) or "…",
        "status": status,
    }
    if not detail:
        return card
    details = {
        "type": "rich_text_section",
        "elements": [{"type": "text", "text": sanitise(detail, 2000)}],
    }
    return {**card, "details": {"type": "rich_text", "elements": [details]}}


def plan(title: str, tasks: Sequence[Block]) -> Block:
    """Work of several parts, each of which is a task."""
    return {"type": "plan", "title": sanitise(title, 150) or "…", "tasks": list(tasks)}


def older_task(card: Block) -> list[Block]:
    """The same in blocks that all Slack clients support."""
    detail = _details(card)
    return [_working_on(card["title"]), *([kit.context(kit.escaped(detail))] if detail else [])]


def older_plan(block: Block) -> list[Block]:
    """The same in blocks that all Slack clients support."""
    marks = {"complete": ":white_check_mark:", "error": ":x:"}
    lines = [
        (
            f"{marks.get(card['status'], ':hourglass_flowing_sand:')} {kit.code(card['title'], 150)} "
            f"{kit.escaped(_details(card))}"
        )
        for card in block["tasks"]
    ]
    return [_working_on(block["title"]), kit.section("\n".join(line.rstrip() for line in lines))]


def _working_on(title: str) -> Block:
    return kit.section(f":hourglass_flowing_sand: Working on {kit.code(title, 300)}")


def _details(card: Block) -> str:
    """The progress of a task, in words."""
    return str(card["details"]["elements"][0]["elements"][0]["text"]) if "details" in card else ""
