"""What is new in some calls, compared with a simple recomputation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.answer import Measurement, Progress
from bot.blocks import limits
from bot.commands.answering import MeasureContext
from bot.commands.apiaudit.answer import ApiAuditAnswerer
from bot.commands.apiaudit.blocks import audit_blocks, audit_text
from bot.commands.apiaudit.denied import LEAST_DENIED
from bot.commands.apiaudit.display import Display, split_display
from bot.commands.apiaudit.history import CallHistory
from bot.commands.apiaudit.novelty import (
    KINDS,
    NEW_VALUES,
    AccountHistory,
    Novelty,
    novelty,
    seen_days,
)
from bot.commands.apiaudit.novelty_words import nothing_new, novelty_findings
from bot.commands.apiaudit.question import AuditQuestion
from bot.commands.apiaudit.report import AuditFacts, audit_report, audit_values
from bot.commands.apiaudit.seen_history import SeenHistory
from bot.commands.apiaudit.tool import AuditArguments
from bot.commands.seen_store import MemorySeenStore, RecentDays
from bot.errors import BadQuestion
from bot.questions.question import AccountDirectory
from bot.questions.reading import read_line
from bot.questions.registry import COMMANDS
from bot.questions.windows import ParsedWindow
from bot.reports.seen_values import MOST_ENTRIES, SeenDay, SeenSet
from providers.errors import Unavailable
from providers.models import ApiCall, CallFilters, CallPage, Outcome, Window

HOUSE = AccountDirectory({"edge": "akamai"})
NOW = datetime(2026, 11, 21, 14, 5, 30, 123456, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
LAST_HOUR = Window(NOW - HOUR, NOW)


def made(ago: timedelta | None, **changes: Any) -> ApiCall:
    at = None if ago is None else NOW - ago
    call = ApiCall(
        at=at,
        at_text=str(at),
        account="edge",
        actor="ada",
        action="GET",
        target="/papi",
        status="200",
        outcome=Outcome.SUCCESS,
        client="terraform",
        ip="203.0.113.7",
        duration_ms=None,
    )
    return replace(call, **changes)


def denied(ago: timedelta, count: int, **changes: Any) -> list[ApiCall]:
    changes = {"status": "403", "outcome": Outcome.FAILURE, **changes}
    return [made(ago + n * timedelta(seconds=1), **changes) for n in range(count)]


def history(calls: Sequence[ApiCall], before: Window, read: Window | None = None) -> AccountHistory:
    """The known values after all calls of a time were read."""
    days = {day.day: day for day in seen_days(calls, read or before)}
    return AccountHistory(before, days)


def before(days: int = 30, window: Window = LAST_HOUR) -> Window:
    return Window(window.start - days * DAY, window.start)


def found(calls: Sequence[ApiCall], days: int = 30, window: Window = LAST_HOUR) -> Novelty:
    """The new values in the window, if all calls were read."""
    known = Window(window.start - days * DAY - 3 * HOUR, window.end)
    inside = [call for call in calls if call.at is None or window.start <= call.at < window.end]
    histories = {"edge": history(calls, before(days, window), known)}
    return novelty(inside, histories, days=days)


def names(result: Novelty, kind: str) -> list[str]:
    return sorted(value.name for value in result.new[kind])


HOSTILE = st.sampled_from(["ada", "grace", "", "a\0b", "\ud800", "`x`", "<!channel>", "x" * 500])
AGO = st.one_of(
    st.integers(0, 40 * 86_400_000_000),
    # Around the start of the window, and of the days before.
    st.builds(
        lambda edge, near: edge + near,
        st.sampled_from([3_600_000_000, 3_600_000_000 + 8 * 86_400_000_000]),
        st.integers(-3, 3),
    ),
).map(lambda microseconds: timedelta(microseconds=microseconds))
CALLS = st.lists(
    st.builds(
        made,
        AGO,
        actor=HOSTILE,
        ip=HOSTILE,
        action=HOSTILE,
        client=HOSTILE,
        own=st.sampled_from([False, False, True]),
    ),
    max_size=30,
)


@given(CALLS)
@settings(max_examples=150)
def test_new_values_are_those_of_plain_sets(calls: list[ApiCall]) -> None:
    days = 8
    window = LAST_HOUR
    result = found(calls, days)
    for kind in KINDS:
        inside = [c for c in calls if c.at and window.start <= c.at < window.end]
        earlier = [c for c in calls if c.at and window.start - days * DAY <= c.at < window.start]
        values = {getattr(call, kind) for call in inside} - {""}
        others = {getattr(call, kind) for call in inside if not call.own} - {""}
        if inside and not values:
            assert kind not in result.new
        else:
            assert names(result, kind) == sorted(others - {getattr(c, kind) for c in earlier})


@given(CALLS, st.sampled_from(["", "actor", "account"]), st.booleans())
@settings(max_examples=100)
def test_backtest_finds_what_an_answer_finds(
    calls: list[ApiCall], each: str, is_filtered: bool
) -> None:
    since = NOW - 60 * DAY
    days = 8
    asked = [call for call in calls if call.ip == "ada"] if is_filtered else calls
    past = CallHistory(asked, ("edge",), earlier=calls, since=since, days=days)
    for kind in KINDS.values():
        inside = [c for c in asked if c.at and LAST_HOUR.start <= c.at < LAST_HOUR.end]
        earlier = {"edge": history(calls, before(days), Window(since, NOW))}
        facts = AuditFacts(
            ("edge",), LAST_HOUR, inside, True, display=Display(days=days), histories=earlier
        )
        expected = audit_values(facts, (kind.value,), each=each)
        computed = past.values(LAST_HOUR, kind.value, each)
        assert computed.get(kind.value) == expected.get(kind.value)
        for subject, values in expected.get(f"by_{each}", {}).items():
            assert computed[f"by_{each}"][subject].get(kind.value) == values.get(kind.value)


@pytest.mark.parametrize(
    ("ago", "is_new"),
    [
        (HOUR + timedelta(microseconds=1), False),
        (timedelta(minutes=59), True),
        (HOUR + 30 * DAY, False),
        (HOUR + 30 * DAY + timedelta(microseconds=1), True),
    ],
    ids=["just before", "in the window", "at the start of the days", "before the days"],
)
def test_edges_of_the_days_before(ago: timedelta, is_new: bool) -> None:
    result = found([made(timedelta(minutes=1), ip="a"), made(ago, ip="a")])
    assert names(result, "ip") == (["a"] if is_new else [])


def test_call_without_a_time_counts_as_in_the_window() -> None:
    assert names(found([made(None, ip="a")]), "ip") == ["a"]
    known = history([made(None, ip="a")], before())
    assert known.unseen("ip", ["a"]) == set()


def test_column_that_is_not_recorded_is_unknown() -> None:
    result = found([made(timedelta(minutes=1), ip="")])
    assert "ip" not in result.new
    assert "no call in the window has one" in nothing_new(result, "ip")
    assert result.values(["new_ips", "new_actors"]) == {"new_actors": 1}


def test_too_many_values_are_unknown() -> None:
    full = SeenSet.of(dict.fromkeys(range(MOST_ENTRIES), (0, 0)))
    known = history([], before())
    day = NOW.date() - DAY
    days = {**known.days, day: known.days[day].merged(SeenDay(day, {"ip": full}))}
    result = novelty([made(timedelta(0))], {"edge": AccountHistory(before(), days)})
    assert set(result.new) == {"actor", "client", "action"}
    assert "more than 20,000 different ones" in nothing_new(result, "ip")


def test_calls_of_the_bot_are_no_news() -> None:
    own = [made(timedelta(minutes=1), actor="opswatch", own=True)]
    assert found(own).values(NEW_VALUES) == dict.fromkeys(NEW_VALUES, 0)
    past = CallHistory(own, ("edge",), since=NOW - 60 * DAY)
    assert past.values(LAST_HOUR, "new_actors") == {"new_actors": 0}


@pytest.mark.parametrize(("known", "value"), [(6, None), (7, 1), (30, 1)])
def test_few_days_say_nothing(known: int, value: int | None) -> None:
    read = Window(LAST_HOUR.start - known * DAY, LAST_HOUR.start)
    histories = {"edge": history([], before(), read)}
    result = novelty([made(timedelta(minutes=1))], histories)
    assert result.values(["new_ips"]).get("new_ips") == value
    assert result.unknown == ({} if value else {"edge": known})


def test_unread_hour_before_the_window_says_nothing() -> None:
    read = Window(before().start, LAST_HOUR.start - timedelta(minutes=5))
    assert history([], before(), read).known_days == 0


def test_missing_days_are_named() -> None:
    read = Window(LAST_HOUR.start - 21 * DAY, LAST_HOUR.start)
    result = novelty([made(timedelta(minutes=1))], {"edge": history([], before(), read)})
    assert novelty_findings(result, ())[0] == (
        "1 actor not seen in the 30 days before (compared with 21 of 30 days): ada."
    )


def test_account_without_history_leaves_the_total_unknown() -> None:
    calls = [made(timedelta(minutes=1)), made(timedelta(minutes=1), account="iot", actor="oven")]
    histories = {"edge": history([], before()), "iot": AccountHistory(before())}
    facts = AuditFacts(("edge", "iot"), LAST_HOUR, calls, True, histories=histories)
    values = audit_values(facts, ("new_actors",), each="account")
    assert "new_actors" not in values
    assert values["by_account"]["edge"]["new_actors"] == 1
    assert "new_actors" not in values["by_account"]["iot"]


def test_same_value_is_new_to_each_account() -> None:
    calls = [made(timedelta(minutes=1)), made(timedelta(minutes=1), account="iot")]
    histories = {"edge": history([made(2 * DAY)], before()), "iot": history([], before())}
    result = novelty(calls, histories)
    assert [(value.account, value.name) for value in result.new["actor"]] == [("iot", "ada")]


def test_person_of_two_accounts_counts_once() -> None:
    calls = [made(ago, account=name) for name in ("edge", "lab") for ago in (DAY, HOUR / 2)]
    known = Window(before().start, LAST_HOUR.end)
    histories = {
        name: history([call for call in calls if call.account == name], before(), known)
        for name in ("edge", "lab")
    }
    result = novelty([call for call in calls if call.at and call.at >= LAST_HOUR.start], histories)
    assert result.seen["actor"] == 1
    assert "the only one in the window was seen" in nothing_new(result, "actor")


@given(
    st.dictionaries(st.integers(0, 50), st.integers(0, 2**40), max_size=30),
    st.lists(st.integers(0, 60), max_size=30),
)
def test_highest_number_is_that_of_plain_entries(
    entries: dict[int, int], wanted: list[int]
) -> None:
    found = SeenSet.of({key: (0, value) for key, value in entries.items()})
    assert found.highest(wanted) == max([entries.get(key, 0) for key in wanted], default=0)


@pytest.mark.parametrize(
    ("earlier", "count", "is_burst"),
    [(0, LEAST_DENIED - 1, False), (0, LEAST_DENIED, True), (10, 30, False), (10, 31, True)],
)
def test_burst_is_far_above_the_usual(earlier: int, count: int, is_burst: bool) -> None:
    past = denied(3 * DAY, earlier)
    now = denied(timedelta(minutes=7), count)
    bursts = found([*past, *now]).bursts
    assert {(burst.kind, burst.calls, burst.usual) for burst in bursts} == (
        {("actor", count, earlier), ("ip", count, earlier)} if is_burst else set()
    )


def test_burst_is_unknown_among_too_many() -> None:
    full = SeenSet.of(dict.fromkeys(range(MOST_ENTRIES), (0, 1)))
    known = history([], before())
    day = NOW.date() - DAY
    days = {**known.days, day: known.days[day].merged(SeenDay(day, {"denied ip": full}))}
    calls = denied(timedelta(minutes=7), 50)
    result = novelty(calls, {"edge": AccountHistory(before(), days)})
    assert [burst.kind for burst in result.bursts] == ["actor"]


def test_burst_is_a_finding() -> None:
    calls = denied(timedelta(minutes=7), 12, actor="`mallory`", status="401")
    report = audit_report(
        AuditFacts(
            ("edge",), LAST_HOUR, calls, True, histories={"edge": history([made(DAY)], before())}
        )
    )
    assert (
        "12 calls of ˋmalloryˋ were denied (401 or 403) in an hour on edge; none in the 30 days "
        "before."
    ) in report.findings()


def test_other_failures_are_no_burst() -> None:
    assert found(denied(timedelta(minutes=7), 50, status="503")).bursts == ()


@pytest.mark.parametrize(
    ("words", "new", "days", "left"),
    [
        ("24h new ip", ("ip",), 30, "24h"),
        ("new ips in 14d", ("ip",), 14, ""),
        ("new IP addresses in 14 days 2h", ("ip",), 14, "2h"),
        ("new actor, client and action vs 2w", ("actor", "client", "action"), 14, ""),
        ("new methods new who", ("action", "actor"), 30, ""),
        ("24h new", tuple(KINDS), 30, "24h"),
        ("new ip in last 7 days", ("ip",), 30, "in last 7 days"),
        ("new ip in 24h", ("ip",), 30, "in 24h"),
    ],
)
def test_words_of_what_is_new(words: str, new: tuple[str, ...], days: int, left: str) -> None:
    display, others = split_display(words.split())
    assert (display.new, display.days, " ".join(others)) == (new, days, left)
    assert split_display(" ".join(display.words).split()) == (display, [])


def test_tool_has_an_argument_for_what_is_new() -> None:
    arguments = AuditArguments(window="24h", compare_with=None, new=["ip", "actor"], csv=True)
    assert arguments.words() == "24h new ip new actor csv"


def test_alert_on_words_of_what_is_new_counts_it() -> None:
    command = COMMANDS["apiaudit"]
    assert command.default_value("edge last 1h new ip in 14d") == "new_ips"
    assert command.default_value("edge last 1h") == "failures"


@pytest.mark.parametrize("days", ["0d", "61d", "9w"])
def test_too_many_days_are_refused(days: str) -> None:
    with pytest.raises(BadQuestion) as raised:
        read_line(f"/apiaudit edge 24h new ip in {days}", HOUSE, now=NOW, zone=UTC)
    assert raised.value.hint == "/apiaudit edge 24h new ip"


# The days that are fetched


class Source:
    """An account that records the questions it gets."""

    account = "edge"

    def __init__(self, calls: Sequence[ApiCall] = (), kept: timedelta | None = None) -> None:
        self.recorded = calls
        self.kept = kept
        self.asked: list[Window] = []
        self.fails_after = 1000
        self.complete = True
        self.waiting = False
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.data_until: datetime | None = None

    def unsupported_filter(self, filters: CallFilters) -> None:
        """Accepts any filter; none is used."""

    def kept_since(self, now: datetime) -> datetime | None:
        return now - self.kept if self.kept else None

    async def calls(
        self, window: Window, filters: CallFilters, *, read: Callable[[int], None] = print
    ) -> CallPage:
        if len(self.asked) >= self.fails_after:
            raise Unavailable("edge does not answer.", account="edge", hint="Try again.")
        self.asked.append(window)
        self.waiting = True
        await self.may_answer.wait()
        calls = [c for c in self.recorded if c.at and window.start <= c.at < window.end]
        if self.data_until and self.data_until < window.end:
            calls = [c for c in calls if c.at and c.at < self.data_until]
            return CallPage(calls, False, ("edge has data until then.",), self.data_until)
        return CallPage(calls, complete=self.complete)


async def measured(source: Source, value: str, words: str = "") -> Measurement:
    question = read_line(f"/apiaudit edge last 1h {words}", HOUSE, now=NOW, zone=UTC)
    assert isinstance(question, AuditQuestion)
    answerer = ApiAuditAnswerer({"edge": source}, lambda: NOW)
    context = MeasureContext(lambda: Path("unused"), UTC, value)
    return await answerer.measure(question, context)


async def test_alert_says_how_many_days_are_known() -> None:
    source = Source([made(timedelta(minutes=1))], kept=20 * DAY)
    found = await measured(source, "new_ips")
    assert found.values == {"new_ips": 1, "complete": True}
    assert found.shortcomings == ["compared with 20 of 30 days"]


async def test_filter_narrows_the_window_alone() -> None:
    source = Source([made(timedelta(minutes=1)), made(2 * DAY, actor="grace")])
    found = await measured(source, "new_ips", "ip:203.0.113.7 who:ada")
    assert found.values["new_ips"] == 0


async def test_other_alerts_fetch_no_days() -> None:
    source = Source()
    await measured(source, "failures")
    assert len(source.asked) == 1


def opened(source: Source) -> SeenHistory:
    return SeenHistory({"edge": source}, RecentDays(MemorySeenStore()), lambda: NOW)


async def read_history(
    seen: SeenHistory, days: int = 30, start: datetime = NOW - DAY
) -> AccountHistory:
    return (await seen.before(["edge"], start, days, progress=Progress()))["edge"]


async def test_each_day_is_fetched_once() -> None:
    source = Source([made(10 * DAY, ip="a")])
    seen = opened(source)
    first, again = await asyncio.gather(read_history(seen), read_history(seen))
    assert (first.known_days, again.known_days) == (30, 30)
    assert len(source.asked) == 31
    assert max(window.length for window in source.asked) == DAY
    assert (await read_history(seen)).unseen("ip", ["a", "b"]) == {"b"}
    assert len(source.asked) == 31


async def test_history_without_progress_fetches_nothing() -> None:
    source = Source()
    found = await opened(source).before(["edge"], NOW - DAY, 30, progress=None)
    assert found["edge"].known_days == 0
    assert source.asked == []


async def test_answers_spare_the_days_they_read() -> None:
    source = Source()
    seen = opened(source)
    await seen.learn({"edge": CallPage([], complete=True)}, Window(NOW - 40 * DAY, NOW))
    assert (await read_history(seen)).known_days == 30
    assert source.asked == []


async def test_incomplete_answer_covers_nothing() -> None:
    seen = opened(Source())
    await seen.learn({"edge": CallPage([], complete=False)}, Window(NOW - 40 * DAY, NOW))
    assert await seen.store.days("edge", before().days) == {}


async def test_overlapping_answers_join_to_days() -> None:
    seen = opened(Source())
    for n in range(40 * 24, 0, -1):
        window = Window(NOW - n * HOUR - timedelta(minutes=20), NOW - (n - 1) * HOUR)
        await seen.learn({"edge": CallPage([], complete=True)}, window)
    found = (await seen.before(["edge"], NOW - HOUR, 30, progress=None))["edge"]
    assert found.known_days == 30


async def test_latest_calls_are_read_again() -> None:
    """Vendors record a call some time after it was made."""
    source = Source()
    seen = opened(source)
    await read_history(seen, start=NOW - timedelta(minutes=5))
    asked = len(source.asked)
    await read_history(seen, start=NOW - timedelta(minutes=5))
    assert [window.length < timedelta(minutes=11) for window in source.asked[asked:]] == [True]


async def test_days_that_are_not_stored_are_not_requested() -> None:
    source = Source(kept=10 * DAY)
    found = await read_history(opened(source))
    assert found.known_days == 9
    assert min(window.start for window in source.asked) >= NOW - 10 * DAY - timedelta(seconds=1)


async def test_failure_of_vendor_leaves_days_for_later() -> None:
    source = Source()
    source.fails_after = 12
    seen = opened(source)
    assert (await read_history(seen)).known_days == 11
    source.fails_after = 1000
    assert (await read_history(seen)).known_days == 30
    assert len(source.asked) == 31


async def test_slow_vendor_is_not_waited_for() -> None:
    source = Source()
    # Each request takes three seconds.
    store = RecentDays(MemorySeenStore())
    seen = SeenHistory({"edge": source}, store, lambda: NOW, lambda: 3.0 * len(source.asked))
    counts: list[int] = []
    while not counts or counts[-1] < 30:
        counts.append((await read_history(seen)).known_days)
    assert counts == [6, 13, 20, 27, 30]


async def test_busy_account_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another question is fetching its days, and continues with that."""
    source = Source()
    source.may_answer.clear()
    seen = opened(source)
    fetching = asyncio.create_task(read_history(seen))
    async with asyncio.timeout(60):
        while not source.waiting:
            await asyncio.sleep(0)
    monkeypatch.setattr("bot.commands.apiaudit.seen_history.FILL_WITHIN_S", 0.01)
    async with asyncio.timeout(60):
        assert (await read_history(seen)).known_days == 0
    source.may_answer.set()
    assert (await fetching).known_days == 30
    assert (await read_history(seen)).known_days == 30


async def test_late_data_is_learned_until_it_ends() -> None:
    source = Source([made(4 * HOUR, ip="a")])
    source.data_until = NOW - 3 * HOUR
    seen = opened(source)
    page = await source.calls(Window(NOW - 40 * DAY, NOW), CallFilters())
    await seen.learn({"edge": page}, Window(NOW - 40 * DAY, NOW))
    source.asked.clear()
    assert (await read_history(seen, start=NOW - 3 * HOUR)).known_days == 30
    assert source.asked == []
    # What is not there yet is not known.
    assert (await read_history(seen, start=NOW - HOUR)).known_days == 0
    assert (await read_history(seen, start=NOW - 3 * HOUR)).unseen("ip", ["a", "b"]) == {"b"}


async def test_second_shortcoming_leaves_all_unknown() -> None:
    seen = opened(Source())
    page = CallPage([], False, ("It ends early.", "Rows are missing."), NOW - 3 * HOUR)
    await seen.learn({"edge": page}, Window(NOW - 40 * DAY, NOW))
    assert await seen.store.days("edge", before().days) == {}


async def test_incomplete_day_is_not_requested_each_time() -> None:
    source = Source([made(3 * DAY, ip="a")])
    source.complete = False
    seen = opened(source)
    assert (await read_history(seen)).known_days == 0
    asked = len(source.asked)
    assert (await read_history(seen)).unseen("ip", ["a"]) == set()
    assert len(source.asked) == asked


@pytest.mark.parametrize("kinds", [("ip",), tuple(KINDS)], ids=["one", "all"])
@pytest.mark.parametrize("name", ["x" * 200, "💥" * 200, "<&>" * 70, "`" * 90])
def test_many_long_values_fit_into_a_message(kinds: tuple[str, ...], name: str) -> None:
    values = [f"{n} {name}" for n in range(60)]
    calls = [
        made(timedelta(minutes=1), actor=value, ip=value, action=value, client=value)
        for value in values
    ]
    facts = AuditFacts(
        ("edge", "iot"),
        LAST_HOUR,
        calls,
        True,
        display=Display(new=kinds),
        histories={"edge": history([], before())},
    )
    report = audit_report(facts)
    window = ParsedWindow(LAST_HOUR, "the last hour")
    text = audit_text(report, window, zone=UTC)
    blocks = audit_blocks(report, window, zone=UTC, buttons=[])
    assert limits.message_problems(text, blocks) == []
    assert "more new IP addresses" in text
