"""The App Home: how it stands with accounts and alerts, what comes next, what this person may ask, and what they asked lately."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot import words
from bot.answer import Block
from bot.blocks import kit, talk
from bot.question import COMMANDS, VENDORS, CommandName, Directory, example
from providers.records import Condition

MOST_ALERTS, MOST_DIGESTS = 10, 5


@dataclass(frozen=True, slots=True)
class Upcoming:
    """A question that is asked next, by itself."""

    due: datetime
    line: str
    channel: str


@dataclass(frozen=True, slots=True)
class HomeFacts:
    """What is known when the tab is opened. `alerts` are said already, those that matter most first, and `calm` counts the others."""

    allowed: Sequence[CommandName]
    directory: Directory
    conditions: Sequence[Condition]
    alerts: Sequence[str]
    calm: int
    evaluated_at: datetime | None
    upcoming: Sequence[Upcoming]
    recent: Sequence[str]
    now: datetime


def home_blocks(facts: HomeFacts) -> list[Block]:
    """The view for one person."""
    blocks = [kit.header("Opswatch"), kit.context(f"As of {kit.local_time(facts.now)}; it is fresh whenever it is opened.")]
    for part in (_alerts(facts), _accounts(facts), _upcoming(facts), _recent(facts), _commands(facts)):
        if part:
            blocks += [kit.divider(), *part]
    return blocks[:100]


def _alerts(facts: HomeFacts) -> list[Block]:
    if not facts.alerts and not facts.calm:
        return []
    looked = f" · looked at {kit.local_time(facts.evaluated_at)}" if facts.evaluated_at else ""
    calm = f"🟢 {words.count(facts.calm, 'alert')} calm{looked}" if facts.calm else f"No alert is calm{looked}"
    shown = [*facts.alerts[:MOST_ALERTS]]
    more = [f"… and {len(facts.alerts) - MOST_ALERTS} more"] if len(facts.alerts) > MOST_ALERTS else []
    lines = [*shown, *more]
    return [kit.section("*Alerts*"), *(talk.list_blocks("", lines)[1:] if lines else []), kit.context(calm)]


def _accounts(facts: HomeFacts) -> list[Block]:
    lines = []
    for condition in facts.conditions:
        vendor = VENDORS[facts.directory.accounts[condition.account]]
        seen = f"answered {kit.local_time(condition.answered_at)}" if condition.answered_at else "not asked since the start"
        state = (
            f"🔴 {kit.escaped(condition.trouble)}"
            if condition.trouble
            else f"🟢 {seen}"
            if condition.answered_at
            else f"⚪ {seen}"
        )
        left = [f"{each.left:,} of {each.of:,} {each.what} left" for each in condition.left if each.left < each.of]
        lines.append(f"{kit.code(condition.account)} {vendor} · {state}" + (f" · {', '.join(left)}" if left else ""))
    shown = [*lines[:20], *([f"… and {len(lines) - 20} more"] if len(lines) > 20 else [])]
    return [kit.section("*Accounts*\n" + ("\n".join(shown) or "none yet"))]


def _upcoming(facts: HomeFacts) -> list[Block]:
    if not facts.upcoming:
        return []
    lines = [
        f"{kit.local_time(each.due)} · {kit.code(each.line, 120)} in {_channel(each.channel)}"
        for each in facts.upcoming[:MOST_DIGESTS]
    ]
    return [kit.section("*Next digests*\n" + "\n".join(lines))]


def _channel(channel: str) -> str:
    return kit.code(channel, 60) if channel.startswith("#") else f"<#{channel}>"


def _recent(facts: HomeFacts) -> list[Block]:
    if not facts.recent:
        return []
    asked = [
        {**kit.section(kit.code(line, 200)), "accessory": kit.button("Ask again", "ask.0", line)}
        for line in facts.recent
        if len(line) <= 2000
    ]
    return [kit.section("*Lately asked by you*"), *asked]


def _commands(facts: HomeFacts) -> list[Block]:
    blocks = [kit.section("*What you may ask* – in any channel I am in, and here; `help` behind a command shows more.")]
    for command in COMMANDS.values():
        if command.name not in facts.allowed:
            blocks.append(kit.context(f"{kit.code(f'/{command.name}')} is not allowed for you outside its channels."))
            continue
        line = example(command.name, facts.directory)
        told = kit.section(f"{kit.code(f'/{command.name} {command.usage_hint}')}\n{command.description}")
        blocks.append({**told, "accessory": kit.button(words.shortened(line, 60), "ask.0", line)})
    return blocks
