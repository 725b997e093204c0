"""The settings of an Akamai account."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Annotated, Any, Literal

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
        raise ValueError('a list of account ids such as ["1-123A"]')
    return tuple(value)


AccountIds = Annotated[tuple[str, ...], BeforeValidator(_account_ids)]


class AkamaiSettings(AccountSettings):
    """One API client, and the account ids that it reports on."""

    kind: Literal["akamai"]
    edgerc: ReadableFile | None = None
    section: TextOrReference = "default"
    host: TextOrReference | None = None
    base_url: Address | None = None
    client_token: SecretReference | None = None
    client_secret: SecretReference | None = None
    access_token: SecretReference | None = None
    account_ids: AccountIds
    report: Literal["v1", "v2"] = "v1"
    method: Literal["POST", "GET"] = "POST"
    accept: Literal["json", "csv"] = "json"
    account_switch_key: TextOrReference | None = None

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
                "either edgerc and section, or host, client_token, client_secret and access_token"
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
