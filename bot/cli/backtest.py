"""What an alert would have done, asked in a terminal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import tzinfo
from pathlib import Path
from typing import Any

from bot import formatting
from bot.alerts.backtest import Backtest
from bot.cli.ask import instant
from bot.composition.accounts import ProviderRegistry, build_answerer
from bot.composition.from_settings import rules_from_settings
from bot.config import Settings, read_settings
from bot.errors import BadQuestion, ConfigError, ConfigProblem
from bot.store import Store, StoreError
from handlers.alert_registry import rule_of
from handlers.backtesting import MOST_DAYS, Backtesting
from providers.clock import utc_now
from providers.redaction import Redactor, Secret


async def run_backtest(name: str, config: Path, *, days: int) -> tuple[Backtest, tzinfo]:
    """What an alert of the configuration, or one made in chat, would have done."""
    if not 1 <= days <= MOST_DAYS:
        raise BadQuestion(
            f"--days takes a whole number from 1 to {MOST_DAYS}.",
            f"python -m bot backtest {name} --days 90",
        )
    settings = read_settings(config)
    redactor = Redactor(settings.secrets())
    async with (
        _open_store(settings) as store,
        aclosing(ProviderRegistry(settings, redactor, store.rate_limits)) as accounts,
    ):
        answering = build_answerer(settings, accounts, redactor, seen=store.seen)
        rules = [
            *rules_from_settings(settings),
            *(rule_of(kept) for kept in await store.rules.rules()),
        ]
        # Ignoring case, as in chat.
        rule = next((rule for rule in rules if rule.name.lower() == name.lower()), None)
        if rule is None:
            known = formatting.join_words([rule.name for rule in rules], 20)
            alerts = f"the alerts are {known}" if known else "no alert is configured"
            raise BadQuestion(
                f"There is no alert “{formatting.sanitise(name, 60)}”; {alerts}.",
                "python -m bot backtest NAME",
            )
        backtesting = Backtesting(
            answering.commands, settings.directory, store.alerts, settings.timezone, utc_now
        )
        return await backtesting.run(rule, days=days), settings.timezone


def backtest_json(test: Backtest) -> dict[str, Any]:
    """The result for other programs. An ongoing firing has no end."""
    days = formatting.pluralise(round((test.end - test.start).total_seconds() / 86_400), "day")
    return {
        "alert": test.rule.name,
        "window": {
            "start": instant(test.start),
            "end": instant(test.end),
            "said": f"the last {days}",
        },
        "samples": test.samples,
        "missing": test.missing,
        "firings": [
            {
                "start": instant(firing.start),
                "end": instant(firing.end) if firing.end else None,
                "peak": firing.peak,
            }
            for firing in test.firings
        ],
        "now": test.now,
        "notes": list(test.notes),
    }


@asynccontextmanager
async def _open_store(settings: Settings) -> AsyncIterator[Store]:
    """The database of the bot. Raises ConfigError where it cannot be used."""
    try:
        store = await Store.open(settings.database, now=utc_now())
    except StoreError as error:
        raise ConfigError(
            [ConfigProblem("database", _shown(settings.database), str(error))]
        ) from None
    try:
        yield store
    finally:
        await store.close()


def _shown(database: Path | Secret) -> str:
    return database.name if isinstance(database, Path) else ""
