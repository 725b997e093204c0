"""Configured accounts become providers, and what answers questions is put together from them.

The only place that knows the vendors by name; it needs no Slack, so a terminal starts quickly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bot.access import AccessPolicy
from bot.alerts.rule import Rule
from bot.commands.answering import Answerer, Services, open_commands
from bot.config import (
    AccessSettings,
    AkamaiSettings,
    DeviceWiseSettings,
    ProviderSettings,
    Rapid7Settings,
    Settings,
)
from bot.questions.registry import COMMANDS
from providers.akamai.client import Akamai, ReportSettings
from providers.clock import Clock, utc_now
from providers.devicewise.auth import Credentials
from providers.devicewise.client import DeviceWise
from providers.http.network import Network
from providers.http.observer import RequestObserver, ignore_request
from providers.limits.rate_limiter import RateLimitStore
from providers.rapid7.client import Rapid7
from providers.redaction import Redactor
from providers.sources import CallSource, Checked, LogSource, UsageSource


class ProviderRegistry:
    """All configured accounts, each opened once, by the capabilities they have."""

    def __init__(
        self,
        settings: Settings,
        redactor: Redactor,
        rate_limit_store: RateLimitStore,
        clock: Clock = utc_now,
        observer: RequestObserver = ignore_request,
    ) -> None:
        network = replace(settings.network, observer=observer)
        self.all: Mapping[str, Checked] = {
            name: _open(name, account, redactor, rate_limit_store, clock, network)
            for name, account in settings.providers.items()
        }
        self.usage: dict[str, UsageSource] = {
            n: s for n, s in self.all.items() if isinstance(s, Rapid7)
        }
        self.logs: dict[str, LogSource] = {
            n: s for n, s in self.all.items() if isinstance(s, Rapid7)
        }
        self.calls: dict[str, CallSource] = {
            n: s for n, s in self.all.items() if isinstance(s, Akamai | DeviceWise)
        }
        self.quotas = {
            n: a.monthly_quota
            for n, a in settings.providers.items()
            if isinstance(a, Rapid7Settings)
        }

    async def aclose(self) -> None:
        for account in self.all.values():
            await account.aclose()


def _open(
    name: str,
    settings: ProviderSettings,
    redactor: Redactor,
    rate_limit_store: RateLimitStore,
    clock: Clock,
    network: Network,
) -> Rapid7 | Akamai | DeviceWise:
    if isinstance(settings, Rapid7Settings):
        return Rapid7(
            name,
            base_url=settings.address,
            api_key=settings.api_key,
            redactor=redactor,
            rate_limit_store=rate_limit_store,
            clock=clock,
            network=network,
        )
    if isinstance(settings, AkamaiSettings):
        report = _report(settings)
        return Akamai(
            name,
            credentials=settings.credentials,
            settings=report,
            redactor=redactor,
            rate_limit_store=rate_limit_store,
            clock=clock,
            network=network,
        )
    assert isinstance(settings, DeviceWiseSettings)
    credentials = Credentials(
        username=settings.username or "",
        password=settings.password,
        app_token=settings.app_token,
        app_id=settings.app_id,
        thing_key=settings.thing_key or "",
    )
    return DeviceWise(
        name,
        base_url=settings.base_url,
        credentials=credentials,
        org=settings.org or "",
        show_all=settings.show_all,
        redactor=redactor,
        rate_limit_store=rate_limit_store,
        clock=clock,
        network=network,
    )


def _report(settings: AkamaiSettings) -> ReportSettings:
    return ReportSettings(
        account_ids=settings.account_ids,
        report=settings.report,
        method=settings.method,
        accept=settings.accept,
        account_switch_key=settings.account_switch_key or settings.credentials.account_switch_key,
    )


def build_answerer(
    settings: Settings, accounts: ProviderRegistry, redactor: Redactor, clock: Clock = utc_now
) -> Answerer:
    """What answers questions, with or without Slack."""
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
    )
    return Answerer(open_commands(services), settings.directory)


def build_access_policy(settings: AccessSettings) -> AccessPolicy:
    allowed = {command: getattr(settings, command) for command in COMMANDS}
    return AccessPolicy(allowed, settings.manage)


def rules_from_settings(settings: Settings) -> list[Rule]:
    """The alerts of the configuration."""
    return [
        Rule(
            alert.name,
            alert.ask,
            alert.value,
            alert.channel,
            above=alert.above,
            below=alert.below,
            recover=alert.recover,
            every=alert.every,
            hold=alert.for_,
            keep=alert.keep_firing_for,
            repeat=alert.repeat,
            no_data=alert.no_data,
            each=alert.each or "",
        )
        for alert in settings.alert
    ]
