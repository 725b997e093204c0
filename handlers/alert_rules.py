"""`alert`, `alerts`, `unalert`, `silence` and `unsilence`: what people have watched, in the channel
they are in, and have quiet.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from functools import partial

import msgspec

from bot import formatting
from bot.access import AccessPolicy
from bot.alerts.commands import (
    WORDS,
    CreateAlert,
    DeleteAlert,
    Silence,
    Unsilence,
    read_alert_wish,
    value_meant,
)
from bot.alerts.rule import Rule
from bot.alerts.state import AlertState, State
from bot.answer import Answer
from bot.blocks import kit, messages
from bot.blocks.alerts import EDIT, format_value
from bot.commands.answering import Answerer
from bot.errors import BadQuestion
from bot.formatting import join_words
from bot.questions.question import CommandName, HelpRequest, Question
from bot.questions.reading import read_request
from bot.questions.registry import COMMANDS
from bot.schedules.due import Due
from bot.store import RuleStore, SilenceStore, StoredRule
from handlers.jobs.alerts import AlertJob, schedule_of
from handlers.jobs.scheduler import Job, Scheduler
from handlers.pauses import Pausable, PauseGuard
from handlers.permissions import Owned, Permissions, Requester
from handlers.subscriptions import invitation, not_a_manager, seen_by_all
from handlers.typed_secrets import SecretCheck

# "Until tomorrow" is when people are at work again.
MORNING = timedelta(hours=9)
# So many alerts are named where the one that was asked for is not there.
MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class AlertSummary:
    """How it stands with some alerts: a line for each that is not calm, how many are, and when one
    was looked at last.
    """

    told: list[str]
    calm: int
    evaluated_at: datetime | None


@dataclass(frozen=True, slots=True)
class RuleManager:
    """Takes wishes about alerts. Those of the configuration are shown and silenced here, and
    changed there.
    """

    answering: Answerer
    rules: RuleStore
    silences: SilenceStore
    scheduler: Scheduler
    job: AlertJob
    permissions: Permissions
    guard: PauseGuard
    secrets: SecretCheck
    zone: tzinfo
    clock: Callable[[], datetime]
    file_rules: Sequence[Rule]
    made: dict[str, StoredRule] = field(default_factory=dict)

    @property
    def access(self) -> AccessPolicy:
        return self.permissions.access

    async def take(self, command: CommandName, text: str, asker: Requester) -> Answer | None:
        """What became of the wish, for whoever wished; None where the words are something else.
        Raises BadQuestion and Refused.
        """
        verb = text.strip().partition(" ")[0].lower()
        if verb not in WORDS:
            return None
        requester = await self.permissions.requester(asker.user, asker.channel)
        if verb == "alert":
            # Before the words are read: a refusal of theirs names accounts.
            self.access.require_manage(command, **requester.rights)
        wish = read_alert_wish(
            command, text, self.permissions.directory(self.answering.directory, requester)
        )
        if wish is None:
            return None
        if wish == "list":
            self.access.require(command, **requester.rights)
            return await self._list(command, requester)
        return await self._do(wish, command, requester)

    async def open(self, now: datetime) -> list[Rule]:
        """Every rule there is, those made in chat as they were kept."""
        self.made.update({kept.name: kept for kept in await self.rules.rules()})
        await self.refresh_silences(now)
        rules = [*self.file_rules, *(rule_of(kept) for kept in self.made.values())]
        await self.job.close_orphans(rules)
        return rules

    def scheduled(self, rule: Rule) -> Job:
        """The rule with the time it is due. One that was made in chat is evaluated with the rights
        that its maker has then.
        """
        scheduled = self.job.scheduled(rule)
        if rule.name not in self.made:
            return scheduled
        return Job(
            scheduled.name, scheduled.trigger, partial(self._run, rule), scheduled.last_handled_at
        )

    async def _run(self, rule: Rule, due: Due) -> None:
        watch = await self.job.watch(rule)
        pausable = Pausable(
            schedule_of(rule.name),
            f"Alert `{rule.name}`",
            self.owned(rule),
            f"/{rule.command} unalert {formatting.quoted(rule.name)}",
            watch.incident if watch.told else "",
        )
        if await self.guard.may_run(pausable):
            await self.job.run(rule, due)

    def owned(self, rule: Rule) -> Owned:
        """Whose a rule is; one of the configuration is nobody's."""
        kept = self.made.get(rule.name)
        return Owned(rule.command, rule.channel, kept.user if kept else "")

    async def refresh_silences(self, now: datetime) -> None:
        """Reads which alerts are silent; each is looked at as soon as its silence ends."""
        await self.job.quiet.refresh(now)
        for silence in self.job.quiet.silences:
            self.scheduler.once(schedule_of(silence.alert), silence.end)

    def rule(self, name: str) -> Rule | None:
        """The rule of that name, in any case."""
        return next((rule for rule in self._rules() if rule.name.lower() == name.lower()), None)

    def names(self, channel: str) -> list[str]:
        """The alerts of a channel, and those of the configuration."""
        return [
            rule.name
            for rule in self._rules()
            if rule.name not in self.made or rule.channel == channel
        ]

    async def nameable(self, requester: Requester) -> list[str]:
        """The alerts of the person's channel, and those of the configuration, as far as they may
        silence them.
        """
        names = self.names(requester.channel)
        rules = [
            rule
            for rule in self._rules()
            if rule.name in names and await self.permissions.may_see(self.owned(rule), requester)
        ]
        return [
            rule.name for rule in rules if self.access.may_manage(rule.command, **requester.rights)
        ]

    async def standing(self, requester: Requester) -> AlertSummary:
        """State of the alerts that the person may know of: those that are not calm, the gravest
        first, and how many are.
        """
        rules = [
            rule
            for rule in self._rules()
            if await self.permissions.may_see(self.owned(rule), requester)
        ]
        watches = {rule.name: await self.job.watch(rule) for rule in rules}
        now = self.clock()
        restless = [
            rule
            for rule in rules
            if watches[rule.name].state not in _CALM
            or watches[rule.name].errors
            or self.job.quiet.said(rule.name, now)
            or self.guard.is_paused(schedule_of(rule.name))
        ]
        restless.sort(key=lambda rule: _GRAVITY.index(watches[rule.name].state))
        evaluated = [watch.evaluated_at for watch in watches.values() if watch.evaluated_at]
        lines = [await self._line(rule, requester) for rule in restless]
        return AlertSummary(lines, len(rules) - len(restless), max(evaluated, default=None))

    async def required(self, name: str, command: CommandName, requester: Requester) -> Rule:
        """The rule of that name, for whoever may manage it. Raises BadQuestion and Refused."""
        rule = await self._seen(name, command, requester)
        self.access.require_manage(rule.command, **requester.rights)
        return rule

    async def editable(self, name: str, command: CommandName, requester: Requester) -> StoredRule:
        """The rule of that name where it was made in this channel, for whoever may manage it.
        Raises BadQuestion and Refused.
        """
        rule = await self.required(name, command, requester)
        kept = self.made.get(rule.name)
        if kept is None:
            raise BadQuestion(
                f"`{rule.name}` is a rule of bot.toml and is changed there; here it can be "
                "silenced."
            )
        if kept.channel != requester.channel:
            raise BadQuestion(
                f"`{rule.name}` is an alert of another channel, and is changed there.",
                f"/{rule.command} alerts",
            )
        return kept

    async def _seen(self, name: str, command: CommandName, requester: Requester) -> Rule:
        """The rule of that name, where the person may know of it. What they may not see is not
        there. Raises BadQuestion and Refused.
        """
        rule = self.rule(name)
        if rule is not None and await self.permissions.may_see(self.owned(rule), requester):
            return rule
        self.access.require(command, **requester.rights)
        seen = [
            each.name
            for each in self._rules()
            if await self.permissions.may_see(self.owned(each), requester)
        ]
        near = difflib.get_close_matches(name[:60], seen, n=1)
        there = (
            f"; there {'are' if len(seen) > 1 else 'is'} {join_words(seen[:MOST_NAMED])}."
            if seen
            else "."
        )
        meant = f"; did you mean {near[0]}?" if near else there
        raise BadQuestion(
            f"There is no alert “{formatting.sanitise(name, 60)}”{meant}", f"/{command} alerts"
        )

    async def silence(
        self, rule: Rule, length: timedelta | None, comment: str, user: str
    ) -> Answer:
        """Quiet for so long, or until tomorrow morning."""
        now = self.clock()
        end = now + length if length else self._tomorrow(now)
        comment = self.secrets.redacted(comment)
        silence = await self.silences.silence(
            rule.name, end=end, comment=comment, user=user, now=now
        )
        await self.job.quiet.refresh(now)
        self.scheduler.once(schedule_of(rule.name), silence.end)
        why = f" ({comment})" if comment else ""
        until = f"until {formatting.format_time(end, self.zone, now)}{why}"
        name = await self.permissions.people.name(user)
        if not await self.job.silenced(rule, user=user, name=name):
            await self._announce(rule, user, f"Alert `{rule.name}` was silenced {until}")
        text = (
            f"Alert `{rule.name}` is silent {until}. It is looked at as always, and speaks at "
            "once if it"
            f" still fires then. End it earlier with `/{rule.command} unsilence "
            f"{formatting.quoted(rule.name)}`."
        )
        return messages.note(text)

    async def _announce(self, rule: Rule, user: str, what: str) -> None:
        """What somebody did to an alert of another, or of the configuration, is said where it
        stands.
        """
        if self.owned(rule).maker == user:
            return
        watch = await self.job.watch(rule)
        await self.guard.announcer.done_by(
            user, rule.channel, what, incident=watch.incident if watch.told else ""
        )

    def preview(
        self, wish: CreateAlert, command: CommandName, requester: Requester
    ) -> tuple[Rule, Question]:
        """The rule that a wish would make, not made. Raises BadQuestion."""
        directory = self.permissions.directory(self.answering.directory, requester)
        shown = COMMANDS[command].alert_example(directory)
        try:
            question = read_request(
                command, wish.words, directory, now=self.clock(), zone=self.zone
            )
            if not isinstance(question, HelpRequest):
                self.secrets.refuse(question.line, shown)
        except BadQuestion as error:
            meant = value_meant(command, wish.words)
            # The usual interval is named, so that people see that there is one.
            every = "" if "every" in wish.condition.lower().split() else " every 15m"
            fixed = (
                f"/{command} alert {error.hint.partition(' ')[2]} {wish.condition}{every}"
                if wish.condition
                else shown
            )
            raise BadQuestion(
                f"{error.message} Or did you mean the value {meant}?" if meant else error.message,
                fixed,
            ) from None
        if isinstance(question, HelpRequest):
            raise BadQuestion("Help is nothing to watch.", shown)
        above, below = (wish.threshold, None) if wish.side == "above" else (None, wish.threshold)
        rule = Rule(
            wish.name,
            question.line,
            wish.value,
            requester.channel,
            above=above,
            below=below,
            recover=wish.recover,
            every=wish.every,
            hold=wish.hold,
            keep=wish.keep,
            repeat=wish.repeat,
            no_data=wish.no_data,  # type: ignore[arg-type]
            each=wish.each,
        )
        return rule, question

    async def make(
        self, wish: CreateAlert, command: CommandName, requester: Requester, *, instead_of: str = ""
    ) -> tuple[Rule, Answer]:
        """A new rule, or another one in the place of one that was made here, and what to tell of
        it.
        """
        self.access.require_manage(command, **requester.rights)
        changed = await self.editable(instead_of, command, requester) if instead_of else None
        if changed and changed.command != command:
            raise BadQuestion(
                f"`{changed.name}` asks /{changed.command}, and cannot be made to ask /{command}."
            )
        rule, question = self.preview(wish, command, requester)
        now = self.clock()
        if changed:
            kept = await self._change(changed, rule, requester.user, now)
        else:
            kept = await self._add(rule, command, requester, now)
        rule = rule_of(kept)
        await self.scheduler.add(self.scheduled(rule))
        self.scheduler.once(schedule_of(rule.name), now)
        text = (
            self._made(rule, question, changed=bool(changed))
            + seen_by_all(self.access, command, requester.channel)
            + await invitation(self.permissions.channels, requester.channel)
        )
        buttons = [kit.button("Edit rule", EDIT, rule.name)]
        show = kit.ask_buttons([("Show the data", rule.line)])
        return rule, Answer(text, [*messages.note_blocks(text), kit.actions([*buttons, *show])])

    async def _do(
        self,
        wish: CreateAlert | DeleteAlert | Silence | Unsilence,
        command: CommandName,
        requester: Requester,
    ) -> Answer:
        if isinstance(wish, CreateAlert):
            return (await self.make(wish, command, requester))[1]
        if isinstance(wish, Silence):
            rule = await self.required(wish.name, command, requester)
            return await self.silence(rule, wish.length, wish.comment, requester.user)
        if isinstance(wish, Unsilence):
            return await self._unsilence(wish.name, command, requester)
        return await self._end(wish.name, command, requester)

    async def _add(
        self, rule: Rule, command: CommandName, requester: Requester, now: datetime
    ) -> StoredRule:
        name = rule.name or await self._free_name(command)
        if self.rule(name) is not None:
            raise BadQuestion(f"There is an alert `{name}` already.", f"/{command} alerts")
        kept = await self.rules.add_rule(
            name=name,
            command=command,
            channel=requester.channel,
            rule=_written(replace(rule, name=name)),
            user=requester.user,
            now=now,
        )
        if kept is None:
            raise BadQuestion(f"There is an alert `{name}` already.", f"/{command} alerts")
        self.made[kept.name] = kept
        return kept

    async def _change(self, kept: StoredRule, rule: Rule, user: str, now: datetime) -> StoredRule:
        """It keeps its name and its channel. What watches the same goes on; anything else starts
        afresh.
        """
        before = rule_of(kept)
        await self._announce(
            before,
            user,
            f"Alert `{kept.name}` was changed from {_watching(before)} to {_watching(rule)}",
        )
        if before.definition != rule.definition:
            await self.job.close(before, by=user, name=await self.permissions.people.name(user))
        written = _written(replace(rule, name=kept.name, channel=kept.channel))
        await self.rules.change_rule(kept.number, rule=written, user=user, now=now)
        changed = self.made[kept.name] = replace(kept, rule=written, user=user, made_at=now)
        return changed

    async def _free_name(self, command: CommandName) -> str:
        taken = {
            name.lower()
            for name in (*await self.rules.names_ever(), *(rule.name for rule in self._rules()))
        }
        number = 1
        while f"{command}-{number}" in taken:
            number += 1
        return f"{command}-{number}"

    async def _end(self, name: str, command: CommandName, requester: Requester) -> Answer:
        rule = self.rule(name)
        whose = self.owned(rule) if rule else None
        if rule is None or whose is None or not await self.permissions.may_end(whose, requester):
            await self._seen(name, command, requester)
            raise not_a_manager()
        kept = self.made.get(rule.name)
        if kept is None:
            raise BadQuestion(
                f"`{rule.name}` is a rule of bot.toml and is ended there; here it can be silenced.",
                f"/{rule.command} silence {formatting.quoted(rule.name)} 4h",
            )
        is_own = kept.user == requester.user
        if kept.channel != requester.channel and not (is_own and requester.is_in_direct_message):
            rule = await self._seen(name, command, requester)
            raise BadQuestion(
                f"`{rule.name}` is an alert of another channel, and is ended there.",
                f"/{rule.command} alerts",
            )
        name = await self.permissions.people.name(requester.user)
        if not await self.job.close(rule, by=requester.user, name=name):
            await self._announce(
                rule, requester.user, f"Alert `{rule.name}`, {_watching(rule)}, was ended"
            )
        await self.rules.end_rule(kept.number, user=requester.user, now=self.clock())
        del self.made[rule.name]
        self.scheduler.remove(schedule_of(rule.name))
        await self.guard.forget(schedule_of(rule.name))
        may_read = self.access.may_ask(rule.command, **requester.rights)
        return messages.note(
            f"Alert `{rule.name}` has ended{f': {_watching(rule)}' if may_read else ''}."
        )

    async def _unsilence(self, name: str, command: CommandName, requester: Requester) -> Answer:
        now = self.clock()
        rule = self.rule(name)
        silence = self.job.quiet.silence(rule.name, now) if rule else None
        is_own = silence is not None and silence.user == requester.user
        if rule is None or not is_own:
            rule = await self._silenceable(name, command, requester)
        if not await self.silences.unsilence(rule.name, user=requester.user, now=now):
            raise BadQuestion(f"Alert `{rule.name}` is not silenced.", f"/{rule.command} alerts")
        await self.job.quiet.refresh(now)
        self.scheduler.once(schedule_of(rule.name), now)
        if not is_own:
            await self._announce(
                rule, requester.user, f"The silence of alert `{rule.name}` was ended"
            )
        text = f"Alert `{rule.name}` may speak again; it is looked at now."
        return messages.note(text)

    async def _silenceable(self, name: str, command: CommandName, requester: Requester) -> Rule:
        """The rule of that name, for whoever may end a silence of somebody else's. Raises
        BadQuestion and Refused.
        """
        rule = self.rule(name)
        if rule is not None and self.access.is_manager(**requester.rights):
            return rule
        return await self.required(name, command, requester)

    async def _list(self, command: CommandName, requester: Requester) -> Answer:
        lines, here = [], set(self.names(requester.channel))
        for rule in self._rules():
            if rule.name in here and await self.permissions.may_see(self.owned(rule), requester):
                lines.append(await self._line(rule, requester))
        if not lines:
            shown = COMMANDS[command].alert_example(
                self.permissions.directory(self.answering.directory, requester)
            )
            text = f"There are no alerts in this channel. One is made with `{shown}`."
            return messages.note(text)
        head = f"Alerts (times in {self.zone}):"
        return messages.list_answer(head, lines)

    async def _line(self, rule: Rule, requester: Requester) -> str:
        """An alert as it is listed. Who has lost the right to ask its question reads neither that
        nor what came of it.
        """
        now = self.clock()
        watch = await self.job.watch(rule)
        quiet = self.job.quiet.said(rule.name, now)
        kept = self.made.get(rule.name)
        origin = "" if kept else f"; rule of bot.toml for {rule.channel}"
        by = f"; silent {quiet}" if quiet else f", by <@{kept.user}>" if kept else ""
        if not self.access.may_ask(rule.command, **requester.rights):
            return f"⏸ `{rule.name}` {_PAUSED}{by}"
        if self.guard.is_paused(schedule_of(rule.name)):
            return f"⏸ `{rule.name}` {_PAUSED}: {_watching(rule)}{origin}{by}"
        return (
            f"{_DOTS[watch.state]} `{rule.name}` {_state(rule, watch, self.zone, now)}: "
            f"{_watching(rule)}{origin}{by}"
        )

    def _made(self, rule: Rule, question: Question, *, changed: bool) -> str:
        window = f" Now it looks at {question.window.said}." if question.window else ""
        return (
            f"Alert `{rule.name}` {'is changed' if changed else 'is made'}: {_watching(rule)}. It "
            "is told in this channel, and looked at now and"
            f" every {formatting.format_duration(rule.every)}.{window} End it with "
            f"`/{rule.command} unalert {formatting.quoted(rule.name)}`."
        )

    def _tomorrow(self, now: datetime) -> datetime:
        local = now.astimezone(self.zone)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        return (midnight + timedelta(days=1) + MORNING).astimezone(now.tzinfo)

    def _rules(self) -> Iterator[Rule]:
        yield from self.file_rules
        for kept in self.made.values():
            yield rule_of(kept)


def rule_of(kept: StoredRule) -> Rule:
    """The rule as it was kept."""
    rule = msgspec.json.decode(kept.rule, type=Rule)
    return replace(
        rule,
        name=kept.name,
        channel=kept.channel,
        origin=f"this channel, made {kept.made_at.day} {kept.made_at:%b %Y}",
    )


def _written(rule: Rule) -> str:
    return msgspec.json.encode(rule).decode()


def _watching(rule: Rule) -> str:
    """What a rule watches, in one phrase."""
    value, threshold = rule.value, format_value(rule.value, rule.threshold)
    parts = [f"{value} of `{rule.line}` {rule.side} {threshold}"]
    parts += [f"for each {rule.each}"] if rule.each else []
    parts += (
        [f"calm again at {format_value(value, rule.recover)}"] if rule.recover is not None else []
    )
    parts += [f"for {formatting.format_duration(rule.hold)}"] if rule.hold else []
    parts += [f"repeated every {formatting.format_duration(rule.repeat)}"] if rule.repeat else []
    return ", ".join(parts)


def _state(rule: Rule, watch: AlertState, zone: tzinfo, now: datetime) -> str:
    """How it stands, in words: its state, since when, its value, and what is odd about it."""
    standing = watch.standing
    state = (
        "not looked at yet" if watch.state is State.UNKNOWN else watch.state.value.replace("_", " ")
    )
    since = (
        f" since {formatting.format_time(watch.started_at, zone, now)}"
        if watch.started_at and watch.state not in _CALM
        else ""
    )
    value = (
        f" ({format_value(rule.value, standing.value)})"
        if standing.value is not None and not rule.each
        else ""
    )
    flags = ["acknowledged"] if watch.acknowledged_by else []
    flags += ["flapping"] if watch.flapping else []
    flags += (
        [f"could not be evaluated {formatting.pluralise(watch.errors, 'time')} in a row"]
        if watch.errors
        else []
    )
    return f"{state}{since}{value}" + (f", {', '.join(flags)}" if flags else "")


_PAUSED = "paused, since its maker may not have it asked any more"
_GRAVITY = (State.FIRING, State.NO_DATA, State.PENDING, State.INACTIVE, State.UNKNOWN)
_CALM = frozenset({State.INACTIVE, State.UNKNOWN})
_DOTS = {
    State.FIRING: "🔴",
    State.PENDING: "🟡",
    State.NO_DATA: "⚪",
    State.INACTIVE: "🟢",
    State.UNKNOWN: "⚪",
}


def wish_of(rule: Rule) -> CreateAlert:
    """The wish that a rule came of, so that it can be changed."""
    return CreateAlert(
        rule.line.partition(" ")[2],
        rule.value,
        rule.side,  # type: ignore[arg-type]
        rule.threshold,
        rule.recover,
        rule.every,
        rule.hold,
        rule.keep,
        rule.repeat,
        rule.each,
        rule.no_data,
        rule.name,
    )
