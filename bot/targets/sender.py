"""The targets of the configuration, each of which takes events."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

import aiohttp
from msgspec import Struct

from bot.formatting import truncate
from bot.notifications import email
from bot.notifications.email import EmailSettings
from bot.notifications.event import Action, AlertEvent
from bot.notifications.kinds import KINDS
from bot.notifications.settings import TargetSettings
from bot.observability.observers import EventObserver, ignore_event
from bot.targets.errors import TargetError, TargetRefused
from bot.targets.http import reach, send
from bot.targets.smtp import check_mailboxes, send_mail
from providers.clock import Clock
from providers.http.network import Network
from providers.models import Check
from providers.redaction import Redactor

MOST_REASON = 240


class Targets(Struct, frozen=True):
    """Sends events to the targets by their names."""

    settings: Mapping[str, TargetSettings]
    session: aiohttp.ClientSession
    network: Network
    clock: Clock
    redactor: Redactor
    observer: EventObserver = ignore_event

    async def send(self, target: str, event: AlertEvent) -> None:
        """Sends an event. Raises TargetRefused where the target does not take it, and
        TargetUnavailable where it may do so later.
        """
        try:
            await self._send(target, event)
        except TargetError as error:
            self.observer(target, False)
            # What is raised goes to the log and the ops channel.
            error.code = self._shown(error)
            raise
        self.observer(target, True)

    async def _send(self, target: str, event: AlertEvent) -> None:
        settings = self.settings.get(target)
        # The event was queued before the target was taken out of bot.toml.
        if settings is None:
            raise TargetRefused(
                "there is no such target", f"Add [targets.{target}] to bot.toml again."
            )
        if isinstance(settings, EmailSettings):
            await send_mail(settings, self.network, email.render(settings, event))
            return
        render = KINDS[settings.kind].render
        assert render is not None, "every other kind is reached by HTTP"
        await send(self.session, render(settings, event, self.clock()))

    async def check(self, target: str) -> Check:
        """What can be found out about a target without calling anybody."""
        settings = self.settings[target]
        name = f"target {target}"
        try:
            await self._check(settings)
        except TargetError as error:
            title = KINDS[settings.kind].title
            detail = f"{title} at {settings.address}: {self._shown(error)}."
            return Check(name, ok=False, detail=detail, hint=error.hint or "Check its settings.")
        return Check(name, ok=True, detail=f"{settings.address} {_ACCEPTS[settings.kind]}.")

    def _shown(self, error: TargetError) -> str:
        """Why it failed. A server may repeat what it was sent, a key among it, so secrets are
        removed before anything is cut off.
        """
        return truncate(self.redactor.text(error.code), MOST_REASON)

    async def _check(self, settings: TargetSettings) -> None:
        if isinstance(settings, EmailSettings):
            await check_mailboxes(settings, self.network)
            return
        kind = KINDS[settings.kind]
        assert kind.check_request is not None, "every other kind is reached by HTTP"
        request = kind.check_request(settings, self._unknown_incident(), self.clock())
        # Any answer shows that a webhook can be reached.
        exchange = reach if request.method == "HEAD" else send
        await exchange(self.session, request)

    def _unknown_incident(self) -> AlertEvent:
        """The end of an incident that no target knows."""
        key = f"opswatch:check:{uuid.uuid4().hex}"
        return AlertEvent(
            id=key,
            action=Action.RESOLVE,
            incident=key,
            alert="check",
            summary="A check of the connection",
            reason="check",
            at=self.clock(),
        )


_ACCEPTS = {
    "pagerduty": "accepts events",
    "opsgenie": "accepts the key",
    "webhook": "can be reached; no event was sent",
    "email": "accepts the sender and the recipients; no mail was sent",
}
