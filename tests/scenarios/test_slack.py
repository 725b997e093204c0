"""Complete conversations: a person types in Slack, the real bot asks the vendors, and the answer is
shown to those who may see it.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from bot.app import Bot
from bot.sandbox.sandbox import Sandbox
from tests.conftest import connected_bot
from tests.support.clock import MovableClock
from tests.support.messages import buttons, files_after, text_of, types

pytestmark = pytest.mark.usefixtures("late_progress", "bot")

# Examples name days of November 2026.
AFTER_THE_EXAMPLES = datetime(2026, 11, 27, 12, tzinfo=UTC)


async def test_usage_has_chart_table_and_buttons(
    sandbox: Sandbox,
) -> None:
    answer = await sandbox.slack.answer_to("/usage last 7 days")
    assert answer.seen_by == ""
    assert types(answer)[0] == "header"
    assert {"data_visualization", "data_table", "actions"} <= set(types(answer))
    assert "in 7 days" in answer.text
    for words in (
        "Daily average",
        "Peak",
        "vs. previous 7 days",
        "Month to date",
        "of 150 GB",
        "Month-end forecast",
        "Ada's Kitchen",
    ):
        assert words in text_of(answer), words
    assert sandbox.slack.refused == []


async def test_gap_is_mentioned_and_not_drawn(sandbox: Sandbox) -> None:
    answer = await sandbox.slack.answer_to("/usage 30d")
    gap = datetime.now(UTC).date() - timedelta(days=24)
    assert f"No data (not zero): {gap:%a} {gap.day} {gap:%b}" in answer.text
    assert "no data" in text_of(answer)


async def test_csv_per_log_has_every_row(sandbox: Sandbox, clock: MovableClock) -> None:
    clock.set(AFTER_THE_EXAMPLES)
    answer, brought = await files_after(sandbox, "/usage 2026-11-02..2026-11-08 per log csv")
    assert brought.thread_ts == answer.ts
    rows = brought.files[0].content.decode().split("\r\n")
    assert rows[0] == "day,log,bytes"
    assert rows[1].startswith("2026-11-02,")
    assert any(",kitchen," in row for row in rows)
    assert "By log:" in answer.text


async def test_apiaudit_is_private_with_both_vendors_in_one_table(sandbox: Sandbox) -> None:
    answer = await sandbox.slack.answer_to("/apiaudit 24h")
    assert answer.seen_by == "U0ADA"
    assert "edge, iot" in answer.text
    assert "Share here" in buttons(answer)
    assert {"data_visualization", "data_table"} <= set(types(answer))
    assert "linus@example.com" in answer.text


async def test_all_failed_calls_are_counted_once(sandbox: Sandbox) -> None:
    answer = await sandbox.slack.answer_to("/apiaudit edge 24h failures")
    [who] = [block for block in answer.blocks if block["type"] == "data_table"]
    assert [cell["text"] for cell in who["rows"][0]] == ["Actor", "Failed"]
    [chart] = [block for block in answer.blocks if block["type"] == "data_visualization"]
    assert [series["name"] for series in chart["chart"]["series"]] == ["failed"]
    assert chart["title"].startswith("Failed calls per")
    assert re.match(r"edge: \d+ failed calls – ", answer.text)
    assert "(" not in next(
        line for line in answer.text.splitlines() if line.startswith("By actor: ")
    )
    assert "100.0 %" not in answer.text + str(answer.blocks)


async def test_private_csv_comes_by_dm(sandbox: Sandbox) -> None:
    answer, brought = await files_after(sandbox, "/apiaudit 24h csv")
    assert answer.seen_by == "U0ADA"
    assert brought.channel == "D0ADA"
    rows = brought.files[0].content.decode().split("\r\n")
    assert rows[0] == (
        "at,account,actor,action,target,status,outcome,client,ip,duration_ms,org,host,client_token"
    )
    assert len(rows) - 2 == int(answer.text.split(": ")[1].split(" call")[0].replace(",", ""))


async def test_unavailable_account_does_not_hide_the_other(sandbox: Sandbox) -> None:
    sandbox.akamai.answer_with(503, times=9)
    answer = await sandbox.slack.answer_to("/apiaudit 24h")
    assert "edge is missing from this answer: edge is unavailable (HTTP 503)." in answer.text
    assert "This answer is incomplete." in answer.text
    assert "iot" in answer.text


async def test_every_account_down_is_an_error_with_try_again(sandbox: Sandbox) -> None:
    sandbox.rapid7.answer_with(503, times=99)
    answer = await sandbox.slack.answer_to("/usage today")
    assert answer.seen_by == "U0ADA"
    assert "rapid7-eu is unavailable (HTTP 503)." in answer.text
    sandbox.rapid7.faults.clear()
    await sandbox.slack.press(answer, buttons(answer)["Try again"])
    await sandbox.slack.until(lambda: any("so far today" in m.text for m in sandbox.slack.seen()))


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("/usage foo", "not a window"),
        ("/usage 20m", "recorded by day"),
        ("/apiaudit iot url:/x", "records no URL"),
        ("/apiaudit edge service:thing", "has no filter `service`"),
        ("/logs kitchen where(", "not closed"),
    ],
)
async def test_wrong_question_sends_no_request(sandbox: Sandbox, line: str, says: str) -> None:
    answer = await sandbox.slack.answer_to(line)
    assert says in answer.text.replace("&lt;", "<")
    assert answer.seen_by == "U0ADA"
    assert sandbox.rapid7.requests == sandbox.akamai.requests == sandbox.devicewise.requests == []


async def test_button_of_refusal_asks_corrected_question(sandbox: Sandbox) -> None:
    refusal = await sandbox.slack.answer_to("/usage foo")
    await sandbox.slack.press(refusal, buttons(refusal)["Ask this instead"])
    assert await sandbox.slack.until(
        lambda: any("in 7 days" in m.text for m in sandbox.slack.seen())
    )


async def test_help_is_private_and_its_examples_work(sandbox: Sandbox, clock: MovableClock) -> None:
    clock.set(AFTER_THE_EXAMPLES)
    for command in ("/usage", "/apiaudit", "/logs"):
        answer = await sandbox.slack.answer_to(f"{command} help")
        assert answer.seen_by == "U0ADA"
        lines = [
            line.split(" – ")[0]
            for line in answer.text.splitlines()
            if line.startswith("/") and " – " in line
        ]
        assert len(lines) >= 3
        # Each channel takes a message a second.
        channels = itertools.cycle(
            c for c, about in sandbox.slack.channels.items() if about.bot_is_in
        )
        for line, channel in zip(lines, channels, strict=False):
            example = await sandbox.slack.answer_to(line.replace("&lt;", "<"), channel=channel)
            assert "Try " not in example.text, line


async def test_refused_person_is_answered_privately(sandbox: Sandbox) -> None:
    answer = await sandbox.slack.answer_to("/apiaudit 24h", user="U0LINUS")
    assert answer.seen_by == "U0LINUS"
    assert "You don't have access to /apiaudit here." in answer.text
    assert sandbox.akamai.requests == []


async def test_management_buttons_need_permission(sandbox: Sandbox) -> None:
    async with connected_bot(
        sandbox,
        access={"usage": ["*"], "apiaudit": ["U0LINUS"], "logs": ["*"], "manage": ["U0ADA"]},
    ):
        help_answer = await sandbox.slack.answer_to("/apiaudit help", user="U0LINUS")
        assert "subscribe" not in text_of(help_answer)
        assert "alert" not in text_of(help_answer)
        private = await sandbox.slack.answer_to("/apiaudit iot 24h", user="U0LINUS")
        assert not {"Repeat…", "Alert me…"} & set(buttons(private))
        help_answer = await sandbox.slack.answer_to("/usage help", user="U0ADA")
        assert "/usage subscribe" in help_answer.text


async def test_user_group_may_ask(sandbox: Sandbox) -> None:
    answer = await sandbox.slack.answer_to("/apiaudit 24h", user="U0GRACE", channel="C0KITCHEN")
    assert "calls" in answer.text


async def test_granted_channel_answers_publicly(sandbox: Sandbox) -> None:
    here = await sandbox.slack.answer_to("/logs kitchen", user="U0LINUS", channel="C0OPS")
    there = await sandbox.slack.answer_to("/logs kitchen", user="U0LINUS", channel="C0KITCHEN")
    assert here.seen_by == ""
    assert "You don't have access to" in there.text


async def test_personal_permission_gives_private_answer(sandbox: Sandbox) -> None:
    answer, brought = await files_after(sandbox, "/logs kitchen", user="U0ADA", channel="C0KITCHEN")
    assert answer.seen_by == "U0ADA"
    assert brought.channel == "D0ADA"
    assert "The file is in your direct messages." in answer.text


async def test_answer_outside_its_channels_is_private(sandbox: Sandbox) -> None:
    answer = await sandbox.slack.answer_to("/usage last 7 days", channel="C0QUIET")
    assert answer.seen_by == "U0ADA"
    assert "/invite @Opswatch" in answer.text
    assert "in 7 days" in answer.text


async def test_private_answer_can_be_shared_once(sandbox: Sandbox) -> None:
    answer = await sandbox.slack.answer_to("/apiaudit 24h")
    await sandbox.slack.press(answer, buttons(answer)["Share here"])
    shared = await sandbox.slack.until(
        lambda: next((m for m in sandbox.slack.seen("U0LINUS") if not m.seen_by), None)
    )
    assert "Shared by <@U0ADA>" in text_of(shared)
    assert "actions" not in types(shared)
    await sandbox.slack.press(answer, buttons(answer)["Share here"])
    await sandbox.slack.until(lambda: any("shared already" in m.text for m in sandbox.slack.seen()))


async def test_repeated_delivery_has_one_effect(sandbox: Sandbox) -> None:
    await sandbox.slack.command("/usage last 7 days", trigger_id="trigger.same")
    await sandbox.slack.until(sandbox.slack.seen)
    ack = await sandbox.slack.command("/usage last 7 days", trigger_id="trigger.same")
    await ack.done
    # Takes as long as a second answer would.
    await sandbox.slack.answer_to("/usage last 5 days")
    assert len([m for m in sandbox.slack.seen() if "in 7 days" in m.text]) == 1


@pytest.mark.shows_work
async def test_questions_are_recorded_with_outcome(sandbox: Sandbox, bot: Bot) -> None:
    await sandbox.slack.answer_to("/usage last 7 days")
    await sandbox.slack.answer_to("/apiaudit 24h password=hunter2", user="U0LINUS")

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


async def test_audit_days_are_in_askers_zone(sandbox: Sandbox) -> None:
    answer = await sandbox.slack.answer_to("/apiaudit iot yesterday", user="U0GRACE")
    assert "America/New_York" in answer.text


@pytest.mark.parametrize("line", ["/logs kitchen 20m", "/apiaudit iot 24h"])
async def test_message_has_one_clock_format(sandbox: Sandbox, line: str) -> None:
    answer = await sandbox.slack.answer_to(line)
    head = answer.blocks[1]
    chart = next(block for block in answer.blocks if block["type"] == "data_visualization")
    assert re.search(r"\d\d:\d\d to [^<]*\d\d:\d\d", head["elements"][0]["text"])
    assert "<!date" not in str(answer.blocks)
    assert "(Europe/Dublin)" in chart["title"]
    assert "(Europe/Dublin)" in answer.text
    days = await sandbox.slack.answer_to(f"{line.rpartition(' ')[0]} yesterday")
    assert "(Europe/Dublin)" in days.blocks[1]["elements"][0]["text"]


async def test_hostile_rows_and_names_stay_text(sandbox: Sandbox) -> None:
    evil = "<!channel> `x` \u202e @everyone <https://evil.example|x>"
    sandbox.devicewise.rows = lambda start, end: [{"ts": (end - timedelta(minutes=1)).isoformat(), "whoami": evil, "request": json.dumps({"1": {"command": evil, "params": {"key": evil}}}), "response": '{"1":{"success":false}}', "orgKey": evil}]  # fmt: skip
    answer = await sandbox.slack.answer_to("/apiaudit iot 24h")
    assert "<!" not in answer.text
    assert "\u202e" not in text_of(answer)
    assert sandbox.slack.refused == []


async def test_hostile_question_is_sanitised(sandbox: Sandbox) -> None:
    answer = await sandbox.slack.answer_to("/usage <!channel> `@everyone` \u202e")
    assert "<!channel>" not in text_of(answer)
    assert "\u202e" not in text_of(answer)


@pytest.mark.shows_work
async def test_home_tab_shows_permitted_and_recent_questions(sandbox: Sandbox) -> None:
    await sandbox.slack.answer_to("/usage last 7 days")
    await asyncio.sleep(0.05)
    await sandbox.slack.open_home("U0ADA")
    home = json.dumps(await sandbox.slack.until(lambda: sandbox.slack.homes.get("U0ADA")))
    for words in ("/usage", "/apiaudit", "/logs", "rapid7-eu", "last 7 days"):
        assert words in home


async def test_no_secret_shows_anywhere(
    sandbox: Sandbox, bot: Bot, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    for server in (sandbox.rapid7, sandbox.akamai, sandbox.devicewise):
        server.answer_with(
            400,
            json.dumps(
                {
                    "title": " ".join(sandbox.environ().values()),
                    "message": " ".join(sandbox.environ().values()),
                }
            ),
        )
    for line in ("/usage today", "/apiaudit 24h", "/logs kitchen", "/usage today", "/apiaudit 24h"):
        await sandbox.slack.answer_to(line)
    shown = "".join(text_of(m) for m in sandbox.slack.messages) + "".join(
        r.getMessage() for r in caplog.records if r.name.startswith("opswatch")
    )
    secrets = [s.open() for s in bot.settings.secrets()] + [s.open() for s in bot.tokens.secrets()]
    assert len(secrets) >= 7
    for secret in secrets:
        assert secret not in shown


async def test_mistyped_command_is_not_posted(sandbox: Sandbox) -> None:
    sandbox.slack.commands = [{"name": "/usage"}]
    typed = {"user": "U0ADA", "channel": "C0OPS", "text": "/usgae today"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{sandbox.slack.url}/do/command", json=typed) as response,
    ):
        assert await response.json() == {"ok": False}
    assert [(m.user, m.seen_by, m.text) for m in sandbox.slack.messages] == [
        ("USLACKBOT", "U0ADA", "/usgae is not a command here. The commands of Opswatch: /usage")
    ]
