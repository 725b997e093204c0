"""The pace of requests to Slack: which may be sent when, and which go first."""

from __future__ import annotations

import asyncio

import pytest

from bot.sandbox.slack_limits import Meter, SlackLimits
from bot.slack.pace import CHANNEL_BURST, MESSAGE_EVERY_S, MOST_LANES, NoRoom, Priority, SlackPace
from tests.support.virtual_time import in_virtual_time

POST = "chat.postMessage"
EDIT = "chat.update"
FILE = "files.completeUploadExternal"


async def sent_at(
    pace: SlackPace, method: str, channel: str, priority: Priority = Priority.ANSWER
) -> float:
    await pace.turn(method, channel, priority)
    return asyncio.get_running_loop().time()


async def all_sent_at(pace: SlackPace, count: int, method: str, channel: str) -> list[float]:
    return sorted(await asyncio.gather(*(sent_at(pace, method, channel) for _ in range(count))))


def test_channel_allows_burst_then_one_a_second() -> None:
    times = in_virtual_time(all_sent_at(SlackPace(), 10, POST, "C1"))
    assert times[:CHANNEL_BURST] == [0.0] * CHANNEL_BURST
    assert times[CHANNEL_BURST:] == pytest.approx(
        [MESSAGE_EVERY_S * n for n in range(1, 11 - CHANNEL_BURST)]
    )


def test_channels_do_not_wait_for_each_other() -> None:
    async def journey() -> float:
        pace = SlackPace()
        waiting = asyncio.create_task(all_sent_at(pace, 20, POST, "C1"))
        await asyncio.sleep(0.001)
        at = await sent_at(pace, POST, "C2")
        await waiting
        return at

    assert in_virtual_time(journey()) < 0.1


def test_workspace_allows_hundreds_of_posts_a_minute() -> None:
    async def journey() -> list[float]:
        pace = SlackPace()
        return sorted(await asyncio.gather(*(sent_at(pace, POST, f"C{n}") for n in range(400))))

    times = in_virtual_time(journey())
    assert sum(at < 60 for at in times) <= 360
    assert times[-1] < 90


@pytest.mark.parametrize(
    ("method", "per_minute"), [(EDIT, 50), ("conversations.list", 20), ("users.info", 100)]
)
def test_each_method_respects_its_tier(method: str, per_minute: int) -> None:
    times = in_virtual_time(all_sent_at(SlackPace(), per_minute * 4, method, ""))
    busiest = max(sum(start <= at < start + 60 for at in times) for start in times)
    assert busiest <= per_minute * 1.5
    assert sum(120 <= at < 180 for at in times) <= per_minute


def test_answers_go_before_messages_and_files() -> None:
    async def journey() -> list[str]:
        pace = SlackPace()
        order = list[str]()

        async def send(what: Priority) -> None:
            await pace.turn(POST, "C1", what)
            order.append(what.name)

        several = [Priority.FILE] * 5 + [Priority.MESSAGE] * 2 + [Priority.ANSWER] * 2
        await asyncio.gather(*(send(what) for what in several))
        return order

    assert (
        in_virtual_time(journey()) == ["FILE"] * 3 + ["ANSWER"] * 2 + ["MESSAGE"] * 2 + ["FILE"] * 2
    )


def test_messages_are_not_starved_by_answers() -> None:
    async def journey() -> float:
        pace = SlackPace()
        alert = asyncio.create_task(sent_at(pace, POST, "C1", Priority.MESSAGE))

        async def people() -> None:
            while not alert.done():
                await asyncio.gather(*(pace.turn(POST, "C1", Priority.ANSWER) for _ in range(5)))

        await asyncio.gather(*(people() for _ in range(3)))
        return await alert

    assert in_virtual_time(journey()) < 40


def test_progress_gives_way_and_leaves_room_for_answers() -> None:
    async def journey() -> tuple[int, float]:
        pace = SlackPace()
        shown = 0
        for _ in range(100):
            try:
                await pace.turn(EDIT, "C1", Priority.PROGRESS)
            except NoRoom:
                continue
            shown += 1
        return shown, await sent_at(pace, EDIT, "C1")

    shown, answered_at = in_virtual_time(journey())
    assert 0 < shown < 25
    assert answered_at == 0.0


def test_progress_is_not_shown_while_answers_wait() -> None:
    async def journey() -> None:
        pace = SlackPace()
        waiting = asyncio.create_task(all_sent_at(pace, 10, POST, "C1"))
        await asyncio.sleep(0.001)
        with pytest.raises(NoRoom):
            await pace.turn(POST, "C1", Priority.PROGRESS)
        await waiting

    in_virtual_time(journey())


def test_blocked_channel_waits_then_goes_one_by_one() -> None:
    async def journey() -> tuple[list[float], float]:
        pace = SlackPace()
        await pace.block(POST, "C1", 30)
        other = await sent_at(pace, POST, "C2")
        return await all_sent_at(pace, 3, POST, "C1"), other

    times, other = in_virtual_time(journey())
    assert times == pytest.approx([30, 30 + MESSAGE_EVERY_S, 30 + 2 * MESSAGE_EVERY_S])
    assert other == 0.0


def test_blocked_method_waits_for_everybody() -> None:
    async def journey() -> float:
        pace = SlackPace()
        await pace.block(EDIT, "C1", 30)
        return await sent_at(pace, EDIT, "C2")

    assert in_virtual_time(journey()) == pytest.approx(30)


def test_files_of_a_channel_share_its_pace() -> None:
    async def journey() -> list[float]:
        pace = SlackPace()
        await all_sent_at(pace, CHANNEL_BURST, FILE, "C1")
        return await all_sent_at(pace, 1, POST, "C1")

    assert in_virtual_time(journey()) == pytest.approx([MESSAGE_EVERY_S])


def test_name_and_id_of_a_channel_share_one_pace() -> None:
    async def journey() -> list[float]:
        pace = SlackPace()
        pace.same_channel("#ops", "C1")
        await all_sent_at(pace, CHANNEL_BURST, POST, "#ops")
        return await all_sent_at(pace, 1, POST, "C1")

    assert in_virtual_time(journey()) == pytest.approx([MESSAGE_EVERY_S])


def test_cancelled_turn_delays_nobody() -> None:
    async def journey() -> list[float]:
        pace = SlackPace()
        waiting = [asyncio.create_task(sent_at(pace, POST, "C1")) for _ in range(13)]
        await asyncio.sleep(0.001)
        for task in waiting[3:12]:
            task.cancel()
        return [
            found
            for found in await asyncio.gather(*waiting, return_exceptions=True)
            if isinstance(found, float)
        ]

    assert in_virtual_time(journey()) == pytest.approx([0, 0, 0, MESSAGE_EVERY_S])


def test_expected_wait_is_how_long_the_next_answer_waits() -> None:
    async def journey() -> tuple[int, float, float]:
        pace = SlackPace()
        waiting = asyncio.create_task(all_sent_at(pace, 10, POST, "C1"))
        await asyncio.sleep(0.001)
        queue = pace.queue("C1")
        expected = pace.wait_s("C1")
        at = await sent_at(pace, POST, "C1")
        await waiting
        return queue, expected, at

    queue, expected, at = in_virtual_time(journey())
    assert queue == 7
    assert expected == pytest.approx(at, abs=0.01)


def test_expected_wait_counts_answers_on_their_way_to_queue() -> None:
    async def expected(ahead: int) -> float:
        return SlackPace().wait_s("C1", ahead)

    assert in_virtual_time(expected(0)) == 0
    assert in_virtual_time(expected(12)) == pytest.approx(10 * MESSAGE_EVERY_S, abs=0.01)


def test_channels_at_rest_are_forgotten() -> None:
    async def journey() -> int:
        pace = SlackPace()
        for n in range(MOST_LANES * 4):
            await pace.turn(POST, f"C{n}", Priority.ANSWER)
            await asyncio.sleep(1)
        return len(pace._lanes)

    assert in_virtual_time(journey()) <= MOST_LANES + 1


def test_pace_stays_within_slacks_limits() -> None:
    """Two hundred messages, as many edits and all other calls at once: Slack refuses none."""

    async def journey() -> list[str]:
        pace = SlackPace()
        meter = Meter(SlackLimits())
        refused = list[str]()

        async def call(method: str, channel: str) -> None:
            await pace.turn(method, channel, Priority.ANSWER)
            if meter.retry_after(method, channel, asyncio.get_running_loop().time()):
                refused.append(method)

        calls = [(method, f"C{n % 8}") for n in range(200) for method in (POST, EDIT)]
        calls += [
            (method, "")
            for n in range(60)
            for method in ("users.info", "conversations.list", "conversations.history")
        ]
        await asyncio.gather(*(call(method, channel) for method, channel in calls))
        return refused

    assert in_virtual_time(journey()) == []


def test_sandbox_limits_as_slack_does() -> None:
    meter = Meter(SlackLimits())
    assert [meter.retry_after(POST, "C1", 0.0) for _ in range(6)] == [0, 0, 0, 0, 1, 1]
    assert meter.retry_after(POST, "C2", 0.0) == 0
    assert [meter.retry_after(POST, "C1", 1.0) for _ in range(2)] == [0, 1]
    assert [meter.retry_after(EDIT, "", 0.0) for _ in range(51)].count(0) == 50
    assert [meter.retry_after("conversations.list", "", 0.0) for _ in range(25)].count(0) == 20
    assert sum(meter.retry_after(POST, f"C1{n}", 100.0) == 0 for n in range(1000)) == 400
