"""An incident that somebody acknowledges in PagerDuty is acknowledged here."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from http import HTTPStatus

from msgspec import Struct, field

from bot.alerts.rule import Rule
from bot.http.log_limits import LimitedLog
from bot.notifications.event import incident_key
from bot.notifications.pagerduty_webhook import (
    SIGNATURE,
    Acknowledgement,
    is_signed,
    read_acknowledgement,
)
from bot.store import StoreUnavailable
from handlers.jobs.alerts import AlertJob
from providers.redaction import Secret

log = logging.getLogger("opswatch")
# Below the base path of HTTP mode.
PATH = "/pagerduty/events"


class PagerDutyWebhook(Struct, frozen=True):
    """`secrets` are those by which PagerDuty signs, and `targets` what they belong to."""

    job: AlertJob
    rules: Callable[[], Iterable[Rule]]
    secrets: Sequence[Secret]
    targets: Sequence[str]
    _refusals: LimitedLog = field(default_factory=lambda: LimitedLog(log))

    async def __call__(self, headers: Mapping[str, str], body: bytes) -> HTTPStatus:
        """The status of the answer. PagerDuty delivers again what is not accepted."""
        # Before anything is parsed: the address is known to everybody who can reach the port.
        if not is_signed(headers.get(SIGNATURE, ""), body, self.secrets):
            self._refusals.warning("A webhook was refused: its signature is not PagerDuty's.")
            return HTTPStatus.UNAUTHORIZED
        try:
            acknowledgement = read_acknowledgement(body)
        except ValueError:
            log.warning("A webhook of PagerDuty's could not be read.")
            return HTTPStatus.BAD_REQUEST
        try:
            if acknowledgement:
                await self._acknowledge(acknowledgement)
        except StoreUnavailable as error:
            log.error("An acknowledgement in PagerDuty could not be stored: %s", error)
            # PagerDuty delivers again what is answered like this.
            return HTTPStatus.SERVICE_UNAVAILABLE
        return HTTPStatus.ACCEPTED

    async def _acknowledge(self, acknowledgement: Acknowledgement) -> None:
        """Acknowledges the alert with that incident; one that is over, or is acknowledged already,
        stays as it is.
        """
        await self.job.refresh()
        # A copy: rules may be made or deleted while states are read.
        for rule in list(self.rules()):
            alert = await self.job.state(rule)
            if alert.incident and incident_key(alert.incident) == acknowledgement.incident:
                by = f"{acknowledgement.by} (PagerDuty)"
                await self.job.acknowledge(rule, user=by, name=by, known_to=self.targets)
                return
