"""A vendor as one value: what its folder exports, and all that the rest of the program knows about
it.

`providers.registry` lists the vendors. A third party registers the same kind of value as an entry
point of the group `opswatch.providers`.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from providers.clock import Clock
from providers.http.network import Network
from providers.redaction import Redactor
from providers.settings import AccountSettings

if TYPE_CHECKING:
    from providers.limits.rate_limiter import Limit, RateLimitStore
    from providers.sandbox.server import StandIn
    from providers.sources import Checked


class Capability(enum.StrEnum):
    """What a vendor can be asked for; each is a Protocol in `providers.sources`."""

    USAGE = "usage"
    CALLS = "calls"
    LOGS = "logs"


class AccountContext(Struct, frozen=True):
    """What an account receives when it is opened, beside its settings."""

    redactor: Redactor
    rate_limit_store: RateLimitStore
    clock: Clock
    network: Network


class Provider(Struct, frozen=True):
    """One vendor. `kind` is its name in the configuration, and `title` its name in messages. `open`
    creates an account from its name, its settings and the context. `open` and `sandbox` import
    their code when they are called, so that commands that need no vendor start fast.
    """

    kind: str
    title: str
    settings: type[AccountSettings]
    # The settings are an instance of `settings`.
    open: Callable[[str, Any, AccountContext], Checked]
    capabilities: frozenset[Capability]
    # Filters of `/apiaudit` that are this vendor's own, by the names that people type.
    filters: tuple[str, ...] = ()
    # An example value for each of these filters.
    filter_examples: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    # Those of these filters that may be typed as a bare word, which means `yes`.
    switches: tuple[str, ...] = ()
    limits: Mapping[str, Limit] = field(default_factory=lambda: MappingProxyType({}))
    # A commented account for the example configuration, as TOML.
    example: str = ""
    # Other names that people use for the vendor, in lower case.
    other_names: tuple[str, ...] = ()
    # Creates a server that behaves like the vendor, for the demo and for tests.
    sandbox: Callable[[], StandIn] | None = None
    # Modules that the sandbox server needs and a plain installation does not have.
    sandbox_requires: tuple[str, ...] = ()
    # The version of this interface that the plug-in was written for. The default stays 1, so that
    # one that names none is recognised as old once there is another version.
    api_version: int = 1

    @property
    def can_run_sandbox(self) -> bool:
        """Whether everything is installed that the sandbox server needs."""
        return all(_is_installed(module) for module in self.sandbox_requires)


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    # find_spec imports the packages above the module.
    except ModuleNotFoundError:
        return False
