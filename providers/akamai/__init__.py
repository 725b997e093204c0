"""Akamai Reporting: API calls by `apiusagedetails-by-time` (v1) and its successor
`common/apis/usage-details` (v2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from providers.akamai.example import EXAMPLE
from providers.akamai.filters import EXAMPLES, NATIVE_FILTERS, REQUEST_WORDS
from providers.akamai.limits import V2_LIMITS
from providers.akamai.settings import AkamaiSettings
from providers.provider import AccountContext, Capability, Provider

if TYPE_CHECKING:
    from providers.akamai.client import Akamai
    from providers.akamai.sandbox import AkamaiSandbox


def _open(account: str, settings: AkamaiSettings, context: AccountContext) -> Akamai:
    from providers.akamai.client import Akamai
    from providers.akamai.reports import ReportSettings

    credentials = settings.credentials
    report = ReportSettings(
        account_ids=settings.account_ids,
        report=settings.report,
        method=settings.method,
        accept=settings.accept,
        account_switch_key=settings.account_switch_key or credentials.account_switch_key,
    )
    return Akamai(
        account,
        credentials=credentials,
        settings=report,
        redactor=context.redactor,
        rate_limit_store=context.rate_limit_store,
        clock=context.clock,
        network=context.network,
    )


def _sandbox() -> AkamaiSandbox:
    from providers.akamai.sandbox import AkamaiSandbox

    return AkamaiSandbox()


PROVIDER = Provider(
    kind="akamai",
    title="Akamai",
    settings=AkamaiSettings,
    open=_open,
    capabilities=frozenset({Capability.CALLS}),
    filters=(*NATIVE_FILTERS, *REQUEST_WORDS),
    filter_examples=EXAMPLES,
    limits=V2_LIMITS,
    example=EXAMPLE,
    sandbox=_sandbox,
    # The vendor's own signer, with which the sandbox checks signatures.
    sandbox_requires=("akamai.edgegrid",),
)
