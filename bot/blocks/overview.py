"""An overview of the bot in one message: an example of each command (pure)."""

from __future__ import annotations

from collections.abc import Collection

from bot.answer import Answer
from bot.blocks import kit
from bot.questions.question import AccountDirectory, CommandName
from bot.questions.registry import COMMANDS

TITLE = "Ask about usage, API calls or logs"
HINT = (
    "Add `help` to a command for all its words. In the thread of an answer, say what to change, such "
    "as `last 30 days`."
)


def overview(directory: AccountDirectory, allowed: Collection[CommandName]) -> Answer:
    """An example of each command that the person may ask."""
    shown = [command for command in COMMANDS.values() if command.name in allowed]
    examples = [(command.example(directory), command.description) for command in shown]
    lines = [f"{line} – {description}" for line, description in examples]
    sections = [
        {
            **kit.section(f"{kit.code(line)}\n{kit.escaped(description)}"),
            "accessory": kit.button("Ask", f"ask.{number}", line),
        }
        for number, (line, description) in enumerate(examples)
    ]
    return Answer(
        text="\n".join([f"{TITLE}.", *lines, HINT]),
        blocks=[kit.header(TITLE), *sections, kit.context(HINT)],
    )
