"""The App Home: the state of alerts and accounts, the next digests, and the recent questions and
commands of one person.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, tzinfo

from msgspec import Struct, field

from bot import formatting
from bot.alerts.mutes import ActiveSilence
from bot.answer import Block
from bot.blocks import kit, messages
from bot.blocks.alert_buttons import LINK, acknowledge_button, silence_buttons
from bot.questions.question import AccountDirectory, CommandName
from bot.questions.registry import COMMANDS
from providers.models import AccountStatus, Check, RemainingQuota
from providers.registry import title_of

# Together below the 100 blocks that a Home tab may have.
MOST_ACCOUNTS = 20
MOST_ALERTS = 10
MOST_DIGESTS = 5
MOST_SAVED = 10
CHECK_ACTION = "home.check"


class Upcoming(Struct, frozen=True):
    """A digest that is due next."""

    due: datetime
    line: str
    channel: str
    as_canvas: bool = False


class HomeAlert(Struct, frozen=True):
    """An alert that needs attention: its line, the link to its message, and what the person may do
    about it. `silence` is the one that is active now.
    """

    line: messages.ListLine
    name: str = ""
    link: str = ""
    may_acknowledge: bool = False
    may_silence: bool = False
    silence: ActiveSilence | None = None


class HomeFacts(Struct, frozen=True):
    """What the tab shows. `alerts` are those that need attention, the most severe first, with times
    in `zone`; `ok` counts the others.

    `checks` are the results of *Check now* by account, with None for a check that is running;
    `may_check` offers that button.
    """

    allowed: Sequence[CommandName]
    directory: AccountDirectory
    conditions: Sequence[AccountStatus]
    alerts: Sequence[HomeAlert]
    ok: int
    evaluated_at: datetime | None
    upcoming: Sequence[Upcoming]
    recent: Sequence[str]
    now: datetime
    zone: tzinfo = UTC
    checks: Mapping[str, Check | None] = field(default_factory=dict)
    may_check: bool = False
    # The commands that no configured account can answer.
    without_account: Collection[CommandName] = ()
    # The person's saved questions: the name of each, its line and its channel.
    saved: Sequence[tuple[str, str, str]] = ()


def home_blocks(facts: HomeFacts) -> list[Block]:
    """The view for one person."""
    blocks = [
        kit.header("Opswatch"),
        kit.context(f"As of {kit.local_time(facts.now)}. Reopen this tab to refresh it."),
    ]
    for part in (
        _alerts(facts),
        _accounts(facts),
        _upcoming(facts),
        _saved(facts),
        _recent(facts),
        _commands(facts),
    ):
        if part:
            blocks += [kit.divider(), *part]
    # Slack refuses a view with more.
    return blocks[:100]


def _alerts(facts: HomeFacts) -> list[Block]:
    if not facts.alerts and not facts.ok:
        return []
    states = [f"🟢 {formatting.pluralise(facts.ok, 'alert')} OK"] if facts.ok else []
    if facts.evaluated_at:
        last = "last" if states else "Last"
        states.append(f"{last} check {kit.local_time(facts.evaluated_at)}")
    zone = f" (times in {kit.escaped(str(facts.zone))})" if facts.alerts else ""
    left = len(facts.alerts) - MOST_ALERTS
    return [
        kit.section(f"*Alerts*{zone}"),
        *(block for alert in facts.alerts[:MOST_ALERTS] for block in alert_blocks(alert)),
        *([kit.context(f"… and {left:,} more")] if left > 0 else []),
        *([kit.context(" · ".join(states))] if states else []),
    ]


def alert_blocks(alert: HomeAlert, more: Sequence[Block] = ()) -> list[Block]:
    """An alert with its buttons, and with more of them."""
    buttons = [
        *([acknowledge_button(alert.name)] if alert.may_acknowledge else []),
        *(silence_buttons(alert.name, alert.silence) if alert.may_silence else []),
        *([kit.link_button("Open message", f"{LINK}.0", alert.link)] if alert.link else []),
        *more,
    ]
    details = alert.line.details
    return [
        kit.section(alert.line.mrkdwn),
        *([kit.context(kit.with_code(details))] if details else []),
        *([kit.actions(buttons)] if buttons else []),
    ]


def _accounts(facts: HomeFacts) -> list[Block]:
    lines = [_account(condition, facts) for condition in facts.conditions]
    section = kit.section("*Accounts*\n" + ("\n".join(_first(lines, MOST_ACCOUNTS)) or "None"))
    if facts.may_check:
        section["accessory"] = kit.button("Check now", CHECK_ACTION)
    return [section]


def _first(lines: Sequence[str], most: int) -> list[str]:
    """The first lines, and how many more there are."""
    return [*lines[:most], *([f"… and {len(lines) - most} more"] if len(lines) > most else [])]


def _account(condition: AccountStatus, facts: HomeFacts) -> str:
    """An account, its state, and what is left of the rate limit that is used up the most."""
    vendor = title_of(facts.directory.accounts[condition.account])
    left = _scarcest(condition.left)
    return " · ".join([f"{kit.code(condition.account)} {vendor}", _state(condition, facts), *left])


def _scarcest(limits: Sequence[RemainingQuota]) -> list[str]:
    """The limit of which the smallest share is left; none where nothing is used."""
    used = [each for each in limits if each.left < each.of]
    if not used:
        return []
    # An account has up to five limits; the others cannot be in the way before this one is.
    least = min(used, key=lambda each: each.left / each.of)
    return [f"{least.left:,} of {least.of:,} {least.what} left"]


def _state(condition: AccountStatus, facts: HomeFacts) -> str:
    check = facts.checks.get(condition.account)
    if check:
        shown = f"🟢 {check.detail}" if check.ok else f"🔴 {check.detail} {check.hint}"
        return messages.with_code(formatting.truncate(shown, 120)).strip()
    if condition.account in facts.checks:
        return "⏳ checking…"
    if condition.problem:
        return f"🔴 {kit.escaped(condition.problem)}"
    if condition.answered_at:
        return f"🟢 answered {kit.local_time(condition.answered_at)}"
    return "⚪ no requests since the bot started"


def _upcoming(facts: HomeFacts) -> list[Block]:
    if not facts.upcoming:
        return []
    lines = [
        f"{kit.local_time(each.due)} · {kit.code(each.line, 120)} in {_channel(each.channel)}"
        f"{' as canvas' if each.as_canvas else ''}"
        for each in facts.upcoming[:MOST_DIGESTS]
    ]
    return [kit.section("*Next digests*\n" + "\n".join(lines))]


def _channel(channel: str) -> str:
    return kit.code(channel, 60) if channel.startswith("#") else f"<#{channel}>"


def _saved_in(channel: str) -> str:
    return "direct messages" if channel.startswith("D") else _channel(channel)


def _saved(facts: HomeFacts) -> list[Block]:
    if not facts.saved:
        return []
    shown = [
        {
            **kit.section(
                f"{kit.code(name, 100)} in {_saved_in(channel)} asks {kit.code(line, 200)}"
            ),
            "accessory": kit.button("Ask", "ask.0", line),
        }
        for name, line, channel in facts.saved[:MOST_SAVED]
        # Slack's limit for the value of a button.
        if len(line) <= 2000
    ]
    return [kit.section("*Saved questions*"), *shown]


def _recent(facts: HomeFacts) -> list[Block]:
    if not facts.recent:
        return []
    asked = [
        {**kit.section(kit.code(line, 200)), "accessory": kit.button("Ask again", "ask.0", line)}
        for line in facts.recent
        if len(line) <= 2000
    ]
    return [kit.section("*Your recent questions*"), *asked]


def _commands(facts: HomeFacts) -> list[Block]:
    blocks = [
        kit.section(
            "*Commands* – in any channel with Opswatch, and in direct messages. Add `help` to a command "
            "for details."
        )
    ]
    for command in COMMANDS.values():
        name = kit.code(f"/{command.name}")
        if command.name in facts.without_account:
            continue
        if command.name not in facts.allowed:
            blocks.append(kit.context(f"You don't have access to {name} here."))
            continue
        line = command.example(facts.directory)
        # The button shows its question, so that people learn the words.
        button = kit.button(formatting.truncate(line, 60), "ask.0", line)
        blocks.append({**kit.section(f"{name} {command.description}"), "accessory": button})
    if facts.without_account:
        names = formatting.join_words([kit.code(f"/{name}") for name in facts.without_account])
        blocks.append(kit.context(f"No account is configured for {names} yet."))
    return blocks
