"""The access rules, alerts, mutes and digests of the configuration, as values.

It imports what it builds where it is built, so that a question in a terminal starts without alerts.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from bot.config import AccessSettings, Settings
from bot.config.tables import fixed
from bot.questions.registry import COMMANDS
from providers.redaction import Redactor

if TYPE_CHECKING:
    from bot.access import AccessPolicy
    from bot.alerts.channels import Presentation
    from bot.alerts.mutes import Mute
    from bot.alerts.rule import Rule
    from handlers.jobs.digests import Digest


def build_access_policy(settings: AccessSettings) -> AccessPolicy:
    from bot.access import AccessPolicy

    allowed = {name: settings.allowed(name) for name in COMMANDS}
    return AccessPolicy(allowed, settings.manage, settings.notify)


def workspace_ids(settings: Settings, auth: Any) -> frozenset[str]:
    """The workspace and the organization that the bot's token belongs to, by Slack's answer to
    `auth.test`.
    """
    # In an Enterprise Grid organization, people may belong to another workspace of the same
    # organization.
    ids = (auth.get("team_id"), auth.get("enterprise_id"), settings.slack.team_id)
    return frozenset(filter(None, ids))


def redacted_line(redactor: Redactor, line: str) -> str | None:
    """The question without its secrets; None if it has none."""
    redacted = redactor.text(line)
    return redacted if redacted != line else None


def rules_from_settings(settings: Settings) -> list[Rule]:
    """The alerts of the configuration."""
    from bot.alerts.rule import Rule

    # Without Slack's tokens, which a terminal does not have: a rule has the same definition there.
    redactor = Redactor(settings.secrets())
    return [
        Rule(
            alert.name,
            alert.ask,
            alert.value,
            alert.channel,
            above=fixed(alert.above),
            below=fixed(alert.below),
            recover=fixed(alert.recover),
            usual=alert.usual or msgspec.UNSET,
            every=alert.every,
            for_=alert.for_,
            keep_firing_for=alert.keep_firing_for,
            repeat=alert.repeat,
            no_data=alert.no_data,
            each=alert.each or "",
            redacted_query=redacted_line(redactor, alert.ask) or msgspec.UNSET,
            paging_or_unset=alert.paging,
        )
        for alert in settings.alert
    ]


def digests_from_settings(settings: Settings, redactor: Redactor) -> list[Digest]:
    """The digests of the configuration, with their times in its zone."""
    from bot.schedules.cron import read_cron
    from handlers.jobs.digests import Digest

    found = []
    for digest in settings.digest:
        trigger = read_cron(digest.at, settings.timezone)
        assert trigger is not None, "the configuration was checked"
        # A secret in a question of the configuration is used, and neither stored nor shown.
        redacted = redacted_line(redactor, digest.ask)
        found.append(
            Digest(
                digest.name,
                digest.ask,
                digest.at,
                trigger,
                digest.channel,
                redacted,
                as_canvas=digest.as_ == "canvas",
            )
        )
    return found


def mutes_from_settings(settings: Settings) -> list[Mute]:
    """The mutes of the configuration, with their times in its zone."""
    from bot.alerts.mutes import Mute, localise
    from bot.schedules.cron import read_cron

    zone = settings.timezone
    return [
        Mute(
            mute.name,
            frozenset(mute.alerts),
            localise(mute.start, zone) if mute.start else None,
            localise(mute.end, zone) if mute.end else None,
            read_cron(mute.at, zone) if mute.at else None,
            mute.lasting or timedelta(0),
        )
        for mute in settings.mute
    ]


def presentation_from_settings(
    settings: Settings, is_same_channel: Callable[[str, str], bool]
) -> Presentation:
    """How alerts are shown, by channel, and the operator's buttons. A button holds its question
    word for word, so there is none for one with a secret.
    """
    from bot.alerts.channels import OperatorButton, Presentation

    redactor = Redactor(settings.secrets())
    buttons = [
        OperatorButton(each.text, each.url or "", each.ask or "", frozenset(each.alerts))
        for each in settings.button
        # A redacted question would ask something else.
        if redacted_line(redactor, each.ask or "") is None
    ]
    styles = {name: channel.style for name, channel in settings.channels.items()}
    return Presentation(styles, buttons, is_same_channel)
