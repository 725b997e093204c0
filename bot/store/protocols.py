"""Ports of the store, one Protocol for each aggregate.

Every method may raise StoreUnavailable. A claim belongs to the process that made it as long as that
process renews its lease; afterwards another process can take it over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from bot.commands import seen_store
from bot.store.question_protocols import (
    AnswerStore,
    DeliveryStore,
    QuestionStore,
    SavedQuestionStore,
)
from bot.store.records import (
    Backlog,
    EvaluationRecord,
    NewSilence,
    OpenIncident,
    Post,
    QueuedPost,
    RuleEdit,
    Sample,
    Saved,
    Silence,
    StoredCanvas,
    StoredRule,
    Subscription,
    TimedValue,
)
from providers.limits.rate_limiter import RateLimitStore

__all__ = [
    "AlertStore",
    "AnswerStore",
    "BaselineStore",
    "CanvasStore",
    "DeliveryStore",
    "OutboxStore",
    "PauseStore",
    "QuestionStore",
    "RateLimitStore",
    "RuleStore",
    "SavedQuestionStore",
    "ScheduleStore",
    "SeenStore",
    "SilenceStore",
    "SubscriptionStore",
    "TimeStore",
]


class OutboxStore(Protocol):
    """Messages on their way to Slack, and the channels that names refer to."""

    async def enqueue(self, post: Post, *, now: datetime) -> bool:
        """Puts a post into the outbox. False if its key exists already."""
        ...

    async def claim_post(self, *, now: datetime, busy: Sequence[str] = ()) -> QueuedPost | None:
        """Claims the oldest post that is due, in a lane that is not `busy` here or in another
        process. Later posts of a lane wait for it, unless it was set aside; a post about another
        one waits for that one.
        """
        ...

    async def holds(self, waiting: QueuedPost) -> bool:
        """Whether this process still has the claim on a post, which it then keeps for another
        lease. Call this right before sending the post: a process that was paused may have lost its
        claim.
        """
        ...

    async def sent(self, waiting: QueuedPost, *, ts: str, now: datetime | None = None) -> None:
        """Marks a post as sent. If it had been set aside, the later ones that were set aside in its
        lane are due `now`, so that their order is kept.
        """
        ...

    async def drop(self, waiting: QueuedPost, *, problem: str) -> None:
        """Marks a post as done without sending it, so that nothing waits for it."""
        ...

    async def reschedule(
        self,
        waiting: QueuedPost,
        *,
        until: datetime,
        problem: str,
        may_be_posted: bool = False,
        aside: bool = False,
    ) -> None:
        """Releases a post to be tried again later. With `may_be_posted` it may be in Slack already and
        is looked for first; with `aside` its lane does not wait for it. An edit that a newer one
        has replaced is dropped.
        """
        ...

    async def release_claims(self) -> None:
        """Gives up all claims of this process on posts, so that another one can take them."""
        ...

    async def address_of(self, key: str) -> tuple[str, str] | None:
        """The channel and the `ts` of a post that was sent; None if it was not, or is forgotten."""
        ...

    async def oldest_waiting(self) -> datetime | None:
        """When the oldest unsent post was queued; those set aside do not count."""
        ...

    async def backlog(self) -> list[Backlog]:
        """Unsent posts by channel, longest wait first; those set aside do not count."""
        ...

    async def pin_channel(self, team: str, name: str, channel_id: str, *, now: datetime) -> None:
        """Pins the name to this channel, even if another one gets the name."""
        ...

    async def pinned_channels(self, team: str) -> dict[str, str]:
        """Channel ids by name."""
        ...

    async def prune(self, *, before: datetime) -> None:
        """Deletes posts queued before that time and sent. The message of an open incident stays,
        since its next change edits it and replies to it.
        """
        ...


class ScheduleStore(Protocol):
    """Schedules and their runs, each of which is executed once."""

    async def last_handled_at(self, schedule: str, definition: str, *, now: datetime) -> datetime:
        """The due time up to which a schedule was handled; `now` if it is new or has another
        definition.
        """
        ...

    async def claim_run(self, schedule: str, due: datetime, *, now: datetime) -> int | None:
        """Claims a run. None if another process has it, it has ended, or another process is
        executing an earlier one; otherwise the number of earlier, unfinished runs that are skipped.
        """
        ...

    async def unfinished_runs(self, *, since: datetime) -> list[tuple[str, datetime]]:
        """Runs due since then that no process is executing: schedule and due time."""
        ...

    async def end_run(
        self, schedule: str, due: datetime, *, outcome: str, posts: Sequence[Post], now: datetime
    ) -> None:
        """Ends a run and enqueues its posts, in one transaction. Does nothing if the run has ended
        or another process has taken it over.
        """
        ...

    async def release_claims(self) -> None:
        """Gives up all claims of this process on runs, so that another one can execute them."""
        ...

    async def prune(self, *, before: datetime) -> None:
        """Deletes runs due before that time."""
        ...


class SubscriptionStore(Protocol):
    """Questions that channels are subscribed to."""

    async def subscribe(
        self,
        *,
        channel: str,
        line: str,
        cron: str,
        said: str,
        user: str,
        now: datetime,
        as_canvas: bool = False,
    ) -> Subscription: ...

    async def unsubscribe(
        self, number: int, *, channel: str, user: str, now: datetime
    ) -> Subscription | None:
        """Ends a subscription, which stays on record. None if the channel has no such one."""
        ...

    async def subscriptions(self, channel: str | None = None) -> list[Subscription]:
        """Active subscriptions of one channel, or of all."""
        ...


class CanvasStore(Protocol):
    """The canvases of digests."""

    async def canvas(self, digest: str, channel: str) -> StoredCanvas | None:
        """The canvas of a digest in one channel; None if none was begun."""
        ...

    async def save(self, canvas: StoredCanvas) -> None:
        """Replaces what is known of a canvas."""
        ...

    async def begin_update(self, digest: str, channel: str) -> bool:
        """Claims the canvas of a digest until `end_update`. False while another process that lives
        has claimed it.
        """
        ...

    async def end_update(self, digest: str, channel: str) -> None:
        """Lets other processes update the canvas."""
        ...

    async def refused(self) -> list[StoredCanvas]:
        """Canvases that Slack has refused, so that messages are posted instead."""
        ...


class AlertStore(Protocol):
    """State of alerts, the samples of their evaluations, and what was posted about them."""

    async def stored_states(self, alerts: Sequence[tuple[str, str]]) -> list[bytes | None]:
        """State of each alert, by name and definition, at its last evaluation as JSON; None if
        there was none with this definition.
        """
        ...

    async def open_incidents(self) -> list[OpenIncident]:
        """Every alert that has an incident message."""
        ...

    async def last_handled_at(self, alert: str, definition: str, *, now: datetime) -> datetime:
        """When the last evaluation was due; `now` if there was none."""
        ...

    async def claim_evaluations(self, due: Sequence[tuple[str, datetime]]) -> list[bool]:
        """Claims evaluations by alert and due time, in one transaction. False for each that another
        process has.
        """
        ...

    async def claimed_elsewhere(self, due: Sequence[tuple[str, datetime]]) -> set[str]:
        """The alerts among these whose evaluation another process has, or has made. Claims nothing."""
        ...

    async def abandoned_evaluations(self, *, since: datetime) -> list[tuple[str, datetime]]:
        """Evaluations due since then whose process has ended before it saved them: alert and due
        time.
        """
        ...

    async def save_evaluations(self, evaluations: Sequence[EvaluationRecord]) -> list[Saved]:
        """Writes the results of evaluations and their posts, in one transaction, and returns what
        became of each.
        """
        ...

    async def save_user_action(
        self, evaluation: EvaluationRecord, made: NewSilence | RuleEdit | None = None
    ) -> bool:
        """Writes the state of an alert after a person has acted on it, the silence or the change of
        its rule that they have made, and the posts about that, in one transaction. False, and
        nothing is written, if another process has changed the alert since this one read its state.
        Raises RuleChanged.
        """
        ...

    async def edit_rule(self, edit: RuleEdit, posts: Sequence[Post] = ()) -> bool:
        """The same for a change of a rule without an open incident."""
        ...

    def changed_before(self, alerts: Sequence[str]) -> set[str]:
        """The claimed alerts whose state another process had written before they were claimed. A
        later write is detected when the result is saved.
        """
        ...

    async def changed_elsewhere(self) -> set[str]:
        """The alerts whose state another process has written since this one read it."""
        ...

    async def states(self) -> dict[str, str]:
        """State of each alert at its last evaluation, by name."""
        ...

    async def definitions(self, alert: str) -> list[str]:
        """The definitions under which the alert has samples."""
        ...

    async def samples(
        self, alert: str, definition: str, *, since: datetime, until: datetime
    ) -> list[Sample]:
        """Samples of a time range, oldest first."""
        ...

    async def prune(self, *, samples_before: datetime, notices_before: datetime) -> None:
        """Deletes samples and notices from before those times."""
        ...


class BaselineStore(Protocol):
    """Samples that baselines are made of, by alert, definition of the baseline, and subject. Those
    of evaluations are written together with their states.
    """

    async def add(
        self, alert: str, definition: str, samples: Mapping[str, Sequence[TimedValue]]
    ) -> None:
        """Adds samples by subject; an existing one at the same time is kept."""
        ...

    async def samples(
        self,
        alert: str,
        definition: str,
        subjects: Sequence[str],
        spans: Sequence[tuple[datetime, datetime]],
    ) -> dict[str, list[TimedValue]]:
        """The samples of each subject in the spans, which exclude their ends."""
        ...

    async def prune(self, *, before: datetime) -> None:
        """Deletes samples from before that time."""
        ...


class SeenStore(seen_store.SeenStore, Protocol):
    """Values of API calls by account and day."""

    async def prune(self, *, before: datetime) -> None:
        """Deletes the days before that time."""
        ...


class RuleStore(Protocol):
    """Alert rules made in chat."""

    async def add_rule(
        self, *, name: str, command: str, channel: str, rule: str, user: str, now: datetime
    ) -> StoredRule | None:
        """The new rule; None if an active one has that name, ignoring case."""
        ...

    async def names_ever(self) -> set[str]:
        """Names of all rules ever created, so that a generated name is not reused."""
        ...

    async def edit_rule(self, edit: RuleEdit, posts: Sequence[Post] = ()) -> None:
        """Replaces a rule and its maker, or ends it, and puts the posts about that into the outbox, in
        one transaction. A rule that has ended stays on record, without its state, and its
        silence ends. Raises RuleChanged if it is no longer as it was before.
        """
        ...

    async def rules(self) -> list[StoredRule]:
        """Active rules, oldest first."""
        ...


class SilenceStore(Protocol):
    """Silences of alerts made in chat."""

    async def silence(self, new: NewSilence, posts: Sequence[Post] = ()) -> Silence:
        """Silences an alert and puts the posts about that into the outbox, in one transaction. An
        earlier silence of it ends and stays on record. Raises RuleChanged.
        """
        ...

    async def unsilence(
        self,
        silence: Silence,
        posts: Sequence[Post] = (),
        *,
        user: str,
        now: datetime,
        rule: StoredRule | None = None,
    ) -> bool:
        """Ends a silence and puts the posts about that into the outbox, in one transaction. False, and
        nothing is written, if it has ended. Raises RuleChanged for the `rule` by which access was
        checked.
        """
        ...

    async def silences(self, now: datetime) -> list[Silence]:
        """Silences that have not ended."""
        ...


class PauseStore(Protocol):
    """Schedules that are paused, by name. Each change is written together with the posts about it,
    so that it is posted once.
    """

    async def all(self) -> set[str]: ...

    async def pause(self, schedule: str, posts: Sequence[Post], *, now: datetime) -> bool:
        """False, and nothing is posted, if it is paused already."""
        ...

    async def resume(self, schedule: str, posts: Sequence[Post], *, now: datetime) -> bool:
        """False, and nothing is posted, if it is not paused."""
        ...


class TimeStore(Protocol):
    """Stored times at which something is due."""

    async def latest(self) -> datetime | None:
        """The latest of them; None if there are none."""
        ...

    async def reset(self, now: datetime) -> timedelta | None:
        """Resets all that lie in the future because the clock was ahead. Returns how far ahead the
        furthest was; None if there were none.
        """
        ...
