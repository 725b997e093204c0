"""The vendors: ours, a row each, and those of other installed packages.

A package adds a vendor by an entry point of the group `opswatch.providers` whose value is a
`Provider`. A plug-in that cannot be loaded, or whose kind exists already, is skipped and reported
by name; the others work.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType

from providers import akamai, devicewise, rapid7
from providers.provider import Capability, Provider
from providers.settings import SECRET_KEYS, AccountSettings

ENTRY_POINTS = "opswatch.providers"
BUILT_IN = (rapid7.PROVIDER, akamai.PROVIDER, devicewise.PROVIDER)
_KIND = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_FILTER = re.compile(r"[a-z][a-z_]{0,39}")


@dataclass(frozen=True, slots=True)
class PluginProblem:
    """A plug-in that was skipped: its package, its entry point and the reason."""

    package: str
    name: str
    reason: str

    def __str__(self) -> str:
        return (
            f"The provider “{self.name}” of the package {self.package} is left out: {self.reason}."
        )


@dataclass(frozen=True, slots=True)
class Registry:
    """The vendors by kind, in the order in which they are shown, and the plug-ins that were
    skipped.
    """

    providers: Mapping[str, Provider]
    problems: tuple[PluginProblem, ...] = ()

    def with_capability(self, capability: Capability) -> tuple[Provider, ...]:
        """The vendors that have the capability."""
        return tuple(each for each in self.providers.values() if capability in each.capabilities)

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
    for entry in sorted(found, key=lambda each: (each.name, each.value)):
        try:
            provider = _load(entry)
            if provider.kind in providers:
                raise ValueError(
                    f"its kind “{provider.kind}” is {providers[provider.kind].title}'s already"
                )
            providers[provider.kind] = provider
        except ValueError as error:
            problems.append(PluginProblem(_package(entry), entry.name, str(error)))
    return Registry(MappingProxyType(providers), tuple(problems))


@lru_cache(maxsize=1)
def registry() -> Registry:
    """The vendors that are installed. Read once; `registry.cache_clear()` makes the next call read
    them again.
    """
    return load_registry(BUILT_IN, entry_points(group=ENTRY_POINTS))


def title_of(kind: str) -> str:
    """The name of a vendor in messages, by its kind."""
    return registry().providers[kind].title


def kinds_with(capability: Capability) -> tuple[str, ...]:
    """The kinds of account that have the capability."""
    return tuple(provider.kind for provider in registry().with_capability(capability))


def titles_with(capability: Capability) -> str:
    """The vendors that have the capability, as a sentence lists them: `Akamai or deviceWISE`."""
    return " or ".join(provider.title for provider in registry().with_capability(capability))


def _load(entry: EntryPoint) -> Provider:
    """The vendor of an entry point. Raises ValueError with why it cannot be used."""
    try:
        provider = entry.load()
    # A plug-in's code runs here and may fail in any way, including sys.exit.
    except (Exception, SystemExit) as error:
        raise ValueError(f"{entry.value} cannot be loaded ({type(error).__name__})") from error
    if not isinstance(provider, Provider):
        raise ValueError(f"{entry.value} is no Provider")
    _check(provider)
    return provider


def _check(provider: Provider) -> None:
    """Raises ValueError where a part of the value cannot be used."""
    if not isinstance(provider.kind, str) or not _KIND.fullmatch(provider.kind):
        raise ValueError("its kind is not a word of small letters, digits and dashes")
    if not isinstance(provider.title, str) or not provider.title.strip():
        raise ValueError("it has no title")
    if not (isinstance(provider.settings, type) and issubclass(provider.settings, AccountSettings)):
        raise ValueError("its settings are no AccountSettings")
    if not provider.capabilities or not set(provider.capabilities) <= set(Capability):
        raise ValueError(f"its capabilities are not some of {', '.join(Capability)}")
    if bad := [name for name in provider.filters if not _FILTER.fullmatch(name)]:
        raise ValueError(f"its filter “{bad[0]}” is not a word of small letters")


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist else "unknown"


def _secret_fields(settings: type[AccountSettings]) -> frozenset[str]:
    """The fields that hold a secret, by the type that they are declared with."""
    fields = settings.model_fields.items()
    return frozenset(name for name, field in fields if "Secret" in repr(field.annotation))
