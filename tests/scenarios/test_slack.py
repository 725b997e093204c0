"""Whole journeys: a person types in Slack, the real bot asks the vendors, the answer stands where
it may be seen.
"""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from bot.app import Bot
from bot.sandbox.slack import Message
from bot.sandbox.world import Sandbox
from providers.sandbox import seed
from tests.conftest import connected_bot
from tests.support.clock import MovableClock

pytestmark = pytest.mark.usefixtures("late_progress", "bot")

# Examples name days of November 2026.
AFTER_THE_EXAMPLES = datetime(2026, 11, 27, 12, tzinfo=UTC)


def types(message: Message) -> list[str]:
    return [block["type"] for block in message.blocks]


def text_of(message: Message) -> str:
    return message.text + json.dumps(message.blocks, ensure_ascii=False)


def buttons(message: Message) -> dict[str, str]:
    return {
        e["text"]["text"]: e["action_id"]
        for block in message.blocks
        if block["type"] == "actions"
        for e in block["elements"]
    }


async def files_after(
    world: Sandbox, line: str, user: str = "U0ADA", channel: str = "C0OPS"
) -> tuple[Message, Message]:
    """The answer to a line, and the message that brings its file."""
    before = len(world.slack.messages)
    answer = await world.slack.answer_to(line, user=user, channel=channel)
    brought = await world.slack.until(
        lambda: next((m for m in world.slack.messages[before:] if m.files), None)
    )
    return answer, brought


async def test_usage_has_chart_table_and_buttons(
    world: Sandbox,
) -> None:
    answer = await world.slack.answer_to("/usage last 7 days")
    assert answer.seen_by == ""
    assert types(answer)[0] == "header"
    assert {"data_visualization", "data_table", "actions"} <= set(types(answer))
    assert "in 7 days" in answer.text
    for said in (
        "Daily average",
        "Peak",
        "vs. previous 7 days",
        "Month to date",
        "of 150 GB",
        "Month-end forecast",
        "Ada's Kitchen",
    ):
        assert said in text_of(answer), said
    assert world.slack.refused == []


async def test_gap_is_mentioned_and_not_drawn(world: Sandbox) -> None:
    answer = await world.slack.answer_to("/usage 30d")
    gap = datetime.now(UTC).date() - timedelta(days=24)
    assert f"No data (not zero): {gap:%a} {gap.day} {gap:%b}" in answer.text
    assert "no data" in text_of(answer)


async def test_csv_per_log_has_every_row(world: Sandbox, clock: MovableClock) -> None:
    clock.set(AFTER_THE_EXAMPLES)
    answer, brought = await files_after(world, "/usage 2026-11-02..2026-11-08 per log csv")
    assert brought.thread_ts == answer.ts
    rows = brought.files[0].content.decode().split("\r\n")
    assert rows[0] == "day,log,bytes"
    assert rows[1].startswith("2026-11-02,")
    assert any(",kitchen," in row for row in rows)
    assert "By log:" in answer.text


async def test_apiaudit_is_private_with_both_vendors_in_one_table(world: Sandbox) -> None:
    answer = await world.slack.answer_to("/apiaudit 24h")
    assert answer.seen_by == "U0ADA"
    assert "edge, iot" in answer.text
    assert "Share here" in buttons(answer)
    assert {"data_visualization", "data_table"} <= set(types(answer))
    assert "linus@example.com" in answer.text


async def test_all_failed_calls_are_counted_once(world: Sandbox) -> None:
    answer = await world.slack.answer_to("/apiaudit edge 24h failures")
    [who, what, _] = [block for block in answer.blocks if block["type"] == "data_table"]
    assert [[cell["text"] for cell in table["rows"][0]] for table in (who, what)] == [
        ["Actor", "Failed"],
        ["Action", "Failed"],
    ]
    [chart] = [block for block in answer.blocks if block["type"] == "data_visualization"]
    assert [series["name"] for series in chart["chart"]["series"]] == ["failed"]
    assert chart["title"].startswith("Failed calls per")
    assert re.match(r"edge: \d+ failed calls – ", answer.text)
    assert "(" not in next(line for line in answer.text.splitlines() if line.startswith("Who: "))
    assert "100.0 %" not in answer.text + str(answer.blocks)


async def test_private_csv_comes_by_dm(world: Sandbox) -> None:
    answer, brought = await files_after(world, "/apiaudit 24h csv")
    assert answer.seen_by == "U0ADA"
    assert brought.channel == "D0ADA"
    rows = brought.files[0].content.decode().split("\r\n")
    assert rows[0] == (
        "at,account,actor,action,target,status,outcome,client,ip,duration_ms,org,host,client_token"
    )
    assert len(rows) - 2 == int(answer.text.split(": ")[1].split(" call")[0].replace(",", ""))


async def test_logs_come_redacted_with_levels_and_a_file(world: Sandbox) -> None:
    answer, brought = await files_after(world, "/logs kitchen 2h")
    content = brought.files[0].content
    assert brought.files[0].name.startswith("kitchen-")
    assert brought.files[0].name.endswith(".log")
    assert b"Tr0ub4dor" not in content
    assert b"password=[redacted]" in content
    assert b"Bearer" not in content
    assert "Tr0ub4dor" not in text_of(answer)
    assert "Error" in answer.text
    assert answer.seen_by == ""


async def test_large_log_is_gzipped_completely(world: Sandbox) -> None:
    _, brought = await files_after(world, "/logs kitchen,cellar 24h")
    assert brought.files[0].name.startswith("kitchen+cellar-")
    assert brought.files[0].name.endswith(".log.gz")
    lines = gzip.open(io.BytesIO(brought.files[0].content)).read().count(b"\n")
    assert lines == pytest.approx(28_800 + 12_343, abs=2)


async def test_only_limit_that_cuts_is_mentioned(world: Sandbox) -> None:
    world.rapid7.lines = lambda *_: iter([f"line {n}" for n in range(100)])
    cut = await world.slack.answer_to("/logs kitchen limit 99")
    fits = await world.slack.answer_to("/logs kitchen limit 100")
    assert "Truncated: there are more lines than these 99." in cut.text
    assert "Truncated" not in fits.text
    assert "limit=101" in world.rapid7.requests[-1].query


async def test_log_is_found_by_name_and_id(world: Sandbox) -> None:
    window = f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d} 10:00 to 12:00"
    by_name = await world.slack.answer_to(f'/logs "Pantry Door" {window}')
    by_id = await world.slack.answer_to(f"/logs 1c1f2885-ed93-4650-9e14-d46af4bf0886 {window}")
    assert "Pantry Door" in by_name.text
    assert (
        by_name.text.split(": ")[1].split(" line")[0] == by_id.text.split(": ")[1].split(" line")[0]
    )


async def test_unknown_log_is_refused_with_known_names(world: Sandbox) -> None:
    answer = await world.slack.answer_to("/logs attic")
    assert "No log is called “attic”; there are Pantry Door, cellar and kitchen." in answer.text
    assert answer.seen_by == "U0ADA"


async def test_empty_log_sends_no_file(world: Sandbox) -> None:
    answer = await world.slack.answer_to("/logs kitchen where(/no such words/)")
    assert "No lines" in answer.text
    assert not world.slack.files


async def test_broken_log_is_fetched_again(world: Sandbox) -> None:
    world.rapid7.misbehave(broken_off)
    answer = await world.slack.answer_to("/logs kitchen")
    assert "Incomplete" not in answer.text
    assert world.rapid7.paths().count(world.rapid7.paths()[-1]) == 2


async def test_twice_broken_log_is_shown_partly(world: Sandbox) -> None:
    world.rapid7.misbehave(broken_off, times=2)
    answer, brought = await files_after(world, "/logs kitchen")
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


async def test_unavailable_account_does_not_hide_the_other(world: Sandbox) -> None:
    world.akamai.answer_with(503, times=9)
    answer = await world.slack.answer_to("/apiaudit 24h")
    assert "edge is missing from this answer: edge is unavailable (HTTP 503)." in answer.text
    assert "This answer is incomplete." in answer.text
    assert "iot" in answer.text


async def test_every_account_down_is_an_error_with_try_again(world: Sandbox) -> None:
    world.rapid7.answer_with(503, times=99)
    answer = await world.slack.answer_to("/usage today")
    assert answer.seen_by == "U0ADA"
    assert "rapid7-eu is unavailable (HTTP 503)." in answer.text
    world.rapid7.faults.clear()
    await world.slack.press(answer, buttons(answer)["Try again"])
    await world.slack.until(lambda: any("in 1 day" in m.text for m in world.slack.seen()))


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("/usage foo", "not a window"),
        ("/usage 20m", "known by day"),
        ("/apiaudit iot url:/x", "records no URL"),
        ("/apiaudit edge service:thing", "has no filter `service`"),
        ("/logs kitchen where(", "not closed"),
    ],
)
async def test_wrong_question_sends_no_request(world: Sandbox, line: str, says: str) -> None:
    answer = await world.slack.answer_to(line)
    assert says in answer.text.replace("&lt;", "<")
    assert answer.seen_by == "U0ADA"
    assert world.rapid7.requests == world.akamai.requests == world.devicewise.requests == []


async def test_button_of_refusal_asks_corrected_question(world: Sandbox) -> None:
    refusal = await world.slack.answer_to("/usage foo")
    await world.slack.press(refusal, buttons(refusal)["Ask this instead"])
    assert await world.slack.until(lambda: any("in 7 days" in m.text for m in world.slack.seen()))


async def test_help_is_private_and_its_examples_work(world: Sandbox, clock: MovableClock) -> None:
    clock.set(AFTER_THE_EXAMPLES)
    for command in ("/usage", "/apiaudit", "/logs"):
        answer = await world.slack.answer_to(f"{command} help")
        assert answer.seen_by == "U0ADA"
        lines = [
            line.split(" – ")[0]
            for line in answer.text.splitlines()
            if line.startswith("/") and " – " in line
        ]
        assert len(lines) >= 3
        for line in lines:
            told = await world.slack.answer_to(line.replace("&lt;", "<"))
            assert "Try " not in told.text, line


async def test_refused_person_is_answered_privately(world: Sandbox) -> None:
    answer = await world.slack.answer_to("/apiaudit 24h", user="U0LINUS")
    assert answer.seen_by == "U0LINUS"
    assert "You don't have access to /apiaudit here." in answer.text
    assert world.akamai.requests == []


async def test_management_buttons_need_permission(world: Sandbox) -> None:
    async with connected_bot(
        world, access={"usage": ["*"], "apiaudit": ["U0LINUS"], "logs": ["*"], "manage": ["U0ADA"]}
    ):
        told = await world.slack.answer_to("/apiaudit help", user="U0LINUS")
        assert "subscribe" not in text_of(told)
        assert "alert" not in text_of(told)
        private = await world.slack.answer_to("/apiaudit iot 24h", user="U0LINUS")
        assert not {"Repeat…", "Alert me…"} & set(buttons(private))
        told = await world.slack.answer_to("/usage help", user="U0ADA")
        assert "/usage subscribe" in told.text


async def test_user_group_may_ask(world: Sandbox) -> None:
    answer = await world.slack.answer_to("/apiaudit 24h", user="U0GRACE", channel="C0KITCHEN")
    assert "calls" in answer.text


async def test_granted_channel_answers_publicly(world: Sandbox) -> None:
    here = await world.slack.answer_to("/logs kitchen", user="U0LINUS", channel="C0OPS")
    there = await world.slack.answer_to("/logs kitchen", user="U0LINUS", channel="C0KITCHEN")
    assert here.seen_by == ""
    assert "You don't have access to" in there.text


async def test_personal_permission_gives_private_answer(world: Sandbox) -> None:
    answer, brought = await files_after(world, "/logs kitchen", user="U0ADA", channel="C0KITCHEN")
    assert answer.seen_by == "U0ADA"
    assert brought.channel == "D0ADA"
    assert "The file is in your direct messages." in answer.text


async def test_answer_outside_its_channels_is_private(world: Sandbox) -> None:
    answer = await world.slack.answer_to("/usage last 7 days", channel="C0QUIET")
    assert answer.seen_by == "U0ADA"
    assert "/invite @Opswatch" in answer.text
    assert "in 7 days" in answer.text


async def test_private_answer_can_be_shared_once(world: Sandbox) -> None:
    answer = await world.slack.answer_to("/apiaudit 24h")
    await world.slack.press(answer, buttons(answer)["Share here"])
    shared = await world.slack.until(
        lambda: next((m for m in world.slack.seen("U0LINUS") if not m.seen_by), None)
    )
    assert "Shared by <@U0ADA>" in text_of(shared)
    assert "actions" not in types(shared)
    await world.slack.press(answer, buttons(answer)["Share here"])
    await world.slack.until(lambda: any("shared already" in m.text for m in world.slack.seen()))


@pytest.mark.shows_work
async def test_ack_precedes_any_work(world: Sandbox) -> None:
    world.rapid7.be_slow(600, times=9)
    ack = await world.slack.command("/usage last 7 days")
    await asyncio.wait_for(ack.done, 60)
    assert not any("in 7 days" in m.text for m in world.slack.seen())


async def test_failing_listener_loses_no_ack(world: Sandbox, bot: Bot) -> None:
    async def raise_at_once() -> None:
        raise ValueError("at once")

    bot.app.command("/usage-broken")(raise_at_once)
    world.slack.channels["C0OPS"].about = "still here"
    ack = await world.slack.command("/usage-broken now")
    assert await asyncio.wait_for(ack.done, 60) == {}


@pytest.mark.shows_work
async def test_slow_provider_delays_nobody_else(world: Sandbox) -> None:
    world.rapid7.be_slow(600, times=3)
    await world.slack.command("/usage last 7 days")
    await world.slack.until(lambda: len(world.rapid7.requests) >= 3)
    answer = await world.slack.answer_to("/apiaudit iot 24h", user="U0GRACE")
    assert "calls" in answer.text
    assert not any("in 7 days" in m.text for m in world.slack.seen())


async def test_many_questions_at_once_are_all_answered(world: Sandbox) -> None:
    """As fast as Slack takes messages, which is one a second in each channel; who waits long is
    told so.
    """
    world.slack.limit()
    places = ["C0OPS", "C0KITCHEN"] * 15
    acks = await asyncio.gather(
        *(
            world.slack.command("/usage last 7 days", user="U0LINUS", channel=place)
            for place in places
        )
    )
    await asyncio.gather(*(asyncio.wait_for(ack.done, 60) for ack in acks))

    def answers(channel: str) -> list[Message]:
        return [m for m in world.slack.seen("U0LINUS", channel) if "in 7 days" in m.text]

    await world.slack.until(
        lambda: len(answers("C0OPS")) >= 15 and len(answers("C0KITCHEN")) >= 15, timeout_s=90
    )
    assert len(answers("C0OPS")) == len(answers("C0KITCHEN")) == 15
    waits = [
        m
        for m in world.slack.seen("U0LINUS")
        if "the answer to" in m.text and "posted in about" in m.text
    ]
    assert {m.seen_by for m in waits} == {"U0LINUS"}
    assert sorted({m.channel for m in waits}) == ["C0KITCHEN", "C0OPS"]
    assert len(waits) <= 4
    assert world.slack.refused == []


@pytest.mark.shows_work
async def test_long_work_shows_itself_and_becomes_the_answer(world: Sandbox) -> None:
    world.rapid7.be_slow(600, times=3)
    ack = await world.slack.command("/usage last 7 days")
    await ack.done
    working = await world.slack.until(
        lambda: next((m for m in world.slack.seen() if m.text.startswith("Working on")), None)
    )
    assert "Cancel" in buttons(working)
    assert (working.blocks[0]["type"], working.blocks[0]["title"]) == (
        "task_card",
        "/usage last 7 days",
    )
    world.rapid7.answer_at_once()
    answer = await world.slack.until(
        lambda: next((m for m in world.slack.seen() if "in 7 days" in m.text), None)
    )
    assert answer.ts == working.ts
    assert len(world.slack.seen()) == 1


@pytest.mark.shows_work
async def test_long_work_shows_progress_of_each_account(world: Sandbox) -> None:
    world.devicewise.be_slow(600)
    world.akamai.answer_with(403, "no", times=9)
    async with connected_bot(world, access={"apiaudit": ["*"]}):
        await world.slack.command("/apiaudit 24h")
        working = await world.slack.until(
            lambda: next((m for m in world.slack.seen() if m.text.startswith("Working on")), None)
        )
        plan, said, _ = working.blocks
        assert (plan["type"], plan["title"]) == ("plan", "/apiaudit 24h")
        assert [(task["title"], task["status"]) for task in plan["tasks"]] == [
            ("edge", "error"),
            ("iot", "in_progress"),
        ]
        assert "edge did not accept our credentials" in str(plan["tasks"][0]["details"])
        assert re.search(r"\b\d+ s so far", said["elements"][0]["text"])
        world.devicewise.answer_at_once()
        await world.slack.until(lambda: "edge is missing from this answer" in working.text)
    assert [m.ts for m in world.slack.seen()] == [working.ts]


@pytest.mark.shows_work
async def test_calls_are_counted_as_they_are_read(
    world: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.shown_work.EDIT_EVERY_S", 0.2)

    def slowly(start: datetime, end: datetime) -> Iterable[dict[str, Any]]:
        world.devicewise.be_slow(0.5)
        return rows(start, end)

    rows: Callable[[datetime, datetime], Iterable[dict[str, Any]]] = world.devicewise.rows
    world.devicewise.rows = slowly
    async with connected_bot(world, access={"apiaudit": ["*"]}):
        await world.slack.command("/apiaudit iot 7d")
        told = await world.slack.until(
            lambda: next((m for m in world.slack.seen() if "calls so far" in str(m.blocks)), None)
        )
        assert re.search(r"\b(2|4|6),000 calls so far", str(told.blocks))
        await world.slack.until(lambda: told.text.startswith("iot: "), timeout_s=30)


@pytest.mark.shows_work
async def test_long_private_work_shows_itself_to_the_asker_alone(world: Sandbox) -> None:
    world.devicewise.be_slow(600)
    await world.slack.command("/apiaudit 24h")
    working = await world.slack.until(
        lambda: next((m for m in world.slack.seen() if m.text.startswith("Working on")), None)
    )
    assert working.seen_by == "U0ADA"
    steps = working.blocks[1]["text"]["text"]
    assert re.fullmatch(
        r":white_check_mark: `edge` [\d,]+ calls\n:hourglass_flowing_sand: `iot`", steps
    )
    world.devicewise.answer_at_once()
    await world.slack.until(lambda: any("calls" in m.text for m in world.slack.seen()))
    assert len(world.slack.seen()) == 1


@pytest.mark.shows_work
async def test_work_can_be_cancelled_by_its_asker_alone(world: Sandbox) -> None:
    world.rapid7.be_slow(30, times=9)
    await world.slack.command("/usage last 7 days")
    working = await world.slack.until(
        lambda: next((m for m in world.slack.seen() if m.text.startswith("Working on")), None)
    )
    await world.slack.press(working, buttons(working)["Cancel"], user="U0LINUS")
    await world.slack.until(
        lambda: any("Nothing of yours" in m.text for m in world.slack.seen("U0LINUS"))
    )
    await world.slack.press(working, buttons(working)["Cancel"])
    await world.slack.until(
        lambda: any("Cancelled, as you asked." in m.text for m in world.slack.seen())
    )
    assert working not in world.slack.messages


async def test_repeated_delivery_has_one_effect(world: Sandbox) -> None:
    await world.slack.command("/usage last 7 days", trigger_id="trigger.same")
    await world.slack.until(world.slack.seen)
    ack = await world.slack.command("/usage last 7 days", trigger_id="trigger.same")
    await ack.done
    await world.slack.answer_to("/usage help")
    assert len([m for m in world.slack.seen() if "in 7 days" in m.text]) == 1


@pytest.mark.shows_work
async def test_questions_are_recorded_with_outcome(world: Sandbox, bot: Bot) -> None:
    await world.slack.answer_to("/usage last 7 days")
    await world.slack.answer_to("/apiaudit 24h password=hunter2", user="U0LINUS")

    async def recorded() -> list[Any]:
        return [
            (a.user, a.channel, a.command, a.text, a.outcome)
            for a in await bot.store.questions.latest()
        ]

    for _ in range(50):
        if "asked" not in str(await recorded()):
            break
        await asyncio.sleep(0.02)
    assert await recorded() == [
        ("U0LINUS", "C0OPS", "apiaudit", "24h password=[redacted]", "refused"),
        ("U0ADA", "C0OPS", "usage", "last 7 days", "answered"),
    ]


async def test_audit_days_are_in_askers_zone(world: Sandbox) -> None:
    answer = await world.slack.answer_to("/apiaudit iot yesterday", user="U0GRACE")
    assert "America/New_York" in answer.text


@pytest.mark.parametrize("line", ["/logs kitchen 20m", "/apiaudit iot 24h"])
async def test_message_has_one_clock_format(world: Sandbox, line: str) -> None:
    answer = await world.slack.answer_to(line)
    head, chart = (
        answer.blocks[1],
        next(block for block in answer.blocks if block["type"] == "data_visualization"),
    )
    assert re.search(r"\d\d:\d\d to [^<]*\d\d:\d\d", head["elements"][0]["text"])
    assert "<!date" not in str(answer.blocks)
    assert "(Europe/Dublin)" in chart["title"]
    assert "(Europe/Dublin)" in answer.text
    days = await world.slack.answer_to(f"{line.rpartition(' ')[0]} yesterday")
    assert "(Europe/Dublin)" in days.blocks[1]["elements"][0]["text"]


async def test_hostile_rows_and_names_stay_text(world: Sandbox) -> None:
    evil = "<!channel> `x` \u202e @everyone <https://evil.example|x>"
    world.devicewise.rows = lambda start, end: [{"ts": (end - timedelta(minutes=1)).isoformat(), "whoami": evil, "request": json.dumps({"1": {"command": evil, "params": {"key": evil}}}), "response": '{"1":{"success":false}}', "orgKey": evil}]  # fmt: skip
    answer = await world.slack.answer_to("/apiaudit iot 24h")
    assert "<!" not in answer.text
    assert "\u202e" not in text_of(answer)
    assert world.slack.refused == []


async def test_hostile_question_is_sanitised(world: Sandbox) -> None:
    answer = await world.slack.answer_to("/usage <!channel> `@everyone` \u202e")
    assert "<!channel>" not in text_of(answer)
    assert "\u202e" not in text_of(answer)


@pytest.mark.shows_work
async def test_home_tab_shows_permitted_and_recent_questions(world: Sandbox) -> None:
    await world.slack.answer_to("/usage last 7 days")
    await asyncio.sleep(0.05)
    await world.slack.open_home("U0ADA")
    home = json.dumps(await world.slack.until(lambda: world.slack.homes.get("U0ADA")))
    for said in ("/usage", "/apiaudit", "/logs", "rapid7-eu", "last 7 days"):
        assert said in home


async def test_refused_new_blocks_become_picture_and_table(
    world: Sandbox,
) -> None:
    world.slack.supports_new_blocks = False
    answer = await world.slack.answer_to("/usage last 7 days")
    assert "data_visualization" not in types(answer)
    assert {"image", "table", "header", "actions"} <= set(types(answer))
    chart = next(block for block in answer.blocks if block["type"] == "image")
    assert world.slack.files[chart["slack_file"]["id"]].content.startswith(b"\x89PNG")
    assert "Data usage by day, GB: usage " in chart["alt_text"]
    assert len(world.slack.refused) == 1
    await world.slack.answer_to("/usage last 3 days")
    assert len(world.slack.refused) == 1, "what was learned is remembered"


async def test_refused_tables_become_text(world: Sandbox) -> None:
    world.slack.supports_new_blocks = world.slack.knows_tables = False
    answer = await world.slack.answer_to("/usage last 7 days")
    assert not {"data_visualization", "data_table", "table", "image"} & set(types(answer))
    assert "By day:" in text_of(answer)


async def test_table_is_sent_without_failed_picture(world: Sandbox) -> None:
    world.slack.supports_new_blocks = False
    world.slack.answer_with(500, path="getUploadURLExternal", times=9)
    answer = await world.slack.answer_to("/usage last 7 days")
    assert "table" in types(answer) and "image" not in types(answer)


async def test_private_answer_falls_back_to_older_blocks(
    world: Sandbox,
) -> None:
    world.slack.supports_new_blocks = False
    answer = await world.slack.answer_to("/apiaudit iot 24h")
    assert answer.seen_by == "U0ADA"
    assert not {"data_table", "data_visualization"} & set(types(answer))
    assert "table" in types(answer)
    assert len(world.slack.refused) == 1
    await world.slack.answer_to("/apiaudit iot 24h")
    assert len(world.slack.refused) == 1, "what was learned is remembered"


@pytest.mark.shows_work
async def test_progress_without_task_blocks_is_text(world: Sandbox) -> None:
    world.slack.knows_tasks = False
    world.rapid7.be_slow(600, times=3)
    await world.slack.command("/usage last 7 days")
    working = await world.slack.until(
        lambda: next((m for m in world.slack.seen() if m.text.startswith("Working on")), None)
    )
    assert types(working) == ["section", "context", "actions"]
    world.rapid7.answer_at_once()
    answer = await world.slack.until(
        lambda: next((m for m in world.slack.seen() if "in 7 days" in m.text), None)
    )
    assert {"data_table", "data_visualization"} <= set(types(answer)), (
        "what was refused of one kind says nothing of another"
    )
    world.devicewise.be_slow(600)
    async with connected_bot(world, access={"apiaudit": ["*"]}):
        await world.slack.command("/apiaudit 24h")
        working = await world.slack.until(
            lambda: next((m for m in world.slack.seen() if m.text.startswith("Working on")), None)
        )
        assert types(working) == ["section", "section", "context", "actions"]
        world.devicewise.answer_at_once()
        await world.slack.until(lambda: working.text.startswith("edge, iot: "))


async def test_private_answer_uses_supported_blocks(world: Sandbox) -> None:
    world.slack.supports_new_blocks = False
    await world.slack.answer_to("/usage last 7 days")
    answer = await world.slack.answer_to("/apiaudit edge 2h", channel="C0KITCHEN")
    assert answer.seen_by == "U0ADA"
    assert "data_table" not in types(answer) and "table" in types(answer)


async def test_no_secret_shows_anywhere(
    world: Sandbox, bot: Bot, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    for server in (world.rapid7, world.akamai, world.devicewise):
        server.answer_with(
            400,
            json.dumps(
                {
                    "title": " ".join(world.environ().values()),
                    "message": " ".join(world.environ().values()),
                }
            ),
        )
    for line in ("/usage today", "/apiaudit 24h", "/logs kitchen", "/usage today", "/apiaudit 24h"):
        await world.slack.answer_to(line)
    shown = "".join(text_of(m) for m in world.slack.messages) + "".join(
        r.getMessage() for r in caplog.records if r.name.startswith("opswatch")
    )
    secrets = [s.open() for s in bot.settings.secrets()] + [s.open() for s in bot.tokens.secrets()]
    assert len(secrets) >= 7
    for secret in secrets:
        assert secret not in shown


async def test_upload_limit_cut_is_explained(world: Sandbox) -> None:
    async with connected_bot(
        world, limits={"upload_plain": "2 kB", "upload_total": "10 kB"}, database="other.sqlite"
    ):
        answer, brought = await files_after(world, "/logs kitchen 24h")
        assert "Cut at 10.0 kB, the most that is sent as one file." in answer.text
        assert brought.files[0].name.endswith(".log.gz")
        assert gzip.decompress(brought.files[0].content).endswith(b"\n")


@pytest.mark.shows_work
async def test_interrupted_answer_is_reported(world: Sandbox, bot: Bot) -> None:
    world.rapid7.be_slow(30, times=9)
    await world.slack.command("/usage last 7 days")
    await world.slack.until(lambda: len(world.rapid7.requests) >= 3)
    await bot.requests.running.finish(within_s=0.1)
    await world.slack.until(
        lambda: any("The bot is restarting" in m.text for m in world.slack.seen())
    )
    late = await world.slack.answer_to("/usage today")
    assert "The bot is restarting" in late.text


async def test_refused_file_leaves_the_answer(world: Sandbox) -> None:
    refusal = json.dumps({"ok": False, "error": "storage_limit_reached"})
    world.slack.answer_with(
        200, refusal, path="completeUploadExternal", Content_Type="application/json"
    )
    answer = await world.slack.answer_to("/logs kitchen")
    await world.slack.until(
        lambda: any(
            "The file could not be sent (storage_limit_reached)" in m.text
            for m in world.slack.seen()
        )
    )
    assert "lines" in answer.text
    assert answer in world.slack.messages


@pytest.mark.parametrize("code", ["missing_scope", "token_revoked", "fatal_error"])
async def test_slack_refusal_has_a_hint(world: Sandbox, code: str) -> None:
    world.slack.answer_with(
        200,
        json.dumps({"ok": False, "error": code}),
        path="chat.postMessage",
        Content_Type="application/json",
    )
    answer = await world.slack.answer_to("/usage last 7 days")
    assert f"Slack rejected the message ({code})." in answer.text
    assert answer.seen_by == "U0ADA"


async def test_small_log_is_a_snippet(world: Sandbox) -> None:
    await files_after(world, "/logs kitchen")
    asked = [entry for entry in world.slack.requests if "getUploadURLExternal" in entry.path]
    assert "snippet_type=text" in asked[0].query + asked[0].body.decode()


@pytest.mark.parametrize(
    "processed", [True, False], ids=["after it was taken", "before it was taken"]
)
@pytest.mark.parametrize("failure", ["cut", "500", "503"])
async def test_uncertain_post_is_not_repeated(
    world: Sandbox, failure: str, processed: bool
) -> None:
    """Whatever Slack did with it, the answer stands at most once, and the asker is told to look."""
    world.slack.fail(how=failure, processed=processed)
    await world.slack.command("/usage last 7 days")
    told = await world.slack.until(
        lambda: [m for m in world.slack.seen() if "did not confirm the message" in m.text]
    )
    assert told[0].seen_by == "U0ADA"
    assert "Try again" in buttons(told[0])
    assert world.slack.paths().count("POST /api/chat.postMessage") == 1
    assert sum("in 7 days" in m.text for m in world.slack.messages) == processed


REFUSALS = {
    "is_archived": "this channel is archived",
    "restricted_action": "a setting of the workspace",
    "not_in_channel": "/invite @Opswatch",
    "channel_not_found": "/invite @Opswatch",
}


@pytest.mark.parametrize(("code", "says"), REFUSALS.items(), ids=REFUSALS.keys())
async def test_answer_is_ephemeral_where_posting_is_forbidden(
    world: Sandbox, code: str, says: str
) -> None:
    world.slack.answer_with(
        200,
        json.dumps({"ok": False, "error": code}),
        path="chat.postMessage",
        Content_Type="application/json",
    )
    answer = await world.slack.answer_to("/usage last 7 days")
    assert answer.seen_by == "U0ADA"
    assert "in 7 days" in answer.text
    assert says in answer.text


@pytest.mark.parametrize("code", ["msg_blocks_too_long", "invalid_blocks"])
async def test_always_refused_blocks_are_explained(world: Sandbox, code: str) -> None:
    refusal = json.dumps({"ok": False, "error": code})
    world.slack.answer_with(
        200, refusal, path="chat.postMessage", times=9, Content_Type="application/json"
    )
    answer = await world.slack.answer_to("/usage last 7 days")
    assert f"Slack rejected the message ({code})." in answer.text
    assert "csv" in answer.text
    assert world.slack.paths().count("POST /api/chat.postMessage") == (
        2 if code == "msg_blocks_too_long" else 3
    )


@pytest.mark.shows_work
async def test_expired_response_url_falls_back_to_ephemeral(
    world: Sandbox,
) -> None:
    world.devicewise.be_slow(600)
    await world.slack.command("/apiaudit iot 24h")
    for url in world.slack.response_urls.values():
        url.made_at -= 1801
    world.devicewise.answer_at_once()
    assert await world.slack.until(
        lambda: [m for m in world.slack.seen() if "iot:" in m.text and m.seen_by == "U0ADA"]
    )
    assert "POST /api/chat.postEphemeral" in world.slack.paths()


@pytest.mark.shows_work
async def test_used_up_response_url_falls_back_to_dm(
    world: Sandbox,
) -> None:
    world.devicewise.be_slow(600)
    await world.slack.command("/apiaudit iot 24h", channel="C0QUIET")
    for url in world.slack.response_urls.values():
        url.uses = 5
    world.devicewise.answer_at_once()
    told = await world.slack.until(lambda: [m for m in world.slack.seen() if "iot:" in m.text])
    assert world.slack.channels[told[0].channel].direct_with == "U0ADA"


@pytest.mark.shows_work
async def test_long_work_respects_response_url_uses(
    world: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Progress that only the asker sees is shown once; the answer takes its place."""
    for name, value in (("SHOW_WORK_AFTER_S", 0.05), ("EDIT_EVERY_S", 0.05)):
        monkeypatch.setattr(f"handlers.shown_work.{name}", value)
    world.devicewise.be_slow(1.0)
    answer = await world.slack.answer_to("/apiaudit iot 24h")
    assert "iot:" in answer.text
    assert max(url.uses for url in world.slack.response_urls.values()) <= 2


async def test_slack_429_is_waited_for(world: Sandbox) -> None:
    world.slack.answer_with(
        429, "{}", path="chat.postMessage", Retry_After="1", Content_Type="application/json"
    )
    answer = await world.slack.answer_to("/usage last 7 days")
    assert "in 7 days" in answer.text
    assert len(world.slack.seen()) == 1


async def test_too_long_answer_becomes_a_file(world: Sandbox) -> None:
    answer, brought = await files_after(world, "/usage 92d")
    assert "and 52 before" in answer.text
    assert "the file has them all" in text_of(answer)
    assert len(brought.files[0].content.split(b"\r\n")) == 1 + 92 + 1


@pytest.mark.parametrize("typed", ["pantry dooor", "Pantry Dor"])
async def test_nearest_log_name_is_suggested(world: Sandbox, typed: str) -> None:
    answer = await world.slack.answer_to(f'/logs "{typed}"')
    assert 'Try /logs "Pantry Door" last 20 mins' in answer.text


@pytest.mark.shows_work
async def test_simultaneous_equal_questions_share_one_request(world: Sandbox, bot: Bot) -> None:
    world.rapid7.be_slow(600, times=99)
    acks = await asyncio.gather(
        *(world.slack.command("/usage last 7 days", user="U0LINUS") for _ in range(5))
    )
    await asyncio.gather(*(ack.done for ack in acks))
    await world.slack.until(lambda: len(bot.requests.running.cancellable) == 5)
    world.rapid7.answer_at_once()
    assert await world.slack.until(
        lambda: len([m for m in world.slack.seen("U0LINUS") if "in 7 days" in m.text]) == 5
    )
    assert len(world.rapid7.requests) == 3


@pytest.mark.shows_work
async def test_long_private_work_from_a_button_leaves_no_orphan(world: Sandbox) -> None:
    answer = await world.slack.answer_to("/apiaudit iot 24h")
    world.devicewise.be_slow(600, times=1)
    await world.slack.press(answer, buttons(answer)["7 days"])
    await world.slack.until(
        lambda: any(m.text.startswith("Working on") for m in world.slack.seen())
    )
    world.devicewise.answer_at_once()
    await world.slack.until(lambda: any("iot:" in m.text and m.edited for m in world.slack.seen()))
    assert not [m for m in world.slack.seen() if m.text.startswith("Working on")]


async def test_refused_share_can_be_retried(world: Sandbox) -> None:
    answer = await world.slack.answer_to("/apiaudit iot 24h")
    world.slack.answer_with(
        200,
        json.dumps({"ok": False, "error": "missing_scope"}),
        path="chat.postMessage",
        Content_Type="application/json",
    )
    await world.slack.press(answer, buttons(answer)["Share here"])
    await world.slack.until(
        lambda: any(
            "Slack rejected the message (missing_scope)." in m.text for m in world.slack.seen()
        )
    )
    await world.slack.press(answer, buttons(answer)["Share here"])
    assert await world.slack.until(
        lambda: any("Shared by" in text_of(m) for m in world.slack.seen())
    )


async def test_share_waits_for_invitation(world: Sandbox) -> None:
    world.slack.channels["C0QUIET"].bot_is_in = True
    answer = await world.slack.answer_to("/apiaudit iot 24h", channel="C0QUIET")
    world.slack.channels["C0QUIET"].bot_is_in = False
    await world.slack.press(answer, buttons(answer)["Share here"])
    await world.slack.until(lambda: any("press Share again" in m.text for m in world.slack.seen()))
    world.slack.channels["C0QUIET"].bot_is_in = True
    await world.slack.press(answer, buttons(answer)["Share here"])
    assert await world.slack.until(
        lambda: any("Shared by" in text_of(m) for m in world.slack.seen())
    )


async def test_log_is_found_by_unique_prefix(world: Sandbox, bot: Bot) -> None:
    world.rapid7.logs["2c1f2885-ed93-4650-9e14-d46af4bf0887"] = "kitchenette"
    assert "Pantry Door" in (await world.slack.answer_to("/logs pan 20m")).text
    assert (
        "“kitch” may be kitchen and kitchenette; say which"
        in (await world.slack.answer_to("/logs kitch 20m")).text
    )
    told = await world.slack.answer_to("/logs cellar,kitchn since 09:00 where(/a b/) limit 5")
    assert "Try /logs cellar,kitchen since 09:00 where(/a b/) limit 5" in told.text
    assert (
        "kitchenette" not in (await world.slack.answer_to("/logs kitchen 20m")).text.splitlines()[0]
    )


async def test_two_logs_share_the_limit(world: Sandbox) -> None:
    answer, brought = await files_after(world, "/logs kitchen,cellar 2h limit 10")
    content = brought.files[0].content.decode().splitlines()
    assert [sum(f" {name} " in line for line in content) for name in ("kitchen", "cellar")] == [
        5,
        5,
    ]
    assert "These are the oldest lines of each log: 5 of kitchen, 5 of cellar." in answer.text
    times = re.findall(r"(?m)^\d{4}-\d\d-\d\dT\S+", answer.text)
    assert len(times) == 10
    assert times == sorted(times)


async def test_unused_limit_goes_to_other_log(world: Sandbox) -> None:
    sizes = {seed.KITCHEN: 30, seed.CELLAR: 3}
    world.rapid7.lines = lambda key, *_: iter([f"{key[:4]} {n}" for n in range(sizes[key])])
    for logs in ("kitchen,cellar", "cellar,kitchen"):
        answer, brought = await files_after(world, f"/logs {logs} 2h limit 10")
        content = brought.files[0].content.decode().splitlines()
        assert sorted(content) == [
            *(f"aee0 {n}" for n in range(7)),
            *(f"d8ea {n}" for n in range(3)),
        ]
        assert "Truncated: there are more lines than these 10." in answer.text
        world.slack.messages.clear()
    answer = await world.slack.answer_to("/logs kitchen,cellar 2h limit 33")
    assert "Truncated" not in answer.text


async def test_limit_names_included_lines(world: Sandbox, clock: MovableClock) -> None:
    # The oldest five minutes lie across a full hour, and so in two columns of the chart.
    clock.set(clock().replace(minute=58))
    answer = await world.slack.answer_to("/logs kitchen 2h limit 100")
    assert "These are the oldest 100 of the window; newer ones are left out." in answer.text
    assert "Last 10 of the oldest 100 lines:" in answer.text
    [chart] = [block for block in answer.blocks if block["type"] == "data_visualization"]
    points = chart["chart"]["series"][0]["data"]
    assert points[-1]["value"] > 0


async def test_preview_shows_its_share_of_the_log(world: Sandbox) -> None:
    world.rapid7.lines = lambda *_: iter([f"line {n}" for n in range(1204)])
    answer = await world.slack.answer_to("/logs kitchen")
    assert "Last 10 of 1,204 lines:" in answer.text
    assert "No levels: no line names one." in answer.text
    assert "No line has a time that can be read." in answer.text
