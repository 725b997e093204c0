"""Rapid7 Log Search (InsightOps): data usage by day and by log, and raw log download."""

from __future__ import annotations

from typing import TYPE_CHECKING

from providers.provider import AccountContext, Capability, Provider
from providers.rapid7.example import EXAMPLE
from providers.rapid7.limits import LIMITS
from providers.rapid7.settings import Rapid7Settings

if TYPE_CHECKING:
    from providers.rapid7.client import Rapid7
    from providers.rapid7.sandbox import Rapid7Sandbox


def _open(account: str, settings: Rapid7Settings, context: AccountContext) -> Rapid7:
    from providers.rapid7.client import Rapid7

    return Rapid7(
        account,
        base_url=settings.address,
        api_key=settings.api_key,
        redactor=context.redactor,
        rate_limit_store=context.rate_limit_store,
        clock=context.clock,
        network=context.network,
    )


def _sandbox() -> Rapid7Sandbox:
    from providers.rapid7.sandbox import Rapid7Sandbox

    return Rapid7Sandbox()


PROVIDER = Provider(
    kind="rapid7",
    title="Rapid7",
    settings=Rapid7Settings,
    open=_open,
    capabilities=frozenset({Capability.USAGE, Capability.LOGS}),
    limits=LIMITS,
    example=EXAMPLE,
    sandbox=_sandbox,
)
