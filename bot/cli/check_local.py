"""Checks of this machine and the configuration: free disk space, and commands that nobody could
use.
"""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

from bot import formatting
from bot.config import Settings
from bot.config.tables import fixed
from bot.questions.managing import YIELDING_WORDS
from bot.questions.question import CommandName
from bot.questions.registry import COMMANDS
from bot.store.retention import DEFAULT_RETENTION
from providers.models import Check
from providers.registry import titles_with
from providers.settings import LEAST_BARE_SIZE

# The database, its log and a few tables on their way to Slack need that much.
LEAST_FREE = 100_000_000
# The days of a backtest by default.
BACKTEST_HISTORY = timedelta(days=90)


def free_space(
    name: str, folder: Path, detail: str, hint: str, *, wanted: int = LEAST_FREE
) -> Check:
    """A check that passes where the disk of the folder has room, and warns where it has less than
    `wanted`.
    """
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return Check(
            name, ok=False, detail=f"{folder} cannot be read ({error.strerror}).", hint=hint
        )
    left = f"{formatting.format_bytes(free)} free"
    # Nearly full fails; less than the largest log may need only warns.
    if free < LEAST_FREE:
        return Check(
            name, ok=False, detail=f"The disk of {folder} is nearly full: {left}.", hint=hint
        )
    if free < wanted:
        return Check(
            name,
            ok=True,
            detail=f"{detail}, {left}: less than a log may need ({formatting.format_bytes(wanted)}).",
            hint=hint,
        )
    return Check(name, ok=True, detail=f"{detail}, {left}.")


def retention(settings: Settings) -> list[Check]:
    """How long rows are kept, where that is configured; a warning where backtests lose their
    history.
    """
    periods = settings.retention.periods
    # The defaults need no line.
    if periods == DEFAULT_RETENTION:
        return []
    shown = [
        f"{name} {formatting.format_duration(getattr(periods, name))}"
        for name in periods.__struct_fields__
    ]
    short = periods.samples < BACKTEST_HISTORY and settings.alert
    hint = "Backtests look back 90 days; keep `samples` for as long." if short else ""
    detail = f"Kept for: {', '.join(shown)}."
    return [Check("retention", ok=True, detail=detail, hint=hint)]


def words_of_alerts(settings: Settings) -> list[Check]:
    """A warning for each account that is called like a word of alerts."""
    return [
        Check(
            f"account {name}",
            ok=True,
            detail=f"`{name}` at the beginning of a question is this account, and not the word for alerts.",
            hint="Rename the account to use the word.",
        )
        for name in settings.directory.accounts
        if name.lower() in YIELDING_WORDS
    ]


def refusals(settings: Settings) -> list[Check]:
    """A warning for each command that would be refused whoever asked it. Commands of vendors that
    are not configured share one line, which is no warning: hardly anybody has every vendor.
    """
    answered = COMMANDS.with_accounts(COMMANDS, settings.directory)
    found = [_granted_to_nobody(name) for name in answered if not settings.access.allowed(name)]
    absent = [
        f"/{name} ({titles_with(COMMANDS[name].capability)})"
        for name in COMMANDS
        if name not in answered
    ]
    if absent:
        detail = (
            f"Not in use, since no account of these vendors is configured: {', '.join(absent)}."
        )
        found.append(Check("other commands", ok=True, detail=detail))
    return found


def few_bytes(settings: Settings) -> list[Check]:
    """A warning for each threshold of a handful of bytes, which was meant in another unit."""
    return [
        Check(
            f"alert {alert.name}",
            ok=True,
            detail=f"`{side} = {threshold:g}` is {formatting.format_bytes(abs(threshold))}.",
            hint=f'Write the unit, such as {side} = "{threshold:g} GB".',
        )
        for alert in settings.alert
        for side in ("above", "below")
        if "bytes" in alert.value
        and (threshold := fixed(getattr(alert, side)))
        and abs(threshold) < LEAST_BARE_SIZE
    ]


def _granted_to_nobody(command: CommandName) -> Check:
    return Check(
        f"/{command}",
        ok=True,
        detail=f"Refused for everybody: `{command}` under [access] names nobody.",
        hint="Add people, user groups, channels or `*` there.",
    )
