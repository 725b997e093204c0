"""An incident that somebody acknowledges in PagerDuty is acknowledged here, if PagerDuty was called
for it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from http import HTTPStatus

from msgspec import Struct, field

from bot.alerts.rule import Rule
from bot.formatting import join_words
from bot.http.log_limits import LimitedLog
from bot.notifications.event import incident_key
from bot.notifications.pagerduty_webhook import (
    SIGNATURE,
    Acknowledgement,
    read_acknowledgement,
    signers,
)
from bot.store import StoreUnavailable
from handlers.jobs.alerts import AlertJob
from providers.redaction import Secret

log = logging.getLogger("opswatch")
# Below the base path of HTTP mode.
PATH = "/pagerduty/events"


class PagerDutyWebhook(Struct, frozen=True):
    """`secrets` are those by which PagerDuty signs, by the target that they belong to."""

    job: AlertJob
    rules: Callable[[], Iterable[Rule]]
    secrets: Mapping[str, Secret]
    _refusals: LimitedLog = field(default_factory=lambda: LimitedLog(log))

    async def __call__(self, headers: Mapping[str, str], body: bytes) -> HTTPStatus:
        """The status of the answer. PagerDuty delivers again what is not accepted."""
        # Before anything is parsed: the address is known to everybody who can reach the port.
        targets = signers(headers.get(SIGNATURE, ""), body, self.secrets)
        if not targets:
            self._refusals.warning("A webhook was refused: its signature is not PagerDuty's.")
            return HTTPStatus.UNAUTHORIZED
        try:
            acknowledgement = read_acknowledgement(body)
        except ValueError:
            log.warning("A webhook of PagerDuty's could not be read.")
            return HTTPStatus.BAD_REQUEST
        try:
            if acknowledgement:
                await self._acknowledge(acknowledgement, targets)
        except StoreUnavailable as error:
            log.error("An acknowledgement in PagerDuty could not be stored: %s", error)
            # PagerDuty delivers again what is answered like this.
            return HTTPStatus.SERVICE_UNAVAILABLE
        return HTTPStatus.ACCEPTED

    async def _acknowledge(self, acknowledgement: Acknowledgement, targets: Sequence[str]) -> None:
        """Acknowledges the alert with that incident if one of the targets was called for it; one that
        is over, or is acknowledged already, stays as it is.
        """
        await self.job.refresh()
        # A copy: rules may be made or deleted while states are read.
        for rule in list(self.rules()):
            alert = await self.job.state(rule)
            if not alert.incident or incident_key(alert.incident) != acknowledgement.incident:
                continue
            called = [target for target in targets if target in alert.calls.targets]
            if not called:
                log.warning(
                    "An acknowledgement of alert %s was ignored: PagerDuty was not called for it by "
                    "the target %s.",
                    rule.name,
                    join_words([*targets]),
                )
                return
            by = f"{acknowledgement.by} (PagerDuty)"
            await self.job.acknowledge(rule, user=by, name=by, known_to=_known_to(called))
            return


def _known_to(called: Sequence[str]) -> Sequence[str]:
    """The target that has reported the acknowledgement. Where several have one secret, it may be
    any of them, so all of them read of it: PagerDuty takes no notice of a second acknowledgement.
    """
    return called if len(called) == 1 else ()
