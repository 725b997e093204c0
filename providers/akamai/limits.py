"""How much may be requested from Akamai. “Rate limiting” of the Reporting API v2: per account and
endpoint, in a minute. No limit of v1 is documented.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

from providers.limits.rate_limiter import Limit

V2_LIMITS: Mapping[str, Limit] = MappingProxyType(
    {"report": Limit("reports", 120, timedelta(minutes=1))}
)
