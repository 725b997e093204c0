"""The settings of an Akamai account."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any, Literal

from msgspec.structs import replace
from pydantic import BeforeValidator, model_validator

from providers.akamai.edgerc import EdgeGridCredentials, EdgercError, host_url, read_edgerc
from providers.redaction import Secret
from providers.settings import (
    AccountSettings,
    Address,
    ReadableFile,
    SecretReference,
    TextOrReference,
)


def _account_ids(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(v, str) and v for v in value):
        raise ValueError('a list of account IDs such as ["1-123A"]')
    return tuple(value)


AccountIds = Annotated[tuple[str, ...], BeforeValidator(_account_ids)]


class AkamaiSettings(AccountSettings):
    """One API client, and the account ids that it reports on."""

    kind: Literal["akamai"]
    edgerc: ReadableFile | None = None
    """The path of an `.edgerc` file."""
    section: TextOrReference = "default"
    """Its section."""
    host: TextOrReference | None = None
    """The host of the API client, without an `.edgerc`."""
    base_url: Address | None = None
    """A proxy or gateway instead of the host."""
    client_token: SecretReference | None = None
    """The client token, without an `.edgerc`."""
    client_secret: SecretReference | None = None
    """The client secret, without an `.edgerc`."""
    access_token: SecretReference | None = None
    """The access token, without an `.edgerc`."""
    account_ids: AccountIds
    """The accounts that are reported on, such as `["1-123A"]`."""
    report: Literal["v1", "v2"] = "v1"
    """The version of the report; v2 if v1 has been withdrawn."""
    method: Literal["POST", "GET"] = "POST"
    """The HTTP method of requests for v1."""
    accept: Literal["json", "csv"] = "json"
    """The format of the report."""
    account_switch_key: TextOrReference | None = None
    """The account to switch to, for partners."""

    @model_validator(mode="after")
    def _signable(self) -> AkamaiSettings:
        try:
            _ = self.credentials
        except EdgercError as error:
            raise ValueError(str(error)) from None
        return self

    @property
    def address(self) -> str:
        return self.credentials.base_url

    @cached_property
    def credentials(self) -> EdgeGridCredentials:
        """The credentials, read once, from `.edgerc` or from the keys here; `base_url` wins over
        any host.
        """
        if self.edgerc:
            found = read_edgerc(self.edgerc, self.section)
            return replace(found, base_url=self.base_url or found.base_url)
        if not (
            self.client_token
            and self.client_secret
            and self.access_token
            and (self.host or self.base_url)
        ):
            raise EdgercError(
                "needs either edgerc and section, or host, client_token, client_secret and access_token"
            )
        return EdgeGridCredentials(
            self.base_url or host_url(self.host or ""),
            self.client_token,
            self.client_secret,
            self.access_token,
        )

    def secrets(self) -> list[Secret]:
        """Those of the `.edgerc`, too."""
        held = self.credentials
        return [*super().secrets(), held.client_token, held.client_secret, held.access_token]
