"""The App Home: how it stands with accounts and alerts, what comes next, what this person may ask,
and what they asked lately.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot import formatting
from bot.answer import Block
from bot.blocks import kit, messages
from bot.questions.question import AccountDirectory, CommandName
from bot.questions.registry import COMMANDS
from providers.models import AccountStatus, Check
from providers.registry import title_of

MOST_ACCOUNTS, MOST_ALERTS, MOST_DIGESTS = 20, 10, 5
CHECK_ACTION = "home.check"


@dataclass(frozen=True, slots=True)
class Upcoming:
    """A question that is asked next, by itself."""

    due: datetime
    line: str
    channel: str


@dataclass(frozen=True, slots=True)
class HomeFacts:
    """What is known when the tab is opened. `alerts` are said already, those that matter most
    first, and `calm` counts the others.

    `checks` are the accounts that were just asked how they are, with None for those that have not
    answered yet; `may_check` where this person may have them asked.
    """

    allowed: Sequence[CommandName]
    directory: AccountDirectory
    conditions: Sequence[AccountStatus]
    alerts: Sequence[str]
    calm: int
    evaluated_at: datetime | None
    upcoming: Sequence[Upcoming]
    recent: Sequence[str]
    now: datetime
    checks: Mapping[str, Check | None] = field(default_factory=dict)
    may_check: bool = False


def home_blocks(facts: HomeFacts) -> list[Block]:
    """The view for one person."""
    blocks = [
        kit.header("Opswatch"),
        kit.context(f"As of {kit.local_time(facts.now)}; it is fresh whenever it is opened."),
    ]
    for part in (
        _alerts(facts),
        _accounts(facts),
        _upcoming(facts),
        _recent(facts),
        _commands(facts),
    ):
        if part:
            blocks += [kit.divider(), *part]
    return blocks[:100]


def _alerts(facts: HomeFacts) -> list[Block]:
    if not facts.alerts and not facts.calm:
        return []
    looked = f" · looked at {kit.local_time(facts.evaluated_at)}" if facts.evaluated_at else ""
    calm = (
        f"🟢 {formatting.pluralise(facts.calm, 'alert')} calm{looked}"
        if facts.calm
        else f"No alert is calm{looked}"
    )
    lines = _first(facts.alerts, MOST_ALERTS)
    return [
        kit.section("*Alerts*"),
        *(messages.list_blocks("", lines)[1:] if lines else []),
        kit.context(calm),
    ]


def _accounts(facts: HomeFacts) -> list[Block]:
    lines = [_account(condition, facts) for condition in facts.conditions]
    told = kit.section("*Accounts*\n" + ("\n".join(_first(lines, MOST_ACCOUNTS)) or "none yet"))
    return [
        {**told, "accessory": kit.button("Check now", CHECK_ACTION)} if facts.may_check else told
    ]


def _first(lines: Sequence[str], most: int) -> list[str]:
    """The first lines, and how many more there are."""
    return [*lines[:most], *([f"… and {len(lines) - most} more"] if len(lines) > most else [])]


def _account(condition: AccountStatus, facts: HomeFacts) -> str:
    """An account, how it stands with it, and what may still be asked of it."""
    left = [
        f"{each.left:,} of {each.of:,} {each.what} left"
        for each in condition.left
        if each.left < each.of
    ]
    vendor = title_of(facts.directory.accounts[condition.account])
    return " · ".join([f"{kit.code(condition.account)} {vendor}", _state(condition, facts), *left])


def _state(condition: AccountStatus, facts: HomeFacts) -> str:
    check = facts.checks.get(condition.account)
    if check:
        said = f"🟢 {check.detail}" if check.ok else f"🔴 {check.detail} {check.hint}"
        return messages.with_code(formatting.truncate(said, 120)).strip()
    if condition.account in facts.checks:
        return "⏳ being asked …"
    if condition.trouble:
        return f"🔴 {kit.escaped(condition.trouble)}"
    if condition.answered_at:
        return f"🟢 answered {kit.local_time(condition.answered_at)}"
    return "⚪ not asked since the start"


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
    blocks = [
        kit.section(
            "*What you may ask* – in any channel I am in, and here; `help` behind a command shows "
            "more."
        )
    ]
    for command in COMMANDS.values():
        if command.name not in facts.allowed:
            blocks.append(
                kit.context(
                    f"{kit.code(f'/{command.name}')} is not allowed for you outside its channels."
                )
            )
            continue
        line = command.example(facts.directory)
        told = kit.section(
            f"{kit.code(f'/{command.name} {command.usage_hint}')}\n{command.description}"
        )
        blocks.append(
            {**told, "accessory": kit.button(formatting.truncate(line, 60), "ask.0", line)}
        )
    return blocks
