"""State behind one port with async methods. Who asked what is kept here, answers that wait to be
shared, what is asked on a schedule and what came of it, messages on their way to Slack, and what
may still be asked of the vendors.
"""

from bot.store.alerts import Alerts, EvaluationRecord, Silence
from bot.store.posts import Post, PostKind, Posts, Subscription
from bot.store.rate_limit_store import SqliteRateLimitStore
from bot.store.sqlite import KeptResponseUrl, QuestionRecord, Store, StoreError
from bot.store.wrong_clock import StoredTimes

__all__ = [
    "Alerts",
    "EvaluationRecord",
    "KeptResponseUrl",
    "Post",
    "PostKind",
    "Posts",
    "QuestionRecord",
    "Silence",
    "SqliteRateLimitStore",
    "Store",
    "StoreError",
    "StoredTimes",
    "Subscription",
]
