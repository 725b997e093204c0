"""What the settings of every kind of target have in common, and the request that is sent to one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from providers.redaction import Secret
from providers.settings import Table


class TargetSettings(Table):
    """The settings of a target. Each kind has a subclass."""

    kind: str

    @property
    def address(self) -> str:
        """Where its requests go: a URL, or a host with its port."""
        raise NotImplementedError

    @property
    def url_address(self) -> str:
        """The same as a URL."""
        return self.address if "://" in self.address else f"smtp://{self.address}"

    def secrets(self) -> list[Secret]:
        """The secrets of the target, to be removed from everything that is shown."""
        values = (getattr(self, name) for name in type(self).model_fields)
        return [value for value in values if isinstance(value, Secret)]


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request as it is sent. It holds the target's secrets, so it is neither shown nor stored."""

    # The address may be a secret, too, as that of a webhook.
    url: str
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    method: str = "POST"
