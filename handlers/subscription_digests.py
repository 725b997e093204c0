"""Subscriptions as digests: their owners, and the names of their schedules."""

from __future__ import annotations

from datetime import tzinfo

from bot import formatting
from bot.blocks.canvas import MOST_TITLE
from bot.questions.question import CommandName
from bot.schedules.cron import read_cron
from bot.store import Subscription
from handlers.jobs.digests import Digest
from handlers.permissions import Owned


def owned(subscription: Subscription) -> Owned:
    """The owner of a subscription."""
    return Owned(command_of(subscription.line), subscription.channel, subscription.user)


def owned_digest(digest: Digest) -> Owned:
    """A digest of the configuration, which has no creator."""
    return Owned(command_of(digest.line), digest.channel)


def command_of(line: str) -> CommandName:
    """The command of a line that was parsed before."""
    return line.partition(" ")[0].removeprefix("/").lower()


def schedule_name(subscription: Subscription) -> str:
    """The name of a subscription's schedule."""
    return f"subscription {subscription.number}"


def digest_of(subscription: Subscription, zone: tzinfo) -> Digest:
    """A subscription as a digest, for the scheduler."""
    trigger = read_cron(subscription.cron, zone)
    assert trigger is not None, "it was parsed when it was created"
    return Digest(
        schedule_name(subscription),
        subscription.line,
        subscription.cron,
        trigger,
        subscription.channel,
        as_canvas=subscription.as_canvas,
        title=formatting.truncate(subscription.line, MOST_TITLE),
    )
