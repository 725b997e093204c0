"""The outcome of a question is recorded, even if the database is unavailable at that moment."""

from __future__ import annotations

import asyncio

import pytest

from bot.sandbox.sandbox import Sandbox
from bot.store import StoreUnavailable
from handlers.outcomes import Outcomes
from tests.conftest import connected_bot


class Questions:
    """Fails for the given number of attempts."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.finished: list[tuple[str, str, int]] = []
        self.recorded = asyncio.Event()

    async def finish(self, delivery: str, *, outcome: str, took_ms: int) -> None:
        if self.failures:
            self.failures -= 1
            raise StoreUnavailable("the server was stopped")
        self.finished.append((delivery, outcome, took_ms))
        self.recorded.set()


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.outcomes.RETRY_EVERY_S", 0.01)


@pytest.mark.usefixtures("hurried")
async def test_outcome_is_recorded_later() -> None:
    questions = Questions(failures=3)
    outcomes = Outcomes(questions)  # type: ignore[arg-type]
    await outcomes.record("d", outcome="answered", took_ms=1)
    await asyncio.wait_for(questions.recorded.wait(), 60)
    await outcomes.close()
    assert questions.finished == [("d", "answered", 1)]


@pytest.mark.usefixtures("hurried")
async def test_answer_stays_an_answer(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    async with connected_bot(sandbox) as bot:
        finish = bot.store.questions.finish
        failures = iter(range(2))

        async def fail_twice(delivery: str, *, outcome: str, took_ms: int) -> None:
            if next(failures, None) is not None:
                raise StoreUnavailable("the server was stopped")
            await finish(delivery, outcome=outcome, took_ms=took_ms)

        monkeypatch.setattr(bot.store.questions, "finish", fail_twice)
        await sandbox.slack.answer_to("/usage last 7 days")
        async with asyncio.timeout(20):
            while (await bot.store.questions.latest())[0].outcome != "answered":
                await asyncio.sleep(0.02)
    assert not any("database" in message.text for message in sandbox.slack.messages)
