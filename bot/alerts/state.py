"""State of an alert and of its subjects, as it is kept between two evaluations."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec

# The one subject of a rule that looks at an answer as a whole.
WHOLE = ""


class State(enum.StrEnum):
    UNKNOWN = "unknown"
    INACTIVE = "inactive"
    PENDING = "pending"
    FIRING = "firing"
    NO_DATA = "no_data"


class Reason(enum.StrEnum):
    """Why something is told now."""

    FIRED = "first"
    CHANGED = "changed"
    REPEATED = "repeat"
    QUIET_OVER = "quiet over"
    RESOLVED = "resolved"
    NO_DATA = "no data"
    CANNOT_TELL = "error"
    TELLS_AGAIN = "error over"
    ACKNOWLEDGED = "acknowledged"
    SILENCED = "silenced"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class EvaluationError:
    """The question could not be answered."""

    why: str


Reading = float | None


Readings = Mapping[str, Reading]


class SubjectState(msgspec.Struct, frozen=True, omit_defaults=True):
    """State of one subject. `breach_since` and `clear_since` shift with time in which nobody
    looked; `unlisted` counts the looks in a row that did not list the subject.
    """

    state: State = State.UNKNOWN
    since: datetime | None = None
    breach_since: datetime | None = None
    clear_since: datetime | None = None
    value: float | None = None
    peak: float | None = None
    unlisted: int = 0

    @property
    def started_at(self) -> datetime | None:
        """When the breach began, or, for want of one, the state."""
        return self.breach_since or self.since


_NEW = SubjectState()


class AlertState(msgspec.Struct, frozen=True, omit_defaults=True):
    """How it stands with a rule: each of its subjects, what people know (`told` names the subjects
    of the last notice, with the state it told of them), the incident that is open, and what a
    person has said about it. `looks` has a `1` for each of the last looks that found it firing, and
    a `?` for each that found nothing.
    """

    subjects: dict[str, SubjectState] = msgspec.field(default_factory=dict)
    evaluated_at: datetime | None = None
    told: dict[str, State] = msgspec.field(default_factory=dict)
    told_at: datetime | None = None
    incident: str = ""
    began_at: datetime | None = None
    acknowledged_by: str = ""
    quiet: bool = False
    errors: int = 0
    looks: str = ""
    flapping: bool = False

    @property
    def state(self) -> State:
        """The gravest state of any subject."""
        if len(self.subjects) == 1:
            # Nearly every rule looks at its answer as a whole.
            return next(iter(self.subjects.values())).state
        found = {standing.state for standing in self.subjects.values()}
        if not found and self.evaluated_at:
            return State.INACTIVE
        return next((state for state in _GRAVEST_FIRST if state in found), State.UNKNOWN)

    @property
    def standing(self) -> SubjectState:
        """The subject that matters most: of those in the gravest state the first."""
        gravest = self.state
        return next((s for s in self.subjects.values() if s.state is gravest), _NEW)

    @property
    def started_at(self) -> datetime | None:
        """The start that people are told: that of the open incident, or that of the
        gravest state.
        """
        gravest = self.state
        starts = [s.started_at for s in self.subjects.values() if s.state is gravest]
        return self.began_at or min((start for start in starts if start), default=None)

    def firing(self) -> dict[str, SubjectState]:
        return {name: s for name, s in self.subjects.items() if s.state is State.FIRING}


_GRAVEST_FIRST = (State.FIRING, State.NO_DATA, State.PENDING, State.INACTIVE)
