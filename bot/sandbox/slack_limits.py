"""The rate limits of the sandbox's Slack, and what it refuses on purpose.

The limits are Slack's published ones (“Rate limits”): one message a second in a channel with a
small burst, several hundred a minute in the workspace, and tiers of calls a minute for every other
method.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

MESSAGES = "chat.postMessage"
# Every other method is of tier 3.
TIER_OF: Mapping[str, int] = {
    "apps.connections.open": 1,
    "canvases.create": 2,
    "chat.appendStream": 4,
    "chat.postEphemeral": 4,
    "chat.startStream": 2,
    "chat.stopStream": 2,
    "conversations.canvases.create": 2,
    "conversations.list": 2,
    "files.completeUploadExternal": 4,
    "files.getUploadURLExternal": 4,
    "usergroups.users.list": 2,
    "users.info": 4,
    "views.open": 4,
    "views.publish": 4,
    "views.update": 4,
}
UNLIMITED = frozenset({"auth.test", "api.test"})


@dataclass(frozen=True, slots=True)
class SlackLimits:
    """The limits. `speed` makes their clock run this many times as fast, for tests."""

    channel_per_s: float = 1.0
    channel_burst: int = 4
    workspace_per_min: int = 400
    tiers_per_min: tuple[int, int, int, int] = (1, 20, 50, 100)
    speed: float = 1.0


@dataclass(slots=True)
class Meter:
    """Counts calls. For each kind it stores the instant until which calls are used up; every call
    moves it into the future.
    """

    limits: SlackLimits
    _until: dict[str, float] = field(default_factory=dict)

    def retry_after(self, method: str, channel: str, now: float) -> int:
        """For how many seconds a call comes too early; 0 if it is allowed, and then it counts."""
        kinds = self._kinds(method, channel)
        waits = [self._wait(name, every_s, burst, now) for name, every_s, burst in kinds]
        if max(waits, default=0.0) > 0:
            return max(1, math.ceil(max(waits)))
        for name, every_s, _ in kinds:
            self._until[name] = max(self._until.get(name, now), now) + every_s
        return 0

    def _kinds(self, method: str, channel: str) -> list[tuple[str, float, int]]:
        """What a call counts towards: name, seconds a call, calls at once."""
        limits = self.limits
        if method in UNLIMITED:
            return []
        if method == MESSAGES:
            a_channel = (
                f"channel {channel}",
                1 / limits.channel_per_s / limits.speed,
                limits.channel_burst,
            )
            return [
                a_channel,
                (
                    "workspace",
                    60 / limits.workspace_per_min / limits.speed,
                    limits.workspace_per_min,
                ),
            ]
        per_min = limits.tiers_per_min[TIER_OF.get(method, 3) - 1]
        # Tier 1 is "1+": a few connections in a row are allowed.
        return [(method, 60 / per_min / limits.speed, max(per_min, 5))]

    def _wait(self, name: str, every_s: float, burst: int, now: float) -> float:
        # A burst may be used up in advance. The last term absorbs what floating point adds.
        return self._until.get(name, now) - (now + every_s * burst - every_s) - 1e-9


@dataclass(slots=True)
class Refusal:
    """Refuses calls of a method: those whose arguments match `when`, `times` of them, or all if
    that is None.
    """

    method: str
    error: str
    when: Callable[[Mapping[str, Any]], bool]
    times: int | None

    def takes(self, method: str, args: Mapping[str, Any]) -> bool:
        """Whether this call is refused; if so, it counts."""
        # None is for ever, and 0 is used up.
        if method != self.method or self.times == 0 or not self.when(args):
            return False
        if self.times is not None:
            self.times -= 1
        return True
