"""Everything that must survive a restart: values, the ports to store them, and the store itself.

`protocols` is what the rest of the bot may ask; `sql` answers it in statements that every database
runs; `sqlite` is the database.
"""

from bot.store.errors import StoreError, StoreUnavailable
from bot.store.protocols import (
    AlertStore,
    AnswerStore,
    DeliveryStore,
    OutboxStore,
    PauseStore,
    QuestionStore,
    RateLimitStore,
    RuleStore,
    ScheduleStore,
    SilenceStore,
    SubscriptionStore,
    TimeStore,
)
from bot.store.records import (
    CLOCK_TOLERANCE,
    LONGEST_DELAY,
    Backlog,
    EvaluationRecord,
    KeptAnswer,
    KeptResponseUrl,
    LeaseTimings,
    OpenIncident,
    PaceLimit,
    Post,
    PostKind,
    QuestionRecord,
    QueuedPost,
    Sample,
    Saved,
    Silence,
    StoredRule,
    Subscription,
    Topic,
)
from bot.store.sharing import ChangeStore, PaceStore
from bot.store.store import Store

__all__ = [
    "CLOCK_TOLERANCE",
    "LONGEST_DELAY",
    "AlertStore",
    "AnswerStore",
    "Backlog",
    "ChangeStore",
    "DeliveryStore",
    "EvaluationRecord",
    "KeptAnswer",
    "KeptResponseUrl",
    "LeaseTimings",
    "OpenIncident",
    "OutboxStore",
    "PaceLimit",
    "PaceStore",
    "PauseStore",
    "Post",
    "PostKind",
    "QuestionRecord",
    "QuestionStore",
    "QueuedPost",
    "RateLimitStore",
    "RuleStore",
    "Sample",
    "Saved",
    "ScheduleStore",
    "Silence",
    "SilenceStore",
    "Store",
    "StoreError",
    "StoreUnavailable",
    "StoredRule",
    "Subscription",
    "SubscriptionStore",
    "TimeStore",
    "Topic",
]
