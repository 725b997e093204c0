"""Webhooks of several PagerDuty targets: each acknowledges what its target was called for, once, and the
other targets read of it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import aiohttp
import pytest

from bot.app import Bot
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.targets import PagerDutySandbox, TargetSandbox
from tests.scenarios.test_targets import in_http_mode, settled
from tests.support.alerts import SPIKE, Meter, evaluate, messages
from tests.support.clock import MovableClock as Clock

pytestmark = pytest.mark.usefixtures("before_noon")
SECOND_SECRET = "second-signing-secret-000000000000"


@pytest.fixture
async def second(sandbox: Sandbox) -> AsyncIterator[PagerDutySandbox]:
    """Another account of PagerDuty."""
    opened = PagerDutySandbox(webhook_secret=SECOND_SECRET)
    opened.now = sandbox.clock
    await opened.start()
    yield opened
    await opened.stop()


@asynccontextmanager
async def firing(
    sandbox: Sandbox, clock: Clock, second: PagerDutySandbox, notify: Sequence[str]
) -> AsyncIterator[tuple[Bot, str]]:
    """A bot with both accounts whose alert has called those to notify, and the address of its
    webhook.
    """
    secret = sandbox.folder / "second-secret"
    secret.write_text(second.webhook_secret, "utf-8")
    secret.chmod(0o600)
    other = {**second.settings(), "webhook_secret": "file:second-secret"}
    rule = {**SPIKE, "notify": [*notify]}
    async with in_http_mode(sandbox, rule, second=other) as (bot, url):
        await evaluate(bot, clock, Meter(sandbox), 6)
        await settled(bot)
        yield bot, url


async def test_other_account_reads_of_acknowledgement(
    sandbox: Sandbox, clock: Clock, targets: TargetSandbox, second: PagerDutySandbox
) -> None:
    notify = ["pagerduty", "second", "hook"]
    async with firing(sandbox, clock, second, notify) as (bot, url):
        [there] = second.incidents
        assert await second.report(url, there) == 202
        # PagerDuty delivers again what it thinks was not accepted.
        assert await second.report(url, there) == 202
        await settled(bot)
        [other] = targets.pagerduty.incidents
        # Each account reports what it has read from us, too.
        assert await targets.pagerduty.report(url, other) == 202
        await settled(bot)
    assert there.events == ["trigger"]
    assert other.events == ["trigger", "acknowledge"]
    assert targets.webhook.actions("ingest-spike") == ["trigger", "acknowledge"]
    assert "Acknowledged by Earline" in str(messages(sandbox)[0].blocks)


async def test_account_that_was_not_called_acknowledges_nothing(
    sandbox: Sandbox,
    clock: Clock,
    targets: TargetSandbox,
    second: PagerDutySandbox,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with firing(sandbox, clock, second, ["pagerduty", "hook"]) as (bot, url):
        [incident] = targets.pagerduty.incidents
        # Whoever has the secret of one account learns no key of the other; and if they did:
        assert await second.report(url, incident) == 202
        await settled(bot)
        assert incident.events == ["trigger"]
        assert targets.webhook.actions("ingest-spike") == ["trigger"]
        assert "PagerDuty was not called for it by the target second" in caplog.text
        assert await targets.pagerduty.report(url, incident) == 202
        await settled(bot)
    assert targets.webhook.actions("ingest-spike") == ["trigger", "acknowledge"]


async def test_accounts_with_one_secret_both_read_of_it(
    sandbox: Sandbox, clock: Clock, targets: TargetSandbox, second: PagerDutySandbox
) -> None:
    """Which of the two has reported it is not known then."""
    second.webhook_secret = targets.pagerduty.webhook_secret
    async with firing(sandbox, clock, second, ["pagerduty", "second"]) as (bot, url):
        [incident] = targets.pagerduty.incidents
        assert await targets.pagerduty.report(url, incident) == 202
        await settled(bot)
        [other] = second.incidents
    assert other.events == ["trigger", "acknowledge"]
    assert other.woken == incident.woken == 1


async def test_name_of_person_has_no_effect(
    sandbox: Sandbox, clock: Clock, targets: TargetSandbox, second: PagerDutySandbox
) -> None:
    async with firing(sandbox, clock, second, ["pagerduty"]) as (bot, url):
        [incident] = targets.pagerduty.incidents
        hostile = "<!channel> *x* <@U0ADA>\x00\u202e"
        assert await targets.pagerduty.report(url, incident, by=hostile) == 202
        await settled(bot)
    shown = str(messages(sandbox)[0].blocks)
    assert "Acknowledged by" in shown
    for each in ("<!channel>", "<@U0ADA>", "\x00", "\u202e"):
        assert each not in shown
    assert sandbox.slack.refused == []


async def test_too_large_body_is_refused(
    sandbox: Sandbox, clock: Clock, targets: TargetSandbox, second: PagerDutySandbox
) -> None:
    async with firing(sandbox, clock, second, ["pagerduty"]) as (bot, url):
        [incident] = targets.pagerduty.incidents
        assert await targets.pagerduty.report(url, incident, by="x" * 1_100_000) == 413
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, data=b"{}", headers={"X-PagerDuty-Signature": "v1=" * 20}) as answer,
        ):
            assert answer.status == 401
        await settled(bot)
    assert incident.events == ["trigger"]
    assert "Acknowledged" not in str(messages(sandbox)[0].blocks)
