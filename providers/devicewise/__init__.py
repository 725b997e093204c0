"""Telit deviceWISE (TR50 over HTTP): recorded API calls by `usage.api.list`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from providers.devicewise.example import EXAMPLE
from providers.devicewise.filters import EXAMPLES, NATIVE_FILTERS, SWITCHES
from providers.devicewise.settings import DeviceWiseSettings
from providers.provider import AccountContext, Capability, Provider

if TYPE_CHECKING:
    from providers.devicewise.client import DeviceWise
    from providers.devicewise.sandbox import DeviceWiseSandbox


def _open(account: str, settings: DeviceWiseSettings, context: AccountContext) -> DeviceWise:
    from providers.devicewise.auth import Credentials
    from providers.devicewise.client import DeviceWise

    return DeviceWise(
        account,
        base_url=settings.base_url,
        credentials=Credentials(
            username=settings.username or "",
            password=settings.password,
            app_token=settings.app_token,
            app_id=settings.app_id,
            thing_key=settings.thing_key or "",
        ),
        org=settings.org or "",
        show_all=settings.show_all,
        redactor=context.redactor,
        rate_limit_store=context.rate_limit_store,
        clock=context.clock,
        network=context.network,
    )


def _sandbox() -> DeviceWiseSandbox:
    from providers.devicewise.sandbox import DeviceWiseSandbox

    return DeviceWiseSandbox()


PROVIDER = Provider(
    kind="devicewise",
    title="deviceWISE",
    settings=DeviceWiseSettings,
    open=_open,
    capabilities=frozenset({Capability.CALLS}),
    filters=NATIVE_FILTERS,
    filter_examples=EXAMPLES,
    switches=SWITCHES,
    example=EXAMPLE,
    other_names=("telit", "tr50"),
    sandbox=_sandbox,
)
