"""Opens the configured accounts, and builds what answers questions from them.

It needs no Slack, so that the terminal starts quickly.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import TypeVar

from bot.commands.answering import Answerer, Services, open_commands
from bot.commands.seen_store import MemorySeenStore, SeenStore
from bot.config import Settings
from bot.errors import ConfigError, ConfigProblem
from bot.questions.question import CommandName
from providers.clock import Clock, utc_now
from providers.http.circuit import SharedCircuits
from providers.http.observer import RequestObserver, ignore_request
from providers.limits.rate_limiter import RateLimitStore
from providers.provider import AccountContext, Capability
from providers.redaction import Redactor
from providers.registry import registry
from providers.settings import AccountSettings
from providers.sources import CallSource, Checked, LogSource, UsageSource

S = TypeVar("S")


class ProviderRegistry:
    """The configured accounts, or `only` some of them, each opened once, by the capabilities that
    their vendors have.
    """

    def __init__(
        self,
        settings: Settings,
        redactor: Redactor,
        rate_limit_store: RateLimitStore,
        clock: Clock = utc_now,
        observer: RequestObserver = ignore_request,
        *,
        circuits: SharedCircuits | None = None,
        only: Collection[str] | None = None,
    ) -> None:
        network = replace(settings.network, observer=observer, circuits=circuits)
        context = AccountContext(redactor, rate_limit_store, clock, network)
        self._kinds = {name: account.kind for name, account in settings.providers.items()}
        self.all: Mapping[str, Checked] = {
            name: _open(name, account, context)
            for name, account in settings.providers.items()
            if only is None or name in only
        }
        self.usage: dict[str, UsageSource] = dict(self._having(Capability.USAGE, UsageSource))  # type: ignore[type-abstract]
        self.calls: dict[str, CallSource] = dict(self._having(Capability.CALLS, CallSource))  # type: ignore[type-abstract]
        self.logs: dict[str, LogSource] = dict(self._having(Capability.LOGS, LogSource))  # type: ignore[type-abstract]
        self.quotas = {name: settings.providers[name].usage_quota() for name in self.usage}

    def _having(self, capability: Capability, source: type[S]) -> Iterator[tuple[str, S]]:
        """The accounts whose vendor has the capability. Raises ConfigError if an account of a
        plug-in lacks what its provider declares.
        """
        for name, account in self.all.items():
            # What the vendor declares counts, and not which methods its class happens to have.
            if capability not in registry().providers[self._kinds[name]].capabilities:
                continue
            if not isinstance(account, source):
                raise _unusable(name, f"it claims {capability} and has no {source.__name__}")
            yield name, account

    async def aclose(self) -> None:
        for account in self.all.values():
            await account.aclose()


def _open(name: str, settings: AccountSettings, context: AccountContext) -> Checked:
    """The account. Raises ConfigError if the code of a plug-in fails."""
    provider = registry().providers[settings.kind]
    try:
        account = provider.open(name, settings, context)
    # A fault of ours keeps its traceback; one of a plug-in is a problem of the configuration.
    except Exception as error:
        if registry().is_built_in(provider.kind):
            raise
        raise _unusable(name, f"its code failed ({type(error).__name__})") from error
    if not isinstance(account, Checked):
        raise _unusable(name, "what it opens is not an account")
    return account


def _unusable(name: str, why: str) -> ConfigError:
    problem = ConfigProblem(
        f"providers.{name}", "", f"an account that its vendor's code can open; {why}"
    )
    return ConfigError([problem], "Update the vendor's package, or take this account out.")


def build_answerer(
    settings: Settings,
    accounts: ProviderRegistry,
    redactor: Redactor,
    clock: Clock = utc_now,
    *,
    only: Collection[CommandName] | None = None,
    seen: SeenStore | None = None,
) -> Answerer:
    """What answers questions of every command, or of `only` some, with or without Slack. `seen` has
    the values of earlier calls.
    """
    services = Services(
        usage=accounts.usage,
        calls=accounts.calls,
        logs=accounts.logs,
        quotas=accounts.quotas,
        log_names=settings.directory.logs,
        redactor=redactor,
        upload_plain=settings.limits.upload_plain,
        upload_total=settings.limits.upload_total,
        clock=clock,
        seen=seen or MemorySeenStore(),
    )
    return Answerer(open_commands(services, only), settings.directory, redactor)
