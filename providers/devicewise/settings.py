"""The settings of a deviceWISE account."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from providers.settings import AccountSettings, Address, SecretReference, TextOrReference


class DeviceWiseSettings(AccountSettings):
    """One user or one application of a platform, and the organisation it asks about."""

    kind: Literal["devicewise"]
    base_url: Address
    username: TextOrReference | None = None
    password: SecretReference | None = None
    app_token: SecretReference | None = None
    app_id: SecretReference | None = None
    thing_key: TextOrReference | None = None
    org: TextOrReference | None = None
    show_all: Annotated[bool, Field(strict=True)] = False

    @property
    def address(self) -> str:
        return self.base_url

    @model_validator(mode="after")
    def _can_log_in(self) -> DeviceWiseSettings:
        as_user = self.username and self.password
        as_application = self.app_token and self.app_id and self.thing_key
        if not as_user and not as_application:
            raise ValueError("username and password, or app_token, app_id and thing_key")
        return self
