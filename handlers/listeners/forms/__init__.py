"""The modals: opened immediately by a button or a shortcut, and saved from their values."""

from __future__ import annotations

import re
from collections.abc import Mapping

from slack_bolt.async_app import AsyncApp

from bot.blocks import messages, modals
from bot.blocks.alert_buttons import EDIT
from bot.slack.manifest import ASK_AGAIN, ASK_OPSWATCH
from handlers.alert_rules import RuleManager
from handlers.backtesting import Backtesting
from handlers.listeners.errors import ErrorListener
from handlers.listeners.forms.alert import EditAlert, OpenAlert, SaveAlert, TryAlert
from handlers.listeners.forms.chooser import AskAgain, AskOpswatch, ChooseQuestion
from handlers.listeners.forms.filters import FilterChoices
from handlers.listeners.forms.question import AskQuestion, LogNames, OpenQuestion
from handlers.listeners.forms.silence import OpenSilence, SaveSilence
from handlers.listeners.forms.subscription import OpenSubscription, SaveSubscription
from handlers.requests import RequestHandler
from handlers.subscriptions import SubscriptionManager
from providers.sources import CallSource, LogSource


def register(
    app: AsyncApp,
    requests: RequestHandler,
    subscriptions: SubscriptionManager,
    rules: RuleManager,
    backtesting: Backtesting,
    logs: Mapping[str, LogSource],
    calls: Mapping[str, CallSource],
    problems: ErrorListener,
) -> None:
    app.shortcut(ASK_AGAIN)(AskAgain(requests).__call__)
    app.shortcut(ASK_OPSWATCH)(AskOpswatch(requests).__call__)
    app.action(re.compile(rf"^{re.escape(modals.CHOOSE)}\.\w+$"))(ChooseQuestion(requests).__call__)
    app.action(messages.OPEN_QUESTION)(OpenQuestion(requests).__call__)
    app.options(modals.LOG_NAMES)(LogNames(requests, logs).__call__)
    app.options(modals.FILTER_CHOICES)(FilterChoices(requests, calls).__call__)
    app.view(modals.ASK)(AskQuestion(requests, problems).__call__)
    app.action(messages.OPEN_REPEAT)(OpenSubscription(requests).__call__)
    app.view(modals.SAVE_SUBSCRIPTION)(SaveSubscription(requests, subscriptions).__call__)
    app.action(messages.OPEN_ALERT)(OpenAlert(requests).__call__)
    app.action(EDIT)(EditAlert(requests, rules).__call__)
    app.action(modals.TRY_ALERT)(TryAlert(requests, rules, backtesting).__call__)
    app.view(modals.SAVE_ALERT)(SaveAlert(requests, rules, backtesting).__call__)
    app.action(messages.OPEN_SILENCE)(OpenSilence(requests, rules).__call__)
    app.view(modals.SAVE_SILENCE)(SaveSilence(requests, rules).__call__)
