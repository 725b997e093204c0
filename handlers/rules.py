"""`alert`, `alerts`, `unalert`, `silence` and `unsilence`: what people have watched, in the channel they are in, and have quiet."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo

import msgspec

from bot import words
from bot.access import Access
from bot.alerts.evaluate import State, Watch
from bot.alerts.notices import EDIT, measured
from bot.alerts.rule import Rule
from bot.alerts.wishes import Alert, Silence, Unalert, Unsilence, alert_example, read_alert_wish, value_meant
from bot.answer import Answer
from bot.blocks import kit, talk
from bot.errors import BadQuestion
from bot.question import CommandName, Question, read_question
from bot.store.alerts import Alerts, MadeRule
from handlers.answering import Answering
from handlers.jobs import Clockwork
from handlers.manage import Asker, seen_by_all
from handlers.watch import AlertJob, schedule_of

# "Until tomorrow" is when people are at work again.
MORNING = timedelta(hours=9)


@dataclass(frozen=True, slots=True)
class Standings:
    """How it stands with some alerts: a line for each that is not calm, how many are, and when one was looked at last."""

    told: list[str]
    calm: int
    evaluated_at: datetime | None


@dataclass(frozen=True, slots=True)
class RuleManager:
    """Takes wishes about alerts. Those of the configuration are shown and silenced here, and changed there."""

    answering: Answering
    alerts: Alerts
    clockwork: Clockwork
    job: AlertJob
    access: Access
    zone: tzinfo
    clock: Callable[[], datetime]
    file_rules: Sequence[Rule]
    made: dict[str, MadeRule] = field(default_factory=dict)

    async def take(self, command: CommandName, text: str, asker: Asker) -> Answer | None:
        """What became of the wish, for whoever wished; None where the words are something else. Raises BadQuestion and Refused."""
        wish = read_alert_wish(command, text, self.answering.directory)
        if wish is None:
            return None
        if wish == "list":
            self.access.require(command, **asker.rights)
            return await self._list(asker)
        return await self._do(wish, command, asker)

    async def open(self, now: datetime) -> list[Rule]:
        """Every rule there is, those made in chat as they were kept."""
        self.made.update({kept.name: kept for kept in await self.alerts.rules()})
        await self.job.quiet.refresh(now)
        for silence in self.job.quiet.silences:
            self.clockwork.once(schedule_of(silence.alert), silence.end)
        rules = [*self.file_rules, *(rule_of(kept) for kept in self.made.values())]
        await self.job.close_orphans(rules)
        return rules

    def rule(self, name: str) -> Rule | None:
        """The rule of that name, in any case."""
        return next((rule for rule in self._rules() if rule.name.lower() == name.lower()), None)

    def names(self, channel: str) -> list[str]:
        """The alerts of a channel, and those of the configuration."""
        return [rule.name for rule in self._rules() if rule.name not in self.made or rule.channel == channel]

    async def standing(self, commands: Collection[CommandName]) -> Standings:
        """How it stands with the alerts of these commands: those that are not calm, the gravest first, and how many are."""
        rules = [rule for rule in self._rules() if rule.command in commands]
        watches = {rule.name: await self.job.watch(rule) for rule in rules}
        now = self.clock()
        restless = [
            rule for rule in rules
            if watches[rule.name].state not in _CALM or watches[rule.name].errors or self.job.quiet.said(rule.name, now)
        ]  # fmt: skip
        restless.sort(key=lambda rule: _GRAVITY.index(watches[rule.name].state))
        evaluated = [watch.evaluated_at for watch in watches.values() if watch.evaluated_at]
        return Standings([await self._line(rule) for rule in restless], len(rules) - len(restless), max(evaluated, default=None))

    def required(self, name: str, command: CommandName, asker: Asker) -> Rule:
        """The rule of that name, for whoever may manage it. Raises BadQuestion and Refused."""
        rule = self.rule(name)
        if rule is None:
            near = difflib.get_close_matches(name, [rule.name for rule in self._rules()], n=1)
            meant = f"; did you mean {near[0]}?" if near else "."
            raise BadQuestion(f"There is no alert “{words.inert(name, 60)}”{meant}", f"/{command} alerts")
        self.access.require_manage(rule.command, **asker.rights)
        return rule

    async def silence(self, rule: Rule, length: timedelta | None, comment: str, user: str) -> Answer:
        """Quiet for so long, or until tomorrow morning."""
        now = self.clock()
        end = now + length if length else self._tomorrow(now)
        silence = await self.alerts.silence(rule.name, end=end, comment=comment, user=user, now=now)
        await self.job.quiet.refresh(now)
        self.clockwork.once(schedule_of(rule.name), silence.end)
        await self.job.silenced(rule, user=user)
        why = f" ({comment})" if comment else ""
        text = (
            f"Alert `{rule.name}` is silent until {words.moment(end, self.zone)}{why}. It is looked at as always, and speaks at once if it"
            f" still fires then. End it earlier with `/{rule.command} unsilence {words.quoted(rule.name)}`."
        )
        return talk.note(text)

    def preview(self, wish: Alert, command: CommandName, channel: str) -> tuple[Rule, Question]:
        """The rule that a wish would make, not made. Raises BadQuestion."""
        shown = alert_example(command, self.answering.directory)
        try:
            question = read_question(command, wish.words, self.answering.directory, now=self.clock(), zone=self.zone)
        except BadQuestion as error:
            meant = value_meant(command, wish.words)
            fixed = (
                f"/{command} alert {error.hint.partition(' ')[2]} {wish.condition}" if wish.condition and error.hint else shown
            )
            raise BadQuestion(f"{error.message} Or did you mean the value {meant}?" if meant else error.message, fixed) from None
        if question.help:
            raise BadQuestion("Help is nothing to watch.", shown)
        above, below = (wish.threshold, None) if wish.side == "above" else (None, wish.threshold)
        rule = Rule(
            wish.name, question.line, wish.value, channel, above=above, below=below, recover=wish.recover, every=wish.every,
            hold=wish.hold, keep=wish.keep, repeat=wish.repeat, no_data=wish.no_data, each=wish.each,  # type: ignore[arg-type]
        )  # fmt: skip
        return rule, question

    async def make(self, wish: Alert, command: CommandName, asker: Asker, *, instead_of: str = "") -> tuple[Rule, Answer]:
        """A new rule, or another one in the place of one that was made here, and what to tell of it."""
        self.access.require_manage(command, **asker.rights)
        rule, question = self.preview(wish, command, asker.channel)
        now = self.clock()
        changed = self.made.get(instead_of)
        if changed:
            kept = await self._change(changed, rule, asker.user, now)
        else:
            kept = await self._add(rule, command, asker, now)
        rule = rule_of(kept)
        await self.clockwork.add(self.job.scheduled(rule))
        self.clockwork.once(schedule_of(rule.name), now)
        text = self._made(rule, question, changed=bool(changed)) + seen_by_all(self.access, command, asker.channel)
        buttons = [kit.button("Edit rule", EDIT, rule.name)]
        show = kit.ask_buttons([("Show the data", rule.line)])
        return rule, Answer(text, [*talk.note_blocks(text), kit.actions([*buttons, *show])])

    async def _do(self, wish: Alert | Unalert | Silence | Unsilence, command: CommandName, asker: Asker) -> Answer:
        if isinstance(wish, Alert):
            return (await self.make(wish, command, asker))[1]
        rule = self.required(wish.name, command, asker)
        if isinstance(wish, Silence):
            return await self.silence(rule, wish.length, wish.comment, asker.user)
        if isinstance(wish, Unsilence):
            return await self._unsilence(rule, asker)
        return await self._end(rule, asker)

    async def _add(self, rule: Rule, command: CommandName, asker: Asker, now: datetime) -> MadeRule:
        name = rule.name or await self._free_name(command)
        if self.rule(name) is not None:
            raise BadQuestion(f"There is an alert `{name}` already.", f"/{command} alerts")
        kept = await self.alerts.add_rule(
            name=name, command=command, channel=asker.channel, rule=_written(replace(rule, name=name)), user=asker.user, now=now
        )
        if kept is None:
            raise BadQuestion(f"There is an alert `{name}` already.", f"/{command} alerts")
        self.made[kept.name] = kept
        return kept

    async def _change(self, kept: MadeRule, rule: Rule, user: str, now: datetime) -> MadeRule:
        """It keeps its name and its channel. What watches the same goes on; anything else starts afresh."""
        before = rule_of(kept)
        if before.definition != rule.definition:
            await self.job.close(before)
        written = _written(replace(rule, name=kept.name, channel=kept.channel))
        await self.alerts.change_rule(kept.number, rule=written, user=user, now=now)
        changed = self.made[kept.name] = replace(kept, rule=written, user=user, made_at=now)
        return changed

    async def _free_name(self, command: CommandName) -> str:
        taken = {name.lower() for name in (*await self.alerts.names_ever(), *(rule.name for rule in self._rules()))}
        number = 1
        while f"{command}-{number}" in taken:
            number += 1
        return f"{command}-{number}"

    async def _end(self, rule: Rule, asker: Asker) -> Answer:
        kept = self.made.get(rule.name)
        if kept is None:
            raise BadQuestion(
                f"`{rule.name}` is a rule of bot.toml and is ended there; here it can be silenced.",
                f"/{rule.command} silence {words.quoted(rule.name)} 4h",
            )
        if kept.channel != asker.channel:
            raise BadQuestion(f"`{rule.name}` is an alert of another channel, and is ended there.", f"/{rule.command} alerts")
        await self.job.close(rule)
        await self.alerts.end_rule(kept.number, user=asker.user, now=self.clock())
        del self.made[rule.name]
        self.clockwork.remove(schedule_of(rule.name))
        text = f"Alert `{rule.name}` has ended: {_watching(rule)}."
        return talk.note(text)

    async def _unsilence(self, rule: Rule, asker: Asker) -> Answer:
        now = self.clock()
        if not await self.alerts.unsilence(rule.name, user=asker.user, now=now):
            raise BadQuestion(f"Alert `{rule.name}` is not silenced.", f"/{rule.command} alerts")
        await self.job.quiet.refresh(now)
        self.clockwork.once(schedule_of(rule.name), now)
        text = f"Alert `{rule.name}` may speak again; it is looked at now."
        return talk.note(text)

    async def _list(self, asker: Asker) -> Answer:
        lines, here = [], set(self.names(asker.channel))
        for rule in self._rules():
            if rule.name in here and self.access.may_ask(rule.command, **asker.rights):
                lines.append(await self._line(rule))
        if not lines:
            shown = alert_example("usage", self.answering.directory)
            text = f"There are no alerts in this channel. One is made with `{shown}`."
            return talk.note(text)
        head = f"Alerts (times in {self.zone}):"
        return talk.listing(head, lines)

    async def _line(self, rule: Rule) -> str:
        now = self.clock()
        watch = await self.job.watch(rule)
        quiet = self.job.quiet.said(rule.name, now)
        kept = self.made.get(rule.name)
        origin = "" if kept else f"; rule of bot.toml for {rule.channel}"
        by = f"; silent {quiet}" if quiet else f", by <@{kept.user}>" if kept else ""
        return f"{_DOTS[watch.state]} `{rule.name}` {_state(rule, watch, self.zone)}: {_watching(rule)}{origin}{by}"

    def _made(self, rule: Rule, question: Question, *, changed: bool) -> str:
        window = f" Now it looks at {question.window.said}." if question.window else ""
        return (
            f"Alert `{rule.name}` {'is changed' if changed else 'is made'}: {_watching(rule)}. It is told in this channel, and looked at now and"
            f" every {words.lasting(rule.every)}.{window} End it with `/{rule.command} unalert {rule.name}`."
        )

    def _tomorrow(self, now: datetime) -> datetime:
        local = now.astimezone(self.zone)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        return (midnight + timedelta(days=1) + MORNING).astimezone(now.tzinfo)

    def _rules(self) -> Iterator[Rule]:
        yield from self.file_rules
        for kept in self.made.values():
            yield rule_of(kept)


def rule_of(kept: MadeRule) -> Rule:
    """The rule as it was kept."""
    rule = msgspec.json.decode(kept.rule, type=Rule)
    return replace(
        rule, name=kept.name, channel=kept.channel, origin=f"this channel, made {kept.made_at.day} {kept.made_at:%b %Y}"
    )


def _written(rule: Rule) -> str:
    return msgspec.json.encode(rule).decode()


def _watching(rule: Rule) -> str:
    """What a rule watches, in one phrase."""
    value, threshold = rule.value, measured(rule.value, rule.threshold)
    parts = [f"{value} of `{rule.line}` {rule.side} {threshold}"]
    parts += [f"for each {rule.each}"] if rule.each else []
    parts += [f"calm again at {measured(value, rule.recover)}"] if rule.recover is not None else []
    parts += [f"for {words.lasting(rule.hold)}"] if rule.hold else []
    parts += [f"repeated every {words.lasting(rule.repeat)}"] if rule.repeat else []
    return ", ".join(parts)


def _state(rule: Rule, watch: Watch, zone: tzinfo) -> str:
    """How it stands, in words: its state, since when, its value, and what is odd about it."""
    standing = watch.standing
    state = "not looked at yet" if watch.state is State.UNKNOWN else watch.state.value.replace("_", " ")
    since = f" since {words.moment(standing.since, zone)}" if standing.since and watch.state is not State.INACTIVE else ""
    value = f" ({measured(rule.value, standing.value)})" if standing.value is not None and not rule.each else ""
    flags = ["acknowledged"] if watch.acknowledged_by else []
    flags += ["flapping"] if watch.flapping else []
    flags += [f"could not be evaluated {words.count(watch.errors, 'time')} in a row"] if watch.errors else []
    return f"{state}{since}{value}" + (f", {', '.join(flags)}" if flags else "")


_GRAVITY = (State.FIRING, State.NO_DATA, State.PENDING, State.INACTIVE, State.UNKNOWN)
_CALM = frozenset({State.INACTIVE, State.UNKNOWN})
_DOTS = {State.FIRING: "🔴", State.PENDING: "🟡", State.NO_DATA: "⚪", State.INACTIVE: "🟢", State.UNKNOWN: "⚪"}


def wish_of(rule: Rule) -> Alert:
    """The wish that a rule came of, so that it can be changed."""
    return Alert(
        rule.line.partition(" ")[2], rule.value, rule.side, rule.threshold, rule.recover, rule.every, rule.hold, rule.keep,  # type: ignore[arg-type]
        rule.repeat, rule.each, rule.no_data, rule.name,
    )  # fmt: skip
