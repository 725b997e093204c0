"""The App Home: what this person may ask, how, and what they asked lately."""

from __future__ import annotations

from collections.abc import Sequence

from bot import words
from bot.answer import Block
from bot.blocks import kit
from bot.question import COMMANDS, VENDORS, CommandName, Directory, example


def home_blocks(allowed: Sequence[CommandName], directory: Directory, recent: Sequence[str]) -> list[Block]:
    """The view for one person."""
    blocks = [kit.header("Opswatch"), kit.section("Ask in any channel I am in; add `help` to a command for examples.")]
    for command in COMMANDS.values():
        may = (
            f"Try {kit.code(example(command.name, directory))}"
            if command.name in allowed
            else "_Not allowed for you outside its channels._"
        )
        blocks.append(kit.section(f"*{kit.escaped(f'/{command.name} {command.usage_hint}')}*\n{command.description}\n{may}"))
    accounts = [f"{kit.code(name)} {VENDORS[kind]}" for name, kind in directory.accounts.items()]
    blocks += [kit.divider(), kit.section(f"*Accounts*\n{words.listed(accounts, 20) or 'none yet'}")]
    if recent:
        blocks += [kit.divider(), kit.section("*Lately asked by you*\n" + "\n".join(kit.code(line, 200) for line in recent))]
    return blocks
