"""The modals, as functions of what is known when they open, and what has been entered in them as
the words that people type (pure).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

import msgspec

from bot import formatting
from bot.alerts.commands import CreateAlert
from bot.answer import Block
from bot.blocks import kit
from bot.blocks.alerts import format_value
from bot.errors import BadQuestion
from bot.questions.command import LONGEST_CHOICE
from bot.questions.form import LOG, FormField
from bot.questions.question import CommandName
from bot.questions.registry import COMMANDS

SAVE_ALERT, SAVE_REPEAT, SAVE_SILENCE, ASK = (
    "save.alert",
    "save.repeat",
    "save.silence",
    "ask.question",
)
LOG_NAMES, CHOOSE = LOG, "modal.choose"
TRY_ALERT = "try.alert"
PREVIEW, TRIED = "preview", "tried"
DAYS = (
    "every day",
    "weekdays",
    "weekends",
    "mondays",
    "tuesdays",
    "wednesdays",
    "thursdays",
    "fridays",
    "the 1st",
)
EVERY = ("5m", "15m", "30m", "1h", "6h", "1d")
REPEAT = ("1h", "4h", "12h", "1d")
QUIET = ("30m", "1h", "2h", "4h", "8h", "1d", "7d", "until tomorrow")


@dataclass(frozen=True, slots=True)
class ModalState:
    """What a modal is about and has to remember: the command, the channel it was opened in, and the
    rule that is changed in it.
    """

    command: CommandName
    channel: str
    rule: str = ""

    def metadata(self) -> str:
        return json.dumps(asdict(self))


def about_of(view: Mapping[str, Any]) -> ModalState:
    """What the modal was about, as it remembers it. Raises BadQuestion where it remembers nothing
    that we wrote.
    """
    return about_from(str(view.get("private_metadata") or ""))


def about_from(metadata: str) -> ModalState:
    """The same from its JSON. Raises BadQuestion."""
    try:
        found = msgspec.json.decode(metadata, type=ModalState, strict=True)
    except msgspec.DecodeError:
        raise BadQuestion("This form is none of mine any more; open it again.") from None
    return found


def repeat_modal(about: ModalState, question: str, preview: str) -> Block:
    """Have a question asked again and again."""
    blocks = [
        _question(about, question),
        kit.context_at(PREVIEW, preview),
        kit.input_("time", "At", {"type": "timepicker", "initial_time": "09:00"}),
        kit.input_("days", "On", kit.select(DAYS, "weekdays")),
    ]
    return _modal(SAVE_REPEAT, "Repeat", "Subscribe", about, blocks)


def alert_modal(
    about: ModalState, wish: CreateAlert, preview: str, *, is_new: bool = True
) -> Block:
    """Have a value of a question watched; `wish` is what stands in it when it opens."""
    values = [value for value in COMMANDS[about.command].values.names if value != wish.value]
    amount = _amount(wish.value, wish.threshold) if wish.threshold == wish.threshold else ""
    blocks = [
        _question(about, wish.query),
        kit.context_at(PREVIEW, preview),
        kit.input_("value", "Value", kit.select([wish.value, *values], wish.value)),
        kit.input_("side", "Fires when it is", kit.select(("above", "below"), wish.side)),
        kit.input_(
            "threshold",
            "Threshold",
            kit.text_entry(amount, "5 GB" if "bytes" in wish.value else "20"),
        ),
        kit.input_(
            "recover",
            "Calm again at",
            kit.text_entry(_amount(wish.value, wish.recover), "the same"),
            optional=True,
        ),
        kit.input_(
            "every",
            "Looked at every",
            kit.select(_with(EVERY, _typed(wish.every)), _typed(wish.every)),
        ),
        kit.input_(
            "for",
            "Must last for",
            kit.text_entry(_typed(wish.for_), "10m; nothing: fires at once"),
            optional=True,
        ),
        kit.input_(
            "repeat",
            "Repeated every",
            kit.select(_with(REPEAT, _typed(wish.repeat)), _typed(wish.repeat)),
            optional=True,
        ),
    ]
    if COMMANDS[about.command].values.subjects:
        blocks.append(
            kit.input_(
                "each",
                "For each",
                kit.select(COMMANDS[about.command].values.subjects, wish.each),
                optional=True,
            )
        )
    if is_new:
        blocks.append(
            kit.input_("as", "Name", kit.text_entry(wish.name, f"{about.command}-1"), optional=True)
        )
    blocks.append(kit.actions([kit.button("Try it on the last 90 days", TRY_ALERT)]))
    blocks.append(
        kit.context_at(TRIED, "Tells how often it would have fired, before anything is saved.")
    )
    return _modal(SAVE_ALERT, "Alert me" if is_new else "Edit rule", "Save", about, blocks)


def question_modal(about: ModalState, fields: Sequence[FormField], preview: str) -> Block:
    """Ask a question: the inputs of its form, filled with what is known."""
    command = COMMANDS[about.command]
    blocks = [kit.context(kit.escaped(command.description)), kit.context_at(PREVIEW, preview)]
    return _modal(ASK, f"/{command.name}", "Ask", about, [*blocks, *map(_input, fields)])


def _input(field: FormField) -> Block:
    return kit.input_(field.name, field.label, _element(field), optional=field.is_optional)


def _element(field: FormField) -> Block:
    if field.kind == "day":
        return {"type": "datepicker"}
    if field.kind == "choice":
        return kit.select(field.choices, field.value)
    if field.kind == "text":
        return kit.text_entry(field.value, field.placeholder, most=field.longest)
    # The choices are searched while people type.
    fits = field.value and len(field.value) <= LONGEST_CHOICE
    return {
        "type": "external_select",
        "min_query_length": 0,
        "placeholder": kit.plain(field.placeholder, 150),
        **({"initial_option": kit.option(field.value)} if fits else {}),
    }


def chooser_modal(channel: str) -> Block:
    """Which question? Each button turns this into the form of one."""
    blocks = []
    for command in COMMANDS.values():
        about = ModalState(command.name, channel)
        button = kit.button("Fill in…", f"{CHOOSE}.{command.name}", about.metadata())
        blocks.append(
            {
                **kit.section(f"*/{command.name}*\n{kit.escaped(command.description)}"),
                "accessory": button,
            }
        )
    return {
        "type": "modal",
        "title": kit.plain("Ask Opswatch", 24),
        "close": kit.plain("Cancel", 24),
        "blocks": blocks,
    }


def silence_modal(about: ModalState, names: Sequence[str], chosen: str) -> Block:
    """Have an alert quiet for a while."""
    blocks = [
        kit.input_("name", "Alert", kit.select(names[:100], chosen)),
        kit.input_("length", "Quiet for", kit.select(QUIET, "2h")),
        kit.input_("comment", "Why", kit.text_entry("", "planned load test"), optional=True),
    ]
    return _modal(SAVE_SILENCE, "Silence", "Silence", about, blocks)


def silence_words(given: Mapping[str, str]) -> str:
    comment = given.get("comment", "").replace('"', "'")
    return f'silence "{given.get("name", "")}" {given.get("length", "")}' + (
        f' "{comment}"' if comment else ""
    )


def new_alert(command: CommandName, question: str) -> CreateAlert:
    """What stands in the modal of an alert about which nothing is known but its question."""
    return CreateAlert(question, COMMANDS[command].values.default, "above", float("nan"))


def form_values(view: Mapping[str, Any]) -> dict[str, str]:
    """What stands in the inputs of a modal, by block id; nothing for what is empty."""
    found = {}
    for block, entries in (view.get("state") or {}).get("values", {}).items():
        for entry in entries.values():
            value = entry.get("value") or entry.get("selected_time") or entry.get("selected_date")
            found[block] = str(
                value or (entry.get("selected_option") or {}).get("value") or ""
            ).strip()
    return found


def repeat_words(given: Mapping[str, str]) -> str:
    days = given.get("days", "")
    on = "" if days in ("", "every day") else f" on {days}"
    return f"subscribe {given.get('question', '')} at {given.get('time', '')}{on}"


def alert_words(given: Mapping[str, str], only: Sequence[str] | None = None) -> str:
    """The alert as it would be typed; with `only`, with no options but those."""
    value = given.get("value", "")
    said = (
        f"alert {given.get('question', '')} {value} {given.get('side', 'above')} "
        f"{given.get('threshold', '')}"
    )
    options = [name for name in OPTIONS if given.get(name) and (only is None or name in only)]
    return " ".join(
        [
            said,
            *(
                f"{name} {_quoted_name(given[name]) if name == 'as' else given[name]}"
                for name in options
            ),
        ]
    )


def _quoted_name(name: str) -> str:
    return formatting.quoted(name.replace('"', ""))


OPTIONS = ("recover", "every", "for", "repeat", "each", "as")


def with_result(view: Mapping[str, Any], result: str) -> Block:
    """The same modal with what came of a try, as `views.update` wants it."""
    blocks = [
        kit.context_at(TRIED, result) if block.get("block_id") == TRIED else block
        for block in view["blocks"]
    ]
    kept = {
        name: view[name]
        for name in ("type", "callback_id", "title", "submit", "close", "private_metadata")
        if name in view
    }
    return {**kept, "blocks": blocks}


def _question(about: ModalState, question: str) -> Block:
    return kit.input_(
        "question", f"/{about.command}", kit.text_entry(question, "last 7 days", most=2000)
    )


def _modal(
    callback: str, title: str, submit: str, about: ModalState, blocks: Sequence[Block]
) -> Block:
    return {
        "type": "modal",
        "callback_id": callback,
        "title": kit.plain(title, 24),
        "submit": kit.plain(submit, 24),
        "close": kit.plain("Cancel", 24),
        "private_metadata": about.metadata(),
        "blocks": list(blocks),
    }


def _amount(value: str, amount: float | None) -> str:
    if amount is None:
        return ""
    if "bytes" in value:
        said = format_value(value, amount)
        return said if formatting.read_size(said) == amount else f"{amount:.0f} B"
    # A point before three digits would be asked back, and an exponent loses digits.
    return f"{amount:.0f}" if amount == int(amount) else f"{amount:.4f}"


def _typed(length: timedelta | None) -> str:
    """A duration as it is typed: `15m`, `4h`, `2d`."""
    seconds = int(length.total_seconds()) if length else 0
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s" if seconds else ""


def _with(usual: Sequence[str], own: str) -> list[str]:
    return [*([own] if own and own not in usual else []), *usual]
