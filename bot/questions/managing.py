"""The first words of what manages alerts, subscriptions and saved questions instead of asking a
question.
"""

from __future__ import annotations

ALERT_WORDS = ("alert", "alerts", "unalert", "silence", "unsilence")
SUBSCRIPTION_WORDS = ("subscribe", "subscriptions", "unsubscribe")
SAVED_WORDS = ("save", "saved", "unsave")
MANAGING_WORDS = frozenset({*ALERT_WORDS, *SUBSCRIPTION_WORDS, *SAVED_WORDS})
