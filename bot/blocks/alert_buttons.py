"""The buttons under an alert."""

from __future__ import annotations

from collections.abc import Sequence

from bot.alerts.mutes import ActiveSilence
from bot.alerts.rule import Rule
from bot.alerts.silence_ends import MORNING
from bot.answer import Block
from bot.blocks import kit
from bot.blocks.alert_context import NotificationContext

ACKNOWLEDGE = "alert.acknowledge"
EDIT = "alert.edit"
SILENCE = "alert.silence"
UNSILENCE = "alert.unsilence"
# Where a button opens a web page, Slack sends its press all the same.
LINK = "link"
# So that they leave room for the bot's own buttons.
MOST_OWN_BUTTONS = 6
# The last one ends when the clock next shows that time, so its text is right whenever it is pressed.
SILENCES = (
    ("Silence 1 h", "1h"),
    ("Silence 4 h", "4h"),
    (f"Silence until {MORNING:%H:%M}", "morning"),
)


def incident_buttons(context: NotificationContext) -> list[Block]:
    """What can be done about the incident as of now."""
    name = context.rule.name
    links = _links(context)
    questions = _questions(context)
    # Access is checked at the press, since everybody sees the same message.
    edit = edit_buttons(context.rule)
    if context.is_over:
        return [*links, *questions, *edit]
    acknowledge = acknowledge_button(name)
    return [
        # First, where a phone shows it without scrolling.
        *([] if context.after.acknowledged_by else [acknowledge]),
        *links,
        *questions,
        *silence_buttons(name, context.silence),
        *edit,
    ]


def edit_buttons(rule: Rule) -> list[Block]:
    """The button that opens the form of a rule made in chat. Others are edited in bot.toml, which
    the message names as their origin.
    """
    return [] if rule.is_from_file else [kit.button("Edit alert", EDIT, rule.name)]


def acknowledge_button(alert: str) -> Block:
    """The button that somebody presses who works on the alert."""
    return kit.button("Acknowledge", ACKNOWLEDGE, alert, style="primary")


def alert_of(blocks: Sequence[Block]) -> str:
    """The alert that a message is about, by the values of its buttons; empty where it is about none
    or about several. Slack returns blocks as they were sent, and those of another app may hold
    anything.
    """
    names = {
        str(button.get("value", ""))
        for block in blocks
        if isinstance(block, dict) and isinstance(block.get("elements"), list)
        for button in block["elements"]
        if isinstance(button, dict) and str(button.get("action_id", "")).startswith(_OF_ALERT)
    }
    return names.pop() if len(names) == 1 else ""


_OF_ALERT = (ACKNOWLEDGE, EDIT, SILENCE, UNSILENCE)


def silence_buttons(alert: str, silence: ActiveSilence | None) -> list[Block]:
    """The buttons that silence an alert, or the one that ends its silence. A mute of the
    configuration ends by itself.
    """
    if silence is None:
        return [kit.button(text, f"{SILENCE}.{length}", alert) for text, length in SILENCES]
    return [kit.button("Unsilence", UNSILENCE, alert)] if silence.user else []


def _links(context: NotificationContext) -> list[Block]:
    """The runbook, and the operator's links."""
    runbook = context.rule.paging.runbook
    links = [("Runbook", runbook)] if runbook else []
    links += [(each.text, each.url) for each in context.buttons[:MOST_OWN_BUTTONS] if each.url]
    return [kit.link_button(text, f"{LINK}.{n}", url) for n, (text, url) in enumerate(links)]


def _questions(context: NotificationContext) -> list[Block]:
    """The question of the rule, and those of the operator. A button holds its question word for
    word, so there is none for one with a secret.
    """
    rule = context.rule
    asked = [] if rule.redacted_query else [("Show the data", context.evidence.query or rule.query)]
    own = context.buttons[:MOST_OWN_BUTTONS]
    return kit.ask_buttons([*asked, *((each.text, each.ask) for each in own if each.ask)])
