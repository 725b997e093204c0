"""What a question about a log shows: its file, a statistic, the newest lines, or new lines as they
arrive (pure).
"""

from __future__ import annotations

from datetime import timedelta

from msgspec import Struct
from msgspec.structs import replace

from bot.commands.logs.calculation import (
    COUNT,
    Calculation,
    format_step,
)

USUAL_LINES = 20
MOST_LINES = 5000
# A table of Slack has so many rows; the API itself returns 40 groups unless more are asked for.
USUAL_GROUPS = 40
MOST_GROUPS = 100
MOST_KEYS = 5
# The API takes so many slices.
MOST_SLICES = 200
USUAL_FOLLOW = LONGEST_FOLLOW = timedelta(minutes=10)
SHORTEST_FOLLOW = timedelta(seconds=10)


class Statistic(Struct, frozen=True):
    """A calculation over the matching lines: of all of them, by group and by slice of time. `top` is
    how many groups are shown.
    """

    calculation: Calculation = COUNT
    group_by: tuple[str, ...] = ()
    having: str = ""
    top: int | None = None
    ascending: bool = False
    step: timedelta | None = None
    slices: int = 0

    @property
    def words(self) -> list[str]:
        """The words it can be typed with again."""
        # Groups are counted unless something else is asked.
        calculated = [] if self.calculation == COUNT and self.group_by else [self.calculation.words]
        return [
            *([f"groupby({', '.join(self.group_by)})"] if self.group_by else []),
            *calculated,
            *([f"having({self.having})"] if self.having else []),
            *self._order_words,
            *([f"timeslice {self.timeslice}"] if self.timeslice else []),
        ]

    @property
    def _order_words(self) -> list[str]:
        if self.top:
            return [f"{'bottom' if self.ascending else 'top'} {self.top}"]
        return ["sort(asc)"] if self.ascending else []

    @property
    def timeslice(self) -> str:
        return format_step(self.step) if self.step else str(self.slices or "")


class Entries(Struct, frozen=True):
    """So many lines from one end of the window."""

    lines: int = USUAL_LINES
    newest: bool = True

    @property
    def words(self) -> list[str]:
        return [f"{'newest' if self.newest else 'oldest'} {self.lines}"]


class Follow(Struct, frozen=True):
    """New lines as they arrive, for a while."""

    length: timedelta = USUAL_FOLLOW

    @property
    def words(self) -> list[str]:
        return ["follow"] if self.length == USUAL_FOLLOW else [f"follow {format_step(self.length)}"]


# None is the whole log as a file.
Display = Statistic | Entries | Follow | None


def without_groups(statistic: Statistic) -> Statistic:
    """The same calculation over all lines."""
    return replace(statistic, group_by=(), having="", top=None, ascending=False)
