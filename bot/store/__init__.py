"""State behind one port with async methods. Who asked what is kept here, answers that wait to be shared, what is asked on a schedule and what
came of it, messages on their way to Slack, and what may still be asked of the vendors."""

from bot.store.alerts import Alerts, Judged, Silence
from bot.store.ledger import StoredLedger
from bot.store.posts import How, Post, Posts, Subscription
from bot.store.sqlite import Asked, KeptResponseUrl, Store, StoreError
from bot.store.wrong_clock import StoredTimes

__all__ = [
    "Alerts",
    "Asked",
    "How",
    "Judged",
    "KeptResponseUrl",
    "Post",
    "Posts",
    "Silence",
    "Store",
    "StoreError",
    "StoredLedger",
    "StoredTimes",
    "Subscription",
]
