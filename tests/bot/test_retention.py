"""Rows are kept as long as `[retention]` says, and longer while they are needed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from bot.config import parse_settings
from bot.errors import ConfigError
from bot.sandbox.sandbox import Sandbox
from bot.store import EvaluationRecord, Post, QuestionRecord, Store
from bot.store.retention import DEFAULT_RETENTION, Retention
from tests.conftest import connected_bot
from tests.support.clock import MovableClock

NOW = datetime(2026, 11, 21, 14, 5, tzinfo=UTC)
ASKED = QuestionRecord("trigger-1", NOW, "U0ADA", "C0OPS", "usage", "last 7 days", "slash")
INCIDENT = "alert:spike:20261121T140500Z:first"
FIRING = EvaluationRecord(
    alert="spike",
    definition="{}",
    due=NOW,
    at=NOW,
    state="firing",
    since=NOW,
    value=7.0,
    alert_state=f'{{"incident":"{INCIDENT}"}}'.encode(),
    posts=[Post(INCIDENT, "#ops", "spike fires", [])],
    reason="first",
)
TABLES = ("answers", "questions", "samples", "notices", "runs", "outbox")


async def fill(store: Store) -> None:
    """A row in each table, all of the same instant; no incident is open."""
    await store.questions.claim(ASKED)
    await store.answers.save(
        "t", user="U0ADA", channel="C0OPS", command="usage", text="x", blocks=[], now=NOW
    )
    await store.alerts.save_evaluations([msgspec.structs.replace(FIRING, alert_state=b"{}")])
    sent = await store.outbox.claim_post(now=NOW)
    assert sent
    await store.outbox.sent(sent, ts="1.2")
    await store.schedules.claim_run("daily", NOW, now=NOW)


async def rows(store: Store, table: str) -> int:
    return len(await store.read(f"SELECT 1 FROM {table}", ()))


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("kept", [None, timedelta(days=3)], ids=["default", "three days"])
async def test_rows_are_kept_for_their_period(
    tmp_path: Path, table: str, kept: timedelta | None
) -> None:
    period = kept or getattr(DEFAULT_RETENTION, table)
    retention = replace(Retention(), **{table: period})
    store = await Store.open(tmp_path / "bot.sqlite", now=NOW, retention=retention)
    await fill(store)
    await store.prune(NOW + period - timedelta(seconds=1))
    assert await rows(store, table) == 1
    await store.prune(NOW + period + timedelta(seconds=1))
    assert await rows(store, table) == 0
    await store.close()


async def test_opening_a_database_deletes_nothing(tmp_path: Path) -> None:
    """Terminal commands open it too, and do not know how long rows are kept."""
    first = await Store.open(tmp_path / "bot.sqlite", now=NOW)
    await fill(first)
    await first.close()
    again = await Store.open(tmp_path / "bot.sqlite", now=NOW + timedelta(days=4000))
    assert [await rows(again, table) for table in TABLES] == [1] * len(TABLES)
    await again.close()


async def test_message_of_an_open_incident_stays(tmp_path: Path) -> None:
    """Its next change edits the message and replies in its thread."""
    store = await Store.open(tmp_path / "bot.sqlite", now=NOW)
    posts = store.outbox
    await store.alerts.save_evaluations([FIRING])
    sent = await posts.claim_post(now=NOW)
    assert sent
    await posts.sent(sent, ts="1.2")
    await store.prune(NOW + timedelta(days=500))
    reply = Post("reply", "#ops", "still firing", [], about=INCIDENT)
    await posts.enqueue(reply, now=NOW + timedelta(days=500))
    queued = await posts.claim_post(now=NOW + timedelta(days=500))
    assert queued
    assert queued.about_ts == "1.2"
    await store.close()


async def test_unsent_message_is_never_deleted(tmp_path: Path) -> None:
    store = await Store.open(tmp_path / "bot.sqlite", now=NOW)
    posts = store.outbox
    await posts.enqueue(Post("k", "#ops", "waits", []), now=NOW)
    await store.prune(NOW + timedelta(days=5000))
    assert await posts.claim_post(now=NOW + timedelta(days=5000))
    await store.close()


async def test_bot_prunes_as_configured(sandbox: Sandbox, clock: MovableClock) -> None:
    async with connected_bot(sandbox) as bot:
        await sandbox.slack.answer_to("/usage last 7 days")
        assert len(await bot.store.questions.latest()) == 1
    clock.ahead += timedelta(days=3)
    async with connected_bot(sandbox) as bot:
        assert len(await bot.store.questions.latest()) == 1
    async with connected_bot(sandbox, retention={"questions": "2d"}) as bot:
        assert await bot.store.questions.latest() == []


@pytest.mark.parametrize("starts_wrong", [True, False])
async def test_clock_far_ahead_deletes_nothing(
    sandbox: Sandbox,
    clock: MovableClock,
    monkeypatch: pytest.MonkeyPatch,
    starts_wrong: bool,
) -> None:
    """A machine whose clock is years ahead until the time service has set it."""
    monkeypatch.setattr("handlers.jobs.digests.TICK_S", 0.05)
    monkeypatch.setattr("handlers.jobs.scheduler.PRUNE_EVERY", 2)
    rule = {"name": "spike", "ask": "/usage rapid7-eu today", "value": "bytes", "above": "1 GB"}
    changes = {"alert": [{**rule, "channel": "#ops"}]}
    async with connected_bot(sandbox, **changes) as bot:
        await sandbox.slack.answer_to("/usage last 7 days")
        async with asyncio.timeout(20):
            while await bot.store.times.latest() is None:
                await asyncio.sleep(0.02)
        if not starts_wrong:
            clock.ahead += timedelta(days=800)
            await asyncio.sleep(1)
            assert len(await bot.store.questions.latest()) == 1
            clock.ahead -= timedelta(days=800)
    if starts_wrong:
        clock.ahead += timedelta(days=800)
        async with connected_bot(sandbox, **changes) as bot:
            assert len(await bot.store.questions.latest()) == 1
        clock.ahead -= timedelta(days=800)
    async with connected_bot(sandbox, **changes) as bot:
        assert len(await bot.store.questions.latest()) == 1


async def test_check_shows_the_periods(sandbox: Sandbox, run_cli: Callable[..., Any]) -> None:
    alert = {"name": "spike", "ask": "/usage rapid7-eu today", "value": "bytes", "above": "1 GB"}
    table = {
        **sandbox.table(),
        "retention": {"samples": "30d"},
        "alert": [{**alert, "channel": "#ops"}],
    }
    ran = await run_cli("check", "--json", table=table)
    [shown] = [check for check in ran.json["checks"] if check["name"] == "retention"]
    assert shown["ok"]
    assert "questions 400 days" in shown["detail"]
    assert "samples 30 days" in shown["detail"]
    assert "90 days" in shown["hint"]


def settings_with(tmp_path: Path, **retention: Any) -> Any:
    return parse_settings({"retention": retention}, folder=tmp_path, environ={}).retention


def test_settings_default_to_the_periods_of_old(tmp_path: Path) -> None:
    assert settings_with(tmp_path).periods == DEFAULT_RETENTION
    assert settings_with(tmp_path, runs="7d").periods == replace(
        DEFAULT_RETENTION, runs=timedelta(days=7)
    )


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("questions", "1h", "from 1d to 3660d"),
        ("samples", "0d", "from 1d"),
        ("outbox", 90, "duration"),
        ("answers", "1m", "from 5m to 3660d"),
        ("answer", "1d", "did you mean answers"),
    ],
)
def test_wrong_period_is_named(tmp_path: Path, key: str, value: Any, expected: str) -> None:
    with pytest.raises(ConfigError) as raised:
        settings_with(tmp_path, **{key: value})
    [problem] = raised.value.problems
    assert problem.key == f"retention.{key}"
    assert expected in str(problem)
