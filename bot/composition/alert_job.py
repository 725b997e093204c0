"""What evaluates alerts and notifies of them, for the bot and for programs beside it that change them."""

from __future__ import annotations

from bot.alerts.on_call import OnCall
from bot.commands.answering import Answerer
from bot.composition.from_settings import mutes_from_settings, presentation_from_settings
from bot.config import Settings
from bot.observability.observers import EvaluationObserver, ignore_evaluation
from bot.slack.outbox import Outbox
from bot.store import Store
from handlers.jobs.alerts import AlertJob
from handlers.jobs.baselines import BaselineReader
from handlers.jobs.notice_details import NoticeDetailsReader
from handlers.jobs.silences import SilenceIndex
from handlers.permissions import Permissions
from handlers.typed_secrets import SecretCheck
from providers.clock import Clock


def build_alert_job(
    settings: Settings,
    store: Store,
    answering: Answerer,
    outbox: Outbox,
    permissions: Permissions,
    secrets: SecretCheck,
    clock: Clock,
    *,
    on_evaluated: EvaluationObserver = ignore_evaluation,
    baselines: BaselineReader | None = None,
) -> AlertJob:
    zone = settings.timezone
    silences = SilenceIndex(store.silences, mutes_from_settings(settings), zone)
    on_call = OnCall({name: each.schedule for name, each in settings.on_call.items()}, zone)
    return AlertJob(
        answering,
        store.alerts,
        outbox,
        silences,
        zone,
        clock,
        settings.slack.ops_channel or "",
        on_evaluated,
        presentation_from_settings(settings, outbox.is_same_channel),
        baselines,
        on_call,
        NoticeDetailsReader(
            permissions, outbox.channel_id, secrets.redacted, silences, on_call, clock
        ),
    )
