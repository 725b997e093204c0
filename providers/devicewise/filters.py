"""The filters that TR50 has, and those of our own words that it or we can apply."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import Any

from providers.models import ApiCall, CallFilters, Outcome

NATIVE_FILTERS = ("service", "command", "show_all")
SWITCHES = ("show_all",)
EXAMPLES = MappingProxyType({"service": "location", "command": "publish", "show_all": "yes"})
_STATUSES = ("success", "error", "ok")
_CODE = re.compile(r"ok|failed|-\d{1,9}")


def unsupported_filter(account: str, filters: CallFilters) -> str | None:
    """Why these filters cannot be applied to a deviceWISE account, as one sentence; None when they
    can: `who`, `action`, `service`, `command`, `failures`, and a status of its own kind.
    """
    if filters.url:
        return f"{account} is deviceWISE and records no URL, so `url:` cannot be applied to it."
    if filters.ip:
        return (
            f"{account} is deviceWISE and records no IP address, so `ip:` cannot be applied to it."
        )
    for name in filters.native:
        if name not in NATIVE_FILTERS:
            return f"{account} is deviceWISE and has no filter `{name}`."
    return _value_refusal(account, filters)


def _value_refusal(account: str, filters: CallFilters) -> str | None:
    for value in filters.native.get("show_all", ()):
        if value.lower() not in ("yes", "no"):
            return f"`show_all` takes yes or no, not `{value[:40]}`."
    for status in filters.status:
        if status.lower() not in _STATUSES and not _CODE.fullmatch(status):
            return (
                f"{account} is deviceWISE, where a status is `success`, `error` or a "
                f"code such as `-90008`, not `{status[:20]}`."
            )
    for code in filters.code:
        if not _CODE.fullmatch(code.lower()):
            return (
                f"{account} is deviceWISE, where a code is `ok` or a number such as `-90008`, not "
                f"`{code[:20]}`."
            )
    return None


def server_filters(filters: CallFilters, who: str) -> dict[str, Any]:
    """The parameters for what the service can filter by itself; it takes one `who` at a time."""
    params: dict[str, Any] = {}
    if who:
        params["who"] = who
    if filters.failures:
        # Left out otherwise: what false means is not documented.
        params["hasFailure"] = True
    if show_all := filters.native.get("show_all"):
        params["showAll"] = "yes" in [value.lower() for value in show_all]
    services = filters.native.get("service", ())
    commands = filters.native.get("command", ())
    # The service takes one service and one command at a time, and a command only with its service.
    if not services and len(filters.action) == 1 and filters.action[0].count(".") == 1:
        service, _, command = filters.action[0].partition(".")
        return {**params, "service": service, "command": command}
    if len(services) == 1:
        params["service"] = services[0]
        if len(commands) == 1:
            params["command"] = commands[0]
    return params


def passes(call: ApiCall, filters: CallFilters) -> bool:
    """Whether a row passes every filter but `who`, which the service applies."""
    services = filters.native.get("service", ())
    commands = filters.native.get("command", ())
    return (
        not (filters.leave_out_own and call.own)
        and not (filters.failures and call.outcome is not Outcome.FAILURE)
        and (
            not filters.action
            or any(_is_action(name, action) for name in call.actions for action in filters.action)
        )
        and (
            not services
            or any(_is_action(name, service) for name in call.actions for service in services)
        )
        and (
            not commands
            or any(_is_command(name, command) for name in call.actions for command in commands)
        )
        and (
            not filters.status or any(_is_status(call, status.lower()) for status in filters.status)
        )
    )


def _is_action(name: str, action: str) -> bool:
    """True where `action` is the command or the service it belongs to."""
    name = name.lower()
    action = action.lower()
    return name == action or name.startswith(action + ".")


def _is_command(name: str, command: str) -> bool:
    name = name.lower()
    command = command.lower()
    return name == command or name.endswith("." + command)


def _is_status(call: ApiCall, status: str) -> bool:
    if status in ("success", "ok"):
        return call.outcome is Outcome.SUCCESS
    return call.outcome is Outcome.FAILURE if status == "error" else call.status == status
