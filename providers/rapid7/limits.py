"""How much may be requested from Rapid7. “Rate limits” of the Log Search API: per key and
namespace, in fifteen minutes; the lower figure where two pages differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from providers.limits.rate_limiter import Limit

LIMITS: Mapping[str, Limit] = MappingProxyType(
    {
        # Downloads are limited by bytes, too.
        "download": Limit("downloads", 150, bytes=75_000_000_000),
        "usage": Limit("usage requests", 500),
        "query": Limit("log queries", 1500),
        # Requests for the state of a query have a limit of their own.
        "polls": Limit("polls of log queries", 10_000),
        "management": Limit("requests for the list of logs", 1500),
    }
)
