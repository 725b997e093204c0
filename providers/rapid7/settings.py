"""The settings of a Rapid7 account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from providers.rapid7.parse import LOG_ID
from providers.settings import AccountSettings, Address, SecretReference, Size, Text

REGIONS = ("us", "us2", "us3", "eu", "ca", "au", "ap")


def region_url(region: str) -> str:
    """The Log Search host of a region. The same API also answers at
    `https://REGION.api.insight.rapid7.com/log_search`, which is reached by setting `base_url`.
    """
    return f"https://{region}.rest.logs.insight.rapid7.com"


# Longer than an id of today, as only its place in a path matters.
def _log_id(value: Any) -> str:
    if isinstance(value, str) and LOG_ID.fullmatch(value):
        return value
    raise ValueError(
        "the ID of a log: letters, digits and dashes, such as aee00b66-a543-43dc-b093-53963c2e8f41"
    )


LogId = Annotated[str, BeforeValidator(_log_id)]


class Rapid7Settings(AccountSettings):
    """One API key of one region."""

    kind: Literal["rapid7"]
    # mypy does not know that the tuple is constant; pydantic needs the Literal for its messages.
    region: Literal[REGIONS] | None = None  # type: ignore[valid-type]
    """The region of the account."""
    base_url: Address | None = None
    """A proxy or gateway instead of the region's own host."""
    api_key: SecretReference
    """An API key with read access."""
    monthly_quota: Size | None = None
    """The data that the plan includes, such as `150 GB`."""
    logs: dict[Text, LogId] = Field(default_factory=dict)
    """Log IDs by the names that people type."""

    @model_validator(mode="after")
    def _reachable(self) -> Rapid7Settings:
        if not self.region and not self.base_url:
            raise ValueError(f"needs a region, one of {', '.join(REGIONS)}, or base_url")
        return self

    @property
    def address(self) -> str:
        return self.base_url or region_url(self.region or "")

    def log_ids(self) -> Mapping[str, str]:
        return self.logs

    def usage_quota(self) -> int | None:
        return self.monthly_quota
