"""A page of the list of `alerts`: each alert with its buttons, and how to see the others."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from bot.answer import Answer
from bot.blocks import kit, messages
from bot.blocks.home import HomeAlert, alert_blocks

# Three blocks each, of the fifty that a message may have.
ALERTS_ON_PAGE = 15


class AlertPage(Struct, frozen=True):
    """The alerts of a page. `line` is the question that shows the list."""

    head: str
    alerts: Sequence[HomeAlert]
    # The line that shows each of the alerts.
    shows: Sequence[str]
    page: int
    pages: int
    line: str


def page_answer(shown: AlertPage) -> Answer:
    """The page as an answer. Its words name nobody: a mention in them would be shown as an id."""
    foot = _foot(shown)
    text = "\n".join(
        [shown.head, *(alert.line.words for alert in shown.alerts), *([foot] if foot else [])]
    )
    blocks = [kit.section(messages.with_code(shown.head))]
    for alert, line in zip(shown.alerts, shown.shows, strict=True):
        blocks += alert_blocks(alert, kit.ask_buttons([("Show", line)]))
    if foot:
        pages = [("Previous page", shown.page - 1), ("Next page", shown.page + 1)]
        asked = [(text, f"{shown.line} page {n}") for text, n in pages if 1 <= n <= shown.pages]
        blocks += [kit.context(kit.with_code(foot)), kit.actions(kit.ask_buttons(asked))]
    return Answer(text, blocks)


def _foot(shown: AlertPage) -> str:
    if shown.pages < 2:
        return ""
    other = shown.page + 1 if shown.page < shown.pages else shown.page - 1
    return f"Page {shown.page} of {shown.pages}; see another one with `{shown.line} page {other}`."
