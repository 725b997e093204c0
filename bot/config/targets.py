"""The targets of `bot.toml`. Each is read by the settings of its `kind`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from bot.alerts.paging import TARGET_NAME
from bot.config.accounts import Detail, kind_of
from bot.notifications.kinds import KINDS
from bot.notifications.settings import TargetSettings

WRONG_NAME = "a name of lower-case letters, digits and dashes that begins with a letter"


def read_targets(
    table: Mapping[str, Any], context: Mapping[str, Any]
) -> tuple[dict[str, TargetSettings], list[Detail]]:
    """The valid targets by name, and what is wrong with the others."""
    targets: dict[str, TargetSettings] = {}
    details: list[Detail] = []
    for name, written in table.items():
        place = ("targets", name)
        # Names are typed beside handles and channels, so they must look like neither.
        if not TARGET_NAME.fullmatch(name):
            details.append({"type": "value_error", "loc": place, "msg": WRONG_NAME})
            continue
        kind = KINDS.get(kind_of(written))
        if kind is None:
            details.append({"type": "kind", "loc": place})
            continue
        try:
            targets[name] = kind.settings.model_validate(written, context=dict(context))
        except ValidationError as error:
            details += [{**each, "loc": (*place, *each["loc"])} for each in error.errors()]
    return targets, details
