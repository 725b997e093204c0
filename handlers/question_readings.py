"""Reads a question once for all people who ask it in the same moment, such as at the beginning of an
incident.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from datetime import UTC, datetime, timedelta, tzinfo

from bot.questions.question import AccountDirectory, CommandName, HelpRequest, Question
from bot.questions.reading import read_request

# Questions within so much time, and within one second of the clock, have the same `now`: no day, hour
# or minute begins between them.
SAME_MOMENT = timedelta(milliseconds=50)
MOST_READINGS = 200


class QuestionReadings:
    """The questions of the current moment. They are values that nobody changes."""

    def __init__(self) -> None:
        self._now = datetime.min.replace(tzinfo=UTC)
        self._read: dict[Hashable, Question | HelpRequest] = {}

    def read(
        self,
        command: CommandName,
        words: str,
        visible: Sequence[CommandName],
        directory: Callable[[], AccountDirectory],
        *,
        now: datetime,
        zone: tzinfo,
    ) -> Question | HelpRequest:
        """The question in the words of somebody to whom the accounts of the `visible` commands may
        be shown, which are those of the `directory`. Raises BadQuestion.
        """
        now = self._moment(now)
        key = (command, words, *visible, zone)
        found = self._read.get(key)
        if found is None:
            found = read_request(command, words, directory(), now=now, zone=zone)
            self._read[key] = found
        return found

    def _moment(self, now: datetime) -> datetime:
        """The beginning of the moment; what was read in an earlier one is forgotten."""
        is_same_moment = (
            timedelta() <= now - self._now < SAME_MOMENT and now.second == self._now.second
        )
        if not is_same_moment or len(self._read) >= MOST_READINGS:
            self._now = now
            self._read.clear()
        return self._now
