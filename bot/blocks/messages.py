"""Short messages: help, errors, progress, notes and lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from msgspec import Struct
from msgspec.structs import replace

from bot import formatting
from bot.answer import Answer, Block, Progress
from bot.blocks import kit, picture, task_cards
from bot.errors import FormLink, FormName
from bot.questions.question import AccountDirectory, CommandName, HelpRequest
from bot.questions.registry import COMMANDS
from bot.questions.windows.forms import FORMS
from providers.registry import title_of

WORKING_ACTION = "cancel"
# Of a task in a stream, in characters.
MOST_TASK_TITLE = 150
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


def help_answer(
    command: CommandName, directory: AccountDirectory, *, may_manage: bool = True
) -> Answer:
    """How to ask, with the accounts and logs of this workspace, and for people who may, how to
    schedule it.
    """
    about = COMMANDS[command]
    usage = f"/{command} {about.usage_hint}"
    examples = [
        (f"/{command} {about.localised(words_, directory)}", meaning)
        for words_, meaning in about.examples
    ]
    # Questions of whole days know no hours.
    hours = "" if about.whole_days else " last 20 mins, since 9am, 14:00 to 14:10,"
    window = (
        f"Without a window: the last {about.default_window}. Windows: today,{hours} 7d, since "
        f"monday, october, 2026-11-01..2026-11-07; all of them: /{command} help windows."
    )
    facts = [*_help_facts(command, directory, may_manage=may_manage), window]
    lines = [f"{line} – {meaning}" for line, meaning in examples]
    text = "\n".join([f"{about.description}.", usage, *lines, *facts])
    # Two are enough to try; the others are above.
    tried = [(formatting.truncate(line, 60), line) for line, _ in examples[:2]]
    blocks = [
        kit.header(about.description),
        kit.context(kit.code(usage)),
        kit.section(
            "\n".join(f"{kit.code(line)} – {kit.escaped(meaning)}" for line, meaning in examples)
        ),
        kit.context(*map(kit.escaped, facts)),
        kit.actions([*kit.ask_buttons(tried), *_form_buttons(FormLink("question", command))]),
    ]
    return Answer(text=text, blocks=blocks)


def _help_facts(
    command: CommandName, directory: AccountDirectory, *, may_manage: bool
) -> list[str]:
    """What there is to ask about, and how a question is scheduled, watched and saved."""
    about = COMMANDS[command]
    kinds = directory.of_kind(about.kinds)
    accounts = [f"{name} ({title_of(directory.accounts[name])})" for name in kinds]
    facts = [f"Accounts: {formatting.join_words(accounts, 20) or 'none yet'}."]
    if about.names_logs:
        logs = [name for account in kinds for name in directory.logs.get(account, {})]
        facts.append(
            f"Logs with a name here: {formatting.join_words(logs, 20) or 'none yet'}; a log's own "
            "name or id works, too."
        )
    facts += about.help_facts()
    asked = about.example_words(directory)
    if may_manage:
        facts.append(
            f"On a schedule: /{command} subscribe {asked} at 09:00 on weekdays; subscriptions; "
            "unsubscribe NUMBER."
        )
        facts.append(
            f"Alerts: {about.alert_example(directory)}; {about.usual_alert_example(directory)}; "
            "alerts; unalert NAME; silence NAME 2h; unsilence NAME."
        )
    saved = (
        f"Saved: /{command} save {asked} as morning; then /{command} morning; saved; unsave NAME."
    )
    return [*facts, saved]


def help_for(
    request: HelpRequest, directory: AccountDirectory, *, may_manage: bool = True
) -> Answer:
    """The help that was asked for: about a command, or about windows."""
    if request.topic == "windows":
        return windows_help(request.command)
    return help_answer(request.command, directory, may_manage=may_manage)


def windows_help(command: CommandName) -> Answer:
    """Every form of a window that the command knows, with examples."""
    forms = [form for form in FORMS if form.by_day or not COMMANDS[command].whole_days]
    head = "Windows: how to name a time range"
    lines = [f"{form.meaning.capitalize()}: {', '.join(form.examples)}" for form in forms]
    sections = [
        f"*{kit.escaped(form.meaning.capitalize())}*\n{' · '.join(kit.code(each) for each in form.examples)}"
        for form in forms
    ]
    return Answer("\n".join([f"{head}.", *lines]), [kit.header(head), *map(kit.section, sections)])


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
    buttons = [*kit.ask_buttons(questions), *_form_buttons(form)]
    if form and not form.words:
        # People who typed no words need the form first.
        buttons.reverse()
    first = [{**button, "style": "primary"} for button in buttons[:1]]
    return [*blocks, kit.actions([*first, *buttons[1:]], REFUSAL)] if buttons else blocks


def _form_buttons(link: FormLink | None) -> list[Block]:
    """The button that opens a form with the words that were typed, where its value has room."""
    if link is None:
        return []
    # Escaped, since a refused question may hold what Slack would read as a mention.
    value = kit.entities(formatting.sanitise(link.line))
    if len(value) > MOST_BUTTON_VALUE:
        return []
    return [kit.button("Fill in…", _OPENERS[link.form], value)]


def error_text(message: str, hint: str) -> str:
    return formatting.sanitise(f"{message} {'Try ' if hint.startswith('/') else ''}{hint}".strip())


def note_blocks(text: str) -> list[Block]:
    """A note from the bot."""
    return [kit.section(with_code(text))]


def by_person(what: str, user: str) -> list[Block]:
    """What somebody did, with their name."""
    return [kit.section(f"{with_code(what)} by <@{user}>.")]


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


def working_blocks(line: str, ticket: str, progress: Progress) -> list[Block]:
    """The progress of a long-running question, by its steps where it has several, with a button
    that cancels it.
    """
    steps = [*progress.steps.values()]
    cancel = kit.actions([kit.button("Cancel", WORKING_ACTION, ticket)])
    # A plan with a single step would repeat its title.
    if len(steps) > 1:
        cards = [
            task_cards.task(f"{ticket}.{n}", step.name, step.detail, step.status)
            for n, step in enumerate(steps)
        ]
        return [task_cards.plan(line, cards), kit.context(kit.escaped(progress.detail)), cancel]
    detail = " · ".join(filter(None, [progress.detail, *(step.detail for step in steps)]))
    lines = [kit.preview(progress.lines)] if progress.lines else []
    return [task_cards.task(ticket, line, detail or "…"), *lines, cancel]


def stream_chunks(
    line: str, ticket: str, progress: Progress, *, is_first: bool = False
) -> list[Block]:
    """The same as chunks of a stream; the button is sent once."""
    steps = [*progress.steps.values()]
    titles = (
        [(" · ".join(filter(None, [step.name, step.detail])), step.status) for step in steps]
        if len(steps) > 1
        else []
    )
    details = [progress.detail, *(step.detail for step in steps if not titles)]
    head = " · ".join(filter(None, [line, *details]))
    chunks = [
        {
            "type": "task_update",
            "id": f"{ticket}.{n}",
            "title": formatting.sanitise(title, MOST_TASK_TITLE),
            "status": status,
        }
        for n, (title, status) in enumerate([(head, "in_progress"), *titles])
    ]
    cancel = kit.actions([kit.button("Cancel", WORKING_ACTION, ticket)])
    return [*chunks, *([{"type": "blocks", "blocks": [cancel]}] if is_first else [])]


def pending_note(line: str, ticket: str) -> Answer:
    """The same as a note that cannot be edited later, so it must stay true."""
    pending = note(
        f"The answer to `{line}` takes a while and will appear below, visible to you alone."
    )
    cancel = kit.actions([kit.button("Cancel", WORKING_ACTION, ticket)])
    return replace(pending, blocks=[*pending.blocks, cancel])


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


_NEWEST = frozenset({"data_table", "data_visualization", "task_card", "plan"})


def newest_kind(blocks: Sequence[Block]) -> frozenset[str]:
    """The kinds of blocks among these that not every Slack client supports."""
    return _NEWEST.intersection(str(block.get("type")) for block in blocks)


def without_newest_blocks(blocks: Sequence[Block], pictures: Sequence[str] = ()) -> list[Block]:
    """The same message in blocks that every Slack client supports: a chart is one of the `pictures`, by
    file id, where there is one, and the first table is of the plain kind, of which a message has
    one.
    """
    older: list[Block] = []
    left = list(pictures)
    has_table = False
    for block in blocks:
        if block.get("type") == "data_visualization":
            older += [kit.picture(left.pop(0), picture.alt_text(block))] if left else []
        elif block.get("type") == "data_table":
            older += (
                []
                # Of the plain kind Slack takes one table for each message.
                if has_table
                else [kit.context(f"*{kit.escaped(block['caption'])}*"), kit.plain_table(block)]
            )
            has_table = True
        elif block.get("type") == "task_card":
            older += task_cards.older_task(block)
        elif block.get("type") == "plan":
            older += task_cards.older_plan(block)
        else:
            older.append(block)
    return older


def plain_blocks(blocks: Sequence[Block], text: str) -> list[Block]:
    """The same message for a Slack that refuses the newest blocks: its text replaces charts and
    tables.
    """
    known = [block for block in blocks if block.get("type") not in _NEWEST]
    words = kit.section(f"```{kit.entities(formatting.truncate(text, 2500).replace('`', 'ˋ'))}```")
    return [*known[:1], words, *known[1:]]


with_code = kit.with_code
