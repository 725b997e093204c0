"""The first words of what manages alerts and subscriptions instead of asking a question."""

from __future__ import annotations

ALERT_WORDS = ("alert", "alerts", "unalert", "silence", "unsilence")
SUBSCRIPTION_WORDS = ("subscribe", "subscriptions", "unsubscribe")
