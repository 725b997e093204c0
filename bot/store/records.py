"""The values that the store takes and gives."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from bot.answer import Block
from providers.redaction import Secret

# The outcome of a question that has not ended.
UNFINISHED = "asked"
# No post is put off for longer than that.
LONGEST_DELAY = timedelta(hours=6)
# Clocks are corrected by less than that all the time.
CLOCK_TOLERANCE = timedelta(minutes=1)


class LeaseTimings(Struct, frozen=True):
    """How often a process renews its claims, and how long after the last renewal others may take
    them over, in seconds.
    """

    renew_every: float = 3.0
    expires_after: float = 12.0


class Topic(enum.StrEnum):
    """State that each process keeps in memory and reloads when another one has changed it."""

    RULES = "rules"
    SILENCES = "silences"
    SUBSCRIPTIONS = "subscriptions"
    PAUSES = "pauses"


class PaceLimit(Struct, frozen=True):
    """How fast calls may follow each other in one lane: a burst, then one every `interval_s`."""

    lane: str
    interval_s: float
    burst: int


class QuestionRecord(Struct, frozen=True):
    """A question as it is recorded: who, what, where, when, and how it ended."""

    delivery: str
    asked_at: datetime
    user: str
    channel: str
    command: str
    text: str
    via: str
    outcome: str = UNFINISHED
    took_ms: int | None = None
    shown_ts: str | None = None


class StoredResponseUrl(Struct, frozen=True):
    """How to reach the asker of a question that is in progress. `replace` where the message made
    through the URL is a progress message.
    """

    url: Secret
    replace: bool
    thread_ts: str


class StoredAnswer(Struct, frozen=True):
    """A private answer that its asker may share, and the command of its question."""

    ticket: str
    kept_at: datetime
    command: str
    text: str
    blocks: Sequence[Block]


class PostKind(enum.StrEnum):
    """How a post is sent: as a message of its own, a reply in the thread of an earlier one (also
    shown in the channel if broadcast), an edit of an earlier one, or a file in a thread. An event
    goes to a target beside Slack, and a canvas is brought up to date.
    """

    POST = "post"
    REPLY = "reply"
    BROADCAST = "broadcast"
    EDIT = "edit"
    FILE = "file"
    EVENT = "event"
    CANVAS = "canvas"


class Post(Struct, frozen=True):
    """A message to be posted once. `key` identifies it: a second post with the same key is ignored.
    Replies, edits and files are `about` the post with that key. For a file, `text` is the name and
    `content` the bytes. For an event, `channel` is the queue of its target and `blocks` has the event alone.
    For a canvas, `about` names it, `content` the canvas as JSON, and text and blocks
    are the message that is posted where Slack has no canvas for it.
    """

    key: str
    channel: str
    text: str
    blocks: Sequence[Block]
    how: PostKind = PostKind.POST
    about: str = ""
    content: bytes = b""


class QueuedPost(Struct, frozen=True):
    """A post in the outbox. `claimed_at` is set if an earlier attempt may have reached Slack;
    `about_ts` is the message it is about, if that was posted; `set_aside` if it was passed over
    because Slack refused it.
    """

    id: int
    post: Post
    queued_at: datetime
    claimed_at: datetime | None
    attempts: int
    about_ts: str = ""
    set_aside: bool = False

    @property
    def lane(self) -> str:
        """The queue it waits in: each channel has one for messages and one for files."""
        return f"{self.post.channel} files" if self.post.how is PostKind.FILE else self.post.channel


class Backlog(Struct, frozen=True):
    """Unsent posts of one channel: how many, since when, and Slack's last error."""

    channel: str
    count: int
    since: datetime
    problem: str


class Subscription(Struct, frozen=True):
    """A question that somebody subscribed a channel to. `said` is its schedule in words."""

    number: int
    channel: str
    line: str
    cron: str
    said: str
    user: str
    as_canvas: bool = False


class StoredCanvas(Struct, frozen=True):
    """The canvas of a digest in one channel. `canvas_id` is empty while its creation was not
    confirmed, and `reference` is the text by which it is then found; `content` is a hash of what it
    shows. `problem` is Slack's error code where it has refused one.
    """

    digest: str
    channel: str
    canvas_id: str
    reference: str
    content: str
    problem: str = ""


class SavedQuestion(Struct, frozen=True):
    """The words of a question that a channel asks by a name, and who saved it."""

    channel: str
    command: str
    name: str
    query: str
    user: str


class Sample(Struct, frozen=True):
    """Result of one evaluation of a rule, or of one of its subjects; None if there was no value."""

    at: datetime
    value: float | None
    state: str


TimedValue = tuple[datetime, float]


class BaselineSamples(Struct, frozen=True):
    """The values of one evaluation that count for the baselines of an alert's subjects, at the start
    of their quarter of an hour.
    """

    alert: str
    definition: str
    at: datetime
    values: Mapping[str, float]


class EvaluationRecord(msgspec.Struct, frozen=True, gc=False):
    """Result of one evaluation: the new state (`state`, `since` and `value` for people, and all of
    it as JSON in `alert_state`), the samples by subject, the posts, and the reason for them. `due` is when
    the evaluation was due, `at` when it was made.
    """

    alert: str
    definition: str
    due: datetime
    at: datetime
    state: str
    since: datetime | None
    value: float | None
    alert_state: bytes
    samples: Sequence[tuple[str, float | None, str]] = ()
    baseline_samples: BaselineSamples | None = None
    posts: Sequence[Post] = ()
    reason: str = ""


class Saved(enum.Enum):
    """What became of the result of an evaluation: it was written; nothing was, because its due time
    has been evaluated already, or because its alert was deleted; or nothing was, because another
    process has changed the alert since this one read its state, so that it is to be evaluated once
    more from the new state.
    """

    WRITTEN = enum.auto()
    ALREADY_EVALUATED = enum.auto()
    DELETED = enum.auto()
    STATE_CHANGED = enum.auto()


class OpenIncident(Struct, frozen=True):
    """State of an alert at its last evaluation, as JSON, and the channel of its message."""

    alert: str
    definition: str
    alert_state: bytes
    channel: str


class Silence(Struct, frozen=True):
    """A silence of one alert, made in chat."""

    number: int
    alert: str
    start: datetime
    end: datetime
    comment: str
    user: str

    def covers(self, alert: str, now: datetime) -> bool:
        return self.alert == alert and self.start <= now < self.end


class NewSilence(Struct, frozen=True):
    """A silence to be made. `rule` is the rule of the alert by which access was checked; there is
    none for those of the configuration.
    """

    alert: str
    start: datetime
    end: datetime
    comment: str
    user: str
    rule: StoredRule | None = None


class StoredRule(Struct, frozen=True):
    """A rule made in chat; `rule` is the rule as JSON."""

    number: int
    name: str
    command: str
    channel: str
    rule: str
    user: str
    made_at: datetime


class RuleEdit(Struct, frozen=True):
    """A change of a rule that was made in chat, as it was `before`; `rule` is the new one as JSON, and
    None where it is deleted.
    """

    before: StoredRule
    rule: str | None
    user: str
    now: datetime
