"""The words that create a schedule in chat."""

from __future__ import annotations

import contextlib
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import BadQuestion
from bot.schedules.cron import read_cron
from bot.schedules.recurrence import EXAMPLES
from bot.schedules.subscribe import Subscribe, Unsubscribe, parse_subscription
from tests.bot.test_question import HOUSE
from tests.support.work import growth


@pytest.mark.parametrize(
    ("text", "words", "cron", "description"),
    [
        (
            "subscribe last 7 days at 09:00 on weekdays",
            "last 7 days",
            "0 9 * * mon-fri",
            "at 09:00 on weekdays",
        ),
        ("subscribe last 7 days at 9:05", "last 7 days", "5 9 * * *", "at 09:05 every day"),
        ("Subscribe today AT 23:59 ON Mondays", "today", "59 23 * * mon", "at 23:59 on Mondays"),
        (
            "subscribe this month at 08:00 on the 1st",
            "this month",
            "0 8 1 * *",
            "at 08:00 on the 1st of the month",
        ),
        (
            "subscribe 7d at 08:00 on the 22nd",
            "7d",
            "0 8 22 * *",
            "at 08:00 on the 22nd of the month",
        ),
        (
            "subscribe 7d at 08:00 on friday and mondays",
            "7d",
            "0 8 * * mon,fri",
            "at 08:00 on Mondays and Fridays",
        ),
        ("subscribe 7d at 08:00 on weekends", "7d", "0 8 * * sat,sun", "at 08:00 on weekends"),
        (
            "subscribe kitchen where(/at 10:00/) 2h at 08:00",
            "kitchen where(/at 10:00/) 2h",
            "0 8 * * *",
            "at 08:00 every day",
        ),
        ("subscribe at 08:00", "", "0 8 * * *", "at 08:00 every day"),
    ],
)
def test_schedule_is_parsed(text: str, words: str, cron: str, description: str) -> None:
    assert parse_subscription("usage", text, HOUSE) == Subscribe(words, cron, description)
    assert read_cron(cron, UTC) is not None


@pytest.mark.parametrize(
    ("text", "words", "cron", "description"),
    [
        ("last 7 days at 9am", "last 7 days", "0 9 * * *", "at 09:00 every day"),
        ("last 7 days at 9 pm on fridays", "last 7 days", "0 21 * * fri", "at 21:00 on Fridays"),
        ("last 7 days at noon", "last 7 days", "0 12 * * *", "at 12:00 every day"),
        ("yesterday at midnight", "yesterday", "0 0 * * *", "at 00:00 every day"),
        ("last 7 days daily at 9", "last 7 days", "0 9 * * *", "at 09:00 every day"),
        (
            "last 7 days weekdays at 9:30am",
            "last 7 days",
            "30 9 * * mon-fri",
            "at 09:30 on weekdays",
        ),
        (
            "last 7 days every weekday at 9am",
            "last 7 days",
            "0 9 * * mon-fri",
            "at 09:00 on weekdays",
        ),
        ("last 7 days every monday at 09:00", "last 7 days", "0 9 * * mon", "at 09:00 on Mondays"),
        ("every monday at 09:00 last 7 days", "last 7 days", "0 9 * * mon", "at 09:00 on Mondays"),
        ("last 7 days at 9am every monday", "last 7 days", "0 9 * * mon", "at 09:00 on Mondays"),
        ("last 7 days mondays at 9", "last 7 days", "0 9 * * mon", "at 09:00 on Mondays"),
        (
            "7d at 09:00 on mon, wed and fri",
            "7d",
            "0 9 * * mon,wed,fri",
            "at 09:00 on Mondays, Wednesdays and Fridays",
        ),
        ("7d at 09:00 monday to friday", "7d", "0 9 * * mon-fri", "at 09:00 on weekdays"),
        (
            "7d at 09:00 on tue-thu",
            "7d",
            "0 9 * * tue,wed,thu",
            "at 09:00 on Tuesdays, Wednesdays and Thursdays",
        ),
        (
            "7d on the 1st and 15th at 08:00",
            "7d",
            "0 8 1,15 * *",
            "at 08:00 on the 1st and 15th of the month",
        ),
        (
            "7d at 08:00 on the 1st and 15th",
            "7d",
            "0 8 1,15 * *",
            "at 08:00 on the 1st and 15th of the month",
        ),
        ("7d at 9am and 5pm", "7d", "0 9,17 * * *", "at 09:00 and 17:00 every day"),
        ("last 24 hours every 6 hours", "last 24 hours", "0 */6 * * *", "every 6 hours"),
        ("today every 30 minutes", "today", "*/30 * * * *", "every 30 minutes"),
        ("today hourly", "today", "0 * * * *", "every hour"),
        ("last monday at 09:00", "last monday", "0 9 * * *", "at 09:00 every day"),
        (
            "kitchen where(/a  b at 9am/) 2h at 08:00",
            "kitchen where(/a  b at 9am/) 2h",
            "0 8 * * *",
            "at 08:00 every day",
        ),
    ],
)
def test_times_are_read_as_people_type_them(
    text: str, words: str, cron: str, description: str
) -> None:
    assert parse_subscription("usage", f"subscribe {text}", HOUSE) == Subscribe(
        words, cron, description
    )
    assert read_cron(cron, UTC) is not None


WHEN = [
    ("at 9 a.m.", "0 9 * * *"),
    ("at 09h00", "0 9 * * *"),
    ("at 0900", "0 9 * * *"),
    ("at 17h", "0 17 * * *"),
    ("@ 9am", "0 9 * * *"),
    ("@9am on Mondays.", "0 9 * * mon"),
    ("every morning at 9", "0 9 * * *"),
    ("every evening at 6", "0 18 * * *"),
    ("every evening at 6 and 8", "0 18,20 * * *"),
    ("every evening at 6:30", "30 18 * * *"),
    ("each night at 11, 12 and 2", "0 0,2,23 * * *"),
    ("in the evening at 6, 8 and 9", "0 18,20,21 * * *"),
    ("at 9 in the morning and 5 in the afternoon", "0 9,17 * * *"),
    ("at 9, 15", "0 9,15 * * *"),
    ("at 9, 11, and 17, on mon, wed, and fri.", "0 9,11,17 * * mon,wed,fri"),
    ("at 9am 5pm", "0 9,17 * * *"),
    ("at 09:00 17:00 on mondays", "0 9,17 * * mon"),
    ("at 9 on the 1st of every month and the 15th of the month", "0 9 1,15 * *"),
    ("every night at 2", "0 2 * * *"),
    ("every night at 12", "0 0 * * *"),
    ("at 5 in the afternoon", "0 17 * * *"),
    ("at 5 every afternoon", "0 17 * * *"),
    ("on workdays at 9am", "0 9 * * mon-fri"),
    ("on business days at 9am", "0 9 * * mon-fri"),
    ("every working day at 9am", "0 9 * * mon-fri"),
    ("at 9am except weekends", "0 9 * * mon-fri"),
    ("mon–fri at 9am", "0 9 * * mon-fri"),
    ("at 9am monday thru friday", "0 9 * * mon-fri"),
    ("at 9am from monday to friday", "0 9 * * mon-fri"),
    ("at 9am on mon/wed/fri", "0 9 * * mon,wed,fri"),
    ("at 9am on sun-thu", "0 9 * * mon,tue,wed,thu,sun"),
    ("at 9am sunday to thursday", "0 9 * * mon,tue,wed,thu,sun"),
    ("at 9am fri-mon", "0 9 * * mon,fri,sat,sun"),
    ("weekly on mondays at 9am", "0 9 * * mon"),
    ("every week on monday at 9am", "0 9 * * mon"),
    ("monthly on the 1st at 9am", "0 9 1 * *"),
    ("every month on the 1st at 9am", "0 9 1 * *"),
    ("on the first of the month at 9am", "0 9 1 * *"),
    ("at 9am on the 1st & 15th", "0 9 1,15 * *"),
    ("at 9am & 5pm", "0 9,17 * * *"),
    ("at 9am and at 5pm", "0 9,17 * * *"),
    ("every 2h", "0 */2 * * *"),
    ("every two hours", "0 */2 * * *"),
    ("every other hour", "0 */2 * * *"),
    ("every 30m", "*/30 * * * *"),
    ("every half hour", "*/30 * * * *"),
    ("every quarter of an hour", "*/15 * * * *"),
    ("every hour on weekdays", "0 * * * mon-fri"),
    ("every 2 hours on weekdays", "0 */2 * * mon-fri"),
]


@pytest.mark.parametrize(("when", "cron"), WHEN, ids=[when for when, _ in WHEN])
def test_times_of_subscriptions_are_read(when: str, cron: str) -> None:
    subscription = parse_subscription("usage", f"subscribe last 7 days {when}", HOUSE)
    assert isinstance(subscription, Subscribe)
    assert (subscription.query, subscription.cron) == ("last 7 days", cron)
    assert read_cron(cron, UTC) is not None


@pytest.mark.parametrize(
    ("text", "query", "as_canvas"),
    [
        ("last 7 days at 9am as canvas", "last 7 days", True),
        ("last 7 days as canvas at 9am", "last 7 days", True),
        ("last 7 days at 9am on weekdays AS A CANVAS", "last 7 days", True),
        ("every monday at 09:00 last 7 days as canvas", "last 7 days", True),
        ("last 7 days as a canvas hourly", "last 7 days", True),
        ("last 7 days at 9am as message", "last 7 days", False),
        ("as canvas at 9am", "", True),
        ("kitchen where(known as canvas) at 9am", "kitchen where(known as canvas)", False),
    ],
)
def test_form_of_a_digest_is_read(text: str, query: str, *, as_canvas: bool) -> None:
    found = parse_subscription("usage", f"subscribe {text}", HOUSE)
    assert isinstance(found, Subscribe)
    assert (found.query, found.as_canvas) == (query, as_canvas)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("last 7 days as canvas at 9 as message", "last 7 days at 9 as canvas"),
        ("last 7 days as message at 9 as canvas", "last 7 days at 9 as canvas"),
        ("last 7 days at 9 as canvas as message", "last 7 days at 9 as canvas"),
    ],
)
def test_digest_has_one_form(text: str, hint: str) -> None:
    with pytest.raises(BadQuestion, match="and not both") as raised:
        parse_subscription("usage", f"subscribe {text}", HOUSE)
    assert raised.value.hint == f"/usage subscribe {hint}"


@pytest.mark.parametrize(
    ("text", "says", "hint"),
    [
        (
            "last 7 days at 9am as report",
            "“as report” is neither",
            "at 09:00 on weekdays as canvas",
        ),
        ("last 7 days as canvas", "When?", "last 7 days at 09:00 on weekdays as canvas"),
        ("last 7 days at 5 as canvas", "05:00 or 17:00", "last 7 days at 05:00 as canvas"),
        ("last 7 days weekly as canvas", "not supported", "at 09:00 on mondays as canvas"),
    ],
)
def test_refusal_keeps_the_canvas(text: str, says: str, hint: str) -> None:
    with pytest.raises(BadQuestion) as raised:
        parse_subscription("usage", f"subscribe {text}", HOUSE)
    assert says in raised.value.message
    assert raised.value.hint.endswith(hint)


@pytest.mark.parametrize("text", EXAMPLES)
def test_every_example_of_a_recurrence_is_read(text: str) -> None:
    subscription = parse_subscription("usage", f"subscribe last 7 days {text}", HOUSE)
    assert isinstance(subscription, Subscribe)
    assert (subscription.query, subscription.when) == ("last 7 days", text)


@pytest.mark.parametrize(
    ("text", "says", "hint"),
    [
        ("today at 5", "“at 5” can be 05:00 or 17:00", "/usage subscribe today at 05:00"),
        (
            "today at 12 on mondays",
            "can be 00:00 or 12:00",
            "/usage subscribe today at 00:00 on mondays",
        ),
        ("today @5", "can be 05:00", "/usage subscribe today @05:00"),
        ("today at 5.", "can be 05:00", "/usage subscribe today at 05:00"),
        ("today at 5/6", "can be 05:00", "/usage subscribe today at 05:00/06:00"),
        ("last 5 days at 5.", "can be 05:00", "/usage subscribe last 5 days at 05:00"),
        ("last 7 days at 5.", "can be 05:00", "/usage subscribe last 7 days at 05:00"),
        ("last 7 days at 9&5", "can be 05:00", "/usage subscribe last 7 days at 9&05:00"),
        (
            "last 7 days at 5 on the 1",
            "can be 05:00",
            "/usage subscribe last 7 days at 05:00 on the 1",
        ),
        ("today at 5 and 5", "can be 05:00", "/usage subscribe today at 05:00"),
        ("today at 25:00 on @5", "can be 05:00", "/usage subscribe today at 25:00 on @05:00"),
        ("today at 9 15", "09:15, or 09:00 and 15:00", "/usage subscribe today at 09:15"),
        ("at 9 15 on mondays", "can be 09:15", "/usage subscribe last 7 days at 09:15 on mondays"),
        ("today at 5 45", "can be 05:45; specify which", "/usage subscribe today at 05:45"),
        (
            "today at 9 on mondays and the 1st",
            "“mondays and the 1st” are not days",
            "/usage subscribe today at 9 on weekdays",
        ),
        (
            "at 9 on mondays and the 1st",
            "“mondays and the 1st” are not days",
            "/usage subscribe last 7 days at 9 on weekdays",
        ),
        (
            "at 9 on the 1st of january",
            "“the 1st of january” are not days",
            "/usage subscribe last 7 days at 9 on weekdays",
        ),
        (
            "today at 9 on fridays and",
            "“fridays and” are not days",
            "/usage subscribe today at 9 on weekdays",
        ),
        (
            "today every 5 hours",
            "“every 5 hours” is not supported",
            "/usage subscribe today at 09:00 on mondays",
        ),
        (
            "today every 2 days at 9am",
            "“every 2 days” is not supported",
            "/usage subscribe today at 9am on mondays",
        ),
        (
            "today weekly at 9am",
            "“weekly” is not supported",
            "/usage subscribe today at 9am on mondays",
        ),
        (
            "today at 9am UTC",
            "“at 9am UTC” is not a time",
            "/usage subscribe today at 9am",
        ),
        (
            "today at 09:00 and 17:30",
            "“at 09:00 and 17:30” is not a time",
            "/usage subscribe today at 09:00",
        ),
        ("today at 7:30 tomorrow", "is not a time", "/usage subscribe today at 7:30"),
        (
            "last month monthly at 8",
            "“monthly” is not supported",
            "/usage subscribe last month at 8 on the 1st",
        ),
        (
            "today every other friday at 7am",
            "“every other friday” is not supported",
            "/usage subscribe today at 7am on fridays",
        ),
        (
            "today at 7:30 every 2 weeks",
            "“every 2 weeks” is not supported",
            "/usage subscribe today at 7:30 on mondays",
        ),
        ("today every day", "is not supported", "/usage subscribe today at 09:00 every day"),
        ("last month on the 5th", "Add a time", "/usage subscribe last month at 09:00 on the 5th"),
        ("last week tuesdays", "Add a time", "/usage subscribe last week at 09:00 tuesdays"),
        ("since monday", "Add a time", "/usage subscribe since monday at 09:00 on weekdays"),
        (
            "today at 13pm",
            "“at 13pm” is not a time",
            "/usage subscribe today at 09:00 on weekdays",
        ),
        (
            "today csv at 25:00 on mondays",
            "25:00 is not a time of day",
            "/usage subscribe today csv at 09:00 on mondays",
        ),
    ],
)
def test_ambiguous_schedule_is_asked_back(text: str, says: str, hint: str) -> None:
    with pytest.raises(BadQuestion, match=says) as caught:
        parse_subscription("usage", f"subscribe {text}", HOUSE)
    assert caught.value.hint == hint
    assert parse_subscription("usage", hint.removeprefix("/usage "), HOUSE)


@pytest.mark.parametrize(
    "words", ["at 09:00 ", "every ", "on mondays ", "at ", "and ", "9am ", "the 1st ", "x ", "mon,"]
)
def test_work_grows_no_faster_than_the_words(words: str) -> None:
    def tried(times: int) -> None:
        with contextlib.suppress(BadQuestion):
            parse_subscription("usage", "subscribe " + words * times, HOUSE)

    tried(20)
    assert max(growth(tried, [50, 100, 200])) < 2.6


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("subscribe last 7 days", "When?"),
        ("subscribe", "When?"),
        ("subscribe today at 25:00", "25:00 is not a time of day"),
        ("subscribe today at 09:00 on someday", "“someday” are not days"),
        ("subscribe today at 09:00 on the 32nd", "are not days"),
        ("unsubscribe", "Give its number"),
        ("unsubscribe all", "Give its number"),
    ],
)
def test_unreadable_subscription_gets_example(text: str, says: str) -> None:
    with pytest.raises(BadQuestion, match=says) as caught:
        parse_subscription("usage", text, HOUSE)
    example = caught.value.hint.partition(" ")[2]
    assert parse_subscription("usage", example, HOUSE)


def test_other_words_are_questions() -> None:
    assert parse_subscription("usage", "last 7 days", HOUSE) is None
    assert parse_subscription("usage", "", HOUSE) is None
    assert parse_subscription("usage", "subscriptions", HOUSE) == "list"
    assert parse_subscription("usage", "unsubscribe #12", HOUSE) == Unsubscribe(12)


@given(st.text(max_size=60))
def test_any_words_parse_or_are_refused(text: str) -> None:
    try:
        subscription = parse_subscription("logs", f"subscribe {text}", HOUSE)
    except BadQuestion as refusal:
        assert refusal.hint
    else:
        assert isinstance(subscription, Subscribe)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("last 7 days 9am", "last 7 days at 09:00"),
        ("last 7 days 9 am on weekdays", "last 7 days at 09:00 on weekdays"),
        ("last 7 days 17:30", "last 7 days at 17:30"),
        ("last 7 days every monday 9:30pm", "last 7 days every monday at 21:30"),
    ],
)
def test_hint_contains_time_without_at(text: str, hint: str) -> None:
    with pytest.raises(BadQuestion) as caught:
        parse_subscription("usage", f"subscribe {text}", HOUSE)
    assert caught.value.hint == f"/usage subscribe {hint}"
    assert parse_subscription("usage", f"subscribe {hint}", HOUSE)
