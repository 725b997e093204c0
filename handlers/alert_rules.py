"""`alert`, `alerts`, `unalert` and `acknowledge`: rules that people create, list and delete in their
channel, and incidents that they take on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import ClassVar

import msgspec
from msgspec import Struct, structs

from bot import formatting
from bot.access import AccessPolicy
from bot.alerts.commands import (
    Acknowledge,
    AlertCommand,
    CreateAlert,
    DeleteAlert,
    EditAlert,
    ListAlerts,
    ShowAlert,
    parse_alert_command,
    suggested_value,
)
from bot.alerts.form import ALERT_NAME
from bot.alerts.rule import Rule
from bot.alerts.value_words import compares_nothing
from bot.answer import Answer
from bot.blocks import kit, messages
from bot.blocks.alert_buttons import EDIT
from bot.blocks.alert_context import RuleChange
from bot.blocks.alert_lines import Names, rule_line
from bot.blocks.rule_changes import rule_changes
from bot.errors import BadQuestion, FormName
from bot.questions.managing import ALERT_WORDS, names_question
from bot.questions.question import CommandName, Question
from bot.questions.registry import COMMANDS
from bot.schedules.due import Due
from bot.store import RuleEdit, RuleStore, StoredRule
from handlers.alert_edits import edited
from handlers.alert_list import AlertList
from handlers.alert_registry import RuleRegistry, explaining_change, rule_of
from handlers.alert_silences import SilenceManager
from handlers.alert_texts import alert_line, baseline_text, created_text, line_with_comparison
from handlers.chat_commands import (
    QuestionReader,
    audience_warning,
    handle_command,
    invitation,
    working_hints,
)
from handlers.jobs.alert_schedules import schedule_of
from handlers.jobs.alerts import AlertJob
from handlers.jobs.orphans import close_orphans
from handlers.jobs.scheduler import Job, Scheduler
from handlers.pauses import Pausable, PauseGuard
from handlers.permissions import Permissions, Requester
from handlers.recipients import RecipientLookup
from handlers.rule_conversion import rule_from


class RuleManager(Struct, frozen=True):
    """Creates, changes, deletes and lists rules. Those of the configuration are listed and silenced
    here, and changed there.
    """

    questions: QuestionReader
    rules: RuleStore
    registry: RuleRegistry
    silences: SilenceManager
    scheduler: Scheduler
    job: AlertJob
    guard: PauseGuard
    listing: AlertList
    recipients: RecipientLookup
    clock: Callable[[], datetime]
    verbs: ClassVar[Sequence[str]] = ALERT_WORDS
    create_verb: ClassVar[str] = "alert"
    forms: ClassVar[Mapping[str, FormName]] = MappingProxyType(
        {"alert": "alert", "silence": "silence"}
    )

    @property
    def permissions(self) -> Permissions:
        return self.registry.permissions

    @property
    def access(self) -> AccessPolicy:
        return self.registry.access

    async def handle(self, command: CommandName, text: str, asker: Requester) -> Answer | None:
        """As `Manager.handle`."""
        # An account or a log keeps its name.
        if names_question(text.strip().partition(" ")[0], self.questions.answering.directory):
            return None
        return await handle_command(self, command, text, asker)

    def parse(self, command: CommandName, text: str, requester: Requester) -> AlertCommand:
        action = parse_alert_command(command, text, self.questions.directory(requester))
        assert action is not None, "the first word is one of `verbs`"
        return action

    def check(self, action: AlertCommand, command: CommandName, requester: Requester) -> None:
        if isinstance(action, CreateAlert):
            self._question(action, command, requester)

    def example(self, command: CommandName, requester: Requester) -> str:
        return COMMANDS[command].alert_example(self.questions.directory(requester))

    async def run(self, action: AlertCommand, command: CommandName, requester: Requester) -> Answer:
        if isinstance(action, ListAlerts):
            self.access.require(command, **requester.rights)
            return await self._list(action, command, requester)
        if isinstance(action, EditAlert):
            return await edited(self, action, command, requester)
        if isinstance(action, CreateAlert):
            return (await self.make(action, command, requester))[1]
        if isinstance(action, DeleteAlert):
            return await self._delete(action.name, command, requester)
        if isinstance(action, ShowAlert):
            return await self.listing.named(action.name, command, requester)
        if isinstance(action, Acknowledge):
            return await self._acknowledge(action.name, command, requester)
        return await self.silences.handle(action, command, requester)

    async def open(self, now: datetime) -> list[Rule]:
        """Every rule, those made in chat as they were stored."""
        stored = await self.rules.rules()
        self.registry.chat_rules.update({each.name: each for each in stored})
        await self.silences.refresh(now)
        rules = list(self.registry.rules())
        # After the chat rules are known: an incident whose rule is unknown is closed as deleted.
        await close_orphans(self.job, rules)
        return rules

    async def escalating(self) -> list[Rule]:
        """The rules that escalate, but for those that are paused, or whose creator may call nobody
        now.
        """
        rules = [
            # The creator may have lost the right to call people since the rule was saved.
            await self._as_allowed(rule)
            for rule in list(self.registry.escalating())
            if not self.guard.is_paused(schedule_of(rule.name))
        ]
        return [rule for rule in rules if rule.paging.escalate_after]

    async def refresh(self) -> None:
        """Adopts rules that another process has made, changed or deleted."""
        async with self.registry.lock:
            stored = {each.name: each for each in await self.rules.rules()}
            known = self.registry.chat_rules
            ended = [name for name in known if name not in stored]
            changed = [each for name, each in stored.items() if not _is_same(known.get(name), each)]
            for name in ended:
                del known[name]
                self.scheduler.remove(schedule_of(name))
            for each in changed:
                await self._adopt(each)

    def scheduled(self, rule: Rule) -> Job:
        """The rule as a job. A rule from chat runs with the rights that its creator has at that
        time.
        """
        scheduled = self.job.scheduled(rule)
        if rule.name not in self.registry.chat_rules:
            return scheduled
        return structs.replace(scheduled, run=partial(self._run, rule))

    async def _run(self, rule: Rule, due: Due) -> None:
        alert = await self.job.state(rule)
        # A pause is posted in the thread of the open incident, where people look.
        pausable = Pausable(
            schedule_of(rule.name),
            f"Alert `{rule.name}`",
            self.registry.owned(rule),
            f"/{rule.command} unalert {formatting.quoted(rule.name)}",
            alert.incident if alert.notified else "",
        )
        if await self.guard.may_run(pausable):
            await self.job.run(await self._as_allowed(rule), due)

    async def _as_allowed(self, rule: Rule) -> Rule:
        """The rule with those whom its creator may call now."""
        if rule.paging.calls_nobody:
            return rule
        if await self.permissions.creator_may_notify(self.registry.owned(rule)):
            return rule
        return structs.replace(rule, paging_or_unset=rule.paging.without_calls())

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

    def preview(
        self, new: CreateAlert, command: CommandName, requester: Requester
    ) -> tuple[Rule, Question]:
        """The rule that would be made. Raises BadQuestion."""
        with working_hints(self, command, requester):
            question = self._question(new, command, requester)
        return rule_from(new, question.line, requester.channel), question

    async def make(
        self, new: CreateAlert, command: CommandName, requester: Requester, *, instead_of: str = ""
    ) -> tuple[Rule, Answer]:
        """A new rule, or a changed one in place of `instead_of`, and the note about it."""
        self.access.require_manage(command, **requester.rights)
        changed = await self.editable(instead_of, command, requester) if instead_of else None
        if changed and changed.command != command:
            raise BadQuestion(
                f"Alert `{changed.name}` asks /{changed.command}, and cannot ask /{command} "
                "instead."
            )
        new = await self._with_recipients(new, command, requester)
        rule, question = self.preview(new, command, requester)
        now = self.clock()
        if changed:
            stored = await self._change(changed, rule, requester.user, now)
        else:
            stored = await self._add(rule, command, requester, now)
        rule = rule_of(stored)
        # Checked at once, so that its creator sees the result and not only after `every`.
        self.scheduler.once(schedule_of(rule.name), now)
        text = (
            created_text(rule, question, await self._names(rule), changed=bool(changed))
            + await baseline_text(rule, self.job.baselines, now)
            + await audience_warning(self.permissions, command, requester.channel)
            + await invitation(self.permissions.channels, requester.channel)
        )
        buttons = [
            kit.button("Edit alert", EDIT, rule.name),
            *kit.ask_buttons([("Show the data", rule.query)]),
        ]
        return rule, Answer(text, [*messages.note_blocks(text), kit.actions(buttons)])

    def _question(self, new: CreateAlert, command: CommandName, requester: Requester) -> Question:
        """The question that an alert asks. Raises BadQuestion with an alert as its hint."""
        try:
            question = self.questions.read(
                command, new.query, requester, no_help="An alert cannot check `help`."
            )
            if why := compares_nothing(question, new.value):
                raise BadQuestion(f"{why}.", line_with_comparison(question))
            return question
        except BadQuestion as error:
            # A misspelt value is read as a part of the question, which is then refused.
            value = suggested_value(command, new.query)
            also = f" Or did you mean the value {value}?" if value else ""
            hint = self.example(command, requester)
            if new.condition:
                hint = alert_line(command, error.hint.partition(" ")[2], new.condition)
            raise BadQuestion(f"{error.message}{also}", hint) from None

    async def _with_recipients(
        self, new: CreateAlert, command: CommandName, requester: Requester
    ) -> CreateAlert:
        """The alert with the ids of those whom it calls. Raises BadQuestion."""
        example = self.example(command, requester)
        self.questions.secrets.refuse(new.paging.runbook, example)
        try:
            paging = await self.recipients.resolved(new.paging, requester)
        except BadQuestion as error:
            raise BadQuestion(error.message, example) from None
        return replace(new, paging=paging)

    async def _add(
        self, rule: Rule, command: CommandName, requester: Requester, now: datetime
    ) -> StoredRule:
        name = rule.name or await self._free_name(command)
        stored = None
        async with self.registry.lock:
            # Names are compared here because case does not matter; the database compares letter by
            # letter.
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
            await self._adopt(stored)
        return stored

    async def _adopt(self, stored: StoredRule) -> None:
        """Lists and schedules a rule as it is stored."""
        self.registry.chat_rules[stored.name] = stored
        await self.scheduler.add(self.scheduled(rule_of(stored)))

    async def _change(self, stored: StoredRule, rule: Rule, user: str, now: datetime) -> StoredRule:
        """Changes the rule, which keeps its name and channel. With the same definition its state is
        kept; with another it starts again.
        """
        before = rule_of(stored)
        people = self.permissions.people
        changes = rule_changes(
            before, rule, await people.names([*before.paging.mentions, *rule.paging.mentions])
        )
        encoded = _encoded(structs.replace(rule, name=stored.name, channel=stored.channel))
        changed = structs.replace(stored, rule=encoded, user=user, made_at=now)
        edit = RuleEdit(stored, encoded, user, now)
        what = f"Alert `{stored.name}` was changed: {changes}"
        posts = await self.silences.posts_of_change(before, user, what) if changes else []
        name = await people.name(user)
        async with self.registry.lock:
            with explaining_change(before):
                if before.definition == rule.definition:
                    await self.rules.edit_rule(edit, posts)
                    self.job.outbox.wake()
                else:
                    # An incident of another definition ends, which its thread says.
                    await self.job.close(
                        before,
                        RuleChange.CHANGED,
                        by=user,
                        name=name,
                        changes=changes,
                        edit=edit,
                        posts=posts,
                    )
            await self._adopt(changed)
        return changed

    async def _names(self, rule: Rule) -> Names:
        """The names of the people and groups whom a rule calls."""
        return await self.permissions.people.names(rule.paging.mentions)

    async def _free_name(self, command: CommandName) -> str:
        # Samples and messages of a deleted rule are still there under its name.
        names = (*await self.rules.names_ever(), *(rule.name for rule in self.registry.rules()))
        taken = {name.lower() for name in names}
        number = 1
        while f"{command}-{number}" in taken:
            number += 1
        return f"{command}-{number}"

    async def _delete(self, name: str, command: CommandName, requester: Requester) -> Answer:
        stored = await self.registry.deletable(name, command, requester)
        rule = rule_of(stored)
        user = requester.user
        user_name = await self.permissions.people.name(requester.user)
        names = await self._names(rule)
        what = f"Alert `{rule.name}` ({rule_line(rule, names)}) was deleted"
        posts = await self.silences.posts(rule, user, what)
        edit = RuleEdit(stored, None, user, self.clock())
        async with self.registry.lock:
            with explaining_change(rule):
                # With an open incident its thread says that the rule was deleted; without one, the
                # channel does.
                await self.job.close(
                    rule, RuleChange.DELETED, by=user, name=user_name, edit=edit, posts=posts
                )
            self.registry.chat_rules.pop(rule.name, None)
            self.scheduler.remove(schedule_of(rule.name))
        # A new rule of the same name must not start paused or silenced.
        await self.guard.forget(schedule_of(rule.name))
        await self.job.silences.refresh(edit.now)
        may_read = self.access.may_ask(rule.command, **requester.rights)
        checked = f" It checked {rule_line(rule, names)}." if may_read else ""
        return messages.note(f"Alert `{rule.name}` deleted.{checked}")

    async def _acknowledge(self, name: str, command: CommandName, requester: Requester) -> Answer:
        rule = await self.registry.managed(name, command, requester)
        user_name = await self.permissions.people.name(requester.user)
        if await self.job.acknowledge(rule, user=requester.user, name=user_name):
            return messages.note(
                f"Alert `{rule.name}` acknowledged. No reminders; changes and the end are still posted."
            )
        return messages.note(await self.listing.why_not_acknowledged(rule))

    async def _list(self, wanted: ListAlerts, command: CommandName, requester: Requester) -> Answer:
        if page := await self.listing.page(wanted, command, requester):
            return page
        if wanted.words:
            return messages.note(
                f"No alerts are listed for `{wanted.words}`; `/{command} alerts all` lists all."
            )
        example = self.example(command, requester)
        return messages.note(f"No alerts in this channel. Create one with `{example}`.")


def _encoded(rule: Rule) -> str:
    return msgspec.json.encode(rule).decode()


def _is_same(known: StoredRule | None, stored: StoredRule) -> bool:
    return known is not None and (known.number, known.rule, known.user) == (
        stored.number,
        stored.rule,
        stored.user,
    )
