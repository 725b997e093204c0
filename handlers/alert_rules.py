"""`alert`, `alerts` and `unalert`: rules that people make, list and delete in the channel they are
in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from functools import partial
from typing import Any

import msgspec
from msgspec import structs

from bot import formatting
from bot.access import AccessPolicy
from bot.alerts.commands import (
    WORDS,
    CreateAlert,
    DeleteAlert,
    parse_alert_command,
    suggested_value,
)
from bot.alerts.form import ALERT_NAME
from bot.alerts.rule import Rule
from bot.alerts.state import MOST_SEVERE_FIRST
from bot.answer import Answer
from bot.blocks import kit, messages
from bot.blocks.alert_lines import OK_STATES, PAUSED, icon, rule_line, state_line
from bot.blocks.alerts import EDIT, RuleChange
from bot.commands.answering import Answerer
from bot.errors import BadQuestion
from bot.questions.question import AccountDirectory, CommandName, HelpRequest, Question
from bot.questions.reading import read_request
from bot.questions.registry import COMMANDS
from bot.schedules.due import Due
from bot.store import RuleStore, StoredRule
from handlers.alert_registry import RuleRegistry, rule_of
from handlers.alert_silences import SilenceManager
from handlers.jobs.alerts import AlertJob, schedule_of
from handlers.jobs.scheduler import Job, Scheduler
from handlers.pauses import Pausable, PauseGuard
from handlers.permissions import Permissions, Requester
from handlers.subscriptions import invitation, seen_by_all
from handlers.typed_secrets import SecretCheck


@dataclass(frozen=True, slots=True)
class AlertSummary:
    """The alerts a person may see: a line for each that needs attention, how many are OK, and when
    one was checked last.
    """

    lines: list[messages.ListLine]
    ok: int
    evaluated_at: datetime | None


@dataclass(frozen=True, slots=True)
class RuleManager:
    """Makes, changes, deletes and lists rules. Those of the configuration are listed and silenced
    here, and changed there.
    """

    answering: Answerer
    rules: RuleStore
    registry: RuleRegistry
    silences: SilenceManager
    scheduler: Scheduler
    job: AlertJob
    guard: PauseGuard
    secrets: SecretCheck
    zone: tzinfo
    clock: Callable[[], datetime]

    @property
    def permissions(self) -> Permissions:
        return self.registry.permissions

    @property
    def access(self) -> AccessPolicy:
        return self.registry.access

    async def handle(self, command: CommandName, text: str, asker: Requester) -> Answer | None:
        """The note for whoever typed it; None where the words are something else. Raises BadQuestion
        and AccessDenied.
        """
        verb = text.strip().partition(" ")[0].lower()
        if verb not in WORDS:
            return None
        requester = await self.permissions.requester(asker.user, asker.channel)
        if verb == "alert":
            # Checked before the words are read, because their refusal names accounts.
            self.access.require_manage(command, **requester.rights)
        try:
            action = parse_alert_command(command, text, self._directory(requester))
        except BadQuestion as error:
            raise self._with_working_hint(error, command, requester) from None
        if action is None:
            return None
        if action == "list":
            self.access.require(command, **requester.rights)
            return await self._list(command, requester)
        if isinstance(action, CreateAlert):
            return (await self.make(action, command, requester))[1]
        if isinstance(action, DeleteAlert):
            return await self._delete(action.name, command, requester)
        return await self.silences.handle(action, command, requester)

    async def open(self, now: datetime) -> list[Rule]:
        """Every rule, those made in chat as they were stored."""
        stored = await self.rules.rules()
        self.registry.chat_rules.update({each.name: each for each in stored})
        await self.silences.refresh(now)
        rules = list(self.registry.rules())
        await self.job.close_orphans(rules)
        return rules

    def scheduled(self, rule: Rule) -> Job:
        """The rule as a job. One that was made in chat runs with the rights that its creator has
        then.
        """
        scheduled = self.job.scheduled(rule)
        if rule.name not in self.registry.chat_rules:
            return scheduled
        return replace(scheduled, run=partial(self._run, rule))

    async def _run(self, rule: Rule, due: Due) -> None:
        alert = await self.job.state(rule)
        pausable = Pausable(
            schedule_of(rule.name),
            f"Alert `{rule.name}`",
            self.registry.owned(rule),
            f"/{rule.command} unalert {formatting.quoted(rule.name)}",
            alert.incident if alert.notified else "",
        )
        if await self.guard.may_run(pausable):
            await self.job.run(rule, due)

    async def nameable(self, requester: Requester) -> list[str]:
        """The names of the alerts here that the person may silence."""
        return [
            rule.name
            for rule in await self.registry.visible_here(requester)
            if self.access.may_manage(rule.command, **requester.rights)
        ]

    async def editable(self, name: str, command: CommandName, requester: Requester) -> StoredRule:
        """As `RuleRegistry.editable`."""
        return await self.registry.editable(name, command, requester)

    async def summary(self, requester: Requester) -> AlertSummary:
        """The state of the alerts that the person may know of, the most severe first."""
        rules = await self.registry.visible(requester)
        alerts = {rule.name: await self.job.state(rule) for rule in rules}
        now = self.clock()
        shown = [
            rule
            for rule in rules
            if alerts[rule.name].state not in OK_STATES
            or alerts[rule.name].errors
            or self.job.silences.active(rule.name, now)
            or self.guard.is_paused(schedule_of(rule.name))
        ]
        shown.sort(key=lambda rule: MOST_SEVERE_FIRST.index(alerts[rule.name].state))
        evaluated = [alert.evaluated_at for alert in alerts.values() if alert.evaluated_at]
        lines = [await self._line(rule, requester) for rule in shown]
        return AlertSummary(lines, len(rules) - len(shown), max(evaluated, default=None))

    def preview(
        self, new: CreateAlert, command: CommandName, requester: Requester
    ) -> tuple[Rule, Question]:
        """The rule that would be made. Raises BadQuestion."""
        directory = self._directory(requester)
        example = COMMANDS[command].alert_example(directory)
        try:
            question = read_request(command, new.query, directory, now=self.clock(), zone=self.zone)
            if not isinstance(question, HelpRequest):
                self.secrets.refuse(question.line, example)
        except BadQuestion as error:
            raise self._refused(new, command, directory, error) from None
        if isinstance(question, HelpRequest):
            raise BadQuestion("An alert cannot check `help`.", example)
        return rule_from(new, question.line, requester.channel), question

    async def make(
        self, new: CreateAlert, command: CommandName, requester: Requester, *, instead_of: str = ""
    ) -> tuple[Rule, Answer]:
        """A new rule, or a changed one in the place of `instead_of`, and the note about it."""
        self.access.require_manage(command, **requester.rights)
        changed = await self.editable(instead_of, command, requester) if instead_of else None
        if changed and changed.command != command:
            raise BadQuestion(
                f"Alert `{changed.name}` asks /{changed.command}, and cannot ask /{command} "
                "instead."
            )
        rule, question = self.preview(new, command, requester)
        now = self.clock()
        if changed:
            stored = await self._change(changed, rule, requester.user, now)
        else:
            stored = await self._add(rule, command, requester, now)
        rule = rule_of(stored)
        await self.scheduler.add(self.scheduled(rule))
        self.scheduler.once(schedule_of(rule.name), now)
        text = (
            _made_text(rule, question, changed=bool(changed))
            + seen_by_all(self.access, command, requester.channel)
            + await invitation(self.permissions.channels, requester.channel)
        )
        buttons = [
            kit.button("Edit rule", EDIT, rule.name),
            *kit.ask_buttons([("Show the data", rule.query)]),
        ]
        return rule, Answer(text, [*messages.note_blocks(text), kit.actions(buttons)])

    def _with_working_hint(
        self, error: BadQuestion, command: CommandName, requester: Requester
    ) -> BadQuestion:
        """The error with its hint as it can be typed: the question in it is corrected, too."""
        directory = self._directory(requester)
        try:
            new = parse_alert_command(command, error.hint.partition(" ")[2], directory)
            if isinstance(new, CreateAlert):
                self.preview(new, command, requester)
        except BadQuestion as another:
            error.hint = another.hint
        return error

    def _refused(
        self,
        new: CreateAlert,
        command: CommandName,
        directory: AccountDirectory,
        error: BadQuestion,
    ) -> BadQuestion:
        """The refusal of an alert's question, with an alert as its hint that was read and works."""
        value = suggested_value(command, new.query)
        message = f"{error.message} Or did you mean the value {value}?" if value else error.message
        hint = f"{error.hint.partition(' ')[2]} {new.condition}"
        # The usual interval is shown, so that people see that there is one.
        every = "" if "every" in new.condition.lower().split() else " every 15m"
        if not new.condition or not self._works(f"alert {hint}{every}", command, directory):
            return BadQuestion(message, COMMANDS[command].alert_example(directory))
        return BadQuestion(message, f"/{command} alert {hint}{every}")

    def _works(self, text: str, command: CommandName, directory: AccountDirectory) -> bool:
        try:
            new = parse_alert_command(command, text, directory)
            if not isinstance(new, CreateAlert):
                return False
            question = read_request(command, new.query, directory, now=self.clock(), zone=self.zone)
            if isinstance(question, HelpRequest):
                return False
            self.secrets.refuse(question.line, "")
        except BadQuestion:
            return False
        return True

    async def _add(
        self, rule: Rule, command: CommandName, requester: Requester, now: datetime
    ) -> StoredRule:
        name = rule.name or await self._free_name(command)
        stored = None
        if self.registry.find(name) is None:
            stored = await self.rules.add_rule(
                name=name,
                command=command,
                channel=requester.channel,
                rule=_encoded(structs.replace(rule, name=name)),
                user=requester.user,
                now=now,
            )
        if stored is None:
            message = f"There is already an alert `{name}`."
            raise BadQuestion(message, f"/{command} alerts", field=ALERT_NAME)
        self.registry.chat_rules[stored.name] = stored
        return stored

    async def _change(self, stored: StoredRule, rule: Rule, user: str, now: datetime) -> StoredRule:
        """The rule keeps its name and channel. With the same definition its state goes on; with
        another it starts afresh.
        """
        before = rule_of(stored)
        await self.silences.announce(
            before,
            user,
            f"Alert `{stored.name}` was changed from {rule_line(before)} to {rule_line(rule)}",
        )
        if before.definition != rule.definition:
            name = await self.permissions.people.name(user)
            await self.job.close(before, RuleChange.CHANGED, by=user, name=name)
        encoded = _encoded(structs.replace(rule, name=stored.name, channel=stored.channel))
        await self.rules.change_rule(stored.number, rule=encoded, user=user, now=now)
        changed = replace(stored, rule=encoded, user=user, made_at=now)
        self.registry.chat_rules[stored.name] = changed
        return changed

    async def _free_name(self, command: CommandName) -> str:
        names = (*await self.rules.names_ever(), *(rule.name for rule in self.registry.rules()))
        taken = {name.lower() for name in names}
        number = 1
        while f"{command}-{number}" in taken:
            number += 1
        return f"{command}-{number}"

    async def _delete(self, name: str, command: CommandName, requester: Requester) -> Answer:
        stored = await self.registry.deletable(name, command, requester)
        rule = rule_of(stored)
        user, user_name = requester.user, await self.permissions.people.name(requester.user)
        if not await self.job.close(rule, RuleChange.DELETED, by=user, name=user_name):
            what = f"Alert `{rule.name}` ({rule_line(rule)}) was deleted"
            await self.silences.announce(rule, user, what)
        await self.rules.end_rule(stored.number, user=user, now=self.clock())
        del self.registry.chat_rules[rule.name]
        self.scheduler.remove(schedule_of(rule.name))
        await self.guard.forget(schedule_of(rule.name))
        may_read = self.access.may_ask(rule.command, **requester.rights)
        checked = f" It checked {rule_line(rule)}." if may_read else ""
        return messages.note(f"Alert `{rule.name}` deleted.{checked}")

    async def _list(self, command: CommandName, requester: Requester) -> Answer:
        rules = await self.registry.visible_here(requester)
        if not rules:
            example = COMMANDS[command].alert_example(self._directory(requester))
            return messages.note(f"No alerts in this channel. Create one with `{example}`.")
        lines = [await self._line(rule, requester) for rule in rules]
        return messages.list_answer(f"Alerts (times in {self.zone}):", lines)

    async def _line(self, rule: Rule, requester: Requester) -> messages.ListLine:
        """An alert as it is listed. Whoever has lost access to its question sees neither that nor
        its result.
        """
        now = self.clock()
        stored = self.registry.chat_rules.get(rule.name)
        origin = "" if stored else f"; rule of bot.toml for {rule.channel}"
        silenced, person = "", stored.user if stored else ""
        silence = self.job.silences.active(rule.name, now)
        if silence:
            silenced, person = f"; {silence.text}", silence.user
        if not self.access.may_ask(rule.command, **requester.rights):
            return messages.ListLine(f"⏸ `{rule.name}` {PAUSED}{silenced}", person)
        if self.guard.is_paused(schedule_of(rule.name)):
            text = f"⏸ `{rule.name}` {PAUSED}: {rule_line(rule)}{origin}{silenced}"
            return messages.ListLine(text, person)
        alert = await self.job.state(rule)
        state = state_line(rule, alert, self.zone, now)
        dot = icon(alert, silenced=bool(silence))
        text = f"{dot} `{rule.name}` {state}: {rule_line(rule)}{origin}{silenced}"
        return messages.ListLine(text, person)

    def _directory(self, requester: Requester) -> AccountDirectory:
        """The accounts and logs whose names may be shown to the person."""
        return self.permissions.directory(self.answering.directory, requester)


def _made_text(rule: Rule, question: Question, *, changed: bool) -> str:
    window = f" The window is now {question.window.said}." if question.window else ""
    return (
        f"Alert `{rule.name}` {'updated' if changed else 'created'}: {rule_line(rule)}. Posts here; "
        f"checked every {formatting.format_interval(rule.every)}.{window} Delete it with "
        f"`/{rule.command} unalert {formatting.quoted(rule.name)}`."
    )


def _encoded(rule: Rule) -> str:
    return msgspec.json.encode(rule).decode()


def rule_from(new: CreateAlert, query: str, channel: str) -> Rule:
    """The rule of an alert as it was typed; `query` is its question as it was read."""
    threshold: dict[str, Any] = {new.side: new.threshold}
    return Rule(
        new.name,
        query,
        new.value,
        channel,
        **threshold,
        recover=new.recover,
        every=new.every,
        for_=new.for_,
        keep_firing_for=new.keep_firing_for,
        repeat=new.repeat,
        no_data=new.no_data,  # type: ignore[arg-type]
        each=new.each,
    )


def create_alert_from(rule: Rule) -> CreateAlert:
    """The alert as it would be typed, so that a form can change it."""
    return CreateAlert(
        rule.query.partition(" ")[2],
        rule.value,
        rule.side,  # type: ignore[arg-type]
        rule.threshold,
        recover=rule.recover,
        every=rule.every,
        for_=rule.for_,
        keep_firing_for=rule.keep_firing_for,
        repeat=rule.repeat,
        each=rule.each,
        no_data=rule.no_data,
        name=rule.name,
    )
