"""Questions that are saved under a name, on every database."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from bot.store import SavedQuestion, Store
from tests.store.conftest import NOW

MORNING = SavedQuestion("C0OPS", "usage", "morning", "last 7 days", "U0ADA")


async def test_saved_question_is_found_by_every_process(store: Store, other: Store) -> None:
    assert await store.saved_questions.save(MORNING, now=NOW, most=5) is None
    assert await other.saved_questions.find("C0OPS", "usage", "morning") == MORNING
    assert await other.saved_questions.find("C0KITCHEN", "usage", "morning") is None
    assert await other.saved_questions.find("C0OPS", "logs", "morning") is None


async def test_saving_again_replaces(store: Store) -> None:
    await store.saved_questions.save(MORNING, now=NOW, most=1)
    other = replace(MORNING, query="yesterday", user="U0LINUS")
    assert await store.saved_questions.save(other, now=NOW, most=1) == MORNING
    assert await store.saved_questions.in_channel("C0OPS") == [other]
    assert await store.saved_questions.of_user("U0ADA") == []


async def test_channel_holds_only_so_many(store: Store) -> None:
    await store.saved_questions.save(MORNING, now=NOW, most=1)
    with pytest.raises(OverflowError):
        await store.saved_questions.save(replace(MORNING, name="evening"), now=NOW, most=1)
    elsewhere = replace(MORNING, channel="C0KITCHEN")
    assert await store.saved_questions.save(elsewhere, now=NOW, most=1) is None


async def test_deleted_question_is_gone(store: Store) -> None:
    await store.saved_questions.save(MORNING, now=NOW, most=5)
    assert await store.saved_questions.delete("C0OPS", "usage", "morning")
    assert not await store.saved_questions.delete("C0OPS", "usage", "morning")
    assert await store.saved_questions.in_channel("C0OPS") == []


async def test_question_of_another_person_is_not_replaced(store: Store, other: Store) -> None:
    await store.saved_questions.save(MORNING, now=NOW, most=5)
    theirs = replace(MORNING, query="yesterday", user="U0LINUS")
    with pytest.raises(PermissionError):
        await other.saved_questions.save(theirs, now=NOW, most=5, only_own=True)
    with pytest.raises(PermissionError):
        await other.saved_questions.delete("C0OPS", "usage", "morning", only_of="U0LINUS")
    assert await store.saved_questions.in_channel("C0OPS") == [MORNING]
    ours = replace(MORNING, query="today")
    assert await other.saved_questions.save(ours, now=NOW, most=5, only_own=True) == MORNING
    assert await store.saved_questions.delete("C0OPS", "usage", "morning", only_of="U0ADA") == ours
