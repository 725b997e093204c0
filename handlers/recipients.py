"""The recipients of an alert from chat: names become ids, and targets must be configured."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from bot import formatting
from bot.access import AccessPolicy
from bot.alerts.paging import Paging, channels, handles, targets, with_ids
from bot.errors import BadQuestion, SlackDeliveryUnknown, SlackRefused
from bot.slack.channels import Channels
from bot.slack.handles import Handles
from handlers.permissions import Requester


class RecipientLookup(Struct, frozen=True):
    """Looks recipients up once, when a rule is saved, so that an alert at night depends on no name."""

    access: AccessPolicy
    handles: Handles
    channels: Channels
    targets: Sequence[str]

    async def resolved(self, paging: Paging, requester: Requester) -> Paging:
        """The same with ids. Raises AccessDenied, and BadQuestion for somebody whom nobody knows and
        for a channel that is closed to the person.
        """
        named = (*paging.notify, *paging.escalate_to)
        if not named:
            return paging
        # Before any look-up: its result says who exists.
        self.access.require_notify(**requester.rights)
        if elsewhere := channels(paging.notify):
            raise BadQuestion(
                f"{elsewhere[0]} is a channel; an alert notifies people, user groups and targets, "
                "and posts in its own channel. It can escalate to another one."
            )
        self._require_targets(targets(named))
        found = {handle: await self._mentioned(handle) for handle in handles(named)}
        found |= {
            channel: await self._open_channel(channel, requester) for channel in channels(named)
        }
        return replace(
            paging,
            notify=with_ids(paging.notify, found),
            escalate_to=with_ids(paging.escalate_to, found),
        )

    def _require_targets(self, names: Sequence[str]) -> None:
        unknown = next((name for name in names if name not in self.targets), None)
        if unknown is None:
            return
        known = formatting.join_words(list(self.targets), 10)
        raise BadQuestion(
            f"There is no target or on-call schedule “{unknown}”; bot.toml has {known or 'none'}. People and user "
            "groups begin with @."
        )

    async def _mentioned(self, handle: str) -> str:
        try:
            found = await self.handles.mentioned(handle)
        except (SlackRefused, SlackDeliveryUnknown):
            raise BadQuestion(
                f"Slack cannot look up {handle}. Use the ID (U… or S…) instead."
            ) from None
        if not found:
            raise BadQuestion(
                f"There is nobody called {handle}, or several people are. Use the ID (U… or S…) "
                "instead."
            )
        return found

    async def _open_channel(self, channel: str, requester: Requester) -> str:
        found = channel
        if channel.startswith("#"):
            try:
                found = await self.handles.channel(channel)
            except (SlackRefused, SlackDeliveryUnknown):
                found = ""
        # A channel that is closed to the person is refused like one that does not exist.
        if not found or not await self.channels.is_open_to(requester.user, found):
            raise BadQuestion(f"There is no channel {channel} that both you and Opswatch can see.")
        return found
