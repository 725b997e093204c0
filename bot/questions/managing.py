"""The first words of commands that manage alerts, subscriptions and saved questions."""

from __future__ import annotations

ALERT_WORDS = ("alert", "alerts", "unalert", "acknowledge", "ack", "silence", "unsilence")
SUBSCRIPTION_WORDS = ("subscribe", "subscriptions", "unsubscribe")
SAVED_WORDS = ("save", "saved", "unsave")
MANAGING_WORDS = frozenset({*ALERT_WORDS, *SUBSCRIPTION_WORDS, *SAVED_WORDS})
