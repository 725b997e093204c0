"""What a stream shows: the steps of the work, what came of each, and the beginning of the answer.

Titles and statuses of tasks are replaced by later ones, while their details would be appended to
earlier ones, so how far a task is goes into its title. Page: "chat.appendStream".
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from bot.answer import Block, Progress, Step
from bot.blocks import kit
from bot.blocks.progress_blocks import cancel_button
from bot.formatting import sanitise

# A chunk takes 256 characters, and 12,000 fit into a call: so many tasks and results together.
MOST_TITLE = 150
MOST_RESULT = 280
MOST_STEPS = 20


def step_chunks(line: str, key: str, progress: Progress) -> list[Block]:
    """The work as tasks; a single step is a part of the title. `key` identifies the question, so
    that the stream is found again.
    """
    steps = [*progress.steps.values()]
    titles = (
        [(_joined(step.name, _left(step)), step.status) for step in steps[:MOST_STEPS]]
        if len(steps) > 1
        else []
    )
    details = [] if titles else [_left(step) for step in steps]
    head = _joined(line, progress.detail, *details)
    return [
        {
            "type": "task_update",
            "id": f"{key}.{number}",
            "title": sanitise(title, MOST_TITLE),
            "status": status,
        }
        for number, (title, status) in enumerate([(head, "in_progress"), *titles])
    ]


def cancel_chunk(ticket: str) -> Block:
    """The button that cancels the work."""
    return {"type": "blocks", "blocks": [cancel_button(ticket)]}


def new_results(progress: Progress, shown: Collection[str]) -> list[Step]:
    """The steps with a result that is not shown yet."""
    steps = [*progress.steps.values()][:MOST_STEPS]
    return [step for step in steps if step.result and step.name not in shown]


def result_chunks(steps: Sequence[Step]) -> list[Block]:
    """What came of each step, in the order in which it became known."""
    sections = [
        kit.section(f"{kit.code(step.name)} {kit.with_code(sanitise(step.result, MOST_RESULT))}")
        for step in steps
    ]
    return [{"type": "blocks", "blocks": sections}] if sections else []


def first_blocks(blocks: Sequence[Block], key: str) -> tuple[list[Block], list[Block]]:
    """The beginning of an answer, up to its headline, and the rest. The id of the first block
    identifies the question. No beginning where nothing would be left.
    """
    end = _headline_end(blocks)
    types = {block.get("type") for block in blocks[:end]}
    # Tables and charts are left to the end, where simpler blocks can take their place.
    if end >= len(blocks) or not types <= {"header", "section", "context"}:
        return [], list(blocks)
    first, *others = blocks[:end]
    return [{**first, "block_id": stream_id(key)}, *others], list(blocks[end:])


def earlier_version(blocks: Sequence[Block]) -> list[Block]:
    """The blocks as they are shown before the message is edited: Slack wants new ids then."""
    return [
        {**block, "block_id": f"{block['block_id']}.s"} if "block_id" in block else block
        for block in blocks
    ]


def stream_id(key: str) -> str:
    """The id of the first block of an answer that is streamed at once."""
    return f"stream.{key}"


def answer_id(key: str) -> str:
    """The id of the first block of an answer that ends a stream of steps."""
    return f"{key}.answer"


def is_stream_of(blocks: Sequence[Block], key: str) -> bool:
    """Whether a message is the stream of a question."""
    ids = (str(block.get("task_id") or block.get("block_id") or "") for block in blocks)
    return any(each == stream_id(key) or each.startswith(f"{key}.") for each in ids)


def has_answer(blocks: Sequence[Block], key: str) -> bool:
    """Whether a stream of steps has ended with the answer, below its steps and Cancel."""
    return any(block.get("block_id") == answer_id(key) for block in blocks)


def is_headline(blocks: Sequence[Block], key: str) -> bool:
    """Whether an answer that is streamed at once has not got beyond its headline."""
    is_answer = any(block.get("block_id") == stream_id(key) for block in blocks)
    return is_answer and len(blocks) <= _headline_end(blocks)


def _headline_end(blocks: Sequence[Block]) -> int:
    """How many blocks of an answer are its headline."""
    types = [block.get("type") for block in blocks]
    return types.index("header") + 1 if "header" in types else 1


def _left(step: Step) -> str:
    """How far a step is, until its result is shown by itself."""
    return "" if step.result else step.detail


def _joined(*parts: str) -> str:
    return " · ".join(filter(None, parts))
