"""Slack's rate limits, applied to everything that is sent: answers, progress, alerts, digests and
files.

Slack accepts about one message a second in a channel, several hundred a minute in a workspace, and
a number of calls a minute of each other method. A call above these limits waits here instead of
being refused with 429. Page: "Rate limits".
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import heapq
import itertools
import logging
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from msgspec import Struct, field

from bot.observability.observers import RateLimitObserver, ignore_rate_limit
from bot.store import PaceLimit, PaceStore, StoreUnavailable
from bot.system.loop_turns import LoopTurns

# Seconds between two messages in a channel. Slack allows one a second, and counts when a request
# arrives, so a little more leaves room for jitter.
MESSAGE_EVERY_S = 1.1
# Slack tolerates short bursts above one message a second.
CHANNEL_BURST = 3
# “Several hundred a minute”, as the page says.
WORKSPACE_PER_MINUTE = 300
WORKSPACE_BURST = 60
# Calls a minute by method, where they are not Tier 3 (50).
TIER_2 = 20
# Calls a minute by tier (“Rate limits”).
TIER_3 = 50
TIER_4 = 100
TIERS: Mapping[str, int] = MappingProxyType(
    {
        "canvases.create": TIER_2,
        "chat.appendStream": TIER_4,
        "chat.postEphemeral": TIER_4,
        "chat.startStream": TIER_2,
        "chat.stopStream": TIER_2,
        "conversations.list": TIER_2,
        "files.completeUploadExternal": TIER_4,
        "files.getUploadURLExternal": TIER_4,
        "usergroups.users.list": TIER_2,
        "users.info": TIER_4,
        "views.open": TIER_4,
        "views.publish": TIER_4,
        "views.update": TIER_4,
    }
)
# Sending takes a fraction of a millisecond, and much longer while a thread works on a log.
CALLS_PER_LOOP_TURN = 8
# A lane that is full again equals a new one, so it is dropped above this number.
MOST_LANES = 500
log = logging.getLogger("opswatch")


class Priority(enum.Enum):
    """The order of waiting calls. The value is how many seconds later than an answer a call counts
    as made, so that none waits for ever. Progress does not wait: it is skipped if there is no room,
    and the next one is more recent anyway.
    """

    ANSWER = 0.0
    MESSAGE = 15.0
    FILE = 60.0
    PROGRESS = float("inf")


class NoRoom(Exception):
    """Progress was not sent, to leave room for answers."""


class Rate(Struct, frozen=True):
    """A burst of calls at once, then a number of calls a minute."""

    per_minute: float
    burst: int


WORKSPACE_RATE = Rate(WORKSPACE_PER_MINUTE, WORKSPACE_BURST)
CHANNEL_RATE = Rate(60 / MESSAGE_EVERY_S, CHANNEL_BURST)


class _Lane(Struct):
    """The rate limiter of one channel, one method or the workspace: a token bucket behind a priority
    queue.
    """

    name: str
    rate: Rate
    tokens: float
    filled_at: float
    blocked_until: float = 0.0
    waiting: list[tuple[float, int, asyncio.Future[None]]] = field(default_factory=list)
    timer: asyncio.TimerHandle | None = None

    def has_room(self, now: float) -> bool:
        """Whether progress may be sent now and leaves half of the burst to answers."""
        self._fill(now)
        return (
            not self.queue()
            and now >= self.blocked_until
            # The other half is for answers that come at the same time.
            and self.tokens - 1 >= self.rate.burst // 2
        )

    def is_idle(self, now: float) -> bool:
        self._fill(now)
        return not self.queue() and now >= self.blocked_until and self.tokens >= self.rate.burst

    def queue(self) -> int:
        """How many calls wait."""
        return sum(not turn.done() for _, _, turn in self.waiting)

    def wait_s(self, now: float, ahead: int = 0) -> float:
        """How long a call waits at the end of the queue, or behind the number that is `ahead`."""
        self._fill(now)
        missing = max(0.0, max(ahead, self.queue()) + 1 - self.tokens)
        return max(0.0, self.blocked_until - now) + missing * 60 / self.rate.per_minute

    @property
    def limit(self) -> PaceLimit:
        """The same limit for all processes together."""
        return PaceLimit(self.name, 60 / self.rate.per_minute, self.rate.burst)

    def take(self) -> None:
        self.tokens -= 1

    async def turn(self, order: float, number: int) -> None:
        """Returns when the call may be made; the lowest order is first."""
        loop = asyncio.get_running_loop()
        if not self.waiting and self._next_in(loop.time()) <= 0:
            self.take()
            return
        done: asyncio.Future[None] = loop.create_future()
        heapq.heappush(self.waiting, (order, number, done))
        self.advance()
        await done

    def block(self, until: float) -> None:
        """Makes no calls before that time; then they are made one by one, without a burst."""
        self.blocked_until = max(self.blocked_until, until)
        self.tokens = 1.0
        self.advance()

    def advance(self) -> None:
        """Releases the calls that are due, and sets a timer for the next one."""
        loop = asyncio.get_running_loop()
        if self.timer:
            self.timer.cancel()
            self.timer = None
        while self.waiting:
            if self.waiting[0][2].done():
                heapq.heappop(self.waiting)
                continue
            wait_s = self._next_in(loop.time())
            if wait_s > 0:
                self.timer = loop.call_later(wait_s, self.advance)
                return
            self.take()
            heapq.heappop(self.waiting)[2].set_result(None)

    def _next_in(self, now: float) -> float:
        """How many seconds until the next token may be taken."""
        self._fill(now)
        missing = max(0.0, 1 - self.tokens) * 60 / self.rate.per_minute
        # Rounded: a timer for the last fraction of a token would be set again and again.
        return max(self.blocked_until - now, missing if missing > 1e-6 else 0.0)

    def _fill(self, now: float) -> None:
        since = max(self.filled_at, min(self.blocked_until, now))
        self.tokens = min(
            float(self.rate.burst), self.tokens + max(0.0, now - since) * self.rate.per_minute / 60
        )
        self.filled_at = now


class SlackPace:
    """Limits the rate of calls. `message_every_s` is the time between two messages in a channel; all
    other limits scale with it. `on_refusal` is called with the method of every 429. While other
    processes use the same database, calls also keep to the pace that is `shared` with them.
    """

    def __init__(
        self,
        message_every_s: float = MESSAGE_EVERY_S,
        on_refusal: RateLimitObserver = ignore_rate_limit,
    ) -> None:
        self.on_refusal = on_refusal
        self.shared: PaceStore | None = None
        self._speed = MESSAGE_EVERY_S / max(message_every_s, 1e-6)
        self._lanes: dict[str, _Lane] = {}
        self._ids: dict[str, str] = {}
        self._numbers = itertools.count()
        self._loop_turns = LoopTurns(CALLS_PER_LOOP_TURN)

    async def turn(
        self, method: str, channel: str, priority: Priority, *, since: float | None = None
    ) -> None:
        """Returns when this call may be made. `since` is when it was first attempted, by the loop's
        clock, so that a retry keeps its place. Raises NoRoom for progress that would have to wait.
        """
        lanes = self._lanes_of(method, channel)
        now = asyncio.get_running_loop().time()
        if priority is Priority.PROGRESS:
            if not all(lane.has_room(now) for lane in lanes):
                raise NoRoom
            if await self._reserve(lanes, if_free=True) is None:
                raise NoRoom
            for lane in lanes:
                lane.take()
            return
        # Added to the time, so that a file waits behind the answers of one minute and not behind
        # all.
        order = (now if since is None else since) + priority.value
        for lane in lanes:
            await lane.turn(order, next(self._numbers))
        if wait_s := await self._reserve(lanes):
            await asyncio.sleep(wait_s)
        await self._loop_turns.next()

    async def _reserve(self, lanes: Sequence[_Lane], *, if_free: bool = False) -> float | None:
        """How long to wait for other processes. Without the database each keeps its own pace."""
        if self.shared is None or not self.shared.is_shared:
            return 0.0
        try:
            return await self.shared.reserve([lane.limit for lane in lanes], if_free=if_free)
        except StoreUnavailable as error:
            log.warning("The pace of other processes is unknown: %s", error)
            return 0.0

    async def block(self, method: str, channel: str, seconds: float) -> None:
        """Holds back calls after a 429: messages to this channel, or any other method as a whole."""
        self.on_refusal(method)
        lane = self._lanes_of(method, channel)[0]
        lane.block(asyncio.get_running_loop().time() + seconds)
        if self.shared is not None and self.shared.is_shared:
            with contextlib.suppress(StoreUnavailable):
                await self.shared.block(lane.limit, seconds)

    def wait_s(self, channel: str, ahead: int = 0) -> float:
        """How long an answer that is posted in the channel now would wait. `ahead` is the number of
        messages that go first, where some of them have not reached the queue.
        """
        now = asyncio.get_running_loop().time()
        return max(lane.wait_s(now, ahead) for lane in self._lanes_of("chat.postMessage", channel))

    def queue(self, channel: str) -> int:
        """How many messages wait in the channel."""
        return self._lanes_of("chat.postMessage", channel)[0].queue()

    def same_channel(self, name: str, channel_id: str) -> None:
        """Counts calls by a channel's name and by its id together."""
        if name and channel_id and name != channel_id:
            self._ids[name] = channel_id

    def _lanes_of(self, method: str, channel: str) -> Sequence[_Lane]:
        """The limiters of a call; the first is the one that a 429 blocks."""
        if method == "chat.postMessage":
            return self._channel(channel), self._lane("workspace", WORKSPACE_RATE)
        tier = TIERS.get(method, TIER_3)
        # Below the limit, as Slack counts when requests arrive.
        lane = self._lane(f"method {method}", Rate(tier * 0.9, tier // 2))
        if method == "files.completeUploadExternal" and channel:
            return lane, self._channel(channel)
        return (lane,)

    def _channel(self, channel: str) -> _Lane:
        return self._lane(f"channel {self._ids.get(channel, channel)}", CHANNEL_RATE)

    def _lane(self, name: str, rate: Rate) -> _Lane:
        if name not in self._lanes:
            now = asyncio.get_running_loop().time()
            if len(self._lanes) >= MOST_LANES:
                self._lanes = {
                    known: lane for known, lane in self._lanes.items() if not lane.is_idle(now)
                }
            self._lanes[name] = _Lane(
                name, Rate(rate.per_minute * self._speed, rate.burst), float(rate.burst), now
            )
        return self._lanes[name]
