"""How long stored rows are kept (pure)."""

from __future__ import annotations

from datetime import timedelta

from msgspec import Struct


class Retention(Struct, frozen=True):
    """How long rows are kept, by what they hold: private answers (for Share), the record of
    questions, samples and notifications of alerts, runs of schedules, and messages that were sent.
    """

    answers: timedelta = timedelta(days=1)
    questions: timedelta = timedelta(days=400)
    samples: timedelta = timedelta(days=400)
    notices: timedelta = timedelta(days=400)
    # No baseline looks back further.
    baselines: timedelta = timedelta(weeks=27)
    # A month before the longest window that vendors store.
    seen: timedelta = timedelta(days=123)
    runs: timedelta = timedelta(days=90)
    outbox: timedelta = timedelta(days=90)


DEFAULT_RETENTION = Retention()
