"""What the form of recorded calls shows about each account before it is filled in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.blocks.modals import ModalState, question_modal
from bot.commands.apiaudit.answer import _limits_note
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack import Message
from providers.models import CallsDescription
from tests.conftest import connected_bot
from tests.support.modals import opened

DAYS = timedelta(days=90)


@pytest.mark.parametrize(
    ("known", "note"),
    [
        (CallsDescription(), ""),
        (CallsDescription(retention=DAYS), "edge: API calls are kept for 90 days."),
        (CallsDescription(most_rows=5000), "edge: at most 5,000 rows a request."),
        (
            CallsDescription(most_rows=5000, retention=DAYS, required_role="Reader"),
            (
                "edge: API calls are kept for 90 days; at most 5,000 rows a request; its API "
                "client needs the role “Reader”."
            ),
        ),
    ],
    ids=["nothing", "retention", "rows", "all"],
)
def test_note_names_known_limits(known: CallsDescription, note: str) -> None:
    assert _limits_note("edge", known) == note


def test_hostile_notes_fit_into_the_form() -> None:
    view = question_modal(ModalState("usage", "C0OPS"), [], "", ["<!channel> *x* " * 400] * 30)
    shown = view["blocks"][0]["elements"]
    assert len(shown) == 10
    assert all(len(each["text"]) <= 3000 and "<!" not in each["text"] for each in shown)


async def test_form_names_limits_of_accounts(sandbox: Sandbox) -> None:
    async with connected_bot(sandbox):
        answer: Message = await sandbox.slack.answer_to("/apiaudit help")
        view: Any = await opened(sandbox, answer, "modal.question")
    assert "edge: API calls are kept for" in view.words()
    assert "rows a request" in view.words()
    assert "needs the role" in view.words()
