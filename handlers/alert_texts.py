"""What people read when they create or change an alert, and the lines that are suggested to them."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from bot import formatting
from bot.alerts.baseline import LEAST_DAYS, LEAST_WEEKS
from bot.alerts.mutes import ActiveSilence
from bot.alerts.rule import Rule
from bot.alerts.state import WHOLE, AlertState
from bot.blocks.alert_lines import Names, rule_line
from bot.blocks.alert_states import OK_STATES, state_word
from bot.blocks.alert_values import usual_label
from bot.questions.question import CommandName, Question
from handlers.jobs.baselines import BaselineReader

LEARNS_FOR = (
    f"{LEAST_DAYS} days of history to know an hour of the day, and {LEAST_WEEKS} weeks to know an "
    "hour of a weekday"
)


def created_text(rule: Rule, question: Question, names: Names, *, changed: bool) -> str:
    """What was created or changed, how often it is checked, and how it is deleted. `names` are
    those of the people and groups whom it calls.
    """
    window = f" The window is now {question.window.label}." if question.window else ""
    return (
        f"Alert `{rule.name}` {'updated' if changed else 'created'}: {rule_line(rule, names)}. Posts here; "
        f"checked every {formatting.format_interval(rule.every)}.{window} Delete it with "
        f"`/{rule.command} unalert {formatting.quoted(rule.name)}`."
    )


def unacknowledgeable(alert: AlertState, silence: ActiveSilence | None) -> str:
    """Why an alert without an open incident cannot be acknowledged, after its name."""
    state = f"is {state_word(alert.state)}"
    if silence and alert.state not in OK_STATES:
        return (
            f"{state}, and {silence.text}: nothing was posted that could be acknowledged. What still "
            "fires after that is posted at once."
        )
    return f"{state}: there is nothing to acknowledge."


async def baseline_text(rule: Rule, baselines: BaselineReader | None, now: datetime) -> str:
    """What is usual now, or that it is not known yet; empty for a rule without a baseline."""
    if not rule.usual:
        return ""
    if rule.each:
        return f" What is usual is learned for each {rule.each}: it takes {LEARNS_FOR}."
    baseline = (await baselines.at(rule, [WHOLE], now)).get(WHOLE) if baselines else None
    if baseline is None:
        is_fetching = baselines is not None and baselines.is_filling(rule)
        fetching = " Its history is being fetched." if is_fetching else ""
        return f" No baseline yet, so it does not fire: it takes {LEARNS_FOR}.{fetching}"
    return f" Now {usual_label(rule.value, baseline)}."


def line_with_comparison(question: Question) -> str:
    """The line of the question with a second window, or with two that can be compared."""
    if question.comparison and question.comparison.instead:
        return question.over(question.comparison.instead)
    window = f"{question.parts.window} vs previous".strip()
    return f"/{question.command} {replace(question.parts, window=window)}"


def alert_line(command: CommandName, query: str, condition: str) -> str:
    """An alert as it can be typed. The interval is always shown, so that people know that there is
    one.
    """
    every = "" if "every" in condition.lower().split() else " every 15m"
    return f"/{command} alert {query} {condition}{every}"
