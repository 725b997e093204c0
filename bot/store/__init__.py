"""Persistent state: values, the ports to store them, and the store itself.

`protocols` is what the rest of the bot may ask; `sql` answers it in statements that every database
runs; `sqlite` is the database.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bot.store.errors import RuleChanged, StoreError, StoreUnavailable
    from bot.store.protocols import (
        AlertStore,
        AnswerStore,
        BaselineStore,
        CanvasStore,
        DeliveryStore,
        OutboxStore,
        PauseStore,
        QuestionStore,
        RateLimitStore,
        RuleStore,
        SavedQuestionStore,
        ScheduleStore,
        SeenStore,
        SilenceStore,
        SubscriptionStore,
        TimeStore,
    )
    from bot.store.records import (
        CLOCK_TOLERANCE,
        LONGEST_DELAY,
        Backlog,
        BaselineSamples,
        EvaluationRecord,
        LeaseTimings,
        NewSilence,
        OpenIncident,
        PaceLimit,
        Post,
        PostKind,
        QuestionRecord,
        QueuedPost,
        RuleEdit,
        Sample,
        Saved,
        SavedQuestion,
        Silence,
        StoredAnswer,
        StoredCanvas,
        StoredResponseUrl,
        StoredRule,
        Subscription,
        TimedValue,
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
    "BaselineSamples",
    "BaselineStore",
    "CanvasStore",
    "ChangeStore",
    "DeliveryStore",
    "EvaluationRecord",
    "LeaseTimings",
    "NewSilence",
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
    "RuleChanged",
    "RuleEdit",
    "RuleStore",
    "Sample",
    "Saved",
    "SavedQuestion",
    "SavedQuestionStore",
    "ScheduleStore",
    "SeenStore",
    "Silence",
    "SilenceStore",
    "Store",
    "StoreError",
    "StoreUnavailable",
    "StoredAnswer",
    "StoredCanvas",
    "StoredResponseUrl",
    "StoredRule",
    "Subscription",
    "SubscriptionStore",
    "TimeStore",
    "TimedValue",
    "Topic",
]

# Where the names are, in the order in which they are looked up. A question in a terminal needs few
# of these modules, so each is imported when one of its names is used.
_MODULES = ("errors", "records", "sharing", "protocols", "store")


def __getattr__(name: str) -> Any:
    if name in __all__:
        for module in _MODULES:
            found = vars(import_module(f"bot.store.{module}"))
            if name in found:
                globals()[name] = found[name]
                return found[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
