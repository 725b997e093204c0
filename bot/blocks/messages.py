"""Short messages: errors, notes and lists; and the buttons of an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from msgspec import Struct
from msgspec.structs import replace

from bot import formatting
from bot.answer import Answer, Block
from bot.blocks import kit
from bot.errors import FormLink, FormName, hint_in_words

SHARE_ACTION = "share"
# Slack's limit for the value of a button, in characters.
MOST_BUTTON_VALUE = 2000
# The block with the buttons of a refusal.
REFUSAL = "instead"
OPEN_ALERT = "modal.alert"
OPEN_REPEAT = "modal.repeat"
OPEN_SILENCE = "modal.silence"
OPEN_QUESTION = "modal.question"
_OPENERS: Mapping[FormName, str] = MappingProxyType(
    {
        "alert": OPEN_ALERT,
        "question": OPEN_QUESTION,
        "silence": OPEN_SILENCE,
        "subscription": OPEN_REPEAT,
    }
)


def error_blocks(
    message: str, hint: str, *, again: str = "", form: FormLink | None = None
) -> list[Block]:
    """What failed in one sentence, what to do, and buttons to ask again, to ask the suggested
    question, or to fill in a form.
    """
    example = kit.code(hint, 300) if hint.startswith("/") else with_code(hint)
    blocks = [
        kit.section(
            f"{with_code(message)}"
            + (f"\n{'Try ' if hint.startswith('/') else ''}{example}" if hint else "")
        )
    ]
    questions = []
    if again:
        questions = [("Try again", again)]
    # A corrected alert is filled in rather than created by one click.
    elif hint.startswith("/") and (form is None or form.form == "question"):
        questions = [("Ask this instead", hint)]
    buttons = [*kit.ask_buttons(questions), *form_buttons(form)]
    if form and not form.words:
        # People who typed no words need the form first.
        buttons.reverse()
    first = [{**button, "style": "primary"} for button in buttons[:1]]
    return [*blocks, kit.actions([*first, *buttons[1:]], REFUSAL)] if buttons else blocks


def form_buttons(link: FormLink | None) -> list[Block]:
    """The button that opens a form with the words that were typed, where its value has room."""
    if link is None:
        return []
    # Escaped, since a refused question may hold what Slack would read as a mention.
    value = kit.entities(formatting.sanitise(link.line))
    if len(value) > MOST_BUTTON_VALUE:
        return []
    return [kit.button("Fill in…", _OPENERS[link.form], value)]


def error_text(message: str, hint: str) -> str:
    return formatting.sanitise(f"{message} {hint_in_words(hint)}".strip())


def note_blocks(text: str) -> list[Block]:
    """A note from the bot."""
    return [kit.section(with_code(text))]


def by_person(what: str, user: str) -> list[Block]:
    """What somebody did, with their name."""
    return [kit.section(f"{with_code(what)} by <@{user}>.")]


def with_reading(answer: Answer, line: str) -> Answer:
    """The answer to a sentence, with the words that it was read as."""
    reading = f"Read as `{formatting.sanitise(line, 300)}`."
    # Behind the headline, and before what may be cut.
    blocks = [*answer.blocks[:1], kit.context(kit.with_code(reading)), *answer.blocks[1:]]
    head, _, rest = answer.text.partition("\n")
    text = "\n".join(filter(None, [head, reading.replace("`", ""), rest]))
    return replace(answer, text=text, blocks=blocks)


def note(text: str) -> Answer:
    """A note from the bot, as an answer of one line."""
    return Answer(formatting.sanitise(text), note_blocks(text))


# Slack drops ordinary spaces at the beginning of a line.
_INDENT = "\u2003"


class ListLine(Struct, frozen=True):
    """A line of a list: our text, with `code` in it, and the person whose work it shows. `details`
    are shown below it.
    """

    text: str
    person: str = ""
    details: str = ""

    @property
    def mrkdwn(self) -> str:
        by = f", by <@{self.person}>" if self.person else ""
        return with_code(self.text) + by

    @property
    def words(self) -> str:
        """The line and its details without the person."""
        return "\n".join([self.text, *([f"{_INDENT}{self.details}"] if self.details else [])])


def list_answer(head: str, lines: Sequence[ListLine]) -> Answer:
    """A list as an answer. Its words name nobody: a mention in them would be shown as an id."""
    return Answer("\n".join([head, *(line.words for line in lines)]), list_blocks(head, lines))


def list_blocks(head: str, lines: Sequence[ListLine]) -> list[Block]:
    """A list under a headline, in as many sections as it needs."""
    blocks = [kit.section(with_code(head))]
    body = ""
    for line in lines:
        shown = line.mrkdwn + (f"\n{_INDENT}{with_code(line.details)}" if line.details else "")
        # Below the 3,000 characters of a section, with room for what escaping adds.
        if len(body) + len(shown) > 2800:
            blocks = [*blocks, kit.section(body)]
            body = ""
        body = f"{body}\n{shown}" if body else shown
    # Of the fifty blocks of a message, some are left for buttons.
    return [*blocks, kit.section(body)][:45] if body else blocks


def digest_blocks(name: str, blocks: Sequence[Block], *, note: str = "") -> list[Block]:
    """The answer of a digest, with its name and a note such as that it is late."""
    head = f"Digest {kit.code(name, 60)}" + (f" · {kit.escaped(note)}" if note else "")
    return [*blocks[:1], kit.context(head), *blocks[1:]]


def with_share(blocks: Sequence[Block], ticket: str) -> list[Block]:
    """The blocks of a private answer with a Share button at the end of its buttons."""
    share = kit.button("Share here", SHARE_ACTION, ticket)
    return _with_buttons(blocks, [share])


def with_follow_up(
    blocks: Sequence[Block], line: str, *, user: str, ticket: str, may_manage: bool = True
) -> list[Block]:
    """The blocks of an answer with the buttons that schedule its question or create an alert. The
    id of their block names whose answer it is, and changes each time, since Slack wants a new id
    where a message is edited.
    """
    buttons = (
        []
        if len(line) > MOST_BUTTON_VALUE or not may_manage
        else [kit.button("Repeat…", OPEN_REPEAT, line), kit.button("Alert me…", OPEN_ALERT, line)]
    )
    return _with_buttons(blocks, buttons, f"{answer_block_id(user)}{ticket[:8]}")


def _with_buttons(blocks: Sequence[Block], buttons: list[Block], block_id: str = "") -> list[Block]:
    """The blocks with more buttons at the end of those they have."""
    # All buttons of a message are in one row.
    if blocks and blocks[-1].get("type") == "actions":
        last = blocks[-1]
        return [
            *blocks[:-1],
            kit.actions([*last["elements"], *buttons], block_id or last.get("block_id", "")),
        ]
    return [*blocks, kit.actions(buttons, block_id)] if buttons else list(blocks)


def answer_block_id(user: str) -> str:
    """The beginning of the id of the block with the buttons of a person's own answer."""
    return f"answer.{user}."


def extract_question(blocks: Sequence[Block]) -> str:
    """The question that a message answers, from the values of its buttons; empty where it answers
    none. Slack returns blocks as they were sent, and those of another app may hold anything.
    """
    elements = [
        element
        for block in _objects(blocks)
        if block.get("type") == "actions"
        for element in _objects(block.get("elements"))
    ]
    # The first two hold the question itself; `ask.0` is only what was suggested.
    for action in (OPEN_REPEAT, OPEN_QUESTION, "ask.0"):
        for button in elements:
            if button.get("action_id") == action and str(button.get("value", "")).startswith("/"):
                return kit.without_entities(str(button["value"]))
    return ""


def _objects(values: object) -> list[Block]:
    return (
        [value for value in values if isinstance(value, dict)]
        if isinstance(values, list | tuple)
        else []
    )


def without_buttons(blocks: Sequence[Block]) -> list[Block]:
    return [block for block in blocks if block.get("type") != "actions"]


with_code = kit.with_code
