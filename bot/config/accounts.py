"""The accounts of `bot.toml`. Each is read by the settings of its vendor, which `kind` names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from bot.questions.question import AccountDirectory
from providers.provider import Capability, Provider
from providers.registry import kinds_with, registry
from providers.settings import AccountSettings

# A finding of the validator, as `ValidationError.errors` lists them.
Detail = Mapping[str, Any]


def read_accounts(
    table: Mapping[str, Any], context: Mapping[str, Any]
) -> tuple[dict[str, AccountSettings], list[Detail]]:
    """The valid accounts by name, and what is wrong with the others."""
    accounts: dict[str, AccountSettings] = {}
    details: list[Detail] = []
    for name, written in table.items():
        provider = registry().providers.get(kind_of(written))
        # Unknown kinds are reported with those there are, and do not hide other problems.
        if provider is None:
            details.append({"type": "kind", "loc": ("providers", name)})
            continue
        try:
            accounts[name] = _read_account(provider, written, context)
        except ValidationError as error:
            details += [
                {**detail, "loc": ("providers", name, *detail["loc"])} for detail in error.errors()
            ]
        except _PluginFault as fault:
            details.append({"type": "plugin", "loc": ("providers", name), "msg": str(fault)})
    return accounts, details


class _PluginFault(Exception):
    """The code of a plug-in failed."""


def _read_account(provider: Provider, written: Any, context: Mapping[str, Any]) -> AccountSettings:
    try:
        return provider.settings.model_validate(written, context=dict(context))
    except ValidationError:
        raise
    except Exception as error:
        # Our own faults keep their traceback.
        if registry().is_built_in(provider.kind):
            raise
        raise _PluginFault(
            f"settings that the vendor's code can read; it failed ({type(error).__name__})"
        ) from error


def kind_of(account: Any) -> str:
    """The configured kind of an account."""
    return str(account.get("kind")) if isinstance(account, Mapping) else ""


def directory_as_written(table: Mapping[str, Any]) -> AccountDirectory | None:
    """The accounts by name and kind, including those with problems, so that a question about one is
    not reported as wrong. None if a kind is unknown.
    """
    accounts = table.get("providers", {})
    if not isinstance(accounts, Mapping):
        return None
    kinds = {name: kind_of(account) for name, account in accounts.items()}
    # An unknown kind may be a plug-in that is not installed; what its accounts are asked is not
    # known.
    if not set(kinds.values()) <= set(registry().providers):
        return None
    with_logs = kinds_with(Capability.LOGS)
    logs = {
        name: account.get("logs", {})
        for name, account in accounts.items()
        if kinds[name] in with_logs
    }
    if not all(_is_names_by_text(named) for named in logs.values()):
        return None
    return AccountDirectory(kinds, logs)


def _is_names_by_text(named: Any) -> bool:
    return isinstance(named, Mapping) and all(isinstance(key, str) for key in named.values())
