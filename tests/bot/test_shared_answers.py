"""People who ask the same question at the same time share one answer."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.answer import Answer, AnswerFile, Progress
from bot.commands.answer_resources import AnswerResources
from bot.commands.answering import AnswerContext
from bot.questions.question import AccountDirectory, Question
from bot.questions.reading import read_request
from bot.system.file_memory import FileMemory
from handlers import shared_answers
from handlers.shared_answers import SharedAnswers
from providers.errors import Unavailable

DIRECTORY = AccountDirectory({"kitchen": "rapid7", "edge": "akamai"}, {})
NOW = datetime(2026, 11, 27, 9, tzinfo=UTC)


def question(line: str, now: datetime = NOW) -> Question:
    command, _, words = line.removeprefix("/").partition(" ")
    found = read_request(command, words, DIRECTORY, now=now, zone=UTC)
    assert isinstance(found, Question)
    return found


class Vendor:
    """Answers once it is released, and counts the questions."""

    def __init__(self, outcome: Answer | Exception | None = None) -> None:
        self.outcome = outcome or Answer("37 GB", [])
        self.asked = 0
        self.may_answer = asyncio.Event()

    async def answer(self, _question: Question, _context: AnswerContext) -> Answer:
        self.asked += 1
        await self.may_answer.wait()
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


class People:
    """Ask one after the other, while earlier answers are in progress."""

    def __init__(self, vendor: Vendor) -> None:
        self.vendor = vendor
        self.answers = SharedAnswers()

    async def ask(
        self,
        line: str,
        *,
        zone: str = "UTC",
        now: datetime = NOW,
        progress: Progress | None = None,
        resources: AnswerResources | None = None,
    ) -> asyncio.Task[Answer]:
        context = AnswerContext(Path, ZoneInfo(zone), progress or Progress())
        resources = resources or AnswerResources(FileMemory())
        asking = asyncio.create_task(
            self.answers.answer(question(line, now), context, self.vendor.answer, resources)
        )
        # The question, and the task of its work.
        for _ in range(2):
            await asyncio.sleep(0)
        return asking


@pytest.fixture
def vendor() -> Vendor:
    return Vendor()


@pytest.fixture
def people(vendor: Vendor) -> People:
    return People(vendor)


async def test_same_question_is_answered_once(people: People, vendor: Vendor) -> None:
    asking = [await people.ask("/usage last 7 days") for _ in range(5)]
    vendor.may_answer.set()
    assert [answer.text for answer in await asyncio.gather(*asking)] == ["37 GB"] * 5
    assert vendor.asked == 1


async def test_shared_answer_holds_up_nobody_else(people: People, vendor: Vendor) -> None:
    asking = [await people.ask("/usage last 7 days") for _ in range(50)]
    vendor.may_answer.set()
    answered_by_turn = [0]
    async with asyncio.timeout(60):
        while answered_by_turn[-1] < len(asking):
            await asyncio.sleep(0)
            answered_by_turn.append(sum(task.done() for task in asking))
    steps = [after - before for before, after in pairwise(answered_by_turn)]
    assert max(steps) <= 2 * shared_answers.ANSWERS_PER_LOOP_TURN


@pytest.mark.parametrize("line", ["/apiaudit edge 24h", "/logs kitchen 24h", "/logs list"])
async def test_window_up_to_now_is_shared(people: People, vendor: Vendor, line: str) -> None:
    await people.ask(line)
    await people.ask(line, now=NOW.replace(microsecond=5))
    assert vendor.asked == 1


async def test_followed_log_is_not_shared(people: People, vendor: Vendor) -> None:
    for _ in range(2):
        await people.ask("/logs kitchen follow 5m")
    assert vendor.asked == 2


async def test_progress_is_that_of_shared_work(people: People, vendor: Vendor) -> None:
    first, second = Progress(), Progress()
    asking = [await people.ask("/logs kitchen 24h", progress=each) for each in (first, second)]
    first.detail = "300 lines so far"
    assert second.current.detail == "300 lines so far"
    vendor.may_answer.set()
    await asyncio.gather(*asking)
    assert second.current is second


@pytest.mark.parametrize("is_on_disk", [False, True], ids=["in-memory", "on-disk"])
async def test_shared_file_is_kept_for_everybody(
    people: People, vendor: Vendor, *, is_on_disk: bool
) -> None:
    memory = FileMemory(100)
    with AnswerResources(memory) as second:
        with AnswerResources(memory) as first:
            path = first.folder() / "kitchen.log"
            path.write_bytes(b"oven on")
            assert first.memory.reserve(60)
            content = path if is_on_disk else b"oven on"
            vendor.outcome = Answer(
                "1 line", [], files=[AnswerFile(path.name, content, "The lines")]
            )
            asking = [await people.ask("/logs kitchen 24h", resources=r) for r in (first, second)]
            vendor.may_answer.set()
            await asyncio.gather(*asking)
        (file,) = (await asking[1]).files
        assert file.open().read() == b"oven on"
        assert memory.free_bytes == 40
    assert vendor.asked == 1
    assert not path.exists()
    assert memory.free_bytes == 100


@pytest.mark.parametrize(
    ("line", "zone"),
    [
        pytest.param("/usage last 8 days", "UTC", id="other-window"),
        pytest.param("/usage last 7 days per log", "UTC", id="other-options"),
        pytest.param("/usage last 7 days", "Europe/Dublin", id="other-zone"),
        pytest.param("/apiaudit edge last 7 days", "UTC", id="other-command"),
    ],
)
async def test_other_question_is_answered_by_itself(
    people: People, vendor: Vendor, line: str, zone: str
) -> None:
    await people.ask("/usage last 7 days")
    await people.ask(line, zone=zone)
    assert vendor.asked == 2


@pytest.mark.parametrize(
    ("line", "zone", "asked"),
    [
        pytest.param("/usage yesterday", "UTC", 2, id="day"),
        pytest.param("/usage today", "Asia/Tokyo", 2, id="day-so-far-in-other-zone"),
        # They begin and end a moment later.
        pytest.param("/apiaudit edge last 7 days", "UTC", 1, id="rolling"),
    ],
)
async def test_midnight_separates_days(
    people: People, vendor: Vendor, line: str, zone: str, asked: int
) -> None:
    midnight = datetime(2026, 11, 28, tzinfo=UTC)
    moment = timedelta(milliseconds=100)
    await people.ask(line, zone=zone, now=midnight - moment)
    await people.ask(line, zone=zone, now=midnight + moment)
    assert vendor.asked == asked


async def test_finished_answer_is_not_kept(people: People, vendor: Vendor) -> None:
    vendor.may_answer.set()
    await (await people.ask("/usage last 7 days"))
    await (await people.ask("/usage last 7 days"))
    assert vendor.asked == 2


async def test_older_work_is_not_joined(
    people: People, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_answers, "SHARED_WITHIN_S", -1.0)
    asking = [await people.ask("/usage last 7 days") for _ in range(2)]
    vendor.may_answer.set()
    await asyncio.gather(*asking)
    assert vendor.asked == 2


async def test_csv_waits_for_nobody(people: People, vendor: Vendor) -> None:
    for _ in range(2):
        await people.ask("/usage last 7 days csv")
    assert vendor.asked == 2


async def test_failure_of_vendor_is_shared(people: People, vendor: Vendor) -> None:
    vendor.outcome = Unavailable(
        "Rapid7 does not answer.", hint="Ask again later.", account="kitchen"
    )
    asking = [await people.ask("/usage last 7 days") for _ in range(3)]
    vendor.may_answer.set()
    results = await asyncio.gather(*asking, return_exceptions=True)
    assert results == [vendor.outcome] * 3
    assert vendor.asked == 1


async def test_cancelled_wait_leaves_the_work_alone(people: People, vendor: Vendor) -> None:
    first, second = [await people.ask("/usage last 7 days") for _ in range(2)]
    second.cancel()
    vendor.may_answer.set()
    assert (await first).text == "37 GB"
    assert second.cancelled()


async def test_others_keep_work_of_first(people: People, vendor: Vendor) -> None:
    memory = FileMemory(100)
    with AnswerResources(memory) as second:
        with AnswerResources(memory) as first:
            assert first.memory.reserve(60)
            asking = [await people.ask("/logs kitchen 24h", resources=r) for r in (first, second)]
            asking[0].cancel()
            await asyncio.wait({asking[0]})
        assert memory.free_bytes == 40
        vendor.may_answer.set()
        assert (await asking[1]).text == "37 GB"
    assert asking[0].cancelled()
    assert vendor.asked == 1
    assert memory.free_bytes == 100


async def test_last_to_leave_cancels_work(people: People, vendor: Vendor) -> None:
    asking = [await people.ask("/usage last 7 days") for _ in range(3)]
    for each in asking:
        each.cancel()
    await asyncio.wait(asking)
    vendor.may_answer.set()
    await (await people.ask("/usage last 7 days"))
    assert vendor.asked == 2


async def test_failed_work_shares_no_files(people: People, vendor: Vendor) -> None:
    memory = FileMemory(100)
    vendor.outcome = Unavailable("Rapid7 does not answer.", hint="", account="kitchen")
    with AnswerResources(memory) as second:
        with AnswerResources(memory) as first:
            assert first.memory.reserve(60)
            asking = [await people.ask("/logs kitchen 24h", resources=r) for r in (first, second)]
            vendor.may_answer.set()
            await asyncio.gather(*asking, return_exceptions=True)
        assert memory.free_bytes == 100


def test_error_in_closing_frees_the_rest() -> None:
    memory = FileMemory(100)
    shared = AnswerResources(memory)
    assert shared.memory.reserve(60)
    own = AnswerResources(memory)
    assert own.memory.reserve(40)
    own.share(shared)
    shared.release()

    def fail() -> None:
        raise OSError("the folder cannot be deleted")

    own._opened.callback(fail)
    with pytest.raises(OSError, match="cannot be deleted"):
        own.release()
    assert memory.free_bytes == 100
