"""What Akamai's reports say of themselves: filters and their values, limits, and the role they
need. Anything that does not have the documented shape is skipped.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from providers.akamai.reports import V2_NAMES
from providers.models import CallsDescription, FilterValues

# More values than any filter has, and more filters than any report.
MOST_VALUES = 200
MOST_FILTERS = 100


def enumerations(report: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The values of each filter that accepts only some, as the v1 report describes itself."""
    filters = report.get("filters")
    found = {}
    for each in filters[:MOST_FILTERS] if isinstance(filters, list) else []:
        values = (
            each.get("values") if isinstance(each, dict) and each.get("type") == "enum" else None
        )
        listed = [
            value["value"].lower()
            for value in (values if isinstance(values, list) else [])
            if isinstance(value, dict) and isinstance(value.get("value"), str)
        ]
        if listed and isinstance(each.get("name"), str):
            found[each["name"]] = tuple(listed[:MOST_VALUES])
    return found


def v1_description(report: Mapping[str, Any]) -> CallsDescription:
    """What the v1 report says of itself ("Get report details")."""
    return CallsDescription(
        tuple(FilterValues(name, values) for name, values in enumerations(report).items()),
        most_rows=_positive(report.get("limit")),
        retention=_days(report.get("dataRetentionDays")),
        required_role=required_role(report),
    )


def v2_description(options: Mapping[str, Any]) -> CallsDescription:
    """What the v2 report can be asked for ("Get report options"): its dimensions that are filtered by
    listed values, under our names.
    """
    names = {theirs: ours for ours, theirs in V2_NAMES.items()}
    dimensions = options.get("dimensions")
    found = []
    for each in dimensions if isinstance(dimensions, list) else []:
        if not isinstance(each, dict) or each.get("filterable") is False:
            continue
        values = each.get("filterEnumValues")
        listed = (
            [v.lower() for v in values if isinstance(v, str)] if isinstance(values, list) else []
        )
        if listed and (name := names.get(str(each.get("name")))):
            found.append(FilterValues(name, tuple(listed[:MOST_VALUES])))
    return CallsDescription(tuple(found))


def required_role(report: Mapping[str, Any]) -> str:
    """The role that the API client needs; empty if the report names none."""
    roles = report.get("requiredRoles")
    named = [role for role in roles if isinstance(role, str)] if isinstance(roles, list) else []
    return _one_line(named[0]) if named else ""


def _one_line(role: str) -> str:
    """The role as part of a message."""
    return " ".join(role.split())[:100]


def _positive(value: object) -> int | None:
    return value if isinstance(value, int) and 0 < value <= 10**9 else None


def _days(value: object) -> timedelta | None:
    days = _positive(value)
    return timedelta(days=days) if days and days < 10**5 else None
