"""Answers about logs: limits, names, files and interrupted downloads."""

from __future__ import annotations

import asyncio
import gzip
import io
import re
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from bot.app import Bot
from bot.formatting import format_bytes
from bot.sandbox.sandbox import Sandbox
from providers.sandbox import seed
from tests.support.clock import MovableClock
from tests.support.messages import files_after, text_of

pytestmark = pytest.mark.usefixtures("late_progress", "bot")


async def test_logs_come_redacted_with_levels_and_a_file(sandbox: Sandbox) -> None:
    answer, brought = await files_after(sandbox, "/logs kitchen 2h")
    content = brought.files[0].content
    assert brought.files[0].name.startswith("kitchen-")
    assert brought.files[0].name.endswith(".log")
    assert b"Tr0ub4dor" not in content
    assert b"password=[redacted]" in content
    assert b"Bearer" not in content
    assert "Tr0ub4dor" not in text_of(answer)
    assert "Levels: error " in answer.text
    assert answer.seen_by == ""
    size = format_bytes(len(content))
    assert f"The file is {brought.files[0].name} ({size}, redacted)." in answer.text


async def test_large_log_is_gzipped_completely(sandbox: Sandbox) -> None:
    _, brought = await files_after(sandbox, "/logs kitchen,cellar 24h")
    assert brought.files[0].name.startswith("kitchen+cellar-")
    assert brought.files[0].name.endswith(".log.gz")
    lines = gzip.open(io.BytesIO(brought.files[0].content)).read().count(b"\n")
    assert lines == pytest.approx(28_800 + 12_343, abs=2)


async def test_only_limit_that_cuts_is_mentioned(sandbox: Sandbox) -> None:
    sandbox.rapid7.lines = lambda *_: iter([f"line {n}" for n in range(100)])
    cut = await sandbox.slack.answer_to("/logs kitchen limit 99")
    fits = await sandbox.slack.answer_to("/logs kitchen limit 100")
    assert "Truncated: there are more lines than these 99." in cut.text
    assert "Truncated" not in fits.text
    assert "limit=101" in sandbox.rapid7.requests[-1].query


async def test_log_is_found_by_name_and_id(sandbox: Sandbox) -> None:
    window = f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d} 10:00 to 12:00"
    by_name = await sandbox.slack.answer_to(f'/logs "Pantry Door" {window}')
    by_id = await sandbox.slack.answer_to(f"/logs 1c1f2885-ed93-4650-9e14-d46af4bf0886 {window}")
    assert "Pantry Door" in by_name.text
    assert (
        by_name.text.split(": ")[1].split(" line")[0] == by_id.text.split(": ")[1].split(" line")[0]
    )


async def test_unknown_log_is_refused_with_known_names(sandbox: Sandbox) -> None:
    answer = await sandbox.slack.answer_to("/logs attic")
    assert "There is no log “attic”; the logs are Pantry Door, cellar and kitchen." in answer.text
    assert answer.seen_by == "U0ADA"


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("errors", "kitchen last 20 mins where(/error/i)"),
        ("warnings 2h", "kitchen 2h where(/warn/i)"),
        ("error,cellar 1h limit 5", "cellar 1h where(/error/i) limit 5"),
        ("fatal 1h where(/x/)", "kitchen 1h where((/x/) AND /fatal/i)"),
    ],
)
async def test_level_in_place_of_a_log_is_asked_back(
    sandbox: Sandbox, asked: str, meant: str
) -> None:
    answer = await sandbox.slack.answer_to(f"/logs {asked}")
    assert "There is no log" in answer.text
    assert answer.text.endswith(f"Try /logs {meant}")


async def test_empty_log_sends_no_file(sandbox: Sandbox) -> None:
    answer = await sandbox.slack.answer_to("/logs kitchen where(/no such words/)")
    assert "No lines" in answer.text
    assert not sandbox.slack.files


async def test_broken_log_is_fetched_again(sandbox: Sandbox) -> None:
    sandbox.rapid7.misbehave(broken_off)
    answer = await sandbox.slack.answer_to("/logs kitchen")
    assert "Incomplete" not in answer.text
    assert sandbox.rapid7.paths().count(sandbox.rapid7.paths()[-1]) == 2


async def test_twice_broken_log_is_shown_partly(sandbox: Sandbox) -> None:
    sandbox.rapid7.misbehave(broken_off, times=2)
    answer, brought = await files_after(sandbox, "/logs kitchen")
    assert "Incomplete: the download ended before the end of the log." in answer.text
    assert brought.files[0].content == b"first\nsecond\nthi"


async def broken_off(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    response.enable_chunked_encoding()
    await response.prepare(request)
    await response.write(b"first\nsecond\nthi")
    await asyncio.sleep(0.05)
    assert request.transport is not None
    request.transport.abort()
    return response


async def test_small_log_is_a_snippet(sandbox: Sandbox) -> None:
    await files_after(sandbox, "/logs kitchen")
    asked = [entry for entry in sandbox.slack.requests if "getUploadURLExternal" in entry.path]
    assert "snippet_type=text" in asked[0].query + asked[0].body.decode()


@pytest.mark.parametrize("typed", ["pantry dooor", "Pantry Dor"])
async def test_nearest_log_name_is_suggested(sandbox: Sandbox, typed: str) -> None:
    answer = await sandbox.slack.answer_to(f'/logs "{typed}"')
    assert 'Try /logs "Pantry Door" last 20 mins' in answer.text


async def test_log_is_found_by_unique_prefix(sandbox: Sandbox, bot: Bot) -> None:
    sandbox.rapid7.logs["2c1f2885-ed93-4650-9e14-d46af4bf0887"] = "kitchenette"
    assert "Pantry Door" in (await sandbox.slack.answer_to("/logs pan 20m")).text
    assert (
        "“kitch” may be kitchen and kitchenette; specify which"
        in (await sandbox.slack.answer_to("/logs kitch 20m")).text
    )
    refusal = await sandbox.slack.answer_to("/logs cellar,kitchn since 09:00 where(/a b/) limit 5")
    assert "Try /logs cellar,kitchen since 09:00 where(/a b/) limit 5" in refusal.text
    assert (
        "kitchenette"
        not in (await sandbox.slack.answer_to("/logs kitchen 20m")).text.splitlines()[0]
    )


async def test_two_logs_share_the_limit(sandbox: Sandbox) -> None:
    answer, brought = await files_after(sandbox, "/logs kitchen,cellar 2h limit 10")
    content = brought.files[0].content.decode().splitlines()
    assert [sum(f" {name} " in line for line in content) for name in ("kitchen", "cellar")] == [
        5,
        5,
    ]
    assert "These are the oldest lines of each log: 5 of kitchen, 5 of cellar." in answer.text
    times = re.findall(r"(?m)^\d{4}-\d\d-\d\dT\S+", answer.text)
    assert len(times) == 10
    assert times == sorted(times)


async def test_unused_limit_goes_to_other_log(sandbox: Sandbox) -> None:
    sizes = {seed.KITCHEN: 30, seed.CELLAR: 3}
    sandbox.rapid7.lines = lambda key, *_: iter([f"{key[:4]} {n}" for n in range(sizes[key])])
    for logs in ("kitchen,cellar", "cellar,kitchen"):
        answer, brought = await files_after(sandbox, f"/logs {logs} 2h limit 10")
        content = brought.files[0].content.decode().splitlines()
        assert sorted(content) == [
            *(f"aee0 {n}" for n in range(7)),
            *(f"d8ea {n}" for n in range(3)),
        ]
        assert "Truncated: there are more lines than these 10." in answer.text
        sandbox.slack.messages.clear()
    answer = await sandbox.slack.answer_to("/logs kitchen,cellar 2h limit 33")
    assert "Truncated" not in answer.text


async def test_limit_names_included_lines(sandbox: Sandbox, clock: MovableClock) -> None:
    # The oldest five minutes lie across a full hour, and so in two columns of the chart.
    clock.set(clock().replace(minute=58))
    answer = await sandbox.slack.answer_to("/logs kitchen 2h limit 100")
    assert "These are the oldest 100 of the window; newer ones are left out." in answer.text
    assert "Last 10 of the oldest 100 lines:" in answer.text
    [chart] = [block for block in answer.blocks if block["type"] == "data_visualization"]
    points = chart["chart"]["series"][0]["data"]
    assert points[-1]["value"] > 0


async def test_preview_shows_its_share_of_the_log(sandbox: Sandbox) -> None:
    sandbox.rapid7.lines = lambda *_: iter([f"line {n}" for n in range(1204)])
    answer = await sandbox.slack.answer_to("/logs kitchen")
    assert "Last 10 of 1,204 lines:" in answer.text
    assert "No levels: no line names one." in answer.text
    assert "No line has a time that can be read." in answer.text
