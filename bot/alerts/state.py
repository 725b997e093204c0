"""State of an alert and of its subjects, as it is stored between two evaluations. Databases hold it
as JSON; where a field has another name there, `rename` maps it.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

import msgspec
from msgspec import Struct

from bot.alerts.baseline import Baseline
from bot.answer import NO_EVIDENCE, Evidence

# The one subject of a rule that reads an answer as a whole.
WHOLE = ""
# A subject that an answer lists without a name, such as calls of nobody in particular.
UNNAMED = "unnamed"
# What an evaluation adds to the history of an alert.
# One character each: a history is stored for each alert at each evaluation.
OK = "0"
FIRED = "1"
NOTHING_FOUND = "?"


class State(enum.StrEnum):
    UNKNOWN = "unknown"
    # Its threshold follows what is usual, which is not known yet.
    NO_BASELINE = "no_baseline"
    INACTIVE = "inactive"
    PENDING = "pending"
    FIRING = "firing"
    NO_DATA = "no_data"


class Reason(enum.StrEnum):
    """Why a notification is sent. The values are in databases and in the keys of messages."""

    FIRED = "first"
    CHANGED = "changed"
    REPEATED = "repeat"
    SILENCE_ENDED = "quiet over"
    RESOLVED = "resolved"
    NO_DATA = "no data"
    EVALUATION_FAILED = "error"
    EVALUATION_RECOVERED = "error over"
    ACKNOWLEDGED = "acknowledged"
    SILENCED = "silenced"
    ESCALATED = "escalated"
    RULE_CHANGED = "ended"


class EvaluationError(Struct, frozen=True):
    """The question of a rule could not be answered; `message` is the reason."""

    message: str


Reading = float | None


Readings = Mapping[str, Reading]
# What is usual of each subject; None where it is not known.
Baselines = Mapping[str, Baseline | None]
NO_BASELINES: Baselines = MappingProxyType({})


class SubjectState(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """State of one subject. `breach_since` and `clear_since` are moved on by downtime of the bot;
    `unlisted` counts the evaluations in a row whose answer did not list the subject; `baseline` is
    what was usual at the last one, where the threshold follows it.
    """

    state: State = State.UNKNOWN
    since: datetime | None = None
    breach_since: datetime | None = None
    clear_since: datetime | None = None
    value: float | None = None
    peak: float | None = None
    unlisted: int = 0
    baseline: Baseline | None = None

    @property
    def started_at(self) -> datetime | None:
        """When the breach began, or else the state."""
        return self.breach_since or self.since


NEW_SUBJECT = SubjectState()


class IncidentCalls(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who was called for the open incident: since its first notification, and whether it has
    escalated. `targets` are places beside Slack, and `copies` the keys of its messages in other
    channels.
    """

    opened_at: datetime | None = None
    escalated_at: datetime | None = None
    targets: tuple[str, ...] = ()
    copies: dict[str, str] = msgspec.field(default_factory=dict)


NO_CALLS = IncidentCalls()


class AlertState(
    msgspec.Struct,
    frozen=True,
    omit_defaults=True,
    gc=False,
    rename={
        "notified": "told",
        "notified_at": "told_at",
        "silenced": "quiet",
        "history": "looks",
    },
):
    """State of an alert: its subjects, the last notification, the open incident, and who has
    acknowledged it.

    `notified` has the subjects of the last notification with the state it reported. `incident` is
    the key of the message in the channel. `history` has one sign for each of the last evaluations,
    the oldest first: `FIRED`, `OK` or `NOTHING_FOUND`. `evidence` is what the last notification
    found behind the values of the open incident.
    """

    subjects: dict[str, SubjectState] = msgspec.field(default_factory=dict)
    evaluated_at: datetime | None = None
    notified: dict[str, State] = msgspec.field(default_factory=dict)
    notified_at: datetime | None = None
    incident: str = ""
    began_at: datetime | None = None
    acknowledged_by: str = ""
    silenced: bool = False
    errors: int = 0
    history: str = ""
    flapping: bool = False
    calls: IncidentCalls = NO_CALLS
    evidence: Evidence = NO_EVIDENCE

    @property
    def state(self) -> State:
        """The most severe state of any subject."""
        if only := self._only_subject():
            return only.state
        found = {subject.state for subject in self.subjects.values()}
        # No subject is listed: nothing is in breach.
        if not found and self.evaluated_at:
            return State.INACTIVE
        return next((state for state in MOST_SEVERE_FIRST if state in found), State.UNKNOWN)

    @property
    def worst_subject(self) -> SubjectState:
        """The first subject in the most severe state."""
        if only := self._only_subject():
            return only
        state = self.state
        return next((s for s in self.subjects.values() if s.state is state), NEW_SUBJECT)

    @property
    def started_at(self) -> datetime | None:
        """The start that people read: that of the open incident, or that of the most severe
        state.
        """
        if self.began_at:
            return self.began_at
        if only := self._only_subject():
            return only.started_at
        state = self.state
        starts = [s.started_at for s in self.subjects.values() if s.state is state]
        return min((start for start in starts if start), default=None)

    def summary(self) -> tuple[State, datetime | None, float | None]:
        """State, start and value that people read."""
        # As in `_only_subject`: each of ten thousand evaluations in one tick calls this.
        if len(self.subjects) == 1:
            [only] = self.subjects.values()
            return only.state, self.began_at or only.breach_since or only.since, only.value
        return self.state, self.started_at, self.worst_subject.value

    def _only_subject(self) -> SubjectState | None:
        """The one subject of nearly every alert, whose rule reads its answer as a whole."""
        if len(self.subjects) != 1:
            return None
        [subject] = self.subjects.values()
        return subject

    def firing(self) -> dict[str, SubjectState]:
        """The subjects that fire."""
        return {name: s for name, s in self.subjects.items() if s.state is State.FIRING}


MOST_SEVERE_FIRST = (
    State.FIRING,
    State.NO_DATA,
    State.PENDING,
    State.INACTIVE,
    State.NO_BASELINE,
    State.UNKNOWN,
)
