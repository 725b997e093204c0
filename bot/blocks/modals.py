"""The modals (pure)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import asdict

from bot import formatting
from bot.alerts import form as alert_form
from bot.alerts.baseline import factor_label
from bot.alerts.create import CreateAlert
from bot.alerts.paging import LONGEST_LINK, SEVERITIES, Paging
from bot.alerts.silence_ends import MORNING
from bot.answer import Block
from bot.blocks import kit
from bot.blocks.alert_values import format_value
from bot.errors import BadQuestion
from bot.questions.amounts import read_size
from bot.questions.command import LONGEST_CHOICE
from bot.questions.form import ACCOUNT, LOG, QUESTION, FormField
from bot.questions.question import CommandName
from bot.questions.registry import COMMANDS
from bot.schedules import form as subscription_form

SAVE_ALERT = "save.alert"
SAVE_SUBSCRIPTION = "save.repeat"
SAVE_SILENCE = "save.silence"
ASK = "ask.question"
LOG_NAMES = LOG
# The input of a form with the filters that accounts list.
FILTER_CHOICES = "filters"
MOST_FILTERS = 10
CHOOSE = "modal.choose"
TRY_ALERT = "try.alert"
PREVIEW = "preview"
TRIED = "tried"
LENGTHS: Mapping[str, str] = MappingProxyType(
    {
        "5m": "5 minutes",
        "15m": "15 minutes",
        "30m": "30 minutes",
        "1h": "1 hour",
        "2h": "2 hours",
        "4h": "4 hours",
        "6h": "6 hours",
        "8h": "8 hours",
        "12h": "12 hours",
        "1d": "1 day",
        "7d": "7 days",
        "until tomorrow": f"Until {MORNING:%H:%M}",
        "until monday": f"Until Monday {MORNING:%H:%M}",
    }
)
CHECK_EVERY = ("5m", "15m", "30m", "1h", "6h", "1d")
REMINDER_EVERY = ("1h", "4h", "12h", "1d")
SILENCE_FOR = ("30m", "1h", "2h", "4h", "8h", "1d", "7d", "until tomorrow", "until monday")
SIDES: Mapping[str, str] = MappingProxyType(
    {"above": "Above", "below": "Below", "outside": "Outside what is usual"}
)
TRY_HINT = "See how often this alert would have fired, before you save it."


class ModalState(Struct, frozen=True):
    """What a modal stores while it is open: the command, the channel it was opened in, and the rule
    that is edited in it.
    """

    command: CommandName
    channel: str
    rule: str = ""

    def metadata(self) -> str:
        return json.dumps(asdict(self))


def state_of(view: Mapping[str, Any]) -> ModalState:
    """The state that a modal stores. Raises BadQuestion where it stores nothing that we wrote."""
    return parse_state(str(view.get("private_metadata") or ""))


def parse_state(metadata: str) -> ModalState:
    """The same from its JSON. Raises BadQuestion."""
    try:
        found = msgspec.json.decode(metadata, type=ModalState, strict=True)
    except msgspec.DecodeError:
        raise BadQuestion("This form is out of date. Open it again.") from None
    return found


def subscription_modal(state: ModalState, question: str, preview: str) -> Block:
    """Subscribe to a question."""
    days = kit.select(subscription_form.DAY_LABELS, subscription_form.USUAL_DAYS)
    time = {"type": "timepicker", "initial_time": subscription_form.USUAL_TIME}
    blocks = [
        _question(state, question),
        kit.context_at(PREVIEW, preview),
        kit.input_(subscription_form.TIME, "At", time),
        kit.input_(subscription_form.DAYS, "On", days),
        kit.input_(
            subscription_form.FORM, "As", kit.select(subscription_form.FORM_LABELS, "message")
        ),
    ]
    return _modal(SAVE_SUBSCRIPTION, "Subscribe", "Subscribe", state, blocks)


def alert_modal(
    state: ModalState, alert: CreateAlert, preview: str, *, is_new: bool = True
) -> Block:
    """Create or edit an alert; `alert` fills the inputs when it opens. The button that tries it comes
    before what is rarely changed, so that its result is seen without scrolling.
    """
    blocks = [
        _question(state, alert.query),
        kit.context_at(PREVIEW, preview),
        *_condition_inputs(state.command, alert),
        kit.actions([kit.button("Try it on the last 90 days", TRY_ALERT)]),
        kit.context_at(TRIED, TRY_HINT),
        *_option_inputs(state.command, alert),
    ]
    if is_new:
        entry = kit.text_entry(alert.name, f"{state.command}-1")
        blocks.append(kit.input_(alert_form.ALERT_NAME, "Name", entry, optional=True))
    title = "Create alert" if is_new else "Edit alert"
    return _modal(SAVE_ALERT, title, "Save", state, blocks)


def _condition_inputs(command: CommandName, alert: CreateAlert) -> list[Block]:
    values = COMMANDS[command].values
    # The chosen value first: one such as `levels.warn` is not among the usual ones.
    names = {name: values.label(name) for name in (alert.value, *values.names)}
    # False for not-a-number, with which a new alert begins.
    is_known = alert.threshold == alert.threshold
    amount = _amount(alert.value, alert.threshold) if is_known else ""
    if alert.usual:
        amount = "" if alert.side == "outside" else factor_label(alert.usual.factor)
    hint = f"{'5 GB' if 'bytes' in alert.value else '20'}, or 2x usual"
    return [
        kit.input_(alert_form.VALUE, "Value", kit.select(names, alert.value)),
        kit.input_(alert_form.SIDE, "Fires when it is", kit.select(SIDES, alert.side)),
        # “Outside” has none.
        kit.input_(alert_form.THRESHOLD, "Threshold", kit.text_entry(amount, hint), optional=True),
    ]


def _option_inputs(command: CommandName, alert: CreateAlert) -> list[Block]:
    subjects = {name: name.capitalize() for name in COMMANDS[command].values.subjects}
    typed = _amount(alert.value, alert.recover)
    if alert.usual and alert.usual.recover is not None:
        typed = factor_label(alert.usual.recover)
    resolve = kit.text_entry(typed, "the threshold")
    lasting = kit.text_entry(_typed(alert.for_), "10m; empty: fires at once")
    inputs = [
        kit.input_(alert_form.FOR, "For at least", lasting, optional=True),
        kit.input_(alert_form.EVERY, "Check every", _length_select(CHECK_EVERY, alert.every)),
        kit.input_(
            alert_form.REMINDER,
            "Reminder every",
            _length_select(REMINDER_EVERY, alert.repeat, "Never"),
            optional=True,
        ),
        kit.input_(alert_form.RESOLVE_AT, "Resolve threshold", resolve, optional=True),
    ]
    if subjects:
        each = kit.select(subjects, alert.each, "All together")
        inputs.append(kit.input_(alert_form.EACH, "For each", each, optional=True))
    return [*inputs, *_paging_inputs(alert.paging)]


def _paging_inputs(paging: Paging) -> list[Block]:
    """How urgent the alert is and whom it calls."""
    escalates = ""
    if paging.escalate_after:
        to = ", ".join(paging.escalate_to)
        escalates = f"{_typed(paging.escalate_after)} to {to}"
    severities = {str(name): name.capitalize() for name in SEVERITIES}
    longest = alert_form.LONGEST_RECIPIENTS
    notify = kit.text_entry(", ".join(paging.notify), "@oncall, pagerduty", most=longest)
    escalate = kit.text_entry(escalates, "15m to @leads", most=longest)
    runbook = kit.text_entry(paging.runbook, "https://wiki.example.com/runbook", most=LONGEST_LINK)
    severity = kit.select(severities, paging.severity, "None")
    return [
        kit.input_(alert_form.SEVERITY, "Severity", severity, optional=True),
        kit.input_(alert_form.NOTIFY, "Notify when it fires", notify, optional=True),
        kit.input_(
            alert_form.ESCALATE,
            "If nobody acknowledges it, escalate after",
            escalate,
            optional=True,
        ),
        kit.input_(alert_form.RUNBOOK, "Runbook", runbook, optional=True),
    ]


def question_modal(
    state: ModalState, fields: Sequence[FormField], preview: str, notes: Sequence[str] = ()
) -> Block:
    """Ask a question: the inputs of its form, filled with what is known."""
    command = COMMANDS[state.command]
    shown = [kit.escaped(formatting.sanitise(note, 300)) for note in (command.description, *notes)]
    # A context block takes ten elements.
    blocks = [kit.context(*shown[:10]), kit.context_at(PREVIEW, preview)]
    return _modal(ASK, f"/{command.name}", "Ask", state, [*blocks, *map(_input, fields)])


def _input(field: FormField) -> Block:
    made = kit.input_(field.name, field.label, _element(field), optional=field.is_optional)
    return made | ({"hint": kit.plain(field.hint, 150)} if field.hint else {})


def _element(field: FormField) -> Block:
    if field.kind == "day":
        return {"type": "datepicker"}
    if field.kind == "choice":
        return kit.select(_labels(field), field.value, field.placeholder)
    if field.kind == "text":
        return kit.text_entry(field.value, field.placeholder, most=field.longest)
    if field.kind == "filters":
        return {
            "type": "multi_external_select",
            "min_query_length": 0,
            "max_selected_items": MOST_FILTERS,
            "placeholder": kit.plain(field.placeholder, 150),
        }
    # The choices are searched while people type. Slack takes no longer value as a choice; it stays
    # in the words.
    fits = field.value and len(field.value) <= LONGEST_CHOICE
    return {
        "type": "external_select",
        "min_query_length": 0,
        "placeholder": kit.plain(field.placeholder, 150),
        **({"initial_option": kit.option(field.value)} if fits else {}),
    }


def _labels(field: FormField) -> Mapping[str, str]:
    """What people read for each choice. Names of accounts stay as they are written."""
    if isinstance(field.choices, Mapping):
        return field.choices
    if field.name == ACCOUNT:
        return {name: name for name in field.choices}
    return {words: words[:1].upper() + words[1:] for words in field.choices}


def chooser_modal(channel: str, commands: Sequence[CommandName]) -> Block:
    """A choice of questions. Each button replaces this by the form of one."""
    blocks = []
    for name in commands:
        command = COMMANDS[name]
        state = ModalState(name, channel)
        button = kit.button("Fill in…", f"{CHOOSE}.{name}", state.metadata())
        text = f"*/{name}*\n{kit.escaped(command.description)}"
        blocks.append({**kit.section(text), "accessory": button})
    return _without_inputs("Ask Opswatch", "Cancel", blocks)


def note_modal(title: str, *texts: str) -> Block:
    """A modal with a message and nothing to fill in."""
    return _without_inputs(title, "Close", [kit.section(kit.with_code(text)) for text in texts])


def silence_modal(state: ModalState, names: Sequence[str], chosen: str) -> Block:
    """Silence an alert for a while."""
    lengths = {length: LENGTHS[length] for length in SILENCE_FOR}
    comment = kit.text_entry("", "planned load test", most=alert_form.LONGEST_COMMENT)
    blocks = [
        # A menu takes a hundred options.
        kit.input_(alert_form.SILENCED, "Alert", kit.select(names[:100], chosen)),
        kit.input_(alert_form.LENGTH, "Silence for", kit.select(lengths, alert_form.USUAL_LENGTH)),
        kit.input_(alert_form.COMMENT, "Comment", comment, optional=True),
    ]
    return _modal(SAVE_SILENCE, "Silence alert", "Silence", state, blocks)


def form_values(view: Mapping[str, Any]) -> dict[str, str]:
    """What was entered in the inputs of a modal, by block id; an empty string for an empty one."""
    found = {}
    for block, entries in (view.get("state") or {}).get("values", {}).items():
        for entry in entries.values():
            # Each kind of element puts its value elsewhere (view payload, `state.values`).
            value = entry.get("value") or entry.get("selected_time") or entry.get("selected_date")
            options = entry.get("selected_options") or [entry.get("selected_option") or {}]
            chosen = " ".join(str(option.get("value") or "") for option in options)
            found[block] = str(value or chosen).strip()
    return found


def with_result(view: Mapping[str, Any], result: str) -> Block:
    """The same modal with the result of a try, as `views.update` takes it."""
    blocks = [
        kit.context_at(TRIED, result) if block.get("block_id") == TRIED else block
        for block in view["blocks"]
    ]
    # views.update refuses the members that only Slack sets, such as `id` and `hash`.
    kept = {
        name: view[name]
        for name in ("type", "callback_id", "title", "submit", "close", "private_metadata")
        if name in view
    }
    return {**kept, "blocks": blocks}


def _question(state: ModalState, question: str) -> Block:
    entry = kit.text_entry(question, "last 7 days", most=2000)
    return kit.input_(QUESTION, f"/{state.command}", entry)


def _modal(
    callback: str, title: str, submit: str, state: ModalState, blocks: Sequence[Block]
) -> Block:
    return {
        "type": "modal",
        "callback_id": callback,
        "title": kit.plain(title, 24),
        "submit": kit.plain(submit, 24),
        "close": kit.plain("Cancel", 24),
        "private_metadata": state.metadata(),
        "blocks": list(blocks),
    }


def _without_inputs(title: str, close: str, blocks: Sequence[Block]) -> Block:
    return {
        "type": "modal",
        "title": kit.plain(title, 24),
        "close": kit.plain(close, 24),
        "blocks": list(blocks),
    }


def _amount(value: str, amount: float | None) -> str:
    if amount is None:
        return ""
    if "bytes" in value:
        # Three digits may be less than the amount, which the form would then change.
        shown = format_value(value, amount)
        return shown if read_size(shown) == amount else f"{amount:.0f} B"
    # A point before three digits would be ambiguous, and an exponent loses digits.
    return f"{amount:.0f}" if amount == int(amount) else f"{amount:.4f}"


def _length_select(usual: Sequence[str], chosen: timedelta | None, hint: str = "") -> Block:
    """A choice of durations, with the one that is chosen already."""
    own = _typed(chosen)
    choices = {length: LENGTHS[length] for length in usual}
    if chosen and own and own not in choices:
        choices = {own: LENGTHS.get(own) or _spelled_out(chosen), **choices}
    return kit.select(choices, own, hint)


def _spelled_out(length: timedelta) -> str:
    """`1 minute`, `90 seconds`, `3 hours`."""
    typed = _typed(length)
    names = {"d": "day", "h": "hour", "m": "minute", "s": "second"}
    return formatting.pluralise(int(typed[:-1]), names[typed[-1]])


def _typed(length: timedelta | None) -> str:
    """A duration as it is typed: `15m`, `4h`, `2d`."""
    seconds = int(length.total_seconds()) if length else 0
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s" if seconds else ""
