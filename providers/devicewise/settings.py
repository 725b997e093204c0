"""The settings of a deviceWISE account."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from providers.settings import AccountSettings, Address, SecretReference, TextOrReference


class DeviceWiseSettings(AccountSettings):
    """One user or one application of a platform, and the organisation it asks about."""

    kind: Literal["devicewise"]
    base_url: Address
    """The address of the platform."""
    username: TextOrReference | None = None
    """A user."""
    password: SecretReference | None = None
    """The user's password."""
    app_token: SecretReference | None = None
    """An application's token, instead of a user."""
    app_id: SecretReference | None = None
    """The application's ID."""
    thing_key: TextOrReference | None = None
    """The application's thing."""
    org: TextOrReference | None = None
    """The organisation that is asked about."""
    show_all: Annotated[bool, Field(strict=True)] = False
    """Asks about all organisations, which needs the role Super-Ops."""

    @property
    def address(self) -> str:
        return self.base_url

    @model_validator(mode="after")
    def _can_log_in(self) -> DeviceWiseSettings:
        as_user = self.username and self.password
        as_application = self.app_token and self.app_id and self.thing_key
        if not as_user and not as_application:
            raise ValueError("needs username and password, or app_token, app_id and thing_key")
        return self
