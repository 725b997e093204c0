"""The words of a schedule made in chat."""

from __future__ import annotations

from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import BadQuestion
from bot.schedule import read_cron
from bot.subscriptions import Subscribe, Unsubscribe, read_wish
from tests.bot.test_question import HOUSE


@pytest.mark.parametrize(
    ("text", "words", "cron", "said"),
    [
        ("subscribe last 7 days at 09:00 on weekdays", "last 7 days", "0 9 * * mon-fri", "at 09:00 on weekdays"),
        ("subscribe last 7 days at 9:05", "last 7 days", "5 9 * * *", "at 09:05 every day"),
        ("Subscribe today AT 23:59 ON Mondays", "today", "59 23 * * mon", "at 23:59 on Mondays"),
        ("subscribe this month at 08:00 on the 1st", "this month", "0 8 1 * *", "at 08:00 on the 1st of the month"),
        ("subscribe 7d at 08:00 on the 22nd", "7d", "0 8 22 * *", "at 08:00 on the 22nd of the month"),
        ("subscribe 7d at 08:00 on friday and mondays", "7d", "0 8 * * mon,fri", "at 08:00 on Mondays and Fridays"),
        ("subscribe 7d at 08:00 on weekends", "7d", "0 8 * * sat,sun", "at 08:00 on weekends"),
        ("subscribe kitchen where(/at 10:00/) 2h at 08:00", "kitchen where(/at 10:00/) 2h", "0 8 * * *", "at 08:00 every day"),
        ("subscribe at 08:00", "", "0 8 * * *", "at 08:00 every day"),
    ],
)
def test_a_schedule_is_read(text: str, words: str, cron: str, said: str) -> None:
    assert read_wish("usage", text, HOUSE) == Subscribe(words, cron, said)
    assert read_cron(cron, UTC) is not None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("subscribe last 7 days", "When?"),
        ("subscribe", "When?"),
        ("subscribe today at 25:00", "25:00 is no time of day"),
        ("subscribe today at 09:00 on someday", "I do not know the days “someday”"),
        ("subscribe today at 09:00 on the 32nd", "I do not know the days"),
        ("unsubscribe", "Give its number"),
        ("unsubscribe all", "Give its number"),
    ],
)
def test_a_wish_that_cannot_be_read_is_refused_with_an_example(text: str, says: str) -> None:
    with pytest.raises(BadQuestion, match=says) as caught:
        read_wish("usage", text, HOUSE)
    example = caught.value.hint.partition(" ")[2]
    assert read_wish("usage", example, HOUSE)


def test_other_words_are_questions() -> None:
    assert read_wish("usage", "last 7 days", HOUSE) is None
    assert read_wish("usage", "", HOUSE) is None
    assert read_wish("usage", "subscriptions", HOUSE) == "list"
    assert read_wish("usage", "unsubscribe #12", HOUSE) == Unsubscribe(12)


@given(st.text(max_size=60))
def test_any_words_give_a_wish_or_a_refusal(text: str) -> None:
    try:
        wish = read_wish("logs", f"subscribe {text}", HOUSE)
    except BadQuestion as refusal:
        assert refusal.hint
    else:
        assert isinstance(wish, Subscribe)
