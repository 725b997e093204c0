"""Where the answer to one question goes, and what its asker has been shown so far."""

from __future__ import annotations

import asyncio
from enum import Enum

from msgspec import Struct, field


class ReplaceMode(Enum):
    """What the response URL of a pressed button can replace."""

    NOTHING = "nothing: the question was typed"
    STAYS = "a message that stays, such as help or one that everybody sees"
    ANSWER = "a private answer to the same person, which the next answer replaces"
    REFUSAL = "a private refusal, which any result replaces"


class StreamState(Enum):
    """Whether the progress message is a stream."""

    NONE = "none, or one that has ended"
    RUNNING = "one that Slack shows"
    REFUSED = "none, since Slack has refused it"
    STOPPED = "one that the asker has stopped"


class ShownProgress(Struct):
    """The progress message of a question in its channel, by its `ts`.

    `is_deleted` once somebody has deleted it. `is_unconfirmed` while Slack may have accepted one
    that was not found yet. `is_announced` once a private note has announced the answer in its
    place. `streamed_results` are the steps whose result a stream shows. `begins_answer` if a stream
    began with the headline of the answer, and not with steps.
    """

    ts: str = ""
    is_deleted: bool = False
    is_unconfirmed: bool = False
    is_announced: bool = False
    stream: StreamState = StreamState.NONE
    streamed_results: frozenset[str] = frozenset()
    begins_answer: bool = False

    @property
    def is_hidden(self) -> bool:
        """Whether no other is shown: somebody has deleted it, or it may appear later."""
        return self.is_deleted or self.is_unconfirmed

    @property
    def is_streaming(self) -> bool:
        return self.stream is StreamState.RUNNING


class QuestionEnd(Struct, frozen=True):
    """How a question has ended, as it is recorded."""

    outcome: str
    took_ms: int


class ReplyState(Struct):
    """What the asker has been shown so far, and which ways to reach them are closed.

    `question` is the question as it was read, which a retry asks again. `private_reason` says why
    an answer for the channel is private. `replace_original` if the next message by response URL
    replaces what that URL shows. `is_answered` once the asker can see the answer, and
    `has_unsent_files` until its files are sent or reported. `unreported` is the end of a question
    that is recorded once its error has been sent. `deletion` looks for a progress message beside
    the answer, and deletes it.
    """

    question: str = ""
    private_reason: str = ""
    replace_original: bool = False
    url_spent: bool = False
    thread_gone: bool = False
    is_answered: bool = False
    has_unsent_files: bool = False
    unreported: QuestionEnd | None = None
    deletion: asyncio.Task[None] | None = None
    progress: ShownProgress = field(default_factory=ShownProgress)

    @property
    def is_complete(self) -> bool:
        """Whether the asker has the answer with its files, or was told why a file is missing."""
        return self.is_answered and not self.has_unsent_files


class ReplyTarget(Struct, frozen=True):
    """Who asked, where, and what the answer replaces.

    `line` is the question, and `display_line` the same without secrets. `replaces_ts` is the
    asker's own answer in the channel whose button was pressed, and `replaces_ticket` the beginning
    of the ticket of their own private answer: the next answer replaces it. `asked_ts` is when Slack
    took a message that asks, by its `ts`. `response_url` is empty
    where there is none. `direct` where everything goes to direct messages, which nobody else sees.
    `public` where everybody in the channel may see the answer. `streams` in threads with the app as
    an agent. Copies share their `state`.
    """

    user: str
    channel: str
    response_url: str
    line: str
    delivery: str = ""
    thread_ts: str = ""
    direct: bool = False
    public: bool = False
    streams: bool = False
    display_line: str = ""
    replaces: ReplaceMode = ReplaceMode.NOTHING
    replaces_ts: str = ""
    replaces_ticket: str = ""
    asked_ts: str = ""
    state: ReplyState = field(default_factory=ReplyState)

    @property
    def title(self) -> str:
        """The question as it may be shown."""
        return self.display_line or self.line

    @property
    def url(self) -> str:
        """The response URL, while it can be used."""
        return "" if self.state.url_spent else self.response_url

    @property
    def thread(self) -> str:
        """The thread to answer in, while it exists."""
        return "" if self.state.thread_gone else self.thread_ts
