"""One question on its way through Slack, and what its answer may take the place of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class ReplaceMode(Enum):
    """What holds the button that was pressed, which its response URL then stands for."""

    NOTHING = "nothing: the question was typed"
    STAYS = "a message that stays, such as one that all see, or help: nothing takes its place"
    ANSWER = "a private answer to the same person: the next answer takes its place"
    REFUSAL = "a private refusal: whatever comes of it takes its place"


@dataclass(slots=True)
class ReplyTarget:
    """One question on its way through Slack: who asked, where, and what has been shown so far.

    `place` is the person's own answer in the channel, by its `ts`, where a button of it was
    pressed: the next answer takes its place. `private_place` is the person's own private answer, by
    the beginning of its ticket, likewise. `response_url` is empty where there is none, or none that
    may be used any more. `work_hidden` where somebody has deleted the message that said that work
    goes on, which is then not shown again. `direct` where it came from the App Home: everything
    about it then goes into the person's direct messages, which nobody else sees. `thread_ts` where
    it was asked in a thread: it is answered there.
    """

    user: str
    channel: str
    response_url: str
    line: str
    public: bool = False
    away: str = ""
    shown_ts: str = ""
    shown_privately: bool = False
    holder: ReplaceMode = ReplaceMode.NOTHING
    place: str = ""
    private_place: str = ""
    told_beside: bool = False
    work_hidden: bool = False
    delivery: str = ""
    direct: bool = False
    thread_ts: str = ""
    shown_line: str = ""

    @property
    def title(self) -> str:
        """The question as it may be shown: without a secret that was typed in it."""
        return self.shown_line or self.line
