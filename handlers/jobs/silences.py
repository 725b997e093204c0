"""Which alerts send no notifications now: mutes of the configuration, and silences from chat."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

from msgspec import Struct, field

from bot import formatting
from bot.alerts.mutes import ActiveSilence, Mute, muted_by
from bot.store import NewSilence, Silence, SilenceStore


class SilenceIndex(Struct):
    """Silences and mutes in memory. It is refreshed after every change."""

    store: SilenceStore
    mutes: Sequence[Mute]
    zone: tzinfo
    silences: list[Silence] = field(default_factory=list)

    async def refresh(self, now: datetime) -> None:
        self.silences = await self.store.silences(now)

    def silence(self, alert: str, now: datetime) -> Silence | None:
        """The silence made in chat that covers the alert now."""
        return next((silence for silence in self.silences if silence.covers(alert, now)), None)

    def current(self, alert: str) -> Silence | None:
        """The silence made in chat that has not ended, also where another clock is ahead of this
        one.
        """
        return next((silence for silence in self.silences if silence.alert == alert), None)

    def active(self, alert: str, now: datetime) -> ActiveSilence | None:
        """Why the alert sends no notifications now; None if it does."""
        # The usual case, which is asked for each alert at each evaluation.
        if not self.silences and not self.mutes:
            return None
        if silence := self.silence(alert, now):
            return self._shown(silence, now)
        if mute := muted_by(self.mutes, alert, now):
            return ActiveSilence(f"muted by {formatting.sanitise(mute, 80)}")
        return None

    def after(self, new: NewSilence | None, alert: str, now: datetime) -> ActiveSilence | None:
        """The same once the new silence, if there is one, is made."""
        return self._shown(new, now) if new else self.active(alert, now)

    def _shown(self, silence: Silence | NewSilence, now: datetime) -> ActiveSilence:
        comment = f" ({formatting.sanitise(silence.comment, 200)})" if silence.comment else ""
        end = formatting.format_time_in_zone(silence.end, self.zone, now)
        return ActiveSilence(f"silenced until {end}{comment}", silence.user, silence.end)
