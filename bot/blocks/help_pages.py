"""Help: about a command, and about windows."""

from __future__ import annotations

from bot import formatting
from bot.answer import Answer
from bot.blocks import kit
from bot.blocks.messages import form_buttons
from bot.errors import FormLink
from bot.questions.question import AccountDirectory, CommandName, HelpRequest
from bot.questions.registry import COMMANDS
from bot.questions.windows.forms import FORMS
from providers.registry import title_of


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
        f"monday, october, 2026-11-01..2026-11-07; all of them: `/{command} help windows`."
    )
    facts = [*_help_facts(command, directory, may_manage=may_manage), window]
    lines = [f"{line} – {meaning}" for line, meaning in examples]
    plain_facts = [fact.replace("`", "") for fact in facts]
    text = "\n".join([f"{about.description}.", usage, *lines, *plain_facts])
    # Two are enough to try; the others are above.
    tried = [(formatting.truncate(line, 60), line) for line, _ in examples[:2]]
    blocks = [
        kit.header(about.description),
        kit.context(kit.code(usage)),
        kit.section(
            "\n".join(f"{kit.code(line)} – {kit.escaped(meaning)}" for line, meaning in examples)
        ),
        kit.context(*map(kit.with_code, facts)),
        kit.actions([*kit.ask_buttons(tried), *form_buttons(FormLink("question", command))]),
    ]
    return Answer(text=text, blocks=blocks)


def _help_facts(
    command: CommandName, directory: AccountDirectory, *, may_manage: bool
) -> list[str]:
    """What can be asked about, and how to schedule, watch and save a question."""
    about = COMMANDS[command]
    kinds = directory.of_kind(about.kinds)
    accounts = [f"{name} ({title_of(directory.accounts[name])})" for name in kinds]
    facts = [f"Accounts: {formatting.join_words(accounts, 20) or 'none yet'}."]
    if about.names_logs:
        logs = directory.logs_of(kinds)
        facts.append(
            f"Logs: {formatting.join_words(logs, 20) or 'none named yet'}; the vendor's own name or "
            "ID of a log works, too."
        )
    facts += about.help_facts()
    if about.sentences:
        sentences = ", ".join(f"`{sentence}`" for sentence, _ in about.sentences[:3])
        facts.append(f"In your own words: {sentences}.")
    asked = about.example_words(directory)
    if may_manage:
        facts.append(
            f"On a schedule: `/{command} subscribe {asked} at 09:00 on weekdays`; `subscriptions`; "
            "`unsubscribe NUMBER`."
        )
        facts.append(
            f"Alerts: `{about.alert_example(directory)}`; "
            f"`{about.usual_alert_example(directory)}`; `alerts`; `alerts firing`; `alerts NAME`; "
            "`edit NAME above N`; `unalert NAME`; `ack NAME`; `silence NAME 2h`; `unsilence NAME`."
        )
    saved = (
        f"Saved: `/{command} save {asked} as morning`, then `/{command} morning`; `saved`; "
        "`unsave NAME`."
    )
    return [*facts, saved]


def help_for(
    request: HelpRequest, directory: AccountDirectory, *, may_manage: bool = True
) -> Answer:
    """The requested help: about a command, or about windows."""
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
