"""Mutes: planned windows in which alerts are evaluated and send no new notifications."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo

from msgspec import Struct

from bot.schedules.due import Trigger, next_due


class ActiveSilence(Struct, frozen=True):
    """Why an alert sends no notifications at the moment: a `text` such as `silenced until 21 Nov
    14:05 UTC`, and who silenced it; a mute of the configuration has no user and no `end`.
    """

    text: str
    user: str = ""
    end: datetime | None = None


class Mute(Struct, frozen=True):
    """A mute of some alerts: once from `start` to `end`, or for `lasting` each time `trigger` is
    due.
    """

    name: str
    alerts: frozenset[str]
    start: datetime | None = None
    end: datetime | None = None
    trigger: Trigger | None = None
    lasting: timedelta = timedelta(0)

    def covers(self, alert: str, now: datetime) -> bool:
        if alert not in self.alerts:
            return False
        if self.start is not None and self.end is not None:
            return self.start <= now < self.end
        # The first begin within the last `lasting` is the one that covers now.
        began = next_due(self.trigger, now - self.lasting) if self.trigger else None
        return began is not None and began <= now


def next_end(mute: Mute, now: datetime) -> datetime | None:
    """When the current mute window ends, or, if none is active, the next one."""
    if mute.start is not None and mute.end is not None:
        return mute.end if mute.end >= now else None
    # An instant earlier, so that a mute that ends right now is found, too.
    begins = next_due(mute.trigger, now - mute.lasting - _MOMENT) if mute.trigger else None
    return begins + mute.lasting if begins else None


_MOMENT = timedelta(microseconds=1)


def muted_by(mutes: Sequence[Mute], alert: str, now: datetime) -> str:
    """The name of the mute that covers the alert now, or an empty string."""
    return next((mute.name for mute in mutes if mute.covers(alert, now)), "")


def localise(moment: datetime, zone: tzinfo) -> datetime:
    """A local time of the configuration as an instant."""
    # A time with an offset is an instant already.
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)
