"""The vendors: ours, a row each, and those of other installed packages.

A package adds a vendor by an entry point of the group `opswatch.providers` whose value is a
`Provider`. A plug-in that cannot be loaded, or whose kind exists already, is skipped and reported
by name; the others work.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import EntryPoint
from types import MappingProxyType

from msgspec import StructMeta

from providers import akamai, devicewise, rapid7
from providers.plugins import (
    PluginProblem,
    UnusablePlugin,
    check_version,
    installed_plugins,
    load_plugins,
)
from providers.provider import Capability, Provider
from providers.settings import SECRET_KEYS, AccountSettings

ENTRY_POINTS = "opswatch.providers"
BUILT_IN = (rapid7.PROVIDER, akamai.PROVIDER, devicewise.PROVIDER)
_KIND = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_FILTER = re.compile(r"[a-z][a-z_]{0,39}")


@dataclass(frozen=True, slots=True)
class Registry:
    """The vendors by kind, in the order in which they are shown, and the plug-ins that were
    skipped.
    """

    providers: Mapping[str, Provider]
    problems: tuple[PluginProblem, ...] = ()
    _kinds: dict[Capability, tuple[str, ...]] = field(
        default_factory=dict, repr=False, compare=False
    )

    def with_capability(self, capability: Capability) -> tuple[Provider, ...]:
        """The vendors that have the capability."""
        return tuple(each for each in self.providers.values() if capability in each.capabilities)

    def kinds_with(self, capability: Capability) -> tuple[str, ...]:
        """Their kinds. Every question asks several times."""
        if capability not in self._kinds:
            self._kinds[capability] = tuple(
                provider.kind for provider in self.with_capability(capability)
            )
        return self._kinds[capability]

    def is_built_in(self, kind: str) -> bool:
        """Whether a vendor is one of our own."""
        return self.providers[kind] in BUILT_IN

    @property
    def filters(self) -> tuple[str, ...]:
        """The vendors' own filters of `/apiaudit`, each name once."""
        names = (name for each in self.providers.values() for name in each.filters)
        return tuple(dict.fromkeys(names))

    @property
    def switches(self) -> tuple[str, ...]:
        """The vendors' own filters that may be typed as a word by itself."""
        names = (name for each in self.providers.values() for name in each.switches)
        return tuple(dict.fromkeys(names))

    @property
    def secret_keys(self) -> frozenset[str]:
        """The settings whose values are never shown."""
        return SECRET_KEYS.union(
            *(_secret_fields(each.settings) for each in self.providers.values())
        )


def load_registry(built_in: Iterable[Provider], found: Iterable[EntryPoint]) -> Registry:
    """Our own vendors, followed by those of entry points, sorted by name."""
    providers = {provider.kind: provider for provider in built_in}
    problems = []

    def read(value: object) -> Provider:
        provider = _checked(value)
        # A package must not replace a vendor of ours.
        if provider.kind in providers:
            title = providers[provider.kind].title
            raise UnusablePlugin(f"its kind “{provider.kind}” is {title}'s already")
        return provider

    for plugin in load_plugins(found, "provider", read):
        if isinstance(plugin, PluginProblem):
            problems.append(plugin)
        else:
            providers[plugin.kind] = plugin
    return Registry(MappingProxyType(providers), tuple(problems))


@lru_cache(maxsize=1)
def registry() -> Registry:
    """The vendors that are installed. Read once; `registry.cache_clear()` makes the next call read
    them again.
    """
    return load_registry(BUILT_IN, installed_plugins(ENTRY_POINTS))


def title_of(kind: str) -> str:
    """The name of a vendor in messages, by its kind."""
    return registry().providers[kind].title


def names_of(kind: str) -> frozenset[str]:
    """What people call a vendor, in lower case, by its kind."""
    provider = registry().providers[kind]
    return frozenset([kind, provider.title.lower().split()[0], *provider.other_names])


def kinds_with(capability: Capability) -> tuple[str, ...]:
    """The kinds of account that have the capability."""
    return registry().kinds_with(capability)


def titles_with(capability: Capability) -> str:
    """The vendors that have the capability, as a sentence lists them: `Akamai or deviceWISE`."""
    return " or ".join(provider.title for provider in registry().with_capability(capability))


def _checked(value: object) -> Provider:
    """The value as a provider. Raises UnusablePlugin if a part of it cannot be used."""
    if not isinstance(value, Provider):
        # A struct's class has a metaclass, whose name would tell nobody anything.
        kind = type if isinstance(value, StructMeta) else type(value)
        raise UnusablePlugin(f"its value is of type {kind.__name__}, not Provider")
    check_version(value.api_version)
    if not isinstance(value.kind, str) or not _KIND.fullmatch(value.kind):
        raise UnusablePlugin("its kind is not a word of lower-case letters, digits and dashes")
    if not isinstance(value.title, str) or not value.title.strip():
        raise UnusablePlugin("it has no title")
    if not (isinstance(value.settings, type) and issubclass(value.settings, AccountSettings)):
        raise UnusablePlugin("its settings are not a subclass of AccountSettings")
    if not value.capabilities or not set(value.capabilities) <= set(Capability):
        raise UnusablePlugin(f"its capabilities are not some of {', '.join(Capability)}")
    if bad := [name for name in value.filters if not _FILTER.fullmatch(name)]:
        raise UnusablePlugin(f"its filter “{bad[0]}” is not a word of lower-case letters")
    return value


def _secret_fields(settings: type[AccountSettings]) -> frozenset[str]:
    """The fields that hold a secret, by the type that they are declared with."""
    fields = settings.model_fields.items()
    # By its text, as the type may be within a union or an Annotated.
    return frozenset(name for name, field in fields if "Secret" in repr(field.annotation))
