"""The filters that are compared with the rows of every vendor alike (pure)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import TypeAlias

from providers.models import ApiCall, CallFilters

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
# IPv6 in full with a prefix length.
LONGEST_ADDRESS = 45
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)(ms|sec|secs|s|mins?|m|h)")
_MILLISECONDS: Mapping[str, float] = MappingProxyType(
    {
        "ms": 1,
        "s": 1_000,
        "sec": 1_000,
        "secs": 1_000,
        "m": 60_000,
        "min": 60_000,
        "mins": 60_000,
        "h": 3_600_000,
    }
)
_CALL_ID = re.compile(r"[0-9a-f]{8}")


def read_network(text: str) -> str | None:
    """An address, or a network such as `10.0.0.0/8`, as a network in its usual spelling; None where
    it is neither. Bits after the prefix are ignored.
    """
    if len(text) > LONGEST_ADDRESS:
        return None
    try:
        # Not strict: `10.1.2.3/8` means its network.
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
    return str(network)


def read_milliseconds(text: str) -> float | None:
    """`500ms`, `2s`, `1.5s`, `2m` or `1h` in milliseconds; None for anything else."""
    found = _DURATION.fullmatch(text.lower())
    return float(found[1]) * _MILLISECONDS[found[2]] if found else None


def read_call_id(text: str) -> str | None:
    """The id of a call; None where it is none."""
    return text.lower() if _CALL_ID.fullmatch(text.lower()) else None


def matching(calls: Sequence[ApiCall], filters: CallFilters) -> Sequence[ApiCall]:
    """The calls that pass the filters which apply to rows."""
    tests = _tests(filters)
    return [call for call in calls if all(test(call) for test in tests)] if tests else calls


def _tests(filters: CallFilters) -> list[Callable[[ApiCall], bool]]:
    tests: list[Callable[[ApiCall], bool]] = []
    if filters.ip:
        tests.append(_in_networks(filters.ip))
    for values, column in (
        (filters.client, "client"),
        (filters.org, "organisation"),
        (filters.host, "host"),
        (filters.code, "status"),
    ):
        if values:
            tests.append(_is_one_of({value.lower() for value in values}, column))
    if (least := filters.slower_than_ms) is not None:
        # A call without a duration is not known to be slow.
        tests.append(lambda call: call.duration_ms is not None and call.duration_ms > least)
    if call_id := filters.call:
        tests.append(lambda call: call.id == call_id)
    return tests


def _is_one_of(wanted: Collection[str], column: str) -> Callable[[ApiCall], bool]:
    return lambda call: getattr(call, column).lower() in wanted


def _in_networks(values: Sequence[str]) -> Callable[[ApiCall], bool]:
    networks = [ipaddress.ip_network(value, strict=False) for value in values]

    # A few addresses make most of the calls.
    @lru_cache(maxsize=4096)
    def is_inside(text: str) -> bool:
        address = _address(text)
        return address is not None and any(address in network for network in networks)

    return lambda call: is_inside(call.ip)


def _address(text: str) -> Address | None:
    """The address of a row; an IPv4 address in the spelling of IPv6 is one of IPv4."""
    try:
        address = ipaddress.ip_address(text.strip()) if len(text) <= LONGEST_ADDRESS else None
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address
